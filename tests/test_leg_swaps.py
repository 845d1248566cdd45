"""Exchanged legs are put back, and legs that were named rightly stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import Key, lose, repetitions, track_of
from synthetic import film as film_poses

from formcheck import leg_swaps
from formcheck.landmarks import side_landmark
from formcheck.types import PoseTrack, Position, Side

STANDING_CURL = repetitions({"knee": 6.0, "ankle": -10.0}, {"knee": 100.0, "ankle": -20.0}, count=2)
BELOW_KNEE = ("ankle", "heel", "foot_index")
FROM_KNEE = ("knee", *BELOW_KNEE)


def curl(**changes: object) -> PoseTrack:
    return track_of(STANDING_CURL, still_far_leg=True, yaw_deg=15.0, noise_px=1.0, **changes)


def exchange(track: PoseTrack, parts: tuple[str, ...], start_s: float, end_s: float) -> PoseTrack:
    frames = np.flatnonzero((track.time_s >= start_s) & (track.time_s < end_s))
    image = track.image_px.copy()
    for part in parts:
        left, right = side_landmark(Side.LEFT, part), side_landmark(Side.RIGHT, part)
        image[frames, left], image[frames, right] = image[frames, right], image[frames, left]
    return replace(track, image_px=image)


@pytest.mark.parametrize("parts", [BELOW_KNEE, FROM_KNEE], ids=["below the knee", "from the knee"])
@pytest.mark.parametrize("near", list(Side))
def test_an_exchange_during_the_movement_is_put_back(parts: tuple[str, ...], near: Side) -> None:
    track = curl(near=near)
    bent = _bent_times(track, near)
    broken = exchange(track, parts, bent[0] + 0.3, bent[0] + 1.2)
    assert not np.allclose(broken.image_px, track.image_px)
    repaired = leg_swaps.repair(broken).image_px
    ankles = [side_landmark(side, "ankle") for side in Side]
    wrong = np.abs(repaired[:, ankles] - track.image_px[:, ankles]).max(axis=(1, 2)) > 10.0
    assert wrong.mean() < 0.02  # a frame at either edge, where the legs are close together, does no harm


def _bent_times(track: PoseTrack, near: Side) -> np.ndarray:
    hip, knee, ankle = (track.image_px[:, side_landmark(near, part)] for part in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    turned = np.degrees(
        np.arccos((thigh * shank).sum(axis=1) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(shank, axis=1))
    )
    return track.time_s[turned > 30.0]


@pytest.mark.parametrize("position", [Position.STANDING, Position.PRONE, Position.SUPINE, Position.LONG_SITTING])
def test_legs_that_were_named_rightly_stay(position: Position) -> None:
    track = track_of(STANDING_CURL, position=position, noise_px=1.5, yaw_deg=10.0)
    assert np.array_equal(leg_swaps.repair(track).image_px, track.image_px)


def test_one_working_leg_stays() -> None:
    track = curl()
    assert np.array_equal(leg_swaps.repair(track).image_px, track.image_px)


def test_frames_without_a_person_stay_empty() -> None:
    poses = lose(film_poses(STANDING_CURL, still_far_leg=True), [(1.0, 1.6)])
    repaired = leg_swaps.repair(PoseTrack.from_poses(poses))
    assert np.isnan(repaired.image_px).all(axis=(1, 2)).sum() > 10


def test_too_few_frames_are_left_alone() -> None:
    track = track_of([Key(0.0), Key(0.05)])
    assert leg_swaps.repair(track) is track
