"""Stretches of a clip, found by the file's index: the same frames as reading through it gives."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clip_factory import corners, cut, damage_packets, has_encoder, noise, set_display_matrix, steady, write_clip

from formcheck.adapters import video_seek
from formcheck.adapters.video import ClipReader, DecodedFrame
from formcheck.adapters.video_seek import decoded_around
from formcheck.types import ImageArray

WIDTH, HEIGHT = 64, 48
COUNT = 240
SPANS = [(0.0, 0.4), (0.7, 1.0), (2.3, 2.6), (4.1, 4.1), (6.0, 6.6), (7.5, 12.0)]
KEYS = {"g": "30", "keyint_min": "30", "sc_threshold": "0"}  # a key frame a second
SCENERY = noise(4 * WIDTH, HEIGHT, 1).astype(float)


def picture(index: int) -> ImageArray:
    """A picture that moves on a little, so that a frame without the one that it hangs on comes out otherwise."""
    left = index / 2.0 % (3 * WIDTH - 1)
    first, share = int(left), left % 1.0
    mixed = (1.0 - share) * SCENERY[:, first : first + WIDTH] + share * SCENERY[:, first + 1 : first + 1 + WIDTH]
    return np.ascontiguousarray(mixed.astype(np.uint8))


def make(path: Path, times_s: Sequence[float] | None = None, **options: Any) -> Path:
    keys = KEYS | options.pop("codec_options", {})
    return write_clip(path, picture, times_s or steady(COUNT), codec_options=keys, **options)


def through(path: Path) -> tuple[list[DecodedFrame], list[str]]:
    with ClipReader(path) as reader:
        return list(reader.decoded()), reader.warnings


def assert_same(path: Path, spans: Sequence[tuple[float, float]] = SPANS, *, by_index: bool = True) -> list[float]:
    """The stretches as reading through gives them; times of the frames that were given for them, also others."""
    whole, warnings = through(path)
    assert by_index is not bool(warnings)
    times_s = np.array([item.time_s for item in whole])
    given = list(decoded_around(path, spans, times_s, by_index=by_index))
    found = {item.index: item for item in given}
    wanted = [item for item in whole if any(start_s <= item.time_s <= end_s for start_s, end_s in spans)]
    assert len(wanted) >= 20
    for item in wanted:
        assert found[item.index].time_s == item.time_s
        np.testing.assert_array_equal(found[item.index].frame().image, item.frame().image)
    return [item.time_s for item in given]


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
        ("clip.ts", "mpeg4", {"g": "120"}),
        ("clip.mpg", "mpeg4", {"g": "120"}),
        ("clip.avi", "mjpeg", {}),
        ("clip.gif", "gif", {}),
        ("no_keys.mp4", "libx264", {"x264-params": "keyint=infinite:intra-refresh=1"}),
    ],
)
def test_stretches_are_as_in_the_whole_clip(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    if not has_encoder(codec):
        pytest.skip(f"this PyAV build has no {codec} encoder")
    formats = {"gif": "rgb8", "mjpeg": "yuvj420p"}
    pix_fmt = formats.get(codec, "yuv420p")
    assert_same(make(tmp_path / name, codec=codec, codec_options=options, pix_fmt=pix_fmt, time_base=Fraction(1, 30)))


def test_only_what_is_near_a_stretch_is_decoded(tmp_path: Path) -> None:
    given = assert_same(make(tmp_path / "clip.mp4"), [(3.6, 3.8), (6.6, 7.4)])
    assert min(given) >= 2.0, "there is a key frame in every second"
    assert not [time_s for time_s in given if 4.0 < time_s < 5.0]
    assert max(given) < 7.5
    assert len(given) < 100


def test_frames_come_before_the_stretch_too_so_that_reading_can_be_stopped(tmp_path: Path) -> None:
    given = assert_same(make(tmp_path / "clip.mp4"), [(6.9, 7.6)])
    assert min(given) < 6.9 - 10 / 30


@pytest.mark.parametrize(("name", "offset_s"), [("clip.mkv", 0.0), ("clip.mp4", 1000.0)])
def test_uneven_times_and_a_late_beginning(tmp_path: Path, name: str, offset_s: float) -> None:
    times_s = np.cumsum(np.random.default_rng(5).uniform(0.02, 0.06, COUNT)) + offset_s
    assert_same(make(tmp_path / name, times_s.tolist()))


def test_turned_pictures(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", lambda _: corners(WIDTH, HEIGHT), steady(COUNT), codec_options=KEYS)
    set_display_matrix(path, 0, 1, -1, 0)
    assert_same(path)


def test_a_first_frame_without_a_time_is_not_sought_from(tmp_path: Path) -> None:
    """Nothing tells then which stamp is which second."""
    path = make(tmp_path / "clip.mkv")
    with ClipReader(path) as reader:
        first = reader._once()
        frame = next(iter(first))
        frame.pts = None
        reader._decoded = iter([frame])
        assert reader.skip_to(3.0) is False
        assert [item.index for item in reader.decoded()] == [0]


class TestOddClips:
    """They warn when they are read through, and are read through again."""

    @pytest.mark.parametrize("damaged", [[35, 36, 100], [60, 90, 120, 180]])
    def test_damaged_parts(self, tmp_path: Path, damaged: list[int]) -> None:
        path = make(tmp_path / "clip.mp4", codec_options={"bf": "0"})
        damage_packets(path, damaged)
        assert_same(path, by_index=False)

    def test_a_clip_that_ends_early(self, tmp_path: Path) -> None:
        path = make(tmp_path / "clip.mp4", container_options={"movflags": "faststart"})
        assert_same(cut(path, 0.6), by_index=False)

    @pytest.mark.parametrize("keys", ["1", "15"])
    def test_a_clock_that_begins_again(self, tmp_path: Path, keys: str) -> None:
        """Joined recordings: the other part's frames lie on the same grid of times."""
        options = {"g": keys, "keyint_min": keys, "bf": "0"}
        parts = [make(tmp_path / f"{part}.ts", codec_options=options) for part in "ab"]
        joined = tmp_path / "joined.ts"
        joined.write_bytes(b"".join(part.read_bytes() for part in parts))
        given = assert_same(joined, [(5.6, 6.4), (9.0, 9.6)], by_index=False)
        assert given[0] == 0.0


def _lead_astray(path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    original: Callable[..., Generator[DecodedFrame | None]] = video_seek._by_index

    def astray(*args: Any) -> Generator[DecodedFrame | None]:
        for count, item in enumerate(original(*args)):
            yield item if count < after else None

    monkeypatch.setattr(video_seek, "_by_index", astray)


@pytest.mark.parametrize("after", [0, 5, 40])
def test_where_the_index_leads_astray_the_rest_is_read_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    path = make(tmp_path / "clip.mp4")
    _lead_astray(path, monkeypatch, after)
    given = assert_same(path, [(2.3, 2.6), (5.0, 5.5), (7.0, 7.5)])
    assert len(given) <= COUNT + after


def test_a_file_that_cannot_be_searched_is_read_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClipReader, "skip_to", lambda *_: False)
    assert min(assert_same(make(tmp_path / "clip.mp4"), [(5.0, 6.0)])) == 0.0


def test_a_file_without_an_index_says_so(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4")
    with ClipReader(path) as reader:

        class Refusing:
            close = reader._container.close

            def seek(self, *_: object, **__: object) -> None:
                raise av.FFmpegError(1, "cannot seek")

        reader._container = Refusing()  # type: ignore[assignment]
        assert reader.skip_to(3.0) is False
