"""Findings as captions (WebVTT) for a video player: what was seen and what to do, when it happens."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from dataclasses import dataclass
from itertools import islice

from formcheck.exercises import EXERCISES
from formcheck.reports.findings import SERIOUS, moment_s
from formcheck.types import Kind, Outcome, Report, Status

LEAD_S = 0.5  # a caption comes a little before the worst moment, so that the eye is back on the picture by then
LATEST_S = 4.0  # after the worst moment; a caption that finds no free time until then is left out
SHORTEST_S, LONGEST_S = 2.0, 7.0
CHARACTERS_PER_S = 15.0  # a common reading speed for captions
GAP_S = 0.1  # between two captions, so that a change is seen
WORDS = {Status.FAULT: "fault", Status.CAUTION: "caution"}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})  # which also takes the arrow `-->` apart


@dataclass(frozen=True, slots=True)
class _Caption:
    begin_s: float
    end_s: float
    text: str


def captions(report: Report) -> str:
    """The cautions and faults of a report as a WebVTT file.

    No two captions overlap. Faults are placed before cautions, and what is said for the first time before what is said
    again; a caption waits for free time up to `LATEST_S` after its moment, and is left out where there is none: lists
    and pictures still show it.

    Returns
    -------
    str
        A valid file also when there is nothing to say.
    """
    placed: list[_Caption] = []
    for outcome in _in_order(report):
        text = _text(report, outcome)
        long_s = min(max(len(text) / CHARACTERS_PER_S, SHORTEST_S), LONGEST_S)
        begin_s = _free(placed, moment_s(outcome), long_s, report.clip.duration_s)
        if begin_s is not None:
            insort(placed, _Caption(begin_s, begin_s + long_s, text), key=lambda item: item.begin_s)
    blocks = ["WEBVTT\n"]
    for caption in placed:
        blocks.append(f"{_clock(caption.begin_s)} --> {_clock(caption.end_s)}\n{caption.text}\n")
    return "\n".join(blocks)


def _in_order(report: Report) -> list[Outcome]:
    """Findings that have a moment, the most important first."""
    found = [outcome for outcome in report.outcomes if outcome.status in SERIOUS and math.isfinite(moment_s(outcome))]
    found.sort(key=moment_s)
    first = {outcome.rule: outcome for outcome in reversed(found)}  # the first one overwrites those after it
    # Sorting keeps the order of time among equals.
    return sorted(found, key=lambda outcome: (SERIOUS.index(outcome.status), outcome is not first[outcome.rule]))


def _free(placed: list[_Caption], worst_s: float, long_s: float, clip_s: float) -> float | None:
    """The first moment at which nothing else is shown for long enough; None when that is too late."""
    latest_s = worst_s + LATEST_S
    if math.isfinite(clip_s):
        latest_s = min(latest_s, max(clip_s - long_s, 0.0))
    begin_s = max(min(worst_s - LEAD_S, latest_s), 0.0)
    nearby = bisect_left(placed, begin_s - LONGEST_S - GAP_S, key=lambda item: item.begin_s)
    for other in islice(placed, nearby, None):
        if other.begin_s >= latest_s + long_s + GAP_S:
            break
        if begin_s < other.end_s + GAP_S and other.begin_s < begin_s + long_s + GAP_S:
            begin_s = other.end_s + GAP_S
    return begin_s if begin_s <= latest_s else None


def _text(report: Report, outcome: Outcome) -> str:
    """Two lines: which repetition and what was seen, then what to do."""
    exercise = EXERCISES.get(report.exercise.name)
    kind = "hold" if exercise is not None and exercise.kind is Kind.HOLD else "repetition"
    which = "The set" if outcome.rep is None else f"{kind.capitalize()} {outcome.rep}"
    lines = (f"{which}, {WORDS[outcome.status]}: {outcome.message}", outcome.cue)
    return "\n".join(_plain(line) for line in lines if line.strip())


def _plain(text: str) -> str:
    return " ".join(text.split()).translate(_ESCAPES)  # an empty line would end the caption


def _clock(time_s: float) -> str:
    """``00:01:02.500``."""
    milliseconds = round(1000 * time_s)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
