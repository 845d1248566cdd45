"""Values of options, read from their text; what is wrong with one is an `argparse.ArgumentTypeError`."""

from __future__ import annotations

import argparse
from pathlib import Path

from formcheck.reports.export import export_paths


def person_number(text: str) -> int:
    """Read a number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def person_box(text: str) -> tuple[float, ...]:
    """Read ``X,Y,W,H`` as fractions of the picture."""
    try:
        box = tuple(float(part) for part in text.split(","))
    except ValueError:
        box = ()
    if len(box) != 4 or not all(0 <= part <= 1 for part in box) or not (box[2] and box[3]):
        raise argparse.ArgumentTypeError(f"{text!r} is no box; give four fractions from 0 to 1, as in 0.1,0.2,0.4,0.7")
    return box


def rule_names(text: str) -> list[str]:
    """Read ``RULE,RULE``."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("no rule is named")
    return names


def job_count(text: str) -> int:
    """Read a number of worker processes."""
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; give one from 1 to 1024")
    return int(text)


def seconds(text: str) -> float:
    """Read a duration in seconds, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds; give one from 0 on")
    return value


def export_names(text: str) -> tuple[str, ...]:
    """Read ``KIND,KIND`` of what other programs read.

    Raises
    ------
    ConfigError
        When one is not known.
    """
    names = tuple(rule_names(text.lower()))
    export_paths(Path(), "", names)
    return names
