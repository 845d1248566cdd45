"""Live in a real browser, with a rendered clip as its camera: coach, count, cue, voice, report, and again."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, App
from fake_camera import camera_flags, write_camera
from playwright.sync_api import TimeoutError

from formcheck.coach.setup import GO

CLIP = ROOT / "sample_videos" / "04-romanian-deadlift-rounded-lower-back.mp4"
CUE = "Hips back, chest long."
CAMERA = 'iframe[title*="streamlit_webrtc"]'
WAIT_MS = 180_000  # as much for what needs pictures: a busy machine analyses one or two a second
GYM = "gym.test"  # a name of this machine that browsers do not trust with a camera
QUIET_S = 20.0  # the camera begins with Start: time for the model to load, the coach, and the countdown
REST = (4.6, 4.0)  # between the repetitions, when and how long: what is counted and said of the first has its own time
HEARD_MS = 500.0  # what was shown for so long was also said: its tone takes 220 ms, and nothing urgent came to stop it
PANEL = """() => {
  const roots = [...document.querySelectorAll('*')].map((item) => item.shadowRoot).filter(Boolean);
  const panel = roots.map((root) => root.querySelector('.panel')).find(Boolean);
  if (!panel) return null;
  const text = (name) => {
    const item = panel.querySelector('.' + name);
    return item && !item.hidden ? item.textContent.trim() : '';
  };
  return { stage: panel.dataset.stage, title: text('title'), number: text('number'), words: text('words'),
           cue: text('cue'), trouble: text('trouble') };
}"""
RUNNING = "p.stage === 'setup' || p.stage === 'set'"
# Headless Chromium has no voices: what it is given to say is written down.
# And what the panel showed, with the time: a busy machine may skip what another soon takes the place of.
LISTEN = f"""
window.said = [];
if (window.speechSynthesis) window.speechSynthesis.speak = (words) => window.said.push(words.text);
window.shown = [];
setInterval(() => {{
  const panel = ({PANEL})();
  if (panel) window.shown.push({{ ...panel, at: performance.now() }});
}}, 50);
"""


TROUBLE = {
    "NotAllowedError": "The browser may not use the camera. Allow it (the camera symbol beside the page's address), "
    "then press Start again.",
    "NotFoundError": "No camera was found. Connect one, then press Start again.",
    "NotReadableError": "The camera does not answer. Another program or tab may be using it: close that one, then "
    "press Start again.",
    "OverconstrainedError": "This camera cannot be used. Choose another one below the picture, then press Start again.",
}
TROUBLE["AbortError"] = TROUBLE["NotReadableError"]
# What browsers do when another program has the camera: the promise is refused under one of a few names.
REFUSE = """
if (navigator.mediaDevices) {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  let refused = true;
  window.formcheckGiveBack = () => { refused = false; };
  navigator.mediaDevices.getUserMedia = (wanted) =>
    refused ? Promise.reject(new DOMException("Could not start video source", "%s")) : ask(wanted);
}
"""


# What becomes of the connection, as the browser sees it.
STATES = """
window.states = [];
if (window.RTCPeerConnection) {
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...given) {
      super(...given);
      super.addEventListener("connectionstatechange", () => window.states.push(this.connectionState));
    }
  };
}
"""


class NamedApp(App):
    """The app under another name of this machine."""

    @property
    def url(self) -> str:
        return f"http://{GYM}:{self.port}"


class LoopbackApp(App):
    """The app through the tests' own entry, which keeps the camera's connection on the loopback."""

    def command(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("loopback.py")), *super().command()[3:]]

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STREAMLIT_SERVER_ALLOWED_HOSTS", f"localhost {GYM}")
            super().start()


@pytest.fixture(scope="module")
def live_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    server = LoopbackApp(tmp_path_factory.mktemp("live"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def camera(launch: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Chromium whose camera is a set with a fault in the first repetition of two, with long rests around it."""
    file = write_camera(
        CLIP, tmp_path_factory.mktemp("camera") / "set.mjpeg", still_s=QUIET_S, rest=REST, after_s=QUIET_S
    )
    return launch(*camera_flags(file))


def open_live(page: Any) -> None:
    page.add_init_script(LISTEN)
    page.goto("/live")
    page.get_by_role("heading", level=1, name="Live").wait_for()
    page.frame_locator(CAMERA).get_by_role("button", name="Start").wait_for()


