"""The clips of a session and their analyses: queued, followed, cancelled. Knows nothing of Streamlit."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from logging import getLogger
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import formcheck
from formcheck.errors import FormcheckError
from formcheck.types import Side
from formcheck.ui.worker import Results, Task

MAX_WAITING: Final = 12  # clips of all sessions together
READING_SHARE: Final = 0.65  # of the whole time: 20 ms a frame, against 10 for drawing it
LEFT_FROM: Final = 0.04  # share of the work after which the time left is more than a guess
LOG_CHARACTERS: Final = 2000
CRASHED: Final = "the analysis stopped without saying why; try again, or check the clip with: formcheck check CLIP"
BUSY: Final = "This machine is busy with other clips just now. Please try again in a minute."


class Stage(StrEnum):
    """How far an analysis is."""

    WAITING = "waiting"
    READING = "reading"
    JUDGING = "judging"
    DRAWING = "drawing"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({Stage.DONE, Stage.REFUSED, Stage.CANCELLED})


@dataclass(frozen=True, slots=True)
class State:
    """What is known of an analysis at one moment.

    Attributes
    ----------
    stage : Stage
    share : float
        Of the whole work, 0 to 1.
    reason : str
        Why it was refused.
    candidates : tuple of str
        Ids of the exercises that a refused clip may show.
    """

    stage: Stage = Stage.WAITING
    share: float = 0.0
    reason: str = ""
    candidates: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.stage in ENDED


class BusyError(FormcheckError):
    """Too many clips are waiting."""


class Job:
    """One clip and its analysis, which may be done anew under another exercise.

    Parameters
    ----------
    clip : Path
        The clip, alone in a folder that the job may fill and removes in the end.
    name : str
        What the person calls it.
    """

    def __init__(self, clip: Path, name: str) -> None:
        self.clip = clip
        self.name = name
        self.exercise: str | None = None
        self.side: Side | None = None
        self._runs = 0
        self._state = State()
        self._since_s = 0.0
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        """How far it is."""
        with self._lock:
            return self._state

    @property
    def results(self) -> Results:
        """Where the files of the latest analysis are."""
        return Results(self.clip.parent / f"run-{self._runs}")

    @property
    def ready(self) -> bool:
        """Whether the findings are there; the video may still be missing."""
        return self.results.report.exists()

    def left_s(self) -> float | None:
        """Seconds until it is done, as far as can be told; None before that."""
        with self._lock:
            share, since_s = self._state.share, self._since_s
        if not since_s or share < LEFT_FROM:
            return None
        return (time.monotonic() - since_s) / share * (1.0 - share)

    def cancel(self) -> None:
        """Stop it, or take it out of the queue; nothing happens when it has ended."""
        with self._lock:
            if self._state.ended:
                return
            self._state = State(Stage.CANCELLED)
            process = self._process
        if process is not None:
            process.terminate()

    def close(self) -> None:
        """Stop it and remove its files."""
        self.cancel()
        if self._process is not None:
            self._process.wait()
        shutil.rmtree(self.clip.parent, ignore_errors=True)

    def queued(self, exercise: str | None, side: Side | None) -> int:
        """Set it up for a new analysis, whose results replace the last one's; returns that analysis's number."""
        shutil.rmtree(self.results.folder, ignore_errors=True)
        with self._lock:
            self._runs += 1
            self._state, self._since_s, self._process = State(), 0.0, None
        self.results.folder.mkdir()
        self.exercise, self.side = exercise, side
        return self._runs

    def run(self, number: int) -> None:
        """Do analysis `number` in a process of its own, and wait for it; nothing when it was cancelled meanwhile."""
        reading = self.clip.parent / "reading.pickle"
        again = reading.exists()
        with self._lock:
            if self._state.ended or number != self._runs:
                return
            task = Task(self.clip, self.name, self.exercise, self.side, reading, self.results)
            file = self.results.folder / "task.pickle"
            file.write_bytes(pickle.dumps(task))
            self._since_s = time.monotonic()
            self._state = State(Stage.JUDGING if again else Stage.READING)
            self._process = process = _start(file)
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._set(number, _heard(line, again))
        if process.wait() == 0 and task.results.video.exists():
            self._set(number, State(Stage.DONE, 1.0))
        elif self._set(number, State(Stage.REFUSED, reason=CRASHED)):
            getLogger(__name__).error("an analysis stopped:\n%s", _end_of(task.results.folder / "log"))

    def fail(self, number: int) -> None:
        """Note that analysis `number` could not even be run."""
        self._set(number, State(Stage.REFUSED, reason=CRASHED))

    def _set(self, number: int, state: State | None) -> bool:
        """Note a new state of analysis `number`; False when that has ended, or another one has begun."""
        with self._lock:
            if state is None or self._state.ended or number != self._runs:
                return False
            self._state = state
            return True


def _heard(line: str, again: bool) -> State | None:
    """What a line of the worker says; None for one that is not its own (libraries write to standard output too)."""
    try:
        what = json.loads(line)
    except ValueError:
        return None
    if not isinstance(what, dict):
        return None
    if "refused" in what:
        return State(Stage.REFUSED, reason=what["refused"], candidates=tuple(what["candidates"]))
    stage = Stage(what["stage"])
    first = 0.0 if again else READING_SHARE
    within = what["share"] or 0.0
    return State(stage, within * first if stage is Stage.READING else first + within * (1.0 - first))


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS:] if log.exists() else ""


def _start(task: Path) -> subprocess.Popen[str]:
    # The worker must find this very formcheck, and nothing that happens to lie in the current folder.
    places = [str(Path(formcheck.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in places if place)}
    command = [sys.executable, "-P", "-m", "formcheck.ui.worker", str(task)]
    with (task.parent / "log").open("wb") as log:
        return subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )


class Desk:
    """Where all sessions of a server hand in their clips: so many are analysed at once, the others wait in order.

    Parameters
    ----------
    at_once : int or None
        None leaves one processor core for the page and a live session.
    """

    def __init__(self, at_once: int | None = None) -> None:
        self._queue: SimpleQueue[tuple[Job, int]] = SimpleQueue()
        self._waiting: list[Job] = []
        self._lock = threading.Lock()
        for number in range(at_once or max(1, (os.cpu_count() or 1) - 1)):
            # Daemons, so that a server that is stopped does not wait for a clip; the worker ends with the pipe.
            threading.Thread(target=self._work, name=f"formcheck-clip-{number}", daemon=True).start()

    def submit(self, job: Job, exercise: str | None, side: Side | None) -> None:
        """Queue an analysis of a clip.

        Raises
        ------
        BusyError
            When too many clips are waiting; the text says so politely.
        """
        with self._lock:
            self._forget_started()
            if len(self._waiting) >= MAX_WAITING:
                raise BusyError(BUSY)
            self._waiting.append(job)
            self._queue.put((job, job.queued(exercise, side)))

    def ahead(self, job: Job) -> int:
        """How many clips that wait come before this one."""
        with self._lock:
            self._forget_started()
            return self._waiting.index(job) if job in self._waiting else 0

    def _forget_started(self) -> None:
        self._waiting = [job for job in self._waiting if job.state.stage is Stage.WAITING]

    def _work(self) -> None:
        while True:
            job, number = self._queue.get()
            try:
                job.run(number)
            except Exception:
                # One clip must not take the desk down with it; what went wrong is said where the server runs.
                getLogger(__name__).exception("an analysis could not be run")
                job.fail(number)
