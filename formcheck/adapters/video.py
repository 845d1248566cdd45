"""Reading clips: the only place where video is decoded (by PyAV, which brings FFmpeg).

A clip goes in as a file name and comes out as upright RGB frames with real times, one at a time, so memory does not
grow with the clip. What is odd about a file but can be read is put in `ClipReader.warnings`; what cannot be read is a
`ClipError` before the first frame.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
from av.video.frame import VideoFrame

from formcheck.adapters.video_frames import FrameClock, FrameShaper
from formcheck.adapters.video_open import average_fps, container_duration_s, open_clip, stream_duration_s
from formcheck.errors import ClipError
from formcheck.types import FloatArray, Frame

_FALLBACK_FPS: Final = 30.0  # the commonest rate of phones and webcams; used only when a file states no rate

_SAME_TIME_S: Final = 0.001  # times that differ by less are one frame's, rounded on their way through a file

_WARNINGS: Final = {
    "damaged": "damaged parts skipped: {count}, the first at {time_s:.1f} s",
    "no_time": "frames without a time stamp: {count}, the first at {time_s:.1f} s; the average frame rate stands in",
    "dropped": "frames dropped because their time was not after the one before: {count}, the first at {time_s:.1f} s",
    "clock": "the clip's clock jumps back or stands still: {count} times, first at {time_s:.1f} s; it is bridged",
    "resized": "the picture size changes at {time_s:.1f} s: {count} frames were fitted into the first size",
    "early": "the clip ends early at {time_s:.1f} s: the file is truncated or damaged",
}


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a clip's file says about itself.

    Attributes
    ----------
    path : Path
    width, height : int
        Size in pixels of the frames that a reader gives: upright, square pixels, after `max_side`.
    source_width, source_height : int
        Upright size of the picture as it is stored in the file.
    rotation_deg : int
        Clockwise turn that made the frames upright: 0, 90, 180 or 270.
    average_fps : float
        Frames per second over the whole clip; NaN when the file does not say.
    duration_s : float
        What the file claims; NaN when it does not say.
    frame_count_claimed : int or None
        What the file claims, which is often more than it holds.
    codec : str
        FFmpeg's name of it, for example ``h264``.
    """

    path: Path
    width: int
    height: int
    source_width: int
    source_height: int
    rotation_deg: int
    average_fps: float
    duration_s: float
    frame_count_claimed: int | None
    codec: str


def probe(path: str | PathLike[str], *, max_side: int | None = None) -> VideoInfo:
    """Describe a clip after decoding one frame of it.

    Raises
    ------
    ClipError
        As `ClipReader`.
    """
    with ClipReader(path, max_side=max_side) as reader:
        return reader.info


class DecodedFrame:
    """A frame that is decoded but not yet converted.

    Attributes
    ----------
    index, time_s : int, float
        As of `Frame`.
    """

    __slots__ = ("_decoded", "_shaper", "index", "time_s")

    def __init__(self, index: int, time_s: float, decoded: VideoFrame, shaper: FrameShaper) -> None:
        self.index = index
        self.time_s = time_s
        self._decoded = decoded
        self._shaper = shaper

    @property
    def key_frame(self) -> bool:
        """Whether it is made of nothing but itself."""
        return bool(self._decoded.key_frame)

    def frame(self) -> Frame:
        """Convert it."""
        return Frame(self.index, self.time_s, self._shaper.image(self._decoded))

    def thumbnail(self) -> FloatArray:
        """As `cuts.thumbnail` of the frame, to within a few levels, without converting the whole picture."""
        return self._shaper.thumbnail(self._decoded)


