"""The weight is dropped, not lowered.

What it checks
    How long the lowering (eccentric) phase of a repetition takes.

Why it matters
    Muscles work while they lengthen too, and are strongest there. A weight that drops takes that half of the exercise
    away and ends in a jolt.

How it is measured
    Seconds between the end of the turn and the end of the repetition (in hinges: between the start and the turn), from
    the angle that makes the repetitions. Times can be told from views in which angles cannot.

What to do
    Count to two on the way down; take less weight if that is hard.

Evidence
    some: Growth is similar from 0.5 to 8 s per repetition (Schoenfeld 2015), and lowering in 2 s and in 4 s are alike
    (PMC8919893). So only a clearly uncontrolled repetition is worth a word.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, phase_seconds
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Duration of the lowering phase."""
    del limits
    return phase_seconds(window, window.lowering)


RULE = Rule(
    id="fast-lowering",
    title="Dropped, not lowered",
    scopes=frozenset({Scope.REP}),
    metric="lowering_s",
    needs=("range_deg",),
    unit="s",
    direction=Direction.BELOW,
    limits=Limits(caution=1.0, fault=None),
    strength=Strength.SOME,
    message="The weight came down fast.",
    cue="Lower more slowly.",
    check=check,
    documentation=__doc__,
    any_view=True,
)
