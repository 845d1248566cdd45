"""Exports for other programs, read back by parsers written here from the published formats, and by OpenSim itself.

OpenSim comes with the tools of development where it is made for the machine (see `pyproject.toml`); CI insists on
it. What it is known to choke on (missing numbers, an empty last cell) is checked here without it too.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from synthetic import Shot, film, lose, mirror, repetitions

from formcheck.adapters.pose import BackendInfo
from formcheck.errors import ConfigError, OutputError
from formcheck.exercises import EXERCISES
from formcheck.pipeline import analyze_poses
from formcheck.reports.export import FORMATS, export_paths, write_exports
from formcheck.reports.opensim import COORDINATES, MARKERS, OWN_COLUMNS, even_times, resampled, write_mot, write_trc
from formcheck.types import Analysis, ClipInfo, Pose, Side

INFO = BackendInfo("1.2.2", "full", "abc")
HINGES = repetitions({"knee": 8.0, "hip": 4.0, "ankle": 0.0}, {"knee": 15.0, "hip": 80.0, "ankle": 4.0}, count=2)


def analysis_of(poses: list[Pose], exercise: str = "romanian-deadlift", name: str = "clip.mp4") -> Analysis:
    clip = ClipInfo(name, poses[-1].time_s, 0, 1280, 720, 0, 0.0)
    return analyze_poses(poses, clip, INFO, exercise=EXERCISES[exercise])


@dataclass
class Trc:
    name: str
    header: dict[str, str]
    markers: list[str]
    frame: np.ndarray
    time_s: np.ndarray
    points: np.ndarray


def read_trc(path: Path) -> Trc:
    """Strict: five header lines, one empty, tab-separated; every row as wide as the marker line says."""
    lines = path.read_bytes().decode("ascii").split("\n")
    assert lines.pop() == "", "the file ends with a line break"
    assert not any("\r" in line for line in lines)
    first = lines[0].split("\t")
    assert first[:3] == ["PathFileType", "4", "(X/Y/Z)"]
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    head = lines[3].split("\t")
    assert head[:2] == ["Frame#", "Time"]
    markers = head[2::3]
    assert [cell for start in (3, 4) for cell in head[start::3]] == [""] * 2 * len(markers)
    axes = [f"{axis}{number}" for number in range(1, len(markers) + 1) for axis in "XYZ"]
    assert lines[4].split("\t") == ["", "", *axes]
    assert lines[5] == ""
    rows = [line.split("\t") for line in lines[6:]]
    assert {len(row) for row in rows} == {2 + 3 * len(markers) + 1}
    assert {row[-1] for row in rows} == {""}, "without a tab at its end OpenSim loses an empty last cell"
    values = np.array([[float(cell) if cell else math.nan for cell in row[2:-1]] for row in rows])
    return Trc(
        first[3],
        header,
        markers,
        np.array([int(row[0]) for row in rows]),
        np.array([float(row[1]) for row in rows]),
        values.reshape(len(rows), len(markers), 3),
    )


@dataclass
class Mot:
    header: list[str]
    columns: dict[str, np.ndarray]


def read_mot(path: Path) -> Mot:
    """Strict: name, version, sizes that are true, endheader, then tab-separated numbers without a gap."""
    lines = path.read_bytes().decode("ascii").split("\n")
    assert lines.pop() == ""
    end = lines.index("endheader")
    header, labels, rows = lines[:end], lines[end + 1].split("\t"), [line.split("\t") for line in lines[end + 2 :]]
    assert header[1] == "version=1"
    assert header[2] == f"nRows={len(rows)}"
    assert header[3] == f"nColumns={len(labels)}"
    assert header[4] == "inDegrees=yes"
    assert labels[0] == "time"
    values = np.array([[float(cell) for cell in row] for row in rows])
    assert values.shape == (len(rows), len(labels))
    assert np.isfinite(values).all(), "OpenSim stops reading at a missing number"
    return Mot(header, dict(zip(labels, values.T, strict=True)))


def sagittal_knee(trc: Trc, side: str) -> np.ndarray:
    """Knee flexion from the markers' X and Y, by the OpenSim axes alone: Z points right, so bending is clockwise."""
    hip, knee, ankle = (trc.points[:, trc.markers.index(f"{side}_{joint}"), :2] for joint in ("hip", "knee", "ankle"))
    thigh, shank = knee - hip, ankle - knee
    cross = thigh[:, 0] * shank[:, 1] - thigh[:, 1] * shank[:, 0]
    return np.degrees(np.arctan2(-cross, (thigh * shank).sum(axis=1)))


