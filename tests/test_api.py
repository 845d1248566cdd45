"""The Python API: `formcheck.analyze`, the tables of a report, and the examples of the documents."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest
from test_reports import FAULT, make_outcome, make_report

import formcheck
from formcheck import api
from formcheck.errors import ConfigError
from formcheck.types import Analysis, Outcome, Rep, Side, Status

ROOT = Path(__file__).resolve().parent.parent


def examples(name: str) -> str:
    """The Python blocks of a document, in order, as one program."""
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.DOTALL))


def run_example(code: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.model
def test_the_example_of_the_python_document_runs() -> None:
    out = run_example(examples("python.md"), ROOT)
    assert re.search(r"^repetition \d: The toes were not pointed", out, re.MULTILINE), out
    assert re.search(r"missing-plantarflexion\s+(caution|fault)\s+\d", out), out
    assert re.search(r"\n0\s+1\s+left\s+\d", out), out
    assert re.search(r"237 frames, the knee bends to 1?\d\d degrees", out)


def test_the_example_of_the_exports_document_runs(tmp_path: Path) -> None:
    from synthetic import film
    from test_exports import HINGES, analysis_of

    from formcheck.reports.export import write_exports

    (tmp_path / "out").mkdir()
    write_exports(analysis_of(film(HINGES)), tmp_path / "out", "clip", ["parquet"])
    out = run_example(examples("exports.md"), tmp_path)
    assert out.startswith("b'deg'\n{'name': 'romanian-deadlift'")
    assert re.search(r"2\.0 +lowering +\d+\.\d+\n +turn +\d+\.", out), out


class TestAnalyze:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
        calls: list[dict[str, object]] = []

        def analyze_clip(path: object, **options: object) -> Analysis:
            calls.append({"path": path, **options})
            return Analysis(make_report(str(path)), None, None)  # type: ignore[arg-type]

        monkeypatch.setattr(api, "analyze_clip", analyze_clip)
        return calls

    def test_names_become_what_the_pipeline_takes(self, asked: list[dict[str, object]], tmp_path: Path) -> None:
        settings = tmp_path / "mine.toml"
        settings.write_text('ignore = ["short-range"]\n')
        report = formcheck.analyze("a.mp4", exercise="RDL", side="left", settings=str(settings))
        (call,) = asked
        assert report.clip.path == "a.mp4"
        assert call["exercise"] is formcheck.find_exercise("romanian-deadlift")
        assert call["side"] is Side.LEFT
        assert call["settings"] == formcheck.load_settings(settings)

    def test_nothing_given_leaves_everything_to_the_pipeline(self, asked: list[dict[str, object]]) -> None:
        formcheck.analyze(Path("a.mp4"))
        (call,) = asked
        assert {name for name, value in call.items() if value is not None} == {"path", "rate"}
        assert call["rate"] == "full"

    def test_an_unknown_exercise_is_named(self, asked: list[dict[str, object]]) -> None:
        with pytest.raises(ConfigError, match="there is no exercise 'squat'"):
            formcheck.analyze("a.mp4", exercise="squat")
        assert not asked

    def test_an_unknown_side_is_an_error(self, asked: list[dict[str, object]]) -> None:
        with pytest.raises(ValueError, match="'near' is not a valid Side"):
            formcheck.analyze("a.mp4", side="near")
        assert not asked


class TestOutcomeTable:
    def test_one_row_per_outcome_with_every_field(self) -> None:
        report = make_report()
        table = report.to_dataframe()
        assert list(table.columns) == ["clip", "exercise", *(item.name for item in fields(Outcome))]
        assert len(table) == len(report.outcomes)
        row = table.iloc[1]
        assert (row["clip"], row["exercise"]) == ("clips/rdl.mp4", "romanian-deadlift")
        assert (row["rule"], row["rep"], row["side"], row["status"]) == ("locked-knees", 2, "right", "fault")
        assert (row["measured"], row["limit"], row["worst_s"]) == (FAULT.measured, FAULT.limit, FAULT.worst_s)
        assert math.isnan(table.iloc[2]["measured"])

    def test_columns_have_one_type_whatever_they_hold(self) -> None:
        kinds = make_report().to_dataframe().dtypes
        assert kinds.equals(make_report(outcomes=()).to_dataframe().dtypes)
        whole_set = make_outcome("fatigue", None, side=None)
        assert kinds.equals(make_report(outcomes=(whole_set,)).to_dataframe().dtypes)
        assert str(kinds["rep"]) == "Int64"
        assert list(make_report().to_dataframe()["status"].cat.categories) == [str(status) for status in Status]

    def test_a_check_of_the_set_has_no_repetition_and_no_side(self) -> None:
        table = make_report(outcomes=(make_outcome("fatigue", None, side=None),)).to_dataframe()
        assert table["rep"].isna().all()
        assert table["side"].isna().all()

    def test_clips_go_together(self) -> None:
        tables = [make_report(name).to_dataframe() for name in ("a.mp4", "b.mp4")]
        tables.append(make_report("c.mp4", outcomes=()).to_dataframe())
        together = pd.concat(tables, ignore_index=True)
        assert together["clip"].unique().tolist() == ["a.mp4", "b.mp4"]
        assert together.dtypes.equals(tables[0].dtypes)


class TestRepTable:
    def test_one_row_per_repetition(self) -> None:
        table = make_report().reps_to_dataframe()
        assert table["rep"].tolist() == [1, 2]
        assert table["complete"].tolist() == [True, False]
        assert table.loc[0, "knee_flexion_min_deg"] == 8.2
        assert math.isnan(table.loc[1, "knee_flexion_min_deg"])

    def test_the_turns_moment_and_its_length_are_two_columns(self) -> None:
        rep = Rep(1, Side.RIGHT, 1.0, 2.0, 3.0, 1.9, 2.1, True, {"turn_s": 0.2, "lifting_s": 0.9})
        table = replace(make_report(), reps=(rep,)).reps_to_dataframe()
        assert table.loc[0, "turn_s"] == 2.0
        assert table.loc[0, "turn_duration_s"] == 0.2
        assert not table.columns.duplicated().any()

    def test_without_repetitions_the_columns_stay(self) -> None:
        table = replace(make_report(), reps=()).reps_to_dataframe()
        assert len(table) == 0
        assert {"clip", "rep", "side", "start_s", "end_s"} <= set(table.columns)


def test_tables_bring_pandas_only_when_asked_for() -> None:
    code = "import sys; from formcheck import Report; print('pandas' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
