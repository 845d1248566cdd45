"""The HTML report: one file that loads nothing, says everything, and lets no name from outside become markup."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import math
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import filmed
import numpy as np
import pytest
from PIL import Image
from test_reports import HIDDEN, UNSEEN, make_outcome, make_report

from formcheck.exercises import EXERCISES
from formcheck.explain import parse_documentation
from formcheck.reports import html, page
from formcheck.reports.findings import findings_by_rule, moment_s
from formcheck.reports.html import html_report
from formcheck.reports.moments import MAX_OF_RULE, MAX_STILLS, Moment, Still, back_pair, moments
from formcheck.reports.plots import DARK, LIGHT
from formcheck.reports.rep_table import REPS_IN_ROW, rep_tables, set_lines
from formcheck.reports.words import certainty, error_text, exercise_title, limit_text, rule_title, value_text
from formcheck.rules import RULES
from formcheck.types import Analysis, Outcome, Rep, Report, Side, Status, View

ROUNDED = "romanian-deadlift: rounded, head dropped"
BENT_BACK = "romanian-deadlift: knees bent backwards"
GOOD = "romanian-deadlift: good"
FRONT = "romanian-deadlift: camera at the front"
HOLD = "standing-toe-touch: rounded, head dropped"
NAN = math.nan
VOID = {"meta", "img", "br", "path", "rect", "line"}


SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0h1.234" fill="#1b2026"/></svg>'


@pytest.fixture(autouse=True)
def _quick_plots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plot takes a second; only the tests of `TestPlots` look at real ones."""
    if request.cls is not TestPlots:
        monkeypatch.setattr(html, "angle_chart", lambda *_, **__: None)
        monkeypatch.setattr(html, "chart_svg", lambda _: SVG)


