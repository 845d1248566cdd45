"""The angles of a clip over time as a chart: small multiples with repetitions, limits, errors and findings.

The same chart serves the app (as Vega-Lite) and the HTML report (as SVG, made here without a browser or network).
A finding is marked in colour and in shape; colours are from the palette of Okabe and Ito (2008, "Color Universal
Design"), which people with any common form of colour blindness can tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from formcheck.exercises import EXERCISES
from formcheck.reports.panels import LimitLine, Panel, panels
from formcheck.rules.base import Direction
from formcheck.types import Analysis, Kind, Rep, Status

MAX_POINTS = 2000  # of each angle; a chart 1,000 pixels wide shows no more
PANEL_HEIGHT = 120
STRIP_HEIGHT = 16
LABEL_PX = 11
WIDE_PX = 480  # a chart narrower than this has no room for long words
BEYOND = 0.06  # share of an angle's range that is left free above and below it
MARK_SHAPES = {Status.FAULT: "triangle-up", Status.CAUTION: "diamond"}  # as in the overlay
KEY_WIDE = (
    "▲ fault  ·  ◆ caution  ·  grey: repetitions  ·  dashed: limits  ·  pale band: measurement error (one sigma)",
)
KEY_NARROW = ("▲ fault  ·  ◆ caution  ·  grey: repetitions", "dashed: limits  ·  pale band: measurement error")
NUMBER_GAP = 0.5  # between the numbers of two repetitions, in font sizes
LEAST_BAND_PX = 4.0  # of a repetition with its pause
CHARACTER_SHARE = 0.55  # of the font size: about how wide a letter is


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a chart, each used for one thing only, so that a style sheet can exchange them by value."""

    ink: str
    quiet: str
    grid: str
    rep: str
    line: str
    band: str
    limit: str
    fault: str
    caution: str
    edge: str


LIGHT = Palette(
    ink="#1b2026",
    quiet="#4d5762",
    grid="#dde2e8",
    rep="#eceff3",
    line="#0072b2",
    band="#bcd9ea",
    limit="#6b4a86",
    fault="#be3e00",
    caution="#e69f00",
    edge="#1b2027",
)
DARK = Palette(
    ink="#eef1f5",
    quiet="#b3bdc8",
    grid="#39424d",
    rep="#262d36",
    line="#56b4e9",
    band="#244a63",
    limit="#c9a6e6",
    fault="#ff7f3f",
    caution="#f0c24a",
    edge="#ffffff",
)


def angle_chart(
    analysis: Analysis, *, width: int = 640, dark: bool = False, max_points: int = MAX_POINTS
) -> alt.VConcatChart:
    """The judged angles of a clip over time, one below the other, on one time axis.

    Shown are hip, knee and ankle of the judged leg and what else the exercise's rules looked at; the repetitions or
    holds as numbered bands; the limits that were applied, as dashed lines in words; the standard error of the angle as
    a band around it; and each finding at its worst moment with the letter of its rule (`findings.findings_by_rule`).

    Parameters
    ----------
    analysis : Analysis
    width : int
        Of the plots in pixels, without their axis.
    dark : bool
        Colours for a dark page; the chart's own background is transparent.
    max_points : int
        Of each angle; more are thinned, keeping every peak and dip.

    Returns
    -------
    altair.VConcatChart
        With data inside, nothing to be loaded. A clip in which nothing was seen gives a chart that says so.
    """
    colours = DARK if dark else LIGHT
    shown = panels(analysis, max_points)
    end_s = float(analysis.table.time_s[-1]) if len(analysis.table) > 1 else 1.0
    kind = EXERCISES[analysis.report.exercise.name].kind
    rows: list[alt.LayerChart | alt.Chart]
    if shown:
        parts = [_panel(panel, analysis.report.reps, end_s, width, colours, panel is shown[-1]) for panel in shown]
        rows = [_strip(analysis.report.reps, kind, end_s, width, colours), *parts]
    else:
        rows = [_nothing(width, colours)]
    return alt.VConcatChart(
        vconcat=rows,
        spacing=10,
        title=_key(kind, width, colours),
        background="transparent",
        config=_config(colours),
    )