class TestTrc:
    @pytest.fixture
    def analysis(self) -> Analysis:
        return analysis_of(film(HINGES))

    def test_header_and_rows(self, analysis: Analysis, tmp_path: Path) -> None:
        write_trc(tmp_path / "hinge.trc", analysis)
        trc = read_trc(tmp_path / "hinge.trc")
        count = len(analysis.track)
        assert trc.name == "hinge.trc"
        assert trc.markers == list(MARKERS)
        assert trc.header == {
            "DataRate": "30",
            "CameraRate": "30",
            "NumFrames": str(count),
            "NumMarkers": "19",
            "Units": "mm",
            "OrigDataRate": "30",
            "OrigDataStartFrame": "1",
            "OrigNumFrames": str(count),
        }
        np.testing.assert_array_equal(trc.frame, np.arange(1, count + 1))
        np.testing.assert_allclose(trc.time_s, analysis.track.time_s, atol=1e-6)

    @pytest.mark.parametrize("near", list(Side))
    def test_axes_are_forwards_up_and_to_the_persons_right(self, near: Side, tmp_path: Path) -> None:
        write_trc(tmp_path / "a.trc", analysis_of(film(HINGES, Shot(near=near))))
        trc = read_trc(tmp_path / "a.trc")
        first = {name: trc.points[0, index] for index, name in enumerate(trc.markers)}
        for side in ("left", "right"):
            assert first[f"{side}_foot_index"][0] > first[f"{side}_heel"][0] + 100, "toes point to +X"
            assert first[f"{side}_shoulder"][1] > first[f"{side}_hip"][1] > first[f"{side}_ankle"][1], "Y is up"
        assert first["right_hip"][2] > 50 > -50 > first["left_hip"][2], "Z is to the right"
        bottom = trc.points[int(np.argmin(trc.points[:, 0, 1]))]
        assert bottom[0, 0] > first["nose"][0] + 300, "a hinge brings the head forwards"

    @pytest.mark.parametrize("px_per_m", [120.0, 380.0])
    def test_size_is_the_bodys_whatever_the_picture_and_the_floor_is_at_zero(
        self, px_per_m: float, tmp_path: Path
    ) -> None:
        write_trc(tmp_path / "a.trc", analysis_of(film(HINGES, Shot(px_per_m=px_per_m))))
        trc = read_trc(tmp_path / "a.trc")
        hip, knee = (trc.points[:, trc.markers.index(f"right_{joint}"), :2] for joint in ("hip", "knee"))
        np.testing.assert_allclose(np.linalg.norm(hip - knee, axis=1), 420.0, atol=6.0)
        assert np.abs(np.median(trc.points[..., 1].min(axis=1))) < 1.0
        hips = trc.points[0, [trc.markers.index("left_hip"), trc.markers.index("right_hip")], 0]
        assert abs(hips.mean()) < 0.01

    def test_markers_bend_as_the_body_does(self, analysis: Analysis, tmp_path: Path) -> None:
        write_trc(tmp_path / "a.trc", analysis)
        knee = sagittal_knee(read_trc(tmp_path / "a.trc"), "right")
        assert knee[20] == pytest.approx(8.0, abs=0.2)
        assert knee.max() == pytest.approx(15.0, abs=0.3)

    def test_markers_of_a_mirrored_clip_differ_by_side_only(self, tmp_path: Path) -> None:
        poses = film(HINGES)
        write_trc(tmp_path / "a.trc", analysis_of(poses))
        write_trc(tmp_path / "b.trc", analysis_of(mirror(poses)))
        straight, mirrored = read_trc(tmp_path / "a.trc"), read_trc(tmp_path / "b.trc")
        other = [
            mirrored.markers.index(name.replace("left", "*").replace("right", "left").replace("*", "right"))
            for name in straight.markers
        ]
        np.testing.assert_allclose(straight.points, mirrored.points[:, other] * (1, 1, -1), atol=0.01)

    def test_an_unseen_marker_is_an_empty_cell(self, tmp_path: Path) -> None:
        poses = lose(film(HINGES), [(3.0, 4.0)])
        write_trc(tmp_path / "a.trc", analysis_of(poses))
        trc = read_trc(tmp_path / "a.trc")
        gone = (trc.time_s > 2.99) & (trc.time_s < 4.01)
        assert np.isnan(trc.points[gone]).all()
        assert np.isfinite(trc.points[~gone]).all()

    def test_uneven_times_are_resampled_to_the_stated_rate(self, tmp_path: Path) -> None:
        analysis = analysis_of(film(HINGES, Shot(jitter=0.3)))
        write_trc(tmp_path / "a.trc", analysis)
        trc = read_trc(tmp_path / "a.trc")
        steps = np.diff(trc.time_s)
        np.testing.assert_allclose(steps, 1 / float(trc.header["DataRate"]), atol=2e-6)
        assert sagittal_knee(trc, "right").max() == pytest.approx(15.0, abs=0.3)

    def test_a_name_cannot_break_the_header(self, analysis: Analysis, tmp_path: Path) -> None:
        target = tmp_path / "a\tb\nc.trc"
        write_trc(target, analysis)
        assert read_trc(target).name == "a_b_c.trc"


