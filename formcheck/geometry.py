"""Angle maths on arrays. Knows no landmark names.

Vectors are arrays whose last axis holds x and y in image coordinates (x right, y down). Every function
broadcasts over the leading axes, and returns NaN where an input is NaN or a vector has no length.
"""

from __future__ import annotations

import numpy as np

from formcheck.types import FloatArray

MIN_LENGTH = 1e-9  # below this a vector has no direction (any unit: pixels or metres)


def signed_angle(first: FloatArray, second: FloatArray) -> FloatArray:
    """Angle that turns `first` onto `second`, degrees in (-180, 180].

    Parameters
    ----------
    first, second : ndarray, shape (..., 2)

    Returns
    -------
    ndarray, shape (...)
        Positive is clockwise on the screen (y points down). NaN where either vector has no length.
    """
    cross = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    dot = (first * second).sum(axis=-1)
    angle = np.degrees(np.arctan2(cross, dot))
    usable = (length(first) > MIN_LENGTH) & (length(second) > MIN_LENGTH)
    return np.where(usable, angle, np.nan)


def angle_between(first: FloatArray, second: FloatArray) -> FloatArray:
    """Unsigned angle between two vectors of any dimension, degrees 0 to 180; NaN where either has no length."""
    lengths = length(first) * length(second)
    cosine = (first * second).sum(axis=-1) / np.where(lengths > MIN_LENGTH**2, lengths, np.nan)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def length(vector: FloatArray) -> FloatArray:
    """Euclidean length over the last axis; NaN where a component is NaN."""
    return np.asarray(np.sqrt((vector * vector).sum(axis=-1)))


def angle_from_vertical(vector: FloatArray) -> FloatArray:
    """Angle that turns the upward vertical onto `vector`, degrees in (-180, 180], clockwise positive."""
    up = np.broadcast_to(np.array([0.0, -1.0]), vector.shape)
    return signed_angle(up, vector)


def wrap_degrees(angle: FloatArray) -> FloatArray:
    """Bring angles into (-180, 180]; NaN stays NaN."""
    return np.asarray(180.0 - (180.0 - angle) % 360.0)
