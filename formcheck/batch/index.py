"""`index.html`: all clips of a batch on one page that needs nothing else, to sort, filter and click through."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from formcheck import __version__
from formcheck.batch.clips import RESULTS
from formcheck.batch.summary import NO_REPORT, ClipRow, text
from formcheck.exercises import EXERCISES
from formcheck.reports.findings import findings_by_rule, moment_s
from formcheck.reports.text import measured_values
from formcheck.types import Kind, Outcome, Report, Status

TEMPLATES = Path(__file__).with_name("templates")

# Status of a clip -> the word for it, most serious first.
WORDS = {
    Status.FAULT.value: "Fault",
    Status.CAUTION.value: "Caution",
    Status.OK.value: "No finding",
    Status.NOT_JUDGED.value: "Not judged",
    NO_REPORT: "Failed",
}
_LINKS = {
    ".report.html": "Report",
    ".overlay.mp4": "Video with angles",
    ".report.json": "Report as JSON",
    ".angles.csv": "Angles as CSV",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found in one clip: the repetitions, and the moment of each."""

    rule: str
    status: str
    reps: str
    message: str
    cue: str
    number: str
    moments: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One clip on the page."""

    name: str
    folder: str
    label: str
    person: int | None
    status: str
    exercise: str
    recognised: bool
    reps: int
    rep_word: str
    faults: int
    cautions: int
    ok: int
    not_judged: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    video: str


def entry(row: ClipRow) -> Entry:
    """Return one clip as the page shows it."""
    folder, _, name = text(row.clip.address).rpartition("/")
    report = row.report
    exercise = EXERCISES.get(report.exercise.name if report else row.clip.exercise or "")
    hold = exercise is not None and exercise.kind is Kind.HOLD
    links = _links(row)
    return Entry(
        name=name,
        folder=folder,
        label=text(row.clip.label),
        person=row.clip.person,
        status=row.status,
        exercise=exercise.title if exercise else "",
        recognised=report is not None and not report.exercise.given,
        reps=len(report.reps) if report else 0,
        rep_word="hold" if hold else "rep",
        faults=row.count(Status.FAULT),
        cautions=row.count(Status.CAUTION),
        ok=row.count(Status.OK),
        not_judged=row.count(Status.NOT_JUDGED),
        findings=_findings(report, "hold" if hold else "rep") if report else (),
        notes=_notes(report) if report else (row.reason.removeprefix(f"{text(row.clip.address)}: "),),
        links=links,
        video=next((href for word, href in links if word == _LINKS[".overlay.mp4"]), ""),
    )


def _links(row: ClipRow) -> tuple[tuple[str, str], ...]:
    links = []
    for ending, word in _LINKS.items():
        for file in row.files:
            if file.endswith(ending):
                links.append((word, quote(f"{RESULTS}/{row.clip.name}/{file}")))
    known = tuple(_LINKS)
    others = [file for file in row.files if not file.endswith(known)]
    links += [(file.removeprefix(f"{row.clip.stem}."), quote(f"{RESULTS}/{row.clip.name}/{file}")) for file in others]
    return tuple(links)


def _findings(report: Report, word: str) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            rule=found.rule,
            status=found.status,
            reps=_reps([outcome.rep for outcome in found.outcomes if outcome.rep is not None], word),
            message=found.worst.message,
            cue=found.worst.cue,
            number=_number(found.outcomes),
            moments=tuple((clock(moment_s(outcome)), round(moment_s(outcome), 2)) for outcome in found.outcomes),
        )
        for found in findings_by_rule(report)
    )


def _number(outcomes: Sequence[Outcome]) -> str:
    """The measured values of one rule with their error and limit; empty where nothing was measured."""
    known = [outcome for outcome in outcomes if not math.isnan(outcome.measured)]
    return measured_values(known) if known else ""


def clock(seconds: float) -> str:
    """Return a moment of a clip as minutes and seconds, like ``1:07.4``; empty for NaN."""
    if math.isnan(seconds):
        return ""
    tenths = max(round(seconds * 10), 0)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _reps(numbers: Sequence[int], word: str) -> str:
    """Return repetition numbers in short, like ``reps 1-3, 5``; the whole set has none."""
    if not numbers:
        return "whole set"
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = ", ".join(f"{run[0]}\N{EN DASH}{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"{word}{'s' if len(set(numbers)) > 1 else ''} {shown}"


def _notes(report: Report) -> tuple[str, ...]:
    """What to know of the clip, each thing once: the view, warnings, and why rules were not judged."""
    view = [] if report.view.usable else [report.view.reason]
    reasons: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        if outcome.status is Status.NOT_JUDGED:
            rules = reasons.setdefault(outcome.reason, [])
            if outcome.rule not in rules:
                rules.append(outcome.rule)
    unjudged = [f"Not judged: {', '.join(rules)}: {reason}" for reason, rules in reasons.items()]
    return tuple(dict.fromkeys(text(note) for note in (*view, *report.warnings, *unjudged) if note))


def index_html(rows: Iterable[ClipRow]) -> str:
    """Return the page of a batch. Every name from outside is escaped.

    Parameters
    ----------
    rows : iterable of ClipRow
        In the order in which the clips are shown first.
    """
    import jinja2

    entries = [entry(row) for row in rows]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    status = Counter(item.status for item in entries)
    rules = Counter(rule for item in entries for rule in {finding.rule for finding in item.findings})
    return environment.get_template("index.html.j2").render(
        entries=entries,
        counts=[(name, word, status[name]) for name, word in WORDS.items() if status[name]],
        words=WORDS,
        rules=sorted(rules.items(), key=lambda item: (-item[1], item[0])),
        exercises=sorted({item.exercise for item in entries if item.exercise}),
        labels=sorted({item.label for item in entries if item.label}),
        version=__version__,
    )
