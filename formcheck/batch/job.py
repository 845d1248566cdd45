"""What a batch is asked to do, what one clip's work is, and how it ended: all that crosses between processes."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from formcheck import __version__
from formcheck.batch.clips import Clip
from formcheck.config import Settings
from formcheck.errors import FormcheckError

# What turns a clip into an Analysis, as "module:function" with the arguments of `analyze_clip`. Tests and benchmarks
# that need thousands of clips in seconds put a stand-in here before they start a batch; workers are told of it.
ANALYZE = "formcheck.pipeline:analyze_clip"

DEFAULT_TIME_LIMIT_S = 3600.0  # an hour of video takes about half of this on one core

# Whatever of these changes may change a result.
_LIBRARIES = ("mediapipe", "av", "numpy", "scipy")


class BatchStopped(FormcheckError):  # noqa: N818  (no single clip's error: the batch cannot go on)
    """The whole batch cannot go on; what is finished is kept."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What results come from: must be the same on every machine of a batch."""

    formcheck: str
    libraries: tuple[tuple[str, str], ...]
    model: str
    model_sha256: str

    def difference(self, other: Tools) -> str:
        """Return what the other has that differs, in words; empty when nothing does."""
        pairs = [("formcheck", self.formcheck, other.formcheck)]
        pairs += [
            (name, wanted, found) for (name, wanted), (_, found) in zip(self.libraries, other.libraries, strict=True)
        ]
        pairs.append(("the pose model's sha256", self.model_sha256[:12], other.model_sha256[:12]))
        return ", ".join(f"{name} is {found}, not {wanted}" for name, wanted, found in pairs if wanted != found)


def tools_here(model: str | None) -> Tools:
    """Return what this process would analyse with; reads the model file's checksum, loads none of the libraries.

    Raises
    ------
    ModelError
        When the model is missing or damaged.
    """
    from formcheck.adapters import models

    file = models.locate(model)
    versions = tuple((name, _version(name)) for name in _LIBRARIES)
    return Tools(__version__, versions, file.variant, file.sha256)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for every clip of a batch.

    Attributes
    ----------
    settings : Settings
    model : str or None
        A path or variant, as for `analyze_clip`.
    tools : Tools
        What must be there wherever a clip is analysed.
    video : bool
        Whether overlay videos are written too.
    html : bool
        Whether a report page of each clip is written too.
    exports : tuple of str
        See `formcheck.reports.export`.
    time_limit_s : float
        For one clip; 0 for none.
    rate : str
        See `formcheck.types.Rate`.
    analyze : str
        See `ANALYZE`.
    """

    settings: Settings
    model: str | None
    tools: Tools
    video: bool = False
    html: bool = False
    exports: tuple[str, ...] = ()
    time_limit_s: float = DEFAULT_TIME_LIMIT_S
    rate: str = "auto"
    analyze: str = ANALYZE

    def fingerprint(self, clip: Clip) -> str:
        """Return a checksum of all but the clip's content that its result depends on."""
        parts = {
            "exercise": clip.exercise,
            "side": clip.side,
            "person": clip.person,
            "settings": dataclasses.asdict(self.settings),
            "tools": dataclasses.asdict(self.tools),
            "video": self.video,
            "html": self.html,
            "exports": self.exports,
            "rate": self.rate,
            "analyze": self.analyze,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Task:
    """One clip's work, as a worker process is given it.

    Attributes
    ----------
    path : Path
        Where this machine can read the clip.
    clip : Clip
    folder : Path
        An empty folder for the result files, which begin with the clip's stem.
    """

    path: Path
    clip: Clip
    folder: Path


class End(StrEnum):
    """How a worker's task, or a clip, ended."""

    DONE = "done"
    KEPT = "kept"  # finished in an earlier run, with the same content, settings and versions
    UNREADABLE = "unreadable"  # for a reason that lies in the clip, and will be the same next time
    FAILED = "failed"  # for a reason that may pass: tried again by --resume
    CRASHED = "crashed"
    TOO_LONG = "too_long"
    NO_SPACE = "no_space"  # results cannot be written: no other clip's could
    BROKEN = "broken"  # the worker cannot analyse anything here: no other clip either
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker process says of a task.

    Attributes
    ----------
    end : End
    reason : str
        One line; empty when done.
    memory_mb : float
        Resident memory of the worker after it.
    peak_mb : float
        The most that the worker has had since it started; NaN when not known.
    """

    end: End
    reason: str = ""
    memory_mb: float = 0.0
    peak_mb: float = float("nan")


@dataclass(frozen=True, slots=True)
class ClipResult:
    """How one clip of a batch ended. `reason` is empty unless it failed."""

    clip: Clip
    end: End
    reason: str = ""
    peak_mb: float = float("nan")

    @property
    def failed(self) -> bool:
        """True when there is no report of the clip."""
        return self.end not in {End.DONE, End.KEPT}
