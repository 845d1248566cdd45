"""Memory of a batch over thousands of clips: of the command itself, and of its workers.

    python benchmarks/batch_many.py [--clips 2000] [--jobs 2] [--frames 8] [--stub]

A few frames of the sample clips are written as short clips, linked under many names, and given to `formcheck batch`
with the real pose model. While it runs, the resident memory of the command and of each worker is read ten times a
second, and shown at each tenth of the clips. A figure that grows with the clips is a leak. With --stub the pose model
is replaced by tests/batch_stub.py: what is left is what a clip costs beside its analysis.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import batch_stub  # noqa: E402
from batch_watch import children  # noqa: E402
from clip_factory import steady, write_clip  # noqa: E402

CHILD = "--child"
SIZE = (480, 270)
DIFFERENT = 16  # clips of different content


def run_child(arguments: list[str]) -> int:
    from formcheck.batch import job
    from formcheck.cli import main as cli

    if arguments[0] == "--stub":
        job.ANALYZE = batch_stub.ANALYZE
    return cli(["batch", *arguments[1:]])


def make_clips(folder: Path, count: int, frames: int, *, stub: bool) -> None:
    first = []
    for n in range(min(DIFFERENT, count)):
        path = folder / f"{n:05}.mp4"
        if stub:
            batch_stub.write(path, reps=n % 5, faults=n % 3)
        else:
            folder.mkdir(exist_ok=True)
            write_short(path, frames, seed=n)
        first.append(path)
    for n in range(len(first), count):
        os.link(first[n % len(first)], folder / f"{n:05}.mp4")  # each name is a clip of its own


def write_short(path: Path, frames: int, seed: int) -> None:
    """Write some frames out of the middle of a sample clip."""
    import cv2

    from formcheck.adapters.video import ClipReader

    samples = sorted((ROOT / "sample_videos").glob("*.mp4"))
    start = 20 + 10 * (seed // len(samples))
    images = []
    with ClipReader(samples[seed % len(samples)]) as reader:
        for frame in reader:
            if frame.index >= start:
                images.append(cv2.resize(frame.image, SIZE, interpolation=cv2.INTER_AREA))
            if len(images) == frames:
                break
    write_clip(path, lambda index: images[index], steady(frames))


def status_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process now and at its peak; zeros when it has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    values = {key: rest.split() for key, _, rest in (line.partition(":") for line in lines)}
    if "VmRSS" not in values:
        return 0.0, 0.0
    return int(values["VmRSS"][0]) / 1e3, int(values["VmHWM"][0]) / 1e3


def watch(process: subprocess.Popen[bytes], out: Path, count: int) -> None:
    started, seen = time.monotonic(), set[int]()
    command_peak = worker_peak = span_peak = 0.0
    mark = 0
    print(f"{'clips':>6} {'command':>9} {'largest worker since':>21} {'workers so far':>15} {'s':>6}")
    while process.poll() is None:
        workers = children(process.pid)
        seen |= set(workers)
        for pid in workers:
            span_peak = max(span_peak, status_mb(pid)[1])
        now_mb, peak = status_mb(process.pid)
        command_peak, worker_peak = max(command_peak, peak), max(worker_peak, span_peak)
        done = sum(1 for _ in out.glob("clips/*/done.json")) if out.exists() else 0
        if done * 10 // count > mark:
            mark = done * 10 // count
            spent = time.monotonic() - started
            print(f"{done:>6} {now_mb:>6.0f} MB {span_peak:>18.0f} MB {len(seen):>15} {spent:>6.0f}", flush=True)
            span_peak = 0.0
        time.sleep(0.1)
    spent_s = time.monotonic() - started
    print(f"peak: command {command_peak:.0f} MB, worker {worker_peak:.0f} MB; {len(seen)} workers; {spent_s:.0f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--stub", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips, out = Path(folder, "clips"), Path(folder, "out")
        make_clips(clips, args.clips, args.frames, stub=args.stub)
        kind = "--stub" if args.stub else "--real"
        options = ["--out", str(out), "--jobs", str(args.jobs), "--exercise", "rdl", "--fail-on", "never", "--quiet"]
        process = subprocess.Popen([sys.executable, __file__, CHILD, kind, str(clips), *options], cwd=ROOT)
        watch(process, out, args.clips)
        with (out / "summary.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        failed = sum(row["status"] == "failed" for row in rows)
        print(f"exit status {process.returncode}, {len(rows)} rows, {failed} failed")
    return int(process.returncode != 0 or len(rows) != args.clips or failed > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        sys.exit(run_child(sys.argv[2:]))
    sys.exit(main())
