"""The thread behind a live picture: it analyses the newest frame, and never falls behind.

Who films calls `offer` with each frame, which returns at once, and draws `snapshot` over it. The worker takes the
newest frame when it has done the last, with a landmarker of its own that it makes and closes itself. Between the
threads goes nothing but frames one way and an immutable snapshot the other. Times are those of the frames.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np

from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.people import Searcher
from formcheck.adapters.pose import BackendInfo, PoseBackend
from formcheck.coach import Coaching, Saying, SetupState
from formcheck.errors import FormcheckError
from formcheck.exercises.base import Exercise
from formcheck.live.course import Course, Plan, Step
from formcheck.live.lookout import Lookout
from formcheck.live.places import PLACES, LiveError, Places
from formcheck.live.slot import Slot
from formcheck.pipeline import tool_info
from formcheck.types import Analysis, ClipInfo, Frame, Pose, Update

SILENT_S = 20.0  # without a frame: the camera or the page is gone
LONGEST_S = 3600.0  # then a session ends by itself, which bounds its memory (72 MB of poses)
JOIN_S = 10.0
KEPT_SAYINGS = 12  # for a page that looks a few times a second
RATE_FRAMES = 60  # over which frames a second are counted
NOT_BEGUN = "the set had not begun when the session was stopped; there is nothing to report"
THINNED = 8  # every so many pixels count for the brightness


class Stage(StrEnum):
    """Where a session is."""

    STARTING = "starting"  # the model loads; no frame was analysed yet
    SETUP = "setup"
    SET = "set"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known at one moment; nothing in it changes any more.

    Attributes
    ----------
    stage : Stage
    update : Update or None
        Of the frame analysed last; None before the first.
    setup : SetupState or None
        During the set-up.
    coaching : Coaching or None
        During the set.
    exercise : Exercise or None
        None until it is named or recognised.
    sayings : tuple of (int, Saying)
        The last things to say, with numbers that rise from 1 without a gap.
    frame_time_s : float
        Time of the frame analysed last, on the camera's clock.
    frames : int
        Analysed since the beginning.
    frames_per_s : float
        Analysed lately; NaN before it is known.
    notice : str
        What is wrong with the picture at this moment of the set; empty when nothing is.
    error : str
        Why it failed, or ended by itself; empty otherwise.
    """

    stage: Stage
    update: Update | None = None
    setup: SetupState | None = None
    coaching: Coaching | None = None
    exercise: Exercise | None = None
    sayings: tuple[tuple[int, Saying], ...] = ()
    frame_time_s: float = float("nan")
    frames: int = 0
    frames_per_s: float = float("nan")
    notice: str = ""
    error: str = ""


