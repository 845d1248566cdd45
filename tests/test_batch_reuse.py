"""A batch worker with the real pose model: it lives on from clip to clip, with what it keeps for the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from formcheck.batch.clips import Clip
from formcheck.batch.job import End, Job, Task, tools_here
from formcheck.batch.supervisor import Worker
from formcheck.config import Settings

SAMPLES = Path(__file__).resolve().parent.parent / "sample_videos"
CLIPS = (
    ("03-romanian-deadlift-good.mp4", "romanian-deadlift"),
    ("02-prone-leg-curl-missing-plantarflexion.mp4", None),
    ("03-romanian-deadlift-good.mp4", "romanian-deadlift"),
)


@pytest.mark.model
def test_one_worker_does_several_clips_and_each_as_if_it_were_the_first(tmp_path: Path) -> None:
    processes, reports = set(), []
    with Worker(Job(Settings(), None, tools_here(None))) as worker:
        for number, (name, exercise) in enumerate(CLIPS):
            folder = tmp_path / str(number)
            folder.mkdir()
            answer = worker.run(Task(SAMPLES / name, Clip(name, exercise=exercise), folder))
            assert (answer.end, answer.reason) == (End.DONE, "")
            assert worker._process is not None
            processes.add(worker._process.pid)
            reports.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(processes) == 1
    assert reports[0] == reports[2]
