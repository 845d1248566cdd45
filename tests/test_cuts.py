"""Hard cuts: found in the picture, kept apart in the verdicts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clip_factory import noise
from synthetic import Key, film, lose, repetitions

from formcheck import shots
from formcheck.adapters.cuts import CutDetector, thumbnail
from formcheck.adapters.video import ClipReader
from formcheck.config import Settings
from formcheck.engine import Analyzer
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.reading import read_poses
from formcheck.types import Analysis, ClipInfo, Frame, ImageArray, Pose, PoseTrack, Status, ToolInfo

SAMPLES = Path(__file__).parents[1] / "sample_videos"
HINGE = repetitions({"knee": 12.0}, {"knee": 20.0, "hip": 85.0}, count=2)
HINGE_S = HINGE[-1].time_s
RDL = EXERCISES["romanian-deadlift"]


def scene(seed: int) -> ImageArray:
    return np.kron(noise(16, 9, seed), np.ones((20, 20, 1), dtype=np.uint8))


def watch(pictures: list[ImageArray], poses: list[Pose]) -> tuple[float, ...]:
    detector = CutDetector()
    for pose, picture in zip(poses, pictures, strict=True):
        detector.watch(Frame(pose.index, pose.time_s, picture))
    return detector.times_s(poses)


def elsewhere(poses: list[Pose], from_index: int) -> list[Pose]:
    """The person stands a step aside from this frame on."""
    return [
        pose if pose.index < from_index else replace(pose, image_px=pose.image_px + np.array([150.0, 0.0]))
        for pose in poses
    ]


STANDING = film([Key(0.0), Key(2.0)], fps=30.0, noise_px=1.0)


def test_a_new_scene_with_the_person_elsewhere_is_a_cut() -> None:
    pictures = [scene(1) if pose.index < 25 else scene(2) for pose in STANDING]
    assert watch(pictures, elsewhere(STANDING, 25)) == (STANDING[25].time_s,)


def test_a_lamp_switched_on_is_no_cut() -> None:
    bright = np.minimum(scene(1).astype(int) + 60, 255).astype(np.uint8)
    pictures = [scene(1) if pose.index < 25 else bright for pose in STANDING]
    assert watch(pictures, STANDING) == ()


def test_a_slip_of_the_landmarks_is_no_cut() -> None:
    assert watch([scene(1)] * len(STANDING), elsewhere(STANDING, 25)) == ()


def test_a_shaken_camera_is_no_cut() -> None:
    pictures = [np.roll(scene(1), 40 * (pose.index % 5), axis=1) for pose in STANDING]
    assert watch(pictures, elsewhere(STANDING, 25)) == ()


def test_the_thumbnail_has_the_means_of_the_cells() -> None:
    picture = np.zeros((360, 640, 3), dtype=np.uint8)
    picture[:, 320:, 1] = 90
    small = thumbnail(picture)
    assert small.shape == (36, 64)
    assert (small[:, :32] == 0).all()
    assert (small[:, 32:] == 90).all()


def test_split_and_join_keep_every_frame() -> None:
    track = PoseTrack.from_poses(STANDING)
    parts = shots.split(track, (STANDING[20].time_s, STANDING[40].time_s, 99.0, 0.0))
    assert [len(part) for part in parts] == [20, 20, len(track) - 40]
    joined = shots.join(parts)
    assert (joined.time_s == track.time_s).all()
    assert (joined.image_px == track.image_px).all()
    assert shots.split(PoseTrack.from_poses([]), ())[0].time_s.size == 0


def test_flickering_finds_are_no_person() -> None:
    poses = film([Key(0.0), Key(6.0)])
    flicker = lose(poses, [(start, start + 0.6) for start in (0.5, 1.5, 2.5, 3.5, 4.5)])
    assert "no whole person" in shots.unusable(PoseTrack.from_poses(flicker))
    late = lose(poses, [(0.0, 3.5)])  # comes into the picture and stays
    assert shots.unusable(PoseTrack.from_poses(late)) == ""


def test_a_camera_at_the_feet_is_refused() -> None:
    poses = film([Key(0.0), Key(2.0)])
    along = [replace(pose, world_m=pose.world_m[:, [0, 2, 1]]) for pose in poses]
    assert "along the body" in shots.unusable(PoseTrack.from_poses(along))
    assert shots.unusable(PoseTrack.from_poses(poses)) == ""


def analysed(poses: list[Pose], cuts_s: tuple[float, ...]) -> Analysis:
    analyzer = Analyzer(RDL, applied_rules(RDL, Settings()))
    for moment in cuts_s:
        analyzer.cut(moment)
    for pose in poses:
        analyzer.update(pose)
    clip = ClipInfo("clip.mp4", poses[-1].time_s, 0, 1280, 720, 0, 0.0)
    return analyzer.finish(clip, ToolInfo("0", "0", "none", "0"))


def two_shots(second: list[Pose]) -> list[Pose]:
    first = film(HINGE)
    step = first[1].time_s
    shift_s = first[-1].time_s + step
    return first + [replace(pose, index=len(first) + pose.index, time_s=pose.time_s + shift_s) for pose in second]


def test_repetitions_are_numbered_through_the_shots() -> None:
    poses = two_shots(film(HINGE))
    cut_s = poses[len(poses) // 2].time_s
    report = analysed(poses, (cut_s,)).report
    assert [rep.number for rep in report.reps] == [1, 2, 3, 4]
    assert {outcome.rep for outcome in report.outcomes} == {1, 2, 3, 4}
    assert sum(rep.end_s < cut_s for rep in report.reps) == 2
    assert any(f"cuts, at {cut_s:.1f} s" in warning for warning in report.warnings)


def test_no_repetition_crosses_a_cut() -> None:
    poses = film(repetitions({"knee": 12.0}, {"knee": 20.0, "hip": 85.0}, count=1))
    turn_s = analysed(poses, ()).report.reps[0].turn_s
    assert analysed(poses, (turn_s,)).report.reps == ()


def test_a_clip_of_moments_only_says_that_nothing_was_judged() -> None:
    poses = film(repetitions({"knee": 12.0}, {"knee": 20.0, "hip": 85.0}, count=1))
    cuts_s = tuple(np.arange(0.4, poses[-1].time_s, 0.4).tolist())
    report = analysed(poses, cuts_s).report
    assert report.outcomes
    assert all(outcome.status is Status.NOT_JUDGED and outcome.reason for outcome in report.outcomes)


def test_a_warning_of_several_shots_is_told_once_with_all_their_spans() -> None:
    standing = film([Key(0.0, knee=12.0), Key(8.0, knee=12.0)])
    warnings = analysed(standing, (standing[len(standing) // 2].time_s,)).report.warnings
    told = [warning for warning in warnings if "no repetition of romanian-deadlift was seen" in warning]
    assert len(told) == 1
    assert told[0].startswith("0.0 to ")
    assert told[0].count(" to ") == 2


def test_an_unusable_shot_is_not_judged_with_its_span() -> None:
    second = film(HINGE)
    from_the_feet = [replace(pose, world_m=pose.world_m[:, [0, 2, 1]]) for pose in second]
    poses = two_shots(from_the_feet)
    cut_s = poses[len(poses) // 2].time_s
    analysis = analysed(poses, (cut_s,))
    report = analysis.report
    assert len(report.reps) == 2
    refused = [outcome for outcome in report.outcomes if "along the body" in outcome.reason]
    assert refused
    for outcome in refused:
        assert (outcome.status, outcome.rep) == (Status.NOT_JUDGED, None)
        assert (outcome.start_s, outcome.end_s) == (cut_s, poses[-1].time_s)
    assert any("along the body" in warning and f"{cut_s:.1f} to" in warning for warning in report.warnings)
    assert len(analysis.table) == len(analysis.track) == len(poses)
    assert report.view.usable
    assert not math.isnan(report.view.yaw_deg)


@pytest.mark.model
def test_joined_clips_have_one_cut(tmp_path: Path) -> None:
    from clip_factory import steady, write_clip

    pictures: list[ImageArray] = []
    for name in ("03-romanian-deadlift-good", "06-seated-hamstring-stretch-excessive-dorsiflexion"):
        with ClipReader(SAMPLES / f"{name}.mp4", max_side=640) as reader:
            pictures.extend(frame.image for frame, _ in zip(reader, range(15), strict=False))
    smallest = min(picture.shape[0] for picture in pictures) // 2 * 2
    clip = write_clip(tmp_path / "joined.mp4", lambda index: pictures[index][:smallest], steady(30))
    assert read_poses(clip).cuts_s == (pytest.approx(0.5, abs=0.01),)


@pytest.mark.model
def test_an_ordinary_clip_has_no_cut_and_one_person() -> None:
    reading = read_poses(SAMPLES / "kettlebell-swing-good.mp4")
    assert reading.cuts_s == ()
    assert reading.warnings == ()


def test_brightness_is_the_usual_frames() -> None:
    detector = CutDetector()
    assert math.isnan(detector.brightness)
    for index, level in enumerate((10, 20, 20, 20, 255)):
        detector.watch(Frame(index, index / 25, np.full((36, 64, 3), level, dtype=np.uint8)))
    assert detector.brightness == pytest.approx(20.0, abs=0.5)
