"""Left against right, from two reports: by value, by error, and what cannot be compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cases
import pytest
import synthetic

from formcheck import accuracy
from formcheck.adapters.pose import BackendInfo
from formcheck.cli import main
from formcheck.compare import compare_legs
from formcheck.config import Settings
from formcheck.errors import ConfigError
from formcheck.exercises import EXERCISES
from formcheck.pipeline import analyze_poses
from formcheck.reports.json import report_to_json
from formcheck.rules import RULES
from formcheck.rules.base import AppliedRule
from formcheck.types import ClipInfo, Position, Report, Side, Status

RULE = RULES["left-right-difference"]
APPLIED = AppliedRule(RULE, RULE.limits, RULE.cue)


@pytest.fixture(autouse=True)
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def report(
    knees: Sequence[float], near: Side, *, yaw_deg: float = 0.0, exercise: str = "prone-leg-curl", name: str = ""
) -> Report:
    keys = [synthetic.Key(0.0, knee=5.0), synthetic.Key(1.5, knee=5.0)]
    for knee in knees:
        for seconds, angle in ((1.5, knee), (0.6, knee), (1.5, 5.0), (0.6, 5.0)):
            keys.append(synthetic.Key(keys[-1].time_s + seconds, knee=angle))
    poses = synthetic.film(keys, position=Position.PRONE, fps=15.0, near=near, yaw_deg=yaw_deg)
    clip = ClipInfo(name or f"{near}.mp4", 1.0, 0, 640, 480, 0, 0.0)
    info = BackendInfo("1", "none", "0")
    return analyze_poses(poses, clip, info, exercise=EXERCISES[exercise], settings=Settings()).report


def test_the_weaker_leg_is_named_in_either_order() -> None:
    left, right = report([85.0, 85.0], Side.LEFT), report([115.0, 115.0], Side.RIGHT)
    for pair in ((left, right), (right, left)):
        result = compare_legs(*pair, APPLIED)
        assert (result.status, result.weaker) == (Status.CAUTION, Side.LEFT)
        assert result.measured == pytest.approx(100 * 30 / 110, abs=4.0)
        assert result.sigma == pytest.approx(100 * 2.0 * 2**0.5 / 110, rel=0.1)
        assert result.cue == RULE.cue
    assert compare_legs(report([115.0], Side.LEFT), report([85.0], Side.RIGHT), APPLIED).weaker is Side.RIGHT


def test_equal_legs_differ_by_nothing() -> None:
    result = compare_legs(report([110.0, 110.0], Side.LEFT), report([110.0, 110.0], Side.RIGHT), APPLIED)
    assert (result.status, result.weaker, result.cue) == (Status.OK, None, "")
    assert result.measured < 2.0


def test_within_the_errors_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = report([95.0], Side.LEFT), report([115.0], Side.RIGHT)
    assert compare_legs(left, right, APPLIED).status is Status.CAUTION
    monkeypatch.setattr(accuracy, "sigma", lambda *_: 10.0)
    result = compare_legs(left, right, APPLIED)
    assert (result.status, result.weaker) == (Status.NOT_JUDGED, None)
    assert "within measurement error" in result.reason


def test_cameras_in_different_places_are_not_compared() -> None:
    left = report([85.0], Side.LEFT)
    right = report([115.0], Side.RIGHT)
    turned = replace(right, view=replace(right.view, yaw_deg=left.view.yaw_deg + 16.0))
    result = compare_legs(left, turned, APPLIED)
    assert result.status is Status.NOT_JUDGED
    assert "same place" in result.reason


def test_what_cannot_be_compared_says_why() -> None:
    left = report([110.0], Side.LEFT)
    with pytest.raises(ConfigError, match="both show the left leg"):
        compare_legs(left, left, APPLIED)
    other = replace(left, exercise=replace(left.exercise, name="seated-leg-curl"))
    with pytest.raises(ConfigError, match="only clips of the same exercise"):
        compare_legs(left, other, APPLIED)
    with pytest.raises(ConfigError, match="no repetition"):
        compare_legs(left, replace(left, reps=()), APPLIED)
    old = replace(left, reps=tuple(replace(rep, metrics={}) for rep in left.reps))
    with pytest.raises(ConfigError, match="holds no range"):
        compare_legs(old, report([110.0], Side.RIGHT), APPLIED)


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path: Path) -> tuple[str, str]:
        paths = (tmp_path / "left.report.json", tmp_path / "right.report.json")
        for path, item in zip(paths, (report([85.0], Side.LEFT), report([115.0], Side.RIGHT)), strict=True):
            path.write_text(report_to_json(item), encoding="utf-8")
        return str(paths[0]), str(paths[1])

    def test_saved_reports_are_compared(self, files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["compare", *files]) == 1
        text = capsys.readouterr().out
        assert "The left leg goes less far" in text
        assert "1 repetition, range" in text

    def test_json(self, files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["compare", *files, "--format", "json"]) == 1
        document = json.loads(capsys.readouterr().out)
        assert document["schema"] == "formcheck.legs/1"
        assert (document["status"], document["weaker"]) == ("caution", "left")
        assert len(document["left"]["ranges_deg"]) == 1

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "x"}', '{"schema": "formcheck.report/1"}'])
    def test_a_file_that_is_no_report_is_one_line(
        self, content: str, files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text(content, encoding="utf-8")
        assert main(["compare", str(bad), files[1]]) == 2
        error = capsys.readouterr().err
        assert "bad.json" in error
        assert error.count("\n") == 1

    def test_an_exercise_that_is_not_known_is_one_line(
        self, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        for path in map(Path, files):
            path.write_text(path.read_text("utf-8").replace('"prone-leg-curl"', '"juggling"'), encoding="utf-8")
        assert main(["compare", *files]) == 2
        assert "juggling" in capsys.readouterr().err
