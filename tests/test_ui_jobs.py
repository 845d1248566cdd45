"""The queue of analyses: progress, cancelling, judging anew, crashes, how many at once; with a worker of our own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from formcheck.types import Side
from formcheck.ui import jobs
from formcheck.ui.jobs import BusyError, Desk, Job, Stage
from formcheck.ui.session import Clips
from formcheck.ui.workspace import Workspace

DONE = "open(video, 'w').close()"
SLOW = "say(stage='reading', share=0.5); time.sleep(60)"
FAILS = "raise SystemExit('worker is broken')"
UNSURE = "say(refused='this looks like a or b', candidates=['prone-leg-curl', 'deadlift'])"
CHATTER = "print('a library says hello'); say(stage='drawing', share=0.5); " + DONE
Worker = Callable[[str], None]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Let the next analyses run this code in the worker's place."""

    def use(code: str) -> None:
        def start(task: Path) -> subprocess.Popen[str]:
            head = (
                "import json, sys, time\n"
                "def say(**what): print(json.dumps(what), flush=True)\n"
                f"video = {str(task.parent / 'overlay.mp4')!r}\n"
            )
            log = (task.parent / "log").open("wb")
            return subprocess.Popen([sys.executable, "-c", head + code], stdout=subprocess.PIPE, stderr=log, text=True)

        monkeypatch.setattr(jobs, "_start", start)

    return use


@pytest.fixture
def clips(tmp_path: Path) -> Iterator[Clips]:
    workspace = Workspace.make(tmp_path)
    visit = Clips(workspace, grace_s=0.2)
    yield visit
    visit.close()
    workspace.close()


def taken(clips: Clips, name: str = "set.mp4") -> Job:
    job = clips.take(name, io.BytesIO(b"video"))
    assert job is not None
    return job


