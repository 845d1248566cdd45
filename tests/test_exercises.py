"""Every exercise keeps the contract, and each of its named synthetic clips gets the outcomes that its table expects."""

from __future__ import annotations

import importlib
import pkgutil

import cases
import pytest
import synthetic
from cases import ExerciseCase, exercise_cases

from formcheck import accuracy, exercises, metrics, verdicts
from formcheck.config import Settings
from formcheck.errors import ConfigError
from formcheck.exercises import EXERCISES, find_exercise
from formcheck.exercises.base import Exercise
from formcheck.judging import WITHIN_ERROR
from formcheck.pipeline import applied_rules
from formcheck.rules import RULES
from formcheck.types import Kind, Outcome, Phase, Pose, PoseTrack, Scope, Side, Status
from formcheck.verdicts import Verdict

CASES = exercise_cases()
# What a camera at the side cannot see in an exercise is still asked for, so that the report says so.
NEVER_SEEN = {"glute-bridge": "arched-lower-back"}  # of someone lying on the back
GOOD = [
    case
    for case in CASES
    if {status for rule, status in case.expect.items() if rule != NEVER_SEEN.get(case.exercise)} == {"ok"}
]
FAULTY = [case for case in CASES if {"fault", "caution"} & set(case.expect.values())]


@pytest.fixture
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def judge(case: ExerciseCase, poses: list[Pose]) -> Verdict:
    exercise = EXERCISES[case.exercise]
    return verdicts.judge(PoseTrack.from_poses(poses), exercise, applied_rules(exercise, Settings()))


def said(outcomes: tuple[Outcome, ...]) -> dict[str, set[str]]:
    """What each rule said, over all repetitions."""
    statuses: dict[str, set[str]] = {}
    for outcome in outcomes:
        statuses.setdefault(outcome.rule, set()).add(outcome.status.value)
    return statuses


def assert_as_expected(case: ExerciseCase, verdict: Verdict) -> None:
    of_sets = {rule: {"not_judged"} for rule in RULES if RULES[rule].check_set is not None}
    applied = {use.rule for use in EXERCISES[case.exercise].rules} if not verdict.reps else set()
    expected = {rule: {status} for rule, status in case.expect.items()}
    assert said(verdict.outcomes) == expected | {rule: of_sets[rule] for rule in of_sets if rule in applied}
    for rule, reason in case.reason.items():
        assert all(reason in outcome.reason for outcome in verdict.outcomes if outcome.rule == rule)
    judged = any(status != "not_judged" for status in case.expect.values())
    if judged:
        assert len(verdict.reps) == case.reps


def assert_contract(verdict: Verdict, exercise: Exercise) -> None:
    """What must be true of the outcomes of any clip at all."""
    applied = [item.rule.id for item in applied_rules(exercise, Settings())]
    if verdict.reps:
        expected = [(rep.number, rule) for rep in verdict.reps for rule in cases.window_rules(exercise)]
    else:
        expected = [(None, rule) for rule in applied]
    assert [(outcome.rep, outcome.rule) for outcome in verdict.outcomes] == expected
    numbers = ("measured", "sigma", "limit")
    for outcome in verdict.outcomes:
        if outcome.status is Status.NOT_JUDGED:
            assert outcome.reason
            assert not outcome.cue
        else:
            assert all(abs(getattr(outcome, name)) < 1e4 for name in numbers)  # NaN and inf are not
            assert outcome.start_s <= outcome.worst_s <= outcome.end_s
            assert outcome.reason in ({"", WITHIN_ERROR} if outcome.status is Status.CAUTION else {""})
        if outcome.status in (Status.CAUTION, Status.FAULT):
            assert outcome.message
            assert outcome.cue


