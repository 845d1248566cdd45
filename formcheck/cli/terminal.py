"""Results to standard output, everything else to standard error, and what to do when either goes away."""

from __future__ import annotations

import io
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from formcheck.errors import OutputError

DEBUG = "FORMCHECK_DEBUG"


def prepare_streams() -> None:
    """Make both streams take any text: a file name may hold bytes, or an error sign, that the encoding does not."""
    # A program started with a stream closed (`>&-`) has None there.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")  # stays open as long as the process


def out(text: str) -> None:
    """Write a result to standard output, at once, so that a pipe gets each clip as it is finished.

    Raises
    ------
    OutputError
        When it cannot be written, as on a full disk.
    BrokenPipeError
        When the reader has gone away.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        raise OutputError(f"standard output: cannot write to it: {error.strerror}") from error


def note(text: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"formcheck: {one_line(text)}\n")
    sys.stderr.flush()


def one_line(text: str) -> str:
    """Return `text` on one line: a file name may hold a line break."""
    return "\\n".join(text.splitlines())


def discard(stream: TextIO) -> None:
    """Send what is left in `stream` nowhere; Python would complain of it once more on the way out."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return  # no file behind it, as in tests
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def internal_error(error: Exception, where: str = "") -> None:
    """Say in one line that this is a mistake of formcheck; with FORMCHECK_DEBUG=1, show where it happened."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    place = f"{where}: " if where else ""
    note(f"{place}internal error ({what}); please report it, with the traceback that {DEBUG}=1 shows")


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[float, float], None] | None]:
    """Show a bar on standard error while the block runs; None in place of the callback when it is not a terminal.

    The callback takes what is done and the total, in any one unit; a total that is NaN shows a bar without an end.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(label), total=None)

        def show(done: float, total: float) -> None:
            bar.update(task, completed=done, total=total if math.isfinite(total) else None)

        yield show
