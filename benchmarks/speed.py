"""Milliseconds per frame of the real pipeline, stage by stage, beside the bare landmarker on the same frames.

    python benchmarks/speed.py [CLIP...] [--rounds N] [--json FILE]

Each clip is run as formcheck, bare, formcheck, bare ... in one process, so that whatever else the machine does falls
on both; the figures are medians over the rounds. The pipeline is not copied here: its parts are wrapped with clocks.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from formcheck import pipeline
from formcheck.adapters.mediapipe import MediaPipeBackend, block_connections
from formcheck.adapters.models import locate
from formcheck.adapters.quiet_stderr import quiet_stderr
from formcheck.adapters.video import ClipReader
from formcheck.adapters.video_writer import OverlayWriter
from formcheck.engine import Analyzer
from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES
from formcheck.validate.truth import exercise_of

SAMPLES = Path(__file__).resolve().parent.parent / "sample_videos"
CHECK = ("open", "decode", "pose", "engine", "rest")
VIDEO = ("decode again", "draw", "encode")
COLUMNS = (*CHECK, "check", *VIDEO, "video", "total", "bare", "check/bare")


class Clock(defaultdict[str, float]):
    """Seconds by stage."""

    def __init__(self) -> None:
        super().__init__(float)
        self.running: set[str] = set()

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the block's time to a stage, once: a method may call another of the same stage."""
        if stage in self.running:
            yield
            return
        self.running.add(stage)
        started = time.perf_counter()
        try:
            yield
        finally:
            self[stage] += time.perf_counter() - started
            self.running.remove(stage)

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


def run_formcheck(clip: Path, exercise: str, folder: Path) -> dict[str, float]:
    """Milliseconds per frame of one run: the stages, and the whole of both passes."""
    clock = Clock()
    with (
        clock.patch("open", MediaPipeBackend, "open"),
        clock.patch("decode", ClipReader, "__init__"),
        clock.patch("decode", ClipReader, "__iter__", items=True),
        clock.patch("pose", MediaPipeBackend, "detect", "detect_all"),
        clock.patch("engine", Analyzer, "add", "cut", "update", "finish"),
        clock.time("check"),
    ):
        analysis = pipeline.analyze_clip(clip, exercise=EXERCISES[exercise])
    with (
        clock.patch("decode again", ClipReader, "__init__"),
        clock.patch("decode again", ClipReader, "__iter__", items=True),
        clock.patch("draw", pipeline, "draw"),
        clock.patch("draw", pipeline, "replay", items=True),
        clock.patch("encode", OverlayWriter, "write", "__exit__"),
        clock.time("video"),
    ):
        pipeline.render_overlay(clip, analysis, folder / "overlay.mp4")
    clock["rest"] = clock["check"] - sum(clock[stage] for stage in CHECK if stage != "rest")
    clock["total"] = clock["check"] + clock["video"]
    return {stage: 1000 * seconds / analysis.report.clip.frames for stage, seconds in clock.items()}


def run_bare(clip: Path) -> float:
    """Milliseconds per frame of mediapipe alone: only its calls are timed, decoding is not."""
    with quiet_stderr():
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode
        from mediapipe.tasks.python.vision.core.image import Image, ImageFormat

        options = PoseLandmarkerOptions(BaseOptions(str(locate().path)), running_mode=RunningMode.VIDEO)
        clock = Clock()
        count = 0
        with PoseLandmarker.create_from_options(options) as landmarker, ClipReader(clip) as reader:
            for frame in reader:
                count += 1
                with clock.time("bare"):
                    landmarker.detect_for_video(Image(ImageFormat.SRGB, frame.image), round(frame.time_s * 1000))
    return 1000 * clock["bare"] / count


def exercise_for(clip: Path) -> str:
    """What the file beside the clip says; any known exercise costs the same."""
    try:
        named = exercise_of(clip)
    except FormcheckError:
        named = ""
    return named if named in EXERCISES else "romanian-deadlift"


def measure(clip: Path, rounds: int) -> dict[str, float]:
    """Medians over the rounds of one clip."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            run = run_formcheck(clip, exercise_for(clip), Path(folder))
            run["bare"] = run_bare(clip)
            run["check/bare"] = run["check"] / run["bare"]
            runs.append(run)
    return {stage: statistics.median(run[stage] for run in runs) for stage in COLUMNS}


def as_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    rows = [["ms per frame", *COLUMNS]]
    rows += [[name, *(f"{figure[stage]:.2f}" for stage in COLUMNS)] for name, figure in figures.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", metavar="CLIP", nargs="*", type=Path, help="default: the clips of sample_videos/")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as JSON too")
    args = parser.parse_args()
    block_connections()  # mediapipe, used here without formcheck's wrapper, would send usage records
    with MediaPipeBackend.open():
        pass  # imports mediapipe, once per process: no cost of a clip
    figures = {}
    for clip in args.clips or sorted(SAMPLES.glob("*.mp4")):
        print(clip.name, file=sys.stderr)
        figures[clip.stem] = measure(clip, args.rounds)
    if len(figures) > 1:
        figures["median"] = {
            stage: statistics.median(figure[stage] for figure in figures.values()) for stage in COLUMNS
        }
    print(as_table(figures))
    print(f"{args.rounds} rounds, {os.cpu_count()} cores, load average at the end {os.getloadavg()[0]:.1f}")
    print("check = all up to the report (open = making the landmarker); video = the overlay's own pass over the clip")
    if args.json is not None:
        args.json.write_text(json.dumps({"rounds": args.rounds, "ms_per_frame": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
