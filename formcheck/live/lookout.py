"""A look now and then at whether somebody else is in the picture, and whether the picture lies on its side.

The landmarks follow one body and cannot tell whose it is. The looks run in a thread of their own, with a search of
their own, so that the picture never waits for them; one look takes about as long as a frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.people import Searcher
from formcheck.adapters.scout import CONFIRMED, cover, is_second
from formcheck.adapters.turned import TURNS, turn_frame
from formcheck.coach import CLEAR, Sight
from formcheck.types import Frame, Pose

FIRST_LOOK_S: Final = 0.5
LOOK_EVERY_S: Final = 2.0
LOOK_SETUP_S: Final = 1.0  # before the set nothing is lost when pictures come a little slower


def open_search() -> Searcher:
    """Start mediapipe's search for several people; raises `ModelError` as `MediaPipeBackend.open`."""
    return MediaPipeBackend.open(search=2)


class Lookout:
    """Looks at a frame now and then; what is seen in two looks in a row is believed.

    Parameters
    ----------
    searcher : callable or None
        Makes the search, in the lookout's own thread; closed there too. None never looks.
    """

    def __init__(self, searcher: Callable[[], Searcher] | None) -> None:
        self._open = searcher
        self._opened = ExitStack()
        self._searcher: Searcher | None = None
        self._thread = ThreadPoolExecutor(1, "formcheck-look") if searcher is not None else None
        self._look: Future[Seen] | None = None
        self._next_s = FIRST_LOOK_S
        self._sights = Sights()

    def watch(self, frame: Frame, pose: Pose, *, begun: bool) -> Sight:
        """Take the next frame and the pose found in it; what is believed by now.

        Parameters
        ----------
        frame : Frame
        pose : Pose
        begun : bool
            Whether the set has begun: looks are then rarer, and nobody is searched for in a turned picture.
        """
        if self._thread is None:
            return CLEAR
        if self._look is not None and self._look.done():
            seen, self._look = self._look.result(), None
            self._sights.take(seen)
        if self._look is None and frame.time_s >= self._next_s and (pose.found or not begun):
            self._next_s = frame.time_s + (LOOK_EVERY_S if begun else LOOK_SETUP_S)
            self._look = self._thread.submit(self._look_at, frame, pose)
        return self._sights.believed

    def wait(self) -> None:
        """Wait until the look that is under way has ended."""
        if self._look is not None:
            self._look.exception()

    def _look_at(self, frame: Frame, pose: Pose) -> Seen:
        if self._searcher is None:
            assert self._open is not None
            self._searcher = self._opened.enter_context(self._open())
        return look(self._searcher, frame, pose)

    def close(self) -> None:
        """Wait for the last look and free the search. Closing twice is allowed."""
        if self._thread is not None:
            self._thread.submit(self._opened.close).result()
            self._thread.shutdown()
            self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look has seen: somebody besides the followed person, or people only when the picture is turned."""

    time_s: float
    others: bool = False
    turned: bool = False


def look(searcher: Searcher, frame: Frame, pose: Pose) -> Seen:
    """Search one frame for somebody besides the followed person; without one, for anybody in a turned picture."""
    if pose.found:
        return Seen(frame.time_s, others=any(is_second(one, pose) for one in searcher.detect_all(cover(frame, pose))))
    if searcher.detect_all(frame):
        return Seen(frame.time_s)
    return Seen(frame.time_s, turned=any(searcher.detect_all(turn_frame(frame, turn)) for turn in TURNS))


class Sights:
    """Believes what looks in a row agree on, either way; `believed` is what that is."""

    def __init__(self) -> None:
        self.believed = CLEAR
        self._others = self._nobody = self._turned = 0  # looks in a row
        self._since_s = math.nan

    def take(self, seen: Seen) -> None:
        """Take what the next look has seen."""
        self._turned = self._turned + 1 if seen.turned else 0
        if seen.others:
            self._since_s = self._since_s if self._others or self.believed.others_s else seen.time_s
            self._others, self._nobody = self._others + 1, 0
        else:
            self._others, self._nobody = 0, self._nobody + 1
        span = self.believed.others_s
        if seen.others and (span is not None or self._others >= CONFIRMED):
            span = (self._since_s, seen.time_s)
        elif self._nobody >= CONFIRMED:
            span = None
        self.believed = Sight(span, turned=self._turned >= CONFIRMED)
