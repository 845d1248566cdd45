"""Peak memory of `formcheck check CLIP --out DIR` on a clip that is looped to minutes or hours.

    python benchmarks/memory.py CLIP [--minutes 10,60,180] [--files angles,html,export,video] [--replay]

The packets of the clip are copied again and again with new times into a real file of each length. A child process then
runs the command line on it, and notes its own peak (`ru_maxrss`) as it goes. With --replay the network sees the first
round of the clip only, and a frame now and then; in all others that round's poses are played again, and the clip is
made smaller first, so that an hour takes minutes. Everything else is as in use.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest import mock

from formcheck.types import Frame, Pose

ROOT = Path(__file__).resolve().parent.parent
CHILD = "--child"
DIVISOR = 1e6 if sys.platform == "darwin" else 1e3  # macOS counts bytes, Linux kilobytes
NOTES = 4  # in one pass over the clip
REAL_EVERY = 500  # frames: how often the network still runs with --replay, so that its memory counts
SMALL_PX = 480  # longer side of the clip with --replay
FILES = ("angles", "html", "export", "video")


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


def count_frames(clip: Path) -> int:
    from formcheck.adapters.video import ClipReader

    with ClipReader(clip) as reader:
        return sum(1 for _ in reader.decoded())


class Replayed:
    """A pose backend that plays the poses of its first frames again and again."""

    def __init__(self, backend, frames: int) -> None:
        self._backend, self._frames = backend, frames
        self._kept: list[Pose] = []
        self.info = backend.info

    def detect(self, frame: Frame) -> Pose:
        first = frame.index < self._frames
        found = self._backend.detect(frame) if first or frame.index % REAL_EVERY == 0 else None
        if first and found is not None:
            self._kept.append(replace(found, mask=None))
        return replace(self._kept[frame.index % self._frames], index=frame.index, time_s=frame.time_s)

    def close(self) -> None:
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / DIVISOR


def run_child(clip: str, exercise: str, folder: str, files: str, frames: int) -> int:
    """Run the command line in this process, and print the peak on the way; `frames` of the clip are played again."""
    from formcheck.adapters import scout
    from formcheck.adapters.mediapipe import MediaPipeBackend
    from formcheck.cli import check, main

    opened = MediaPipeBackend.open

    @contextmanager
    def watch(label: str, *, quiet: bool) -> Iterator[Callable[[float, float], None]]:
        del quiet
        name, started, shown = label.partition(": ")[2] or "check", time.monotonic(), 0

        def show(done: float, total: float) -> None:
            nonlocal shown
            if done / total >= (shown + 1) / NOTES:
                shown += 1
                note(f"{name} at {done / 60:.1f} min")

        def note(where: str) -> None:
            spent = time.monotonic() - started
            print(f"  {where:<22} {peak_mb():6.0f} MB  after {spent:5.0f} s", file=sys.stderr, flush=True)

        yield show
        note(f"{name} done")

    options = ["--exercise", exercise, "--out", folder, "--fail-on", "never", "--quiet"]
    wanted = files.split(",")
    options += [f"--{name}" for name in ("html", "video") if name in wanted]
    options += ["--export", "trc,mot,parquet,vtt"] if "export" in wanted else []
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(check, "frame_progress", watch))
        if frames:
            stack.enter_context(mock.patch.object(scout, "LOOK_EVERY_S", 60.0))
            stack.enter_context(
                mock.patch(
                    "formcheck.pipeline.MediaPipeBackend.open",
                    lambda model=None, **more: Replayed(opened(model, **more), frames),
                )
            )
            stack.enter_context(mock.patch("formcheck.adapters.scout.MediaPipeBackend.open", opened))
        status = main(["check", clip, *options])
    print(f"peak {peak_mb():.0f}", flush=True)
    return status


def measure(source: Path, minutes: float, args: argparse.Namespace, frames: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        looped = Path(folder) / "looped.mp4"
        loop_clip(source, looped, minutes)
        print(f"{args.clip.name} for {minutes:g} min: {looped.stat().st_size / 1e6:.0f} MB", file=sys.stderr)
        started = time.monotonic()
        command = [sys.executable, __file__, CHILD, str(looped), args.exercise, folder, args.files, str(frames)]
        child = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        peak = child.stdout.rpartition("peak ")[2].strip() if child.returncode == 0 else "failed"
        return f"{minutes:8g} {peak:>8} {time.monotonic() - started:9.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", metavar="CLIP", type=Path)
    parser.add_argument("--minutes", default="10", help="one length or several (default: 10)")
    parser.add_argument("--files", default="angles", help=f"what is written, of {','.join(FILES)} (default: angles)")
    parser.add_argument(
        "--exercise", default="romanian-deadlift", help="default: romanian-deadlift; auto recognises it"
    )
    parser.add_argument("--replay", action="store_true", help="let the network see the first round only")
    args = parser.parse_args()
    if unknown := set(args.files.split(",")) - set(FILES):
        parser.error(f"no such file: {', '.join(unknown)}")
    lines = [f"{'minutes':>8} {'peak MB':>8} {'seconds':>9}"]
    with tempfile.TemporaryDirectory() as folder:
        source, frames = args.clip, 0
        if args.replay:
            source = Path(folder) / "small.mp4"
            shrink(args.clip, source)
            frames = count_frames(source)
        for minutes in args.minutes.split(","):
            lines.append(measure(source, float(minutes), args, frames))
    print(f"{args.clip.name}, writing {args.files}" + (", replayed" if args.replay else ""), *lines, sep="\n")


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        _, _, clip, exercise, folder, files, frames = sys.argv
        sys.exit(run_child(clip, exercise, folder, files, int(frames)))
    main()
