"""Stretches of a clip, found by the file's index: the same frames as reading through it gives."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from formcheck.adapters import video_seek
from formcheck.adapters.video import ClipReader, DecodedFrame
from formcheck.adapters.video_seek import decoded_within
from formcheck.types import FloatArray
from tests.clip_factory import corners, cut, damage_packets, has_encoder, noise, set_display_matrix, steady, write_clip

WIDTH, HEIGHT = 64, 48
COUNT = 150
SPANS = [(0.0, 0.4), (0.3, 1.0), (1.9, 2.6), (3.0, 3.0), (4.5, 9.0)]
KEYS = {"g": "30", "keyint_min": "30"}  # a key frame a second


def picture(index: int) -> np.ndarray:
    return noise(WIDTH, HEIGHT, index)


def make(path: Path, times_s: list[float] | None = None, **options: object) -> Path:
    return write_clip(
        path, picture, times_s or steady(COUNT), codec_options=KEYS | options.pop("codec_options", {}), **options
    )  # type: ignore[arg-type, operator]


def through(path: Path) -> list[DecodedFrame]:
    with ClipReader(path) as reader:
        return list(reader.decoded())


def assert_same(path: Path) -> int:
    """Every stretch as reading through gives it; the number of frames compared."""
    whole = through(path)
    times_s: FloatArray = np.array([item.time_s for item in whole])
    compared = 0
    for start_s, end_s in SPANS:
        expected = [item for item in whole if start_s <= item.time_s <= end_s]
        found = list(decoded_within(path, (start_s, end_s), times_s))
        assert [item.index for item in found] == [item.index for item in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.time_s == other.time_s
            np.testing.assert_array_equal(one.frame().image, other.frame().image)
        compared += len(found)
    return compared


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Times of the frames that were decoded, in order."""
    seen: list[float] = []
    original: Callable[..., object] = DecodedFrame.__init__

    def count(self: DecodedFrame, index: int, time_s: float, *rest: object) -> None:
        seen.append(time_s)
        original(self, index, time_s, *rest)

    monkeypatch.setattr(DecodedFrame, "__init__", count)
    return seen


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.mp4", "libx264", {}),
        ("open.mp4", "libx264", {"x264-params": "open-gop=1:bframes=3:keyint=30"}),
        ("clip.mkv", "libx264", {}),
        ("clip.ts", "libx264", {}),
        ("clip.mp4", "libx265", {"x265-params": "open-gop=1:keyint=30"}),
        ("clip.webm", "libvpx-vp9", {}),
        ("clip.avi", "mpeg4", {}),
        ("clip.avi", "mjpeg", {}),
        ("clip.gif", "gif", {}),
        ("no_keys.mp4", "libx264", {"x264-params": "keyint=infinite:intra-refresh=1"}),
    ],
)
def test_stretches_are_as_in_the_whole_clip(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    if not has_encoder(codec):
        pytest.skip(f"this PyAV build has no {codec} encoder")
    formats = {"gif": "rgb8", "mjpeg": "yuvj420p"}
    path = make(
        tmp_path / name,
        codec=codec,
        codec_options=options,
        pix_fmt=formats.get(codec, "yuv420p"),
        time_base=Fraction(1, 30),
    )
    assert assert_same(path) > 50


def test_only_what_is_near_a_stretch_is_decoded(tmp_path: Path, decoded: list[float]) -> None:
    path = make(tmp_path / "clip.mp4")
    times_s = np.array([item.time_s for item in through(path)])
    decoded.clear()
    found = list(decoded_within(path, (3.6, 3.8), times_s))
    assert len(found) == 7
    assert min(decoded) > 2.0, "there is a key frame in every second"
    assert max(decoded) < 3.9


@pytest.mark.parametrize("offset_s", [0.0, 1000.0])
def test_uneven_times_and_a_late_beginning(tmp_path: Path, offset_s: float) -> None:
    times_s = np.cumsum(np.random.default_rng(5).uniform(0.02, 0.06, COUNT)) + offset_s
    assert assert_same(make(tmp_path / "clip.mkv", times_s.tolist())) > 50


def test_turned_pictures(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", lambda _: corners(WIDTH, HEIGHT), steady(COUNT), codec_options=KEYS)
    set_display_matrix(path, 0, 1, -1, 0)
    assert assert_same(path) > 50


def test_damaged_parts_are_left_out_as_in_the_whole_clip(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4")
    damage_packets(path, [35, 36, 100])
    assert assert_same(path) > 50


def test_a_clip_that_ends_early(tmp_path: Path) -> None:
    path = cut(make(tmp_path / "clip.ts"), 0.6)
    assert assert_same(path) > 30


def test_a_clock_that_begins_again_is_read_through(tmp_path: Path, decoded: list[float]) -> None:
    """Joined recordings: the file's own times lead somewhere else than the clip's."""
    parts = [make(tmp_path / f"{part}.ts", steady(75)) for part in "ab"]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    times_s = [item.time_s for item in through(joined)]
    assert len(times_s) == COUNT
    assert times_s[-1] > 4.5
    assert_same(joined)
    decoded.clear()
    assert list(decoded_within(joined, (4.0, 4.2), np.array(times_s)))
    assert min(decoded) == 0.0


def test_without_an_index_to_seek_by_the_clip_is_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[float]
) -> None:
    path = make(tmp_path / "clip.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise av.FFmpegError(1, "cannot seek")

    monkeypatch.setattr(video_seek.ClipReader, "skip_to", refuse)
    assert assert_same(path) > 50
    assert decoded
