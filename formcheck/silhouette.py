"""The outline of the trunk: from a person mask to where the body's edge lies, along the back and along the front.

Rays leave the line from mid-hip to mid-shoulder at right angles, to both sides, at fixed heights along it; the outline
is where the mask first falls below one half, between two pixels. The frame moves with the trunk, so it is the same
upright, hinged, seated or lying, facing left or right. A few points per frame are kept and the mask is not.

Which of the two sides is the back is known only later, from the whole clip: `dorsal` takes it, leaves out what may be
an arm, and gives it at fixed heights in the trunk's frame, by the hips and shoulders that were seen with the mask: the
same picture then gives the same numbers, whatever was seen before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formcheck.geometry import length
from formcheck.landmarks import Landmark, side_landmark
from formcheck.smoothing import fill_gaps, zero_phase
from formcheck.types import OUTLINE_POINTS, OUTLINE_SHAPE, BoolArray, FloatArray, PoseTrack, Side
from formcheck.view import middle

# Heights of the rays in trunk lines (0 mid-hip, 1 mid-shoulder): from below the middle of the seat to the upper back.
HEIGHTS: FloatArray = np.linspace(-0.15, 0.85, OUTLINE_POINTS)
REACH = 0.7  # trunk lines: a seat in a deep hinge stands out by 0.5
STEP = 0.01  # trunk lines; one to three pixels at usual sizes, and the mask itself is smooth over more than that
MIN_TRUNK_PX = 24.0  # a step must not be much less than the network's own resolution
EDGE_LEVELS = (0.75, 0.25)
MAX_EDGE = 0.12  # trunk lines from one level to the other: beyond, the network was not sure where the person ends

# What makes up the lower back, and some of the seat and of the back above it to set it against. Hair and the folds of
# a shirt at the shoulder blades lie higher.
PROFILE: FloatArray = np.linspace(-0.05, 0.65, 15)

# An upper arm or forearm whose axis is nearer to an outline point than this may be what makes the outline there.
ARM_RADIUS = 0.10  # trunk lines; a forearm's or an upper arm's own radius is 0.08 to 0.09
FREE_UPPER_ARM = 0.35  # of its length from the shoulder: there it lies on the trunk, not across the lower back
MAX_HEIGHT_GAP = 0.16  # trunk lines between two points that are joined by a straight line
MAX_HIDDEN_S = 0.6  # what an arm hid is filled in over no longer than this
MAX_GAP_S = 1.1  # outlines come at least every 0.8 s, and a slot later where `--rate auto` passes one by
# A back changes its shape as the trunk turns: while a hinge is held it stays, and half a second later it may be half
# way to rest. Between two looks it is taken to have come as far as the trunk has, and over a trunk that rests it goes
# by time. Against lines in time (`benchmarks/fit_lumbar.py`) the error over frames is 2.1 deg instead of 2.2, at the
# turn 3.2 instead of 3.1: lines in time toned down what a look at a swing's turn gets wrong.
DEG_LIKE_A_SECOND = 20.0
CUTOFF_HZ = 4.0  # a back changes its shape slower than a hand its place
# Roughness of one look's outline: mean distance from a smooth curve, percent of the trunk line. Tight clothes stay
# below 0.6, hair that hangs over the back, a fold or a hand goes past it.
MAX_ROUGHNESS = 1.0


@dataclass(frozen=True, slots=True)
class Back:
    """The outline of the back over a track (n = frames).

    Attributes
    ----------
    points_px : ndarray, shape (n, OUTLINE_POINTS, 2)
        As seen, where an arm does not hide it; NaN elsewhere, and in frames without an outline.
    profile : ndarray, shape (n, 15)
        Distance from the line hip to shoulder to the back at the heights `PROFILE`, percent of that line; smoothed,
        with short gaps in time filled.
    looked : ndarray of bool, shape (n,)
        Frames that carry an outline in which some edge was seen.
    hidden : ndarray of bool, shape (n,)
        Of those, the ones in which an arm hid some of the lower back.
    rough : ndarray of bool, shape (n,)
        Of those, the ones whose outline is uneven. They are left out: half way to the next one, what is not the back
        would still show, in an outline that looks even.
    """

    points_px: FloatArray
    profile: FloatArray
    looked: BoolArray
    hidden: BoolArray
    rough: BoolArray


def outline(mask: NDArray[np.float32], image_px: FloatArray) -> FloatArray:
    """Where the trunk's edge lies on both sides of the line from mid-hip to mid-shoulder.

    Parameters
    ----------
    mask : ndarray of float, shape (height, width)
        Probability that a pixel belongs to the person. Only read; may be a view of memory that is freed afterwards.
    image_px : ndarray, shape (33, 2)
        Landmarks in pixels.

    Returns
    -------
    ndarray, shape OUTLINE_SHAPE
        Pixels; axis 0: first the side that lies clockwise (on the screen) of the direction hip to shoulder, then the
        other, then where the rays start; axis 1: `HEIGHTS`. NaN where the ray starts outside the mask, does not leave
        it within `REACH`, runs out of the picture or crosses a blurred edge; all NaN without a trunk of `MIN_TRUNK_PX`.
    """
    points = np.full(OUTLINE_SHAPE, np.nan)
    hip = (image_px[Landmark.LEFT_HIP] + image_px[Landmark.RIGHT_HIP]) / 2
    along = (image_px[Landmark.LEFT_SHOULDER] + image_px[Landmark.RIGHT_SHOULDER]) / 2 - hip
    size = float(np.hypot(*along))
    if not size >= MIN_TRUNK_PX:  # also NaN
        return points
    across = np.array([-along[1], along[0]])
    distance = np.arange(0.0, REACH + STEP / 2, STEP)
    start = hip + HEIGHTS[:, None] * along
    for side, sign in enumerate((1.0, -1.0)):
        rays = start[:, None] + sign * distance[None, :, None] * across
        crossing = _crossing(_sampled(mask, rays), distance)
        points[side] = start + sign * crossing[:, None] * across
    points[-1] = start
    return points


def has_edge(outlines: FloatArray) -> BoolArray:
    """Which outlines, shape (n, *OUTLINE_SHAPE), show an edge anywhere; shape (n,)."""
    return np.asarray(np.isfinite(outlines[:, :2]).any(axis=(1, 2, 3)))


def dorsal(track: PoseTrack, near_sign: FloatArray) -> Back:
    """The outline of the back.

    Parameters
    ----------
    track : PoseTrack
        Smoothed.
    near_sign : ndarray, shape (n,)
        1 where the right side faces the camera, -1 where the left does, 0 where unknown (no back there).
    """
    n = len(track)
    if track.outline_px is None:
        none = np.zeros(n, dtype=bool)
        return Back(np.full((n, OUTLINE_POINTS, 2), np.nan), np.full((n, PROFILE.size), np.nan), none, none, none)
    sign = np.where(near_sign == 0, np.nan, near_sign)[:, None]
    # seen from the right, a body turned upright faces the picture's right: its back is anticlockwise of the trunk
    edge = np.where((near_sign > 0)[:, None, None], track.outline_px[:, 1], track.outline_px[:, 0])
    hip, along = _trunk_seen(track, track.outline_px)
    size = length(along)
    size = np.where(size >= MIN_TRUNK_PX, size, np.nan)[:, None]
    upwards = along / size
    backwards = np.stack([upwards[:, 1], -upwards[:, 0]], axis=1) * sign
    from_hip = edge - hip[:, None]
    height = np.einsum("nki,ni->nk", from_hip, upwards) / size
    distance = np.einsum("nki,ni->nk", from_hip, backwards) / size
    arm = _near_an_arm(track, edge, size)
    seen = np.isfinite(distance) & ~arm
    profile = np.full((n, PROFILE.size), np.nan)
    for row in np.flatnonzero(seen.any(axis=1)):
        profile[row] = _resampled(height[row, seen[row]], 100.0 * distance[row, seen[row]])
    lower = (height >= PROFILE[0]) & (height <= PROFILE[-1])
    looked = has_edge(track.outline_px)
    hidden = (arm & lower).any(axis=1) & np.isnan(profile).any(axis=1)
    rough = looked & (roughness(profile) > MAX_ROUGHNESS)
    profile[rough] = np.nan
    profile = _filled(track.time_s, _course(track), profile, looked & ~rough)
    profile = zero_phase(track.time_s, profile, CUTOFF_HZ)
    return Back(np.where(seen[..., None], edge, np.nan), profile, looked, hidden, rough)


def roughness(profile: FloatArray) -> FloatArray:
    """Mean distance of each outline from a smooth curve (a quartic), percent, shape (n,); NaN where unseen."""
    basis = np.vander((PROFILE - PROFILE.mean()) / np.ptp(PROFILE), 5)
    rest = np.eye(PROFILE.size) - basis @ np.linalg.pinv(basis)
    return np.asarray(np.abs(profile @ rest).mean(axis=1))


def _trunk_seen(track: PoseTrack, outlines: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mid-hip, and from there to mid-shoulder, both of shape (n, 2), as the look at the outline saw them.

    By the track's own landmarks where it did not keep them (landmark files of earlier versions).
    """
    first, last = outlines[:, -1, 0], outlines[:, -1, -1]
    along = (last - first) / (HEIGHTS[-1] - HEIGHTS[0])
    hip = first - HEIGHTS[0] * along
    own = middle(track, "HIP")
    seen = np.isfinite(along).all(axis=1, keepdims=True)
    return np.where(seen, hip, own), np.where(seen, along, middle(track, "SHOULDER") - own)


