"""Milliseconds per frame of the real pipeline, stage by stage, beside the bare landmarker, for one and two jobs.

    python benchmarks/stages.py [CLIP...] [--jobs 1,2] [--rounds N] [--rate full|auto] [--cpu] [--json FILE]

Every job runs each clip as formcheck, bare, formcheck, bare ..., so that whatever else the machine does falls on both,
and jobs 1 and 2 take turns round by round for the same reason; the figures are medians over clips and rounds. Two jobs
are two processes that do the same clips at once. The pipeline is not copied here: its parts are wrapped with clocks.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import queue
import statistics
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

from formcheck import pipeline
from formcheck.adapters.landmarkers import reused_landmarkers
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.mediapipe_poses import PatchTaker
from formcheck.adapters.models import locate
from formcheck.adapters.outlines import Outliner
from formcheck.adapters.process import prepare_process
from formcheck.adapters.quiet_stderr import quiet_stderr
from formcheck.adapters.scout import Scout
from formcheck.adapters.video import ClipReader, DecodedFrame
from formcheck.adapters.video_writer import OverlayWriter
from formcheck.engine import Analyzer
from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES
from formcheck.validate.truth import exercise_of

SAMPLES = Path(__file__).resolve().parent.parent / "sample_videos"
CHECK = ("open", "decode", "pose", "patches", "outlines", "scout", "engine", "rest", "in one thread")
OVERLAY = ("decode again", "draw", "encode")
WHOLE = frozenset({"outlines", "scout"})  # have landmarkers of their own, which are no "pose" or "open"
CPU_TIME = "FORMCHECK_BENCHMARK_CPU"
COLUMNS = (*CHECK, "check", *OVERLAY, "overlay", "bare", "bare decode")
LONGEST_WAIT_S = 3600.0
POLL_S = 0.2


def now() -> float:
    """Seconds; of the processor instead of the wall where the environment says so (see --cpu)."""
    return time.process_time() if os.environ.get(CPU_TIME) else time.perf_counter()


class Clock(defaultdict[str, float]):
    """Seconds by stage; a stage inside another one counts for itself only, but for those of `WHOLE`."""

    def __init__(self) -> None:
        super().__init__(float)
        self.running: list[tuple[str, float]] = []

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        begun = now()
        if self.running and self.running[-1][0] in WHOLE:
            stage = self.running[-1][0]
        if self.running:
            outer, since = self.running[-1]
            self[outer] += begun - since
        self.running.append((stage, begun))
        try:
            yield
        finally:
            ended = now()
            _, since = self.running.pop()
            self[stage] += ended - since
            if self.running:
                self.running[-1] = (self.running[-1][0], ended)

    def call(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            with self.time(stage):
                return function(*args, **options)

        return timed

    def items_of(self, stage: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def timed(*args: Any) -> Iterator[Any]:
            items = iter(function(*args))
            while True:
                with self.time(stage):
                    item = next(items, None)
                if item is None:
                    return
                yield item

        return timed

    def patch(self, stage: str, owner: Any, *names: str, items: bool = False) -> ExitStack:
        """Time these functions of a class or module, for as long as the result is open."""
        stack = ExitStack()
        for name in names:
            if hasattr(owner, name):
                wrap = self.items_of if items else self.call
                stack.enter_context(mock.patch.object(owner, name, wrap(stage, getattr(owner, name))))
        return stack


def run_formcheck(clip: Path, exercise: str, folder: Path, rate: str) -> dict[str, float]:
    """Milliseconds per frame of one run: the stages, and the whole of each pass."""
    clock = Clock()
    started = now()
    with (
        clock.patch("open", MediaPipeBackend, "open"),
        clock.patch("decode", ClipReader, "__init__"),
        clock.patch("decode", ClipReader, "__iter__", "decoded", items=True),
        clock.patch("decode", DecodedFrame, "frame"),
        clock.patch("pose", MediaPipeBackend, "detect", "detect_all"),
        clock.patch("patches", PatchTaker, "add"),
        clock.patch("outlines", Outliner, "add"),
        clock.patch("scout", Scout, "watch"),
        clock.patch("engine", Analyzer, "add", "cut", "update", "finish"),
        clock.time("rest"),
    ):
        analysis = pipeline.analyze_clip(clip, exercise=EXERCISES[exercise], rate=rate, beside=False)
    clock["in one thread"] = now() - started
    started = now()
    pipeline.analyze_clip(clip, exercise=EXERCISES[exercise], rate=rate)
    clock["check"] = now() - started
    started = now()
    with (
        clock.patch("decode again", ClipReader, "__init__"),
        clock.patch("decode again", ClipReader, "__iter__", items=True),
        clock.patch("draw", pipeline, "draw"),
        clock.patch("draw", pipeline, "replay", items=True),
        clock.patch("encode", OverlayWriter, "write", "__exit__"),
    ):
        pipeline.render_overlay(clip, analysis, folder / "overlay.mp4")
    clock["overlay"] = now() - started
    return {stage: 1000 * seconds / analysis.report.clip.frames for stage, seconds in clock.items()}


def run_bare(clip: Path) -> dict[str, float]:
    """Milliseconds per frame of mediapipe alone on every frame, and of decoding beside it."""
    clock = Clock()
    with quiet_stderr():
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode
        from mediapipe.tasks.python.vision.core.image import Image, ImageFormat

        options = PoseLandmarkerOptions(BaseOptions(str(locate().path)), running_mode=RunningMode.VIDEO)
        count = 0
        with (
            PoseLandmarker.create_from_options(options) as landmarker,
            clock.patch("bare decode", ClipReader, "__init__"),
            clock.patch("bare decode", ClipReader, "__iter__", items=True),
            ClipReader(clip) as reader,
        ):
            for frame in reader:
                count += 1
                with clock.time("bare"):
                    landmarker.detect_for_video(Image(ImageFormat.SRGB, frame.image), round(frame.time_s * 1000))
    return {stage: 1000 * seconds / count for stage, seconds in clock.items()}


def exercise_for(clip: Path) -> str:
    """What the file beside the clip says; any known exercise costs the same."""
    try:
        named = exercise_of(clip)
    except FormcheckError:
        named = ""
    return named if named in EXERCISES else "romanian-deadlift"


def job(clips: Sequence[Path], rounds: int, rate: str, start: Any, results: Any) -> None:
    """One process: for each round, wait for the others, then do every clip both ways; a failure is a result too."""
    try:
        run_rounds(clips, rounds, rate, start, results)
    except Exception:
        results.put(traceback.format_exc())
        start.abort()
        raise


def run_rounds(clips: Sequence[Path], rounds: int, rate: str, start: Any, results: Any) -> None:
    prepare_process()  # mediapipe, used here without formcheck's wrapper, would send usage records
    with MediaPipeBackend.open():
        pass  # imports mediapipe, once per process: no cost of a clip
    with tempfile.TemporaryDirectory() as folder, reused_landmarkers():  # as a worker of a batch
        for _ in range(rounds):
            start.wait(LONGEST_WAIT_S)
            runs = [run_formcheck(clip, exercise_for(clip), Path(folder), rate) | run_bare(clip) for clip in clips]
            results.put(runs)


def measure(clips: Sequence[Path], numbers: Sequence[int], rounds: int, rate: str) -> dict[int, list[dict[str, float]]]:
    """Runs by number of jobs; the numbers of jobs take turns."""
    context = multiprocessing.get_context("spawn")  # a parent's landmarker hangs after a fork
    found: dict[int, list[dict[str, float]]] = {number: [] for number in numbers}
    teams = []
    for number in numbers:
        start, results = context.Barrier(number + 1), context.Queue()
        team = [context.Process(target=job, args=(clips, rounds, rate, start, results)) for _ in range(number)]
        for process in team:
            process.start()
        teams.append((number, start, results, team))
    try:
        for turn in range(rounds):
            for number, start, results, team in teams:
                print(f"round {turn + 1}, {number} job(s)", file=sys.stderr)
                while start.n_waiting < number and not (start.broken or has_failed(team)):
                    time.sleep(POLL_S)
                if not has_failed(team):
                    with suppress(threading.BrokenBarrierError):  # a job has failed, as its result says
                        start.wait(LONGEST_WAIT_S)
                for _ in range(number):
                    found[number] += next_result(results, team)
    except BaseException:
        for process in (process for *_, team in teams for process in team):
            process.terminate()
        raise
    for process in (process for *_, team in teams for process in team):
        process.join()
    return found


def next_result(results: Any, team: Sequence[Any]) -> list[dict[str, float]]:
    """What one of the processes measured; ends the program where one of them has failed."""
    while True:
        failed = has_failed(team)  # seen before its last words are asked for
        with suppress(queue.Empty):
            result = results.get(timeout=POLL_S)
            if isinstance(result, str):
                sys.exit(f"a job failed\n{result}")
            return list(result)
        if failed:
            sys.exit("a job was killed")


def has_failed(team: Sequence[Any]) -> bool:
    return any(process.exitcode for process in team)


def summary(runs: Sequence[dict[str, float]], number: int) -> dict[str, float]:
    """Medians of the stages, and of the ratios that the bars are about."""
    figures = {stage: statistics.median(run.get(stage, 0.0) for run in runs) for stage in COLUMNS}
    figures["check / (bare + decode)"] = statistics.median(
        run["check"] / (run["bare"] + run["bare decode"]) for run in runs
    )
    figures["one thread / (bare + decode)"] = statistics.median(
        run["in one thread"] / (run["bare"] + run["bare decode"]) for run in runs
    )
    figures["one thread / bare"] = statistics.median(run["in one thread"] / run["bare"] for run in runs)
    figures["outlines / one thread without"] = statistics.median(
        run.get("outlines", 0.0) / (run["in one thread"] - run.get("outlines", 0.0)) for run in runs
    )
    figures["batch frames a second"] = number * 1000 / statistics.mean(run["in one thread"] for run in runs)
    return figures


def as_table(figures: dict[int, dict[str, float]]) -> str:
    names = list(next(iter(figures.values())))
    width = max(len(name) for name in names)
    lines = [f"{'ms per frame':<{width}}" + "".join(f"{f'{number} job(s)':>12}" for number in figures)]
    lines += [f"{name:<{width}}" + "".join(f"{column[name]:12.2f}" for column in figures.values()) for name in names]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", metavar="CLIP", nargs="*", type=Path, help="default: the clips of sample_videos/")
    parser.add_argument("--jobs", default="1,2", help="numbers of processes to compare (default: 1,2)")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--rate", choices=("full", "auto"), default="full", help="default: full")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as JSON too")
    parser.add_argument("--cpu", action="store_true", help="count processor time, which other programs disturb less")
    args = parser.parse_args()
    if args.cpu:
        os.environ[CPU_TIME] = "1"  # the processes inherit it
    numbers = [int(number) for number in args.jobs.split(",")]
    clips = args.clips or sorted(SAMPLES.glob("*.mp4"))
    runs = measure(clips, numbers, args.rounds, args.rate)
    figures = {number: summary(found, number) for number, found in runs.items()}
    print(as_table(figures))
    if {1, 2} <= set(figures):
        one, two = (figures[number]["batch frames a second"] for number in (1, 2))
        print(f"two jobs do {two / one:.2f} x the work of one")
    print(f"{len(clips)} clips, {args.rounds} rounds, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    print(
        "open = making the landmarker; the stages run in one thread, as in a batch; check = the same with decoding and"
    )
    print("the closer looks beside the network, on another core; overlay = a pass over the clip of its own")
    if args.json is not None:
        args.json.write_text(json.dumps({"rounds": args.rounds, "rate": args.rate, "jobs": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
