"""What the lower back of clips with known angles is told from: ingredients frame by frame, and weights for them.

Every ingredient is a change from the person's own rest. Those of the outline are formcheck's own (`formcheck.lumbar`),
those of landmarks alone are what other tools go by, or could. `fit_lumbar.py` fits and compares sets of them,
`back_detection.py` asks how surely each set tells a rounded back from a neutral one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from formcheck import bias, kinematics, lumbar, metrics, silhouette
from formcheck.exercises import EXERCISES
from formcheck.geometry import length
from formcheck.landmarks import Landmark, side_landmark
from formcheck.types import BoolArray, FloatArray, IntArray, PoseTrack, Side
from formcheck.validate import cached_poses
from formcheck.validate.tables import SIDE_VIEW_DEG
from formcheck.validate.truth import find_truth_clips, load_truth
from formcheck.view import middle

ROUNDED_DEG = 20.0  # of true lumbar flexion: where the rule begins to speak
OURS = ("offset", "bow")


@dataclass(frozen=True, slots=True)
class Shape:
    """What of the landmarks the ingredients without the outline are made of, frame by frame.

    Attributes
    ----------
    trunk, thigh : ndarray, shape (n,)
        Mid-hip to mid-shoulder and hip to knee of the near side, pixels.
    trunk_m : ndarray, shape (n,)
        Mid-hip to mid-shoulder in space, by the network's world landmarks.
    ear, nose : ndarray of complex, shape (n,)
        From mid-shoulder, pixels; the real axis goes on along the trunk, the imaginary one forwards.
    """

    trunk: FloatArray
    thigh: FloatArray
    trunk_m: FloatArray
    ear: NDArray[np.complex128]
    nose: NDArray[np.complex128]

    def ingredients(self, at_rest: BoolArray) -> dict[str, FloatArray]:
        """Changes from rest: angles in degrees, lengths in percent by which they became shorter."""

        def shorter(values: FloatArray) -> FloatArray:
            return np.asarray(100.0 * (1.0 - values / np.nanmedian(values[at_rest])))

        to_ear = np.abs(self.trunk + self.ear)
        return {
            "head": change(np.degrees(np.angle(self.ear)), at_rest),
            "nose": change(np.degrees(np.angle(self.nose)), at_rest),
            "shortening": shorter(self.trunk),
            "shortening against thigh": shorter(self.trunk / self.thigh),
            "ear to hip": shorter(to_ear),
            "ear to hip against thigh": shorter(to_ear / self.thigh),
            "shortening in space": shorter(self.trunk_m),
        }


@dataclass(frozen=True, slots=True)
class HeadResponse:
    """What neck flexion does to what is measured while the rest of the body stays as it is.

    Attributes
    ----------
    ear_about, nose_about : complex
        The point about which they turn, by the true angle. From mid-shoulder, in trunk lines at rest; axes as in
        `Shape`.
    added : mapping of str to float
        What is added to `shortening`, `shortening in space`, `offset` and `bow`, percent for each true degree.
    """

    ear_about: complex
    nose_about: complex
    added: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Clip:
    """Frame by frame, as change from rest: ingredients, true lumbar and neck flexion; the turn a frame is in, or 0."""

    name: str
    body: str
    exercise: str
    yaw_deg: float
    ruled: bool  # the exercise is judged by `rounded-lower-back`
    ingredients: Mapping[str, FloatArray]
    shape: Shape
    lumbar: FloatArray
    neck: FloatArray
    turn: IntArray
    at_rest: BoolArray

    @property
    def side_view(self) -> bool:
        return self.yaw_deg <= SIDE_VIEW_DEG

    @property
    def fitted(self) -> bool:
        """Whether the model is fitted to it, and judged on it once its body is left out."""
        return self.ruled and self.side_view

    def known(self, names: Sequence[str]) -> FloatArray:
        return np.stack([self.ingredients[name] for name in names], axis=1)

    def with_head(self, by_deg: FloatArray, response: HeadResponse) -> Clip:
        """As it would be measured with the head so much further down in each frame outside of rest: a what-if.

        The ear and the nose are turned about the neck; everything else changes by what was measured when only a head
        moved.
        """
        by = np.where(self.at_rest, 0.0, by_deg)

        trunk = float(np.nanmedian(self.shape.trunk[self.at_rest]))

        def turned(landmark: NDArray[np.complex128], about: complex) -> NDArray[np.complex128]:
            return np.asarray(about * trunk + (landmark - about * trunk) * np.exp(1j * np.radians(by)))

        def shrunk(values: FloatArray, name: str) -> FloatArray:
            return np.asarray(values * (1.0 - by * response.added[name] / 100.0))

        shape = Shape(
            trunk=shrunk(self.shape.trunk, "shortening"),
            thigh=self.shape.thigh,
            trunk_m=shrunk(self.shape.trunk_m, "shortening in space"),
            ear=turned(self.shape.ear, response.ear_about),
            nose=turned(self.shape.nose, response.nose_about),
        )
        outline = {name: self.ingredients[name] + by * response.added[name] for name in OURS}
        return replace(
            self,
            ingredients={**self.ingredients, **shape.ingredients(self.at_rest), **outline},
            shape=shape,
            neck=self.neck + by,
        )


def change(values: FloatArray, at_rest: BoolArray) -> FloatArray:
    return np.asarray(values - np.nanmedian(values[at_rest]))


def read_all(folder: Path, cache: Path) -> list[Clip]:
    return [read(path, cache) for path in find_truth_clips(folder)]


def read(path: Path, cache: Path) -> Clip:
    truth = load_truth(path)
    poses, _ = cached_poses(path, None, cache)
    measured = kinematics.over_window(PoseTrack.from_poses(poses), bias.load(truth.body))
    rows = np.searchsorted(truth.time_s, measured.track.time_s - 1e-3).clip(0, len(truth.time_s) - 1)
    time_s = truth.time_s[rows]
    at_rest, turn = np.ones(len(time_s), dtype=bool), np.zeros(len(time_s), dtype=int)
    for rep in truth.reps:
        at_rest &= (time_s < rep.start_s) | (time_s > rep.end_s)
        turn[(time_s >= rep.turn_start_s) & (time_s <= rep.turn_end_s)] = rep.number
    near = Side(truth.near_side)
    lean = measured.columns["trunk_inclination_deg"]
    angles = {
        "hip": change(measured.columns[metrics.column_name("hip_flexion_deg", near)], at_rest),
        "knee": change(measured.columns[metrics.column_name("knee_flexion_deg", near)], at_rest),
        "lean": change(lean, at_rest),
    }
    back = silhouette.dorsal(measured.track, measured.near_sign)
    bend = np.fmax(np.abs(angles["hip"]), np.abs(angles["lean"]))
    seen = lumbar.read(back, bend, lean, at_rest, 0.0, lumbar.LumbarModel(1.0, 1.0))
    shape = shape_of(measured.track, measured.near_sign, near)
    return Clip(
        name=path.stem,
        body=truth.body,
        exercise=truth.exercise,
        yaw_deg=truth.yaw_deg,
        ruled=EXERCISES[truth.exercise].rule_use("rounded-lower-back") is not None,
        ingredients={"offset": seen.offset, "bow": seen.bow, **angles, **shape.ingredients(at_rest)},
        shape=shape,
        lumbar=change(truth.columns["lumbar_flexion_deg"][rows], at_rest),
        neck=change(truth.columns["neck_flexion_deg"][rows], at_rest),
        turn=turn,
        at_rest=at_rest,
    )


def shape_of(track: PoseTrack, near_sign: FloatArray, near: Side) -> Shape:
    def point(name: str) -> FloatArray:
        return track.image_px[:, side_landmark(near, name)]

    shoulder, hip = middle(track, "SHOULDER"), middle(track, "HIP")
    world = [track.world_m[:, [Landmark[f"LEFT_{name}"], Landmark[f"RIGHT_{name}"]]] for name in ("SHOULDER", "HIP")]
    along = _complex(shoulder - hip)

    def from_shoulder(landmark: FloatArray) -> NDArray[np.complex128]:
        turned = _complex(landmark - shoulder) * along.conj() / np.abs(along)
        forwards = np.where(near_sign > 0, turned, turned.conj())  # seen from the right, forwards is clockwise
        return np.where(near_sign == 0, np.nan, forwards)

    return Shape(
        trunk=metrics.trunk_length(track),
        thigh=length(point("knee") - point("hip")),
        trunk_m=length(world[0].mean(axis=1) - world[1].mean(axis=1)),
        ear=from_shoulder(point("ear")),
        nose=from_shoulder(track.image_px[:, Landmark.NOSE]),
    )


def _complex(points: FloatArray) -> NDArray[np.complex128]:
    return np.asarray(points[..., 0] + 1j * points[..., 1])


def solve(clips: Iterable[Clip], names: Sequence[str]) -> FloatArray:
    """Weights of the ingredients: least squares without intercept.

    Clips with a rounded back and clips without weigh the same together, and each clip the same within them.
    """
    rows, targets = [], []
    kinds: dict[bool, list[Clip]] = {True: [], False: []}
    for clip in clips:
        if np.isfinite(clip.known(names)).all(axis=1).any():
            kinds[bool(np.percentile(clip.lumbar, 95) >= ROUNDED_DEG)].append(clip)
    for group in kinds.values():
        for clip in group:
            known = np.isfinite(clip.known(names)).all(axis=1)
            weight = math.sqrt(1.0 / (len(group) * known.sum()))
            rows.append(weight * clip.known(names)[known])
            targets.append(weight * clip.lumbar[known])
    return np.asarray(np.linalg.lstsq(np.concatenate(rows), np.concatenate(targets), rcond=None)[0])


def solve_without_body(clips: Sequence[Clip], names: Sequence[str], bodies: Iterable[str]) -> dict[str, FloatArray]:
    """For each body the weights from all others."""
    return {body: solve([clip for clip in clips if clip.body != body], names) for body in sorted(set(bodies))}
