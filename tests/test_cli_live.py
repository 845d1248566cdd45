"""`formcheck live`: a clip as the camera, in lines where there is no display, and the report at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formcheck.adapters import voice as voice_module
from formcheck.adapters.camera import ClipCamera, DeviceCamera
from formcheck.adapters.voice import Voice
from formcheck.adapters.window import TITLE, Window, display_available
from formcheck.cli import main
from formcheck.errors import ClipError

SAMPLES = Path(__file__).parent.parent / "sample_videos"
ROUNDED = SAMPLES / "04-romanian-deadlift-rounded-lower-back.mp4"


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.model
def test_a_clip_plays_as_a_camera(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    began = time.monotonic()
    status = main(["live", "--camera", str(ROUNDED), "--exercise", "rdl", "--mute", "--out", str(tmp_path)])
    took_s = time.monotonic() - began
    printed, lines = capsys.readouterr()
    assert status == 1  # the rounded back is a fault
    assert took_s > 6.5  # in its own time
    assert "no display" in lines
    said = [line.split(" s  ")[1] for line in lines.splitlines() if " s  " in line]
    assert said[0] == "1"
    assert "Hips back, chest long." in said
    assert "2" in said
    assert "2 repetitions" in printed
    assert "rounded-lower-back" in printed
    report = json.loads((tmp_path / f"{ROUNDED.stem}.report.json").read_text())
    assert [rep["number"] for rep in report["reps"]] == [1, 2]
    assert (tmp_path / f"{ROUNDED.stem}.angles.csv").exists()


@pytest.mark.model
def test_ctrl_c_ends_it_with_the_report() -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "formcheck", "live", "--camera", str(ROUNDED), "--exercise", "rdl", "--mute"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert process.stderr is not None
    for line in process.stderr:
        if line.rstrip().endswith("s  1"):  # the first repetition is over
            process.send_signal(signal.SIGINT)
            break
    printed, lines = process.communicate(timeout=60)
    assert process.returncode == 0, lines
    assert "the set has ended" in lines
    assert "Traceback" not in lines
    assert "1 repetition," in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--camera", "nothing.mp4"), "nothing.mp4: no such file"),
        (("--exercise", "nonsense"), "there is no exercise 'nonsense'"),
        (("--camera", "977"), "camera 977: it cannot be opened"),
        (("--side", "up"), "there is no 'up'"),
        (("--config", "nothing.toml"), "nothing.toml"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_what_cannot_run_says_why_in_one_line(
    arguments: tuple[str, ...], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", *arguments]) == 2
    printed, lines = capfd.readouterr()
    assert printed == ""
    assert words in lines
    assert len(lines.strip().splitlines()) == 1


def test_a_window_is_opened_only_where_there_is_a_display() -> None:
    assert not display_available({}, "linux")
    assert display_available({"DISPLAY": ":0"}, "linux")
    assert display_available({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert display_available({}, "darwin")
    assert display_available({}, "win32")
    assert not display_available()


class FakeScreen:
    """OpenCV's window functions."""

    WINDOW_NORMAL = WINDOW_KEEPRATIO = WND_PROP_VISIBLE = COLOR_RGB2BGR = 0

    def __init__(self, key: int = -1, visible: float = 1.0) -> None:
        self.key, self.visible = key, visible
        self.shown: list[np.ndarray] = []
        self.open: list[str] = []

    def namedWindow(self, title: str, _: int) -> None:  # noqa: N802
        self.open.append(title)

    def imshow(self, _: str, image: np.ndarray) -> None:
        self.shown.append(image)

    def cvtColor(self, image: np.ndarray, _: int) -> np.ndarray:  # noqa: N802
        return image[..., ::-1]

    def waitKey(self, _: int) -> int:  # noqa: N802
        return self.key

    def getWindowProperty(self, *_: Any) -> float:  # noqa: N802
        return self.visible

    def destroyAllWindows(self) -> None:  # noqa: N802
        self.open.clear()


