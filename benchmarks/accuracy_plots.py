"""The plots of `docs/accuracy.md`: small PNG files, the same from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from accuracy_measure import JOINTS, MeasuredClip, mae
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from formcheck.types import FloatArray

mpl.use("Agg")  # no window
DOTS_PER_INCH = 100
COLOURS = 64  # a palette: half the file, and no difference to see
BARE, CORRECTED = "#b0b4ba", "#1f6f8b"
DENSITY = "viridis"
SHOWN_ERROR_DEG = 30.0
LIMITS_OF_AGREEMENT = 1.96  # standard deviations: 95 % of normal errors
MIN_FRAMES = 20  # fewer make no picture


def draw_plots(clips: Sequence[MeasuredClip], goals: Mapping[str, float], folder: Path) -> list[Path]:
    """Write every plot of the clips in side view; `goals` are degrees by joint."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [save(_joint(clips, metric), folder / f"accuracy-{name}.png") for metric, name in JOINTS.items()]
    drawn.append(save(_histograms(clips), folder / "accuracy-errors.png"))
    drawn.append(save(_by_exercise(clips, goals), folder / "accuracy-exercises.png"))
    return drawn


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as a small PNG file."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def _pairs(clips: Sequence[MeasuredClip], metric: str) -> tuple[FloatArray, FloatArray]:
    """True and measured angles of every frame in which the joint was seen."""
    true = np.concatenate([clip.angles[metric].true for clip in clips])
    measured = np.concatenate([clip.angles[metric].measured for clip in clips])
    known = np.isfinite(true + measured)
    return true[known], measured[known]


def _joint(clips: Sequence[MeasuredClip], metric: str) -> Figure:
    """Measured against true, and the difference against the mean of both (Bland and Altman)."""
    true, measured = _pairs(clips, metric)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    figure.suptitle(f"{JOINTS[metric].capitalize()}, near leg, side view: {true.size} frames of {len(clips)} clips")
    left.set(xlabel="true angle (deg)", ylabel="measured angle (deg)")
    right.set(xlabel="mean of measured and true (deg)", ylabel="measured minus true (deg)")
    right.set_ylim(-SHOWN_ERROR_DEG, SHOWN_ERROR_DEG)
    if true.size < MIN_FRAMES:
        return figure
    low, high = min(true.min(), measured.min()), max(true.max(), measured.max())
    _density(left, true, measured, (low, high, low, high))
    left.plot([low, high], [low, high], color="black", linewidth=0.8)
    error, middle = measured - true, (measured + true) / 2
    shown = np.abs(error) <= SHOWN_ERROR_DEG
    _density(right, middle[shown], error[shown], (low, high, -SHOWN_ERROR_DEG, SHOWN_ERROR_DEG))
    for offset, style in ((0.0, "-"), (-LIMITS_OF_AGREEMENT, "--"), (LIMITS_OF_AGREEMENT, "--")):
        level = error.mean() + offset * error.std()
        right.axhline(level, color="#c0392b", linewidth=1, linestyle=style)
        right.annotate(
            f"{level:+.1f}",
            (1.0, level),
            xycoords=("axes fraction", "data"),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color="#c0392b",
        )
    return figure


def _density(axes: Axes, x: FloatArray, y: FloatArray, extent: tuple[float, float, float, float]) -> None:
    axes.hexbin(x, y, gridsize=45, bins="log", mincnt=1, cmap=DENSITY, extent=extent, linewidths=0.1)
    axes.grid(alpha=0.3, linewidth=0.5)


def _histograms(clips: Sequence[MeasuredClip]) -> Figure:
    """Errors of the bare landmarks and of the corrected ones."""
    figure, panels = plt.subplots(1, len(JOINTS), figsize=(9, 3), layout="constrained", sharey=True)
    edges = np.arange(-SHOWN_ERROR_DEG, SHOWN_ERROR_DEG + 0.1, 1.5)
    for axes, (metric, name) in zip(panels, JOINTS.items(), strict=True):
        for bare, colour, label in ((True, BARE, "bare landmarks"), (False, CORRECTED, "formcheck")):
            errors = np.concatenate([clip.angles[metric].errors(bare) for clip in clips])
            if errors.size:
                weights = np.full(errors.size, 100 / errors.size)
                axes.hist(
                    np.clip(errors, edges[0], edges[-1]), edges, weights=weights, color=colour, alpha=0.7, label=label
                )
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set(title=name, xlabel="measured minus true (deg)")
    panels[0].set_ylabel("% of frames")
    panels[-1].legend(fontsize=8)
    return figure


def _by_exercise(clips: Sequence[MeasuredClip], goals: Mapping[str, float]) -> Figure:
    """Mean absolute error of each exercise, bare and corrected, beside the goal."""
    names = sorted({clip.truth.exercise for clip in clips})
    height = 1.2 + 0.36 * len(names)
    figure, panels = plt.subplots(1, len(JOINTS), figsize=(9, height), layout="constrained", sharey=True)
    rows = np.arange(len(names))
    for axes, (metric, joint) in zip(panels, JOINTS.items(), strict=True):
        for bare, colour, shift, label in ((True, BARE, 0.2, "bare landmarks"), (False, CORRECTED, -0.2, "formcheck")):
            values = [mae([clip for clip in clips if clip.truth.exercise == name], metric, bare) for name in names]
            axes.barh(rows - shift, values, height=0.38, color=colour, label=label)
        axes.axvline(goals[joint], color="#c0392b", linewidth=1, linestyle="--", label="goal for each exercise")
        axes.set(title=joint, xlabel="mean absolute error (deg)", yticks=rows, yticklabels=names)
        axes.grid(axis="x", alpha=0.3, linewidth=0.5)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure
