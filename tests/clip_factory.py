"""Small clips for tests, made with PyAV: every container and codec, odd clocks, turned, damaged and cut files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from formcheck.types import ImageArray

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (235, 235, 235)
CLOCK_HZ = 90_000
_QUIET_X265 = {"x265-params": "log-level=none"}  # x265 writes to stderr by itself


def has_encoder(name: str) -> bool:
    try:
        av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def corners(width: int, height: int) -> ImageArray:
    """Four coloured quarters: red | green over blue | white; tells every turn and mirroring apart."""
    image = np.empty((height, width, 3), dtype=np.uint8)
    middle_y, middle_x = height // 2, width // 2
    image[:middle_y, :middle_x], image[:middle_y, middle_x:] = RED, GREEN
    image[middle_y:, :middle_x], image[middle_y:, middle_x:] = BLUE, WHITE
    return image


def noise(width: int, height: int, seed: int) -> ImageArray:
    """A picture that needs many bytes, so that a byte offset in the file means a time in the clip."""
    blocks = np.random.default_rng(seed).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return np.ascontiguousarray(blocks.repeat(8, axis=0).repeat(8, axis=1)[:height, :width])


def write_clip(
    path: Path,
    picture: Callable[[int], ImageArray],
    times_s: Sequence[float],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    time_base: Fraction = Fraction(1, CLOCK_HZ),
    fps: int = 30,
    pixel_aspect: Fraction | None = None,
    matrix: str | None = None,
) -> Path:
    """Encode `picture(index)` at each of `times_s`; `matrix` converts the colours without a tag that says so."""
    height, width, _ = picture(0).shape
    options = dict(codec_options or {}) | (_QUIET_X265 if codec == "libx265" else {})
    with av.open(str(path), "w", format=container, options=container_options or {}) as file:
        stream = file.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = time_base
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for index, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix)
            frame.pts, frame.time_base = round(time_s / time_base), time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def steady(count: int, fps: float = 30.0) -> list[float]:
    return [index / fps for index in range(count)]


def write_sound(path: Path) -> Path:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16_000, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def set_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Patch the track header: a stored point (x, y) is shown at (a x + c y, b x + d y), y down (ISO 14496-12).

    Done on the bytes, so that a test does not lean on the sign convention of the library it tests.
    """
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd") + 4
    assert data[header] == 0, "only version 0 track headers are patched here"
    # version and flags 4, created 4, changed 4, track 4, reserved 4, duration 4, reserved 8, layer .. reserved 8
    one = 1 << 16
    struct.pack_into(">9i", data, header + 40, a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def damage_packets(path: Path, numbers: Sequence[int]) -> None:
    """Overwrite the whole of some video packets (counted in file order) with bytes that no decoder accepts."""
    with av.open(str(path)) as file:
        places = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        start, size = places[number]
        assert start is not None
        data[start : start + size] = b"\xff" * size
    path.write_bytes(data)


def cut(path: Path, share: float) -> Path:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path
