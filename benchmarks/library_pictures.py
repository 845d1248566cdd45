"""The pictures of the library page: one for each exercise, with the skeleton drawn in.

    python benchmarks/library_pictures.py CLIPS [--out formcheck/ui/pictures]

CLIPS is a folder of clips rendered from the CC0 MakeHuman body (see sample_videos/README.md), with a NAME.json beside
each; only such clips may be pictured. Of each exercise the faultless clip nearest to a side view is taken, at the turn
of its first whole repetition or hold.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from formcheck.adapters.video import ClipReader, probe
from formcheck.engine import replay
from formcheck.exercises import EXERCISES
from formcheck.overlay import Style
from formcheck.overlay_body import draw_person
from formcheck.pipeline import analyze_poses, clip_info
from formcheck.types import Analysis, ImageArray, Update
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.truth import exercise_of

WIDTH, HEIGHT = 480, 270
MARGIN = 0.14  # of the person's height or width, on each side
QUALITY = 78
LARGEST_BYTES = 40_000


def best_clip(folder: Path, exercise: str) -> Path:
    """The faultless clip of an exercise that is nearest to a side view."""
    found = []
    for file in sorted(folder.glob("*.json")):
        clip = file.with_suffix(".mp4")
        if not clip.exists() or exercise_of(clip) != exercise:
            continue
        truth = json.loads(file.read_text())
        plain = "dark" not in clip.stem and "portrait" not in clip.stem
        if not truth["faults"]:
            found.append((not plain, abs(truth["camera"]["yaw_deg"]), clip))
    if not found:
        raise SystemExit(f"{folder} has no faultless clip of {exercise}")
    return min(found)[-1]


def analyse(clip: Path, exercise: str) -> Analysis:
    poses, info = cached_poses(clip, cache=default_cache())
    return analyze_poses(poses, clip_info(clip, probe(clip), poses[-1].time_s), info, exercise=EXERCISES[exercise])


def turn_frame(clip: Path, analysis: Analysis, exercise: str) -> tuple[ImageArray, Update]:
    """The frame of the first whole repetition's turn, and what is drawn on it."""
    rep = next(rep for rep in analysis.report.reps if rep.complete)
    row = int(np.argmin(np.abs(analysis.track.time_s - rep.turn_s)))
    update = next(found for place, found in enumerate(replay(analysis, EXERCISES[exercise])) if place == row)
    with ClipReader(clip) as reader:
        frame = next(frame for frame in reader if frame.index == row)
    return frame.image, replace(update, cues=())  # an example of the exercise, not of a finding


def picture(image: ImageArray, update: Update) -> Image.Image:
    """The person with the skeleton, cut out of the frame in the page's proportions."""
    out = np.array(image, order="C")
    height, width = out.shape[:2]
    for bitmap, left, top in draw_person(out, update, Style.for_size(width, height), []):
        bitmap.paste(out, left, top)
    points = update.pose.image_px
    low, high = points.min(axis=0), points.max(axis=0)
    size = (high - low) * (1 + 2 * MARGIN)
    scale = min(max(size[0] / WIDTH, size[1] / HEIGHT), width / WIDTH, height / HEIGHT)
    box_width, box_height = WIDTH * scale, HEIGHT * scale
    left = float(np.clip((low[0] + high[0] - box_width) / 2, 0, width - box_width))
    top = float(np.clip((low[1] + high[1] - box_height) / 2, 0, height - box_height))
    box = (left, top, left + box_width, top + box_height)
    return Image.fromarray(out).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box=box)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "formcheck" / "ui" / "pictures")
    args = parser.parse_args()
    for exercise in EXERCISES:
        clip = best_clip(args.clips, exercise)
        target = args.out / f"{exercise}.jpg"
        drawn = picture(*turn_frame(clip, analyse(clip, exercise), exercise))
        drawn.save(target, "JPEG", quality=QUALITY, optimize=True, progressive=True)
        size = target.stat().st_size
        print(f"{target.name:40} {size / 1000:5.1f} kB  from {clip.name}")
        if size > LARGEST_BYTES:
            raise SystemExit(f"{target} is larger than {LARGEST_BYTES} bytes")


if __name__ == "__main__":
    main()
