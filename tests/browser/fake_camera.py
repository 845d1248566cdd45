"""A clip as Chromium's fake camera: Motion JPEG, which it plays at 30 frames a second, again and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

FPS = 30  # fixed in Chromium for this format
SIZE = (640, 480)


def write_camera(
    clip: Path,
    target: Path,
    *,
    still_s: float = 0.0,
    rest: tuple[float, float] = (0.0, 0.0),
    after_s: float = 0.0,
    mark: Callable[[np.ndarray, int], None] = lambda picture, number: None,
) -> Path:
    """Write a clip at the camera's rate and size, its first and last pictures held for these seconds.

    `rest` holds one more: the second at which, and for how many. `mark` may draw into each picture, given its number.
    """
    with av.open(str(clip)) as source:
        frames = [(frame.time or 0.0, _fitted(frame)) for frame in source.decode(video=0)]
    times = np.array([time_s for time_s, _ in frames])
    rest_at_s, rest_s = rest
    seconds = still_s + float(times[-1]) + rest_s + after_s
    with av.open(str(target), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=FPS, options={"q:v": "4", "qmin": "2", "qmax": "5"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for number in range(round(seconds * FPS)):
            time_s = number / FPS - still_s
            time_s = min(time_s, max(rest_at_s, time_s - rest_s))
            row = int(np.searchsorted(times, time_s, side="right")) - 1
            pixels = frames[max(row, 0)][1].copy()
            mark(pixels, number)
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts = number
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return target


def _fitted(frame: av.VideoFrame) -> np.ndarray:
    """The picture in the middle of the camera's, with grey above and below."""
    width, height = SIZE
    rows = 2 * round(width * frame.height / frame.width / 2)
    small = frame.reformat(width=width, height=rows, format="rgb24").to_ndarray()
    picture = np.full((height, width, 3), 120, dtype=np.uint8)
    top = (height - rows) // 2
    picture[top : top + rows] = small
    return picture


def camera_flags(file: Path) -> tuple[str, ...]:
    """What Chromium needs to use it, and to connect to this machine without asking anybody."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={file}",
        "--allow-loopback-in-peer-connection",
    )
