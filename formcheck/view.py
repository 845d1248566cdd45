"""Where the camera stands: which side of the body it sees, how far it is turned, whether the person lies down.

A side view has a handedness: seen from the person's right, the body turned upright faces the picture's right, and
stays so however the body leans or lies. Joints that bend one way only (ankle, knee, hip) show that handedness in every
frame, and so do the depths of the left and right shoulders and hips; together they name the near side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy

from formcheck.geometry import length, signed_angle
from formcheck.landmarks import Landmark, side_landmark
from formcheck.smoothing import sample_interval_s
from formcheck.types import BoolArray, FloatArray, PoseTrack, Side, View

VOTE_WINDOW_S = 1.5  # a person needs longer than this to turn around
NO_VOTE = 1e-9
CLEAR_BEND_DEG = 25.0  # a knee or hip bent more than this shows its direction beyond landmark noise
CLEAR_DEPTH_M = 0.05  # left and right further apart in depth than this are told apart
FRONT_VIEW_DEG = 60.0  # beyond this the camera sees the front or the back, and no sagittal angle
LYING_DEG = 50.0  # a trunk at rest leaning more than this from the vertical is lying


def near_side_votes(track: PoseTrack) -> FloatArray:
    """How clearly each frame shows the right (+) or the left (-) side of the body.

    Returns
    -------
    ndarray, shape (n,)
        Mean of the cues, -1 to 1; 0 where nothing was seen.
    """
    cues = []
    for side in Side:
        hip, knee, ankle, heel, toe, shoulder = (
            track.image_px[:, side_landmark(side, name)]
            for name in ("hip", "knee", "ankle", "heel", "foot_index", "shoulder")
        )
        cues.append(np.sign(signed_angle(knee - ankle, toe - heel)))
        cues.append(_clear_sign(signed_angle(knee - hip, ankle - knee)))
        cues.append(_clear_sign(-signed_angle(hip - shoulder, knee - hip)))
    for name in ("SHOULDER", "HIP"):
        depth = track.world_m[:, Landmark[f"LEFT_{name}"], 2] - track.world_m[:, Landmark[f"RIGHT_{name}"], 2]
        cues.append(np.clip(depth / CLEAR_DEPTH_M, -1.0, 1.0))
    stacked = np.nan_to_num(np.stack(cues))
    count = np.maximum((stacked != 0).sum(axis=0), 1)
    return np.asarray(stacked.sum(axis=0) / count)


def _clear_sign(angle: FloatArray) -> FloatArray:
    clear = np.abs(angle) > CLEAR_BEND_DEG
    return np.where(clear, np.sign(angle), 0.0)


def near_side_per_frame(track: PoseTrack) -> FloatArray:
    """The side that faces the camera in each frame, judged over the seconds around it.

    Returns
    -------
    ndarray, shape (n,)
        1 for right, -1 for left, 0 where no person was seen for a whole window.
    """
    votes = near_side_votes(track)
    interval = sample_interval_s(track.time_s)
    if not np.isfinite(interval) or interval <= 0:
        return np.sign(votes)
    width = min(len(votes), max(1, round(VOTE_WINDOW_S / interval)))
    smooth = scipy.ndimage.uniform_filter1d(votes, width, mode="nearest")
    smooth[np.abs(smooth) < NO_VOTE] = 0.0  # the running sum leaves a residue where nobody was seen
    return np.asarray(np.sign(smooth))


def side_of(vote: float) -> Side | None:
    """The side that a sign of `near_side_per_frame` stands for."""
    return None if vote == 0 or np.isnan(vote) else (Side.RIGHT if vote > 0 else Side.LEFT)


def yaw_per_frame(track: PoseTrack) -> FloatArray:
    """Turn of the camera out of the pure side view, from the line through both shoulders (and hips) in depth.

    Returns
    -------
    ndarray, shape (n,)
        Degrees, 0 (side) to 90 (front or back), mean of shoulders and hips; NaN where nobody was seen.
    """
    yaws = []
    for name in ("SHOULDER", "HIP"):
        across = track.world_m[:, Landmark[f"LEFT_{name}"]] - track.world_m[:, Landmark[f"RIGHT_{name}"]]
        yaws.append(np.degrees(np.arctan2(length(across[:, :2]), np.abs(across[:, 2]))))
    return np.asarray(np.mean(yaws, axis=0))


def assess(track: PoseTrack, yaw_deg: FloatArray, rest: BoolArray, max_yaw_deg: float) -> View:
    """Summarise the view over a clip.

    Parameters
    ----------
    track : PoseTrack
    yaw_deg : ndarray, shape (n,)
        Turn of the camera out of the side view.
    rest : ndarray of bool, shape (n,)
        Frames outside repetitions; all frames are used when there are none.
    max_yaw_deg : float
        The exercise's limit.
    """
    seen = np.isfinite(track.image_px[:, Landmark.LEFT_HIP, 0])
    if not seen.any():
        return View(float("nan"), None, False, False, "nobody was found; film the whole body in good light")
    known = yaw_deg[np.isfinite(yaw_deg)]
    yaw = float(np.median(known)) if known.size else math.nan
    near = side_of(float(np.sign(near_side_per_frame(track)[seen].sum())))
    tilt = trunk_tilt(track)
    measured = np.isfinite(tilt)  # a shoulder can be missing where the hip is there
    quiet = measured & rest if (measured & rest).any() else measured
    lying = bool(quiet.any()) and float(np.median(tilt[quiet])) > LYING_DEG
    return _summary(yaw, near, lying, max_yaw_deg)


def over(parts: Sequence[tuple[View, int]], max_yaw_deg: float) -> View:
    """The view over the parts of a long clip.

    Parameters
    ----------
    parts : sequence of (View, int)
        Each with the number of frames that it speaks for; at least one.
    max_yaw_deg : float
        The exercise's limit.
    """
    known = sorted((part.yaw_deg, frames) for part, frames in parts if not math.isnan(part.yaw_deg))
    yaw = math.nan
    if known:
        upto = np.cumsum([frames for _, frames in known])
        yaw = known[int(np.searchsorted(upto, upto[-1] / 2))][0]  # the median, by frames
    sides = {side: sum(frames for part, frames in parts if part.near_side is side) for side in Side}
    near = max(sides, key=lambda side: sides[side]) if any(sides.values()) else None
    lying = 2 * sum(frames for part, frames in parts if part.lying) > sum(frames for _, frames in parts)
    surest = min((part for part, _ in parts), key=lambda part: np.nan_to_num(part.roll_sigma_deg, nan=math.inf))
    summary = _summary(yaw, near, lying, max_yaw_deg)
    lean, doubt = surest.roll_deg, surest.roll_sigma_deg
    return replace(summary, roll_deg=lean, roll_sigma_deg=doubt, brightness=surest.brightness)


def _summary(yaw: float, near: Side | None, lying: bool, max_yaw_deg: float) -> View:
    if yaw > FRONT_VIEW_DEG:
        reason = f"the camera sees the front or the back ({yaw:.0f} deg from side-on); turn side-on to the camera"
        return View(yaw, near, lying, False, reason)
    if yaw > max_yaw_deg:
        return View(yaw, near, lying, False, f"the camera is {yaw:.0f} deg off side-on; place it at your side")
    if near is None:
        return View(yaw, near, lying, False, "it is not clear which side faces the camera; turn side-on to it")
    return View(yaw, near, lying, True)


def trunk_tilt(track: PoseTrack) -> FloatArray:
    """Unsigned angle between trunk and the picture's vertical, degrees 0 to 180; NaN where unseen."""
    trunk = middle(track, "SHOULDER") - middle(track, "HIP")
    upright = np.broadcast_to(np.array([0.0, -1.0]), trunk.shape)
    return np.abs(signed_angle(upright, trunk))


def middle(track: PoseTrack, name: str) -> FloatArray:
    """Midpoint of a left and right landmark in pixels, shape (n, 2)."""
    return (track.image_px[:, Landmark[f"LEFT_{name}"]] + track.image_px[:, Landmark[f"RIGHT_{name}"]]) / 2
