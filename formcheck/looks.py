"""How each exercise looks from the side: in which range each feature of a clip lies.

The ranges come from what the movement is (a Romanian deadlift keeps the knees soft, the bar in hanging arms, and the
hands above mid-shin), wide enough for its faults, since a fault does not make another exercise of it. They are not
fitted to clips. The features are those of `formcheck.recognise.measure`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

UNKNOWN = 1.0  # misfit of a feature that was not seen: one tolerance
WORST = 16.0  # one feature cannot count for more than four tolerances: it may be a landmark that went astray

# Tolerances: how far outside a range is one step less likely. They hold what people and landmarks differ by.
ANGLE_DEG = 12.0
DISTANCE = 0.15  # of the trunk's length
SPEED_DEG_S = 35.0
SHARE = 0.06
CORRELATION = 0.25


@dataclass(frozen=True, slots=True)
class Trait:
    """The range of one feature, and how far outside it is one step less likely."""

    feature: str
    low: float
    high: float
    tolerance: float = ANGLE_DEG

    def misfit(self, value: float) -> float:
        """Squared distance to the range in tolerances, 0 inside it; NaN counts as `UNKNOWN`."""
        if math.isnan(value):
            return UNKNOWN
        outside = max(self.low - value, value - self.high, 0.0)
        return min((outside / self.tolerance) ** 2, WORST)


def _near(feature: str, low: float, high: float) -> Trait:
    return Trait(feature, low, high, DISTANCE)


# Standing on both feet, tipping forwards at the hips and coming up again.
_HINGE = (
    Trait("trunk_low", -20.0, 25.0),
    Trait("any_hip_low", -25.0, 25.0),
    _near("feet_apart", 0.0, 0.7),
    Trait("shank_low", 0.0, 30.0),
)
_STRAIGHT_KNEES = Trait("knee_high", -20.0, 42.0)
_HANGING_ARMS = Trait("hand_to_shoulder", 0.8, 1.4, 0.12)
_REPEATED = Trait("held", 0.0, 0.48, SHARE)

# Standing upright all the time.
_UPRIGHT = (
    Trait("trunk_low", -15.0, 25.0),
    Trait("trunk_high", -15.0, 35.0),
    Trait("any_hip_low", -30.0, 25.0),
    Trait("any_hip_high", -25.0, 35.0),
    _near("hip_above_knee", 0.55, 1.1),
)
_WALL_STRETCH = (
    *_UPRIGHT,
    _near("hand_above_hip", 0.5, 1.5),
    Trait("any_knee_high", -15.0, 60.0),
    _near("feet_apart", 0.2, 1.3),
    Trait("ankle_high", 8.0, 45.0, 6.0),
    Trait("hip_speed", 0.0, 60.0, SPEED_DEG_S),
)

# Kneeling, the shanks flat, the body falling forwards as one piece from the knees.
_KNEELING_FALL = (
    Trait("shank_low", 70.0, 110.0),
    Trait("shank_high", 75.0, 118.0),
    Trait("any_hip_low", -25.0, 35.0),
    Trait("any_hip_high", -25.0, 62.0),
    Trait("knee_high", 65.0, 120.0),
    _near("feet_apart", 0.0, 0.7),
)

# Sitting with the feet free to hang or to swing.
_SITTING = (
    Trait("trunk_low", -35.0, 30.0),
    Trait("trunk_high", -30.0, 40.0),
    Trait("hip_low", 60.0, 108.0),
    Trait("hip_high", 65.0, 115.0),
    Trait("any_knee_high", 70.0, 130.0),
    Trait("any_knee_low", -15.0, 35.0),
    _near("hip_above_knee", -0.3, 0.3),
)

_LOOKS: dict[str, tuple[Trait, ...]] = {
    "prone-leg-curl": (
        Trait("trunk_low", 60.0, 105.0),
        Trait("trunk_high", 70.0, 120.0),
        Trait("any_hip_high", -30.0, 40.0),
        Trait("any_knee_high", 60.0, 140.0),
        Trait("shank_high", 130.0, 180.0),
        _near("hip_above_knee", -0.25, 0.3),
    ),
    "seated-leg-curl": (*_SITTING, Trait("feet_apart", 0.0, 0.6, 0.12), Trait("shank_high", 40.0, 110.0)),
    "sciatic-slider": (*_SITTING, Trait("feet_apart", 0.85, 1.7, 0.12), Trait("shank_high", 40.0, 110.0)),
    "standing-leg-curl": (
        *_UPRIGHT,
        Trait("any_knee_high", 60.0, 140.0),
        Trait("any_knee_low", -30.0, 25.0),
        _near("feet_apart", 0.6, 1.7),
    ),
    "nordic-curl": (
        *_KNEELING_FALL,
        Trait("trunk_low", -15.0, 35.0),
        Trait("trunk_high", 40.0, 105.0),
        Trait("ankle_mid", -75.0, -27.0),
        _near("hip_above_knee", 0.2, 1.0),
    ),
    "glute-ham-raise": (
        *_KNEELING_FALL,
        Trait("trunk_low", -15.0, 95.0),
        Trait("trunk_high", 75.0, 115.0),
        Trait("knee_low", -15.0, 20.0),
        Trait("ankle_mid", -22.0, 25.0),  # the feet stand against a plate
        _near("hip_above_knee", -0.25, 0.2),
    ),
    "romanian-deadlift": (
        *_HINGE,
        _STRAIGHT_KNEES,
        _HANGING_ARMS,
        _REPEATED,
        Trait("trunk_high", 45.0, 95.0),
        Trait("any_hip_high", 50.0, 108.0),
        Trait("hand_to_ankle", 0.9, 1.6, 0.08),
        Trait("hip_speed", 0.0, 190.0, SPEED_DEG_S),
        _near("hand_above_hip", -1.0, 0.15),
    ),
    "deadlift": (  # how far the knees bend differs a lot; how far down the hands go does not
        *_HINGE,
        _HANGING_ARMS,
        _REPEATED,
        Trait("knee_high", 52.0, 130.0, 26.0),
        Trait("trunk_high", 20.0, 95.0),
        Trait("any_hip_high", 80.0, 145.0),
        Trait("hand_to_ankle", 0.1, 0.75, 0.08),
        Trait("hip_speed", 0.0, 245.0, SPEED_DEG_S),
        _near("hand_above_hip", -1.0, 0.1),
    ),
    "kettlebell-swing": (
        *_HINGE,
        _HANGING_ARMS,
        _REPEATED,
        Trait("knee_high", 15.0, 115.0),
        Trait("trunk_high", 20.0, 95.0),
        Trait("any_hip_high", 60.0, 125.0),
        Trait("hip_speed", 235.0, 600.0, SPEED_DEG_S),
        Trait("hand_to_ankle", 0.85, 1.8, 0.12),
        _near("hand_above_hip", 0.3, 1.3),
    ),
    "good-morning": (
        *_HINGE,
        _STRAIGHT_KNEES,
        _REPEATED,
        Trait("trunk_high", 40.0, 100.0),
        Trait("any_hip_high", 45.0, 115.0),
        Trait("hand_to_shoulder", 0.0, 0.55, 0.1),
    ),
    "standing-toe-touch": (
        *_HINGE,
        Trait("knee_high", -20.0, 35.0),
        Trait("trunk_high", 65.0, 130.0),
        Trait("any_hip_high", 75.0, 150.0),
        Trait("held", 0.52, 1.0, SHARE),
        Trait("hand_to_shoulder", 0.75, 1.6, 0.12),
        _near("hand_to_ankle", 0.0, 1.15),
    ),
    "single-leg-rdl": (
        Trait("trunk_low", -20.0, 25.0),
        Trait("trunk_high", 42.0, 110.0),
        Trait("any_hip_high", 50.0, 125.0),
        Trait("any_hip_low", -30.0, 25.0),
        Trait("any_knee_low", -20.0, 30.0),
        Trait("hand_to_shoulder", 0.55, 1.4, 0.15),
        Trait("feet_apart", 1.4, 2.7, 0.2),
        Trait("leg_follows", 0.7, 1.0, CORRELATION),  # the free leg goes back as the trunk goes down
        Trait("hip_speed", 0.0, 190.0, SPEED_DEG_S),
    ),
    "glute-bridge": (
        Trait("trunk_low", -140.0, -95.0),
        Trait("trunk_high", -115.0, -65.0),
        Trait("any_hip_high", 38.0, 95.0),
        Trait("any_hip_low", -30.0, 28.0),
        Trait("any_knee_high", 85.0, 145.0),
    ),
    "supine-hamstring-stretch": (
        Trait("trunk_low", -112.0, -65.0),
        Trait("trunk_high", -110.0, -55.0),
        Trait("any_hip_high", 50.0, 125.0),
        Trait("any_hip_low", -30.0, 30.0),
        Trait("any_knee_high", -20.0, 55.0),
        Trait("feet_apart", 0.9, 3.0, 0.2),
    ),
    "bird-dog": (
        Trait("trunk_low", 65.0, 105.0),
        Trait("trunk_high", 68.0, 110.0),
        Trait("any_hip_high", 55.0, 110.0),
        Trait("any_hip_low", -30.0, 20.0),
        Trait("any_knee_high", 70.0, 125.0),
        Trait("any_knee_low", -20.0, 45.0),
        Trait("shank_low", 65.0, 115.0),
        _near("hand_to_ankle", 1.4, 2.6),  # the hands are under the shoulders
        _near("feet_apart", 0.6, 2.2),
    ),
    "seated-hamstring-stretch": (
        Trait("trunk_low", -25.0, 45.0),
        Trait("trunk_high", 15.0, 85.0),
        Trait("hip_low", 65.0, 125.0),
        Trait("hip_high", 98.0, 155.0),
        Trait("any_knee_high", -25.0, 38.0),
        Trait("shank_mid", 65.0, 105.0),
        _near("hip_above_knee", -0.25, 0.3),
    ),
    "gastrocnemius-wall-stretch": (*_WALL_STRETCH, Trait("back_knee", -20.0, 14.0, 4.0)),
    "soleus-wall-stretch": (*_WALL_STRETCH, Trait("back_knee", 20.0, 60.0, 4.0)),
}

LOOKS: Mapping[str, tuple[Trait, ...]] = MappingProxyType(_LOOKS)