def chart_svg(chart: alt.VConcatChart) -> str:
    """Draw a chart as SVG, in this process: no browser, no network, no font file.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict(validate=False), allowed_base_urls=[])
    return svg


def _config(colours: Palette) -> alt.Config:
    axis: dict[str, Any] = {
        "gridColor": colours.grid,
        "domainColor": colours.grid,
        "tickColor": colours.grid,
        "labelColor": colours.quiet,
        "titleColor": colours.ink,
        "labelFontSize": LABEL_PX,
        "titleFontWeight": "normal",
    }
    return alt.Config(
        font="sans-serif",
        aria=False,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(**axis),
        axisY=alt.AxisConfig(minExtent=32),
        title=alt.TitleConfig(color=colours.ink, anchor="start", fontSize=13, fontWeight="bold", offset=4),
    )


def _key(kind: Kind, width: int, colours: Palette) -> alt.TitleParams:
    lines = KEY_WIDE if width >= WIDE_PX else KEY_NARROW
    text = [line.replace("repetitions", "holds") if kind is Kind.HOLD else line for line in lines]
    return alt.TitleParams(
        text=text, color=colours.quiet, fontSize=LABEL_PX, fontWeight="normal", anchor="start", offset=8
    )


def _rows(**columns: object) -> alt.Chart:
    # A data frame, because Altair copies lists of values each time that a chart is put into another.
    return alt.Chart(pd.DataFrame(columns))


def _time_scale(end_s: float) -> alt.Scale:
    return alt.Scale(domain=[0.0, end_s], nice=False)


def _x(axis: alt.Scale, *, shown: bool, field: str = "t") -> alt.X:
    ticks = alt.Axis(title="seconds", grid=False, tickCount=8) if shown else None
    return alt.X(f"{field}:Q", scale=axis, axis=ticks)


def _bands(reps: Sequence[Rep], width: int, colours: Palette) -> alt.Chart:
    """The repetitions in grey; none where so many would only make everything grey."""
    reps = reps if len(reps) * LEAST_BAND_PX <= width else ()
    rows = _rows(t=[rep.start_s for rep in reps], end=[rep.end_s for rep in reps])
    bands: alt.Chart = rows.mark_rect(color=colours.rep, stroke=colours.grid)
    return bands


def _strip(reps: Sequence[Rep], kind: Kind, end_s: float, width: int, colours: Palette) -> alt.LayerChart:
    """The numbers of the repetitions, above all plots."""
    x = _x(_time_scale(end_s), shown=False)
    word = "hold " if kind is Kind.HOLD else "rep "
    short = len(reps) * 3 * LABEL_PX * 2 >= width
    room = LABEL_PX * (CHARACTER_SHARE * len(str(len(reps))) + NUMBER_GAP)
    step = math.ceil(max(len(reps), 1) * room / width)
    named = [rep for rep in reps if step == 1 or rep.number % step == 0]
    numbers = _rows(
        t=[(rep.start_s + rep.end_s) / 2 for rep in named],
        number=[("" if short else word) + str(rep.number) for rep in named],
    ).mark_text(color=colours.ink, fontSize=LABEL_PX, fontWeight="bold")
    layers = [_bands(reps, width, colours).encode(x=x, x2="end:Q"), numbers.encode(x=x, text="number:N")]
    return alt.LayerChart(layer=layers, width=width, height=STRIP_HEIGHT)


def _panel(panel: Panel, reps: Sequence[Rep], end_s: float, width: int, colours: Palette, last: bool) -> alt.LayerChart:
    low, high = _domain(panel)
    axis = _time_scale(end_s)
    y = alt.Scale(domain=[low, high], nice=False, zero=False)
    degrees = alt.Axis(title=None, tickCount=4, labelExpr="datum.label + '°'")
    data = _rows(
        t=panel.time_s.round(3),
        v=panel.value.round(1),
        part=panel.part,
        low=np.maximum(panel.value - panel.sigma, low).round(1),
        high=np.minimum(panel.value + panel.sigma, high).round(1),
    )
    x = _x(axis, shown=last)
    value = alt.Y("v:Q", scale=y, axis=degrees)
    tips = [alt.Tooltip("t:Q", title="second", format=".1f"), alt.Tooltip("v:Q", title=panel.title, format=".0f")]
    layers: list[alt.Chart] = [
        _bands(reps, width, colours).encode(x=x, x2="end:Q"),
        data.mark_area(color=colours.band, opacity=0.75).encode(
            x=x, y=alt.Y("low:Q", scale=y, axis=degrees), y2="high:Q", detail="part:N"
        ),
        data.mark_line(color=colours.line, strokeWidth=1.8).encode(x=x, y=value, detail="part:N", tooltip=tips),
        *_limit_layers(panel, end_s, y, width, colours),
        *_mark_layers(panel, x, y, colours),
    ]
    return alt.LayerChart(layer=layers, width=width, height=PANEL_HEIGHT, title=panel.title)


def _domain(panel: Panel) -> tuple[float, float]:
    """The axis: all of the angle with its error, every limit, and some room for letters and labels."""
    limits = [line.value for line in panel.limits]
    low = min(float(panel.value.min()) - panel.sigma, *limits, math.inf)
    high = max(float(panel.value.max()) + panel.sigma, *limits, -math.inf)
    room = BEYOND * (high - low)
    return round(low - room, 1), round(high + 2 * room, 1)


def _limit_layers(panel: Panel, end_s: float, y: alt.Scale, width: int, colours: Palette) -> list[alt.Chart]:
    """A dashed line for each limit; the words stand on the side on which it is passed, where the angle leaves room."""
    layers = []
    taken: list[tuple[float, float]] = []
    for line in panel.limits:
        place = _free_place(panel, line, end_s, width, taken)
        taken.append((line.value, place))
        data = _rows(v=[line.value], text=[line.text])
        above = line.direction is Direction.ABOVE
        layers += [
            data.mark_rule(color=colours.limit, strokeDash=[5, 4], strokeWidth=1.2).encode(y=alt.Y("v:Q", scale=y)),
            data.mark_text(
                color=colours.limit,
                fontSize=LABEL_PX - 1,
                align="left" if place == 0.0 else "right" if place == 1.0 else "center",
                baseline="bottom" if above else "top",
                dx=3 - 6 * place,
                dy=-2 if above else 3,
            ).encode(x=alt.value(place * width), y=alt.Y("v:Q", scale=y), text="text:N"),
        ]
    return layers


def _free_place(panel: Panel, line: LimitLine, end_s: float, width: int, taken: Sequence[tuple[float, float]]) -> float:
    """Where a limit's words hide least of the line and of other words: 0 at the left, 1 at the right, or between."""
    low, high = _domain(panel)
    height = 1.3 * LABEL_PX * (high - low) / PANEL_HEIGHT
    bottom = line.value if line.direction is Direction.ABOVE else line.value - height
    share = min(1.0, CHARACTER_SHARE * LABEL_PX * len(line.text) / width)

    def hidden(place: float) -> float:
        begin_s = (1.0 - share) * place * end_s
        under = (panel.time_s >= begin_s) & (panel.time_s <= begin_s + share * end_s)
        touched = under & (panel.value >= bottom) & (panel.value <= bottom + height)
        marked = sum(begin_s <= mark.time_s <= begin_s + share * end_s for mark in panel.marks)
        beside = sum(abs(value - line.value) < 2 * height and place == other for value, other in taken)
        return float(touched.sum()) + panel.value.size * (beside + marked)

    return min((0.0, 1.0, 0.5), key=hidden)


