"""What changed over the sessions: real only beyond the measurement error."""

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_factory import START, report, session

from formcheck.history import trends
from formcheck.history.trends import Point, Series, between, change_text, compare, series_of, trend
from formcheck.rules import RULES
from formcheck.rules.base import Direction
from formcheck.types import Side, Status

CURVE = "romanian-deadlift"


def point(day, value, systematic=3.0, scatter=0.0, number=None):
    return Point(number or day + 1, START + timedelta(days=day), value, systematic, scatter, 5, 60.0)


def made(points, direction=Direction.ABOVE, limit=20.0, unit="deg"):
    return Series(CURVE, Side.RIGHT, "rounded-lower-back", "Rounding", unit, direction, limit, tuple(points))


def by_key(sessions, exercise=CURVE, side=Side.RIGHT):
    return {item.key: item for item in series_of(sessions, exercise) if item.side is side}


class TestSeries:
    def test_a_point_is_the_mean_with_both_parts_of_its_error(self):
        knees = [10.0, 12.0, 14.0, 16.0, 18.0]
        (found,) = by_key([session(1, report(measured={"locked-knees": knees}))])["locked-knees"].points
        assert found.value == pytest.approx(14.0)
        assert found.systematic == 3.0  # not divided by the root of 5: it is the same in each repetition
        assert found.scatter == pytest.approx(np.std(knees, ddof=1) / math.sqrt(5))
        assert found.error == pytest.approx(math.hypot(found.systematic, found.scatter))
        assert (found.count, found.weight_kg) == (5, 60.0)

    def test_what_was_not_measured_is_left_out(self):
        knees = [10.0, math.nan, 20.0, math.nan, math.nan]
        (found,) = by_key([session(1, report(measured={"locked-knees": knees}))])["locked-knees"].points
        assert (found.value, found.count) == (15.0, 2)
        unseen = report(statuses={"locked-knees": Status.NOT_JUDGED})
        assert "locked-knees" not in by_key([session(1, unseen)])

    def test_one_repetition_does_not_stand_for_a_session_but_one_hold_does(self):
        assert "locked-knees" not in by_key([session(1, report(reps=1))])
        hold = session(1, report("seated-hamstring-stretch", reps=1))
        assert "short-hold" in by_key([hold], "seated-hamstring-stretch")

    def test_sides_are_apart_and_the_oldest_comes_first(self):
        sessions = [
            session(3, report(side=Side.LEFT)),
            session(2, report(side=Side.RIGHT)),
            session(1, report(side=Side.RIGHT)),
        ]
        assert [item.session for item in by_key(sessions)["locked-knees"].points] == [1, 2]
        assert [item.session for item in by_key(sessions, side=Side.LEFT)["locked-knees"].points] == [3]

    def test_tempo_has_its_error_and_information_is_left_out(self):
        found = by_key([session(1)])
        assert found["lowering_s"].points[0].value == 2.5
        assert found["lowering_s"].points[0].systematic > 0
        assert not trends.LEFT_OUT & set(found)

    def test_another_exercise_or_an_unknown_one(self):
        assert series_of([session(1, report("prone-leg-curl"))], CURVE) == ()
        assert series_of([session(1)], "no-such-exercise") == ()

    def test_titles_are_of_rules_that_exist(self):
        assert set(trends.TITLES) | trends.LEFT_OUT <= set(RULES)


