"""Long recordings: measured and judged in sections, so that memory does not grow with the clip.

What fits in one go (`shots.LONGEST` frames) is judged as one piece by `verdicts.judge`. A longer shot is divided where
the person rests: after a section has been measured, the longest pause in its second half ends it, and the next one
begins there. Each section sees more than its own frames, as a live session does: the quiet start of the shot and what
came shortly before, so that filters have settled, and rest positions are known as well as over the whole. A section's
repetitions and angles are kept; its poses, smoothed, go to where the log keeps its own.

View, warnings and the rules of whole sets are taken over all sections together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from formcheck import kinematics, repetitions, shots, verdicts, view
from formcheck.bias import BiasModel
from formcheck.exercises.base import Exercise
from formcheck.judging_sets import Judged
from formcheck.lumbar import LumbarModel
from formcheck.poselog import PoseLog
from formcheck.reps import Segmentation
from formcheck.roll import Roll
from formcheck.rules.base import AppliedRule
from formcheck.types import CompactColumns, FloatArray, MeasurementTable, NeutralPose, PoseTrack, Rep, Side, View
from formcheck.verdicts import NOBODY, Said, Verdict

# What is seen of a long session besides its newest part: the quiet start, and some time before. The person's own rest
# position, which some rules compare with, is then known as well as over the whole.
OPENING_S = 8.0
CONTEXT_S = 25.0
TAIL_S = 2.0  # before the end of what was measured: a movement that begins there has not shown itself yet
LEAST_SHARE = 0.1  # of what is measured in one go: a section is never shorter


@dataclass(frozen=True, slots=True)
class Request:
    """What a track is judged for; fields as the parameters of `verdicts.judge`."""

    exercise: Exercise
    applied: Sequence[AppliedRule]
    side: Side | None = None
    model: BiasModel | None = None
    back: LumbarModel | None = None


class Kept:
    """What is kept of sections and shots that are done: half of the memory for angles, none for poses."""

    def __init__(self, track: PoseLog) -> None:
        self.track = track
        self._columns: list[CompactColumns] = []
        self._sides: list[Side | None] = []

    def add(self, table: MeasurementTable, track: PoseTrack) -> None:
        """Take the next frames."""
        self._columns.append(CompactColumns(table.columns))
        self._sides += table.near_side
        self.track.extend(track)

    def table(self) -> MeasurementTable:
        """The angles of all frames; may be asked for once."""
        columns = CompactColumns.joined(self._columns)
        sides, self._sides = tuple(self._sides), []
        return MeasurementTable(self.track.time_s, sides, columns)


@dataclass(slots=True)
class Progress:
    """What is known of a long shot up to where its sections are done."""

    reps: list[Rep] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    views: list[tuple[View, int]] = field(default_factory=list)  # with the frames that each speaks for
    leans: list[Roll] = field(default_factory=list)
    pauses_s: list[float] = field(default_factory=list)  # middles of the last section's
    refusals: list[tuple[str, float, float]] = field(default_factory=list)
    too_long_s: list[float] = field(default_factory=list)
    begun_until_s: float | None = None
    cut_off_s: tuple[float, ...] = ()
    found: int = 0  # frames with a person
    neutral: NeutralPose | None = None  # of the first section; the others see the same quiet start


def judge(poses: PoseLog, request: Request, cuts_s: Sequence[float] = ()) -> Verdict:
    """As `verdicts.judge`, for poses of any length.

    Parameters
    ----------
    poses : PoseLog
        Raw, as estimated. The smoothed ones are kept in the same way and place.
    request : Request
    cuts_s : sequence of float
        Times of the first frame after each hard cut.

    Raises
    ------
    OutputError
        When the log's shelf cannot take them.
    """
    exercise, applied, side = request.exercise, request.applied, request.side
    if len(poses) <= shots.LONGEST:
        return verdicts.judge(poses.track(), exercise, applied, side, cuts_s, request.model, request.back)
    kept = Kept(poses.empty())
    parts = []
    time_s = poses.time_s
    for start, stop in shots.spans(time_s, cuts_s):
        if stop - start <= shots.LONGEST:
            raw = poses.part(slice(start, stop))
            said, table, track = verdicts.judge_shot(raw, exercise, applied, side, request.model, request.back)
            kept.add(table, track)
            parts.append(said)
        else:
            parts.append(_judge_long(poses, time_s, (start, stop), request, kept))
    return Verdict.of(parts[0] if len(parts) == 1 else verdicts.join(parts), kept.table(), kept.track)


def _judge_long(poses: PoseLog, time_s: FloatArray, rows: tuple[int, int], request: Request, kept: Kept) -> Said:
    """Judge one shot that is too long for one piece, section by section."""
    progress = Progress()
    begin, (start, stop) = rows[0], rows
    while begin < stop:
        begin = _judge_section(poses, time_s, (start, begin, stop), request, progress, kept)
    span = float(time_s[start]), float(time_s[stop - 1]), stop - start
    if not progress.views:
        reasons = [reason for reason, _, _ in progress.refusals]
        reason = next((reason for reason in reasons if reason != NOBODY), NOBODY)
        return Said(*verdicts.refused(request.exercise, request.applied, reason), *span)
    seen_from = view.over(progress.views, request.exercise.max_yaw_deg)
    found = Segmentation((), progress.cut_off_s, progress.begun_until_s)
    fraction = progress.found / (stop - start)
    outcomes, warnings = verdicts.conclude(
        progress.judged, found, seen_from, progress.leans, fraction, request.exercise, request.applied
    )
    return Said(seen_from, tuple(progress.reps), outcomes, (*_odd(progress), *warnings), *span, progress.neutral)


def _odd(progress: Progress) -> list[str]:
    """Warnings about parts of a long shot."""
    texts = [f"{start:.1f} to {end:.1f} s: {why}" for why, start, end in progress.refusals if why != NOBODY]
    return texts + [
        f"what begins at {moment:.1f} s goes on for too long to be one repetition; it is not counted"
        for moment in progress.too_long_s
    ]


def _judge_section(
    poses: PoseLog, time_s: FloatArray, rows: tuple[int, int, int], request: Request, progress: Progress, kept: Kept
) -> int:
    """Judge the section of a shot (from `rows[0]` to `rows[2]`) that begins at `rows[1]`; returns where it ends."""
    start, begin, stop = rows
    end = min(begin + shots.LONGEST, stop)
    own = poses.part(slice(begin, end))
    seen = np.isfinite(own.image_px[:, 0, 0])
    refusal = verdicts.refusal(own)
    if refusal:
        progress.found += int(seen.sum())
        progress.refusals.append((refusal, float(time_s[begin]), float(time_s[end - 1])))
        measured = kinematics.over_window(own, request.model)
        kept.add(measured.table(), measured.track)
        return end
    del own  # it is read again with what comes before it: two copies would take twice the memory
    spans = _seen(time_s, start, begin, end, progress)
    recent_s = float(time_s[spans[-1][0]])
    stretch = repetitions.look(poses.parts(spans), request.exercise, request.side, request.model)
    first = len(stretch.measured.track) - (end - begin)
    if end < stop:
        end = _ending(stretch.found, time_s, begin, end, progress)
    progress.found += int(seen[: end - begin].sum())
    if begin == start:
        progress.begun_until_s = stretch.found.begun_until_s
    progress.cut_off_s = stretch.found.cut_off_s if end == stop else ()
    low_s, high_s = time_s[begin], time_s[end] if end < len(time_s) else np.inf
    # what seems to begin in the opening began while nobody was seen
    chosen = [
        bounds for bounds in stretch.found.bounds if low_s <= bounds.turn_s < high_s and bounds.start_s >= recent_s
    ]
    judged = repetitions.judge(
        stretch, chosen, request.exercise, request.applied, request.side, request.back, len(progress.reps) + 1
    )
    progress.neutral = progress.neutral or judged.neutral
    progress.reps += judged.reps
    progress.judged += [item.for_sets(request.applied) for item in judged.judged]
    progress.views.append((stretch.view, end - begin))
    progress.leans += [stretch.lean] if stretch.lean.certain else []
    shown = slice(first, first + end - begin)
    kept.add(judged.table.part(shown), stretch.measured.track.part(shown))
    return end


def _seen(time_s: FloatArray, start: int, begin: int, end: int, progress: Progress) -> list[tuple[int, int]]:
    """The rows that a section sees: the shot's quiet start, and from a pause shortly before its own on."""
    if begin == start:
        return [(begin, end)]
    now_s = float(time_s[begin])
    pauses = [at for at in progress.pauses_s if now_s - 2 * CONTEXT_S <= at <= now_s - CONTEXT_S]
    recent = max(start, int(np.searchsorted(time_s, max(pauses, default=now_s - CONTEXT_S))))
    opening_s = float(time_s[start]) + OPENING_S
    if progress.reps:
        opening_s = min(opening_s, progress.reps[0].start_s)
    opening = int(np.searchsorted(time_s, opening_s))
    return [(start, opening), (recent, end)] if start < opening < recent else [(recent, end)]


def _ending(found: Segmentation, time_s: FloatArray, begin: int, end: int, progress: Progress) -> int:
    """Where a section ends whose repetitions are known up to `end`: in the middle of the longest late pause.

    Where one movement goes on through all of it, the section ends with what was measured, and the movement is lost.
    """
    edges = [float(time_s[begin]), *(moment for bounds in found.bounds for moment in (bounds.start_s, bounds.end_s))]
    last_s = float(time_s[end - 1]) - TAIL_S
    if found.under_way_s is not None:
        last_s = min(last_s, found.under_way_s)
    pauses = [*pairwise([*edges, last_s])][::2]
    progress.pauses_s = [(low + high) / 2 for low, high in pauses if low <= high]
    for share in (0.5, LEAST_SHARE):
        from_s = float(time_s[begin + int(share * (end - begin))])
        late = [(max(low, from_s), high) for low, high in pauses if high >= max(low, from_s)]
        if late:
            low, high = max(late, key=lambda pause: pause[1] - pause[0])
            return int(np.searchsorted(time_s, (low + high) / 2))
    if found.under_way_s is not None:
        progress.too_long_s.append(max(found.under_way_s, float(time_s[begin])))
    return end
