"""The coach: into place one instruction at a time, one cue at a time, and few words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import synthetic

from formcheck.adapters import cuts
from formcheck.coach import CueCoach, HoldTimer, Problem, Saying, SetupCoach, SetupState, Stage, Tone
from formcheck.coach.cues import BETTER, LEAST_SHOWN_S, SAID_AGAIN_REPS, SHOWN_S
from formcheck.coach.setup import COUNTDOWN, DARK, GO, PATIENCE_S, SAY, STEADY_S, STILL_S
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.landmarks import side_landmark
from formcheck.pipeline import applied_rules
from formcheck.types import Measurement, Outcome, Phase, Pose, Position, Rep, Side, Status, Update

BRIGHT, FPS = 120.0, 25.0
RDL = EXERCISES["romanian-deadlift"]


def standing(seconds: float, start_s: float = 0.0, **shot: object) -> list[Pose]:
    how = {"fps": FPS, "noise_px": 0.5, "px_per_m": 300.0, "size_px": (640, 720), **shot}
    keys = [synthetic.Key(0.0, knee=8, hip=5), synthetic.Key(seconds, knee=8, hip=5)]
    poses = synthetic.film(keys, **how)
    return [replace(pose, time_s=pose.time_s + start_s) for pose in poses]


def run(coach: SetupCoach, poses: Sequence[Pose], brightness: float = BRIGHT) -> list[SetupState]:
    return [coach.update(pose, brightness) for pose in poses]


def said(states: Sequence[SetupState]) -> list[str]:
    return [saying.text for state in states for saying in state.sayings]


def without(poses: Sequence[Pose], *names: str) -> list[Pose]:
    """The same with these landmarks of both sides below the picture."""
    changed = []
    for pose in poses:
        points = pose.image_px.copy()
        for side in Side:
            for name in names:
                points[side_landmark(side, name), 1] = pose.size_px[1] + 40.0
        changed.append(replace(pose, image_px=points))
    return changed


def test_a_person_who_stands_right_is_asked_to_hold_still_and_counted_in() -> None:
    coach = SetupCoach()
    states = run(coach, standing(STILL_S + COUNTDOWN + 2.0))
    stages = [state.stage for state in states]
    assert list(dict.fromkeys(stages)) == [Stage.STILL, Stage.COUNTDOWN, Stage.GO]
    assert said(states) == ["Good. Hold still for two seconds.", "3", "2", "1", GO]
    begun = stages.index(Stage.GO) / FPS
    assert begun == pytest.approx(STILL_S + COUNTDOWN, abs=0.2)
    assert coach.still_from_s == pytest.approx(0.0, abs=0.1)
    shares = [state.still_share for state in states if state.stage is Stage.STILL]
    assert shares == sorted(shares)
    assert coach.warnings == ()


@pytest.mark.parametrize(
    ("problem", "poses", "brightness"),
    [
        (Problem.NOBODY, synthetic.lose(standing(3.0), ((0.0, 9.0),)), BRIGHT),
        (Problem.DARK, standing(3.0), DARK - 5),
        (Problem.FEET, without(standing(3.0), "heel", "foot_index", "ankle"), BRIGHT),
        (Problem.HEAD, without(standing(3.0), "ear"), BRIGHT),
        (Problem.CUT, without(standing(3.0), "hip", "knee", "ankle"), BRIGHT),
        (Problem.HIDDEN, synthetic.hide(standing(3.0), [synthetic.TOE]), BRIGHT),
        (Problem.FAR, standing(3.0, px_per_m=100.0), BRIGHT),
        (Problem.TURNED, standing(3.0, yaw_deg=60.0), BRIGHT),
    ],
    ids=lambda value: str(value) if isinstance(value, Problem) else "",
)
def test_one_problem_gives_its_own_instruction(problem: Problem, poses: list[Pose], brightness: float) -> None:
    states = run(SetupCoach(), poses, brightness)
    assert {state.problem for state in states} == {problem}
    assert {state.text for state in states} == {SAY[problem]}
    assert said(states) == [SAY[problem]]
    assert all(state.stage is Stage.PLACING for state in states)


def test_of_several_problems_the_most_basic_one_is_told() -> None:
    poses = without(standing(2.0, px_per_m=100.0, yaw_deg=60.0), "ear")
    assert {state.problem for state in run(SetupCoach(), poses)} == {Problem.HEAD}
    assert {state.problem for state in run(SetupCoach(), poses, DARK - 1)} == {Problem.DARK}


def test_a_problem_of_a_moment_does_not_change_the_instruction() -> None:
    poses = standing(6.0)
    flicker = [
        without([pose], "ear")[0] if (pose.index // 5) % 2 and pose.time_s < 4.0 else pose for pose in poses
    ]  # 0.2 s each
    states = run(SetupCoach(), flicker)
    told = [state.text for state in states]
    changes = sum(one != other for one, other in pairwise(told))
    assert changes <= 2


def test_an_instruction_stands_for_a_while() -> None:
    far, turned = standing(1.0, px_per_m=100.0), standing(2.0, start_s=1.04, yaw_deg=60.0)
    states = run(SetupCoach(), [*far, *turned])
    first = next(row for row, state in enumerate(states) if state.problem is Problem.TURNED)
    assert [*far, *turned][first].time_s >= 1.0 + STEADY_S
    assert said(states) == [SAY[Problem.FAR], SAY[Problem.TURNED]]


def test_an_instruction_that_is_not_followed_is_said_again_but_not_all_the_time() -> None:
    states = run(SetupCoach(), synthetic.lose(standing(20.0), ((0.0, 99.0),)))
    assert said(states) == [SAY[Problem.NOBODY]] * 3


def test_what_it_can_do_without_is_asked_for_only_so_long() -> None:
    coach = SetupCoach()
    states = run(coach, standing(PATIENCE_S + 12.0, yaw_deg=60.0))
    assert states[-1].stage is Stage.GO
    assert coach.warnings == ("the camera was not side-on when the set began",)


def test_feet_are_not_done_without() -> None:
    states = run(SetupCoach(), without(standing(PATIENCE_S + 12.0), "heel", "foot_index", "ankle"))
    assert states[-1].problem is Problem.FEET


def test_moving_begins_the_quiet_start_again() -> None:
    keys = [synthetic.Key(0.0, knee=8, hip=5), synthetic.Key(1.4, knee=8, hip=5)]
    keys += [synthetic.Key(2.4, knee=20, hip=80), synthetic.Key(3.4, knee=8, hip=5), synthetic.Key(7.0, knee=8, hip=5)]
    coach = SetupCoach()
    states = run(coach, synthetic.film(keys, fps=FPS, px_per_m=300.0, size_px=(900, 720)))
    first = next(row for row, state in enumerate(states) if state.stage is Stage.COUNTDOWN) / FPS
    assert 3.0 + STILL_S < first < 3.4 + STILL_S + 0.3
    assert coach.still_from_s > 2.9


def test_leaving_in_the_countdown_begins_again() -> None:
    coach = SetupCoach()
    poses = standing(3.0)
    gone = [Pose.missing(pose.index, pose.time_s, pose.size_px) for pose in standing(2.0, start_s=3.04)]
    back = standing(8.0, start_s=5.08)
    states = run(coach, [*poses, *gone, *back])
    assert states[len(poses) - 1].stage is Stage.COUNTDOWN
    assert states[len(poses) + len(gone) - 1].problem is Problem.NOBODY
    assert states[-1].stage is Stage.GO
    assert said(states).count(GO) == 1


def test_the_person_may_begin_at_once() -> None:
    coach = SetupCoach()
    run(coach, standing(1.0, yaw_deg=60.0))
    assert coach.skip(1.0).stage is Stage.GO
    assert coach.still_from_s == 1.0


def test_it_finds_dark_what_the_pipeline_warns_of() -> None:
    assert DARK == cuts.DARK_LEVEL


def test_lying_people_are_led_as_well() -> None:
    keys = [synthetic.Key(0.0, knee=8), synthetic.Key(8.0, knee=8)]
    poses = synthetic.film(keys, position=Position.PRONE, fps=FPS, px_per_m=250.0, size_px=(800, 600))
    assert run(SetupCoach(), poses)[-1].stage is Stage.GO


# During the set.


def outcome(rule: str, status: Status, rep: int = 1) -> Outcome:
    return Outcome(rule, rep, Side.LEFT, status, 0.0, 1.0, 0.5, "m", 1.0, 1.0, 0.0, "deg", "", f"do {rule}", "")


def update(
    time_s: float,
    *outcomes: Outcome,
    count: int = 0,
    phase: Phase = Phase.REST,
    hip: float = 5.0,
    reps: tuple[Rep, ...] = (),
) -> Update:
    pose = Pose.missing(0, time_s, (4, 4))
    values = {f"{side}_{name}": hip for side in Side for name in ("hip_flexion_deg", "knee_flexion_deg")}
    return Update(pose, Measurement(time_s, Side.LEFT, values, True), phase, count, (), outcomes, reps)


def cue_coach(exercise: str = "romanian-deadlift", **options: bool) -> CueCoach:
    return CueCoach(EXERCISES[exercise], applied_rules(EXERCISES[exercise], Settings()), **options)


def texts(sayings: Sequence[Saying]) -> list[str]:
    return [saying.text for saying in sayings]


def test_each_repetition_is_counted_once() -> None:
    coach = cue_coach()
    heard = [texts(coach.update(update(t / 10, count=t // 20)).sayings) for t in range(60)]
    assert [words for words in heard if words] == [["1"], ["2"]]


def test_the_most_serious_finding_is_the_one_cue() -> None:
    coach = cue_coach()
    found = (
        outcome("short-range", Status.CAUTION),
        outcome("rounded-lower-back", Status.FAULT),
        outcome("locked-knees", Status.CAUTION),
    )
    coaching = coach.update(update(1.0, *found))
    assert coaching.cue is not None
    assert coaching.cue.rule == "rounded-lower-back"
    assert texts(coaching.sayings) == ["do rounded-lower-back"]


def test_among_equals_the_exercise_names_the_more_important_one_first() -> None:
    first, *_, last = (use.rule for use in RDL.rules if use.rule in ("locked-knees", "short-range", "fast-lowering"))
    coaching = cue_coach().update(update(1.0, outcome(last, Status.CAUTION), outcome(first, Status.CAUTION)))
    assert coaching.cue is not None
    assert coaching.cue.rule == first


def test_a_cue_stays_long_enough_to_be_read_and_then_goes() -> None:
    coach = cue_coach()
    coach.update(update(1.0, outcome("locked-knees", Status.CAUTION)))
    other = coach.update(update(1.0 + LEAST_SHOWN_S - 0.5, outcome("short-range", Status.CAUTION, 2)))
    assert other.cue is not None
    assert other.cue.rule == "locked-knees"
    assert coach.update(update(1.0 + SHOWN_S + 0.1)).cue is None


def test_a_fault_need_not_wait_for_a_caution() -> None:
    coach = cue_coach()
    coach.update(update(1.0, outcome("locked-knees", Status.CAUTION)))
    cue = coach.update(update(1.5, outcome("rounded-lower-back", Status.FAULT, 2))).cue
    assert cue is not None
    assert cue.rule == "rounded-lower-back"


def test_the_same_cue_is_not_said_at_every_repetition() -> None:
    coach = cue_coach()
    heard = []
    for rep in range(1, 13):
        coaching = coach.update(update(4.0 * rep, outcome("locked-knees", Status.CAUTION, rep)))
        assert coaching.cue is not None
        if coaching.sayings:
            heard.append(rep)
    assert heard == [1, 2 + SAID_AGAIN_REPS, 3 + 2 * SAID_AGAIN_REPS]


def test_getting_better_is_said_once() -> None:
    coach = cue_coach()
    coach.update(update(4.0, outcome("locked-knees", Status.CAUTION)))
    better = coach.update(update(8.0, outcome("locked-knees", Status.OK, 2)))
    assert better.cue is None
    assert texts(better.sayings) == [BETTER]
    assert not coach.update(update(12.0, outcome("locked-knees", Status.OK, 3))).sayings


def test_what_could_not_be_judged_is_no_praise() -> None:
    coach = cue_coach()
    coach.update(update(4.0, outcome("locked-knees", Status.CAUTION)))
    assert not coach.update(update(8.0, outcome("locked-knees", Status.NOT_JUDGED, 2))).sayings


def test_without_cues_it_still_counts() -> None:
    coach = cue_coach(cues=False)
    coaching = coach.update(update(4.0, outcome("locked-knees", Status.FAULT), count=1))
    assert coaching.cue is None
    assert texts(coaching.sayings) == ["1"]


def test_the_tempo_is_that_of_the_last_repetition() -> None:
    rep = Rep(1, Side.LEFT, 0.0, 1.0, 2.0, 1.0, 1.0, metrics={"lifting_s": 1.4, "lowering_s": 2.1})
    coach = cue_coach()
    coach.update(update(3.0, reps=(rep,)))
    coaching = coach.update(update(3.1))
    assert (coaching.lifting_s, coaching.lowering_s) == (1.4, 2.1)


def hold(coach: CueCoach, seconds: float, start_s: float = 0.0) -> list[tuple[float, Saying]]:
    """Two seconds of way there, then a hold of so long; what is said, and when since the hold began."""
    heard = []
    for t in np.arange(0.0, 2.0 + seconds, 0.05):
        hip = 5.0 + 40.0 * min(t, 2.0)
        coaching = coach.update(update(start_s + t, phase=Phase.LIFTING, hip=hip))
        heard += [(t - 2.0, saying) for saying in coaching.sayings]
    coach.update(update(start_s + 2.0 + seconds, phase=Phase.LOWERING, hip=60.0))
    return heard


def test_the_seconds_of_a_hold_are_said() -> None:
    heard = hold(cue_coach("standing-toe-touch"), 18.0)
    assert [saying.text for _, saying in heard] == [
        "Hold.",
        "10 seconds left.",
        "5 seconds left.",
        "15 seconds. That is long enough; come back slowly.",
    ]
    assert [when for when, _ in heard] == pytest.approx([1.0, 5.0, 10.0, 15.0], abs=0.3)


def test_the_next_hold_is_announced_anew() -> None:
    coach = cue_coach("standing-toe-touch")
    first, second = hold(coach, 6.0), hold(coach, 6.0, start_s=10.0)
    assert (
        [saying.text for _, saying in first] == [saying.text for _, saying in second] == ["Hold.", "10 seconds left."]
    )


def test_repetitions_are_no_hold() -> None:
    assert not hold(cue_coach(), 6.0)


def test_going_deeper_begins_the_hold_again() -> None:
    timer = HoldTimer()
    for t in np.arange(0.0, 3.0, 0.1):
        held_s = timer.update(t, 80.0, Phase.LIFTING, Phase.LIFTING)
    assert held_s == pytest.approx(2.9)
    assert math.isnan(timer.update(3.0, 90.0, Phase.LIFTING, Phase.LIFTING))
    assert timer.update(4.5, math.nan, Phase.LIFTING, Phase.LIFTING) == pytest.approx(1.5)
    assert math.isnan(timer.update(4.6, 60.0, Phase.LOWERING, Phase.LIFTING))


def test_tones_tell_what_words_do() -> None:
    coach = cue_coach()
    counted = coach.update(update(1.0, count=1)).sayings
    cued = coach.update(update(1.5, outcome("locked-knees", Status.FAULT), count=1)).sayings
    assert [saying.tone for saying in (*counted, *cued)] == [Tone.REP, Tone.CUE]
    assert cued[0].urgent
