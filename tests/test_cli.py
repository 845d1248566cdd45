"""The command line: arguments, exit status, streams. The pipeline is replaced by hand-built results."""

import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from test_reports import FAULT, make_analysis, make_outcome, make_report, names

import formcheck.adapters.process
import formcheck.pipeline
import formcheck.stills
from formcheck import __version__
from formcheck.cli import main
from formcheck.errors import ClipError, ModelError, OutputError
from formcheck.exercises import EXERCISES
from formcheck.explain import exercises_markdown, rules_markdown
from formcheck.rules import RULES
from formcheck.types import Side, Status

ROOT = Path(__file__).parents[1]
GOOD = (make_outcome(),)
CAUTION = (make_outcome(status=Status.CAUTION),)


class Pipeline:
    """Stands in for `formcheck.pipeline`: outcomes or an exception by the clip's file name."""

    def __init__(self):
        self.answers = {}
        self.calls = []
        self.overlay_error = None
        self.progress = []

    def analyze_clip(self, path, **options):
        self.calls.append((path, options))
        for done, total in self.progress:
            options["on_progress"](done, total)
        answer = self.answers.get(path.name, (FAULT,))
        if isinstance(answer, BaseException):
            raise answer
        return make_analysis(make_report(str(path), answer))

    def render_overlay(self, path, analysis, target, *, on_progress=None):
        if self.overlay_error is not None:
            raise self.overlay_error
        target.write_bytes(b"video of " + path.name.encode())


@pytest.fixture(autouse=True)
def pipeline(monkeypatch):
    fake = Pipeline()
    monkeypatch.setattr(formcheck.pipeline, "analyze_clip", fake.analyze_clip)
    monkeypatch.setattr(formcheck.pipeline, "render_overlay", fake.render_overlay)
    # It would change the environment of the whole test process.
    monkeypatch.setattr(formcheck.adapters.process, "prepare_process", lambda: None)
    monkeypatch.delenv("FORMCHECK_DEBUG", raising=False)
    return fake


