"""Peak memory of `formcheck check CLIP --out DIR --video` on a clip that is looped to many minutes.

    python benchmarks/memory.py CLIP [--minutes 10] [--exercise NAME]

The packets of the clip are copied again and again with new times into a real file of that length. A child process
then runs the command line on it, and notes its own peak (`ru_maxrss`) when it comes past 1, 5 and the last minute of
the clip: first while it analyses, which is all that it does without --video, then while it writes the video.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKS_MIN = (1.0, 5.0)
CHILD = "--child"
DIVISOR = 1e6 if sys.platform == "darwin" else 1e3  # macOS counts bytes, Linux kilobytes


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


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / DIVISOR


def run_child(clip: str, exercise: str, folder: str, minutes: float) -> int:
    """Run the command line in this process, and print the peak at each mark of both passes."""
    from unittest import mock

    from formcheck.cli import check, main

    marks_s = sorted(60 * mark for mark in {*MARKS_MIN, minutes} if mark <= minutes)

    @contextmanager
    def watch(label: str, *, quiet: bool) -> Iterator[Callable[[float, float], None]]:
        del quiet
        pending, started = list(marks_s), time.monotonic()
        name = "video" if label.endswith(": video") else "check"

        def show(done: float, total: float) -> None:
            last = total - 1.0  # the last frame is shown before the end
            while pending and done >= min(pending[0], last):
                note(f"{name} at {pending.pop(0) / 60:g} min")

        def note(where: str) -> None:
            spent = time.monotonic() - started
            print(f"{where:<20} {peak_mb():7.0f} MB   after {spent:5.0f} s", file=sys.stderr, flush=True)

        yield show
        note(f"{name} at the end")

    print(f"{'start':<20} {peak_mb():7.0f} MB", file=sys.stderr, flush=True)
    with mock.patch.object(check, "frame_progress", watch):
        return main(
            ["check", clip, "--exercise", exercise, "--out", folder, "--video", "--fail-on", "never", "--quiet"]
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", metavar="CLIP", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0, help="default: 10")
    parser.add_argument("--exercise", default="romanian-deadlift", help="default: romanian-deadlift")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        looped = Path(folder) / "looped.mp4"
        loop_clip(args.clip, looped, args.minutes)
        print(f"{args.clip.name}, looped to {args.minutes:g} min, {looped.stat().st_size / 1e6:.0f} MB")
        command = [sys.executable, __file__, CHILD, str(looped), args.exercise, folder, str(args.minutes)]
        child = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        size = (Path(folder) / "looped.overlay.mp4").stat().st_size if child.returncode == 0 else 0
        print(f"overlay video {size / 1e6:.0f} MB, exit status {child.returncode}")
    return child.returncode


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        _, _, clip, exercise, folder, minutes = sys.argv
        sys.exit(run_child(clip, exercise, folder, float(minutes)))
    sys.exit(main())
