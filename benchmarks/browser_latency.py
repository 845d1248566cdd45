"""From the camera to the overlay on the page, through the browser: latency, analysed frames a second, memory.

    python benchmarks/browser_latency.py [--minutes 5] [--sessions 1]

Headless Chromium films a rendered clip in which each picture carries its number, and opens the page Live as a person
would. The page notes when the camera shows each number, and reads two numbers off each picture that comes back: its
own, and that of the picture whose result is drawn over it, which the server of this benchmark writes into it. So
"picture" is the way there and back, and "overlay" the age of the skeleton that is seen: from camera to screen. Browser
and server share the machine's cores. More sessions than the computer follows at once are refused, as for a person.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import time_code

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

CLIP = ROOT / "sample_videos" / "03-romanian-deadlift-good.mp4"
WARM_UP_S = 10.0
GOAL_MS = 250
CAMERA = 'iframe[title*="streamlit_webrtc"]'
STATS = "FORMCHECK_LATENCY_STATS"
FLAGS = (
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)
WATCH = (
    f"""
const RIGHT = {time_code.RIGHT}, LEFT = {time_code.LEFT};
{time_code.SCRIPT}
"""
    + """
window.latency = { picture: [], overlay: [], unread: 0,
                   begin() { this.picture = []; this.overlay = []; this.unread = 0; } };
const shown = new Map(), own = new Set();
let last = null;
// When the camera showed a number. One that the preview left out lies between its neighbours.
function note(number, time) {
  if (last !== null && number > last.number + 1 && number < last.number + 30)
    for (let missed = last.number + 1; missed < number; missed++)
      shown.set(missed, last.time + (time - last.time) * (missed - last.number) / (number - last.number));
  shown.set(number, time);
  last = { number, time };
}
function each(video, see) {
  const next = (now, about) => { see(now, about); video.requestVideoFrameCallback(next); };
  video.requestVideoFrameCallback(next);
}
if (navigator.mediaDevices) {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    own.add(stream.id);
    const preview = document.createElement("video");
    preview.muted = true; preview.srcObject = stream; preview.play();
    window.latencyPreview = preview;
    each(preview, (now, about) => {
      const number = readCode(preview, RIGHT);
      if (number !== null) note(number, Math.min(now, about.captureTime ?? now));
    });
    return stream;
  };
}
setInterval(() => {
  for (const video of document.querySelectorAll("video")) {
    if (!video.srcObject || own.has(video.srcObject.id) || video.watched) continue;
    video.watched = true;
    each(video, (now) => {
      const number = readCode(video, RIGHT), drawn = readCode(video, LEFT);
      if (number === null || drawn === null) latency.unread++;
      if (shown.has(number)) latency.picture.push(now - shown.get(number));
      if (shown.has(drawn)) latency.overlay.push(now - shown.get(drawn));
    });
  }
}, 300);
"""
)


class Marks:
    """Writes the number of the picture whose result is drawn, and keeps count of the analysed ones; on the server."""

    def __init__(self, stats: Path) -> None:
        self._stats = stats
        self._numbers: dict[int, dict[float, int]] = {}  # connection -> time of a frame -> its number
        self._analysed: dict[int, list[tuple[float, int]]] = {}
        self._written_s = 0.0

    def wrap(self, draw: Any) -> Any:
        """`draw_live` with the marks."""

        def marked(image: np.ndarray, time_s: float, snapshot: Any, *, mirror: bool = False) -> np.ndarray:
            connection = threading.get_ident()  # each has a thread of its own
            numbers = self._numbers.setdefault(connection, {})
            if (number := time_code.read(image)) is not None:
                numbers[time_s] = number
            for old in [old for old in numbers if old < time_s - 5.0]:
                del numbers[old]
            out: np.ndarray = draw(image, time_s, snapshot, mirror=mirror)
            if (drawn := numbers.get(snapshot.frame_time_s)) is not None:
                time_code.write(out, drawn, time_code.LEFT)
            self._count(connection, snapshot.frames)
            return out

        return marked

    def _count(self, connection: int, frames: int) -> None:
        now_s = time.time()
        seconds = self._analysed.setdefault(connection, [])
        if not seconds or now_s - seconds[-1][0] >= 1.0:
            seconds.append((now_s, frames))
        if now_s - self._written_s >= 1.0:
            self._written_s = now_s
            self._stats.write_text(json.dumps(list(self._analysed.values())))


def serve(port: int) -> int:
    """The app's server, with marks in its pictures."""
    import loopback

    import formcheck.live
    from formcheck.cli import main

    formcheck.live.draw_live = Marks(Path(os.environ[STATS])).wrap(formcheck.live.draw_live)  # type: ignore[misc]
    loopback.aioice.ice.get_host_addresses = loopback.addresses
    return main(["ui", "--port", str(port)])


