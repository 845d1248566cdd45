"""The lower back in `docs/accuracy.md`: what each ingredient tells, on bodies that were left out, and a plot of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import accuracy_tables as tables
import fit_lumbar
import numpy as np
from accuracy_plots import BARE, CORRECTED, save
from fit_lumbar import ROUNDED_DEG, Clip, Result
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

IMAGE = "accuracy-lower-back.png"
OURS = " + ".join(fit_lumbar.OURS)
TOO_FEW = "These clips have too few rounded backs, on too few bodies, to compare the ingredients.\n"


def section(clips: Sequence[Clip], images: Path) -> str:
    """Table and plot; the plot is written into `images`."""
    if not _enough(clips):
        return TOO_FEW
    results = fit_lumbar.compared(clips)
    save(_plot(results), images / IMAGE)
    header = (
        "ingredients",
        "error",
        "at the turn",
        "correlation",
        "AUC",
        "judged",
        "neutral up to",
        "rounded from",
        "error while only the head moves",
    )
    rows = [_row(name, found) for name, found in results.items()]
    return f"{tables.table(header, rows)}\n![Lower back](images/{IMAGE})\n"


def _enough(clips: Sequence[Clip]) -> bool:
    """Whether every body can be left out with rounded and neutral backs on both sides."""
    rounded = {clip.body for clip in clips if clip.fitted and np.percentile(clip.lumbar, 95) >= ROUNDED_DEG}
    neutral = {clip.body for clip in clips if clip.fitted and np.percentile(clip.lumbar, 95) < ROUNDED_DEG}
    return len(rounded) >= 3 and len(neutral) >= 3


def _row(name: str, found: Result) -> list[str]:
    return [
        f"**{name}**" if name == OURS else name,
        tables.degrees(found.error),
        tables.degrees(found.error_at_turn),
        f"{found.correlation:.2f}",
        f"{found.auc:.3f}",
        f"{found.judged} of {found.repetitions}",
        tables.degrees(found.largest_neutral),
        tables.degrees(found.smallest_rounded),
        tables.degrees(found.head_error),
    ]


def _plot(results: dict[str, Result]) -> Figure:
    """Measured against true at the turn: the outline beside the best that landmarks alone can do."""
    best = min(fit_lumbar.LANDMARKS, key=lambda name: results[name].error)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharex=True, sharey=True)
    figure.suptitle("Lower back at the turn of each repetition, as change from rest; each body left out")
    for axis, name, colour in ((axes[0], best, BARE), (axes[1], OURS, CORRECTED)):
        pairs = results[name].pairs
        axis.plot([-10, 50], [-10, 50], color="black", linewidth=0.8)
        axis.axvline(ROUNDED_DEG, color="black", linewidth=0.8, linestyle=":")
        axis.scatter(pairs[:, 0], pairs[:, 1], color=colour, edgecolor="black", linewidth=0.4)
        kind = "landmarks" if name == best else "outline"
        axis.set(title=f"{kind}: {name}", xlabel="true (deg)", ylabel="measured (deg)")
    return figure
