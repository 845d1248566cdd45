"""How wrong a measured angle may be: the error tables.

The numbers are in `accuracy.json` beside this module. They are written by ``formcheck validate DIR --write`` from
clips with known angles, by metric, body position and how far the camera is turned, and nowhere typed by hand. How much
larger the errors are in dark pictures is measured on darkened versions of such clips (`benchmarks/light.py --write`).
The network's own visibility does not enter: it tells next to nothing of an error (`docs/accuracy.md`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from formcheck.errors import FormcheckError
from formcheck.types import Position

SCHEMA = "formcheck.accuracy/1"
# Upper edges: side view, oblique, very oblique. The camera's turn is known to about 4 deg, hence 25 and not 20.
YAW_BANDS_DEG = (25.0, 40.0, 60.0)
TABLE_FILE = "accuracy.json"
UNKNOWN_SIGMA_DEG = 15.0  # a metric that no clip has measured is not to be trusted within this


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """Error of one metric in one situation, in the metric's own unit; `position` None stands for all positions.

    `frames` counts the values compared: frames for angles, repetitions for what rules make of them.
    """

    metric: str
    position: Position | None
    yaw_up_to_deg: float
    bias: float
    sigma: float
    frames: int
    clips: int


@dataclass(frozen=True, slots=True)
class LightRow:
    """How many times as large the error of a metric is in pictures of a mean level (0 black to 255) as in bright ones.

    `metric` None stands for all that have no row of their own.
    """

    metric: str | None
    brightness: float
    factor: float
    clips: int


@cache
def error_rows() -> tuple[ErrorRow, ...]:
    """Read the shipped table.

    Raises
    ------
    FormcheckError
        When the file is damaged.
    """
    with _reading() as data:
        return tuple(
            ErrorRow(**{**row, "position": Position(row["position"]) if row["position"] else None})
            for row in data["rows"]
        )


@cache
def light_rows() -> tuple[LightRow, ...]:
    """Read the shipped factors for dark pictures; errors as for `error_rows`."""
    with _reading() as data:
        return tuple(LightRow(**row) for row in data["light"])


@contextmanager
def _reading() -> Generator[dict[str, Any]]:
    try:
        data = json.loads((files("formcheck") / TABLE_FILE).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema is {data['schema']!r}")
        yield data
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormcheckError(f"the accuracy table {TABLE_FILE} is damaged ({error}); reinstall formcheck") from error


def sigma(metric: str, position: Position, yaw_deg: float, brightness: float = math.nan) -> float:
    """Standard error of a measured value, in the metric's own unit.

    Parameters
    ----------
    metric : str
        Without side: ``knee_flexion_deg``, or what a rule makes of it: ``hip_flexion_change_deg``, ``lowering_s``.
    position : Position
        Of the exercise. A position that no clip has measured takes the error over all positions.
    yaw_deg : float
        Turn of the camera out of the side view; NaN takes the widest band.
    brightness : float
        Mean level of the pictures, 0 (black) to 255; NaN, for not known, counts as bright.
    """
    return _in_good_light(metric, position, yaw_deg) * light_factor(metric, brightness)


def light_factor(metric: str, brightness: float) -> float:
    """How many times as large the error is in pictures of this mean level, at least 1; NaN gives 1.

    Between the measured levels it lies on straight lines; below the darkest it stays as there.
    """
    rows = light_rows()
    own = [row for row in rows if row.metric == metric] or [row for row in rows if row.metric is None]
    if not own or math.isnan(brightness):
        return 1.0
    own.sort(key=lambda row: row.brightness)
    return float(np.interp(brightness, [row.brightness for row in own], [row.factor for row in own]))


def _in_good_light(metric: str, position: Position, yaw_deg: float) -> float:
    candidates = [row for row in error_rows() if row.metric == metric]
    for wanted in (position, None):
        rows = sorted((row for row in candidates if row.position is wanted), key=lambda row: row.yaw_up_to_deg)
        if rows:
            return next((row.sigma for row in rows if yaw_deg <= row.yaw_up_to_deg), rows[-1].sigma)
    return UNKNOWN_SIGMA_DEG


def yaw_band_deg(yaw_deg: float) -> float:
    """Upper edge of the band that a yaw falls into; the widest band for NaN or beyond."""
    return next((edge for edge in YAW_BANDS_DEG if yaw_deg <= edge), YAW_BANDS_DEG[-1])
