"""Outcomes of a clip that was read sparsely which poses between two frames may have decided."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_reports import make_outcome

from formcheck import judging, lumbar, pipeline
from formcheck.config import Settings
from formcheck.doubts import (
    AROUND_S,
    DOUBT_OF_BACK_FAULT_SIGMAS,
    DOUBT_OF_FAULT_SIGMAS,
    DOUBT_SIGMAS,
    JUST_S,
    Span,
    fits,
    in_doubt,
    needs_outlines,
    spans_to_read,
)
from formcheck.exercises import EXERCISES
from formcheck.sampling import EDGE_S
from formcheck.slots import LOOK_SLOT_S, time_slot
from formcheck.types import Outcome, Status

RDL = pipeline.applied_rules(EXERCISES["romanian-deadlift"], Settings())


def doubted(*outcomes: Outcome) -> tuple[Outcome, ...]:
    return in_doubt(outcomes, RDL, 40.0)


def rounded(spans: tuple[Span, ...] | None) -> list[Span]:
    return [(round(start_s, 3), round(end_s, 3)) for start_s, end_s in spans or ()]


class TestDoubt:
    @pytest.mark.parametrize("measured", np.arange(-11.99, 12.0, 0.47).tolist())
    def test_a_value_is_in_doubt_where_another_status_is_near(self, measured: float) -> None:
        """Locked knees: a fault below -6, a caution up to 3, not judged up to 6."""
        item = next(item for item in RDL if item.rule.id == "locked-knees")
        assert (item.limits.caution, item.limits.fault) == (3.0, -3.0)
        outcome = make_outcome(rule="locked-knees", measured=measured, sigma=3.0)
        outcome = replace(outcome, status=judging.grade(measured, 3.0, item.limits, item.rule))
        near = min(abs(measured - border) for border in (-6.0, 3.0, 6.0)) < 3.0 * DOUBT_SIGMAS
        near |= -6.0 - 3.0 * DOUBT_OF_FAULT_SIGMAS < measured < -6.0
        assert doubted(outcome) == ((outcome,) if near else ())

    @pytest.mark.parametrize(("measured", "sigma"), [(math.nan, math.nan), (3.1, 3.0), (3.1, 0.0)])
    def test_what_was_not_decided_by_its_value_is_not_in_doubt(self, measured: float, sigma: float) -> None:
        outcome = make_outcome(rule="locked-knees", status=Status.OK, measured=measured, sigma=sigma)
        assert doubted(outcome) == ()

    @pytest.mark.parametrize("sigmas", [-0.5 * DOUBT_SIGMAS, 0.5 * DOUBT_SIGMAS, 2.0 * DOUBT_OF_BACK_FAULT_SIGMAS])
    @pytest.mark.parametrize("border", ["caution", "fault"])
    def test_of_the_back_only_a_fault_that_is_nearly_none_is_in_doubt(self, border: str, sigmas: float) -> None:
        """Its outlines are much the same ones, however closely frames are read; so nothing but the full rate tells."""
        item = next(item for item in RDL if item.rule.id == "rounded-lower-back")
        grades = {
            value: judging.grade(value, 5.0, item.limits, item.rule) for value in np.arange(0.0, 60.0, 0.001).tolist()
        }
        first = next(value for value, status in grades.items() if status.value == border)
        measured = first + sigmas * 5.0
        status = judging.grade(measured, 5.0, item.limits, item.rule)
        outcome = make_outcome(
            rule="rounded-lower-back", rep=1, status=status, measured=measured, sigma=5.0, start_s=5.0, end_s=5.2
        )
        if border == "fault" and 0 < sigmas < DOUBT_OF_BACK_FAULT_SIGMAS:
            assert doubted(outcome) == (outcome,)
            assert in_doubt([outcome], RDL, 40.0, [(0.0, 10.0)]) == (outcome,)
            assert spans_to_read([outcome], RDL, 40.0) is None
        else:
            assert doubted(outcome) == ()

    @pytest.mark.parametrize(
        ("reason", "lost"),
        [
            (judging.UNSEEN.format(judging.LEG), True),
            (judging.UNSEEN.format(judging.FOOT), True),
            (lumbar.UNCLEAR, True),
            (lumbar.ARM, False),
            (lumbar.ROUGH, False),
            (judging.CUT_OFF, False),
            ("", False),
        ],
    )
    def test_outlines_are_needed_for_what_the_network_did_not_see(self, reason: str, lost: bool) -> None:
        knees = make_outcome(rule="locked-knees", status=Status.NOT_JUDGED, reason=reason)
        assert needs_outlines([knees]) is lost
        assert not needs_outlines([])

    def test_what_was_lost_in_one_repetition_is_in_doubt_and_what_is_hidden_in_most_is_not(self) -> None:
        seen = make_outcome(rule="locked-knees", rep=1, status=Status.OK, measured=20.0, sigma=3.0)
        lost = replace(
            seen,
            rep=2,
            status=Status.NOT_JUDGED,
            measured=math.nan,
            sigma=math.nan,
            reason=judging.UNSEEN.format(judging.LEG),
        )
        other = replace(lost, reason="could not be measured")
        hidden = [lost, replace(lost, rep=3), replace(lost, rep=4)]
        assert doubted(seen, lost) == (lost,)
        assert doubted(lost) == (lost,)
        assert doubted(seen, *hidden) == ()
        assert len(doubted(seen, replace(seen, rep=5), *hidden[:2])) == 2
        assert doubted(seen, other) == ()

    def test_stretches_in_doubt_are_read_and_neighbours_in_one_piece(self) -> None:
        spans = {1: (2.0, 4.0), 2: (4.5, 6.5), 3: (20.0, 22.0)}
        doubtful = [
            make_outcome(rule="locked-knees", rep=number, start_s=spans[number][0], end_s=spans[number][1])
            for number in (3, 1, 2)
        ]
        assert rounded(spans_to_read(doubtful, RDL, 40.0)) == [(1.4, 7.0), (19.4, 22.5)]
        assert rounded(spans_to_read(doubtful[:1], RDL, 40.0)) == [(19.4, 22.5)]
        assert rounded(spans_to_read(doubtful[:1], RDL, 40.0, [(0.0, 21.0)])) == [(19.4, 22.5)]  # 22.5 s of 40
        assert spans_to_read(doubtful[:1], RDL, 40.0, [(0.0, 19.0), (30.0, 33.0)]) is None  # 25 s of 40

    @given(start_s=st.floats(0.0, 30.0), length_s=st.floats(0.0, 3.0))
    def test_a_stretch_begins_with_a_slot_as_the_whole_clip_has_them(self, start_s: float, length_s: float) -> None:
        """Else its first frame, in the middle of a slot, would be looked at in place of the slot's own."""
        doubtful = [make_outcome(rule="locked-knees", rep=1, start_s=start_s, end_s=start_s + length_s)]
        ((first_s, last_s),) = spans_to_read(doubtful, RDL, 40.0) or ()
        assert first_s / LOOK_SLOT_S == pytest.approx(round(first_s / LOOK_SLOT_S), abs=1e-3)
        assert start_s - AROUND_S - LOOK_SLOT_S - 2 * JUST_S < first_s <= start_s - AROUND_S
        assert last_s == start_s + length_s + AROUND_S

    @pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60.0, 240.0])
    def test_the_first_frame_of_its_first_slot_is_part_of_a_stretch(self, fps: float) -> None:
        times_s = [index / fps for index in range(round(20 * fps))]
        slots = [time_slot(time_s, LOOK_SLOT_S) for time_s in times_s]
        for number in range(1, 90):
            doubtful = [make_outcome(rule="locked-knees", rep=1, start_s=number * 0.2 + AROUND_S + 0.1, end_s=19.0)]
            ((first_s, _),) = spans_to_read(doubtful, RDL, 40.0) or ()
            first = next(index for index, time_s in enumerate(times_s) if time_s >= first_s)
            assert first == slots.index(number)

    def test_what_was_read_at_the_full_rate_is_in_doubt_no_more(self) -> None:
        outcome = make_outcome(
            rule="locked-knees", status=Status.CAUTION, measured=2.9, sigma=3.0, start_s=2.0, end_s=2.5
        )
        assert doubted(outcome) == (outcome,)
        assert in_doubt([outcome], RDL, 40.0, [(0.0, 1.0), (1.5, 3.0)]) == ()
        assert in_doubt([outcome], RDL, 40.0, [(2.2, 3.0)]) == (outcome,)

    def test_what_was_not_in_doubt_must_stay(self) -> None:
        before = [make_outcome(rep=1), make_outcome(rep=2)]
        changed = replace(before[0], status=Status.CAUTION)
        assert fits(before[:1], before, [changed, before[1]], RDL)
        assert not fits(before[1:], before, [changed, before[1]], RDL)
        assert not fits(before[:1], before, before[:1], RDL)
        assert not fits(before[:1], before, [*before, make_outcome(rep=3)], RDL)

    def test_the_back_may_move_a_little_with_what_is_read_elsewhere_but_not_to_a_fault(self) -> None:
        asked, other = (make_outcome(rule="rounded-lower-back", rep=rep, status=Status.CAUTION) for rep in (1, 2))
        for status, fitting in ((Status.OK, True), (Status.NOT_JUDGED, True), (Status.FAULT, False)):
            assert fits([asked], [asked, other], [asked, replace(other, status=status)], RDL) is fitting
            assert fits([asked], [asked, replace(other, status=status)], [asked, other], RDL) is fitting

    def test_a_repetition_that_the_clip_seems_to_cut_off_has_the_clips_edges_read(self) -> None:
        begun = replace(
            make_outcome(rule="locked-knees", rep=1, start_s=0.0, end_s=5.0),
            status=Status.NOT_JUDGED,
            measured=math.nan,
            sigma=math.nan,
            reason=judging.CUT_OFF,
        )
        assert doubted(begun) == (begun,)
        assert rounded(spans_to_read([begun], RDL, 40.0)) == [(-0.6, EDGE_S + AROUND_S)]
        assert in_doubt([begun], RDL, 40.0, [(0.0, EDGE_S)]) == ()
        ends = replace(begun, start_s=36.0, end_s=40.0)
        assert rounded(spans_to_read([ends], RDL, 40.0)) == [(38.8, 40.0 + AROUND_S)]
        inside = replace(begun, start_s=10.0, end_s=14.0)  # by a cut
        assert rounded(spans_to_read([inside], RDL, 40.0)) == [(9.4, 14.5)]

    @pytest.mark.parametrize(
        ("rule", "rep", "duration_s"),
        [("rounded-lower-back", 1, 4.5), ("fatigue", None, 40.0), ("locked-knees", 1, 4.5)],
    )
    def test_all_is_read_for_a_set_and_where_it_is_most_of_the_clip(
        self, rule: str, rep: int | None, duration_s: float
    ) -> None:
        doubtful = [make_outcome(rule=rule, rep=rep, start_s=0.2, end_s=3.0)]
        assert spans_to_read(doubtful, RDL, duration_s) is None
