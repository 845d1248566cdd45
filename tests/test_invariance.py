"""The same movement, filmed upright or turned, at an uneven rate, in poor light or mirrored, is measured the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from clip_factory import set_display_matrix, write_clip

from formcheck import accuracy
from formcheck.adapters.video import ClipReader, probe
from formcheck.exercises import EXERCISES
from formcheck.pipeline import analyze_clip
from formcheck.types import Analysis, Frame, ImageArray, Rep, Side

pytestmark = [pytest.mark.model, pytest.mark.slow]

CLIP = Path(__file__).resolve().parent.parent / "sample_videos" / "03-romanian-deadlift-good.mp4"
EXERCISE = EXERCISES["romanian-deadlift"]
JOINTS = ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg")
SMALLER = 2  # every second pixel: a small file, and the network sees no more of a person this size
LIGHT = 0.25  # of the clip's own brightness: a room at dusk
LONGEST_STEP = 3  # frames; at this clip's 25 a second, steps between 40 and 120 ms
MOST_DEG = 6.0  # two standard errors can be more than that, where other exercises of the position are hard to see
START_S = 0.36  # a slow hinge begins within noise, and the uneven clip tells it in steps of up to 0.12 s
SAME_TIME_S = 0.25  # the deepest point itself may lie anywhere in the pause at the turn

Writer = Callable[[list[Frame], Path], Path]


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    with ClipReader(CLIP) as reader:
        return [
            Frame(frame.index, frame.time_s, np.ascontiguousarray(frame.image[::SMALLER, ::SMALLER]))
            for frame in reader
        ]


@pytest.fixture(scope="module")
def original() -> Analysis:
    return analyze_clip(CLIP, exercise=EXERCISE)


def write(frames: list[Frame], path: Path, change: Callable[[ImageArray], ImageArray]) -> Path:
    times_s = [frame.time_s for frame in frames]
    pictures = [np.ascontiguousarray(change(frame.image)) for frame in frames]
    return write_clip(path, lambda index: pictures[index], times_s, codec_options={"crf": "18"})


def turned(frames: list[Frame], path: Path) -> Path:
    write(frames, path, np.rot90)
    set_display_matrix(path, 0, 1, -1, 0)
    assert probe(path).rotation_deg == 90
    return path


def uneven(frames: list[Frame], path: Path) -> Path:
    steps = np.random.default_rng(0).integers(1, LONGEST_STEP + 1, len(frames))
    kept = np.concatenate([[0], steps.cumsum()])
    return write([frames[index] for index in kept if index < len(frames)], path, lambda image: image)


def dark(frames: list[Frame], path: Path) -> Path:
    return write(frames, path, lambda image: (LIGHT * image).astype(np.uint8))


def mirrored(frames: list[Frame], path: Path) -> Path:
    return write(frames, path, lambda image: image[:, ::-1])


def at_turn(analysis: Analysis, rep: Rep, joint: str) -> float:
    """Median over the pause at the far end, degrees."""
    table = analysis.table
    inside = (table.time_s >= rep.turn_start_s) & (table.time_s <= rep.turn_end_s)
    return float(np.nanmedian(table.columns[f"{rep.side.value}_{joint}"][inside]))


@pytest.mark.parametrize("version", [turned, uneven, dark, mirrored], ids=lambda version: version.__name__)
def test_same_repetitions_and_angles(version: Writer, frames: list[Frame], original: Analysis, tmp_path: Path) -> None:
    changed = analyze_clip(version(frames, tmp_path / "changed.mp4"), exercise=EXERCISE)
    assert original.report.view.near_side is Side.RIGHT
    assert changed.report.view.near_side is (Side.LEFT if version is mirrored else Side.RIGHT)
    assert len(original.report.reps) == len(changed.report.reps) == 2
    for before, after in zip(original.report.reps, changed.report.reps, strict=True):
        assert after.start_s == pytest.approx(before.start_s, abs=START_S)
        assert before.turn_start_s - SAME_TIME_S <= after.turn_s <= before.turn_end_s + SAME_TIME_S
        assert after.end_s == pytest.approx(before.end_s, abs=SAME_TIME_S)
        for joint in JOINTS:
            sigma = accuracy.sigma(joint, EXERCISE.position, original.report.view.yaw_deg)
            assert at_turn(changed, after, joint) == pytest.approx(at_turn(original, before, joint), abs=2 * sigma), (
                joint
            )