def press(page: Any, name: str) -> None:
    page.frame_locator(CAMERA).get_by_role("button", name=name, exact=True).click()


def stop(page: Any) -> None:
    """End the set, and wait until it is judged, which is the end of the page's run: its place is free then."""
    press(page, "Stop")
    wait_for(page, "p.stage === 'idle'")
    page.locator('[data-test-script-state="notRunning"]').wait_for()


def wait_for(page: Any, condition: str, timeout_ms: int = WAIT_MS) -> Any:
    """Wait until an expression over the panel ``p`` is true; returns the panel as it was then."""
    try:
        seen = page.wait_for_function(
            f"() => {{ const p = ({PANEL})(); return p && ({condition}) ? p : null; }}", timeout=timeout_ms
        )
    except TimeoutError as error:
        shown, said = page.evaluate(PANEL), page.evaluate("window.said")
        raise AssertionError(f"never came: {condition}; shown: {shown}; said: {said}") from error
    return seen.json_value()


def shown_for_ms(page: Any, condition: str) -> float:
    """How long the panel ``p`` showed something, by the looks that were taken at it; 0 when it never did."""
    looks = page.evaluate(f"() => window.shown.filter((p) => {condition}).map((p) => p.at)")
    return float(looks[-1] - looks[0]) if looks else 0.0


def wait_for_skeleton(page: Any) -> None:
    """Wait until the live picture has the skeleton drawn in."""
    until = time.monotonic() + WAIT_MS / 1000
    while drawn_pixels(page) <= 200:
        assert time.monotonic() < until, "no skeleton was drawn into the live picture"
        page.wait_for_timeout(200)


def drawn_pixels(page: Any) -> int:
    """Pixels of the live picture that have the skeleton's sky blue, which the rendered room has not."""
    count: int = (
        page.frame_locator(CAMERA)
        .locator("video")
        .evaluate("""(video) => {
      const canvas = document.createElement('canvas');
      canvas.width = video.videoWidth; canvas.height = video.videoHeight;
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4)
        count += Math.abs(data[i] - 86) < 40 && Math.abs(data[i + 1] - 180) < 40 && Math.abs(data[i + 2] - 233) < 40;
      return count;
    }""")
    )
    return count


def test_a_set_from_start_to_report(new_page: Any, live_app: App, camera: Any, choose: Any) -> None:
    page = new_page(app=live_app, browser=camera)
    open_live(page)
    choose(page, "Exercise", "Romanian deadlift")
    page.get_by_text("Put the camera side-on").first.wait_for()
    press(page, "Start")
    wait_for(page, "p.stage === 'set'")
    wait_for_skeleton(page)
    assert wait_for(page, "p.cue")["cue"].endswith(CUE)
    wait_for(page, "Number(p.number) >= 2")
    page.wait_for_function(f"() => window.said.slice(window.said.indexOf('{GO}')).includes('2')")
    said = page.evaluate("window.said")
    before, after = said[: said.index(GO)], [words for words in said[said.index(GO) :] if words in ("1", "2", CUE)]
    # A slow computer sees too little of the first repetitions to judge them, and says it after a later one.
    late = [words for words in said[said.index(GO) :] if words == CUE or words.isdigit()][:4] == ["1", "2", "3", CUE]
    still_ms = shown_for_ms(page, "p.stage === 'setup' && p.words.includes('Hold still')")
    counted_ms = shown_for_ms(page, "p.stage === 'set' && p.number === '1' && !p.cue")
    assert before[0].startswith("Good. Hold still") or still_ms < HEARD_MS, said
    assert after == ["1", CUE, "2"] or (after == [CUE, "2"] and counted_ms < HEARD_MS) or late, said
    press(page, "Stop")
    page.get_by_text("rounded", exact=False).first.wait_for()
    assert page.get_by_test_id("stException").count() == 0

    # Again, at once: another set in the same page.
    press(page, "Start")
    page.get_by_role("button", name="Start the set now").click()
    assert wait_for(page, "p.stage === 'set'")["number"] == "0"
    stop(page)


