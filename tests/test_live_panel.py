"""What the live panel shows and says, without a browser."""

from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.rtcrtpreceiver import TimestampMapper
from streamlit_webrtc import component

from formcheck.coach import Coaching, Saying, SetupState, Tone
from formcheck.coach import Stage as SetupStage
from formcheck.exercises import EXERCISES
from formcheck.live import PLACES, Plan, Snapshot, Stage
from formcheck.types import Cue, Measurement, Phase, Pose, Side, Status, Update
from formcheck.ui import live, live_feed
from formcheck.ui.live_feed import Feed
from formcheck.ui.live_panel import AGAIN, BEGIN, FOLDER, RECOGNISING, panel_data

RDL, TOUCH = EXERCISES["romanian-deadlift"], EXERCISES["standing-toe-touch"]


def update(count: int = 0, visible: bool = True) -> Update:
    return Update(Pose.missing(0, 0.0, (4, 4)), Measurement(0.0, Side.LEFT, {}, visible), Phase.REST, count)


def test_before_and_between_sets() -> None:
    assert panel_data(None, "run-0")["words"] == BEGIN
    assert panel_data(None, "run-1", AGAIN)["words"] == AGAIN


def test_the_coach_has_one_instruction_or_the_countdown() -> None:
    placing = SetupState(SetupStage.PLACING, "Turn side-on to the camera.")
    shown = panel_data(Snapshot(Stage.SETUP, update(), placing, exercise=RDL), "a")
    assert (shown["words"], shown["number"], shown["share"]) == ("Turn side-on to the camera.", "", None)
    still = SetupState(SetupStage.STILL, "Hold still.", still_share=0.504)
    assert panel_data(Snapshot(Stage.SETUP, update(), still), "a")["share"] == 0.5
    counting = SetupState(SetupStage.COUNTDOWN, "Get ready.", count=2)
    shown = panel_data(Snapshot(Stage.SETUP, update(), counting), "a")
    assert (shown["number"], shown["unit"], shown["words"]) == ("2", "Get ready.", "")


@pytest.mark.parametrize(("count", "unit"), [(0, "repetitions"), (1, "repetition"), (12, "repetitions")])
def test_the_count_is_the_big_number(count: int, unit: str) -> None:
    shown = panel_data(Snapshot(Stage.SET, update(count), None, Coaching(), RDL), "a")
    assert (shown["number"], shown["unit"], shown["title"]) == (f"{count}", unit, "Romanian deadlift")


def test_the_seconds_of_a_hold_are_the_big_number_while_it_lasts() -> None:
    holding = Coaching(hold_s=7.9, hold_goal_s=15.0)
    shown = panel_data(Snapshot(Stage.SET, update(1), None, holding, TOUCH), "a")
    assert (shown["number"], shown["unit"], shown["small"]) == ("7", "seconds held of 15", "1 hold before")
    assert panel_data(Snapshot(Stage.SET, update(1), None, Coaching(), TOUCH), "a")["unit"] == "hold"
    endless = Coaching(hold_s=3.0, hold_goal_s=math.nan)
    assert panel_data(Snapshot(Stage.SET, update(), None, endless, TOUCH), "a")["unit"] == "seconds held"


def test_tempo_cue_and_losing_sight() -> None:
    coaching = Coaching(Cue("Hips back.", "x", Status.FAULT), lifting_s=1.23, lowering_s=2.0)
    shown = panel_data(Snapshot(Stage.SET, update(3), None, coaching, RDL), "a")
    assert shown["small"] == "last: up 1.2 s, down 2.0 s"
    assert shown["cue"] == {"text": "Hips back.", "status": "fault"}
    lost = panel_data(Snapshot(Stage.SET, update(3, visible=False), None, coaching, RDL), "a")
    assert lost["small"] == "I cannot see you."


def test_until_the_exercise_is_known_it_says_so() -> None:
    assert panel_data(Snapshot(Stage.SET, update(), None, Coaching()), "a")["words"] == RECOGNISING


def test_a_failure_is_a_sentence() -> None:
    assert panel_data(Snapshot(Stage.FAILED, error="the model is missing"), "a")["words"] == "The model is missing."
    assert panel_data(Snapshot(Stage.ENDED), "a")["words"] == "The set has ended."


