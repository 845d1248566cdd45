"""A report as text for a terminal, in the manner of a linter."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from formcheck.exercises import EXERCISES
from formcheck.reports.words import decimal_places, kind_word, many, ranges
from formcheck.rules import RULES
from formcheck.rules.base import Direction
from formcheck.types import Outcome, Report, Status

COLOURS = {Status.FAULT: "bold red", Status.CAUTION: "yellow", Status.OK: "green", Status.NOT_JUDGED: "dim"}
MOST_NUMBERS = 4  # measured values listed of what was not judged, so that a long set stays one short line
TEMPO = ("lifting_s", "turn_s", "lowering_s")  # of `Rep.metrics`, in the order in which coaches give a tempo
WHY = "formcheck explain RULE tells why a finding matters, what to do, and how good the evidence is."
FELT = "Felt in the wrong place, such as calves or back? formcheck symptoms asks questions and tells what may help."
NO_DIAGNOSIS = (
    "formcheck says what the camera saw; it is no diagnosis. With pain, tingling or numbness, see a professional."
)


def report_text(report: Report, *, quiet: bool = False, several: bool = False) -> Text:
    """One clip: a header, its findings with advice, what was good, what was not judged and why, and one line in sum.

    Advice stands under the first finding of a rule, and is not said again for each repetition.

    Parameters
    ----------
    report : Report
    quiet : bool
        Leave out the header, the notes and the lists of what was good and what was not judged; the last line still
        counts them.
    several : bool
        Every line names the clip as it was given, folder and all; after a single clip's header its file name is enough.

    Returns
    -------
    Text
        Lines with colours, each ending in a newline.
    """
    text = Text()
    if not quiet:
        text.append_text(_header(report))
    place = report.clip.path if several else Path(report.clip.path).name or report.clip.path
    said = ""
    for outcome in report.outcomes:
        if outcome.status in (Status.FAULT, Status.CAUTION):
            advice = _advice(outcome)
            text.append_text(_finding(report, outcome, place))
            if advice and advice not in said:
                text.append(advice)
                said += advice
    if not quiet and report.worst() is not None:
        text.append_text(_tempo(report)).append_text(_good(report)).append_text(_not_judged(report))
    return text.append_text(_summary(report, place))


def closing_text(reports: Sequence[Report], failed: int) -> Text:
    """What comes after the last clip: a total when there were several, and the word on diagnosis after findings.

    Parameters
    ----------
    reports : sequence of Report
    failed : int
        Clips that could not be analysed, or whose results could not be written.
    """
    text = Text()
    found = sum(_count(report, Status.FAULT) + _count(report, Status.CAUTION) for report in reports)
    if len(reports) + failed > 1:
        failures = f"; {failed} failed" if failed else ""
        text.append(f"{many(len(reports), 'clip')}: {many(found, 'finding')}{failures}\n", "bold")
    if found:
        text.append(f"{WHY}\n{FELT}\n{NO_DIAGNOSIS}\n", "dim")
    return text


def render(text: Text, *, terminal: bool) -> str:
    """Return the text with colours for a terminal, without for anything else or when NO_COLOR is set.

    Lines are not wrapped: a finding stays one line for `grep`.
    """
    buffer = StringIO()
    # The buffer is no terminal, standard output may be; rich still looks at TERM for what it can show.
    coloured = terminal and not os.environ.get("NO_COLOR")
    Console(file=buffer, force_terminal=coloured, soft_wrap=True, highlight=False).print(text, end="")
    return buffer.getvalue()


def _header(report: Report) -> Text:
    exercise = EXERCISES.get(report.exercise.name)
    title = exercise.title if exercise is not None else report.exercise.name
    parts = [title if report.exercise.given else f"{title} (recognised)"]
    parts.append(many(len(report.reps), kind_word(report, short=False)))
    parts.extend(_view(report))
    text = Text(f"{report.clip.path}: ", "bold").append(", ".join(parts) + "\n", "not bold")
    for note in _notes(report):
        text.append(f"  note: {note}\n", "yellow")
    return text


def _notes(report: Report) -> list[str]:
    """What the reader should know of the clip, each thing once: the same words may be a reason for not judging too."""
    notes = []
    if not report.view.usable and report.view.reason:
        notes.append(report.view.reason)
    reasons = {outcome.reason for outcome in report.outcomes}
    return [note for note in dict.fromkeys((*notes, *report.warnings)) if note not in reasons]


def _view(report: Report) -> list[str]:
    view = report.view
    if view.near_side is None:
        return []
    parts = [f"{view.near_side} side to the camera"]
    if not math.isnan(view.yaw_deg):
        parts.append(f"{view.yaw_deg:.0f} deg off side-on")
    judged = {rep.side for rep in report.reps} - {view.near_side}
    return parts + [f"{side} leg judged" for side in sorted(judged)]


def _finding(report: Report, outcome: Outcome, place: str) -> Text:
    time_s = outcome.start_s if math.isnan(outcome.worst_s) else outcome.worst_s
    place = f"{place}:" if math.isnan(time_s) else f"{place}:{time_s:.1f}s"
    text = Text(f"{place} {_which(report, outcome)} ").append(outcome.status.value, COLOURS[outcome.status])
    return text.append(f" {outcome.rule}", "bold").append(f"  {_measured(outcome)}\n")


def _advice(outcome: Outcome) -> str:
    # A finding may carry a reason too: why it is not graded harder.
    reason = f"({outcome.reason})" if outcome.reason and not math.isnan(outcome.measured) else ""
    words = " ".join(part for part in (outcome.message, outcome.cue, reason) if part)
    return f"  {words}\n" if words else ""


def _which(report: Report, outcome: Outcome) -> str:
    return "set" if outcome.rep is None else f"{kind_word(report, short=True)} {outcome.rep}"


def _measured(outcome: Outcome) -> str:
    """``knee flexion -5 ± 3 deg (limit -3 or more)``, or why there is no number."""
    return outcome.reason if math.isnan(outcome.measured) else measured_values([outcome])


def measured_values(outcomes: Sequence[Outcome]) -> str:
    """The measured values of one rule: ``ankle dorsiflexion -14, -13 ± 10 deg (limit -10 or less)``."""
    first, shown = outcomes[0], outcomes[:MOST_NUMBERS]
    values, errors = [], []
    for outcome in shown:
        places = decimal_places(outcome)
        values.append(f"{round(outcome.measured, places) + 0.0:.{places}f}")  # "+ 0.0": no "-0"
        errors.append("" if math.isnan(outcome.sigma) else f" ± {outcome.sigma:.{places}f}")
    if len(set(errors)) == 1:
        text = ", ".join(values) + errors[0]
    else:
        text = ", ".join(value + error for value, error in zip(values, errors, strict=True))
    unit = "percent" if first.unit == "%" else first.unit
    name = first.metric.removesuffix(f"_{unit}").replace("_", " ")
    more = " ..." if len(outcomes) > len(shown) else ""
    return f"{name} {text} {first.unit}{more}{_limit(first)}"


def _limit(outcome: Outcome) -> str:
    if math.isnan(outcome.limit):
        return ""
    rule = RULES.get(outcome.rule)
    side = {None: "", Direction.ABOVE: " or less", Direction.BELOW: " or more"}[rule.direction if rule else None]
    return f" (limit {outcome.limit:g}{side})"


def _tempo(report: Report) -> Text:
    """Seconds of each repetition's phases in order, a dash where one is not known; nothing for holds."""
    if kind_word(report, short=True) != "rep" or not any(TEMPO[0] in rep.metrics for rep in report.reps):
        return Text()
    reps = [" / ".join(_seconds(rep.metrics.get(name, math.nan)) for name in TEMPO) for rep in report.reps]
    return Text(f"  tempo in s, lifting / pause / lowering: {', '.join(reps)}\n")


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f}"


