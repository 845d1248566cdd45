"""A nerve glide is held at its end like a stretch.

What it checks
    Whether the end position of a nerve glide is held.

Why it matters
    A glide lets the nerve slide to and fro. Held at its end it becomes a stretch of the nerve, which is more likely to
    irritate it.

How it is measured
    Seconds between reaching the end position and leaving it. Times can be told from views in which angles cannot.

What to do
    Keep moving, slowly and easily, and turn around as soon as you reach the end.

Evidence
    coaching: Sliders that move rather than stretch the nerve are what physiotherapists teach; two seconds is a choice.
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, turn_seconds
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Duration of the stay at the end."""
    del limits
    return turn_seconds(window)


RULE = Rule(
    id="held-not-moving",
    title="Glide held like a stretch",
    scopes=frozenset({Scope.REP}),
    metric="hold_s",
    needs=("range_deg",),
    unit="s",
    direction=Direction.ABOVE,
    limits=Limits(caution=2.0, fault=None),
    strength=Strength.COACHING,
    message="The glide was held at its end.",
    cue="Keep moving gently.",
    check=check,
    documentation=__doc__,
    any_view=True,
)
