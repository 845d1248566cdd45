"""Every error that formcheck raises on purpose.

The text of a `FormcheckError` is written for the person who ran the command: it names the file or the value,
says what is wrong, and says what to do. The command line prints it as one line and exits with status 2.
"""

from __future__ import annotations


class FormcheckError(Exception):
    """Something that the person can put right; its text says how."""


class ClipError(FormcheckError):
    """A clip cannot be read, decoded or written."""


class NotRecognisedError(ClipError):
    """A clip does not show for sure which exercise it is.

    Parameters
    ----------
    text : str
        The whole line, for the command line.
    looks : str
        What it looks like, without the name of the clip and without advice, for a page that lets the person choose.
    candidates : tuple of str
        Ids of the exercises that it may be, the likeliest first; empty when it looks like none.
    """

    def __init__(self, text: str, looks: str = "", candidates: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.looks = looks
        self.candidates = candidates


class ModelError(FormcheckError):
    """The pose model is missing, damaged, or cannot be started."""


class ConfigError(FormcheckError):
    """A settings file, option or name is not valid."""


class OutputError(FormcheckError):
    """A result cannot be written where it was asked for."""


class HistoryError(FormcheckError):
    """The history of sessions cannot be opened, read or written, or does not hold what was asked for."""