@pytest.fixture
def run(capsys):
    """Run the command line; return status, standard output and standard error."""

    def call(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return call


def check(run, *arguments):
    return run("check", *arguments, "--exercise", "romanian-deadlift")


class TestExitStatus:
    @pytest.mark.parametrize(
        ("outcomes", "fail_on", "status"),
        [
            (GOOD, "fault", 0),
            (CAUTION, "fault", 0),
            ((FAULT,), "fault", 1),
            (GOOD, "caution", 0),
            (CAUTION, "caution", 1),
            ((FAULT,), "caution", 1),
            ((FAULT,), "never", 0),
            ((), "caution", 0),
        ],
    )
    def test_by_the_worst_finding(self, run, pipeline, outcomes, fail_on, status):
        pipeline.answers["a.mp4"] = outcomes
        assert check(run, "a.mp4", "--fail-on", fail_on)[0] == status

    def test_the_default_is_fault(self, run, pipeline):
        pipeline.answers = {"good.mp4": CAUTION}
        assert check(run, "good.mp4")[0] == 0
        assert check(run, "good.mp4", "bad.mp4")[0] == 1

    def test_a_bad_clip_never_stops_the_rest(self, run, pipeline):
        pipeline.answers["b.mp4"] = ClipError("b.mp4: not a video")
        pipeline.answers["c.mp4"] = RuntimeError("a mistake")
        status, out, err = check(run, "a.mp4", "b.mp4", "c.mp4", "d.mp4")
        assert status == 2
        assert "d.mp4:12.3s rep 2 fault locked-knees" in out
        assert "2 clips: 2 findings; 2 failed" in out
        assert err.splitlines()[0] == "formcheck: error: b.mp4: not a video"
        assert err.splitlines()[1].startswith(
            "formcheck: c.mp4: internal error (RuntimeError: a mistake); please report"
        )
        assert len(err.splitlines()) == 2

    def test_a_model_that_does_not_start_stops_at_once(self, run, pipeline):
        pipeline.answers["a.mp4"] = ModelError("model.task: damaged")
        status, out, err = check(run, "a.mp4", "b.mp4")
        assert (status, out, err) == (2, "", "formcheck: error: model.task: damaged\n")
        assert len(pipeline.calls) == 1

    def test_ctrl_c(self, run, pipeline):
        pipeline.answers["b.mp4"] = KeyboardInterrupt()
        status, out, err = check(run, "a.mp4", "b.mp4", "c.mp4")
        assert (status, err) == (130, "formcheck: stopped\n")
        assert "a.mp4:12.3s" in out
        assert len(pipeline.calls) == 2

    def test_a_mistake_of_the_program_is_one_line_unless_asked_for_more(self, run, monkeypatch, capsys):
        def fail(*_):
            raise ZeroDivisionError("division by zero")

        monkeypatch.setattr("formcheck.config.Settings.with_choice", fail)
        status, out, err = check(run, "a.mp4")
        assert (status, out) == (2, "")
        assert err == (
            "formcheck: internal error (ZeroDivisionError: division by zero); "
            "please report it, with the traceback that FORMCHECK_DEBUG=1 shows\n"
        )
        monkeypatch.setenv("FORMCHECK_DEBUG", "1")
        assert main(["check", "a.mp4", "--exercise", "rdl"]) == 2
        assert "Traceback" in capsys.readouterr().err

    def test_an_error_about_a_name_with_a_line_break_is_one_line(self, run, pipeline):
        pipeline.answers["a\nb.mp4"] = ClipError("a\nb.mp4: no such file")
        assert check(run, "a\nb.mp4")[2] == "formcheck: error: a\\nb.mp4: no such file\n"


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "parts"),
        [
            ([], ["formcheck check CLIP", "formcheck --help"]),
            (["--"], ["COMMAND"]),
            (["chek"], ["'chek'; did you mean 'check'?"]),
            (["check"], ["required: CLIP"]),
            (["check", "a.mp4", "--ignore", ",".join(RULES)], ["no rule is left"]),
            (["check", "a.mp4", "--exercise", "romanian-deadlit"], ["romanian-deadlift"]),
            (["check", "a.mp4", "--exersise", "rdl"], ["'--exersise'; did you mean '--exercise'?"]),
            (["check", "a.mp4", "--exercise"], ["--exercise", "expected one argument"]),
            (["check", "a.mp4", "--exercise", "rdl", "--format", "jsn"], ["--format", "did you mean 'json'?"]),
            (["check", "a.mp4", "--exercise", "rdl", "--side", "near"], ["--side", "auto, left, right"]),
            (["check", "a.mp4", "--exercise", "rdl", "--fail-on", "faults"], ["did you mean 'fault'?"]),
            (["check", "a.mp4", "--exercise", "rdl", "--select", "locked-knee"], ["did you mean 'locked-knees'?"]),
            (["check", "a.mp4", "--exercise", "rdl", "--select", ","], ["--select", "no rule is named"]),
            (["check", "a.mp4", "--exercise", "rdl", "--ignore", ",".join(RULES)], ["no rule is left"]),
            (["check", "a.mp4", "--exercise", "rdl", "--select", "missing-plantarflexion"], ["no rule is left"]),
            (["check", "a.mp4", "--exercise", "rdl", "--config", "none.toml"], ["none.toml: cannot read"]),
            (["check", "a.mp4", "--exercise", "rdl", "--video"], ["--out DIR"]),
            (["check", "a.mp4", "--exercise", "rdl", "--html"], ["--html", "--out DIR"]),
            (["check", "a.mp4", "--exercise", "rdl", "--htlm"], ["'--htlm'", "did you mean '--html'?"]),
            (["explain", "locked-kness"], ["no rule or exercise", "did you mean 'locked-knees'?"]),
            (["models", "lite"], ["'lite'"]),
            (["models", "fetch"], ["lite, full, heavy"]),
            (["models", "list", "lite"], ["formcheck models fetch lite"]),
            (["models", "fetch", "havy"], ["lite, full, heavy"]),
            (["validate", ".", "--exercise", "nothing"], ["nothing"]),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, run, pipeline, arguments, parts):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("formcheck: error: ")
        assert err.count("\n") == 1
        for part in parts:
            assert part in err
        assert pipeline.calls == []

    def test_a_clip_without_a_command_is_understood(self, run, tmp_path):
        clip = tmp_path / "a.mp4"
        clip.touch()
        assert f"formcheck check {clip}" in run(clip)[2]

    @pytest.mark.parametrize("command", [[], ["check"], ["explain"], ["models"], ["validate"], ["doctor"]])
    def test_help(self, run, command):
        status, out, err = run(*command, "--help")
        assert (status, err) == (0, "")
        assert out.startswith("usage: formcheck")

    def test_help_lists_each_command_on_one_line(self, run):
        lines = run("--help")[1].splitlines()
        for command in ("check", "explain", "rules", "exercises", "doctor", "models", "validate"):
            assert [line for line in lines if line.split()[:1] == [command] and len(line.split()) > 1], command

    def test_help_teaches(self, run):
        for part in ("examples:", "exit status:", "--format", "formcheck.report/1"):
            assert part in run("check", "--help")[1]

    def test_version(self, run):
        assert run("--version") == (0, f"formcheck {__version__}\n", "")

    @pytest.mark.parametrize("arguments", [[], ["--exercise", "auto"]])
    def test_an_exercise_that_is_not_named_is_to_be_recognised(self, run, pipeline, arguments):
        run("check", "a.mp4", *arguments)
        ((_, options),) = pipeline.calls
        assert options["exercise"] is None

    def test_a_clip_that_is_not_recognised_fails_alone(self, run, pipeline):
        pipeline.answers["b.mp4"] = ClipError("b.mp4: this looks like good-morning; name it with --exercise")
        status, out, err = run("check", "a.mp4", "b.mp4", "c.mp4")
        assert status == 2
        assert err.count("name it with --exercise") == 1
        assert "a.mp4" in out
        assert "c.mp4" in out

    def test_options_reach_the_pipeline(self, run, pipeline, tmp_path):
        config = tmp_path / "f.toml"
        config.write_text('ignore = ["short-range"]\n[rules.locked-knees]\ncaution = 1.0')
        run(
            "check", "a.mp4", "--exercise", "RDL", "--side", "left", "--model", "lite", "--config", config,
            "--select", "locked-knees,short-range", "--select", "rounded-lower-back", "--ignore", "rounded-lower-back",
        )  # fmt: skip
        ((path, options),) = pipeline.calls
        assert path == Path("a.mp4")
        assert options["exercise"] is EXERCISES["romanian-deadlift"]
        assert options["side"] is Side.LEFT
        assert options["model"] == "lite"
        assert [rule.id for rule in options["settings"].active_rules(options["exercise"])] == ["locked-knees"]
        assert options["settings"].limits(options["exercise"], RULES["locked-knees"]).caution == 1.0

    def test_no_side_means_the_near_one(self, run, pipeline):
        check(run, "a.mp4")
        assert pipeline.calls[0][1]["side"] is None


