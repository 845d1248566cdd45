"""The history: what was kept, what changed beyond the measurement error, and whether to add weight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from formcheck.errors import ConfigError, HistoryError
from formcheck.exercises import EXERCISES
from formcheck.history import History, Session
from formcheck.history.load import Action, load_advice
from formcheck.history.trends import Change, Series, change_text, compare, series_of, trend
from formcheck.rules import RULES
from formcheck.types import Kind, Side, Status
from formcheck.ui.trend_charts import trend_chart

PERIODS: Final = {"All sessions": None, "Last 3 months": 92, "Last month": 31}  # days
ACTIONS: Final = {
    Action.ADD: "Add a little weight",
    Action.KEEP: "Stay at this weight",
    Action.REDUCE: "Take less weight",
    Action.CANNOT_TELL: "This cannot be told yet",
}
SHOWN_SESSIONS: Final = 200
FEW: Final = 150  # up to here all sessions are shown at first: reading more takes a time that can be felt
FOR_ADVICE: Final = 40  # latest sessions that the advice on weight is taken from; more than two days ever have
CHOSEN: Final = "history_chosen"  # the session that is looked at
REVISION: Final = "history_revision"  # how often something was changed
SAID: Final = "history_said"  # what was done, to be told after the page has run again


def page() -> None:
    """Show the kept sessions, and let the person change, export and delete them."""
    st.title("History")
    if said := st.session_state.pop(SAID, ""):
        st.toast(said)
    try:
        with History.open() as history:
            _page(history)
    except HistoryError as error:
        st.error(plain(str(error)))


def plain(text: str) -> str:
    """`text` with nothing in it that Markdown would act on: names of files and people's own words are not ours."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", " ".join(text.split()))


def when_text(session: Session) -> str:
    """Day and time of a session, in this machine's time zone."""
    when = session.when.astimezone()
    return f"{when.day} {when:%B %Y, %H:%M}"


def _page(history: History) -> None:
    st.caption(
        "Kept on this computer only: numbers and your own notes. No picture, no video, no position of your body."
    )
    keeping = st.toggle("Keep my sessions", value=history.recording, key="history_keep")
    if keeping != history.recording:
        history.set_recording(keeping)
    if not keeping:
        st.info("Switched off: nothing new is kept. What was kept before stays until you delete it.")
    exercises = history.exercises()
    if not exercises:
        st.info(
            "No session yet. A live set is kept when it ends; an uploaded clip when you choose to save it; in a "
            "terminal, `formcheck check CLIP --save`."
        )
        return
    first, second = st.columns(2)
    exercise = first.selectbox("Exercise", exercises, format_func=_exercise_title, key="history_exercise")
    usual = 0 if len(history) <= FEW else 1
    period = second.selectbox("Time", list(PERIODS), usual, key="history_period")
    days = PERIODS[period]
    since = datetime.now(UTC) - timedelta(days=days) if days else None
    shown = history.sessions(exercise=exercise, since=since)
    _load(history.sessions(exercise=exercise, limit=FOR_ADVICE), exercise)
    _changes(shown, exercise)
    _sessions(history, list(reversed(shown))[:SHOWN_SESSIONS])
    _data(history)


def _exercise_title(exercise: str) -> str:
    return EXERCISES[exercise].title if exercise in EXERCISES else exercise


def _load(sessions: Sequence[Session], exercise: str) -> None:
    if exercise not in EXERCISES or EXERCISES[exercise].kind is Kind.HOLD:
        return
    advice = load_advice(sessions, exercise)
    st.subheader("Weight")
    weight = "" if advice.weight_kg is None else f" ({advice.weight_kg:g} kg)"
    box = {Action.ADD: st.success, Action.REDUCE: st.warning}.get(advice.action, st.info)
    text = f"**{ACTIONS[advice.action]}{weight}.** {plain(advice.reason)}"
    if advice.not_judged and advice.action is Action.ADD:
        text += f" Not seen well enough to judge: {plain(', '.join(advice.not_judged))}."
    box(text)
    st.caption(
        "Coaching advice: more weight only after the form has held on two training days in a row. How it feels counts "
        "more than what a camera saw."
    )


def _changes(sessions: Sequence[Session], exercise: str) -> None:
    st.subheader("What changed")
    series = series_of(sessions, exercise)
    if not series:
        st.info("Nothing was measured well enough in this time to be followed.")
        return
    st.caption(
        "The band is the measurement error; the dashed line is where formcheck begins to speak. A change is called "
        "real only when it is larger than what the error alone could do. Film from the same place each time."
    )
    sides = [side for side in Side if any(item.side is side for item in series)]
    places = st.tabs([f"{side.capitalize()} side" for side in sides]) if len(sides) > 1 else [st.container()]
    for side, place in zip(sides, places, strict=True):
        with place:
            if len(sides) == 1:
                st.markdown(f"Filmed from the {side} side.")
            _followed([item for item in series if item.side is side])


def _followed(series: Sequence[Series]) -> None:
    """What really changed first; the rest folded away, so that it does not have to be scrolled past."""
    changes = [(item, trend(item)) for item in series]
    real = [(item, change) for item, change in changes if change is not None and change.real]
    rest = [pair for pair in changes if pair not in real]
    if not any(change for _, change in changes):
        st.markdown("One session so far. What changes shows from the second one on.")
    elif not real:
        st.markdown("Nothing changed that the camera can tell.")
    _grid(real)
    if rest:
        word = "The others" if real else "What was measured"
        with st.expander(f"{word} ({len(rest)})"):
            _grid(rest)