def _good(report: Report) -> Text:
    """The rules that were kept, with their repetitions."""
    good = [outcome for outcome in report.outcomes if outcome.status is Status.OK]
    text = Text(f"  ok: {_rules_and_reps(report, good)}\n" if good else "", COLOURS[Status.OK])
    excused: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in good:
        if outcome.reason:
            excused.setdefault((outcome.rule, outcome.reason), []).append(outcome)
    for (_, reason), outcomes in excused.items():
        names = _rules_and_reps(report, outcomes)
        text.append(f"  ok, though past the limit: {names}: {reason}: {measured_values(outcomes)}\n")
    return text


def _not_judged(report: Report) -> Text:
    """What was not judged, grouped by reason in the order of first appearance, with the numbers that there are."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in report.outcomes:
        if outcome.status is Status.NOT_JUDGED:
            numbered = "" if math.isnan(outcome.measured) else outcome.rule
            groups.setdefault((outcome.reason, numbered), []).append(outcome)
    text = Text()
    for (reason, numbered), outcomes in groups.items():
        numbers = f": {measured_values(outcomes)}" if numbered else ""
        names = _rules_and_reps(report, outcomes)
        text.append(f"  not judged: {names}: {reason}{numbers}\n", COLOURS[Status.NOT_JUDGED])
    return text


def _rules_and_reps(report: Report, outcomes: Sequence[Outcome]) -> str:
    """``locked-knees (rep 1-3, 5), short-range (rep 2)``."""
    reps: dict[str, list[int]] = {}
    for outcome in outcomes:
        reps.setdefault(outcome.rule, []).extend([] if outcome.rep is None else [outcome.rep])
    kind = kind_word(report, short=True)
    return ", ".join(rule + (f" ({kind} {ranges(numbers)})" if numbers else "") for rule, numbers in reps.items())


def _summary(report: Report, place: str) -> Text:
    text = Text(f"{place}: ", "bold")
    if report.worst() is None:
        text.append("nothing could be judged", "bold yellow")
        reasons = dict.fromkeys(outcome.reason for outcome in report.outcomes if outcome.reason)
        if not reasons and not report.reps:
            reasons = {f"no {kind_word(report, short=False)} was found": None}
        return text.append(f": {'; '.join(reasons)}\n" if reasons else "\n", "not bold")
    counts = (
        (many(_count(report, Status.FAULT), "fault"), Status.FAULT),
        (many(_count(report, Status.CAUTION), "caution"), Status.CAUTION),
        (f"{_count(report, Status.OK)} ok", Status.OK),
        (f"{_count(report, Status.NOT_JUDGED)} not judged", Status.NOT_JUDGED),
    )
    for index, (words, status) in enumerate(counts):
        text.append(", " if index else "", "not bold")
        text.append(words, "not bold" if words.startswith("0 ") else COLOURS[status])
    return text.append("\n")


def _count(report: Report, status: Status) -> int:
    return sum(outcome.status is status for outcome in report.outcomes)