def _mark_layers(panel: Panel, x: alt.X, y: alt.Scale, colours: Palette) -> list[alt.Chart]:
    """A shape for each finding, of its status's own form and colour, with the letters of the rules above it."""
    if not panel.marks:
        return []
    data = _rows(
        t=[mark.time_s for mark in panel.marks],
        v=[mark.value for mark in panel.marks],
        letters=[mark.letters for mark in panel.marks],
        status=[mark.status.value for mark in panel.marks],
        text=[mark.text for mark in panel.marks],
    )
    value = alt.Y("v:Q", scale=y)
    fills = {Status.FAULT: colours.fault, Status.CAUTION: colours.caution}
    tips = [alt.Tooltip("t:Q", title="second", format=".1f"), "status:N", "text:N"]
    shapes = [
        data.transform_filter(f"datum.status == '{status.value}'")
        .mark_point(shape=shape, size=110, filled=True, color=fills[status], stroke=colours.edge, opacity=1)
        .encode(x=x, y=value, tooltip=tips)
        for status, shape in MARK_SHAPES.items()
    ]
    letters = data.mark_text(color=colours.ink, fontSize=LABEL_PX + 1, fontWeight="bold", dy=-13)
    return [*shapes, letters.encode(x=x, y=value, text="letters:N")]


def _nothing(width: int, colours: Palette) -> alt.Chart:
    text = _rows(text=["no angle could be measured in this clip"]).mark_text(color=colours.ink, fontSize=13)
    chart: alt.Chart = text.encode(text="text:N").properties(width=width, height=60)
    return chart
