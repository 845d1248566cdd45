"""The tables of `docs/accuracy.md`, in Markdown, all from what `accuracy_measure` measured."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from formcheck.types import FloatArray, Status
from formcheck.validate.tables import SHORT, SHOWN

FAR_OFF_DEG = 15.0  # an error beyond this is a landmark that left its joint, not noise
WORST_ROWS = 12
WORST_SHARE = 0.1  # of a clip's frames: where in the movement its largest errors lie

GOALS: Mapping[str, float] = {"knee": 2.5, "hip": 3.0, "ankle": 4.5}
EXERCISE_GOALS: Mapping[str, float] = {"knee": 4.0, "hip": 5.0, "ankle": 7.0}
COVERED_GOAL, WITHIN_GOAL, FOUND_GOAL, OK_GOAL = 0.95, 0.90, 0.90, 0.03


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


def bare_verdict_table(clips: Sequence[MeasuredClip]) -> str:
    """What becomes of counts and faults with bare landmarks, and with corrected ones."""
    rows = []
    for name, compared in (("bare landmarks", [c.bare for c in clips]), ("formcheck", [c.comparison for c in clips])):
        statuses = [result.status for clip in compared for result in clip.planted]
        found = sum(status in (Status.FAULT, Status.CAUTION) for status in statuses)
        exact = sum(clip.reps_found == clip.reps_true for clip in compared)
        wrong = Counter(outcome.status for clip in compared for outcome in clip.unplanned)
        rows.append(
            [
                name,
                f"{exact} of {len(compared)}",
                f"{found} of {len(statuses)}",
                str(statuses.count(Status.OK)),
                str(wrong[Status.FAULT]),
                str(wrong[Status.CAUTION]),
            ]
        )
    header = (
        "angles",
        "exact counts",
        "planted faults found",
        "called ok",
        "faults not planted",
        "cautions not planted",
    )
    return table(header, rows)


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


def timing_table(clips: Sequence[MeasuredClip]) -> str:
    """Timing errors of the repetitions that were found."""
    rows = []
    named = groups(clips)
    for name, part in [*named.items(), *([("**all**", list(clips))] if len(named) > 1 else [])]:
        timings = [timing for clip in part for timing in clip.timings]
        cells = []
        for moment in ("start_s", "turn_s", "end_s"):
            errors = np.array([getattr(timing, moment) for timing in timings])
            if errors.size:
                cells.append(f"{np.median(errors):+.2f} ({np.percentile(np.abs(errors), 95):.2f})")
            else:
                cells.append("-")
        exact = sum(clip.comparison.reps_found == clip.comparison.reps_true for clip in part)
        true = sum(clip.comparison.reps_true for clip in part)
        rows.append([name, f"{exact} of {len(part)}", f"{len(timings)} of {true}", *cells])
    return table(("exercise", "clips with the exact count", "repetitions found", "start", "turn", "end"), rows)


@dataclass(frozen=True, slots=True)
class Planted:
    """What became of planted faults: how many of each status (None: the repetition itself was missed)."""

    statuses: tuple[Status | None, ...]

    def count(self, *statuses: Status | None) -> int:
        return sum(status in statuses for status in self.statuses)

    def cells(self) -> list[str]:
        kinds = (Status.FAULT, Status.CAUTION, Status.NOT_JUDGED, Status.OK, None)
        return [str(len(self.statuses)), *(str(self.count(kind)) for kind in kinds)]


def planted(clips: Sequence[MeasuredClip], rule: str | None = None) -> Planted:
    results = [result for clip in clips for result in clip.comparison.planted]
    return Planted(tuple(result.status for result in results if rule in (None, result.rule)))


def planted_table(clips: Sequence[MeasuredClip]) -> str:
    """Planted faults by the rule that should find them."""
    rules = sorted({result.rule for clip in clips for result in clip.comparison.planted})
    rows = [[f"`{rule}`", *planted(clips, rule).cells()] for rule in rules]
    if len(rules) > 1:
        rows.append(["**all**", *planted(clips).cells()])
    return table(("rule", "planted", "fault", "caution", "not judged", "called ok", "repetition missed"), rows)


def false_faults(clips: Sequence[MeasuredClip]) -> int:
    return sum(outcome.status is Status.FAULT for clip in clips for outcome in clip.comparison.unplanned)


def unplanned_table(clips: Sequence[MeasuredClip]) -> str:
    """Findings where nothing of the kind was planted, by rule and exercise."""
    found: dict[tuple[str, str], list[tuple[str, Status]]] = defaultdict(list)
    for clip in clips:
        for outcome in clip.comparison.unplanned:
            found[outcome.rule, clip.truth.exercise].append((clip.truth.path.stem, outcome.status))
    rows = []
    for (rule, exercise), items in sorted(found.items()):
        count = Counter(status for _, status in items)
        names = ", ".join(f"`{name}`" for name in sorted({name for name, _ in items}))
        rows.append([f"`{rule}`", exercise, str(count[Status.FAULT]), str(count[Status.CAUTION]), names])
    return table(("rule", "exercise", "faults", "cautions", "clips"), rows)


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


def goals_table(side: Sequence[MeasuredClip], clips: Sequence[MeasuredClip]) -> str:
    """The goals that were set before measuring, and whether each is met."""
    rows: list[list[str]] = []

    def row(goal: str, reached: str, is_met: bool) -> None:
        rows.append([goal, reached, "yes" if is_met else "**no**"])

    stated = sigmas(side, False)
    for metric, joint in JOINTS.items():
        reached = mae(side, metric)
        row(f"{joint}: mean absolute error at most {GOALS[joint]}°", f"{degrees(reached)}°", reached <= GOALS[joint])
    for metric, joint in JOINTS.items():
        by_name = {name: mae(part, metric) for name, part in groups(side).items()}
        by_name = {name: value for name, value in by_name.items() if not math.isnan(value)}
        name = max(by_name, key=lambda name: by_name[name], default="")
        reached = by_name.get(name, math.nan)
        goal = f"{joint}: no exercise above {EXERCISE_GOALS[joint]:.0f}°"
        row(goal, f"{degrees(reached)}° ({name})", reached <= EXERCISE_GOALS[joint])
    for metric, joint in JOINTS.items():
        share = within(side, metric, stated, 2.0)
        row(
            f"{joint}: {percent(WITHIN_GOAL)} of errors within two stated standard errors",
            percent(share),
            share >= WITHIN_GOAL,
        )
    share = min(covered(side, metric) for metric in JOINTS)
    row(
        f"at least {percent(COVERED_GOAL)} of frames covered (least of the joints)",
        percent(share),
        share >= COVERED_GOAL,
    )
    exact = sum(clip.comparison.reps_found == clip.comparison.reps_true for clip in clips)
    row("counts exact on every clip", f"{exact} of {len(clips)}", exact == len(clips))
    row("no fault where none was planted", f"{false_faults(clips)} faults", false_faults(clips) == 0)
    result = planted(clips)
    total = max(len(result.statuses), 1)
    found, good = result.count(Status.FAULT, Status.CAUTION) / total, result.count(Status.OK) / total
    row(f"{percent(FOUND_GOAL)} of planted faults found", percent(found), found >= FOUND_GOAL)
    row(f"at most {percent(OK_GOAL)} of planted faults called ok", percent(good), good <= OK_GOAL)
    return table(("goal", "reached", "met"), rows)
