"""How far the lower back has moved from the person's own neutral, from the outline of the back.

Pose landmarks hold no point on the spine. What they show of a back that rounds is that the trunk gets shorter and the
head drops; shoulders that come forward, a camera that stands askew and a head that drops by itself show the same. The
outline shows the back itself. Two numbers of it change with the lower back, both taken against the person's own
outline at rest, in percent of the line from hip to shoulder:

- the *offset*: how far the lower back stands out from that line. A lower back that rounds pushes the skin outwards.
- the *bow*: how far it stands out from the straight line between seat and mid back. At rest it is hollow; it flattens
  and then turns over. Unlike the offset it does not depend on where the landmarks lie.

Lumbar flexion is a weighted sum of the two, fitted by `benchmarks/fit_lumbar.py` on rendered clips with known angles.
Head, hips and the shortening of the trunk are left out on purpose: they made it no better on bodies that were left
out, and a head that drops is no rounded back.

At rest the arms hang beside the trunk and can hide part of the back. The neutral of each height is therefore taken
from the moments nearest to rest at which it was seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from formcheck.errors import FormcheckError
from formcheck.silhouette import PROFILE, Back
from formcheck.types import BoolArray, FloatArray

SCHEMA = "formcheck.lumbar/1"
MODEL_FILE = "lumbar_model.json"

# Parts of the back by their heights in trunk lines (0 mid-hip, 1 mid-shoulder).
LOWER_BACK = (0.25, 0.50)
HOLLOW = (0.20, 0.40)
SEAT = (-0.05, 0.05)
MID_BACK = (0.55, 0.65)

# From further round the outline is no longer the middle of the back; the camera's turn is known to about 4 deg.
MAX_YAW_DEG = 25.0
REST_BEND_DEG = 8.0  # within this of rest the lower back has hardly moved
MAX_REST_BEND_DEG = 30.0  # a neutral from further into the movement would hide part of the rounding
SUPINE_LEAN_DEG = -45.0  # leaning back further than this the body lies on its back
MIN_NEUTRAL_FRAMES = 3
MIN_JUDGED_SHARE = 0.7  # of the frames of a turn, as for landmarks

NO_OUTLINE = "the outline of the back was not recorded; analyse the video itself again"
OBLIQUE = (
    "the camera is {:.0f} deg off side-on, and the outline of the back tells nothing from there; place it at your side"
)
ARM = "an arm was in front of the outline of the lower back; keep your arms in front of your body"
ARM_AT_REST = "an arm hid the outline of the lower back at the start; begin with your hands in front of your thighs"
LYING = "the body lies on its back, where the outline of the lower back cannot be seen"
UNCLEAR = "the outline of the lower back was not clear; film against an even background, in good light"
ROUGH = "the outline of the lower back is uneven, from loose clothes or hair; tuck them in or wear tighter ones"


@dataclass(frozen=True, slots=True)
class LumbarModel:
    """Degrees of lumbar flexion per percent of offset and of bow."""

    offset: float
    bow: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The lower back over a track (n = frames).

    Attributes
    ----------
    flexion_deg : ndarray, shape (n,)
        Change from neutral, + rounded, - arched; NaN where it cannot be told.
    offset, bow : ndarray, shape (n,)
        Change from neutral, percent of the trunk line.
    neutral_offset, neutral_bow : float
        The person's own at rest, percent of the trunk line; NaN when not seen.
    why_not : tuple of str, length n
        For each frame why there is no value; empty where there is one.
    """

    flexion_deg: FloatArray
    offset: FloatArray
    bow: FloatArray
    neutral_offset: float
    neutral_bow: float
    why_not: tuple[str, ...]

    def reason(self, inside: BoolArray) -> str:
        """Why too little of these frames can be told; empty when enough can."""
        chosen = [text for text, here in zip(self.why_not, inside.tolist(), strict=True) if here]
        missing = [text for text in chosen if text]
        if not chosen or len(missing) <= (1.0 - MIN_JUDGED_SHARE) * len(chosen):
            return ""
        return max(sorted(set(missing)), key=missing.count)


