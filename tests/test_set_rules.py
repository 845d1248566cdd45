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
from formcheck.judging import Evidence
from formcheck.judging_sets import certain, judge_set
from formcheck.pipeline import applied_rules
from formcheck.rules import RULES
from formcheck.rules.base import Limits, WholeSet
from formcheck.types import Outcome, PoseTrack, Position, Scope, Side, Status

SETS = {path.stem: path for path in (cases.FOLDER / "sets").glob("*.toml")}
CASES = [(rule, case) for rule, path in SETS.items() for case in tomllib.loads(path.read_text("utf-8"))["case"]]
CURL = EXERCISES["prone-leg-curl"]
EVEN = {"ranges_deg": [100.0] * 4, "lifting_s": [1.5] * 4}


@pytest.fixture(autouse=True)
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def evidence(case: dict[str, Any]) -> list[Evidence]:
    """One repetition after the other, each with its range and the seconds of its lifting phase."""
    found = []
    for number, (range_deg, lifting_s) in enumerate(zip(case["ranges_deg"], case["lifting_s"], strict=True), start=1):
        ends = lifting_s + cases.TURN_S + cases.BACK_S
        points = [[0.0, 0.0], [lifting_s, range_deg], [lifting_s + cases.TURN_S, range_deg], [ends, 0.0]]
        window = window_of({"range_deg": points}, CURL.outward, way_s={"out": lifting_s})
        window = replace(window, rep=replace(window.rep, number=number))
        share = 0.3 if number in case.get("unseen", []) else 1.0
        found.append(Evidence(window, dict.fromkeys(METRICS, share), 0.0))
    return found


def judged(rule: str, found: list[Evidence]) -> tuple[Outcome, ...]:
    return judge_set(found, CURL, [cases.applied(CURL, rule)])


@pytest.mark.parametrize(("rule", "case"), CASES, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_named_case(rule: str, case: dict[str, Any]) -> None:
    (outcome,) = judged(rule, evidence(case))
    assert outcome.status.value == case["expect"], outcome
    assert case.get("reason", "") in outcome.reason
    assert outcome.rep is None
    assert outcome.side is Side.RIGHT
    if "measured" in case:
        assert outcome.measured == pytest.approx(case["measured"], abs=1.0)
        assert 0.0 < outcome.sigma < 20.0
        assert outcome.start_s <= outcome.worst_s <= outcome.end_s
    speaks = outcome.status is Status.CAUTION
    assert bool(outcome.cue) == bool(outcome.message) == speaks


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.check_set is not None], ids=lambda r: r.id)
def test_every_rule_of_sets_keeps_the_contract(rule: Any) -> None:
    assert rule.scopes == {Scope.SET}
    assert rule.limits.parameters["min_reps"] >= 2
    assert rule.check(window_of({"range_deg": 50.0}), rule.limits) is None
    assert {"ok", "caution", "not_judged"} <= {case["expect"] for name, case in CASES if name == rule.id}
    unseen = WholeSet(tuple(window_of({}) for _ in range(4)), 2.0, 0.1)
    assert rule.check_set(unseen, rule.limits) is None


def test_a_short_set_is_not_asked() -> None:
    assert judged("fatigue", []) == ()
    assert judged("fatigue", evidence(EVEN)[:3]) == ()


def test_the_leg_with_more_repetitions_is_judged() -> None:
    found = evidence(EVEN)
    left = [replace(item, window=replace(item.window, rep=replace(item.window.rep, side=Side.LEFT))) for item in found]
    (outcome,) = judged("fatigue", [*found[:2], *left])
    assert outcome.side is Side.LEFT
    assert judged("fatigue", [*found[:3], *left[:3]]) == ()


def test_a_larger_error_takes_a_finding_away(monkeypatch: pytest.MonkeyPatch) -> None:
    tired = evidence({"ranges_deg": [100, 100, 70, 70], "lifting_s": [1.5, 1.5, 1.05, 1.05]})
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
