"""A manifest: a CSV table that names clips and says what is known of each.

The columns are `path`, `exercise`, `side`, `person` and `label`; only `path` is needed, and an empty cell says nothing.
A path is relative to the manifest's own folder, or an address like `s3://bucket/clip.mp4`.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from formcheck.batch import storage
from formcheck.batch.clips import Clip
from formcheck.config import closest
from formcheck.errors import ConfigError
from formcheck.exercises import find_exercise
from formcheck.types import Side

COLUMNS = ("path", "exercise", "side", "person", "label")


def read_manifest(address: str) -> list[Clip]:
    """Return the clips of a manifest, in its order.

    Raises
    ------
    ConfigError
        When it cannot be read, a column is not known, or a row is not valid; the text names the line.
    """
    text = _read(address)
    header = text.partition("\n")[0]
    separator = ";" if ";" in header and "," not in header else ","  # spreadsheets of many countries write semicolons
    rows = csv.DictReader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    try:
        _check_columns(address, list(rows.fieldnames or ()))
        rows.fieldnames = [_column(name) for name in rows.fieldnames or ()]
        clips = [_clip(address, rows.line_num, row) for row in rows if any(row.values())]
    except csv.Error as error:
        raise ConfigError(f"{address}: not a valid CSV table ({error}); save it again as CSV in UTF-8") from error
    if not clips:
        raise ConfigError(f"{address}: the manifest names no clip; give each its row under the header")
    return clips


def _read(address: str) -> str:
    try:
        if storage.is_remote(address):
            system, path = storage.filesystem(address)
            with storage.reading(address):
                content: bytes = system.cat_file(path)
        else:
            content = Path(address).read_bytes()
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")  # Excel writes a mark in front
    except OSError as error:
        raise ConfigError(f"{address}: the manifest cannot be read ({error.strerror}); check the name") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{address}: the manifest is not UTF-8 text; save it again as CSV in UTF-8") from error


def _column(name: str) -> str:
    return name.strip().lower()


def _check_columns(address: str, names: list[str]) -> None:
    columns = [_column(name) for name in names]
    for column in columns:
        # A misspelt column must not look as if it were in force.
        if column not in COLUMNS:
            raise ConfigError(
                f"{address}: there is no column {column!r}{closest(column, COLUMNS)}; "
                f"a manifest has {', '.join(COLUMNS)}"
            )
    if "path" not in columns:
        raise ConfigError(f"{address}: the manifest has no column 'path'; its first line must name its columns")
    if len(set(columns)) < len(columns):
        raise ConfigError(f"{address}: the manifest names a column twice; leave one")


def _clip(address: str, line: int, row: dict[str, str]) -> Clip:
    where = f"{address}, line {line}"
    if None in row:
        raise ConfigError(f"{where}: more cells than columns; put a path with a comma in quotes")
    cells = {name: (value or "").strip() for name, value in row.items()}
    if not cells["path"]:
        raise ConfigError(f"{where}: the path is empty")
    side, person, exercise = (cells.get(name, "") for name in ("side", "person", "exercise"))
    if side not in {"", "auto", *Side}:
        raise ConfigError(f"{where}: side is {side!r}; it must be left, right, auto or empty")
    if person and not (person.isdecimal() and int(person) >= 1):
        raise ConfigError(f"{where}: person is {person!r}; it must be a number from 1 on, or empty")
    try:
        known = find_exercise(exercise).id if exercise not in {"", "auto"} else None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return Clip(
        address=_absolute(address, cells["path"]),
        exercise=known,
        side=Side(side) if side in {*Side} else None,
        person=int(person) if person else None,
        label=cells.get("label", ""),
    )


def _absolute(manifest: str, path: str) -> str:
    if storage.is_remote(path) or path.startswith(("/", "file://")):
        return storage.canonical(path)
    if storage.is_remote(manifest):
        return f"{manifest.rsplit('/', 1)[0]}/{path}"
    return storage.canonical(Path(manifest).absolute().parent / path)
