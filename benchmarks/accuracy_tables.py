"""The tables of `docs/accuracy.md`, in Markdown, all from what `accuracy_measure` measured."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from accuracy_measure import (
    JOINTS,
    PHASES,
    MeasuredClip,
    covered,
    mae,
    mean_error,
    percentile_95,
    rmse,
    sigmas,
    within,
)

from formcheck import accuracy
from formcheck.kinematics import MIN_VISIBILITY
from formcheck.types import FloatArray
from formcheck.validate.tables import SHORT, SHOWN

FAR_OFF_DEG = 15.0  # an error beyond this is a landmark that left its joint, not noise
WORST_ROWS = 12
VISIBILITY_BANDS = (MIN_VISIBILITY, 0.8, 0.9, 0.95)
WORST_SHARE = 0.1  # of a clip's frames: where in the movement its largest errors lie

EXERCISE_GOALS: Mapping[str, float] = {"knee": 4.0, "hip": 5.0, "ankle": 7.0}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown, or a line that says that there is nothing."""
    lines = ["| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(lines) + "\n" if len(lines) > 2 else "None.\n"


def degrees(value: float, sign: bool = False) -> str:
    return "-" if math.isnan(value) else f"{value:+.1f}" if sign else f"{value:.1f}"


def percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.0f} %"


