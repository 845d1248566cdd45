"""Reading a clip at the rate that its movement asks for: `--rate auto`, with the decisions of `formcheck.sampling`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from formcheck.adapters.beside import ahead, detected
from formcheck.adapters.cuts import CutDetector
from formcheck.adapters.pose import PoseBackend, two_steps
from formcheck.adapters.scout import Scout
from formcheck.adapters.video import ClipReader, DecodedFrame, VideoInfo
from formcheck.filling import Filler
from formcheck.poselog import PoseLog
from formcheck.sampling import SETTLED, TRUNK, Sampler, moved
from formcheck.types import Frame, Pose

MAX_LOOKS = 4  # at one frame, until the network's answer stays where it is
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
    cuts, sampler, filler = CutDetector(), Sampler(), Filler()
    sender = _Sender(backend, sampler)
    skipped: deque[DecodedFrame] = deque(maxlen=SKIPPED_KEPT)
    with ClipReader(path, one_thread=not beside) as reader, _frames(reader, beside) as frames:
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


def read_again(
    path: str | Path,
    backend: PoseBackend,
    sparse: Sequence[Pose],
    spans: Sequence[tuple[float, float]],
    on_progress: Callable[[float, float], None] | None = None,
    *,
    beside: bool = False,
) -> PoseLog:
    """Read stretches of a clip at the full rate that was read sparsely before; the poses of all frames.

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
    beside : bool
        As for `read_sparsely`.

    Raises
    ------
    ClipError
        When the clip cannot be read any more.
    """
    log = PoseLog.of(sparse)
    poses = log.empty()
    with ClipReader(path, one_thread=not beside) as reader:
        decoded = takewhile(lambda item: item.time_s <= spans[-1][1], reader.decoded())
        asked = (item.frame() for item in decoded if any(start <= item.time_s <= end for start, end in spans))
        with closing(detected(asked, backend, lambda _frame, _pose: None, beside=beside)) as found:
            for pose in found:
                for index in range(len(poses), pose.index):
                    poses.append(log[index])
                poses.append(pose)
                if on_progress is not None:
                    on_progress(pose.time_s, reader.info.duration_s)
    for index in range(len(poses), len(log)):
        poses.append(log[index])
    return poses


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
