"""`history`: the kept sessions listed, shown, followed, exported, deleted; and keeping switched on or off."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from formcheck.cli.terminal import note, one_line, out
from formcheck.errors import ConfigError

if TYPE_CHECKING:
    from formcheck.history import History, Session
    from formcheck.types import Report

LIMIT = 20  # sessions that a list shows unless more are asked for
EPILOG = """\
examples:
  formcheck check clip.mp4 --save                keep what was found
  formcheck history                              the latest sessions
  formcheck history show 3                       everything about one of them
  formcheck history trends --exercise rdl        what changed beyond the measurement error, and whether to add weight
  formcheck history compare 3 7                  what changed from one session to another
  formcheck history enter 3 --weight 62.5        working weight and repetitions, by hand
  formcheck history export --format csv --out sessions.csv
  formcheck history delete 3                     asks first; --all deletes every one, --yes does not ask
  formcheck history off                          keep nothing from now on

Sessions stay on this machine: numbers and words, no picture, no landmark, no path. The environment variable
FORMCHECK_HISTORY names another file.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `history`."""
    add = parser.add_argument
    actions = f"{', '.join(ACTIONS)} (default: list)"
    add("action", nargs="?", choices=tuple(ACTIONS), default="list", metavar="ACTION", help=actions)
    add("sessions", nargs="*", type=_number, metavar="SESSION", help="numbers from the list")
    add("--exercise", metavar="NAME", help="only this exercise")
    add("--limit", metavar="N", type=_number, help=f"list so many of the latest (default: {LIMIT})")
    add("--format", choices=("csv", "json"), default="json", help="of an export (default: json)")
    add("--out", metavar="FILE", type=Path, help="write the export here (default: standard output)")
    add("--weight", metavar="KG", type=float, help="with enter: working weight")
    add("--reps", metavar="N", type=int, help="with enter: repetitions that you did")
    add("--note", metavar="TEXT", help="with enter: your own words")
    add("--all", action="store_true", help="with delete: every session")
    add("--yes", action="store_true", help="with delete: do not ask")


def run(args: Namespace) -> int:
    """Do what was asked with the kept sessions."""
    from formcheck.history import History

    least, most = NUMBERS.get(args.action, (0, 0))
    given = len(args.sessions)
    if given < least and not (args.action == "delete" and args.all):
        number = "the number of a session" if least == 1 else f"the numbers of {least} sessions"
        raise ConfigError(f"history {args.action} needs {number}; formcheck history lists them")
    if given > most:
        number = {0: "no number", 1: "only 1 number"}.get(most, f"only {most} numbers")
        raise ConfigError(f"history {args.action} takes {number} (see: formcheck history --help)")
    with History.open() as history:
        ACTIONS[args.action](history, args)
    return 0


def keeper(source: Literal["file", "live"] = "file") -> Callable[[Report], None]:
    """What `--save` keeps each report with; whatever is in its way is said now, not after minutes of work.

    Raises
    ------
    ConfigError
        When keeping is switched off.
    HistoryError
        When the history cannot be used.
    """
    from formcheck.history import History

    with History.open() as history:
        if not history.recording:
            raise ConfigError("keeping sessions is switched off; formcheck history on switches it on")

    def keep(report: Report) -> None:
        with History.open() as history:
            number = history.add(report, source=source)
        if number is not None:
            note(f"kept as session {number}; its weight: formcheck history enter {number} --weight KG")

    return keep


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _exercise(args: Namespace) -> str | None:
    from formcheck.exercises import find_exercise

    return None if args.exercise is None else find_exercise(args.exercise).id


def _list(history: History, args: Namespace) -> None:
    sessions = history.sessions(exercise=_exercise(args), limit=args.limit or LIMIT)
    if not sessions:
        note("no session is kept; formcheck check CLIP --save keeps one, and so does a live set in the app")
    rows = [_row(session) for session in reversed(sessions)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)] if rows else []
    for row in rows:
        cells = (
            cell.rjust(width) if column in (0, 3) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        )
        out("  ".join((*cells, row[-1])).rstrip() + "\n")
    total = len(history)
    if len(sessions) < total and args.exercise is None:
        note(f"these are the latest {len(sessions)} of {total}; --limit {total} lists all")
    if not history.recording:
        note("keeping is switched off; formcheck history on switches it on")


def _row(session: Session) -> tuple[str, ...]:
    from formcheck.types import Status

    weight = "" if session.weight_kg is None else f"{session.weight_kg:g} kg"
    counts = (
        (Status.FAULT, "fault"),
        (Status.CAUTION, "caution"),
        (Status.OK, "ok"),
        (Status.NOT_JUDGED, "not judged"),
    )
    found = ", ".join(f"{session.count(status)} {word}" for status, word in counts if session.count(status))
    title = "" if session.title == session.exercise else one_line(session.title)
    when = f"{session.when.astimezone():%Y-%m-%d %H:%M}"
    return str(session.id), when, session.exercise, weight, found, title


def _show(history: History, args: Namespace) -> None:
    from formcheck.reports.text import render, report_text

    session = history.session(args.sessions[0])
    known = (
        ("session", str(session.id)),
        ("when", f"{session.when.astimezone():%Y-%m-%d %H:%M}"),
        ("from", str(session.source)),
        ("weight", "" if session.weight_kg is None else f"{session.weight_kg:g} kg"),
        ("done", "" if session.entered_reps is None else f"{session.entered_reps} repetitions"),
        ("name", one_line(session.label)),
        ("note", one_line(session.note)),
        ("made by", f"formcheck {session.report.tool.version}"),
    )
    for name, value in known:
        if value:
            out(f"{name:<8} {value}\n")
    out("\n" + render(report_text(session.report), terminal=sys.stdout.isatty()))


def _trends(history: History, args: Namespace) -> None:
    from formcheck.exercises import EXERCISES
    from formcheck.history.load import load_advice
    from formcheck.history.trends import change_text, series_of, trend

    chosen = _exercise(args)
    for number, exercise in enumerate((chosen,) if chosen else history.exercises()):
        sessions = history.sessions(exercise=exercise)
        title = EXERCISES[exercise].title if exercise in EXERCISES else exercise
        word = "session" if len(sessions) == 1 else "sessions"
        out(("\n" if number else "") + f"{title}, {len(sessions)} {word}\n")
        advice = load_advice(sessions, exercise)
        out(f"  weight: {advice.action}. {advice.reason}\n")
        for series in series_of(sessions, exercise):
            change = trend(series)
            if change is not None:
                out(f"  {series.side}, {series.title[0].lower()}{series.title[1:]}: {change_text(series, change)}\n")


def _compare(history: History, args: Namespace) -> None:
    from formcheck.history.trends import change_text, compare

    first, second = (history.session(number) for number in args.sessions)
    if first.exercise != second.exercise:
        raise ConfigError(f"session {first.id} is {first.exercise} and session {second.id} is {second.exercise}")
    compared = compare(first, second)
    if not compared:
        note("these two have no number in common: other sides, or too little seen")
    for series, change in compared:
        out(f"{series.side}, {series.title[0].lower()}{series.title[1:]}: {change_text(series, change)}\n")


def _enter(history: History, args: Namespace) -> None:
    given = {"weight_kg": args.weight, "entered_reps": args.reps, "note": args.note}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise ConfigError("nothing to enter: add --weight KG, --reps N or --note TEXT")
    history.update(args.sessions[0], **changes)
    note(f"session {args.sessions[0]}: entered")


def _export(history: History, args: Namespace) -> None:
    text = history.export(args.format)
    if args.out is None:
        out(text)
        return
    from formcheck.reports.files import write_text

    write_text(args.out, text)
    note(f"wrote {len(history)} sessions to {args.out}")


def _delete(history: History, args: Namespace) -> None:
    if args.all:
        count = len(history)
        _confirm(args, f"all {count} sessions")
        note(f"deleted {history.delete_all()} sessions")
        return
    numbers = list(dict.fromkeys(args.sessions))
    _confirm(args, ("session " if len(numbers) == 1 else "sessions ") + ", ".join(map(str, numbers)))
    for number in numbers:
        history.delete(number)
        note(f"deleted session {number}")


def _confirm(args: Namespace, what: str) -> None:
    """Ask before deleting; only a plain yes is one.

    Raises
    ------
    ConfigError
        When nobody is there to ask, or the answer is no.
    """
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"this would delete {what}; add --yes if you are sure")
    sys.stderr.write(f"formcheck: delete {what}? This cannot be undone. [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigError("nothing was deleted")


def _switch(history: History, args: Namespace) -> None:
    on = args.action == "on"
    history.set_recording(on)
    kept = len(history)
    note("sessions are kept from now on" if on else f"nothing is kept from now on; {kept} sessions are still there")


ACTIONS: Mapping[str, Callable[[History, Namespace], None]] = {
    "list": _list,
    "show": _show,
    "trends": _trends,
    "compare": _compare,
    "enter": _enter,
    "export": _export,
    "delete": _delete,
    "on": _switch,
    "off": _switch,
}
# How many sessions each action takes; the others take none.
NUMBERS = {"show": (1, 1), "compare": (2, 2), "enter": (1, 1), "delete": (1, 10_000)}
