"""Heels and toes that leave the foot for a moment are put back; a foot that moves is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from synthetic import Key, film, repetitions

from formcheck import feet, kinematics
from formcheck.landmarks import side_landmark
from formcheck.types import FloatArray, Pose, PoseTrack, Side

TOE, ANKLE = side_landmark(Side.RIGHT, "foot_index"), side_landmark(Side.RIGHT, "ankle")
CURLS = repetitions({"knee": 5.0, "ankle": -20.0}, {"knee": 110.0, "ankle": -20.0})
PUMPS = repetitions({"ankle": -25.0}, {"ankle": 20.0})
Change = Callable[[FloatArray], FloatArray]


def flicker(poses: list[Pose], from_s: float, lasts_s: float) -> list[Pose]:
    """The near toe turned a third of a circle round the ankle."""
    turn = np.array([[-0.5, -np.sqrt(0.75)], [np.sqrt(0.75), -0.5]])
    changed = []
    for pose in poses:
        image = pose.image_px.copy()
        if from_s <= pose.time_s < from_s + lasts_s:
            image[TOE] = image[ANKLE] + turn @ (image[TOE] - image[ANKLE])
        changed.append(replace(pose, image_px=image))
    return changed


def ankle_errors(poses: list[Pose], truth: list[Pose]) -> FloatArray:
    found, true = (kinematics.over_window(PoseTrack.from_poses(shot)) for shot in (poses, truth))
    name = "right_ankle_dorsiflexion_deg"
    return np.abs(found.columns[name] - true.columns[name])


@pytest.mark.parametrize("from_s", [1.0, 2.6, 3.4])
def test_a_toe_that_leaves_for_a_moment_is_put_back_even_while_the_leg_swings(from_s: float) -> None:
    poses = film(CURLS)
    assert ankle_errors(flicker(poses, from_s, 0.3), poses).max() < 6.0


def test_one_that_stays_away_is_believed() -> None:
    poses = film(CURLS)
    assert ankle_errors(flicker(poses, 1.0, 1.5), poses).max() > 60.0


@pytest.mark.parametrize("keys", [CURLS, PUMPS], ids=["curls", "calf pumps"])
def test_movement_stays_as_it_is(keys: list[Key]) -> None:
    track = PoseTrack.from_poses(film(keys))
    steady = feet.steadied(track.time_s, track.image_px)
    size = np.linalg.norm(track.image_px[:, TOE] - track.image_px[:, ANKLE], axis=1).mean()
    assert np.nanmax(np.linalg.norm(steady - track.image_px, axis=2)) < 0.1 * size


def test_only_feet_are_touched_and_nothing_is_made_up() -> None:
    poses = flicker(film(CURLS), 2.0, 0.2)
    image = PoseTrack.from_poses(poses).image_px
    image[10:20] = np.nan
    before = image.copy()
    steady = feet.steadied(np.array([pose.time_s for pose in poses]), image)
    np.testing.assert_array_equal(image, before)
    assert np.isnan(steady[10:20]).all()
    others = [
        mark for mark in range(33) if mark not in {side_landmark(s, n) for s in Side for n in ("heel", "foot_index")}
    ]
    np.testing.assert_array_equal(steady[:, others], before[:, others])


def test_an_empty_track_is_fine() -> None:
    assert feet.steadied(np.zeros(0), np.zeros((0, 33, 2))).shape == (0, 33, 2)
