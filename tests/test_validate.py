"""`validate`: clips with known angles, with a pose source that needs no model."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from clip_factory import corners, steady, write_clip

import formcheck.validate
from formcheck import accuracy
from formcheck.adapters.pose import BackendInfo
from formcheck.cli import main
from formcheck.errors import ClipError, ModelError, OutputError
from formcheck.types import LANDMARK_COUNT, Frame, Pose
from formcheck.validate import validate

ROOT = Path(__file__).resolve().parent.parent
TRUTH = ROOT / "sample_videos" / "03-romanian-deadlift-good"


class NobodyThere:
    """A pose source that finds nobody, and counts how often it was opened."""

    opened = 0
    error: Exception | None = None
    info = BackendInfo("1.2.2", "full", "0" * 64)

    @classmethod
    def open(cls, model: object = None) -> Self:
        del model
        if cls.error is not None:
            raise cls.error
        cls.opened += 1
        return cls()

    def detect(self, frame: Frame) -> Pose:
        return Pose.missing(frame.index, frame.time_s, (frame.image.shape[1], frame.image.shape[0]))

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SomebodyThere(NobodyThere):
    """A pose source that finds a body, though no natural one, in every frame."""

    def detect(self, frame: Frame) -> Pose:
        height, width = frame.image.shape[:2]
        points = np.random.default_rng(0).uniform(0, 1, (LANDMARK_COUNT, 3))
        return Pose(
            index=frame.index,
            time_s=frame.time_s,
            size_px=(width, height),
            image_px=points[:, :2] * (width, height),
            world_m=points - 0.5,
            visibility=np.ones(LANDMARK_COUNT),
        )


def truth_clip(folder: Path, name: str) -> Path:
    """A clip of five small frames with the truth of a sample clip beside it."""
    for suffix in (".json", ".truth.csv"):
        shutil.copy(TRUTH.with_name(TRUTH.name + suffix), folder / f"{name}{suffix}")
    return write_clip(folder / f"{name}.mp4", lambda _: corners(64, 48), steady(5))


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> type[NobodyThere]:
    class Backend(NobodyThere):
        pass

    monkeypatch.setattr(formcheck.validate, "MediaPipeBackend", Backend)
    return Backend


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    truth_clip(folder, "a")
    truth_clip(folder, "b")
    # Of another length, or both would be one clip to the cache, which goes by content.
    write_clip(folder / "b.mp4", lambda _: corners(64, 48), steady(7))
    return folder


def test_poses_are_estimated_once_and_kept(backend: type[NobodyThere], clips: Path, tmp_path: Path) -> None:
    cache = tmp_path / "new" / "cache"
    first = validate(clips, cache=cache)
    assert [clip.truth.path.name for clip in first.clips] == ["a.mp4", "b.mp4"]
    assert (backend.opened, len(list(cache.iterdir()))) == (2, 2)
    assert validate(clips, cache=cache).as_json() == first.as_json()
    assert backend.opened == 2
    validate(clips)
    assert backend.opened == 4


def test_a_damaged_file_in_the_cache_is_replaced(backend: type[NobodyThere], clips: Path, tmp_path: Path) -> None:
    whole = validate(clips, cache=tmp_path / "cache")
    damaged = sorted((tmp_path / "cache").iterdir())[0]
    damaged.write_bytes(b"PK")
    assert validate(clips, cache=tmp_path / "cache").as_json() == whole.as_json()
    assert backend.opened == 3
    assert damaged.stat().st_size > 100


def test_a_clip_that_cannot_be_read_is_left_out_and_named(backend: type[NobodyThere], clips: Path) -> None:
    (clips / "a.mp4").write_bytes(b"")
    result = validate(clips)
    assert [clip.truth.path.name for clip in result.clips] == ["b.mp4"]
    ((name, reason),) = result.left_out
    assert name == "a.mp4"
    assert "empty" in reason
    assert "empty" in result.as_text()
    (clips / "b.mp4").write_bytes(b"")
    with pytest.raises(ClipError, match=r"none of its 2 clips could be compared; the first: a.mp4: .* empty"):
        validate(clips)


@pytest.mark.parametrize("error", [ModelError("the model is damaged"), OutputError("the disk is full")])
def test_what_would_stop_every_clip_stops_at_once(backend: type[NobodyThere], clips: Path, error: Exception) -> None:
    backend.error = error
    with pytest.raises(type(error), match=str(error)):
        validate(clips)


def test_progress_goes_on_within_a_clip(backend: type[NobodyThere], clips: Path) -> None:
    seen: list[tuple[float, int]] = []
    validate(clips, on_progress=lambda done, total: seen.append((done, total)))
    done = [at for at, _ in seen]
    assert {total for _, total in seen} == {2}
    assert done == sorted(done)
    assert done[0] == 0
    assert 1 in done
    assert max(at for at in done if at < 1) > 0.5
    assert max(done) <= 2


class TestCommand:
    @pytest.fixture
    def run(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> Callable[..., tuple[int, str, str]]:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
        # It would change the environment of the whole test process.
        monkeypatch.setattr("formcheck.adapters.process.prepare_process", lambda: None)
        # The table that belongs to the package stays as it is.
        monkeypatch.setattr(accuracy, "__file__", str(tmp_path / "accuracy.py"))

        def call(*arguments: Any) -> tuple[int, str, str]:
            status = main(["validate", *map(str, arguments)])
            captured = capsys.readouterr()
            return status, captured.out, captured.err

        return call

    def test_poses_are_kept_unless_told_otherwise(
        self, run: Callable[..., tuple[int, str, str]], backend: type[NobodyThere], clips: Path, tmp_path: Path
    ) -> None:
        status, out, err = run(clips, "--no-cache")
        assert (status, err) == (0, "")
        assert "romanian-deadlift" in out
        assert not (tmp_path / "home").exists()
        run(clips)
        run(clips)
        assert backend.opened == 4
        assert len(list((tmp_path / "home" / "formcheck" / "poses").iterdir())) == 2

    def test_a_cache_that_cannot_be_written_is_one_line(
        self, run: Callable[..., tuple[int, str, str]], backend: type[NobodyThere], clips: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "home").touch()
        status, out, err = run(clips)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert "add --no-cache" in err
        assert backend.opened == 0

    def test_write_replaces_the_error_table(
        self,
        run: Callable[..., tuple[int, str, str]],
        monkeypatch: pytest.MonkeyPatch,
        clips: Path,
        tmp_path: Path,
    ) -> None:
        table = tmp_path / accuracy.TABLE_FILE
        monkeypatch.setattr(formcheck.validate, "MediaPipeBackend", SomebodyThere)
        status, _, err = run(clips, "--write")
        assert (status, err) == (0, f"formcheck: wrote {table}\n")
        written = json.loads(table.read_text())
        assert written["schema"] == accuracy.SCHEMA
        assert {"knee_flexion_deg", "hip_flexion_deg"} <= {row["metric"] for row in written["rows"]}

    def test_an_empty_error_table_is_not_written(
        self, run: Callable[..., tuple[int, str, str]], backend: type[NobodyThere], clips: Path, tmp_path: Path
    ) -> None:
        (tmp_path / accuracy.TABLE_FILE).write_text("the old one")
        status, _, err = run(clips, "--write")
        assert (status, err.count("\n")) == (2, 1)
        assert "no angle was measured" in err
        assert (tmp_path / accuracy.TABLE_FILE).read_text() == "the old one"

    def test_write_is_for_the_whole_table(
        self, run: Callable[..., tuple[int, str, str]], backend: type[NobodyThere], clips: Path, tmp_path: Path
    ) -> None:
        status, _, err = run(clips, "--write", "--exercise", "rdl")
        assert status == 2
        assert "leave --exercise out" in err
        assert not (tmp_path / accuracy.TABLE_FILE).exists()

    def test_ctrl_c_between_two_frames_ends_with_130(self, clips: Path, tmp_path: Path) -> None:
        code = (
            "import sys, time\n"
            f"sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
            "import formcheck.validate\n"
            "from test_validate import NobodyThere\n"
            "class Slow(NobodyThere):\n"
            "    def detect(self, frame):\n"
            "        print('ready', flush=True)\n"
            "        time.sleep(0.3)\n"
            "        return super().detect(frame)\n"
            "formcheck.validate.MediaPipeBackend = Slow\n"
            "from formcheck.cli import main\n"
            f"sys.exit(main(['validate', {str(clips)!r}, '--no-cache']))\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err == "formcheck: stopped\n"
        assert time.monotonic() - started < 3  # not after the whole clip and the one after it