class TestOutput:
    def test_text(self, run, pipeline):
        status, out, err = check(run, "a.mp4")
        assert out.splitlines()[0].startswith("a.mp4: Romanian deadlift")
        assert "a.mp4:12.3s rep 2 fault locked-knees  knee flexion -5 ± 3 deg (limit -3 or more)\n" in out
        assert "no diagnosis" in out.splitlines()[-1]
        assert (status, err) == (1, "")
        pipeline.answers["a.mp4"] = GOOD
        assert "diagnosis" not in check(run, "a.mp4")[1]

    def test_clips_are_kept_apart_by_an_empty_line(self, run):
        out = check(run, "x/a.mp4", "x/b.mp4")[1]
        assert [block.splitlines()[0][:7] for block in out.split("\n\n")] == ["x/a.mp4", "x/b.mp4", "2 clips"]
        assert "x/b.mp4:12.3s rep 2" in out
        assert "\n\n" not in check(run, "x/a.mp4", "x/b.mp4", "--quiet")[1]
        assert "\na.mp4:12.3s rep 2" in check(run, "x/a.mp4")[1]

    def test_quiet(self, run):
        out = check(run, "a.mp4", "--quiet")[1]
        assert len(out.splitlines()) == 3
        assert "diagnosis" not in out

    def test_json_of_one_clip_is_an_object(self, run):
        out = check(run, "a.mp4", "--format", "json")[1]
        assert json.loads(out)["clip"]["path"] == "a.mp4"

    def test_json_of_several_clips_is_an_array_in_order(self, run, pipeline):
        pipeline.answers["b.mp4"] = ClipError("b.mp4: broken")
        out = check(run, "c.mp4", "b.mp4", "a.mp4", "--format", "json")[1]
        assert [report["clip"]["path"] for report in json.loads(out)] == ["c.mp4", "a.mp4"]

    def test_json_is_whole_when_every_clip_fails_or_after_ctrl_c(self, run, pipeline):
        pipeline.answers = {"a.mp4": ClipError("a.mp4: broken"), "b.mp4": KeyboardInterrupt()}
        assert json.loads(check(run, "a.mp4", "a.mp4", "--format", "json")[1]) == []
        assert len(json.loads(check(run, "c.mp4", "b.mp4", "--format", "json")[1])) == 1
        assert check(run, "a.mp4", "--format", "json")[1] == ""

    def test_csv_has_one_header(self, run):
        rows = list(csv.DictReader(io.StringIO(check(run, "a.mp4", "b.mp4", "--format", "csv")[1])))
        assert [(row["clip"], row["rule"], row["status"]) for row in rows] == [
            ("a.mp4", "locked-knees", "fault"),
            ("b.mp4", "locked-knees", "fault"),
        ]

    @pytest.mark.parametrize(("options", "shown"), [([], True), (["--quiet"], False)])
    def test_the_progress_bar_is_on_standard_error_of_a_terminal(self, pipeline, monkeypatch, capsys, options, shown):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("FORCE_COLOR", "1")
        main(["check", "a.mp4", "--exercise", "rdl", *options])
        captured = capsys.readouterr()
        assert ("a.mp4" in captured.err) is shown
        assert "a.mp4:12.3s" in captured.out

    def test_no_bar_where_standard_error_is_no_terminal(self, run, pipeline):
        pipeline.progress = [(0.5, float("nan")), (1.0, 2.0)]
        assert check(run, "a.mp4")[2] == ""


