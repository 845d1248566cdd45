"""The panel beside the live picture: what it shows and says, from a snapshot; drawn and spoken by the browser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

from formcheck.coach import Stage as SetupStage
from formcheck.live import Snapshot, Stage
from formcheck.reports.words import sentence
from formcheck.types import Kind

FOLDER: Final = Path(__file__).with_name("panel")
BEGIN: Final = "Press Start, and step into the picture."
AGAIN: Final = "Your set is below. For the next one, press Start again."
NOT_BEGUN: Final = "The set had not begun when the camera stopped. Press Start to try again."
RECOGNISING: Final = "Carry on: the exercise is recognised after a repetition or two."


@cache
def _component() -> Any:
    html, css, js = ((FOLDER / f"panel.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("formcheck_live_panel", html=html, css=css, js=js)


def show_panel(snapshot: Snapshot | None, run: str, idle: str = BEGIN) -> None:
    """Show a snapshot; None shows `idle`. Sayings of one `run` are said once each."""
    _component()(data=panel_data(snapshot, run, idle), key="live-panel")


def panel_data(snapshot: Snapshot | None, run: str, idle: str = BEGIN) -> Mapping[str, Any]:
    """What the browser needs: plain text and numbers, nothing from outside this program."""
    data: dict[str, Any] = {
        "run": run,
        "stage": "idle",
        "title": "",
        "number": "",
        "unit": "",
        "words": idle,
        "small": "",
        "share": None,
        "cue": None,
        "notice": snapshot.notice if snapshot is not None and snapshot.stage is Stage.SET else "",
        "sayings": [],
    }
    if snapshot is None:
        return data
    data["stage"] = str(snapshot.stage)
    data["title"] = snapshot.exercise.title if snapshot.exercise else ""
    data["sayings"] = [
        {"number": number, "text": saying.text, "tone": saying.tone or "", "urgent": saying.urgent}
        for number, saying in snapshot.sayings
    ]
    if snapshot.stage is Stage.STARTING:
        data["words"] = "One moment: the camera and the model are starting."
    elif snapshot.stage is Stage.SETUP:
        data |= _setup(snapshot)
    elif snapshot.stage is Stage.SET:
        data |= _set(snapshot)
    else:
        data["words"] = sentence(snapshot.error) or "The set has ended."
    return data


def _setup(snapshot: Snapshot) -> dict[str, Any]:
    setup = snapshot.setup
    if setup is None:
        return {"words": ""}
    if setup.stage is SetupStage.COUNTDOWN:
        return {"number": f"{setup.count}", "unit": setup.text, "words": ""}
    still = setup.stage is SetupStage.STILL
    return {"words": setup.text, "share": round(setup.still_share, 2) if still else None}


def _set(snapshot: Snapshot) -> dict[str, Any]:
    update, coaching, exercise = snapshot.update, snapshot.coaching, snapshot.exercise
    if exercise is None or update is None or coaching is None:
        return {"words": RECOGNISING}
    count = update.rep_count
    counted = _unit(count, exercise.kind)
    shown: dict[str, Any] = {"words": "", "number": f"{count}", "unit": counted}
    if not math.isnan(coaching.hold_s):
        goal = "" if math.isnan(coaching.hold_goal_s) else f" of {coaching.hold_goal_s:.0f}"
        shown |= {"number": f"{math.floor(coaching.hold_s)}", "unit": f"seconds held{goal}"}
        shown["small"] = f"{count} {counted} before" if count else ""
    elif not math.isnan(coaching.lifting_s):
        shown["small"] = f"last: up {coaching.lifting_s:.1f} s, down {coaching.lowering_s:.1f} s"
    if not update.measurement.visible:
        shown["small"] = "I cannot see you."
    if coaching.cue is not None:
        shown["cue"] = {"text": coaching.cue.text, "status": str(coaching.cue.status)}
    return shown


def _unit(count: int, kind: Kind) -> str:
    noun = "hold" if kind is Kind.HOLD else "repetition"
    return noun if count == 1 else f"{noun}s"
