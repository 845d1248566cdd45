"""The report of a live set in the page, as for a file."""

from __future__ import annotations

import streamlit as st

from formcheck.exercises import EXERCISES
from formcheck.reports.json import report_to_json
from formcheck.types import Analysis, Report
from formcheck.ui import report_view


def show(analysis: Analysis, stored: int | None) -> None:
    """Show what was found in a set that has ended, and offer to keep it.

    Parameters
    ----------
    analysis : Analysis
    stored : int or None
        Its number in the history; None when it is not kept there.
    """
    report = analysis.report
    st.divider()
    report_view.show_headline(report)
    st.caption(_about(report, stored))
    report_view.show_findings(report)
    st.subheader("Each repetition" if report.reps else "Repetitions", anchor=False)
    report_view.show_repetitions(report)
    with st.expander("What could not be judged, and why", icon=":material/visibility_off:"):
        report_view.show_unjudged(report)
    st.download_button(
        "Report (JSON)",
        report_to_json(report) + "\n",
        file_name="live-set.report.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    report_view.show_closing()


def _about(report: Report, stored: int | None) -> str:
    title = EXERCISES[report.exercise.name].title
    parts = [title if report.exercise.given else f"{title} (recognised)", f"{report.clip.duration_s:.0f} s"]
    if report.view.near_side is not None:
        parts.append(f"{report.view.near_side} side to the camera")
    parts.append("kept in your [History](/history)" if stored is not None else "not kept in the history")
    return "  ·  ".join(parts)
