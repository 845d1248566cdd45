"""`formcheck history`, `formcheck symptoms` and `formcheck check --save`."""

import csv
import io
import json
from datetime import timedelta

import pytest
from session_factory import START, report
from test_reports import make_analysis

import formcheck.pipeline
from formcheck import cli
from formcheck.cli import history as command
from formcheck.history import History
from formcheck.symptoms.questions import QUESTIONS
from formcheck.types import Status


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    place = tmp_path / "history.sqlite3"
    monkeypatch.setenv("FORMCHECK_HISTORY", str(place))
    return place


@pytest.fixture
def kept(path):
    with History.open(path) as history:
        return [
            history.add(report(), source="live", weight_kg=60, when=START),
            history.add(report("prone-leg-curl"), source="file", when=START + timedelta(days=1), label="second\nday"),
            history.add(
                report(statuses={"locked-knees": Status.FAULT}),
                source="live",
                weight_kg=62.5,
                when=START + timedelta(days=2),
            ),
        ]


def formcheck_(capsys, *arguments):
    status = cli.main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


class TestHistory:
    def test_the_list_has_the_latest_first_on_one_line_each(self, kept, capsys):
        status, out, _ = formcheck_(capsys, "history")
        lines = out.splitlines()
        assert status == 0
        assert [int(line.split()[0]) for line in lines] == kept[::-1]
        assert "62.5 kg" in lines[0]
        assert "5 fault" in lines[0]
        assert lines[1].endswith("second\\nday")

    def test_the_list_can_be_of_one_exercise_and_short(self, kept, capsys):
        _, out, _ = formcheck_(capsys, "history", "list", "--exercise", "rdl")
        assert len(out.splitlines()) == 2
        _, out, err = formcheck_(capsys, "history", "--limit", "1")
        assert len(out.splitlines()) == 1
        assert "--limit 3" in err

    def test_an_empty_list_says_how_sessions_come(self, capsys):
        status, out, err = formcheck_(capsys, "history")
        assert (status, out) == (0, "")
        assert "--save" in err

    def test_show_tells_all_of_one(self, kept, capsys):
        status, out, _ = formcheck_(capsys, "history", "show", str(kept[2]))
        assert status == 0
        assert "62.5 kg" in out
        assert "rep 1 fault locked-knees" in out

    def test_trends_tell_change_and_weight(self, kept, capsys):
        status, out, _ = formcheck_(capsys, "history", "trends", "--exercise", "rdl")
        assert status == 0
        assert "weight: reduce. Seen in 5 of 5 repetitions: locked knees." in out
        assert "right, knee bend where the knee is straightest: A real change, for the worse" in out
        assert "right, range: No change that the camera can tell." in out

    def test_compare_tells_what_changed_between_two(self, kept, capsys):
        status, out, _ = formcheck_(capsys, "history", "compare", str(kept[0]), str(kept[2]))
        assert status == 0
        assert "right, knee bend where the knee is straightest: A real change, for the worse" in out
        assert formcheck_(capsys, "history", "compare", str(kept[0]), str(kept[1]))[0] == 2

    def test_enter_changes_what_is_given(self, kept, capsys, path):
        status, _, _ = formcheck_(capsys, "history", "enter", str(kept[0]), "--weight", "70", "--reps", "8")
        assert status == 0
        with History.open(path) as history:
            found = history.session(kept[0])
        assert (found.weight_kg, found.entered_reps, found.note) == (70, 8, "")
        assert formcheck_(capsys, "history", "enter", str(kept[0]))[0] == 2
        assert formcheck_(capsys, "history", "enter", str(kept[0]), "--weight", "-3")[0] == 2

    def test_export_to_the_stream_and_to_a_file(self, kept, capsys, tmp_path):
        _, out, _ = formcheck_(capsys, "history", "export")
        assert len(json.loads(out)["sessions"]) == 3
        target = tmp_path / "all.csv"
        status, out, err = formcheck_(capsys, "history", "export", "--format", "csv", "--out", str(target))
        assert (status, out) == (0, "")
        assert "wrote 3 sessions" in err
        rows = list(csv.DictReader(io.StringIO(target.read_text())))
        assert {row["session"] for row in rows} == {str(number) for number in kept}

    def test_deleting_needs_a_yes(self, kept, capsys, path, monkeypatch):
        assert formcheck_(capsys, "history", "delete", str(kept[0]))[0] == 2  # nobody to ask
        monkeypatch.setattr("sys.stdin", Terminal("n\n"))
        assert formcheck_(capsys, "history", "delete", str(kept[0]))[0] == 2
        with History.open(path) as history:
            assert len(history) == 3
        monkeypatch.setattr("sys.stdin", Terminal("y\n"))
        assert formcheck_(capsys, "history", "delete", str(kept[0]))[0] == 0
        assert formcheck_(capsys, "history", "delete", "--all", "--yes")[0] == 0
        with History.open(path) as history:
            assert len(history) == 0

    def test_off_and_on(self, capsys, path):
        formcheck_(capsys, "history", "off")
        with History.open(path) as history:
            assert not history.recording
        assert "switched off" in formcheck_(capsys, "history")[2]
        formcheck_(capsys, "history", "on")
        with History.open(path) as history:
            assert history.recording

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["show"], "needs the number of a session"),
            (["compare", "1"], "needs the numbers of 2 sessions"),
            (["delete"], "needs the number of a session"),
            (["show", "1", "2"], "only 1 number"),
            (["list", "3"], "takes no number"),
            (["show", "99"], "there is no session 99"),
            (["shwo"], "did you mean 'show'"),
            (["show", "x"], "'x' is no number from 1 on"),
            (["--exercise", "rld"], "there is no exercise 'rld'"),
        ],
    )
    def test_a_wrong_call_is_one_line_and_status_2(self, kept, capsys, arguments, said):
        status, out, err = formcheck_(capsys, "history", *arguments)
        assert (status, out) == (2, "")
        assert len(err.splitlines()) == 1
        assert said in err

    def test_a_damaged_history_is_one_line_and_status_2(self, capsys, path):
        path.write_bytes(b"no database" * 1000)
        status, out, err = formcheck_(capsys, "history")
        assert (status, out, len(err.splitlines())) == (2, "", 1)
        assert str(path) in err

    def test_every_action_knows_its_numbers(self):
        assert set(command.NUMBERS) <= set(command.ACTIONS)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestSave:
    @pytest.fixture(autouse=True)
    def pipeline(self, monkeypatch):
        self.calls = []

        def analyze(clip, **_):
            self.calls.append(clip)
            return make_analysis(report(clip=str(clip)))

        monkeypatch.setattr(formcheck.pipeline, "analyze_clip", analyze)

    def test_without_save_nothing_is_kept(self, capsys, path):
        formcheck_(capsys, "check", "a.mp4", "--exercise", "rdl")
        assert not path.exists()

    def test_save_keeps_each_clip_without_its_folder(self, capsys, path):
        _, out, err = formcheck_(capsys, "check", "folder/a.mp4", "b.mp4", "--exercise", "rdl", "--save", "--quiet")
        with History.open(path) as history:
            found = history.sessions()
        assert [session.report.clip.path for session in found] == ["a.mp4", "b.mp4"]
        assert {str(session.source) for session in found} == {"file"}
        assert "kept as session" in err
        assert "kept" not in out

    def test_when_it_cannot_be_kept_that_is_said_before_the_work(self, capsys, path):
        path.write_bytes(b"no database" * 1000)
        assert formcheck_(capsys, "check", "a.mp4", "--exercise", "rdl", "--save")[0] == 2
        path.unlink()
        formcheck_(capsys, "history", "off")
        status, _, err = formcheck_(capsys, "check", "a.mp4", "--exercise", "rdl", "--save")
        assert status == 2
        assert "formcheck history on" in err
        assert self.calls == []


class TestSymptoms:
    def test_without_an_answer_the_questions_are_listed(self, capsys):
        status, out, _ = formcheck_(capsys, "symptoms")
        assert status == 0
        assert all(title in out for title, _ in QUESTIONS.values())

    def test_advice_with_a_session(self, kept, capsys):
        words = ("--where", "calf", "--what", "pull", "--after", "stretch", "--session", str(kept[2]))
        status, out, _ = formcheck_(capsys, "symptoms", *words)
        assert status == 0
        assert out.startswith("Soften your knees\n")
        assert "The camera saw this in your session." in " ".join(out.split())
        assert "no diagnosis" in out

    def test_a_red_flag_comes_first(self, capsys):
        _, out, _ = formcheck_(capsys, "symptoms", "--where", "calf", "--what", "pull", "--sign", "swollen-calf")
        assert out.startswith("See a professional today\n")
        assert "stretch the calf" not in out.lower()

    def test_a_word_that_is_no_answer(self, capsys):
        status, _, err = formcheck_(capsys, "symptoms", "--where", "elbow")
        assert status == 2
        assert "'elbow' is none of calf" in err
