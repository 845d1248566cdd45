"""The one frame that is analysed next: a newer one takes its place, so that the picture never falls behind."""

from __future__ import annotations

import threading
import time

from formcheck.types import Frame


class Slot:
    """Holds at most one frame between the thread that films and the thread that analyses."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._busy = False
        self._closed = False
        self.dropped = 0

    @property
    def closed(self) -> bool:
        """Whether it takes no more frames."""
        with self._changed:
            return self._closed

    def put(self, frame: Frame) -> None:
        """Offer a frame; one that nobody has taken yet is dropped. Returns at once; after `close` nothing happens."""
        with self._changed:
            if self._closed:
                return
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Frame | None:
        """Wait for a frame; None when the slot was closed, or when none came in time."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._frame is not None, timeout_s)
            if self._closed:
                return None
            frame, self._frame = self._frame, None
            self._busy = frame is not None
            return frame

    def wait_until_done(self, timeout_s: float) -> bool:
        """Wait until the frame offered last was analysed, or the slot is closed; False when that takes too long."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while (self._frame is not None or self._busy) and not self._closed:
                if not self._changed.wait(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                    return False
        return True

    def close(self) -> None:
        """Wake who waits, and take no more frames. Closing twice is allowed."""
        with self._changed:
            self._closed = True
            self._frame = None
            self._changed.notify_all()
