"""`formcheck batch --cluster` on a real Dask scheduler with worker processes on this machine, one of them killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import batch_stub
import pytest

from formcheck.batch import cluster
from formcheck.batch import job as job_module
from formcheck.batch.job import tools_here
from formcheck.cli import main

ROOT = Path(__file__).parents[1]
LIMIT_S = 60.0


def wait_until(true: Callable[[], bool], what: object) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < end_s, f"waited too long for {what}"
        time.sleep(0.05)


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.file = folder / "scheduler.json"
        self._dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", self.file)
        wait_until(self._is_written, self.file)
        self.address = json.loads(self.file.read_text())["address"]

    def _is_written(self) -> bool:
        """The scheduler makes its file first and fills it then."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return "address" in json.loads(self.file.read_text())
        return False

    def _dask(self, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        tests = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
        with (self.folder / f"log{len(self.processes)}").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *(str(argument) for argument in arguments)],
                env={**os.environ, "PYTHONPATH": tests, **environment},
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self.processes.append(process)
        return process

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"log{len(self.processes)}"
        process = self._dask(
            *("worker", self.address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard", "--no-nanny"),
            *("--host", "127.0.0.1", "--local-directory", self.folder),
            **environment,
        )
        wait_until(lambda: b"Registered to" in log.read_bytes(), log)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        made.worker()
        made.worker()
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def stub(monkeypatch):
    monkeypatch.setattr(job_module, "ANALYZE", batch_stub.ANALYZE)


def files(out: Path) -> dict[str, bytes]:
    found = (path for path in out.rglob("*") if path.is_file() and path.name != "batch.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def test_a_worker_killed_in_the_middle_loses_nothing(dask, tmp_path, capsys):
    clips = tmp_path / "clips"
    for n in range(14):
        batch_stub.write(clips / f"c{n:02}.mp4", reps=n % 4, faults=n % 3, sleep=0.4)
    batch_stub.write(clips / "unreadable.mp4", error="broken")
    batch_stub.write(clips / "hangs.mp4", hang=1)
    arguments = ["batch", str(clips), "--time-limit", "4"]
    assert main([*arguments, "--out", str(tmp_path / "local")]) == 2
    capsys.readouterr()

    third = dask.worker()
    kill_when_busy = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, sys, time, pathlib, signal\n"
            "out, pid = pathlib.Path(sys.argv[1]), int(sys.argv[2])\n"
            "while len(list(out.glob('clips/*/done.json'))) < 4: time.sleep(0.02)\n"
            "os.kill(pid, signal.SIGKILL)\n",
            str(tmp_path / "out"),
            str(third.pid),
        ]
    )
    try:
        status = main([*arguments, "--out", str(tmp_path / "out"), "--cluster", dask.address])
        assert kill_when_busy.wait(5) == 0
    finally:
        kill_when_busy.kill()
    assert third.wait(LIMIT_S) == -signal.SIGKILL
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out.startswith("16 clips")  # the killed one may have finished a clip without a word
    assert "2 failed" in captured.out
    assert "broken; copy it again" in captured.err
    assert "took longer than 4 s and was stopped" in captured.err
    assert all(line.startswith("formcheck: error: ") for line in captured.err.splitlines()), captured.err
    assert files(tmp_path / "out") == files(tmp_path / "local")

    before = {path: path.stat().st_ino for path in (tmp_path / "out").glob("clips/*/done.json")}
    (clips / "hangs.mp4").unlink()
    (clips / "unreadable.mp4").unlink()
    options = ["--out", str(tmp_path / "out"), "--cluster", dask.address, "--resume", "--fail-on", "never"]
    assert main([*arguments, *options]) == 0
    assert "14 clips (14 finished before)" in capsys.readouterr().out
    assert {path: path.stat().st_ino for path in (tmp_path / "out").glob("clips/*/done.json")} == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_sha256": "0" * 64}, "the pose model's sha256 is f9bff67a41fc, not 000000000000"),
        ({"formcheck": "9.9"}, "formcheck is 0.1.0, not 9.9"),
        ({"libraries": (("mediapipe", "9"), ("av", "9"), ("numpy", "9"), ("scipy", "9"))}, "mediapipe is 1."),
    ],
)
def test_a_worker_with_other_versions_refuses(dask, tmp_path, capsys, monkeypatch, change, reason):
    batch_stub.write(tmp_path / "a.mp4")
    real = tools_here(None)
    monkeypatch.setattr(job_module, "tools_here", lambda _model: replace(real, **change))
    out = tmp_path / "out"
    assert main(["batch", str(tmp_path / "a.mp4"), "--out", str(out), "--cluster", dask.address]) == 2
    err = capsys.readouterr().err
    assert f"worker {dask.address[:6]}" in err
    assert reason in err
    assert err.count("\n") == 1
    assert not (out / "clips").exists()


def test_a_worker_that_joins_later_with_another_model_gets_no_clip(tmp_path, monkeypatch):
    """The check is made again where the work is done; here in this process, in place of a Dask worker."""
    import distributed

    job = job_module.Job(job_module.Settings(), None, replace(tools_here(None), model_sha256="0" * 64))
    clip = cluster.Clip(str(batch_stub.write(tmp_path / "a.mp4")))
    monkeypatch.setattr(distributed, "get_worker", lambda: type("Worker", (), {"address": "tcp://here"}))
    refusal = cluster.work(job, clip, str(tmp_path / "out"), "id")
    assert isinstance(refusal, cluster.Refusal)
    assert refusal.worker == "tcp://here"
    assert "the pose model's sha256 is" in refusal.reason


def test_a_worker_that_does_not_see_the_folder_refuses(tmp_path):
    job = job_module.Job(job_module.Settings(), None, tools_here(None))
    assert "this worker does not see the batch's folder" in cluster.examine(job, str(tmp_path), "id")


def test_no_scheduler_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    batch_stub.write(tmp_path / "a.mp4")
    status = main(["batch", str(tmp_path / "a.mp4"), "--out", str(tmp_path / "out"), "--cluster", "tcp://127.0.0.1:9"])
    err = capsys.readouterr().err
    assert status == 2
    assert "tcp://127.0.0.1:9: no Dask scheduler answers there" in err
    assert err.count("\n") == 1


def test_a_cluster_without_workers_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "WAIT_FOR_WORKERS_S", 0.5)
    batch_stub.write(tmp_path / "a.mp4")
    with contextlib.closing(Cluster(tmp_path)) as empty:
        status = main(["batch", str(tmp_path / "a.mp4"), "--out", str(tmp_path / "out"), "--cluster", empty.address])
    err = capsys.readouterr().err
    assert status == 2
    assert "the cluster has no workers; start some with: dask worker tcp://127.0.0.1:" in err
