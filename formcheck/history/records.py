"""What history keeps of one session, and how a report is made fit to be kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from formcheck import accuracy, metrics
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.types import Outcome, Rep, Report, Status

OF_TIME = {"lifting_s": "lifting_s", "lowering_s": "lowering_s", "turn_s": "hold_s"}  # metric -> row of the error table
STATISTICS = ("_min_deg", "_max_deg", "_at_turn_deg")
RANGE = "range_deg"  # how far the exercise's own joint went in a repetition


class Source(StrEnum):
    """Where a session came from."""

    LIVE = "live"
    FILE = "file"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Session:
    """One kept session.

    Attributes
    ----------
    id : int
        Stays the same for as long as the session is kept, and is not given to another one afterwards.
    when : datetime
        With its time zone (UTC).
    source : Source
    label, note : str
        The person's own words.
    weight_kg : float or None
        Working weight, entered by hand; None when nobody entered it.
    entered_reps : int or None
        Repetitions that the person says were done; None when nobody entered them.
    report : Report
        As it was made, with the clip's file name in place of its path.
    errors : mapping of str to float
        Standard error of each of the repetitions' metrics, as it was known when the session was kept.
    """

    id: int
    when: datetime
    source: Source
    label: str
    note: str
    weight_kg: float | None
    entered_reps: int | None
    report: Report
    errors: Mapping[str, float]

    @property
    def exercise(self) -> str:
        """Id of the exercise."""
        return self.report.exercise.name

    @property
    def title(self) -> str:
        """The person's label, else the clip's name, else the exercise."""
        return self.label or self.report.clip.path or self.exercise

    def count(self, status: Status) -> int:
        """How many outcomes of the session ended with `status`."""
        return sum(outcome.status is status for outcome in self.report.outcomes)


def clip_name(path: str) -> str:
    """The file name at the end of a path of any system, fit for a database (no lone surrogates)."""
    name = path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return storable(name)


def storable(text: str) -> str:
    """`text` with bytes that are no UTF-8, which Python keeps as lone surrogates, and NUL written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def without_paths(report: Report) -> Report:
    """The report with the clip's file name in place of its path, wherever the path may stand."""
    path, name = report.clip.path, clip_name(report.clip.path)

    def clean(text: str) -> str:
        return storable(text.replace(path, name) if path else text)

    def outcome_without(outcome: Outcome) -> Outcome:
        return replace(outcome, message=clean(outcome.message), cue=clean(outcome.cue), reason=clean(outcome.reason))

    return replace(
        report,
        clip=replace(report.clip, path=name),
        tool=replace(report.tool, model=clip_name(report.tool.model)),  # a model may be given as a path
        view=replace(report.view, reason=clean(report.view.reason)),
        outcomes=tuple(outcome_without(outcome) for outcome in report.outcomes),
        warnings=tuple(clean(warning) for warning in report.warnings),
    )


def rep_errors(report: Report) -> dict[str, float]:
    """Standard error of each metric of the repetitions, from the error tables of this version.

    Parameters
    ----------
    report : Report

    Returns
    -------
    dict of str to float
        By the names in `Rep.metrics`, and `RANGE`; in the metric's own unit. A metric without an entry in the tables
        is left out, and so is everything when the exercise is not known.
    """
    exercise = EXERCISES.get(report.exercise.name)
    if exercise is None:
        return {}
    seen_as = exercise.position, report.view.yaw_deg, report.view.brightness
    names = dict.fromkeys(name for rep in report.reps for name in rep.metrics)
    tables = {name: table for name in names if (table := _table_name(name))}
    if report.reps:
        tables[RANGE] = metrics.change_of(exercise.signal.metric)
    return {name: accuracy.sigma(table, *seen_as) for name, table in tables.items()}


def _table_name(name: str) -> str | None:
    """The error table's name for a repetition's metric: ``knee_flexion_min_deg`` -> ``knee_flexion_deg``."""
    if name in OF_TIME:
        return OF_TIME[name]
    base = next((name.removesuffix(end) for end in STATISTICS if name.endswith(end)), None)
    return None if base is None else f"{base}_deg"


def rep_range(rep: Rep, exercise: Exercise) -> float:
    """How far the exercise's own joint went in one repetition, in degrees; NaN when it was not seen."""
    base = exercise.signal.metric.removesuffix("_deg")
    low, high = (rep.metrics.get(f"{base}_{end}_deg", math.nan) for end in ("min", "max"))
    return high - low
