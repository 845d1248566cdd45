"""`symptoms`: what is felt, by options, beside the last kept session; the app has the same as a page."""

from __future__ import annotations

import shutil
import textwrap
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from typing import Any

from formcheck.cli.terminal import out
from formcheck.symptoms import Answers, advise, measured_in
from formcheck.symptoms.questions import QUESTIONS, SEVERAL, Answer
from formcheck.symptoms.texts import DISCLAIMER

OPTIONS = {
    "flags": "--sign",
    "places": "--where",
    "feelings": "--what",
    "activity": "--after",
    "holding": "--holding",
    "head": "--head",
    "ankle": "--toes-up",
    "duration": "--lasts",
}
MAX_COLUMNS = 100
EPILOG = """\
examples:
  formcheck symptoms                                            the questions, and the words to answer with
  formcheck symptoms --where calf --what pull --after stretch
  formcheck symptoms --where thigh --what tingling --head yes --session 3
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    for field, option in OPTIONS.items():
        title, answers = QUESTIONS[field]
        several = field in SEVERAL
        text = f"{title} {', '.join(answer.key for answer in answers)}"
        kind = _answer(answers)
        if several:
            parser.add_argument(option, dest=field, metavar="WORD", type=kind, action="append", default=[], help=text)
        else:
            parser.add_argument(option, dest=field, metavar="WORD", type=kind, help=text)
    parser.add_argument("--session", metavar="N", type=int, help="a kept session to combine with (see: history)")


def run(args: Namespace) -> int:
    """Print the advice; without an answer, the questions."""
    given = {field: getattr(args, field) for field in OPTIONS}
    chosen: dict[str, Any] = {
        name: frozenset(value) if name in SEVERAL else value for name, value in given.items() if value
    }
    if not chosen:
        out(_questions())
        return 0
    measured = None
    if args.session is not None:
        from formcheck.history import History

        with History.open() as history:
            measured = measured_in(history.session(args.session).report)
    width = min(shutil.get_terminal_size().columns, MAX_COLUMNS)
    for item in advise(Answers(**chosen), measured):
        out(f"{item.title}\n")
        links = " ".join(f"See: formcheck explain {name}." for name in item.exercises)
        text = " ".join(part for part in (item.text, item.measured, links) if part)
        out(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ") + "\n")
    out("\n" + textwrap.fill(DISCLAIMER, width) + "\n")
    return 0


def _questions() -> str:
    lines = []
    for field, option in OPTIONS.items():
        title, answers = QUESTIONS[field]
        lines += [f"{title} ({option}{', more than once' if field in SEVERAL else ''})"]
        width = max(len(answer.key) for answer in answers)
        lines += [f"  {answer.key:<{width}}  {answer.text}" for answer in answers] + [""]
    return "\n".join(lines)


def _answer(answers: type[Answer]) -> Callable[[str], Answer]:
    known = {answer.key: answer for answer in answers}

    def read(text: str) -> Answer:
        if text.strip().lower() not in known:
            raise ArgumentTypeError(f"{text!r} is none of {', '.join(known)}")
        return known[text.strip().lower()]

    return read