def _course(track: PoseTrack) -> FloatArray:
    """How far a movement has come by each frame, shape (n,), seconds: the time, and more for a trunk that turns."""
    along = middle(track, "SHOULDER") - middle(track, "HIP")
    known = np.isfinite(along).all(axis=1)
    if not known.any():
        return track.time_s
    angle = np.unwrap(np.arctan2(along[known, 1], along[known, 0]))
    direction_deg = np.degrees(np.interp(track.time_s, track.time_s[known], angle))
    turned_deg = np.cumsum(np.abs(np.diff(direction_deg, prepend=direction_deg[0])))
    return np.asarray(track.time_s - track.time_s[0] + turned_deg / DEG_LIKE_A_SECOND)


def _filled(time_s: FloatArray, course: FloatArray, profile: FloatArray, looked: BoolArray) -> FloatArray:
    """Lines between one look at the outline and the next; none where one of the two did not see that height."""
    looks = np.flatnonzero(looked)
    if not looks.size:
        return profile
    known = profile.copy()
    known[looks] = fill_gaps(time_s[looks], profile[looks], MAX_HIDDEN_S, course[looks])
    rows = np.arange(len(time_s))
    before = looks[np.maximum(np.searchsorted(looks, rows, side="right") - 1, 0)]
    after = looks[np.minimum(np.searchsorted(looks, rows), looks.size - 1)]
    seen = np.isfinite(known[before]) & np.isfinite(known[after])
    return np.where(seen, fill_gaps(time_s, known, MAX_GAP_S, course), np.nan)


