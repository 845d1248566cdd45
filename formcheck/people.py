"""Several people in one picture: telling them apart, numbering them, and naming the one who exercises.

Who exercises is decided over the whole clip by how far knees, hips and trunk move. Size and nearness say nothing: a
helper kneels nearer to the camera and hardly moves, a passer-by is whole and walks away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from formcheck import shots
from formcheck.errors import ClipError
from formcheck.geometry import length, signed_angle
from formcheck.landmarks import Landmark, side_landmark
from formcheck.poselog import PoseLog
from formcheck.smoothing import sample_interval_s
from formcheck.types import BoolArray, FloatArray, Pose, PoseTrack, Side, Track

CORE = tuple(int(side_landmark(side, name)) for side in Side for name in ("shoulder", "hip", "knee", "ankle"))
SAME_PERSON = 0.25  # mean distance of core landmarks, in body sizes, below which two poses are of one person
FIRST_SIGHT_S = 1.0  # a person's place at first sight is taken over this long
MIN_SEEN_S = 1.0  # someone seen for a shorter time passes through the picture
MIN_SEEN_SHARE = 0.15  # ... or for a smaller share of the clip
MIN_DENSITY = 0.5  # of the frames between first and last sight
DESPIKE_S = 0.3  # a joint angle that comes and goes within this is a landmark slipping


@dataclass(frozen=True, slots=True)
class Box:
    """Part of the picture, in fractions of its width and height from the top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Person:
    """Which person to judge: the N-th from the left (from 1, where each was first seen), or the one in a box."""

    number: int | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen person's poses, one for each frame, and a warning that names the choice (empty for one person)."""

    poses: Sequence[Pose]
    warning: str


def body_size_px(pose: Pose) -> float:
    """Diagonal of the box around shoulders, hips, knees and ankles; NaN for a missing pose."""
    core = pose.image_px[list(CORE)]
    return float(np.hypot(*(core.max(axis=0) - core.min(axis=0))))


def distance(one: Pose, other: Pose) -> float:
    """Mean distance between the core landmarks of two poses in body sizes (the larger); inf when one is missing."""
    if not (one.found and other.found):
        return math.inf
    size = max(body_size_px(one), body_size_px(other))
    apart = length(one.image_px[list(CORE)] - other.image_px[list(CORE)])
    # A body seen with left and right exchanged is still the same body.
    mirrored = length(one.image_px[list(CORE)] - other.image_px[[*CORE[4:], *CORE[:4]]])
    return float(min(apart.mean(), mirrored.mean())) / size if size > 0 else math.inf


def distinct(poses: Sequence[Pose]) -> tuple[Pose, ...]:
    """Leave out poses of a person who is already in the list."""
    kept: list[Pose] = []
    for pose in poses:
        if all(distance(pose, other) > SAME_PERSON for other in kept):
            kept.append(pose)
    return tuple(kept)


def choose(people: Sequence[Sequence[Pose]], wanted: Person | None = None) -> Choice:
    """Choose the person to judge.

    Parameters
    ----------
    people : sequence of sequences of Pose
        For each person one pose per frame of the clip, missing where not seen; at least one sequence.
    wanted : Person or None
        None: the one who moves through the exercise, that is, whose knees, hips and trunk move furthest.

    Raises
    ------
    ClipError
        When there is no such person.
    """
    tracks: list[Track] = [poses if isinstance(poses, PoseLog) else PoseTrack.from_poses(poses) for poses in people]
    present = [index for index, track in enumerate(tracks) if _is_present(track)]
    if not present:  # nobody stays: everyone may be who is meant
        present = [index for index, track in enumerate(tracks) if _seen(track).any()]
    present.sort(key=lambda index: float(_first_sight(tracks[index])[:, 0].mean()))
    if not present:
        return Choice(_kept(people[0]), "")
    if wanted is not None and wanted.number is not None:
        place = _by_number(wanted.number, len(present))
        how = f"person {place + 1} from the left was judged, as asked"
    elif wanted is not None and wanted.box is not None:
        place = _by_box(wanted.box, [tracks[index] for index in present])
        how = f"person {place + 1} from the left was judged: the one in the box"
    else:
        place = int(np.argmax([movement_deg(tracks[index]) for index in present]))
        how = f"the one {_side(place, len(present))}, who moves most, was judged; choose with --person"
    warning = f"{len(present)} people are in the picture; {how}" if len(present) > 1 else ""
    return Choice(_kept(people[present[place]]), warning)


