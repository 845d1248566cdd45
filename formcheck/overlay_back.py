"""Draws the measured outline of the back: a thin line, thick and coloured along the lower back where it rounds.

Colour and shape follow the limits of the rule about the rounded back: past the fault limit white-edged and dashed, past
the caution limit dark-edged and dotted, as everywhere in the overlay.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from formcheck import overlay_text as text
from formcheck.lumbar import HOLLOW, LOWER_BACK
from formcheck.overlay_style import Style
from formcheck.overlay_text import Rect
from formcheck.rules import RULES
from formcheck.silhouette import HEIGHTS, dorsal
from formcheck.types import FloatArray, ImageArray, PoseTrack, Side, Update

_RULE = "rounded-lower-back"
_LOWER = (min(HOLLOW[0], LOWER_BACK[0]), max(HOLLOW[1], LOWER_BACK[1]))
_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel


def draw_back(out: ImageArray, update: Update, style: Style) -> list[Rect]:
    """Draw the outline of the back into an image; nothing where the lower back is not measured.

    Parameters
    ----------
    out : ndarray of uint8, shape (height, width, 3)
    update : Update
    style : Style

    Returns
    -------
    list of Rect
        Places along the lower back that no label should hide.
    """
    flexion = update.measurement.values.get("lumbar_flexion_deg", math.nan)
    near, pose = update.measurement.near_side, update.pose
    if near is None or pose.outline_px is None or not math.isfinite(flexion):
        return []
    sign = np.array([1.0 if near is Side.RIGHT else -1.0])
    points = dorsal(PoseTrack.from_poses([pose]), sign).points_px[0]
    height, width = out.shape[:2]
    points = points * (width / max(pose.size_px[0], 1), height / max(pose.size_px[1], 1))
    thin, edge = max(1, round(0.45 * style.line)), max(1, round(0.3 * style.line))
    _curve(out, points, text.INK, thin + 2 * edge)
    _curve(out, points, text.WHITE, thin)
    lower = points[(_LOWER[0] - 0.01 < HEIGHTS) & (_LOWER[1] + 0.01 > HEIGHTS)]
    wide = round(1.5 * style.line)
    places = [
        Rect(round(x) - wide, round(y) - wide, round(x) + wide, round(y) + wide)
        for x, y in lower[np.isfinite(lower).all(axis=1)].tolist()
    ]
    limits = RULES[_RULE].limits
    if limits.caution is None or flexion < limits.caution:
        return places
    fault = limits.fault is not None and flexion >= limits.fault
    _curve(out, lower, text.WHITE if fault else text.INK, wide + 2 * edge)
    _curve(out, lower, text.VERMILLION if fault else text.ORANGE, wide)
    for start, end in zip(lower[:-1:2], lower[1::2], strict=False):
        if not np.isfinite((start, end)).all():
            continue
        if fault:
            cv2.line(out, _fixed(start), _fixed(end), text.WHITE, max(1, round(0.4 * wide)), cv2.LINE_AA, _SHIFT)
        else:
            cv2.circle(out, _fixed(start), round(0.3 * wide * (1 << _SHIFT)), text.INK, -1, cv2.LINE_AA, _SHIFT)
    return places


def _curve(out: ImageArray, points: FloatArray, colour: tuple[int, int, int], width: int) -> None:
    """Draw a line through the points in their order, broken where one is missing."""
    seen = np.asarray(np.isfinite(points).all(axis=1))
    for start in np.flatnonzero(seen[:-1] & seen[1:]):
        cv2.line(out, _fixed(points[start]), _fixed(points[start + 1]), colour, max(width, 1), cv2.LINE_AA, _SHIFT)


def _fixed(point: FloatArray) -> tuple[int, int]:
    x, y = (np.clip(point, -1e6, 1e6) * (1 << _SHIFT)).round().astype(int).tolist()
    return x, y
