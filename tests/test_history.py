"""The kept sessions: what is stored, what never is, and that no accident loses or leaks any of it."""

import csv
import io
import json
import math
import multiprocessing
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_factory import START, report

from formcheck import accuracy
from formcheck.errors import ConfigError, HistoryError
from formcheck.history import History, default_path, file
from formcheck.history.records import clip_name
from formcheck.reports.json import report_from_dict, report_to_dict
from formcheck.types import Position, Side, Status


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite3"


@pytest.fixture
def history(path):
    with History.open(path) as opened:
        yield opened


class TestSessions:
    def test_a_session_comes_back_as_it_was(self, path):
        made = report(
            statuses={"locked-knees": [Status.FAULT, Status.OK, Status.NOT_JUDGED, Status.OK, Status.CAUTION]}
        )
        with History.open(path) as history:
            number = history.add(
                made, source="live", label="heavy day", weight_kg=82.5, entered_reps=6, note="slept badly", when=START
            )
        with History.open(path) as history:
            (found,) = history.sessions()
        assert (found.id, found.when, found.source) == (number, START, "live")
        assert (found.label, found.weight_kg, found.entered_reps, found.note) == ("heavy day", 82.5, 6, "slept badly")
        assert found.exercise == "romanian-deadlift"
        assert report_to_dict(found.report) == report_to_dict(replace(made, clip=replace(made.clip, path="rdl.mp4")))
        assert found.count(Status.FAULT) == 1

    def test_each_metric_is_kept_with_its_error_of_that_day(self, history):
        history.add(report(yaw_deg=5.0), source="file")
        errors = history.sessions()[0].errors
        assert errors["knee_flexion_min_deg"] == accuracy.sigma("knee_flexion_deg", Position.STANDING, 5.0)
        assert errors["lowering_s"] == accuracy.sigma("lowering_s", Position.STANDING, 5.0)
        assert errors["range_deg"] == accuracy.sigma("hip_flexion_change_deg", Position.STANDING, 5.0)

    def test_oldest_first_whatever_the_order_of_adding(self, history):
        for days in (3, 1, 2):
            history.add(report(), source="live", label=str(days), when=START + timedelta(days=days))
        assert [session.label for session in history.sessions()] == ["1", "2", "3"]
        assert [session.label for session in history.sessions(limit=2)] == ["2", "3"]
        assert [session.label for session in history.sessions(since=START + timedelta(days=2))] == ["2", "3"]

    def test_one_exercise_only(self, history):
        history.add(report("prone-leg-curl"), source="live", when=START)
        history.add(report(), source="live", when=START + timedelta(days=1))
        assert [session.exercise for session in history.sessions(exercise="prone-leg-curl")] == ["prone-leg-curl"]
        assert history.exercises() == ("romanian-deadlift", "prone-leg-curl")

    def test_a_time_without_zone_is_local_and_none_is_now(self, history):
        local = datetime(2026, 3, 2, 18, 0)
        history.add(report(), source="live", when=local)
        history.add(report(), source="live")
        first, second = history.sessions()
        assert first.when == local.astimezone(UTC)
        assert timedelta() <= datetime.now(UTC) - second.when < timedelta(minutes=1)

    def test_update_changes_what_is_given_and_none_takes_it_away(self, history):
        number = history.add(report(), source="live", weight_kg=60, entered_reps=8, label="a", note="b")
        history.update(number, weight_kg=62.5)
        found = history.session(number)
        assert (found.weight_kg, found.entered_reps, found.label, found.note) == (62.5, 8, "a", "b")
        history.update(number, entered_reps=None, label="c")
        found = history.session(number)
        assert (found.weight_kg, found.entered_reps, found.label, found.note) == (62.5, None, "c", "b")

    @pytest.mark.parametrize(
        "wrong",
        [{"weight_kg": -1}, {"weight_kg": math.nan}, {"weight_kg": 1e6}, {"entered_reps": -1}, {"note": "x" * 3000}],
    )
    def test_what_cannot_have_been_meant_is_refused(self, history, wrong):
        number = history.add(report(), source="live", weight_kg=60)
        with pytest.raises(ConfigError):
            history.add(report(), source="live", **wrong)
        with pytest.raises(ConfigError):
            history.update(number, **wrong)
        assert len(history) == 1
        assert history.session(number).weight_kg == 60

    def test_delete_one_and_all(self, history):
        first, second, third = (history.add(report(), source="live") for _ in range(3))
        history.delete(second)
        assert [session.id for session in history.sessions()] == [first, third]
        assert history.delete_all() == 2
        assert history.sessions() == ()

    def test_an_id_is_never_given_again(self, history):
        number = history.add(report(), source="live")
        history.delete(number)
        assert history.add(report(), source="live") > number

    @pytest.mark.parametrize("number", [0, -1, 99, 2**70])
    def test_a_session_that_is_not_there(self, history, number):
        for attempt in (history.session, history.delete, history.update):
            with pytest.raises(HistoryError, match=f"there is no session {number}"):
                attempt(number)

    def test_export_holds_all_in_both_forms(self, history):
        history.add(report(reps=3), source="batch", label="=SUM(A1)", weight_kg=60)
        document = json.loads(history.export("json"))
        assert document["schema"] == "formcheck.history/1"
        (kept,) = document["sessions"]
        assert report_from_dict(kept["report"]) == history.sessions()[0].report
        rows = list(csv.DictReader(io.StringIO(history.export("csv"))))
        knees = [row for row in rows if row["name"] == "knee_flexion_min_deg"]
        assert [(row["rep"], row["value"]) for row in knees] == [("1", "12.000"), ("2", "12.000"), ("3", "12.000")]
        assert float(knees[0]["sigma"]) == pytest.approx(kept["errors"]["knee_flexion_min_deg"], abs=0.001)
        assert len([row for row in rows if row["kind"] == "rule"]) == len(kept["report"]["outcomes"])
        assert {row["label"] for row in rows} == {"'=SUM(A1)"}  # no spreadsheet runs it


