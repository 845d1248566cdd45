"""Which exercise does a clip show? Posture, which joints move, and how, against the description of each exercise.

Everything is taken from the finished track, once: no second look at the pictures. A feature is an angle, a distance or
a speed over the whole shot (`measure`); `formcheck.looks` says in which range each lies for each exercise. How far a
clip is from a description gives its likeness, "none of these" is a rival with a fixed likeness, and the share of the
best one in the sum is the confidence. Below `SURE` the answer is a question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from formcheck import kinematics, shots, smoothing, view
from formcheck.bias import BiasModel
from formcheck.geometry import length
from formcheck.kinematics import Kinematics
from formcheck.landmarks import side_landmark
from formcheck.looks import LOOKS, Trait
from formcheck.metrics import trunk_length
from formcheck.types import FloatArray, PoseTrack, Side, Track

FROM_THE_FRONT = "the exercise is recognised from the side only, and the camera sees the front or the back"
SURE = 0.75  # from here on the exercise is taken as recognised
NONE_MISFIT = 8.0  # "none of these" is as likely as an exercise this far away: two tolerances in each of two features
MENTIONED = 0.1  # a candidate less likely than this is not worth asking about
MAX_MENTIONED = 3
FRAME_S = 0.05  # slow enough to cost little, fast enough for a swing: its whole way takes half a second
LOW, HIGH = 5.0, 95.0  # percentiles that stand for the ends of a movement; a few wrong frames do not move them
HELD_SHARE = 0.75  # of the way from rest to the turn: beyond it the turn is held


@dataclass(frozen=True, slots=True)
class Candidate:
    """An exercise that a clip may show, and how likely it is (0 to 1)."""

    exercise_id: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """The answer.

    Attributes
    ----------
    exercise_id : str or None
        None when it is not sure enough, or is none of the exercises.
    confidence : float
        Of the best candidate, 0 to 1; 0 when nothing could be measured.
    candidates : tuple of Candidate
        What the clip may show, likeliest first; empty for "none of these".
    reason : str
        Why nothing could be measured, and what to do; empty otherwise.
    """

    exercise_id: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    reason: str = ""


def recognise(track: Track, model: BiasModel | None = None, cuts_s: Sequence[float] = ()) -> Recognition:
    """Say which exercise a finished track shows.

    Parameters
    ----------
    track : PoseTrack or PoseLog
        Raw, as estimated, NaN where nobody was found. Of a long shot, pieces spread over it stand for the whole.
    model : BiasModel or None
        The landmarks' systematic error, to be removed; None removes nothing.
    cuts_s : sequence of float
        Times of the first frame after each hard cut. The longest shot that shows a person from the side decides.
    """
    reason = ""
    time_s = track.time_s
    for rows in sorted(shots.spans(time_s, cuts_s), key=lambda rows: _duration_s(time_s[slice(*rows)]), reverse=True):
        pieces = shots.spread(track, rows)
        unusable = shots.unusable(shots.apart(pieces))
        reason = reason or unusable or FROM_THE_FRONT
        if unusable:
            continue
        measured = kinematics.over_window(shots.apart([_thinned(piece) for piece in pieces]), model)
        if np.count_nonzero(measured.near_sign) > len(measured.near_sign) / 2:
            return decide(measure(measured))
    return Recognition(None, 0.0, (), reason)


def decide(features: Mapping[str, float]) -> Recognition:
    """Compare features with the description of every exercise; an unknown feature speaks for none of them."""
    likeness = {name: math.exp(-misfit(features, traits) / 2) for name, traits in LOOKS.items()}
    total = sum(likeness.values()) + math.exp(-NONE_MISFIT / 2)
    ranked = sorted(likeness, key=lambda name: likeness[name], reverse=True)
    shares = [Candidate(name, likeness[name] / total) for name in ranked]
    best = shares[0]
    known = sum(likeness.values()) > total / 2  # else "none of these" is the likeliest answer
    mentioned = tuple(item for item in shares[:MAX_MENTIONED] if known and item.confidence >= MENTIONED)
    return Recognition(best.exercise_id if best.confidence >= SURE else None, best.confidence, mentioned)


def misfit(features: Mapping[str, float], traits: Sequence[Trait]) -> float:
    """Squared distance to a description, in tolerances; an unknown feature counts as one tolerance away."""
    return sum(trait.misfit(features[trait.feature]) for trait in traits)


def measure(measured: Kinematics) -> dict[str, float]:
    """Features of one shot: degrees, trunk lengths, degrees per second; NaN where too little was seen.

    Returns
    -------
    dict of str to float
        ``_low``, ``_mid`` and ``_high`` are the 5th, 50th and 95th percentile. ``knee`` and ``hip`` are the near
        leg's, ``any_`` the leg that goes furthest. ``shank`` is its tilt from the vertical without sign.
    """
    near = view.side_of(float(np.sign(measured.near_sign.sum()))) or Side.RIGHT
    columns = measured.columns
    features: dict[str, float] = {}
    by_leg: dict[tuple[str, Side], tuple[float, float, float]] = {}
    for joint in ("knee", "hip"):
        for side in Side:
            by_leg[joint, side] = _ends(columns[f"{side.value}_{joint}_flexion_deg"])
        features |= _named(joint, by_leg[joint, near])
        features[f"any_{joint}_low"] = min(by_leg[joint, side][0] for side in Side)
        features[f"any_{joint}_high"] = max(by_leg[joint, side][2] for side in Side)
    features |= _named("trunk", _ends(columns["trunk_inclination_deg"]))
    features |= _named("shank", _ends(np.abs(columns[f"{near.value}_shank_inclination_deg"])))
    features |= _named("ankle", _ends(columns[f"{near.value}_ankle_dorsiflexion_deg"]))
    features |= _distances(measured, near)
    features["back_knee"] = by_leg["knee", _back_leg(measured)][1]
    hip, trunk = columns[f"{near.value}_hip_flexion_deg"], columns["trunk_inclination_deg"]
    features["hip_speed"] = _speed(measured.track.time_s, hip)
    features["held"] = _held(hip if _range(hip) > _range(trunk) else trunk)
    return features


def _duration_s(time_s: FloatArray) -> float:
    return float(time_s[-1] - time_s[0]) if len(time_s) else 0.0


def _thinned(track: PoseTrack) -> PoseTrack:
    """Every n-th frame, so that a long clip or a fast camera costs no more."""
    interval = smoothing.sample_interval_s(track.time_s)
    step = max(1, round(FRAME_S / interval)) if math.isfinite(interval) and interval > 0 else 1
    return track.part(slice(None, None, step))


def _named(name: str, ends: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((f"{name}_low", f"{name}_mid", f"{name}_high"), ends, strict=True))


def _ends(values: FloatArray) -> tuple[float, float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return math.nan, math.nan, math.nan
    low, mid, high = np.percentile(known, (LOW, 50.0, HIGH)).tolist()
    return low, mid, high


def _together(first: FloatArray, second: FloatArray) -> float:
    """Correlation of two series over the frames where both are known; NaN when one of them does not change."""
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < 3 or not first[known].std() or not second[known].std():
        return math.nan
    return float(np.corrcoef(first[known], second[known])[0, 1])


def _often(values: FloatArray) -> float:
    """What is reached for a quarter of the time: each swing of a kettlebell, but not one reach for the weight."""
    known = values[np.isfinite(values)]
    return float(np.percentile(known, 75.0)) if known.size else math.nan


def _range(values: FloatArray) -> float:
    low, _, high = _ends(values)
    return high - low


def _distances(measured: Kinematics, near: Side) -> dict[str, float]:
    """Where hands, hips and feet are, in units of the trunk's length at rest (its median)."""
    points = measured.track.image_px
    size = _ends(trunk_length(measured.track))[1]
    parts = {
        name: [points[:, side_landmark(side, name)] for side in (near, near.other)]
        for name in ("shoulder", "wrist", "hip", "knee", "ankle")
    }
    middle = {name: (both[0] + both[1]) / 2 for name, both in parts.items()}
    hand, hips = middle["wrist"], middle["hip"]
    apart = length(parts["ankle"][0] - parts["ankle"][1])
    return {
        "hand_to_shoulder": _ends(length(hand - middle["shoulder"]))[1] / size,
        "hand_to_ankle": _ends(length(hand - parts["ankle"][0]))[0] / size,
        "hand_above_hip": _often(hips[:, 1] - hand[:, 1]) / size,
        "hip_above_knee": _ends(parts["knee"][0][:, 1] - hips[:, 1])[0] / size,
        "feet_apart": _ends(apart)[2] / size,
        "leg_follows": _together(apart, measured.columns["trunk_inclination_deg"]),
    }


def _back_leg(measured: Kinematics) -> Side:
    """The leg whose ankle is further back; seen from the right, forwards is the picture's right."""
    points = measured.track.image_px
    ahead = points[:, side_landmark(Side.RIGHT, "ankle"), 0] - points[:, side_landmark(Side.LEFT, "ankle"), 0]
    return Side.LEFT if _ends(measured.near_sign * ahead)[1] > 0 else Side.RIGHT


def _speed(time_s: FloatArray, angle: FloatArray) -> float:
    """How fast an angle changes at its fastest, degrees per second."""
    if len(time_s) < 3:
        return math.nan
    return _ends(np.abs(smoothing.derivative(time_s, angle)))[2]


def _held(angle: FloatArray) -> float:
    """Share of the time in which an angle is near its upper end."""
    low, _, high = _ends(angle)
    known = angle[np.isfinite(angle)]
    return float((known > low + HELD_SHARE * (high - low)).mean()) if known.size else math.nan
