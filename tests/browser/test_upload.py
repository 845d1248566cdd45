"""Checking a video, from the upload to the downloads, with the real pose model on a sample clip."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import WAIT_MS

from formcheck.reports.json import SCHEMA

SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_videos"
CLIP = SAMPLES / "02-prone-leg-curl-missing-plantarflexion.mp4"
ANALYSIS_MS = 240_000  # about 10 s of work; a machine that does other things too may take far longer
STATE = "video => ({at: video.currentTime, end: video.duration, ended: video.ended, error: video.error})"
PLAYER = "video[data-testid='stVideo']"

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def checked(app: Any, browser: Any, watched_pages: Any) -> Iterator[Any]:
    """A page in which a clip was uploaded and checked: one analysis for all tests of this module."""
    pages = watched_pages(app, browser)
    try:
        page = pages(accept_downloads=True)
        page.goto("/")
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
            {"name": "my <b>set</b> 1.mp4", "mimeType": "video/mp4", "buffer": CLIP.read_bytes()}
        )
        page.get_by_role("button", name="Stop checking").wait_for()
        page.locator(PLAYER).wait_for(timeout=ANALYSIS_MS)
        yield page
    finally:
        wrong = pages.close()
    assert wrong == []


def video(page: Any, state: str = STATE) -> Any:
    return page.locator(PLAYER).evaluate(state)


def wait_for_video(page: Any, condition: str) -> None:
    page.wait_for_function(f"() => {{ const video = document.querySelector(`{PLAYER}`); return {condition}; }}")


def line_of(plots: Any) -> float:
    """Where the plots' line stands in the page, in pixels from the left."""
    box = plots.locator(".head").bounding_box()
    return float(box["x"] + box["width"] / 2)


def test_the_findings_come_in_plain_words(checked: Any) -> None:
    heading = checked.get_by_role("heading", level=3).first.inner_text()
    assert "toes not pointed" in heading
    checked.get_by_text("2 repetitions seen.").wait_for()
    checked.get_by_text("Point your toes a little.").first.wait_for()
    assert checked.get_by_text("b>set</b> 1.mp4").count() == 0  # the name is shown without its folders ...
    assert checked.locator("b", has_text="set").count() == 0  # ... and is no markup


def test_the_captions_are_shown(checked: Any) -> None:
    wait_for_video(checked, "video.textTracks.length === 1 && video.textTracks[0].cues?.length >= 1")
    cues = video(checked, "video => [...video.textTracks[0].cues].map(cue => cue.text.split(/\\s+/).join(' '))")
    assert all("The toes were not pointed" in text and "Point your toes" in text for text in cues)
    assert video(checked, "video => video.textTracks[0].mode") == "showing"


def test_a_button_jumps_to_the_fault_and_back_again(checked: Any) -> None:
    second = checked.get_by_role("button", name="Repetition 2:").first
    moment_s = float(second.inner_text().split(":")[1].split()[0])
    for _ in range(2):  # the second time to the same moment
        second.click()
        wait_for_video(checked, f"Math.abs(video.currentTime - {moment_s}) < 0.2 && video.paused && !video.seeking")
        checked.locator(PLAYER).evaluate("video => { video.currentTime = 0; }")
        wait_for_video(checked, "video.currentTime < 0.1")


def test_a_click_into_the_plots_jumps_and_the_line_follows(checked: Any) -> None:
    plots = checked.locator(".plots")
    plots.scroll_into_view_if_needed()
    box = plots.bounding_box()
    plots.click(position={"x": box["width"] * 0.6, "y": box["height"] * 0.5})
    wait_for_video(checked, "video.currentTime > 1 && !video.seeking")
    state = video(checked)
    until = time.monotonic() + WAIT_MS / 1000
    while line_of(plots) != pytest.approx(box["x"] + box["width"] * 0.6, abs=6):
        assert time.monotonic() < until, f"the line stays at {line_of(plots)}; the plots: {box}"
        checked.wait_for_timeout(50)
    assert 0.4 * state["end"] < state["at"] < 0.75 * state["end"]


def test_downloads_hold_what_they_say(checked: Any, tmp_path: Path) -> None:
    found = {}
    for label, ending in (
        ("Report (HTML)", "report.html"),
        ("Report (JSON)", "report.json"),
        ("Angles (CSV)", "angles.csv"),
        ("Video (MP4)", "overlay.mp4"),
    ):
        with checked.expect_download() as waiting:
            checked.get_by_role("button", name=label).click()
        assert waiting.value.suggested_filename == f"b-1.{ending}"
        waiting.value.save_as(tmp_path / ending)
        found[ending] = (tmp_path / ending).read_bytes()
    report = json.loads(found["report.json"])
    assert report["schema"] == SCHEMA
    assert {outcome["rule"] for outcome in report["outcomes"] if outcome["status"] != "ok"} == {
        "missing-plantarflexion"
    }
    assert found["angles.csv"].startswith(b"time_s,")
    assert b"<!doctype html>" in found["report.html"][:100].lower()
    assert found["overlay.mp4"][4:8] == b"ftyp"


def test_judging_as_another_exercise_takes_the_poses_that_are_there(checked: Any, app: Any, choose: Any) -> None:
    (reading,) = app.temporary.rglob("reading.pickle")
    before = reading.stat().st_mtime_ns
    checked.get_by_text("Not this exercise, or done with this clip?").click()
    choose(checked, "Exercise in this clip", "Glute-ham raise")
    checked.get_by_role("button", name="Judge it as this").click()
    checked.get_by_text("Glute-ham raise · left side to the camera").wait_for(timeout=ANALYSIS_MS)
    assert reading.stat().st_mtime_ns == before


def test_the_video_plays_to_its_end(checked: Any) -> None:
    checked.locator(PLAYER).wait_for(timeout=ANALYSIS_MS)
    checked.locator(PLAYER).evaluate(
        "video => { video.muted = true; video.currentTime = 0; video.playbackRate = 4; video.play(); }"
    )
    wait_for_video(checked, "video.ended")
    state = video(checked)
    assert state["error"] is None
    assert state["at"] == pytest.approx(7.3, abs=0.2)
    assert state["end"] == pytest.approx(state["at"], abs=0.05)


def test_a_file_that_is_no_video_is_refused_with_the_reason(page: Any) -> None:
    page.goto("/")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "holiday.mp4", "mimeType": "video/mp4", "buffer": b"this is not a video at all" * 100}
    )
    page.get_by_text("not a video, or damaged at its start").wait_for(timeout=ANALYSIS_MS)
    page.get_by_text("film again").wait_for()


def test_an_analysis_can_be_stopped(page: Any) -> None:
    page.goto("/")
    page.get_by_role("button", name="Kettlebell swing: done well").click()
    page.get_by_role("button", name="Stop checking").click()
    page.get_by_text("stopped.").wait_for()
    page.get_by_role("button", name="Remove this clip").click()
    page.get_by_role("button", name="Kettlebell swing: done well").wait_for()