def groups(clips: Sequence[MeasuredClip]) -> dict[str, list[MeasuredClip]]:
    """Clips by exercise, in order of name."""
    found: dict[str, list[MeasuredClip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: clip.truth.exercise):
        found[clip.truth.exercise].append(clip)
    return found


def yaw_bands(clips: Sequence[MeasuredClip]) -> dict[str, list[MeasuredClip]]:
    """Clips by how far the camera is turned out of the side view, in the bands of the error tables."""
    edges = (0.0, *accuracy.YAW_BANDS_DEG)
    names = {high: f"{low:.0f} to {high:.0f}°" for low, high in pairwise(edges)}
    found: dict[str, list[MeasuredClip]] = {name: [] for name in names.values()}
    for clip in clips:
        found[names[accuracy.yaw_band_deg(clip.truth.yaw_deg)]].append(clip)
    return {name: band for name, band in found.items() if band}


def figures(clips: Sequence[MeasuredClip], metric: str) -> str:
    """Mean absolute error (bias; 95th percentile)."""
    values = (
        degrees(mae(clips, metric)),
        degrees(mean_error(clips, metric), True),
        degrees(percentile_95(clips, metric)),
    )
    return "-" if values[0] == "-" else f"{values[0]} ({values[1]}; {values[2]})"


def error_table(named: Mapping[str, Sequence[MeasuredClip]], first: str, total: bool) -> str:
    """Errors of every angle by exercise or by yaw band."""
    rows = [[name, str(len(clips)), *(figures(clips, metric) for metric in SHOWN)] for name, clips in named.items()]
    if total and len(named) > 1:
        clips = [clip for part in named.values() for clip in part]
        rows.append(["**all**", str(len(clips)), *(figures(clips, metric) for metric in SHOWN)])
    return table((first, "clips", *(SHORT[metric] for metric in SHOWN)), rows)


def bare_table(clips: Sequence[MeasuredClip]) -> str:
    """Bare landmarks against corrected ones, by exercise."""
    named = groups(clips)
    rows = []
    for name, part in [*named.items(), *([("**all**", list(clips))] if len(named) > 1 else [])]:
        cells = [f"{degrees(mae(part, metric, True))} → {degrees(mae(part, metric))}" for metric in JOINTS]
        rows.append([name, str(len(part)), *cells])
    return table(("exercise", "clips", *JOINTS.values()), rows)


def phase_table(clips: Sequence[MeasuredClip]) -> str:
    """Where in the movement the errors arise."""
    rows = []
    for index, phase in enumerate(PHASES):
        cells = []
        for metric in JOINTS:
            errors = [_of_phase(clip, metric, index) for clip in clips]
            known = [part for part in errors if part.size]
            size = float(np.mean([np.abs(part).mean() for part in known])) if known else math.nan
            bias = float(np.mean([part.mean() for part in known])) if known else math.nan
            cells.append(f"{degrees(size)} ({degrees(bias, True)})")
        rows.append([phase, *cells])
    return table(("moment", *JOINTS.values()), rows)


def visibility_table(clips: Sequence[MeasuredClip]) -> str:
    """Whether the network's own visibility tells where it errs: root mean square error, and frames, by band."""
    rows = []
    for low, high in pairwise((*VISIBILITY_BANDS, math.inf)):
        cells = []
        for metric in JOINTS:
            parts = []
            for angles in (clip.angles[metric] for clip in clips):
                errors = (angles.measured - angles.true)[(angles.visibility >= low) & (angles.visibility < high)]
                parts.append(errors[np.isfinite(errors)])
            errors = np.concatenate(parts)
            cells.append(f"{degrees(float(np.sqrt((errors**2).mean())))} ({errors.size})" if errors.size else "-")
        rows.append([f"{low:g} to {min(high, 1.0):g}", *cells])
    return table(("visibility", *JOINTS.values()), rows)


def light_table() -> str:
    """Factors of the shipped table by metric, from bright to dark."""
    rows = accuracy.light_rows()
    levels = sorted({row.brightness for row in rows}, reverse=True)
    cells = []
    for metric in dict.fromkeys(row.metric for row in rows):
        own = {row.brightness: row for row in rows if row.metric == metric}
        name = SHORT.get(metric, metric.removesuffix("_deg").replace("_", " ")) if metric else "all others"
        cells.append([name, *(f"{own[level].factor:.1f}" for level in levels)])
    return table(("metric", *(f"{level:.0f}" for level in levels)), cells)


def _of_phase(clip: MeasuredClip, metric: str, index: int) -> FloatArray:
    angles = clip.angles[metric]
    errors = (angles.measured - angles.true)[angles.phase == index]
    return errors[np.isfinite(errors)]


def sigma_table(clips: Sequence[MeasuredClip]) -> str:
    """Share of errors within one and two stated standard errors, from the shipped table and a held-out one."""
    named = groups(clips)
    shipped, held_out = sigmas(clips, False), sigmas(clips, True)
    rows = []
    for name, part in [*named.items(), *([("**all**", list(clips))] if len(named) > 1 else [])]:
        cells = []
        for metric in JOINTS:
            one, two = (percent(within(part, metric, shipped, times)) for times in (1.0, 2.0))
            cells.append(f"{one}, {two} ({percent(within(part, metric, held_out, 2.0))})")
        rows.append([name, *cells, percent(covered(part, "knee_flexion_deg"))])
    return table(("exercise", *JOINTS.values(), "frames covered"), rows)


def worst_table(clips: Sequence[MeasuredClip]) -> str:
    """The clips and joints with the largest errors, as multiples of the goal, and what marks them."""
    measured = [(clip, metric) for clip in clips for metric in JOINTS if clip.comparison.errors[metric].size]
    measured.sort(
        key=lambda item: (-mae([item[0]], item[1]) / EXERCISE_GOALS[JOINTS[item[1]]], item[0].truth.path.stem)
    )
    rows = [_worst_row(clip, metric) for clip, metric in measured[:WORST_ROWS]]
    header = (
        "clip",
        "yaw",
        "joint",
        "error (bare)",
        "bias",
        "over 15° off",
        "nearer the other leg",
        "worst",
    )
    return table(header, rows)


def _worst_row(clip: MeasuredClip, metric: str) -> list[str]:
    angles = clip.angles[metric]
    error = angles.measured - angles.true
    known = np.isfinite(error)
    size = np.abs(error[known])
    is_worst = size >= np.quantile(size, 1.0 - WORST_SHARE)
    worst = angles.true[known][is_worst]
    phase = PHASES[int(np.bincount(angles.phase[known][is_worst]).argmax())]
    other = np.abs(angles.measured - angles.other_leg)[known] + FAR_OFF_DEG < size
    low, high = np.percentile(worst, (10, 90))
    place = f"{low:.0f}°" if high - low < 1 else f"{low:.0f} to {high:.0f}°"
    return [
        f"`{clip.truth.path.stem}`",
        f"{clip.truth.yaw_deg:.0f}°",
        JOINTS[metric],
        f"{degrees(mae([clip], metric))} ({degrees(mae([clip], metric, True))})",
        degrees(mean_error([clip], metric), True),
        percent(float((size > FAR_OFF_DEG).mean())),
        percent(float(other.mean())),
        f"{phase}, {place}",
    ]


def literature_row(clips: Sequence[MeasuredClip]) -> list[str]:
    """Our own row, in the measures that the published ones use."""
    cells = []
    for metric in ("hip_flexion_deg", "knee_flexion_deg", "ankle_dorsiflexion_deg"):
        bias = mean_error(clips, metric)
        spread = math.sqrt(max(rmse(clips, metric) ** 2 - bias**2, 0.0))
        cells.append(
            f"MAE {degrees(mae(clips, metric))}, RMSE {degrees(rmse(clips, metric))}, {bias:+.1f} ± {spread:.1f}"
        )
    return cells
