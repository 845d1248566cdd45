"""Which outcomes of a clip that was read sparsely poses between two frames may have decided (`--rate auto`).

Stretches in which another verdict is near are read again more closely (`formcheck.sparse.read_again`); how the clip was
read before is the matter of `formcheck.sampling`. Figures: `benchmarks/rate.py`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final

from formcheck import judging, lumbar
from formcheck.rules.base import AppliedRule
from formcheck.sampling import EDGE_S
from formcheck.slots import LOOK_SLOT_S, time_slot
from formcheck.types import Outcome, Status

# A value so near to another status is read again more closely.
DOUBT_SIGMAS: Final = 0.1
DOUBT_OF_FAULT_SIGMAS: Final = 0.4  # more care before somebody is told of a fault
DOUBT_OF_BACK_FAULT_SIGMAS: Final = 0.2  # a judgement: about twice what its values differ by between the rates
AROUND_S: Final = 0.5  # read around a doubtful value: filters reach as far, and the network settles
BACK_METRIC: Final = "lumbar_flexion_deg"
JUST_S: Final = 1e-4  # no frame lies between; without, rounding may leave out the very first one of a slot
MOST: Final = 0.6  # of a clip: then all of it is read
MOST_ROUNDS: Final = 2  # a value may next be taken elsewhere, where it is in doubt again

_NOT_SEEN: Final = frozenset({*(judging.UNSEEN.format(part) for part in (judging.FOOT, judging.LEG)), lumbar.UNCLEAR})

Span = tuple[float, float]
"""Seconds from which and until which."""


def in_doubt(
    outcomes: Sequence[Outcome], applied: Sequence[AppliedRule], duration_s: float, known: Sequence[Span] = ()
) -> tuple[Outcome, ...]:
    """Outcomes that poses between two frames may have made what they are.

    Another status is near, of the back only where it is a fault; or something was not seen in the only repetition, or
    in this one and at most half of the others: the network may have lost it in the few frames that were sent; or the
    clip seems to begin or end in the middle of a repetition, which a little rest more or less decides.

    Parameters
    ----------
    outcomes, applied : sequence of Outcome, of AppliedRule
        Of a clip that was read sparsely, and what they were judged by.
    duration_s : float
        Of the clip.
    known : sequence of (float, float)
        Stretches that have been read closely since; a value that was taken inside one is not in doubt, but for a fault
        of the back.
    """
    by_rule, back = {item.rule.id: item for item in applied}, _rules_of_the_back(applied)
    return tuple(
        outcome
        for outcome in outcomes
        if (
            outcome.reason == judging.CUT_OFF
            or _is_in_doubt(outcome, by_rule[outcome.rule])
            or _was_lost(outcome, outcomes)
        )
        and (
            _is_fault_of(back, outcome)
            or not all(
                any(first_s <= start_s and end_s <= last_s for first_s, last_s in known)
                for start_s, end_s in _decided_by(outcome, duration_s)
            )
        )
    )


def _decided_by(outcome: Outcome, duration_s: float) -> list[Span]:
    """Where an outcome was decided: where its value was taken, or at the edges of the clip that cut it off."""
    edges: list[Span] = []
    if outcome.reason == judging.CUT_OFF:
        last_s = duration_s - EDGE_S
        edges += [(0.0, EDGE_S)] * (outcome.start_s < EDGE_S) + [(last_s, duration_s)] * (outcome.end_s > last_s)
    return edges or [(outcome.start_s, outcome.end_s)]


def _is_in_doubt(outcome: Outcome, applied: AppliedRule) -> bool:
    measured, sigma = outcome.measured, outcome.sigma
    if not (math.isfinite(measured) and sigma > 0):
        return False
    of_the_back = BACK_METRIC in applied.rule.needs
    if outcome.status is Status.FAULT:
        sigmas = DOUBT_OF_BACK_FAULT_SIGMAS if of_the_back else DOUBT_OF_FAULT_SIGMAS
    elif of_the_back:
        return False  # it hangs on outlines most of all, and those are much the same however closely frames are read
    else:
        sigmas = DOUBT_SIGMAS
    if judging.grade(measured, sigma, applied.limits, applied.rule) is not outcome.status:
        return False  # something else than the value decided
    shifted = (measured - sigmas * sigma, measured + sigmas * sigma)
    return any(judging.grade(value, sigma, applied.limits, applied.rule) is not outcome.status for value in shifted)


def _was_lost(outcome: Outcome, outcomes: Sequence[Outcome]) -> bool:
    if outcome.rep is None or outcome.reason not in _NOT_SEEN:
        return False
    alike = [other.reason in _NOT_SEEN for other in outcomes if other.rule == outcome.rule and other is not outcome]
    return sum(alike) <= len(alike) / 2


def spans_to_read(
    doubtful: Sequence[Outcome], applied: Sequence[AppliedRule], duration_s: float, known: Sequence[Span] = ()
) -> tuple[Span, ...] | None:
    """Stretches of a clip to read closely, so that these outcomes can be told; seconds, in order of time.

    Each is the stretch over which the value was taken, or an edge of the clip, with a little around it. None: the whole
    clip, for an outcome of the set, for a fault of the back, which is taken against all of it, or when most of it is
    asked for.
    """
    back = _rules_of_the_back(applied)
    spans: list[Span] = []
    for outcome in doubtful:
        if outcome.rep is None or _is_fault_of(back, outcome):
            return None
        spans += [(start_s - AROUND_S, end_s + AROUND_S) for start_s, end_s in _decided_by(outcome, duration_s)]
    asked_s = sum(min(end_s, duration_s) - max(start_s, 0.0) for start_s, end_s in _joined((*spans, *known)))
    if asked_s > MOST * duration_s:
        return None
    return _joined([(_slot_start_s(start_s), end_s) for start_s, end_s in spans])


def _slot_start_s(time_s: float) -> float:
    """Just before a moment's slot begins: a stretch that begins in its middle has other frames first in their slots."""
    return time_slot(time_s, LOOK_SLOT_S) * LOOK_SLOT_S - JUST_S


def needs_outlines(doubtful: Sequence[Outcome]) -> bool:
    """Whether stretches read again for these outcomes need more outlines too: for what was not seen."""
    return any(outcome.reason in _NOT_SEEN for outcome in doubtful)


def _rules_of_the_back(applied: Sequence[AppliedRule]) -> frozenset[str]:
    return frozenset(item.rule.id for item in applied if BACK_METRIC in item.rule.needs)


def _is_fault_of(back: Collection[str], outcome: Outcome) -> bool:
    return outcome.status is Status.FAULT and outcome.rule in back


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return tuple(joined)


def fits(
    doubtful: Sequence[Outcome], before: Sequence[Outcome], after: Sequence[Outcome], applied: Sequence[AppliedRule]
) -> bool:
    """Whether stretches that were read again fit the rest of the clip: what was not in doubt is what it was.

    A network that begins in the middle of a clip may take one leg for the other. The back is taken against the rest of
    the whole clip, and any stretch may move it a little: it fits as long as no fault comes of it.
    """
    asked = {(outcome.rule, outcome.rep) for outcome in doubtful}
    back = _rules_of_the_back(applied)
    first, second = ({(item.rule, item.rep): item.status for item in outcomes} for outcomes in (before, after))
    return first.keys() == second.keys() and all(
        first[pair] is second[pair] or (pair[0] in back and Status.FAULT not in (first[pair], second[pair]))
        for pair in first.keys() - asked
    )
