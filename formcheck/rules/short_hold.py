"""The stretch is let go early.

What it checks
    How long the end position is held.

Why it matters
    A stretch needs time: tension eases while it is held, and much of the gain comes from the seconds spent there.

How it is measured
    Seconds between reaching the end position and leaving it. Times can be told from views in which angles cannot.

What to do
    Hold for 10 to 30 seconds, easily, and repeat; 30 to 60 seconds for older adults.

Evidence
    strong: 10 to 30 s per stretch, on two or three days a week or more, is the guidance of the American College of
    Sports Medicine. Gains level off at about 4 min a session, and intensity does not matter
    (10.1007/s40279-024-02143-9).
"""

from formcheck.rules.base import Direction, Finding, Limits, Rule, Window, turn_seconds
from formcheck.types import Scope, Strength


def check(window: Window, limits: Limits) -> Finding | None:
    """Duration of the hold."""
    del limits
    return turn_seconds(window)


RULE = Rule(
    id="short-hold",
    title="Hold let go early",
    scopes=frozenset({Scope.HOLD}),
    metric="hold_s",
    needs=("range_deg",),
    unit="s",
    direction=Direction.BELOW,
    limits=Limits(caution=15.0, fault=None),
    strength=Strength.STRONG,
    message="The hold was short.",
    cue="Stay a little longer.",
    check=check,
    documentation=__doc__,
    any_view=True,
)
