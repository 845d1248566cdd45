"""Every rule keeps the contract, and says what its table of named cases expects."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pkgutil
import re
from dataclasses import replace
from importlib import import_module

import cases
import numpy as np
import pytest
from cases import METRICS, RuleCase, evidence_of, exercise_of, rule_cases, window_of

from formcheck import accuracy, judging, rules
from formcheck.exercises import EXERCISES
from formcheck.rules import RULES
from formcheck.rules.base import Direction, Finding, Rule, Window, around, sustained_extreme
from formcheck.types import Phase, Status

HEADINGS = ["What it checks", "Why it matters", "How it is measured", "What to do", "Evidence"]
CASES = rule_cases()
OF_WINDOWS = [rule for rule in RULES.values() if rule.check_set is None]  # those of sets: test_set_rules.py
USES = [
    (exercise.id, use.rule)
    for exercise in EXERCISES.values()
    for use in exercise.rules
    if RULES[use.rule] in OF_WINDOWS
]


@pytest.fixture(autouse=True)
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def lively(rule: Rule) -> Window:
    """A window in which every metric moves."""
    points = [[0, 10], [cases.OUT_S, 100], [cases.OUT_S + cases.TURN_S, 95], [4, 12]]
    if rule.id == "arched-lower-back":  # which speaks of hollow backs only
        points = [[time_s, -angle] for time_s, angle in points]
    return window_of(dict.fromkeys(METRICS, points), exercise_of(rule.id).outward)


def test_the_registry_holds_every_module_under_its_name() -> None:
    modules = {info.name for info in pkgutil.iter_modules(rules.__path__)} - {"base"}
    assert set(RULES) == {name.replace("_", "-") for name in modules}
    for name in modules:
        assert RULES[name.replace("_", "-")] is import_module(f"formcheck.rules.{name}").RULE


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
class TestEveryRule:
    def test_its_documentation_is_its_module_s_docstring_with_the_five_headings(self, rule: Rule) -> None:
        module = import_module(f"formcheck.rules.{rule.id.replace('-', '_')}")
        assert rule.documentation == module.__doc__
        assert [line for line in rule.documentation.splitlines() if re.fullmatch(r"[A-Z][a-z ]+", line)] == HEADINGS
        assert rule.documentation.splitlines()[0].endswith(".")
        evidence = rule.documentation.split("\nEvidence\n")[1].strip()
        assert evidence.startswith(f"{rule.strength.value}: ")

    def test_its_declarations_make_sense(self, rule: Rule) -> None:
        assert rule.title
        assert rule.unit
        assert rule.message.endswith(".")
        assert rule.cue.endswith(".")
        assert rule.scopes
        assert set(rule.needs) <= set(METRICS)
        assert rule.needs
        if rule.metric in METRICS:
            assert rule.metric in rule.needs
        elif rule.check_set is None:  # made out of what it needs; its error must have been measured under its own name
            assert rule.metric in {row.metric for row in accuracy.error_rows()}
        if rule.limits.caution is not None and rule.limits.fault is not None:
            assert rule.direction.excess(rule.limits.fault, rule.limits.caution) > 0

    def test_some_exercise_uses_it(self, rule: Rule) -> None:
        assert exercise_of(rule.id)


@pytest.mark.parametrize("rule", OF_WINDOWS, ids=lambda rule: rule.id)
class TestEveryRuleOfWindows:
    def test_an_unseen_window_is_none(self, rule: Rule) -> None:
        limits = cases.applied(exercise_of(rule.id), rule.id).limits
        assert rule.check(window_of({}), limits) is None

    def test_any_one_of_its_needs_unseen_is_none_or_not_judged(self, rule: Rule) -> None:
        exercise = exercise_of(rule.id)
        applied = cases.applied(exercise, rule.id)
        for unseen in rule.needs:
            values = {name: column for name, column in lively(rule).values.items() if name != unseen}
            window = window_of({name: list(zip(lively(rule).time_s, v, strict=True)) for name, v in values.items()})
            evidence = judging.Evidence(window, dict.fromkeys(METRICS, 1.0), 0.0)
            assert judging.judge_rep(evidence, exercise, [applied])[0].status is Status.NOT_JUDGED

    def test_it_changes_nothing_and_says_the_same_twice(self, rule: Rule) -> None:
        limits = cases.applied(exercise_of(rule.id), rule.id).limits
        window = lively(rule)
        before = {name: column.copy() for name, column in window.values.items()}
        for array in (*window.values.values(), window.time_s, window.lifting, window.turn, window.lowering):
            array.setflags(write=False)
        first, second = rule.check(window, limits), rule.check(window, limits)
        assert first is not None
        assert first == second
        assert all((window.values[name] == before[name]).all() for name in before)

    def test_what_it_finds_is_finite_and_inside_the_window(self, rule: Rule) -> None:
        limits = cases.applied(exercise_of(rule.id), rule.id).limits
        window = lively(rule)
        finding = rule.check(window, limits)
        assert finding is not None
        assert math.isfinite(finding.measured)
        assert window.rep.start_s <= finding.start_s <= finding.worst_s <= finding.end_s <= window.rep.end_s

    def test_holes_in_what_was_seen_are_stepped_over(self, rule: Rule) -> None:
        limits = cases.applied(exercise_of(rule.id), rule.id).limits
        window = lively(rule)
        whole = rule.check(window, limits)
        for column in window.values.values():
            column[::7] = np.nan
        holed = rule.check(window, limits)
        assert whole is not None
        assert holed is not None
        assert holed.measured == pytest.approx(whole.measured, abs=6.0)

    def test_the_frame_rate_does_not_matter(self, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
        limits = cases.applied(exercise_of(rule.id), rule.id).limits
        measured = []
        for fps in (15.0, 24.0, 30.0, 60.0):
            monkeypatch.setattr(cases, "FPS", fps)
            finding = rule.check(lively(rule), limits)
            assert finding is not None
            measured.append(finding.measured)
        assert np.ptp(measured) < 6.0  # one frame at 15 fps of the fast made-up movement

    def test_its_table_has_good_faulty_and_cannot_tell(self, rule: Rule) -> None:
        expected = {case.expect for case in CASES if case.rule == rule.id}
        assert {"ok", "not_judged"} <= expected
        assert expected & {"caution", "fault"}


def test_the_tables_are_of_rules() -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in OF_WINDOWS}
    names = [str(case) for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_named_case(case: RuleCase) -> None:
    exercise = EXERCISES[case.exercise] if case.exercise else exercise_of(case.rule)
    (outcome,) = judging.judge_rep(evidence_of(case), exercise, [cases.applied(exercise, case.rule)])
    assert outcome.status.value == case.expect, outcome
    assert case.reason in outcome.reason
    if case.measured is not None:
        assert outcome.measured == pytest.approx(case.measured, abs=0.01)


@pytest.mark.parametrize(("exercise", "rule"), USES)
def test_either_side_of_each_limit(exercise: str, rule: str) -> None:
    """With what was measured given, the limits and the error are all that acts."""
    item = cases.applied(EXERCISES[exercise], rule)
    sign = 1.0 if item.rule.direction is Direction.ABOVE else -1.0
    sigma = cases.sigma(judging.metric_of(item.rule, EXERCISES[exercise]))
    near = sigma / 20.0

    def status(limit: float, excess: float) -> tuple[Status, str]:
        found = Finding(limit + sign * excess, 2.0, 1.5, 2.5)
        given = replace(item, rule=replace(item.rule, check=lambda window, limits: found))
        evidence = judging.Evidence(window_of(dict.fromkeys(METRICS, 1.0)), dict.fromkeys(METRICS, 1.0), yaw_deg=0.0)
        (outcome,) = judging.judge_rep(evidence, EXERCISES[exercise], [given])
        assert outcome.measured == found.measured
        return outcome.status, outcome.reason

    caution, fault = item.limits.caution, item.limits.fault
    first = caution if caution is not None else fault
    assert first is not None
    assert status(first, -sigma - near) == (Status.OK, "")
    assert status(first, -sigma + near) == (Status.NOT_JUDGED, judging.WITHIN_ERROR)
    assert status(first, near)[0] is Status.CAUTION
    if fault is not None:
        assert status(fault, sigma - near)[0] is Status.CAUTION
        assert status(fault, sigma + near)[0] is Status.FAULT
    else:
        assert status(first, 90.0)[0] is Status.CAUTION


@pytest.mark.parametrize(("measured", "reason"), [(0.1, "the body stayed still"), (2.0, "")])
def test_an_excused_finding_is_ok_whatever_was_measured_and_past_the_limit_says_why(
    measured: float, reason: str
) -> None:
    item = cases.applied(EXERCISES["prone-leg-curl"], "momentum")
    given = replace(item, rule=replace(item.rule, check=lambda *_: Finding(measured, 2.0, 1.5, 2.5, excused=True)))
    evidence = judging.Evidence(window_of(dict.fromkeys(METRICS, 1.0)), dict.fromkeys(METRICS, 1.0), yaw_deg=0.0)
    (outcome,) = judging.judge_rep(evidence, EXERCISES["prone-leg-curl"], [given])
    assert (outcome.status, outcome.measured, outcome.reason) == (Status.OK, measured, reason)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_that_excuses_can_say_why(rule: Rule) -> None:
    source = inspect.getsource(import_module(f"formcheck.rules.{rule.id.replace('-', '_')}"))
    assert bool(rule.excuse) == ("excused=" in source)


def held(values: list[float], held_s: float, direction: Direction, chosen: list[bool] | None = None) -> Finding | None:
    frames = np.ones(len(values), dtype=bool) if chosen is None else np.array(chosen)
    return sustained_extreme(np.arange(len(values)) * 0.1, np.array(values, dtype=float), frames, held_s, direction)


def test_sustained_extreme_takes_the_mildest_of_the_worst_stretch() -> None:
    finding = held([0, 5, 9, 8, 7, 9, 2, 0], 0.3, Direction.ABOVE)
    assert finding is not None
    assert finding.measured == 7.0
    assert (finding.start_s, finding.end_s) == pytest.approx((0.2, 0.5))
    assert finding.worst_s in (pytest.approx(0.2), pytest.approx(0.5))
    lowest = held([0, -5, -9, -8, -7, -9, -2, 0], 0.3, Direction.BELOW)
    assert lowest is not None
    assert lowest.measured == -7.0


def test_sustained_extreme_of_a_short_window_takes_all_of_it() -> None:
    finding = held([4, 6, 5], 5.0, Direction.ABOVE)
    assert finding is not None
    assert finding.measured == 4.0
    assert held([4], 5.0, Direction.ABOVE) == Finding(4.0, 0.0, 0.0, 0.0)


def test_sustained_extreme_looks_only_at_what_is_chosen_and_seen() -> None:
    finding = held([99, 5, np.nan, 5, 99], 0.2, Direction.ABOVE, [False, True, True, True, False])
    assert finding is not None
    assert finding.measured == 5.0
    assert held([1, 2], 0.1, Direction.ABOVE, [False, False]) is None
    assert held([np.nan, np.nan], 0.1, Direction.ABOVE) is None


def test_around_adds_the_frames_near_the_chosen_ones() -> None:
    time_s = np.arange(10) * 0.1
    chosen = np.isin(np.arange(10), [4, 5, 9])
    assert np.flatnonzero(around(time_s, chosen, 0.1)).tolist() == [3, 4, 5, 6, 8, 9]
    assert (around(time_s, chosen, 0.0) == chosen).all()
    assert not around(time_s, np.zeros(10, dtype=bool), 1.0).any()


@pytest.mark.parametrize(("rule_id", "sign"), [("rounded-lower-back", 1.0), ("arched-lower-back", -1.0)])
def test_a_quick_turn_a_frame_or_two_later_has_much_the_same_back(rule_id: str, sign: float) -> None:
    """A back that changes by 40 degrees a second, and a turn of three frames: which ones they are is hardly told."""
    limits = cases.applied(exercise_of(rule_id), rule_id).limits
    points = [[0, 0], [1.0, 0], [1.9, sign * 36.0], [2.1, sign * 36.0], [3.0, 0], [4, 0]]
    window = window_of(dict.fromkeys(METRICS, points))
    measured = []
    for turn_s in (1.85, 1.95, 2.05):
        turn = np.abs(window.time_s - turn_s) < 0.06
        assert 1 <= turn.sum() <= 4
        finding = RULES[rule_id].check(dataclasses.replace(window, turn=turn), limits)
        assert finding is not None
        measured.append(sign * finding.measured)
    assert 34.0 <= min(measured) <= max(measured) <= 36.0


def test_direction_excess() -> None:
    assert Direction.ABOVE.excess(12.0, 10.0) == 2.0
    assert Direction.BELOW.excess(12.0, 10.0) == -2.0


def test_windows_name_the_phases_as_the_exercise_does() -> None:
    lifts_first, lowers_first = window_of({}), window_of({}, Phase.LOWERING)
    assert lifts_first.lifting[0]
    assert lowers_first.lowering[0]
    assert lowers_first.lifting[-1]
