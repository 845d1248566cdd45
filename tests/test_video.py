"""Reading and writing clips: formats, turns, clocks, damage, errors and what the overlay file holds."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clip_factory import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    corners,
    cut,
    damage_packets,
    has_encoder,
    noise,
    set_display_matrix,
    steady,
    write_clip,
    write_sound,
)

from formcheck.adapters.video import ClipReader, probe
from formcheck.adapters.video_frames import FrameClock
from formcheck.adapters.video_writer import OverlayWriter
from formcheck.errors import ClipError, OutputError
from formcheck.types import Frame, ImageArray

WIDTH, HEIGHT = 64, 48
UNEVEN_S = [0.0, 0.017, 0.05, 0.067, 0.267, 0.3, 0.5, 0.533, 1.25, 1.3]


def read(path: Path, **options: int) -> tuple[list[Frame], list[str]]:
    with ClipReader(path, **options) as reader:
        return list(reader), reader.warnings


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def quarters(image: ImageArray) -> list[str]:
    """Names of the colours at top left, top right, bottom left, bottom right."""
    height, width, _ = image.shape
    colours = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    found = []
    for y in (height // 4, height * 3 // 4):
        for x in (width // 4, width * 3 // 4):
            seen = image[y - 4 : y + 4, x - 4 : x + 4].mean(axis=(0, 1))  # a GIF mixes its colours from dots
            name, value = min(colours.items(), key=lambda item: np.abs(seen - item[1]).sum())
            assert np.abs(seen - value).max() < 30, f"{seen} is not {name}"
            found.append(name)
    return found


UPRIGHT = ["red", "green", "blue", "white"]

# ---------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "decoded_as", "tolerance_s"),
    [
        ("clip.mp4", "libx264", "yuv420p", "h264", 1e-4),
        ("clip.mov", "libx264", "yuv420p", "h264", 1e-4),
        ("clip.mkv", "libx264", "yuv420p", "h264", 1e-3),
        ("clip.ts", "libx264", "yuv420p", "h264", 1e-4),
        ("clip.mp4", "libx264", "yuv420p10le", "h264", 1e-4),
        ("clip.mp4", "libx264", "yuv444p", "h264", 1e-4),
        ("clip.mp4", "libx265", "yuv420p", "hevc", 1e-4),
        ("clip.mov", "libx265", "yuv420p10le", "hevc", 1e-4),
        ("clip.webm", "libvpx-vp9", "yuv420p", "vp9", 1e-3),
        ("clip.avi", "mjpeg", "yuvj420p", "mjpeg", 1e-4),
        ("clip.avi", "mpeg4", "yuv420p", "mpeg4", 1e-4),
        ("clip.mkv", "ffv1", "yuv422p", "ffv1", 1e-3),
        ("clip.gif", "gif", "rgb8", "gif", 1e-2),
    ],
)
def test_format_is_read_with_its_colours_and_times(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, decoded_as: str, tolerance_s: float
) -> None:
    if not has_encoder(codec):
        pytest.skip(f"this PyAV build has no {codec} encoder")
    times = steady(12, 25)
    path = write_clip(
        tmp_path / name,
        lambda _: corners(WIDTH, HEIGHT),
        times,
        codec=codec,
        pix_fmt=pix_fmt,
        fps=25,
        time_base=Fraction(1, 25),
    )
    frames, warnings = read(path)
    assert warnings == []
    assert [frame.index for frame in frames] == list(range(12))
    np.testing.assert_allclose([frame.time_s for frame in frames], times, atol=tolerance_s)
    for frame in frames:
        assert frame.image.shape == (HEIGHT, WIDTH, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert quarters(frame.image) == UPRIGHT
    info = probe(path)
    assert (info.width, info.height, info.source_width, info.source_height) == (WIDTH, HEIGHT, WIDTH, HEIGHT)
    assert (info.codec, info.rotation_deg, info.path) == (decoded_as, 0, path)
    assert info.average_fps == pytest.approx(25, rel=0.02)
    assert info.duration_s == pytest.approx(12 / 25, abs=0.03)
    assert info.frame_count_claimed in {12, None}


def test_odd_size_is_kept_and_contiguous(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "odd.mp4", lambda _: corners(61, 47), steady(3), pix_fmt="yuv444p", codec_options={"crf": "10"}
    )
    frames, _ = read(path)
    assert frames[0].image.shape == (47, 61, 3)
    assert frames[0].image.flags.c_contiguous
    assert quarters(frames[0].image) == UPRIGHT


def test_wide_pixels_are_made_square(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "wide.mp4", lambda _: corners(WIDTH, HEIGHT), steady(3), pixel_aspect=Fraction(4, 3))
    frames, _ = read(path)
    assert frames[0].image.shape == (HEIGHT, 85, 3)
    info = probe(path)
    assert (info.width, info.source_width) == (85, WIDTH)


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), "ITU709"), ((320, 240), "ITU601")])
def test_untagged_colours_follow_the_size_as_players_do(tmp_path: Path, size: tuple[int, int], matrix: str) -> None:
    width, height = size
    image = np.full((height, width, 3), (200, 90, 40), dtype=np.uint8)
    path = write_clip(tmp_path / "untagged.mp4", lambda _: image, steady(2), matrix=matrix)
    frames, _ = read(path)
    assert np.abs(frames[0].image.astype(int) - (200, 90, 40)).max() <= 4


def test_max_side_scales_down_only(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "big.mp4", lambda _: corners(160, 96), steady(3))
    frames, _ = read(path, max_side=80)
    assert frames[0].image.shape == (48, 80, 3)
    assert quarters(frames[0].image) == UPRIGHT
    info = probe(path, max_side=80)
    assert (info.width, info.height, info.source_width, info.source_height) == (80, 48, 160, 96)
    assert probe(path, max_side=4096).width == 160
    with pytest.raises(ValueError, match="max_side"):
        ClipReader(path, max_side=0)


# ---------------------------------------------------------------------------------------------- turns


@pytest.mark.parametrize(
    ("matrix", "stored", "rotation_deg", "size"),
    [
        # a picture that has to be turned clockwise by 90 degrees was stored turned the other way
        ((1, 0, 0, 1), lambda upright: upright, 0, (WIDTH, HEIGHT)),
        ((0, 1, -1, 0), lambda upright: np.rot90(upright, 1), 90, (WIDTH, HEIGHT)),
        ((-1, 0, 0, -1), lambda upright: np.rot90(upright, 2), 180, (WIDTH, HEIGHT)),
        ((0, -1, 1, 0), lambda upright: np.rot90(upright, -1), 270, (WIDTH, HEIGHT)),
        ((-1, 0, 0, 1), lambda upright: upright[:, ::-1], 0, (WIDTH, HEIGHT)),
    ],
    ids=["0", "90", "180", "270", "mirrored"],
)
def test_display_matrix_is_applied_once(
    tmp_path: Path, matrix: tuple[int, int, int, int], stored, rotation_deg: int, size: tuple[int, int]
) -> None:
    picture = np.ascontiguousarray(stored(corners(*size)))
    path = write_clip(tmp_path / "turned.mp4", lambda _: picture, steady(4))
    set_display_matrix(path, *matrix)
    frames, _ = read(path)
    assert len(frames) == 4
    for frame in frames:
        assert frame.image.shape == (size[1], size[0], 3)
        assert frame.image.flags.c_contiguous
        assert quarters(frame.image) == UPRIGHT
    info = probe(path)
    assert (info.rotation_deg, info.width, info.height) == (rotation_deg, *size)
    assert (info.source_width, info.source_height) == size


def test_turned_real_clips_agree() -> None:
    folder = os.environ.get("FORMCHECK_CLIPS")
    paths = sorted(Path(folder).rglob("*rotflag*.mp4")) if folder else []
    if len(paths) < 2:
        pytest.skip("FORMCHECK_CLIPS names no folder with *rotflag*.mp4 clips")
    images = []
    for path in paths:
        with ClipReader(path) as reader:
            images.append(next(iter(reader)).image.astype(float))
    for image in images[1:]:
        assert image.shape == images[0].shape
        assert np.abs(image - images[0]).mean() < 4


# ---------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize("offset_s", [0.0, 2.0])
def test_uneven_times_are_exact_and_start_at_zero(tmp_path: Path, offset_s: float) -> None:
    times = [time_s + offset_s for time_s in UNEVEN_S]
    path = write_clip(tmp_path / "vfr.mp4", lambda index: noise(WIDTH, HEIGHT, index), times)
    frames, warnings = read(path)
    np.testing.assert_allclose([frame.time_s for frame in frames], UNEVEN_S, atol=1.1e-5)
    assert frames[0].time_s == 0.0
    assert warnings == []


def test_stream_without_time_stamps_runs_at_the_average_rate(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "raw.avi",
        lambda index: noise(WIDTH, HEIGHT, index),
        steady(20, 25),
        codec="mpeg4",
        fps=25,
        time_base=Fraction(1, 25),
        codec_options={"bf": "2"},  # AVI keeps no presentation times, so reordered frames have none
    )
    frames, _ = read(path)
    assert len(frames) == 20
    np.testing.assert_allclose(np.diff([frame.time_s for frame in frames]), 1 / 25, atol=1e-6)


def test_joined_recordings_keep_running(tmp_path: Path) -> None:
    parts = [
        write_clip(tmp_path / f"{seed}.ts", lambda index: noise(WIDTH, HEIGHT, index), steady(30)) for seed in (1, 2)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames, warnings = read(joined)
    steps = np.diff([frame.time_s for frame in frames])
    assert len(frames) == 60
    assert steps.min() > 0.02
    assert steps.max() < 0.2
    assert any("clock jumps back" in warning for warning in warnings)


def _clock_times(stamps: list[int | None]) -> tuple[list[float | None], dict[str, int]]:
    notes: dict[str, int] = {}

    def note(kind: str, _: float) -> None:
        notes[kind] = notes.get(kind, 0) + 1

    clock = FrameClock(0.1, note)
    return [clock.next(stamp, Fraction(1, 10)) for stamp in stamps], notes


@pytest.mark.parametrize(
    ("stamps", "expected", "notes"),
    [
        ([7, 8, 10], [0.0, 0.1, 0.3], {}),
        ([None, None, None], [0.0, 0.1, 0.2], {"no_time": 3}),
        ([0, None, 2, 3], [0.0, 0.1, 0.2, 0.3], {"no_time": 1}),
        ([None, 50, 51], [0.0, 0.1, 0.2], {"no_time": 1}),
        ([0, 1, 1, 2], [0.0, 0.1, None, 0.2], {"dropped": 1}),
        ([0, 2, 1, 3], [0.0, 0.2, None, 0.3], {"dropped": 1}),
        ([0, 10, 0, 1], [0.0, 1.0, 1.1, 1.2], {"clock": 1}),
        ([5, 5, 5, 5, 5], [0.0, None, None, 0.1, 0.2], {"dropped": 2, "clock": 2}),
    ],
)
def test_clock_repairs(stamps: list[int | None], expected: list[float | None], notes: dict[str, int]) -> None:
    times, found = _clock_times(stamps)
    assert [None if time_s is None else round(time_s, 9) for time_s in times] == expected
    assert found == notes


def test_standing_clock_loses_no_more_than_two_frames() -> None:
    times, _ = _clock_times([5] * 100)
    kept = [time_s for time_s in times if time_s is not None]
    assert len(kept) == 98
    np.testing.assert_allclose(np.diff(kept), 0.1)


def test_duplicate_times_in_a_file_are_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "twice.mkv"
    stamps = [0, 40, 80, 80, 120, 160]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for index, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(noise(WIDTH, HEIGHT, index), format="rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            for packet in stream.encode(frame):
                packet.pts = packet.dts = stamp
                packet.time_base = Fraction(1, 1000)
                file.mux(packet)
    frames, warnings = read(path)
    np.testing.assert_allclose([frame.time_s for frame in frames], [0, 0.04, 0.08, 0.12, 0.16], atol=1e-9)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert warnings == ["frames dropped because their time was not after the one before: 1, the first at 0.1 s"]


# ---------------------------------------------------------------------------------------------- damage


def test_damaged_middle_is_skipped_with_a_warning(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_clip(
        tmp_path / "bad.mp4",
        lambda index: noise(WIDTH, HEIGHT, index),
        steady(60),
        codec_options={"g": "10", "bf": "0"},
    )
    damage_packets(path, [30, 31])
    frames, warnings = read(path)
    assert 45 <= len(frames) < 60
    assert frames[-1].time_s == pytest.approx(59 / 30, abs=1e-3)
    assert (np.diff([frame.time_s for frame in frames]) > 0).all()
    assert len(warnings) == 1
    assert warnings[0].startswith("damaged parts skipped: ")
    assert float(warnings[0].split(" at ")[1].split(" ")[0]) == pytest.approx(1.0, abs=0.15)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [("cut.mp4", "libx264", "yuv420p"), ("cut.mkv", "libx264", "yuv420p"), ("cut.avi", "mjpeg", "yuvj420p")],
)
def test_truncated_clip_gives_what_is_there(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    path = write_clip(
        tmp_path / name,
        lambda index: noise(WIDTH, HEIGHT, index),
        steady(100, 25),
        codec=codec,
        pix_fmt=pix_fmt,
        container_options={"movflags": "+faststart"} if name.endswith("mp4") else None,
        time_base=Fraction(1, 25),
        fps=25,
    )
    frames, warnings = read(cut(path, 0.5))
    assert 25 < len(frames) < 75
    early = [warning for warning in warnings if "ends early" in warning]
    assert len(early) == 1
    assert early[0].endswith("the file is truncated or damaged")
    assert float(early[0].split(" at ")[1].split(" ")[0]) == pytest.approx(frames[-1].time_s, abs=0.15)


def test_changed_size_is_fitted_without_stretching(tmp_path: Path) -> None:
    parts = [
        write_clip(
            tmp_path / f"{width}.ts", lambda _, width=width: corners(width, 64), times, codec_options={"bf": "0"}
        )
        for width, times in ((64, steady(30)), (128, [1 + time_s for time_s in steady(30)]))
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames, warnings = read(joined)
    assert len(frames) == 60
    assert {frame.image.shape for frame in frames} == {(64, 64, 3)}
    last = frames[-1].image
    assert last[:14].max() < 20, "a band above the wide picture must be black"
    assert quarters(last[16:48]) == UPRIGHT
    assert any("the picture size changes at 1.0 s: 30 frames" in warning for warning in warnings)


# ---------------------------------------------------------------------------------------------- refusals


def _make_bad(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.mp4"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "garbage":
        path.write_bytes(b"this is not a video\n" * 100)
    elif kind == "text":
        path = folder / "notes.txt"
        path.write_text("three sets of ten\n" * 50)
    elif kind == "folder":
        path.mkdir()
    elif kind == "sound":
        write_sound(path)
    elif kind == "no-index":
        cut(write_clip(path, lambda index: noise(WIDTH, HEIGHT, index), steady(30)), 0.5)
    elif kind == "undecodable":
        write_clip(path, lambda index: noise(WIDTH, HEIGHT, index), steady(5))
        damage_packets(path, range(5))
    elif kind == "png":
        path = write_clip(folder / "photo.png", lambda _: corners(32, 32), [0.0], codec="png", pix_fmt="rgb24")
    elif kind == "one-gif":
        path = write_clip(folder / "photo.gif", lambda _: corners(32, 32), [0.0], codec="gif", pix_fmt="rgb8")
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "no such file"),
        ("folder", "folder"),
        ("empty", "is empty"),
        ("garbage", "not a video"),
        ("text", "text file"),
        ("sound", "sound only"),
        ("no-index", "moov"),
        ("undecodable", "no frame in it can be decoded"),
        ("png", "still image"),
        ("one-gif", "still image"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(
    tmp_path: Path, kind: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = _make_bad(tmp_path, kind)
    with pytest.raises(ClipError, match=says) as caught:
        ClipReader(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert ";" in text, "it has to say what to do"
    assert "\n" not in text
    with pytest.raises(ClipError):
        probe(path)
    assert capfd.readouterr().err == ""


def test_no_permission_is_a_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "mine.mp4", lambda _: corners(WIDTH, HEIGHT), steady(2))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # chmod does not stop the superuser, who may run the tests
    with pytest.raises(ClipError, match="no permission"):
        ClipReader(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    with pytest.raises(ClipError, match="not a regular file"):
        ClipReader(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no colon in a file name")
def test_a_colon_and_spaces_in_the_name_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "plain.mp4", lambda _: corners(WIDTH, HEIGHT), steady(2)).rename("file2:März 1.mp4")
    assert probe("file2:März 1.mp4").codec == "h264"


# ---------------------------------------------------------------------------------------------- streaming


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [noise(96, 72, seed) for seed in range(4)]
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_clip(path, lambda index: pictures[index % 4], steady(2000), codec_options={"preset": "ultrafast"})


def test_long_clip_is_read_in_constant_memory(long_clip: Path) -> None:
    statm = Path("/proc/self/statm")
    alive: list[weakref.ref[ImageArray]] = []
    most_alive, start_pages = 0, 0
    with ClipReader(long_clip) as reader:
        for frame in reader:
            alive = [reference for reference in alive if reference() is not None]
            alive.append(weakref.ref(frame.image))
            most_alive = max(most_alive, len(alive))
            if frame.index == 200 and statm.exists():
                start_pages = int(statm.read_text().split()[1])
    assert frame.index == 1999
    assert most_alive <= 2
    if start_pages:
        grown = (int(statm.read_text().split()[1]) - start_pages) * os.sysconf("SC_PAGESIZE")
        assert grown < 12e6, "the 1800 frames would take 37 MB"


def test_reader_is_lazy_and_read_once(long_clip: Path) -> None:
    with ClipReader(long_clip) as reader:
        frames = iter(reader)
        assert next(frames).index == 0
        assert next(frames).index == 1
        with pytest.raises(RuntimeError, match="once"):
            iter(reader)
    reader.close()


# ---------------------------------------------------------------------------------------------- writing


def write_overlay(path: Path, times: list[float], image: ImageArray | None = None, fps: float = 30) -> None:
    image = corners(WIDTH, HEIGHT) if image is None else image
    height, width, _ = image.shape
    with OverlayWriter(path, width, height, fps) as writer:
        for time_s in times:
            writer.write(image, time_s)


def test_overlay_keeps_times_and_is_made_for_browsers(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    write_overlay(path, UNEVEN_S)
    frames, warnings = read(path)
    np.testing.assert_allclose([frame.time_s for frame in frames], UNEVEN_S, atol=1e-4)
    assert warnings == []
    assert probe(path).duration_s == pytest.approx(UNEVEN_S[-1] + 1 / 30, abs=2e-3)
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
    assert names(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("first_s", [0.0, 1.5])
def test_overlay_keeps_the_time_of_its_first_frame(tmp_path: Path, first_s: float) -> None:
    path = tmp_path / "late.mp4"
    write_overlay(path, [first_s, first_s + 0.1])
    with av.open(str(path)) as file:
        assert [frame.time for frame in file.decode(video=0)] == pytest.approx([first_s, first_s + 0.1], abs=1e-4)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 90, 60)])
@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (1280, 720)])
def test_overlay_colours_come_back(tmp_path: Path, colour: tuple[int, int, int], size: tuple[int, int]) -> None:
    path = tmp_path / "colour.mp4"
    image = np.full((size[1], size[0], 3), colour, dtype=np.uint8)
    write_overlay(path, [0.0, 0.1], image)
    frames, _ = read(path)
    assert np.abs(frames[0].image.astype(int) - colour).max() <= 6


@pytest.mark.parametrize("size", [(61, 48), (64, 47), (61, 47), (1, 1)])
def test_overlay_pads_an_odd_size_by_one(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "odd.mp4"
    image = np.full((size[1], size[0], 3), (200, 100, 50), dtype=np.uint8)
    write_overlay(path, [0.0, 0.1], image)
    info = probe(path)
    assert (info.width, info.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    frames, _ = read(path)
    assert np.abs(frames[0].image[-1, -1].astype(int) - (200, 100, 50)).max() <= 6


def _write_and_fail(path: Path, failure: type[BaseException]) -> None:
    before = len(names(path.parent))
    with OverlayWriter(path, WIDTH, HEIGHT, 30) as writer:
        writer.write(corners(WIDTH, HEIGHT), 0.0)
        assert len(names(path.parent)) == before + 1
        raise failure


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("older", [None, b"an older result"])
def test_overlay_interrupted_leaves_no_trace(tmp_path: Path, failure: type[BaseException], older: bytes | None) -> None:
    path = tmp_path / "out.mp4"
    if older:
        path.write_bytes(older)
    with pytest.raises(failure):
        _write_and_fail(path, failure)
    assert names(tmp_path) == (["out.mp4"] if older else [])
    if older:
        assert path.read_bytes() == older


def test_overlay_replaces_an_older_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"an older result")
    write_overlay(path, [0.0, 0.1])
    assert probe(path).frame_count_claimed == 2


def test_overlay_without_frames_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no frame to write"), OverlayWriter(tmp_path / "out.mp4", 64, 48, math.nan):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [("nowhere/out.mp4", "does not exist"), ("out.avi", "ends in .mp4"), ("taken.mp4", "this is a folder")],
)
def test_overlay_in_a_bad_place_is_one_clear_line(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(OutputError, match=says) as caught, OverlayWriter(tmp_path / name, 64, 48, 30):
        pass
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == ["taken.mp4"]


def test_overlay_in_a_read_only_folder_is_a_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # chmod does not stop the superuser, who may run the tests
    with pytest.raises(OutputError, match="no permission to write"), OverlayWriter(tmp_path / "out.mp4", 64, 48, 30):
        pass


_FILL = """
import resource, sys
import numpy as np
from formcheck.adapters.video_writer import OverlayWriter
from formcheck.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
rng = np.random.default_rng(0)
try:
    with OverlayWriter(sys.argv[1], 320, 240, 30) as writer:
        for index in range(int(sys.argv[3])):
            writer.write(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8), index / 30)
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX feature")
@pytest.mark.parametrize(("limit", "count"), [(200_000, 40), (20_000, 1)], ids=["while-writing", "at-the-end"])
def test_overlay_on_a_full_disk_is_a_clear_line(tmp_path: Path, limit: int, count: int) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"an older result")
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(path), str(limit), str(count)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.strip() == f"{path}: the disk is full; make room or choose another folder with --out"
    assert done.stderr == ""
    assert names(tmp_path) == ["out.mp4"]
    assert path.read_bytes() == b"an older result"


