"""Work that one clip leaves to the machine's other cores: decoding ahead, and a closer look at poses already found.

The network takes most of the time and one core, so a single clip is done sooner when the rest runs beside it. Results
are the same, in the same order. A batch, which has a process for every core, does without.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Final, TypeVar

from formcheck.adapters.pose import PoseBackend, two_steps
from formcheck.types import Frame, Pose

DEPTH: Final = 2  # frames decoded ahead
# Frames that wait for their second step: enough to go on while a landmarker of the second step is being made.
WAITING: Final = 12
WAITING_BYTES: Final = 48_000_000  # fewer of them where they are large

Item = TypeVar("Item")


Watch = Callable[[Frame, Pose], None]
"""Sees each frame with its pose."""


def detected(frames: Iterable[Frame], backend: PoseBackend, watch: Watch, *, beside: bool) -> Generator[Pose]:
    """The pose of each frame, once `watch` has seen it too.

    Parameters
    ----------
    frames : iterable of Frame
    backend : PoseBackend
    watch : callable
        Called in order, from one thread, which with `beside` is not the caller's.
    beside : bool
        Decode the next frames, look closer at the last ones and watch them while the network runs.
    """
    if not beside:
        for frame in frames:
            pose = backend.detect(frame)
            watch(frame, pose)
            yield pose
        return
    find, look_closer = two_steps(backend)

    def second_step(frame: Frame, pose: Pose) -> Pose:
        closer = look_closer(frame, pose)
        watch(frame, closer)
        return closer

    waiting: deque[Future[Pose]] = deque()
    with closing(ahead(frames)) as decoded, ThreadPoolExecutor(1, thread_name_prefix="closer look") as second:
        try:
            for frame in decoded:
                waiting.append(second.submit(second_step, frame, find(frame)))
                allowed = min(WAITING, max(DEPTH, WAITING_BYTES // max(frame.image.nbytes, 1)))
                while len(waiting) > allowed or (waiting and waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            second.shutdown(cancel_futures=True)


class _End:
    """Comes after the last item: why there are no more."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterable[Item]) -> Generator[Item]:
    """The same items, up to `DEPTH` of them made ahead in a thread of its own; errors come where they would have.

    Close the generator when it is not read to its end: only then has the thread left the items alone.
    """
    made: queue.Queue[Item | _End] = queue.Queue(DEPTH)
    stop = threading.Event()
    thread = threading.Thread(target=_make, args=(items, _putter(made, stop)), name="decoding ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = made.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        thread.join()


def _make(items: Iterable[Item], put: Callable[[Item | _End], bool]) -> None:
    try:
        for item in items:
            if not put(item):
                return
    except BaseException as error:  # it belongs to whoever reads the items
        put(_End(error))
    else:
        put(_End())


def _putter(made: queue.Queue[Item | _End], stop: threading.Event) -> Callable[[Item | _End], bool]:
    def put(item: Item | _End) -> bool:
        while not stop.is_set():
            try:
                made.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    return put
