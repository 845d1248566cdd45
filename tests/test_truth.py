"""The truth beside clips, and the errors that are taken from it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from formcheck.geometry import wrap_degrees
from formcheck.rules import RULES
from formcheck.types import (
    Analysis,
    ClipInfo,
    ExerciseInfo,
    MeasurementTable,
    Outcome,
    PoseTrack,
    Rep,
    Report,
    Side,
    Status,
    ToolInfo,
    View,
)
from formcheck.validate.compare import compare, true_metrics
from formcheck.validate.truth import RULE_OF_FAULT, TruthClip, exercise_of, load_truth

CLIP = Path(__file__).resolve().parent.parent / "sample_videos" / "03-romanian-deadlift-good.mp4"


def described(folder: Path, **changes: object) -> Path:
    """A copy of the clip's truth with other entries in its description."""
    clip = folder / "clip.mp4"
    data = json.loads(CLIP.with_suffix(".json").read_text(encoding="utf-8"))
    clip.with_suffix(".json").write_text(json.dumps({**data, **changes}), encoding="utf-8")
    shutil.copy(CLIP.with_name(CLIP.stem + ".truth.csv"), folder / "clip.truth.csv")
    return clip


@pytest.mark.parametrize(
    ("name", "exercise"),
    [
        ("romanian_deadlift", "romanian-deadlift"),
        ("standing_single_leg_curl", "standing-leg-curl"),
        ("good_morning", "good-morning"),
        ("juggling_clubs", "juggling-clubs"),
    ],
)
def test_exercises_are_found_by_any_of_their_names(tmp_path: Path, name: str, exercise: str) -> None:
    assert exercise_of(described(tmp_path, exercise=name)) == exercise


def test_a_fault_of_the_back_has_no_leg(tmp_path: Path) -> None:
    planted = [{"fault": fault, "rep": 1, "leg": "left", "visible": True} for fault in RULE_OF_FAULT]
    legs = {fault.fault: fault.leg for fault in load_truth(described(tmp_path, faults=planted)).faults}
    assert legs["locked_knees"] is Side.LEFT
    assert legs["missing_plantarflexion"] is Side.LEFT
    assert legs["rounded_lower_back"] is None
    assert legs["fast_eccentric"] is None


def test_every_planted_fault_has_a_rule() -> None:
    assert set(RULE_OF_FAULT.values()) <= set(RULES)


def test_the_shank_leans_as_far_as_sole_and_ankle_together() -> None:
    truth = load_truth(CLIP)
    for side in Side:
        shank, ankle, sole = (
            truth.columns[f"{side}_{name}_deg"] for name in ("shank_inclination", "ankle_dorsiflexion", "sole_pitch")
        )
        assert np.abs(wrap_degrees(shank - ankle - sole)).max() < 1e-9


def analysed(truth: TruthClip, outcomes: tuple[Outcome, ...], offset_deg: float) -> Analysis:
    """An analysis that measured every angle `offset_deg` too large, and these outcomes."""
    side = truth.near_side
    back = {"lumbar_flexion_deg", "neck_flexion_deg"}
    true = true_metrics(truth)
    columns = {name: (true[name] if name in back else column) + offset_deg for name, column in truth.columns.items()}
    table = MeasurementTable(truth.time_s, (side,) * len(truth.time_s), columns)
    found = tuple(
        Rep(rep.number, side, rep.start_s, rep.turn_start_s, rep.end_s, rep.turn_start_s, rep.turn_end_s)
        for rep in truth.reps
    )
    report = Report(
        ToolInfo("0", "0", "none", "0"),
        ClipInfo("clip.mp4", 8.0, len(truth.time_s), 1280, 720, 0, 1.0),
        ExerciseInfo(truth.exercise, True, 1.0),
        View(0.0, side, False, True),
        found,
        outcomes,
    )
    return Analysis(report, table, PoseTrack.from_poses([]))


def outcome(rule: str, rep: int, measured: float) -> Outcome:
    item = RULES[rule]
    return Outcome(
        rule, rep, Side.RIGHT, Status.OK, 0.0, 1.0, 0.5, item.metric, measured, 1.0, 1.0, item.unit, "", "", ""
    )


def test_what_a_rule_makes_of_angles_is_compared_with_what_it_makes_of_the_truth() -> None:
    truth = load_truth(CLIP)
    lowering = [rep.turn_start_s - rep.start_s for rep in truth.reps]  # a hinge goes down first
    outcomes = tuple(
        outcome("fast-lowering", rep.number, true_s + 0.25) for rep, true_s in zip(truth.reps, lowering, strict=True)
    )
    compared = compare(analysed(truth, outcomes, offset_deg=0.0), truth)
    assert compared.further["lowering_s"] == pytest.approx([0.25] * len(truth.reps))
    assert "hip_share_percent" not in compared.further  # no such outcome was given


def test_what_was_not_measured_is_no_error() -> None:
    truth = load_truth(CLIP)
    unseen = replace(outcome("fast-lowering", 1, float("nan")), status=Status.NOT_JUDGED)
    assert compare(analysed(truth, (unseen,), offset_deg=0.0), truth).further == {}


def test_angles_are_compared_frame_by_frame() -> None:
    truth = load_truth(CLIP)
    compared = compare(analysed(truth, (), offset_deg=3.0), truth)
    for metric, errors in compared.errors.items():
        assert errors == pytest.approx(np.full(len(truth.time_s), 3.0)), metric
        assert compared.covered[metric] == 1.0