def test_overlay_refuses_wrong_images_and_times(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "out.mp4", WIDTH, HEIGHT, 30) as writer:
        writer.write(corners(WIDTH, HEIGHT), 0.5)
        with pytest.raises(ValueError, match="expected"):
            writer.write(corners(HEIGHT, WIDTH), 0.6)
        with pytest.raises(ValueError, match="uint8"):
            writer.write(corners(WIDTH, HEIGHT).astype(np.float32), 0.6)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="increase"):
            writer.write(corners(WIDTH, HEIGHT), 0.5)
    with pytest.raises(ValueError, match="at least 1"):
        OverlayWriter(tmp_path / "none.mp4", 0, 48, 30)
    assert probe(tmp_path / "out.mp4").frame_count_claimed == 1


def test_overlay_of_a_view_that_is_not_contiguous(tmp_path: Path) -> None:
    path = tmp_path / "view.mp4"
    write_overlay(path, [0.0, 0.1], corners(WIDTH, HEIGHT)[:, ::-1])
    frames, _ = read(path)
    assert quarters(frames[0].image) == ["green", "red", "white", "blue"]


def test_one_thread_gives_the_same_frames(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", lambda index: np.full((64, 96, 3), 20 * index, dtype=np.uint8), steady(8))
    with ClipReader(path) as usual, ClipReader(path, one_thread=True) as single:
        assert single._stream.codec_context.thread_count == 1
        for frame, other in zip(usual, single, strict=True):
            np.testing.assert_array_equal(frame.image, other.image)