class ClipReader:
    """The frames of one clip, in order of time, each decoded when it is asked for.

    A context manager that can be iterated once. Frames are upright (the rotation flag is applied exactly once),
    contiguous RGB, of one size, with square pixels; times are seconds from the first frame and strictly increase.

    Parameters
    ----------
    path : str or path
        Any file that FFmpeg decodes: mp4, mov, webm, mkv, avi, gif ...
    max_side : int, optional
        Scale frames down, keeping their shape, so that the longer side has at most this many pixels.
    one_thread : bool
        Decode in the thread that asks, for a program with a process for every core: threads that hand frames to one
        another cost a fifth more processor time.

    Raises
    ------
    ClipError
        On opening: the file is missing, a folder, empty, unreadable, no video, a still image, sound only, cut off
        before its index, or holds no frame that can be decoded.
    ValueError
        `max_side` is below 2.
    """

    def __init__(self, path: str | PathLike[str], *, max_side: int | None = None, one_thread: bool = False) -> None:
        if max_side is not None and max_side < 2:
            raise ValueError(f"max_side must be at least 2, not {max_side}")
        self._path = Path(path)
        self._notes: dict[str, tuple[int, float]] = {}
        self._cut = False  # the file ends before the container says so
        self._damage_s = -math.inf  # the latest damaged part
        self._container, self._stream = open_clip(self._path)
        try:
            self._stream.thread_type = "SLICE" if one_thread else "AUTO"
            self._stream.codec_context.thread_count = 1 if one_thread else 0
            fps = average_fps(self._stream)
            self._clock = FrameClock(1 / (_FALLBACK_FPS if math.isnan(fps) else fps), self._note)
            decoded = self._decode()
            first = next(decoded, None)
            if first is None:
                raise ClipError(f"{self._path}: no frame in it can be decoded; copy or convert the clip again")
            self._decoded: Iterator[VideoFrame] | None = chain([first], decoded)
            self._shaper = FrameShaper(first, self._stream.sample_aspect_ratio, max_side)
            self.info = self._describe(fps)
        except BaseException:
            self.close()
            raise

    @property
    def warnings(self) -> list[str]:
        """What was odd in the frames read so far, one line each; complete after the last frame."""
        return [_WARNINGS[key].format(count=count, time_s=at) for key, (count, at) in self._notes.items()]

    def close(self) -> None:
        """Release the file. Safe to call twice."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self._read(self._once(), lambda _: True)

    def pick(self, times_s: Iterable[float]) -> Iterator[Frame]:
        """Read on to single moments: the first frame at or after each of these times, in order of time.

        The frames between them are decoded but not converted to RGB, which is most of the work, and reading stops
        after the last one. Times after the clip's end give no frame.
        """
        waiting = deque(sorted(times_s))
        decoded = self._once()

        def wanted(time_s: float) -> bool:
            return bool(waiting) and time_s > waiting[0] - _SAME_TIME_S

        for frame in self._read(decoded, wanted) if waiting else ():
            while wanted(frame.time_s):
                waiting.popleft()
                yield frame
            if not waiting:
                return

    def _once(self) -> Iterator[VideoFrame]:
        decoded, self._decoded = self._decoded, None
        if decoded is None:
            raise RuntimeError("a ClipReader can be read once; open the clip again")
        return decoded

    def decoded(self) -> Iterator[DecodedFrame]:
        """The same frames, each converted to RGB only when its `frame` is asked for: for those who skip most."""
        return self._times(self._once())

    def skip_to(self, time_s: float) -> bool:
        """Begin at a key frame before some moment instead, by the file's index: what is before is not decoded.

        Indexes of frames then count from there. False, and nothing is changed, where the file cannot be searched. See
        `formcheck.adapters.video_seek` for where this leads to the same frames as reading through.
        """
        decoded = self._once()
        first = next(decoded)
        self._decoded = chain([first], decoded)
        self._clock.begin(first.pts, first.time_base)
        stamp = self._clock.stamp_at(time_s, self._stream.time_base)
        if stamp is None:
            return False
        try:
            self._container.seek(stamp, stream=self._stream)
        except av.FFmpegError:  # a file without an index
            return False
        self._decoded = self._decode()
        return True

    def _read(self, decoded: Iterator[VideoFrame], wanted: Callable[[float], bool]) -> Iterator[Frame]:
        for item in self._times(decoded):
            if wanted(item.time_s):
                yield item.frame()

    def _times(self, decoded: Iterator[VideoFrame]) -> Iterator[DecodedFrame]:
        index, time_s, end_s = 0, 0.0, 0.0
        for frame in decoded:
            next_s = self._clock.next(frame.pts, frame.time_base)
            if next_s is None:
                continue
            time_s = next_s
            if not self._shaper.is_first_size(frame):
                self._note("resized", time_s)
            yield DecodedFrame(index, time_s, frame, self._shaper)
            index += 1
            shown_s = float(frame.duration * frame.time_base) if frame.time_base else 0.0
            end_s = time_s + (shown_s or self._clock.period_s)
        if self._cut or self._damage_s > time_s or self._claims_more_than(end_s):
            self._note("early", end_s)

    def _decode(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self._cut = True  # the file itself cannot be read on
                return
            if packet.size:
                self._cut = packet.is_corrupt  # the container promised more bytes than there are
            try:
                frames = packet.decode()
            except av.EOFError:
                continue  # the decoder had nothing left to hand out
            except av.FFmpegError:
                self._note_damage(packet.pts, packet.time_base)
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._note_damage(frame.pts, frame.time_base)
                else:
                    yield frame

    def _note(self, key: str, time_s: float) -> None:
        count, first_s = self._notes.get(key, (0, time_s))
        self._notes[key] = (count + 1, first_s)

    def _note_damage(self, pts: int | None, time_base: Fraction | None) -> None:
        self._damage_s = self._clock.at(pts, time_base)
        self._note("damaged", self._damage_s)

    def _claims_more_than(self, end_s: float) -> bool:
        claimed_s = self.info.duration_s
        if stream_duration_s(self._stream) is not None:
            return claimed_s - end_s > max(0.25, 3 * self._clock.period_s)
        # The whole file's duration covers its sound too, which may go on a little after the picture.
        return claimed_s - end_s > max(1.0, 0.05 * claimed_s)

    def _describe(self, fps: float) -> VideoInfo:
        duration_s = stream_duration_s(self._stream)
        shaper = self._shaper
        return VideoInfo(
            path=self._path,
            width=shaper.size_px[0],
            height=shaper.size_px[1],
            source_width=shaper.source_size_px[0],
            source_height=shaper.source_size_px[1],
            rotation_deg=shaper.rotation_deg,
            average_fps=fps,
            duration_s=container_duration_s(self._container) if duration_s is None else duration_s,
            frame_count_claimed=self._stream.frames or None,
            codec=self._stream.codec_context.name,
        )
