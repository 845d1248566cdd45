"""Rules of whole sets say what their tables of named cases expect, and once per set."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from typing import Any

import cases
import pytest
import synthetic
from cases import METRICS, window_of

from formcheck import accuracy, judging, verdicts
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.judging import Evidence
from formcheck.judging_sets import Judged, certain, judge_set
from formcheck.pipeline import applied_rules
from formcheck.rules import RULES, reduce_the_load
from formcheck.rules.base import Limits, WholeSet
from formcheck.types import Outcome, PoseTrack, Position, Scope, Side, Status

SETS = {path.stem: path for path in (cases.FOLDER / "sets").glob("*.toml")}
CASES = [(rule, case) for rule, path in SETS.items() for case in tomllib.loads(path.read_text("utf-8"))["case"]]
CURL = EXERCISES["prone-leg-curl"]
EVEN = {"ranges_deg": [100.0] * 4, "lifting_s": [1.5] * 4}


@pytest.fixture(autouse=True)
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def repetitions(case: dict[str, Any]) -> list[Judged]:
    """One repetition after the other, each with its range, the seconds of its lifting phase, and what was found."""
    found, begin_s = [], 0.0
    for number, (range_deg, lifting_s) in enumerate(zip(case["ranges_deg"], case["lifting_s"], strict=True), start=1):
        ends = lifting_s + cases.TURN_S + cases.BACK_S
        points = [[0.0, 0.0], [lifting_s, range_deg], [lifting_s + cases.TURN_S, range_deg], [ends, 0.0]]
        window = window_of({"range_deg": points}, CURL.outward, way_s={"out": lifting_s})
        side = Side(case["sides"][number - 1]) if "sides" in case else Side.RIGHT
        rep = window.rep
        moved = replace(
            rep,
            number=number,
            side=side,
            start_s=rep.start_s + begin_s,
            turn_s=rep.turn_s + begin_s,
            end_s=rep.end_s + begin_s,
            turn_start_s=rep.turn_start_s + begin_s,
            turn_end_s=rep.turn_end_s + begin_s,
        )
        window = replace(window, rep=moved, time_s=window.time_s + begin_s)
        begin_s = moved.end_s + 1.0
        share = 0.3 if number in case.get("unseen", []) else 1.0
        seen = Evidence(window, dict.fromkeys(METRICS, share), 0.0)
        found.append(Judged(seen, tuple(said(rule, number, case) for rule in case.get("rules", []))))
    return found


def said(rule: str, number: int, case: dict[str, Any]) -> Outcome:
    """What a rule of repetitions said: found where the case says so, else ok."""
    outcome = judging.unjudged(cases.applied(CURL, rule), CURL, "")
    if number in case.get("unjudged", {}).get(rule, []):
        return outcome
    status = Status.CAUTION if number in case.get("found", {}).get(rule, []) else Status.OK
    near = number in case.get("within_error", {}).get(rule, [])
    return replace(outcome, status=Status.CAUTION if near else status, reason=judging.WITHIN_ERROR if near else "")


def judged(rule: str, found: list[Judged]) -> tuple[Outcome, ...]:
    return judge_set(found, CURL, [cases.applied(CURL, rule)])


@pytest.mark.parametrize(("rule", "case"), CASES, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_named_case(rule: str, case: dict[str, Any]) -> None:
    (outcome,) = judged(rule, repetitions(case))
    assert outcome.status.value == case["expect"], outcome
    assert case.get("reason", "") in outcome.reason
    assert outcome.rep is None
    assert outcome.side == (None if case.get("side") == "none" else Side(case.get("side", "right")))
    if "measured" in case:
        assert outcome.measured == pytest.approx(case["measured"], abs=1.0)
        assert 0.0 <= outcome.sigma < 20.0
        assert outcome.start_s <= outcome.worst_s <= outcome.end_s
    speaks = outcome.status is Status.CAUTION
    assert bool(outcome.cue) == bool(outcome.message) == speaks


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.check_set is not None], ids=lambda r: r.id)
def test_every_rule_of_sets_keeps_the_contract(rule: Any) -> None:
    assert rule.scopes == {Scope.SET}
    assert rule.limits.parameters["min_reps"] >= 2
    assert rule.check(window_of({"range_deg": 50.0}), rule.limits) is None
    assert rule.metric not in METRICS
    assert {"ok", "caution", "not_judged"} <= {case["expect"] for name, case in CASES if name == rule.id}
    unseen = WholeSet(tuple(window_of({}) for _ in range(4)), 2.0, 0.1)
    assert rule.check_set(unseen, rule.limits) is None


def test_a_short_set_is_not_asked() -> None:
    assert judged("fatigue", []) == ()
    assert judged("fatigue", repetitions(EVEN)[:3]) == ()


def test_the_leg_with_more_repetitions_is_judged() -> None:
    found = repetitions(EVEN)
    left = repetitions({**EVEN, "sides": ["left"] * 4})
    (outcome,) = judged("fatigue", [*found[:2], *left])
    assert outcome.side is Side.LEFT
    assert judged("fatigue", [*found[:3], *left[:3]]) == ()


def test_the_legs_are_compared_only_where_both_were_filmed() -> None:
    assert judged("left-right-difference", repetitions(EVEN)) == ()
    (outcome,) = judged("left-right-difference", repetitions({**EVEN, "sides": ["left", "right", "left", "right"]}))
    assert outcome.status is Status.OK


@pytest.mark.parametrize("exercise", [item for item in EXERCISES.values() if item.rule_use("reduce-the-load")])
def test_load_advice_has_something_to_count(exercise: Exercise) -> None:
    assert sum(exercise.rule_use(rule) is not None for rule in reduce_the_load.COMPENSATIONS) >= 2


def test_a_larger_error_takes_a_finding_away(monkeypatch: pytest.MonkeyPatch) -> None:
    tired = repetitions({"ranges_deg": [100, 100, 70, 70], "lifting_s": [1.5, 1.5, 1.05, 1.05]})
    assert judged("fatigue", tired)[0].status is Status.CAUTION
    monkeypatch.setattr(accuracy, "sigma", lambda *_: 15.0)
    outcome = judged("fatigue", tired)[0]
    assert (outcome.status, outcome.reason) == (Status.NOT_JUDGED, judging.WITHIN_ERROR)


def test_a_finding_must_be_past_its_limit_by_more_than_its_error() -> None:
    rule, limits = RULES["fatigue"], Limits(20.0, None)
    statuses = [certain(value, 3.0, limits, rule) for value in (16.9, 17.1, 22.9, 23.1)]
    assert statuses == [Status.OK, Status.NOT_JUDGED, Status.NOT_JUDGED, Status.CAUTION]


@pytest.mark.parametrize(("knees", "status"), [([110.0] * 5, Status.OK), ([115.0, 115, 110, 60, 55], Status.CAUTION)])
def test_a_filmed_set_gets_one_outcome_after_its_repetitions(knees: list[float], status: Status) -> None:
    keys = [synthetic.Key(0.0, knee=5.0), synthetic.Key(1.5, knee=5.0)]
    for knee in knees:
        for seconds, angle in ((1.5, knee), (0.6, knee), (1.5, 5.0), (0.6, 5.0)):
            keys.append(synthetic.Key(keys[-1].time_s + seconds, knee=angle))
    poses = synthetic.film(keys, position=Position.PRONE, fps=25.0)
    verdict = verdicts.judge(PoseTrack.from_poses(poses), CURL, applied_rules(CURL, Settings()))
    assert len(verdict.reps) == len(knees)
    of_set = [outcome for outcome in verdict.outcomes if outcome.rep is None]
    assert [(outcome.rule, outcome.status) for outcome in of_set] == [("fatigue", status)]
    assert verdict.outcomes[-1] is of_set[0]
    assert math.isfinite(of_set[0].measured)
