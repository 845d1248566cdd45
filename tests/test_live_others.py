"""Other people and a turned picture in a live session: noticed before the set, during it, and in its report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cases
import numpy as np
import pytest
import synthetic
from cases import exercise_cases

from formcheck import accuracy
from formcheck.adapters.pose import BackendInfo
from formcheck.coach import CLEAR, Problem, SetupCoach, Sight
from formcheck.coach.setup import PATIENCE_S, SAY, STEADY_S
from formcheck.coach.setup import Stage as SetupStage
from formcheck.engine import Analyzer
from formcheck.errors import ModelError
from formcheck.exercises import EXERCISES
from formcheck.live import LiveSession, Places, Plan, Snapshot, Stage, draw_live
from formcheck.live.course import Course
from formcheck.live.lookout import LOOK_EVERY_S, LOOK_SETUP_S, Lookout, Seen, Sights
from formcheck.live.others import LEAPT, PRESENT, SAID, Others
from formcheck.types import ClipInfo, Frame, Pose, ToolInfo
from formcheck.ui.live_panel import panel_data

RDL = EXERCISES["romanian-deadlift"]
CURL = EXERCISES["prone-leg-curl"]
SET = next(item for item in exercise_cases() if item.exercise == RDL.id and item.name == "good")
SIZE = (1280, 720)
IMAGE = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
CLIP, TOOL = ClipInfo("live session", 0.0, 0, *SIZE, 0, 0.0), ToolInfo("0", "0", "none", "0")
FPS = 25.0


@pytest.fixture
def fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def standing(seconds: float, start_s: float = 0.0) -> list[Pose]:
    keys = [synthetic.Key(0.0, knee=8, hip=5), synthetic.Key(seconds, knee=8, hip=5)]
    poses = synthetic.film(keys, fps=FPS, noise_px=0.5, px_per_m=300.0, size_px=SIZE)
    return [replace(pose, time_s=pose.time_s + start_s) for pose in poses]


def beside(pose: Pose, sizes: float = 0.7) -> Pose:
    """Somebody like this person, so many of their own heights to the right."""
    height = float(np.ptp(pose.image_px[:, 1]))
    return replace(pose, image_px=pose.image_px + np.array([sizes * height, 0.0]))


def on_its_side(pose: Pose) -> Pose:
    """The pose in a picture turned by a quarter, fitted into the same width and height."""
    points = pose.image_px[:, ::-1] * np.array([1.0, -1.0]) + np.array([200.0, SIZE[0]])
    return replace(pose, image_px=np.clip(points, 20.0, np.array(SIZE) - 20.0))


class Searches:
    """A search with an answer for every frame."""

    info = BackendInfo("0", "search", "0")

    def __init__(self, answer: Callable[[Frame], tuple[Pose, ...]]) -> None:
        self._answer = answer
        self.asked: list[float] = []
        self.closed = 0

    def detect_all(self, frame: Frame) -> tuple[Pose, ...]:
        self.asked.append(frame.time_s)
        return self._answer(frame)

    def detect(self, frame: Frame) -> Pose:
        return next(iter(self.detect_all(frame)), Pose.missing(frame.index, frame.time_s, SIZE))

    def close(self) -> None:
        self.closed += 1

    def __enter__(self) -> Searches:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Follows(Searches):
    """A backend that follows one person, known beforehand, wherever the landmarks go."""

    def __init__(self, poses: Sequence[Pose]) -> None:
        known = {round(pose.time_s * 1000): pose for pose in poses}
        super().__init__(lambda frame: tuple(pose for key, pose in known.items() if key == round(frame.time_s * 1000)))


# --- before the set


def placed(
    poses: Sequence[Pose], sight: Sight, *, upright: bool = False
) -> tuple[SetupCoach, list[tuple[SetupStage, Problem | None]]]:
    coach = SetupCoach(upright=upright)
    states = [coach.update(pose, 120.0, sight) for pose in poses]
    return coach, [(state.stage, state.problem) for state in states]


def test_a_second_person_is_asked_out_before_the_set_begins() -> None:
    sight = Sight((0.0, 2.0))
    coach, states = placed(standing(10.0), sight)
    assert set(states) == {(SetupStage.PLACING, Problem.OTHERS)}
    coach, states = placed([*standing(3.0)], sight)
    alone = [coach.update(pose, 120.0, CLEAR) for pose in standing(8.0, start_s=3.04)]
    assert alone[-1].stage is SetupStage.GO
    assert coach.warnings == ()


def test_somebody_who_must_stay_is_borne_and_told_in_the_report() -> None:
    coach, states = placed(standing(PATIENCE_S + 10.0), Sight((0.0, 2.0)))
    assert states[-1][0] is SetupStage.GO
    assert coach.warnings == ("two people were in the picture when the set began; the wrong one may have been judged",)


def test_a_picture_on_its_side_is_told_where_the_exercise_is_done_standing() -> None:
    turned = [on_its_side(pose) for pose in standing(3.0)]
    assert set(placed(turned, CLEAR, upright=True)[1]) == {(SetupStage.PLACING, Problem.SIDEWAYS)}
    assert Problem.SIDEWAYS not in {problem for _, problem in placed(turned, CLEAR, upright=False)[1]}
    assert Problem.SIDEWAYS not in {problem for _, problem in placed(standing(3.0), CLEAR, upright=True)[1]}
    bent = synthetic.film([synthetic.Key(0.0, knee=10, hip=100), synthetic.Key(2.0, knee=10, hip=100)], fps=FPS)
    assert Problem.SIDEWAYS not in {problem for _, problem in placed(bent, CLEAR, upright=True)[1]}


def test_people_found_only_in_a_turned_picture_are_told_so_instead_of_nobody() -> None:
    missing = [Pose.missing(pose.index, pose.time_s, SIZE) for pose in standing(3.0)]
    coach = SetupCoach()
    states = [coach.update(pose, 120.0, Sight(turned=True)) for pose in missing]
    assert {state.text for state in states} == {SAY[Problem.SIDEWAYS]}


def test_the_course_knows_which_exercises_are_done_standing() -> None:
    turned = [on_its_side(pose) for pose in standing(STEADY_S + 1.0)]
    for exercise, told in ((RDL, True), (CURL, False), (None, False)):
        course = Course(Plan(exercise))
        setups = [course.update(pose, 120.0).setup for pose in turned]
        assert (Problem.SIDEWAYS in {setup.problem for setup in setups if setup}) is told


# --- looks


def test_what_two_looks_agree_on_is_believed_either_way() -> None:
    sights = Sights()
    believed = []
    for time_s, others in enumerate([True, False, True, True, True, False, True, False, False, True]):
        sights.take(Seen(float(time_s), others))
        believed.append(sights.believed.others_s)
    span = (2.0, 3.0)
    assert believed == [None, None, None, span, (2.0, 4.0), (2.0, 4.0), (2.0, 6.0), (2.0, 6.0), None, None]


def looked_at(searcher: Searches, poses: Sequence[Pose], *, begun: bool) -> Sight:
    """Let a lookout watch, waiting for each look that it takes."""
    sight = CLEAR
    with Lookout(lambda: searcher) as lookout:
        for pose in poses:
            sight = lookout.watch(Frame(pose.index, pose.time_s, IMAGE), pose, begun=begun)
            lookout.wait()
    assert searcher.closed == bool(searcher.asked)  # one that was never needed is never opened
    return sight


@pytest.mark.parametrize(("begun", "every_s"), [(True, LOOK_EVERY_S), (False, LOOK_SETUP_S)])
def test_it_looks_rarely_and_least_during_the_set(begun: bool, every_s: float) -> None:
    searcher = Searches(lambda _: ())
    assert looked_at(searcher, standing(13.0), begun=begun) == CLEAR
    assert np.diff(searcher.asked) == pytest.approx(every_s, abs=1.5 / FPS)
    assert len(searcher.asked) == pytest.approx(12.5 / every_s, abs=1)


def test_a_helper_is_seen_and_the_person_again_is_not() -> None:
    poses = standing(9.0)
    at = {pose.time_s: pose for pose in poses}
    helper = Searches(lambda frame: (at[frame.time_s], beside(at[frame.time_s])))
    span = looked_at(helper, poses, begun=True).others_s
    assert span is not None
    assert span[0] == pytest.approx(0.5, abs=0.1)
    assert span[1] > 6.0
    assert looked_at(Searches(lambda frame: (at[frame.time_s],)), poses, begun=True) == CLEAR


def test_a_turned_picture_is_searched_for_only_before_the_set() -> None:
    nobody = [Pose.missing(pose.index, pose.time_s, SIZE) for pose in standing(6.0)]
    person = standing(1.0)[0]
    searcher = Searches(lambda frame: (person,) if frame.image.shape[0] > frame.image.shape[1] else ())
    assert looked_at(searcher, nobody, begun=False).turned
    idle = Searches(lambda _: ())
    looked_at(idle, nobody, begun=True)
    assert idle.asked == []


def test_a_search_that_fails_reaches_the_page() -> None:
    def fails() -> Searches:
        raise ModelError("no model for the search")

    session = LiveSession(
        Plan(RDL, setup=False), open_backend=lambda: Follows(standing(60.0)), open_search=fails, places=Places(1)
    ).start()
    for pose in standing(60.0):
        session.offer(Frame(pose.index, pose.time_s, IMAGE))
        session.wait()
        if not session.running:
            break
    session.stop()
    assert session.snapshot().stage is Stage.FAILED
    assert session.snapshot().error == "no model for the search"


# --- leaps


def test_the_landmarks_of_a_moving_person_do_not_leap() -> None:
    others = Others()
    for pose in SET.film(noise_px=2.0, fps=10.0):
        assert others.follow(pose) is None
    assert others.leaps_s == []


def test_landmarks_that_go_over_to_somebody_else_are_a_leap_once_they_stay() -> None:
    poses = standing(6.0)
    taken = [beside(pose) if pose.time_s >= 3.0 else pose for pose in poses]
    others = Others()
    told = {pose.time_s: found for pose in taken if (found := others.follow(pose)) is not None}
    assert list(told.values()) == [pytest.approx(3.0, abs=0.05)]
    assert others.warnings == ("the landmarks went over to another body at 0:03; nothing was judged across that",)
    first = next(iter(told))
    assert others.see(CLEAR, 0.0)[0].text == LEAPT
    assert others.notice(first + 1.0) == LEAPT
    assert others.notice(first + 10.0) == ""


def test_a_slip_of_the_landmarks_and_a_person_who_comes_back_elsewhere_are_none() -> None:
    slip = [beside(pose) if 3.0 <= pose.time_s < 3.2 else pose for pose in standing(6.0)]
    gone = synthetic.lose(standing(6.0), ((2.0, 3.0),))
    back = [beside(pose) if pose.time_s > 2.5 else pose for pose in gone]
    for poses in (slip, back):
        others = Others()
        assert [found for pose in poses if (found := others.follow(pose)) is not None] == []


# --- the set and its report


def through(poses: Sequence[Pose], sight_at: Callable[[float], Sight], plan: Plan | None = None) -> tuple[Course, list]:
    course = Course(plan or Plan(RDL, setup=False))
    return course, [course.update(pose, 120.0, sight_at(pose.time_s)) for pose in poses]


def test_somebody_in_the_picture_for_a_while_is_shown_said_once_and_reported(fixed_sigma: None) -> None:
    poses = [replace(pose, time_s=pose.time_s + 100.0) for pose in SET.film(noise_px=0.5)]

    def sight(time_s: float) -> Sight:
        return Sight((102.0, time_s)) if 102.5 <= time_s < 105.0 else CLEAR

    course, steps = through(poses, sight)
    shown = [pose.time_s for pose, step in zip(poses, steps, strict=True) if step.notice]
    assert {step.notice for step in steps} == {"", PRESENT}
    assert shown[0] == pytest.approx(102.5, abs=0.05)
    assert shown[-1] == pytest.approx(105.0, abs=0.05)
    assert [saying.text for step in steps for saying in step.sayings].count(SAID) == 1
    report = course.finish(CLIP, TOOL).report
    assert report.warnings[0] == "someone else was in the picture at 0:02-0:04; repetitions then may be theirs"
    assert len(report.reps) == 2  # they are judged all the same: the person may be who is followed


def test_somebody_twice_in_the_picture_is_two_spans() -> None:
    others = Others()
    for sight in (Sight((35.0, 37.0)), Sight((35.0, 41.0)), CLEAR, Sight((70.0, 72.0)), CLEAR):
        others.see(sight, 0.0)
    assert others.warnings == (
        "someone else was in the picture at 0:35-0:41, 1:10-1:12; repetitions then may be theirs",
    )


def test_whoever_stays_from_the_set_up_is_not_spoken_of_again() -> None:
    others = Others()
    assert others.see(Sight((3.0, 11.0)), 10.0) == ()
    assert others.notice(1.0) == PRESENT
    assert others.warnings[0].startswith("someone else was in the picture at 0:00-0:01")


def test_whoever_left_before_the_set_is_not_in_its_report() -> None:
    others = Others()
    assert others.see(Sight((3.0, 9.0)), 10.0) == ()
    assert (others.notice(0.5), others.warnings) == ("", ())


def test_no_repetition_reaches_across_a_leap(fixed_sigma: None) -> None:
    poses = SET.film(noise_px=0.5)
    alone, _ = through(poses, lambda _: CLEAR)
    reps = alone.finish(CLIP, TOOL).report.reps
    middle_s = reps[0].turn_s
    taken = [beside(pose) if pose.time_s >= middle_s else pose for pose in poses]
    course, steps = through(taken, lambda _: CLEAR)
    report = course.finish(CLIP, TOOL).report
    assert all(not rep.start_s < middle_s <= rep.end_s for rep in report.reps)
    assert any(rep.start_s > middle_s and rep.complete for rep in report.reps)
    assert "went over to another body" in report.warnings[0]
    assert LEAPT in [saying.text for step in steps for saying in step.sayings]


def test_leaps_before_the_exercise_is_known_cut_as_well(fixed_sigma: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[float] = []
    monkeypatch.setattr(Analyzer, "cut", lambda _, time_s: cut.append(time_s))
    poses = standing(4.0)
    course, _ = through([beside(p) if p.time_s > 2.0 else p for p in poses], lambda _: CLEAR, Plan(setup=False))
    assert cut == []
    course.finish(CLIP, TOOL, RDL)
    assert cut == [pytest.approx(2.0, abs=0.05)]


# --- the whole session, and what is shown


def snapshots(session: LiveSession, poses: Sequence[Pose]) -> Iterator[Snapshot]:
    for pose in poses:
        session.offer(Frame(pose.index, pose.time_s, IMAGE))
        assert session.wait()
        time.sleep(0.002)  # the looks have a thread of their own
        yield session.snapshot()


def test_a_session_with_a_helper_from_look_to_report(fixed_sigma: None) -> None:
    poses = standing(14.0)
    at = {round(pose.time_s * 1000): pose for pose in poses}
    searcher = Searches(lambda frame: (beside(at[round(frame.time_s * 1000)]),) if 4.0 < frame.time_s < 9.0 else ())
    with LiveSession(
        Plan(RDL, setup=False),
        open_backend=lambda: Follows(poses),
        open_search=lambda: searcher,
        places=Places(1),
    ) as session:
        shown = list(snapshots(session, poses))
    noticed = [snapshot for snapshot in shown if snapshot.notice]
    assert 6.0 < noticed[0].frame_time_s < 8.0
    assert noticed[-1].frame_time_s < 14.0
    assert panel_data(noticed[0], "a")["notice"] == PRESENT
    assert panel_data(shown[0], "a")["notice"] == ""
    plain = replace(noticed[0], notice="")
    assert (draw_live(IMAGE, noticed[0].frame_time_s, noticed[0]) != draw_live(IMAGE, plain.frame_time_s, plain)).any()
    assert searcher.closed == 1
    warnings = session.report().report.warnings
    assert any(text.startswith("someone else was in the picture at 0:04-0:08") for text in warnings)
