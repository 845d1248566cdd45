"""Live: a set before the camera, with a coach before it, a voice during it, and the report after it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import Any, Final

import streamlit as st

from formcheck.adapters.mediapipe import preload
from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES
from formcheck.history import History
from formcheck.live import PLACES, LiveSession, Plan, Stage, UnrecognisedError
from formcheck.reports.words import sentence
from formcheck.types import Analysis, Side
from formcheck.ui import live_panel, live_result
from formcheck.ui.app import LEFT
from formcheck.ui.live_feed import Feed, show_newest_only

AUTO: Final = "auto"
KEPT: Final = "live-kept"
CONTEXT: Final = "live-camera"
NEVER: Final = -1  # a count of runs before the first
EVERY_S: Final = 0.3  # between two looks at the session: a count is said this late at most
CAMERA: Final[dict[str, Any]] = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 25, "max": 25}},
    "audio": False,
}
# Nothing outside this machine is asked which way to go.
NO_SERVERS: Final[dict[str, Any]] = {"iceServers": []}
PICTURE: Final[dict[str, Any]] = {"autoPlay": True, "controls": False, "muted": True, "style": {"width": "100%"}}
WORDS: Final[Any] = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose the camera",
    "select_camera": "Camera",
    "media_api_not_available": "This page gets no camera: open it at http://localhost, or over https.",
    "device_ask_permission": "Please allow this page to use the camera.",
    "device_not_available": "The camera does not answer. Is another program using it?",
    "device_access_denied": "The browser may not use the camera. Allow it for this page.",
}


@dataclass
class Kept:
    """What the page keeps from one run of its script to the next."""

    runs: int = 0
    feed: Feed | None = None
    analysis: Analysis | None = None
    stored: int | None = None
    candidates: tuple[str, ...] | None = None
    question: str = ""
    failed: str = ""

    @property
    def session(self) -> LiveSession | None:
        """The session, where one began."""
        return None if self.feed is None or self.feed.refused else self.feed.session


def page() -> None:
    """Film a set, and show its report."""
    kept: Kept = st.session_state.setdefault(KEPT, Kept())
    st.title("Live", anchor=False)
    before = st.session_state.get(CONTEXT)
    # The camera's frame must stay where it is in the page, or the browser would load it anew and lose the connection:
    # what comes and goes above it has a container of its own.
    plan, mirror = _choices(disabled=before is not None and before.state.playing)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        context = _camera(plan, mirror)
    feed: Feed | None = context.video_processor
    active = feed is not None  # also while browser and server still talk about how to connect
    if feed is not None and feed is not kept.feed:
        kept = st.session_state[KEPT] = Kept(kept.runs + 1, feed)  # a new set: what the last one left is cleared away
    with right:
        st.fragment(_watch, run_every=EVERY_S if active else None)(active)
    if not active:
        _after(kept)


def _choices(*, disabled: bool) -> tuple[Plan, bool]:
    """What the person wants; fixed while the camera runs."""
    first, second = st.columns([3, 2], gap="medium")
    name = first.selectbox(
        "Exercise",
        (AUTO, *EXERCISES),
        format_func=lambda name: "Recognise it for me" if name == AUTO else EXERCISES[name].title,
        key="live-exercise",
        disabled=disabled,
    )
    side = second.segmented_control(
        "Leg to judge",
        (AUTO, *Side),
        format_func=lambda name: "The nearer one" if name == AUTO else name.capitalize(),
        default=AUTO,
        required=True,
        key="live-side",
        disabled=disabled,
    )
    with st.container(horizontal=True, gap="medium"):
        setup = st.toggle("Coach me into place", value=True, key="live-setup", disabled=disabled)
        cues = st.toggle("Cues during the set", value=True, key="live-cues", disabled=disabled)
        mirror = st.toggle("Mirror", value=True, key="live-mirror", disabled=disabled)
    exercise = None if name == AUTO else EXERCISES[name]
    with st.container():
        if exercise is not None and not disabled:
            st.caption("  \n".join(exercise.setup))
    return Plan(exercise, None if side == AUTO else Side(side), cues=cues, setup=setup), mirror


def _camera(plan: Plan, mirror: bool) -> Any:
    """The camera's picture with its Start and Stop: kept thin, since only a browser can test it."""
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    show_newest_only()
    _warm_up()
    _keep_connection(st.session_state.get(CONTEXT), left=st.session_state.pop(LEFT, False))
    return webrtc_streamer(
        key=CONTEXT,
        mode=WebRtcMode.SENDRECV,
        video_processor_factory=lambda: Feed(plan, mirror=mirror),
        async_processing=True,
        rtc_configuration=NO_SERVERS,
        media_stream_constraints=CAMERA,
        video_html_attrs=PICTURE,
        translations=WORDS,
    )