class TestNothingElseIsKept:
    @pytest.mark.parametrize("clip", ["/home/anna/private/rdl.mp4", "C:\\Users\\anna\\rdl.mp4", "~anna/rdl.mp4"])
    def test_no_path(self, history, path, clip):
        made = report(clip=clip)
        made = replace(
            made, warnings=(f"{clip}: two frames were damaged",), tool=replace(made.tool, model=f"{clip}.task")
        )
        history.add(made, source="file")
        assert history.sessions()[0].report.warnings == ("rdl.mp4: two frames were damaged",)
        history.close()
        assert b"anna" not in path.read_bytes()

    def test_what_is_deleted_is_gone_from_the_file(self, history, path):
        number = history.add(report(), source="live", note="my-private-remark")
        history.delete(number)
        history.close()
        assert b"my-private-remark" not in path.read_bytes()

    def test_switched_off_nothing_is_stored(self, path):
        with History.open(path) as history:
            assert history.recording
            history.add(report(), source="live", label="before")
            history.set_recording(False)
        with History.open(path) as history:
            assert not history.recording
            assert history.add(report(), source="live", label="my-private-label") is None
            assert [session.label for session in history.sessions()] == ["before"]
        assert b"my-private-label" not in path.read_bytes()
        with History.open(path) as history:
            history.set_recording(True)
            assert history.add(report(), source="live") is not None

    def test_deleting_all_leaves_the_switch_as_it_is(self, history):
        history.set_recording(False)
        history.delete_all()
        assert not history.recording

    def test_only_its_owner_may_read_it(self, history, path):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0

    def test_names_of_any_bytes_can_be_kept(self, history):
        history.add(report(clip="a\udcff\0b.mp4"), source="file", label="\udcff")
        assert history.sessions()[0].report.clip.path == "a\\udcff\\0b.mp4"


