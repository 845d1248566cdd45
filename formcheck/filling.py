"""Poses between those that were sent, for a clip that is read sparsely: `formcheck.sampling` chooses the frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from formcheck import leg_swaps
from formcheck.sampling import SURPRISE
from formcheck.types import FloatArray, Pose, PoseTrack
from formcheck.ways import furthest, trunk_px

# Frames that are filled in at once, about two minutes of them, and poses that were sent on either side of a stretch
# that its curves and outliers may hang on.
STRETCH: Final = 3600
CONTEXT: Final = 8


class Filler:
    """Makes a pose for every frame of those that were sent, stretch by stretch, so that few have to be kept.

    Poses between are points on smooth curves, marked as not estimated: modified Akima splines, which pass a sudden turn
    without ringing and depend on two poses that were sent on either side. Nobody is put between a frame with a person
    and one without, before the first one and after the last one, or across a break.

    Parameters
    ----------
    stretch : int
        Frames that are gathered before any is given.
    first : int
        Index of the first frame.
    """

    def __init__(self, stretch: int = STRETCH, first: int = 0) -> None:
        self._stretch = stretch
        self._first = first  # index of the frame that the next call begins with
        self._times_s: list[float] = []  # from a little before that frame on
        self._start = first  # index of the first of them
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
            off = furthest(line, pose.image_px)
            if off > SURPRISE * trunk_px(one) and off > 2 * furthest(one.image_px, other.image_px):
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
