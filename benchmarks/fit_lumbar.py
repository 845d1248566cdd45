"""Fit lumbar flexion from the outline of the back to clips with known angles: writes formcheck/lumbar_model.json.

    python benchmarks/fit_lumbar.py CLIPS_FOLDER [--cache DIR] [--dry-run]

Least squares without intercept on the exercises that use `rounded-lower-back`, camera within 20 degrees of side-on.
Clips with a rounded back and clips without weigh the same together, and each clip the same within them. Prints what
each ingredient adds, judged on bodies that were left out, beside what landmarks alone can do, and how surely each tells
rounded from neutral backs in other sets of clips too (`back_detection.py`); `accuracy_report.py` puts the same tables
into docs/accuracy.md. Poses come from the validation cache, so a second run needs no pose estimation.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import back_detection
import numpy as np
from back_detection import area_under_curve
from back_ingredients import OURS, ROUNDED_DEG, Clip, read_all, solve, solve_without_body
from back_readings import HEAD_DROP_DEG, HEAD_YAW_DEG

from formcheck import lumbar
from formcheck.types import FloatArray
from formcheck.validate import default_cache

OUTPUT = Path(lumbar.__file__).with_name(lumbar.MODEL_FILE)

# Sets of ingredients to compare; the one that formcheck uses is the one fitted into its model.
LANDMARKS = {
    "head": ("head",),
    "trunk shortening": ("shortening",),
    "ear-to-hip shortening": ("ear to hip",),
    "trunk shortening + head": ("shortening", "head"),
    "trunk shortening + head + hip": ("shortening", "head", "hip"),
}
OUTLINE = {
    "offset": ("offset",),
    "bow": ("bow",),
    "offset + bow": OURS,
    "offset + bow + trunk shortening": (*OURS, "shortening"),
    "offset + bow + head": (*OURS, "head"),
    "offset + bow + hip": (*OURS, "hip"),
}


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


def evaluate(clips: Sequence[Clip], names: tuple[str, ...]) -> Result:
    """Judge a set of ingredients, each clip with the weights from all bodies but its own."""
    weights = solve_without_body([clip for clip in clips if clip.fitted], names, [clip.body for clip in clips])
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


def compared(clips: Sequence[Clip]) -> dict[str, Result]:
    """Every set of ingredients, landmarks first."""
    return {name: evaluate(clips, names) for name, names in (LANDMARKS | OUTLINE).items()}


def model_json(clips: Sequence[Clip]) -> str:
    """The model file: weights from all bodies, and from all but one."""

    def weights(chosen: Sequence[Clip]) -> dict[str, float]:
        found = solve([clip for clip in chosen if clip.fitted], OURS)
        return {name: round(float(value), 3) for name, value in zip(OURS, found, strict=True)}

    without = {
        body: weights([clip for clip in clips if clip.body != body]) for body in sorted({clip.body for clip in clips})
    }
    data = {"schema": lumbar.SCHEMA, "weights": weights(clips), "without_body": without}
    return json.dumps(data, indent=1) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--dry-run", action="store_true", help="print the tables only; the shipped model stays")
    arguments = parser.parse_args()
    clips = read_all(arguments.folder, arguments.cache)
    print(f"{'ingredients':34s} error  turn  corr   AUC  judged  neutral to  rounded from  head moves")
    for name, found in compared(clips).items():
        print(
            f"{name:34s} {found.error:5.1f} {found.error_at_turn:5.1f} {found.correlation:5.2f} {found.auc:5.3f} "
            f"{found.judged:3d}/{found.repetitions:<3d} {found.largest_neutral:8.1f} {found.smallest_rounded:12.1f} "
            f"{found.head_error:12.1f}"
        )
    print()
    print(back_detection.as_text(back_detection.detections(clips)))
    model = model_json(clips)
    print(f"{OUTPUT.name}: {json.loads(model)['weights']}")
    if not arguments.dry_run:
        OUTPUT.write_text(model, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
