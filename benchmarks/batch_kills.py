"""What is left of a batch that is killed again and again: nothing may be lost, doubled or done twice.

    python benchmarks/batch_kills.py [--kills 50] [--clips 60] [--jobs 2] [--seed 1]

A batch over many small clips is run once without disturbance. Then the same batch is started with --resume and, at a
random moment, the whole of it, one of its workers, or both in turn are killed with SIGKILL (now and then Ctrl-C), until
so many kills have been made; each time that a batch comes to its end it is compared with the undisturbed one, byte by
byte, and begun anew. After every kill it is checked that no worker lives on and that no finished clip was touched.
The pose model is replaced by tests/batch_stub.py, so that a clip takes a fraction of a second.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import batch_stub  # noqa: E402
from batch_watch import children, markers, tree  # noqa: E402

CHILD = "--child"
GONE_S = 10.0  # a worker must have noticed by then that its parent is gone


def run_child(arguments: list[str]) -> int:
    from formcheck.batch import job
    from formcheck.cli import main as cli

    job.ANALYZE = batch_stub.ANALYZE
    return cli(["batch", *arguments])


def command(clips: Path, out: Path, jobs: int) -> list[str]:
    options = ["--out", str(out), "--resume", "--jobs", str(jobs), "--time-limit", "20", "--quiet"]
    return [sys.executable, __file__, CHILD, str(clips), *options]


def make_clips(folder: Path, count: int, chance: random.Random) -> None:
    for n in range(count):
        batch_stub.write(folder / f"c{n:03}.mp4", reps=n % 5, faults=n % 3, sleep=round(chance.uniform(0.02, 0.2), 3))
    batch_stub.write(folder / "unreadable.mp4", error="damaged")
    batch_stub.write(folder / "again" / "c000.mp4", reps=9)


def alive(pid: int, started: str) -> bool:
    """Whether the process is still there, and not another one under its number; one that was gone when seen is not."""
    return started != "" and born(pid) == started


def born(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def disturb(process: subprocess.Popen[bytes], chance: random.Random) -> str:
    """Kill something of a running batch, and return what; empty when it had already ended."""
    kind = chance.choice(("batch", "batch", "worker", "worker then batch", "Ctrl-C"))
    workers = children(process.pid)
    if process.poll() is not None or ("worker" in kind and not workers):
        return ""
    if "worker" in kind:
        os.kill(chance.choice(workers), signal.SIGKILL)
        time.sleep(chance.uniform(0.0, 0.3))
    if kind == "Ctrl-C":
        process.send_signal(signal.SIGINT)
    elif kind != "worker":
        process.kill()
    return kind


def wait_gone(workers: dict[int, str]) -> None:
    end_s = time.monotonic() + GONE_S
    while any(alive(pid, started) for pid, started in workers.items()):
        if time.monotonic() > end_s:
            raise SystemExit("a worker lives on after its batch was killed")
        time.sleep(0.02)


def check_kept(before: dict[str, tuple[int, int]], out: Path) -> None:
    now = markers(out)
    lost = [name for name in before if name not in now]
    twice = [name for name, state in before.items() if name in now and now[name] != state]
    if lost or twice:
        raise SystemExit(f"lost: {lost}; done twice: {twice}")


def compare(out: Path, whole: Path, clips: int) -> None:
    one, other = tree(out), tree(whole)
    different = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    if different:
        raise SystemExit(f"not as without disturbance: {different[:5]}")
    with (out / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = Counter(row["clip"] for row in csv.DictReader(file))
    if len(rows) != clips or set(rows.values()) != {1}:
        raise SystemExit(f"{len(rows)} rows for {clips} clips, doubled: {[name for name, n in rows.items() if n > 1]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        clips, whole, out = Path(folder, "clips"), Path(folder, "whole"), Path(folder, "out")
        make_clips(clips, args.clips, chance)
        total = args.clips + 2
        started = time.monotonic()
        subprocess.run(command(clips, whole, args.jobs), cwd=ROOT, stderr=subprocess.DEVNULL, check=False)
        spent_s = time.monotonic() - started
        print(f"undisturbed: {len(markers(whole))} of {total} clips finished in {spent_s:.1f} s", flush=True)
        kinds: Counter[str] = Counter()
        ends = runs = 0
        while sum(kinds.values()) < args.kills or not ends:
            before = markers(out)
            process = subprocess.Popen(command(clips, out, args.jobs), cwd=ROOT, stderr=subprocess.DEVNULL)
            runs += 1
            workers: dict[int, str] = {}
            end_s = time.monotonic() + chance.uniform(0.1, 0.8 * spent_s)
            while time.monotonic() < end_s and process.poll() is None and sum(kinds.values()) < args.kills:
                workers |= {pid: born(pid) for pid in children(process.pid)}
                time.sleep(0.02)
            workers |= {pid: born(pid) for pid in children(process.pid)}
            kind = disturb(process, chance) if sum(kinds.values()) < args.kills else ""
            kinds[kind] += bool(kind)
            process.wait()
            wait_gone(workers)
            check_kept(before, out)
            if len(markers(out)) == total and (out / "summary.csv").exists() and kind in {"", "worker"}:
                if process.returncode != 2:  # a clip is unreadable
                    raise SystemExit(f"ended with {process.returncode}")
                compare(out, whole, total)
                ends += 1
                shutil.rmtree(out)
        killed = ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common() if kind)
        print(f"{sum(kinds.values())} kills in {runs} runs ({killed}); {ends} batches came to their end")
        print(f"every one of them byte by byte as without disturbance, {total} rows each; no finished clip done twice")
        print("no worker outlived its batch")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        sys.exit(run_child(sys.argv[2:]))
    sys.exit(main())