def test_two_tabs_and_no_third(new_page: Any, live_app: App, camera: Any) -> None:
    pages = [new_page(app=live_app, browser=camera) for _ in range(2)]
    for page in pages:
        open_live(page)
        press(page, "Start")
    for page in pages:
        wait_for(page, RUNNING)
    third = new_page(app=live_app, browser=camera)
    open_live(third)
    third.get_by_text("live sessions are running").first.wait_for()
    stop(pages[0])
    press(third, "Start")
    wait_for(third, RUNNING)
    for page in (pages[1], third):
        stop(page)


def test_a_computer_that_is_busy_for_some_seconds_does_not_end_the_set(
    new_page: Any, live_app: App, camera: Any
) -> None:
    page = new_page(app=live_app, browser=camera)
    page.add_init_script(STATES)
    open_live(page)
    press(page, "Start")
    page.get_by_role("button", name="Start the set now").click()
    wait_for(page, "p.stage === 'set'")
    frame = page.locator(CAMERA).element_handle().content_frame()
    live_app.process.send_signal(signal.SIGSTOP)
    try:
        frame.wait_for_function("() => window.states.at(-1) === 'disconnected'")
    finally:
        live_app.process.send_signal(signal.SIGCONT)
    frame.wait_for_function("() => window.states.at(-1) === 'connected'")
    page.wait_for_timeout(1000)  # more than the frame takes to end a connection
    assert wait_for(page, "p")["stage"] == "set"
    stop(page)


def test_a_camera_that_is_refused(new_page: Any, live_app: App, launch: Any) -> None:
    page = new_page(app=live_app, browser=launch("--use-fake-device-for-media-stream", "--deny-permission-prompts"))
    open_live(page)
    press(page, "Start")
    assert wait_for(page, "p.trouble")["trouble"] == TROUBLE["NotAllowedError"]


def test_no_camera_at_all(new_page: Any, live_app: App, browser: Any) -> None:
    page = new_page(app=live_app, browser=browser, permissions=["camera"])
    open_live(page)
    assert wait_for(page, "p.trouble")["trouble"] == TROUBLE["NotFoundError"]
    press(page, "Start")
    page.wait_for_timeout(1000)
    assert wait_for(page, "p.trouble")["trouble"] == TROUBLE["NotFoundError"]


@pytest.mark.parametrize("name", ["NotReadableError", "AbortError", "OverconstrainedError"])
def test_a_camera_that_another_program_has_or_that_does_not_fit(
    new_page: Any, live_app: App, camera: Any, name: str
) -> None:
    page = new_page(app=live_app, browser=camera)
    page.add_init_script(REFUSE % name)
    open_live(page)
    assert wait_for(page, "p.stage === 'idle'")["trouble"] == ""
    press(page, "Start")
    assert wait_for(page, "p.trouble")["trouble"] == TROUBLE[name]
    if name != "OverconstrainedError":  # which the frame needs to know by its name
        page.frame_locator(CAMERA).get_by_text("Camera: no picture.").wait_for()
    # The other program has been closed.
    page.frame_locator(CAMERA).locator("body").evaluate("() => window.formcheckGiveBack()")
    press(page, "Start")
    assert wait_for(page, RUNNING)["trouble"] == ""
    stop(page)


def test_a_page_that_browsers_do_not_trust_with_a_camera(new_page: Any, live_app: App, launch: Any) -> None:
    elsewhere = NamedApp(live_app.home, live_app.port)
    page = new_page(app=elsewhere, browser=launch(f"--host-resolver-rules=MAP {GYM} 127.0.0.1"))
    page.add_init_script(LISTEN)
    page.goto("/live")
    assert "http://localhost" in wait_for(page, "p.trouble")["trouble"]


def test_the_voice_can_be_switched_off_and_stays_so(new_page: Any, live_app: App, browser: Any) -> None:
    page = new_page(app=live_app, browser=browser, permissions=["camera"])
    open_live(page)
    page.get_by_text("Voice and sounds").click()
    page.get_by_role("button", name="Try it").click()
    page.wait_for_function("() => window.said.length === 1")
    page.get_by_label("Say counts and cues aloud").uncheck()
    page.get_by_role("button", name="Try it").click()
    page.reload()
    page.get_by_text("Voice and sounds").click()
    assert not page.get_by_label("Say counts and cues aloud").is_checked()
    assert page.evaluate("window.said.length") == 0
