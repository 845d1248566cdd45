"""What the pipeline asks of a pose source: frames in, poses out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from formcheck.types import Frame, Pose


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What estimates the poses, for the report: library version, model name and the model file's sha256."""

    library_version: str
    model: str
    model_sha256: str


class PoseBackend(Protocol):
    """Estimates one person's pose in each frame of one clip or live session.

    A backend is a context manager: it is opened for one clip, given that clip's frames in order of time,
    and closed. It never raises for a frame without a person: that is `Pose.missing`.
    """

    @property
    def info(self) -> BackendInfo:
        """What estimates the poses, for the report."""
        ...

    def detect(self, frame: Frame) -> Pose:
        """Return the pose in the clip's next frame, under its index and time; `Pose.missing` without a person."""
        ...

    def close(self) -> None:
        """Free what the backend holds. Closing twice is allowed."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class TwoStepBackend(PoseBackend, Protocol):
    """A pose backend whose `detect` is two steps, the second of which may run beside the first one of later frames."""

    def find(self, frame: Frame) -> Pose:
        """The first step: the clip's next frame to its pose."""
        ...

    def look_closer(self, frame: Frame, pose: Pose) -> Pose:
        """The second step: what the frame shows beyond the landmarks. In the same order, from one thread."""
        ...


def two_steps(backend: PoseBackend) -> tuple[Callable[[Frame], Pose], Callable[[Frame, Pose], Pose]]:
    """A backend's `find` and `look_closer`; for one whose `detect` is a single step, that and nothing."""
    if isinstance(backend, TwoStepBackend):
        return backend.find, backend.look_closer
    return backend.detect, lambda _frame, pose: pose
