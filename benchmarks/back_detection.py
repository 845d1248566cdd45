"""How surely a rounded lower back is told from a neutral one: formcheck's outline beside what landmarks alone can do.

    python benchmarks/back_detection.py CLIPS_FOLDER [--cache DIR]

In each reading (`back_readings.py`) every set of ingredients is fitted to the same clips without the body that is
judged, and judged on the same repetitions: those in which all of them can be told. `fit_lumbar.py` prints the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from back_ingredients import Clip, read_all, solve_without_body
from back_readings import NAME, PROXIES, SETS, Reading, readings

from formcheck.types import BoolArray, FloatArray
from formcheck.validate import default_cache

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Detection:
    """What became of a reading.

    Attributes
    ----------
    title : str
    rounded, neutral : int
        Judged repetitions; in a what-if one with two positions of the head counts once.
    rounded_bodies, neutral_bodies : int
        How many bodies they come from.
    largest_share : int
        How many of the rounded ones come from one body.
    repetitions : int
        Before those that cannot be told were left out.
    auc : mapping of str to float
        Of every set in `SETS`.
    interval : tuple of float
        95 % of the margins when the bodies are drawn anew, with the best proxy chosen anew each time.
    """

    title: str
    rounded: int
    neutral: int
    rounded_bodies: int
    neutral_bodies: int
    largest_share: int
    repetitions: int
    auc: Mapping[str, float]
    interval: tuple[float, float]

    @property
    def best(self) -> list[str]:
        """The landmark-only sets that do best; several may be equal."""
        top = max(self.auc[name] for name in PROXIES)
        return [name for name in PROXIES if self.auc[name] == top]

    @property
    def margin(self) -> float:
        """How far formcheck is above the best of them."""
        return self.auc[NAME] - self.auc[self.best[0]]


def area_under_curve(positive: FloatArray, negative: FloatArray) -> float:
    """Share of pairs in which the positive value is the larger one; a tie counts one half."""
    return float(_wins(positive, negative).mean())


def _wins(positive: FloatArray, negative: FloatArray) -> FloatArray:
    # a difference in the last places is none
    first, second = positive[:, None].round(6), negative[None].round(6)
    return (first > second) + 0.5 * (first == second)


def detections(clips: Sequence[Clip]) -> list[Detection]:
    """Every reading, in the order of the document, that has rounded and neutral repetitions to tell apart."""
    return [
        _measure(reading)
        for reading in readings(clips)
        if 0 < sum(case.rounded for case in reading.cases) < len(reading.cases)
    ]


def _measure(reading: Reading) -> Detection:
    bodies = [case.clip.body for case in reading.cases]
    rounded = np.array([case.rounded for case in reading.cases])
    values = {}
    for name, names in SETS.items():
        weights = solve_without_body(reading.fitted_to, names, bodies)
        found = [case.at_turn(case.clip.known(names) @ weights[case.clip.body]) for case in reading.cases]
        values[name] = np.array(found)
    kinds = {(case.clip.name, case.number): (case.clip.body, case.rounded) for case in reading.cases}.values()
    of_rounded = [body for body, is_rounded in kinds if is_rounded]
    of_neutral = [body for body, is_rounded in kinds if not is_rounded]
    return Detection(
        title=reading.title,
        rounded=len(of_rounded),
        neutral=len(of_neutral),
        rounded_bodies=len(set(of_rounded)),
        neutral_bodies=len(set(of_neutral)),
        largest_share=max(map(of_rounded.count, of_rounded)),
        repetitions=reading.repetitions,
        auc={name: area_under_curve(found[rounded], found[~rounded]) for name, found in values.items()},
        interval=margin_interval(values, rounded, bodies),
    )


def margin_interval(values: Mapping[str, FloatArray], rounded: BoolArray, bodies: Sequence[str]) -> tuple[float, float]:
    """95 % of the margins over draws of bodies with replacement; the weights stay.

    The best proxy is chosen anew in each draw. Draws without a rounded or without a neutral repetition are left out.
    """
    names = sorted(set(bodies))
    member = np.array([[body == name for name in names] for body in bodies], dtype=float)
    times = np.random.default_rng(0).multinomial(len(names), [1.0 / len(names)] * len(names), size=RESAMPLES)
    first, second = times @ member[rounded].T, times @ member[~rounded].T
    usable = (first.sum(axis=1) > 0) & (second.sum(axis=1) > 0)
    first, second = first[usable], second[usable]
    pairs = first.sum(axis=1) * second.sum(axis=1)

    def drawn(found: FloatArray) -> FloatArray:
        return np.asarray(((first @ _wins(found[rounded], found[~rounded])) * second).sum(axis=1) / pairs)

    margins = drawn(values[NAME]) - np.max([drawn(values[name]) for name in PROXIES], axis=0)
    low, high = np.percentile(margins, (2.5, 97.5))
    return float(low), float(high)


def as_text(found: Sequence[Detection]) -> str:
    """Both tables for a terminal: what became of each reading, and every set in each."""
    lines = []
    for number, one in enumerate(found, start=1):
        best = f"{one.best[0]} {one.auc[one.best[0]]:.3f}" + (f", {len(one.best) - 1} more" if one.best[1:] else "")
        lines.append(
            f"{number:2d} {one.title:52s} rounded {one.rounded} of {one.rounded_bodies} bodies, "
            f"neutral {one.neutral} of {one.neutral_bodies}, repetitions {one.repetitions}: "
            f"ours {one.auc[NAME]:.3f}, {best}; margin {one.margin:+.3f} "
            f"({one.interval[0]:+.3f} to {one.interval[1]:+.3f})"
        )
    lines.append(f"{'AUC':44s}" + "".join(f"{number:6d}" for number in range(1, len(found) + 1)))
    lines += [f"{name:44s}" + "".join(f"{one.auc[name]:6.3f}" for one in found) for name in SETS]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache())
    arguments = parser.parse_args()
    found = detections(read_all(arguments.folder, arguments.cache))
    if not found:
        sys.exit(f"{arguments.folder}: no clips there with rounded backs and with neutral ones, seen from the side")
    print(as_text(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
