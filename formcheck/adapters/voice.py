"""A voice for the local window, by whatever program of this computer can speak."""

from __future__ import annotations

import shutil
import subprocess
import sys
from types import TracebackType
from typing import Self

SPEAKERS = {
    "say": ("say", "--"),  # macOS
    "spd-say": ("spd-say", "--"),
    "espeak-ng": ("espeak-ng", "--"),
    "espeak": ("espeak", "--"),
}


class Voice:
    """Says one thing at a time; silent where no program can speak.

    Parameters
    ----------
    command : tuple of str or None
        What is run with the words as its last argument; None is silent.
    """

    def __init__(self, command: tuple[str, ...] | None) -> None:
        self._command = command
        self._speaking: subprocess.Popen[bytes] | None = None

    @classmethod
    def find(cls) -> Self:
        """The first program on this computer that can speak."""
        if sys.platform.startswith("win"):
            return cls(None)
        found = next((command for name, command in SPEAKERS.items() if shutil.which(name)), None)
        return cls(found)

    @property
    def silent(self) -> bool:
        """Whether nothing will be heard."""
        return self._command is None

    def say(self, text: str, *, urgent: bool = False) -> None:
        """Say a text without waiting; left out while another is said, unless it is urgent."""
        if self._command is None or not text:
            return
        if self._speaking is not None and self._speaking.poll() is None:
            if not urgent:
                return
            self._speaking.terminate()
            self._speaking.wait()
        self._speaking = subprocess.Popen(
            [*self._command, text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._speaking is not None and self._speaking.poll() is None:
            self._speaking.terminate()
        if self._speaking is not None:
            self._speaking.wait()