def wait(condition: Callable[[], object], *, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def test_an_analysis_ends_with_its_video(clips: Clips, worker: Worker) -> None:
    worker(CHATTER)
    job = taken(clips)
    Desk(1).submit(job, None, Side.LEFT)
    wait(lambda: job.state.ended)
    assert job.state.stage is Stage.DONE
    assert job.state.share == 1.0
    assert job.side is Side.LEFT


def test_progress_is_told_with_the_time_left(clips: Clips, worker: Worker) -> None:
    worker(SLOW)
    job = taken(clips)
    assert job.left_s() is None
    Desk(1).submit(job, None, None)
    wait(lambda: job.state.share > 0)
    assert job.state.stage is Stage.READING
    assert job.state.share == pytest.approx(0.5 * jobs.READING_SHARE)
    left_s = job.left_s()
    assert left_s is not None
    assert 0 < left_s < 60


def test_a_cancelled_analysis_ends_at_once_and_can_be_begun_again(clips: Clips, worker: Worker) -> None:
    worker(SLOW)
    desk, job = Desk(1), taken(clips)
    desk.submit(job, None, None)
    wait(lambda: job.state.share > 0)
    job.cancel()
    assert job.state.stage is Stage.CANCELLED
    worker(DONE)
    desk.submit(job, "deadlift", None)
    wait(lambda: job.state.ended)
    assert job.state.stage is Stage.DONE
    assert job.exercise == "deadlift"


def test_a_new_analysis_replaces_the_files_of_the_last(clips: Clips, worker: Worker) -> None:
    worker(DONE)
    desk, job = Desk(1), taken(clips)
    desk.submit(job, None, None)
    wait(lambda: job.state.ended)
    first = job.results.folder
    desk.submit(job, "deadlift", None)
    wait(lambda: job.state.ended)
    assert not first.exists()
    assert job.results.video.exists()


def test_a_refusal_names_what_it_may_be(clips: Clips, worker: Worker) -> None:
    worker(UNSURE)
    job = taken(clips)
    Desk(1).submit(job, None, None)
    wait(lambda: job.state.ended)
    assert job.state.stage is Stage.REFUSED
    assert job.state.reason == "this looks like a or b"
    assert job.state.candidates == ("prone-leg-curl", "deadlift")


def test_a_crash_is_one_failed_clip(clips: Clips, worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    worker(FAILS)
    desk, bad, good = Desk(1), taken(clips), taken(clips)
    desk.submit(bad, None, None)
    wait(lambda: bad.state.ended)
    assert bad.state.stage is Stage.REFUSED
    assert bad.state.reason == jobs.CRASHED
    wait(lambda: "worker is broken" in caplog.text)  # it is noted after the state
    worker(DONE)
    desk.submit(good, None, None)
    wait(lambda: good.state.ended)
    assert good.state.stage is Stage.DONE


def test_a_worker_that_cannot_be_started_is_one_failed_clip(
    clips: Clips, monkeypatch: pytest.MonkeyPatch, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    def no_memory(task: Path) -> subprocess.Popen[str]:
        raise OSError("no memory")

    monkeypatch.setattr(jobs, "_start", no_memory)
    desk, bad, good = Desk(1), taken(clips), taken(clips)
    desk.submit(bad, None, None)
    wait(lambda: bad.state.ended)
    assert bad.state.stage is Stage.REFUSED
    assert "no memory" in caplog.text
    worker(DONE)
    desk.submit(good, None, None)
    wait(lambda: good.state.ended)
    assert good.state.stage is Stage.DONE


def test_no_more_run_at_once_than_the_desk_allows_and_the_others_know_their_place(clips: Clips, worker: Worker) -> None:
    worker(SLOW)
    desk, several = Desk(2), [taken(clips) for _ in range(4)]
    for job in several:
        desk.submit(job, None, None)
    wait(lambda: all(job.state.share > 0 for job in several[:2]))
    assert [job.state.stage for job in several[2:]] == [Stage.WAITING, Stage.WAITING]
    assert [desk.ahead(job) for job in several[2:]] == [0, 1]
    several[0].cancel()
    wait(lambda: several[2].state.share > 0)
    assert desk.ahead(several[3]) == 0


def test_too_many_clips_are_refused_politely(clips: Clips, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(SLOW)
    monkeypatch.setattr(jobs, "MAX_WAITING", 2)
    desk, running = Desk(1), taken(clips)
    desk.submit(running, None, None)
    wait(lambda: running.state.share > 0)
    waiting = [taken(clips), taken(clips)]
    for job in waiting:
        desk.submit(job, None, None)
    one_more = taken(clips)
    with pytest.raises(BusyError, match="Please try again"):
        desk.submit(one_more, None, None)
    waiting[0].cancel()
    desk.submit(one_more, None, None)
    assert one_more.state.stage is Stage.WAITING


def test_removing_a_clip_stops_its_worker_and_removes_its_files(clips: Clips, worker: Worker) -> None:
    worker(SLOW)
    job = taken(clips)
    Desk(1).submit(job, None, None)
    wait(lambda: job.state.share > 0)
    process, folder = job._process, job.clip.parent
    assert process is not None
    clips.remove(job)
    clips.remove(job)
    assert process.poll() is not None
    assert not folder.exists()
    assert clips.jobs == []


def test_files_go_when_nobody_comes_back(clips: Clips) -> None:
    folder = taken(clips).clip.parent
    clips.leave()
    assert folder.exists()
    wait(lambda: not folder.exists())
    assert clips.jobs == []


def test_files_stay_when_the_connection_is_back_in_time(clips: Clips) -> None:
    folder = taken(clips).clip.parent
    clips.leave()
    clips.returned()
    time.sleep(0.4)
    assert folder.exists()


def test_a_visit_that_is_forgotten_takes_its_files_along(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path)
    visit = Clips(workspace)
    folder = taken(visit).clip.parent
    del visit
    wait(lambda: not folder.exists())
    workspace.close()


def test_the_file_of_a_clip_has_a_name_of_our_own(clips: Clips) -> None:
    job = taken(clips, "../../../.bashrc\n.MP4")
    assert job.clip.name == "clip.mp4"
    assert job.clip.read_bytes() == b"video"
    assert job.name == ".bashrc .MP4"
    assert clips.take("program.sh", io.BytesIO(b"x")) is None


def test_lines_that_are_not_the_workers_are_passed_over() -> None:
    for line in ("hello\n", "5\n", '"text"\n', "\n"):
        assert jobs._heard(line, False) is None
    state = jobs._heard(json.dumps({"stage": "drawing", "share": None}), True)
    assert state is not None
    assert (state.stage, state.share) == (Stage.DRAWING, 0.0)