class TestMot:
    def test_columns_are_opensims_coordinates(self, tmp_path: Path) -> None:
        analysis = analysis_of(film(HINGES))
        write_mot(tmp_path / "a.mot", analysis)
        mot = read_mot(tmp_path / "a.mot")
        assert mot.header[0] == "Coordinates"
        assert list(mot.columns) == ["time", *COORDINATES, *OWN_COLUMNS]
        table = analysis.table
        np.testing.assert_allclose(mot.columns["knee_angle_r"], table.columns["right_knee_flexion_deg"], atol=1e-4)
        np.testing.assert_allclose(mot.columns["pelvis_tilt"], -table.columns["trunk_inclination_deg"], atol=1e-4)

    def test_thigh_and_shank_of_a_model_in_this_pose_point_where_they_do_in_the_picture(self, tmp_path: Path) -> None:
        """A model turns by + about Z: trunk first, then thigh against it, then the shank back by the knee."""
        write_mot(tmp_path / "a.mot", analysis_of(film(HINGES)))
        write_trc(tmp_path / "a.trc", analysis_of(film(HINGES)))
        mot, trc = read_mot(tmp_path / "a.mot"), read_trc(tmp_path / "a.trc")
        hip, knee, ankle = (
            trc.points[:, trc.markers.index(f"left_{joint}"), :2] for joint in ("hip", "knee", "ankle")
        )  # the far leg: no learnt correction is applied to it
        thigh = np.radians(mot.columns["pelvis_tilt"] + mot.columns["hip_flexion_l"])
        shank = thigh - np.radians(mot.columns["knee_angle_l"])
        for angle, drawn in ((thigh, knee - hip), (shank, ankle - knee)):
            pointed = np.stack([np.sin(angle), -np.cos(angle)], axis=1)
            cosine = (pointed * drawn).sum(axis=1) / np.linalg.norm(drawn, axis=1)
            assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 8.0  # the trunk's own correction

    def test_a_gap_is_bridged_and_named_and_a_hidden_leg_left_out(self, tmp_path: Path) -> None:
        poses = lose(film(HINGES), [(3.0, 4.0)])
        hidden = [31, 32]
        poses = [replace(pose, visibility=_without(pose.visibility, hidden)) for pose in poses]
        write_mot(tmp_path / "a.mot", analysis_of(poses))
        mot = read_mot(tmp_path / "a.mot")
        assert "ankle_angle_r" not in mot.columns
        count = len(poses)
        assert f"ankle_angle_r is left out: not seen in {count} of {count} rows" in mot.header
        assert f"knee_angle_r: not seen in 31 of {count} rows, which lie on straight lines" in mot.header
        inside = (mot.columns["time"] > 3.0) & (mot.columns["time"] < 4.0)
        assert np.abs(np.diff(mot.columns["knee_angle_r"][inside], 2)).max() < 2e-4

    def test_nobody_in_the_clip_leaves_the_time_alone(self, tmp_path: Path) -> None:
        poses = [Pose.missing(index, index / 30, (640, 480)) for index in range(40)]
        write_mot(tmp_path / "a.mot", analysis_of(poses))
        write_trc(tmp_path / "a.trc", analysis_of(poses))
        assert list(read_mot(tmp_path / "a.mot").columns) == ["time"]
        assert np.isnan(read_trc(tmp_path / "a.trc").points).all()


