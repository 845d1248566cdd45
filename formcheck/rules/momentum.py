"""The repetition is swung instead of lifted.

What it checks
    Whether a very short lifting phase goes together with a movement of the hips or the trunk.

Why it matters
    A swing lets the body throw the weight past the part in which the hamstrings would work hardest.

How it is measured
    Seconds of the lifting phase. It counts only when the hip or the trunk moved more than 10 degrees meanwhile; a
    quick repetition with a still body is taken as strength.

What to do
    Use less weight, keep hips and trunk still, and let the lift take a second.

Evidence
    some: No standard measure of momentum was found. Growth is similar from 0.5 to 8 s per repetition (Schoenfeld
    2015), so only repetitions faster than that, with a moving body, are worth a word.
"""

from dataclasses import replace

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, phase_seconds, spread_of
from formcheck.types import Scope, Strength

BODY = ("hip_flexion_deg", "trunk_inclination_deg")  # what should be still


def check(window: Window, limits: Limits) -> Finding | None:
    """Duration of the lifting phase, excused when the body stayed still."""
    found = phase_seconds(window, window.lifting)
    if found is None:
        return None
    moved = max(spread_of(window.values[metric], window.lifting) for metric in BODY)
    return replace(found, excused=moved <= limits.parameters["moved_deg"])


RULE = Rule(
    id="momentum",
    title="Swung, not lifted",
    scopes=frozenset({Scope.REP}),
    metric="lifting_s",
    needs=("range_deg", "hip_flexion_deg", "trunk_inclination_deg"),
    unit="s",
    direction=Direction.BELOW,
    limits=Limits(caution=0.6, fault=None, parameters={"moved_deg": 10.0}),
    strength=Strength.SOME,
    message="The weight was swung up.",
    cue="Lift smoothly, without a swing.",
    check=check,
    documentation=__doc__,
    excuse="the body stayed still",
)