class LiveSession:
    """One live set. Make a new one for the next set.

    Parameters
    ----------
    plan : Plan
    name : str
        What the report calls the clip.
    open_backend : callable
        Makes the pose backend, in the worker's thread; closed there too.
    open_search : callable or None
        Makes the search for other people (`lookout.open_search`), in a thread of its own; None does not look for any.
    places : Places
        Where a place is taken while the worker runs.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        name: str = "live session",
        open_backend: Callable[[], PoseBackend] = MediaPipeBackend.open,
        open_search: Callable[[], Searcher] | None = None,
        places: Places = PLACES,
    ) -> None:
        self._plan = plan
        self._name = name
        self._open = open_backend
        self._open_search = open_search
        self._places = places
        self._slot = Slot()
        self._lock = threading.Lock()
        self._snapshot = Snapshot(Stage.STARTING, exercise=plan.exercise)
        self._worker: threading.Thread | None = None
        self._skip = threading.Event()
        self._ready = threading.Event()
        self._course: Course | None = None
        self._info: BackendInfo | None = None
        self._size_px = (0, 0)
        self._zero_s = float("nan")
        self._last_s = float("nan")
        self._said = 0

    def start(self) -> Self:
        """Begin; frames may be offered from now on.

        Raises
        ------
        LiveError
            When as many sessions run as this computer can follow, or this one has been started before.
        """
        if self._worker is not None:
            raise LiveError("this live session has been started before; make a new one for the next set")
        self._places.take()
        self._worker = threading.Thread(target=self._work, name="formcheck-live", daemon=True)
        self._worker.start()
        return self

    def offer(self, frame: Frame) -> None:
        """Take a camera's newest frame; returns at once. Frames that come too fast are left out."""
        self._slot.put(frame)

    def wait_until_ready(self, timeout_s: float = 60.0) -> bool:
        """Wait until the model has started, or failed to: for a clip, whose beginning is not to be missed."""
        return self._ready.wait(timeout_s)

    def wait(self, timeout_s: float = 30.0) -> bool:
        """Wait until the frame offered last was analysed: for recordings, of which no frame is to be left out."""
        return self._slot.wait_until_done(timeout_s)

    def snapshot(self) -> Snapshot:
        """What is known now."""
        with self._lock:
            return self._snapshot

    def skip_setup(self) -> None:
        """Begin the set with the next frame, however the set-up stands."""
        self._skip.set()

    def end(self) -> None:
        """Have the session end, without waiting for it."""
        self._slot.close()

    def stop(self) -> None:
        """End the session and wait until its landmarker is closed. Stopping twice is allowed.

        Raises
        ------
        LiveError
            When the worker does not end.
        """
        self._slot.close()
        if self._worker is None:
            return
        self._worker.join(JOIN_S)
        if self._worker.is_alive():
            raise LiveError("the live session does not end; close the page or the program, and start it again")

    @property
    def running(self) -> bool:
        """Whether the worker is at work."""
        return self._worker is not None and self._worker.is_alive()

    @property
    def begun(self) -> bool:
        """Whether the set itself had begun: without it there is nothing to report."""
        return self._course is not None and self._course.begun

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def report(self, exercise: Exercise | None = None) -> Analysis:
        """Stop, and judge the whole set by the code that judges recorded clips.

        Parameters
        ----------
        exercise : Exercise or None
            What the person says it was, where it was not recognised.

        Raises
        ------
        LiveError
            When the set had not begun, or the session failed before it did.
        UnrecognisedError
            When the exercise was not named and is not recognised.
        """
        self.stop()
        if self._course is None or self._info is None or not self._course.begun:
            raise LiveError(
                self.snapshot().error
                or "the set had not begun when the session was stopped; there is nothing to report"
            )
        width, height = self._size_px
        clip = ClipInfo(self._name, self._course.duration_s, 0, width, height, 0, 0.0)
        return self._course.finish(clip, tool_info(self._info), exercise)

    def _work(self) -> None:
        import scipy.ndimage
        import scipy.signal  # noqa: F401 - they come when they are first used, which must not be inside a set

        try:
            with (
                self._open() as backend,
                Lookout(self._open_search) as lookout,
                ThreadPoolExecutor(1, "formcheck-judge") as background,
            ):
                self._info = backend.info
                self._course = Course(self._plan, background)
                self._ready.set()
                why = self._analyze(backend, lookout, self._course)
            self._end(Stage.ENDED, why)
        except FormcheckError as error:
            self._end(Stage.FAILED, str(error))
        except Exception as error:  # must reach the person who stands before the camera, not a log
            self._end(Stage.FAILED, f"internal error ({type(error).__name__}: {error}); please report it")
        finally:
            self._ready.set()
            self._slot.close()
            self._places.give_back()

    def _analyze(self, backend: PoseBackend, lookout: Lookout, course: Course) -> str:
        """Analyse frames until the session is stopped; why it ended by itself, or nothing."""
        rate: deque[float] = deque(maxlen=RATE_FRAMES)
        number = 0
        while (frame := self._slot.take(SILENT_S)) is not None:
            if not self._size_px[0]:
                self._zero_s, self._size_px = frame.time_s, (frame.image.shape[1], frame.image.shape[0])
            time_s = frame.time_s - self._zero_s
            if time_s <= self._last_s:
                continue  # a camera whose clock stands still: the same picture again
            if time_s > LONGEST_S:
                return "the session has lasted an hour, and was ended here; start the next one"
            self._last_s = time_s
            frame_now = replace(frame, index=number, time_s=time_s)
            pose = backend.detect(frame_now)
            sight = lookout.watch(frame_now, pose, begun=course.begun)
            extra = course.skip() if self._skip.is_set() else ()
            brightness = float(frame.image[::THINNED, ::THINNED].mean())
            step = course.update(fitted(pose, self._size_px), brightness, sight)
            rate.append(time_s)
            number += 1
            span_s = rate[-1] - rate[0]
            self._publish(course, step, extra, frame.time_s, number, (len(rate) - 1) / span_s if span_s else np.nan)
        return "" if self._slot.closed else "no picture came from the camera any more"

    def _publish(
        self, course: Course, step: Step, extra: tuple[Saying, ...], frame_s: float, frames: int, rate: float
    ) -> None:
        fresh = []
        for saying in (*extra, *step.sayings):
            self._said += 1
            fresh.append((self._said, saying))
        with self._lock:
            self._snapshot = Snapshot(
                Stage.SET if course.begun else Stage.SETUP,
                step.update,
                step.setup,
                step.coaching,
                course.exercise,
                (*self._snapshot.sayings, *fresh)[-KEPT_SAYINGS:],
                frame_s,
                frames,
                rate,
                step.notice,
            )

    def _end(self, stage: Stage, why: str) -> None:
        with self._lock:
            self._snapshot = replace(self._snapshot, stage=stage, error=why)


def fitted(pose: Pose, size_px: tuple[int, int]) -> Pose:
    """The pose in pixels of another picture size: a web camera may change its own while it films."""
    if pose.size_px == size_px or not all(pose.size_px):
        return pose
    scale = np.array(size_px, dtype=np.float64) / np.array(pose.size_px, dtype=np.float64)
    outline = None if pose.outline_px is None else pose.outline_px * scale
    return replace(pose, size_px=size_px, image_px=pose.image_px * scale, mask=None, outline_px=outline)
