"""How soon the app's first page is there, from a cold start: `python benchmarks/app_start.py [--runs 3]`.

Each run starts `formcheck ui` in a new process with an empty home folder, and Chromium with an empty profile, and
measures until the server answers, until the first page shows its heading, and until it can be used (the upload).
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def wait_for_server(url: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)


def one_start(home: Path) -> tuple[float, float, float]:
    """Seconds from the command to the server's answer, to the heading, and to the upload."""
    port = free_port()
    url = f"http://localhost:{port}"
    path = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        begun_s = time.monotonic()
        env = {**os.environ, "HOME": str(home), "TMPDIR": str(home)}
        server = subprocess.Popen([sys.executable, "-m", "formcheck", "ui", "--port", str(port)], env=env, cwd=home)
        try:
            wait_for_server(url)
            answers_s = time.monotonic() - begun_s
            page.goto(url)
            page.get_by_role("heading", level=1).first.wait_for()
            heading_s = time.monotonic() - begun_s
            page.get_by_test_id("stFileUploaderDropzoneInput").wait_for(state="attached")
            return answers_s, heading_s, time.monotonic() - begun_s
        finally:
            browser.close()
            server.terminate()
            server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    times = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as home:
            times.append(one_start(Path(home)))
    for name, values in zip(("server answers", "heading shown", "upload ready"), zip(*times, strict=True), strict=True):
        each = ", ".join(f"{value:.2f}" for value in values)
        print(f"{name:15} {statistics.median(values):5.2f} s  (median of {each})")


if __name__ == "__main__":
    main()
