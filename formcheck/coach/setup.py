"""Before the set: is the whole person in the picture, side-on, near and bright enough? Then hold still, and go.

One instruction at a time, the most basic first. An instruction stands until another problem has lasted for a moment, so
that it can be read and acted on. What formcheck can do without (a perfect side view, more light) is asked for only so
long: somebody who lies face down cannot press a button.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from formcheck import bias, kinematics, view
from formcheck.bias import BiasModel
from formcheck.coach.sight import CLEAR, Sight
from formcheck.coach.voice import Saying, Tone
from formcheck.geometry import length
from formcheck.landmarks import side_landmark
from formcheck.types import FloatArray, Pose, PoseTrack, Side

STEADY_S = 0.7  # a new problem must last this long before the instruction changes
SHOWN_S = 1.5  # and the old instruction has been up this long
REPEAT_S = 8.0  # said again when nothing has changed
STILL_S = 2.0  # of a quiet start: what the lower back and the neck are compared with
COUNTDOWN = 3
LOST_S = 1.0  # out of the picture for so long during the countdown: back to the start
PATIENCE_S = 25.0  # then it goes on without what it can do without

MIN_VISIBILITY = 0.5  # as `formcheck.kinematics`
EDGE_SHARE = 0.01
DARK = 35.0  # mean brightness, 0 to 255, below which clips of people were read wrongly (`formcheck.pipeline`)
# Of the picture's shorter side, from ear to ankle along the body. A judgement: the rendered clips have 0.65 and more,
# and a landmark's error of some pixels turns a shorter foot by more degrees than the ankle's limits allow.
SMALL = 0.35
YAW_MARGIN_DEG = 5.0  # while turning towards the side view, the last degrees need not be exact
STILL_SHARE = 0.06  # of the body's length, that hip, knee, ankle and shoulder may wander while "still"
VOTE_MEMORY = 0.1
# From the vertical, shoulder to ankle, of somebody who is to stand: a rendered Romanian deadlift has at most 12 as it
# is and at least 78 when its picture is turned; somebody who touches their toes has about 35.
SIDEWAYS_DEG = 60.0

BODY = ("ear", "shoulder", "hip", "knee", "ankle")
FOOT = ("heel", "foot_index")
QUIET = ("shoulder", "hip", "knee", "ankle")


class Problem(StrEnum):
    """What keeps a set from being judged, most basic first."""

    NOBODY = "nobody"
    DARK = "dark"
    SIDEWAYS = "sideways"
    OTHERS = "others"
    HEAD = "head"
    FEET = "feet"
    CUT = "cut"
    HIDDEN = "hidden"
    FAR = "far"
    TURNED = "turned"


SAY = {
    Problem.NOBODY: "Step into the picture, with your whole body.",
    Problem.DARK: "It is too dark. Please switch on a light.",
    Problem.SIDEWAYS: "The picture lies on its side. Turn the phone or camera upright.",
    Problem.OTHERS: "Two people are in the picture. Ask the other to step out, or turn the camera away from them.",
    Problem.HEAD: "Your head is out of the picture. Move back a little, or tilt the camera.",
    Problem.FEET: "I cannot see your feet. Move back a little, or tilt the camera.",
    Problem.CUT: "Part of you is out of the picture. Move to its middle, or further back.",
    Problem.HIDDEN: "Something hides part of your body. Clear the view from hip to toes.",
    Problem.FAR: "You are far away. Come nearer to the camera.",
    Problem.TURNED: "Turn side-on to the camera.",
}
WITHOUT = {
    Problem.DARK: "it was dark when the set began: angles are less exact",
    Problem.FAR: "the person was small in the picture: angles are less exact",
    Problem.TURNED: "the camera was not side-on when the set began",
    Problem.SIDEWAYS: "the picture lay on its side when the set began",
    Problem.OTHERS: "two people were in the picture when the set began; the wrong one may have been judged",
    Problem.HEAD: "the head was out of the picture when the set began",
    Problem.HIDDEN: "part of the body was hidden when the set began",
}
HOLD_STILL = "Good. Hold still for two seconds."
GO = "Go."


class Stage(StrEnum):
    """How far the set-up is."""

    PLACING = "placing"
    STILL = "still"
    COUNTDOWN = "countdown"
    GO = "go"


@dataclass(frozen=True, slots=True)
class SetupState:
    """What to show and say at one frame.

    Attributes
    ----------
    stage : Stage
    text : str
        The one instruction.
    problem : Problem or None
        What it is about.
    still_share : float
        How much of the quiet start is done, 0 to 1.
    count : int
        3, 2, 1 in the countdown; else 0.
    sayings : tuple of Saying
        New at this frame.
    """

    stage: Stage
    text: str
    problem: Problem | None = None
    still_share: float = 0.0
    count: int = 0
    sayings: tuple[Saying, ...] = ()


class SetupCoach:
    """Leads one person to the start of a set.

    Parameters
    ----------
    max_yaw_deg : float
        How far from side-on the exercise can be judged.
    model : BiasModel or None
        The landmarks' systematic error, to be removed from the camera's turn.
    upright : bool
        Whether the exercise begins upright: somebody who seems to lie then stands in a picture on its side.
    """

    def __init__(self, max_yaw_deg: float = 35.0, model: BiasModel | None = None, *, upright: bool = False) -> None:
        self._max_yaw_deg = max_yaw_deg
        self._upright = upright
        self._model = model
        self._stage = Stage.PLACING
        self._shown: Problem | None = None
        self._shown_s = self._candidate_s = self._said_s = -math.inf
        self._candidate: Problem | None = None
        self._began = False
        self._asked: dict[Problem, float] = {}  # since when
        self._waived: list[Problem] = []
        self._vote = 0.0
        self._points: deque[tuple[float, FloatArray, float]] = deque()
        self._go_s = math.inf
        self._counted = COUNTDOWN + 1
        self._seen_s = -math.inf
        self.still_from_s = math.nan

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the set began without, for its report."""
        return tuple(WITHOUT[problem] for problem in self._waived)

    def update(self, pose: Pose, brightness: float, sight: Sight = CLEAR) -> SetupState:
        """Take the next pose, the mean brightness of its picture (0 to 255), and what else is known of it."""
        now = pose.time_s
        if pose.found:
            self._seen_s = now
        if self._stage is Stage.GO:
            return SetupState(Stage.GO, GO)
        if self._stage is Stage.COUNTDOWN:
            return self._count_down(now)
        sayings = self._steady(self._problem(pose, brightness, sight), now)
        if self._shown is not None:
            self._points.clear()
            return SetupState(Stage.PLACING, SAY[self._shown], self._shown, sayings=sayings)
        share = self._still_share(pose)
        if share >= 1.0:
            self._stage, self._go_s, self.still_from_s = Stage.COUNTDOWN, now + COUNTDOWN, now - STILL_S
            return self._count_down(now)
        return SetupState(Stage.STILL, HOLD_STILL, still_share=share, sayings=sayings)

    def skip(self, time_s: float) -> SetupState:
        """Begin the set now, at the person's own wish."""
        self._stage = Stage.GO
        self.still_from_s = time_s
        return SetupState(Stage.GO, GO, sayings=(Saying(GO, Tone.START, urgent=True),))

    def _steady(self, problem: Problem | None, now: float) -> tuple[Saying, ...]:
        """Change the instruction when it has to; what to say then."""
        if problem is not self._candidate:
            self._candidate, self._candidate_s = problem, now
        settled = now - self._candidate_s >= STEADY_S and now - self._shown_s >= SHOWN_S
        changed = not self._began or (settled and self._candidate is not self._shown)
        if changed:
            self._began, self._shown, self._shown_s = True, problem, now
        if self._shown is not None:
            since = self._asked.setdefault(self._shown, now)
            if self._shown in WITHOUT and self._shown not in self._waived and now - since > PATIENCE_S:
                self._waived.append(self._shown)
        if not changed and now - self._said_s < REPEAT_S:
            return ()
        self._said_s = now
        if self._shown is None:
            return (Saying(HOLD_STILL, Tone.GOOD, urgent=True),) if changed else ()
        return (Saying(SAY[self._shown], Tone.CUE, urgent=changed),)

    def _count_down(self, now: float) -> SetupState:
        if now - self._seen_s > LOST_S:
            self._stage, self._counted, self._began = Stage.PLACING, COUNTDOWN + 1, True
            self._points.clear()
            self._shown, self._shown_s, self._said_s = Problem.NOBODY, now, now
            return SetupState(
                Stage.PLACING, SAY[self._shown], self._shown, sayings=(Saying(SAY[self._shown], Tone.CUE, True),)
            )
        left = math.ceil(self._go_s - now)
        if left <= 0:
            self._stage = Stage.GO
            return SetupState(Stage.GO, GO, sayings=(Saying(GO, Tone.START, urgent=True),))
        fresh = left < self._counted
        self._counted = left
        sayings = (Saying(f"{left}", Tone.TICK, urgent=True),) if fresh else ()
        return SetupState(Stage.COUNTDOWN, "Get ready.", count=left, still_share=1.0, sayings=sayings)

    def _problem(self, pose: Pose, brightness: float, sight: Sight) -> Problem | None:
        """The most basic problem of a frame that has not been given up on."""
        return next((found for found in self._problems(pose, brightness, sight) if found not in self._waived), None)

    def _problems(self, pose: Pose, brightness: float, sight: Sight) -> list[Problem]:
        first = [Problem.DARK] if brightness < DARK else []
        if sight.turned or (self._upright and _lean_deg(pose) > SIDEWAYS_DEG):
            first.append(Problem.SIDEWAYS)
        if not pose.found:
            return [*first, Problem.NOBODY]  # in the dark, light is what is missing
        if sight.others_s is not None:
            first.append(Problem.OTHERS)
        track = PoseTrack.from_poses([pose])
        self._vote += VOTE_MEMORY * (float(view.near_side_votes(track)[0]) - self._vote)
        side = Side.RIGHT if self._vote > 0 else Side.LEFT
        found = [*first, *_out_of_sight(pose, side)]
        if _body_px(pose, side) < SMALL * min(pose.size_px):
            found.append(Problem.FAR)
        limit = self._max_yaw_deg + (0.0 if self._shown is Problem.TURNED else YAW_MARGIN_DEG)
        if self._yaw_deg(track) > limit:
            found.append(Problem.TURNED)
        return found

    def _yaw_deg(self, track: PoseTrack) -> float:
        yaw = view.yaw_per_frame(track)
        if self._model is not None:
            sign = np.sign(np.array([self._vote]))
            yaw = bias.corrected_yaw(yaw, kinematics.landmark_errors(track, sign, self._model))
        return float(yaw[0])

    def _still_share(self, pose: Pose) -> float:
        """How much of the quiet start is done; a movement begins it again."""
        side = Side.RIGHT if self._vote > 0 else Side.LEFT
        points = np.stack([pose.image_px[side_landmark(side, name)] for name in QUIET])
        self._points.append((pose.time_s, points, _body_px(pose, side)))
        while True:
            stacked = np.stack([item[1] for item in self._points])
            moved = float(np.nanmax(np.ptp(stacked, axis=0))) / max(self._points[-1][2], 1e-9)
            if moved <= STILL_SHARE or len(self._points) == 1:
                break
            self._points.popleft()
        return min(1.0, (pose.time_s - self._points[0][0]) / STILL_S)