@pytest.mark.parametrize(
    ("key", "visible", "goes_on"),
    [
        (-1, 1.0, True),
        (ord("x"), 1.0, True),
        (27, 1.0, False),
        (ord("q"), 1.0, False),
        (32, 1.0, False),
        (-1, 0.0, False),
    ],
)
def test_a_key_or_closing_the_window_ends_it(
    key: int, visible: float, goes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = FakeScreen(key, visible)
    monkeypatch.setattr("formcheck.adapters.window.cv2", screen)
    red = np.zeros((4, 4, 3), dtype=np.uint8)
    red[..., 0] = 255
    with Window() as window:
        assert screen.open == [TITLE]
        assert window.show(red) is goes_on
    assert not screen.open
    assert screen.shown[0][0, 0].tolist() == [0, 0, 255]


def test_a_clip_comes_in_its_own_time() -> None:
    began = time.monotonic()
    with ClipCamera(SAMPLES / "longsit-good.mp4") as camera:
        late = []
        for frame in camera:
            late.append(time.monotonic() - began - frame.time_s)
            if frame.time_s > 0.6:
                break
    assert min(late) >= 0.0
    assert time.monotonic() - began >= 0.6


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(ClipError, match="camera 977: it cannot be opened"):
        DeviceCamera(977)


class FakeCapture:
    """A camera that gives two pictures and is then unplugged."""

    def __init__(self, _: int) -> None:
        self.left, self.freed = 2, False

    def isOpened(self) -> bool:  # noqa: N802
        return not self.freed

    def set(self, *_: Any) -> None: ...

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.full((2, 2, 3), (255, 0, 0), dtype=np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.freed = True


def test_a_camera_gives_rgb_with_its_own_times_and_says_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formcheck.adapters.camera.cv2.VideoCapture", FakeCapture)
    monkeypatch.setattr("formcheck.adapters.camera.time.sleep", lambda _: None)
    with DeviceCamera(0) as camera:
        coming = iter(camera)
        frames = [next(coming), next(coming)]
        with pytest.raises(ClipError, match="no picture any more"):
            next(coming)
    assert [frame.index for frame in frames] == [0, 1]
    assert frames[0].image[0, 0].tolist() == [0, 0, 255]
    assert 0.0 <= frames[0].time_s <= frames[1].time_s


def speaker(folder: Path, seconds: float) -> tuple[str, ...]:
    """A program that writes what it is to say into a file, and takes so long."""
    text = f"import sys, time; open({str(folder / 'said')!r}, 'a').write(sys.argv[-1] + '\\n'); time.sleep({seconds})"
    return (sys.executable, "-c", text, "--")


def heard(folder: Path, count: int) -> list[str]:
    until = time.monotonic() + 20.0
    while time.monotonic() < until:
        lines = (folder / "said").read_text().splitlines() if (folder / "said").exists() else []
        if len(lines) >= count:
            return lines
        time.sleep(0.02)
    return []


def test_the_voice_says_one_thing_at_a_time_and_urgent_ones_at_once(tmp_path: Path) -> None:
    with Voice(speaker(tmp_path, 60.0)) as voice:
        voice.say("--one; $(two)")
        assert heard(tmp_path, 1) == ["--one; $(two)"]  # an argument, whatever is in it
        voice.say("left out")
        voice.say("urgent", urgent=True)
        assert heard(tmp_path, 2) == ["--one; $(two)", "urgent"]
        assert voice._speaking is not None
        last = voice._speaking
    assert last.poll() is not None


def test_without_a_program_that_speaks_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_module.shutil, "which", lambda _: None)
    with Voice.find() as voice:
        assert voice.silent
        voice.say("nothing")
    monkeypatch.setattr(voice_module.shutil, "which", lambda name: name if name == "espeak-ng" else None)
    monkeypatch.setattr(voice_module.sys, "platform", "linux")
    assert not Voice.find().silent
