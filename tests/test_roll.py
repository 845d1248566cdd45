"""A camera that leans: how far, how sure, and what is taken out of the angles."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import synthetic
from synthetic import Key, film, repetitions

from formcheck import kinematics, roll
from formcheck.config import Settings
from formcheck.engine import Analyzer
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.reports.json import report_from_dict, report_to_dict
from formcheck.roll import Roll, levelled
from formcheck.types import Analysis, ClipInfo, Pose, PoseTrack, Position, Side, ToolInfo

CLIP = ClipInfo("clip.mp4", 10.0, 0, 1280, 720, 0, 0.0)
TOOL = ToolInfo("0", "0", "none", "0")
REST = {
    Position.STANDING: {"knee": 4.0, "hip": 4.0, "ankle": 2.0},
    Position.ONE_LEG: {"knee": 4.0, "hip": 4.0, "ankle": 4.0},
    Position.KNEELING: {"knee": 95.0, "hip": 2.0, "trunk": 3.0},
    Position.SUPINE: {"knee": 95.0, "hip": 65.0, "trunk": -89.0},
    Position.LONG_SITTING: {"knee": 2.0, "hip": 92.0, "trunk": 4.0},
}
SITTING = {"knee": 80.0, "hip": 85.0, "trunk": -5.0}
UNKNOWN = [Position.SEATED, Position.PRONE, Position.ALL_FOURS]


def still(position: Position, **changes: object) -> PoseTrack:
    keys = [Key(moment, **REST.get(position, SITTING)) for moment in (0.0, 2.0)]
    return PoseTrack.from_poses(film(keys, position=position, fps=20.0, **changes))


def estimate(track: PoseTrack, position: Position, near: Side = Side.RIGHT, yaw_deg: float = 0.0) -> Roll:
    sign = np.full(len(track), 1.0 if near is Side.RIGHT else -1.0)
    return roll.estimate(track, sign, np.full(len(track), yaw_deg), np.ones(len(track), dtype=bool), position)


def leaning(poses: list[Pose], lean_deg: float) -> list[Pose]:
    """The poses that a leaning camera sees; written here a second time on purpose."""
    angle = math.radians(lean_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return [
        replace(
            pose,
            image_px=(pose.image_px - [640.0, 360.0]) @ turn.T + [640.0, 360.0],
            world_m=np.column_stack([pose.world_m[:, :2] @ turn.T, pose.world_m[:, 2]]),
            outline_px=None if pose.outline_px is None else (pose.outline_px - [640, 360]) @ turn.T + [640, 360],
        )
        for pose in poses
    ]


@pytest.mark.parametrize("lean_deg", [-15.0, -6.0, 0.0, 6.0, 15.0])
@pytest.mark.parametrize("near", Side)
@pytest.mark.parametrize("position", REST)
def test_the_lean_is_found_within_its_error(position: Position, near: Side, lean_deg: float) -> None:
    found = estimate(levelled(still(position, near=near), -lean_deg), position, near)
    assert abs(found.deg - lean_deg) <= found.sigma_deg
    assert found.sigma_deg < 6.0
    if lean_deg == 0.0:
        assert not found.certain
    if abs(lean_deg) == 15.0:
        assert found.certain


@pytest.mark.parametrize("position", UNKNOWN)
def test_where_nothing_tells_it_the_lean_is_not_known(position: Position) -> None:
    found = estimate(still(position), position)
    assert math.isnan(found.deg)
    assert not found.certain


def test_a_body_that_is_never_quiet_and_upright_tells_nothing() -> None:
    bent = [Key(moment, knee=10.0, hip=60.0) for moment in (0.0, 2.0)]
    assert math.isnan(estimate(PoseTrack.from_poses(film(bent)), Position.STANDING).deg)
    short = still(Position.STANDING)
    few = replace(short, image_px=np.where(short.time_s[:, None, None] < 0.3, short.image_px, np.nan))
    assert math.isnan(estimate(few, Position.STANDING).deg)


def test_leaning_on_a_wall_in_a_stride_is_no_lean_of_the_camera() -> None:
    track = still(Position.STANDING)
    stride = track.image_px.copy()
    stride[:, synthetic.ANKLE, 0] += 90.0
    assert math.isfinite(estimate(track, Position.STANDING).deg)
    assert math.isnan(estimate(replace(track, image_px=stride), Position.STANDING).deg)


def test_cues_that_contradict_one_another_are_unsure() -> None:
    track = still(Position.STANDING)
    agreed = estimate(levelled(track, -14.0), Position.STANDING)
    flat = levelled(track, -14.0)
    feet = [synthetic.HEEL + 1, synthetic.TOE + 1]
    image_px = flat.image_px.copy()
    image_px[:, feet, 1] = image_px[:, feet[:1], 1]  # the sole is level in the picture: it is the body that leans
    apart = estimate(replace(flat, image_px=image_px), Position.STANDING)
    assert agreed.certain
    assert not apart.certain
    assert apart.sigma_deg > 2 * agreed.sigma_deg


def test_a_camera_that_is_turned_is_less_sure_of_what_lies_on_the_floor() -> None:
    track = still(Position.SUPINE)
    sure, less = (estimate(track, Position.SUPINE, yaw_deg=yaw).sigma_deg for yaw in (0.0, 25.0))
    assert less > 2 * sure


def test_levelling_turns_picture_and_space_back_and_nothing_else() -> None:
    track = still(Position.STANDING)
    there = levelled(track, -9.0)
    back = levelled(there, 9.0)
    assert np.allclose(back.image_px, track.image_px)
    assert np.allclose(back.world_m, track.world_m)
    assert np.allclose(there.world_m[..., 2], track.world_m[..., 2])
    assert levelled(track, 0.0) is track
    up = track.image_px[0, synthetic.SHOULDER] - track.image_px[0, synthetic.ANKLE]
    turned = there.image_px[0, synthetic.SHOULDER] - there.image_px[0, synthetic.ANKLE]
    assert turned[0] > up[0]  # turned back by a negative angle, the head goes to the right: clockwise


def analysis(poses: list[Pose], exercise_id: str = "romanian-deadlift") -> Analysis:
    exercise = EXERCISES[exercise_id]
    engine = Analyzer(exercise, applied_rules(exercise, Settings()))
    for pose in poses:
        engine.add(pose)
    return engine.finish(CLIP, TOOL)


def hinges(**changes: object) -> list[Pose]:
    keys = repetitions(REST[Position.STANDING], {"knee": 15.0, "hip": 80.0, "ankle": -2.0}, count=2)
    return film(keys, position=Position.STANDING, px_per_m=250.0, **changes)


@pytest.mark.parametrize("lean_deg", [-12.0, 12.0])
@pytest.mark.parametrize("near", Side)
def test_a_leaning_camera_gives_the_angles_and_outcomes_of_a_level_one(near: Side, lean_deg: float) -> None:
    level, seen = analysis(hinges(near=near)), analysis(leaning(hinges(near=near), lean_deg))
    assert level.report.view.roll_deg == pytest.approx(0.0, abs=2.5)
    assert seen.report.view.roll_deg == pytest.approx(lean_deg, abs=2.5)
    for name in ("trunk_inclination_deg", f"{near}_sole_pitch_deg", f"{near}_shank_inclination_deg"):
        assert np.nanmedian(np.abs(seen.table.columns[name] - level.table.columns[name])) < 2.5, name
    before, after = ([(o.rule, o.rep, o.status) for o in found.report.outcomes] for found in (level, seen))
    assert after == before
    assert any("leans by" in warning for warning in seen.report.warnings)
    assert not any("leans by" in warning for warning in level.report.warnings)
    # what is drawn lies over the picture as it was filmed
    assert np.allclose(seen.track.image_px, [pose.image_px for pose in leaning(hinges(near=near), lean_deg)], atol=2.0)


def test_lying_is_told_by_the_true_vertical() -> None:
    poses = leaning(
        film([Key(0.0, **REST[Position.SUPINE]), Key(3.0, **REST[Position.SUPINE])], position=Position.SUPINE), 15.0
    )
    assert analysis(poses, "glute-bridge").report.view.lying


def test_what_is_not_known_of_the_lean_is_null_in_the_report() -> None:
    known = analysis(hinges()).report
    assert report_from_dict(report_to_dict(known)).view.roll_deg == pytest.approx(known.view.roll_deg)
    document = report_to_dict(replace(known, view=replace(known.view, roll_deg=math.nan, roll_sigma_deg=math.nan)))
    assert document["view"]["roll_deg"] is None
    assert math.isnan(report_from_dict(document).view.roll_deg)
    del document["view"]["roll_deg"]  # a report of an earlier version
    assert math.isnan(report_from_dict(document).view.roll_deg)


def test_a_corrected_window_says_by_how_much() -> None:
    track = PoseTrack.from_poses(leaning(hinges(), 10.0))
    measured = kinematics.over_window(track, roll_deg=10.0)
    assert measured.roll_deg == 10.0
    level = kinematics.over_window(PoseTrack.from_poses(hinges()))
    assert np.allclose(measured.columns["trunk_inclination_deg"], level.columns["trunk_inclination_deg"], atol=0.1)
    assert np.allclose(measured.levelled.image_px, level.track.image_px, atol=0.1)
