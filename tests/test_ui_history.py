"""The history page and the symptom check, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from session_factory import report
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from formcheck.history import History
from formcheck.types import Report, Side, Status
from formcheck.ui.history import plain

TIMEOUT_S = 30
Keep = Callable[..., int]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "history.sqlite3"
    monkeypatch.setenv("FORMCHECK_HISTORY", str(place))
    return place


@pytest.fixture
def keep(path: Path) -> Keep:
    def add(made: Report | None = None, days_ago: float = 1.0, **entered: object) -> int:
        with History.open(path) as history:
            when = datetime.now(UTC) - timedelta(days=days_ago)
            number = history.add(made or report(), source="live", when=when, **entered)  # type: ignore[arg-type]
            assert number is not None
            return number

    return add


def run(module: str, **query: str) -> AppTest:
    app = AppTest.from_string(f"from formcheck.ui.{module} import page\npage()", default_timeout=TIMEOUT_S)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    parts = (*app.markdown, *app.info, *app.success, *app.warning, *app.error, *app.caption)
    return "\n".join(str(part.value) for part in parts)


def session_box(app: AppTest) -> Selectbox:
    return next(box for box in app.selectbox if box.label == "Session")


class TestHistory:
    def test_without_sessions_it_says_how_they_come(self, path: Path) -> None:
        assert "No session yet" in texts(run("history"))

    def test_form_that_held_twice_is_told_and_the_change_is_none(self, keep: Keep) -> None:
        for days_ago in (4, 2):
            keep(days_ago=days_ago, weight_kg=60)
        app = run("history")
        assert "Add a little weight (60 kg)" in app.success[0].value
        assert "Nothing changed that the camera can tell." in texts(app)

    def test_a_real_change_is_shown_before_the_others(self, keep: Keep) -> None:
        for days_ago, back in ((20, 40.0), (1, 10.0)):
            keep(report(measured={"rounded-lower-back": [back] * 5}), days_ago=days_ago)
        words = texts(run("history"))
        assert "A real change, for the better: 30 deg less" in words
        assert words.index("Rounding of the lower back") < words.index("Knee bend where")

    def test_two_sessions_can_be_compared(self, keep: Keep) -> None:
        old = keep(report(measured={"rounded-lower-back": [40.0] * 5}), days_ago=20)
        keep(report(measured={"rounded-lower-back": [10.0] * 5}), days_ago=1)
        app = run("history")
        box = next(box for box in app.selectbox if box.label == "Compare with an earlier session")
        assert "**Locked" not in texts(app)
        box.select(old).run()
        assert "**Knee bend where the knee is straightest:** No change" in texts(app)

    def test_both_sides_have_their_own_tab(self, keep: Keep) -> None:
        keep(report(side=Side.LEFT))
        keep(report(side=Side.RIGHT))
        assert [tab.label for tab in run("history").tabs] == ["Left side", "Right side"]

    def test_weight_and_note_can_be_entered(self, keep: Keep, path: Path) -> None:
        number = keep()
        app = run("history")
        app.number_input[0].set_value(72.5)
        app.number_input[1].set_value(6)
        app.text_area[0].set_value("slept *badly*")
        next(button for button in app.button if button.label == "Save").click().run()
        assert not app.exception
        with History.open(path) as history:
            found = history.session(number)
        assert (found.weight_kg, found.entered_reps, found.note) == (72.5, 6, "slept *badly*")
        assert ", 72.5 kg" in session_box(app).options[0]

    def test_the_session_looked_at_stays_chosen_when_it_is_changed(self, keep: Keep) -> None:
        keep(days_ago=3, label="older")
        keep(days_ago=1, label="newer")
        app = run("history")
        session_box(app).select_index(1).run()
        app.number_input[0].set_value(50.0)
        next(button for button in app.button if button.label == "Save").click().run()
        assert session_box(app).options[1].endswith("50 kg: older")
        assert session_box(app).index == 1

    def test_one_session_can_be_deleted(self, keep: Keep, path: Path) -> None:
        first, _ = keep(days_ago=3), keep(days_ago=1)
        app = run("history")
        next(button for button in app.button if button.label == "Delete this session").click().run()
        with History.open(path) as history:
            assert [session.id for session in history.sessions()] == [first]
        assert len(session_box(app).options) == 1

    def test_all_are_deleted_only_after_a_yes(self, keep: Keep, path: Path) -> None:
        keep()
        app = run("history")
        assert app.button(key="history_delete_all").disabled
        app.checkbox(key="history_sure").check().run()
        app.button(key="history_delete_all").click().run()
        with History.open(path) as history:
            assert len(history) == 0
        assert "No session yet" in texts(app)

    def test_the_switch_is_kept(self, path: Path) -> None:
        run("history").toggle(key="history_keep").set_value(False).run()
        with History.open(path) as history:
            assert not history.recording
        assert "Switched off" in texts(run("history"))

    def test_a_period_leaves_older_sessions_out(self, keep: Keep) -> None:
        keep(days_ago=200)
        keep(days_ago=2)
        app = run("history")
        assert len(session_box(app).options) == 2
        app.selectbox(key="history_period").select("Last month").run()
        assert len(session_box(app).options) == 1

    def test_a_damaged_history_is_one_line(self, path: Path) -> None:
        path.write_bytes(b"no database" * 1000)
        app = run("history")
        assert len(app.error) == 1
        assert "left as it is" in app.error[0].value

    def test_the_export_is_offered_when_it_is_asked_for(self, keep: Keep) -> None:
        keep()
        app = run("history")
        assert not app.get("download_button")
        app.button(key="history_export").click().run()
        assert len(app.get("download_button")) == 2

    @pytest.mark.parametrize("text", ["<b>x</b>", "[x](http://a)", "*x*", "$x$", ":red[x]", "`x`", "a\nb"])
    def test_words_from_outside_are_no_markdown(self, text: str) -> None:
        made = plain(text)
        assert "\n" not in made
        assert made.replace("\\", "") == text.replace("\n", " ")
        assert all(made[i - 1] == "\\" for i, letter in enumerate(made) if letter in "<>[]*$:`")


def tick(app: AppTest, *keys: str) -> AppTest:
    for key in keys:
        app.checkbox(key=f"symptoms_{key}").check().run()
    assert not app.exception
    return app


class TestSymptoms:
    def test_a_red_flag_leaves_nothing_but_the_professional(self, keep: Keep) -> None:
        keep(days_ago=0.01)
        app = tick(run("symptoms"), "places_calf", "feelings_pull", "swollen-calf")
        assert [str(item.value).split(".")[0] for item in app.error] == ["**See a professional today", "**Stop for now"]
        assert not app.info
        assert not app.radio
        assert not app.selectbox

    def test_a_fresh_session_is_combined_with_the_answers(self, keep: Keep) -> None:
        keep(report("seated-hamstring-stretch", statuses={"excessive-dorsiflexion": Status.FAULT}), days_ago=0.01)
        app = tick(run("symptoms"), "places_calf", "feelings_pull")
        assert "Let the ankle rest" in app.info[0].value
        assert "The camera saw this" in app.info[0].value
        assert app.radio[0].value.text == "A hamstring stretch"

    def test_an_old_session_is_not_taken_by_itself_but_by_its_address(self, keep: Keep) -> None:
        number = keep(report("prone-leg-curl"), days_ago=5)
        assert run("symptoms").selectbox(key="symptoms_session").value is None
        app = run("symptoms", session=str(number))
        assert app.selectbox(key="symptoms_session").value == number
        assert app.radio[0].value.text == "Leg curls"

    @pytest.mark.parametrize("session", ["0", "99", "x", "-1", "9" * 40])
    def test_an_address_of_no_session_is_none(self, keep: Keep, session: str) -> None:
        keep(days_ago=5)
        assert run("symptoms", session=session).selectbox(key="symptoms_session").value is None

    def test_without_history_it_works_from_the_answers(self, path: Path) -> None:
        app = tick(run("symptoms"), "places_foot", "feelings_numbness")
        assert "See a professional" in app.warning[0].value
        assert not app.selectbox

    def test_a_damaged_history_does_not_stop_it(self, path: Path) -> None:
        path.write_bytes(b"no database" * 1000)
        app = tick(run("symptoms"), "places_calf", "feelings_pull")
        assert "left as it is" in app.warning[0].value
        assert "Soften your knees" in texts(app)