def _keep_connection(context: Any, *, left: bool) -> None:
    """Tell streamlit-webrtc whether its camera was on the page all the time, or another page was shown in between.

    It goes by Streamlit's count of runs, which is raised when the browser is told that a run has ended. On a busy
    computer that comes late, and for two runs at once: the page then seems to have been left, and the set is ended.
    """
    if context is not None:
        context._last_rendered_run_count = NEVER if left else None


@cache
def _warm_up() -> None:
    """Load what analyses pictures while the person still reads the page: Start then starts sooner."""
    Thread(target=preload, name="formcheck-preload", daemon=True).start()


def _watch(active: bool) -> None:
    """The part of the page that follows the session."""
    kept: Kept = st.session_state[KEPT]
    session = kept.session
    snapshot = session.snapshot() if session is not None and active else None
    if kept.feed is not None and kept.feed.refused:
        st.warning(sentence(kept.feed.refused), icon=":material/hourglass:")
        return
    if not active and PLACES.free == 0:
        st.info(
            f"{PLACES.count} live sessions are running on this computer already. Please wait until one has stopped.",
            icon=":material/hourglass:",
        )
    idle = live_panel.BEGIN
    if session is not None:
        idle = live_panel.AGAIN if session.begun else live_panel.NOT_BEGUN
    live_panel.show_panel(snapshot, f"run-{kept.runs}", idle)
    if session is not None and snapshot is not None and snapshot.stage in (Stage.STARTING, Stage.SETUP):
        st.button("Start the set now", on_click=session.skip_setup, key="live-skip", width="stretch")


def _after(kept: Kept) -> None:
    """The report of the set that has ended."""
    if kept.session is not None and kept.analysis is None and kept.candidates is None and not kept.failed:
        with st.spinner("Looking at the whole set ..."):
            _judge(kept, None)
    if kept.failed:
        st.warning(sentence(kept.failed))
    if kept.candidates is not None and kept.analysis is None:
        st.info(sentence(kept.question), icon=":material/help:")
        _ask(kept)
    if kept.analysis is not None:
        live_result.show(kept.analysis, kept.stored)
        with st.expander("Not this exercise?", icon=":material/swap_horiz:"):
            _ask(kept)


def _ask(kept: Kept) -> None:
    """Which exercise it was, when it was not recognised, or wrongly."""
    likely = [name for name in kept.candidates or () if name in EXERCISES]
    names = [*likely, *(name for name in EXERCISES if name not in likely)]
    with st.form("live-ask", border=False):
        name = st.selectbox("Which exercise was it?", names, format_func=lambda name: EXERCISES[name].title)
        if st.form_submit_button("Judge it as this"):
            with st.spinner("Looking at the whole set again ..."):
                _judge(kept, name)
            st.rerun()


def _judge(kept: Kept, name: str | None) -> None:
    """Judge the set, and keep it in the history when that is switched on."""
    assert kept.session is not None
    try:
        kept.analysis = kept.session.report(EXERCISES[name] if name else None)
    except UnrecognisedError as error:
        kept.candidates, kept.question = error.candidates, str(error)
        return
    except FormcheckError as error:
        kept.failed = str(error)
        return
    kept.stored = _store(kept)


def _store(kept: Kept) -> int | None:
    """Put the report into the history, in place of the one that the same set had before."""
    assert kept.analysis is not None
    if not kept.analysis.report.reps:
        return None  # nothing was done that could be compared with another day
    try:
        with History.open() as history:
            if kept.stored is not None:
                history.delete(kept.stored)
            return history.add(kept.analysis.report, source="live")
    except FormcheckError as error:
        st.warning(f"The set could not be kept in the history: {error}.")
        return None
