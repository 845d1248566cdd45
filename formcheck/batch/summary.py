"""The tables over all clips of a batch: one row per clip, per repetition, per outcome, each as CSV and as Parquet.

Rows come clip by clip and are written as they come, so that memory does not grow with the batch.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from formcheck.batch import storage
from formcheck.batch.clips import RESULTS, Clip
from formcheck.batch.job import ClipResult
from formcheck.batch.store import Store
from formcheck.errors import ConfigError, OutputError
from formcheck.reports.json import report_from_dict
from formcheck.types import Outcome, Rep, Report, Status

TABLES = ("summary", "summary.repetitions", "summary.outcomes")
INDEX = "index.html"
OUTPUTS = (INDEX, *(f"{table}.{kind}" for table in TABLES for kind in ("csv", "parquet")))
NO_REPORT = "failed"  # stands in the column `status` of a clip without a report
_DECIMALS = 4
_ROW_GROUP = 20_000
_READERS, _AT_ONCE = 8, 64

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One clip in the tables: what was asked of it, and its report or why there is none."""

    clip: Clip
    report: Report | None
    reason: str
    files: tuple[str, ...]

    @property
    def status(self) -> str:
        """The most serious status of its outcomes; `not_judged` when none was judged, `failed` without a report."""
        if self.report is None:
            return NO_REPORT
        return self.report.worst() or Status.NOT_JUDGED

    def count(self, status: Status) -> int:
        """How many of its outcomes have this status."""
        return sum(outcome.status is status for outcome in self.report.outcomes) if self.report else 0


def clip_rows(store: Store, results: Iterable[ClipResult]) -> Iterator[ClipRow]:
    """Read back, in order, what the clips of a batch ended with; a few at a time, since a storage answers slowly.

    Raises
    ------
    OutputError
        When a report that should be there cannot be read.
    """
    waiting = iter(results)
    with ThreadPoolExecutor(_READERS) as readers:
        while some := list(islice(waiting, _AT_ONCE)):
            yield from readers.map(partial(_row, store), some)


def _row(store: Store, result: ClipResult) -> ClipRow:
    clip = result.clip
    if result.failed:
        return ClipRow(clip, None, text(result.reason), ())
    marker = store.marker(clip.name)
    name = f"{clip.stem}.report.json"
    content = store.read_result(clip.name, name)
    where = storage.join(store.address, f"{RESULTS}/{clip.name}/{name}")
    if marker is None or content is None:
        raise OutputError(f"{where}: was there and is gone; run the command again with --resume")
    try:
        report = report_from_dict(json.loads(content))
    except (ValueError, ConfigError) as error:
        raise OutputError(f"{where}: is damaged; delete it and run again with --resume") from error
    return ClipRow(clip, report, "", tuple(sorted(marker.files)))


CLIP_COLUMNS: Mapping[str, type] = {
    "clip": str,
    "label": str,
    "person": int,
    "status": str,
    "reason": str,
    "exercise": str,
    "exercise_given": bool,
    "exercise_confidence": float,
    "near_side": str,
    "yaw_deg": float,
    "view_usable": bool,
    "view_reason": str,
    "duration_s": float,
    "frames": int,
    "width": int,
    "height": int,
    "pose_fraction": float,
    "repetitions": int,
    "faults": int,
    "cautions": int,
    "ok": int,
    "not_judged": int,
    "warnings": str,
    "results": str,
}


def clip_values(row: ClipRow) -> list[Value]:
    """Return one clip's values, in the order of `CLIP_COLUMNS`."""
    clip, report = row.clip, row.report
    start: list[Value] = [text(clip.address), text(clip.label), clip.person, row.status, row.reason]
    if report is None:
        given = [clip.exercise] + [None] * (len(CLIP_COLUMNS) - len(start) - 1)
        return [*start, *given]
    info, view = report.clip, report.view
    return [
        *start,
        report.exercise.name,
        report.exercise.given,
        report.exercise.confidence,
        view.near_side,
        view.yaw_deg,
        view.usable,
        view.reason,
        info.duration_s,
        info.frames,
        info.width,
        info.height,
        info.pose_fraction,
        len(report.reps),
        row.count(Status.FAULT),
        row.count(Status.CAUTION),
        row.count(Status.OK),
        row.count(Status.NOT_JUDGED),
        text("; ".join(report.warnings)),
        f"{RESULTS}/{clip.name}",
    ]