def _out_of_sight(pose: Pose, side: Side) -> list[Problem]:
    """What of the side that faces the camera is outside the picture, or hidden."""
    width, height = pose.size_px
    edge = EDGE_SHARE * min(width, height)
    outside, hidden = set(), set()
    for name in (*BODY, *FOOT):
        number = side_landmark(side, name)
        x, y = pose.image_px[number]
        if not (edge <= x < width - edge and edge <= y < height - edge):  # also for NaN
            outside.add(name)
        elif pose.visibility[number] < MIN_VISIBILITY:
            hidden.add(name)
    found = []
    if outside & {"ear"}:
        found.append(Problem.HEAD)
    if outside & {"ankle", *FOOT} and not outside & {"shoulder", "hip"}:
        found.append(Problem.FEET)
    elif outside - {"ear"}:
        found.append(Problem.CUT)
    if hidden & {"shoulder", "hip", "knee", "ankle", *FOOT}:
        found.append(Problem.HIDDEN)
    return found


def _lean_deg(pose: Pose) -> float:
    """Angle of the line from shoulders to ankles with the vertical, 0 to 180 degrees; NaN where unseen."""
    shoulder, ankle = (
        np.mean([pose.image_px[side_landmark(side, name)] for side in Side], axis=0) for name in ("shoulder", "ankle")
    )
    across, down = (ankle - shoulder).tolist()
    return math.degrees(math.atan2(abs(across), down))


def _body_px(pose: Pose, side: Side) -> float:
    """Length of the body from ear to ankle along its joints, pixels."""
    points = np.stack([pose.image_px[side_landmark(side, name)] for name in BODY])
    return float(np.nansum(length(np.diff(points, axis=0))))
