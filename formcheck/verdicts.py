"""From a finished track of poses to repetitions, outcomes and warnings.

This is the only place where verdicts are made: over a whole recording, over each section of a long one
(`formcheck.sections`), or, in a live session, over what was seen until a repetition ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from formcheck import judging, judging_sets, kinematics, repetitions, shots
from formcheck.bias import BiasModel
from formcheck.exercises.base import Exercise
from formcheck.judging_sets import Judged
from formcheck.lumbar import LumbarModel
from formcheck.reps import Segmentation
from formcheck.roll import Roll
from formcheck.rules.base import AppliedRule
from formcheck.types import Kind, MeasurementTable, NeutralPose, Outcome, PoseTrack, Rep, Side, Track, View

MIN_FOUND_FRACTION = 0.9  # below this a clip has too little of the person to be trusted silently
LEANS = "the camera leans by {:.0f} deg; that has been taken out of the angles (set it upright next time)"
NOBODY = "nobody was found in the clip; film the whole body in good light"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a shot, or of all of them together, from its first frame to its last one."""

    view: View
    reps: tuple[Rep, ...]
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]
    start_s: float
    end_s: float
    frames: int
    neutral: NeutralPose | None = None

    @property
    def duration_s(self) -> float:
        """From the first frame to the last one."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a finished stretch of poses says."""

    view: View
    reps: tuple[Rep, ...]
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]
    table: MeasurementTable
    track: Track
    neutral: NeutralPose | None = None

    @classmethod
    def of(cls, said: Said, table: MeasurementTable, track: Track) -> Verdict:
        """What was said, with what it was measured from."""
        return cls(said.view, said.reps, said.outcomes, said.warnings, table, track, said.neutral)


Shot = tuple[Said, MeasurementTable, PoseTrack]


def judge(
    track: PoseTrack,
    exercise: Exercise,
    applied: Sequence[AppliedRule],
    side: Side | None = None,
    cuts_s: Sequence[float] = (),
    model: BiasModel | None = None,
    back: LumbarModel | None = None,
) -> Verdict:
    """Find and judge every repetition or hold in a finished track.

    Parameters
    ----------
    track : PoseTrack
        Raw, as estimated.
    exercise : Exercise
    applied : sequence of AppliedRule
    side : Side or None
        The leg to judge; None judges the near one.
    cuts_s : sequence of float
        Times of the first frame after each hard cut. Each shot between them is judged on its own.
    model : BiasModel or None
        The landmarks' systematic error, to be removed; None removes nothing.
    back : LumbarModel or None
        From the outline of the back to lumbar flexion; None takes the shipped one.
    """
    parts = [judge_shot(shot, exercise, applied, side, model, back) for shot in shots.split(track, cuts_s)]
    if len(parts) == 1:
        return Verdict.of(*parts[0])
    table = join_tables([table for _, table, _ in parts])
    return Verdict.of(join([said for said, _, _ in parts]), table, shots.join([track for _, _, track in parts]))


def judge_shot(
    track: PoseTrack,
    exercise: Exercise,
    applied: Sequence[AppliedRule],
    side: Side | None = None,
    model: BiasModel | None = None,
    back: LumbarModel | None = None,
) -> Shot:
    """Find and judge every repetition or hold in one shot; parameters as for `judge`."""
    span = (float(track.time_s[0]), float(track.time_s[-1]), len(track)) if len(track) else (math.nan, math.nan, 0)
    if reason := refusal(track):
        measured = kinematics.over_window(track, model)
        return Said(*refused(exercise, applied, reason), *span), measured.table(), measured.track
    stretch = repetitions.look(track, exercise, side, model)
    found = repetitions.judge(stretch, stretch.found.bounds, exercise, applied, side, back)
    fraction = float(np.isfinite(track.image_px[:, 0, 0]).mean())
    leans = [stretch.lean] if stretch.lean.certain else []
    outcomes, warnings = conclude(found.judged, stretch.found, stretch.view, leans, fraction, exercise, applied)
    said = Said(stretch.view, found.reps, outcomes, warnings, *span, found.neutral)
    return said, found.table, stretch.measured.track


def refusal(track: PoseTrack) -> str:
    """Why nothing in a raw track can be judged; empty when there may be something."""
    if len(track) == 0 or not np.isfinite(track.image_px).any():
        return NOBODY
    return shots.unusable(track)


def refused(
    exercise: Exercise, applied: Sequence[AppliedRule], reason: str
) -> tuple[View, tuple[Rep, ...], tuple[Outcome, ...], tuple[str, ...]]:
    """What is said of a shot in which nothing can be judged: the first fields of `Said`."""
    return View(math.nan, None, False, False, reason), (), _all_unjudged(applied, exercise, reason), (reason,)


