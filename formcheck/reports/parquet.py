"""The angles of every frame as a labelled Parquet table, for statistics. pyarrow is imported when one is written.

Each column's unit and meaning stand in its field's metadata (``unit``, ``description``), what the clip and the
exercise are in the table's (``formcheck``, JSON).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from formcheck.exercises import EXERCISES
from formcheck.exercises.base import phase_at
from formcheck.reports.files import atomic_path
from formcheck.reports.json import report_to_dict
from formcheck.types import Analysis, FloatArray, IntArray, Rep

SCHEMA = "formcheck.angles/1"
ROWS_AT_ONCE = 65536  # half an hour of a phone's video: longer clips are written in as many groups of rows
_HEADER = ("tool", "clip", "exercise", "view", "warnings")  # of the report: what holds for the whole clip

_MEANING = {
    "knee_flexion_deg": "shank against thigh; 0 straight, + bent, - hyperextended",
    "hip_flexion_deg": "thigh against the trunk; 0 in line, + thigh towards the chest",
    "ankle_dorsiflexion_deg": "foot against shank; 0 at right angles, + toes towards the shin",
    "shank_inclination_deg": "shank against the vertical; + knee forwards of the ankle",
    "sole_pitch_deg": "sole against the floor; + heel higher than the toes",
    "trunk_inclination_deg": "trunk against the vertical; + forwards",
    "lumbar_flexion_deg": "lower back, change from the person's own neutral; + rounded, from the outline of the back",
    "neck_flexion_deg": "head against trunk, change from the person's own neutral; + chin to chest",
}


def write_parquet(target: Path, analysis: Analysis) -> None:
    """Write one row per frame: ``frame``, ``time_s``, the labels of the moment, and every measured angle.

    Labels are ``rep`` (number of the repetition or hold, null between them), ``phase`` (rest, lifting, turn,
    lowering) and ``near_side``. An angle that was not seen is null. Text is stored as a dictionary, angles as float32.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    import pyarrow.parquet

    first = angle_table(analysis, slice(0, ROWS_AT_ONCE))
    with (
        atomic_path(target) as temporary,
        pyarrow.parquet.ParquetWriter(temporary, first.schema, compression="zstd") as writer,
    ):
        writer.write_table(first)
        for start in range(ROWS_AT_ONCE, len(analysis.table), ROWS_AT_ONCE):
            writer.write_table(angle_table(analysis, slice(start, start + ROWS_AT_ONCE)))


def angle_table(analysis: Analysis, rows: slice = slice(None)) -> Any:
    """The `pyarrow.Table` that `write_parquet` writes, or some of its rows."""
    import pyarrow as pa

    report, table = analysis.report, analysis.table.part(rows)
    exercise = EXERCISES[report.exercise.name]
    times = table.time_s.tolist()
    first = rows.start or 0
    index = np.arange(first, first + len(times), dtype=np.int32)
    number = _rep_numbers(report.reps, table.time_s)
    label = pa.dictionary(pa.int8(), pa.string())
    columns: list[tuple[str, Any, Any, str, str]] = [
        ("frame", index, pa.int32(), "", "number of the frame in the clip, from 0"),
        ("time_s", table.time_s, pa.float64(), "s", "from the first frame, by the clip's own clock"),
        ("rep", [int(rep) or None for rep in number], pa.int16(), "", "repetition or hold, from 1; null between them"),
        ("phase", [phase_at(report.reps, time_s, exercise).value for time_s in times], label, "", "where in it"),
        ("near_side", [side and side.value for side in table.near_side], label, "", "side that faces the camera"),
    ]
    estimated = np.ones(len(times), dtype=bool) if table.estimated is None else table.estimated
    columns.append(("estimated", estimated, pa.bool_(), "", "false where the pose lies between those of other frames"))
    for name, values in table.columns.items():
        metric = name.removeprefix("left_").removeprefix("right_")
        columns.append((name, values, pa.float32(), "deg", _MEANING[metric]))
    fields = [
        pa.field(name, kind, metadata={"unit": unit, "description": text} if unit else {"description": text})
        for name, _, kind, unit, text in columns
    ]
    header = {"schema": SCHEMA, **{key: report_to_dict(report)[key] for key in _HEADER}}
    arrays = [pa.array(values, type=kind, from_pandas=True) for _, values, kind, _, _ in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={"formcheck": json.dumps(header)}))


def _rep_numbers(reps: tuple[Rep, ...], time_s: FloatArray) -> IntArray:
    """Number of the repetition that each frame belongs to, 0 for none; a frame that two share is the first one's."""
    number = np.zeros(len(time_s), dtype=int)
    for rep in reversed(reps):
        number[(time_s >= rep.start_s) & (time_s <= rep.end_s)] = rep.number
    return number
