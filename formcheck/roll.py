"""How far the camera leans: the angle between the picture's vertical and the true one.

A phone that leans against a bottle turns the whole picture. Angles between limbs stay, but every angle against the
vertical goes wrong by as much, and what was learnt about the landmarks in upright pictures holds less well.

Nothing but the body is asked. A person who stands quietly has the shoulders over the feet; who lies on the back has the
trunk on the floor, who sits with straight legs the legs; the sole of a foot that bears weight lies flat. Each of these
cues has the angle that it shows in level pictures, and a spread: between people, and with the camera's turn, which
makes a line on the floor run up or down in the picture. Cues are weighted by their spreads; where they contradict one
another the result is as unsure as that. Seats and padded benches have slopes of their own, and hands and knees on the
floor were filmed too seldom: there the lean is not known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formcheck.geometry import angle_from_vertical, length, signed_angle, wrap_degrees
from formcheck.landmarks import side_landmark
from formcheck.smoothing import derivative, sample_interval_s
from formcheck.types import BoolArray, FloatArray, PoseTrack, Position, Side
from formcheck.view import middle, side_of

MAX_ROLL_DEG = 20.0  # a body that seems to lean further is in another posture
CERTAIN_SIGMAS = 2.5  # a lean is taken out from here on; `benchmarks/roll.py` measures what other limits would do
STRAIGHT_DEG = 25.0  # hip and knee bent by less than this: upright, or the leg on the floor
BENT_KNEE_DEG = 60.0  # someone on the back with a knee bent by more has the foot on the floor
STILL_DEG_S = 15.0
MIN_QUIET_S = 0.4
# Both in lines from ankles to shoulders. A camera that looks down shows the far foot higher than the near one.
FAR_FOOT_HIGHER = 0.16
FEET_APART = 0.13  # beyond it is a stride, in which the body may lean on something
MIN_VISIBILITY = 0.5
FLOOR_PER_YAW = 0.35  # slope of a line on the floor in the picture, from a camera at hip height some metres away


@dataclass(frozen=True, slots=True)
class Roll:
    """The camera's lean.

    Attributes
    ----------
    deg : float
        By how much the picture shows the world turned clockwise; NaN when it is not known.
    sigma_deg : float
        Its standard error.
    """

    deg: float = math.nan
    sigma_deg: float = math.nan

    @property
    def certain(self) -> bool:
        """Whether it is clear that the camera leans, so that taking it out makes things better."""
        return abs(self.deg) > CERTAIN_SIGMAS * self.sigma_deg


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the body that has a known direction in quiet moments.

    `expected_deg` is its direction in a level picture, from the upright, positive forwards; `sigma_deg` how much that
    differs between people. `per_yaw` is what the camera's turn adds to that, degrees per degree.
    """

    expected_deg: float
    sigma_deg: float
    per_yaw: float = 0.0


# Directions: medians over the rendered clips of each position. Spreads: of those clips (1 to 3 deg, printed by
# `benchmarks/roll.py`) and, on top, 2 deg between people, who stand, lie and sit less alike than rendered bodies.
STANDING = Line(2.2, 2.2)
ON_ONE_LEG = Line(4.6, 2.8, per_yaw=0.15)  # one foot is nearer to the camera than the middle of the body
KNEELING = Line(3.0, 3.5)
TRUNK_ON_FLOOR = Line(-89.0, 2.5, FLOOR_PER_YAW)
LEGS_ON_FLOOR = Line(-86.0, 3.5, FLOOR_PER_YAW)
SOLE = Line(90.0, 4.5, FLOOR_PER_YAW)