class TestFiles:
    def test_out_writes_report_angles_and_video(self, run, tmp_path):
        out = tmp_path / "new" / "results"
        status, _, err = check(run, "clips/squat.mp4", "--out", out, "--video")
        assert status == 1
        assert names(out) == ["squat.angles.csv", "squat.overlay.mp4", "squat.report.json"]
        assert json.loads((out / "squat.report.json").read_text())["schema"] == "formcheck.report/1"
        assert (out / "squat.angles.csv").read_text().startswith("time_s,left_knee_flexion_deg,")
        assert (out / "squat.overlay.mp4").read_bytes() == b"video of squat.mp4"
        assert "squat.overlay.mp4" in err

    def test_html_is_written_beside_them(self, run, tmp_path, monkeypatch):
        monkeypatch.setattr(
            formcheck.stills, "write_page", lambda clip, analysis, on_progress: f"<p>page of {clip}</p>"
        )
        status, _, err = check(run, "clips/squat.mp4", "--out", tmp_path, "--html")
        assert status == 1
        assert names(tmp_path) == ["squat.angles.csv", "squat.report.html", "squat.report.json"]
        assert (tmp_path / "squat.report.html").read_text() == "<p>page of clips/squat.mp4</p>"
        assert "squat.report.html" in err

    def test_no_video_unless_asked(self, run, tmp_path):
        check(run, "squat.mp4", "--out", tmp_path, "--quiet")
        assert names(tmp_path) == ["squat.angles.csv", "squat.report.json"]

    def test_clips_of_one_name_are_kept_apart_and_it_is_said(self, run, tmp_path):
        _, _, err = check(run, "a/x.mp4", "b/x.mp4", "--out", tmp_path)
        assert names(tmp_path) == ["x-2.angles.csv", "x-2.report.json", "x.angles.csv", "x.report.json"]
        assert json.loads((tmp_path / "x-2.report.json").read_text())["clip"]["path"] == "b/x.mp4"
        assert "b/x.mp4: another clip has the same name; its files are called x-2.*" in err

    def test_a_bad_folder_is_found_before_the_work(self, run, pipeline, tmp_path):
        (tmp_path / "file").touch()
        status, out, err = check(run, "a.mp4", "--out", tmp_path / "file")
        assert (status, out) == (2, "")
        assert err == f"formcheck: error: {tmp_path / 'file'}: cannot write into this folder: " + (
            "it is not a folder; choose another one\n"
        )
        assert pipeline.calls == []

    def test_a_clip_is_never_overwritten(self, run, pipeline, tmp_path):
        status, _, err = check(run, tmp_path / "a.mp4", tmp_path / "a.overlay.mp4", "--out", tmp_path, "--video")
        assert status == 2
        assert "would be overwritten" in err
        assert pipeline.calls == []

    def test_findings_are_printed_though_they_cannot_be_written(self, run, pipeline, tmp_path):
        pipeline.overlay_error = OutputError("a.overlay.mp4: the disk is full")
        status, out, err = check(run, "a.mp4", "--out", tmp_path, "--video")
        assert status == 2
        assert "a.mp4:12.3s rep 2 fault" in out
        assert "formcheck: error: a.overlay.mp4: the disk is full" in err

    def test_ctrl_c_leaves_nothing_half_written(self, run, pipeline, monkeypatch, tmp_path):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("formcheck.reports.csv._cell", interrupt)
        assert check(run, "a.mp4", "--out", tmp_path)[0] == 130
        assert names(tmp_path) == ["a.report.json"]


