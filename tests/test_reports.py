"""Reports as text, JSON and CSV, and the files they are written to."""

import csv
import io
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formcheck.errors import ConfigError, OutputError
from formcheck.reports.csv import ANGLE_COLUMNS, OUTCOME_COLUMNS, outcomes_csv, write_angles
from formcheck.reports.files import atomic_path, plan_targets, prepare_folder, write_text
from formcheck.reports.json import report_from_dict, report_to_dict, report_to_json
from formcheck.reports.text import FELT, NO_DIAGNOSIS, WHY, closing_text, render, report_text
from formcheck.reports.words import sentence
from formcheck.types import (
    Analysis,
    ClipInfo,
    ExerciseInfo,
    MeasurementTable,
    Outcome,
    Rep,
    Report,
    Side,
    Status,
    ToolInfo,
    View,
)

NAN = math.nan


def make_outcome(rule="locked-knees", rep=1, status=Status.OK, **changes):
    values = {
        "side": Side.RIGHT,
        "start_s": 1.0,
        "end_s": 2.5,
        "worst_s": 1.25,
        "metric": "knee_flexion_deg",
        "measured": 8.2,
        "sigma": 3.1,
        "limit": 3.0,
        "unit": "deg",
        "message": "The knee was held straight.",
        "cue": "Soften your knees a little.",
        "reason": "",
    }
    return Outcome(rule=rule, rep=rep, status=status, **{**values, **changes})


FAULT = make_outcome(rep=2, status=Status.FAULT, worst_s=12.31, measured=-5.2, limit=-3.0)
UNSEEN = {"metric": "lumbar_flexion_deg", "measured": NAN, "sigma": NAN, "worst_s": NAN, "message": "", "cue": ""}
HIDDEN = "the shoulder was hidden"


def make_report(path="clips/rdl.mp4", outcomes=None, **changes):
    if outcomes is None:
        outcomes = (
            make_outcome(),
            FAULT,
            make_outcome("rounded-lower-back", 1, Status.NOT_JUDGED, reason=HIDDEN, **UNSEEN),
            make_outcome("rounded-lower-back", 2, Status.NOT_JUDGED, reason=HIDDEN, **UNSEEN),
            make_outcome("short-range", 2, Status.NOT_JUDGED, reason="the repetition was cut off", **UNSEEN),
        )
    report = Report(
        tool=ToolInfo("0.1.0", "1.2.2", "full", "abc"),
        clip=ClipInfo(path, 14.5, 435, 960, 540, 90, 0.99),
        exercise=ExerciseInfo("romanian-deadlift", True, 1.0),
        view=View(9.6, Side.RIGHT, False, True, roll_deg=-3.1, roll_sigma_deg=2.0, brightness=118.0),
        reps=(
            Rep(
                1, Side.RIGHT, 1.0, 2.0, 3.0, 1.9, 2.1, True, {"knee_flexion_min_deg": 8.2, "hip_flexion_max_deg": NAN}
            ),
            Rep(2, Side.RIGHT, 11.0, 12.0, 13.0, 11.9, 12.1, False),
        ),
        outcomes=outcomes,
        warnings=("two frames were damaged",),
    )
    return replace(report, **changes)


def make_analysis(report):
    time_s = np.array([0.0, 1 / 30, 2 / 30])
    columns = {name: np.array([1.0, NAN, -0.001]) for name in ANGLE_COLUMNS}
    columns["left_knee_flexion_deg"] = np.array([10.126, 11.0, -3.5])
    return Analysis(report, MeasurementTable(time_s, (None, Side.LEFT, Side.RIGHT), columns), ())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def plain(report, **options):
    return render(report_text(report, **options), terminal=False)


