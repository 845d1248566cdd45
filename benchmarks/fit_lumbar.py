"""Fit lumbar flexion from the outline of the back to clips with known angles: writes formcheck/lumbar_model.json.

    python benchmarks/fit_lumbar.py CLIPS_FOLDER [--cache DIR]

Least squares without intercept on the exercises that use `rounded-lower-back`, camera within 20 degrees of side-on.
Clips with a rounded back and clips without weigh the same together, and each clip the same within them. Prints what
each ingredient adds, judged on bodies that were left out, beside the best that landmarks alone can do;
`accuracy_report.py` puts the same table into docs/accuracy.md. Poses come from the validation cache, so a second run
needs no pose estimation.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formcheck import bias, kinematics, lumbar, metrics, silhouette
from formcheck.exercises import EXERCISES
from formcheck.types import FloatArray, PoseTrack, Side
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.tables import SIDE_VIEW_DEG
from formcheck.validate.truth import find_truth_clips, load_truth

OUTPUT = Path(lumbar.__file__).with_name(lumbar.MODEL_FILE)
ROUNDED_DEG = 20.0  # of true lumbar flexion: where the rule begins to speak
HEAD_DROP_DEG = (
    25.0  # a head that drops or lifts so far over a back that stays as it is: what must not be taken for rounding
)
HEAD_YAW_DEG = 30.0  # up to here for that question, of which there are few clips

# Sets of ingredients to compare; the one that formcheck uses is the one fitted into its model.
LANDMARKS = {
    "head": ("head",),
    "trunk shortening": ("shortening",),
    "trunk shortening + head": ("shortening", "head"),
    "trunk shortening + head + hip": ("shortening", "head", "hip"),
}
OURS = ("offset", "bow")
OUTLINE = {
    "offset": ("offset",),
    "bow": ("bow",),
    "offset + bow": OURS,
    "offset + bow + trunk shortening": (*OURS, "shortening"),
    "offset + bow + head": (*OURS, "head"),
    "offset + bow + hip": (*OURS, "hip"),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """Frame by frame, as change from rest: ingredients, true lumbar and neck flexion; the turn a frame is in, or 0."""

    name: str
    body: str
    yaw_deg: float
    ruled: bool  # the exercise is judged by `rounded-lower-back`
    ingredients: Mapping[str, FloatArray]
    lumbar: FloatArray
    neck: FloatArray
    turn: np.ndarray

    @property
    def fitted(self) -> bool:
        """Whether the model is fitted to it, and judged on it once its body is left out."""
        return self.ruled and self.yaw_deg <= SIDE_VIEW_DEG

    def known(self, names: Sequence[str]) -> FloatArray:
        return np.stack([self.ingredients[name] for name in names], axis=1)


@dataclass(frozen=True, slots=True)
class Result:
    """How well one set of ingredients tells lumbar flexion on bodies that were left out.

    `error` over all frames and `error_at_turn` over repetitions are mean absolute errors in degrees, each clip or
    repetition counting the same; `auc` tells rounded from neutral repetitions; `head_error` is on frames in which the
    head moves and the back does not.
    """

    names: tuple[str, ...]
    error: float
    error_at_turn: float
    correlation: float
    auc: float
    judged: int
    repetitions: int
    largest_neutral: float
    smallest_rounded: float
    head_error: float
    pairs: FloatArray  # true and measured of each judged repetition


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

    def change(values: FloatArray) -> FloatArray:
        return np.asarray(values - np.nanmedian(values[at_rest]))

    hip = change(measured.columns[metrics.column_name("hip_flexion_deg", Side(truth.near_side))])
    lean = measured.columns["trunk_inclination_deg"]
    trunk = metrics.trunk_length(measured.track)
    back = silhouette.dorsal(measured.track, measured.near_sign)
    bend = np.fmax(np.abs(hip), np.abs(change(lean)))
    seen = lumbar.read(back, bend, lean, at_rest, 0.0, lumbar.LumbarModel(1.0, 1.0))
    ingredients = {
        "offset": seen.offset,
        "bow": seen.bow,
        "shortening": 100.0 * (1.0 - trunk / np.nanmedian(trunk[at_rest])),
        "head": change(measured.columns["neck_flexion_deg"]),
        "hip": hip,
    }
    return Clip(
        name=path.stem,
        body=truth.body,
        yaw_deg=truth.yaw_deg,
        ruled=EXERCISES[truth.exercise].rule_use("rounded-lower-back") is not None,
        ingredients=ingredients,
        lumbar=change(truth.columns["lumbar_flexion_deg"][rows]),
        neck=change(truth.columns["neck_flexion_deg"][rows]),
        turn=turn,
    )


def solve(clips: Sequence[Clip], names: Sequence[str]) -> FloatArray:
    """Weights of the ingredients, from the clips that the model is fitted to."""
    rows, targets = [], []
    kinds: dict[bool, list[Clip]] = {True: [], False: []}
    for clip in clips:
        if clip.fitted and np.isfinite(clip.known(names)).all(axis=1).any():
            kinds[bool(np.percentile(clip.lumbar, 95) >= ROUNDED_DEG)].append(clip)
    for group in kinds.values():
        for clip in group:
            known = np.isfinite(clip.known(names)).all(axis=1)
            weight = math.sqrt(1.0 / (len(group) * known.sum()))
            rows.append(weight * clip.known(names)[known])
            targets.append(weight * clip.lumbar[known])
    return np.asarray(np.linalg.lstsq(np.concatenate(rows), np.concatenate(targets), rcond=None)[0])


def evaluate(clips: Sequence[Clip], names: tuple[str, ...]) -> Result:
    """Judge a set of ingredients, each clip with the weights from all bodies but its own."""
    bodies = sorted({clip.body for clip in clips})
    weights = {body: solve([clip for clip in clips if clip.body != body], names) for body in bodies}
    errors, pairs, repetitions, head = [], [], 0, []
    measured, true = [], []
    for clip in clips:
        found = clip.known(names) @ weights[clip.body]
        known = np.isfinite(found)
        error = np.abs(found - clip.lumbar)
        head_only = known & (np.abs(clip.neck) >= HEAD_DROP_DEG) & (np.abs(clip.lumbar) < ROUNDED_DEG / 2)
        if head_only.any() and clip.yaw_deg <= HEAD_YAW_DEG:
            head.append(error[head_only].mean())
        if not clip.fitted:
            continue
        if known.any():
            errors.append(error[known].mean())
            measured.append(found[known])
            true.append(clip.lumbar[known])
        for number in range(1, clip.turn.max() + 1):
            turn, repetitions = clip.turn == number, repetitions + 1
            if known[turn].mean() >= lumbar.MIN_JUDGED_SHARE:
                pairs.append((np.median(clip.lumbar[turn]), np.nanmedian(found[turn])))
    judged = np.array(pairs)
    rounded, neutral = judged[judged[:, 0] >= ROUNDED_DEG, 1], judged[judged[:, 0] < ROUNDED_DEG, 1]
    return Result(
        names=names,
        error=float(np.mean(errors)),
        error_at_turn=float(np.abs(judged[:, 1] - judged[:, 0]).mean()),
        correlation=float(np.corrcoef(np.concatenate(measured), np.concatenate(true))[0, 1]),
        auc=area_under_curve(rounded, neutral),
        judged=len(judged),
        repetitions=repetitions,
        largest_neutral=float(neutral.max()),
        smallest_rounded=float(rounded.min()),
        head_error=float(np.mean(head)) if head else math.nan,
        pairs=judged,
    )


def area_under_curve(positive: FloatArray, negative: FloatArray) -> float:
    """Share of pairs in which the positive value is the larger one; a tie counts one half."""
    first, second = positive[:, None], negative[None]
    return float(((first > second) + 0.5 * (first == second)).mean())


def compared(clips: Sequence[Clip]) -> dict[str, Result]:
    """Every set of ingredients, landmarks first."""
    return {name: evaluate(clips, names) for name, names in (LANDMARKS | OUTLINE).items()}


def model_json(clips: Sequence[Clip]) -> str:
    """The model file: weights from all bodies, and from all but one."""

    def weights(chosen: Sequence[Clip]) -> dict[str, float]:
        return {name: round(float(value), 3) for name, value in zip(OURS, solve(chosen, OURS), strict=True)}

    without = {
        body: weights([clip for clip in clips if clip.body != body]) for body in sorted({clip.body for clip in clips})
    }
    data = {"schema": lumbar.SCHEMA, "weights": weights(clips), "without_body": without}
    return json.dumps(data, indent=1) + "\n"


def read_all(folder: Path, cache: Path) -> list[Clip]:
    return [read(path, cache) for path in find_truth_clips(folder)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache())
    arguments = parser.parse_args()
    clips = read_all(arguments.folder, arguments.cache)
    print(f"{'ingredients':34s} error  turn  corr   AUC  judged  neutral to  rounded from  head moves")
    for name, found in compared(clips).items():
        print(
            f"{name:34s} {found.error:5.1f} {found.error_at_turn:5.1f} {found.correlation:5.2f} {found.auc:5.3f} "
            f"{found.judged:3d}/{found.repetitions:<3d} {found.largest_neutral:8.1f} {found.smallest_rounded:12.1f} "
            f"{found.head_error:12.1f}"
        )
    OUTPUT.write_text(model_json(clips), encoding="utf-8")
    print(f"{OUTPUT.name}: {json.loads(OUTPUT.read_text(encoding='utf-8'))['weights']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