class TestCatalogue:
    @pytest.mark.parametrize("name", [*RULES, *EXERCISES])
    def test_explain(self, run, name):
        status, out, err = run("explain", name)
        assert (status, err) == (0, "")
        assert out.startswith(f"# {name}\n")

    def test_explain_takes_other_spellings(self, run):
        assert run("explain", "Locked_Knees")[1] == run("explain", "locked-knees")[1]
        assert run("explain", "rdl")[1] == run("explain", "romanian-deadlift")[1]

    def test_on_a_terminal_paragraphs_are_broken_and_tables_are_not(self, run, monkeypatch):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("COLUMNS", "60")
        lines = run("explain", "locked-knees")[1].splitlines()
        assert max(len(line) for line in lines if not line.startswith("|")) <= 60
        assert any(line.startswith("| `romanian-deadlift`") and "(held_s = 0.5)" in line for line in lines)

    def test_lists(self, run):
        assert [line.split()[0] for line in run("rules")[1].splitlines()[: len(RULES)]] == list(RULES)
        assert [line.split()[0] for line in run("exercises")[1].splitlines()[: len(EXERCISES)]] == list(EXERCISES)

    def test_markdown(self, run):
        assert run("rules", "--markdown")[1] == rules_markdown()
        assert run("exercises", "--markdown")[1] == exercises_markdown()


class TestMachine:
    def test_doctor(self, run, monkeypatch):
        from formcheck.doctor import Check

        good, optional = Check("Python", True, "3.11"), Check("cameras", False, "none", "connect one", needed=False)
        monkeypatch.setattr("formcheck.doctor.examine", lambda: iter([good, optional]))
        status, out, _ = run("doctor")
        assert status == 0
        assert out == "ok    Python   3.11\nnote  cameras  none; connect one\nformcheck can run here\n"
        bad = Check("pose", False, "does not run", "run: apt")
        monkeypatch.setattr("formcheck.doctor.examine", lambda: iter([good, bad]))
        status, out, _ = run("doctor")
        assert status == 2
        assert out.splitlines()[1:] == [
            "FAIL  pose    does not run; run: apt",
            "formcheck cannot run here yet: see pose",
        ]

    def test_models_are_listed(self, run):
        status, out, _ = run("models")
        assert status == 0
        assert [line.split()[0] for line in out.splitlines()] == ["lite", "full", "heavy"]
        assert "(the default)" in out.splitlines()[1]

    @pytest.mark.parametrize("arguments", [["fetch", "lite"], ["--fetch", "lite"]])
    def test_a_model_is_fetched(self, run, monkeypatch, arguments):
        def fetch(variant, *, progress):
            progress(1, None)
            progress(2, 2)
            return Path(f"/data/{variant}.task")

        monkeypatch.setattr("formcheck.adapters.models.fetch", fetch)
        assert run("models", *arguments) == (0, "/data/lite.task\n", "")


