"""Poses of a jointed body, built from joint-angle key frames by forward kinematics.

The body is a chain of rigid segments in its own sagittal plane (metres; forwards, upwards), given width to the
person's right, turned around the vertical, and seen by a camera far away (no perspective). Joint angles follow the
conventions of DESIGN section 4, written here a second time on purpose: `formcheck.metrics` takes angles out of
pictures, this module puts them in, and `test_synthetic.py` checks it against poses worked out by hand.

`film` gives the poses of a clip; the functions below it take things away again (hidden feet, nobody there).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from formcheck import lumbar
from formcheck.silhouette import HEIGHTS, PROFILE
from formcheck.types import LANDMARK_COUNT, OUTLINE_SHAPE, Pose, PoseTrack, Position, Side

# MediaPipe's numbering of the body, as its documentation lists it (left first, right is the next number).
NOSE, EYES, EARS, MOUTH = 0, (1, 2, 3), (7,), (9,)
SHOULDER, ELBOW, WRIST, FINGERS, HIP, KNEE, ANKLE, HEEL, TOE = 11, 13, 15, (17, 19, 21), 23, 25, 27, 29, 31
FOOT = (ANKLE, HEEL, TOE)


@dataclass(frozen=True)
class Key:
    """The joint angles (degrees) at one moment.

    `shorten` is how much shorter the line from hip to shoulder looks, percent; `back` how far the lower back rounds (+)
    or hollows (-), which only the outline shows. `trunk` is the trunk's
    inclination; None lets the position decide (a flat foot when standing, the floor otherwise).
    """

    time_s: float
    knee: float = 0.0
    hip: float = 0.0
    ankle: float = 0.0
    neck: float = 0.0
    shorten: float = 0.0
    back: float = 0.0
    trunk: float | None = None


STANDING = frozenset({Position.STANDING, Position.ONE_LEG})
ANGLES = tuple(item.name for item in fields(Key) if item.name not in {"time_s", "trunk"})


@dataclass(frozen=True)
class Body:
    """Segment lengths and widths in metres."""

    thigh: float = 0.42
    shank: float = 0.42
    trunk: float = 0.50
    head: float = 0.20
    foot: float = 0.22
    heel_behind: float = 0.05
    heel_below: float = 0.07
    upper_arm: float = 0.28
    forearm: float = 0.25
    hip_width: float = 0.20
    shoulder_width: float = 0.36
    head_width: float = 0.15


@dataclass(frozen=True)
class Shot:
    """How the body lies or stands, and how it is filmed.

    `near` faces the camera; `yaw_deg` turns the body's front away from the camera (negative: towards it), to 90 for
    the back. `heading` (seconds to degrees, 0 = right side near, 180 = left) replaces both, for a person who turns
    around. `still_far_leg` leaves the far leg at its first key frame. `missing` are (from, to) times without a person.
    """

    position: Position = Position.STANDING
    near: Side = Side.RIGHT
    yaw_deg: float = 0.0
    heading: Callable[[np.ndarray], np.ndarray] | None = None
    body: Body = field(default_factory=Body)
    still_far_leg: bool = False
    size_px: tuple[int, int] = (1280, 720)
    px_per_m: float = 380.0
    fps: float = 30.0
    jitter: float = 0.0  # share of a frame's time by which time stamps wander
    noise_px: float = 0.0
    seed: int = 1
    visibility: float = 1.0
    outlined: bool = True
    missing: tuple[tuple[float, float], ...] = ()


def film(keys: Sequence[Key], shot: Shot | None = None, **changes: object) -> list[Pose]:
    """Poses of a clip from its first key frame to its last; `changes` are further fields of the `Shot`."""
    shot = replace(shot or Shot(), **changes)  # type: ignore[arg-type]
    random = np.random.default_rng(shot.seed)
    time_s = frame_times(keys[-1].time_s - keys[0].time_s, shot, random)
    moments = keys[0].time_s + time_s
    angles = {name: interpolate(keys, name, moments) for name in ANGLES}
    trunk = _trunk_inclination(keys, angles, moments, shot.position)
    world_m = _turn(_body_points(angles, trunk, shot), _heading(shot, moments))
    image_m = world_m + _anchor_to_foot(world_m, keys, shot)[:, None, :]
    outline_m = _turn(_outline_points(angles, trunk, shot, moments), _heading(shot, moments))
    outline_m = outline_m + _anchor_to_foot(world_m, keys, shot)[:, None, :]
    to_px = _picture(image_m[..., :2], shot)
    image_px = to_px(image_m[..., :2]) + random.normal(0.0, 1.0, world_m[..., :2].shape) * shot.noise_px
    outline_px = to_px(outline_m[..., :2]).reshape(len(time_s), *OUTLINE_SHAPE)
    # each look has an error of its own: without it a hold would be alike to the last digit, and a tie decide its moment
    outline_px[:, :2] += np.random.default_rng(shot.seed).normal(0.0, 0.1 * shot.noise_px, outline_px[:, :1].shape)
    world_m = world_m - (world_m[:, [HIP]] + world_m[:, [HIP + 1]]) / 2
    visible = np.full(LANDMARK_COUNT, shot.visibility)
    poses = [
        Pose(
            row,
            float(moment),
            shot.size_px,
            image_px[row],
            world_m[row],
            visible.copy(),
            outline_px=outline_px[row] if shot.outlined else None,
        )
        for row, moment in enumerate(time_s)
    ]
    return lose(poses, shot.missing)


def track_of(keys: Sequence[Key], shot: Shot | None = None, **changes: object) -> PoseTrack:
    """`film`, stacked."""
    return PoseTrack.from_poses(film(keys, shot, **changes))


def pose_at(shot: Shot | None = None, *, trunk: float | None = None, **angles: float) -> PoseTrack:
    """A track of one frame of a body at rest in these joint angles."""
    keys = [Key(moment, trunk=trunk, **angles) for moment in (0.0, 1.0)]
    return PoseTrack.from_poses(film(keys, shot, fps=1.0)[:1])


def frame_times(duration_s: float, shot: Shot, random: np.random.Generator) -> np.ndarray:
    """Presentation times from 0, evenly spaced or wandering by `jitter` frames (below 0.5 they stay in order)."""
    time_s = np.arange(math.floor(duration_s * shot.fps + 1e-6) + 1) / shot.fps
    time_s[1:] += random.uniform(-0.5, 0.5, time_s.size - 1) * shot.jitter / shot.fps
    return time_s


def interpolate(keys: Sequence[Key], name: str, moments: np.ndarray) -> np.ndarray:
    """One angle between its key frames, starting and stopping softly (minimum jerk: Flash and Hogan 1985)."""
    times = np.array([key.time_s for key in keys])
    values = np.array([getattr(key, name) for key in keys], dtype=float)
    before = np.clip(np.searchsorted(times, moments, side="right") - 1, 0, len(keys) - 2)
    share = np.clip((moments - times[before]) / (times[before + 1] - times[before]), 0.0, 1.0)
    eased = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
    return values[before] + eased * (values[before + 1] - values[before])


def _trunk_inclination(
    keys: Sequence[Key], angles: Mapping[str, np.ndarray], moments: np.ndarray, position: Position
) -> np.ndarray:
    if keys[0].trunk is not None:
        return interpolate(keys, "trunk", moments)
    if position in STANDING:  # the sole stays level
        return angles["hip"] - angles["knee"] + angles["ankle"]
    if position is Position.LONG_SITTING:  # the thigh lies on the floor
        return angles["hip"] - 90.0
    lying = {Position.PRONE: 90.0, Position.SUPINE: -90.0}
    return np.full(moments.shape, lying[position])


def _body_points(angles: Mapping[str, np.ndarray], trunk: np.ndarray, shot: Shot) -> np.ndarray:
    """Landmarks as (forwards, upwards, to the person's right) from mid-hip, shape (n, 33, 3)."""
    body, frames = shot.body, trunk.size
    points = np.zeros((frames, LANDMARK_COUNT, 3))
    spine = _plane(np.sin(_rad(trunk)), np.cos(_rad(trunk)))
    head = _plane(np.sin(_rad(trunk + angles["neck"])), np.cos(_rad(trunk + angles["neck"])))
    face = _plane(head[:, 1], -head[:, 0])
    chest = spine * (body.trunk * (1.0 - angles["shorten"] / 100.0))[:, None]
    ear = chest + body.head * head
    nose = ear + 0.10 * face
    elbow = chest + np.array([0.0, -body.upper_arm])
    wrist = elbow + np.array([0.02, -body.forearm])
    points[:, NOSE, :2] = nose
    for side in Side:
        right = side is Side.RIGHT
        far = shot.still_far_leg and side is not shot.near
        leg = {name: (np.full(frames, value[0]) if far else value) for name, value in angles.items()}
        placed = {
            **dict.fromkeys(MOUTH, (nose - 0.03 * head, 0.2 * body.head_width)),
            **dict.fromkeys(EARS, (ear, body.head_width)),
            SHOULDER: (chest, body.shoulder_width),
            ELBOW: (elbow, 1.2 * body.shoulder_width),
            WRIST: (wrist, 1.2 * body.shoulder_width),
            **dict.fromkeys(FINGERS, (wrist + np.array([0.0, -0.08]), 1.2 * body.shoulder_width)),
            **{number: (joint, body.hip_width) for number, joint in _leg(leg, trunk, body).items()},
        }
        for number, (place, width) in placed.items():
            points[:, number + right, :2] = place
            points[:, number + right, 2] = width / 2 if right else -width / 2
        for number in EYES:
            points[:, number + (3 if right else 0), :2] = nose - 0.04 * face + 0.03 * head
            points[:, number + (3 if right else 0), 2] = 0.03 if right else -0.03
    return points


def _leg(angles: Mapping[str, np.ndarray], trunk: np.ndarray, body: Body) -> dict[int, np.ndarray]:
    """Hip to toe; each segment's swing is measured from straight down, forwards positive."""
    hip = np.zeros((trunk.size, 2))
    thigh = _rad(angles["hip"] - trunk)
    shank = thigh - _rad(angles["knee"])
    sole = shank + _rad(angles["ankle"])
    knee = hip + body.thigh * _plane(np.sin(thigh), -np.cos(thigh))
    ankle = knee + body.shank * _plane(np.sin(shank), -np.cos(shank))
    forwards, upwards = _plane(np.cos(sole), np.sin(sole)), _plane(-np.sin(sole), np.cos(sole))
    heel = ankle - body.heel_behind * forwards - body.heel_below * upwards
    return {HIP: hip, KNEE: knee, ANKLE: ankle, HEEL: heel, TOE: heel + body.foot * forwards}


def _heading(shot: Shot, moments: np.ndarray) -> np.ndarray:
    if shot.heading is not None:
        return np.asarray(shot.heading(moments), dtype=float)
    return np.full(moments.shape, shot.yaw_deg if shot.near is Side.RIGHT else 180.0 - shot.yaw_deg)


def _turn(points: np.ndarray, heading_deg: np.ndarray) -> np.ndarray:
    """(forwards, upwards, right) to MediaPipe's axes (x right in the picture, y down, z away from the camera)."""
    cosine, sine = (function(_rad(heading_deg))[:, None] for function in (np.cos, np.sin))
    forwards, upwards, right = points[..., 0], points[..., 1], points[..., 2]
    return np.stack([forwards * cosine + right * sine, -upwards, forwards * sine - right * cosine], axis=-1)


def _anchor_to_foot(world_m: np.ndarray, keys: Sequence[Key], shot: Shot) -> np.ndarray:
    """Shift of each frame that keeps the heels where they are (standing); a lying or sitting body rests on its hips."""
    if shot.position not in STANDING or keys[0].trunk is not None or shot.heading is not None:
        return np.zeros((len(world_m), 3))
    heels = (world_m[:, HEEL] + world_m[:, HEEL + 1]) / 2
    return heels[0] - heels


def _outline_points(angles: Mapping[str, np.ndarray], trunk: np.ndarray, shot: Shot, moments: np.ndarray) -> np.ndarray:
    """Both edges of the trunk and its line, (forwards, upwards, right) from mid-hip, shape (n, 3 * OUTLINE_POINTS, 3).

    First the edge that lies clockwise of the trunk on the screen: the front for who is seen from the right.
    """
    spine = _plane(np.sin(_rad(trunk)), np.cos(_rad(trunk)))
    front = _plane(spine[:, 1], -spine[:, 0])
    size = shot.body.trunk * (1.0 - angles["shorten"] / 100.0)
    own = 0.24 + 0.04 * np.cos(2 * np.pi * HEIGHTS / 0.7)  # seat and mid back stand out, the lower back is hollow
    shape = np.sin(np.pi * np.clip((HEIGHTS - PROFILE[0]) / np.ptp(PROFILE), 0.0, 1.0))
    behind = -(own + angles["back"][:, None] * _bulge_per_degree() * shape)
    before = np.full((trunk.size, HEIGHTS.size), 0.2)
    from_right = np.cos(_rad(_heading(shot, moments))) > 0
    edges = np.where(from_right[:, None, None], np.stack([before, behind], axis=1), np.stack([behind, before], axis=1))
    edges = np.concatenate([edges, np.zeros((trunk.size, 1, HEIGHTS.size))], axis=1)
    points = np.zeros((trunk.size, 3, HEIGHTS.size, 3))
    points[..., :2] = HEIGHTS[:, None] * spine[:, None, None] + edges[..., None] * front[:, None, None]
    return (points * size[:, None, None, None]).reshape(trunk.size, -1, 3)


def _bulge_per_degree() -> float:
    """How far this body's lower back stands out, in trunk lines, where the shipped model reads one degree."""
    shape = 100.0 * np.sin(np.pi * (PROFILE - PROFILE[0]) / np.ptp(PROFILE))
    offset, bow = lumbar.changes(shape[None], np.zeros(PROFILE.size))
    model = lumbar.load()
    return 1.0 / float(model.offset * offset[0] + model.bow * bow[0])


def _picture(points_m: np.ndarray, shot: Shot) -> Callable[[np.ndarray], np.ndarray]:
    """From metres to pixels, with everything that these points ever reach in the middle of the picture."""
    low, high = points_m.min(axis=(0, 1)), points_m.max(axis=(0, 1))

    def to_px(points: np.ndarray) -> np.ndarray:
        return np.asarray(np.asarray(shot.size_px) / 2 + (points - (low + high) / 2) * shot.px_per_m)

    return to_px


def _plane(forwards: np.ndarray, upwards: np.ndarray) -> np.ndarray:
    return np.stack([forwards, upwards], axis=-1)


def _rad(degrees: np.ndarray) -> np.ndarray:
    return np.asarray(degrees) * (math.pi / 180.0)


def lose(poses: Sequence[Pose], spans: Iterable[tuple[float, float]]) -> list[Pose]:
    """The same clip with nobody found between these times (both ends included)."""
    spans = tuple(spans)
    return [
        Pose.missing(pose.index, pose.time_s, pose.size_px)
        if any(start <= pose.time_s <= end for start, end in spans)
        else pose
        for pose in poses
    ]


def hide(poses: Sequence[Pose], landmarks: Iterable[int], visibility: float = 0.05) -> list[Pose]:
    """The same clip with landmarks (of both sides, named by the left one) guessed rather than seen."""
    numbers = [number + side for number in landmarks for side in (0, 1)]
    changed = []
    for pose in poses:
        values = pose.visibility.copy()
        values[numbers] = visibility
        changed.append(replace(pose, visibility=values))
    return changed


def mirror(poses: Sequence[Pose]) -> list[Pose]:
    """The same clip in a mirror: the picture flipped, left and right landmarks exchanged."""
    order = np.arange(LANDMARK_COUNT)
    for number in (*MOUTH, *EARS, SHOULDER, ELBOW, WRIST, *FINGERS, HIP, KNEE, ANKLE, HEEL, TOE):
        order[[number, number + 1]] = number + 1, number
    for number in EYES:
        order[[number, number + 3]] = number + 3, number
    return [
        replace(
            pose,
            image_px=(pose.image_px * [-1, 1] + [pose.size_px[0], 0])[order],
            world_m=(pose.world_m * [-1, 1, 1])[order],
            visibility=pose.visibility[order],
            # clockwise of the trunk becomes anticlockwise
            outline_px=None
            if pose.outline_px is None
            else (pose.outline_px * [-1, 1] + [pose.size_px[0], 0])[[1, 0, 2]],
        )
        for pose in poses
    ]


def repetitions(
    rest: Mapping[str, float],
    turn: Mapping[str, float],
    *,
    count: int = 3,
    out_s: float = 1.2,
    hold_s: float = 0.4,
    back_s: float = 1.4,
    pause_s: float = 0.8,
    still_s: float = 2.0,
) -> list[Key]:
    """Key frames of a set: still, then `count` times out, hold, back and pause, then still. Angles not named are 0."""
    keys = [Key(0.0, **rest), Key(still_s, **rest)]
    for _ in range(count):
        for seconds, angles in ((out_s, turn), (hold_s, turn), (back_s, rest), (pause_s, rest)):
            if seconds > 0:
                keys.append(Key(keys[-1].time_s + seconds, **angles))
    keys.append(Key(keys[-1].time_s + still_s, **rest))
    return keys
