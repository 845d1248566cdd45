"""Slots of time: what is not done for every frame is done in the first frame of a slot.

Slots come from a frame's own time alone. So a part of a clip has the same ones as the whole, and a clip that is read
sparsely the same ones as one that is read frame by frame.
"""

from __future__ import annotations

import math
from typing import Final

LOOK_SLOT_S: Final = 0.2  # frames that `--rate auto` sends to the network, and those that may have an outline


def time_slot(time_s: float, slot_s: float) -> int:
    """Number of the slot that a time lies in; 0 for a time that is not finite."""
    return math.floor(time_s / slot_s + 1e-6) if math.isfinite(time_s) else 0
