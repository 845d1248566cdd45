"""The mediapipe edge: coordinates, bad frames, clocks, closing, noise, and errors that say what to do."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from formcheck.adapters import landmarkers, models
from formcheck.adapters import mediapipe as edge
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.errors import ModelError
from formcheck.types import Frame

ROOT = Path(__file__).parents[1]
FRAMES = 4
BLACK = np.zeros((64, 64, 3), dtype=np.uint8)
WITH_MODEL = (
    "import numpy as np\nfrom formcheck.adapters.mediapipe import MediaPipeBackend\nfrom formcheck.types import Frame\n"
)

model = pytest.mark.model


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """The first frames of a sample clip."""
    clip = min((ROOT / "sample_videos").glob("*.mp4"))
    with av.open(str(clip)) as container:
        decoded = [frame for frame, _ in zip(container.decode(video=0), range(FRAMES), strict=False)]
    return [Frame(i, float(frame.time), frame.to_ndarray(format="rgb24")) for i, frame in enumerate(decoded)]


@pytest.fixture
def backend() -> Iterator[MediaPipeBackend]:
    with MediaPipeBackend.open() as opened:
        yield opened


def run(script: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script in a Python process of its own; a hang is a failure."""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done


def still(frame: Frame, index: int, time_s: float) -> Frame:
    return Frame(index, time_s, frame.image)


# --- what costs nothing


def test_importing_the_module_does_not_import_mediapipe() -> None:
    run("import sys, formcheck.adapters.mediapipe\nassert not {'mediapipe', 'cv2'} & set(sys.modules)")


def test_the_constructor_loads_nothing() -> None:
    closed = MediaPipeBackend(models.ModelFile(Path("nowhere.task"), "full", "0" * 64))
    with pytest.raises(ModelError, match="closed"):
        closed.detect(Frame(0, 0.0, BLACK))
    closed.close()


# --- coordinates


@model
def test_the_same_landmarks_as_the_bare_library(backend: MediaPipeBackend, frames: list[Frame]) -> None:
    import mediapipe as mp
    from mediapipe.tasks.python import vision

    base = edge._PrivateOptions(mp.tasks.BaseOptions(model_asset_path=str(models.locate().path)))
    options = vision.PoseLandmarkerOptions(base_options=base, running_mode=vision.RunningMode.VIDEO)
    with vision.PoseLandmarker.create_from_options(options) as bare:
        for frame in frames:
            image = mp.Image(mp.ImageFormat.SRGB, frame.image)
            expected = bare.detect_for_video(image, edge.START_MS + round(frame.time_s * 1000 * edge.TIME_STRETCH))
            pose = backend.detect(frame)
            height, width = frame.image.shape[:2]
            assert pose.found
            assert (pose.index, pose.time_s, pose.size_px) == (frame.index, frame.time_s, (width, height))
            for i, (point, world) in enumerate(
                zip(expected.pose_landmarks[0], expected.pose_world_landmarks[0], strict=True)
            ):
                assert pose.image_px[i] == pytest.approx((point.x * width, point.y * height), abs=1e-9)
                assert pose.world_m[i] == pytest.approx((world.x, world.y, world.z), abs=1e-9)
                assert pose.visibility[i] == pytest.approx(point.visibility, abs=1e-9)
            assert pose.image_px.dtype == pose.world_m.dtype == pose.visibility.dtype == np.float64
            assert pose.mask is None


@model
def test_views_are_read_as_they_look(frames: list[Frame]) -> None:
    mirrored = frames[0].image[:, ::-1]
    assert not mirrored.flags.c_contiguous
    poses = []
    for image in (mirrored, np.ascontiguousarray(mirrored)):
        with MediaPipeBackend.open() as backend:
            poses.append(backend.detect(Frame(0, 0.0, image)))
    assert poses[0].found
    np.testing.assert_array_equal(poses[0].image_px, poses[1].image_px)


