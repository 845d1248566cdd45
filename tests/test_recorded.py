"""Landmark files: what is saved comes back, and anything else is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.recorded import RecordedBackend, load_poses, save_poses
from formcheck.errors import ClipError, OutputError
from formcheck.types import Frame, Pose

INFO = BackendInfo("1.2.2", "full", "f2f6")
NO_IMAGE = np.zeros((0, 0, 3), dtype=np.uint8)


def make_poses() -> list[Pose]:
    """Four frames of a clip with an uneven clock; nobody in the third."""
    random = np.random.default_rng(1)
    poses = [
        Pose(
            index=index,
            time_s=time_s,
            size_px=(1280, 720),
            image_px=random.uniform(-50, 1300, (33, 2)),
            world_m=random.normal(0, 0.5, (33, 3)),
            visibility=random.uniform(0, 1, 33),
            mask=np.ones((720, 1280), dtype=np.float32),
        )
        for index, time_s in enumerate((0.0, 1 / 30, 0.1, 0.1334))
    ]
    poses[2] = Pose.missing(2, 0.1, (1280, 720))
    return poses


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "clip.poses.npz"
    save_poses(path, make_poses(), INFO)
    return path


def frame(index: int, time_s: float) -> Frame:
    return Frame(index, time_s, NO_IMAGE)


def test_what_is_saved_comes_back(recording: Path) -> None:
    poses, info = load_poses(recording)
    assert info == INFO
    assert [pose.found for pose in poses] == [True, True, False, True]
    for saved, loaded in zip(make_poses(), poses, strict=True):
        assert (loaded.index, loaded.time_s, loaded.size_px) == (saved.index, saved.time_s, saved.size_px)
        assert loaded.mask is None
        for name, tolerance in (("image_px", 1e-4), ("world_m", 1e-6), ("visibility", 1e-6)):
            array = getattr(loaded, name)
            assert array.dtype == np.float64
            np.testing.assert_allclose(array, getattr(saved, name), atol=tolerance, rtol=0)


def test_a_clip_without_frames(tmp_path: Path) -> None:
    save_poses(tmp_path / "empty.npz", [], INFO)
    assert load_poses(tmp_path / "empty.npz") == ([], INFO)
    with RecordedBackend(tmp_path / "empty.npz") as backend, pytest.raises(ClipError, match="no pose for frame 0"):
        backend.detect(frame(0, 0.0))


def test_the_name_is_used_as_given(tmp_path: Path) -> None:
    save_poses(tmp_path / "clip.landmarks", make_poses(), INFO)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.landmarks"]


def test_indices_must_rise(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rising order"):
        save_poses(tmp_path / "clip.npz", make_poses()[::-1], INFO)


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"clip\.npz: the landmark file cannot be written"):
        save_poses(tmp_path / "missing" / "clip.npz", make_poses(), INFO)


def test_a_failed_save_keeps_the_old_file(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recording.read_bytes()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        save_poses(recording, make_poses(), INFO)
    assert recording.read_bytes() == before
    assert list(recording.parent.iterdir()) == [recording]


def test_replay_by_index(recording: Path) -> None:
    poses, _ = load_poses(recording)
    with RecordedBackend(recording) as backend:
        assert backend.info == INFO
        replayed = [backend.detect(frame(pose.index, pose.time_s)) for pose in poses]
    for pose, again in zip(poses, replayed, strict=True):
        assert (again.index, again.time_s) == (pose.index, pose.time_s)
        np.testing.assert_array_equal(again.image_px, pose.image_px)


def test_replay_by_time_when_frames_are_numbered_anew(recording: Path) -> None:
    poses, _ = load_poses(recording)
    again = RecordedBackend(recording).detect(frame(1, 0.1338))  # frame 3 of the recording, within a millisecond
    np.testing.assert_array_equal(again.image_px, poses[3].image_px)
    assert (again.index, again.time_s) == (1, 0.1338)


@pytest.mark.parametrize(("index", "time_s"), [(4, 0.17), (0, 0.05), (1, float("nan"))])
def test_a_frame_of_another_clip(recording: Path, index: int, time_s: float) -> None:
    with pytest.raises(ClipError, match=rf"clip\.poses\.npz: holds no pose for frame {index}"):
        RecordedBackend(recording).detect(frame(index, time_s))


def stored(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"header": np.array('{"schema": "formcheck.poses/9", "info": {}}')}, "schema formcheck.poses/9"),
        ({"header": np.array("{}")}, "header is damaged"),
        ({"header": np.array("not json")}, "header is damaged"),
        ({"header": np.array('{"schema": "formcheck.poses/1", "info": {"model": "full"}}')}, "header is damaged"),
        ({"image_px": np.zeros((4, 32, 2), dtype=np.float32)}, "image_px has the wrong type or shape"),
        ({"world_m": np.zeros((3, 33, 3), dtype=np.float32)}, "world_m has the wrong type or shape"),
        ({"visibility": np.zeros((4, 33), dtype=np.int64)}, "visibility has the wrong type or shape"),
        ({"index": np.array([0, 1, 1, 2])}, "indices do not rise"),
        ({"index": np.array(3)}, "index has the wrong type or shape"),
        ({"time_s": np.array([0.0, np.nan, 0.1, 0.2])}, "times are missing"),
        ({"image_px": np.array([None] * 4, dtype=object)}, "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(recording: Path, change: dict[str, np.ndarray], says: str) -> None:
    np.savez_compressed(recording, **(stored(recording) | change))
    with pytest.raises(ClipError, match=says) as caught:
        load_poses(recording)
    assert str(recording) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["header", "world_m"])
def test_a_missing_array(recording: Path, name: str) -> None:
    arrays = stored(recording)
    del arrays[name]
    np.savez_compressed(recording, **arrays)
    with pytest.raises(ClipError, match=r"not a formcheck landmark file|lacks an array .*world_m"):
        load_poses(recording)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"nowhere\.npz: no such landmark file"):
        load_poses(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x00" * 100, b"\x93NUMPY"])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.npz"
    path.write_bytes(content)
    with pytest.raises(ClipError, match=r"clip\.npz: "):
        load_poses(path)


def test_a_plain_array_file(tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", np.zeros(3))
    with pytest.raises(ClipError, match="not a formcheck landmark file"):
        load_poses(tmp_path / "clip.npy")


def test_a_file_cut_short(recording: Path) -> None:
    content = recording.read_bytes()
    for length in range(100, len(content), 997):
        recording.write_bytes(content[:length])
        with pytest.raises(ClipError, match="cannot be read"):
            load_poses(recording)


def test_a_damaged_byte(recording: Path) -> None:
    content = bytearray(recording.read_bytes())
    content[len(content) // 2] ^= 0xFF
    recording.write_bytes(content)
    with pytest.raises(ClipError):
        load_poses(recording)
