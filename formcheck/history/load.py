"""Whether to add weight: only when the form has held.

The rule is coaching, not measurement. The American College of Sports Medicine's position stand on progression (2009,
Med Sci Sports Exerc 41:687) advises 2 to 10 % more weight once the present one goes for one or two repetitions more
than intended; coaches ask for that on two training days in a row. formcheck asks for the form, on two days in a row:
every set judged well enough, no caution and no fault, the whole range, and no fatigue. Where too little was judged the
answer is that it cannot be told: not seen is never good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, takewhile

from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.history.records import Session
from formcheck.rules import RULES
from formcheck.types import Kind, Outcome, Position, Status

DAYS = 2
MIN_REPS = 4  # with fewer nothing can be said of fatigue
JUDGED_SHARE = 0.75  # of the repetitions, for a rule to count as judged
RULES_SHARE = 2 / 3  # of the exercise's rules that must count as judged
SAME_WEIGHT_KG = 0.25
UNLOADED = frozenset({"sciatic-slider"})  # moves without a load, beside all holds
INFORMATION = frozenset({"neural-load"})  # says something, but is never a fault
TOO_HEAVY = frozenset({"reduce-the-load"})
STEP = "Take the smallest step there is, 2 to 10 %."


class Action(StrEnum):
    """What to do with the weight."""

    ADD = "add"
    KEEP = "keep"
    REDUCE = "reduce"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class LoadAdvice:
    """What to do with the weight, why, and what was not judged in the sets behind it (rule titles)."""

    action: Action
    reason: str
    weight_kg: float | None = None
    not_judged: tuple[str, ...] = ()


class Form(StrEnum):
    """How the form of one set, or of one day, was; the later in the list, the more careful the advice."""

    HELD = "held"
    UNKNOWN = "unknown"
    SLIPPED = "slipped"
    BROKE = "broke"


@dataclass(frozen=True, slots=True)
class Judged:
    """The form of a set, or of the worst set of a day, and why."""

    form: Form
    why: str


def load_advice(sessions: Sequence[Session], exercise_id: str) -> LoadAdvice:
    """Say whether to add weight in one exercise, from its last sessions.

    Parameters
    ----------
    sessions : sequence of Session
        Those of other exercises are left out.
    exercise_id : str
    """
    exercise = EXERCISES.get(exercise_id)
    own = sorted((item for item in sessions if item.exercise == exercise_id), key=lambda item: item.when)
    if exercise is None or not own:
        return LoadAdvice(Action.CANNOT_TELL, "There is no session of this exercise yet.")
    if exercise.kind is Kind.HOLD or exercise.id in UNLOADED:
        return LoadAdvice(Action.CANNOT_TELL, f"{exercise.title}: there is no weight to add to a stretch or a glide.")
    if own[-1].weight_kg is None:
        return LoadAdvice(Action.CANNOT_TELL, "Enter the weight of your last session (0 for none).")
    by_day = _days(own)
    weight, days = by_day[-1][0], _at_this_weight(by_day)
    last = _day(days[-1], exercise)
    unseen = _not_judged([item for day in days[-DAYS:] for item in day], exercise)
    action, reason = _decide(last, days, exercise)
    return LoadAdvice(action, reason, weight, unseen)


def _decide(last: Judged, days: Sequence[Sequence[Session]], exercise: Exercise) -> tuple[Action, str]:
    if last.form is Form.BROKE:
        return Action.REDUCE, f"{last.why} Take a little less weight, and keep the form."
    if last.form is Form.SLIPPED:
        return Action.KEEP, f"{last.why} Stay at this weight until it is gone."
    untold = last.why if last.form is Form.UNKNOWN else _missing_leg(days, exercise)
    if untold:
        return Action.CANNOT_TELL, untold
    if len(days) < DAYS:
        return Action.KEEP, "The form held. Once more at this weight, on another day; if it holds again, add."
    before = _day(days[-2], exercise)
    if before.form is not Form.HELD:
        return Action.KEEP, f"The form held the last time, but not yet twice in a row. The day before: {before.why}"
    return Action.ADD, f"On your last two days at this weight the form held in every repetition judged. {STEP}"


def _days(sessions: Sequence[Session]) -> list[tuple[float | None, list[Session]]]:
    """The training days, oldest first: the heaviest weight of each, and the sets that count for it.

    Lighter sets are taken as warm-up. A set without a weight may have been at any, so it counts.
    """
    days = []
    for _, group in groupby(sessions, key=lambda item: item.when.astimezone().date()):
        day = list(group)
        weight = max((item.weight_kg for item in day if item.weight_kg is not None), default=None)
        days.append((weight, [item for item in day if item.weight_kg is None or _same(item.weight_kg, weight)]))
    return days


def _at_this_weight(days: Sequence[tuple[float | None, list[Session]]]) -> list[list[Session]]:
    """The sets of the last days in a row on which the heaviest weight was that of the very last."""
    now = days[-1][0]
    return list(reversed([sets for _, sets in takewhile(lambda day: _same(day[0], now), reversed(days))]))


def _same(weight_kg: float | None, other_kg: float | None) -> bool:
    return weight_kg is not None and other_kg is not None and abs(weight_kg - other_kg) < SAME_WEIGHT_KG


def _day(sessions: Sequence[Session], exercise: Exercise) -> Judged:
    """The most worrying set of a day."""
    order = list(Form)
    return max((judge_form(item, exercise) for item in sessions), key=lambda judged: order.index(judged.form))


def judge_form(session: Session, exercise: Exercise) -> Judged:
    """Whether the form of one set held.

    Parameters
    ----------
    session : Session
    exercise : Exercise
    """
    outcomes = [item for item in session.report.outcomes if item.rule not in INFORMATION]
    reps = [rep for rep in session.report.reps if rep.complete]
    flagged = [item for item in outcomes if item.status in (Status.CAUTION, Status.FAULT)]
    if flagged:
        return _slipped(flagged, len(reps))
    if len(reps) < MIN_REPS:
        return Judged(Form.UNKNOWN, f"Only {_reps(len(reps))} could be judged; it takes at least {MIN_REPS}.")
    if session.entered_reps and len(reps) < JUDGED_SHARE * session.entered_reps:
        return Judged(Form.UNKNOWN, f"The camera saw {len(reps)} of the {session.entered_reps} repetitions you did.")
    unseen = _unseen_rules([session], exercise)
    for needed, what in (("short-range", "the range"), ("fatigue", "whether you tired")):
        if needed in unseen:
            return Judged(Form.UNKNOWN, f"Too little was judged: {what} could not be told.")
    if len(unseen) > (1 - RULES_SHARE) * len(_rules(exercise)):
        titles = ", ".join(RULES[rule].title.lower() for rule in unseen)
        return Judged(Form.UNKNOWN, f"Too little was judged. Not seen well enough: {titles}.")
    return Judged(Form.HELD, "The form held.")


def _slipped(flagged: Sequence[Outcome], reps: int) -> Judged:
    faulty = {item.rep for item in flagged if item.status is Status.FAULT and item.rep is not None}
    tired = any(item.rule == "fatigue" for item in flagged)
    named = dict.fromkeys(item.rule for item in sorted(flagged, key=lambda item: item.status is not Status.FAULT))
    titles = ", ".join(_title(rule) for rule in named)
    where = {item.rep for item in flagged if item.rep is not None}
    spread = f" in {len(where)} of {_reps(reps)}" if where else ""
    heavy = any(item.rule in TOO_HEAVY for item in flagged) or (tired and bool(faulty))
    broke = heavy or (bool(faulty) and 2 * len(faulty) >= max(reps, 1))
    return Judged(Form.BROKE if broke else Form.SLIPPED, f"Seen{spread}: {titles}.")


def _reps(count: int) -> str:
    return f"{count} repetition{'' if count == 1 else 's'}"


def _title(rule: str) -> str:
    return RULES[rule].title.lower() if rule in RULES else rule.replace("-", " ")


def _rules(exercise: Exercise) -> list[str]:
    return [use.rule for use in exercise.rules if use.rule not in INFORMATION]


def _unseen_rules(sessions: Sequence[Session], exercise: Exercise) -> list[str]:
    """The exercise's rules that were judged in too few repetitions of any of the sessions."""
    unseen = []
    for rule in _rules(exercise):
        for session in sessions:
            of_rule = [item for item in session.report.outcomes if item.rule == rule]
            judged = [item for item in of_rule if item.status is not Status.NOT_JUDGED]
            silent = (
                not of_rule and RULES[rule].check_set is None
            )  # a rule of sets may have nothing to say of a short one
            if silent or len(judged) < JUDGED_SHARE * len(of_rule):
                unseen.append(rule)
                break
    return unseen


def _not_judged(sessions: Sequence[Session], exercise: Exercise) -> tuple[str, ...]:
    return tuple(_title(rule) for rule in _unseen_rules(sessions, exercise))


def _missing_leg(days: Sequence[Sequence[Session]], exercise: Exercise) -> str:
    """What to say when a one-legged exercise was filmed from one side only; empty otherwise."""
    if exercise.position is not Position.ONE_LEG:
        return ""
    sides = {rep.side for day in days[-DAYS:] for item in day for rep in item.report.reps}
    if len(sides) != 1:
        return ""
    side = next(iter(sides))
    return f"Only your {side} leg was filmed. Film the {side.other} one too: both should hold before you add."
