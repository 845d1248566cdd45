"""Which side is near, how far the camera is turned, and whether it can be judged from there."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic
from synthetic import Key, Shot, film, pose_at, repetitions, track_of

from formcheck import view
from formcheck.landmarks import Landmark
from formcheck.types import PoseTrack, Position, Side

SIGN = {Side.RIGHT: 1.0, Side.LEFT: -1.0}
REST_TURN = {
    Position.STANDING: ({"knee": 8.0, "hip": 8.0}, {"knee": 15.0, "hip": 85.0}),
    Position.PRONE: ({"knee": 8.0, "ankle": -20.0}, {"knee": 100.0, "ankle": -20.0}),
    Position.SUPINE: ({"knee": 5.0}, {"knee": 8.0, "hip": 80.0}),
    Position.LONG_SITTING: ({"knee": 8.0, "hip": 90.0}, {"knee": 8.0, "hip": 120.0}),
}


def clip(position: Position, **changes: object) -> PoseTrack:
    return track_of(repetitions(*REST_TURN[position], count=2), position=position, **changes)


def everywhere(track: PoseTrack) -> np.ndarray:
    return np.ones(len(track), dtype=bool)


@pytest.mark.parametrize("near", Side)
@pytest.mark.parametrize("position", REST_TURN)
@pytest.mark.parametrize("yaw_deg", [-20.0, 0.0, 20.0])
def test_near_side_in_every_position(position: Position, near: Side, yaw_deg: float) -> None:
    track = clip(position, near=near, yaw_deg=yaw_deg, noise_px=1.5, fps=15.0)
    assert (view.near_side_per_frame(track) == SIGN[near]).all()
    seen_from = view.assess(track, view.yaw_per_frame(track), everywhere(track), max_yaw_deg=35.0)
    assert seen_from.near_side is near
    assert seen_from.usable


@pytest.mark.parametrize("near", Side)
@pytest.mark.parametrize("position", [Position.PRONE, Position.SUPINE])
def test_lying_to_either_side_is_lying(position: Position, near: Side) -> None:
    track = clip(position, near=near, fps=15.0)
    head_right = track.image_px[0, synthetic.NOSE, 0] > track.image_px[0, synthetic.HIP, 0]
    assert head_right == ((position is Position.PRONE) == (near is Side.RIGHT))
    assert view.assess(track, view.yaw_per_frame(track), everywhere(track), 35.0).lying


@pytest.mark.parametrize("position", [Position.STANDING, Position.LONG_SITTING])
def test_upright_is_not_lying(position: Position) -> None:
    track = clip(position, fps=15.0)
    assert not view.assess(track, view.yaw_per_frame(track), everywhere(track), 35.0).lying


def test_lying_is_judged_at_rest() -> None:
    keys = repetitions({"hip": 0.0}, {"hip": 95.0}, count=1, hold_s=20.0)  # mostly bent over
    track = track_of(keys, fps=10.0)
    rest = view.trunk_tilt(track) < 10.0
    assert 0.05 < rest.mean() < 0.5
    assert not view.assess(track, view.yaw_per_frame(track), rest, 35.0).lying


def test_lying_is_seen_although_a_shoulder_is_missing_for_a_moment() -> None:
    track = clip(Position.PRONE)
    track.image_px[3:9, Landmark.LEFT_SHOULDER] = np.nan
    assert view.assess(track, view.yaw_per_frame(track), everywhere(track), 30.0).lying


def test_turning_around_in_mid_clip_is_followed() -> None:
    def heading(moments: np.ndarray) -> np.ndarray:
        return 180.0 * np.clip((moments - 5.0) / 2.0, 0.0, 1.0)

    track = track_of([Key(0.0, knee=8.0), Key(12.0, knee=8.0)], heading=heading, fps=20.0)
    near = view.near_side_per_frame(track)
    assert (near[track.time_s < 4.5] == 1.0).all()
    assert (near[track.time_s > 7.5] == -1.0).all()
    assert np.count_nonzero(np.diff(near)) <= 2  # one change, at most with a moment of "unknown"


def test_a_short_left_right_swap_does_not_turn_the_person_around() -> None:
    track = clip(Position.PRONE, fps=20.0)
    mirrored = PoseTrack.from_poses(synthetic.mirror(film([Key(0.0), Key(1.0)], position=Position.PRONE)))
    track.image_px[60:66] = mirrored.image_px[:6]
    assert (view.near_side_per_frame(track) == 1.0).all()


@pytest.mark.parametrize("yaw_deg", [-90.0, -75.0, 75.0, 90.0])
def test_front_and_back_views_are_not_usable(yaw_deg: float) -> None:
    track = clip(Position.STANDING, yaw_deg=yaw_deg, fps=10.0)
    seen_from = view.assess(track, view.yaw_per_frame(track), everywhere(track), max_yaw_deg=35.0)
    assert not seen_from.usable
    assert "turn side-on" in seen_from.reason


def test_a_view_past_the_exercise_limit_is_not_usable_and_says_by_how_much() -> None:
    track = clip(Position.STANDING, yaw_deg=30.0, fps=10.0)
    assert view.assess(track, view.yaw_per_frame(track), everywhere(track), max_yaw_deg=45.0).usable
    seen_from = view.assess(track, view.yaw_per_frame(track), everywhere(track), max_yaw_deg=15.0)
    assert not seen_from.usable
    assert f"{seen_from.yaw_deg:.0f} deg" in seen_from.reason


@pytest.mark.parametrize("near", Side)
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_yaw_grows_with_the_turn_and_spans_side_to_front(near: Side, sign: float) -> None:
    turns = np.linspace(0.0, 90.0, 13)
    yaws = [view.yaw_per_frame(pose_at(Shot(near=near, yaw_deg=sign * turn)))[0] for turn in turns]
    assert (np.diff(yaws) > 0).all()
    assert yaws[0] == pytest.approx(0.0, abs=5.0)
    assert yaws[-1] == pytest.approx(90.0, abs=5.0)


def test_nobody_is_not_usable() -> None:
    track = PoseTrack.from_poses(film([Key(0.0), Key(2.0)], missing=((0.0, 2.0),)))
    seen_from = view.assess(track, view.yaw_per_frame(track), everywhere(track), 35.0)
    assert not seen_from.usable
    assert seen_from.near_side is None
    assert np.isnan(seen_from.yaw_deg)
    assert "nobody" in seen_from.reason
    assert (view.near_side_per_frame(track) == 0.0).all()


def test_near_side_is_unknown_where_nobody_was_seen_for_a_whole_window() -> None:
    track = clip(Position.PRONE, fps=15.0, noise_px=1.0, missing=((4.0, 8.0),))
    near = view.near_side_per_frame(track)
    middle = (track.time_s > 4.0 + view.VOTE_WINDOW_S) & (track.time_s < 8.0 - view.VOTE_WINDOW_S)
    assert (near[middle] == 0.0).all()
    assert (near[track.time_s < 4.0] == 1.0).all()


def test_without_world_landmarks_the_picture_alone_tells_the_near_side() -> None:
    track = clip(Position.PRONE, fps=15.0, near=Side.LEFT)
    track.world_m[:] = np.nan
    assert (view.near_side_per_frame(track) == -1.0).all()
    assert np.isnan(view.yaw_per_frame(track)).all()


@pytest.mark.parametrize("near", Side)
def test_without_feet_and_with_straight_joints_depth_tells_the_near_side(near: Side) -> None:
    track = track_of([Key(0.0), Key(2.0)], near=near, fps=15.0)
    track.image_px[:, synthetic.HEEL : synthetic.TOE + 2] = np.nan
    assert (view.near_side_per_frame(track) == SIGN[near]).all()
    track.world_m[:] = np.nan
    assert (view.near_side_per_frame(track) == 0.0).all()  # nothing else tells it


def test_one_frame_is_enough_for_a_side() -> None:
    for near in Side:
        assert view.near_side_per_frame(pose_at(Shot(near=near), knee=10.0)).tolist() == [SIGN[near]]


def test_side_of() -> None:
    assert view.side_of(1.0) is Side.RIGHT
    assert view.side_of(-1.0) is Side.LEFT
    assert view.side_of(0.0) is None
    assert view.side_of(float("nan")) is None
