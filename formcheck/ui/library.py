"""The library: every exercise and rule, in the words of `formcheck explain`."""

from __future__ import annotations

import streamlit as st

from formcheck.exercises import EXERCISES
from formcheck.explain import explain_exercise, explain_rule
from formcheck.rules import RULES


def page() -> None:
    """Show what can be checked, and one exercise or rule in full."""
    st.title("Library")
    names = [*EXERCISES, *RULES]
    wanted = st.query_params.get("show", names[0])
    name = st.selectbox("Exercise or rule", names, index=names.index(wanted) if wanted in names else 0)
    st.markdown(explain_exercise(EXERCISES[name]) if name in EXERCISES else explain_rule(RULES[name]))