def start(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


class TestProcess:
    """What only a process of its own can show."""

    def test_explain_brings_no_heavy_library(self):
        code = (
            "import sys; from formcheck.cli import main; main(['explain', 'locked-knees']);"
            "print(*sorted({'mediapipe', 'av', 'cv2', 'rich', 'scipy', 'formcheck.pipeline'} & set(sys.modules)),"
            "file=sys.stderr)"
        )
        out, err = start("-c", code).communicate()
        assert out.startswith("# locked-knees")
        assert err.strip() == ""

    def test_explain_starts_at_once(self):
        # The aim is 0.3 s. What the processor was busy with it, which a machine with other work does not lengthen.
        times = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start("-m", "formcheck", "explain", "locked-knees").communicate()
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert 0.0 < min(times) < 0.6

    @pytest.mark.parametrize("arguments", [["rules", "--markdown"], ["--help"], ["exercises"]])
    def test_a_reader_that_goes_away_is_no_error(self, arguments):
        process = start("-m", "formcheck", *arguments)
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 141

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
    def test_a_full_disk_behind_standard_output_is_one_line(self):
        with Path("/dev/full").open("w") as full:
            result = subprocess.run(
                [sys.executable, "-m", "formcheck", "rules"],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                check=False,
            )
        assert result.returncode == 2
        assert result.stderr == "formcheck: error: standard output: cannot write to it: No space left on device\n"

    def test_closed_streams_are_no_error(self):
        for closing in (">&-", "2>&-"):
            command = f'exec "{sys.executable}" -m formcheck rules {closing}'
            assert (
                subprocess.run(["sh", "-c", command], cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 0
            )

    def test_any_encoding_will_do(self):
        process = start("-m", "formcheck", "explain", "übung", env={"PYTHONIOENCODING": "ascii"})
        err = process.communicate()[1]
        assert process.returncode == 2
        assert err.startswith("formcheck: error: there is no rule or exercise '\\xfcbung'")

    @pytest.mark.parametrize(
        ("wait", "presses"),
        [
            ("while True: time.sleep(0.01); on_progress(1.0, 2.0)", 1),  # between two frames
            ("time.sleep(0.5); raise ClipError('a.mp4: broken')", 1),  # kept until the clip has failed
            ("time.sleep(60)", 2),  # somewhere that does not report: the second one counts
        ],
    )
    def test_ctrl_c_ends_a_real_process_with_130(self, tmp_path, wait, presses):
        code = (
            "import sys, time, formcheck.pipeline as pipeline\n"
            "from formcheck.errors import ClipError\n"
            "def analyze(*_, on_progress, **__):\n"
            "    print('ready', flush=True)\n"
            f"    {wait}\n"
            "pipeline.analyze_clip = analyze\n"
            "from formcheck.cli import main\n"
            f"sys.exit(main(['check', 'a.mp4', 'b.mp4', '--exercise', 'rdl', '--out', {str(tmp_path)!r}]))\n"
        )
        process = start("-c", code)
        assert process.stdout.readline() == "ready\n"
        for press in range(presses):
            time.sleep(0.2 * press)  # two signals at one moment would be one
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err.splitlines()[-1] == "formcheck: stopped"
        assert "Traceback" not in err
        assert "ready" not in out
        assert names(tmp_path) == []


def test_outcomes_of_different_rules_count_together(run, pipeline):
    other = replace(FAULT, rule="short-range", status=Status.CAUTION)
    pipeline.answers["a.mp4"] = (other, make_outcome())
    assert check(run, "a.mp4", "--fail-on", "caution")[0] == 1


class TestExports:
    @pytest.fixture(autouse=True)
    def written(self, monkeypatch):
        calls = []

        def write_exports(analysis, folder, stem, formats):
            calls.append((analysis.report.clip.path, folder, stem, formats))
            return tuple(folder / f"{stem}.{name}" for name in formats)

        monkeypatch.setattr("formcheck.reports.export.write_exports", write_exports)
        return calls

    def test_every_clip_gets_its_exports_beside_its_report(self, run, tmp_path, written):
        status, _, err = check(run, "a.mp4", "sub/a.mp4", "--out", tmp_path, "--export", "TRC, mot", "--export", "mot")
        assert status == 1
        assert written == [
            ("a.mp4", tmp_path, "a", ("trc", "mot")),
            ("sub/a.mp4", tmp_path, "a-2", ("trc", "mot")),
        ]
        assert "wrote a.report.json, a.angles.csv, a.trc, a.mot in " in err

    def test_without_the_option_nothing_is_exported(self, run, tmp_path, written):
        check(run, "a.mp4", "--out", tmp_path)
        assert {formats for *_, formats in written} <= {()}

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["--export", "trc"], "--export needs a folder to write into: add --out DIR"),
            (["--out", "x", "--export", "c3d"], "there is no export 'c3d'; choose from: trc, mot, parquet, vtt"),
        ],
    )
    def test_what_cannot_be_exported_is_said_before_any_work(self, run, pipeline, arguments, reason):
        status, out, err = check(run, "a.mp4", *arguments)
        assert (status, out, pipeline.calls) == (2, "", [])
        assert reason in err
        assert len(err.splitlines()) == 1
