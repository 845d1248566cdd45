"""What happens in a live session from pose to pose: set-up, countdown, set, report. No thread, no camera, no model.

The report's clock begins with the quiet start before the countdown. When the exercise was not named, it is recognised
after enough was seen, and everything since the beginning is then judged as that exercise.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace

from formcheck import bias, shots
from formcheck.coach import CLEAR, Coaching, CueCoach, Saying, SetupCoach, SetupState, Sight, Tone
from formcheck.coach import Stage as SetupStage
from formcheck.config import Settings
from formcheck.engine import Analyzer
from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.kinematics import CausalKinematics
from formcheck.live.others import Others
from formcheck.pipeline import applied_rules
from formcheck.poselog import PoseLog
from formcheck.recognise import Recognition, recognise
from formcheck.types import Analysis, ClipInfo, Phase, Pose, PoseTrack, Position, Side, ToolInfo, Update

USUAL_YAW_DEG = 35.0  # how far off side-on most exercises can be judged
KEPT_S = 8.0  # of the set-up: the quiet start and the countdown
LOOK_FROM_S = 6.0  # the shortest repetition with its quiet start
LOOK_EVERY_S = 2.5
LOOKS = 2  # that agree
UPRIGHT = (Position.STANDING, Position.ONE_LEG)


class UnrecognisedError(FormcheckError):
    """The exercise was not named and is not recognised for sure; `candidates` are the ids of those it may be."""

    def __init__(self, text: str, candidates: Sequence[str]) -> None:
        super().__init__(text)
        self.candidates = tuple(candidates)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a live session is to do.

    Attributes
    ----------
    exercise : Exercise or None
        None recognises it.
    side : Side or None
        The leg to judge; None judges the near one.
    settings : Settings
    cues : bool
        Whether to say what to change during the set. The report has it anyway.
    setup : bool
        Whether to lead the person to the start first; without it, the set begins with the first frame.
    """

    exercise: Exercise | None = None
    side: Side | None = None
    settings: Settings = field(default_factory=Settings)
    cues: bool = True
    setup: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """What is known after one pose: the set-up's state before the set, the coaching and a notice during it."""

    update: Update
    setup: SetupState | None = None
    coaching: Coaching | None = None
    sayings: tuple[Saying, ...] = ()
    notice: str = ""


