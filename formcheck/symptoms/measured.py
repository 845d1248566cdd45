"""What a session says about the causes of a calf, back or nerve feeling that a camera can see."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from formcheck.types import Report, Status

CAUSES = (
    "locked-knees",
    "excessive-dorsiflexion",
    "rounded-lower-back",
    "missing-plantarflexion",
    "neck-flexion",
    "momentum",
)
ENOUGH = 0.5  # of the repetitions must have been judged before "not found" is said


class Seen(StrEnum):
    """What the camera says about one cause."""

    FOUND = "found"
    NOT_FOUND = "not found"
    NOT_JUDGED = "not judged"


def measured_in(report: Report) -> Mapping[str, Seen]:
    """What was found of each cause in one session.

    Parameters
    ----------
    report : Report

    Returns
    -------
    mapping of rule id to Seen
        For the `CAUSES` that the session's exercise looks for. One caution or fault is enough for "found"; "not found"
        needs half of the repetitions judged, and all of those good.
    """
    found = {}
    for rule in CAUSES:
        of_rule = [outcome.status for outcome in report.outcomes if outcome.rule == rule]
        if of_rule:
            found[rule] = _seen(of_rule)
    return found


def _seen(statuses: list[Status]) -> Seen:
    if Status.CAUTION in statuses or Status.FAULT in statuses:
        return Seen.FOUND
    good = statuses.count(Status.OK)
    return Seen.NOT_FOUND if good >= ENOUGH * len(statuses) else Seen.NOT_JUDGED