@model
def test_masks_are_copies_that_outlive_the_backend(frames: list[Frame]) -> None:
    with MediaPipeBackend.open(masks=True) as backend:
        pose = backend.detect(frames[0])
        assert pose.mask is not None
        before = pose.mask.copy()
        backend.detect(Frame(1, 1.0, BLACK))
    gc.collect()
    mask = pose.mask
    assert (mask.shape, mask.dtype, mask.flags.owndata) == (frames[0].image.shape[:2], np.float32, True)
    np.testing.assert_array_equal(mask, before)
    x, y = pose.image_px[[11, 12, 23, 24]].mean(axis=0).astype(int)  # the middle of the trunk
    assert mask[y, x] > 0.9
    assert mask[:5, :5].max() < 0.1


@model
def test_info(backend: MediaPipeBackend) -> None:
    import mediapipe

    assert backend.info.library_version == mediapipe.__version__
    assert (backend.info.model, backend.info.model_sha256) == ("full", models.BUNDLED_SHA256)


# --- frames and clocks


@model
def test_nobody_there(backend: MediaPipeBackend) -> None:
    pose = backend.detect(Frame(7, 0.5, np.zeros((48, 64, 3), dtype=np.uint8)))
    assert not pose.found
    assert (pose.index, pose.time_s, pose.size_px) == (7, 0.5, (64, 48))


@model
@pytest.mark.parametrize(
    ("image", "size"),
    [
        (np.zeros((48, 64), dtype=np.uint8), (64, 48)),
        (np.zeros((48, 64, 4), dtype=np.uint8), (64, 48)),
        (np.zeros((48, 64, 3), dtype=np.float64), (64, 48)),
        (np.zeros((0, 64, 3), dtype=np.uint8), (64, 0)),
        (np.zeros(0, dtype=np.uint8), (0, 0)),
        (None, (0, 0)),
    ],
    ids=["grey", "four channels", "float", "no rows", "one axis", "none"],
)
def test_a_bad_frame_is_a_missing_pose(
    backend: MediaPipeBackend, frames: list[Frame], image: Any, size: tuple[int, int]
) -> None:
    landmarker = backend._landmarker()
    assert backend.detect(frames[0]).found
    bad = backend.detect(Frame(1, frames[1].time_s, image))
    assert (bad.found, bad.index, bad.time_s, bad.size_px) == (False, 1, frames[1].time_s, size)
    assert backend.detect(frames[2]).found
    assert backend._landmarker() is landmarker  # the graph did not have to be made again


@model
@pytest.mark.parametrize(
    "times",
    [(0.0, 0.0, 0.0), (0.0, 0.0001, 0.0004), (5.0, 1.0, 1.01), (0.0, float("nan"), float("inf")), (-1.0, -0.5, 0.0)],
    ids=["standing", "within a millisecond", "stepping back", "no time", "before zero"],
)
def test_any_clock_will_do(backend: MediaPipeBackend, frames: list[Frame], times: tuple[float, ...]) -> None:
    stamps = []
    for index, time_s in enumerate(times):
        pose = backend.detect(still(frames[0], index, time_s))
        stamps.append(backend._landmarker().last_ms)
        assert pose.found
        assert pose.time_s == pytest.approx(time_s, nan_ok=True)
    assert all(later > earlier for earlier, later in itertools.pairwise(stamps))


@model
def test_stretched_media_time_reaches_the_library(backend: MediaPipeBackend, frames: list[Frame]) -> None:
    for index, (time_s, stamp) in enumerate([(0.0334, 2002), (0.1, 4000), (0.1003, 5000), (2.0, 61_000)]):
        backend.detect(still(frames[0], index, time_s))
        last_ms = backend._landmarker().last_ms
        assert (last_ms, type(last_ms)) == (stamp, int)