def test_sayings_go_along_with_their_numbers() -> None:
    sayings = ((4, Saying("1", Tone.REP)), (5, Saying("Hips back.", Tone.CUE, urgent=True)))
    assert panel_data(Snapshot(Stage.SET, update(), None, Coaching(), RDL, sayings), "a")["sayings"] == [
        {"number": 4, "text": "1", "tone": "rep", "urgent": False},
        {"number": 5, "text": "Hips back.", "tone": "cue", "urgent": True},
    ]


def test_the_panel_knows_every_tone_and_asks_no_other_host() -> None:
    script, style = (FOLDER / "panel.js").read_text(), (FOLDER / "panel.css").read_text()
    tones = script.split("const TONES = {")[1].split("}")[0]
    assert all(f"{tone}:" in tones for tone in Tone)
    assert "innerHTML" not in script
    for text in (script.replace("http://localhost", ""), style):
        assert "http://" not in text
        assert "https://" not in text
        assert "url(" not in text


def picture() -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, dtype=np.uint8), format="rgb24")
    frame.pts, frame.time_base = 4500, Fraction(1, 90_000)
    return frame


def test_the_feed_passes_frames_on_with_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = []
    monkeypatch.setattr(live_feed.LiveSession, "start", lambda self: self)
    monkeypatch.setattr(live_feed.LiveSession, "offer", lambda _, frame: offered.append(frame))
    feed = Feed(Plan(RDL), mirror=True)
    out = feed.recv(picture())
    assert (out.pts, out.time_base, out.width, out.height) == (4500, Fraction(1, 90_000), 64, 48)
    assert offered[0].time_s == pytest.approx(0.05)
    assert offered[0].image.shape == (48, 64, 3)


def test_a_frame_out_of_order_does_not_turn_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = []
    monkeypatch.setattr(live_feed.LiveSession, "start", lambda self: self)
    monkeypatch.setattr(live_feed.LiveSession, "offer", lambda _, frame: offered.append(frame))
    feed, clock, frame = Feed(Plan(RDL), mirror=False), TimestampMapper(), picture()
    start = 2**32 - 5000  # the clock also begins anew for good
    for ticks in (0, 3600, 7200, 3600, 10_800, 14_400):
        frame.pts = clock.map((start + ticks) % 2**32)
        feed.recv(frame)
    assert frame.time > 2**32 / 90_000  # what aiortc makes of it
    assert [item.time_s for item in offered] == pytest.approx([0.0, 0.04, 0.08, 0.04, 0.12, 0.16])


def test_a_feed_without_a_place_shows_the_picture_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PLACES, "_taken", PLACES.count)
    feed = Feed(Plan(RDL), mirror=False)
    assert "please wait" in feed.refused
    frame = picture()
    assert feed.recv(frame) is frame
    feed.on_ended()


class TestConnection:
    """streamlit-webrtc's own notion of a page that was left goes by a count that comes late on a busy computer."""

    def reset(self, monkeypatch: pytest.MonkeyPatch, runs: int, *, left: bool) -> bool:
        """Whether it ends the connection when its page is run as number `runs`, last run as number 3."""
        context = component.WebRtcStreamerContext(None, component.WebRtcStreamerState(playing=True, signalling=True))
        context._last_rendered_run_count = 3
        monkeypatch.setattr(component.st, "session_state", {"camera": context})
        monkeypatch.setattr(component, "get_this_session_info", object)
        monkeypatch.setattr(component, "get_script_run_count", lambda _info: runs)
        live._keep_connection(context, left=left)
        assert component._get_or_create_context("camera") is context
        return not context.state.playing

    @pytest.mark.parametrize("runs", [3, 4, 5, 9])
    def test_it_stays_however_late_runs_are_counted(self, monkeypatch: pytest.MonkeyPatch, runs: int) -> None:
        assert not self.reset(monkeypatch, runs, left=False)

    @pytest.mark.parametrize("runs", [3, 4, 5])
    def test_it_ends_where_another_page_was_shown(self, monkeypatch: pytest.MonkeyPatch, runs: int) -> None:
        assert self.reset(monkeypatch, runs, left=True)

    def test_without_our_word_it_would_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live, "_keep_connection", lambda *_args, **_more: None)
        assert self.reset(monkeypatch, 5, left=False)
