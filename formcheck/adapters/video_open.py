"""Opening a clip: the file, its video stream, and what both claim. Every way to fail here is a `ClipError`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from formcheck.errors import ClipError

_NAME_ANOTHER: Final = "give an mp4, mov, webm, mkv or avi file"
_STILL_BRANDS: Final = frozenset({"heic", "heix", "mif1", "avif"})  # mp4-like files that hold photographs
_FASTEST_FPS: Final = 1000.0  # a higher "rate" is the container's clock, not the camera's


def open_clip(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a clip and choose its video stream.

    Raises
    ------
    ClipError
        The file is missing, a folder, empty, unreadable, no video, a still image, sound only, cut off before its
        index, or in a codec that this FFmpeg cannot decode.
    """
    head = _read_head(path)
    av.logging.set_level(None)  # FFmpeg's own chatter on stderr; errors still arrive as exceptions
    try:
        # Absolute, so that a colon in a name is not taken for a protocol; a playlist may name local files only.
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.FFmpegError as error:
        if head[4:8] in {b"ftyp", b"mdat"}:
            raise ClipError(
                f"{path}: the recording is cut off or damaged: its index (moov) is missing; copy or record it again"
            ) from error
        raise ClipError(f"{path}: not a video, or damaged at its start; {_NAME_ANOTHER}") from error
    try:
        return container, _video_stream(container, path)
    except BaseException:
        container.close()
        raise


def _read_head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ClipError(f"{path}: this is a folder; give the video files inside it, as in {path / '*.mp4'}")
        if path.exists() and not path.is_file():
            raise ClipError(f"{path}: not a regular file; {_NAME_ANOTHER}")
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError as error:
        raise ClipError(f"{path}: no such file; check the name and the folder") from error
    except PermissionError as error:
        raise ClipError(f"{path}: no permission to read it; change its access rights or copy it") from error
    except OSError as error:
        raise ClipError(f"{path}: cannot be read ({error.strerror}); check the name and the disk") from error
    if not head:
        raise ClipError(f"{path}: the file is empty; copy it again from where it was recorded")
    return head


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    kind = container.format.name
    if kind == "tty":  # FFmpeg would draw a text file as a picture of its letters
        raise ClipError(f"{path}: this is a text file, not a video; {_NAME_ANOTHER}")
    # The picture in a music file (its cover) and the preview pictures of a film are no video either.
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & covers]
    brand = container.metadata.get("major_brand", "").strip()
    one_gif = kind == "gif" and streams and streams[0].frames == 1
    if kind.endswith("_pipe") or kind == "image2" or brand in _STILL_BRANDS or one_gif:
        raise ClipError(f"{path}: this is a still image; a movement needs a video, so {_NAME_ANOTHER}")
    if not streams:
        what = "holds sound only" if container.streams.audio else "holds no video"
        raise ClipError(f"{path}: {what}; {_NAME_ANOTHER}")
    stream = next((stream for stream in streams if stream.disposition & Disposition.default), streams[0])
    if stream.codec_context is None:
        raise ClipError(f"{path}: its video codec cannot be decoded here; convert it to H.264 (mp4)")
    return stream


def average_fps(stream: VideoStream) -> float:
    """Frames per second over the whole stream; NaN when the file does not say."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= _FASTEST_FPS:
            return float(rate)
    return math.nan


def stream_duration_s(stream: VideoStream) -> float | None:
    """How long the file claims that the pictures go on, in seconds; None when it says nothing of this stream."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska keeps it as text: 00:00:02.000000000
    parts = tag.split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def container_duration_s(container: InputContainer) -> float:
    """How long the file claims to be with all its streams, in seconds; NaN when it does not say."""
    return container.duration / av.time_base if container.duration else math.nan