def outline_at(track: PoseTrack, row: int) -> FloatArray | None:
    """The outline at one frame of a track, for drawing: as seen, or between two that are at most `MAX_GAP_S` apart.

    Between the two it moves and turns with the trunk; None as well where the trunk is not known.
    """
    if track.outline_px is None:
        return None
    now = track.time_s[row]
    first, last = np.searchsorted(track.time_s, (now - MAX_GAP_S, now + MAX_GAP_S), side="right").tolist()
    seen = first + np.flatnonzero(has_edge(track.outline_px[first:last]))
    before, after = seen[seen <= row], seen[seen >= row]
    if not before.size or not after.size or track.time_s[after[0]] - track.time_s[before[-1]] > MAX_GAP_S:
        return None
    start, end = int(before[-1]), int(after[0])
    if start == end:
        return np.asarray(track.outline_px[row])
    part, outlines = track.part(slice(start, end + 1)), track.outline_px
    course = _course(part)
    share = course[row - start] / course[-1]
    hip, along = middle(part, "HIP"), _complex(middle(part, "SHOULDER") - middle(part, "HIP"))
    # as complex numbers, where a turn and a change of size are one factor
    if along[row - start] == 0 or not np.isfinite(along[[0, row - start, -1]]).all():
        return None
    one, other = (_complex(outlines[place] - hip[place - start]) / along[place - start] for place in (start, end))
    between = ((1.0 - share) * one + share * other) * along[row - start]
    return np.asarray(np.stack([between.real, between.imag], axis=-1) + hip[row - start])


