"""The one entry point: runs a command and turns how it ended into an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from formcheck.cli.terminal import discard, internal_error, note, prepare_streams
from formcheck.errors import FormcheckError

OK, FOUND, COULD_NOT_RUN = 0, 1, 2
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
READER_GONE = 141  # 128 + SIGPIPE: what `head` leaves behind of any other program


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        0 nothing found, 1 findings, 2 could not run, 130 stopped with Ctrl-C, 141 the reader of a pipe went away.
    """
    prepare_streams()
    try:
        status = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
        discard(sys.stderr)
        return READER_GONE
    return status


def _run(argv: Sequence[str] | None) -> int:
    try:
        from formcheck.cli.parser import parse

        args = parse(argv)
        return int(args.run(args))
    except SystemExit as end:  # --help and --version
        return end.code if isinstance(end.code, int) else OK
    except FormcheckError as error:
        note(f"error: {error}")
    except KeyboardInterrupt:
        note("stopped")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        internal_error(error)
    return COULD_NOT_RUN
