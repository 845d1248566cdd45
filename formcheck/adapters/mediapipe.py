"""The pose model behind `PoseBackend`: the only module that imports mediapipe, and only when a clip is opened.

It owns what mediapipe 1.2.2 gets wrong, so that nothing else has to know it: usage records, lines on stderr,
misread arrays, graphs that die of one frame, time stamps that must rise, and landmarkers that hang when the
garbage collector closes them.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import os
import re
import warnings
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from formcheck.adapters import landmarkers, models
from formcheck.adapters.landmarkers import NATIVE_ERRORS, Kind, Opened
from formcheck.adapters.mediapipe_poses import PatchTaker, is_rgb, to_poses
from formcheck.adapters.outlines import Outliner
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.quiet_stderr import quiet_stderr as _quiet_stderr
from formcheck.errors import ModelError
from formcheck.types import Frame, ImageArray, Pose

SEARCH_CONFIDENCE = 0.3  # for a search: mediapipe's own 0.5 misses people in part behind others

# mediapipe smooths landmarks over time (a causal filter: a fast hinge reads 6 degrees behind), by as much as little
# time passes. formcheck filters without delay afterwards, so mediapipe is told of a slower clock, and hardly smooths.
TIME_STRETCH = 30
LEAST_STEP_MS = 1000
# mediapipe's filter takes the time 0 for "no picture yet", and smooths the second picture as if 1/30 s lay between.
START_MS = 1000

_APT_LINE = "apt-get install libegl1 libgles2 libgl1 libglib2.0-0"

# Nothing listens on the discard port, so a connection through it is refused by this machine at once.
_DEAD_PROXY = "http://127.0.0.1:9"


def block_connections() -> None:
    """Refuse every HTTPS connection that the C libraries (and urllib) of this process try to make from now on.

    A second fence around mediapipe's usage records, for processes that formcheck owns (command line, batch workers):
    the first one, in every backend, lets no record out, but a TLS greeting still reaches the host; with this one no
    connection is made at all. It works through the environment, so call it before threads start, and not in a
    process that fetches models.
    """
    os.environ["https_proxy"] = _DEAD_PROXY
    for name in ("no_proxy", "NO_PROXY"):  # would let the host pass by the proxy
        os.environ.pop(name, None)


def preload() -> None:
    """Import mediapipe ahead of its first use, which takes seconds, more on a computer's first day with it.

    What is missing is told when a backend is opened.
    """
    with contextlib.suppress(ImportError, OSError):
        from mediapipe.tasks.python.vision import PoseLandmarker  # noqa: F401


class MediaPipeBackend:
    """Poses of one clip or live session by mediapipe's PoseLandmarker (CPU).

    Make one with `open`. Use it from one thread, in the process that opened it, and close it. Some of the poses that
    `detect` gives carry the trunk's outline (`formcheck.adapters.outlines`).

    Parameters
    ----------
    model : ModelFile
    masks : bool
        Each picture is a square that one person fills (`formcheck.adapters.square`): look at it on its own, and give
        the pose its person mask.
    search : int
        0 follows one person from frame to frame; more looks for up to so many people in each picture on its own.
    outlines : bool
        Look for the trunk's outline a few times a second. Patches at knee and foot (`formcheck.adapters.patches`) are
        taken without it too; neither of them in a search or by a backend for masks.
    """

    def __init__(self, model: models.ModelFile, *, masks: bool = False, search: int = 0, outlines: bool = True) -> None:
        self._model = model
        self._masks = masks
        self._search = search
        self._key: int | None = None
        self._start_ms = 0  # mediapipe's time at the clip's beginning
        path = model.path  # not by way of `self`, or the backend would be in a reference cycle
        self._outliner = Outliner(lambda: MediaPipeBackend.open(path, masks=True))
        self._patches = PatchTaker()
        self._closer = not masks and not search
        self._outlines = outlines
        self._failed = False  # the last detection killed the graph

    @classmethod
    def open(
        cls, model: Path | str | None = None, *, masks: bool = False, search: int = 0, outlines: bool = True
    ) -> Self:
        """Load the model and return a backend that is ready for a clip's first frame.

        Parameters
        ----------
        model : Path, str or None
            A model file or a variant's name; None means the full model that comes with formcheck.
        masks : bool
            Each picture is filled by one person: look at it on its own, and give the pose its person mask.
        search : int
            0 follows one person from frame to frame; more looks for up to so many people in each picture on its own,
            with a lower threshold (for `detect_all`; slower).
        outlines : bool
            Let `detect` look for the trunk's outline a few times a second; not in a search or with masks.

        Raises
        ------
        ModelError
            When the model is missing or damaged, mediapipe or a system library it needs is not installed, or
            its usage records cannot be switched off.
        """
        backend = cls(models.locate(model), masks=masks, search=search, outlines=outlines)
        backend._start()
        return backend

    @property
    def info(self) -> BackendInfo:
        """mediapipe's version, the model's variant and the sha256 of its file."""
        return BackendInfo(_library_version(), self._model.variant, self._model.sha256)

    def detect(self, frame: Frame) -> Pose:
        """Return the (first) pose in a frame; `Pose.missing` for a frame without a person or not RGB uint8.

        Frames may come at any time stamps: mediapipe is given the frame's stretched time (`TIME_STRETCH`), or a step
        more than the last where the clock stands still or steps back. The pose carries the frame's own index and time.

        Raises
        ------
        ModelError
            When the backend is closed or was opened in another process, or the model fails twice in a row.
        """
        return self.look_closer(frame, self.find(frame))

    def find(self, frame: Frame) -> Pose:
        """As `detect`, but landmarks only."""
        found = self.detect_all(frame)
        if found:
            return found[0]
        image = frame.image
        size = (image.shape[1], image.shape[0]) if isinstance(image, np.ndarray) and image.ndim >= 2 else (0, 0)
        return Pose.missing(frame.index, frame.time_s, size)

    def look_closer(self, frame: Frame, pose: Pose) -> Pose:
        """The pose that `find` gave for a frame, with what the picture shows there, where it is due.

        Frame after frame in order of time, from one thread, which may be another one than that of `find`.
        """
        if not (self._closer and pose.found):
            return pose
        closer = self._patches.add(frame, pose)
        return self._outliner.add(frame, closer) if self._outlines else closer

    def detect_all(self, frame: Frame) -> tuple[Pose, ...]:
        """Return every pose in a frame, up to `search`, or the followed one; empty where `detect` says missing.

        The same person can come twice. Raises as `detect`.
        """
        landmarker = self._landmarker()
        if not is_rgb(frame.image):  # mediapipe's graph dies of it
            return ()
        try:
            result = self._run(landmarker, frame.image, frame.time_s)
        except NATIVE_ERRORS as error:
            self._recover(error)
            return ()
        self._failed = False
        return to_poses(result, frame, masks=self._masks)

    def close(self) -> None:
        """Free the landmarker. Closing twice is allowed."""
        self._outliner.close()
        self._close_own()

    def _close_own(self, *, usable: bool = True) -> None:
        key, self._key = self._key, None
        if key is not None:
            landmarkers.give_back(key, usable=usable)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # May run inside any thread, so it only leaves a note; the next open() closes the landmarker.
        if (key := getattr(self, "_key", None)) is not None:
            landmarkers.abandon(key)
            warnings.warn("a MediaPipeBackend was not closed", ResourceWarning, stacklevel=1, source=self)

    def _start(self) -> None:
        kind = Kind(self._model.path, self._masks, self._search)
        self._key = landmarkers.take(kind, _create)
        self._start_ms = landmarkers.get(self._key).last_ms + START_MS

    def _landmarker(self) -> Opened:
        if self._key is None:
            raise ModelError("the pose backend is closed; open a new one for each clip")
        opened = landmarkers.get(self._key)
        if opened.process != os.getpid():  # its threads did not survive the fork: detection would wait for ever
            raise ModelError("the pose backend was opened in another process; open it in the worker that uses it")
        return opened

    def _run(self, opened: Opened, image: ImageArray, time_s: float) -> Any:
        stretched_ms = round(time_s * 1000 * TIME_STRETCH) if math.isfinite(time_s) else 0
        opened.last_ms = max(opened.last_ms + LEAST_STEP_MS, self._start_ms + stretched_ms)
        return _look(opened, image)

    def _recover(self, error: Exception) -> None:
        """Replace a graph that died; twice in a row is no accident of one frame."""
        self._close_own(usable=False)
        if self._failed:
            raise ModelError(
                f"{self._model.path}: the pose model failed twice in a row ({_one_line(error)})"
            ) from error
        self._failed = True
        self._start()


class _PrivateOptions:
    """Stands in for mediapipe's BaseOptions and makes its usage records impossible to send.

    mediapipe posts a record over TLS when a task is closed, and offers no switch (google-ai-edge/mediapipe issue
    6291). Its C options name the file of trusted certificates: with an empty one no server can be trusted, so the
    handshake is refused before any data. The null device is an empty file that cannot be lost, edited or left out
    of an install. There is deliberately nothing here but `to_ctypes`: a mediapipe that reads its options in
    another way fails to start rather than run with records on.
    """

    def __init__(self, stock: Any) -> None:
        self._stock = stock
        self.used = False

    def to_ctypes(self) -> Any:
        options = self._stock.to_ctypes()
        # ctypes takes any attribute without complaint, so setting it proves nothing
        if "ca_bundle_path" not in {name for name, *_ in type(options)._fields_}:
            raise _no_switch()
        options.ca_bundle_path = os.devnull.encode()
        self.used = True
        return options


def _no_switch() -> ModelError:
    return ModelError(
        f"mediapipe {_library_version()} offers no way to switch its usage records off, so formcheck does not run it; "
        'install the tested version: pip install "mediapipe==1.2.2"'
    )


def _look(opened: Opened, image: ImageArray) -> Any:
    """What a landmarker finds in a picture, at the time `Opened.last_ms`."""
    from mediapipe.tasks.python.vision.core import image as mp_image

    # a view (crop, mirror, BGR turned round) would be read as if it were contiguous
    picture = mp_image.Image(mp_image.ImageFormat.SRGB, np.ascontiguousarray(image))

    def estimate() -> Any:
        if opened.kind.alone:
            return opened.landmarker.detect(picture)
        return opened.landmarker.detect_for_video(picture, opened.last_ms)

    if opened.warm:
        return estimate()
    with _quiet_stderr():
        result = estimate()
    opened.warm = bool(result.pose_landmarks)
    return result


def _create(kind: Kind) -> Any:
    """Return a new PoseLandmarker, or raise a `ModelError` that says what to do."""
    path, masks, search = kind
    try:
        with _quiet_stderr():
            from mediapipe.tasks.python.core import base_options
            from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode

            private = _PrivateOptions(base_options.BaseOptions(model_asset_path=str(path)))
            landmarker = PoseLandmarker.create_from_options(
                PoseLandmarkerOptions(
                    base_options=private,
                    running_mode=RunningMode.IMAGE if kind.alone else RunningMode.VIDEO,
                    num_poses=search or 1,
                    min_pose_detection_confidence=SEARCH_CONFIDENCE if kind.alone else 0.5,
                    min_pose_presence_confidence=SEARCH_CONFIDENCE if kind.alone else 0.5,
                    output_segmentation_masks=masks,
                )
            )
    except ModuleNotFoundError as error:
        raise ModelError(f"the Python module {error.name} is missing; run: pip install mediapipe") from error
    except AttributeError as error:  # what we rely on has changed; the records may no longer be stopped
        raise _no_switch() from error
    except (ImportError, *NATIVE_ERRORS) as error:
        if library := re.search(r"lib[\w+.-]+\.so[.\d]*(?=: cannot open)", str(error)):
            raise ModelError(f"mediapipe needs the system library {library[0]}; run: {_APT_LINE}") from error
        raise ModelError(
            f"{path}: the pose model cannot be loaded ({_one_line(error)}); check the file, or run `formcheck models`"
        ) from error
    if not private.used:
        block_connections()  # the record goes out on close
        landmarker.close()
        raise _no_switch()
    return landmarker


@cache
def _library_version() -> str:
    try:
        return importlib.metadata.version("mediapipe")
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError("mediapipe is not installed; run: pip install mediapipe") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
