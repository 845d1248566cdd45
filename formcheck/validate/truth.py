"""Clips with known angles: reading the truth that lies beside them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from formcheck.errors import ClipError, ConfigError
from formcheck.exercises import find_exercise
from formcheck.geometry import wrap_degrees
from formcheck.types import FloatArray, Side

# column of the truth file -> formcheck's metric, without side
SIDED_TRUTH = {
    "knee_flexion_deg": "knee_flexion_deg",
    "trunk_thigh_flexion_deg": "hip_flexion_deg",
    "ankle_dorsiflexion_deg": "ankle_dorsiflexion_deg",
    "sole_pitch_deg": "sole_pitch_deg",
}
MIDLINE_TRUTH = ("trunk_inclination_deg", "lumbar_flexion_deg", "neck_flexion_deg")

# planted fault -> the rule that should find it
RULE_OF_FAULT: Mapping[str, str] = {
    "locked_knees": "locked-knees",
    "excessive_dorsiflexion": "excessive-dorsiflexion",
    "rounded_lower_back": "rounded-lower-back",
    "missing_plantarflexion": "missing-plantarflexion",
    "heel_lift": "heel-lift",
    "neck_flexion": "neck-flexion",
    "hips_hinging": "hips-hinging",
    "knees_bending": "knees-bending",
    "arched_lower_back": "arched-lower-back",
    "hips_rise_first": "hips-rise-first",
    "momentum": "momentum",
    "short_rom": "short-range",
    "fast_eccentric": "fast-lowering",
    "held": "held-not-moving",
}
# the others show whichever leg is near: the back and the head have no side, and both legs keep one tempo
FAULTS_OF_ONE_LEG = frozenset(
    {"locked_knees", "excessive_dorsiflexion", "missing_plantarflexion", "heel_lift", "knees_bending", "hips_hinging"}
)


@dataclass(frozen=True, slots=True)
class TrueRep:
    """One repetition or hold as it was rendered, seconds."""

    number: int
    start_s: float
    turn_start_s: float
    turn_end_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A fault that a clip shows on purpose; `visible` False when it stayed below the clip maker's own limit."""

    fault: str
    rep: int
    leg: Side | None
    visible: bool


@dataclass(frozen=True, slots=True)
class TruthClip:
    """A clip and what is known about it.

    Attributes
    ----------
    path : Path
        Of the video.
    exercise : str
        formcheck's id; the exercise may not be known to formcheck.
    near_side : Side
    yaw_deg : float
        Unsigned turn of the camera out of the side view.
    body : str
        Which body was rendered: errors are judged across bodies that were left out.
    reps : tuple of TrueRep
    faults : tuple of PlantedFault
    time_s : ndarray, shape (n,)
    columns : mapping of formcheck's column name to ndarray, shape (n,)
        Degrees.
    """

    path: Path
    exercise: str
    near_side: Side
    yaw_deg: float
    body: str
    reps: tuple[TrueRep, ...]
    faults: tuple[PlantedFault, ...]
    time_s: FloatArray
    columns: Mapping[str, FloatArray]


def find_truth_clips(folder: Path) -> list[Path]:
    """Videos in a folder that have both truth files beside them, by name.

    Raises
    ------
    ClipError
        When the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise ClipError(f"{folder} is not a folder; give the folder that holds clips with NAME.truth.csv and NAME.json")
    clips = sorted(
        truth.with_name(truth.name.removesuffix(".truth.csv") + ".mp4") for truth in folder.glob("*.truth.csv")
    )
    found = [clip for clip in clips if clip.exists() and clip.with_suffix(".json").exists()]
    if not found:
        raise ClipError(
            f"{folder} holds no clip with known angles (NAME.mp4 with NAME.truth.csv and NAME.json beside it)"
        )
    return found


def exercise_of(clip: Path) -> str:
    """The id of the exercise that the clip's JSON file names, by any of its names, without reading the rest."""
    name = str(_description(clip)["exercise"])
    try:
        return find_exercise(name).id
    except ConfigError:
        return name.replace("_", "-")


def load_truth(clip: Path) -> TruthClip:
    """Read the truth beside a clip.

    Raises
    ------
    ClipError
        When a file is damaged.
    """
    data = _description(clip)
    table = clip.with_name(clip.stem + ".truth.csv")
    try:
        with table.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        columns = {}
        for side in Side:
            for truth, metric in SIDED_TRUTH.items():
                columns[f"{side.value}_{metric}"] = _column(rows, f"{side.value}_{truth}")
            # the shank leans as far as the sole is tilted and the ankle bent on top of that
            shank = columns[f"{side.value}_ankle_dorsiflexion_deg"] + columns[f"{side.value}_sole_pitch_deg"]
            columns[f"{side.value}_shank_inclination_deg"] = wrap_degrees(shank)
        for metric in MIDLINE_TRUTH:
            columns[metric] = _column(rows, metric)
        return TruthClip(
            path=clip,
            exercise=exercise_of(clip),
            near_side=Side(data["near_leg"]),
            yaw_deg=abs(float(data["camera"]["yaw_deg"])),
            body=f"{data['body'].get('index', data['body'].get('height'))}",
            reps=tuple(
                TrueRep(rep["rep"], rep["start_s"], rep["peak_s"], rep["peak_end_s"], rep["end_s"])
                for rep in data["reps"]
            ),
            faults=tuple(_fault(fault) for fault in data["faults"]),
            time_s=_column(rows, "time_s"),
            columns=columns,
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ClipError(f"{table}: the truth of this clip is damaged ({error}); leave the clip out") from error


def _description(clip: Path) -> dict[str, Any]:
    path = clip.with_suffix(".json")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: cannot be read ({error}); leave the clip out") from error
    if not isinstance(data, dict) or "exercise" not in data:
        raise ClipError(f"{path}: does not describe a clip with known angles; leave the clip out")
    return data


def _column(rows: list[dict[str, str]], name: str) -> FloatArray:
    return np.array([float(row[name]) if row[name] else math.nan for row in rows])


def _fault(data: Mapping[str, Any]) -> PlantedFault:
    leg = data.get("leg") if data["fault"] in FAULTS_OF_ONE_LEG else None
    return PlantedFault(
        fault=data["fault"],
        rep=int(data["rep"]),
        leg=Side(leg) if leg in {"left", "right"} else None,
        visible=data.get("visible") is not False,
    )
