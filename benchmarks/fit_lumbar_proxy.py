"""Fit the stand-in for lumbar flexion from landmarks to clips with known angles.

    python benchmarks/fit_lumbar_proxy.py CLIPS_FOLDER [--cache DIR]

Prints the coefficients of `formcheck.metrics.lumbar_flexion` and the error with each body left out. Least squares
without intercept, on every frame of the exercises that use `rounded-lower-back`, camera within 20 degrees of side-on;
clips with a rounded back and clips without weigh the same together, and each clip the same within them. The
coefficients in `formcheck/metrics.py` are these, rounded.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formcheck import bias, kinematics, metrics
from formcheck.exercises import EXERCISES
from formcheck.types import FloatArray, PoseTrack, Side
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.truth import find_truth_clips, load_truth

SIDE_VIEW_DEG = 20.0
ROUNDED_DEG = 20.0  # of true lumbar flexion; clips with and without weigh the same in the fit
NAMES = ("trunk shortening, %", "neck flexion, deg", "hip flexion, deg")


@dataclass(frozen=True, slots=True)
class Clip:
    """Change from rest of the ingredients, and of the true lumbar flexion, frame by frame."""

    name: str
    body: str
    ingredients: FloatArray
    lumbar: FloatArray


def read(path: Path, cache: Path) -> Clip | None:
    truth = load_truth(path)
    exercise = EXERCISES[truth.exercise]
    if exercise.rule_use("rounded-lower-back") is None or truth.yaw_deg > SIDE_VIEW_DEG:
        return None
    poses, _ = cached_poses(path, None, cache)
    measured = kinematics.over_window(PoseTrack.from_poses(poses), bias.load(truth.body))
    rows = np.searchsorted(truth.time_s, measured.track.time_s).clip(0, len(truth.time_s) - 1)
    time_s = truth.time_s[rows]
    at_rest = np.ones(len(time_s), dtype=bool)
    for rep in truth.reps:
        at_rest &= (time_s < rep.start_s) | (time_s > rep.end_s)
    hip = measured.columns[metrics.column_name("hip_flexion_deg", Side(truth.near_side))]
    trunk = metrics.trunk_length(measured.track)
    neck = measured.columns["neck_flexion_deg"]
    ingredients = np.stack(
        [
            100.0 * (1.0 - trunk / np.median(trunk[at_rest])),
            neck - np.median(neck[at_rest]),
            hip - np.median(hip[at_rest]),
        ],
        axis=1,
    )
    lumbar = truth.columns["lumbar_flexion_deg"][rows]
    return Clip(path.stem, truth.body, ingredients, lumbar - np.median(lumbar[at_rest]))


def solve(clips: Sequence[Clip]) -> FloatArray:
    rounded = [np.percentile(clip.lumbar, 95) >= ROUNDED_DEG for clip in clips]
    share = {True: 1.0 / max(sum(rounded), 1), False: 1.0 / max(len(clips) - sum(rounded), 1)}
    weights = [np.sqrt(share[is_rounded] / len(clip.lumbar)) for clip, is_rounded in zip(clips, rounded, strict=True)]
    ingredients = np.concatenate([clip.ingredients * weight for clip, weight in zip(clips, weights, strict=True)])
    lumbar = np.concatenate([clip.lumbar * weight for clip, weight in zip(clips, weights, strict=True)])
    return np.asarray(np.linalg.lstsq(ingredients, lumbar, rcond=None)[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache())
    arguments = parser.parse_args()
    clips = [clip for path in find_truth_clips(arguments.folder) if (clip := read(path, arguments.cache))]
    for name, value in zip(NAMES, solve(clips), strict=True):
        print(f"{name:22s} {value:+.3f}")
    errors = []
    for clip in clips:
        others = solve([other for other in clips if other.body != clip.body])
        predicted = clip.ingredients @ others
        errors.append(np.abs(predicted - clip.lumbar).mean())
        deepest = np.percentile(clip.lumbar, 95), np.percentile(predicted, 95)
        print(f"{clip.name:50s} error {errors[-1]:4.1f}  largest {deepest[0]:4.0f} true {deepest[1]:4.0f} measured")
    print(f"mean absolute error, each body left out: {np.mean(errors):.2f} deg over {len(clips)} clips")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
