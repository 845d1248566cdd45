"""A live session may last an hour: judging a repetition costs the same at its end, and says what the report says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cases
import numpy as np
import pytest
import synthetic
from cases import ExerciseCase, exercise_cases

from formcheck import accuracy, engine
from formcheck.config import Settings
from formcheck.engine import CONTEXT_S, OPENING_S, Analyzer
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.poselog import BLOCK, PoseLog
from formcheck.types import Analysis, ClipInfo, Outcome, Pose, PoseTrack, Rep, Status, ToolInfo

CLIP, TOOL = ClipInfo("live", 0.0, 0, 0, 0, 0, 0.0), ToolInfo("0", "0", "none", "0")
FPS = 20.0
CASES = exercise_cases()
# Good repetitions with a bad one now and then; fast, slow, lying, standing, held.
MIXED = {
    "romanian-deadlift": "knees bent backwards",
    "kettlebell-swing": None,
    "prone-leg-curl": None,
    "standing-toe-touch": None,
}


@pytest.fixture(autouse=True)
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def named(exercise: str, name: str | None) -> ExerciseCase:
    of_it = [case for case in CASES if case.exercise == exercise]
    if name is not None:
        return next(case for case in of_it if case.name == name)
    return next(case for case in of_it if {"caution", "fault"} & set(case.expect.values()) and not case.bounce)


def session(exercise: str, minutes: float, walk_s: float = 0.0) -> list[Pose]:
    """A set that goes on and on, every fifth repetition of which is a bad one, filmed with a little noise."""
    good, bad = named(exercise, "good"), named(exercise, MIXED[exercise])
    keys = [synthetic.Key(0.0, **good.rest), synthetic.Key(2.0 + walk_s, **good.rest)]
    for number in itertools.count():
        if keys[-1].time_s > 60.0 * minutes:
            break
        case = bad if number % 5 == 3 else good
        timing = {"out_s": 1.2, "hold_s": 0.4, "back_s": 1.4, "pause_s": 0.6, **case.timing}
        for name, angles in (
            ("out_s", case.turn),
            ("hold_s", case.turn),
            ("back_s", good.rest),
            ("pause_s", good.rest),
        ):
            keys.append(synthetic.Key(keys[-1].time_s + timing[name], **angles))
    keys.append(synthetic.Key(keys[-1].time_s + 2.0, **good.rest))
    return synthetic.film(keys, position=EXERCISES[exercise].position, fps=FPS, noise_px=0.5)


def analyzer(exercise: str, **options: object) -> Analyzer:
    return Analyzer(EXERCISES[exercise], applied_rules(EXERCISES[exercise], Settings()), **options)  # type: ignore[arg-type]


def run(engine_: Analyzer, poses: Sequence[Pose]) -> tuple[list[Rep], list[Outcome], Analysis]:
    reps: list[Rep] = []
    outcomes: list[Outcome] = []
    for pose in poses:
        update = engine_.update(pose)
        reps += update.new_reps
        outcomes += update.new_outcomes
    return reps, outcomes, engine_.finish(CLIP, TOOL)


def short(outcomes: Sequence[Outcome]) -> list[tuple[str, int | None, Status]]:
    return [(outcome.rule, outcome.rep, outcome.status) for outcome in outcomes if outcome.rep is not None]


@pytest.mark.parametrize("exercise", MIXED)
def test_what_is_said_live_is_what_the_report_says(exercise: str) -> None:
    reps, outcomes, analysis = run(analyzer(exercise), session(exercise, 2.0))
    assert len(analysis.report.reps) > 5
    assert short(outcomes) == short(analysis.report.outcomes)
    assert {Status.FAULT, Status.CAUTION} & {outcome.status for outcome in outcomes}
    for said, final in zip(reps, analysis.report.reps, strict=True):
        assert (said.number, said.side) == (final.number, final.side)
        assert said.start_s == pytest.approx(final.start_s, abs=0.11)
        assert said.end_s == pytest.approx(final.end_s, abs=0.11)


def test_the_bad_repetitions_are_the_ones_that_were_bad() -> None:
    _, outcomes, _ = run(analyzer("romanian-deadlift"), session("romanian-deadlift", 1.5))
    said = {outcome.rep for outcome in outcomes if outcome.rule == "locked-knees" and outcome.status is Status.FAULT}
    assert said == {4, 9, 14, 19}


def test_what_is_judged_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[PoseTrack] = []
    judge = engine.judge
    monkeypatch.setattr(engine, "judge", lambda track, *rest: (seen.append(track), judge(track, *rest))[1])
    poses = session("romanian-deadlift", 2.0)
    run(analyzer("romanian-deadlift"), poses)
    live, final = seen[:-1], seen[-1]
    assert len(final) == len(poses)
    longest_s = OPENING_S + CONTEXT_S + 12.0  # the context begins with a whole repetition, and the new one follows
    assert max(len(track) for track in live) < longest_s * FPS
    assert len(live[-1]) < 1.2 * len(live[len(live) // 2])


def test_a_long_wait_before_the_first_repetition_is_not_judged_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[PoseTrack] = []
    judge = engine.judge
    monkeypatch.setattr(engine, "judge", lambda track, *rest: (seen.append(track), judge(track, *rest))[1])
    _, outcomes, analysis = run(analyzer("romanian-deadlift"), session("romanian-deadlift", 1.5, walk_s=60.0))
    assert len(seen[0]) < (OPENING_S + CONTEXT_S + 8.0) * FPS
    assert short(outcomes) == short(analysis.report.outcomes)


def test_compact_poses_give_the_same_verdicts() -> None:
    poses = session("prone-leg-curl", 0.5)
    exact, compact = (run(analyzer("prone-leg-curl", compact=flag), poses)[2] for flag in (False, True))
    assert short(exact.report.outcomes) == short(compact.report.outcomes)
    assert [o.measured for o in exact.report.outcomes] == pytest.approx(
        [o.measured for o in compact.report.outcomes], abs=1e-3, nan_ok=True
    )


def test_judging_in_the_background_says_the_same() -> None:
    poses = session("romanian-deadlift", 0.5)
    with ThreadPoolExecutor(1) as pool:
        engine_ = analyzer("romanian-deadlift", background=pool)
        said: list[Outcome] = []
        for pose in poses:
            said += engine_.update(pose).new_outcomes
            if engine_._pending is not None:
                engine_._pending.result()  # a camera would be slower than this loop
        last = replace(poses[-1], time_s=poses[-1].time_s + 0.05)
        said += engine_.update(last).new_outcomes
        final = engine_.finish(CLIP, TOOL).report.outcomes
    assert short(said) == short(final)


def test_update_returns_while_a_judgement_runs() -> None:
    class Never:
        def submit(self, *_: object) -> object:
            from concurrent.futures import Future

            return Future()

    engine_ = analyzer("romanian-deadlift", background=Never())
    updates = [engine_.update(pose) for pose in session("romanian-deadlift", 0.4)]
    assert updates[-1].rep_count > 3
    assert not any(update.new_outcomes for update in updates)


@pytest.mark.parametrize("compact", [False, True])
def test_the_log_gives_back_what_it_was_given(compact: bool) -> None:
    poses = synthetic.film([synthetic.Key(0.0), synthetic.Key(60.0, knee=90)], fps=25.0)
    poses = synthetic.lose(poses, ((3.0, 4.0),))
    assert len(poses) > BLOCK
    log = PoseLog(compact=compact)
    for pose in poses:
        log.append(pose)
    track, whole = log.track(), PoseTrack.from_poses(poses)
    assert len(log) == len(track) == len(poses)
    assert log.found == sum(pose.found for pose in poses)
    assert track.size_px == whole.size_px
    for one, other in (
        (track.image_px, whole.image_px),
        (track.world_m, whole.world_m),
        (track.visibility, whole.visibility),
        (track.time_s, whole.time_s),
    ):
        np.testing.assert_allclose(one, other, atol=1e-4 if compact else 0.0, rtol=0.0)
        assert one.dtype == np.float64


def test_an_excerpt_has_an_empty_frame_where_it_is_joined() -> None:
    log = PoseLog()
    for row in range(100):
        log.append(replace(Pose.missing(row, row / 10.0, (4, 3)), image_px=np.full((33, 2), float(row))))
    times = log.excerpt(2.0, 8.0)
    assert times.time_s.tolist() == pytest.approx([*np.arange(20) / 10.0, (1.9 + 8.0) / 2, *np.arange(80, 100) / 10.0])
    assert np.isnan(times.image_px[20]).all()
    assert np.isfinite(np.delete(times.image_px, 20, axis=0)).all()
    assert len(log.excerpt(5.0, 3.0)) == len(log.excerpt(5.0, 5.0)) == 100
    assert log.excerpt(-1.0, 8.0).time_s[0] == 8.0
    assert len(PoseLog().track()) == 0
    assert math.isclose(float(log.track().time_s[-1]), 9.9)