class Parsed(HTMLParser):
    """Elements with their attributes, text by element, and whether every tag was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        """What a reader reads, in one line."""
        return " ".join(" ".join(text for tag, text in self.texts if tag not in {"style", "title"}).split())


def jpeg(width: int = 8, height: int = 6) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "JPEG")
    return buffer.getvalue()


def pictured(report: Report) -> tuple[Still, ...]:
    return tuple(Still(moment, moment.time_s, jpeg(), 8, 6) for moment in moments(report))


def made(name: str) -> Parsed:
    analysis = filmed.analysis(name)
    return Parsed(html_report(analysis, pictured(analysis.report)))


def with_report(analysis: Analysis, **changes: object) -> Analysis:
    return replace(analysis, report=replace(analysis.report, **changes))


def many_reps(count: int) -> Report:
    reps = tuple(
        Rep(n, Side.RIGHT, n, n + 0.4, n + 0.8, n + 0.3, n + 0.5, True, {"lifting_s": 0.3}) for n in range(1, count + 1)
    )
    outcomes = tuple(make_outcome(rep=rep.number, status=Status.FAULT, worst_s=rep.turn_s) for rep in reps)
    return make_report(reps=reps, outcomes=outcomes)


class TestSelfContained:
    def test_it_loads_nothing(self):
        parsed = made(ROUNDED)
        assert parsed.all("img")
        for tag, attributes in parsed.elements:
            assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form", "use", "image"}
            for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
                value = attributes.get(name)
                assert value is None or value.startswith(("data:image/jpeg;base64,", "#")), (tag, name)

    def test_its_policy_allows_its_own_style_and_pictures_and_nothing_else(self):
        text = html_report(filmed.analysis(ROUNDED))
        policy = next(
            m["content"] for m in Parsed(text).all("meta") if m.get("http-equiv") == "Content-Security-Policy"
        )
        parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert parts == {
            "default-src": "'none'",
            "img-src": "data:",
            "style-src": f"'sha256-{digest}'",
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        assert text.index("Content-Security-Policy") < text.index("<style")

    def test_nothing_needs_what_the_policy_forbids(self):
        for tag, attributes in made(ROUNDED).elements:
            assert "style" not in attributes, tag
            assert not [name for name in attributes if name.startswith("on")], tag

    def test_the_style_names_no_address(self):
        style = "".join(text for tag, text in made(GOOD).texts if tag == "style")
        assert "url(" not in style
        assert "@import" not in style

    def test_the_same_analysis_gives_the_same_page(self):
        analysis = filmed.analysis(ROUNDED)
        stills = pictured(analysis.report)
        assert html_report(analysis, stills) == html_report(analysis, stills)


class TestNamesFromOutside:
    NAME = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;.mp4"

    def test_no_name_or_warning_becomes_markup(self):
        analysis = filmed.analysis(ROUNDED)
        hostile = "</p></style><script>steal()</script> {{ 7 * 7 }} {% raw %}"
        report = analysis.report
        unjudged = replace(
            report.outcomes[0], status=Status.NOT_JUDGED, reason=hostile, measured=NAN, sigma=NAN, limit=NAN
        )
        changed = replace(
            analysis,
            report=replace(
                report,
                clip=replace(report.clip, path=self.NAME),
                warnings=(f"also {hostile}",),
                outcomes=(*report.outcomes, unjudged),
                tool=replace(report.tool, model=self.NAME),
            ),
        )
        parsed = Parsed(html_report(changed, pictured(changed.report)))
        assert parsed.wrong == []
        assert not parsed.all("script")
        assert not [image for image in parsed.all("img") if image["src"] == "x"]
        assert hostile in parsed.words
        assert f"Also {hostile}" in parsed.words
        assert "49" not in parsed.words
        assert self.NAME.rpartition("/")[2] in parsed.words

    def test_an_exercise_of_another_version_is_named_as_it_is(self):
        report = replace(make_report(), exercise=replace(make_report().exercise, name="<b>new</b>"))
        assert exercise_title(report) == "<b>new</b>"
        assert rule_title("<i>rule</i>") == "<i>rule</i>"

    def test_the_folder_of_the_clip_stays_at_home(self):
        analysis = filmed.analysis(GOOD)
        clip = replace(analysis.report.clip, path="/home/somebody/private/squat.mp4")
        text = html_report(with_report(analysis, clip=clip))
        assert "squat.mp4" in text
        assert "somebody" not in text


class TestHeadline:
    def test_faults_come_before_what_is_to_be_watched(self):
        assert page.headline(filmed.analysis(ROUNDED).report) == (
            "One thing to change: rounded lower back. Two more to watch."
        )

    def test_cautions_alone_are_to_be_watched(self):
        outcomes = [make_outcome(rule, status=Status.CAUTION) for rule in ("momentum", "short-range")]
        assert page.headline(make_report(outcomes=outcomes)) == "Two things to watch: swung, not lifted; short range."

    def test_a_long_list_is_counted(self):
        rules = ("locked-knees", "momentum", "short-range", "bouncing", "heel-lift")
        outcomes = [make_outcome(rule, status=Status.FAULT) for rule in rules]
        text = page.headline(make_report(outcomes=outcomes))
        assert text == "Five things to change: locked knees; swung, not lifted; short range; and two more."

    def test_good_is_said_with_its_number(self):
        report = make_report(outcomes=(make_outcome(),))
        assert page.headline(report) == "Nothing to change was seen in 2 repetitions."

    def test_good_in_part_is_not_said_of_the_whole(self):
        report = make_report(outcomes=(make_outcome(), make_outcome(rep=2, status=Status.NOT_JUDGED, reason=HIDDEN)))
        assert page.headline(report) == "Nothing to change was seen in what could be judged of 2 repetitions."

    def test_nothing_judged_is_never_good(self):
        unseen = [make_outcome(rep=rep, status=Status.NOT_JUDGED, reason=HIDDEN, **UNSEEN) for rep in (1, 2)]
        assert page.headline(make_report(outcomes=unseen)) == f"Nothing could be judged: {HIDDEN}."
        assert page.headline(make_report(outcomes=(), reps=())) == "Nothing could be judged: no repetition was found."

    def test_what_was_not_judged_is_counted_beside_it(self):
        assert page.overview(make_report()) == (
            "2 repetitions seen. 3 of 5 checks could not be judged; the reasons stand below."
        )
        assert page.overview(make_report(outcomes=(make_outcome(),))) == "2 repetitions seen."


class TestWords:
    @pytest.mark.parametrize(
        ("measured", "words"), [(-5.0, "not sure"), (-7.0, "fairly sure"), (-9.5, "clear"), (NAN, "")]
    )
    def test_how_sure_a_finding_is(self, measured, words):
        outcome = make_outcome(status=Status.FAULT, measured=measured, sigma=3.0, limit=-3.0)
        assert certainty(outcome) == words

    def test_certainty_goes_by_the_rules_direction(self):
        over = make_outcome("knees-bending", status=Status.CAUTION, measured=50.0, sigma=3.0, limit=35.0)
        assert certainty(over) == "clear"
        assert certainty(replace(over, status=Status.OK)) == ""

    def test_values_have_units_and_true_minus_signs(self):
        assert value_text(make_outcome(measured=-5.2)) == "\N{MINUS SIGN}5°"
        assert error_text(make_outcome()) == "± 3°"
        assert limit_text(make_outcome(limit=-3.0)) == "at least \N{MINUS SIGN}3°"
        turns = make_outcome("bouncing", measured=3.0, sigma=NAN, limit=2.0, unit="turns")
        assert (value_text(turns), error_text(turns), limit_text(turns)) == ("3 turns", "", "at most 2 turns")
        seconds = make_outcome("fast-lowering", measured=0.44, sigma=0.2, limit=1.0, unit="s")
        assert (value_text(seconds), error_text(seconds)) == ("0.4 s", "± 0.2 s")
        assert value_text(make_outcome(measured=NAN)) == ""

    @pytest.mark.parametrize(
        ("time_s", "words"),
        [(6.44, "6.4 s"), (59.97, "1:00.0 min"), (66.4, "1:06.4 min"), (0.0, "0.0 s"), (NAN, "\N{EN DASH}")],
    )
    def test_moments(self, time_s, words):
        assert page.clock(time_s) == words


class TestFindings:
    @pytest.mark.parametrize("name", [ROUNDED, HOLD, "prone-leg-curl: swung and dropped"])
    def test_each_says_what_when_how_sure_what_to_do_why_and_how_strong(self, name):
        report = filmed.analysis(name).report
        words = made(name).words
        for finding in findings_by_rule(report):
            rule = RULES[finding.rule]
            text = parse_documentation(rule.documentation)
            for part in (rule.title, finding.worst.message, finding.worst.cue, text.what_to_do, text.why):
                assert " ".join(part.split()) in words
            assert text.strength.capitalize() in words
            for outcome in finding.outcomes:
                assert page.clock(outcome.worst_s) in words
                assert f"{value_text(outcome)} {error_text(outcome)}" in words
                assert certainty(outcome) in words

    def test_stills_have_words_for_those_who_do_not_see_them(self):
        images = made(ROUNDED).all("img")
        assert len(images) == len(moments(filmed.analysis(ROUNDED).report))
        for image in images:
            assert len(image["alt"]) > 20
            assert image["width"] == "8"

    def test_without_stills_there_is_still_a_page(self):
        parsed = Parsed(html_report(filmed.analysis(ROUNDED)))
        assert parsed.wrong == []
        assert not parsed.all("img")

    def test_a_still_of_nothing_belongs_to_no_finding(self):
        still = Still(Moment(1.0, None), 1.0, jpeg(), 8, 6)
        with pytest.raises(ValueError, match="no finding"):
            page._finding_picture(make_report(), still)

    def test_good_rules_are_those_judged_and_never_found(self):
        report = make_report(
            outcomes=(
                make_outcome(rep=1),
                make_outcome(rep=2, status=Status.NOT_JUDGED, reason=HIDDEN),
                make_outcome("momentum", 1),
                make_outcome("momentum", 2, Status.CAUTION),
                make_outcome("heel-lift", 1, Status.NOT_JUDGED, reason=HIDDEN),
            )
        )
        assert [rule.title for rule in page.good_rules(report)] == ["Locked knees"]

    @pytest.mark.parametrize(
        ("judged", "reasons", "mark", "words"),
        [
            (1, (), "✓", "no fault in the repetition"),
            (2, (), "✓", "no fault in either repetition"),
            (10, (), "✓", "no fault in any of the 10 repetitions"),
            (1, (HIDDEN,), "(✓)", f"no fault in the 1 of 2 repetitions that could be judged; 1 could not: {HIDDEN}"),
            (4, ("arm",) * 6, "(✓)", "no fault in the 4 of 10 repetitions that could be judged; 6 could not: arm"),
            (
                1,
                ("a", "b", "b", "c", "b", "a"),
                "(✓)",
                "no fault in the 1 of 7 repetitions that could be judged; 6 could not: b (3), a (2), other reasons (1)",
            ),
        ],
    )
    def test_a_good_rule_says_in_how_many_repetitions_it_was_judged(self, judged, reasons, mark, words):
        good = [make_outcome(rep=number) for number in range(1, judged + 1)]
        unseen = [
            make_outcome(rep=number, status=Status.NOT_JUDGED, reason=reason, **UNSEEN)
            for number, reason in enumerate(reasons, judged + 1)
        ]
        report = make_report(outcomes=(*good, *unseen))
        (rule,) = page.good_rules(report)
        assert (rule.mark, rule.words) == (mark, words)
        assert f"Locked knees: {words}" in " ".join(
            html_report(with_report(filmed.analysis(GOOD), outcomes=report.outcomes)).split()
        )

    def test_a_value_past_the_limit_that_was_excused_says_why(self):
        good = [make_outcome("knees-bending", rep, reason="it leans" if rep < 3 else "") for rep in (1, 2, 3)]
        (rule,) = page.good_rules(make_report(outcomes=good))
        assert rule.words == (
            "no fault in any of the 3 repetitions (past the limit twice, which does no harm: it leans)"
        )

    def test_a_good_rule_of_sets_is_of_the_whole_set(self):
        (rule,) = page.good_rules(make_report(outcomes=(make_outcome("fatigue", None),)))
        assert (rule.mark, rule.words) == ("✓", "no fault in the whole set")


class TestMoments:
    def test_every_rule_comes_before_a_second_picture_of_one(self):
        report = filmed.analysis(ROUNDED).report
        chosen = [moment for moment in moments(report) if moment.outcome is not None]
        rules = [moment.outcome.rule for moment in chosen]
        assert rules[:3] == [finding.rule for finding in findings_by_rule(report)]
        assert [moment.first for moment in chosen] == [True] * 3 + [False] * 3
        assert all(moment.time_s == moment_s(moment.outcome) for moment in chosen)

    def test_their_number_is_bounded(self):
        rules = [rule for rule in RULES if rule != "fatigue"]
        outcomes = [make_outcome(rule, rep, Status.CAUTION) for rep in range(1, 9) for rule in rules]
        chosen = [moment for moment in moments(make_report(outcomes=outcomes)) if moment.outcome is not None]
        assert len(chosen) == MAX_STILLS
        most = Counter(moment.outcome.rule for moment in moments(many_reps(9)))
        assert set(most.values()) == {MAX_OF_RULE}

    def test_one_without_a_moment_has_no_picture(self):
        outcome = make_outcome(status=Status.CAUTION, start_s=NAN, worst_s=NAN)
        assert moments(make_report(outcomes=(outcome,), reps=())) == ()

    def test_the_back_is_shown_at_rest_and_at_the_roundest_turn(self):
        report = filmed.analysis(ROUNDED).report
        pair = back_pair(report)
        measured = {o.rep: o.measured for o in report.outcomes if o.rule == "rounded-lower-back"}
        assert pair.rep.number == max(measured, key=measured.get)
        before = [rep.end_s for rep in report.reps if rep.number < pair.rep.number]
        assert max([0.0, *before]) <= pair.rest.time_s < pair.rep.start_s
        assert pair.deepest.time_s == pair.rep.turn_s
        assert len(page.back_pictures(report, pictured(report))) == 2

    def test_a_clip_without_findings_still_shows_where_the_joints_were_seen(self):
        name = "prone-leg-curl: good"
        report = filmed.analysis(name).report
        (moment,) = moments(report)
        assert (moment.time_s, moment.outcome) == (report.reps[0].turn_s, None)
        parsed = made(name)
        assert len(parsed.all("img")) == 1
        assert "do not trust the numbers" in parsed.words
        assert "At the turn of repetition 1" in parsed.words

    @pytest.mark.parametrize("name", [ROUNDED, GOOD])
    def test_where_there_are_other_pictures_none_is_added(self, name):
        report = filmed.analysis(name).report
        assert page.check_pictures(report, pictured(report)) == ()
        assert "At the turn of" not in made(name).words

    @pytest.mark.parametrize("name", ["prone-leg-curl: good", FRONT])
    def test_no_back_where_it_is_not_looked_at_or_not_seen(self, name):
        report = filmed.analysis(name).report
        assert back_pair(report) is None
        assert page.back_pictures(report, pictured(report)) == ()

    def test_no_pair_of_one_picture(self):
        report = filmed.analysis(GOOD).report
        assert page.back_pictures(report, pictured(report)[:1]) == ()


class TestTable:
    def test_tempo_range_and_every_rule_of_every_repetition(self):
        report = filmed.analysis(BENT_BACK).report
        (table,) = rep_tables(report)
        assert table.headings == ("1", "2")
        assert [row.heading for row in table.measured] == [
            "Starts at",
            "Lifting",
            "Pause",
            "Lowering",
            "Range of the hip",
        ]
        assert {row.heading for row in table.rules} == {RULES[o.rule].title for o in report.outcomes if o.rep}
        locked = next(row for row in table.rules if row.heading == "Locked knees")
        assert [(cell.symbol, cell.status) for cell in locked.cells] == [("▲", "fault")] * 2
        assert all(cell.meaning.startswith("fault, ±") for cell in locked.cells)

    def test_the_range_is_from_the_lowest_to_the_highest_angle(self):
        rep = replace(make_report().reps[0], metrics={"hip_flexion_min_deg": 4.6, "hip_flexion_max_deg": 90.0})
        (table,) = rep_tables(make_report(reps=(rep,)))
        assert table.measured[-1].cells[0].text == "85°"

    def test_holds_have_no_tempo(self):
        (table,) = rep_tables(filmed.analysis(HOLD).report)
        muscles = ["Hamstrings, against standing", "Calf, against standing"]
        assert [row.heading for row in table.measured] == ["Starts at", "Held for", *muscles, "Range of the hip"]
        lengths = [row.cells[0].text for row in table.measured if row.heading in muscles]
        assert all(text == "same length" or text.endswith((" % longer", " % shorter")) for text in lengths)
        assert table.caption == "Hold 1"

    def test_long_sets_are_broken_into_tables(self):
        tables = rep_tables(many_reps(2 * REPS_IN_ROW + 1))
        assert [len(table.headings) for table in tables] == [REPS_IN_ROW, REPS_IN_ROW, 1]
        assert tables[1].caption == f"Repetitions {REPS_IN_ROW + 1} to {2 * REPS_IN_ROW}"

    @pytest.mark.parametrize(("count", "folded"), [(5 * REPS_IN_ROW, 0), (5 * REPS_IN_ROW + 11, 11)])
    def test_more_than_a_usual_set_is_folded_away(self, count, folded):
        analysis = filmed.analysis(GOOD)
        text = html_report(replace(analysis, report=many_reps(count)))
        assert text.count('<table class="reps">') == len(rep_tables(many_reps(count)))
        found = re.search(r"<details>\s*<summary>(\d+) more repetitions</summary>(.*?)</details>", text, re.DOTALL)
        assert bool(found) == bool(folded)
        if found:
            assert int(found[1]) == folded
            assert found[2].count('<table class="reps">') == 2

    def test_sides_and_cut_off_repetitions_are_named(self):
        first, second = make_report().reps
        report = make_report(reps=(replace(first, side=Side.LEFT), second))
        assert rep_tables(report)[0].headings == ("1 left", "2 right (cut off)")

    def test_rules_of_whole_sets_stand_below(self):
        tired = make_outcome("fatigue", None, Status.CAUTION, measured=30.0, sigma=5.0, unit="%")
        (line,) = set_lines(make_report(outcomes=(make_outcome(), tired)))
        assert (line.title, line.symbol, line.words) == (RULES["fatigue"].title, "◆", "caution: 30 % ± 5 %")
        kept = make_outcome("reduce-the-load", None, measured=0.0, sigma=0.0, unit="ways")
        (line,) = set_lines(make_report(outcomes=(kept,)))
        assert (line.symbol, line.words) == ("✓", "no fault")
        assert set_lines(make_report(reps=())) == ()

    def test_no_repetition_no_table(self):
        assert rep_tables(make_report(reps=())) == ()


class TestNotJudged:
    def test_every_reason_with_its_rules_and_numbers(self):
        near = make_outcome(
            "short-range", 1, Status.NOT_JUDGED, measured=59.0, sigma=4.0, limit=60.0, reason="too near"
        )
        groups = page.unjudged_groups(make_report(outcomes=(*make_report().outcomes, near)))
        assert [(group.reason, group.what) for group in groups] == [
            (HIDDEN, ("Rounded lower back (repetitions 1-2)",)),
            ("the repetition was cut off", ("Short range (repetition 2)",)),
            ("too near", ("Short range (repetition 1): 59° ± 4°; limit: at least 60°",)),
        ]

    def test_a_refused_view_is_said_with_what_to_do(self):
        parsed = made(FRONT)
        report = filmed.analysis(FRONT).report
        assert report.worst() is None
        assert "Nothing could be judged" in parsed.words
        assert "turn side-on" in parsed.words
        for sentence in EXERCISES["romanian-deadlift"].setup:
            assert sentence in parsed.words
        assert "Checked, and nothing to change" not in parsed.words

    def test_a_warning_is_a_note_unless_it_is_a_reason(self):
        report = make_report(warnings=("dark", HIDDEN, "dark"))
        assert page.notes(report) == ("dark",)


class TestPage:
    @pytest.mark.parametrize("name", sorted(filmed.CASES))
    def test_every_kind_of_clip_gives_sound_html(self, name):
        parsed = made(name)
        assert parsed.wrong == []
        assert parsed.open == []
        ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _, attributes in parsed.elements:
            if "aria-labelledby" in attributes:
                assert attributes["aria-labelledby"] in ids
        levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert len(parsed.all("table")) == len(parsed.all("caption"))
        assert all("scope" in attributes for attributes in parsed.all("th"))
        assert all(attributes.get("alt") for attributes in parsed.all("img"))

    def test_how_it_was_measured(self):
        analysis = filmed.analysis(GOOD)
        words = made(GOOD).words
        report = analysis.report
        for part in ("as you named it", f"formcheck {report.tool.version}", report.tool.model, "side to the camera"):
            assert part in words
        assert re.search(r"Knee: bend \(0 = straight\) ± \d+°", words)
        recognised = with_report(analysis, exercise=replace(report.exercise, given=False, confidence=0.87))
        assert "recognised (87 % sure)" in Parsed(html_report(recognised)).words

    def test_an_unknown_view_is_said(self):
        analysis = filmed.analysis(GOOD)
        unknown = with_report(analysis, view=View(NAN, None, False, False, "nobody"), reps=())
        assert "Seen from not known" in Parsed(html_report(unknown)).words

    def test_no_plots_where_nothing_was_measured(self):
        analysis = filmed.analysis(GOOD)
        empty = {name: np.full_like(column, np.nan) for name, column in analysis.table.columns.items()}
        parsed = Parsed(html_report(replace(analysis, table=replace(analysis.table, columns=empty))))
        assert not parsed.all("svg")
        assert "Angles over time" not in parsed.words

    def test_it_is_no_diagnosis_and_no_score(self):
        for name in (ROUNDED, GOOD, FRONT):
            words = made(name).words
            assert "it is no diagnosis" in words
            assert "did not leave it" in words
            assert not re.search(
                r"\b(score|grade|rating|injur\w*)\b", words.replace("not about injury", ""), re.IGNORECASE
            )

    def test_a_finding_without_a_known_rule_still_shows(self):
        analysis = filmed.analysis(GOOD)
        stranger: Outcome = make_outcome("of-tomorrow", status=Status.FAULT)
        words = Parsed(html_report(with_report(analysis, outcomes=(stranger,)))).words
        assert "of-tomorrow" in words
        assert stranger.message in words


class TestPlots:
    def test_the_plots_are_there_twice_and_in_words(self):
        parsed = made(ROUNDED)
        assert len(parsed.all("svg")) == 2
        labels = [attributes["aria-label"] for attributes in parsed.all("div") if attributes.get("role") == "img"]
        assert len(labels) == 2
        assert labels[0].startswith("Angles over time: hip, knee, ankle")
        assert "A Rounded lower back at " in labels[0]

    def test_every_colour_of_the_plots_has_one_for_dark_screens(self):
        text = html_report(filmed.analysis(ROUNDED))
        style, svg = re.search(r"<style>(.*?)</style>(.*)", text, re.DOTALL).groups()
        used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', svg))
        assert used <= {getattr(LIGHT, name) for name in LIGHT.__slots__}
        for name in LIGHT.__slots__:
            assert f'[fill="{getattr(LIGHT, name)}"] {{ fill: {getattr(DARK, name)}; }}' in style

    def test_coordinates_are_short(self):
        text = html_report(filmed.analysis(ROUNDED))
        svg = text[text.index("<svg") :]
        assert not re.search(r"\d\.\d{2}", svg[: svg.rindex("</svg>")])