@model
def test_frames_of_another_size(backend: MediaPipeBackend, frames: list[Frame]) -> None:
    half = np.ascontiguousarray(frames[0].image[::2, ::2])
    pose = backend.detect(frames[0])
    smaller = backend.detect(Frame(1, 1.0, half))
    assert smaller.size_px == (half.shape[1], half.shape[0])
    np.testing.assert_allclose(smaller.image_px[[23, 24]], pose.image_px[[23, 24]] / 2, atol=6)


# --- graphs that die


def kill(backend: MediaPipeBackend) -> None:
    """Kill the graph the way a grey image does."""
    import mediapipe as mp

    grey = mp.Image(mp.ImageFormat.GRAY8, np.zeros((64, 64), dtype=np.uint8))
    opened = backend._landmarker()
    opened.last_ms += 1
    with pytest.raises(ValueError, match="failed"):
        opened.landmarker.detect_for_video(grey, opened.last_ms)


@model
def test_a_dead_graph_is_made_again(backend: MediaPipeBackend, frames: list[Frame]) -> None:
    for round_s in (0.0, 10.0):  # it may happen again, as long as frames work in between
        kill(backend)
        dead = backend.detect(still(frames[0], 0, round_s))
        assert not dead.found
        assert dead.size_px == (frames[0].image.shape[1], frames[0].image.shape[0])
        assert backend.detect(still(frames[0], 1, round_s + 0.1)).found


@model
def test_twice_in_a_row_is_an_error(backend: MediaPipeBackend, frames: list[Frame]) -> None:
    kill(backend)
    backend.detect(frames[0])
    kill(backend)
    with pytest.raises(ModelError, match="failed twice in a row") as caught:
        backend.detect(frames[1])
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="closed"):
        backend.detect(frames[2])


# --- closing


@model
def test_closing_twice_and_using_it_after() -> None:
    backend = MediaPipeBackend.open()
    key = backend._key
    assert key in landmarkers._opened
    backend.close()
    backend.close()
    assert key not in landmarkers._opened
    with pytest.raises(ModelError, match="closed; open a new one"):
        backend.detect(Frame(0, 0.0, BLACK))


@model
def test_a_backend_is_freed_by_its_last_reference_and_closed_by_the_next() -> None:
    backend = MediaPipeBackend.open()
    key = backend._key
    gc.disable()  # so that only the reference count can free it
    try:
        with pytest.warns(ResourceWarning, match="not closed"):
            del backend
    finally:
        gc.enable()
    assert landmarkers._abandoned == [key]
    MediaPipeBackend.open().close()
    assert landmarkers._abandoned == []
    assert key not in landmarkers._opened


@model
@pytest.mark.parametrize(
    "collect",
    [
        "gc.collect()",
        # in the thread that the landmarker's own close() would wait for: this is what hangs a bare landmarker
        "executor.submit(gc.collect).result()",
        "pass",
    ],
    ids=["collected", "collected in its own thread", "left until exit"],
)
def test_a_backend_in_a_reference_cycle_does_not_hang(collect: str) -> None:
    run(
        WITH_MODEL
        + f"""
import gc
gc.disable()
class Cycle: pass
cycle = Cycle()
cycle.me, cycle.backend = cycle, MediaPipeBackend.open()
cycle.backend.detect(Frame(0, 0.0, np.zeros((64, 64, 3), dtype=np.uint8)))
executor = cycle.backend._landmarker().landmarker._lib._executor
del cycle
{collect}
"""
    )


@model
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_told_and_ends() -> None:
    run(
        WITH_MODEL
        + """
import os
from formcheck.errors import ModelError
black = Frame(0, 0.0, np.zeros((64, 64, 3), dtype=np.uint8))
backend = MediaPipeBackend.open()
backend.detect(black)
child = os.fork()
if child == 0:
    try:
        backend.detect(black)
    except ModelError as error:
        assert "another process" in str(error)
        backend.close()
        raise SystemExit(0)
    raise SystemExit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
backend.close()
"""
    )


# --- stderr