def _without(visibility: np.ndarray, landmarks: list[int]) -> np.ndarray:
    changed = visibility.copy()
    changed[landmarks] = 0.0
    return changed


class TestTimes:
    def test_times_rounded_by_the_container_are_even_enough(self) -> None:
        times = np.round(np.arange(50) / 29.97, 3)
        assert even_times(times) is times

    def test_uneven_times_get_the_usual_interval(self) -> None:
        times = np.array([0.0, 0.1, 0.2, 0.3, 0.7, 0.8])
        np.testing.assert_allclose(even_times(times), np.arange(9) / 10)

    def test_resampling_draws_straight_lines_and_keeps_gaps(self) -> None:
        values = np.array([[0.0], [1.0], [np.nan], [3.0]])
        found = resampled(np.array([0.0, 1.0, 2.0, 3.0]), values, np.array([0.0, 0.5, 1.0, 1.5, 2.5, 3.0]))
        np.testing.assert_allclose(found[:, 0], [0.0, 0.5, 1.0, np.nan, np.nan, 3.0])

    @pytest.mark.parametrize("count", [0, 1])
    def test_too_short_to_have_a_rate(self, count: int) -> None:
        times = np.arange(float(count))
        assert even_times(times) is times


class TestParquet:
    @pytest.fixture
    def table(self, tmp_path: Path) -> pyarrow.Table:
        poses = lose(film(HINGES), [(0.5, 0.9)])
        write_exports(analysis_of(poses, name="ä 'clip'.mp4"), tmp_path, "a", ["parquet"])
        return pyarrow.parquet.read_table(tmp_path / "a.angles.parquet")

    def test_units_and_origin_are_in_the_file(self, table: pyarrow.Table) -> None:
        assert table.schema.field("right_knee_flexion_deg").metadata[b"unit"] == b"deg"
        assert table.schema.field("time_s").metadata[b"unit"] == b"s"
        assert all(field.metadata[b"description"] for field in table.schema)
        header = json.loads(table.schema.metadata[b"formcheck"])
        assert header["schema"] == "formcheck.angles/1"
        assert header["clip"]["path"] == "ä 'clip'.mp4"
        assert header["exercise"]["name"] == "romanian-deadlift"
        assert header["tool"]["model"] == "full"

    def test_labels_and_values(self, table: pyarrow.Table) -> None:
        frame = table.to_pandas()
        assert frame["frame"].tolist() == list(range(len(frame)))
        assert frame["rep"].dropna().unique().tolist() == [1, 2]
        assert set(frame["phase"]) == {"rest", "lifting", "turn", "lowering"}
        assert (frame["rep"].isna() == (frame["phase"] == "rest")).all()
        order = frame.loc[frame["rep"] == 1, "phase"].drop_duplicates().tolist()
        assert order == ["lowering", "turn", "lifting"]
        gone = (frame["time_s"] > 0.49) & (frame["time_s"] < 0.91)
        assert table.column("right_knee_flexion_deg").null_count == gone.sum() > 0
        turn = frame.loc[(frame["rep"] == 1) & (frame["phase"] == "turn"), "right_hip_flexion_deg"]
        assert 60 < turn.median() < 100


class TestWriteExports:
    def test_files_are_named_after_the_clip(self, tmp_path: Path) -> None:
        written = write_exports(analysis_of(film(HINGES)), tmp_path, "my clip", FORMATS)
        assert written == tuple(export_paths(tmp_path, "my clip", FORMATS).values())
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)
        assert all(path.stat().st_size > 100 for path in written[:3])
        assert written[3].read_text().startswith("WEBVTT\n")

    def test_an_unknown_format_names_the_known_ones(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"no export 'c3d'; choose from: trc, mot, parquet, vtt"):
            export_paths(tmp_path, "a", ["trc", "c3d"])

    @pytest.mark.parametrize("name", FORMATS)
    def test_a_file_that_cannot_be_written_says_so_and_leaves_nothing(self, name: str, tmp_path: Path) -> None:
        target = export_paths(tmp_path, "a", [name])[name]
        target.mkdir()
        with pytest.raises(OutputError, match="cannot write it"):
            write_exports(analysis_of(film(HINGES)), tmp_path, "a", [name])
        assert [path.name for path in tmp_path.iterdir()] == [target.name]

    def test_formats_that_are_not_asked_for_cost_no_import(self) -> None:
        code = "import sys, formcheck.reports.export; print({'pyarrow', 'pandas', 'scipy'} & set(sys.modules))"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "set()"


