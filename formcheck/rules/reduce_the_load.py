"""Several ways of helping along appear together, and only late in the set.

What it checks
    Whether two or more of these appear in the last third of a set of six repetitions or more, and not before: swinging,
    hips lifting, repetitions cut short, a rounding lower back, hips that rise first.

Why it matters
    One of them alone is a habit to change. Several that come together when the set gets hard say that the weight, or
    the number of repetitions, is more than the hamstrings can do for now: other muscles take over.

How it is measured
    From what the rules momentum, hips-lifting, short-range, rounded-lower-back and hips-rise-first said of each
    repetition. A way of helping counts when it was found in the last third, beyond its measurement error, was never
    found before, and could be judged in at least half of the repetitions before.

What to do
    Take a little less weight, or end the set two repetitions earlier.

Evidence
    coaching: That several compensations late in a set call for less load is the advice of coaches; the number of two
    is a choice, not a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from formcheck.rules.base import Direction, Finding, Limits, Rule, WholeSet, only_of_sets
from formcheck.types import Scope, Status, Strength

COMPENSATIONS = ("momentum", "hips-lifting", "short-range", "rounded-lower-back", "hips-rise-first")
FOUND = frozenset({Status.CAUTION, Status.FAULT})


def check_set(whole: WholeSet, limits: Limits) -> Finding | None:
    """How many ways of helping along appear only late; None when too few could be judged to tell."""
    del limits
    count = len(whole.windows)
    if count < 3 or len(whole.statuses) != count:
        return None
    late_from = count - count // 3
    early, late = whole.statuses[:late_from], whole.statuses[late_from:]
    known = [rule for rule in COMPENSATIONS if _known_before(rule, early) and _judged_in(rule, late)]
    if len(known) < 2:
        return None
    new = [rule for rule in known if not _found_in(rule, early) and _found_in(rule, late)]
    hits = [sum(status.get(rule) in FOUND for rule in new) for status in late]
    worst = whole.windows[late_from + hits.index(max(hits))].rep
    start_s = whole.windows[late_from].rep.start_s
    return Finding(float(len(new)), worst.turn_s, start_s, whole.windows[-1].rep.end_s, sigma=0.0)


def _known_before(rule: str, early: Sequence[Mapping[str, Status]]) -> bool:
    return 2 * sum(status.get(rule, Status.NOT_JUDGED) is not Status.NOT_JUDGED for status in early) >= len(early)


def _judged_in(rule: str, part: Sequence[Mapping[str, Status]]) -> bool:
    return any(status.get(rule, Status.NOT_JUDGED) is not Status.NOT_JUDGED for status in part)


def _found_in(rule: str, part: Sequence[Mapping[str, Status]]) -> bool:
    return any(status.get(rule) in FOUND for status in part)


RULE = Rule(
    id="reduce-the-load",
    title="More than the hamstrings can do",
    scopes=frozenset({Scope.SET}),
    metric="late_compensations",
    needs=("range_deg",),
    unit="ways",
    direction=Direction.ABOVE,
    limits=Limits(caution=1.5, fault=None, parameters={"min_reps": 6.0}),  # between one and two: two speak
    strength=Strength.COACHING,
    message="Several ways of helping along came together, only late in the set.",
    cue="Take less weight, or stop a little earlier.",
    check=only_of_sets,
    documentation=__doc__,
    check_set=check_set,
)
