"""Where the poses of a long clip are kept while it is analysed: a temporary file that nobody else can open.

The file has no name and is gone with the process, whatever ends it. It is written only once a clip is longer than what
is kept in memory. Nothing is mapped into memory, because mapped pages count as the process's own.
"""

from __future__ import annotations

import tempfile
import weakref
from io import FileIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from formcheck.errors import OutputError


class TemporaryShelf:
    """Arrays in a file of their own, made with the first one.

    Parameters
    ----------
    folder : Path or None
        Where the file is made; None takes the system's place for temporary files (``TMPDIR``).
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] | FileIO | None = None
        self._kept: list[tuple[int, np.dtype[Any], tuple[int, ...]]] = []  # where it begins, and what it is
        self._end = 0

    def put(self, array: NDArray[Any]) -> int:
        """Take an array.

        Raises
        ------
        OutputError
            When it cannot be written, because the disk is full for example.
        """
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="formcheck-", dir=self._folder, buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)  # open for as long as the arrays are wanted
            self._file.seek(self._end)
            left = np.ascontiguousarray(array).data.cast("B")
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise OutputError(
                f"{self._folder or tempfile.gettempdir()}: the poses of a long clip are kept here while it is "
                f"analysed, and cannot be written ({error.strerror or error}); make room there, or set TMPDIR to "
                "another folder"
            ) from error
        self._kept.append((self._end, array.dtype, array.shape))
        self._end += array.nbytes
        return len(self._kept) - 1

    def get(self, key: int) -> NDArray[Any]:
        """A new copy of an array.

        Raises
        ------
        OutputError
            When the file cannot be read any more.
        """
        begin, dtype, shape = self._kept[key]
        array = np.empty(shape, dtype)
        assert self._file is not None
        try:
            self._file.seek(begin)
            left = array.data.cast("B")
            while left:
                part = self._file.read(len(left))
                if not part:
                    raise OSError("it has become shorter")
                left[: len(part)] = part
                left = left[len(part) :]
        except OSError as error:
            raise OutputError(
                f"{self._folder or tempfile.gettempdir()}: the temporary file with the poses of a long clip cannot be "
                f"read ({error.strerror or error}); analyse the clip again"
            ) from error
        return array
