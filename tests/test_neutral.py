"""The neutral pose: found where it is one, told, and only the ankle's offset from a flat sole is taken off."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import ANKLE, HEEL, TOE, Key, film, repetitions

from formcheck import kinematics, neutral
from formcheck.config import Settings
from formcheck.engine import Analyzer
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.reports.html import neutral_line
from formcheck.reports.json import report_from_dict, report_to_dict, report_to_json
from formcheck.types import Analysis, ClipInfo, NeutralPose, Pose, PoseTrack, Position, Side, ToolInfo

CLIP = ClipInfo("clip.mp4", 10.0, 0, 1280, 720, 0, 0.0)
TOOL = ToolInfo("0", "0", "none", "0")
REST = {"knee": 5.0, "hip": 6.0, "ankle": 3.0}
BENT = {"knee": 15.0, "hip": 80.0, "ankle": 2.0}
STAND = [Key(0.0, **REST), Key(1.0, **REST)]


def tilted(poses: list[Pose], toes_up_deg: float) -> list[Pose]:
    """Poses whose toe landmarks lie too high (+) or too low, both feet alike; the person's right side is near."""
    angle = np.radians(-toes_up_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = []
    for pose in poses:
        image = pose.image_px.copy()
        for side in (0, 1):
            heel = image[HEEL + side]
            image[TOE + side] = heel + turn @ (image[TOE + side] - heel)
        moved.append(replace(pose, image_px=image))
    return moved


def find(poses: list[Pose], side: Side = Side.RIGHT) -> NeutralPose:
    measured = kinematics.over_window(PoseTrack.from_poses(poses))
    return neutral.find(measured, side, np.ones(len(poses), dtype=bool))


def analysed(poses: list[Pose], exercise: str = "romanian-deadlift") -> Analysis:
    chosen = EXERCISES[exercise]
    analyzer = Analyzer(chosen, applied_rules(chosen, Settings()))
    for pose in poses:
        analyzer.add(pose)
    return analyzer.finish(CLIP, TOOL)


@pytest.mark.parametrize("toes_up_deg", [-6.0, 0.0, 6.0])
def test_half_of_what_the_ankle_shows_beyond_the_shank_is_taken_off(toes_up_deg: float) -> None:
    pose = find(tilted(film(STAND), toes_up_deg))
    assert pose.reason == ""
    assert pose.seen[neutral.ANKLE] == pytest.approx(toes_up_deg, abs=0.3)
    assert pose.seen["knee_flexion_deg"] == pytest.approx(5.0, abs=0.3)
    assert pose.seen["hip_flexion_deg"] == pytest.approx(6.0, abs=0.3)
    assert pose.offsets == {neutral.ANKLE: pytest.approx(neutral.ANKLE_SHARE * toes_up_deg, abs=0.2)}


def test_a_person_who_stands_with_bent_knees_keeps_them() -> None:
    one, other = (analysed(film(repetitions({**REST, "knee": knee}, BENT, count=1))) for knee in (2.0, 12.0))
    for analysis, knee in ((one, 2.0), (other, 12.0)):
        shown = analysis.table.columns["right_knee_flexion_deg"]
        assert np.nanmedian(shown[:30]) == pytest.approx(knee, abs=0.3)
        assert analysis.report.neutral is not None
        assert list(analysis.report.neutral.offsets) == [neutral.ANKLE]


def test_the_offset_is_off_through_the_clip_and_in_the_repetitions_numbers() -> None:
    poses = film(repetitions(REST, BENT, count=2))
    right, wrong = analysed(poses), analysed(tilted(poses, 6.0))
    name = "right_ankle_dorsiflexion_deg"
    change = wrong.table.columns[name] - right.table.columns[name]
    assert np.nanmax(np.abs(change - 3.0)) < 0.5
    for one, other in zip(right.report.reps, wrong.report.reps, strict=True):
        key = "ankle_dorsiflexion_at_turn_deg"
        assert other.metrics[key] - one.metrics[key] == pytest.approx(3.0, abs=0.5)
    sole = "right_sole_pitch_deg"
    assert np.nanmedian(wrong.table.columns[sole] - right.table.columns[sole]) == pytest.approx(-6.0, abs=0.3)


@pytest.mark.parametrize(
    ("poses", "reason"),
    [
        (film([Key(0.0, knee=40.0, hip=30.0, ankle=20.0), Key(1.0, knee=40.0, hip=30.0, ankle=20.0)]), "standing"),
        (film([Key(0.0, trunk=-90.0), Key(1.0, trunk=-90.0)], position=Position.SUPINE), "standing"),
        (film([Key(0.0, hip=90.0), Key(1.0, hip=90.0)], position=Position.LONG_SITTING), "standing"),
        (tilted(film(STAND), 14.0), "standing"),
        (film(STAND, yaw_deg=30.0), "side-on"),
        (film([Key(0.0, **REST), Key(1.0, **BENT)]), "quiet"),
        (film([Key(0.0, **REST), Key(0.2, **REST)]), "quiet"),
        ([Pose.missing(row, row / 30, (1280, 720)) for row in range(30)], "quiet"),
    ],
)
def test_nothing_is_taken_off_when_the_moment_is_not_neutral(poses: list[Pose], reason: str) -> None:
    pose = find(poses)
    assert pose.offsets == {}
    assert reason in pose.reason


def test_a_foot_that_was_not_seen_gives_no_offset() -> None:
    hidden = []
    for pose in film(STAND):
        visibility = pose.visibility.copy()
        visibility[[ANKLE + 1, HEEL + 1, TOE + 1]] = 0.1
        hidden.append(replace(pose, visibility=visibility))
    pose = find(hidden)
    assert pose.offsets == {}
    assert pose.reason


def test_the_first_two_seconds_of_a_long_rest_count() -> None:
    poses = film([Key(0.0, **REST), Key(2.5, **REST), Key(3.0, **{**REST, "ankle": 12.0}), Key(8.0, **REST)])
    pose = find(poses)
    assert pose.start_s < 0.1
    assert pose.end_s == pytest.approx(2.0, abs=0.1)


def test_only_the_side_that_faces_the_camera_is_changed() -> None:
    columns = {f"{side}_{neutral.ANKLE}": np.array([10.0, 10.0, 10.0]) for side in Side}
    pose = NeutralPose(Side.RIGHT, 0.0, 1.0, {}, {neutral.ANKLE: 2.0})
    changed = neutral.removed(columns, pose, np.array([1.0, 0.0, -1.0]))
    assert changed[f"right_{neutral.ANKLE}"].tolist() == [8.0, 10.0, 10.0]
    assert changed[f"left_{neutral.ANKLE}"].tolist() == [10.0, 10.0, 10.0]
    assert columns[f"right_{neutral.ANKLE}"].tolist() == [10.0, 10.0, 10.0]


def test_the_report_tells_it_and_older_reports_are_read() -> None:
    report = analysed(tilted(film(repetitions(REST, BENT, count=1)), 6.0)).report
    document = json.loads(report_to_json(report))
    assert document["neutral"]["offsets"] == {neutral.ANKLE: pytest.approx(3.0, abs=0.3)}
    assert document["neutral"]["end_s"] - document["neutral"]["start_s"] > 0.4
    assert report_to_dict(report_from_dict(document)) == document
    assert neutral_line(report).endswith("6° off the shin; of that, 3° are taken off the ankle")
    del document["neutral"]
    assert report_from_dict(document).neutral is None
    assert neutral_line(report_from_dict(document)) == ""


def test_why_nothing_was_taken_off_is_told() -> None:
    report = analysed(film(repetitions({"hip": 90.0}, {"hip": 110.0}, count=1), position=Position.LONG_SITTING)).report
    assert report.neutral is not None
    assert neutral_line(report).endswith(f"nothing is taken off: {report.neutral.reason}")
