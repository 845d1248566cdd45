"""A window of this computer's own, where it has a display."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Self

import cv2

from formcheck.types import ImageArray

ESCAPE = 27
TITLE = "formcheck"


def display_available(environment: dict[str, str] | None = None, platform: str = sys.platform) -> bool:
    """Whether a window can be opened: OpenCV ends the whole process when it cannot."""
    known = os.environ if environment is None else environment
    if platform.startswith(("win", "darwin")):
        return True
    return bool(known.get("DISPLAY") or known.get("WAYLAND_DISPLAY"))


class Window:
    """Shows pictures until it is closed, or Escape, Q or the space bar is pressed; only where there is a display."""

    def __enter__(self) -> Self:
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        return self

    def show(self, image: ImageArray) -> bool:
        """Show an RGB picture; False when the person wants to end it."""
        cv2.imshow(TITLE, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        pressed = cv2.waitKey(1) & 0xFF
        return pressed not in (ESCAPE, ord("q"), ord("Q"), ord(" ")) and bool(
            cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cv2.destroyAllWindows()
