"""Sessions in one SQLite file: kept, read, changed, deleted. Numbers and words only, no picture, no landmark, no path.

Several processes may use the file at once: each change is one short transaction, and one that finds the file in use
waits. A file that is damaged, newer, or not formcheck's own is never written to.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

from formcheck.errors import ConfigError, HistoryError
from formcheck.history.file import HistoryFile
from formcheck.history.place import default_path
from formcheck.history.records import Session, Source, rep_errors, storable, without_paths
from formcheck.reports.json import report_from_dict, report_to_dict
from formcheck.types import Report

MAX_WEIGHT_KG, MAX_REPS, MAX_TEXT = 1000.0, 10_000, 2000
RECORDING = "recording"

COLUMNS = "id, at, source, label, note, weight_kg, entered_reps, report, errors"


class Keep(Enum):
    """The value of an argument that leaves things as they are; None takes them away."""

    AS_IT_IS = "as it is"


AS_IT_IS: Final = Keep.AS_IT_IS


class History:
    """The kept sessions; a context manager. Use one `History` in one thread, and open it for as short as is handy."""

    def __init__(self, file: HistoryFile) -> None:
        self._file = file

    @classmethod
    def open(cls, path: str | Path | None = None) -> History:
        """Open the file, make it where there is none, and bring an older one up to date.

        Parameters
        ----------
        path : str, Path or None
            None takes `default_path`.

        Raises
        ------
        HistoryError
            When the file cannot be opened or made, is damaged, belongs to another program, or was written by a newer
            formcheck. It is left as it is.
        """
        return cls(HistoryFile.open(default_path() if path is None else Path(path)))

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._file.close()

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def recording(self) -> bool:
        """Whether sessions are kept; on until it is switched off."""
        with self._file.read() as execute:
            row = execute("SELECT value FROM setting WHERE name = ?", (RECORDING,)).fetchone()
        return row is None or row[0] != "off"

    def set_recording(self, on: bool) -> None:
        """Switch keeping on or off, for every program that uses this file. What is kept already stays."""
        with self._file.change() as execute:
            execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (RECORDING, "on" if on else "off"))

    def add(
        self,
        report: Report,
        *,
        source: Source | Literal["live", "file", "batch"],
        label: str = "",
        weight_kg: float | None = None,
        entered_reps: int | None = None,
        note: str = "",
        when: datetime | None = None,
    ) -> int | None:
        """Keep a session.

        Parameters
        ----------
        report : Report
        source : Source or str
        label, note : str
            The person's own words, up to 2000 characters each.
        weight_kg : float or None
            Working weight, 0 to 1000.
        entered_reps : int or None
            Repetitions that the person says were done.
        when : datetime or None
            None is now; without a time zone it is taken as local time.

        Returns
        -------
        int or None
            The session's id; None when keeping is switched off, and then nothing was stored.

        Raises
        ------
        ConfigError
            When an entered value cannot be right.
        HistoryError
            When it cannot be stored.
        """
        _check(weight_kg, entered_reps, label, note)
        kept = without_paths(report)
        row = (
            (when or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds"),
            kept.exercise.name,
            str(Source(source)),
            storable(label),
            storable(note),
            weight_kg,
            entered_reps,
            json.dumps(report_to_dict(kept), allow_nan=False),
            json.dumps(rep_errors(kept), allow_nan=False),
        )
        with self._file.change() as execute:
            # Within the transaction: another window may just have switched it off.
            if not self.recording:
                return None
            names = "at, exercise, source, label, note, weight_kg, entered_reps, report, errors"
            return execute(f"INSERT INTO session ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row).lastrowid

    def sessions(
        self, *, exercise: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> tuple[Session, ...]:
        """The kept sessions, oldest first.

        Parameters
        ----------
        exercise : str or None
            Id of the only exercise to return.
        since : datetime or None
            Leave out what was before.
        limit : int or None
            Only the latest so many.

        Raises
        ------
        HistoryError
            When the file cannot be read, or a session in it is damaged; the text says which.
        """
        begin = "" if since is None else since.astimezone(UTC).isoformat(timespec="microseconds")
        with self._file.read() as execute:
            rows = execute(
                f"SELECT {COLUMNS} FROM session WHERE at >= ? AND (? IS NULL OR exercise = ?) "
                "ORDER BY at DESC, id DESC LIMIT ?",
                (begin, exercise, exercise, -1 if limit is None else limit),
            ).fetchall()
        return tuple(self._session(row) for row in reversed(rows))

    def session(self, session_id: int) -> Session:
        """One session by its id.

        Raises
        ------
        HistoryError
            When there is none of this id, or it is damaged.
        """
        with self._file.read() as execute:
            row = execute(f"SELECT {COLUMNS} FROM session WHERE id = ?", (_id(session_id),)).fetchone()
        if row is None:
            raise HistoryError(f"{self.path}: there is no session {session_id} (see: formcheck history)")
        return self._session(row)

    def exercises(self) -> tuple[str, ...]:
        """Ids of the exercises that have sessions, the latest first."""
        with self._file.read() as execute:
            rows = execute("SELECT exercise FROM session GROUP BY exercise ORDER BY MAX(at) DESC")
            return tuple(row[0] for row in rows)

    def __len__(self) -> int:
        with self._file.read() as execute:
            return int(execute("SELECT COUNT(*) FROM session").fetchone()[0])

    def update(
        self,
        session_id: int,
        *,
        weight_kg: float | Keep | None = AS_IT_IS,
        entered_reps: int | Keep | None = AS_IT_IS,
        label: str | Keep = AS_IT_IS,
        note: str | Keep = AS_IT_IS,
    ) -> None:
        """Change what the person entered; an argument that is left out leaves things as they are, None takes them away.

        Raises
        ------
        ConfigError
            When an entered value cannot be right.
        HistoryError
            When there is no such session, or it cannot be stored.
        """
        given = {"weight_kg": weight_kg, "entered_reps": entered_reps, "label": label, "note": note}
        changes = {name: value for name, value in given.items() if not isinstance(value, Keep)}
        _check(
            None if isinstance(weight_kg, Keep) else weight_kg,
            None if isinstance(entered_reps, Keep) else entered_reps,
            *(text for text in (label, note) if not isinstance(text, Keep)),
        )
        self.session(session_id)
        values = [storable(value) if isinstance(value, str) else value for value in changes.values()]
        with self._file.change() as execute:
            for name, value in zip(changes, values, strict=True):
                execute(f"UPDATE session SET {name} = ? WHERE id = ?", (value, session_id))

    def delete(self, session_id: int) -> None:
        """Delete one session; its bytes in the file are overwritten. Works for a damaged one too.

        Raises
        ------
        HistoryError
            When there is none of this id.
        """
        with self._file.change() as execute:
            if execute("DELETE FROM session WHERE id = ?", (_id(session_id),)).rowcount == 0:
                raise HistoryError(f"{self.path}: there is no session {session_id} (see: formcheck history)")

    def delete_all(self) -> int:
        """Delete every session, and return how many there were. The off switch stays as it is."""
        with self._file.change() as execute:
            return execute("DELETE FROM session").rowcount

    def export(self, form: str) -> str:
        """Every session as text: ``json`` with the whole reports, or ``csv`` with one row per number.

        Raises
        ------
        ConfigError
            When `form` is another one.
        HistoryError
            When the sessions cannot be read.
        """
        from formcheck.history.export import FORMS

        if form not in FORMS:
            raise ConfigError(f"there is no export as {form!r}; choose {' or '.join(FORMS)}")
        return FORMS[form](self.sessions())

    def _session(self, row: tuple[int, str, str, str, str, float | None, int | None, str, str]) -> Session:
        number, at, source, label, note, weight_kg, entered_reps, report, errors = row
        try:
            return Session(
                id=number,
                when=datetime.fromisoformat(at),
                source=Source(source),
                label=label,
                note=note,
                weight_kg=weight_kg,
                entered_reps=entered_reps,
                report=report_from_dict(json.loads(report)),
                errors={name: float(value) for name, value in json.loads(errors).items()},
            )
        except (ConfigError, ValueError, TypeError, AttributeError) as error:
            raise HistoryError(
                f"{self.path}: session {number} is damaged ({error}); the others are not: to go on without it, "
                f"formcheck history delete {number}"
            ) from error


def _id(number: int) -> int:
    """A number that SQLite can hold; any other is the id of no session."""
    return number if 0 < number < 2**63 else 0


def _check(weight_kg: float | None, entered_reps: int | None, *texts: str) -> None:
    """Refuse what cannot have been meant: a slip in a number would spoil the advice that is taken from it."""
    if weight_kg is not None and not 0.0 <= weight_kg <= MAX_WEIGHT_KG:
        raise ConfigError(f"{weight_kg:g} kg cannot be right; give the weight as 0 to {MAX_WEIGHT_KG:g}")
    if entered_reps is not None and not 0 <= entered_reps <= MAX_REPS:
        raise ConfigError(f"{entered_reps} repetitions cannot be right; give 0 to {MAX_REPS}")
    if any(len(text) > MAX_TEXT for text in texts):
        raise ConfigError(f"a label or note is too long; keep it under {MAX_TEXT} characters")
