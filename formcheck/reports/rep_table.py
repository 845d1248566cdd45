"""The repetitions or holds of a report as tables: tempo, range, and how each rule ended, for the HTML report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from formcheck.exercises import EXERCISES
from formcheck.reports.page import NOT_KNOWN, STATUS_WORDS, SYMBOLS
from formcheck.reports.words import error_text, kind_word, rule_title, signed, value_text
from formcheck.types import Kind, Outcome, Rep, Report, Status

REPS_IN_ROW = 8  # columns of one table: what a sheet of paper holds


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a symbol and its meaning where a rule ended there, and a number or another text."""

    text: str
    symbol: str = ""
    meaning: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its heading; `rule` for rows about a rule."""

    heading: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class RepTable:
    """One table: a heading for each repetition, rows of measurements, rows of rules."""

    caption: str
    headings: tuple[str, ...]
    measured: tuple[Row, ...]
    rules: tuple[Row, ...]

    @property
    def count(self) -> int:
        """How many repetitions it shows."""
        return len(self.headings)


@dataclass(frozen=True, slots=True)
class SetLine:
    """How a rule of whole sets ended: ``ok: 8 % ± 3 %``."""

    title: str
    symbol: str
    words: str
    status: str
    reason: str


def rep_tables(report: Report) -> tuple[RepTable, ...]:
    """All repetitions in order, `REPS_IN_ROW` to a table; empty without any."""
    return tuple(
        _table(report, report.reps[first : first + REPS_IN_ROW]) for first in range(0, len(report.reps), REPS_IN_ROW)
    )


def set_lines(report: Report) -> tuple[SetLine, ...]:
    """How the rules of whole sets ended; empty where there are no repetitions."""
    if not report.reps:
        return ()
    return tuple(_set_line(outcome) for outcome in report.outcomes if outcome.rep is None)


def _table(report: Report, reps: Sequence[Rep]) -> RepTable:
    word = kind_word(report, short=False).capitalize()
    numbers = f"{word} {reps[0].number}" if len(reps) == 1 else f"{word}s {reps[0].number} to {reps[-1].number}"
    by_place = {(outcome.rule, outcome.rep): outcome for outcome in report.outcomes}
    rules = dict.fromkeys(outcome.rule for outcome in report.outcomes if outcome.rep is not None)
    return RepTable(
        caption=numbers,
        headings=tuple(_heading(report, rep) for rep in reps),
        measured=_measured(report, reps),
        rules=tuple(
            Row(rule_title(rule), tuple(_cell(by_place.get((rule, rep.number))) for rep in reps)) for rule in rules
        ),
    )


def _heading(report: Report, rep: Rep) -> str:
    sides = {other.side for other in report.reps}
    side = f" {rep.side}" if len(sides) > 1 else ""
    return f"{rep.number}{side}{'' if rep.complete else ' (cut off)'}"


def _measured(report: Report, reps: Sequence[Rep]) -> tuple[Row, ...]:
    exercise = EXERCISES.get(report.exercise.name)
    rows = [("Starts at", [_seconds(rep.start_s) for rep in reps])]
    if exercise is not None and exercise.kind is Kind.HOLD:
        rows.append(("Held for", [_seconds(rep.metrics.get("turn_s", math.nan)) for rep in reps]))
        for name, muscle in (("hamstrings", "Hamstrings"), ("calf", "Calf")):
            lengths = [rep.metrics.get(f"{name}_length_at_turn_percent", math.nan) for rep in reps]
            rows.append((f"{muscle}, against standing", [_length(value) for value in lengths]))
    else:
        for name, heading in (("lifting_s", "Lifting"), ("turn_s", "Pause"), ("lowering_s", "Lowering")):
            rows.append((heading, [_seconds(rep.metrics.get(name, math.nan)) for rep in reps]))
    if exercise is not None:
        joint = exercise.signal.metric.removesuffix("_flexion_deg")
        rows.append((f"Range of the {joint}", [_range(rep, exercise.signal.metric) for rep in reps]))
    return tuple(Row(heading, tuple(Cell(text) for text in texts)) for heading, texts in rows)


def _seconds(value: float) -> str:
    return NOT_KNOWN if math.isnan(value) else f"{value:.1f} s"


def _length(percent: float) -> str:
    """A relative length of a muscle, from the joint angles (`formcheck.muscles`)."""
    if math.isnan(percent):
        return NOT_KNOWN
    return "same length" if abs(percent) < 0.5 else f"{abs(percent):.0f} % {'longer' if percent > 0 else 'shorter'}"


def _range(rep: Rep, metric: str) -> str:
    name = metric.removesuffix("_deg")
    size = rep.metrics.get(f"{name}_max_deg", math.nan) - rep.metrics.get(f"{name}_min_deg", math.nan)
    return NOT_KNOWN if math.isnan(size) else signed(f"{size:.0f}°")


def _cell(outcome: Outcome | None) -> Cell:
    """A symbol with its meaning, and the value; the error stands with the meaning, for those who hear the page."""
    if outcome is None:
        return Cell(NOT_KNOWN)
    meaning = STATUS_WORDS[outcome.status]
    if outcome.status is not Status.NOT_JUDGED and error_text(outcome):
        meaning += f", {error_text(outcome)}"
    return Cell(value_text(outcome), SYMBOLS[outcome.status], meaning, outcome.status.value)


def _set_line(outcome: Outcome) -> SetLine:
    numbers = " ".join(part for part in (value_text(outcome), error_text(outcome)) if part)
    word = "no fault" if outcome.status is Status.OK else STATUS_WORDS[outcome.status]
    words = f"{word}: {numbers}" if numbers and outcome.measured else word
    return SetLine(rule_title(outcome.rule), SYMBOLS[outcome.status], words, outcome.status.value, outcome.reason)
