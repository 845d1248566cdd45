"""`explain`, `rules` and `exercises`: what formcheck knows. No video, no model, no terminal library."""

from __future__ import annotations

import shutil
import sys
import textwrap
from argparse import Namespace

from formcheck.cli.terminal import out
from formcheck.config import closest
from formcheck.errors import ConfigError
from formcheck.exercises import EXERCISES, find_exercise
from formcheck.explain import exercises_markdown, explain_exercise, explain_rule, parse_documentation, rules_markdown
from formcheck.rules import RULES

MAX_COLUMNS = 100  # longer lines are hard to read


def explain(args: Namespace) -> int:
    """Print what a rule or an exercise is about, as Markdown."""
    name = args.name
    rule = RULES.get(name.strip().lower().replace(" ", "-").replace("_", "-"))
    if rule is not None:
        text = explain_rule(rule)
    else:
        try:
            text = explain_exercise(find_exercise(name))
        except ConfigError as error:
            hint = closest(name, (*RULES, *EXERCISES))
            raise ConfigError(f"there is no rule or exercise {name!r}{hint}") from error
    out(_fit(text) + "\n")
    return 0


def rules(args: Namespace) -> int:
    """Print the rules: one line each, or all of their documentation."""
    if args.markdown:
        out(rules_markdown())
        return 0
    rows = [
        (rule.id, parse_documentation(rule.documentation).summary, f"evidence: {rule.strength}")
        for rule in RULES.values()
    ]
    out(_columns(rows) + "\nformcheck explain RULE tells why, what to do, and what the evidence is.\n")
    return 0


def exercises(args: Namespace) -> int:
    """Print the exercises: one line each, or all of their documentation."""
    if args.markdown:
        out(exercises_markdown())
        return 0
    rows = [(item.id, item.title, f"also: {', '.join(item.aliases)}") for item in EXERCISES.values()]
    out(_columns(rows) + "\nformcheck explain EXERCISE tells how to film one and what is judged.\n")
    return 0


def _columns(rows: list[tuple[str, str, str]]) -> str:
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "".join(f"{name:<{first}}  {title:<{second}}  {rest}\n" for name, title, rest in rows)


def _fit(markdown: str) -> str:
    """Break paragraphs to the terminal's width; tables, and anything that is piped on, stay as they are."""
    if not sys.stdout.isatty():
        return markdown
    width = min(shutil.get_terminal_size().columns, MAX_COLUMNS)
    return "\n".join(line if line.startswith(("|", "#")) else _wrap(line, width) for line in markdown.splitlines())


def _wrap(line: str, width: int) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
