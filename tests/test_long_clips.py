"""A long clip is judged in sections: the same outcomes as in one piece, in memory that does not grow with it."""

from __future__ import annotations

import errno
import gc
import math
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cases
import numpy as np
import pytest
import synthetic
from numpy.typing import NDArray
from test_long_sessions import MIXED, named, session, short

from formcheck import accuracy, blocks, recognise, sections, shots, verdicts
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.spill import TemporaryShelf
from formcheck.adapters.video import VideoInfo
from formcheck.blocks import BLOCK, Rows
from formcheck.config import Settings
from formcheck.engine import Analyzer, replay
from formcheck.errors import OutputError
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.poselog import PoseLog
from formcheck.reading import Reading
from formcheck.reports.csv import ANGLE_COLUMNS, write_angles
from formcheck.reports.export import write_exports
from formcheck.types import Analysis, ClipInfo, Pose, PoseTrack, Status, ToolInfo
from formcheck.ui.worker import load_reading, write_reading

CLIP, TOOL = ClipInfo("long.mp4", 0.0, 0, 0, 0, 0, 0.0), ToolInfo("0", "0", "none", "0")
RDL = "romanian-deadlift"


@pytest.fixture(autouse=True)
def _fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def log_of(poses: Sequence[Pose], shelf: TemporaryShelf | None = None) -> PoseLog:
    log = PoseLog(compact=True, shelf=shelf)
    for pose in poses:
        log.append(pose)
    return log


def analysed(poses: Sequence[Pose], exercise: str, cuts_s: Sequence[float] = ()) -> Analysis:
    analyzer = Analyzer(EXERCISES[exercise], applied_rules(EXERCISES[exercise], Settings()))
    analyzer.adopt(log_of(poses, TemporaryShelf()))
    for cut_s in cuts_s:
        analyzer.cut(cut_s)
    return analyzer.finish(CLIP, TOOL)


def again_and_again(poses: Sequence[Pose], rounds: int) -> list[Pose]:
    """A clip that is played several times in a row."""
    step_s = poses[-1].time_s + poses[1].time_s - poses[0].time_s
    return [
        replace(pose, index=pose.index + turn * len(poses), time_s=pose.time_s + turn * step_s)
        for turn in range(rounds)
        for pose in poses
    ]


@pytest.fixture(scope="module", params=MIXED)
def set_of(request: pytest.FixtureRequest) -> tuple[str, list[Pose]]:
    return request.param, session(request.param, 4.0)


