"""Analysed frames a second, age of what is drawn, and memory of live sessions.

    python benchmarks/live_latency.py [--minutes 5] [--sessions 1 2] [--exercise romanian-deadlift] [--clip CLIP]

A clip, scaled to 640 x 480 and played again and again at 30 frames a second, stands in for the camera. Each session is
a `LiveSession` as the web page uses it, and a thread that does what the page's does with each frame: offer it, and draw
what is known over it. The age of a drawn result is the time from when its frame came to when it is on the picture.
What the browser adds (encoding, decoding and the way there and back) is not in it. Memory is the process's own.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FPS = 30.0
SIZE = (640, 480)
WARM_UP_S = 10.0


def load(clip: Path) -> list[np.ndarray]:
    """The clip's pictures at the camera's rate, in the middle of the camera's picture."""
    import cv2

    from formcheck.adapters.video import ClipReader

    pictures = []
    with ClipReader(clip) as reader:
        for frame in reader:
            while len(pictures) / FPS <= frame.time_s:
                height, width = frame.image.shape[:2]
                rows = round(SIZE[0] * height / width)
                small = cv2.resize(frame.image, (SIZE[0], rows), interpolation=cv2.INTER_AREA)
                picture = np.full((SIZE[1], SIZE[0], 3), 120, dtype=np.uint8)
                top = (SIZE[1] - rows) // 2
                picture[top : top + rows] = small
                pictures.append(picture)
    return pictures


@dataclass
class Film:
    """One camera with its session, and what was measured."""

    exercise: str
    pictures: list[np.ndarray]
    seconds: float
    ages_s: list[float] = field(default_factory=list)
    analysed: int = 0
    reps: int = 0
    error: str = ""

    def run(self) -> None:
        from formcheck.exercises import EXERCISES
        from formcheck.live import LiveSession, Places, Plan, draw_live, open_search
        from formcheck.types import Frame

        came: dict[float, float] = {}
        plan = Plan(EXERCISES[self.exercise], setup=False)
        with LiveSession(plan, places=Places(1), open_search=open_search) as session:
            session.wait_until_ready()
            start_s, number, before = time.monotonic(), 0, 0
            while (now_s := time.monotonic() - start_s) < WARM_UP_S + self.seconds:
                wait_s = number / FPS - now_s
                if wait_s > 0:
                    time.sleep(wait_s)
                number = max(number, int(now_s * FPS))  # a camera does not wait for a busy computer
                time_s = number / FPS
                image = self.pictures[number % len(self.pictures)]
                came[time_s] = time.monotonic()
                session.offer(Frame(number, time_s, image))
                snapshot = session.snapshot()
                draw_live(image, time_s, snapshot, mirror=True)
                if now_s < WARM_UP_S:
                    before = snapshot.frames
                elif snapshot.frame_time_s in came:
                    self.ages_s.append(time.monotonic() - came[snapshot.frame_time_s])
                for old in [old for old in came if old < time_s - 10.0]:
                    del came[old]
                number += 1
            last = session.snapshot()
            self.analysed, self.error = last.frames - before, last.error
            self.reps = last.update.rep_count if last.update else 0


def memory_mb() -> float:
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1e3
    raise SystemExit("live_latency.py needs Linux: it reads memory from /proc")


def measure(sessions: int, args: argparse.Namespace, pictures: list[np.ndarray]) -> None:
    films = [Film(args.exercise, pictures, 60.0 * args.minutes) for _ in range(sessions)]
    threads = [threading.Thread(target=film.run) for film in films]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP_S)
    memory = []
    while any(thread.is_alive() for thread in threads):
        memory.append(memory_mb())
        time.sleep(1.0)
    for number, film in enumerate(films, start=1):
        ages = 1e3 * np.array(film.ages_s or [np.nan])
        print(
            f"session {number} of {sessions}: {film.analysed / film.seconds:5.1f} analysed frames/s; age of what is "
            f"drawn p50 {np.median(ages):4.0f}, p95 {np.percentile(ages, 95):4.0f}, most {ages.max():4.0f} ms; "
            f"{film.reps} repetitions{f'; ENDED: {film.error}' if film.error else ''}"
        )
    tenth = max(1, len(memory) // 10)
    first, last = float(np.median(memory[:tenth])), float(np.median(memory[-tenth:]))
    change = 100 * (last / first - 1)
    print(f"memory: {first:.0f} MB at first, {last:.0f} MB at last ({change:+.1f} %), most {max(memory):.0f} MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, default=ROOT / "sample_videos" / "03-romanian-deadlift-good.mp4")
    parser.add_argument("--exercise", default="romanian-deadlift", help="default: romanian-deadlift")
    parser.add_argument("--minutes", type=float, default=5.0, help="default: 5")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 2], help="default: 1, then 2 at once")
    args = parser.parse_args()
    from formcheck.adapters.process import prepare_process

    prepare_process()
    pictures = load(args.clip)
    print(f"{args.clip.name} at {SIZE[0]} x {SIZE[1]}, {FPS:.0f} frames/s, {args.minutes:g} min")
    for sessions in args.sessions:
        measure(sessions, args, pictures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
