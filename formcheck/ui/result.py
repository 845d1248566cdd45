"""One clip in the page: how far its analysis is, then its result, or why there is none and what to do about it.

What draws a result brings the libraries for tables and plots with it, so it is imported when there is one to show: the
first page has to come soon.
"""

from __future__ import annotations

import math
from typing import Final

import streamlit as st

from formcheck.errors import ConfigError, HistoryError
from formcheck.exercises import EXERCISES
from formcheck.types import Report
from formcheck.ui.jobs import BusyError, Job, Stage
from formcheck.ui.session import Clips, desk
from formcheck.ui.workspace import file_stem, markdown_text

LOOK_EVERY_S: Final = 0.5
DOING: Final = {
    Stage.WAITING: "Waiting",
    Stage.READING: "Looking at the movement",
    Stage.JUDGING: "Judging",
    Stage.DRAWING: "Drawing the video",
}


def show(job: Job, clips: Clips) -> None:
    """Show a clip in whatever state it is."""
    state = job.state
    if state.stage is Stage.REFUSED:
        _refused(job, clips)
    elif state.stage is Stage.CANCELLED:
        st.info(f"{markdown_text(job.name)}: stopped.")
        _exercise_choice(job, clips, "Check it after all", job.exercise)
    elif job.ready:
        _result(job, clips)
    else:
        st.subheader(markdown_text(job.name), anchor=False)
        _progress(job)
        st.button("Stop checking", key="stop", icon=":material/stop_circle:", on_click=job.cancel)


@st.fragment(run_every=LOOK_EVERY_S)
def _progress(job: Job) -> None:
    """A bar that moves by itself; the page is run again when there is something else to show."""
    state = job.state
    seen = (state.ended, job.ready)
    before = st.session_state.setdefault("seen", {}).setdefault(str(job.results.folder), seen)
    if seen != before:
        st.session_state["seen"][str(job.results.folder)] = seen
        st.rerun(scope="app")
    st.progress(state.share, text=progress_text(job))


def progress_text(job: Job) -> str:
    """What is being done, and how long it will take."""
    state = job.state
    if state.stage is Stage.WAITING:
        ahead = desk().ahead(job)
        others = f"{ahead} clips are" if ahead > 1 else "one clip is" if ahead else "another clip is"
        return f"Waiting: {others} checked first."
    words = DOING.get(state.stage, "Done")
    left_s = job.left_s()
    return f"{words}, {left_text(left_s)}" if left_s is not None else f"{words} ..."


def left_text(left_s: float) -> str:
    """A time left, no more exact than it can be known."""
    if left_s < 10:
        return "a few seconds left"
    if left_s < 55:
        return f"about {10 * math.ceil(left_s / 10)} seconds left"
    minutes = math.ceil(left_s / 60)
    return f"about {minutes} minute{'' if minutes == 1 else 's'} left"


def _refused(job: Job, clips: Clips) -> None:
    state = job.state
    if state.candidates:
        names = " or ".join(f"**{EXERCISES[name].title}**" for name in state.candidates if name in EXERCISES)
        st.warning(f"{markdown_text(job.name)}: this looks like {names}, but it is not sure. Which is it?")
    else:
        reason = state.reason.removeprefix(f"{job.name}: ")
        st.warning(f"{markdown_text(job.name)}: {markdown_text(reason)}.")
        st.markdown(
            "If you know what it shows, choose it here. Otherwise film again: from the side, with the whole body in "
            "the picture and enough light. [How to film each exercise](/library)"
        )
    _exercise_choice(job, clips, "Check it as this", state.candidates[0] if state.candidates else None)


def _exercise_choice(job: Job, clips: Clips, words: str, likeliest: str | None) -> None:
    """Choose an exercise for a clip and judge it so; its poses are kept, so it takes the video's drawing only."""
    names = list(EXERCISES)
    place = names.index(likeliest) if likeliest in names else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Exercise in this clip",
            names,
            index=place,
            format_func=lambda name: EXERCISES[name].title,
            placeholder="Choose",
            key=f"as-{job.results.folder}",
        )
        st.button(words, type="primary", disabled=chosen is None, on_click=_again, args=(job, chosen))
        _remove_button(job, clips)


