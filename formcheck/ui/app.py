"""The router: which pages there are. A page's module is imported when it is opened: the first one comes soon."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: `formcheck.ui.<module>` with a function `page() -> None`, at `/<module>`; the first one at `/` only.

    Attributes
    ----------
    module, title : str
    icon : str
        A Material symbol of Streamlit's own font: ``:material/movie:``.
    """

    module: str
    title: str
    icon: str


PAGES: Final = (
    PageEntry("upload", "Check a video", ":material/movie:"),
    PageEntry("live", "Live", ":material/videocam:"),
    PageEntry("library", "Library", ":material/menu_book:"),
    PageEntry("history", "History", ":material/timeline:"),
    PageEntry("symptoms", "Symptom check", ":material/healing:"),
)
# Streamlit would fetch one of its own symbols, or an emoji, from another host.
ICON: Final = Path(__file__).with_name("pictures") / "icon.svg"
SHOWN: Final = "page-shown"  # in the session: the page that was run last
LEFT: Final = "page-left"  # and whether another one was, since the live page last looked
# On a dark page the accent colour must be light to be read as text; Streamlit would still write white on it.
ON_ACCENT: Final = "#06251b"
DARK_STYLE: Final = f"""<style>
.stApp :is([data-testid^="stBaseButton-primary"], [data-testid^="stBaseLinkButton-primary"]):not(:disabled)
{{ color: {ON_ACCENT}; }}
</style>"""


def main() -> None:
    """Run the page that was asked for; the first one is the start page."""
    _begin_at_the_top()
    st.set_page_config(page_title="formcheck", page_icon=str(ICON), layout="wide")
    if st.context.theme.type == "dark":
        st.html(DARK_STYLE)
    pages = [
        st.Page(partial(_open, entry.module), title=entry.title, icon=entry.icon, url_path=entry.module, default=first)
        for entry, first in zip(PAGES, (True, *[False] * len(PAGES)), strict=False)
    ]
    st.navigation(pages, position="top").run()


def _begin_at_the_top() -> None:
    """Draw into the page itself, whatever ran before in this thread.

    Streamlit leaves a fragment's run inside the columns that the fragment is drawn in. A run of the whole page which is
    asked for at that run's very end follows in the same thread, and Streamlit would draw all of it in there.
    """
    context_dg_stack.set(get_default_dg_stack_value())


def _open(module: str) -> None:
    if st.session_state.get(SHOWN) not in (None, module):
        st.session_state[LEFT] = True
    st.session_state[SHOWN] = module
    import_module(f"formcheck.ui.{module}").page()
