"""What `check` prints on standard output, clip by clip, in each format."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Protocol

from formcheck.cli.terminal import out
from formcheck.types import Report


class Output(Protocol):
    """One format. `end` always comes, even after Ctrl-C; `close` only after the last clip."""

    def __init__(self, *, several: bool, quiet: bool) -> None: ...

    def add(self, report: Report) -> None:
        """Print one clip's report."""

    def end(self) -> None:
        """Complete what was printed so far, so that a reader can take it."""

    def close(self, reports: Sequence[Report], failed: int) -> None:
        """Print what comes after the last clip."""


class TextOutput:
    """Findings for people."""

    def __init__(self, *, several: bool, quiet: bool) -> None:
        self._several = several
        self._quiet = quiet
        self._started = False

    def add(self, report: Report) -> None:
        """Print the findings of one clip."""
        from formcheck.reports.text import render, report_text

        text = report_text(report, quiet=self._quiet, several=self._several)
        gap = "\n" if self._started and not self._quiet else ""
        self._started = True
        out(gap + render(text, terminal=sys.stdout.isatty()))

    def end(self) -> None:
        """Text is complete at any time."""

    def close(self, reports: Sequence[Report], failed: int) -> None:
        """Print the total of several clips, and that this is no diagnosis."""
        from formcheck.reports.text import closing_text, render

        if not self._quiet:
            text = render(closing_text(reports, failed), terminal=sys.stdout.isatty())
            out(f"\n{text}" if text else "")


class JsonOutput:
    """One object for one clip; an array for several, valid even when some failed or Ctrl-C came."""

    def __init__(self, *, several: bool, quiet: bool) -> None:
        del quiet
        self._several = several
        self._count = 0

    def add(self, report: Report) -> None:
        """Print one clip's object."""
        from formcheck.reports.json import report_to_json

        text = report_to_json(report)
        if self._several:
            out((",\n" if self._count else "[\n") + textwrap.indent(text, "  "))
        else:
            out(f"{text}\n")
        self._count += 1

    def end(self) -> None:
        """Close the array."""
        if self._several:
            out("\n]\n" if self._count else "[]\n")

    def close(self, reports: Sequence[Report], failed: int) -> None:
        """Nothing comes after the array."""


class CsvOutput:
    """One row per outcome of all clips under one header."""

    def __init__(self, *, several: bool, quiet: bool) -> None:
        del several, quiet
        self._header = True

    def add(self, report: Report) -> None:
        """Print one clip's rows."""
        from formcheck.reports.csv import outcomes_csv

        out(outcomes_csv([report], header=self._header))
        self._header = False

    def end(self) -> None:
        """Rows are complete at any time."""

    def close(self, reports: Sequence[Report], failed: int) -> None:
        """Nothing comes after the rows."""


OUTPUTS: Mapping[str, type[Output]] = {"text": TextOutput, "json": JsonOutput, "csv": CsvOutput}