@dataclass(frozen=True, slots=True)
class Body:
    """The points of a body over a track (n = frames), whether its near side is seen, and where it also rests."""

    track: PoseTrack
    sign: FloatArray
    near: Side
    seen: BoolArray
    rests: BoolArray

    def point(self, name: str, side: Side | None = None) -> FloatArray:
        """A landmark in the picture, shape (n, 2), of the near side unless another is named."""
        return self.track.image_px[:, side_landmark(side or self.near, name)]

    def knee(self, side: Side) -> FloatArray:
        """Flexion in degrees, without any correction: it need only tell straight from bent."""
        hip, knee, ankle = (self.point(name, side) for name in ("hip", "knee", "ankle"))
        return self.sign * signed_angle(knee - hip, ankle - knee)

    def hip(self, side: Side) -> FloatArray:
        """Flexion in degrees, without any correction."""
        trunk = middle(self.track, "SHOULDER") - middle(self.track, "HIP")
        return -self.sign * signed_angle(-trunk, self.point("knee", side) - self.point("hip", side))


Cue = tuple[Line, FloatArray, BoolArray]
"""A line, its direction from the picture's upright in every frame, degrees, and the frames in which it holds."""


def estimate(
    track: PoseTrack, near_sign: FloatArray, yaw_deg: FloatArray, at_rest: BoolArray, position: Position
) -> Roll:
    """How far the camera leans, from the quiet moments of a finished track.

    Parameters
    ----------
    track : PoseTrack
        Smoothed.
    near_sign, yaw_deg : ndarray, shape (n,)
        As in `formcheck.kinematics.Kinematics`.
    at_rest : ndarray of bool, shape (n,)
        Frames outside repetitions.
    position : Position
        Of the exercise.

    Returns
    -------
    Roll
        NaN when no cue was seen for long enough.
    """
    near = side_of(float(np.sign(near_sign.sum())))
    if near is None or position not in CUES or len(track) < 2:
        return Roll()
    sign = np.where(near_sign == 0, np.nan, near_sign)
    seen = _visible(track, near)
    body = Body(track, sign, near, seen, seen & at_rest)
    yaw = float(np.nanmedian(yaw_deg)) if np.isfinite(yaw_deg).any() else math.nan
    found = [read for cue in CUES[position](body) if (read := _read(body, cue, yaw)) is not None]
    return _combined(found)


def levelled(track: PoseTrack, roll_deg: float) -> PoseTrack:
    """A track as a level camera would have seen it: picture and space turned back around the picture's middle."""
    if roll_deg == 0.0:
        return track
    centre = np.array(track.size_px) / 2
    world = track.world_m.copy()
    world[..., :2] = turned(world[..., :2], -roll_deg)
    return replace(track, image_px=centre + turned(track.image_px - centre, -roll_deg), world_m=world)


