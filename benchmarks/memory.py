"""Peak memory of `formcheck check CLIP --out DIR`, or of a batch worker, on a clip looped to minutes or hours.

    python benchmarks/memory.py CLIP [--minutes 10,60,180] [--files angles,html,export,video] [--batch] [--rate auto]
                                     [--replay] [--keep DIR]

The packets of the clip are copied again and again with new times into a real file of each length. A child process then
runs the command line on it, or with --batch what a worker of a batch does, and notes its own memory as it goes. With
--replay the network sees the clip once, and a frame now and then; its poses are played again and again, and the clip is
made smaller first, so that an hour takes minutes. Everything else is as in use.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

from formcheck.types import Frame, Pose

ROOT = Path(__file__).resolve().parent.parent
CHILD = "--child"
NOTES = 4  # on the way through the clip
REAL_EVERY = 500  # frames: how often the network still runs with --replay, so that its memory counts
SMALL_PX = 480  # longer side of the clip with --replay
FILES = ("angles", "html", "export", "video")
EXPORTS = ("trc", "mot", "parquet", "vtt")
# Where memory is noted, once they are done.
STAGES = (
    "formcheck.pipeline.read_poses",
    "formcheck.pipeline.read_again",
    "formcheck.pipeline.analyze_reading",
    "formcheck.reports.export.write_exports",
    "formcheck.pipeline.render_overlay",
    "formcheck.stills.take_stills",
    "formcheck.stills.write_page",
)


def loop_clip(source: Path, target: Path, minutes: float) -> None:
    """Copy the packets of `source` into `target`, again and again, each round moved on by the clip's length."""
    import av

    with av.open(str(target), "w") as output:
        out_stream, start, length = None, 0, 0
        while True:
            with av.open(str(source)) as clip:
                stream = clip.streams.video[0]
                out_stream = out_stream or output.add_stream_from_template(stream)
                for packet in clip.demux(stream):
                    if packet.pts is None or packet.dts is None:
                        continue  # the empty packet at the end
                    length = max(length, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + start, packet.dts + start, out_stream
                    output.mux(packet)
                start += length
                if stream.time_base and start * stream.time_base >= minutes * 60:
                    return


def shrink(source: Path, target: Path) -> None:
    """Write a clip again with `SMALL_PX` on its longer side."""
    from formcheck.adapters.video import ClipReader
    from formcheck.adapters.video_writer import OverlayWriter

    with ClipReader(source, max_side=SMALL_PX) as reader:
        info = reader.info
        with OverlayWriter(target, info.width, info.height, info.average_fps) as writer:
            for frame in reader:
                writer.write(frame.image, frame.time_s)


class Replayed:
    """A pose backend that plays the poses of one clip again and again."""

    def __init__(self, backend, source: Path) -> None:
        from formcheck.adapters.video import ClipReader

        self._backend, self.info = backend, backend.info
        with ClipReader(source) as reader:
            self._kept = [backend.detect(frame) for frame in reader]

    def detect(self, frame: Frame) -> Pose:
        if frame.index % REAL_EVERY == 0:
            self._backend.detect(replace(frame, time_s=frame.time_s + self._kept[-1].time_s + 1.0))
        return replace(self._kept[frame.index % len(self._kept)], index=frame.index, time_s=frame.time_s)

    def close(self) -> None:
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ReplayedBackend:
    """Stands where `reading` and `pipeline` look for `MediaPipeBackend`; the scout has the real one."""

    source: Path

    @classmethod
    def open(cls, model=None, **more: Any) -> Replayed:
        from formcheck.adapters.mediapipe import MediaPipeBackend

        return Replayed(MediaPipeBackend.open(model, **more), cls.source)


def memory() -> tuple[float, float]:
    """Resident memory of this process, now and at its peak, in MB."""
    from formcheck.batch.worker import memory_mb

    return memory_mb()


class Notes:
    """Prints the memory at quarters of the way through the clip, and around whatever writes a file."""

    def __init__(self) -> None:
        self._started, self._shown = time.monotonic(), 0

    def note(self, where: str) -> None:
        now, peak = memory()
        spent = time.monotonic() - self._started
        print(f"  {where:<22} {now:6.0f} MB, peak {peak:4.0f} MB, after {spent:5.0f} s", file=sys.stderr, flush=True)

    def progress(self, done: float, total: float) -> None:
        if done / total >= (self._shown + 1) / NOTES:
            self._shown += 1
            self.note(f"at {done / 60:.1f} min")

    def around(self, name: str, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*args: Any, **more: Any) -> Any:
            result = wrapped(*args, **more)
            self.note(f"{name} done")
            return result

        return noting


def run_child(clip: str, replayed: str, args: argparse.Namespace, folder: Path) -> int:
    """Run the command line, or a batch worker's task, in this process; `replayed` is played in place of the network."""
    from formcheck.adapters import scout

    wanted, notes = args.files.split(","), Notes()
    run = run_batch_task if args.batch else run_check
    with ExitStack() as stack:
        if replayed:
            ReplayedBackend.source = Path(replayed)
            stack.enter_context(mock.patch.object(scout, "LOOK_EVERY_S", 60.0))
            for module in ("reading", "pipeline"):  # the second reads stretches again
                stack.enter_context(mock.patch(f"formcheck.{module}.MediaPipeBackend", ReplayedBackend))
        for name in STAGES:
            module, _, function = name.rpartition(".")
            wrapped = getattr(importlib.import_module(module), function)
            stack.enter_context(mock.patch(name, notes.around(function, wrapped)))
        status = run(clip, folder, wanted, args, notes)
    print(f"peak {memory()[1]:.0f}", flush=True)
    return status


def run_check(clip: str, folder: Path, wanted: Sequence[str], args: argparse.Namespace, notes: Notes) -> int:
    from formcheck.cli import check, main

    @contextmanager
    def watch(label: str, *, quiet: bool) -> Iterator[Callable[[float, float], None]]:
        del quiet
        yield notes.progress if ": " not in label else lambda _done, _total: None

    options = ["--exercise", args.exercise, "--out", str(folder), "--fail-on", "never", "--quiet", "--rate", args.rate]
    options += [f"--{name}" for name in ("html", "video") if name in wanted]
    options += ["--export", ",".join(EXPORTS)] if "export" in wanted else []
    with mock.patch.object(check, "frame_progress", watch):
        return main(["check", clip, *options])


def run_batch_task(clip: str, folder: Path, wanted: Sequence[str], args: argparse.Namespace, notes: Notes) -> int:
    from formcheck.batch import task
    from formcheck.batch.clips import Clip
    from formcheck.batch.job import End, Job, Task, tools_here
    from formcheck.config import Settings

    job = Job(
        Settings(),
        None,
        tools_here(None),
        video="video" in wanted,
        html="html" in wanted,
        exports=EXPORTS if "export" in wanted else (),
        rate=args.rate,
    )
    task.prepare(job)
    exercise = None if args.exercise == "auto" else args.exercise
    answer = task.run(job, Task(Path(clip), Clip(clip, exercise), folder), notes.progress)
    print(answer.reason, file=sys.stderr)
    return int(answer.end is not End.DONE)


def measure(source: Path, minutes: float, args: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as folder:
        looped, files = Path(folder) / "looped.mp4", args.keep or Path(folder)
        files.mkdir(parents=True, exist_ok=True)
        loop_clip(source, looped, minutes)
        print(f"{args.clip.name} for {minutes:g} min: {looped.stat().st_size / 1e6:.0f} MB", file=sys.stderr)
        started = time.monotonic()
        replayed = str(source) if args.replay else ""
        command = [sys.executable, __file__, CHILD, str(looped), replayed, str(files), *sys.argv[1:]]
        child = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        peak = child.stdout.rpartition("peak ")[2].strip() if child.returncode == 0 else "failed"
        return f"{minutes:8g} {peak:>8} {time.monotonic() - started:9.0f}"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", metavar="CLIP", type=lambda name: Path(name).resolve())
    parser.add_argument("--minutes", default="10", help="one length or several (default: 10)")
    parser.add_argument("--files", default="angles", help=f"what is written, of {','.join(FILES)} (default: angles)")
    parser.add_argument(
        "--exercise", default="romanian-deadlift", help="default: romanian-deadlift; auto recognises it"
    )
    parser.add_argument("--rate", choices=("auto", "full"), default="full", help="as for check (default: full)")
    parser.add_argument("--batch", action="store_true", help="measure what a worker of a batch does instead of check")
    parser.add_argument("--replay", action="store_true", help="play the poses of the first round again and again")
    parser.add_argument(
        "--keep",
        metavar="DIR",
        type=lambda name: Path(name).resolve(),
        help="folder that keeps the files that are written",
    )
    args = parser.parse_args(arguments)
    if unknown := set(args.files.split(",")) - set(FILES):
        parser.error(f"no such file: {', '.join(unknown)}")
    return args


def main() -> None:
    args = parse(sys.argv[1:])
    lines = [f"{'minutes':>8} {'peak MB':>8} {'seconds':>9}"]
    with tempfile.TemporaryDirectory() as folder:
        source = args.clip
        if args.replay:
            source = Path(folder) / "small.mp4"
            shrink(args.clip, source)
        lines += [measure(source, float(minutes), args) for minutes in args.minutes.split(",")]
    how = [f"writing {args.files}", f"--rate {args.rate}", *(["batch worker"] if args.batch else [])]
    print(", ".join([args.clip.name, *how, *(["replayed"] if args.replay else [])]), *lines, sep="\n")


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        _, _, clip, replayed, folder, *rest = sys.argv
        sys.exit(run_child(clip, replayed, parse(rest), Path(folder)))
    main()
