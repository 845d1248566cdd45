"""The history in a real browser: what was kept and entered is there after the app has been started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
KEEP = """
import sys
sys.path.insert(0, {tests!r})
from session_factory import report
from formcheck.history import History
with History.open() as history:
    history.add(report(), source="live", label="first set")
"""


def keep_session(app: Any) -> None:
    """Keep a session as another program of the same person would."""
    env = {"XDG_DATA_HOME": str(app.home / "data"), "HOME": str(app.home), "PYTHONPATH": str(TESTS.parent)}
    subprocess.run([sys.executable, "-c", KEEP.format(tests=str(TESTS))], env=env, check=True)


def session_box(page: Any, text: str) -> Any:
    """The choice of sessions, once `text` is in the chosen one's line."""
    return page.locator(f"input[aria-label='Session'][value*='{text}']")


def test_history_persists_over_a_restart(own_app: Any, new_page: Any) -> None:
    own_app.start()
    keep_session(own_app)
    page = new_page(own_app)
    page.goto("/history")
    weight = page.get_by_label("Weight, kg (0 for none)")
    weight.fill("72.5")
    page.get_by_role("button", name="Save", exact=True).click()
    session_box(page, "72.5 kg: first set").wait_for()
    page.get_by_text("Keep my sessions").click()
    page.get_by_text("Switched off").wait_for()

    own_app.stop()
    own_app.start()
    page = new_page(own_app)
    page.goto("/history")
    session_box(page, "72.5 kg: first set").wait_for()
    page.get_by_text("Switched off").wait_for()
    page.goto(page.get_by_role("link", name="Symptom check").last.get_attribute("href"))
    page.locator("input[aria-label='Which session is it about?'][value*='Romanian deadlift']").wait_for()
    page.goto("/history")
    page.get_by_role("button", name="Delete this session").click()
    page.get_by_text("No session yet").wait_for()


def test_a_red_flag_is_answered_at_once(page: Any) -> None:
    page.goto("/symptoms")
    page.get_by_text("Calf", exact=True).click()
    page.get_by_text("Soften your knees").or_(page.get_by_text("Let the ankle rest")).first.wait_for()
    page.get_by_text("A pull or stretch").click()
    stretch = page.get_by_role("link", name="Gastrocnemius wall stretch")
    assert stretch.get_attribute("href").endswith("library?show=gastrocnemius-wall-stretch")
    page.get_by_text("A calf that is swollen, warm or red").click()
    page.get_by_text("See a professional today").wait_for()
    page.get_by_text("Soften your knees").wait_for(state="detached")