class TestText:
    def test_it_reads_like_a_linter(self):
        assert plain(make_report()).splitlines() == [
            "clips/rdl.mp4: Romanian deadlift, 2 repetitions, right side to the camera, 10 deg off side-on",
            "  note: two frames were damaged",
            "rdl.mp4:12.3s rep 2 fault locked-knees  knee flexion -5 ± 3 deg (limit -3 or more)",
            "  The knee was held straight. Soften your knees a little.",
            "  ok: locked-knees (rep 1)",
            "  not judged: rounded-lower-back (rep 1-2): the shoulder was hidden",
            "  not judged: short-range (rep 2): the repetition was cut off",
            "rdl.mp4: 1 fault, 0 cautions, 1 ok, 3 not judged",
        ]

    def test_of_several_clips_every_line_names_the_whole_path(self):
        lines = plain(make_report(), several=True).splitlines()
        assert lines[2].startswith("clips/rdl.mp4:12.3s rep 2 fault")
        assert lines[-1].startswith("clips/rdl.mp4: 1 fault")

    def test_advice_is_given_once_for_a_rule_not_for_each_repetition(self):
        other = make_outcome("short-range", 1, Status.CAUTION, message="The repetition was short.", cue="Go deeper.")
        faults = [make_outcome(rep=number, status=Status.FAULT) for number in (1, 2, 3)]
        lines = plain(make_report(outcomes=(faults[0], other, *faults[1:]), warnings=())).splitlines()
        assert [line.split("  ")[0] if line[0] != " " else line for line in lines[1:-1]] == [
            "rdl.mp4:1.2s rep 1 fault locked-knees",
            "  The knee was held straight. Soften your knees a little.",
            "rdl.mp4:1.2s rep 1 caution short-range",
            "  The repetition was short. Go deeper.",
            "rdl.mp4:1.2s rep 2 fault locked-knees",
            "rdl.mp4:1.2s rep 3 fault locked-knees",
        ]

    def test_repetitions_in_a_row_are_a_range(self):
        good = [make_outcome(rep=number) for number in (1, 2, 3, 5, 7, 8)]
        assert "  ok: locked-knees (rep 1-3, 5, 7-8)\n" in plain(make_report(outcomes=good))

    def test_what_is_ok_though_past_the_limit_says_why(self):
        good = (make_outcome(), make_outcome(rep=2, measured=1.0, reason="it leans"))
        assert "  ok, though past the limit: locked-knees (rep 2): it leans: knee flexion 1 ± 3 deg" in plain(
            make_report(outcomes=good)
        )

    def test_what_is_too_close_to_call_comes_with_its_numbers(self):
        close = [
            make_outcome("short-range", rep, Status.NOT_JUDGED, measured=58.0 + rep, limit=60.0, reason="too close")
            for rep in range(1, 6)
        ]
        good = make_outcome()
        report = make_report(outcomes=(good, *close[:3]))
        line = "  not judged: short-range (rep 1-3): too close: knee flexion "
        assert f"{line}59, 60, 61 ± 3 deg (limit 60 or more)\n" in plain(report)
        near = make_outcome("short-range", 2, Status.NOT_JUDGED, measured=59.8, limit=60.0, reason="too close")
        assert "59 ± 3, 59.8 ± 3.1 deg (limit" in plain(make_report(outcomes=(good, close[0], near)))
        assert "59 ± 3 deg (limit" in plain(make_report(outcomes=(good, close[0])))
        assert "60, 61, 62 ± 3 deg ... (limit 60 or more)" in plain(make_report(outcomes=(good, *close)))

    def test_a_leg_that_is_not_the_near_one_is_named(self):
        report = make_report()
        assert "leg judged" not in plain(report)
        reps = tuple(replace(rep, side=Side.LEFT) for rep in report.reps)
        first = plain(replace(report, reps=reps)).splitlines()[0]
        assert first.endswith("right side to the camera, 10 deg off side-on, left leg judged")

    def test_the_tempo_of_each_repetition_is_one_line(self):
        report = make_report()
        times = ({"lifting_s": 1.04, "turn_s": 0.3, "lowering_s": 2.0}, {"lifting_s": NAN, "turn_s": 0.0})
        reps = [replace(rep, metrics=given) for rep, given in zip(report.reps, times, strict=True)]
        timed = replace(report, reps=tuple(reps))
        line = "  tempo in s, lifting / pause / lowering: 1.0 / 0.3 / 2.0, - / 0.0 / -"
        assert line in plain(timed).splitlines()
        assert "tempo" not in plain(timed, quiet=True)
        assert "tempo" not in plain(report)
        held = replace(timed, exercise=ExerciseInfo("standing-toe-touch", True, 1.0))
        assert "tempo" not in plain(held)

    def test_quiet_keeps_findings_and_the_count_of_what_was_not_judged(self):
        lines = plain(make_report(), quiet=True).splitlines()
        assert len(lines) == 3
        assert lines[0].startswith("rdl.mp4:12.3s rep 2 fault")
        assert lines[-1].endswith("3 not judged")

    @pytest.mark.parametrize("quiet", [True, False])
    def test_nothing_judged_never_reads_as_good(self, quiet):
        report = make_report(outcomes=(), reps=())
        last = plain(report, quiet=quiet).splitlines()[-1]
        assert last == "rdl.mp4: nothing could be judged: no repetition was found"
        unseen = [make_outcome(rep=rep, status=Status.NOT_JUDGED, reason=HIDDEN, **UNSEEN) for rep in (1, 2)]
        text = plain(make_report(outcomes=unseen), quiet=quiet)
        assert text.splitlines()[-1] == f"rdl.mp4: nothing could be judged: {HIDDEN}"

    def test_a_reason_is_said_once(self):
        nobody = "nobody was found in the clip"
        report = make_report(
            outcomes=(make_outcome(rep=None, status=Status.NOT_JUDGED, reason=nobody, **UNSEEN),),
            reps=(),
            view=View(NAN, None, False, False, nobody),
            clip=ClipInfo("a.mp4", 10.0, 300, 10, 10, 0, 0.0),
            warnings=(nobody, "two frames were damaged", "two frames were damaged"),
        )
        assert plain(report).splitlines() == [
            "a.mp4: Romanian deadlift, 0 repetitions",
            "  note: two frames were damaged",
            f"a.mp4: nothing could be judged: {nobody}",
        ]

    def test_holds_are_called_holds_and_a_set_a_set(self):
        report = make_report(
            exercise=ExerciseInfo("seated-hamstring-stretch", True, 1.0),
            outcomes=(FAULT, make_outcome(rep=None, status=Status.CAUTION)),
        )
        text = plain(report)
        assert "2 holds" in text
        assert "12.3s hold 2 fault" in text
        assert "1.2s set caution" in text

    def test_a_bad_view_and_warnings_are_said(self):
        report = make_report(
            view=View(NAN, None, False, False, "filmed from the front; film from the side"),
            warnings=("the person was found in only 72 % of the frames", "two frames were dropped"),
        )
        lines = plain(report).splitlines()
        assert lines[0] == "clips/rdl.mp4: Romanian deadlift, 2 repetitions"
        assert "  note: the person was found in only 72 % of the frames" in lines
        assert "  note: filmed from the front; film from the side" in lines

    @pytest.mark.parametrize(
        ("measured", "sigma", "limit", "unit", "expected"),
        [
            (-5.2, 3.1, -3.0, "deg", "-5 ± 3 deg (limit -3 or more)"),
            (-3.2, 3.1, -3.0, "deg", "-3.2 ± 3.1 deg (limit -3 or more)"),
            (-0.3, NAN, 3.0, "deg", "0 deg (limit 3 or more)"),
            (0.44, 0.1, 1.0, "s", "0.4 ± 0.1 s (limit 1 or more)"),
            (8.0, 3.0, NAN, "deg", "8 ± 3 deg"),
            (2.0, 3.0, 2.5, "deg", "2.0 ± 3.0 deg (limit 2.5 or more)"),
        ],
    )
    def test_numbers_show_on_which_side_of_the_limit_they_are(self, measured, sigma, limit, unit, expected):
        outcome = make_outcome(
            status=Status.FAULT, measured=measured, sigma=sigma, limit=limit, unit=unit, metric=f"knee_flexion_{unit}"
        )
        assert f"locked-knees  knee flexion {expected}\n" in plain(make_report(outcomes=(outcome,)))

    def test_the_limit_says_which_side_of_it_is_good(self):
        high = make_outcome("excessive-dorsiflexion", status=Status.FAULT, measured=21.0, limit=15.0)
        unknown = make_outcome("a-rule-of-tomorrow", status=Status.FAULT, measured=21.0, limit=15.0)
        text = plain(make_report(outcomes=(high, unknown)))
        assert "excessive-dorsiflexion  knee flexion 21 ± 3 deg (limit 15 or less)\n" in text
        assert "a-rule-of-tomorrow  knee flexion 21 ± 3 deg (limit 15)\n" in text

    def test_a_caution_within_the_error_says_so(self):
        outcome = make_outcome(status=Status.CAUTION, reason="within the measurement error of a fault")
        assert "a little. (within the measurement error of a fault)\n" in plain(make_report(outcomes=(outcome,)))

    def test_colours_only_for_a_terminal_that_wants_them(self, monkeypatch):
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        text = report_text(make_report())
        assert "\x1b[" in render(text, terminal=True)
        assert "\x1b" not in render(text, terminal=False)
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in render(text, terminal=True)

    def test_a_long_path_with_brackets_is_one_unchanged_line(self):
        path = f"/videos/{'x' * 300} [bold] :warning: ümlaut.mp4"
        lines = plain(make_report(path), several=True).splitlines()
        assert lines[2].startswith(f"{path}:12.3s rep 2 fault")

    def test_the_closing_word_comes_only_after_findings(self):
        good = make_report(outcomes=(make_outcome(),))
        assert render(closing_text([good], 0), terminal=False) == ""
        assert render(closing_text([make_report()], 0), terminal=False) == f"{WHY}\n{FELT}\n{NO_DIAGNOSIS}\n"
        several = render(closing_text([good, make_report()], 1), terminal=False)
        assert several == f"2 clips: 1 finding; 1 failed\n{WHY}\n{FELT}\n{NO_DIAGNOSIS}\n"


