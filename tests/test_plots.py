"""Plots: which angles, thinned without losing a peak, limits and findings where they belong, drawn offline."""

import re
import socket
from dataclasses import replace
from xml.etree import ElementTree

import filmed
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formcheck import accuracy, metrics
from formcheck.exercises import EXERCISES
from formcheck.reports.findings import findings_by_rule, letter_of
from formcheck.reports.panels import JOINTS, TITLES, judged_values, panel_metric, panels, thinned
from formcheck.reports.plots import DARK, LIGHT, angle_chart, chart_svg
from formcheck.types import Side, Status

BENT_BACK = "romanian-deadlift: knees bent backwards"
ROUNDED = "romanian-deadlift: rounded, head dropped"
HIDDEN = "romanian-deadlift: whole leg hidden"
NERVE = "seated-hamstring-stretch: all that draws the nerve"
FINDING = (Status.FAULT, Status.CAUTION)


def by_metric(name, max_points=2000):
    return {panel.metric: panel for panel in panels(filmed.analysis(name), max_points)}


class TestFindings:
    def test_faults_come_first_and_letters_follow(self):
        found = findings_by_rule(filmed.analysis(ROUNDED).report)
        assert [(item.letter, item.rule, item.status.value) for item in found] == [
            ("A", "rounded-lower-back", "fault"),
            ("B", "hinge-from-hips", "caution"),
            ("C", "neck-flexion", "caution"),
        ]
        assert [outcome.rep for outcome in found[0].outcomes] == [1, 2]

    def test_the_worst_is_the_one_farthest_past_its_limit(self):
        finding = findings_by_rule(filmed.analysis(BENT_BACK).report)[0]
        lowest = min(finding.outcomes, key=lambda outcome: outcome.measured)
        assert finding.worst is lowest

    def test_letters_go_on_after_z(self):
        assert [letter_of(place) for place in (0, 25, 26, 27, 52)] == ["A", "Z", "AA", "AB", "BA"]


class TestPanels:
    def test_the_judged_joints_come_first(self):
        assert tuple(by_metric(BENT_BACK))[:3] == JOINTS

    @pytest.mark.parametrize("name", [name for name in filmed.CASES if name.endswith(": good")])
    def test_every_rule_of_an_exercise_has_its_plot(self, name):
        report = filmed.analysis(name).report
        exercise = EXERCISES[report.exercise.name]
        shown = set(by_metric(name))
        assert shown <= set(TITLES)
        measured = [outcome for outcome in report.outcomes if outcome.status is not Status.NOT_JUDGED]
        assert {panel_metric(outcome, exercise) for outcome in measured} <= shown

    def test_the_values_are_those_of_the_judged_leg(self):
        analysis = filmed.analysis(BENT_BACK)
        panel = by_metric(BENT_BACK)["knee_flexion_deg"]
        side = analysis.report.reps[0].side
        column = analysis.table.columns[metrics.column_name("knee_flexion_deg", side)]
        assert np.array_equal(panel.value, column[np.isfinite(column)])

    def test_each_repetition_shows_its_own_leg(self):
        analysis = filmed.analysis(BENT_BACK)
        first, second = analysis.report.reps
        reps = (replace(first, side=Side.LEFT), replace(second, side=Side.RIGHT))
        value, side = judged_values(analysis.table, reps, "knee_flexion_deg")
        table = analysis.table
        for rep in reps:
            inside = (table.time_s >= rep.start_s) & (table.time_s <= rep.end_s)
            expected = table.columns[metrics.column_name("knee_flexion_deg", rep.side)][inside]
            assert np.array_equal(value[inside], expected, equal_nan=True)
        assert sorted(set(side.tolist())) == [0, 1]

    def test_a_gap_in_what_was_seen_begins_another_line(self):
        analysis = filmed.analysis(BENT_BACK)
        columns = {name: column.copy() for name, column in analysis.table.columns.items()}
        for column in columns.values():
            column[40:60] = np.nan
        gappy = replace(analysis, table=replace(analysis.table, columns=columns))
        knee = next(panel for panel in panels(gappy, 2000) if panel.metric == "knee_flexion_deg")
        assert len(set(knee.part.tolist())) == 2
        changes = np.flatnonzero(np.diff(knee.part))
        assert knee.time_s[changes[0] + 1] - knee.time_s[changes[0]] > 0.5

    def test_the_error_is_that_of_the_tables(self):
        analysis = filmed.analysis(BENT_BACK)
        position = EXERCISES["romanian-deadlift"].position
        for panel in panels(analysis, 2000):
            assert panel.sigma == accuracy.sigma(panel.metric, position, analysis.report.view.yaw_deg)

    def test_limits_are_those_that_were_applied(self):
        lines = by_metric(BENT_BACK)["knee_flexion_deg"].limits
        assert [(line.value, line.text) for line in lines] == [
            (-3.0, "Locked knees: under \N{MINUS SIGN}3°"),
            (35.0, "Squatting the hinge: over 35°"),
        ]

    @pytest.mark.parametrize("name", [BENT_BACK, ROUNDED, NERVE])
    def test_every_finding_is_marked_on_the_line_at_its_moment(self, name):
        analysis = filmed.analysis(name)
        shown = by_metric(name)
        exercise = EXERCISES[analysis.report.exercise.name]
        wanted = 0
        for finding in findings_by_rule(analysis.report):
            for outcome in finding.outcomes:
                panel = shown[panel_metric(outcome, exercise)]
                (mark,) = [
                    mark
                    for mark in panel.marks
                    if finding.letter in mark.letters.split() and abs(mark.time_s - outcome.worst_s) < 0.15
                ]
                row = int(np.argmin(np.abs(panel.time_s - mark.time_s)))
                assert mark.value == pytest.approx(panel.value[row])
                wanted += 1
        assert wanted

    def test_findings_of_one_moment_are_one_mark_of_the_most_serious_kind(self):
        analysis = filmed.analysis(BENT_BACK)
        report = analysis.report
        fault = next(outcome for outcome in report.outcomes if outcome.status is Status.FAULT)
        other = replace(fault, rule="knees-bending", status=Status.CAUTION, message="Also this.")
        both = replace(analysis, report=replace(report, outcomes=(other, fault)))
        (mark,) = next(panel for panel in panels(both, 2000) if panel.metric == "knee_flexion_deg").marks
        assert (mark.letters, mark.status) == ("A B", Status.FAULT)
        assert mark.text == f"{fault.message}; Also this."

    def test_nothing_seen_gives_no_plots(self):
        analysis = filmed.analysis(BENT_BACK)
        empty = {name: np.full_like(column, np.nan) for name, column in analysis.table.columns.items()}
        assert panels(replace(analysis, table=replace(analysis.table, columns=empty)), 2000) == ()


