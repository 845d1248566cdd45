"""Which exercise formcheck takes each clip for, and what that costs.

    python benchmarks/recognition.py CLIPS_FOLDER

For clips with their truth beside them (NAME.json, NAME.truth.csv). Each is looked at with what was learnt about the
landmarks from every body but its own. The descriptions in `formcheck/looks.py` are not fitted, so nothing else is to
be left out; to see how much they hang on the exact figures, the features are also varied at random. Estimated poses
are kept in the validation cache.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from formcheck import bias, kinematics, recognise
from formcheck.types import PoseTrack
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.truth import find_truth_clips, load_truth

VARIED = 100  # times each clip
# What one person differs by from another and one measurement from the next, as standard deviation.
SPREAD = {"hip_speed": 25.0, "feet_apart": 0.12, "held": 0.05, "leg_follows": 0.15}
DISTANCE_SPREAD, ANGLE_SPREAD_DEG = 0.08, 6.0


def varied(features: Mapping[str, float], random: np.random.Generator) -> dict[str, float]:
    def spread(name: str) -> float:
        distance = name.startswith("hand_") or name == "hip_above_knee"
        return SPREAD.get(name, DISTANCE_SPREAD if distance else ANGLE_SPREAD_DEG)

    return {name: value + random.normal(0.0, spread(name)) for name, value in features.items()}


def verdict(found: recognise.Recognition, true: str) -> str:
    if found.exercise_id is not None:
        return "right" if found.exercise_id == true else "wrong"
    return "asks" if found.candidates else "none of these"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where estimated poses are kept")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    table: dict[str, Counter[str]] = {}
    total, shaken, told = Counter[str](), Counter[str](), []
    frames, spent_s = 0, 0.0
    for clip in find_truth_clips(args.folder):
        truth = load_truth(clip)
        track = PoseTrack.from_poses(cached_poses(clip, None, args.cache)[0])
        model = bias.load(truth.body)
        began = time.perf_counter()
        found = recognise.recognise(track, model)
        spent_s, frames = spent_s + time.perf_counter() - began, frames + len(track)
        result = verdict(found, truth.exercise)
        total[result] += 1
        table.setdefault(truth.exercise, Counter())[found.exercise_id or result] += 1
        if result != "right":
            names = ", ".join(f"{item.exercise_id} {item.confidence:.2f}" for item in found.candidates)
            told.append(f"  {clip.name}: {result}, {found.exercise_id or names or found.reason}")
        features = recognise.measure(kinematics.over_window(track, model))
        shaken.update(verdict(recognise.decide(varied(features, random)), truth.exercise) for _ in range(VARIED))
    for exercise, row in sorted(table.items()):
        print(f"{exercise:28} " + ", ".join(f"{name} {count}" for name, count in row.most_common()))
    print("\nnot right:", *told, sep="\n")
    for name, counts in (("as filmed", total), ("with features varied", shaken)):
        shares = ", ".join(f"{key} {100 * count / counts.total():.1f} %" for key, count in counts.most_common())
        print(f"{name} ({counts.total()}): {shares}")
    print(f"{1000 * spent_s / frames:.3f} ms per frame")


if __name__ == "__main__":
    main()
