"""What people hand to formcheck by mistake, through the real command line: one clear line, and nothing half done.

Everything here is real, the pose model included; `test_cli.py` has the same for arguments, with the pipeline replaced.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from clip_factory import corners, cut, noise, steady, write_clip, write_sound
from PIL import Image

from formcheck.adapters.video import ClipReader
from formcheck.cli import main
from formcheck.types import ImageArray

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_videos"
NOBODY = 65534  # the user id that owns nothing


class Result(NamedTuple):
    status: int
    out: str
    err: str


Check = Callable[..., Result]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """Run `formcheck check`; what C libraries write to the file descriptors counts too."""
    for name in ("https_proxy", "no_proxy", "NO_PROXY"):  # the command sets or removes these: put them back afterwards
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("FORMCHECK_DEBUG", raising=False)

    def run(*arguments: Any, exercise: str = "romanian-deadlift") -> Result:
        status = main(["check", *map(str, arguments), "--exercise", exercise])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err
        assert "internal error" not in captured.err
        return Result(status, captured.out, captured.err)

    return run


def blocks(index: int) -> ImageArray:
    """Coloured blocks that move: a clip with nobody in it."""
    return np.roll(corners(160, 120), 4 * index, axis=1)


@pytest.fixture
def no_one(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "no-one.mp4", blocks, steady(10))


def one_error(result: Result, *parts: object) -> None:
    """Exit status 2, and one line on standard error that names each of `parts`."""
    assert result.status == 2
    assert result.err.startswith("formcheck: error: ")
    assert result.err.count("\n") == 1, result.err
    for part in parts:
        assert str(part) in result.err


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def make_missing(path: Path) -> None:
    del path


def make_text(path: Path) -> None:
    path.write_text("This is no video, whatever its name says.\n" * 50)


def make_cut_before_its_index(path: Path) -> None:
    cut(write_clip(path, lambda index: noise(160, 120, index), steady(30)), 0.6)


def make_picture(path: Path) -> None:
    whole = path.with_suffix(".png")
    Image.fromarray(corners(64, 48)).save(whole)
    whole.rename(path)


BAD_CLIPS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (make_missing, "no such file; check the name"),
    "folder": (Path.mkdir, "this is a folder; give the video files inside it"),
    "empty": (Path.touch, "the file is empty; copy it again"),
    "text": (make_text, "not a video"),
    "cut before its index": (make_cut_before_its_index, "its index (moov) is missing; copy or record it again"),
    "sound only": (write_sound, "holds sound only; give an mp4"),
    "picture": (make_picture, "this is a still image; a movement needs a video"),
}


@pytest.mark.parametrize("kind", BAD_CLIPS)
def test_a_bad_clip_is_one_line_and_leaves_no_file(check: Check, tmp_path: Path, kind: str) -> None:
    make, reason = BAD_CLIPS[kind]
    clip, folder = tmp_path / "my clip.mp4", tmp_path / "out"
    make(clip)
    result = check(clip, "--out", folder, "--video")
    one_error(result, f"{clip}: ", reason)
    assert result.out == ""
    assert files(folder) == []


@pytest.mark.parametrize("name", ["picture.png", "picture.jpg", "picture.gif"])
def test_a_picture_is_no_clip(check: Check, tmp_path: Path, name: str) -> None:
    Image.fromarray(corners(64, 48)).save(tmp_path / name)
    one_error(check(tmp_path / name), tmp_path / name, "this is a still image")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def as_nobody(check: Check, open_folder: Path) -> Iterator[Check]:
    """`check` as a user without rights, because root may read and write everything."""
    check(open_folder / "first")  # what is imported when it is needed comes before the rights go
    user = os.geteuid()

    def run(*arguments: Any) -> Result:
        if user == 0:
            os.seteuid(NOBODY)
        try:
            return check(*arguments)
        finally:
            os.seteuid(user)

    yield run
    os.seteuid(user)


def test_a_clip_without_the_right_to_read_it(as_nobody: Check, open_folder: Path) -> None:
    clip = write_clip(open_folder / "private.mp4", blocks, steady(3))
    clip.chmod(0)
    one_error(as_nobody(clip), f"{clip}: no permission to read it")


def test_a_folder_without_the_right_to_write_into_it(as_nobody: Check, open_folder: Path) -> None:
    clip = write_clip(open_folder / "clip.mp4", blocks, steady(3))
    folder = open_folder / "read-only"
    folder.mkdir(mode=0o555)
    for target in (folder, folder / "new"):
        one_error(as_nobody(clip, "--out", target), f"{target}: cannot write into this folder: Permission denied")
    assert files(folder) == []


def test_out_that_is_a_file_or_inside_one(check: Check, no_one: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for target in (tmp_path / "file", tmp_path / "file" / "new"):
        result = check(no_one, "--out", target)
        one_error(result, f"{target}: cannot write into this folder: it is not a folder; choose another one")
        assert result.out == ""
    assert (tmp_path / "file").read_text() == "mine"


def make_empty_model(folder: Path) -> Path:
    path = folder / "empty.task"
    path.touch()
    return path


def make_text_model(folder: Path) -> Path:
    path = folder / "text.task"
    path.write_text("no model\n" * 100)
    return path


def make_cut_model(folder: Path) -> Path:
    path = folder / "cut.task"
    path.write_bytes((ROOT / "models" / "pose_landmarker_full.task").read_bytes()[:1_000_000])
    return path


@pytest.mark.model
@pytest.mark.parametrize("make", [make_empty_model, make_text_model, make_cut_model])
def test_a_damaged_model_is_one_line(check: Check, no_one: Path, tmp_path: Path, make: Callable[[Path], Path]) -> None:
    model, folder = make(tmp_path), tmp_path / "out"
    other = shutil.copy(no_one, tmp_path / "other.mp4")
    one_error(check(no_one, other, "--model", model, "--out", folder), f"{model}: the pose model", "`formcheck models`")
    assert files(folder) == []


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("/nowhere/model.task", "/nowhere/model.task: no such pose model; give the path of a .task file or one of"),
        (".", ".: no such pose model"),
        ("medium", "medium: no such pose model; give the path of a .task file or one of lite, full, heavy"),
    ],
)
def test_a_model_that_is_not_there(check: Check, no_one: Path, model: str, reason: str) -> None:
    one_error(check(no_one, "--model", model), reason)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--exercise", "squat"], "there is no exercise 'squat'"),
        (["--exercise", ""], "there is no exercise ''"),
        (["--select", "bent-knees"], "bent-knees"),
        (["--ignore", "locked-kneees"], "did you mean 'locked-knees'"),
        (["--format", "xml"], "text, json, csv"),
        (["--side", "both"], "auto, left, right"),
        (["--fail-on", "never-ever"], "did you mean 'never'"),
        (["--out"], "--out"),
        (["--jobs", "2"], "'--jobs'"),
    ],
)
def test_an_argument_that_is_not_known(check: Check, no_one: Path, arguments: list[str], reason: str) -> None:
    # The exercise that `check` adds at the end would win over one given before, so these go through `main` alone.
    result = check("--exercise", "rdl", no_one, *arguments) if "--exercise" not in arguments else None
    if result is None:
        result = check(no_one, exercise=arguments[1])
    one_error(result, reason)
    assert result.out == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[rules.locked-knees]\ncation = 2.0", "'cation'"),
        ("ignor = ['locked-knees']", "'ignor'"),
        ("[rules.locked-kness]\ncaution = 2.0", "'locked-knees'"),
        ("[rules.locked-knees]\ncaution = 'two'", "caution"),
        ("[rules.locked-knees\ncaution = 2.0", "line 1"),
        ("\x00", ""),
        ("[exercises.squat.rules.locked-knees]\ncaution = 2.0", "squat"),
    ],
)
def test_a_mistake_in_the_settings(check: Check, no_one: Path, tmp_path: Path, text: str, reason: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(text)
    result = check(no_one, "--config", settings)
    one_error(result, f"{settings}: ", reason)
    assert result.out == ""


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"\xff\xfe\x00"), make_missing])
def test_settings_that_cannot_be_read(
    check: Check, no_one: Path, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "settings.toml")
    one_error(check(no_one, "--config", tmp_path / "settings.toml"), f"{tmp_path / 'settings.toml'}: ")


@pytest.mark.model
def test_a_clip_with_nobody_in_it_is_not_judged(check: Check, no_one: Path, tmp_path: Path) -> None:
    result = check(no_one, "--out", tmp_path / "out", "--video")
    assert result.status == 0
    assert "nothing could be judged" in result.out
    assert "nobody was found in the clip; film the whole body" in result.out
    assert files(tmp_path / "out") == ["no-one.angles.csv", "no-one.overlay.mp4", "no-one.report.json"]
    report = json.loads((tmp_path / "out" / "no-one.report.json").read_text())
    assert report["clip"]["pose_fraction"] == 0
    assert report["reps"] == []
    assert report["outcomes"]
    assert {outcome["status"] for outcome in report["outcomes"]} == {"not_judged"}
    assert all(outcome["reason"] for outcome in report["outcomes"])


@pytest.mark.model
def test_a_process_of_its_own_ends_as_quietly(no_one: Path, tmp_path: Path) -> None:
    # What the pose library's threads write while Python ends is seen only from outside.
    make_text(tmp_path / "bad.mp4")
    command = [sys.executable, "-m", "formcheck", "check", str(tmp_path / "bad.mp4"), str(no_one), "--exercise", "rdl"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    one_error(Result(result.returncode, result.stdout, result.stderr), f"{tmp_path / 'bad.mp4'}: not a video")
    assert f"{no_one}: nothing could be judged" in result.stdout


@pytest.mark.model
def test_one_frame_is_enough_to_say_that_nothing_can_be_judged(check: Check, tmp_path: Path) -> None:
    result = check(write_clip(tmp_path / "one.mp4", blocks, [0.0]))
    assert (result.status, result.err) == (0, "")
    assert "nothing could be judged" in result.out


@pytest.mark.model
def test_a_clip_cut_in_the_middle_is_judged_as_far_as_it_goes(check: Check, tmp_path: Path) -> None:
    faststart = {"movflags": "+faststart"}
    whole = write_clip(
        tmp_path / "cut.mp4", lambda index: noise(160, 120, index), steady(30), container_options=faststart
    )
    result = check(cut(whole, 0.6))
    assert (result.status, result.err) == (0, "")
    assert "the clip ends early at 0." in result.out


def crop(source: Path, target: Path, box: tuple[int, int, int, int], every: int) -> Path:
    """Write every so many frames of a clip again, only (left, top, right, bottom) of the picture."""
    left, top, right, bottom = box
    images, times = [], []
    with ClipReader(source) as reader:
        for frame in reader:
            if frame.index % every == 0:
                images.append(np.ascontiguousarray(frame.image[top:bottom, left:right]))
                times.append(frame.time_s)
    return write_clip(target, images.__getitem__, times)


CUT_OFF = {  # clip, the part of its picture that leaves the foot out, the rule that needs the foot
    "seated-hamstring-stretch": (
        "06-seated-hamstring-stretch-excessive-dorsiflexion",
        (310, 0, 960, 540),
        "excessive-dorsiflexion",
    ),
    "prone-leg-curl": ("02-prone-leg-curl-missing-plantarflexion", (0, 0, 720, 540), "missing-plantarflexion"),
}


@pytest.mark.model
@pytest.mark.parametrize("exercise", CUT_OFF)
def test_a_foot_outside_the_picture_is_said_not_judged(check: Check, tmp_path: Path, exercise: str) -> None:
    name, box, rule = CUT_OFF[exercise]
    clip = crop(SAMPLES / f"{name}.mp4", tmp_path / "cropped.mp4", box, every=2)
    result = check(clip, "--format", "json", "--select", rule, exercise=exercise)
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert report["clip"]["pose_fraction"] > 0.9
    assert report["reps"]
    assert len(report["outcomes"]) == len(report["reps"])
    for outcome in report["outcomes"]:
        assert (outcome["status"], outcome["measured"]) == ("not_judged", None)
        assert "foot" in outcome["reason"]
        assert "picture" in outcome["reason"]


@pytest.mark.model
def test_one_bad_clip_between_two_good_ones(check: Check, no_one: Path, tmp_path: Path) -> None:
    bad, last, folder = tmp_path / "bad.mp4", tmp_path / "last.mp4", tmp_path / "out"
    make_text(bad)
    shutil.copy(no_one, last)
    result = check(no_one, bad, last, "--out", folder, "--quiet")
    one_error(result, f"{bad}: not a video")
    assert files(folder) == [
        "last.angles.csv",
        "last.report.json",
        "no-one.angles.csv",
        "no-one.report.json",
    ]
    assert [line.partition(": ")[0] for line in result.out.splitlines()] == [str(no_one), str(last)]
