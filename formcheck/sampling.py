"""Which frames of a recorded clip the pose network has to see (`--rate auto`), and the poses of those that it does not.

The network takes most of the time that a clip costs, and most of a clip is slow or still. So a frame every sixth of a
second or so is sent, fewer while nothing moves, more where somebody moves fast, where a pose comes as a surprise, and
around a sudden change of the picture. The poses between them lie on smooth curves.

Only decisions and arithmetic live here; `formcheck.sparse` reads the clip. Figures: `benchmarks/rate.py`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from formcheck import leg_swaps
from formcheck.landmarks import side_landmark
from formcheck.rules.base import AppliedRule
from formcheck.types import FloatArray, Outcome, Pose, PoseTrack, Side, Status

JOINTS: Final = tuple(
    int(side_landmark(side, name))
    for side in Side
    for name in ("shoulder", "hip", "knee", "ankle", "heel", "foot_index")
)

TRUNK: Final = tuple(int(side_landmark(side, name)) for side in Side for name in ("shoulder", "hip"))

# Seconds between two frames that are sent. A person's slow movement has hardly anything faster than 2 Hz in it.
STILL_GAP_S: Final = 0.25
MOVING_GAP_S: Final = 0.17
MOVE: Final = 0.25  # trunk lengths that the fastest joint may go between two frames that are sent
# The network looks at a region that it takes from the hips and the trunk of its last pose, and is slow to turn it
# after a body that moves: a hinge of 70 degrees a second read 5 degrees behind. Sent a second time, a frame is seen in
# its own region, and reads as it does when every frame is sent.
AGAIN: Final = 0.06  # trunk lengths since the last pose
AGAIN_GAP_S: Final = 0.07  # after a shorter time the region is as near as it ever is
MISSED: Final = 0.35  # trunk lengths between two poses from which on frames between them are sent as well
SETTLED: Final = 0.15  # trunk lengths between two looks at a frame; more, and it is looked at once more
SURPRISE: Final = 0.3  # trunk lengths by which a pose may miss where the last two led to
DENSE: Final = 5  # frames in a row that are sent after a surprise or a leap
SEARCH_S: Final = 1.0  # every frame is sent for so long after the person was lost

NARROW_SIGMAS: Final = 0.5  # a fault by less than this is read again at the full rate

# Frames that are filled in at once, about two minutes of them, and poses that were sent on either side of a stretch
# that its curves and outliers may hang on.
STRETCH: Final = 3600
CONTEXT: Final = 8

# A leap: the cells of the thumbnail that change most change several times as much as in any of the last frames.
LEAP_RATIO: Final = 3.0
LEAP_LEVELS: Final = 30.0  # of 255
LEAP_CELLS: Final = 60  # of 2304: about a limb
LEAP_FRAMES: Final = 3


Skipped = TypeVar("Skipped")


class Sampler:
    """Decides frame by frame whether the network has to see it; for one pass over one clip.

    Attributes
    ----------
    leapt : bool
        Whether the picture leapt from the frame before to the one that `wants` was last asked about. The pose before a
        leap is needed too, if there is none yet: curves must not round it off.
    """

    def __init__(self) -> None:
        self.leapt = False
        self._sent: Pose | None = None
        self._sent_thumbnail: FloatArray | None = None
        self._before: Pose | None = None  # sent before `_sent`
        self._last_thumbnail: FloatArray | None = None
        self._changes: deque[float] = deque(maxlen=LEAP_FRAMES)
        self._dense = 0
        self._lost_s = -math.inf

    def wants(self, time_s: float, thumbnail: FloatArray) -> bool:
        """Whether to send this frame.

        Parameters
        ----------
        time_s : float
        thumbnail : ndarray
            Small picture of the frame (`adapters.cuts.thumbnail`).
        """
        self.leapt = self._leaps(thumbnail)
        if self.leapt:
            self._dense = DENSE
        sent = self._sent
        if sent is None or self._dense > 0:
            return True
        if self._sent_thumbnail is not None and np.array_equal(thumbnail, self._sent_thumbnail):
            return False  # an exact copy
        elapsed_s = time_s - sent.time_s
        if not sent.found:
            return time_s - self._lost_s < SEARCH_S or elapsed_s >= MOVING_GAP_S - 1e-6
        speed = self._speed()
        usual = MOVING_GAP_S if speed * MOVING_GAP_S > AGAIN / 2 else STILL_GAP_S
        return elapsed_s >= min(usual, MOVE / max(speed, 1e-6)) - 1e-6

    def again(self, pose: Pose) -> bool:
        """Whether the frame of this pose should be sent once more, because the trunk has moved since the last one."""
        sent = self._sent
        return sent is not None and pose.time_s - sent.time_s > AGAIN_GAP_S and moved(sent, pose, TRUNK) > AGAIN

    def missed(self, pose: Pose, skipped: Sequence[Skipped]) -> list[Skipped]:
        """Frames to send after all, evenly spread, because the person moved further than was to be expected.

        Parameters
        ----------
        pose : Pose
            Of the frame that was just sent.
        skipped : sequence
            The frames between it and the one sent before, in order of time.
        """
        sent = self._sent
        if sent is None or not skipped:
            return []
        way = moved(sent, pose)
        if not MISSED < way < math.inf:
            return []
        count = min(math.ceil(way / MOVE) - 1, len(skipped))
        places = np.linspace(-1, len(skipped), count + 2)[1:-1].round().astype(int)
        return [skipped[place] for place in np.unique(places).tolist()]

    def saw(self, pose: Pose, thumbnail: FloatArray) -> None:
        """Take the pose of a frame that was sent."""
        self._dense = max(0, self._dense - 1)
        if self._is_surprise(pose):
            self._dense = DENSE
        if not pose.found and (self._sent is None or self._sent.found):
            self._lost_s = pose.time_s
        self._before, self._sent, self._sent_thumbnail = self._sent, pose, thumbnail

    def _leaps(self, thumbnail: FloatArray) -> bool:
        last, self._last_thumbnail = self._last_thumbnail, thumbnail
        if last is None:
            return False
        cells = np.abs(thumbnail - last).ravel()
        change = float(np.partition(cells, -LEAP_CELLS)[-LEAP_CELLS:].mean())
        usual = max(self._changes, default=math.inf)
        self._changes.append(change)
        return change > max(LEAP_LEVELS, LEAP_RATIO * usual)

    def _speed(self) -> float:
        """Of the fastest joint, in trunk lengths a second; inf when it is not known."""
        before, sent = self._before, self._sent
        if before is None or sent is None or sent.time_s <= before.time_s:
            return math.inf
        return moved(before, sent) / (sent.time_s - before.time_s)

    def _is_surprise(self, pose: Pose) -> bool:
        before, sent = self._before, self._sent
        if before is None or sent is None or not (before.found and sent.found and pose.found):
            return False
        share = (pose.time_s - sent.time_s) / (sent.time_s - before.time_s)
        led_to = sent.image_px + min(share, 1.0) * (sent.image_px - before.image_px)
        return _furthest(led_to, pose.image_px) > SURPRISE * trunk_px(pose)


def moved(one: Pose, other: Pose, joints: Sequence[int] = JOINTS) -> float:
    """Way of the joint that moved furthest between two poses, in trunk lengths; inf when one is missing."""
    if not (one.found and other.found):
        return math.inf
    trunk = max(trunk_px(one), trunk_px(other))
    return _furthest(one.image_px, other.image_px, joints) / trunk if trunk > 0 else math.inf


def _furthest(one: FloatArray, other: FloatArray, joints: Sequence[int] = JOINTS) -> float:
    """Largest distance of a joint between two sets of landmarks, pixels."""
    return float(np.nanmax(np.linalg.norm((one - other)[list(joints)], axis=1)))


def trunk_px(pose: Pose) -> float:
    """Length of the longer side of the trunk, shoulder to hip, pixels."""
    sides = [
        pose.image_px[side_landmark(side, "shoulder")] - pose.image_px[side_landmark(side, "hip")] for side in Side
    ]
    return float(np.linalg.norm(sides, axis=1).max())


class Filler:
    """Makes a pose for every frame of those that were sent, stretch by stretch, so that few have to be kept.

    Poses between are points on smooth curves, marked as not estimated: modified Akima splines, which pass a sudden turn
    without ringing and depend on two poses that were sent on either side. Nobody is put between a frame with a person
    and one without, before the first one and after the last one, or across a break.

    Parameters
    ----------
    stretch : int
        Frames that are gathered before any is given.
    """

    def __init__(self, stretch: int = STRETCH) -> None:
        self._stretch = stretch
        self._first = 0  # index of the frame that the next call begins with
        self._times_s: list[float] = []  # from a little before that frame on
        self._start = 0  # index of the first of them
        self._sent: dict[int, Pose] = {}
        self._breaks_s: list[float] = []

    def frame(self, time_s: float, *, breaks: bool = False) -> None:
        """The next frame's time; `breaks` when no curve may cross into it: the first one after a leap."""
        self._times_s.append(time_s)
        if breaks:
            self._breaks_s.append(time_s)

    def sent(self, pose: Pose) -> None:
        """The pose of a frame that was sent: the newest one, or one since the last that was sent before it."""
        self._sent[pose.index] = pose

    def has(self, index: int) -> bool:
        """Whether this frame was sent, of the newest ones."""
        return index in self._sent

    def ready(self) -> tuple[Pose, ...]:
        """The poses of a stretch, once it is long enough; mostly none."""
        if self._start + len(self._times_s) - self._first < self._stretch or len(self._sent) <= 2 * CONTEXT:
            return ()
        known = sorted(self._sent)
        end, keep_from = known[-CONTEXT], known[-2 * CONTEXT]
        if end <= self._first:
            return ()
        poses = self._filled()[self._first - self._start : end - self._start]
        self._first = end
        self._times_s = self._times_s[keep_from - self._start :]
        self._sent = {index: pose for index, pose in self._sent.items() if index >= keep_from}
        self._start = keep_from
        return poses

    def rest(self) -> tuple[Pose, ...]:
        """The poses that have not been given yet, at the clip's end."""
        poses = self._filled()[self._first - self._start :] if self._sent else ()
        self._first = self._start + len(self._times_s)
        return poses

    def _filled(self) -> tuple[Pose, ...]:
        """All that is kept: poses that were sent, and those between."""
        sent = _own_legs(self._sent)
        known = _without_outliers(sorted(sent), sent)
        size_px = sent[known[0]].size_px
        moments = np.array(self._times_s)
        poses = [Pose.missing(self._start + row, moment, size_px) for row, moment in enumerate(self._times_s)]
        for index in known:
            poses[index - self._start] = sent[index]
        for run in _runs(known, sent, self._breaks_s):
            for pose in _curve(moments, self._start, [sent[index] for index in run]):
                poses[pose.index - self._start] = pose
        return tuple(poses)


