"""How far a batch is, how fast it goes, and when it may be done."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from formcheck.batch.clips import Clip
from formcheck.batch.job import ClipResult, End


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch at one moment.

    Attributes
    ----------
    total, ended, failed, kept : int
        Clips in all; those that have ended in any way; of these, failed ones and ones finished in an earlier run.
    share : float
        Of the work, 0 to 1, by the size of the files; parts of clips count.
    clips_per_min : float
        Clips analysed in this run, per minute; NaN before the first.
    left_s : float
        Estimated seconds to go; NaN before anything is known.
    """

    total: int
    ended: int
    failed: int
    kept: int
    share: float
    clips_per_min: float
    left_s: float


class Meter:
    """Adds up what happens to the clips of a batch. Safe to use from several threads.

    Parameters
    ----------
    weights : mapping of Clip to float
        Expected work for each clip, in any one unit; the file's size.
    clock : callable
        Seconds.
    """

    def __init__(self, weights: Mapping[Clip, float], clock: Callable[[], float] = time.monotonic) -> None:
        mean = sum(weights.values()) / max(len(weights), 1)
        # A clip whose size is not known weighs as much as another one, and none weighs nothing.
        self._weights = {clip: weight or mean or 1.0 for clip, weight in weights.items()}
        self._all = sum(self._weights.values())
        self._clock = clock
        self._start_s = clock()
        self._running: dict[Clip, float] = {}
        self._worked = self._skipped = 0.0  # weight done in this run, and found finished
        self._ended = self._failed = self._kept = 0
        self._lock = threading.Lock()

    def share(self, clip: Clip, share: float) -> None:
        """Note how much of a clip is done."""
        with self._lock:
            self._running[clip] = share

    def end(self, result: ClipResult) -> None:
        """Note how a clip ended."""
        with self._lock:
            self._running.pop(result.clip, None)
            weight = self._weights[result.clip]
            # A failure found in an earlier run took no time either, but there are few of them.
            kept = result.end is End.KEPT
            self._skipped += weight if kept else 0.0
            self._worked += 0.0 if kept else weight
            self._ended += 1
            self._failed += result.failed
            self._kept += kept

    def state(self) -> BatchState:
        """Return the present state."""
        with self._lock:
            partly = sum(self._weights[clip] * share for clip, share in self._running.items())
            worked, spent_s = self._worked + partly, self._clock() - self._start_s
            left = max(self._all - self._skipped - worked, 0.0)
            analysed = self._ended - self._kept
            return BatchState(
                total=len(self._weights),
                ended=self._ended,
                failed=self._failed,
                kept=self._kept,
                share=(self._skipped + worked) / self._all if self._all else 1.0,
                clips_per_min=60.0 * analysed / spent_s if analysed and spent_s > 0 else math.nan,
                left_s=left * spent_s / worked if worked > 0 else math.nan,
            )
