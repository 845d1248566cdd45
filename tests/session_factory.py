"""Reports and sessions made by hand, for the tests of what is kept over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from formcheck.exercises import EXERCISES
from formcheck.history import Session, Source
from formcheck.history.records import rep_errors
from formcheck.rules import RULES
from formcheck.rules.base import Direction
from formcheck.types import ClipInfo, ExerciseInfo, Outcome, Rep, Report, Side, Status, ToolInfo, View

START = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def outcome(
    rule: str,
    rep: int | None = 1,
    status: Status = Status.OK,
    *,
    measured: float | None = None,
    sigma: float = 3.0,
    side: Side = Side.RIGHT,
    reason: str = "",
) -> Outcome:
    """One outcome; a good value lies ten errors on the good side of the rule's limit, a bad one on the other."""
    made = RULES[rule]
    limit = made.limits.caution if made.limits.caution is not None else (made.limits.fault or 60.0)
    good = -1.0 if made.direction is Direction.ABOVE else 1.0
    distance = {Status.OK: 10.0, Status.NOT_JUDGED: math.nan, Status.CAUTION: -0.5, Status.FAULT: -10.0}[status]
    value = limit + good * distance * sigma if measured is None else measured
    return Outcome(
        rule=rule,
        rep=rep,
        side=side,
        status=status,
        start_s=1.0,
        end_s=2.0,
        worst_s=1.5,
        metric=made.metric,
        measured=value,
        sigma=sigma if math.isfinite(value) else math.nan,
        limit=limit,
        unit=made.unit,
        message=made.message if status in (Status.CAUTION, Status.FAULT) else "",
        cue=made.cue if status in (Status.CAUTION, Status.FAULT) else "",
        reason=reason or ("the foot was hidden" if status is Status.NOT_JUDGED else ""),
    )


def report(
    exercise: str = "romanian-deadlift",
    *,
    reps: int = 5,
    side: Side = Side.RIGHT,
    statuses: Mapping[str, Sequence[Status] | Status] | None = None,
    measured: Mapping[str, Sequence[float]] | None = None,
    clip: str = "clips/rdl.mp4",
    yaw_deg: float = 5.0,
) -> Report:
    """A report in which every rule of the exercise was judged good, but for what is said here, rule by rule."""
    statuses, measured = statuses or {}, measured or {}
    outcomes = []
    for use in EXERCISES[exercise].rules:
        of_set = RULES[use.rule].check_set is not None
        for number in [None] if of_set else range(1, reps + 1):
            index = 0 if number is None else number - 1
            status = statuses.get(use.rule, Status.OK)
            if not isinstance(status, Status):
                status = status[index]
            value = measured[use.rule][index] if use.rule in measured else None
            outcomes.append(outcome(use.rule, number, status, measured=value, side=side))
    numbers = {"lifting_s": 1.5, "lowering_s": 2.5, "knee_flexion_min_deg": 12.0, "hip_flexion_max_deg": 85.0}
    return Report(
        tool=ToolInfo("0.1.0", "1.2.2", "full", "abc"),
        clip=ClipInfo(clip, 30.0, 900, 960, 540, 0, 0.99),
        exercise=ExerciseInfo(exercise, True, 1.0),
        view=View(yaw_deg, side, False, True),
        reps=tuple(
            Rep(n, side, 4.0 * n, 4.0 * n + 2, 4.0 * n + 4, 4.0 * n + 1.9, 4.0 * n + 2.1, True, numbers)
            for n in range(1, reps + 1)
        ),
        outcomes=tuple(outcomes),
    )


def session(
    number: int = 1, made: Report | None = None, *, weight_kg: float | None = 60.0, **changes: object
) -> Session:
    """A kept session, one day after the one of the number before."""
    made = made or report()
    values: dict[str, object] = {
        "when": START + timedelta(days=number),
        "source": Source.LIVE,
        "label": "",
        "note": "",
        "entered_reps": None,
        "errors": rep_errors(made),
        **changes,
    }
    return Session(id=number, weight_kg=weight_kg, report=made, **values)  # type: ignore[arg-type]
