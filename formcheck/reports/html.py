"""A report as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

The page forbids itself every connection by its Content-Security-Policy; its one style sheet is named there by its hash.
Everything from outside (file names, warnings) goes through the template's automatic escaping. The only markup that is
put in as it is are the plots, which hold no text but titles of this program.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from formcheck.exercises import EXERCISES
from formcheck.reports import page
from formcheck.reports.findings import findings_by_rule, moment_s
from formcheck.reports.moments import Still
from formcheck.reports.panels import Panel, panels
from formcheck.reports.plots import DARK, LIGHT, angle_chart, chart_svg
from formcheck.reports.rep_table import rep_tables, set_lines
from formcheck.reports.text import NO_DIAGNOSIS
from formcheck.reports.words import CERTAINTY_KEY, exercise_title, kind_word, rule_title, sentence, signed
from formcheck.types import Analysis, Report

WIDE_PX, NARROW_PX = 640, 290  # of the plots, for a desk or paper, and for a phone
WIDE_POINTS, NARROW_POINTS = 800, 400
# Shown at once; what is more is folded away, so that a page of hours can be read. A usual set stays below.
MOST_ROWS, MOST_TABLES = 24, 5
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")


@dataclass(frozen=True, slots=True)
class Plots:
    """The angles over time, drawn twice, and in words for those who do not see them."""

    wide: Markup
    narrow: Markup
    alt: str


def html_report(analysis: Analysis, stills: Sequence[Still] = ()) -> str:
    """The whole page.

    Parameters
    ----------
    analysis : Analysis
    stills : sequence of Still
        Of `moments.moments` of its report, as `formcheck.stills.take_stills` makes them; without them the page has
        no pictures of the clip.

    Returns
    -------
    str
        HTML. The result depends on the arguments alone.
    """
    report = analysis.report
    measured = panels(analysis, NARROW_POINTS)
    css = _style_sheet()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            css=Markup(css),
            policy=_policy(css),
            report=report,
            clip=page.clip_name(report),
            exercise=exercise_title(report),
            kind=kind_word(report, short=False),
            headline=page.headline(report),
            overview=page.overview(report),
            notes=page.notes(report),
            certainty_key=CERTAINTY_KEY,
            findings=page.finding_parts(report, stills),
            good=page.good_rules(report),
            back=page.back_pictures(report, stills),
            check=page.check_pictures(report, stills),
            pictured=bool(stills),
            plots=_plots(analysis, measured) if measured else None,
            tables=rep_tables(report),
            set_lines=set_lines(report),
            unjudged=page.unjudged_groups(report),
            setup=_setup(report),
            view=_view(report),
            neutral=neutral_line(report),
            errors=[(panel.title, f"± {panel.sigma:.0f}°") for panel in measured],
            clock=page.clock,
            sentence=sentence,
            most_rows=MOST_ROWS,
            most_tables=MOST_TABLES,
            no_diagnosis=NO_DIAGNOSIS,
        )
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("formcheck.reports", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _style_sheet() -> str:
    """The page's style, with the plots' colours exchanged on a dark screen."""
    swaps = []
    for field in fields(LIGHT):
        light, dark = getattr(LIGHT, field.name), getattr(DARK, field.name)
        swaps.append(
            f'  .plot [fill="{light}"] {{ fill: {dark}; }}\n  .plot [stroke="{light}"] {{ stroke: {dark}; }}\n'
        )
    return _environment().get_template("report.css.j2").render(swaps=Markup("".join(swaps)))


def _policy(css: str) -> str:
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _plots(analysis: Analysis, measured: Sequence[Panel]) -> Plots:
    wide, narrow = (
        Markup(_rounded(chart_svg(angle_chart(analysis, width=width, max_points=points))))
        for width, points in ((WIDE_PX, WIDE_POINTS), (NARROW_PX, NARROW_POINTS))
    )
    names = ", ".join(panel.title.partition(":")[0].lower() for panel in measured)
    marked = [
        f"{finding.letter} {rule_title(finding.rule)} at "
        + ", ".join(page.clock(moment_s(outcome)) for outcome in finding.outcomes[:MOST_ROWS])
        + (f" and {len(finding.outcomes) - MOST_ROWS} more" if len(finding.outcomes) > MOST_ROWS else "")
        for finding in findings_by_rule(analysis.report)
    ]
    words = f"Angles over time: {names}."
    return Plots(wide, narrow, f"{words} Marked: {'; '.join(marked)}." if marked else words)


def _rounded(svg: str) -> str:
    """Coordinates with one decimal, a tenth of a pixel: half the size, and nobody sees it."""
    return _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.1f}", svg)


def _setup(report: Report) -> tuple[str, ...]:
    exercise = EXERCISES.get(report.exercise.name)
    return exercise.setup if exercise is not None else ()


def _view(report: Report) -> str:
    view = report.view
    parts = [f"{view.near_side} side to the camera"] if view.near_side is not None else []
    if not math.isnan(view.yaw_deg):
        parts.append(f"camera {view.yaw_deg:.0f}° off side-on")
    parts += ["lying"] if view.lying else []
    parts += [f"{side} leg judged" for side in sorted({rep.side for rep in report.reps} - {view.near_side})]
    return ", ".join(parts) or "not known"


def neutral_line(report: Report) -> str:
    """What the quiet moment at rest showed, and what was taken off; empty when there is nothing to tell."""
    pose = report.neutral
    if pose is None:
        return ""
    seen = {name: signed(f"{round(value) + 0:d}°") for name, value in pose.seen.items() if math.isfinite(value)}
    if len(seen) < len(pose.seen) or not seen:
        return f"nothing is taken off: {pose.reason}"
    knee, hip, ankle = (seen[name] for name in ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg"))
    shown = f"{pose.start_s:.1f} to {pose.end_s:.1f} s: knee {knee}, hip {hip}, ankle {ankle} off the shin"
    if pose.reason:
        return f"{shown}; nothing is taken off: {pose.reason}"
    offset_deg = round(pose.offsets["ankle_dorsiflexion_deg"])
    if not offset_deg:
        return f"{shown}; nothing had to be taken off"
    return f"{shown}; of that, {offset_deg:d}° are taken off the ankle"
