"""The symptom check: what is felt, beside what the camera saw. The signs that need a professional are asked first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import streamlit as st

from formcheck.errors import HistoryError
from formcheck.exercises import EXERCISES
from formcheck.history import History, Session
from formcheck.symptoms import (
    Activity,
    Advice,
    Answers,
    Change,
    Duration,
    Feeling,
    Flag,
    Holding,
    Kind,
    Place,
    advise,
    measured_in,
)
from formcheck.symptoms.questions import QUESTIONS, Answer
from formcheck.symptoms.texts import DISCLAIMER
from formcheck.types import Kind as ExerciseKind
from formcheck.ui.history import plain, when_text

T = TypeVar("T", bound=Answer)

COLUMNS: Final = 3
OFFERED: Final = 10  # sessions to choose from
FRESH: Final = timedelta(days=1)  # a session this new is taken without asking: it is what the feeling is about
ICONS: Final = {
    Kind.PROFESSIONAL: ":material/medical_services:",
    Kind.STOP: ":material/block:",
    Kind.EASE: ":material/trending_down:",
    Kind.FORM: ":material/accessibility_new:",
    Kind.EXERCISE: ":material/directions_run:",
    Kind.NOTE: ":material/info:",
}


def page() -> None:
    """Ask, and answer as the answers come."""
    st.title("Symptom check")
    st.caption(DISCLAIMER)
    flags = _flags()
    if flags:
        # Nothing else is asked or shown: whatever it was, it would draw attention from this.
        for item in advise(Answers(flags=flags)):
            st.error(_text(item), icon=ICONS[item.kind])
        return
    session = _session()
    answers = _answers(session)
    st.subheader("What may help")
    for item in advise(answers, measured_in(session.report) if session else None):
        box = st.warning if item.kind is Kind.PROFESSIONAL else st.info
        box(_text(item), icon=ICONS[item.kind])


def _flags() -> frozenset[Flag]:
    with st.container(border=True):
        st.markdown(f"**First: {QUESTIONS['flags'][0].lower()}**")
        return frozenset(flag for flag in Flag if st.checkbox(flag.text, key=f"symptoms_{flag.key}"))


def _session() -> Session | None:
    """The session to combine with: the one in the address, else a fresh one, else none."""
    try:
        with History.open() as history:
            sessions = {session.id: session for session in reversed(history.sessions(limit=OFFERED))}
    except HistoryError as error:
        st.warning(plain(str(error)))
        return None
    if not sessions:
        return None
    wanted = st.query_params.get("session", "")
    latest = next(iter(sessions.values()))
    fresh = latest.id if datetime.now(UTC) - latest.when < FRESH else None
    chosen = int(wanted) if wanted.isdecimal() and int(wanted) in sessions else fresh
    choices = [None, *sessions]

    def words(number: int | None) -> str:
        if number is None:
            return "No session, only my answers"
        session = sessions[number]
        title = EXERCISES[session.exercise].title if session.exercise in EXERCISES else session.exercise
        return f"{title}, {when_text(session)}"

    number = st.selectbox(
        "Which session is it about?", choices, choices.index(chosen), format_func=words, key="symptoms_session"
    )
    return None if number is None else sessions[number]


def _answers(session: Session | None) -> Answers:
    places, feelings = _several("places", Place), _several("feelings", Feeling)
    first, second = st.columns(2)
    with first:
        usual = _activity(session)
        # Another session brings another answer: it has a key of its own.
        activity = _one("activity", Activity, list(Activity).index(usual), f"symptoms_activity_{usual.key}")
        holding = _one("holding", Holding)
    with second:
        duration = _one("duration", Duration)
        head = _one("head", Change)
        ankle = _one("ankle", Change)
    return Answers(places, feelings, holding, head, ankle, duration, activity)


def _several(question: str, answers: type[T]) -> frozenset[T]:
    """Boxes to tick: of all widgets for several answers the one that everybody can see and reach by keyboard."""
    st.markdown(f"**{QUESTIONS[question][0]}**")
    every, columns = list(answers), st.columns(COLUMNS)
    height = -(-len(every) // COLUMNS)  # column by column, so that a phone, which stacks them, keeps the order
    chosen = set()
    for index, answer in enumerate(every):
        if columns[index // height].checkbox(answer.text, key=f"symptoms_{question}_{answer.key}"):
            chosen.add(answer)
    return frozenset(chosen)


def _words(answer: Answer) -> str:
    return answer.text


def _one(question: str, answers: type[T], index: int = 0, key: str = "") -> T:
    choices = list(answers)
    chosen = st.radio(
        f"**{QUESTIONS[question][0]}**",
        choices,
        index,
        format_func=_words,
        horizontal=answers is Change,
        key=key or f"symptoms_{question}",
    )
    return choices[index] if chosen is None else chosen


def _activity(session: Session | None) -> Activity:
    """What brings it on, as the session suggests."""
    exercise = EXERCISES.get(session.exercise) if session else None
    if exercise is None:
        return Activity.OTHER
    if exercise.kind is ExerciseKind.HOLD:
        return Activity.STRETCH
    if exercise.signal.metric == "knee_flexion_deg":
        return Activity.CURL if exercise.signal.rising else Activity.OTHER
    return (
        Activity.HINGE
        if exercise.rule_use("hinge-from-hips") or exercise.rule_use("hips-rise-first")
        else Activity.OTHER
    )


def _text(item: Advice) -> str:
    parts = [f"**{item.title}.** {item.text}"]
    if item.measured:
        parts.append(f"*{item.measured}*")
    if item.exercises:
        links = (f"[{EXERCISES[name].title}](library?show={name})" for name in item.exercises)
        parts.append("How to do it: " + ", ".join(links))
    return "  \n".join(parts)
