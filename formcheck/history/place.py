"""Where history is kept, and what SQLite's errors mean to the person whose file it is."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from formcheck.errors import HistoryError

PLACE = "FORMCHECK_HISTORY"  # environment variable: another file, or a folder for it
FILE_NAME = "history.sqlite3"

PRIMARY_CODE = 0xFF  # of SQLite's extended result codes
AWAY = "it was left as it is: move it to another place, and formcheck begins a new one"
DAMAGED = f"the history is damaged; {AWAY}, or put back a copy"
MEANINGS = {
    sqlite3.SQLITE_NOTADB: f"this is no history of formcheck, or it is damaged; {AWAY}",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_BUSY: "the history is in use by another program; try again in a moment",
    sqlite3.SQLITE_LOCKED: "the history is in use by another program; try again in a moment",
    sqlite3.SQLITE_READONLY: f"the history cannot be written to; choose another place with {PLACE}",
    sqlite3.SQLITE_CANTOPEN: f"the history cannot be opened or made here; choose another place with {PLACE}",
    sqlite3.SQLITE_FULL: "there is no room left to keep the history; make some, and try again",
}


def default_path() -> Path:
    """Where history is kept: `FORMCHECK_HISTORY` (a file, or a folder for it), else the user's data folder."""
    chosen = os.environ.get(PLACE)
    if not chosen:
        return platformdirs.user_data_path("formcheck") / FILE_NAME
    path = Path(chosen).expanduser()
    return path / FILE_NAME if path.is_dir() else path


def make_private(path: Path) -> None:
    """Make the file where it is missing, empty, readable by its owner only: training is nobody else's business.

    Raises
    ------
    HistoryError
        When it cannot be made, or is no file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
        if not path.is_file():
            raise IsADirectoryError(0, "it is no file")
    except OSError as error:
        raise HistoryError(
            f"{path}: the history cannot be kept here: {error.strerror}; choose another file with {PLACE}"
        ) from error


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says into one line for the person."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
        meaning = MEANINGS.get(code, f"the history cannot be used: {error}; {AWAY}")
        raise HistoryError(f"{path}: {meaning}") from error