class TestChange:
    def test_two_sessions_need_the_minimal_detectable_change(self):
        mdc = 1.96 * math.sqrt(2) * 3.0
        for beyond, real in ((-0.1, False), (0.1, True)):
            series = made([point(0, 10.0), point(7, 10.0 + mdc + beyond)])
            for change in (between(series, *series.points), trend(series)):
                assert change.detectable == pytest.approx(mdc)
                assert change.difference == pytest.approx(mdc + beyond)
                assert change.real is real

    def test_two_sessions_are_compared_in_the_order_given(self):
        first = session(1, report(measured={"rounded-lower-back": [40.0] * 5}))
        second = session(2, report(measured={"rounded-lower-back": [10.0] * 5}))
        found = {series.key: change for series, change in compare(first, second)}
        assert found["rounded-lower-back"].difference == pytest.approx(-30)
        assert found["rounded-lower-back"].real
        assert not found["locked-knees"].real
        back = {series.key: change for series, change in compare(second, first)}
        assert back["rounded-lower-back"].difference == pytest.approx(30)

    def test_other_sides_or_exercises_have_nothing_in_common(self):
        right = session(1)
        assert compare(right, session(2, report(side=Side.LEFT))) == ()
        assert compare(right, session(2, report("prone-leg-curl"))) == ()

    def test_more_sessions_do_not_make_the_systematic_error_smaller(self):
        two = trend(made([point(0, 10.0), point(30, 10.0)])).detectable
        many = trend(made([point(day, 10.0) for day in range(31)])).detectable
        assert many >= two

    def test_a_camera_moved_once_is_no_real_change(self):
        """All sessions before some day share one offset of one standard error, and all after it the opposite one."""
        values = [-3.0] * 10 + [3.0] * 10
        assert not trend(made([point(day, value) for day, value in enumerate(values)])).real

    def test_a_large_steady_change_is_real(self):
        change = trend(made([point(day, 40.0 - 2 * day) for day in range(15)]))
        assert change.real
        assert change.difference == pytest.approx(-28.0)

    def test_days_that_differ_make_the_change_less_sure(self):
        steady = trend(made([point(day, day, systematic=0.5) for day in range(8)]))
        restless = trend(made([point(day, day + 8 * (-1) ** day, systematic=0.5) for day in range(8)]))
        assert restless.detectable > steady.detectable

    def test_false_alarms_are_rare(self):
        """Nothing changes; each session has an offset and a scatter of its own, as the error tables say."""
        random = np.random.default_rng(5)
        alarms = 0
        for _ in range(2000):
            count = int(random.integers(2, 12))
            values = 10 + random.normal(0, 3.0, count) + random.normal(0, 1.0, count)
            series = made([point(day, value, 3.0, 1.0) for day, value in enumerate(values)])
            alarms += trend(series).real
        assert alarms / 2000 <= 0.05

    def test_nothing_to_compare(self):
        assert trend(made([point(0, 1.0)])) is None
        assert trend(made([point(0, 1.0, number=1), point(0, 30.0, number=2)])) is None

    @pytest.mark.parametrize(
        ("before", "after", "better"),
        [(40.0, 10.0, True), (10.0, 40.0, False), (-10.0, 15.0, None), (60.0, 40.0, True)],
    )
    def test_better_is_only_what_leaves_or_enters_the_bad_side(self, before, after, better):
        series = made([point(0, before), point(1, after)])
        assert trend(series).better is better
        assert trend(made(series.points, direction=None)).better is None

    @settings(deadline=None)
    @given(
        st.lists(st.tuples(st.floats(-90, 90), st.floats(0.5, 10), st.floats(0, 10)), min_size=2, max_size=12),
        st.floats(-50, 50),
    )
    def test_where_zero_lies_does_not_matter(self, rows, offset):
        def change(extra):
            return trend(made([point(day, value + extra, *errors) for day, (value, *errors) in enumerate(rows)]))

        first, moved = change(0.0), change(offset)
        assert moved.difference == pytest.approx(first.difference, abs=1e-6)
        assert moved.detectable == pytest.approx(first.detectable, rel=1e-6)


class TestText:
    def test_a_change_within_the_error_is_none_that_the_camera_can_tell(self):
        series = made([point(0, 10.0), point(1, 14.0)])
        assert change_text(series, trend(series)) == (
            "No change that the camera can tell. It would have to be more than 8 deg."
        )

    def test_a_real_change_says_how_much_and_which_way(self):
        series = made([point(0, 40.0), point(1, 15.0)])
        assert change_text(series, trend(series)) == (
            "A real change, for the better: 25 deg less than before, beyond the 8 deg of measurement error."
        )
