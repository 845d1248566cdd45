"""The app's temporary files: where they are, what they are called, and that none of them outlives its session.

A name that comes from outside is only ever shown, never used for a file.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Self
from weakref import finalize

VIDEO_SUFFIXES: Final = ("mp4", "mov", "m4v", "webm", "mkv", "avi")
PREFIX: Final = "formcheck-app-"
CLAIM: Final = "in-use"  # a file that the server holds locked as long as it lives
LONGEST_NAME: Final = 80
COPY_BYTES: Final = 1 << 20


class Workspace:
    """A folder of its own for one server, readable by its owner only; removed with it, or when the next one starts.

    Parameters
    ----------
    root : Path
        An empty folder.
    claim : file
        Locked, inside `root`.
    """

    def __init__(self, root: Path, claim: IO[bytes]) -> None:
        self.root = root
        self._claim = claim
        self._end = finalize(self, _remove, root, claim)

    @classmethod
    def make(cls, parent: Path | None = None) -> Self:
        """Make the folder, after removing what servers that did not end well left behind."""
        parent = parent or Path(tempfile.gettempdir())
        for folder in stale_folders(parent):
            shutil.rmtree(folder, ignore_errors=True)
        root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        claim = (root / CLAIM).open("wb")
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(root, claim)

    def folder(self) -> Path:
        """A new empty folder."""
        return Path(tempfile.mkdtemp(dir=self.root))

    def close(self) -> None:
        """Remove everything. Closing twice is allowed."""
        self._end()


def _remove(root: Path, claim: IO[bytes]) -> None:
    claim.close()
    shutil.rmtree(root, ignore_errors=True)


def stale_folders(parent: Path) -> Iterator[Path]:
    """The folders in `parent` that a server of this user made, and that no server uses any more."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            mine = not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.getuid()
            if mine and not _in_use(folder / CLAIM):
                yield folder
        except OSError:  # another server is removing it at this moment, or its owner does not let us look
            continue


def _in_use(claim: Path) -> bool:
    if not claim.exists():
        return False
    with claim.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def video_suffix(name: str) -> str | None:
    """The suffix of a video's name, ``.mp4``; None when it is none that is taken."""
    suffix = name.rpartition(".")[2].lower()
    return f".{suffix}" if "." in name and suffix in VIDEO_SUFFIXES else None


def shown_name(name: str) -> str:
    """A name from outside as one short line of text: no folders, no control characters, not endless."""
    last = re.split(r"[/\\]", name)[-1]
    # Cc, Cf ...: control characters, and marks that turn the direction of writing and make a name look like another.
    plain = "".join(" " if unicodedata.category(letter).startswith("C") else letter for letter in last)
    plain = " ".join(plain.split()) or "clip"
    if len(plain) <= LONGEST_NAME:
        return plain
    half = LONGEST_NAME // 2 - 1
    return f"{plain[:half]}\N{HORIZONTAL ELLIPSIS}{plain[-half:]}"


def file_stem(name: str) -> str:
    """A stem for downloads made of a name from outside: letters, digits, ``._-`` only."""
    stem = shown_name(name).rpartition(".")[0] or shown_name(name)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "clip"


def copy_stream(source: IO[bytes], target: Path) -> None:
    """Write what is left of a stream into a new file."""
    with target.open("xb") as file:
        shutil.copyfileobj(source, file, COPY_BYTES)


def markdown_text(text: str) -> str:
    """Text from outside, to be read as it is where Markdown is understood."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", text)
