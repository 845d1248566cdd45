"""Where results are written, and how: beside one another, whole or not at all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from formcheck.errors import OutputError

_SERIAL = itertools.count()


@dataclass(frozen=True, slots=True)
class Targets:
    """The files that one clip's results go to.

    Attributes
    ----------
    stem : str
        What their names begin with: the clip's own stem, or that with a number.
    report, angles : Path
    overlay, page : Path or None
        None when no video, or no HTML report, was asked for.
    """

    stem: str
    report: Path
    angles: Path
    overlay: Path | None
    page: Path | None = None


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that takes its place when the block ends without an exception.

    The temporary name keeps the suffix, because a video's container is chosen by it, and begins with a dot. It is
    removed when the block is left by any exception, Ctrl-C included, so that no half-written file remains.

    Raises
    ------
    OutputError
        When writing it, or moving it to `target`, fails.
    """
    temporary = target.with_name(f".formcheck-{os.getpid()}-{next(_SERIAL)}{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot write it: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write `text` to `target` as UTF-8, whole or not at all.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    write_pieces(target, (text,))


def write_pieces(target: Path, pieces: Iterable[str]) -> None:
    """Write text that is made piece by piece, so that all of it is never in memory; otherwise as `write_text`."""
    # backslashreplace: a file name may hold bytes that are no UTF-8, which Python keeps as lone surrogates.
    with (
        atomic_path(target) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        for piece in pieces:
            file.write(piece)


def prepare_folder(folder: Path) -> None:
    """Make `folder` where it is missing, and try it by writing a file into it.

    Raises
    ------
    OutputError
        When it cannot be made or written to.
    """
    trial = folder / f".formcheck-{os.getpid()}-{next(_SERIAL)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # os.access knows nothing of full disks, read-only mounts and access lists; a real file does.
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        reason = "it is not a folder" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise OutputError(f"{folder}: cannot write into this folder: {reason}; choose another one") from error


def plan_targets(clips: Sequence[Path], folder: Path, *, video: bool, html: bool = False) -> tuple[Targets, ...]:
    """Choose the files for each clip's results, so that none of them overwrites another's, or a clip.

    Parameters
    ----------
    clips : sequence of Path
    folder : Path
    video, html : bool
        Whether overlay videos, and HTML reports, are to be written.

    Returns
    -------
    tuple of Targets
        In the order of the clips. The first clip of a stem keeps it; a later one of the same stem (compared without
        case, for file systems that do not tell) gets ``-2``, ``-3`` ... after it.

    Raises
    ------
    OutputError
        When a result would overwrite one of the clips.
    """
    taken = {clip.stem.casefold() for clip in clips}
    seen: set[str] = set()
    targets = []
    for clip in clips:
        stem = clip.stem
        if stem.casefold() in seen:
            numbered = (f"{stem}-{number}" for number in itertools.count(2))
            stem = next(name for name in numbered if name.casefold() not in taken)
            taken.add(stem.casefold())
        seen.add(stem.casefold())
        overlay = folder / f"{stem}.overlay.mp4" if video else None
        page = folder / f"{stem}.report.html" if html else None
        targets.append(Targets(stem, folder / f"{stem}.report.json", folder / f"{stem}.angles.csv", overlay, page))
    sources = {clip.resolve() for clip in clips}
    for target in targets:
        if target.overlay is not None and target.overlay.resolve() in sources:
            raise OutputError(f"{target.overlay}: this clip would be overwritten by the result; choose another folder")
    return tuple(targets)