def turned(points: FloatArray, angle_deg: float) -> FloatArray:
    """Points, shape (..., 2), turned clockwise on the screen around the origin."""
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    x, y = points[..., 0], points[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


def _visible(track: PoseTrack, near: Side) -> BoolArray:
    names = ("shoulder", "hip", "knee", "ankle")
    seen = np.nan_to_num(track.visibility[:, [side_landmark(near, name) for name in names]])
    return np.asarray((seen >= MIN_VISIBILITY).all(axis=1))


def _read(body: Body, cue: Cue, yaw_deg: float) -> tuple[float, float] | None:
    """Lean and standard error by one cue; None when it was not seen for long enough."""
    line, direction, holds = cue
    lean = body.sign * wrap_degrees(body.sign * direction - line.expected_deg)
    time_s = body.track.time_s
    still = np.abs(derivative(time_s, np.unwrap(np.nan_to_num(direction), period=360.0))) < STILL_DEG_S
    good = holds & still & np.isfinite(lean) & (np.abs(lean) <= MAX_ROLL_DEG)
    if not good.any() or good.sum() * sample_interval_s(time_s) < MIN_QUIET_S:
        return None
    leans = lean[good]
    median = float(np.median(leans))
    scatter = 1.48 * float(np.median(np.abs(leans - median)))
    slope = line.per_yaw * yaw_deg if math.isfinite(yaw_deg) else 0.0
    return median, math.hypot(line.sigma_deg, scatter, slope)


def _combined(found: Sequence[tuple[float, float]]) -> Roll:
    """Weighted mean; its error grows where the cues differ by more than their own errors (Birge 1932)."""
    if not found:
        return Roll()
    values, sigmas = np.array(found).T
    weights = 1.0 / sigmas**2
    mean = float((weights * values).sum() / weights.sum())
    sigma = math.sqrt(1.0 / float(weights.sum()))
    if len(found) > 1:
        ratio = math.sqrt(float((weights * (values - mean) ** 2).sum()) / (len(found) - 1))
        sigma *= max(1.0, ratio)
    return Roll(mean, sigma)


def _standing(body: Body) -> list[Cue]:
    """Both feet on the floor beside each other, hips and knees straight: the shoulders are over the ankles."""
    line = middle(body.track, "SHOULDER") - middle(body.track, "ANKLE")
    size = length(line)
    step = body.point("ankle") - body.point("ankle", body.near.other)
    along = (step * line).sum(axis=-1) / size**2
    beside = (np.abs(along) < FAR_FOOT_HIGHER) & (np.abs(_across(line, step)) < FEET_APART * size)
    holds = _straight(body, body.near) & _straight(body, body.near.other) & beside
    return [(STANDING, angle_from_vertical(line), holds), _sole(body, body.near, holds)]


def _on_one_leg(body: Body) -> list[Cue]:
    """On a straight leg: the shoulders are over its ankle. Where both are straight the free one hangs behind."""
    shoulders = middle(body.track, "SHOULDER")
    near, far = body.point("ankle"), body.point("ankle", body.near.other)
    straight = {side: _straight(body, side) for side in Side}
    ahead = body.sign * _across(shoulders - (near + far) / 2, near - far) > 0
    on_near = straight[body.near] & (ahead | ~straight[body.near.other])
    line = shoulders - np.where(on_near[:, None], near, far)
    holds = straight[body.near] | straight[body.near.other]
    return [(ON_ONE_LEG, angle_from_vertical(line), holds), _sole(body, body.near, on_near)]


def _across(line: FloatArray, step: FloatArray) -> FloatArray:
    """How far a step goes to the right of someone who looks along a line, pixels."""
    return (line[:, 0] * step[:, 1] - line[:, 1] * step[:, 0]) / length(line)


def _kneeling(body: Body) -> list[Cue]:
    """On bent knees with straight hips: the shoulders are over the knees."""
    line = middle(body.track, "SHOULDER") - body.point("knee")
    holds = body.rests & (body.knee(body.near) > BENT_KNEE_DEG) & (np.abs(body.hip(body.near)) < STRAIGHT_DEG)
    return [(KNEELING, angle_from_vertical(line), holds)]


def _supine(body: Body) -> list[Cue]:
    """The trunk on the floor, and the foot where the knee is bent."""
    trunk = angle_from_vertical(middle(body.track, "SHOULDER") - middle(body.track, "HIP"))
    planted = body.rests & (body.knee(body.near) > BENT_KNEE_DEG)
    return [(TRUNK_ON_FLOOR, trunk, body.rests), _sole(body, body.near, planted)]


def _long_sitting(body: Body) -> list[Cue]:
    """Straight legs on the floor."""
    line = body.point("hip") - body.point("ankle")
    return [(LEGS_ON_FLOOR, angle_from_vertical(line), body.rests & (np.abs(body.knee(body.near)) < STRAIGHT_DEG))]


def _straight(body: Body, side: Side) -> BoolArray:
    knee, hip = np.abs(body.knee(side)), np.abs(body.hip(side))
    return np.asarray(body.seen & (knee < STRAIGHT_DEG) & (hip < STRAIGHT_DEG))


def _sole(body: Body, side: Side, planted: BoolArray) -> Cue:
    heel, toe = (side_landmark(side, name) for name in ("heel", "foot_index"))
    seen = (np.nan_to_num(body.track.visibility[:, [heel, toe]]) >= MIN_VISIBILITY).all(axis=1)
    foot = body.track.image_px[:, toe] - body.track.image_px[:, heel]
    return SOLE, angle_from_vertical(foot), np.asarray(planted & seen)


CUES: Mapping[Position, Callable[[Body], list[Cue]]] = {
    Position.STANDING: _standing,
    Position.ONE_LEG: _on_one_leg,
    Position.KNEELING: _kneeling,
    Position.SUPINE: _supine,
    Position.LONG_SITTING: _long_sitting,
}