def memory_mb(process: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1e3
    raise SystemExit("browser_latency.py needs Linux: it reads memory from /proc")


def film(browser: Any, url: str) -> Any:
    """Open the page Live and begin a set; returns the page."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(WATCH)
    page.goto(f"{url}/live")
    start = page.frame_locator(CAMERA).get_by_role("button", name="Start", exact=True)
    start.wait_for()
    page.get_by_label("Exercise").first.click()
    page.get_by_role("option", name="Romanian deadlift", exact=True).click()
    page.get_by_text("Put the camera side-on").first.wait_for()
    for name in ("Coach me into place", "Mirror"):  # the marks are not read in a mirror
        page.get_by_text(name, exact=True).click()
        page.wait_for_function(f"() => !document.querySelector('input[aria-label=\"{name}\"]').checked")
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    start.click()
    camera = page.locator(CAMERA).element_handle().content_frame()
    camera.wait_for_function("() => latency.overlay.length > 20")
    return camera


def measure(args: argparse.Namespace, folder: Path) -> None:
    """Run the sessions and print what was measured."""
    from conftest import FLAGS as USUAL
    from conftest import App
    from fake_camera import camera_flags, write_camera
    from playwright.sync_api import sync_playwright

    class MarkedApp(App):
        def command(self) -> list[str]:
            return [sys.executable, str(Path(__file__).resolve()), "--serve", str(self.port)]

    stats = folder / "stats.json"
    os.environ[STATS] = str(stats)
    file = write_camera(CLIP, folder / "camera.mjpeg", mark=time_code.write)
    app = MarkedApp(folder)
    app.start()
    assert app.process is not None
    path = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=[*USUAL, *FLAGS, *camera_flags(file)])
            cameras = [film(browser, app.url) for _ in range(args.sessions)]
            cameras[0].wait_for_timeout(1000 * WARM_UP_S)
            for camera in cameras:
                camera.evaluate("latency.begin()")
            begun_s, memory = time.time(), []
            while time.time() - begun_s < 60 * args.minutes:
                cameras[0].wait_for_timeout(1000)  # keeps the browser's events moving
                memory.append(memory_mb(app.process.pid))
            seconds = time.time() - begun_s
            found = [camera.evaluate("({ ...latency, begin: undefined })") for camera in cameras]
            browser.close()
    finally:
        app.stop()
    tell(found, json.loads(stats.read_text()), begun_s, seconds, memory)


def tell(found: list[Any], analysed: list[Any], begun_s: float, seconds: float, memory: list[float]) -> None:
    """Print the figures."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} in the last minute")
    rates = []
    for counted in analysed:
        inside = [(at_s, frames) for at_s, frames in counted if begun_s <= at_s <= begun_s + seconds]
        rates.append((inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0]) if len(inside) > 1 else np.nan)
    for number, one in enumerate(found, start=1):
        print(f"session {number} of {len(found)}, {seconds:.0f} s, {len(one['picture']) / seconds:.1f} pictures/s back")
        for name in ("picture", "overlay"):
            ages = np.array(one[name] or [np.nan])
            p50, p95 = np.percentile(ages, [50, 95])
            goal = f" (goal {GOAL_MS})" if name == "overlay" else ""
            print(f"  {name}: p50 {p50:4.0f}, p95 {p95:4.0f}{goal}, most {ages.max():5.0f} ms, of {len(ages)} pictures")
        print(f"  not readable: {one['unread']} pictures")
    print("analysed frames/s of each session: " + ", ".join(f"{rate:.1f}" for rate in rates))
    tenth = max(1, len(memory) // 10)
    first, last = float(np.median(memory[:tenth])), float(np.median(memory[-tenth:]))
    change = 100 * (last / first - 1)
    print(
        f"server's memory: {first:.0f} MB at first, {last:.0f} MB at last ({change:+.1f} %), most {max(memory):.0f} MB"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0, help="default: 5, after ten seconds to warm up")
    parser.add_argument("--sessions", type=int, default=1, help="pages that film at the same time (default: 1)")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve)
    with tempfile.TemporaryDirectory() as folder:
        measure(args, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
