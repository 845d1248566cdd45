"""Captions: valid WebVTT, one at a time, the most serious first, long enough to read."""

import itertools
import math
import re
from dataclasses import replace

import filmed
import pytest
from test_reports import make_outcome, make_report

from formcheck.reports.vtt import GAP_S, LATEST_S, LEAD_S, LONGEST_S, SHORTEST_S, captions
from formcheck.types import ExerciseInfo, Status

CUE = re.compile(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})")


def found(rule="locked-knees", rep=1, status=Status.CAUTION, at=5.0, **changes):
    return make_outcome(rule, rep, status, start_s=at - 0.5, end_s=at + 0.5, worst_s=at, **changes)


def report_of(*outcomes, duration_s=60.0):
    report = make_report(outcomes=outcomes)
    return replace(report, clip=replace(report.clip, duration_s=duration_s))


def parse(text):
    """(begin, end, lines) of each caption; fails where the text is no WebVTT of this simple kind."""
    header, *blocks = text.removesuffix("\n").split("\n\n")
    assert header.rstrip("\n") == "WEBVTT"
    cues = []
    for block in blocks:
        timing, *lines = block.split("\n")
        match = CUE.fullmatch(timing)
        assert match, timing
        assert lines
        assert all(lines)
        hours, minutes, seconds, *end = (float(part) for part in match.groups())
        cues.append((3600 * hours + 60 * minutes + seconds, 3600 * end[0] + 60 * end[1] + end[2], lines))
    return cues


def test_a_finding_is_said_at_its_moment_with_what_to_do():
    ((begin, end, lines),) = parse(captions(report_of(found(rep=3, status=Status.FAULT, at=12.0))))
    assert lines == ["Repetition 3, fault: The knee was held straight.", "Soften your knees a little."]
    assert begin == 12.0 - LEAD_S
    assert begin + SHORTEST_S <= end <= begin + LONGEST_S


@pytest.mark.parametrize("outcomes", [(), (make_outcome(),), (found(at=math.nan),)])
def test_nothing_to_say_is_still_a_valid_file(outcomes):
    assert captions(report_of(*outcomes)) == "WEBVTT\n"


def test_another_reader_finds_the_same_captions(tmp_path):
    webvtt = pytest.importorskip("webvtt")  # one of the tools of development
    text = captions(
        report_of(
            found(at=4.0),
            found(rep=2, status=Status.FAULT, at=12.0, message="ä --> b & c"),
            found(rep=3, at=3605.25),
            duration_s=4000.0,
        )
    )
    (tmp_path / "a.vtt").write_text(text, encoding="utf-8")
    read = [
        (cue.start_in_seconds, cue.end_in_seconds, cue.raw_text.split("\n"))
        for cue in webvtt.read(str(tmp_path / "a.vtt"))
    ]
    ours = [(int(begin), int(end), lines) for begin, end, lines in parse(text)]
    assert len(read) == 3
    assert [(int(begin), int(end), lines) for begin, end, lines in read] == ours


def test_text_cannot_end_its_caption_or_start_markup():
    text = captions(report_of(found(message="a --> b <i>&</i>\n\n00:00", cue="<script>\r\nx")))
    ((_, _, lines),) = parse(text)
    assert lines == ["Repetition 1, caution: a --&gt; b &lt;i&gt;&amp;&lt;/i&gt; 00:00", "&lt;script&gt; x"]


def test_captions_never_overlap_and_never_come_much_too_late():
    crowd = [found(rule, rep, at=rep * 1.2) for rep in range(1, 30) for rule in ("locked-knees", "fast-lowering")]
    cues = parse(captions(report_of(*crowd)))
    assert len(cues) > 5
    for (_, end, _), (begin, _, _) in itertools.pairwise(cues):
        assert begin >= end + GAP_S - 0.002
    for begin, _, lines in cues:
        moment = 1.2 * int(re.search(r"Repetition (\d+)", lines[0])[1])
        assert moment - LEAD_S - 0.002 <= begin <= moment + LATEST_S


def test_at_one_moment_the_fault_is_said_first():
    outcomes = (found("momentum", message="Caution."), found("short-range", status=Status.FAULT, message="Fault."))
    lines = [lines[0] for _, _, lines in parse(captions(report_of(*outcomes)))]
    assert lines == ["Repetition 1, fault: Fault.", "Repetition 1, caution: Caution."]


def test_what_is_new_goes_before_what_is_said_again():
    again = [found("momentum", rep, at=4.0 + rep * 0.2, message="Old.") for rep in range(1, 20)]
    new = found("short-range", 20, at=8.2, message="New.")
    texts = [lines[0] for _, _, lines in parse(captions(report_of(*again, new)))]
    assert "Repetition 20, caution: New." in texts


def test_a_caption_ends_with_the_clip_where_there_is_room():
    ((begin, end, _),) = parse(captions(report_of(found(at=9.9), duration_s=10.0)))
    assert end == pytest.approx(10.0, abs=0.01)
    assert end - begin >= SHORTEST_S
    assert parse(captions(report_of(found(at=0.4), duration_s=1.0)))[0][0] == 0.0
    assert parse(captions(report_of(found(at=9.9), duration_s=math.nan)))[0][0] == pytest.approx(9.4)


def test_holds_and_sets_are_called_so():
    held = replace(report_of(found()), exercise=ExerciseInfo("standing-toe-touch", True, 1.0))
    assert "Hold 1, caution" in captions(held)
    assert "The set, caution" in captions(report_of(found(rep=None)))


def test_long_clips_have_hours():
    assert "01:02:03.000 -->" in captions(report_of(found(at=3723.5), duration_s=4000.0))


@pytest.mark.parametrize("name", filmed.CASES)
def test_every_filmed_finding_comes_as_valid_captions(name):
    report = filmed.analysis(name).report
    rules = {item.rule for item in report.outcomes if item.status in (Status.CAUTION, Status.FAULT)}
    cues = parse(captions(report))
    assert bool(cues) == bool(rules)