class TestThinning:
    @given(
        st.lists(st.floats(-180, 180), min_size=1, max_size=400),
        st.integers(8, 120),
        st.integers(0, 400),
    )
    def test_the_number_is_kept_and_so_are_peak_and_dip(self, values, most, gap):
        value = np.array(values)
        part = (np.arange(value.size) >= gap).astype(int)
        kept = thinned(value, part, most)
        assert kept.size <= max(most, 0)
        assert np.all(np.diff(kept) > 0)
        assert value[kept].max() == value.max()
        assert value[kept].min() == value.min()
        assert (kept[0], kept[-1]) == (0, value.size - 1)

    def test_a_spike_of_one_frame_in_ten_minutes_stays(self):
        time = np.arange(18_000) / 30
        value = 40 + 30 * np.sin(time)
        value[7_777] = 91.0
        kept = thinned(value, np.zeros(value.size, dtype=int), 2000)
        assert kept.size <= 2000
        assert value[kept].max() == 91.0

    def test_very_many_gaps_do_not_break_the_limit(self):
        value = np.arange(5000.0)
        assert thinned(value, np.arange(5000) // 2, 100).size <= 100


class TestChart:
    @pytest.fixture(autouse=True)
    def _no_network(self, monkeypatch):
        def refuse(*_):
            raise AssertionError("a chart must not open a connection")

        monkeypatch.setattr(socket.socket, "connect", refuse)

    @pytest.mark.parametrize("dark", [False, True])
    def test_it_is_drawn_with_fault_and_caution_in_different_shapes_and_colours(self, dark):
        svg = chart_svg(angle_chart(filmed.analysis(ROUNDED), dark=dark))
        colours = DARK if dark else LIGHT
        faults, cautions = (
            re.findall(rf'd="([^"]+)"[^>]*fill="{colour}"', svg) for colour in (colours.fault, colours.caution)
        )
        assert len(faults) == 2
        assert len(cautions) == 4
        assert set(faults).isdisjoint(cautions)

    def test_the_svg_stands_for_itself(self):
        svg = chart_svg(angle_chart(filmed.analysis(ROUNDED)))
        root = ElementTree.fromstring(svg)
        assert root.tag.endswith("svg")
        without_names = svg.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
        assert "http" not in without_names
        assert "<script" not in svg
        assert "url(" not in svg.replace("url(#", "")
        texts = [element.text for element in root.iter() if element.tag.endswith("text")]
        assert "Knee: bend (0 = straight)" in texts
        assert {"rep 1", "rep 2", "A", "B", "C"} <= set(texts)

    def test_no_data_is_fetched_whatever_the_chart_names(self):
        chart = angle_chart(filmed.analysis(HIDDEN))
        assert '"url"' not in chart.to_json()

    def test_colours_can_be_exchanged_by_value(self):
        for palette in (LIGHT, DARK):
            values = [getattr(palette, name) for name in palette.__slots__]
            assert len(set(values)) == len(values)

    def test_many_repetitions_have_numbers_without_words(self):
        analysis = filmed.analysis(BENT_BACK)
        rep = analysis.report.reps[0]
        reps = tuple(replace(rep, number=n, start_s=n * 0.2, end_s=n * 0.2 + 0.15) for n in range(1, 31))
        many = replace(analysis, report=replace(analysis.report, reps=reps))
        texts = re.findall(r">([^<>]+)</text>", chart_svg(angle_chart(many)))
        assert "30" in texts
        assert "rep 30" not in texts

    def test_a_long_clip_stays_small(self):
        analysis = filmed.analysis(BENT_BACK)
        times = 60
        table = analysis.table
        step = table.time_s[-1] + 1 / 30
        longer = replace(
            table,
            time_s=np.concatenate([table.time_s + number * step for number in range(times)]),
            near_side=table.near_side * times,
            columns={name: np.tile(column, times) for name, column in table.columns.items()},
        )
        assert len(longer) > 10_000
        chart = angle_chart(replace(analysis, table=longer), max_points=600)
        for panel in chart.to_dict()["vconcat"][1:]:
            for layer in panel["layer"]:
                assert len(layer.get("data", {}).get("values", ())) <= 600

    def test_nothing_measured_is_said(self):
        analysis = filmed.analysis(BENT_BACK)
        empty = {name: np.full_like(column, np.nan) for name, column in analysis.table.columns.items()}
        svg = chart_svg(angle_chart(replace(analysis, table=replace(analysis.table, columns=empty))))
        assert "no angle could be measured" in svg

    @pytest.mark.parametrize("name", sorted(filmed.CASES)[::9])
    def test_every_kind_of_clip_can_be_drawn(self, name):
        assert chart_svg(angle_chart(filmed.analysis(name), width=300)).startswith("<svg")
