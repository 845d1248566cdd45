"""Results to standard output, everything else to standard error, and what to do when either goes away."""

from __future__ import annotations

import io
import math
import os
import signal
import sys
import threading
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
def interruptible() -> Iterator[Callable[[], None]]:
    """Let the first Ctrl-C in the block take effect where the yielded function is called, or at the block's end.

    Raised at any other place, `KeyboardInterrupt` can hit the pose library while it starts or closes a model, which
    then complains with a traceback as Python exits. A second Ctrl-C takes effect at once.
    """
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield lambda: None  # somebody else handles or ignores it (nohup), and only the main thread may change that
        return
    pressed = False

    def press(*_: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def stop_if_pressed() -> None:
        if pressed:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, press)
    try:
        yield stop_if_pressed
    finally:
        signal.signal(signal.SIGINT, usual)
        stop_if_pressed()


@contextmanager
def frame_progress(label: str, *, quiet: bool) -> Iterator[Callable[[float, float], None]]:
    """`progress_bar` for work that reports after every frame: the first Ctrl-C takes effect between two frames."""
    with interruptible() as stop_if_pressed, progress_bar(label, quiet=quiet) as show:

        def on_progress(done: float, total: float) -> None:
            stop_if_pressed()
            show(done, total)

        yield on_progress


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[float, float], None]]:
    """Show a bar on standard error while the block runs, when that is a terminal and `quiet` is false.

    Yields a function that takes what is done and the total, in any one unit; a total that is NaN shows a bar
    without an end.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
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
