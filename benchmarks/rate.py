"""`--rate auto` against `--rate full` on a folder of clips: time, frames sent to the network, verdicts that differ.

    python benchmarks/rate.py DIR [--exercises FILE.json] [--match TEXT] [--json FILE]

Each clip is read at the full rate and then at the automatic one, in one process and one thread, as a worker of a batch
does it. `time` is all that `analyze_clip` takes at the automatic rate, over what the landmarker alone took for every
frame in the run at the full rate; on a busy machine the same ratio of processor times says more. The landmarker is the
one that follows the person: those that look for other people and for outlines cost time, but do not count as it. With
work beside it on another core, its calls would be slowed down, and its processor time would hold that work. No program
can give the landmarker its frames without decoding the clip: the second ratio is over both.

A pair is one rule on one repetition (or set); it differs when the status does, or when only one of the two has it. What
a clip shows comes from the file beside it, or from a JSON object of file stem to exercise.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from formcheck.adapters.landmarkers import reused_landmarkers
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.process import prepare_process
from formcheck.adapters.video import ClipReader
from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES, find_exercise
from formcheck.pipeline import analyze_clip
from formcheck.types import Analysis, Frame, Outcome, Report, Status
from formcheck.validate.truth import exercise_of


@contextmanager
def landmarker_clock() -> Iterator[list[tuple[float, float]]]:
    """Wall and processor seconds of each call of the landmarker that follows the person."""
    seconds: list[tuple[float, float]] = []
    original = MediaPipeBackend._run

    def timed(self: MediaPipeBackend, *args: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        result = original(self, *args)
        if not (self._search or self._masks):
            seconds.append((time.perf_counter() - wall, time.process_time() - cpu))
        return result

    with mock.patch.object(MediaPipeBackend, "_run", timed):
        yield seconds


@contextmanager
def decoding_clock() -> Iterator[list[float]]:
    """Processor seconds of decoding and converting each frame of a clip of which all are asked for."""
    seconds: list[float] = []
    original = ClipReader.__iter__

    def timed(self: ClipReader) -> Iterator[Frame]:
        frames = original(self)
        while True:
            cpu = time.process_time()
            frame = next(frames, None)
            seconds.append(time.process_time() - cpu)
            if frame is None:
                return
            yield frame

    with mock.patch.object(ClipReader, "__iter__", timed):
        yield seconds


def by_pair(report: Report) -> dict[tuple[str, int | None], Outcome]:
    return {(outcome.rule, outcome.rep): outcome for outcome in report.outcomes}


def differences(full: Report, auto: Report) -> tuple[int, list[str], int]:
    """Number of pairs, a line for each that differs, and how many of those are faults at the automatic rate only."""
    expected, found = by_pair(full), by_pair(auto)
    lines, new_faults = [], 0
    for pair in sorted({*expected, *found}, key=str):
        one, other = expected.get(pair), found.get(pair)
        if one is not None and other is not None and one.status is other.status:
            continue
        new_faults += other is not None and other.status is Status.FAULT
        lines.append(f"    {pair[0]} rep {pair[1]}: {_words(one)} -> {_words(other)}")
    return len({*expected, *found}), lines, new_faults


def _words(outcome: Outcome | None) -> str:
    return "none" if outcome is None else f"{outcome.status} {outcome.measured:.2f}"


def compare(clip: Path, exercise: str) -> dict[str, Any]:
    """Both runs of one clip."""
    with landmarker_clock() as calls, decoding_clock() as decoding:
        full = analyze_clip(clip, exercise=EXERCISES[exercise], beside=False)
    bare_wall_s, bare_cpu_s = (sum(seconds) for seconds in zip(*calls, strict=True))
    with landmarker_clock() as calls:
        wall, cpu = time.perf_counter(), time.process_time()
        auto: Analysis = analyze_clip(clip, exercise=EXERCISES[exercise], rate="auto", beside=False)
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    pairs, lines, new_faults = differences(full.report, auto.report)
    frames = full.report.clip.frames
    return {
        "frames": frames,
        "sent": len(calls) / frames,
        "time": wall_s / bare_wall_s,
        "cpu": cpu_s / bare_cpu_s,
        "cpu_with_decoding": cpu_s / (bare_cpu_s + sum(decoding)),
        "pairs": pairs,
        "differ": lines,
        "new_faults": new_faults,
        "estimated": (auto.report.clip.frames_estimated or frames) / frames,
    }


def exercises_of(folder: Path, named: dict[str, str]) -> dict[Path, str]:
    """The clips of a folder whose exercise is known."""
    found = {}
    for clip in sorted(folder.glob("*.mp4")):
        try:
            exercise = find_exercise(named[clip.stem]).id if clip.stem in named else exercise_of(clip)
        except FormcheckError:
            continue
        if exercise in EXERCISES:
            found[clip] = exercise
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--exercises", metavar="FILE", type=Path, help="JSON: file stem to exercise")
    parser.add_argument("--match", metavar="TEXT", default="", help="only clips with this in their names")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as JSON too")
    args = parser.parse_args()
    prepare_process()
    with reused_landmarkers():
        run(args)


def run(args: argparse.Namespace) -> None:
    named = json.loads(args.exercises.read_text()) if args.exercises else {}
    results = {}
    for clip, exercise in exercises_of(args.folder, named).items():
        if args.match not in clip.name:
            continue
        try:
            result = results[clip.stem] = compare(clip, exercise)
        except FormcheckError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        print(
            f"{clip.stem}: {result['frames']} frames, {result['estimated']:.2f} of them estimated, "
            f"{result['sent']:.2f} looks a frame, time {result['time']:.2f} x bare, "
            f"processor time {result['cpu']:.2f} x bare ({result['cpu_with_decoding']:.2f} x bare and decoding),",
            f"    {len(result['differ'])} of {result['pairs']} differ, {result['new_faults']} new faults",
            *result["differ"],
            sep="\n",
            flush=True,
        )
    total = Counter[str]()
    for result in results.values():
        total.update(pairs=result["pairs"], differ=len(result["differ"]), new_faults=result["new_faults"])
    if not results:
        sys.exit("no clip of that folder has a known exercise")
    print(
        f"\n{len(results)} clips: time {statistics.median(r['time'] for r in results.values()):.2f} x bare, "
        f"processor time {statistics.median(r['cpu'] for r in results.values()):.2f} x bare (medians), "
        f"{statistics.mean(r['cpu'] for r in results.values()):.2f} (mean), "
        f"{statistics.median(r['cpu_with_decoding'] for r in results.values()):.2f} x bare and decoding (median), "
        f"{statistics.mean(r['sent'] for r in results.values()):.2f} looks a frame (mean); "
        f"{total['differ']} of {total['pairs']} pairs differ: {1 - total['differ'] / total['pairs']:.2%} identical, "
        f"{total['new_faults']} new faults; load average {os.getloadavg()[0]:.1f}"
    )
    if args.json is not None:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
