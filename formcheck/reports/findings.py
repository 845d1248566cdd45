"""The findings of a report by rule, most serious first, with the letter that marks them in every picture."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass

from formcheck.types import Outcome, Report, Status

SERIOUS = (Status.FAULT, Status.CAUTION)  # the statuses that are findings, most serious first


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """What one rule found in a clip.

    Attributes
    ----------
    rule : str
    letter : str
        A, B, C ...: how lists, stills and plots name it where there is no room for words.
    status : Status
        The most serious one.
    outcomes : tuple of Outcome
        In order of time.
    """

    rule: str
    letter: str
    status: Status
    outcomes: tuple[Outcome, ...]

    @property
    def worst(self) -> Outcome:
        """The finding to look at first: of the most serious ones, the one farthest past its limit."""
        serious = [outcome for outcome in self.outcomes if outcome.status is self.status]
        return max(serious, key=_past_limit)


def findings_by_rule(report: Report) -> tuple[RuleFindings, ...]:
    """The cautions and faults of a report, one entry for each rule, most serious first.

    Rules of one status stand in the order in which the exercise lists them, which is the order of what matters most.
    """
    grouped: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        if outcome.status in SERIOUS:
            grouped.setdefault(outcome.rule, []).append(outcome)
    listed = list(dict.fromkeys(outcome.rule for outcome in report.outcomes))
    found = [(min(SERIOUS.index(outcome.status) for outcome in of_rule), rule) for rule, of_rule in grouped.items()]
    found.sort(key=lambda item: (item[0], listed.index(item[1])))
    return tuple(
        RuleFindings(rule, letter_of(place), SERIOUS[status], tuple(sorted(grouped[rule], key=moment_s)))
        for place, (status, rule) in enumerate(found)
    )


def letter_of(place: int) -> str:
    """``A`` to ``Z``, then ``AA``, ``AB`` ..., counted from 0."""
    letters = string.ascii_uppercase
    return (
        letters[place] if place < len(letters) else letters[place // len(letters) - 1] + letters[place % len(letters)]
    )


def moment_s(outcome: Outcome) -> float:
    """The second to look at: the worst moment, or the start of what was looked at where none is known."""
    return outcome.start_s if math.isnan(outcome.worst_s) else outcome.worst_s


def _past_limit(outcome: Outcome) -> float:
    distance = abs(outcome.measured - outcome.limit)
    return -math.inf if math.isnan(distance) else distance
