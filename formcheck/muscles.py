"""Joint angles to the relative length of the hamstrings and of the calf: where a stretch goes.

The gastrocnemius crosses knee and ankle, the hamstrings cross hip and knee. Whether a position stretches the one or the
other follows from the angles alone, by regression equations of Hawkins and Hull (1990, J Biomech 23:487), which give
the length of a muscle with its tendons as a share of a segment's length. Such models overestimate the change of length
against ultrasound, so the result is a relative index, percent of the length when standing, for comparing positions of
one person. It is no strain and no millimetres.

The coefficients of the gastrocnemius stand in published code; those of the hamstrings are quoted from memory, and agree
in slope with a public musculoskeletal geometry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from formcheck.types import FloatArray

RIGHT_ANGLE_DEG = 90.0  # the equations' ankle angle at anatomical neutral


@dataclass(frozen=True, slots=True)
class Muscle:
    """``length = base + hip * hip_deg + knee * knee_deg + ankle * (90 + dorsiflexion_deg)``, in segment lengths."""

    base: float
    hip: float = 0.0
    knee: float = 0.0
    ankle: float = 0.0

    def length(self, hip_deg: FloatArray, knee_deg: FloatArray, dorsiflexion_deg: FloatArray) -> FloatArray:
        """Length at these joint angles (clinical, degrees; any one shape), in segment lengths; NaN where one is NaN."""
        ankle_deg = RIGHT_ANGLE_DEG + dorsiflexion_deg
        return np.asarray(self.base + self.hip * hip_deg + self.knee * knee_deg + self.ankle * ankle_deg)


HAMSTRINGS = (
    Muscle(1.027, hip=0.00199, knee=-0.00222),  # semimembranosus, in thigh lengths
    Muscle(0.987, hip=0.00207, knee=-0.00178),  # semitendinosus
    Muscle(1.048, hip=0.00209, knee=-0.00160),  # biceps femoris, long head
)
GASTROCNEMIUS = (
    Muscle(0.900, knee=-0.00062, ankle=0.00214),  # medial head, in shank lengths
    Muscle(0.894, knee=-0.00050, ankle=0.00214),  # lateral head
)


def change_from_standing(
    muscles: tuple[Muscle, ...],
    *,
    hip_deg: FloatArray | float = 0.0,
    knee_deg: FloatArray | float = 0.0,
    dorsiflexion_deg: FloatArray | float = 0.0,
) -> FloatArray:
    """Mean relative length of a group of muscles, against standing.

    Parameters
    ----------
    muscles : tuple of Muscle
        `HAMSTRINGS` or `GASTROCNEMIUS`.
    hip_deg, knee_deg, dorsiflexion_deg : float or ndarray of any one shape
        Clinical angles. Of the hip's flexion take out what the spine does: a rounded back stretches no hamstring.

    Returns
    -------
    ndarray of the angles' shape
        Percent of the length with all joints at 0, + longer; NaN where an angle is NaN.
    """
    hip, knee, ankle = (np.asarray(value, dtype=np.float64) for value in (hip_deg, knee_deg, dorsiflexion_deg))
    still = np.zeros(())
    changes = [muscle.length(hip, knee, ankle) / muscle.length(still, still, still) - 1.0 for muscle in muscles]
    return np.asarray(100.0 * np.mean(changes, axis=0))


def at_turn(numbers: Mapping[str, float]) -> Mapping[str, float]:
    """Where the stretch goes at the deepest point of a repetition or hold, percent against standing.

    Parameters
    ----------
    numbers : mapping of str to float
        `Rep.metrics`; NaN where unknown. What the back does is taken out of the hip's flexion where that was measured.

    Returns
    -------
    mapping of str to float
        ``hamstrings_length_at_turn_percent`` and ``calf_length_at_turn_percent``; NaN where an angle is not known.
    """
    hip = numbers["hip_flexion_without_back_at_turn_deg"]
    hip = numbers["hip_flexion_at_turn_deg"] if math.isnan(hip) else hip
    knee, ankle = numbers["knee_flexion_at_turn_deg"], numbers["ankle_dorsiflexion_at_turn_deg"]
    return {
        "hamstrings_length_at_turn_percent": float(change_from_standing(HAMSTRINGS, hip_deg=hip, knee_deg=knee)),
        "calf_length_at_turn_percent": float(
            change_from_standing(GASTROCNEMIUS, knee_deg=knee, dorsiflexion_deg=ankle)
        ),
    }
