"""The tables of `docs/accuracy.md` about repetitions, verdicts and goals, in Markdown."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from accuracy_measure import JOINTS, MeasuredClip, covered, mae, sigmas, within
from accuracy_tables import EXERCISE_GOALS, degrees, groups, percent, table

from formcheck.types import Status

GOALS: Mapping[str, float] = {"knee": 2.5, "hip": 3.0, "ankle": 4.5}
COVERED_GOAL, WITHIN_GOAL, FOUND_GOAL, OK_GOAL = 0.95, 0.90, 0.90, 0.03


def bare_verdict_table(clips: Sequence[MeasuredClip]) -> str:
    """What becomes of counts and faults with bare landmarks, and with corrected ones."""
    rows = []
    for name, compared in (("bare landmarks", [c.bare for c in clips]), ("formcheck", [c.comparison for c in clips])):
        statuses = [result.status for clip in compared for result in clip.planted]
        found = sum(status in (Status.FAULT, Status.CAUTION) for status in statuses)
        exact = sum(clip.reps_found == clip.reps_true for clip in compared)
        wrong = Counter(outcome.status for clip in compared for outcome in clip.unplanned)
        rows.append(
            [
                name,
                f"{exact} of {len(compared)}",
                f"{found} of {len(statuses)}",
                str(statuses.count(Status.OK)),
                str(wrong[Status.FAULT]),
                str(wrong[Status.CAUTION]),
            ]
        )
    header = (
        "angles",
        "exact counts",
        "planted faults found",
        "called ok",
        "faults not planted",
        "cautions not planted",
    )
    return table(header, rows)


def timing_table(clips: Sequence[MeasuredClip]) -> str:
    """Timing errors of the repetitions that were found."""
    rows = []
    named = groups(clips)
    for name, part in [*named.items(), *([("**all**", list(clips))] if len(named) > 1 else [])]:
        timings = [timing for clip in part for timing in clip.timings]
        cells = []
        for moment in ("start_s", "turn_s", "end_s"):
            errors = np.array([getattr(timing, moment) for timing in timings])
            if errors.size:
                cells.append(f"{np.median(errors):+.2f} ({np.percentile(np.abs(errors), 95):.2f})")
            else:
                cells.append("-")
        exact = sum(clip.comparison.reps_found == clip.comparison.reps_true for clip in part)
        true = sum(clip.comparison.reps_true for clip in part)
        rows.append([name, f"{exact} of {len(part)}", f"{len(timings)} of {true}", *cells])
    return table(("exercise", "clips with the exact count", "repetitions found", "start", "turn", "end"), rows)


@dataclass(frozen=True, slots=True)
class Planted:
    """What became of planted faults: how many of each status (None: the repetition itself was missed)."""

    statuses: tuple[Status | None, ...]

    def count(self, *statuses: Status | None) -> int:
        return sum(status in statuses for status in self.statuses)

    def cells(self) -> list[str]:
        kinds = (Status.FAULT, Status.CAUTION, Status.NOT_JUDGED, Status.OK, None)
        return [str(len(self.statuses)), *(str(self.count(kind)) for kind in kinds)]


def planted(clips: Sequence[MeasuredClip], rule: str | None = None) -> Planted:
    results = [result for clip in clips for result in clip.comparison.planted]
    return Planted(tuple(result.status for result in results if rule in (None, result.rule)))


def planted_table(clips: Sequence[MeasuredClip]) -> str:
    """Planted faults by the rule that should find them."""
    rules = sorted({result.rule for clip in clips for result in clip.comparison.planted})
    rows = [[f"`{rule}`", *planted(clips, rule).cells()] for rule in rules]
    if len(rules) > 1:
        rows.append(["**all**", *planted(clips).cells()])
    return table(("rule", "planted", "fault", "caution", "not judged", "called ok", "repetition missed"), rows)


def false_faults(clips: Sequence[MeasuredClip]) -> int:
    return sum(outcome.status is Status.FAULT for clip in clips for outcome in clip.comparison.unplanned)


def unplanned_table(clips: Sequence[MeasuredClip]) -> str:
    """Findings where nothing of the kind was planted, by rule and exercise."""
    found: dict[tuple[str, str], list[tuple[MeasuredClip, Status]]] = defaultdict(list)
    for clip in clips:
        for outcome in clip.comparison.unplanned:
            found[outcome.rule, clip.truth.exercise].append((clip, outcome.status))
    rows = []
    for (rule, exercise), items in sorted(found.items()):
        count = Counter(status for _, status in items)
        beside = sum(bool(clip.truth.faults) for clip, _ in items)
        names = ", ".join(f"`{name}`" for name in sorted({clip.truth.path.stem for clip, _ in items}))
        rows.append([f"`{rule}`", exercise, str(count[Status.FAULT]), str(count[Status.CAUTION]), str(beside), names])
    return table(("rule", "exercise", "faults", "cautions", "beside another planted fault", "clips"), rows)


def inexact_counts(clips: Sequence[MeasuredClip]) -> str:
    """The clips whose repetitions are not all found, or too many, in one sentence."""
    wrong = [
        f"`{clip.truth.path.stem}` (found {clip.comparison.reps_found} of {clip.comparison.reps_true})"
        for clip in clips
        if clip.comparison.reps_found != clip.comparison.reps_true
    ]
    return f"Not exact: {', '.join(wrong)}." if wrong else "Every count is exact."


def goals_table(side: Sequence[MeasuredClip], clips: Sequence[MeasuredClip]) -> str:
    """The goals that were set before measuring, and whether each is met."""
    rows: list[list[str]] = []

    def row(goal: str, reached: str, is_met: bool) -> None:
        rows.append([goal, reached, "yes" if is_met else "**no**"])

    shipped, held_out = sigmas(side, False), sigmas(side, True)
    for metric, joint in JOINTS.items():
        error = mae(side, metric)
        row(f"{joint}: mean absolute error at most {GOALS[joint]}°", f"{degrees(error)}°", error <= GOALS[joint])
    for metric, joint in JOINTS.items():
        by_name = {name: mae(part, metric) for name, part in groups(side).items()}
        by_name = {name: value for name, value in by_name.items() if not math.isnan(value)}
        name = max(by_name, key=lambda name: by_name[name], default="")
        error = by_name.get(name, math.nan)
        goal = f"{joint}: no exercise above {EXERCISE_GOALS[joint]:.0f}°"
        row(goal, f"{degrees(error)}° ({name})", error <= EXERCISE_GOALS[joint])
    for metric, joint in JOINTS.items():
        share = within(side, metric, held_out, 2.0)
        reached = f"{percent(share)}; {percent(within(side, metric, shipped, 2.0))} with the shipped sigmas"
        goal = f"{joint}: {percent(WITHIN_GOAL)} of errors within two sigma, from other bodies"
        row(goal, reached, share >= WITHIN_GOAL)
    share = min(covered(side, metric) for metric in JOINTS)
    row(
        f"at least {percent(COVERED_GOAL)} of frames covered (least of the joints)",
        percent(share),
        share >= COVERED_GOAL,
    )
    exact = sum(clip.comparison.reps_found == clip.comparison.reps_true for clip in clips)
    row("counts exact on every clip", f"{exact} of {len(clips)}", exact == len(clips))
    row("no fault where none was planted", f"{false_faults(clips)} faults", false_faults(clips) == 0)
    result = planted(clips)
    total = len(result.statuses)
    found, good = result.count(Status.FAULT, Status.CAUTION), result.count(Status.OK)
    row(f"{percent(FOUND_GOAL)} of planted faults found", f"{found} of {total}", found >= FOUND_GOAL * total)
    row(f"at most {percent(OK_GOAL)} of planted faults called ok", f"{good} of {total}", good <= OK_GOAL * total)
    return table(("goal", "reached", "met"), rows)
