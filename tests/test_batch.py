"""`formcheck batch` from end to end, with real worker processes and a stand-in for the pose model."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import batch_stub
import pandas as pd
import pytest
from batch_watch import children, markers, tree

from formcheck.batch import job as job_module
from formcheck.batch import supervisor
from formcheck.batch.clips import Clip
from formcheck.cli import main

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_videos" / "kettlebell-swing-good.mp4"


@pytest.fixture(autouse=True)
def stub(monkeypatch):
    monkeypatch.setattr(job_module, "ANALYZE", batch_stub.ANALYZE)


@pytest.fixture
def run(capsys):
    """Run `formcheck batch`; return status, standard output and standard error."""

    def call(*arguments):
        status = main(["batch", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return call


def make(folder: Path, count: int, **what: object) -> list[Path]:
    return [batch_stub.write(folder / f"c{n:02}.mp4", reps=n % 4, faults=n % 3, **what) for n in range(count)]


def rows(out: Path, table: str = "summary") -> list[dict[str, str]]:
    with (out / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start `formcheck batch` with the stand-in as a program of its own."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import batch_stub; "
        "from formcheck.batch import job; job.ANALYZE = batch_stub.ANALYZE; "
        "from formcheck.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "batch", *(str(argument) for argument in arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(true, limit_s: float = 60.0):
    end_s = time.monotonic() + limit_s
    while not (result := true()):
        assert time.monotonic() < end_s, "waited too long"
        time.sleep(0.02)
    return result


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """One batch of clips that end in every way."""
    folder = tmp_path_factory.mktemp("ends")
    clips, out = folder / "clips", folder / "out"
    write = batch_stub.write
    write(clips / "fault.mp4", reps=3, faults=1)
    write(clips / "good.mp4", reps=2)
    write(clips / "twin" / "good.mp4", reps=1)
    write(clips / "nothing.mp4", reps=0)
    write(clips / "unreadable.mp4", error="broken")
    write(clips / "bug.mp4", bug=1)
    write(clips / "dies.mp4", die=int(signal.SIGSEGV))
    write(clips / "dies_once.mp4", die_once=folder / "mark", reps=4)
    write(clips / "hangs.mp4", hang=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_module, "ANALYZE", batch_stub.ANALYZE)
        status = main(["batch", str(clips), str(folder / "gone.mp4"), "--out", str(out), "--time-limit", "3"])
    return status, out, {Path(row["clip"]).name if "twin" not in row["clip"] else "twin": row for row in rows(out)}


class TestEveryEnd:
    def test_one_bad_clip_never_stops_the_rest(self, ended):
        status, _, table = ended
        assert status == 2
        assert {name: row["status"] for name, row in table.items()} == {
            "bug.mp4": "failed",
            "dies.mp4": "failed",
            "dies_once.mp4": "ok",
            "fault.mp4": "fault",
            "gone.mp4": "failed",
            "good.mp4": "ok",
            "hangs.mp4": "failed",
            "nothing.mp4": "not_judged",
            "twin": "ok",
            "unreadable.mp4": "failed",
        }

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("unreadable.mp4", "broken; copy it again"),
            ("bug.mp4", "internal error (ZeroDivisionError: division by zero)"),
            ("dies.mp4", "the process that analysed it ended (SIGSEGV)"),
            ("hangs.mp4", "took longer than 3 s and was stopped"),
            ("gone.mp4", "no such file"),
        ],
    )
    def test_each_failure_has_its_reason(self, ended, name, reason):
        row = ended[2][name]
        assert reason in row["reason"]
        assert row["reason"].startswith(f"{row['clip']}: ")
        assert row["results"] == ""

    def test_files_are_those_of_check_and_clips_of_one_name_do_not_meet(self, ended):
        _, out, table = ended
        one, other = table["good.mp4"]["results"], table["twin"]["results"]
        assert one != other
        for place, reps in ((one, 2), (other, 1)):
            names = {path.name for path in (out / place).iterdir()}
            assert names == {"good.report.json", "good.angles.csv", "done.json"}
            report = json.loads((out / place / "good.report.json").read_text())
            assert len(report["reps"]) == reps

    def test_tables_agree_with_the_reports_and_with_each_other(self, ended):
        _, out, table = ended
        reports = {}
        for path in out.glob("clips/*/*.report.json"):
            report = json.loads(path.read_text())
            reports[report["clip"]["path"]] = report
        assert {row["clip"] for row in table.values() if row["results"]} == set(reports)
        for row in table.values():
            if row["results"]:
                report = reports[row["clip"]]
                assert int(row["repetitions"]) == len(report["reps"])
                assert int(row["faults"]) == sum(item["status"] == "fault" for item in report["outcomes"])
        assert len(rows(out, "summary.repetitions")) == sum(len(report["reps"]) for report in reports.values())
        outcomes = [(row["clip"], row["rule"], row["rep"], row["status"]) for row in rows(out, "summary.outcomes")]
        expected = [
            (clip, item["rule"], str(item["rep"]), item["status"])
            for clip, report in sorted(reports.items())
            for item in report["outcomes"]
        ]
        assert sorted(outcomes) == sorted(expected)
        assert rows(out, "summary.repetitions")[0]["turn_duration_s"] == "0.2"
        assert rows(out, "summary.repetitions")[0]["turn_s"] == "0.5"

    @pytest.mark.parametrize("table", ["summary", "summary.repetitions", "summary.outcomes"])
    def test_parquet_holds_the_same_with_types(self, ended, table):
        _, out, _ = ended
        frame, text = pd.read_parquet(out / f"{table}.parquet"), rows(out, table)
        assert list(frame.columns) == list(text[0])
        assert len(frame) == len(text)
        for column in frame.columns:
            for value, cell in zip(frame[column], text, strict=True):
                if pd.isna(value):
                    assert cell[column] == ""
                elif isinstance(value, float):
                    assert float(cell[column]) == value
                else:
                    assert cell[column] == str(value)

    def test_nothing_half_written_is_left(self, ended):
        _, out, _ = ended
        assert [path for path in out.rglob("*") if path.name.startswith(".")] == []

    def test_no_process_is_left(self, ended):
        del ended
        assert [
            pid for pid in children(os.getpid()) if b"batch.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ] == []


class TestExitStatus:
    def test_by_the_findings_and_what_is_printed(self, run, tmp_path):
        clip = batch_stub.write(tmp_path / "a.mp4", reps=2, faults=1)
        status, out, err = run(clip, "--out", tmp_path / "out")
        assert (status, err) == (1, "")
        assert out == f"1 clip: 1 with a fault\nlook at {tmp_path}/out/index.html\n"
        status, out, _ = run(clip, "--out", tmp_path / "out", "--resume", "--fail-on", "never")
        assert (status, out.splitlines()[0]) == (0, "1 clip (1 finished before): 1 with a fault")
        assert run(clip, "--out", tmp_path / "out", "--resume", "--fail-on", "never", "--quiet") == (0, "", "")

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["--out", "o"], "name the clips"),
            (["x.mp4"], "the following arguments are required: --out"),
            (["x.mp4", "--out", "o", "--jobs", "0"], "'0' is no number of processes"),
            (["x.mp4", "--out", "o", "--time-limit", "-1"], "'-1' is no number of seconds"),
            (["x.mp4", "--out", "o", "--time-limit", "nan"], "'nan' is no number of seconds"),
            (["x.mp4", "--out", "o", "--exercise", "deadlfit"], "there is no exercise 'deadlfit'"),
            (["x.mp4", "--out", "o", "--model", "gone.task"], "gone.task: no such pose model"),
            (["x.mp4", "--out", "nostorage://o"], "no storage is known for nostorage://"),
            (
                ["x.mp4", "--out", "memory://o", "--cluster", "tcp://127.0.0.1:9"],
                "other machines do not see this memory",
            ),
        ],
    )
    def test_what_cannot_run_is_one_line_and_leaves_nothing(self, run, tmp_path, monkeypatch, arguments, text):
        monkeypatch.chdir(tmp_path)
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert text in err
        assert err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


class TestResume:
    def test_a_folder_with_results_is_not_touched_without_it(self, run, tmp_path):
        make(tmp_path / "clips", 2)
        run(tmp_path / "clips", "--out", tmp_path / "out")
        before = tree(tmp_path / "out")
        status, out, err = run(tmp_path / "clips", "--out", tmp_path / "out")
        assert (status, out) == (2, "")
        assert "holds the results of an earlier batch; add --resume to go on with it" in err
        assert tree(tmp_path / "out") == before

    @pytest.mark.parametrize("name", ["summary.csv", "index.html", "clips"])
    def test_somebody_elses_file_is_not_overwritten(self, run, tmp_path, name):
        clip = batch_stub.write(tmp_path / "a.mp4")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / name).write_text("mine")
        status, _, err = run(clip, "--out", tmp_path / "out")
        assert status == 2
        assert f"{name} in it would be overwritten; choose another folder" in err
        assert (tmp_path / "out" / name).read_text() == "mine"

    def test_nothing_finished_is_done_twice_and_what_changed_is_done_again(self, run, tmp_path):
        clips, out = make(tmp_path / "clips", 4), tmp_path / "out"
        run(tmp_path / "clips", "--out", out)
        first, before = markers(out), tree(out)

        run(tmp_path / "clips", "--out", out, "--resume")
        assert (markers(out), tree(out)) == (first, before)

        def redone(*options):
            was = markers(out)
            run(tmp_path / "clips", "--out", out, "--resume", *options)
            return {name for name, state in markers(out).items() if was.get(name) != state}

        batch_stub.write(clips[0], reps=7)
        assert redone() == {Clip(str(clips[0])).name}
        assert rows(out)[0]["repetitions"] == "7"
        (out / "clips" / Clip(str(clips[1])).name / "c01.angles.csv").unlink()
        assert redone() == {Clip(str(clips[1])).name}
        assert len(redone("--ignore", "locked-knees")) == 4
        assert len(redone("--ignore", "locked-knees", "--side", "right")) == 4
        batch_stub.write(tmp_path / "clips" / "new.mp4")
        assert redone("--ignore", "locked-knees", "--side", "right") == {Clip(str(tmp_path / "clips" / "new.mp4")).name}

    def test_a_copy_with_the_same_content_is_kept(self, run, tmp_path):
        (clip,) = make(tmp_path / "clips", 1)
        out = tmp_path / "out"
        run(clip, "--out", out)
        content = clip.read_bytes()
        clip.unlink()
        clip.write_bytes(content)
        _, printed, _ = run(clip, "--out", out, "--resume")
        assert "(1 finished before)" in printed

    def test_results_of_old_settings_do_not_stay_behind(self, run, tmp_path):
        (clip,) = make(tmp_path / "clips", 1)
        out = tmp_path / "out"
        run(clip, "--out", out)
        place = out / "clips" / Clip(str(clip)).name
        (place / "c00.overlay.mp4").write_bytes(b"of another run")
        run(clip, "--out", out, "--resume", "--side", "right")
        assert {path.name for path in place.iterdir()} == {"c00.report.json", "c00.angles.csv", "done.json"}

    def test_another_rate_does_every_clip_again(self, run, tmp_path):
        (clip,) = make(tmp_path / "clips", 1)
        out = tmp_path / "out"
        run(clip, "--out", out)
        _, again, _ = run(clip, "--out", out, "--resume", "--rate", "auto")
        assert "(1 finished before)" in again
        _, other, _ = run(clip, "--out", out, "--resume", "--rate", "full")
        assert "finished before" not in other

    def test_a_clip_that_became_unreadable_keeps_no_old_report(self, run, tmp_path):
        (clip,) = make(tmp_path / "clips", 1)
        out = tmp_path / "out"
        run(clip, "--out", out)
        batch_stub.write(clip, error="broken")
        status, _, err = run(clip, "--out", out, "--resume")
        assert status == 2
        assert "broken" in err
        assert [path.name for path in (out / "clips" / Clip(str(clip)).name).iterdir()] == ["done.json"]
        was = markers(out)
        assert run(clip, "--out", out, "--resume")[0] == 2
        assert markers(out) == was

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": "other/1"}', '{"schema": "formcheck.done/1"}'])
    def test_a_damaged_marker_counts_for_nothing(self, run, tmp_path, damage):
        (clip,) = make(tmp_path / "clips", 1)
        out = tmp_path / "out"
        run(clip, "--out", out)
        before = tree(out)
        (out / "clips" / Clip(str(clip)).name / "done.json").write_text(damage)
        run(clip, "--out", out, "--resume")
        assert tree(out) == before


class TestStopping:
    def test_a_full_disk_is_one_line_and_goes_on_later(self, run, tmp_path):
        clips, out = make(tmp_path / "clips", 4), tmp_path / "out"
        batch_stub.write(clips[2], full=1)
        status, printed, err = run(tmp_path / "clips", "--out", out, "--jobs", "1")
        assert (status, printed) == (2, "")
        assert err.count("\n") == 1
        assert "No space left on device; 2 of 4 clips are finished and kept; put it right and run again" in err
        batch_stub.write(clips[2], reps=2)
        _, printed, _ = run(tmp_path / "clips", "--out", out, "--resume")
        assert printed.startswith("4 clips (2 finished before)")

    def test_a_full_disk_when_results_are_put_in_place(self, run, tmp_path, monkeypatch):
        import errno

        from formcheck.batch import files

        make(tmp_path / "clips", 3)

        def full(path):
            if path.name.startswith("c01"):
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(files, "_sync", full)
        status, _, err = run(tmp_path / "clips", "--out", tmp_path / "out", "--jobs", "1")
        assert status == 2
        assert "no space is left (No space left on device); 1 of 3 clips are finished" in err
        monkeypatch.undo()
        monkeypatch.setattr(job_module, "ANALYZE", batch_stub.ANALYZE)
        assert run(tmp_path / "clips", "--out", tmp_path / "out", "--resume")[1].startswith(
            "3 clips (1 finished before)"
        )

    def test_a_full_disk_when_the_tables_are_written(self, run, tmp_path, monkeypatch):
        import errno

        from formcheck.batch import summary

        make(tmp_path / "clips", 2)

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(summary.TableWriter, "_flush", full)
            status, _, err = run(tmp_path / "clips", "--out", tmp_path / "out")
        assert status == 2
        assert "the tables cannot be written (No space left on device); every clip is finished and kept" in err
        assert err.count("\n") == 1
        status, printed, _ = run(tmp_path / "clips", "--out", tmp_path / "out", "--resume", "--fail-on", "never")
        assert (status, printed.splitlines()[0][:29]) == (0, "2 clips (2 finished before): ")

    def test_ctrl_c(self, tmp_path):
        make(tmp_path / "clips", 12, sleep=0.4)
        process = start(tmp_path / "clips", "--out", tmp_path / "out", "--jobs", "2")
        wait_until(lambda: len(markers(tmp_path / "out")) >= 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (130, "")
        assert err.startswith("formcheck: stopped; ")
        assert "of 12 clips are finished and kept; go on with --resume" in err
        assert err.count("\n") == 1
        assert not (tmp_path / "out" / ".staging").exists()

    def test_killed_at_once_or_in_the_middle_it_ends_the_same_and_leaves_no_process(self, run, tmp_path):
        make(tmp_path / "clips", 10, sleep=0.2)
        run(tmp_path / "clips", "--out", tmp_path / "whole")
        out = tmp_path / "out"
        for finished in (0, 3):
            process = start(tmp_path / "clips", "--out", out, "--resume", "--jobs", "2")
            workers = wait_until(lambda parent=process.pid: children(parent))
            wait_until(lambda least=finished: len(markers(out)) >= least)
            before = markers(out)
            process.kill()
            process.communicate()
            wait_until(lambda pids=workers: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in pids), 10)
        run(tmp_path / "clips", "--out", out, "--resume")
        assert before.items() <= markers(out).items()
        assert tree(out) == tree(tmp_path / "whole")

    def test_two_batches_in_one_folder(self, run, tmp_path):
        make(tmp_path / "clips", 1, sleep=30)
        process = start(tmp_path / "clips", "--out", tmp_path / "out", "--jobs", "1")
        try:
            wait_until(lambda: children(process.pid))
            status, _, err = run(tmp_path / "clips", "--out", tmp_path / "out", "--resume")
        finally:
            process.kill()
            process.communicate()
        assert status == 2
        assert "another batch is at work in this folder" in err

    def test_a_folder_that_cannot_be_written(self, run, tmp_path):
        (clip,) = make(tmp_path / "clips", 1)
        (tmp_path / "file").write_text("")
        status, _, err = run(clip, "--out", tmp_path / "file" / "out")
        assert status == 2
        assert "cannot write it (Not a directory)" in err


class TestWorkers:
    def test_are_renewed_when_they_have_grown(self, run, tmp_path, monkeypatch):
        for n in range(4):
            batch_stub.write(tmp_path / "clips" / f"{n}.mp4", grow=150)
        started = []
        monkeypatch.setattr(supervisor, "RECYCLE_MB", 150.0)
        usual = supervisor.Worker._greet
        monkeypatch.setattr(supervisor.Worker, "_greet", lambda self: started.append(self) or usual(self))
        status, _, _ = run(tmp_path / "clips", "--out", tmp_path / "out", "--jobs", "1")
        assert status == 0
        assert len(started) == 4

    def test_are_renewed_after_so_many_clips(self, run, tmp_path, monkeypatch):
        make(tmp_path / "clips", 5)
        started = []
        usual = supervisor.Worker._greet
        monkeypatch.setattr(supervisor, "RECYCLE_CLIPS", 2)
        monkeypatch.setattr(supervisor.Worker, "_greet", lambda self: started.append(self) or usual(self))
        run(tmp_path / "clips", "--out", tmp_path / "out", "--jobs", "1")
        assert len(started) == 3

    def test_one_that_does_not_start_stops_the_batch_with_the_reason(self, run, tmp_path, monkeypatch):
        make(tmp_path / "clips", 2)
        monkeypatch.setattr(job_module, "ANALYZE", "no_such_module:analyze")
        status, _, err = run(tmp_path / "clips", "--out", tmp_path / "out")
        assert status == 2
        assert "a worker process ended as it started (exit status 1)" in err
        assert err.count("\n") == 1

    def test_a_module_beside_the_clips_is_not_imported(self, run, tmp_path, monkeypatch):
        make(tmp_path / "clips", 1)
        (tmp_path / "clips" / "queue.py").write_text("raise SystemExit(3)")
        monkeypatch.chdir(tmp_path / "clips")
        assert run("c00.mp4", "--out", tmp_path / "out")[0] == 0


class TestOptions:
    def test_results_may_lie_in_the_folder_of_the_clips(self, run, tmp_path):
        make(tmp_path, 2)
        for options in ((), ("--resume",)):
            run(tmp_path, "--out", tmp_path, *options)
            assert [Path(row["clip"]).name for row in rows(tmp_path)] == ["c00.mp4", "c01.mp4"]

    def test_any_file_name_is_taken(self, run, tmp_path):
        names = [b"\xff.mp4", b"a\nb.mp4", b"[red]x[/].mp4", '\N{SNOWMAN} ;,".mp4'.encode(), b"x" * 250 + b".mp4"]
        for name in names:
            batch_stub.write(Path(os.fsdecode(os.fsencode(tmp_path / "clips") + b"/" + name)))
        status, out, err = run(tmp_path / "clips", "--out", tmp_path / "out")
        assert (status, err) == (0, "")
        assert out.startswith("5 clips: 5 without a finding")
        assert len({row["clip"] for row in rows(tmp_path / "out")}) == 5
        assert len(pd.read_parquet(tmp_path / "out" / "summary.parquet")) == 5

    def test_a_manifest_says_what_each_clip_is(self, run, tmp_path):
        make(tmp_path, 2)
        (tmp_path / "list.csv").write_text(
            "path,exercise,side,person,label\nc00.mp4,nordic,right,2,=tired\nc01.mp4,,,,\n"
        )
        run("--manifest", tmp_path / "list.csv", "--out", tmp_path / "out", "--exercise", "deadlift")
        first, second = rows(tmp_path / "out")
        assert (first["exercise"], first["near_side"], first["person"], first["label"]) == (
            "nordic-curl",
            "right",
            "2",
            "=tired",
        )
        assert first["warnings"] == "person 2"
        assert (second["exercise"], second["person"], second["label"]) == ("deadlift", "", "")

    @pytest.mark.model
    def test_a_real_clip_gives_what_check_gives(self, run, tmp_path, monkeypatch):
        monkeypatch.setattr(job_module, "ANALYZE", "formcheck.pipeline:analyze_clip")
        status, _, err = run(SAMPLE, "--out", tmp_path / "batch", "--video", "--exercise", "kettlebell-swing")
        assert (status, err) == (0, "")
        same = ["--out", str(tmp_path / "check"), "--exercise", "kettlebell-swing", "--rate", "auto"]
        assert main(["check", str(SAMPLE), *same]) == 0
        place = tmp_path / "batch" / rows(tmp_path / "batch")[0]["results"]
        for name in ("kettlebell-swing-good.report.json", "kettlebell-swing-good.angles.csv"):
            assert (place / name).read_bytes() == (tmp_path / "check" / name).read_bytes()
        assert (place / "kettlebell-swing-good.overlay.mp4").stat().st_size > 100_000
