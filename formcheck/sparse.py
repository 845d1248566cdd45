"""Reading a clip at the rate that its movement asks for: `--rate auto`, with the decisions of `formcheck.sampling`."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from formcheck.adapters.beside import ahead
from formcheck.adapters.cuts import CutDetector
from formcheck.adapters.pose import PoseBackend, two_steps
from formcheck.adapters.scout import Scout
from formcheck.adapters.video import ClipReader, DecodedFrame, VideoInfo
from formcheck.adapters.video_seek import decoded_around
from formcheck.filling import Filler
from formcheck.poselog import PoseLog
from formcheck.sampling import SETTLED, LeapDetector, Sampler
from formcheck.silhouette import has_edge
from formcheck.slots import time_slot
from formcheck.types import Frame, Pose
from formcheck.ways import TRUNK, moved

MAX_LOOKS = 4  # at one frame, until the network's answer stays where it is
CLOSE_SLOT_S = 1 / 15  # in stretches that are read again: what lies between two frames is no movement of a person
EVEN_SLOT_S = 0.1  # where nothing tells when more frames are needed
SKIPPED_KEPT = 8  # frames, not converted to RGB: 25 MB at full HD


@dataclass(frozen=True, slots=True)
class SparseReading:
    """What was read, besides the poses.

    Attributes
    ----------
    cuts_s : tuple of float
        Times of the first frame after each hard cut.
    video : VideoInfo
    warnings : tuple of str
    brightness : float
        Mean level of the pictures, 0 to 255.
    """

    cuts_s: tuple[float, ...]
    video: VideoInfo
    warnings: tuple[str, ...]
    brightness: float


def read_sparsely(
    path: str | Path,
    backend: PoseBackend,
    poses: PoseLog,
    scout: Scout | None = None,
    on_progress: Callable[[float, float], None] | None = None,
    *,
    beside: bool = False,
) -> SparseReading:
    """Read through a clip, or up to where the scout says that it must be read in another way.

    Only the frames that a `Sampler` wants are converted and sent to the backend. Cuts are found from the thumbnails of
    all frames. A cut is a leap of the picture, and the poses on both sides of one are always estimated.

    Parameters
    ----------
    path : str or Path
    backend : PoseBackend
    poses : PoseLog
        Gets a pose for every frame, most of them marked as not estimated.
    scout : Scout or None
        Sees the frames that are sent.
    on_progress : callable or None
    beside : bool
        Decode ahead on another core (`formcheck.adapters.beside`).

    Raises
    ------
    ClipError
        When no frame of the clip can be read.
    """
    cuts, filler = CutDetector(), Filler()
    skipped: deque[DecodedFrame] = deque(maxlen=SKIPPED_KEPT)
    with ClipReader(path, one_thread=not beside) as reader, _frames(reader, beside) as frames:
        claimed_s = reader.info.duration_s
        sampler = Sampler(math.inf if math.isnan(claimed_s) else claimed_s)
        sender = _Sender(backend, sampler)
        for decoded in frames:
            thumbnail = decoded.thumbnail()
            cuts.watch_thumbnail(thumbnail)
            wanted = sampler.wants(decoded.time_s, thumbnail)
            filler.frame(decoded.time_s, breaks=sampler.leapt)
            if sampler.leapt and skipped:
                filler.sent(sender.look_closer(*sender.find(skipped[-1]), scout))
            if wanted:
                frame, pose = sender.find(decoded)
                for between in () if sampler.leapt else sampler.missed(pose, list(skipped)):
                    filler.sent(sender.look_closer(*sender.find(between), None))
                pose = sender.look_closer(frame, pose, scout)  # after those before it
                filler.sent(pose)
                sampler.saw(pose, thumbnail)
                skipped.clear()
                for filled in filler.ready():
                    poses.append(filled)
                if scout is not None and (scout.several or scout.turn_deg):
                    break
            else:
                skipped.append(decoded)
            if on_progress is not None:
                on_progress(decoded.time_s, reader.info.duration_s)
        if skipped:
            filler.sent(sender.look_closer(*sender.find(skipped[-1]), scout))
        for filled in filler.rest():
            poses.append(filled)
        return SparseReading(cuts.times_s(poses), reader.info, (*reader.warnings, *cuts.warnings), cuts.brightness)


class EvenReading:
    """A clip of which every frame in `EVEN_SLOT_S` was sent to a backend, whose poses are known only at its end.

    For several people: each has a follower of their own, and whose poses are wanted is decided over the whole clip.

    Parameters
    ----------
    path : str or Path
    backend : PoseBackend
        Gets the frames; what it returns is not kept.
    on_progress : callable or None
    beside : bool
        As for `read_sparsely`.

    Raises
    ------
    ClipError
        When no frame of the clip can be read.
    """

    def __init__(
        self,
        path: str | Path,
        backend: PoseBackend,
        on_progress: Callable[[float, float], None] | None = None,
        *,
        beside: bool = False,
    ) -> None:
        self._cuts, leap_detector = CutDetector(), LeapDetector()
        self._times_s = array("d")
        self._leaps = set[int]()  # indexes of the first frames after
        last: DecodedFrame | None = None  # that was not sent
        slot: int | None = None
        with ClipReader(path, one_thread=not beside) as reader, _frames(reader, beside) as frames:
            for decoded in frames:
                self._times_s.append(decoded.time_s)
                thumbnail = decoded.thumbnail()
                self._cuts.watch_thumbnail(thumbnail)
                leapt = leap_detector.leaps(thumbnail)
                if leapt:
                    self._leaps.add(decoded.index)
                    if last is not None:
                        backend.detect(last.frame())
                if leapt or time_slot(decoded.time_s, EVEN_SLOT_S) != slot:
                    slot = time_slot(decoded.time_s, EVEN_SLOT_S)
                    backend.detect(decoded.frame())
                    last = None
                else:
                    last = decoded
                if on_progress is not None:
                    on_progress(decoded.time_s, reader.info.duration_s)
            if last is not None:
                backend.detect(last.frame())
            self._video, self._warnings = reader.info, (*reader.warnings, *self._cuts.warnings)

    def fill(self, sent: Iterable[Pose], poses: PoseLog) -> SparseReading:
        """Give the log a pose for every frame.

        Parameters
        ----------
        sent : iterable of Pose
            One for each frame that the backend was given, in order of time; a log counts them without the others.
        poses : PoseLog
            Empty.
        """
        filler, coming = Filler(), iter(sent)
        pose = next(coming, None)
        for index, time_s in enumerate(self._times_s):
            filler.frame(time_s, breaks=index in self._leaps)
            if pose is not None and pose.time_s == time_s:
                filler.sent(replace(pose, index=index))
                pose = next(coming, None)
                for filled in filler.ready():
                    poses.append(filled)
        for filled in filler.rest():
            poses.append(filled)
        return SparseReading(self._cuts.times_s(poses), self._video, self._warnings, self._cuts.brightness)


def read_again(
    path: str | Path,
    backend: PoseBackend,
    sparse: Sequence[Pose],
    spans: Sequence[tuple[float, float]],
    on_progress: Callable[[float, float], None] | None = None,
    *,
    by_index: bool = False,
    beside: bool = False,
) -> PoseLog:
    """Read stretches of a clip closely that was read sparsely before; the poses of all frames.

    Outlines are added to those that were read before, which stay.

    Parameters
    ----------
    path : str or Path
    backend : PoseBackend
        Newly opened, or one that takes frames in any order.
    sparse : sequence of Pose
        As read before, one for every frame; outside of the stretches they stay.
    spans : sequence of (float, float)
        Seconds from which and until which, in order of time.
    on_progress : callable or None
    by_index : bool
        The clip gave no warning when it was read before: stretches may be found by its index.
    beside : bool
        As for `read_sparsely`.

    Raises
    ------
    ClipError
        When the clip cannot be read any more.
    """
    log = PoseLog.of(sparse)
    poses, time_s = log.empty(), log.time_s

    def take(filled: Iterable[Pose]) -> None:
        for pose in filled:
            for index in range(len(poses), pose.index):
                poses.append(log[index])
            known = log[pose.index].outline_px
            shown = known is not None and has_edge(known[None])[0]
            poses.append(replace(pose, outline_px=known) if shown else pose)

    stretch: _Stretch | None = None
    last = -1
    found = decoded_around(path, spans, time_s, by_index=by_index, one_thread=not beside)
    with closing(ahead(found) if beside else found) as frames:
        for decoded in frames:
            if on_progress is not None:
                on_progress(decoded.time_s, float(time_s[-1]))
            if decoded.index <= last:
                continue
            inside = any(start_s <= decoded.time_s <= end_s for start_s, end_s in spans)
            if stretch is not None and not (inside and decoded.index == last + 1):
                take(stretch.end())
                stretch = None
            last = decoded.index
            if inside:
                stretch = stretch or _Stretch(backend, decoded.index)
                take(stretch.add(decoded))
    if stretch is not None:
        take(stretch.end())
    for index in range(len(poses), len(log)):
        poses.append(log[index])
    return poses


class _Stretch:
    """A part of a clip that is read again: its first and last frames are sent, and those that begin a slot between."""

    def __init__(self, backend: PoseBackend, first: int) -> None:
        self._backend = backend
        self._filler = Filler(first=first)
        self._slot: int | None = None
        self._waiting: DecodedFrame | None = None

    def add(self, decoded: DecodedFrame) -> tuple[Pose, ...]:
        """Take the next frame; gives poses now and then, so that a long stretch does not fill the memory."""
        self._filler.frame(decoded.time_s)
        self._waiting = decoded
        slot = time_slot(decoded.time_s, CLOSE_SLOT_S)
        if slot == self._slot:
            return ()
        self._slot = slot
        self._send()
        return self._filler.ready()

    def end(self) -> tuple[Pose, ...]:
        """The poses that are left."""
        self._send()
        return self._filler.rest()

    def _send(self) -> None:
        if self._waiting is not None:
            self._filler.sent(self._backend.detect(self._waiting.frame()))
            self._waiting = None


def _frames(reader: ClipReader, beside: bool) -> closing[Generator[DecodedFrame]]:
    return closing(ahead(reader.decoded()) if beside else (frame for frame in reader.decoded()))


class _Sender:
    """Sends frames to the backend, each until the network has followed the person to where the frame shows them."""

    def __init__(self, backend: PoseBackend, sampler: Sampler) -> None:
        self._find, self._look_closer = two_steps(backend)
        self._sampler = sampler

    def find(self, decoded: DecodedFrame) -> tuple[Frame, Pose]:
        """The frame and its landmarks."""
        frame = decoded.frame()
        pose = self._find(frame)
        if self._sampler.again(pose):
            for _ in range(MAX_LOOKS - 1):
                before, pose = pose, self._find(frame)
                if moved(before, pose, TRUNK) <= SETTLED:
                    break
        return frame, pose

    def look_closer(self, frame: Frame, pose: Pose, scout: Scout | None) -> Pose:
        """The pose with what the picture shows; frame after frame in order of time."""
        pose = self._look_closer(frame, pose)
        if scout is not None:
            scout.watch(frame, pose)
        return pose
