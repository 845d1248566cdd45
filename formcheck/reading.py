"""Reading a clip: frames in, one pose of the right person for every frame out; the one clip loop.

A clip of one person who stands upright in the picture is read once. What a look now and then shows (several people, a
picture on its side) has it read again in the way that it needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from formcheck.adapters.beside import Watch, detected
from formcheck.adapters.cuts import CutDetector
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.people import PeopleBackend
from formcheck.adapters.pose import BackendInfo, PoseBackend
from formcheck.adapters.scout import Scout
from formcheck.adapters.spill import TemporaryShelf
from formcheck.adapters.turned import TurnedBackend
from formcheck.adapters.video import ClipReader, VideoInfo
from formcheck.errors import ClipError
from formcheck.people import Person
from formcheck.poselog import PoseLog
from formcheck.sparse import EvenReading, SparseReading, read_sparsely
from formcheck.types import Frame, Pose, Rate


class FrameSource(Protocol):
    """Frames in order of time, and what is known of their clip: a `ClipReader`, or what changes its frames."""

    @property
    def info(self) -> VideoInfo:
        """The clip's description."""

    def __iter__(self) -> Iterator[Frame]: ...


Progress = Callable[[float, float], None]
"""Called with seconds of the clip done and in total (NaN when the file does not say)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: a pose of the person to judge for every frame, the times of cuts, `PoseTrack.brightness`.

    `several` says that everyone in the picture was followed.
    """

    poses: Sequence[Pose]
    cuts_s: tuple[float, ...]
    video: VideoInfo
    estimator: BackendInfo
    warnings: tuple[str, ...]
    brightness: float = math.nan
    several: bool = False


def read_poses(
    path: str | Path,
    *,
    model: str | Path | None = None,
    backend: PoseBackend | None = None,
    person: Person | None = None,
    rate: Rate | str = Rate.FULL,
    beside: bool = True,
    outlines: bool = True,
    on_progress: Progress | None = None,
) -> Reading:
    """Read a clip's poses, of the right person and the right way up; parameters and errors as for `analyze_clip`.

    Without `outlines` the lower back is not looked for in a clip that can be read once.

    A clip of one person is read once. Where a look now and then shows several people, or people only when the picture
    is turned, it is read again from its start in the way that it needs.
    """
    read = _read_sparsely if Rate(rate) is Rate.AUTO else _read
    if backend is not None:
        return read(path, backend, None, on_progress, beside)
    if person is None:
        with MediaPipeBackend.open(model, outlines=outlines) as single, Scout.open(model) as scout:
            reading = read(path, single, scout, on_progress, beside)
        if not scout.several and not scout.turn_deg:
            return reading
        if scout.turn_deg and not scout.several:
            with TurnedBackend(MediaPipeBackend.open(model), scout.turn_deg) as turned:
                return _read(path, turned, None, on_progress, beside)
    return _read_people(path, model, person, Rate(rate), on_progress, beside)


def _read_people(
    path: str | Path,
    model: str | Path | None,
    person: Person | None,
    rate: Rate,
    on_progress: Progress | None,
    beside: bool,
) -> Reading:
    """Follow everyone in the picture, and take the poses of the one to judge."""
    with PeopleBackend.open(model) as everyone:
        if rate is Rate.AUTO:
            evenly = EvenReading(path, everyone, on_progress, beside=beside)
        else:
            reading = _read(path, everyone, None, on_progress, beside)
        try:
            choice = everyone.choose(person)
        except ClipError as error:
            raise ClipError(f"{path}: {error}") from error
        if rate is Rate.AUTO:
            poses = PoseLog(compact=True, shelf=TemporaryShelf())
            reading = _sparse(poses, evenly.fill(choice.poses, poses), everyone.info)
        else:
            reading = replace(reading, poses=choice.poses)
    chosen = (choice.warning,) if choice.warning else ()
    return replace(reading, warnings=(*reading.warnings, *chosen), several=True)


def _read(
    path: str | Path, backend: PoseBackend, scout: Scout | None, on_progress: Progress | None, beside: bool
) -> Reading:
    """Read through a clip, or up to where the scout says that it must be read in another way."""
    cuts = CutDetector()
    poses = PoseLog(compact=True, shelf=TemporaryShelf())  # a long clip's poses would fill the memory

    def watch(frame: Frame, pose: Pose) -> None:
        cuts.watch(frame)
        if scout is not None:
            scout.watch(frame, pose)

    with ClipReader(path, one_thread=not beside) as reader:
        with closing(estimate_poses(reader, backend, on_progress, watch, beside=beside)) as estimated:
            for pose in estimated:
                poses.append(pose)
                if scout is not None and (scout.several or scout.turn_deg):
                    break
        warnings = (*reader.warnings, *cuts.warnings)
        return Reading(poses, cuts.times_s(poses), reader.info, backend.info, warnings, cuts.brightness)


def _read_sparsely(
    path: str | Path, backend: PoseBackend, scout: Scout | None, on_progress: Progress | None, beside: bool
) -> Reading:
    """As `_read`, with as many frames as the movement asks for."""
    poses = PoseLog(compact=True, shelf=TemporaryShelf())
    return _sparse(poses, read_sparsely(path, backend, poses, scout, on_progress, beside=beside), backend.info)


def _sparse(poses: PoseLog, found: SparseReading, estimator: BackendInfo) -> Reading:
    return Reading(poses, found.cuts_s, found.video, estimator, found.warnings, found.brightness)


def estimate_poses(
    reader: FrameSource,
    backend: PoseBackend,
    on_progress: Progress | None = None,
    watch: Watch | None = None,
    *,
    beside: bool = False,
) -> Generator[Pose]:
    """The one clip loop: a pose for every frame of a clip, few frames in memory at a time; `watch` sees each too.

    `beside` uses another core as well (`formcheck.adapters.beside`); close the generator before the reader then.
    """
    for pose in detected(reader, backend, watch or (lambda _frame, _pose: None), beside=beside):
        yield pose
        if on_progress is not None:
            on_progress(pose.time_s, reader.info.duration_s)
