"""What belongs to one visit of one browser: its clips, and when their files may go.

A phone that sleeps or a network that stumbles ends the connection, not the visit: the files stay for a while, and are
removed when nobody has come back. The workspace of the whole server goes when the server does.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO, Final
from weakref import finalize

import streamlit as st

from formcheck.ui.jobs import Desk, Job
from formcheck.ui.workspace import Workspace, copy_stream, shown_name, video_suffix

GRACE_S: Final = 120.0  # as long as Streamlit keeps the visit of a lost connection (server.disconnectedSessionTTL)
MAX_CLIPS: Final = 10  # of one visit, finished ones included: what it may take of the disk


class Clips:
    """The clips of one visit, oldest first.

    Parameters
    ----------
    workspace : Workspace
    grace_s : float
        How long the files stay after the connection was lost.
    """

    def __init__(self, workspace: Workspace, grace_s: float = GRACE_S) -> None:
        self.jobs: list[Job] = []
        self._workspace = workspace
        self._grace_s = grace_s
        self._leaving: threading.Timer | None = None
        self._end = finalize(self, _close, self.jobs)

    @property
    def full(self) -> bool:
        """Whether one has to be removed before another is taken."""
        return len(self.jobs) >= MAX_CLIPS

    def take(self, name: str, content: IO[bytes]) -> Job | None:
        """Copy a clip into a file of our own naming; None when its name is not that of a video."""
        suffix = video_suffix(name)
        if suffix is None:
            return None
        clip = self._workspace.folder() / f"clip{suffix}"
        copy_stream(content, clip)
        job = Job(clip, shown_name(name))
        self.jobs.append(job)
        return job

    def take_file(self, path: Path) -> Job | None:
        """Copy a clip of this machine, as `take` does."""
        with path.open("rb") as file:
            return self.take(path.name, file)

    def remove(self, job: Job) -> None:
        """Stop a clip's analysis and remove its files."""
        if job in self.jobs:
            self.jobs.remove(job)
            job.close()

    def leave(self) -> None:
        """The connection is gone: remove everything, unless somebody returns in time."""
        self._leaving = threading.Timer(self._grace_s, self.close)
        self._leaving.daemon = True
        self._leaving.start()

    def returned(self) -> None:
        """The connection is there (again)."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def close(self) -> None:
        """Stop and remove everything; the visit may go on with new clips."""
        _close(self.jobs)


def _close(jobs: list[Job]) -> None:
    while jobs:
        jobs.pop().close()


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The server's folder for temporary files."""
    return Workspace.make()


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """Where every visit hands in its clips."""
    return Desk()


def current_clips() -> Clips:
    """The clips of this visit."""
    if "clips" not in st.session_state:
        st.session_state["clips"] = Clips(workspace())
    clips: Clips = st.session_state["clips"]
    _presence(clips)
    return clips


@st.cache_resource(scope="session", show_spinner=False, on_release=Clips.leave)
def _presence(_clips: Clips) -> Clips:
    """Forgotten by Streamlit when the connection ends, and asked for again by the first run after it."""
    _clips.returned()
    return _clips