@pytest.mark.parametrize("longest", [1000, 1500, 2345])
def test_the_length_of_the_sections_changes_no_outcome(
    set_of: tuple[str, list[Pose]], longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise, poses = set_of
    whole = analysed(poses, exercise)
    monkeypatch.setattr(shots, "LONGEST", longest)
    parts = analysed(poses, exercise)
    assert {Status.FAULT, Status.CAUTION} & {outcome.status for outcome in whole.report.outcomes}
    assert [(o.rule, o.rep, o.side, o.status) for o in parts.report.outcomes] == [
        (o.rule, o.rep, o.side, o.status) for o in whole.report.outcomes
    ]
    for part, rep in zip(parts.report.reps, whole.report.reps, strict=True):
        assert (part.number, part.side, part.complete) == (rep.number, rep.side, rep.complete)
        assert (part.start_s, part.end_s) == pytest.approx((rep.start_s, rep.end_s), abs=0.11)
    assert parts.report.warnings == whole.report.warnings
    assert parts.report.view.near_side is whole.report.view.near_side
    assert parts.report.view.yaw_deg == pytest.approx(whole.report.view.yaw_deg, abs=1.0)
    assert len(parts.table) == len(parts.track) == len(poses)
    np.testing.assert_array_equal(parts.table.time_s, whole.table.time_s)
    for name in ("right_knee_flexion_deg", "right_hip_flexion_deg", "trunk_inclination_deg"):
        off = np.abs(parts.table.columns[name] - whole.table.columns[name])
        assert np.quantile(off, 0.98) < 0.1  # what counts as an outlier depends a little on the whole


def test_every_round_of_a_repeated_clip_gets_the_verdicts_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = named(RDL, "good"), named(RDL, MIXED[RDL])
    keys = [synthetic.Key(0.0, **good.rest), synthetic.Key(3.0, **good.rest)]
    for case in (good, bad, good):
        for seconds, angles in ((1.4, case.turn), (0.5, case.turn), (1.6, good.rest), (1.5, good.rest)):
            keys.append(synthetic.Key(keys[-1].time_s + seconds, **angles))
    poses = synthetic.film(keys, position=EXERCISES[RDL].position, fps=20.0)
    once = analysed(poses, RDL)
    monkeypatch.setattr(shots, "LONGEST", 1100)
    often = analysed(again_and_again(poses, 12), RDL)
    count = len(once.report.reps)
    assert count == 3
    assert len(often.report.reps) == 12 * count
    expected = [(o.rule, (o.rep or 0) - 1, o.status) for o in once.report.outcomes if o.rep is not None]
    found = [(o.rule, (o.rep or 0) - 1, o.status) for o in often.report.outcomes if o.rep is not None]
    assert found == [(rule, rep + turn * count, status) for turn in range(12) for rule, rep, status in expected]


def test_shots_between_cuts_are_kept_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    poses = session(RDL, 1.0)
    cuts_s = [poses[len(poses) // 3].time_s, poses[len(poses) // 2].time_s]
    whole = analysed(poses, RDL, cuts_s)
    monkeypatch.setattr(shots, "LONGEST", 700)
    parts = analysed(poses, RDL, cuts_s)
    assert short(parts.report.outcomes) == short(whole.report.outcomes)
    assert parts.report.warnings == whole.report.warnings
    np.testing.assert_allclose(parts.track.part(slice(None)).image_px, whole.track.image_px, atol=1e-3)  # type: ignore[attr-defined]


def test_a_section_ends_in_the_longest_late_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = []
    judge_section = sections._judge_section

    def noted(*args: Any) -> int:
        ends.append(judge_section(*args))
        return ends[-1]

    monkeypatch.setattr(sections, "_judge_section", noted)
    monkeypatch.setattr(shots, "LONGEST", 1400)
    poses = session(RDL, 3.0)
    analysis = analysed(poses, RDL)
    times = [poses[end].time_s for end in ends[:-1]]
    assert ends[-1] == len(poses)
    assert len(ends) >= 3
    for time_s in times:
        assert not any(rep.start_s < time_s < rep.end_s for rep in analysis.report.reps)


def test_a_movement_longer_than_a_section_is_said_to_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    rest, turn = named(RDL, "good").rest, named(RDL, "good").turn
    keys = [synthetic.Key(0.0, **rest), synthetic.Key(2.0, **rest), synthetic.Key(3.5, **turn)]
    keys += [synthetic.Key(150.0, **turn), synthetic.Key(152.0, **rest), synthetic.Key(156.0, **rest)]
    poses = synthetic.film(keys, position=EXERCISES[RDL].position, fps=20.0)
    poses = poses + [
        replace(pose, index=pose.index + len(poses), time_s=pose.time_s + 156.05) for pose in session(RDL, 0.5)
    ]
    monkeypatch.setattr(shots, "LONGEST", 1000)
    report = analysed(poses, RDL).report
    assert any("too long to be one repetition" in warning for warning in report.warnings)
    assert sum(rep.complete and rep.start_s > 156.0 for rep in report.reps) > 4


def test_a_section_without_a_person_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    poses = session(RDL, 3.0)
    away = synthetic.lose(poses, ((60.0, 150.0),))
    monkeypatch.setattr(shots, "LONGEST", 900)
    report = analysed(away, RDL).report
    assert report.reps
    assert all(rep.end_s <= 61.0 or rep.start_s >= 149.0 for rep in report.reps)
    assert sum(rep.start_s >= 149.0 for rep in report.reps) > 5
    assert any("found in only 5" in warning or "found in only 4" in warning for warning in report.warnings)
    nobody = analysed(synthetic.lose(poses, ((-1.0, 999.0),)), RDL).report
    assert nobody.warnings == (verdicts.NOBODY,)
    assert {outcome.status for outcome in nobody.outcomes} == {Status.NOT_JUDGED}


@pytest.mark.parametrize("exercise", ["romanian-deadlift", "prone-leg-curl"])
def test_a_long_clip_is_recognised_from_pieces_of_it(exercise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(session(exercise, 3.0), TemporaryShelf())
    whole = recognise.recognise(log.track())
    monkeypatch.setattr(shots, "LONGEST", 1200)
    seen = []
    part = PoseLog.part
    monkeypatch.setattr(PoseLog, "part", lambda log, rows: (seen.append(rows.stop - rows.start), part(log, rows))[1])
    found = recognise.recognise(log)
    assert sum(seen) == 1200
    assert (found.exercise_id, whole.exercise_id) == (exercise, exercise)


def test_the_overlay_and_the_files_of_a_long_clip_are_those_of_one_piece(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    poses = session(RDL, 1.5)
    whole = analysed(poses, RDL)
    monkeypatch.setattr(shots, "LONGEST", 700)
    parts = analysed(poses, RDL)
    exercise = EXERCISES[RDL]
    pairs = list(zip(replay(whole, exercise), replay(parts, exercise), strict=True))
    assert [other.pose.index for _, other in pairs] == list(range(len(poses)))
    alike = [(one.phase, one.rep_count, one.cues) == (other.phase, other.rep_count, other.cues) for one, other in pairs]
    assert np.mean(alike) > 0.98  # a phase may change a frame earlier
    for one, other in pairs:
        assert np.median(np.abs(one.pose.image_px - other.pose.image_px)) < 0.05
        assert (one.pose.outline_px is None) == (other.pose.outline_px is None)
    tables = []
    for name, analysis in (("whole", whole), ("parts", parts)):
        write_angles(tmp_path / f"{name}.csv", analysis.table)
        write_exports(analysis, tmp_path, name, ("trc", "mot", "parquet"))
        texts = [(tmp_path / f"{name}.{suffix}").read_text().splitlines() for suffix in ("csv", "trc", "mot")]
        tables.append(texts)
    for one, other, skip in zip(*tables, (1, 6, 12), strict=True):
        assert len(one) == len(other) > len(poses)
        for line, same in list(zip(one, other, strict=True))[skip::97]:
            numbers = [
                [float(cell or "nan") for cell in text.replace(",", "\t").split("\t") if not cell.isalpha()]
                for text in (line, same)
            ]
            np.testing.assert_allclose(numbers[0], numbers[1], atol=2.0)


def test_angles_are_written_alike_in_pieces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    analysis = analysed(session(RDL, 0.3), RDL)
    write_angles(tmp_path / "one.csv", analysis.table)
    write_exports(analysis, tmp_path, "one", ("trc",))
    monkeypatch.setattr("formcheck.reports.csv.ROWS_AT_ONCE", 100)
    write_angles(tmp_path / "other.csv", analysis.table)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()
    assert (tmp_path / "one.csv").read_text().startswith("time_s," + ",".join(ANGLE_COLUMNS))


class _Endless(Sequence[Pose]):
    """A short clip that goes on for so many frames, made as they are asked for."""

    def __init__(self, poses: Sequence[Pose], frames: int) -> None:
        self._poses, self._frames = poses, frames
        self._step_s = poses[1].time_s - poses[0].time_s

    def __len__(self) -> int:
        return self._frames

    def __getitem__(self, index: Any) -> Any:
        if index >= self._frames:
            raise IndexError(index)
        return replace(self._poses[index % len(self._poses)], index=index, time_s=index * self._step_s)


def peak_bytes(poses: Sequence[Pose], tmp_path: Path) -> int:
    """Python's peak memory while poses are read, judged, written and replayed."""
    gc.collect()
    tracemalloc.start()
    analysis = analysed(poses, RDL)
    write_angles(tmp_path / "angles.csv", analysis.table)
    write_exports(analysis, tmp_path, "x", ("mot",))
    for _ in replay(analysis, EXERCISES[RDL]):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_hardly_grows_with_the_clip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shots, "LONGEST", 600)
    monkeypatch.setattr(blocks, "KEPT", 1)
    once = session(RDL, 0.25)
    seen = np.full((2, 3, 128), 7, dtype=np.uint8)
    once = [replace(pose, patches=seen) for pose in once]
    peak_bytes(_Endless(once, 700), tmp_path)  # imports and caches are not to count
    few, many = 1300, 3900
    grown = peak_bytes(_Endless(once, many), tmp_path) - peak_bytes(_Endless(once, few), tmp_path)
    assert grown / (many - few) < 400  # bytes a frame; poses and measurements would be 6000


def test_rows_come_back_from_the_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "KEPT", 2)
    rows: Rows[np.floating[Any]] = Rows((3,), np.float32, np.nan, TemporaryShelf())
    values = np.random.default_rng(1).normal(size=(5 * BLOCK + 7, 3)).astype(np.float32)
    for row, value in enumerate(values):
        rows.place(row)[...] = value
    assert sum(isinstance(block, np.ndarray) for block in rows._blocks) == 2
    np.testing.assert_array_equal(rows.read(0, len(values)), values)
    np.testing.assert_array_equal(rows.read(BLOCK - 1, 2 * BLOCK + 1), values[BLOCK - 1 : 2 * BLOCK + 1])
    np.testing.assert_array_equal([rows.row(row) for row in (0, 3000, len(values) - 1)], values[[0, 3000, -1]])
    assert np.isnan(rows.read(len(values) - 1, len(values) + 2)[1:]).all()
    with pytest.raises(IndexError, match="was set already"):
        rows.place(3)


def test_rows_that_were_passed_over_hold_the_fill() -> None:
    rows: Rows[np.uint8] = Rows((2,), np.uint8, 0)
    rows.place(BLOCK + 5)[...] = 9
    assert rows.read(0, BLOCK + 6).sum() == 18


def test_a_full_disk_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shelf = TemporaryShelf(tmp_path)
    assert not list(tmp_path.iterdir())
    shelf.put(np.zeros(3))
    assert not list(tmp_path.iterdir())  # it has no name

    class Full:
        def seek(self, *_: int) -> None: ...

        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None: ...

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    poses = _Endless(synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)]), (blocks.KEPT + 1) * BLOCK + 1)
    with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\); make room") as error:
        log_of(poses, TemporaryShelf(tmp_path))
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("compact", [False, True])
def test_what_the_app_keeps_of_a_long_clip_comes_back(
    compact: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(blocks, "KEPT", 1)
    poses = PoseLog(compact=compact, shelf=TemporaryShelf())
    seen = np.full((2, 3, 128), 7, dtype=np.uint8)
    for pose in _Endless(session(RDL, 0.2), 3 * BLOCK + 5):
        poses.append(replace(pose, patches=seen, estimated=pose.index % 5 == 0))
    video = VideoInfo(tmp_path / "clip.mp4", 64, 48, 64, 48, 0, 30.0, 1.0, None, "h264")
    write_reading(tmp_path / "reading", Reading(poses, (1.5,), video, BackendInfo("1", "full", "0"), ("dark",)))
    reading = load_reading(tmp_path / "reading")
    back = PoseLog.of(reading.poses)
    assert (reading.cuts_s, reading.warnings, reading.video) == ((1.5,), ("dark",), video)
    assert (back.compact, back.found, back.size_px) == (compact, poses.found, poses.size_px)
    np.testing.assert_array_equal(back.estimated, poses.estimated)
    for name in ("time_s", "image_px", "world_m", "visibility", "patches", "outline_px"):
        np.testing.assert_array_equal(getattr(back.track(), name), getattr(poses.track(), name))


def test_a_log_can_be_filled_from_a_track() -> None:
    poses = synthetic.lose(session(RDL, 0.2), ((3.0, 4.0),))
    track = PoseTrack.from_poses(poses)
    log = PoseLog()
    log.extend(track)
    copy: NDArray[np.float64] = log.track().image_px
    np.testing.assert_array_equal(copy, track.image_px)
    np.testing.assert_array_equal(log.track().outline_px, track.outline_px)
    assert log.found == sum(pose.found for pose in poses)
    assert math.isclose(float(log.time_s[-1]), poses[-1].time_s)
