"""docs/accuracy.md: its generator runs, agrees with `validate`, and what lies in docs/ is of the shipped files."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import formcheck
from formcheck import accuracy, bias, lumbar
from formcheck.types import Status
from formcheck.validate import validate

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_videos"
REPORT = ROOT / "docs" / "accuracy.md"
SCRIPT = ROOT / "benchmarks" / "accuracy_report.py"
SHORT_CLIPS = (  # of three exercises
    "02-prone-leg-curl-missing-plantarflexion",
    "03-romanian-deadlift-good",
    "06-seated-hamstring-stretch-excessive-dorsiflexion",
)
AGAIN = "run: python benchmarks/accuracy_report.py CLIPS_FOLDER"
LARGEST_PLOT = 100_000  # bytes


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def plots(text: str) -> list[str]:
    return re.findall(r"!\[[^]]+]\(([^)]+)\)", text)


@pytest.mark.parametrize("name", [bias.MODEL_FILE, lumbar.MODEL_FILE, accuracy.TABLE_FILE])
def test_report_was_made_with_the_shipped_files(name: str) -> None:
    shipped = hashlib.sha256((ROOT / "formcheck" / name).read_bytes()).hexdigest()
    assert f"`formcheck/{name}` (sha256 `{shipped}`)" in REPORT.read_text(encoding="utf-8"), AGAIN


def test_report_is_of_this_version() -> None:
    assert f"Measured with formcheck {formcheck.__version__}," in REPORT.read_text(encoding="utf-8"), AGAIN


def test_report_has_its_plots() -> None:
    linked = plots(REPORT.read_text(encoding="utf-8"))
    assert len(linked) == 6
    for plot in linked:
        assert 0 < (REPORT.parent / plot).stat().st_size < LARGEST_PLOT, plot


def test_generator_refuses_a_folder_without_clips(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), "--docs", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(tmp_path) in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.model
@pytest.mark.slow
def test_generator_agrees_with_validate(tmp_path: Path) -> None:
    clips, docs, cache = tmp_path / "clips", tmp_path / "docs", tmp_path / "cache"
    clips.mkdir()
    for name in SHORT_CLIPS:
        for suffix in (".mp4", ".json", ".truth.csv"):
            shutil.copy(SAMPLES / f"{name}{suffix}", clips)
    command = [sys.executable, str(SCRIPT), str(clips), "--cache", str(cache), "--docs", str(docs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = (docs / "accuracy.md").read_text(encoding="utf-8")
    assert all((docs / plot).read_bytes().startswith(b"\x89PNG") for plot in plots(text))

    compared = validate(clips, cache=cache).clips
    angles, planted = section(text, "Errors by exercise"), section(text, "Planted faults")
    assert len(compared) == len(SHORT_CLIPS)
    for clip in compared:
        row = next(line for line in angles.splitlines() if line.startswith(f"| {clip.truth.exercise} |"))
        for cell, metric in zip(
            row.split(" | ")[2:5], ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg"), strict=True
        ):
            error = clip.errors[metric]
            assert cell.startswith(f"{abs(error).mean():.1f} ({error.mean():+.1f}; "), (clip.truth.exercise, metric)
        assert f"| {clip.truth.exercise} | 1 of 1 | {clip.reps_true} of {clip.reps_true} |" in text
    statuses = [result.status for clip in compared for result in clip.planted]
    kinds = (Status.FAULT, Status.CAUTION, Status.NOT_JUDGED, Status.OK, None)
    counts = " | ".join(str(sum(status is kind for status in statuses)) for kind in kinds)
    assert statuses
    assert f"| {len(statuses)} | {counts} |" in planted