def _complex(points: FloatArray) -> NDArray[np.complex128]:
    return np.asarray(points[..., 0] + 1j * points[..., 1])


def _near_an_arm(track: PoseTrack, points: FloatArray, size: FloatArray) -> BoolArray:
    """Which outline points, shape (n, k), lie so near to an arm that it may be the arm's edge and not the back's."""
    near = np.zeros(points.shape[:2], dtype=bool)
    for side in Side:
        shoulder, elbow, wrist = (
            track.image_px[:, side_landmark(side, name)] for name in ("shoulder", "elbow", "wrist")
        )
        for start, end in ((shoulder + FREE_UPPER_ARM * (elbow - shoulder), elbow), (elbow, wrist)):
            segment, offset = (end - start)[:, None], points - start[:, None]
            square = np.maximum((segment**2).sum(axis=-1), 1.0)
            share = np.clip((offset * segment).sum(axis=-1) / square, 0.0, 1.0)
            near |= length(offset - share[..., None] * segment) < ARM_RADIUS * size
    return near


def _resampled(height: FloatArray, distance: FloatArray) -> FloatArray:
    """Distances at the heights of `PROFILE`, shape (15,); NaN outside of what was seen and in wide gaps."""
    order = np.argsort(height)
    height, distance = height[order], distance[order]
    after = np.searchsorted(height, PROFILE)
    lower, upper = height[np.maximum(after - 1, 0)], height[np.minimum(after, height.size - 1)]
    # a ray's height shifts a little when the landmarks are smoothed
    covered = (height[0] - 0.02 <= PROFILE) & (height[-1] + 0.02 >= PROFILE) & (upper - lower <= MAX_HEIGHT_GAP)
    return np.where(covered, np.interp(PROFILE, height, distance), np.nan)


def _crossing(level: FloatArray, distance: FloatArray) -> FloatArray:
    """Distance at which each row of levels first falls below one half, shape (rows,); NaN where it does not tell."""
    outside = ~(level >= 0.5)
    first = outside.argmax(axis=1)
    rows = np.arange(len(level))
    before = np.maximum(first - 1, 0)
    high, low = level[rows, before], level[rows, first]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (high - 0.5) / (high - low)
    found = distance[before] + share * (distance[1] - distance[0])
    steps = np.arange(level.shape[1])
    sure_inside = np.where((level >= EDGE_LEVELS[0]) & (steps < first[:, None]), steps, -1).max(axis=1)
    sure_outside = np.where((level <= EDGE_LEVELS[1]) & (steps >= first[:, None]), steps, steps.size).min(axis=1)
    sharp = (sure_inside >= 0) & (sure_outside < steps.size)
    sharp &= distance[np.minimum(sure_outside, steps.size - 1)] - distance[np.maximum(sure_inside, 0)] <= MAX_EDGE
    return np.where((first > 0) & outside.any(axis=1) & sharp, found, np.nan)


def _sampled(mask: NDArray[np.float32], points: FloatArray) -> FloatArray:
    """The mask between its pixels' centres, bilinear; NaN outside the picture."""
    height, width = mask.shape
    x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    left = np.clip(x.astype(np.intp), 0, max(width - 2, 0))
    top = np.clip(y.astype(np.intp), 0, max(height - 2, 0))
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = x - left, y - top
    upper = (1 - u) * mask[top, left] + u * mask[top, right]
    lower = (1 - u) * mask[below, left] + u * mask[below, right]
    return np.where(inside, (1 - v) * upper + v * lower, np.nan)