@cache
def load(left_out_body: str | None = None) -> LumbarModel:
    """The shipped model, or the one fitted without one rendered body, for validation.

    Raises
    ------
    FormcheckError
        When the file is damaged.
    """
    try:
        data = json.loads((files("formcheck") / MODEL_FILE).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema is {data['schema']!r}")
        weights: Mapping[str, float] = data["without_body"].get(left_out_body, data["weights"])
        return LumbarModel(float(weights["offset"]), float(weights["bow"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormcheckError(f"the lower back model {MODEL_FILE} is damaged ({error}); reinstall formcheck") from error


def read(
    back: Back,
    bend_deg: FloatArray,
    lean_deg: FloatArray,
    at_rest: BoolArray,
    yaw_deg: float,
    model: LumbarModel | None = None,
) -> Reading:
    """Measure the lower back over a track.

    Parameters
    ----------
    back : Back
    bend_deg : ndarray, shape (n,)
        How far the body is from its posture at rest; NaN where unknown.
    lean_deg : ndarray, shape (n,)
        The trunk's inclination: far below 0 the body lies on its back.
    at_rest : ndarray of bool, shape (n,)
        Frames outside of repetitions.
    yaw_deg : float
        Turn of the camera out of the side view, over the track.
    model : LumbarModel or None
        None takes the shipped one.
    """
    weights = model or load()
    neutral = neutral_profile(back.profile, bend_deg, at_rest)
    offset, bow = changes(back.profile, neutral)
    lying = lean_deg < SUPINE_LEAN_DEG
    trusted = np.isfinite(offset) & np.isfinite(bow) & ~lying & (not yaw_deg > MAX_YAW_DEG)
    offset, bow = np.where(trusted, offset, np.nan), np.where(trusted, bow, np.nan)
    why = np.where(lying, LYING, _unseen(back, neutral, yaw_deg))
    own_offset, own_bow = changes(neutral[None], np.zeros(PROFILE.size))
    flexion = weights.offset * offset + weights.bow * bow
    return Reading(
        flexion, offset, bow, float(own_offset[0]), float(own_bow[0]), tuple(np.where(trusted, "", why).tolist())
    )


def neutral_profile(profile: FloatArray, bend_deg: FloatArray, at_rest: BoolArray) -> FloatArray:
    """The person's own outline at rest, shape (15,): each height from the seen moments that are nearest to rest.

    NaN at heights that were not seen within `MAX_REST_BEND_DEG` of rest.
    """
    bend = np.where(at_rest, np.minimum(np.abs(bend_deg), REST_BEND_DEG), np.abs(bend_deg))
    neutral = np.full(profile.shape[1], np.nan)
    for column in range(profile.shape[1]):
        usable = np.isfinite(profile[:, column]) & (bend <= MAX_REST_BEND_DEG)
        if usable.sum() < MIN_NEUTRAL_FRAMES:
            continue
        nearest = usable & (bend <= max(REST_BEND_DEG, float(bend[usable].min()) + REST_BEND_DEG))
        neutral[column] = np.median(profile[nearest, column])
    return neutral


def changes(profile: FloatArray, neutral: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Offset and bow as change from neutral, each of shape (n,); NaN where a part of the back was not seen."""
    change = profile - neutral
    chord = (_part(change, SEAT) + _part(change, MID_BACK)) / 2
    return _part(change, LOWER_BACK), _part(change, HOLLOW) - chord


def _part(change: FloatArray, heights: tuple[float, float]) -> FloatArray:
    low, high = heights[0] - 0.01, heights[1] + 0.01
    inside = (low < PROFILE) & (high > PROFILE)
    return np.asarray(change[:, inside].mean(axis=1))


def _unseen(back: Back, neutral: FloatArray, yaw_deg: float) -> NDArray[np.str_]:
    """Why the outline tells nothing in a frame in which it does not, shape (n,)."""
    n = len(back.looked)
    if not back.looked.any():
        return np.full(n, NO_OUTLINE)
    if yaw_deg > MAX_YAW_DEG:
        return np.full(n, OBLIQUE.format(yaw_deg))
    if np.isnan(neutral).any():
        return np.full(n, ARM_AT_REST if back.hidden.any() else ROUGH if back.rough.any() else UNCLEAR)
    # outlines are not looked for in every frame: a frame without one has the reason of the last one that was
    last = np.maximum.accumulate(np.where(back.looked, np.arange(n), 0))
    return np.where(back.rough[last], ROUGH, np.where(back.hidden[last], ARM, UNCLEAR))
