"""What other programs read: one file per format and clip, beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from formcheck.errors import ConfigError
from formcheck.reports.files import write_text
from formcheck.types import Analysis

FORMATS = ("trc", "mot", "parquet", "vtt")
_SUFFIXES = {"parquet": "angles.parquet"}  # the batch's own tables are Parquet files too


def export_paths(folder: Path, stem: str, formats: Sequence[str]) -> dict[str, Path]:
    """Format -> file for one clip: ``STEM.trc``, ``STEM.mot``, ``STEM.angles.parquet``, ``STEM.vtt``.

    Raises
    ------
    ConfigError
        When a format is not one of `FORMATS`.
    """
    for name in formats:
        if name not in FORMATS:
            raise ConfigError(f"there is no export {name!r}; choose from: {', '.join(FORMATS)}")
    return {name: folder / f"{stem}.{_SUFFIXES.get(name, name)}" for name in dict.fromkeys(formats)}


def write_exports(analysis: Analysis, folder: Path, stem: str, formats: Sequence[str]) -> tuple[Path, ...]:
    """Write one clip's exports, each whole or not at all, and return their paths.

    Parameters
    ----------
    analysis : Analysis
    folder : Path
        Must exist.
    stem : str
        What the files' names begin with.
    formats : sequence of str
        Of `FORMATS`.

    Raises
    ------
    ConfigError
        When a format is not one of `FORMATS`.
    OutputError
        When a file cannot be written.
    """
    paths = export_paths(folder, stem, formats)
    for name, target in paths.items():
        _write(name, target, analysis)
    return tuple(paths.values())


def _write(name: str, target: Path, analysis: Analysis) -> None:
    if name == "trc":
        from formcheck.reports.opensim import write_trc

        write_trc(target, analysis)
    elif name == "mot":
        from formcheck.reports.opensim import write_mot

        write_mot(target, analysis)
    elif name == "parquet":
        from formcheck.reports.parquet import write_parquet

        write_parquet(target, analysis)
    else:
        from formcheck.reports.vtt import captions

        write_text(target, captions(analysis.report))