class TestJson:
    def test_the_schema(self):
        document = json.loads(report_to_json(make_report()))
        assert list(document) == [
            "schema",
            "tool",
            "clip",
            "exercise",
            "view",
            "reps",
            "outcomes",
            "warnings",
            "neutral",
        ]
        assert document["schema"] == "formcheck.report/1"
        assert list(document["tool"]) == ["version", "mediapipe", "model", "model_sha256"]
        assert document["clip"] == {
            "path": "clips/rdl.mp4",
            "duration_s": 14.5,
            "frames": 435,
            "width": 960,
            "height": 540,
            "rotation_deg": 90,
            "pose_fraction": 0.99,
            "frames_estimated": 435,
        }
        assert document["exercise"] == {"name": "romanian-deadlift", "given": True, "confidence": 1.0}
        assert document["view"] == {
            "yaw_deg": 9.6,
            "near_side": "right",
            "lying": False,
            "usable": True,
            "reason": "",
            "roll_deg": -3.1,
            "roll_sigma_deg": 2.0,
            "brightness": 118.0,
        }
        assert {"number", "side", "start_s", "turn_s", "end_s", "metrics"} <= set(document["reps"][0])
        assert document["reps"][0]["metrics"] == {"hip_flexion_max_deg": None, "knee_flexion_min_deg": 8.2}
        assert document["outcomes"][1] == {
            "rule": "locked-knees",
            "rep": 2,
            "side": "right",
            "status": "fault",
            "start_s": 1.0,
            "end_s": 2.5,
            "worst_s": 12.31,
            "metric": "knee_flexion_deg",
            "measured": -5.2,
            "sigma": 3.1,
            "limit": -3.0,
            "unit": "deg",
            "message": "The knee was held straight.",
            "cue": "Soften your knees a little.",
            "reason": "",
        }
        assert document["outcomes"][2]["measured"] is None
        assert document["warnings"] == ["two frames were damaged"]

    def test_there_and_back(self):
        report = make_report()
        back = report_from_dict(json.loads(report_to_json(report)))
        # NaN is not equal to itself, so compare what can be: the document, and the parts without NaN.
        assert report_to_dict(back) == report_to_dict(report)
        assert (back.tool, back.clip, back.exercise, back.view) == (
            report.tool,
            report.clip,
            report.exercise,
            report.view,
        )
        assert back.reps[1] == report.reps[1]
        assert back.outcomes[:2] == report.outcomes[:2]
        assert math.isnan(back.outcomes[2].measured)
        assert math.isnan(back.reps[0].metrics["hip_flexion_max_deg"])
        assert isinstance(back.outcomes[0].status, Status)
        assert isinstance(back.view.near_side, Side)

    @given(
        numbers=st.lists(st.floats(), min_size=6, max_size=6),
        rep=st.none() | st.integers(1, 99),
        side=st.none() | st.sampled_from(Side),
        status=st.sampled_from(Status),
        text=st.text(),
    )
    def test_there_and_back_with_any_values(self, numbers, rep, side, status, text):
        keys = ("start_s", "end_s", "worst_s", "measured", "sigma", "limit")
        outcome = make_outcome(
            text, rep, status, side=side, message=text, reason=text, **dict(zip(keys, numbers, strict=True))
        )
        document = report_to_dict(make_report(text, (outcome,), view=View(NAN, side, True, False, text)))
        read = json.loads(json.dumps(document, allow_nan=False))
        assert read == document
        assert report_to_dict(report_from_dict(read)) == document

    def test_a_report_without_the_added_keys_is_read(self):
        document = report_to_dict(make_report())
        for key in ("turn_start_s", "turn_end_s", "complete"):
            del document["reps"][0][key]
        rep = report_from_dict(document).reps[0]
        assert (rep.turn_start_s, rep.turn_end_s, rep.complete) == (2.0, 2.0, True)

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (lambda d: d.update(schema="other/1"), "its schema is 'other/1'"),
            (lambda d: d.pop("view"), "the key 'view' is missing"),
            (lambda d: d["outcomes"][0].pop("sigma"), "the key 'sigma' is missing"),
            (lambda d: d["outcomes"][0].update(status="fine"), "fine"),
            (lambda d: d.update(clip=3), "not a valid"),
            (lambda d: d["reps"][0].update(start_s="soon"), "soon"),
        ],
    )
    def test_what_is_no_report_is_refused(self, change, complaint):
        document = report_to_dict(make_report())
        change(document)
        with pytest.raises(ConfigError, match=complaint):
            report_from_dict(document)

    def test_a_list_is_no_report(self):
        with pytest.raises(ConfigError, match="not a formcheck report"):
            report_from_dict([])


