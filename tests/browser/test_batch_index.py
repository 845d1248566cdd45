"""The page of a batch opened from disk in a real browser: sorting, filtering, opening a clip, on a desk and a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_reports import make_outcome, make_report

from formcheck.batch.clips import Clip
from formcheck.batch.index import index_html
from formcheck.batch.summary import ClipRow
from formcheck.types import Status

PHONE, DESK = {"width": 375, "height": 667}, {"width": 1280, "height": 900}


def row(name: str, status: Status, count: int, label: str = "") -> ClipRow:
    outcomes = tuple(make_outcome(rep=n + 1, status=status) for n in range(count))
    clip = Clip(f"/lab/{name}", label=label)
    return ClipRow(clip, make_report(clip.address, outcomes, warnings=()), "", (f"{clip.stem}.report.json",))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        row("a10.mp4", Status.FAULT, 1, "monday"),
        row("a9.mp4", Status.FAULT, 3, "tuesday"),
        row("b.mp4", Status.OK, 2),
        row("<img src=x onerror=document.title='caught'>.mp4", Status.NOT_JUDGED, 2),
        ClipRow(Clip("/lab/" + "very-long-name-" * 12 + ".mp4"), None, "/lab/bad.mp4: not a video", ()),
    ]
    path = tmp_path_factory.mktemp("batch") / "index.html"
    path.write_text(index_html(rows), encoding="utf-8")
    return path


@pytest.fixture(params=["light", "dark"])
def opened(request: pytest.FixtureRequest, browser: Any, file: Path) -> Iterator[Any]:
    context = browser.new_context(color_scheme=request.param, viewport=DESK)
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert complaints == []


def shown(page: Any) -> list[str]:
    return [name for name in page.locator("tbody:visible .open").all_inner_texts() if len(name) < 10]


@pytest.mark.browser
class TestPage:
    def test_sorting_by_name_counts_numbers_as_numbers(self, opened: Any) -> None:
        opened.get_by_role("button", name="Clip", exact=True).click()
        assert shown(opened) == ["a9.mp4", "a10.mp4", "b.mp4"]
        opened.get_by_role("button", name="Clip", exact=True).click()
        assert shown(opened) == ["b.mp4", "a10.mp4", "a9.mp4"]

    def test_sorting_by_a_number_begins_with_the_most(self, opened: Any) -> None:
        head = opened.locator("th", has_text="Faults")
        head.click()
        assert shown(opened)[:2] == ["a9.mp4", "a10.mp4"]
        assert head.get_attribute("aria-sort") == "descending"

    def test_tiles_rules_labels_and_words_filter_and_a_reload_keeps_it(self, opened: Any) -> None:
        opened.locator(".tile", has_text="Fault").click()
        assert shown(opened) == ["a10.mp4", "a9.mp4"]
        opened.get_by_label("Label", exact=True).select_option("tuesday")
        assert shown(opened) == ["a9.mp4"]
        opened.reload()
        assert shown(opened) == ["a9.mp4"]
        assert "1 of 5 shown" in opened.inner_text("main")
        opened.get_by_role("button", name="Show all").click()
        opened.locator(".rule", has_text="locked-knees").click()
        assert shown(opened) == ["a10.mp4", "a9.mp4"]
        opened.get_by_role("button", name="Show all").click()
        opened.get_by_role("searchbox").fill("LAB B.mp4")
        assert shown(opened) == ["b.mp4"]
        opened.get_by_role("searchbox").fill("nowhere")
        assert "No clip fits." in opened.inner_text("main")

    def test_a_clip_opens_with_the_keyboard_and_shows_what_to_do(self, opened: Any) -> None:
        assert not opened.get_by_text("Soften your knees a little.").first.is_visible()
        button = opened.get_by_role("button", name="a9.mp4")
        button.focus()
        opened.keyboard.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"
        assert opened.get_by_text("Soften your knees a little.").nth(1).is_visible()
        assert opened.get_by_text("reps 1\N{EN DASH}3").is_visible()
        link = opened.locator("tbody:has(.open[aria-expanded=true]) a")
        assert link.get_attribute("href") == f"clips/{Clip('/lab/a9.mp4').name}/a9.report.json"

    def test_a_name_from_outside_stays_text(self, opened: Any) -> None:
        assert opened.title() == "formcheck: 5 clips"

    @pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
    def test_it_fits_the_screen(self, opened: Any, size: dict[str, int]) -> None:
        opened.set_viewport_size(size)
        for button in opened.locator(".open").all():
            button.click()
        assert opened.evaluate("document.documentElement.scrollWidth") <= size["width"]