def _own_legs(sent: Mapping[int, Pose]) -> dict[int, Pose]:
    """Exchanged legs put right before curves join them: halfway between the two legs there is none."""
    indexes = sorted(sent)
    track = leg_swaps.repair(PoseTrack.from_poses([sent[index] for index in indexes]))
    own = {}
    for row, index in enumerate(indexes):
        pose = sent[index]
        if pose.found:
            pose = replace(
                pose, image_px=track.image_px[row], world_m=track.world_m[row], visibility=track.visibility[row]
            )
            if pose.patches is not None and track.patches is not None:
                pose = replace(pose, patches=track.patches[row])
        own[index] = pose
    return own


def _without_outliers(known: Sequence[int], sent: Mapping[int, Pose]) -> list[int]:
    """Leave out single poses far off the line between two that agree.

    Where every frame is sent, such a one is an outlier that filters take out; with curves through it, it would be a
    movement.
    """
    kept = list(known[:1])
    for index, after in pairwise(known[1:]):
        one, pose, other = sent[kept[-1]], sent[index], sent[after]
        if one.found and pose.found and other.found:
            share = (pose.time_s - one.time_s) / (other.time_s - one.time_s)
            line = one.image_px + share * (other.image_px - one.image_px)
            off = _furthest(line, pose.image_px)
            if off > SURPRISE * trunk_px(one) and off > 2 * _furthest(one.image_px, other.image_px):
                continue
        kept.append(index)
    return kept + list(known[1:])[-1:]