class TestCsv:
    def test_angles(self, tmp_path):
        target = tmp_path / "rdl.angles.csv"
        write_angles(target, make_analysis(make_report()).table)
        text = target.read_text(encoding="utf-8")
        assert text.splitlines()[0] == (
            "time_s,left_knee_flexion_deg,left_hip_flexion_deg,left_ankle_dorsiflexion_deg,"
            "right_knee_flexion_deg,right_hip_flexion_deg,right_ankle_dorsiflexion_deg,"
            "trunk_inclination_deg,lumbar_flexion_deg,neck_flexion_deg,near_side"
        )
        assert text.splitlines()[1:] == [
            "0.0000,10.13,1.00,1.00,1.00,1.00,1.00,1.00,1.00,1.00,",
            "0.0333,11.00,,,,,,,,,left",
            "0.0667,-3.50,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,right",
        ]

    def test_a_missing_column_is_a_mistake_not_an_unseen_value(self, tmp_path):
        table = make_analysis(make_report()).table
        columns = {name: values for name, values in table.columns.items() if name != "neck_flexion_deg"}
        with pytest.raises(KeyError):
            write_angles(tmp_path / "a.csv", replace(table, columns=columns))

    def test_outcomes(self):
        rows = list(csv.DictReader(io.StringIO(outcomes_csv([make_report("a,b.mp4"), make_report("c.mp4")]))))
        assert tuple(rows[0]) == OUTCOME_COLUMNS
        assert [row["clip"] for row in rows] == ["a,b.mp4"] * 5 + ["c.mp4"] * 5
        assert {row["exercise"] for row in rows} == {"romanian-deadlift"}
        assert (rows[1]["rule"], rows[1]["rep"], rows[1]["status"], rows[1]["measured"]) == (
            "locked-knees",
            "2",
            "fault",
            "-5.200",
        )
        assert (rows[2]["measured"], rows[2]["sigma"], rows[2]["worst_s"]) == ("", "", "")
        assert rows[2]["reason"] == HIDDEN

    def test_outcomes_without_header_go_on(self):
        whole = outcomes_csv([make_report("a.mp4"), make_report("b.mp4")])
        assert outcomes_csv([make_report("a.mp4")]) + outcomes_csv([make_report("b.mp4")], header=False) == whole


