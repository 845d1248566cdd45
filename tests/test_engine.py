"""The same frames give the same verdicts, live or recorded; updates, cues and replay."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Sequence
from dataclasses import astuple, replace
from functools import cache

import cases
import numpy as np
import pytest
import synthetic
from cases import ExerciseCase, exercise_cases

from formcheck import accuracy, bias, metrics, verdicts
from formcheck.adapters.pose import BackendInfo
from formcheck.config import Settings
from formcheck.engine import CUE_SHOWN_S, Analyzer, cues_of, replay
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import phase_at
from formcheck.pipeline import analyze_poses, applied_rules
from formcheck.types import (
    Analysis,
    ClipInfo,
    Outcome,
    Phase,
    Pose,
    PoseTrack,
    Position,
    Rep,
    Side,
    Status,
    ToolInfo,
    Update,
)

CASES = exercise_cases()
GOOD = [case for case in CASES if case.name == "good"]
SPEAKING = {"fault", "caution"}
FAULTY = [
    next(case for case in CASES if case.exercise == name and SPEAKING & set(case.expect.values())) for name in EXERCISES
]
UNSEEN = [case for case in CASES if case.hide and synthetic.HIP not in case.hide]
CURL = next(case for case in GOOD if case.exercise == "prone-leg-curl")
ONE_EACH = [*GOOD, *FAULTY]
CLIP = ClipInfo("clip.mp4", 10.0, 0, 1280, 720, 0, 0.0)
TOOL = ToolInfo("0", "0", "none", "0")


@pytest.fixture(autouse=True)
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def analyzer(exercise: str, side: Side | None = None) -> Analyzer:
    return Analyzer(EXERCISES[exercise], applied_rules(EXERCISES[exercise], Settings()), side)


@cache
def filmed(name: str) -> tuple[tuple[Pose, ...], tuple[Update, ...], Analysis]:
    """A named clip's poses, updates and analysis; many tests look at the same ones, none changes them."""
    case = next(case for case in CASES if str(case) == name)
    poses = tuple(case.film(noise_px=0.5))
    updates, analysis = live(case, poses)
    return poses, tuple(updates), analysis


def live(case: ExerciseCase, poses: Sequence[Pose]) -> tuple[list[Update], Analysis]:
    engine = analyzer(case.exercise)
    return [engine.update(pose) for pose in poses], engine.finish(CLIP, TOOL)


