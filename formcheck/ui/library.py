"""The library: every exercise and rule in the words of `formcheck explain`, with pictures.

`/library?show=locked-knees` opens one of them, `/library?find=knee` a search.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Final

import streamlit as st

from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.explain import exercise_limits, explain_exercise, explain_rule, limits_text, parse_documentation
from formcheck.rules import RULES
from formcheck.rules.base import Rule
from formcheck.types import Position
from formcheck.ui.workspace import markdown_text, shown_name

PICTURES: Final = Path(__file__).with_name("pictures")
LOW: Final = frozenset({Position.LONG_SITTING, Position.PRONE, Position.SUPINE, Position.ALL_FOURS})
COLUMNS: Final = 3


def page() -> None:
    """Show everything that can be checked, or one exercise or rule in full."""
    shown = st.query_params.get("show", "")
    if shown in EXERCISES:
        _exercise(EXERCISES[shown])
    elif shown in RULES:
        _rule(RULES[shown])
    else:
        _overview(shown)


def _overview(unknown: str) -> None:
    st.title("Library", anchor=False)
    if unknown:
        st.warning(f"There is nothing here called {markdown_text(shown_name(unknown))}.")
    words = st.text_input(
        "Find an exercise or a rule", st.query_params.get("find", ""), placeholder="knee, curl, toes ...", key="find"
    )
    exercises = [exercise for exercise in EXERCISES.values() if matches(words, exercise_words(exercise))]
    rules = [rule for rule in RULES.values() if matches(words, rule_words(rule))]
    if not exercises and not rules:
        st.write("Nothing was found. Fewer or other words may help.")
    if exercises:
        st.subheader("Exercises and stretches", anchor=False)
        for start in range(0, len(exercises), COLUMNS):
            for column, exercise in zip(st.columns(COLUMNS), exercises[start : start + COLUMNS], strict=False):
                _card(column.container(border=True), exercise)
    if rules:
        st.subheader("Rules", anchor=False)
        for rule in rules:
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{rule.title}.** {parse_documentation(rule.documentation).summary}", width="stretch")
                _open_button(rule.id, "Read")


def matches(words: str, text: str) -> bool:
    """Whether every word that was typed is somewhere in a text."""
    return all(word in text.lower() for word in words.lower().split())


def exercise_words(exercise: Exercise) -> str:
    """What a search looks through."""
    return " ".join([exercise.id, exercise.title, *exercise.aliases, exercise.position, exercise.documentation])


def rule_words(rule: Rule) -> str:
    """What a search looks through."""
    return " ".join([rule.id, rule.title, rule.message, rule.cue, rule.documentation.partition("Evidence\n")[0]])


def _card(place: st.delta_generator.DeltaGenerator, exercise: Exercise) -> None:
    place.image(str(picture_of(exercise)), width="stretch")
    place.markdown(f"**{exercise.title}**  \n{inspect.cleandoc(exercise.documentation).partition(chr(10))[0]}")
    with place:
        _open_button(exercise.id, "Open")


def picture_of(exercise: Exercise) -> Path:
    """The picture of an exercise, made by `benchmarks/library_pictures.py`."""
    return PICTURES / f"{exercise.id}.jpg"


def camera_drawing(exercise: Exercise) -> Path:
    """How to place the camera for it."""
    return PICTURES / ("camera-low.svg" if exercise.position in LOW else "camera-standing.svg")


def _open_button(name: str, word: str) -> None:
    st.button(word, key=f"open-{name}", on_click=_show, args=(name,))


def _show(name: str) -> None:
    st.query_params.from_dict({"show": name} if name else {})


def _exercise(exercise: Exercise) -> None:
    _back_and_title(exercise.title)
    left, right = st.columns(2, gap="large")
    left.image(str(picture_of(exercise)), caption="Skeleton and angles as formcheck draws them", width="stretch")
    right.image(str(camera_drawing(exercise)), caption="Where the camera stands", width="stretch")
    st.markdown(_below_title(explain_exercise(exercise)).partition("\n## Rules\n")[0])
    st.header("Rules", anchor=False)
    for use in exercise.rules:
        rule = RULES[use.rule]
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            limits = limits_text(rule, exercise_limits(rule, use))
            st.markdown(f"**{rule.title}.** {use.cue or rule.cue}  \n:small[{markdown_text(limits)}]", width="stretch")
            _open_button(rule.id, "Read")


def _rule(rule: Rule) -> None:
    _back_and_title(rule.title)
    st.markdown(_below_title(explain_rule(rule)))
    used = [exercise for exercise in EXERCISES.values() if exercise.rule_use(rule.id) is not None]
    if used:
        st.header("Exercises that it belongs to", anchor=False)
        with st.container(horizontal=True, gap="small"):
            for exercise in used:
                st.button(exercise.title, key=f"exercise-{exercise.id}", on_click=_show, args=(exercise.id,))


def _back_and_title(title: str) -> None:
    st.button("All exercises and rules", icon=":material/arrow_back:", on_click=_show, args=("",))
    st.title(title, anchor=False)


def _below_title(markdown: str) -> str:
    """An explanation without its first heading and title, which the page has in its own way."""
    body = markdown.partition("\n")[2].lstrip()
    return re.sub(r"\A\*\*[^*]+\*\* ", "", body)