def strict_rows(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, times and values of either format, by the parsers above."""
    if path.suffix == ".trc":
        trc = read_trc(path)
        names = [f"{name}_{axis}" for name in trc.markers for axis in (1, 2, 3)]
        return names, trc.time_s, trc.points.reshape(len(trc.points), -1)
    columns = dict(read_mot(path).columns)
    moments = columns.pop("time")
    return list(columns), moments, np.stack(list(columns.values()), axis=1)


def opensim_rows(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The same by OpenSim, with its present reader and its older one, which the GUI and the tools still use."""
    import opensim

    opensim.Logger.removeFileSink()  # or it leaves a log in the current folder
    if path.suffix == ".trc":
        table = opensim.TimeSeriesTableVec3(str(path)).flatten()
        older = opensim.MarkerData(str(path))
        assert older.getUnits().getLabel() == "millimeters"
        assert (older.getNumFrames(), older.getNumMarkers()) == (table.getNumRows(), len(MARKERS))
    else:
        table = opensim.TimeSeriesTable(str(path))
        storage = opensim.Storage(str(path))
        assert storage.isInDegrees()
        assert storage.getSize() == table.getNumRows()
    return list(table.getColumnLabels()), np.array(table.getIndependentColumn()), table.getMatrix().to_numpy()


READERS = {"strict": strict_rows} | ({"opensim": opensim_rows} if find_spec("opensim") else {})


def test_ci_reads_with_opensim_itself() -> None:
    made_for_this = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)
    assert "opensim" in READERS or not (made_for_this and os.environ.get("CI")), "make setup installs it"


@pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))
@pytest.mark.parametrize("suffix", ["trc", "mot"])
def test_what_is_read_back_is_what_was_written(suffix: str, read: object, tmp_path: Path) -> None:
    analysis = analysis_of(lose(film(HINGES), [(3.0, 3.5)]))
    (path,) = write_exports(analysis, tmp_path, "a", [suffix])
    names, moments, values = read(path)  # type: ignore[operator]
    np.testing.assert_allclose(moments, analysis.track.time_s, atol=1e-6)
    if suffix == "trc":
        assert names[:3] == ["nose_1", "nose_2", "nose_3"]
        assert np.isnan(values).any(axis=1).sum() == 16
    else:
        assert names[:2] == ["pelvis_tilt", "hip_flexion_r"]
        seen = analysis.table.columns["right_knee_flexion_deg"]
        known = np.isfinite(seen)
        np.testing.assert_allclose(values[known, names.index("knee_angle_r")], seen[known], atol=1e-4)
    np.testing.assert_allclose(values, strict_rows(path)[2], atol=1e-9)


@pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))
@pytest.mark.parametrize("suffix", ["trc", "mot"])
@pytest.mark.parametrize("clip", ["uneven times", "a hidden foot", "not seen at first", "a tab in its name"])
def test_a_clip_that_is_not_as_it_should_be_is_read_back_too(
    clip: str, suffix: str, read: object, tmp_path: Path
) -> None:
    poses = film(HINGES, Shot(jitter=0.3 if clip == "uneven times" else 0.0))
    if clip == "a hidden foot":
        poses = [replace(pose, visibility=_without(pose.visibility, [31, 32])) for pose in poses]
    if clip == "not seen at first":
        poses = lose(poses, [(0.0, 0.4 * poses[-1].time_s)])
    stem = "a\tb" if clip == "a tab in its name" else "a"
    (path,) = write_exports(analysis_of(poses), tmp_path, stem, [suffix])
    expected = strict_rows(path)
    names, moments, values = read(path)  # type: ignore[operator]
    assert names == expected[0]
    np.testing.assert_allclose(moments, expected[1], atol=1e-9)
    np.testing.assert_allclose(values.reshape(len(moments), -1), expected[2].reshape(len(moments), -1), atol=1e-9)