class TestFiles:
    def test_the_target_appears_only_when_whole(self, tmp_path):
        target = tmp_path / "a.mp4"
        with atomic_path(target) as temporary:
            temporary.write_text("new")
            assert temporary.parent == target.parent
            assert temporary.suffix == ".mp4"
            assert not target.exists()
        assert target.read_text() == "new"
        assert names(tmp_path) == ["a.mp4"]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
    def test_an_interruption_keeps_the_old_file_and_nothing_else(self, tmp_path, error):
        target = tmp_path / "a.json"
        target.write_text("old")

        def write_half():
            with atomic_path(target) as temporary:
                temporary.write_text("half")
                raise error

        with pytest.raises(error):
            write_half()
        assert target.read_text() == "old"
        assert names(tmp_path) == ["a.json"]

    def test_a_file_that_cannot_be_written_is_named_in_one_line(self, tmp_path):
        (tmp_path / "a.json").mkdir()
        with pytest.raises(OutputError, match=r"a\.json: cannot write it: Is a directory"):
            write_text(tmp_path / "a.json", "text")
        assert names(tmp_path) == ["a.json"]
        with pytest.raises(OutputError, match="cannot write it: No such file or directory"):
            write_text(tmp_path / "none" / "a.json", "text")

    def test_a_name_with_bytes_that_are_no_text_is_written_as_valid_json(self, tmp_path):
        report = make_report(os.fsdecode(b"caf\xe9.mp4"))
        write_text(tmp_path / "a.json", report_to_json(report))
        assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["clip"]["path"] == "caf\udce9.mp4"

    def test_a_folder_is_made_and_left_empty(self, tmp_path):
        prepare_folder(tmp_path / "a" / "b")
        assert names(tmp_path / "a" / "b") == []

    def test_a_folder_that_is_a_file_is_refused(self, tmp_path):
        (tmp_path / "file").write_text("")
        for folder in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(OutputError, match="it is not a folder; choose another one"):
                prepare_folder(folder)

    def test_clips_of_one_stem_do_not_overwrite_one_another(self):
        clips = [Path("a/x.mp4"), Path("b/x.mp4"), Path("c/X.mov"), Path("x-2.mp4"), Path("y.mp4")]
        targets = plan_targets(clips, Path("out"), video=True)
        assert [target.stem for target in targets] == ["x", "x-3", "X-4", "x-2", "y"]
        assert (targets[4].report, targets[4].angles, targets[4].overlay) == (
            Path("out/y.report.json"),
            Path("out/y.angles.csv"),
            Path("out/y.overlay.mp4"),
        )
        assert plan_targets(clips, Path("out"), video=False)[0].overlay is None

    def test_a_result_never_overwrites_a_clip(self, tmp_path):
        clips = [tmp_path / "x.mp4", tmp_path / "x.overlay.mp4"]
        with pytest.raises(OutputError, match="would be overwritten"):
            plan_targets(clips, tmp_path, video=True)
        plan_targets(clips, tmp_path, video=False)
        plan_targets(clips, tmp_path / "other", video=True)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("no hold was seen", "No hold was seen."),
        ("is it the right exercise?", "Is it the right exercise?"),
        ("Wait.", "Wait."),
        ("", ""),
    ],
)
def test_a_sentence_ends_once(text: str, written: str) -> None:
    assert sentence(text) == written