def _grid(series: Sequence[tuple[Series, Change | None]]) -> None:
    for left in range(0, len(series), 2):
        for column, (item, change) in zip(st.columns(2), series[left : left + 2], strict=False):
            with column.container(border=True):
                st.markdown(f"**{item.title}**")
                st.altair_chart(trend_chart(item))
                st.markdown("One session so far." if change is None else change_text(item, change))


def _sessions(history: History, sessions: Sequence[Session]) -> None:
    st.subheader("Sessions")
    if not sessions:
        st.info("No session in this time.")
        return
    by_id = {session.id: session for session in sessions}
    before = st.session_state.get(CHOSEN)
    index = list(by_id).index(before) if before in by_id else 0
    # A new key when a text has changed, or other sessions are offered: the browser would go on showing the old one.
    key = f"history_session_{st.session_state.get(REVISION, 0)}_{hash(tuple(by_id))}"
    chosen = st.selectbox("Session", list(by_id), index, format_func=lambda number: _line(by_id[number]), key=key)
    st.session_state[CHOSEN] = chosen
    session = by_id[chosen]
    st.markdown("Counted in repetitions or holds; what is judged of the whole set counts once.")
    st.table(_findings(session))
    if session.report.warnings:
        st.caption(plain("; ".join(session.report.warnings)))
    st.markdown(f"Did you feel something you did not expect? [Symptom check](symptoms?session={session.id})")
    _form(history, session)
    _compare(session, sessions)
    if st.button("Delete this session", key=f"history_delete_{session.id}", icon=":material/delete:"):
        history.delete(session.id)
        _again("The session is deleted.")


def _compare(session: Session, sessions: Sequence[Session]) -> None:
    """Put the session beside an earlier one of the person's choice."""
    earlier = {item.id: item for item in sessions if item.when < session.when}
    if not earlier:
        return
    choices = [None, *earlier]
    other = st.selectbox(
        "Compare with an earlier session",
        choices,
        format_func=lambda number: "None" if number is None else _line(earlier[number]),
        key=f"history_compare_{session.id}_{st.session_state.get(REVISION, 0)}",
    )
    if other is None:
        return
    compared = compare(earlier[other], session)
    if not compared:
        st.info("These two have no number in common: other sides, or too little seen.")
    for series, change in compared:
        st.markdown(f"**{series.title}:** {change_text(series, change)}")


def _line(session: Session) -> str:
    weight = "" if session.weight_kg is None else f", {session.weight_kg:g} kg"
    label = f": {session.title}" if session.title != session.exercise else ""
    return f"{when_text(session)}{weight}{label}"


def _findings(session: Session) -> list[dict[str, str]]:
    """What each rule said in a session, as rows of a table."""
    rules = dict.fromkeys(outcome.rule for outcome in session.report.outcomes)
    rows = []
    for rule in rules:
        statuses = [outcome.status for outcome in session.report.outcomes if outcome.rule == rule]
        count = {status: str(statuses.count(status) or "") for status in Status}
        rows.append(
            {
                "Rule": RULES[rule].title if rule in RULES else rule,
                "Fault": count[Status.FAULT],
                "Caution": count[Status.CAUTION],
                "Good": count[Status.OK],
                "Not judged": count[Status.NOT_JUDGED],
            }
        )
    return sorted(rows, key=lambda row: (not row["Fault"], not row["Caution"]))


def _form(history: History, session: Session) -> None:
    with st.form(f"history_form_{session.id}"):
        first, second = st.columns(2)
        weight = first.number_input(
            "Weight, kg (0 for none)", 0.0, 1000.0, session.weight_kg, 0.5, "%.1f", placeholder="not entered"
        )
        counted = len(session.report.reps)
        reps = second.number_input(
            f"Repetitions you did (the camera saw {counted})", 0, 10_000, session.entered_reps, 1, placeholder="as seen"
        )
        label = st.text_input("Name", session.label, max_chars=200)
        note = st.text_area("Note", session.note, max_chars=2000, height=80)
        if st.form_submit_button("Save", type="primary"):
            try:
                history.update(session.id, weight_kg=weight, entered_reps=reps, label=label, note=note)
            except ConfigError as error:
                st.error(plain(str(error)))
            else:
                _again("Saved.")


def _data(history: History) -> None:
    st.subheader("Your data")
    st.markdown(f"It is in one file: {plain(str(history.path))}")
    # Made when it is asked for: years of sessions take seconds to write out.
    if st.button("Export all sessions", key="history_export", icon=":material/download:"):
        first, second = st.columns(2)
        for column, form, mime in ((first, "csv", "text/csv"), (second, "json", "application/json")):
            name = f"formcheck-history.{form}"
            column.download_button(f"Save {name}", history.export(form), name, mime, on_click="ignore")
    count = len(history)
    with st.expander("Delete everything"):
        sure = st.checkbox(f"Yes, delete all {count} sessions. This cannot be undone.", key="history_sure")
        if st.button("Delete all", disabled=not sure, key="history_delete_all", icon=":material/delete_forever:"):
            history.delete_all()
            _again("All sessions are deleted.")


def _again(said: str) -> None:
    """Run the page again with what is kept now, and say what was done."""
    st.session_state[SAID] = said
    st.session_state[REVISION] = st.session_state.get(REVISION, 0) + 1
    st.rerun()
