"""Cameras for the local window: a camera of this computer, or a clip that plays as one in its own time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np

from formcheck.adapters.video import ClipReader
from formcheck.errors import ClipError
from formcheck.types import Frame

WIDTH, HEIGHT = 640, 480  # asked for; a camera may give another size
LOST_READS = 30  # in a row without a picture: the camera is gone


class Camera(Protocol):
    """Frames that come in real time; a context manager that can be iterated once."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class DeviceCamera:
    """A camera of this computer.

    Parameters
    ----------
    number : int
        From 0.

    Raises
    ------
    ClipError
        When there is no such camera, or another program uses it.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # it tells at length what it has tried
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            self._capture.release()
            raise ClipError(
                f"camera {number}: it cannot be opened; is it connected, allowed for this program, and not in use by "
                "another one? Another camera: --camera 1"
            )
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)

    def __iter__(self) -> Iterator[Frame]:
        """Frames until the camera is closed; times from this computer's clock, from 0.

        Raises
        ------
        ClipError
            When the camera gives no picture any more.
        """
        start_s, index, lost = time.monotonic(), 0, 0
        while self._capture.isOpened():
            read, picture = self._capture.read()
            if not read:
                lost += 1
                if lost > LOST_READS:
                    raise ClipError(f"camera {self._number}: it gives no picture any more; was it unplugged?")
                time.sleep(0.02)
                continue
            lost = 0
            yield Frame(index, time.monotonic() - start_s, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))
            index += 1

    def close(self) -> None:
        """Free the camera. Closing twice is allowed."""
        self._capture.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ClipCamera:
    """A clip that plays as a camera: each frame comes when its time has come.

    Raises
    ------
    ClipError
        As `ClipReader`.
    """

    def __init__(self, path: Path) -> None:
        self._reader = ClipReader(path)

    def __iter__(self) -> Iterator[Frame]:
        start_s = time.monotonic()
        for frame in self._reader:
            time.sleep(max(0.0, frame.time_s - (time.monotonic() - start_s)))
            yield frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()
