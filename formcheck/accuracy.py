"""How wrong a measured angle may be: the error tables.

The numbers are in `accuracy.json` beside this module. They are written by ``formcheck validate DIR --write`` from
clips with known angles, by metric, body position and how far the camera is turned, and nowhere typed by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

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


@cache
def error_rows() -> tuple[ErrorRow, ...]:
    """Read the shipped table.

    Raises
    ------
    FormcheckError
        When the file is damaged.
    """
    try:
        data = json.loads((files("formcheck") / TABLE_FILE).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema is {data['schema']!r}")
        return tuple(
            ErrorRow(**{**row, "position": Position(row["position"]) if row["position"] else None})
            for row in data["rows"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormcheckError(f"the accuracy table {TABLE_FILE} is damaged ({error}); reinstall formcheck") from error


def sigma(metric: str, position: Position, yaw_deg: float) -> float:
    """Standard error of a measured value, in the metric's own unit.

    Parameters
    ----------
    metric : str
        Without side: ``knee_flexion_deg``, or what a rule makes of it: ``hip_flexion_change_deg``, ``lowering_s``.
    position : Position
        Of the exercise. A position that no clip has measured takes the error over all positions.
    yaw_deg : float
        Turn of the camera out of the side view; NaN takes the widest band.
    """
    candidates = [row for row in error_rows() if row.metric == metric]
    for wanted in (position, None):
        rows = sorted((row for row in candidates if row.position is wanted), key=lambda row: row.yaw_up_to_deg)
        if rows:
            return next((row.sigma for row in rows if yaw_deg <= row.yaw_up_to_deg), rows[-1].sigma)
    return UNKNOWN_SIGMA_DEG


def yaw_band_deg(yaw_deg: float) -> float:
    """Upper edge of the band that a yaw falls into; the widest band for NaN or beyond."""
    return next((edge for edge in YAW_BANDS_DEG if yaw_deg <= edge), YAW_BANDS_DEG[-1])