def _again(job: Job, exercise: str | None) -> None:
    try:
        desk().submit(job, exercise, job.side)
    except BusyError as error:
        st.session_state["notice"] = str(error)


def _remove_button(job: Job, clips: Clips) -> None:
    st.button("Remove this clip", icon=":material/delete:", on_click=clips.remove, args=(job,))


def _result(job: Job, clips: Clips) -> None:
    from formcheck.ui import report_view

    report = job.results.load_report()
    report_view.show_headline(report)
    st.caption(_about(job, report))
    _linked(job, report)
    with st.expander("What could not be judged, and why", icon=":material/visibility_off:"):
        report_view.show_unjudged(report)
    _downloads(job)
    with st.expander("Keep it in your history", icon=":material/timeline:"):
        _history(job, report)
    with st.expander("Not this exercise, or done with this clip?", icon=":material/swap_horiz:"):
        _exercise_choice(job, clips, "Judge it as this", report.exercise.name)
    report_view.show_closing()


def _about(job: Job, report: Report) -> str:
    parts = [markdown_text(job.name), EXERCISES[report.exercise.name].title]
    if not report.exercise.given:
        parts[-1] += " (recognised)"
    if report.view.near_side is not None:
        parts.append(f"{report.view.near_side} side to the camera")
    return "  ·  ".join(parts)


@st.fragment
def _linked(job: Job, report: Report) -> None:
    """Video, findings and plots, which jump together: only this part of the page is run again by a jump."""
    from formcheck.ui import player, report_view

    left, right = st.columns([3, 2], gap="large")
    with right:
        report_view.show_findings(report, _jump)
    with left:
        if job.state.stage is Stage.DONE:
            player.show_video(job.results)
        else:
            _progress(job)
    st.subheader("Angles", anchor=False)
    st.caption("Click into a plot to see that moment in the video.")
    player.show_plots(job.results, report.clip.duration_s, st.session_state.get("jump"))
    st.subheader("Each repetition" if report.reps else "Repetitions", anchor=False)
    report_view.show_repetitions(report, _jump)


def _jump(time_s: float) -> None:
    number, _ = st.session_state.get("jump", (0, 0.0))
    st.session_state["jump"] = (number + 1, time_s)


def _downloads(job: Job) -> None:
    results, stem = job.results, file_stem(job.name)
    st.subheader("Keep it", anchor=False)
    files = (
        ("Report (HTML)", results.html, "report.html", "text/html"),
        ("Report (JSON)", results.json, "report.json", "application/json"),
        ("Angles (CSV)", results.angles, "angles.csv", "text/csv"),
        ("Video (MP4)", results.video, "overlay.mp4", "video/mp4"),
    )
    with st.container(horizontal=True, gap="small"):
        for label, path, ending, kind in files:
            there = path.exists()
            st.download_button(
                label,
                path.read_bytes() if there else b"",
                file_name=f"{stem}.{ending}",
                mime=kind,
                key=f"save-{ending}",
                icon=":material/download:",
                disabled=not there,
                on_click="ignore",
            )


def _history(job: Job, report: Report) -> None:
    """Keep this set in the history, with what the camera cannot know."""
    from formcheck.history import History

    kept: dict[str, int] = st.session_state.setdefault("kept", {})
    session = kept.get(str(job.results.folder))
    if session is not None:
        st.success(
            "Kept. You find it under [History](/history); if something felt odd, the "
            f"[symptom check](/symptoms?session={session}) can take it into account."
        )
        return
    st.markdown("The numbers of this set go into your history on this machine, the video does not.")
    with st.form("history", border=False):
        left, right = st.columns(2)
        weight_kg = left.number_input("Weight in kg, if any", 0.0, 1000.0, None, 2.5, format="%g", key="weight")
        entered = right.number_input("Repetitions you did, if you counted", 0, 1000, None, key="counted")
        if not st.form_submit_button("Keep it", type="primary"):
            return
    try:
        with History.open() as history:
            number = history.add(report, source="file", weight_kg=weight_kg, entered_reps=entered)
    except (ConfigError, HistoryError) as error:
        st.error(markdown_text(str(error)))
        return
    if number is None:
        st.warning("Keeping is switched off; you can switch it on under [History](/history).")
        return
    kept[str(job.results.folder)] = number
    st.rerun()