def _runs(known: Sequence[int], sent: Mapping[int, Pose], breaks_s: Sequence[float]) -> list[list[int]]:
    """Stretches of frames that were sent, with a person in each and no break inside."""
    runs: list[list[int]] = [[]]
    for before, index in pairwise([known[0], *known]):
        if any(sent[before].time_s < at <= sent[index].time_s for at in breaks_s) or not sent[index].found:
            runs.append([])
        if sent[index].found:
            runs[-1].append(index)
    return [run for run in runs if len(run) > 1]


def _curve(time_s: FloatArray, start: int, run: Sequence[Pose]) -> Iterator[Pose]:
    """The poses between those of one run; `time_s` has the frames' times from the frame `start` on."""
    packed = np.stack([np.column_stack([pose.image_px, pose.world_m, pose.visibility]) for pose in run])
    rows = np.array([pose.index - start for pose in run])
    between = np.setdiff1d(np.arange(rows[0], rows[-1]), rows)
    if not between.size:
        return
    moments, wanted = time_s[rows], time_s[between]
    if len(run) > 3 and np.isfinite(packed).all():
        values = Akima1DInterpolator(moments, packed, axis=0, method="makima")(wanted)
    else:
        flat = packed.reshape(len(run), -1)
        columns = [np.interp(wanted, moments, flat[:, column]) for column in range(flat.shape[1])]
        values = np.stack(columns, axis=1).reshape(len(between), *packed.shape[1:])
    for row, value in zip(between.tolist(), values, strict=True):
        yield Pose(
            start + row,
            float(time_s[row]),
            run[0].size_px,
            np.ascontiguousarray(value[:, :2]),
            np.ascontiguousarray(value[:, 2:5]),
            np.clip(value[:, 5], 0.0, 1.0),
            estimated=False,
        )


def has_narrow_fault(outcomes: Sequence[Outcome], applied: Sequence[AppliedRule]) -> bool:
    """Whether a value is a fault by so little that a pose between two frames may have made it one.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of a clip that was read sparsely.
    applied : sequence of AppliedRule
        What they were judged by.
    """
    by_rule = {item.rule.id: item for item in applied}
    for outcome in outcomes:
        if outcome.status is Status.FAULT:
            past = by_rule[outcome.rule].rule.direction.excess(outcome.measured, outcome.limit)
            if past < (1.0 + NARROW_SIGMAS) * outcome.sigma:
                return True
    return False
