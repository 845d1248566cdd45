"""Repair of exchanged legs: the network sometimes gives one leg's landmarks the other leg's name for a while.

Seen from the side the legs overlap, and where they part again the names can come back exchanged. A real leg moves
smoothly; an exchange makes both legs jump at once to where the other one was. The most likely sequence of exchanges is
found over the whole window (Viterbi), with a mild preference for the names as given.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formcheck.geometry import length, signed_angle
from formcheck.landmarks import side_landmark
from formcheck.types import FloatArray, IntArray, PatchArray, PoseTrack, Side

# What is exchanged in each state: nothing, the legs below the knee, the legs from the knee down.
_BELOW_KNEE = ("ankle", "heel", "foot_index")
_STATES: tuple[tuple[str, ...], ...] = ((), _BELOW_KNEE, ("knee", *_BELOW_KNEE))
_PARTS = ("knee", *_BELOW_KNEE)

# Cost of exchanged names, in thigh lengths squared per second: keeps the given names unless the legs jump. The network
# confuses legs that move and bend, hardly ever legs that are both straight, so names given there weigh more.
EXCHANGED_COST_PER_S = 0.15
EXCHANGED_COST_STRAIGHT_PER_S = 1.0
STRAIGHT_DEG = 30.0
MIN_STANCE_FRAMES = 5
# A foot that stands stays where it stands: when one leg works, the other one's ankle should be at its own place (the
# median over frames with both legs straight), not at the working leg's. Per second, times thigh lengths squared.
OFF_STANCE_COST_PER_S = 5.0
OFF_STANCE_CAP = 0.25
JUMP_CAP = 1.0  # thigh lengths squared; an outlier must not outweigh everything else
LONGEST_STEP_S = 0.3  # across a longer gap the legs may be anywhere; a sparsely read clip has steps of 0.25 s


def repair(track: PoseTrack) -> PoseTrack:
    """Give each leg its own landmarks throughout.

    Parameters
    ----------
    track : PoseTrack
        Frames without a person are NaN and are passed over.

    Returns
    -------
    PoseTrack
        With image, world, visibility and patches of exchanged landmarks put back.
    """
    known = np.flatnonzero(np.isfinite(track.image_px).all(axis=(1, 2)))
    if known.size < 3:
        return track
    states = np.zeros(len(track), dtype=int)
    legs, hips = _leg_points(track, known), _hip_points(track, known)
    states[known] = _most_likely(track.time_s[known], legs, _costs(legs, hips), _thigh_px(legs, hips))
    if not states.any():
        return track
    image, world, visibility = track.image_px.copy(), track.world_m.copy(), track.visibility.copy()
    patches = None if track.patches is None else _own_patches(track.patches, states)
    for state, exchanged in enumerate(_STATES):
        frames = np.flatnonzero(states == state)
        for name in exchanged:
            left, right = side_landmark(Side.LEFT, name), side_landmark(Side.RIGHT, name)
            for array in (image, world, visibility):
                array[frames, left], array[frames, right] = array[frames, right], array[frames, left]
    return replace(track, image_px=image, world_m=world, visibility=visibility, patches=patches)


def _own_patches(patches: PatchArray, states: IntArray) -> PatchArray:
    """Give each leg its patches; where only what is below the knee is exchanged, the foot's comes from both legs."""
    own = patches.copy()
    whole = states == _STATES.index(("knee", *_BELOW_KNEE))
    own[whole] = patches[whole][:, ::-1]
    below = states == _STATES.index(_BELOW_KNEE)
    own[below, :, 1:] = patches[below][:, ::-1, :0:-1]  # the other ankle with this leg's knee, and the other way round
    return own


def _leg_points(track: PoseTrack, known: IntArray) -> FloatArray:
    """Leg landmarks, shape (frames, 2 sides, 4 parts, 2)."""
    return np.stack(
        [
            np.stack([track.image_px[known, side_landmark(side, name)] for name in _PARTS], axis=1)
            for side in (Side.LEFT, Side.RIGHT)
        ],
        axis=1,
    )


def _hip_points(track: PoseTrack, known: IntArray) -> FloatArray:
    return np.stack([track.image_px[known, side_landmark(side, "hip")] for side in (Side.LEFT, Side.RIGHT)], axis=1)


def _thigh_px(legs: FloatArray, hips: FloatArray) -> float:
    return float(np.median(length(legs[:, :, 0] - hips)))


def _costs(legs: FloatArray, hips: FloatArray) -> FloatArray:
    """Cost per second of each state in each frame, shape (frames, states)."""
    bend = np.abs(signed_angle(legs[:, :, 0] - hips, legs[:, :, 1] - legs[:, :, 0]))
    both_straight = (bend < STRAIGHT_DEG).all(axis=1)
    exchanged = np.where(both_straight, EXCHANGED_COST_STRAIGHT_PER_S, EXCHANGED_COST_PER_S)
    costs = np.stack([np.zeros_like(exchanged), exchanged, exchanged], axis=1)
    ankle = _PARTS.index("ankle")
    if both_straight.sum() < MIN_STANCE_FRAMES:
        return costs
    stance = np.median(legs[both_straight, :, ankle], axis=0)  # (sides, 2)
    thigh = max(_thigh_px(legs, hips), 1e-9)
    for state, names in enumerate(_STATES):
        ankles = _exchange(legs, names)[:, :, ankle]
        off = (length(ankles - stance) / thigh).min(axis=1)  # of the leg that is nearer to its own place
        costs[:, state] += OFF_STANCE_COST_PER_S * np.minimum(off**2, OFF_STANCE_CAP)
    return costs


def _most_likely(time_s: FloatArray, legs: FloatArray, costs: FloatArray, thigh_px: float) -> IntArray:
    if thigh_px <= 0:
        return np.zeros(len(time_s), dtype=int)
    named = np.stack([_exchange(legs, exchanged) for exchanged in _STATES])  # (states, frames, 2, 4, 2)
    steps = np.diff(time_s)
    count = len(_STATES)
    cost = np.zeros(count)
    back = np.zeros((len(time_s), count), dtype=int)
    for frame in range(1, len(time_s)):
        if steps[frame - 1] > LONGEST_STEP_S:
            jumps = np.zeros((count, count))
        else:
            moved = (named[None, :, frame] - named[:, None, frame - 1]) / thigh_px  # (from, to, 2, 4, 2)
            jumps = np.minimum((moved**2).sum(axis=-1), JUMP_CAP).mean(axis=(-1, -2))
        total = cost[:, None] + jumps
        back[frame] = np.argmin(total, axis=0)
        cost = total[back[frame], np.arange(count)]
        cost += costs[frame] * min(steps[frame - 1], LONGEST_STEP_S)
    states = np.zeros(len(time_s), dtype=int)
    states[-1] = int(np.argmin(cost))
    for frame in range(len(time_s) - 1, 0, -1):
        states[frame - 1] = back[frame, states[frame]]
    return states


def _exchange(legs: FloatArray, exchanged: tuple[str, ...]) -> FloatArray:
    changed = legs.copy()
    for name in exchanged:
        part = _PARTS.index(name)
        changed[:, :, part] = legs[:, ::-1, part]
    return changed