def conclude(
    judged: Sequence[Judged],
    found: Segmentation,
    seen_from: View,
    leans: Sequence[Roll],
    fraction: float,
    exercise: Exercise,
    applied: Sequence[AppliedRule],
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """All outcomes of a shot and its warnings, once its repetitions are judged.

    Parameters
    ----------
    judged : sequence of Judged
        All repetitions of the shot, in order of time.
    found : Segmentation
    seen_from : View
    leans : sequence of Roll
        Those that were taken out of the angles, of each part of the shot.
    fraction : float
        Of the frames in which a person was found.
    exercise : Exercise
    applied : sequence of AppliedRule
    """
    outcomes = [outcome for item in judged for outcome in item.outcomes]
    outcomes.extend(judging_sets.judge_set(judged, exercise, applied))
    if not judged:
        begun = found.begun_until_s
        nothing = _none_found(exercise) if begun is None else _begun_before(exercise, begun)
        outcomes.extend(_all_unjudged(applied, exercise, seen_from.reason or nothing))
    warnings = _warnings(exercise, found, bool(judged), seen_from, fraction)
    if leans:
        warnings = (*warnings, LEANS.format(abs(float(np.median([lean.deg for lean in leans])))))
    return tuple(outcomes), warnings


def join(parts: Sequence[Said]) -> Said:
    """Put what is said of shots together: repetitions numbered through, what was not judged with its time span."""
    any_rep = any(part.reps for part in parts)
    finished: list[Rep] = []
    outcomes: list[Outcome] = []
    cuts = [part.start_s for part in parts[1:]]
    warnings = [f"the clip has cuts, at {_seconds(cuts)}; each part between them was judged on its own"]
    if all(part.duration_s < shots.MIN_SHOT_S and not part.reps for part in parts):
        # nothing but moments: that nothing was judged must still be said
        shown = [max(parts, key=lambda part: part.duration_s)]
    else:
        shown = [part for part in parts if part.reps or not _is_passed_over(part, any_rep)]
    warnings.extend(_warnings_of_parts(shown))
    for part in shown:
        for outcome in part.outcomes:
            number = None if outcome.rep is None else outcome.rep + len(finished)
            spanned = outcome
            if not math.isfinite(outcome.start_s):
                spanned = replace(outcome, start_s=part.start_s, end_s=part.end_s)
            outcomes.append(replace(spanned, rep=number))
        finished.extend([replace(rep, number=rep.number + len(finished)) for rep in part.reps])
    best = max(parts, key=lambda part: (len(part.reps), part.view.usable, part.frames))
    span = parts[0].start_s, parts[-1].end_s, sum(part.frames for part in parts)
    return Said(best.view, tuple(finished), tuple(outcomes), tuple(warnings), *span, best.neutral)


def join_tables(tables: Sequence[MeasurementTable]) -> MeasurementTable:
    """Put the tables of consecutive stretches together."""
    return MeasurementTable(
        np.concatenate([table.time_s for table in tables]),
        tuple(side for table in tables for side in table.near_side),
        {name: np.concatenate([table.columns[name] for table in tables]) for name in tables[0].columns},
    )


def _warnings_of_parts(parts: Sequence[Said]) -> list[str]:
    """Each warning once, with the time spans of all the parts that it holds for, in order of the first."""
    spans: dict[str, list[str]] = {}
    for part in parts:
        for text in part.warnings:
            spans.setdefault(text, []).append(f"{part.start_s:.1f} to {part.end_s:.1f}")
    return [f"{', '.join(where)} s: {text}" for text, where in spans.items()]


def _is_passed_over(part: Said, any_rep: bool) -> bool:
    """Whether a shot without repetitions is a pause, or a moment between two cuts."""
    return part.duration_s < shots.MIN_SHOT_S or (part.view.usable and any_rep)


def _seconds(times: Sequence[float]) -> str:
    return ", ".join(f"{moment:.1f}" for moment in times) + " s"


def _what(exercise: Exercise) -> str:
    return "hold" if exercise.kind is Kind.HOLD else "repetition"


def _begun_before(exercise: Exercise, until_s: float) -> str:
    return (
        f"the clip begins in the middle of a {_what(exercise)}; what comes before {until_s:.1f} s is not counted "
        "(begin each clip with two seconds of rest)"
    )


def _none_found(exercise: Exercise) -> str:
    what = _what(exercise)
    return f"no {what} of {exercise.id} was seen; is it the right exercise, and is all of it in the clip?"


def _warnings(
    exercise: Exercise, found: Segmentation, any_rep: bool, seen_from: View, fraction: float
) -> tuple[str, ...]:
    warnings = [seen_from.reason] if seen_from.reason else []
    if found.begun_until_s is not None:
        warnings.append(_begun_before(exercise, found.begun_until_s))
    elif not any_rep:
        warnings.append(_none_found(exercise))
    warnings.extend(
        f"the clip ends inside a repetition at {moment:.1f} s; it is not counted" for moment in found.cut_off_s
    )
    if fraction < MIN_FOUND_FRACTION:
        warnings.append(f"the person was found in only {100 * fraction:.0f} % of the frames")
    return tuple(warnings)


def _all_unjudged(applied: Sequence[AppliedRule], exercise: Exercise, reason: str) -> tuple[Outcome, ...]:
    return tuple(judging.unjudged(item, exercise, reason) for item in applied)
