"""How long `formcheck explain locked-knees` takes from start to end, and which heavy modules it imports.

    python benchmarks/startup.py [--runs N]

The interpreter alone is measured in turn with it, because it is part of the time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("PIL", "av", "cv2", "matplotlib", "mediapipe", "numpy", "rich", "scipy")
COMMANDS = {
    "formcheck explain locked-knees": ["-m", "formcheck", "explain", "locked-knees"],
    "import numpy": ["-c", "import numpy"],
    "python alone": ["-c", "pass"],
}
WHAT_IS_LOADED = (
    "import sys; from formcheck.cli import main; main(['explain', 'locked-knees']);"
    f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
)


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="default: 10")
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        run(arguments)  # fills the disk cache and __pycache__
    for _ in range(runs):
        for name, arguments in COMMANDS.items():
            started = time.perf_counter()
            run(arguments)
            times[name].append(time.perf_counter() - started)
    for name, seconds in times.items():
        low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
        print(f"{name:<32} min {low:.3f} s  median {middle:.3f} s  max {high:.3f} s")
    print(f"heavy modules imported: {run(['-c', WHAT_IS_LOADED]).stderr.strip() or 'none'}")
    print(f"{runs} runs, {os.cpu_count()} cores, load average at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