class Course:
    """One live session, pose by pose.

    Parameters
    ----------
    plan : Plan
    background : Executor or None
        Where repetitions are judged and the exercise is recognised; None does it in between two poses.
    """

    def __init__(self, plan: Plan, background: Executor | None = None) -> None:
        self._plan = plan
        self._background = background
        self._model = bias.load()
        yaw = plan.exercise.max_yaw_deg if plan.exercise else USUAL_YAW_DEG
        upright = plan.exercise is not None and plan.exercise.position in UPRIGHT
        self._setup = SetupCoach(yaw, self._model, upright=upright) if plan.setup else None
        self._others = Others()
        self._recent: deque[Pose] = deque()
        self._causal = CausalKinematics(self._model)  # until an analyzer has its own
        self._zero_s = self._last_s = math.nan
        self._light = 0.0  # sum over all frames, before the set too
        self._frames = 0
        self._log = PoseLog(compact=True)
        self._analyzer: Analyzer | None = None
        self._coach: CueCoach | None = None
        self._look: Future[Recognition] | None = None
        self._next_look_s = LOOK_FROM_S
        self._looks: list[str] = []
        self._warnings: tuple[str, ...] = ()
        self.exercise = plan.exercise

    @property
    def begun(self) -> bool:
        """Whether the set has begun."""
        return not math.isnan(self._zero_s)

    @property
    def duration_s(self) -> float:
        """Seconds of the set so far; NaN before it begins."""
        return self._last_s - self._zero_s

    def update(self, pose: Pose, brightness: float, sight: Sight = CLEAR) -> Step:
        """Take the next pose, in order of time.

        Parameters
        ----------
        pose : Pose
        brightness : float
            Mean of its picture, 0 to 255.
        sight : Sight
            What else is known of the picture, on the clock of the poses.
        """
        self._last_s = pose.time_s
        self._light += brightness
        self._frames += 1
        if self._setup is not None and not self.begun:
            return self._prepare(self._setup.update(pose, brightness, sight), pose)
        if not self.begun:
            self._begin(pose.time_s)
        step = self._go_on(replace(pose, time_s=pose.time_s - self._zero_s))
        more = self._others.see(sight, self._zero_s)
        return replace(step, sayings=(*step.sayings, *more), notice=self._others.notice(self.duration_s))

    def skip(self) -> tuple[Saying, ...]:
        """End the set-up: the set begins with the pose that came last. Nothing happens when it has begun."""
        if self._setup is None or self.begun or not self._recent:
            return ()
        state = self._setup.skip(self._recent[-1].time_s)
        self._begin(self._setup.still_from_s)
        return state.sayings

    def _prepare(self, state: SetupState, pose: Pose) -> Step:
        measurement, smooth = self._causal.update(pose)
        self._recent.append(pose)
        while pose.time_s - self._recent[0].time_s > KEPT_S:
            self._recent.popleft()
        if state.stage is SetupStage.GO and self._setup is not None:
            self._begin(self._setup.still_from_s)
        return Step(Update(smooth, measurement, Phase.REST, 0), setup=state, sayings=state.sayings)

    def _begin(self, zero_s: float) -> None:
        """Begin the set at this time, with what was seen since."""
        self._zero_s = zero_s
        self._warnings = self._setup.warnings if self._setup is not None else ()
        if self._plan.exercise is not None:
            self._judge_as(self._plan.exercise, 1.0)
        for pose in self._recent:
            if pose.time_s >= zero_s:
                self._go_on(replace(pose, time_s=pose.time_s - zero_s))
        self._recent.clear()

    def _judge_as(self, exercise: Exercise, confidence: float) -> None:
        self.exercise = exercise
        applied = applied_rules(exercise, self._plan.settings)
        self._analyzer = Analyzer(
            exercise,
            applied,
            self._plan.side,
            self._plan.exercise is not None,
            confidence,
            self._model,
            compact=True,
            background=self._background,
        )
        self._note_leaps(self._analyzer)
        self._coach = CueCoach(exercise, applied, self._plan.side, cues=self._plan.cues)

    def _go_on(self, pose: Pose) -> Step:
        if (leap_s := self._others.follow(pose)) is not None and self._analyzer is not None:
            self._analyzer.cut(leap_s)
        poses = self._log if self._analyzer is None else self._analyzer.poses
        poses.brightness = self._light / self._frames
        if self._analyzer is None or self._coach is None:
            self._log.append(pose)
            measurement, smooth = self._causal.update(pose)
            sayings = self._recognised(pose.time_s)
            if not sayings:
                return Step(Update(smooth, measurement, Phase.REST, 0), coaching=Coaching())
            return self._catch_up(sayings)
        update = self._analyzer.update(pose)
        coaching = self._coach.update(update)
        return Step(update, coaching=coaching, sayings=coaching.sayings)

    def _recognised(self, now_s: float) -> tuple[Saying, ...]:
        """Look now and then which exercise it is; what to say once that is known."""
        if self._look is None:
            if now_s < self._next_look_s:
                return ()
            self._next_look_s = now_s + LOOK_EVERY_S
            self._look = self._later(self._log.part(slice(max(0, len(self._log) - shots.LONGEST), None)))
        if not self._look.done():
            return ()
        found, self._look = self._look.result(), None
        self._looks = [*self._looks, found.exercise_id or ""][-LOOKS:]
        if len(self._looks) < LOOKS or not self._looks[-1] or len(set(self._looks)) > 1:
            return ()
        exercise = EXERCISES[self._looks[-1]]
        self._judge_as(exercise, found.confidence)
        return (Saying(f"{exercise.title}.", Tone.GOOD),)

    def _later(self, track: PoseTrack) -> Future[Recognition]:
        if self._background is not None:
            return self._background.submit(recognise, track, self._model)
        future: Future[Recognition] = Future()
        future.set_result(recognise(track, self._model))
        return future

    def _catch_up(self, sayings: tuple[Saying, ...]) -> Step:
        """Give a new analyzer everything since the beginning; only the count is then said of it."""
        assert self._analyzer is not None
        assert self._coach is not None
        self._analyzer.poses.brightness = self._log.brightness
        step: Step | None = None
        for pose in self._log:
            update = self._analyzer.update(pose)
            step = Step(update, coaching=self._coach.update(update))
        self._log = PoseLog(compact=True)
        assert step is not None
        count = (Saying(f"{step.update.rep_count}", Tone.REP),) if step.update.rep_count else ()
        return replace(step, sayings=(*sayings, *count))

    def finish(self, clip: ClipInfo, tool: ToolInfo, exercise: Exercise | None = None) -> Analysis:
        """Judge everything since the set began, by the code that judges recorded clips.

        Parameters
        ----------
        clip, tool
            As for `Analyzer.finish`.
        exercise : Exercise or None
            What the person says it was, after `UnrecognisedError`; may be asked for again with another one.

        Raises
        ------
        UnrecognisedError
            When the exercise was not named and is not recognised.
        """
        poses = self._analyzer.poses if self._analyzer is not None else self._log
        given, confidence = True, 1.0
        chosen = exercise or self._plan.exercise
        if chosen is None:
            given = False
            chosen, confidence = self._decide(recognise(poses, self._model))
        applied = applied_rules(chosen, self._plan.settings)
        whole = Analyzer(chosen, applied, self._plan.side, given, confidence, self._model)
        self._note_leaps(whole)
        whole.adopt(poses)
        self.exercise = chosen
        return whole.finish(clip, tool, (*self._warnings, *self._others.warnings))

    def _note_leaps(self, analyzer: Analyzer) -> None:
        """Let nothing be judged across a leap of the landmarks to somebody else."""
        for time_s in self._others.leaps_s:
            analyzer.cut(time_s)

    def _decide(self, found: Recognition) -> tuple[Exercise, float]:
        """What was done, from the whole set; what was recognised during it where the whole leaves doubts."""
        if found.exercise_id is not None:
            return EXERCISES[found.exercise_id], found.confidence
        if self.exercise is not None:
            own = [item.confidence for item in found.candidates if item.exercise_id == self.exercise.id]
            return self.exercise, max([0.0, *own])
        candidates = [item.exercise_id for item in found.candidates]
        looks = " or ".join(candidates)
        text = found.reason or (f"this looks like {looks}" if looks else "this looks like no exercise that is known")
        raise UnrecognisedError(f"{text}; please say which exercise it was", candidates)