class TestTheFile:
    def test_it_is_where_the_environment_says(self, tmp_path, monkeypatch):
        monkeypatch.setenv("FORMCHECK_HISTORY", str(tmp_path / "new" / "mine.db"))
        with History.open() as history:
            assert history.path == tmp_path / "new" / "mine.db"
        monkeypatch.setenv("FORMCHECK_HISTORY", str(tmp_path))
        assert default_path() == tmp_path / "history.sqlite3"

    def test_without_it_in_the_users_data_folder(self, monkeypatch, tmp_path):
        monkeypatch.delenv("FORMCHECK_HISTORY", raising=False)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert default_path().name == "history.sqlite3"
        assert "formcheck" in default_path().parts

    def test_a_newer_file_is_left_as_it_is(self, path):
        with History.open(path) as history:
            history.add(report(), source="live")
        with sqlite3.connect(path) as raw:
            raw.execute("PRAGMA user_version = 99")
        before = path.read_bytes()
        with pytest.raises(HistoryError, match=r"newer formcheck.*update formcheck") as raised:
            History.open(path)
        assert "\n" not in str(raised.value)
        assert str(path) in str(raised.value)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("damage", [b"not a database at all" * 100, b"\x00" * 5000])
    def test_a_damaged_file_is_left_as_it_is(self, path, damage):
        path.write_bytes(damage)
        with pytest.raises(HistoryError, match="left as it is") as raised:
            History.open(path)
        assert "\n" not in str(raised.value)
        assert path.read_bytes() == damage

    @pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
    def test_a_file_that_was_cut_short_or_overwritten_within_is_left_as_it_is(self, path, cut):
        with History.open(path) as history:
            for _ in range(20):
                history.add(report(), source="live")
        whole = path.read_bytes()
        place = int(len(whole) * cut)
        for damaged in (whole[:place], whole[:place] + b"\xa5" * 4096 + whole[place + 4096 :]):
            path.write_bytes(damaged)
            with pytest.raises(HistoryError, match="damaged") as raised:
                History.open(path)
            assert "\n" not in str(raised.value)
            assert path.read_bytes() == damaged

    def test_another_programs_database_is_left_as_it_is(self, path):
        with sqlite3.connect(path) as raw:
            raw.execute("CREATE TABLE recipes (name TEXT)")
        before = path.read_bytes()
        with pytest.raises(HistoryError, match="another program's database"):
            History.open(path)
        assert path.read_bytes() == before

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(HistoryError, match="FORMCHECK_HISTORY"):
            History.open(tmp_path / "file" / "history.sqlite3")
        with pytest.raises(HistoryError, match="cannot be kept here"):
            History.open(tmp_path)

    def test_one_damaged_session_is_named_and_can_be_deleted(self, history, path):
        good = history.add(report(), source="live")
        bad = history.add(report(), source="live")
        with sqlite3.connect(path) as raw:
            raw.execute("UPDATE session SET report = '{}' WHERE id = ?", (bad,))
        with pytest.raises(HistoryError, match=f"formcheck history delete {bad}"):
            history.sessions()
        history.delete(bad)
        assert [session.id for session in history.sessions()] == [good]

    def test_an_older_file_is_brought_up_to_date(self, path, monkeypatch):
        with History.open(path) as history:
            history.add(report(), source="live", label="old")
        step = "ALTER TABLE session ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine';"
        monkeypatch.setattr(file, "MIGRATIONS", (*file.MIGRATIONS, step))
        with History.open(path) as history:
            assert [session.label for session in history.sessions()] == ["old"]
        with sqlite3.connect(path) as raw:
            assert raw.execute("PRAGMA user_version").fetchone() == (2,)
            assert raw.execute("SELECT mood FROM session").fetchone() == ("fine",)

    def test_a_step_that_fails_half_way_changes_nothing(self, path, monkeypatch):
        with History.open(path) as history:
            history.add(report(), source="live", label="old")
        step = "ALTER TABLE session ADD COLUMN mood TEXT; ALTER TABLE nowhere ADD COLUMN x TEXT;"
        monkeypatch.setattr(file, "MIGRATIONS", (*file.MIGRATIONS, step))
        with pytest.raises(HistoryError):
            History.open(path)
        monkeypatch.undo()
        with History.open(path) as history:
            assert [session.label for session in history.sessions()] == ["old"]


def keep_many(path: Path, label: str, count: int) -> None:
    for _ in range(count):
        with History.open(path) as history:
            history.add(report(reps=2), source="batch", label=label)


def test_two_processes_can_use_it_at_once(path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=keep_many, args=(path, label, 10)) for label in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    with History.open(path) as history:
        labels = [session.label for session in history.sessions()]
    assert (labels.count("a"), labels.count("b")) == (10, 10)


def test_a_writer_that_takes_too_long_is_named(path, monkeypatch):
    monkeypatch.setattr(file, "WAIT_S", 0.05)
    with History.open(path) as history:
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="in use by another program; try again"):
            history.add(report(), source="live")
        blocker.execute("ROLLBACK")
        blocker.close()
        assert history.add(report(), source="live") is not None


WORDS = st.text(max_size=40)
WEIGHTS = st.none() | st.floats(0, 1000)
NUMBERS = st.floats(-200, 200) | st.just(math.nan)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    label=WORDS,
    note=WORDS,
    weight=WEIGHTS,
    reps=st.none() | st.integers(0, 10_000),
    when=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    side=st.sampled_from(Side),
    knees=st.lists(NUMBERS, min_size=4, max_size=4),
)
def test_any_session_survives_the_file(tmp_path, label, note, weight, reps, when, side, knees):
    made = report(reps=4, side=side, measured={"locked-knees": knees}, clip="rdl.mp4")
    with History.open(tmp_path / "any.db") as history:
        history.delete_all()
        number = history.add(
            made, source="live", label=label, note=note, weight_kg=weight, entered_reps=reps, when=when
        )
        found = history.session(number)
    assert (found.label, found.note) == (label.replace("\0", "\\0"), note.replace("\0", "\\0"))
    assert (found.weight_kg, found.entered_reps, found.when) == (weight, reps, when)
    assert report_to_dict(found.report) == report_to_dict(made)


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_clips_name_holds_no_folder(path):
    assert "/" not in clip_name(path)
    assert clip_name(f"/secret/{path}") == clip_name(path) or not clip_name(path)
