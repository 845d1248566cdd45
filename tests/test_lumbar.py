"""The lower back from the outline of the back: what it follows, what it ignores, and when it cannot tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic import ELBOW, WRIST, Key, film, repetitions

from formcheck import lumbar, silhouette, verdicts
from formcheck.config import Settings
from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.silhouette import PROFILE
from formcheck.types import Outcome, Pose, PoseTrack, Status
from formcheck.verdicts import Verdict

EXERCISE = EXERCISES["romanian-deadlift"]
REST = {"knee": 12.0, "hip": 10.0, "ankle": 2.0}
HINGED = {"knee": 20.0, "hip": 92.0, "ankle": -2.0}


def judged(poses: list[Pose]) -> Verdict:
    return verdicts.judge(PoseTrack.from_poses(poses), EXERCISE, applied_rules(EXERCISE, Settings()))


def rounding(verdict: Verdict) -> list[Outcome]:
    return [outcome for outcome in verdict.outcomes if outcome.rule == "rounded-lower-back"]


def hinges(shot: dict[str, object] | None = None, **turn: float) -> list[Pose]:
    return film(repetitions(REST, {**HINGED, **turn}, count=1), **(shot or {}))


@pytest.mark.parametrize("degrees", [0.0, 15.0, 40.0])
def test_it_follows_the_outline(degrees: float) -> None:
    outcome = rounding(judged(hinges(back=degrees)))[0]
    assert outcome.measured == pytest.approx(degrees, abs=2.0)


def test_neither_a_dropped_head_nor_a_shorter_trunk_line_is_a_rounded_back() -> None:
    still, confounded = (rounding(judged(hinges(**turn)))[0] for turn in ({}, {"neck": 60.0, "shorten": 15.0}))
    assert confounded.measured == pytest.approx(still.measured, abs=2.0)
    assert confounded.status is not Status.FAULT


def test_the_repetition_holds_rest_against_turn_and_what_the_bend_is_made_of() -> None:
    rep = judged(hinges(back=40.0)).reps[0]
    numbers = rep.metrics
    assert numbers["back_offset_at_turn_percent"] > numbers["back_offset_at_rest_percent"] + 5.0
    assert numbers["back_bow_at_turn_percent"] > numbers["back_bow_at_rest_percent"] + 5.0
    back, hip = numbers["lumbar_flexion_at_turn_deg"], numbers["hip_flexion_at_turn_deg"]
    assert numbers["hip_flexion_without_back_at_turn_deg"] == pytest.approx(hip - back)
    share = 100.0 * (1.0 - back / numbers["trunk_inclination_at_turn_deg"])
    assert numbers["hip_share_at_turn_percent"] == pytest.approx(share, abs=0.5)


def reason_of(poses: list[Pose]) -> str:
    outcome = rounding(judged(poses))[0]
    assert outcome.status is Status.NOT_JUDGED
    return outcome.reason


def with_arm(poses: list[Pose], start_s: float, end_s: float) -> list[Pose]:
    """An arm along the outline of the lower back between two times."""
    for pose in poses:
        if start_s <= pose.time_s <= end_s:
            assert pose.outline_px is not None
            pose.image_px[[ELBOW, ELBOW + 1]] = pose.outline_px[1, 11]
            pose.image_px[[WRIST, WRIST + 1]] = pose.outline_px[1, 4]
    return poses


def test_it_says_why_it_cannot_tell() -> None:
    assert reason_of(hinges(shot={"outlined": False})) == lumbar.NO_OUTLINE
    assert reason_of(hinges(shot={"yaw_deg": 30.0})).startswith("the camera is ")
    assert reason_of(with_arm(hinges(), 3.0, 3.8)) == lumbar.ARM
    assert reason_of(with_arm(hinges(), 0.0, 99.0)) == lumbar.ARM_AT_REST
    rough = hinges()
    for pose in rough:
        assert pose.outline_px is not None
        pose.outline_px[:2, ::2] += 8.0  # 4 % of this trunk line to and fro
    assert reason_of(rough) == lumbar.ROUGH
    unseen = hinges()
    for pose in unseen:
        if pose.time_s > 2.5:
            assert pose.outline_px is not None
            pose.outline_px[:] = np.nan
    assert reason_of(unseen) == lumbar.UNCLEAR


def test_an_arm_at_rest_is_passed_over_where_the_back_comes_free_early() -> None:
    outcome = rounding(judged(with_arm(hinges(back=40.0), 0.0, 2.3)))[0]
    assert outcome.measured == pytest.approx(40.0, abs=5.0)


def test_of_somebody_on_their_back_nothing_is_told() -> None:
    back = silhouette.dorsal(PoseTrack.from_poses(film([Key(0.0), Key(1.0)])), np.ones(31))
    lying = lumbar.read(back, np.zeros(31), np.full(31, -85.0), np.ones(31, dtype=bool), 0.0)
    assert set(lying.why_not) == {lumbar.LYING}
    assert np.isnan(lying.flexion_deg).all()


def test_neutral_comes_from_the_moments_nearest_to_rest_at_which_each_height_was_seen() -> None:
    bend = np.array([0.0, 0.0, 0.0, 0.0, 10.0, 12.0, 14.0, 40.0, 50.0])
    profile = np.repeat(bend[:, None], PROFILE.size, axis=1) + 20.0
    profile[:4, 3] = np.nan  # hidden at rest
    profile[:7, 5] = np.nan  # hidden until far into the movement
    neutral = lumbar.neutral_profile(profile, bend, bend == 0.0)
    assert neutral[0] == 20.0
    assert neutral[3] == 32.0
    assert np.isnan(neutral[5])


def test_a_body_can_be_left_out_and_an_unknown_one_changes_nothing() -> None:
    assert lumbar.load("no such body") == lumbar.load()
    assert any(lumbar.load(body) != lumbar.load() for body in "012345")


def test_a_damaged_model_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / lumbar.MODEL_FILE).write_text(json.dumps({"schema": "other"}), encoding="utf-8")
    monkeypatch.setattr(lumbar, "files", lambda package: tmp_path)
    with pytest.raises(FormcheckError, match="damaged"):
        lumbar.load.__wrapped__()
