"""The HTML report opened from disk in a real browser: it obeys its own policy, fits a phone, and prints."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import filmed
import pytest
from PIL import Image

from formcheck.reports.html import html_report
from formcheck.reports.moments import Still, moments
from formcheck.reports.plots import DARK, LIGHT
from formcheck.types import Analysis

NAME = "romanian-deadlift: rounded, head dropped"
PHONE, DESK = {"width": 375, "height": 667}, {"width": 1280, "height": 900}


def long_set(analysis: Analysis) -> Analysis:
    """The same with its repetitions several times over: a table wider than a phone."""
    report, more = analysis.report, 4
    reps, outcomes = list(report.reps), list(report.outcomes)
    for turn in range(1, more):
        offset = turn * len(report.reps)
        reps += [replace(rep, number=rep.number + offset) for rep in report.reps]
        outcomes += [replace(item, rep=item.rep + offset) for item in report.outcomes if item.rep is not None]
    return replace(analysis, report=replace(report, reps=tuple(reps), outcomes=tuple(outcomes)))


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    analysis = long_set(filmed.analysis(NAME))
    buffer = io.BytesIO()
    Image.new("RGB", (900, 600), "grey").save(buffer, "JPEG")
    stills = [Still(moment, moment.time_s, buffer.getvalue(), 900, 600) for moment in moments(analysis.report)]
    path = tmp_path_factory.mktemp("report") / "squat.report.html"
    path.write_text(html_report(analysis, stills), encoding="utf-8")
    return path


class Opened:
    """A page with what it asked for and what the browser complained of."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.goto(path.as_uri())


@pytest.fixture(params=[("light", PHONE), ("dark", PHONE), ("light", DESK), ("dark", DESK)], ids=str)
def opened(request: pytest.FixtureRequest, browser: Any, report_file: Path) -> Iterator[Opened]:
    scheme, viewport = request.param
    opened = Opened(browser, report_file, color_scheme=scheme, viewport=viewport)
    opened.scheme, opened.wide = scheme, viewport is DESK
    yield opened
    opened.context.close()


def test_it_asks_for_nothing_and_breaks_no_rule_of_its_own(opened: Any) -> None:
    elsewhere = [url for url in opened.requests if not url.startswith(("file://", "data:"))]
    assert elsewhere == []
    assert opened.complaints == []


def test_pictures_are_shown_and_nothing_sticks_out(opened: Any) -> None:
    page = opened.page
    loaded = page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert loaded
    width = opened.page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.evaluate(
        "[...document.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().width).length"
    )
    assert shown == 1
    drawn = page.locator("svg:visible").bounding_box()["width"]
    assert (drawn > 500) == opened.wide


def test_plots_take_the_colours_of_the_screen(opened: Any) -> None:
    colour = opened.page.evaluate(
        "name => getComputedStyle(document.querySelector(`.plot svg [fill='${name}']`)).fill", LIGHT.fault
    )
    wanted = (DARK if opened.scheme == "dark" else LIGHT).fault
    assert colour == "rgb({}, {}, {})".format(*(int(wanted[place : place + 2], 16) for place in (1, 3, 5)))


def test_text_stands_out_from_its_background(opened: Any) -> None:
    contrast = opened.page.evaluate(CONTRAST)
    assert contrast
    assert [f"{text}: {ratio:.1f}" for text, ratio in contrast if ratio < 4.5] == []


def test_it_can_be_used_by_keyboard(browser: Any, report_file: Path) -> None:
    opened = Opened(browser, report_file, viewport=PHONE)
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    summary = opened.page.locator("summary").first
    summary.focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("details").first.get_attribute("open") is not None
    opened.context.close()


def test_it_prints(browser: Any, report_file: Path) -> None:
    opened = Opened(browser, report_file, color_scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    line = "name => getComputedStyle(document.querySelector(`.plot svg [stroke='${name}']`)).stroke"
    assert opened.page.evaluate(line, LIGHT.line) == "rgb(0, 114, 178)"
    assert opened.page.pdf(format="A4").startswith(b"%PDF")
    opened.context.close()


# WCAG's contrast of every text against the nearest background that is not transparent.
CONTRAST = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).map(value => value / 255)
      .map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('h1, h2, h3, p, dt, dd, li, th, td, caption, figcaption, summary, .symbol')]
    .filter(element => element.textContent.trim())
    .map(element => {
      const [high, low] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
      return [element.textContent.trim().slice(0, 30), (high + 0.05) / (low + 0.05)];
    });
}"""