def test_the_registry_holds_every_module_under_its_name() -> None:
    modules = {info.name for info in pkgutil.iter_modules(exercises.__path__)} - {"base"}
    assert set(EXERCISES) == {name.replace("_", "-") for name in modules}
    for name in modules:
        module = importlib.import_module(f"formcheck.exercises.{name}")
        assert EXERCISES[name.replace("_", "-")] is module.EXERCISE


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
class TestEveryExercise:
    def test_it_explains_itself(self, exercise: Exercise) -> None:
        module = importlib.import_module(f"formcheck.exercises.{exercise.id.replace('-', '_')}")
        assert exercise.documentation == module.__doc__
        assert len(exercise.documentation.split()) > 15
        assert exercise.title
        assert len(exercise.setup) >= 2
        assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in exercise.setup)

    def test_its_rules_exist_once_each_and_fit_its_kind(self, exercise: Exercise) -> None:
        names = [use.rule for use in exercise.rules]
        assert names
        assert len(names) == len(set(names))
        scope = Scope.HOLD if exercise.kind is Kind.HOLD else Scope.REP
        for use in exercise.rules:
            assert use.rule in RULES
            fitting = RULES[use.rule].scopes & {scope, Scope.SET}
            assert fitting, f"{use.rule} would never be checked in {exercise.id}"
            assert set(use.parameters) <= set(RULES[use.rule].limits.parameters)
            assert exercise.rule_use(use.rule) is use
        active = [item.rule.id for item in applied_rules(exercise, Settings())]
        assert active == names, "a rule without limits is declared but never speaks"

    def test_its_signal_makes_sense(self, exercise: Exercise) -> None:
        signal = exercise.signal
        assert signal.metric in (*metrics.SIDED_METRICS, *metrics.MIDLINE_METRICS)
        assert 0 < signal.leave_deg < signal.enter_deg
        assert signal.min_s > 0
        assert {exercise.outward, exercise.back} == {Phase.LIFTING, Phase.LOWERING}
        assert 0 < exercise.max_yaw_deg < 90

    def test_its_names_find_it(self, exercise: Exercise) -> None:
        for name in (exercise.id, exercise.title, *exercise.aliases):
            assert find_exercise(name) is exercise
            assert find_exercise(f"  {name.upper().replace('-', '_')} ") is exercise
        assert all(alias == alias.lower() for alias in exercise.aliases)

    def test_its_table_has_good_faulty_and_cannot_tell(self, exercise: Exercise) -> None:
        assert [case for case in GOOD if case.exercise == exercise.id]
        assert [case for case in FAULTY if case.exercise == exercise.id]
        for rule in cases.window_rules(exercise):
            expected = {case.expect[rule] for case in CASES if case.exercise == exercise.id}
            if rule == NEVER_SEEN.get(exercise.id):
                assert expected == {"not_judged"}
                continue
            assert {"ok", "not_judged"} <= expected, rule
            assert expected & {"caution", "fault"}, f"no faulty clip for {rule}"

    def test_nobody_in_the_clip(self, exercise: Exercise) -> None:
        poses = synthetic.film([synthetic.Key(0.0), synthetic.Key(3.0)], missing=((0.0, 3.0),))
        verdict = verdicts.judge(PoseTrack.from_poses(poses), exercise, applied_rules(exercise, Settings()))
        assert verdict.reps == ()
        assert {outcome.status for outcome in verdict.outcomes} == {Status.NOT_JUDGED}
        assert all("nobody" in outcome.reason for outcome in verdict.outcomes)
        assert not verdict.view.usable
        assert verdict.warnings
        assert_contract(verdict, exercise)


def test_names_are_unique() -> None:
    names = [
        name.lower().replace("-", " ") for e in EXERCISES.values() for name in {e.id.replace("-", " "), *e.aliases}
    ]
    assert len(names) == len(set(names))


def test_an_unknown_name_is_an_error_that_names_the_closest() -> None:
    with pytest.raises(ConfigError, match=r"prone-leg-crul.*prone-leg-curl") as caught:
        find_exercise("prone-leg-crul")
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="formcheck exercises"):
        find_exercise("zzz")


def test_the_tables_are_of_exercises() -> None:
    assert {case.exercise for case in CASES} == set(EXERCISES)
    names = [str(case) for case in CASES]
    assert len(names) == len(set(names))
    for case in CASES:
        assert set(case.expect) == set(cases.window_rules(EXERCISES[case.exercise])), case