def plain(value: object) -> object:
    """A value in which NaN equals NaN."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return tuple(plain(item) for item in value) if isinstance(value, tuple | list) else value


def same(one: Sequence[Outcome], other: Sequence[Outcome]) -> bool:
    return plain([astuple(outcome) for outcome in one]) == plain([astuple(outcome) for outcome in other])


def short(outcomes: Sequence[Outcome]) -> list[tuple[str, int | None, Status]]:
    return [(outcome.rule, outcome.rep, outcome.status) for outcome in outcomes]


@pytest.mark.parametrize("case", [*ONE_EACH, *UNSEEN], ids=str)
def test_live_and_whole_give_identical_outcomes(case: ExerciseCase) -> None:
    poses, _, analysis = filmed(str(case))
    exercise = EXERCISES[case.exercise]
    whole = verdicts.judge(PoseTrack.from_poses(poses), exercise, applied_rules(exercise, Settings()))
    assert analysis.report.outcomes
    assert same(analysis.report.outcomes, whole.outcomes)
    assert plain([astuple(rep)[:-1] for rep in analysis.report.reps]) == plain([astuple(r)[:-1] for r in whole.reps])
    assert analysis.report.view == whole.view or math.isnan(whole.view.yaw_deg)


@pytest.mark.parametrize("case", [*ONE_EACH, *UNSEEN], ids=str)
def test_what_was_said_live_is_what_the_report_says(case: ExerciseCase) -> None:
    _, updates, analysis = filmed(str(case))
    said = [outcome for update in updates for outcome in update.new_outcomes]
    assert short(said) == short(analysis.report.outcomes)
    assert updates[-1].rep_count == len(analysis.report.reps) == case.reps
    for one, other in zip(said, analysis.report.outcomes, strict=True):
        assert one.measured == pytest.approx(other.measured, abs=2.5, nan_ok=True)


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_a_live_verdict_comes_soon_after_its_repetition(case: ExerciseCase) -> None:
    poses, updates, analysis = filmed(str(case))
    for rep in analysis.report.reps:
        moments = [
            pose.time_s
            for pose, update in zip(poses, updates, strict=True)
            if any(outcome.rep == rep.number for outcome in update.new_outcomes)
        ]
        assert len(moments) == 1
        assert rep.end_s - 0.3 < moments[0] < rep.end_s + 1.5


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_pausing_between_frames_does_not_matter(case: ExerciseCase) -> None:
    """Asking for a report in between (as a live page may) changes nothing of what comes after."""
    poses, _, analysis = filmed(str(case))
    engine = analyzer(case.exercise)
    for chunk in np.array_split(np.arange(len(poses)), 4):
        for row in chunk:
            engine.update(poses[row])
        engine.finish(CLIP, TOOL)
    assert same(engine.finish(CLIP, TOOL).report.outcomes, analysis.report.outcomes)


def test_analyze_poses_is_the_same_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        bias, "load", lambda *_: None
    )  # the clip was filmed without a network, and so without its errors
    poses, _, analysis = filmed(str(CURL))
    again = analyze_poses(poses, CLIP, BackendInfo("1", "none", "0"), exercise=EXERCISES[CURL.exercise])
    assert same(again.report.outcomes, analysis.report.outcomes)
    assert again.report.tool.mediapipe == "1"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_nobody_in_the_clip(exercise: str) -> None:
    engine = analyzer(exercise)
    poses = synthetic.film([synthetic.Key(0.0), synthetic.Key(3.0)], missing=((0.0, 3.0),))
    updates = [engine.update(pose) for pose in poses]
    report = engine.finish(CLIP, TOOL).report
    assert {outcome.status for outcome in report.outcomes} == {Status.NOT_JUDGED}
    assert [outcome.rule for outcome in report.outcomes] == [use.rule for use in EXERCISES[exercise].rules]
    assert all("nobody" in outcome.reason for outcome in report.outcomes)
    assert report.worst() is None
    assert report.clip.pose_fraction == 0.0
    assert any("nobody" in warning for warning in report.warnings)
    assert all(not update.measurement.visible and update.rep_count == 0 and not update.cues for update in updates)


def test_one_frame() -> None:
    engine = analyzer("prone-leg-curl")
    engine.update(synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)], position=Position.PRONE)[0])
    report = engine.finish(CLIP, TOOL).report
    assert {outcome.status for outcome in report.outcomes} == {Status.NOT_JUDGED}
    assert report.clip.frames == 1


def test_the_wrong_exercise_finds_no_repetition_and_says_so() -> None:
    standing = [synthetic.Key(0.0, knee=8.0), synthetic.Key(5.0, knee=8.0)]
    engine = analyzer("prone-leg-curl")
    for pose in synthetic.film(standing):
        engine.update(pose)
    report = engine.finish(CLIP, TOOL).report
    assert report.reps == ()
    assert all("right exercise" in outcome.reason for outcome in report.outcomes)
    assert any("right exercise" in warning for warning in report.warnings)


def test_a_clip_that_ends_in_a_repetition_warns_and_does_not_judge_it() -> None:
    case = next(case for case in GOOD if case.exercise == "prone-leg-curl")
    poses = [pose for pose in case.film() if pose.time_s < 7.4]  # the second curl is under way
    report = live(case, poses)[1].report
    assert [rep.number for rep in report.reps] == [1]
    assert {outcome.rep for outcome in report.outcomes} == {1}
    assert any("ends inside" in warning for warning in report.warnings)


def bridges(*opening: synthetic.Key, after_s: float) -> list[Pose]:
    """A clip that opens with these key frames, then lies still and bridges twice."""
    down, up = {"hip": 65.0, "knee": 95.0, "trunk": -90.0}, {"hip": 2.0, "knee": 85.0, "trunk": -115.0}
    keys = [*opening, synthetic.Key(after_s, **down)]
    for seconds, angles in ((1.0, down), (0.8, up), (0.5, up), (1.0, down), (0.8, down), (0.8, up), (1.0, down)):
        keys.append(synthetic.Key(keys[-1].time_s + seconds, **angles))
    keys.append(synthetic.Key(keys[-1].time_s + 1.5, **down))
    return synthetic.film(keys, position=Position.SUPINE)


def test_drawing_up_the_leg_before_a_bridge_is_no_repetition_that_the_clip_cuts_off() -> None:
    """Straight legs on the floor open the hip as far as the top of the bridge does."""
    flat = synthetic.Key(0.0, hip=2.0, knee=5.0, trunk=-90.0)
    top = synthetic.Key(0.0, hip=2.0, knee=85.0, trunk=-115.0)
    for first, begun in ((flat, False), (top, True)):
        engine = analyzer("glute-bridge")
        for pose in bridges(first, after_s=0.7):
            engine.add(pose)
        report = engine.finish(CLIP, TOOL).report
        assert len(report.reps) == 2
        assert any("begins in the middle" in warning for warning in report.warnings) is begun


def test_a_hold_filmed_from_inside_is_not_judged_and_says_why() -> None:
    case = next(case for case in GOOD if case.exercise == "standing-toe-touch")
    whole = live(case, case.film())[1].report
    assert not any("begins in the middle" in warning for warning in whole.warnings)
    inside_s = whole.reps[0].turn_s
    report = live(case, [pose for pose in case.film() if pose.time_s >= inside_s])[1].report
    assert report.reps == ()
    assert {outcome.status for outcome in report.outcomes} == {Status.NOT_JUDGED}
    assert all("begins in the middle of a hold" in outcome.reason for outcome in report.outcomes)
    assert len([warning for warning in report.warnings if "begins in the middle of a hold" in warning]) == 1
    assert not any("right exercise" in warning for warning in report.warnings)


def test_a_repetition_cut_off_on_its_way_back_is_listed_and_not_judged() -> None:
    poses = CURL.film()
    second = live(CURL, poses)[1].report.reps[1]
    cut_s = second.turn_end_s + 0.65 * (second.end_s - second.turn_end_s)
    report = live(CURL, [pose for pose in poses if pose.time_s < cut_s])[1].report
    assert [rep.complete for rep in report.reps] == [True, False]
    last = [outcome for outcome in report.outcomes if outcome.rep == 2]
    assert last
    assert {(outcome.status, outcome.reason) for outcome in last} == {
        (Status.NOT_JUDGED, "the repetition is cut off by the clip")
    }


def test_the_rest_position_is_that_of_the_repetitions_that_are_whole() -> None:
    case = next(case for case in GOOD if case.exercise == "romanian-deadlift")
    poses = case.film()
    first, second = live(case, poses)[1].report.reps[:2]
    begin_s = first.start_s + 0.5 * (first.turn_start_s - first.start_s)
    report = live(case, [pose for pose in poses if pose.time_s >= begin_s])[1].report
    assert [rep.complete for rep in report.reps] == [False, *[True] * (len(report.reps) - 1)]
    statuses = {outcome.rule: outcome.status for outcome in report.outcomes if outcome.rep == 2}
    assert statuses["rounded-lower-back"] is Status.OK
    assert second.number == 2


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_outcomes_are_ordered_by_repetition_then_by_rule(case: ExerciseCase) -> None:
    rules = cases.window_rules(EXERCISES[case.exercise])
    outcomes = filmed(str(case))[2].report.outcomes
    assert [(outcome.rep, outcome.rule) for outcome in outcomes] == [
        (number, rule) for number in range(1, case.reps + 1) for rule in rules
    ]


@pytest.mark.parametrize("case", FAULTY, ids=str)
def test_cues_come_after_a_faulty_repetition_and_go_again(case: ExerciseCase) -> None:
    poses = case.film()
    poses += [  # the person stays at rest long enough for the last cue to go
        Pose(len(poses) + row, poses[-1].time_s + (row + 1) / 25.0, *seen(poses[-1])) for row in range(100)
    ]
    updates, analysis = live(case, poses)
    first = next(row for row, update in enumerate(updates) if update.cues)
    assert poses[first].time_s > analysis.report.reps[0].turn_s
    assert updates[first].new_outcomes
    serious = Status.FAULT if "fault" in case.expect.values() else Status.CAUTION
    assert updates[first].cues[0].status is serious
    speaking = {rule for rule, status in case.expect.items() if status in ("caution", "fault")}
    assert {cue.rule for cue in updates[first].cues} == speaking
    assert all(cue.text for cue in updates[first].cues)
    last = max(row for row, update in enumerate(updates) if update.new_outcomes)
    until = poses[last].time_s + CUE_SHOWN_S
    assert all(bool(u.cues) == (p.time_s <= until) for p, u in zip(poses[last:], updates[last:], strict=True))
    assert not updates[-1].cues


def seen(pose: Pose) -> tuple[object, ...]:
    return pose.size_px, pose.image_px, pose.world_m, pose.visibility


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_good_form_gets_no_cue(case: ExerciseCase) -> None:
    assert not any(update.cues for update in filmed(str(case))[1])


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_updates_follow_the_movement(case: ExerciseCase) -> None:
    poses, updates, _ = filmed(str(case))
    counts = [update.rep_count for update in updates]
    assert counts == sorted(counts)
    phases = [updates[0].phase]
    for update in updates:
        if update.phase is not phases[-1]:
            phases.append(update.phase)
    exercise = EXERCISES[case.exercise]
    assert phases == [Phase.REST, *[exercise.outward, exercise.back, Phase.REST] * case.reps]
    name = metrics.column_name(exercise.signal.metric, Side.RIGHT)
    measured = np.array([update.measurement.values[name] for update in updates])
    assert np.isfinite(measured).all()
    furthest = np.nanmax(measured) if exercise.signal.rising else np.nanmin(measured)
    joint = exercise.signal.metric.split("_")[0]
    expected = case.turn["ankle" if joint == "shank" else joint]  # over a flat sole the shank leans as the ankle bends
    assert furthest == pytest.approx(expected, abs=4.0)
    assert all(update.pose.time_s == pose.time_s for update, pose in zip(updates, poses, strict=True))


def test_an_update_knows_nothing_of_later_frames() -> None:
    poses, updates, _ = filmed(str(CURL))
    engine = analyzer(CURL.exercise)
    again = [engine.update(pose) for pose in (*poses[:120], *synthetic.mirror(poses[120:]))]
    for one, other in zip(updates[:120], again[:120], strict=True):
        assert plain(list(one.measurement.values.values())) == plain(list(other.measurement.values.values()))
        assert (one.phase, one.rep_count, one.cues) == (other.phase, other.rep_count, other.cues)
    assert updates[150].measurement.values != again[150].measurement.values  # the change is one that shows


def test_the_engine_leaves_poses_alone() -> None:
    poses = CURL.film()
    before = [pose.image_px.copy() for pose in poses]
    live(CURL, poses)
    assert all((pose.image_px == image).all() for pose, image in zip(poses, before, strict=True))


def test_the_engine_keeps_no_mask() -> None:
    """A mask is a picture: kept for every frame it would fill the memory of a long session."""
    engine = analyzer(CURL.exercise)
    pose = replace(CURL.film()[0], mask=np.zeros((2, 2), dtype=np.float32))
    mask = weakref.ref(pose.mask)
    engine.update(pose)
    del pose
    gc.collect()
    assert mask() is None


@pytest.mark.parametrize("side", Side)
def test_the_asked_for_leg_is_judged(side: Side) -> None:
    case = next(case for case in GOOD if case.exercise == "prone-leg-curl")
    engine = analyzer(case.exercise, side)
    for pose in case.film():
        engine.update(pose)
    report = engine.finish(CLIP, TOOL).report
    assert {rep.side for rep in report.reps} == {side}
    assert {outcome.side for outcome in report.outcomes} == {side}


def test_the_report_counts_frames_and_how_many_had_a_person() -> None:
    case = CURL
    poses = case.film()
    poses = synthetic.lose(poses, ((0.0, poses[len(poses) // 4].time_s - 0.01),))
    analysis = live(case, poses)[1]
    assert analysis.report.clip.frames == len(poses) == len(analysis.table) == len(analysis.track)
    assert analysis.report.clip.pose_fraction == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_replay_counts_each_repetition_and_flashes_each_finding_when_it_happens(case: ExerciseCase) -> None:
    poses, _, analysis = filmed(str(case))
    updates = list(replay(analysis, EXERCISES[case.exercise]))
    assert len(updates) == len(poses)
    assert updates[-1].rep_count == case.reps
    assert updates[0].phase is Phase.REST
    for outcome in analysis.report.outcomes:
        if np.isnan(outcome.worst_s):
            assert outcome.status is Status.NOT_JUDGED
            continue
        row = int(np.searchsorted(analysis.track.time_s, outcome.worst_s))
        shown = {cue.rule for cue in updates[row].cues}
        assert (outcome.rule in shown) == (outcome.status in (Status.CAUTION, Status.FAULT))
    assert not updates[0].cues


def test_phase_at() -> None:
    hinge = EXERCISES["romanian-deadlift"]
    rep = Rep(1, Side.LEFT, start_s=1.0, turn_s=2.5, end_s=4.0, turn_start_s=2.0, turn_end_s=3.0)
    found = [phase_at([rep], moment, hinge) for moment in (0.5, 1.5, 2.5, 3.5, 4.5)]
    assert found == [Phase.REST, Phase.LOWERING, Phase.TURN, Phase.LIFTING, Phase.REST]


def test_cues_are_most_serious_first() -> None:
    case = next(case for case in FAULTY if case.exercise == "prone-leg-curl")
    outcomes = live(case, with_short_range(case).film())[1].report.outcomes
    cues = cues_of([outcome for outcome in reversed(outcomes) if outcome.rep == 1])
    assert [cue.status for cue in cues] == [Status.FAULT, Status.CAUTION]
    assert cues_of([]) == ()


def with_short_range(case: ExerciseCase) -> ExerciseCase:
    return replace(case, name="both", turn={**case.turn, "knee": 55.0})
