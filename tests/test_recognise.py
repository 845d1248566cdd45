"""Which exercise a clip shows: sure where it is clear, a question where it is not, and "none of these"."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import synthetic
from cases import ExerciseCase, exercise_cases
from synthetic import ELBOW, SHOULDER, WRIST

from formcheck import pipeline, recognise
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.video import VideoInfo
from formcheck.cli import main
from formcheck.errors import ClipError
from formcheck.exercises import EXERCISES
from formcheck.looks import LOOKS, UNKNOWN, WORST, Trait
from formcheck.pipeline import recognised
from formcheck.reading import Reading
from formcheck.recognise import MENTIONED, SURE, Recognition
from formcheck.types import Pose, PoseTrack, Position, Report

SAMPLES = Path(__file__).parents[1] / "sample_videos"
GOOD = {case.exercise: case for case in exercise_cases() if case.name == "good"}
STRAIGHT_KNEES = next(case for case in exercise_cases() if str(case) == "deadlift: knees locked")
ONE_LEG = {"single-leg-rdl", "standing-leg-curl"}
PX_PER_M, ARM_M, UPPER_ARM_M = 380.0, 0.53, 0.28

Hands = Callable[[float], tuple[float, float]]
"""Where a hand is from its shoulder (forwards, downwards, metres) at an inclination of the trunk, degrees."""


def swung(lean_deg: float) -> tuple[float, float]:
    """Straight arms that swing with the hips: forwards at the top, between the legs at the bottom."""
    angle = math.radians(np.interp(lean_deg, [10.0, 60.0], [85.0, -10.0]))
    return ARM_M * math.sin(angle), ARM_M * math.cos(angle)


HANDS: dict[str, Hands] = {
    "good-morning": lambda _: (0.05, 0.02),
    "gastrocnemius-wall-stretch": lambda _: (0.35, 0.0),
    "soleus-wall-stretch": lambda _: (0.35, 0.0),
    "kettlebell-swing": swung,
}


def with_hands(poses: Sequence[Pose], hands: Hands) -> list[Pose]:
    """The same clip (right side near) with the hands elsewhere; `synthetic` lets the arms hang."""
    changed = []
    for pose in poses:
        points = pose.image_px.copy()
        trunk = points[SHOULDER + 1] - points[synthetic.HIP + 1]
        offset = np.array(hands(math.degrees(math.atan2(trunk[0], -trunk[1])))) * PX_PER_M
        for side in (0, 1):
            points[WRIST + side] = points[SHOULDER + side] + offset
            points[ELBOW + side] = points[SHOULDER + side] + offset * UPPER_ARM_M / ARM_M
        changed.append(replace(pose, image_px=points))
    return changed


def film(case: ExerciseCase, **changes: object) -> list[Pose]:
    poses = case.film(still_far_leg=case.exercise in ONE_LEG or case.shot.get("still_far_leg", False), **changes)
    return with_hands(poses, HANDS[case.exercise]) if case.exercise in HANDS else poses


def answer(poses: Sequence[Pose], cuts_s: Sequence[float] = ()) -> Recognition:
    return recognise.recognise(PoseTrack.from_poses(poses), cuts_s=cuts_s)


def hinge(hands: Hands | None = None, **turn: float) -> list[Pose]:
    """Three times from standing to `turn` and back."""
    poses = synthetic.film(synthetic.repetitions({}, turn), fps=25.0)
    return poses if hands is None else with_hands(poses, hands)


def names(found: Recognition) -> set[str]:
    return {item.exercise_id for item in found.candidates}


def test_every_exercise_has_its_look_and_every_trait_its_feature() -> None:
    assert LOOKS.keys() == EXERCISES.keys() == GOOD.keys()
    features = recognise.measure(
        recognise.kinematics.over_window(PoseTrack.from_poses(GOOD["romanian-deadlift"].film()))
    )
    for traits in LOOKS.values():
        assert len({trait.feature for trait in traits}) == len(traits)
        for trait in traits:
            assert trait.feature in features
            assert trait.low < trait.high
            assert trait.tolerance > 0


class TestClear:
    @pytest.mark.parametrize("exercise", EXERCISES)
    def test_each_exercise_is_recognised(self, exercise: str) -> None:
        found = answer(film(GOOD[exercise]))
        assert found.exercise_id == exercise
        assert SURE <= found.confidence <= 1.0
        assert found.candidates[0].exercise_id == exercise
        assert found.reason == ""

    @pytest.mark.parametrize("exercise", EXERCISES)
    def test_mirrored_and_at_other_frame_rates(self, exercise: str) -> None:
        found = answer(film(GOOD[exercise]))
        mirrored = answer(synthetic.mirror(film(GOOD[exercise])))
        assert mirrored.exercise_id == exercise
        assert mirrored.confidence == pytest.approx(found.confidence, abs=1e-3)
        for fps in (15.0, 60.0):
            assert answer(film(GOOD[exercise], fps=fps)).exercise_id == exercise

    @pytest.mark.parametrize("case", [case for case in exercise_cases() if "fault" in case.expect.values()], ids=str)
    def test_a_fault_makes_no_other_exercise_of_it(self, case: ExerciseCase) -> None:
        assert answer(film(case)).exercise_id in {case.exercise, None}

    def test_the_longest_shot_from_the_side_decides(self) -> None:
        side = film(GOOD["romanian-deadlift"])
        front = film(GOOD["prone-leg-curl"], yaw_deg=86.0)
        late_s = front[-1].time_s + 0.04
        both = [*front, *(replace(pose, time_s=pose.time_s + late_s) for pose in side)]
        assert answer(both, [late_s]).exercise_id == "romanian-deadlift"


class TestAsks:
    def test_between_the_calf_stretches(self) -> None:
        rest, turn = {"knee": 5.0, "hip": 5.0, "ankle": 5.0}, {"knee": 17.0, "hip": 12.0, "ankle": 20.0}
        keys = synthetic.repetitions(rest, turn, count=1, hold_s=8.0)
        found = answer(with_hands(synthetic.film(keys, fps=25.0), HANDS["soleus-wall-stretch"]))
        assert found.exercise_id is None
        assert names(found) == {"gastrocnemius-wall-stretch", "soleus-wall-stretch"}

    def test_a_deadlift_with_straight_knees_may_be_a_romanian_one(self) -> None:
        found = answer(STRAIGHT_KNEES.film())
        assert found.exercise_id is None
        assert {"deadlift", "romanian-deadlift"} <= names(found)

    def test_how_sure_it_is_falls_on_the_way_to_another_exercise(self) -> None:
        def sure(knee_deg: float) -> dict[str, float]:
            poses = hinge(knee=knee_deg, hip=88.0 + knee_deg / 3, ankle=knee_deg / 6)
            return {item.exercise_id: item.confidence for item in answer(poses).candidates}

        soft, between = sure(15.0)["romanian-deadlift"], sure(55.0)["romanian-deadlift"]
        assert soft > between > sure(75.0).get("romanian-deadlift", 0.0)


class TestNone:
    @pytest.mark.parametrize(
        "poses",
        [
            pytest.param(hinge(lambda _: (0.05, 0.02), knee=115.0, hip=110.0, ankle=30.0), id="squat, bar on the back"),
            pytest.param(synthetic.film([synthetic.Key(0.0), synthetic.Key(6.0)], fps=25.0), id="standing"),
            pytest.param(
                synthetic.film(
                    [synthetic.Key(t, knee=80.0, hip=85.0, trunk=0.0) for t in (0.0, 6.0)],
                    position=Position.SEATED,
                    fps=25.0,
                ),
                id="sitting still",
            ),
        ],
    )
    def test_none_of_these_is_an_answer(self, poses: list[Pose]) -> None:
        found = answer(poses)
        assert found.exercise_id is None
        assert found.candidates == ()
        assert found.reason == ""

    def test_nobody_or_only_the_front(self) -> None:
        poses = film(GOOD["romanian-deadlift"])
        nobody = [Pose.missing(pose.index, pose.time_s, pose.size_px) for pose in poses]
        assert "nobody" in answer(nobody).reason
        assert "nobody" in answer([]).reason
        front = answer(film(GOOD["romanian-deadlift"], yaw_deg=86.0))
        assert front == Recognition(None, 0.0, (), recognise.FROM_THE_FRONT)


def test_a_trait_counts_in_tolerances() -> None:
    trait = Trait("knee_high", 10.0, 20.0, 5.0)
    values = (15.0, 10.0, 25.0, 0.0, 500.0, math.nan)
    assert [trait.misfit(value) for value in values] == [0.0, 0.0, 1.0, 4.0, WORST, UNKNOWN]


def test_unknown_features_make_nothing_certain() -> None:
    known = recognise.measure(recognise.kinematics.over_window(PoseTrack.from_poses(GOOD["romanian-deadlift"].film())))
    found = recognise.decide(dict.fromkeys(known, math.nan))
    assert found.exercise_id is None
    assert found.confidence < SURE
    assert all(item.confidence >= MENTIONED for item in found.candidates)


def test_it_costs_little() -> None:
    keys = synthetic.repetitions({}, {"knee": 15.0, "hip": 90.0}, count=14)
    track = synthetic.track_of(keys, fps=60.0)
    assert track.time_s[-1] > 50.0
    spent_s = []
    for _ in range(3):  # the machine may be busy with something else
        began = time.perf_counter()
        recognise.recognise(track)
        spent_s.append(time.perf_counter() - began)
    assert min(spent_s) / len(track) < 0.05 * 0.010  # 5 % of what a fast machine takes for the pose in one frame


class TestPipeline:
    def reading(self, poses: Sequence[Pose]) -> Reading:
        video = VideoInfo(Path("clip.mp4"), 1280, 720, 1280, 720, 0, 25.0, poses[-1].time_s, None, "h264")
        return Reading(tuple(poses), (), video, BackendInfo("0", "test", "0"), ())

    def analyse(self, monkeypatch: pytest.MonkeyPatch, poses: Sequence[Pose], **options: object) -> Report:
        readings: list[object] = []

        def read(path: object, **_: object) -> Reading:
            readings.append(path)
            return self.reading(poses)

        monkeypatch.setattr(pipeline, "read_poses", read)
        analysis = pipeline.analyze_clip("clip.mp4", **options)  # type: ignore[arg-type]
        assert readings == ["clip.mp4"]  # poses are estimated once
        return analysis.report

    def test_a_recognised_exercise_is_judged_as_if_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        poses = film(GOOD["romanian-deadlift"])
        auto = self.analyse(monkeypatch, poses)
        named = self.analyse(monkeypatch, poses, exercise=EXERCISES["romanian-deadlift"])
        assert (auto.exercise.name, auto.exercise.given) == ("romanian-deadlift", False)
        assert SURE <= auto.exercise.confidence < 1.0
        assert (named.exercise.given, named.exercise.confidence) == (True, 1.0)
        assert auto.outcomes == named.outcomes

    @pytest.mark.parametrize(
        ("poses", "parts"),
        [
            (STRAIGHT_KNEES.film(), ["romanian-deadlift or deadlift", "not sure"]),
            (synthetic.film([synthetic.Key(0.0), synthetic.Key(6.0)], fps=25.0), ["none of the exercises"]),
            (film(GOOD["romanian-deadlift"], yaw_deg=86.0), [recognise.FROM_THE_FRONT]),
        ],
    )
    def test_what_is_not_sure_is_asked_in_one_line(self, poses: list[Pose], parts: list[str]) -> None:
        with pytest.raises(ClipError) as error:
            recognised("clip.mp4", self.reading(poses))
        text = str(error.value)
        assert text.startswith("clip.mp4: ")
        assert "name it with --exercise" in text
        assert "\n" not in text
        for part in parts:
            assert part in text

    def test_an_exercise_without_a_rule_left_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = pipeline.Settings().with_choice(["missing-plantarflexion"], [])
        report = self.analyse(monkeypatch, film(GOOD["romanian-deadlift"]), settings=settings)
        assert report.outcomes == ()
        assert any("no rule is left to check in romanian-deadlift" in text for text in report.warnings)


@pytest.mark.model
@pytest.mark.parametrize(
    ("clip", "exercise"),
    [
        ("02-prone-leg-curl-missing-plantarflexion.mp4", "prone-leg-curl"),
        ("kettlebell-swing-good.mp4", "kettlebell-swing"),
    ],
)
def test_sample_clips(capsys: pytest.CaptureFixture[str], clip: str, exercise: str) -> None:
    assert main(["check", str(SAMPLES / clip), "--format", "json", "--quiet", "--fail-on", "never"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["exercise"]["name"], report["exercise"]["given"]) == (exercise, False)
    assert report["exercise"]["confidence"] >= SURE
    assert report["reps"]
