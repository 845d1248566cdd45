"""Validation results as tables: for the terminal, Markdown, JSON, and the error table that formcheck ships."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from formcheck import accuracy
from formcheck.errors import ClipError
from formcheck.exercises import EXERCISES
from formcheck.types import FloatArray, Position, Status
from formcheck.validate.compare import ClipComparison

SIDE_VIEW_DEG = 20.0  # the tables' main band
SHOWN = ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg", "trunk_inclination_deg", "lumbar_flexion_deg")
SHORT = {
    "knee_flexion_deg": "knee",
    "hip_flexion_deg": "hip",
    "ankle_dorsiflexion_deg": "ankle",
    "trunk_inclination_deg": "trunk",
    "lumbar_flexion_deg": "lower back",
}
SCHEMA = "formcheck.validation/1"

Table = tuple[Sequence[str], list[list[str]]]


@dataclass(frozen=True, slots=True)
class Validation:
    """Every compared clip, and the clips that were left out with the reason."""

    clips: tuple[ClipComparison, ...]
    left_out: tuple[tuple[str, str], ...]

    def as_text(self) -> str:
        """Aligned tables for a terminal."""
        return self._render(_aligned, lambda title: f"\n{title}\n")

    def as_markdown(self) -> str:
        """The same tables in Markdown."""
        return self._render(_markdown, lambda title: f"\n## {title}\n\n").lstrip()

    def _render(self, table: Callable[[Table], str], heading: Callable[[str], str]) -> str:
        side = [clip for clip in self.clips if clip.truth.yaw_deg <= SIDE_VIEW_DEG]
        title = f"Mean absolute error (bias) of the near leg, degrees, camera within {SIDE_VIEW_DEG:.0f} deg of side-on"
        further = [clip for clip in self.clips if clip.truth.yaw_deg > SIDE_VIEW_DEG]
        parts = [heading(title) + table(angle_table(side))] if side else []
        if further:
            parts.append(heading("The same, camera further round") + table(angle_table(further)))
        parts.append(heading("Repetitions and planted faults") + table(verdict_table(self.clips)))
        parts.append(heading("Findings where nothing was planted") + table(unplanned_table(self.clips)))
        if self.left_out:
            parts.append(heading("Left out") + table((("clip", "reason"), [list(row) for row in self.left_out])))
        return "".join(parts)

    def as_json(self) -> str:
        """Per clip: errors, repetitions, faults; for other programs."""
        clips = [
            {
                "clip": clip.truth.path.name,
                "exercise": clip.truth.exercise,
                "body": clip.truth.body,
                "yaw_deg": clip.truth.yaw_deg,
                "near_side": clip.truth.near_side.value,
                "angles": {
                    metric: {
                        "mae": _number(_mae([clip], metric)),
                        "bias": _number(_bias([clip], metric)),
                        "covered": round(clip.covered[metric], 4),
                    }
                    for metric in clip.errors
                },
                "reps_found": clip.reps_found,
                "reps_true": clip.reps_true,
                "planted": [
                    {"fault": r.planted.fault, "rep": r.planted.rep, "rule": r.rule, "status": r.status}
                    for r in clip.planted
                ],
                "unplanned": [{"rule": o.rule, "rep": o.rep, "status": o.status} for o in clip.unplanned],
            }
            for clip in self.clips
        ]
        left_out = [{"clip": clip, "reason": reason} for clip, reason in self.left_out]
        return json.dumps({"schema": SCHEMA, "clips": clips, "left_out": left_out}, indent=1) + "\n"

    def error_table(self) -> str:
        """The error table that formcheck ships (`accuracy.json`), as JSON.

        Raises
        ------
        ClipError
            When no angle was measured in any clip: such a table would take away every known error.
        """
        by_metric: dict[str, list[tuple[ClipComparison, FloatArray]]] = defaultdict(list)
        for clip in self.clips:
            for metric, errors in {**clip.errors, **clip.further}.items():
                if len(errors):
                    by_metric[metric].append((clip, errors))
        rows = []
        for metric, found in by_metric.items():
            for position in (None, *Position):
                for edge in accuracy.YAW_BANDS_DEG:
                    cell = [values for clip, values in found if _in_cell(clip, position, edge)]
                    if cell:
                        rows.append(_error_row(cell, metric, position, edge))
        if not rows:
            raise ClipError("no angle was measured in any of the clips; the error table stays as it is")
        light = [asdict(row) for row in accuracy.light_rows()]  # measured apart, by `benchmarks/light.py`
        return json.dumps({"schema": accuracy.SCHEMA, "rows": rows, "light": light}, indent=1) + "\n"


def _in_cell(clip: ClipComparison, position: Position | None, edge: float) -> bool:
    same_position = position is None or EXERCISES[clip.truth.exercise].position is position
    return same_position and accuracy.yaw_band_deg(clip.truth.yaw_deg) == edge


def _error_row(errors: Sequence[FloatArray], metric: str, position: Position | None, edge: float) -> dict[str, object]:
    """Every clip counts the same, however many frames it has; sigma is the root mean square error, bias included."""
    square = [float(np.mean(clip**2)) for clip in errors]
    return {
        "metric": metric,
        "position": position.value if position else None,
        "yaw_up_to_deg": edge,
        "bias": round(float(np.mean([clip.mean() for clip in errors])), 2),
        "sigma": round(math.sqrt(float(np.mean(square))), 2),
        "frames": sum(len(clip) for clip in errors),
        "clips": len(errors),
    }


def _mae(clips: Iterable[ClipComparison], metric: str) -> float:
    means = [float(np.abs(clip.errors[metric]).mean()) for clip in clips if len(clip.errors[metric])]
    return float(np.mean(means)) if means else math.nan


def _bias(clips: Iterable[ClipComparison], metric: str) -> float:
    means = [float(clip.errors[metric].mean()) for clip in clips if len(clip.errors[metric])]
    return float(np.mean(means)) if means else math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def angle_table(clips: Sequence[ClipComparison]) -> Table:
    """Angle errors by exercise; every clip counts the same."""
    header = ("exercise", "clips", *(SHORT[metric] for metric in SHOWN), "covered")
    groups: dict[str, list[ClipComparison]] = defaultdict(list)
    for clip in clips:
        groups[clip.truth.exercise].append(clip)
    rows = [_angle_row(name, groups[name]) for name in sorted(groups)]
    if len(groups) > 1:
        rows.append(_angle_row("all", clips))
    return header, rows


def _angle_row(name: str, clips: Sequence[ClipComparison]) -> list[str]:
    cells = []
    for metric in SHOWN:
        mae, bias = _mae(clips, metric), _bias(clips, metric)
        cells.append("-" if math.isnan(mae) else f"{mae:.1f} ({bias:+.1f})")
    covered = float(np.mean([clip.covered["knee_flexion_deg"] for clip in clips]))
    return [name, str(len(clips)), *cells, f"{100 * covered:.0f} %"]


def verdict_table(clips: Sequence[ClipComparison]) -> Table:
    """Repetition counts and what became of planted faults, by exercise."""
    header = ("exercise", "counts exact", "planted", "found", "not judged", "called ok", "rep missed", "judged")
    groups: dict[str, list[ClipComparison]] = defaultdict(list)
    for clip in clips:
        groups[clip.truth.exercise].append(clip)
    rows = [_verdict_row(name, groups[name]) for name in sorted(groups)]
    if len(groups) > 1:
        rows.append(_verdict_row("all", clips))
    return header, rows


def _verdict_row(name: str, clips: Sequence[ClipComparison]) -> list[str]:
    statuses = [result.status for clip in clips for result in clip.planted]
    exact = sum(clip.reps_found == clip.reps_true for clip in clips)
    judged, unjudged = sum(clip.judged for clip in clips), sum(clip.not_judged for clip in clips)
    return [
        name,
        f"{exact} of {len(clips)}",
        str(len(statuses)),
        str(sum(status in (Status.FAULT, Status.CAUTION) for status in statuses)),
        str(statuses.count(Status.NOT_JUDGED)),
        str(statuses.count(Status.OK)),
        str(statuses.count(None)),
        f"{judged} of {judged + unjudged}",
    ]


def unplanned_table(clips: Sequence[ClipComparison]) -> Table:
    """Faults and cautions on repetitions where the clip has none of that kind."""
    rows = [
        [clip.truth.path.stem, str(o.rep), o.rule, o.status.value, f"{o.measured:.0f} ± {o.sigma:.0f} {o.unit}"]
        for clip in clips
        for o in clip.unplanned
    ]
    return ("clip", "rep", "rule", "status", "measured"), rows or [["none", "", "", "", ""]]


def _aligned(table: Table) -> str:
    header, rows = table
    cells = [list(header), *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines) + "\n"


def _markdown(table: Table) -> str:
    header, rows = table
    lines = ["| " + " | ".join(row) + " |" for row in (list(header), ["---"] * len(header), *rows)]
    return "\n".join(lines) + "\n"