@pytest.mark.usefixtures("_fixed_sigma")
class TestNamedClips:
    @pytest.mark.parametrize("near", Side)
    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_outcomes_with_either_side_near(self, case: ExerciseCase, near: Side) -> None:
        verdict = judge(case, case.film(near=near))
        assert_as_expected(case, verdict)
        assert_contract(verdict, EXERCISES[case.exercise])
        assert {rep.side for rep in verdict.reps} <= {near} or not verdict.view.usable

    @pytest.mark.parametrize(
        ("case", "fps", "jitter"),
        [
            *((case, 30.0, 0.6) for case in CASES),
            *((case, fps, 0.0) for case in (*GOOD[::2], *FAULTY[::2]) for fps in (20.0, 60.0)),
        ],
        ids=str,
    )
    def test_outcomes_at_other_frame_rates(self, case: ExerciseCase, fps: float, jitter: float) -> None:
        assert_as_expected(case, judge(case, case.film(fps=fps, jitter=jitter)))

    @pytest.mark.parametrize("case", [*GOOD, *FAULTY], ids=str)
    def test_a_mirror_gives_the_same_numbers_for_the_other_side(self, case: ExerciseCase) -> None:
        poses = case.film(noise_px=0.5)
        here, there = judge(case, poses), judge(case, synthetic.mirror(poses))
        for one, other in zip(here.outcomes, there.outcomes, strict=True):
            assert (one.rule, one.rep, one.status) == (other.rule, other.rep, other.status)
            assert one.side is not None
            assert one.side.other is other.side
            assert one.measured == pytest.approx(other.measured, abs=1e-6, nan_ok=True)
            assert one.start_s == pytest.approx(other.start_s)

    @pytest.mark.parametrize("case", GOOD, ids=str)
    def test_removing_the_foot_never_reads_as_good(self, case: ExerciseCase) -> None:
        of_the_foot = {"ankle_dorsiflexion_deg", "sole_pitch_deg"}
        ankle_rules = [rule for rule in case.expect if of_the_foot & set(RULES[rule].needs)]
        feet = [number + side for number in (synthetic.HEEL, synthetic.TOE) for side in (0, 1)]
        guessed = synthetic.hide(case.film(), (synthetic.HEEL, synthetic.TOE))
        outside, unseen = case.film(), case.film()
        for pose in outside:
            pose.image_px[feet, 1] += 5000.0
        for pose in unseen:
            pose.image_px[feet] = float("nan")
        for poses in (guessed, outside, unseen):
            verdict = judge(case, poses)
            assert len(verdict.reps) == case.reps
            for rule, statuses in said(verdict.outcomes).items():
                assert statuses == {"not_judged" if rule in ankle_rules else case.expect[rule]}

    @pytest.mark.parametrize("case", GOOD, ids=str)
    def test_a_frame_lost_here_and_there_changes_nothing(self, case: ExerciseCase) -> None:
        poses = case.film()
        lost = [(pose.time_s, pose.time_s + 0.04) for pose in poses[::23]]
        assert_as_expected(case, judge(case, synthetic.lose(poses, lost)))

    @pytest.mark.parametrize("case", GOOD, ids=str)
    def test_a_person_gone_for_most_of_a_repetition_never_reads_as_good(self, case: ExerciseCase) -> None:
        whole = judge(case, case.film())
        rep = whole.reps[-1]
        span = (rep.start_s + 0.25, rep.end_s - 0.25)
        verdict = judge(case, synthetic.lose(case.film(), (span,)))
        for outcome in verdict.outcomes:
            if outcome.rep is not None and outcome.rep >= rep.number:
                assert outcome.status is Status.NOT_JUDGED
        assert_contract(verdict, EXERCISES[case.exercise])


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_good_form_has_no_fault_with_the_real_error_table(case: ExerciseCase) -> None:
    statuses = {outcome.status for outcome in judge(case, case.film(noise_px=1.0)).outcomes}
    assert Status.FAULT not in statuses
    assert Status.CAUTION not in statuses


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_clearly_faulty_clip_is_found_with_the_real_error_table(exercise: str) -> None:
    """At least the plainest planted fault of each exercise must stand out of the measured error."""
    found = [
        case.name
        for case in FAULTY
        if case.exercise == exercise
        for outcome in judge(case, case.film()).outcomes
        if outcome.status in (Status.CAUTION, Status.FAULT) and case.expect[outcome.rule] in ("caution", "fault")
    ]
    assert found


def test_the_case_tables_reach_the_edges_of_their_windows() -> None:
    window = cases.window_of({"knee_flexion_deg": [[0, 1], [4, 5]]})
    assert window.values["knee_flexion_deg"][[0, -1]].tolist() == [1.0, 5.0]
    assert (window.lifting | window.turn | window.lowering).all()


@pytest.mark.parametrize("count", [1, 3])
def test_picking_the_weight_up_and_setting_it_down_are_no_repetitions(count: int) -> None:
    good = next(case for case in GOOD if case.exercise == "deadlift")
    up, down = dict(good.rest), dict(good.turn)
    keys = [synthetic.Key(0.0, **down), synthetic.Key(1.0, **down), synthetic.Key(2.5, **up), synthetic.Key(3.5, **up)]
    for _ in range(count):
        for seconds, angles in ((1.5, down), (0.4, down), (1.4, up), (0.8, up)):
            keys.append(synthetic.Key(keys[-1].time_s + seconds, **angles))
    for seconds in (1.5, 1.0):
        keys.append(synthetic.Key(keys[-1].time_s + seconds, **down))
    verdict = judge(good, synthetic.film(keys, position=EXERCISES["deadlift"].position))
    assert len(verdict.reps) == count
    assert verdict.reps[0].start_s > 3.0
    assert Status.FAULT not in {outcome.status for outcome in verdict.outcomes}
    assert any("not counted" in warning for warning in verdict.warnings)


LONGEST_CUE = 48  # letters; a longer one does not fit the overlay's two lines on a phone held upright


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_cues_fit_the_screen(exercise: Exercise) -> None:
    for use in exercise.rules:
        cue = use.cue or RULES[use.rule].cue
        assert len(cue) <= LONGEST_CUE, cue