_SAME: Mapping[str, type] = {"clip": str, "label": str, "person": int, "exercise": str}
_REP_TYPES: Mapping[str, type] = {"number": int, "side": str, "complete": bool}
_REP_FIELDS = [item.name for item in fields(Rep) if item.name != "metrics"]
_OUTCOME_NUMBERS = {"start_s", "end_s", "worst_s", "measured", "sigma", "limit"}
_OUTCOME_FIELDS = [item.name for item in fields(Outcome)]
OUTCOME_COLUMNS: Mapping[str, type] = {
    **_SAME,
    **{name: float if name in _OUTCOME_NUMBERS else int if name == "rep" else str for name in _OUTCOME_FIELDS},
}


def rep_columns(metrics: Iterable[str]) -> Mapping[str, type]:
    """Return the columns of the table of repetitions and holds, with one for each metric."""
    own = {("rep" if name == "number" else name): _REP_TYPES.get(name, float) for name in _REP_FIELDS}
    # The tempo's `turn_s` is how long the turn lasts; a repetition's own `turn_s` is when it is.
    named = [name.removesuffix("_s") + "_duration_s" if name in own else name for name in metrics]
    return {**_SAME, **own, **dict.fromkeys(named, float)}


def rep_values(row: ClipRow, report: Report, metrics: Sequence[str]) -> Iterator[list[Value]]:
    """Yield one row for each repetition or hold."""
    for rep in report.reps:
        own = [getattr(rep, name) for name in _REP_FIELDS]
        yield [*_same(row, report), *own, *(rep.metrics.get(name) for name in metrics)]


def outcome_values(row: ClipRow, report: Report) -> Iterator[list[Value]]:
    """Yield one row for each outcome."""
    for outcome in report.outcomes:
        yield [*_same(row, report), *(getattr(outcome, name) for name in _OUTCOME_FIELDS)]


def _same(row: ClipRow, report: Report) -> list[Value]:
    return [text(row.clip.address), text(row.clip.label), row.clip.person, report.exercise.name]


def text(value: str) -> str:
    """Return text that UTF-8 can hold: a file name may have bytes that it cannot."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


class TableWriter:
    """Writes rows to `NAME.csv` and `NAME.parquet` in a folder. Floats are rounded to four decimals; missing is empty.

    Parameters
    ----------
    folder : Path
    name : str
    columns : mapping of str to type
        Name to `str`, `int`, `float` or `bool`.

    Raises
    ------
    OSError
        Here and from every method, when it cannot be written.
    """

    def __init__(self, folder: Path, name: str, columns: Mapping[str, type]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
        self._schema = pa.schema([(column, kinds[kind]) for column, kind in columns.items()])
        self._rows: list[Sequence[Value]] = []
        self._csv_path = folder / f"{name}.csv"
        self._file = self._csv_path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._csv.writerow(columns)
        self._parquet: Any = parquet.ParquetWriter(folder / f"{name}.parquet", self._schema)

    def write(self, values: Sequence[Value]) -> None:
        """Add one row."""
        row = [_cell(value) for value in values]
        self._csv.writerow("" if value is None else value for value in row)
        self._rows.append(row)
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._parquet.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._flush()
        finally:
            self._parquet.close()
            self._file.close()


def _cell(value: Value) -> Value:
    if isinstance(value, str):
        return str(value)  # an enum's text
    if isinstance(value, float):
        # "+ 0.0" turns -0.0 into 0.0
        return round(value, _DECIMALS) + 0.0 if math.isfinite(value) else None
    return value


def write_tables(folder: Path, rows: Iterable[ClipRow], metrics: Sequence[str]) -> None:
    """Write the three tables into a folder.

    Parameters
    ----------
    folder : Path
    rows : iterable of ClipRow
        Read once.
    metrics : sequence of str
        The metrics of repetitions that are to have a column.

    Raises
    ------
    OSError
        When they cannot be written.
    """
    with (
        TableWriter(folder, TABLES[0], CLIP_COLUMNS) as clips,
        TableWriter(folder, TABLES[1], rep_columns(metrics)) as reps,
        TableWriter(folder, TABLES[2], OUTCOME_COLUMNS) as outcomes,
    ):
        for row in rows:
            clips.write(clip_values(row))
            if row.report is not None:
                for values in rep_values(row, row.report, metrics):
                    reps.write(values)
                for values in outcome_values(row, row.report):
                    outcomes.write(values)
