"""A leg that something hides: the network guesses it with full confidence, and only its proportions tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import ANKLE, KNEE, Key, film, repetitions

from formcheck import kinematics, verdicts
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.types import Pose, PoseTrack, Side, Status

RDL = EXERCISES["romanian-deadlift"]
HINGE = repetitions({"knee": 12.0}, {"knee": 20.0, "hip": 85.0})


def plate_in_front(poses: list[Pose], share: float, *, from_s: float = 0.0, to_s: float = 1e9) -> list[Pose]:
    """The near ankle is placed this share of the way down the shank, where a plate ends, as surely as ever."""
    hidden = []
    for pose in poses:
        image = pose.image_px.copy()
        if from_s <= pose.time_s <= to_s:
            knee, ankle = image[KNEE + 1], image[ANKLE + 1]
            image[ANKLE + 1] = knee + share * (ankle - knee)
        hidden.append(replace(pose, image_px=image))
    return hidden


def statuses(poses: list[Pose], rule: str) -> list[tuple[Status, str]]:
    track = PoseTrack.from_poses(poses)
    outcomes = verdicts.judge(track, RDL, applied_rules(RDL, Settings()), Side.RIGHT).outcomes
    return [(item.status, item.reason) for item in outcomes if item.rule == rule]


@pytest.mark.parametrize("rule", ["locked-knees", "knees-bending"])
def test_a_shin_behind_a_plate_is_not_judged(rule: str) -> None:
    poses = film(HINGE)
    assert all("hidden" not in reason for _, reason in statuses(poses, rule))
    hidden = statuses(plate_in_front(poses, 0.6), rule)
    assert hidden
    assert all(status is Status.NOT_JUDGED and "hidden" in reason for status, reason in hidden)


def test_a_leg_that_shrinks_to_half_for_a_while_is_not_judged_then() -> None:
    poses = film(HINGE)
    from_s = 0.7 * poses[-1].time_s
    shrunk = []
    for pose in poses:
        image = pose.image_px.copy()
        if pose.time_s > from_s:
            hip = image[24]
            for landmark in (KNEE + 1, ANKLE + 1):
                image[landmark] = hip + 0.5 * (image[landmark] - hip)
        shrunk.append(replace(pose, image_px=image))
    track = PoseTrack.from_poses(shrunk)
    plausible = kinematics.plausible_leg(track, Side.RIGHT)
    assert plausible[track.time_s <= from_s].all()
    assert not plausible[track.time_s > from_s].any()


@pytest.mark.parametrize(("share", "plausible"), [(0.74, False), (0.78, True), (1.0, True)])
def test_limit_of_the_shank(share: float, plausible: bool) -> None:
    track = PoseTrack.from_poses(plate_in_front(film([Key(0.0), Key(1.0)]), share))
    assert kinematics.plausible_leg(track, Side.RIGHT).all() == plausible
    assert kinematics.plausible_leg(track, Side.LEFT).all()


def test_a_knee_that_is_not_known_speaks_against_nothing() -> None:
    track = PoseTrack.from_poses(film([Key(0.0), Key(1.0)]))
    image = track.image_px.copy()
    image[:, KNEE + 1] = np.nan
    assert kinematics.plausible_leg(replace(track, image_px=image), Side.RIGHT).all()


@pytest.mark.parametrize(("lasts_s", "bridged"), [(0.2, True), (0.8, False)])
def test_a_leg_that_slips_for_a_moment_is_bridged_and_for_longer_counts_as_hidden(
    lasts_s: float, bridged: bool
) -> None:
    poses = film(HINGE)
    from_s = 0.5 * poses[-1].time_s
    slipped = []
    for pose in poses:
        image = pose.image_px.copy()
        if from_s <= pose.time_s < from_s + lasts_s:
            aside = np.array([0.0, 0.3 * np.linalg.norm(image[ANKLE + 1] - image[KNEE + 1])])
            image[ANKLE + 1] = image[KNEE + 1] + aside[::-1]  # beside the knee
        slipped.append(replace(pose, image_px=image))
    true, found = (kinematics.over_window(PoseTrack.from_poses(shot)) for shot in (poses, slipped))
    inside = (found.track.time_s >= from_s) & (found.track.time_s < from_s + lasts_s)
    name = "right_knee_flexion_deg"
    assert found.seen[name][inside].all() == bridged
    apart = np.abs(found.columns[name] - true.columns[name])[found.seen[name]]
    assert apart.max() < (10.0 if bridged else 90.0)


def test_a_leg_that_is_none_at_the_top_does_not_split_the_repetition() -> None:
    exercise = EXERCISES["prone-leg-curl"]
    keys = repetitions({"knee": 5.0, "ankle": -20.0}, {"knee": 105.0, "ankle": -20.0})
    poses = film(keys, position=exercise.position)
    rules = applied_rules(exercise, Settings())
    whole = verdicts.judge(PoseTrack.from_poses(poses), exercise, rules, Side.RIGHT).reps
    turn_s = whole[0].turn_start_s
    broken = []
    for pose in poses:
        image = pose.image_px.copy()
        if turn_s - 0.1 <= pose.time_s <= turn_s + 0.5:  # as if the shank went on along the thigh, and ended half way
            image[ANKLE + 1] = image[KNEE + 1] + 0.4 * (image[KNEE + 1] - image[24])
        broken.append(replace(pose, image_px=image))
    found = verdicts.judge(PoseTrack.from_poses(broken), exercise, rules, Side.RIGHT).reps
    assert len(found) == len(whole) == 3
    assert found[0].end_s == pytest.approx(whole[0].end_s, abs=0.2)
