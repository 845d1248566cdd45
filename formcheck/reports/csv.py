"""Tables: the angles of every frame, and one row per outcome. An unseen or missing value is an empty cell."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path

from formcheck.reports.files import atomic_path
from formcheck.types import MeasurementTable, Outcome, Report

SIDED = ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg")
ANGLE_COLUMNS = (
    *(f"left_{name}" for name in SIDED),
    *(f"right_{name}" for name in SIDED),
    "trunk_inclination_deg",
    "lumbar_flexion_deg",
    "neck_flexion_deg",
)
ROWS_AT_ONCE = 4096  # of the angles of a long clip
OUTCOME_COLUMNS = (
    "clip",
    "exercise",
    "rule",
    "rep",
    "side",
    "status",
    "start_s",
    "end_s",
    "worst_s",
    "metric",
    "measured",
    "sigma",
    "limit",
    "unit",
    "message",
    "cue",
    "reason",
)


def write_angles(target: Path, table: MeasurementTable) -> None:
    """Write `angles.csv`: one row per frame with `time_s`, the `ANGLE_COLUMNS` and `near_side`.

    Where some frames were not estimated (`--rate auto`), a last column `estimated` says which: 1 or 0.

    Parameters
    ----------
    target : Path
    table : MeasurementTable
        Must hold every column of `ANGLE_COLUMNS`. Times are written to 0.0001 s (the ticks of a 90 kHz clock would
        need one digit more, a frame is 0.01 s or longer), angles to 0.01 degrees.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    last = () if table.estimated is None else ("estimated",)
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("time_s", *ANGLE_COLUMNS, "near_side", *last))
        for part in table.parts(ROWS_AT_ONCE):
            columns = [part.columns[name] for name in ANGLE_COLUMNS]
            marks = [[]] * len(part) if part.estimated is None else [[int(mark)] for mark in part.estimated]
            for time_s, side, mark, *values in zip(part.time_s, part.near_side, marks, *columns, strict=True):
                writer.writerow((f"{time_s:.4f}", *(_cell(value, 2) for value in values), side or "", *mark))


def outcomes_csv(reports: Iterable[Report], *, header: bool = True) -> str:
    """One row per outcome of the reports, with the clip's path; `header` adds the line of `OUTCOME_COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(OUTCOME_COLUMNS)
    for report in reports:
        for outcome in report.outcomes:
            writer.writerow((report.clip.path, report.exercise.name, *_outcome_cells(outcome)))
    return text.getvalue()


def _outcome_cells(outcome: Outcome) -> tuple[object, ...]:
    return (
        outcome.rule,
        "" if outcome.rep is None else outcome.rep,
        outcome.side or "",
        outcome.status,
        *(_cell(value, 3) for value in (outcome.start_s, outcome.end_s, outcome.worst_s)),
        outcome.metric,
        *(_cell(value, 3) for value in (outcome.measured, outcome.sigma, outcome.limit)),
        outcome.unit,
        outcome.message,
        outcome.cue,
        outcome.reason,
    )


def _cell(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return ""
    # "+ 0.0" after rounding turns -0.0 into 0.0.
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}"
