"""Feet that flicker: moments in which the network's heel or toe leaves a foot that hardly moves against its shank.

At a raised, pointed or half hidden foot the network wavers between two answers, for a few frames up to half a second at
a time. Measured against the shank a foot moves slowly, so such moments stand out however fast the leg itself swings.
"""

from __future__ import annotations

import numpy as np

from formcheck import smoothing
from formcheck.landmarks import side_landmark
from formcheck.types import FloatArray, Side

WINDOW_S = 1.0  # a foot that stays away for more than half of it has moved
MAX_GAP_S = 0.5


def steadied(time_s: FloatArray, image_px: FloatArray) -> FloatArray:
    """Landmarks with heels and toes put back where they flickered.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
    image_px : ndarray, shape (n, 33, 2)
        Pixels; NaN where nothing was seen.

    Returns
    -------
    ndarray, shape (n, 33, 2)
        A copy; only outliers are changed, and only those that last no longer than half a second.
    """
    steady = image_px.copy()
    for side in Side:
        knee, ankle = (_complex(image_px[:, side_landmark(side, name)]) for name in ("knee", "ankle"))
        shank = np.where(ankle == knee, np.nan, ankle - knee)
        for name in ("heel", "foot_index"):
            landmark = side_landmark(side, name)
            with np.errstate(invalid="ignore"):  # frames in which nobody was seen
                place = (_complex(image_px[:, landmark]) - ankle) / shank  # turned and scaled with the shank
            parts = np.column_stack([place.real, place.imag])
            kept = smoothing.hampel(time_s, parts, WINDOW_S)
            outliers = np.isnan(kept).any(axis=1) & np.isfinite(parts).all(axis=1)
            if not outliers.any():
                continue
            kept[outliers] = np.nan
            kept = smoothing.fill_gaps(time_s, kept, MAX_GAP_S)
            put = outliers & np.isfinite(kept).all(axis=1)
            back = ankle + (kept[:, 0] + 1j * kept[:, 1]) * shank
            steady[put, landmark] = np.column_stack([back.real, back.imag])[put]
    return steady


def _complex(points: FloatArray) -> np.ndarray:
    return points[:, 0] + 1j * points[:, 1]
