"""Check a video: a clip or a sample in, findings with the annotated video out. The analysis runs beside the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from formcheck.exercises import EXERCISES
from formcheck.types import Side
from formcheck.ui import result
from formcheck.ui.jobs import BusyError, Job, Stage
from formcheck.ui.samples import Sample, samples
from formcheck.ui.session import MAX_CLIPS, Clips, current_clips, desk
from formcheck.ui.workspace import VIDEO_SUFFIXES, markdown_text

AUTO: Final = "auto"
EXERCISE_CHOICES: Final = (AUTO, *EXERCISES)
SIDE_CHOICES: Final = (AUTO, *Side)


def page() -> None:
    """Take clips, follow their analyses, show what was found."""
    clips = current_clips()
    st.title("Check a video", anchor=False)
    st.markdown(
        "Film yourself from the side, the whole body in the picture, feet too. Nothing leaves this machine, and the "
        "clip is deleted when you close this page."
    )
    with st.expander("Add another clip", icon=":material/add:") if clips.jobs else st.container():
        _choices()
        _uploader(clips)
        _sample_buttons(clips)
    job = _chosen(clips)
    if job is not None:
        result.show(job, clips)


def _choices() -> None:
    left, right = st.columns(2)
    left.selectbox("Exercise", EXERCISE_CHOICES, format_func=exercise_label, key="exercise")
    right.segmented_control(
        "Leg to judge", SIDE_CHOICES, format_func=side_label, default=AUTO, key="side", required=True
    )


def exercise_label(name: str) -> str:
    """What a choice of exercise is called."""
    return "Recognise it for me" if name == AUTO else EXERCISES[name].title


def side_label(name: str) -> str:
    """What a choice of leg is called."""
    return "The one nearer the camera" if name == AUTO else name.capitalize()


def _uploader(clips: Clips) -> None:
    if clips.full:
        st.info(f"There are {MAX_CLIPS} clips here, which is as many as fit. Remove one to add another.")
        return
    batch = st.session_state.setdefault("batch", 0)
    files = st.file_uploader(
        "Your clip, or several", type=list(VIDEO_SUFFIXES), accept_multiple_files=True, key=f"clips-{batch}"
    )
    if not files:
        return
    st.session_state["batch"] = batch + 1  # an uploader of another name is empty again
    for file in files[: MAX_CLIPS - len(clips.jobs)]:
        _begin(clips, clips.take(file.name, file), _named(st.session_state["exercise"]))
    _forget(files)
    st.rerun()


def _forget(files: Sequence[UploadedFile]) -> None:
    """Free the memory that holds uploads: Streamlit keeps them as long as the visit, and we have them in files."""
    context = get_script_run_ctx()
    if context is not None:
        for file in files:
            manager: Any = context.uploaded_file_mgr
            manager.remove_file(session_id=context.session_id, file_id=file.file_id)


def _sample_buttons(clips: Clips) -> None:
    found = samples()
    if not found:
        st.caption("This installation has no sample clips; they come with the source of formcheck.")
        return
    st.markdown("Or open a sample, made with a computer-drawn person:")
    with st.container(horizontal=True, gap="small"):
        for sample in found:
            st.button(
                sample.title,
                key=f"sample-{sample.clip.stem}",
                icon=":material/movie:",
                disabled=clips.full,
                on_click=_open_sample,
                args=(clips, sample),
            )


def _open_sample(clips: Clips, sample: Sample) -> None:
    _begin(clips, clips.take_file(sample.clip), sample.exercise)


def _begin(clips: Clips, job: Job | None, exercise: str | None) -> None:
    """Hand a clip in, and show it."""
    if job is None:
        st.session_state["notice"] = f"Only videos can be checked: {', '.join(VIDEO_SUFFIXES)}."
        return
    try:
        desk().submit(job, exercise, _side())
    except BusyError as error:
        clips.remove(job)
        st.session_state["notice"] = str(error)
        return
    st.session_state["shown"] = clips.jobs.index(job)


def _named(choice: str) -> str | None:
    return None if choice == AUTO else choice


def _side() -> Side | None:
    choice = st.session_state.get("side") or AUTO
    return None if choice == AUTO else Side(choice)


def _chosen(clips: Clips) -> Job | None:
    """The clip to show: the newest, or the one that was picked."""
    notice = st.session_state.pop("notice", "")
    if notice:
        st.warning(notice)
    if not clips.jobs:
        return None
    last = len(clips.jobs) - 1
    if st.session_state.get("shown", last) not in range(last + 1):
        st.session_state["shown"] = last
    if last == 0:
        return clips.jobs[0]
    shown = st.pills(
        "Clips", range(last + 1), key="shown", format_func=lambda place: _label(clips.jobs[place]), required=True
    )
    return clips.jobs[last if shown is None else shown]


def _label(job: Job) -> str:
    state = job.state
    mark = {Stage.DONE: "", Stage.REFUSED: " (not checked)", Stage.CANCELLED: " (stopped)"}.get(state.stage, " ...")
    return markdown_text(job.name) + mark
