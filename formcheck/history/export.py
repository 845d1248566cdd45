"""The kept sessions as text for other programs.

JSON (`formcheck.history/1`) holds everything, with each report in its own format. CSV has one row per number: the
metrics of every repetition with their errors, and the outcome of every rule.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from formcheck.history.records import Session
from formcheck.reports.json import report_to_dict

SCHEMA = "formcheck.history/1"
COLUMNS = (
    "session",
    "when",
    "source",
    "label",
    "note",
    "clip",
    "exercise",
    "weight_kg",
    "entered_reps",
    "formcheck",
    "rep",
    "side",
    "kind",  # metric, or rule
    "name",
    "status",
    "value",
    "sigma",
    "limit",
    "unit",
    "reason",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


def sessions_json(sessions: Iterable[Session]) -> str:
    """Every session with its report, ending in a newline; NaN is null."""
    document = {"schema": SCHEMA, "sessions": [session_to_dict(session) for session in sessions]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def session_to_dict(session: Session) -> dict[str, Any]:
    """One session as plain dicts, lists, strings and numbers."""
    return {
        "id": session.id,
        "when": session.when.isoformat(),
        "source": str(session.source),
        "label": session.label,
        "note": session.note,
        "weight_kg": session.weight_kg,
        "entered_reps": session.entered_reps,
        "errors": dict(session.errors),
        "report": report_to_dict(session.report),
    }


def sessions_csv(sessions: Iterable[Session]) -> str:
    """One row per number under the header `COLUMNS`; what is missing is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for session in sessions:
        head = (
            session.id,
            session.when.isoformat(timespec="seconds"),
            session.source,
            _text(session.label),
            _text(session.note),
            _text(session.report.clip.path),
            session.exercise,
            "" if session.weight_kg is None else f"{session.weight_kg:g}",
            "" if session.entered_reps is None else session.entered_reps,
            session.report.tool.version,
        )
        for row in _rows(session):
            writer.writerow((*head, *row))
    return text.getvalue()


def _rows(session: Session) -> Iterator[tuple[object, ...]]:
    for rep in session.report.reps:
        for name, value in sorted(rep.metrics.items()):
            error = _number(session.errors.get(name, math.nan)) if math.isfinite(value) else ""
            unit = "s" if name.endswith("_s") else "deg"
            yield rep.number, rep.side, "metric", name, "", _number(value), error, "", unit, ""
    for outcome in session.report.outcomes:
        numbers = (_number(value) for value in (outcome.measured, outcome.sigma, outcome.limit))
        where = "" if outcome.rep is None else outcome.rep, outcome.side or ""
        yield *where, "rule", outcome.rule, outcome.status, *numbers, outcome.unit, outcome.reason


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else ""


def _text(text: str) -> str:
    """Words of people and names of files, so that no spreadsheet takes them for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


FORMS: Mapping[str, Callable[[Iterable[Session]], str]] = {"csv": sessions_csv, "json": sessions_json}
