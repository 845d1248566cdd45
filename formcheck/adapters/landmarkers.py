"""The landmarkers of this process: which are open, which wait to be used again, and how they are closed.

Making a landmarker and running it for the first time takes about 0.1 s, and a clip needs up to three: for short clips
that is a good part of what they cost. Inside `reused_landmarkers` a landmarker that is given back is kept for the next
backend of its kind, where that then reads the same as with a new one (`Kind.alone`; `tests/test_landmarkers.py`).

Backends hold only a key: a landmarker that the garbage collector finalises can wait for the very thread that the
collector runs in, so it must never see one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from formcheck.adapters.quiet_stderr import quiet_stderr, stderr_lock

# mediapipe turns the C library's status codes into these (mediapipe_c_utils.convert_to_exception).
NATIVE_ERRORS: Final = (RuntimeError, ValueError, OSError, IndexError)

MOST_WAITING: Final = 2  # of one kind


class Kind(NamedTuple):
    """What a landmarker was made for: one may stand in for another of the same kind."""

    path: Path
    masks: bool
    search: int

    @property
    def alone(self) -> bool:
        """Whether it looks at each picture on its own; else it follows a person, whom it cannot be made to forget."""
        return self.masks or self.search > 0


@dataclass(slots=True)
class Opened:
    """An open landmarker.

    Attributes
    ----------
    landmarker : mediapipe's PoseLandmarker
    kind : Kind
    process : int
        That made it; its threads do not survive a fork.
    last_ms : int
        Time stamp of the last picture; the next one's must be greater. 0 for a new one.
    warm : bool
        Whether a person has been found: every part of the graph has run once and said its lines.
    """

    landmarker: Any
    kind: Kind
    process: int
    last_ms: int = 0
    warm: bool = False


_keys = itertools.count()
_opened: dict[int, Opened] = {}
_waiting: list[Opened] = []
_inherited: list[Opened] = []
_abandoned: list[int] = []
_lock = threading.Lock()
_reusing = 0


@contextlib.contextmanager
def reused_landmarkers() -> Iterator[None]:
    """Keep landmarkers for the next backend instead of closing them; at the end of the outermost block they are closed.

    For work on many clips, one after another. Blocks may be nested, and open in several threads.
    """
    global _reusing  # noqa: PLW0603  (one count for the process, as are the landmarkers)
    with _lock:
        _reusing += 1
    try:
        yield
    finally:
        with _lock:
            _reusing -= 1
            last = _reusing == 0
        if last:
            close_waiting()


def close_waiting() -> None:
    """Close those that wait to be used again, for the memory that they hold: about 60 MB each."""
    while (opened := _waiting_one(None)) is not None:
        _close(opened)


def take(kind: Kind, create: Callable[[Kind], Any]) -> int:
    """Open a landmarker, which `create` makes, or take one that waits; its key."""
    with stderr_lock:  # closing writes to stderr
        while _abandoned:
            give_back(_abandoned.pop(), usable=False)
    if (waiting := _waiting_one(kind)) is not None:
        return _register(waiting)
    return _register(Opened(create(kind), kind, os.getpid()))


def _register(opened: Opened) -> int:
    key = next(_keys)
    _opened[key] = opened
    return key


def get(key: int) -> Opened:
    """The landmarker of a key."""
    return _opened[key]


def give_back(key: int, *, usable: bool = True) -> None:
    """Close a landmarker, or keep it for the next backend; one inherited through a fork is left, as touching it hangs.

    `usable` is False for one whose graph has died, or whose backend is lost.
    """
    opened = _opened[key]
    if opened.process != os.getpid():
        return
    del _opened[key]
    with _lock:
        alike = sum(other.kind == opened.kind for other in _waiting)
        keep = usable and opened.kind.alone and _reusing > 0 and alike < MOST_WAITING
        if keep:
            _waiting.append(opened)
    if not keep:
        _close(opened)


def abandon(key: int) -> None:
    """Note that a backend was lost without being closed; the next `take` closes its landmarker.

    Callable from any thread at any moment, as the garbage collector does.
    """
    _abandoned.append(key)


def _waiting_one(kind: Kind | None) -> Opened | None:
    """Take one of a kind, or any, from those that wait."""
    with _lock:
        for place, opened in enumerate(_waiting):
            if kind is None or opened.kind == kind:
                return _waiting.pop(place)
    return None


def _leave_to_the_parent() -> None:
    """In a forked child: what was inherited is kept for ever and never touched, as its threads are gone."""
    global _lock, _reusing
    _inherited.extend(_waiting)
    _waiting.clear()
    _lock, _reusing = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)


def _close(opened: Opened) -> None:
    with quiet_stderr():
        try:
            opened.landmarker.close()
        except NATIVE_ERRORS:
            # A dead graph reports its old error again and is left half closed: finish by hand, or its __del__
            # would try once more.
            opened.landmarker._handle = None
            opened.landmarker._lib.close()
