"""Adding weight: only when the form has held, and never on what was not seen."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_factory import START, report, session

from formcheck.exercises import EXERCISES
from formcheck.history.load import Action, load_advice
from formcheck.types import Kind, Side, Status

RDL = "romanian-deadlift"
OK, CAUTION, FAULT, UNSEEN = Status.OK, Status.CAUTION, Status.FAULT, Status.NOT_JUDGED


def advice(*sessions, exercise=RDL):
    return load_advice(sessions, exercise)


def test_held_on_two_days_is_more_weight():
    found = advice(session(1), session(2))
    assert found.action is Action.ADD
    assert "2 to 10 %" in found.reason
    assert found.weight_kg == 60
    assert found.not_judged == ()


def test_held_on_one_day_is_once_more():
    assert advice(session(1)).action is Action.KEEP
    same_day = replace(session(2), when=START + timedelta(days=1, minutes=20))
    assert advice(session(1), same_day).action is Action.KEEP


def test_a_heavier_or_lighter_day_before_does_not_count():
    assert advice(session(1, weight_kg=70.0), session(2)).action is Action.KEEP
    assert advice(session(1), session(2, weight_kg=50.0), session(3)).action is Action.KEEP


def test_lighter_sets_are_warm_up():
    early = timedelta(minutes=-15)
    bad = report(statuses={"locked-knees": FAULT})
    warm = [replace(session(day + 2, bad, weight_kg=40.0), when=START + timedelta(days=day) + early) for day in (1, 2)]
    found = advice(*warm, session(1), session(2))
    assert found.action is Action.ADD
    assert found.weight_kg == 60
    back_off = replace(session(5, weight_kg=40.0), when=START + timedelta(days=2, minutes=15))
    assert advice(session(1), session(2), back_off).weight_kg == 60


def test_a_set_whose_weight_was_not_entered_counts():
    early = timedelta(minutes=-15)
    unknown = session(3, report(statuses={"locked-knees": CAUTION}), weight_kg=None)
    assert (
        advice(session(1), session(2), replace(unknown, when=START + timedelta(days=2) + early)).action is Action.KEEP
    )


@pytest.mark.parametrize("status", [CAUTION, FAULT])
def test_one_finding_keeps_the_weight_and_is_named(status):
    slipped = session(2, report(statuses={"rounded-lower-back": [OK, OK, status, OK, OK]}))
    found = advice(session(1), slipped)
    assert found.action is Action.KEEP
    assert "Seen in 1 of 5 repetitions: rounded lower back." in found.reason


def test_a_finding_on_the_day_before_keeps_the_weight():
    slipped = session(1, report(statuses={"rounded-lower-back": [OK, OK, CAUTION, OK, OK]}))
    found = advice(slipped, session(2))
    assert found.action is Action.KEEP
    assert "rounded lower back" in found.reason


def test_one_bad_set_of_a_day_is_enough():
    bad = replace(session(3, report(statuses={"locked-knees": CAUTION})), when=START + timedelta(days=2, minutes=-10))
    assert advice(session(1), bad, session(2)).action is Action.KEEP


def test_faults_in_half_of_the_repetitions_are_less_weight():
    broke = session(2, report(reps=6, statuses={"rounded-lower-back": [FAULT, FAULT, FAULT, OK, OK, OK]}))
    found = advice(session(1), broke)
    assert found.action is Action.REDUCE
    assert "less weight" in found.reason


def test_tired_with_a_fault_is_less_weight_and_tired_alone_is_the_same():
    tired = report(statuses={"fatigue": CAUTION, "locked-knees": [OK, OK, OK, OK, FAULT]})
    assert advice(session(1), session(2, tired)).action is Action.REDUCE
    assert advice(session(1), session(2, report(statuses={"fatigue": CAUTION}))).action is Action.KEEP


@pytest.mark.parametrize("rule", ["short-range", "fatigue"])
def test_without_the_range_or_the_fatigue_it_cannot_be_told(rule):
    unseen = session(2, report(statuses={rule: UNSEEN}))
    assert advice(session(1), unseen).action is Action.CANNOT_TELL


def test_with_many_rules_unseen_it_cannot_be_told_and_with_few_they_are_named():
    few = {"rounded-lower-back": UNSEEN}
    many = dict.fromkeys(("rounded-lower-back", "locked-knees", "ankle-not-neutral", "neck-flexion"), UNSEEN)
    assert advice(session(1), session(2, report(statuses=many))).action is Action.CANNOT_TELL
    found = advice(session(1), session(2, report(statuses=few)))
    assert found.action is Action.ADD
    assert found.not_judged == ("rounded lower back",)


def test_few_repetitions_or_fewer_than_were_done_cannot_be_told():
    assert advice(session(1), session(2, report(reps=3))).action is Action.CANNOT_TELL
    found = advice(session(1), session(2, entered_reps=10))
    assert found.action is Action.CANNOT_TELL
    assert "5 of the 10" in found.reason


def test_without_a_weight_it_is_asked_for():
    assert "Enter the weight" in advice(session(1), session(2, weight_kg=None)).reason
    assert advice(session(1, weight_kg=0.0), session(2, weight_kg=0.0)).action is Action.ADD


def test_one_leg_alone_is_not_enough():
    one = [session(day, report("single-leg-rdl", side=Side.LEFT)) for day in (1, 2)]
    found = advice(*one, exercise="single-leg-rdl")
    assert found.action is Action.CANNOT_TELL
    assert "right" in found.reason
    other = [session(day + 2, report("single-leg-rdl", side=Side.RIGHT)) for day in (1, 2)]
    other = [replace(item, when=item.when - timedelta(days=2)) for item in other]
    assert advice(*one, *other, exercise="single-leg-rdl").action is Action.ADD


@pytest.mark.parametrize(
    "exercise", [item.id for item in EXERCISES.values() if item.kind is Kind.HOLD] + ["sciatic-slider"]
)
def test_there_is_no_weight_in_a_stretch_or_a_glide(exercise):
    days = [session(day, report(exercise)) for day in (1, 2)]
    assert advice(*days, exercise=exercise).action is Action.CANNOT_TELL


def test_no_session():
    assert advice().action is Action.CANNOT_TELL
    assert advice(session(1), exercise="prone-leg-curl").action is Action.CANNOT_TELL


RULES_OF_RDL = [use.rule for use in EXERCISES[RDL].rules if use.rule != "neural-load"]
statuses_of = st.dictionaries(
    st.sampled_from(RULES_OF_RDL), st.lists(st.sampled_from(Status), min_size=5, max_size=5), max_size=4
)


@settings(deadline=None)
@given(statuses_of, statuses_of)
def test_weight_is_added_only_without_any_finding_and_with_the_range_judged(first, second):
    for statuses in (first, second):
        if "fatigue" in statuses:
            statuses["fatigue"] = statuses["fatigue"][0]
    days = session(1, report(statuses=first)), session(2, report(statuses=second))
    outcomes = [outcome for day in days for outcome in day.report.outcomes]
    if advice(*days).action is Action.ADD:
        assert {outcome.status for outcome in outcomes} <= {OK, UNSEEN}
        ranges = [outcome.status for outcome in outcomes if outcome.rule == "short-range"]
        assert ranges.count(OK) >= 0.75 * len(ranges)


@settings(deadline=None)
@given(statuses_of)
def test_seeing_less_never_adds_weight(statuses):
    statuses.pop("fatigue", None)
    blinded = {rule: [UNSEEN if status is OK else status for status in found] for rule, found in statuses.items()}
    if advice(session(1), session(2, report(statuses=statuses))).action is not Action.ADD:
        assert advice(session(1), session(2, report(statuses=blinded))).action is not Action.ADD
