"""Landmark files: the poses of a clip, saved once and replayed without a video or a model.

A file is a compressed `.npz`, schema `formcheck.poses/1`. Landmarks and outlines of the trunk are kept as float32 (a
ten-thousandth of a pixel), times as float64, and what the patches show (`Pose.patches`) as bytes, where there was a
picture; masks are not kept. Files from before there were outlines or patches have none.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from formcheck.adapters.pose import BackendInfo
from formcheck.errors import ClipError, OutputError
from formcheck.types import LANDMARK_COUNT, OUTLINE_SHAPE, PATCHES_SHAPE, Frame, Pose, PoseTrack

SCHEMA = "formcheck.poses/1"
SAME_TIME_S = 0.001  # container clocks round to a millisecond at worst

# array -> (kind of dtype, shape after the frame axis)
_ARRAYS: dict[str, tuple[str, tuple[int, ...]]] = {
    "index": ("i", ()),
    "time_s": ("f", ()),
    "size_px": ("i", (2,)),
    "image_px": ("f", (LANDMARK_COUNT, 2)),
    "world_m": ("f", (LANDMARK_COUNT, 3)),
    "visibility": ("f", (LANDMARK_COUNT,)),
}
_OUTLINE = "outline_px"  # of the frames that `outline_index` lists, by their place in the file; both may be absent
_OUTLINE_INDEX = "outline_index"
_OLD_OUTLINE_SHAPE = (2, *OUTLINE_SHAPE[1:])  # without the line between the two edges


_PATCHES = ("u", PATCHES_SHAPE)  # optional: files of earlier versions, and of other programs, have none


def save_poses(path: Path, poses: Sequence[Pose], info: BackendInfo) -> None:
    """Write the poses of one clip to a landmark file, replacing it only when all is written.

    Parameters
    ----------
    path : Path
        Usually ending in `.npz`; used as given.
    poses : sequence of Pose
        In order of frame index; NaN landmarks (nobody found) are kept as NaN, outlines too. Masks are left out.
    info : BackendInfo
        What made them.

    Raises
    ------
    OutputError
        When the file cannot be written.
    ValueError
        When the indices do not rise.
    """
    n = len(poses)
    index = np.array([pose.index for pose in poses], dtype=np.int64)
    if (np.diff(index) <= 0).any():
        raise ValueError("the poses of a landmark file must be in rising order of frame index")

    def stacked(name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        return np.array([getattr(pose, name) for pose in poses], dtype=dtype).reshape(n, *shape)

    patches = PoseTrack.from_poses(poses).patches
    optional: dict[str, Any] = {} if patches is None else {"patches": patches}
    outlined = [place for place, pose in enumerate(poses) if pose.outline_px is not None]
    outlines = np.array([poses[place].outline_px for place in outlined], dtype=np.float32)
    header = json.dumps({"schema": SCHEMA, "info": dataclasses.asdict(info)})
    try:
        with _replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                header=np.array(header),
                index=index,
                time_s=stacked("time_s", (), np.float64),
                size_px=stacked("size_px", (2,), np.int64),
                image_px=stacked("image_px", (LANDMARK_COUNT, 2), np.float32),
                world_m=stacked("world_m", (LANDMARK_COUNT, 3), np.float32),
                visibility=stacked("visibility", (LANDMARK_COUNT,), np.float32),
                **optional,
                outline_px=outlines.reshape(len(outlined), *OUTLINE_SHAPE),
                outline_index=np.array(outlined, dtype=np.int64),
            )
    except OSError as error:
        raise OutputError(
            f"{path}: the landmark file cannot be written ({error.strerror}); check the folder"
        ) from error


def load_poses(path: Path) -> tuple[list[Pose], BackendInfo]:
    """Read a landmark file.

    Returns
    -------
    poses : list of Pose
        In order of frame index, `mask` None; landmarks and outlines float64, shapes as in `Pose`, NaN where nobody was
        found.
    info : BackendInfo
        What made them.

    Raises
    ------
    ClipError
        When the file cannot be read or is not a sound landmark file.
    """
    arrays, info = _read(path)
    sizes = [(int(width), int(height)) for width, height in arrays["size_px"]]
    image, world, visibility = (arrays[name].astype(np.float64) for name in ("image_px", "world_m", "visibility"))
    rows = zip(arrays["index"].tolist(), arrays["time_s"].tolist(), sizes, image, world, visibility, strict=True)
    poses = [Pose(*row) for row in rows]
    if "patches" in arrays:
        poses = [dataclasses.replace(pose, patches=seen) for pose, seen in zip(poses, arrays["patches"], strict=True)]
    if _OUTLINE in arrays:
        outlines = arrays[_OUTLINE].astype(np.float64)
        for place, outline in zip(arrays[_OUTLINE_INDEX].tolist(), outlines, strict=True):
            poses[place] = dataclasses.replace(poses[place], outline_px=outline)
    return poses, info


class RecordedBackend:
    """A `PoseBackend` that replays a landmark file and never looks at the images.

    A frame gets the pose of its index when the times agree too (within a millisecond), else the pose of its time.

    Parameters
    ----------
    path : Path
        A file written by `save_poses`.

    Raises
    ------
    ClipError
        When the file is not a sound landmark file; from `detect`, when it holds no pose for a frame.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        poses, self._info = load_poses(path)
        self._by_index = {pose.index: pose for pose in poses}
        self._by_time = sorted(poses, key=lambda pose: pose.time_s)
        self._times = np.array([pose.time_s for pose in self._by_time])

    @property
    def info(self) -> BackendInfo:
        """What made the landmarks."""
        return self._info

    def detect(self, frame: Frame) -> Pose:
        """Return the recorded pose of a frame, under the frame's own index and time."""
        pose = self._by_index.get(frame.index)
        if pose is None or not abs(pose.time_s - frame.time_s) <= SAME_TIME_S:  # a NaN time never agrees
            pose = self._nearest(frame.time_s)
        if pose is None:
            raise ClipError(
                f"{self._path}: holds no pose for frame {frame.index} at {frame.time_s:.3f} s; "
                "use the landmark file that was recorded from this clip"
            )
        return dataclasses.replace(pose, index=frame.index, time_s=frame.time_s)

    def _nearest(self, time_s: float) -> Pose | None:
        if not self._by_time:
            return None
        nearest = int(np.argmin(np.abs(self._times - time_s)))
        return self._by_time[nearest] if abs(self._times[nearest] - time_s) <= SAME_TIME_S else None

    def close(self) -> None:
        """Do nothing: the file was read as a whole and closed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], BackendInfo]:
    """Return the checked arrays and header of a landmark file."""
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if not isinstance(stored, np.lib.npyio.NpzFile) or "header" not in stored:
                raise ClipError(f"{path}: is not a formcheck landmark file; record the clip again")
            info = _info(path, str(stored["header"]))
            arrays = {name: stored[name] for name in _ARRAYS}
            if "patches" in stored:
                arrays["patches"] = stored["patches"]
            if _OUTLINE in stored or _OUTLINE_INDEX in stored:
                arrays |= {_OUTLINE: _with_line(stored[_OUTLINE]), _OUTLINE_INDEX: stored[_OUTLINE_INDEX]}
    except FileNotFoundError as error:
        raise ClipError(f"{path}: no such landmark file; check the path") from error
    except KeyError as error:
        raise ClipError(f"{path}: the landmark file lacks an array ({error.args[0]}); record the clip again") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClipError(f"{path}: cannot be read as a landmark file ({reason}); record the clip again") from error
    _validate(path, arrays)
    return arrays, info


def _with_line(outlines: NDArray[Any]) -> NDArray[Any]:
    """Outlines as they are kept now: those of earlier versions get a line that is not known."""
    if outlines.dtype.kind != "f" or outlines.shape[1:] != _OLD_OUTLINE_SHAPE:
        return outlines
    return np.concatenate([outlines, np.full_like(outlines[:, :1], np.nan)], axis=1)


def _info(path: Path, header: str) -> BackendInfo:
    try:
        content = json.loads(header)
        schema = content["schema"]
        if schema != SCHEMA:
            raise ClipError(f"{path}: is of schema {schema}, this formcheck reads {SCHEMA}; record the clip again")
        info = BackendInfo(**content["info"])
    except (ValueError, KeyError, TypeError) as error:
        raise ClipError(f"{path}: the landmark file's header is damaged; record the clip again") from error
    return info


def _validate(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    n = len(arrays["index"]) if arrays["index"].ndim else 0
    expected = {**_ARRAYS, "patches": _PATCHES} if "patches" in arrays else _ARRAYS
    for name, (kind, shape) in expected.items():
        array = arrays[name]
        if array.dtype.kind != kind or array.shape != (n, *shape):
            found = f"{array.dtype} {array.shape}"
            raise ClipError(f"{path}: {name} has the wrong type or shape ({found}); record the clip again")
    if (np.diff(arrays["index"]) <= 0).any() or not np.isfinite(arrays["time_s"]).all():
        raise ClipError(f"{path}: frame indices do not rise or times are missing; record the clip again")
    if _OUTLINE in arrays:
        _validate_outlines(path, arrays[_OUTLINE], arrays[_OUTLINE_INDEX], n)


def _validate_outlines(path: Path, outlines: NDArray[Any], places: NDArray[Any], n: int) -> None:
    sound = outlines.dtype.kind == "f" and outlines.shape == (*places.shape, *OUTLINE_SHAPE)
    sound = sound and places.dtype.kind == "i" and places.ndim == 1
    if not sound or (places.size and (places.min() < 0 or places.max() >= n or (np.diff(places) <= 0).any())):
        raise ClipError(f"{path}: the trunk's outlines have the wrong type or shape; record the clip again")


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends well, and is removed when not."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
