"""A report as text for a terminal, in the manner of a linter."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from formcheck.exercises import EXERCISES
from formcheck.types import Kind, Outcome, Report, Status

COLOURS = {Status.FAULT: "bold red", Status.CAUTION: "yellow", Status.OK: "green", Status.NOT_JUDGED: "dim"}
LITTLE_SEEN = 0.9  # below this share of frames with a person, the header says so
NO_DIAGNOSIS = (
    "formcheck says what the camera saw; it is no diagnosis. With pain, tingling or numbness, see a professional."
)


def report_text(report: Report, *, quiet: bool = False) -> Text:
    """One clip: a header, its findings with advice, what was not judged and why, and one line that sums up.

    Parameters
    ----------
    report : Report
    quiet : bool
        Leave out the header, the warnings and the list of what was not judged; the last line still counts them.

    Returns
    -------
    Text
        Lines with colours, each ending in a newline.
    """
    text = Text()
    if not quiet:
        text.append_text(_header(report))
    for outcome in report.outcomes:
        if outcome.status in (Status.FAULT, Status.CAUTION):
            text.append_text(_finding(report, outcome))
    if not quiet:
        text.append_text(_not_judged(report))
    return text.append_text(_summary(report))


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
        text.append(f"{_many(len(reports), 'clip')}: {_many(found, 'finding')}{failures}\n", "bold")
    if found:
        text.append(f"{NO_DIAGNOSIS}\n", "dim")
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
    parts = [title if report.exercise.given else f"{title} (recognised)", _view(report)]
    parts.append(_many(len(report.reps), _kind(report, short=False)))
    text = Text(f"{report.clip.path}: ", "bold").append(", ".join(part for part in parts if part) + "\n", "not bold")
    seen = report.clip.pose_fraction
    if seen < LITTLE_SEEN:
        text.append(f"  note: a person was seen in only {100 * seen:.0f} % of the frames\n", "yellow")
    if not report.view.usable and report.view.reason:
        text.append(f"  note: {report.view.reason}\n", "yellow")
    for warning in report.warnings:
        text.append(f"  note: {warning}\n", "yellow")
    return text


def _view(report: Report) -> str:
    view = report.view
    if view.near_side is None:
        return ""
    turned = "" if math.isnan(view.yaw_deg) else f", camera {view.yaw_deg:.0f} deg off the side view"
    return f"{view.near_side} side to the camera{turned}"


def _kind(report: Report, *, short: bool) -> str:
    exercise = EXERCISES.get(report.exercise.name)
    if exercise is not None and exercise.kind is Kind.HOLD:
        return "hold"
    return "rep" if short else "repetition"


def _finding(report: Report, outcome: Outcome) -> Text:
    time_s = outcome.start_s if math.isnan(outcome.worst_s) else outcome.worst_s
    place = f"{report.clip.path}:" if math.isnan(time_s) else f"{report.clip.path}:{time_s:.1f}s"
    text = Text(f"{place} {_which(report, outcome)} ").append(outcome.status.value, COLOURS[outcome.status])
    text.append(f" {outcome.rule}", "bold").append(f"  {_measured(outcome)}\n")
    # A finding may carry a reason too: why it is not graded harder.
    reason = f"({outcome.reason})" if outcome.reason and not math.isnan(outcome.measured) else ""
    return text.append("  " + " ".join(part for part in (outcome.message, outcome.cue, reason) if part) + "\n")


def _which(report: Report, outcome: Outcome) -> str:
    return "set" if outcome.rep is None else f"{_kind(report, short=True)} {outcome.rep}"


def _measured(outcome: Outcome) -> str:
    """``knee flexion -5 ± 3 deg (limit -3)``, with a decimal more where rounding would hide which side it is on."""
    if math.isnan(outcome.measured):
        return outcome.reason
    decimals = 0 if outcome.unit in ("deg", "%") else 1
    while decimals < 3 and f"{outcome.measured:.{decimals}f}" == f"{outcome.limit:.{decimals}f}":
        decimals += 1
    name = outcome.metric.removesuffix(f"_{outcome.unit}").replace("_", " ")
    error = "" if math.isnan(outcome.sigma) else f" ± {outcome.sigma:.{decimals}f}"
    limit = "" if math.isnan(outcome.limit) else f" (limit {outcome.limit:g})"
    measured = f"{round(outcome.measured, decimals) + 0.0:.{decimals}f}"  # "+ 0.0": no "-0"
    return f"{name} {measured}{error} {outcome.unit}{limit}"


def _not_judged(report: Report) -> Text:
    """What was not judged, grouped by reason in the order of first appearance: rules, with their repetitions."""
    groups: dict[str, dict[str, list[str]]] = {}
    for outcome in report.outcomes:
        if outcome.status is Status.NOT_JUDGED:
            rules = groups.setdefault(outcome.reason, {})
            rules.setdefault(outcome.rule, []).append("set" if outcome.rep is None else str(outcome.rep))
    text = Text()
    for reason, rules in groups.items():
        kind = _kind(report, short=True)
        names = ", ".join(
            rule + ("" if reps == ["set"] else f" ({kind} {', '.join(reps)})") for rule, reps in rules.items()
        )
        text.append(f"  not judged: {names}: {reason}\n", COLOURS[Status.NOT_JUDGED])
    return text


def _summary(report: Report) -> Text:
    text = Text(f"{report.clip.path}: ", "bold")
    if report.worst() is None:
        text.append("nothing could be judged", "bold yellow")
        if not report.reps:
            text.append(f": no {_kind(report, short=False)} was found", "not bold")
        return text.append("\n")
    counts = (
        (_many(_count(report, Status.FAULT), "fault"), Status.FAULT),
        (_many(_count(report, Status.CAUTION), "caution"), Status.CAUTION),
        (f"{_count(report, Status.OK)} ok", Status.OK),
        (f"{_count(report, Status.NOT_JUDGED)} not judged", Status.NOT_JUDGED),
    )
    for index, (words, status) in enumerate(counts):
        text.append(", " if index else "", "not bold")
        text.append(words, "not bold" if words.startswith("0 ") else COLOURS[status])
    return text.append("\n")


def _count(report: Report, status: Status) -> int:
    return sum(outcome.status is status for outcome in report.outcomes)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
