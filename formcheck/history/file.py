"""The SQLite file behind the history: opened with care, brought up to date, changed in short whole steps.

Several processes may use it at once: each change is one short transaction, and one that finds the file in use waits. A
file that is damaged, newer, or not formcheck's own is never written to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from formcheck.errors import HistoryError
from formcheck.history.place import DAMAGED, PLACE, explained, make_private

APPLICATION_ID = 0x464F524D  # "FORM": tells the file from other programs' databases
WAIT_S = 10.0  # for another process to finish its change, which takes milliseconds

# Each script takes the file from the version of its place to the next; `user_version` says where a file stands.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE session (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- an id is not used again, so a note on paper stays right
        at TEXT NOT NULL,                      -- UTC, ISO 8601
        exercise TEXT NOT NULL,
        source TEXT NOT NULL,
        label TEXT NOT NULL,
        note TEXT NOT NULL,
        weight_kg REAL,
        entered_reps INTEGER,
        report TEXT NOT NULL,                  -- formcheck.report/1
        errors TEXT NOT NULL                   -- JSON: metric of the repetitions -> standard error
    );
    CREATE INDEX session_at ON session (at);
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
)

Execute = Callable[..., sqlite3.Cursor]


class HistoryFile:
    """An open file of a known version; `read` and `change` give the function that runs one statement."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> HistoryFile:
        """Open, make or update the file; parameters and errors as for `History.open`."""
        make_private(path)
        with explained(path):
            connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
        file = cls(path, connection)
        try:
            file._prepare()
        except BaseException:
            connection.close()
            raise
        return file

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._connection.close()

    @contextmanager
    def read(self) -> Iterator[Execute]:
        """For statements that change nothing."""
        with explained(self.path):
            yield self._connection.execute

    def _prepare(self) -> None:
        """Check whose file it is and how new, and bring it up to date."""
        with explained(self.path):
            version, owner, tables = self._state()
            if (version or tables) and owner != APPLICATION_ID:
                raise HistoryError(
                    f"{self.path}: this is another program's database; nothing was changed: choose another file with "
                    f"the environment variable {PLACE}"
                )
            if version > len(MIGRATIONS):
                raise HistoryError(
                    f"{self.path}: written by a newer formcheck (format {version}, this one knows up to "
                    f"{len(MIGRATIONS)}); nothing was changed: update formcheck"
                )
            damage = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise HistoryError(f"{self.path}: {DAMAGED}")
            self._connection.execute("PRAGMA secure_delete = ON")
        if version < len(MIGRATIONS):
            self._migrate()

    def _state(self) -> tuple[int, int, int]:
        """Version, owner, and number of tables of the file."""
        execute = self._connection.execute
        return (
            int(execute("PRAGMA user_version").fetchone()[0]),
            int(execute("PRAGMA application_id").fetchone()[0]),
            int(execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]),
        )

    def _migrate(self) -> None:
        """Take every missing step in one transaction: it is taken whole, or the file stays as it was."""
        with self.change() as execute:
            version, _, _ = self._state()  # again: another process may have been quicker
            for script in MIGRATIONS[version:]:
                for statement in _statements(script):
                    execute(statement)
            execute(f"PRAGMA application_id = {APPLICATION_ID}")
            execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextmanager
    def change(self) -> Iterator[Execute]:
        """One transaction, whole or not at all; waits for another process that is writing."""
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _statements(script: str) -> Iterator[str]:
    """The statements of a script (`executescript` would commit in between); its comments hold no semicolon."""
    return (part for part in script.split(";") if part.strip())
