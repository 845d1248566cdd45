"""A number over the sessions as a picture: the line, its measurement error as a band, and the limit."""

from __future__ import annotations

import math

import altair as alt
import pandas as pd

from formcheck.history.trends import Series

HEIGHT_PX = 180
LINE, BAND, LIMIT = "#12866a", "#12866a", "#c2571a"  # readable on the app's light and on its dark ground
BAND_OPACITY = 0.22
MARGIN = 0.1  # of the shown values, above and below them


def trend_chart(series: Series) -> alt.LayerChart:
    """Draw one series; the band is one standard error of measurement to each side."""
    rows = pd.DataFrame(
        {
            "when": [point.when for point in series.points],
            "value": [point.value for point in series.points],
            "low": [point.value - point.error for point in series.points],
            "high": [point.value + point.error for point in series.points],
            "text": [_text(point.value, point.error, series.unit) for point in series.points],
            "weight": ["not entered" if p.weight_kg is None else f"{p.weight_kg:g} kg" for p in series.points],
            "counted": [point.count for point in series.points],
        }
    )
    x = alt.X("when:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=5, labelOverlap=True, grid=False))
    scale = alt.Scale(domain=_domain(series), nice=True, zero=False)
    y = alt.Y("value:Q", title=series.unit, scale=scale, axis=alt.Axis(tickCount=5))
    tooltip = [
        alt.Tooltip("when:T", title="when", format="%-d %b %Y, %H:%M"),
        alt.Tooltip("text:N", title="value"),
        alt.Tooltip("weight:N", title="weight"),
        alt.Tooltip("counted:Q", title="measured in"),
    ]
    base = alt.Chart(rows)
    if len(rows) > 1:
        band = base.mark_area(color=BAND, opacity=BAND_OPACITY).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    else:  # an area needs two points
        band = base.mark_rule(color=BAND, opacity=2 * BAND_OPACITY, strokeWidth=6).encode(
            x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q"
        )
    line = base.mark_line(color=LINE, strokeWidth=2).encode(x=x, y=y)
    points = base.mark_circle(color=LINE, size=70, opacity=1).encode(x=x, y=y, tooltip=tooltip)
    layers = [band, line, points]
    if _shows_limit(series):
        limit = alt.Chart(pd.DataFrame({"limit": [series.limit]}))
        layers.append(limit.mark_rule(color=LIMIT, strokeDash=[6, 4], strokeWidth=1.5).encode(y="limit:Q"))
    chart: alt.LayerChart = alt.LayerChart(layer=layers, height=HEIGHT_PX)
    return chart


def _text(value: float, error: float, unit: str) -> str:
    decimals = 1 if unit == "s" else 0
    return f"{value:.{decimals}f} ± {error:.{decimals}f} {unit}"


def _bounds(series: Series) -> tuple[float, float]:
    low = min(point.value - point.error for point in series.points)
    high = max(point.value + point.error for point in series.points)
    return low, high


def _shows_limit(series: Series) -> bool:
    """Whether the limit is near enough to what was measured: far off it would only press the line flat."""
    low, high = _bounds(series)
    return math.isfinite(series.limit) and low - (high - low) <= series.limit <= high + (high - low)


def _domain(series: Series) -> list[float]:
    low, high = _bounds(series)
    if _shows_limit(series):
        low, high = min(low, series.limit), max(high, series.limit)
    margin = MARGIN * max(high - low, 1e-6)
    return [low - margin, high + margin]
