"""A report in the page: what to change in plain words first, then the repetitions, then what could not be judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pandas as pd
import streamlit as st

from formcheck.reports.findings import findings_by_rule, moment_s
from formcheck.reports.page import (
    STATUS_WORDS,
    SYMBOLS,
    FindingPart,
    finding_parts,
    good_rules,
    headline,
    notes,
    overview,
    unjudged_groups,
    which,
)
from formcheck.reports.rep_table import Cell, rep_tables, set_lines
from formcheck.reports.text import NO_DIAGNOSIS
from formcheck.reports.words import sentence
from formcheck.types import Outcome, Report
from formcheck.ui.workspace import markdown_text

Jump = Callable[[float], None]
COLOURS: Final = {"fault": "red", "caution": "orange"}


def show_headline(report: Report) -> None:
    """The result in a sentence or two, and what may make it less certain."""
    st.subheader(markdown_text(headline(report)), anchor=False)
    st.write(overview(report))
    for note in dict.fromkeys((report.view.reason if not report.view.usable else "", *notes(report))):
        if note:
            st.warning(markdown_text(sentence(note)), icon=":material/info:")


def show_findings(report: Report, jump: Jump | None = None) -> None:
    """Each rule that found something: what was seen, what to do, where, and why it matters.

    Parameters
    ----------
    report : Report
    jump : callable or None
        Called with the time of a moment when its button is pressed; None shows no buttons.
    """
    for part, finding in zip(finding_parts(report, ()), findings_by_rule(report), strict=True):
        with st.container(border=True):
            st.markdown(
                f":{COLOURS[part.status]}-badge[{part.symbol} {part.letter} · {part.status}] **{part.message}**"
            )
            st.markdown(part.cue)
            if jump is not None:
                _jump_buttons(report, part, finding.outcomes, jump)
            else:
                places = "; ".join(f"{place.where}, {place.when}" for place in part.places)
                st.markdown(markdown_text(f"{places[0].upper()}{places[1:]}."))
            with st.expander("How it was measured, and why it matters"):
                _details(part)
    good = good_rules(report)
    if good:
        st.markdown("**Checked, and no fault found**")
        st.markdown("  \n".join(f"{rule.mark} {markdown_text(f'{rule.title}: {rule.words}')}" for rule in good))


def _jump_buttons(report: Report, part: FindingPart, outcomes: tuple[Outcome, ...], jump: Jump) -> None:
    with st.container(horizontal=True, gap="small"):
        for place, outcome in zip(part.places, outcomes, strict=True):
            time_s = moment_s(outcome)
            if time_s >= 0:  # NaN is not
                st.button(
                    f"{which(report, outcome).capitalize()}: {place.when}",
                    key=f"jump-{part.rule}-{outcome.rep}-{outcome.side}",
                    icon=":material/play_circle:",
                    on_click=jump,
                    args=(time_s,),
                )


def _details(part: FindingPart) -> None:
    for place in part.places:
        number = " ".join(word for word in (place.value, place.error) if word)
        words = [f"{place.where.capitalize()}, {place.when}: {number or 'no number'}", place.sure]
        st.markdown(f"- {markdown_text('; '.join(word for word in words if word))}")
    if part.limit:
        st.markdown(f"Limit: {markdown_text(part.limit)}.")
    for heading, text in (("What to do", part.what_to_do), ("Why it matters", part.why)):
        if text:
            st.markdown(f"**{heading}.** {text}")
    if part.strength:
        st.markdown(f"**Evidence.** {part.strength} {part.evidence}")
    st.markdown(f"[More about this rule](/library?show={part.rule})")


def show_repetitions(report: Report, jump: Jump | None = None) -> None:
    """The table of repetitions or holds, and a button for each to see it."""
    if not report.reps:
        st.write("None was found.")
        return
    if jump is not None:
        with st.container(horizontal=True, gap="small"):
            for rep in report.reps:
                st.button(
                    f"Show {rep.number}: {rep.start_s:.1f} s",
                    key=f"rep-{rep.number}-{rep.side}",
                    on_click=jump,
                    args=(rep.start_s,),
                )
    for table in rep_tables(report):
        rows = [*table.measured, *table.rules]
        cells = [[_cell_text(cell) for cell in row.cells] for row in rows]
        index = pd.Index([row.heading for row in rows], name=table.caption)
        st.table(pd.DataFrame(cells, index=index, columns=list(table.headings)))
    for line in set_lines(report):
        reason = f": {markdown_text(line.reason)}" if line.reason else ""
        st.markdown(f"Whole set, {line.title.lower()}: {line.symbol} {markdown_text(line.words)}{reason}")
    st.caption("  ·  ".join(f"{SYMBOLS[status]} {word}" for status, word in STATUS_WORDS.items()))


def _cell_text(cell: Cell) -> str:
    """Not broken into lines: a wide table can be moved, one of scattered numbers cannot be read."""
    return f"{cell.symbol} {cell.text}".strip().replace(" ", "\N{NO-BREAK SPACE}")


def show_unjudged(report: Report) -> None:
    """What was not judged, and why: not seen is not the same as good."""
    groups = unjudged_groups(report)
    if not groups:
        st.write("Everything that this exercise is checked for could be judged.")
    for group in groups:
        what = "\n".join(f"- {markdown_text(text)}" for text in group.what)
        st.markdown(f"**{markdown_text(group.reason[0].upper() + group.reason[1:])}**\n\n{what}")


def show_closing() -> None:
    """What this is not."""
    st.caption(NO_DIAGNOSIS)