@model
def test_a_whole_session_is_silent(frames: list[Frame], tmp_path: Path) -> None:
    np.save(tmp_path / "frame.npy", frames[0].image)
    done = run(
        WITH_MODEL
        + f"""
person = np.load({str(tmp_path / "frame.npy")!r})
for _ in range(2):
    with MediaPipeBackend.open(masks=True) as backend:
        nobody = np.zeros_like(person)
        found = [backend.detect(Frame(i, i / 30, image)).found for i, image in enumerate([nobody, nobody, person] * 2)]
        assert found[2] and not found[0]
"""
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_only_the_librarys_lines_are_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    def noisy() -> None:
        with edge._quiet_stderr():
            os.write(2, b"W0000 00:00:1.2 17 feedback_manager.cc:121] noise\nINFO: Created TensorFlow Lite delegate\n")
            sys.stderr.write("a thread's own error\n")
            raise KeyError("passes through")

    sys.stderr.write("before\n")
    with pytest.raises(KeyError, match="passes through"):
        noisy()
    sys.stderr.write("after\n")
    assert capfd.readouterr().err == "before\na thread's own error\nafter\n"


def test_quiet_without_a_stderr() -> None:
    run("import os, formcheck.adapters.mediapipe as edge\nos.close(2)\nwith edge._quiet_stderr(): pass")


# --- errors that say what to do


def one_line(caught: pytest.ExceptionInfo[ModelError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    return text


@model
def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.task"
    wrong.write_bytes(b"not a model" * 100)
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        MediaPipeBackend.open(wrong)
    assert str(wrong) in one_line(caught)


def test_a_missing_model() -> None:
    with pytest.raises(ModelError, match=r"nowhere\.task: no such pose model"):
        MediaPipeBackend.open("nowhere.task")


def test_a_missing_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe.tasks.python.core", None)
    with pytest.raises(ModelError, match="pip install mediapipe") as caught:
        MediaPipeBackend.open()
    one_line(caught)


@model
@pytest.mark.parametrize("kind", [OSError, ImportError])
@pytest.mark.parametrize("library", ["libEGL.so.1", "libGLESv2.so.2", "libGL.so.1"])
def test_a_missing_system_library(monkeypatch: pytest.MonkeyPatch, kind: type[Exception], library: str) -> None:
    from mediapipe.tasks.python.vision import PoseLandmarker

    def fail(_: object) -> None:
        raise kind(f"{library}: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(PoseLandmarker, "create_from_options", fail)
    with pytest.raises(ModelError, match=rf"{library}; run: apt-get install libegl1 libgles2 libgl1") as caught:
        MediaPipeBackend.open()
    one_line(caught)


# --- usage records: without the hook there is no backend


@model
def test_a_library_without_the_hook_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from mediapipe.tasks.python.core.base_options import BaseOptions

    monkeypatch.delattr(BaseOptions, "to_ctypes")
    with pytest.raises(ModelError, match="usage records") as caught:
        MediaPipeBackend.open()
    one_line(caught)


@model
def test_options_without_the_field_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from mediapipe.tasks.python.core.base_options import BaseOptions

    class Loose(SimpleNamespace):  # takes any attribute, as a ctypes structure does
        _fields_ = (("model_asset_path", None),)

    monkeypatch.setattr(BaseOptions, "to_ctypes", lambda _: Loose())
    with pytest.raises(ModelError, match="usage records"):
        MediaPipeBackend.open()


@model
def test_a_library_that_reads_its_options_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from mediapipe.tasks.python.vision import PoseLandmarker

    closed: list[str | None] = []
    landmarker = SimpleNamespace(close=lambda: closed.append(os.environ.get("https_proxy")))
    monkeypatch.setattr(PoseLandmarker, "create_from_options", lambda _: landmarker)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")  # put back after the test
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(ModelError, match="usage records"):
        MediaPipeBackend.open()
    assert closed == ["http://127.0.0.1:9"]  # closed, but with no way out for its record
    assert "no_proxy" not in os.environ
