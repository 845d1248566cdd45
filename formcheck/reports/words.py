"""Numbers and counts in words, as the text report and the HTML report say them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from formcheck.exercises import EXERCISES
from formcheck.rules import RULES
from formcheck.rules.base import Direction
from formcheck.types import Kind, Outcome, Report, Status

MINUS = "\N{MINUS SIGN}"
UNITS = {"deg": "°", "%": " %", "s": " s"}  # others are words of their own
WHOLE_UNITS = ("deg", "%", "turns", "ways")


def kind_word(report: Report, *, short: bool) -> str:
    """``hold``, ``repetition``, or ``rep``."""
    exercise = EXERCISES.get(report.exercise.name)
    if exercise is not None and exercise.kind is Kind.HOLD:
        return "hold"
    return "rep" if short else "repetition"


def exercise_title(report: Report) -> str:
    """The exercise's title, or its id where this version does not know it."""
    exercise = EXERCISES.get(report.exercise.name)
    return exercise.title if exercise is not None else report.exercise.name


def rule_title(rule: str) -> str:
    """A rule's title, or its id where this version does not know it."""
    return RULES[rule].title if rule in RULES else rule


def decimal_places(outcome: Outcome) -> int:
    """One more than usual where rounding would hide on which side of the limit the value is."""
    places = 0 if outcome.unit in WHOLE_UNITS else 1
    if outcome.measured == outcome.limit:
        return places
    while places < 3 and f"{outcome.measured:.{places}f}" == f"{outcome.limit:.{places}f}":
        places += 1
    return places


def value_text(outcome: Outcome) -> str:
    """``5°``: the measured value; empty where there is none."""
    if math.isnan(outcome.measured):
        return ""
    places = decimal_places(outcome)
    return signed(f"{round(outcome.measured, places) + 0.0:.{places}f}") + unit_text(outcome.unit)


def error_text(outcome: Outcome) -> str:
    """``± 3°``; empty where the error is not known, or what was counted has none."""
    if math.isnan(outcome.sigma) or outcome.sigma == 0:
        return ""
    return f"± {outcome.sigma:.{decimal_places(outcome)}f}{unit_text(outcome.unit)}"


def limit_text(outcome: Outcome) -> str:
    """``at least 3°``: the good side of the limit; empty where there is none."""
    rule = RULES.get(outcome.rule)
    if rule is None or math.isnan(outcome.limit):
        return ""
    word = "at most" if rule.direction is Direction.ABOVE else "at least"
    return f"{word} {signed(f'{outcome.limit:g}')}{unit_text(outcome.unit)}"


def unit_text(unit: str) -> str:
    """A unit as it stands after its number."""
    return UNITS.get(unit, f" {unit}")


def signed(number: str) -> str:
    """A number with a true minus sign, which a line does not break after."""
    return number.replace("-", MINUS)


def certainty(outcome: Outcome) -> str:
    """How sure a finding is, by how far past its limit the value lies in units of its error; empty when not known.

    A normal error exceeds two sigma to one side in 2 % of measurements, and one sigma in 16 %.
    """
    rule = RULES.get(outcome.rule)
    distance = math.nan if rule is None else rule.direction.excess(outcome.measured, outcome.limit)
    if math.isnan(distance) or math.isnan(outcome.sigma) or outcome.status not in (Status.FAULT, Status.CAUTION):
        return ""
    if distance > 2 * outcome.sigma:
        return "clear"
    if distance > outcome.sigma:
        return "fairly sure"
    return "not sure"


CERTAINTY_KEY = (
    "How sure: clear is past the limit by more than twice the measurement error, fairly sure by more than the error, "
    "not sure by less, so that it may be measurement error."
)


def ranges(numbers: Sequence[int]) -> str:
    """``1-3, 5`` of 1, 2, 3, 5."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def many(count: int, noun: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def sentence(text: str) -> str:
    """The text with a capital and a full stop; a question keeps its own mark, and nothing stays nothing."""
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")