def _kept(poses: Sequence[Pose]) -> Sequence[Pose]:
    return poses if isinstance(poses, PoseLog) else tuple(poses)


def movement_deg(whole: Track) -> float:
    """How far knees, hips and trunk move: the widest of their ranges, degrees, weighed by the share of frames seen.

    Ranges are from the 5th to the 95th percentile of despiked angles, of the side where it is smaller: a hidden leg
    jumps about. Of a long track, pieces spread over it stand for the whole.
    """
    track = shots.join(shots.spread(whole, (0, len(whole))))
    seen = _seen(track)
    if seen.sum() < 3:
        return 0.0
    points = track.image_px[seen]
    interval = sample_interval_s(track.time_s[seen])
    width = max(1, round(DESPIKE_S / interval)) if np.isfinite(interval) and interval > 0 else 1
    ranges: dict[str, list[float]] = {"knee": [], "hip": [], "trunk": []}
    for side in Side:
        shoulder, hip, knee, ankle = (
            points[:, side_landmark(side, name)] for name in ("shoulder", "hip", "knee", "ankle")
        )
        upright = np.broadcast_to(np.array([0.0, -1.0]), hip.shape)
        ranges["knee"].append(_range_deg(signed_angle(knee - hip, ankle - knee), width))
        ranges["hip"].append(_range_deg(signed_angle(hip - shoulder, knee - hip), width))
        ranges["trunk"].append(_range_deg(signed_angle(upright, shoulder - hip), width))
    inside = np.mean(
        (points[:, list(CORE)] >= 0).all(axis=2) & (points[:, list(CORE)] < np.array(track.size_px)).all(axis=2)
    )
    return max(min(both) for both in ranges.values()) * float(seen.mean()) * float(inside)


def _range_deg(angle: FloatArray, width: int) -> float:
    smooth = scipy.ndimage.median_filter(np.abs(angle), size=width, mode="nearest")  # unsigned: no step at half a turn
    return float(np.percentile(smooth, 95) - np.percentile(smooth, 5))


def _seen(track: Track) -> BoolArray:
    starts = range(0, max(len(track), 1), shots.LONGEST)  # of a long one only so much is in memory at once
    parts = (track.part(slice(start, start + shots.LONGEST)) for start in starts)
    return np.concatenate([np.isfinite(part.image_px[:, Landmark.NOSE, 0]) for part in parts])


def _is_present(track: Track) -> bool:
    seen = _seen(track)
    if not seen.any():
        return False
    first, last = np.flatnonzero(seen)[[0, -1]]
    if seen[first : last + 1].mean() < MIN_DENSITY:  # remains of others, taken for a person now and then
        return False
    interval = sample_interval_s(track.time_s)
    seconds = float(seen.sum() * interval) if np.isfinite(interval) else 0.0
    return bool(seen.mean() >= MIN_SEEN_SHARE) and seconds >= min(MIN_SEEN_S, 0.5 * len(seen) * max(interval, 0.0))


def _first_sight(track: Track) -> FloatArray:
    """Core landmarks over the first second in which a person is seen, shape (k, 2), fractions of the picture."""
    first = int(np.flatnonzero(_seen(track))[0])
    time_s = track.time_s
    second = track.part(slice(first, int(np.searchsorted(time_s, time_s[first] + FIRST_SIGHT_S, side="right"))))
    core = second.image_px[_seen(second)][:, list(CORE)].reshape(-1, 2)
    return np.asarray(core / np.array(track.size_px, dtype=np.float64))


def _by_number(number: int, count: int) -> int:
    if not 1 <= number <= count:
        found = "1 person was" if count == 1 else f"{count} people were"
        raise ClipError(f"there is no person {number}: {found} found, counted from the left at first sight")
    return number - 1


def _by_box(box: Box, tracks: Sequence[Track]) -> int:
    low, high = np.array([box.x, box.y]), np.array([box.x + box.width, box.y + box.height])
    inside = []
    for track in tracks:
        places = _first_sight(track)
        inside.append(float(((places >= low) & (places <= high)).all(axis=1).mean()))
    if max(inside) < 0.3:
        raise ClipError("nobody is in that box; give it as X,Y,W,H, fractions of the picture from its top left corner")
    return int(np.argmax(inside))


def _side(place: int, count: int) -> str:
    if place == 0:
        return "on the left"
    return "on the right" if place == count - 1 else f"who is number {place + 1} from the left"
