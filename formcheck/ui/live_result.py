"""The report of a live set in the page, as for a file."""

from __future__ import annotations

import streamlit as st

from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES
from formcheck.history import History
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
    st.caption(_about(report))
    report_view.show_findings(report)
    st.subheader("Each repetition" if report.reps else "Repetitions", anchor=False)
    report_view.show_repetitions(report)
    if st.toggle("Show the angles over time", key="live-angles"):
        _angles(analysis)
    with st.expander("What could not be judged, and why", icon=":material/visibility_off:"):
        report_view.show_unjudged(report)
    _history(report, stored)
    _downloads(analysis)
    report_view.show_closing()


def _about(report: Report) -> str:
    title = EXERCISES[report.exercise.name].title
    parts = [title if report.exercise.given else f"{title} (recognised)", f"{report.clip.duration_s:.0f} s"]
    if report.view.near_side is not None:
        parts.append(f"{report.view.near_side} side to the camera")
    return "  ·  ".join(parts)


def _angles(analysis: Analysis) -> None:
    from formcheck.reports.plots import angle_chart, chart_svg

    with st.spinner("Drawing ..."):
        st.image(chart_svg(angle_chart(analysis, width=900)), width="stretch")


def _history(report: Report, stored: int | None) -> None:
    """Whether the set was kept, and what the camera cannot know of it."""
    if stored is None:
        if report.reps:
            st.caption("This set is not in your history; keeping may be switched off under [History](/history).")
        return
    st.markdown(
        "The numbers of this set are in your [History](/history). If something felt odd, the "
        f"[symptom check](/symptoms?session={stored}) can take it into account."
    )
    with st.form("live-weight", border=False):
        weight_kg = st.number_input("Weight in kg, if any", 0.0, 1000.0, None, 2.5, format="%g")
        if not st.form_submit_button("Add the weight to it"):
            return
    try:
        with History.open() as history:
            history.update(stored, weight_kg=weight_kg)
    except FormcheckError as error:
        st.error(str(error))
        return
    st.success("Added.")


def _downloads(analysis: Analysis) -> None:
    from formcheck.reports.html import html_report

    with st.container(horizontal=True, gap="small"):
        for label, ending, kind, make in (
            ("Report (HTML)", "html", "text/html", lambda: html_report(analysis)),
            ("Report (JSON)", "json", "application/json", lambda: report_to_json(analysis.report) + "\n"),
        ):
            st.download_button(
                label,
                make,
                file_name=f"live-set.report.{ending}",
                mime=kind,
                key=f"live-save-{ending}",
                icon=":material/download:",
                on_click="ignore",
            )
