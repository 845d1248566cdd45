"""How much larger formcheck's errors are in dark pictures: measured on darkened versions of clips with known angles.

    python benchmarks/light.py CLIPS_FOLDER            # print the table
    python benchmarks/light.py CLIPS_FOLDER --write    # put it into formcheck/accuracy.json as well

One clip of each exercise, seen within 20 degrees of side-on, is darkened to each of `LEVELS` (mean level of its
pictures, 0 to 255), with the noise of a sensor that has too little light, and encoded as a phone would. Each version
is analysed with what was learnt from other bodies. The factor of a metric at a level is the root mean square of its
errors, each in units of the standard error that formcheck states in good light, over the same of the clips as they are;
it never falls as it gets darker. Estimated poses are kept in the validation cache.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import numpy as np
from same_answer import Change, Version, make

from formcheck import accuracy
from formcheck.accuracy import LightRow
from formcheck.adapters.process import prepare_process
from formcheck.adapters.video import ClipReader, probe
from formcheck.exercises import EXERCISES
from formcheck.pipeline import analyze_poses, clip_info
from formcheck.types import ImageArray, Status
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.compare import ClipComparison, compare
from formcheck.validate.tables import SIDE_VIEW_DEG
from formcheck.validate.truth import find_truth_clips, load_truth

LEVELS = (45, 30, 20, 12)
BRIGHT = 60.0  # from here on the errors are those of the tables; the clips themselves lie above it
NOISE_LEVELS = 1.5  # standard deviation of the sensor's noise, of 255
CRF = "23"  # x264's own default
LEAST_CLIPS = 10  # a metric measured in fewer takes the median factor of the others


def chosen(folder: Path) -> list[Path]:
    """One clip of each exercise, of the bodies in turn."""
    by_exercise: dict[str, list[tuple[str, Path]]] = {}
    for clip in find_truth_clips(folder):
        truth = load_truth(clip)
        if truth.yaw_deg <= SIDE_VIEW_DEG and truth.exercise in EXERCISES:
            by_exercise.setdefault(truth.exercise, []).append((truth.body, clip))
    used = Counter[str]()
    clips = []
    for found in by_exercise.values():
        body, clip = min(found, key=lambda item: used[item[0]])
        used[body] += 1
        clips.append(clip)
    return clips


def usual_level(clip: Path) -> float:
    """Median over the frames of the mean level."""
    with ClipReader(clip) as reader:
        return float(np.median([frame.image[::8, ::8].mean() for frame in reader]))


def in_the_dark(share: float) -> Change:
    """Less light, with a sensor's noise."""
    random = np.random.default_rng(0)

    def change(image: ImageArray) -> ImageArray:
        noise = random.normal(0.0, NOISE_LEVELS, image.shape[:2])[..., None]
        return np.clip(np.round(share * image + noise), 0, 255).astype(np.uint8)

    return change


def measured(clip: Path, version: Path) -> ClipComparison:
    """A version of a clip against the clip's truth."""
    truth = load_truth(clip)
    poses, info = cached_poses(version, None, default_cache())
    seen = clip_info(version, probe(version), poses[-1].time_s)
    analysis = analyze_poses(poses, seen, info, exercise=EXERCISES[truth.exercise], left_out_body=truth.body)
    return compare(analysis, truth)


def in_sigmas(found: Sequence[ClipComparison]) -> dict[str, list[float]]:
    """By metric, the mean square error of each clip in units of the stated standard error in good light."""
    squares: dict[str, list[float]] = {}
    for clip in found:
        position = EXERCISES[clip.truth.exercise].position
        for metric, errors in clip.errors.items():
            if errors.size:
                stated = accuracy.sigma(metric, position, clip.truth.yaw_deg)
                squares.setdefault(metric, []).append(float(np.mean((errors / stated) ** 2)))
    return squares


def rows_of(by_level: Mapping[int, Sequence[ClipComparison]], bright: Sequence[ClipComparison]) -> list[LightRow]:
    """The table, from bright to dark."""
    usual = in_sigmas(bright)
    last = dict.fromkeys([metric for metric, values in usual.items() if len(values) >= LEAST_CLIPS], 1.0)
    rows = [LightRow(metric, BRIGHT, 1.0, len(usual[metric])) for metric in last]
    rows.append(LightRow(None, BRIGHT, 1.0, len(bright)))
    for level in sorted(by_level, reverse=True):
        dark = in_sigmas(by_level[level])
        for metric in last:
            if dark.get(metric):
                factor = math.sqrt(float(np.mean(dark[metric]) / np.mean(usual[metric])))
                last[metric] = max(last[metric], round(factor, 2))
            rows.append(LightRow(metric, level, last[metric], len(dark.get(metric, ()))))
        rows.append(LightRow(None, level, round(float(np.median([*last.values()])), 2), len(by_level[level])))
    return rows


def write(rows: Sequence[LightRow]) -> None:
    """Put the rows into the shipped table."""
    path = Path(str(files("formcheck") / accuracy.TABLE_FILE))
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, "light": [asdict(row) for row in rows]}, indent=1) + "\n", encoding="utf-8")


def show(by_level: Mapping[int, Sequence[ClipComparison]], rows: Sequence[LightRow]) -> None:
    """Factors by metric and level; counts and verdicts by level."""
    levels = sorted(by_level, reverse=True)
    print(f"{'factor at a mean level of':28}" + "".join(f"{level:7}" for level in levels))
    for metric in dict.fromkeys(row.metric for row in rows):
        own = {row.brightness: row.factor for row in rows if row.metric == metric}
        print(f"{metric or 'others':28}" + "".join(f"{own[level]:7.2f}" for level in levels))
    for level in levels:
        found = by_level[level]
        exact = sum(clip.reps_found == clip.reps_true for clip in found)
        faults = sum(outcome.status is Status.FAULT for clip in found for outcome in clip.unplanned)
        print(f"level {level}: counts exact in {exact} of {len(found)} clips, {faults} faults where none was planted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="put the table into formcheck/accuracy.json")
    arguments = parser.parse_args()
    prepare_process()
    bright, by_level = [], {level: list[ClipComparison]() for level in LEVELS}
    with tempfile.TemporaryDirectory() as folder:
        for clip in chosen(arguments.folder):
            bright.append(measured(clip, clip))
            usual = usual_level(clip)
            for level in LEVELS:
                version = Path(folder) / f"{clip.stem} {level}.mp4"
                make(clip, version, Version(in_the_dark(level / usual), crf=CRF))
                by_level[level].append(measured(clip, version))
                version.unlink()
            print(f"read {clip.name} (mean level {usual:.0f})", flush=True)
    rows = rows_of(by_level, bright)
    show(by_level, rows)
    if arguments.write:
        write(rows)


if __name__ == "__main__":
    main()
