"""What a neutral pose is good for: the joints' errors with nothing removed, with a plain zero, and with other ways.

    python benchmarks/neutral.py CLIPS_FOLDER

Each clip in side view is analysed with what was learnt from every body but its own, and its quiet moment at rest is
found by `formcheck.neutral`. Whatever a way needs to know (how people truly rest, what share of an offset is error) it
learns from the other bodies as well. Mean absolute error over whole clips, degrees, every clip counting the same.

- none: the angles without a neutral pose.
- plain zero: what a joint shows in the quiet moment is taken for 0.
- known rest: it is taken for the mean true rest of the others in that position.
- shrunk: of the difference from that, only the share which is error by the spreads of rests and errors.
- flat sole: the ankle's offset from the lean of the shank is taken off, whole or in part.
- camera leaning: the same with a camera that leans unnoticed, to either side.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formcheck import metrics, neutral
from formcheck.adapters.video import probe
from formcheck.exercises import EXERCISES
from formcheck.geometry import wrap_degrees
from formcheck.pipeline import analyze_poses, clip_info
from formcheck.types import Analysis, FloatArray, Position
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.tables import SIDE_VIEW_DEG
from formcheck.validate.truth import TruthClip, find_truth_clips, load_truth

SHORT = {"knee_flexion_deg": "knee", "hip_flexion_deg": "hip", neutral.ANKLE: "ankle"}
LEANS_DEG = (1.0, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Joint:
    """One joint of one clip: errors of its frames without a neutral pose, and its quiet moment."""

    body: str
    position: Position
    neutral: bool
    errors: FloatArray
    shown: float  # in the quiet moment, degrees
    true: float
    offset: float  # of the ankle from the lean of the shank; NaN for the others


Way = Callable[[Joint, Sequence[Joint]], float]
"""From a joint, and the same joint in clips of other bodies, to what is removed from its angle."""


def joints_of(analysis: Analysis, truth: TruthClip) -> dict[str, Joint]:
    """The near leg's joints; empty when the clip has no quiet moment."""
    pose, table = analysis.report.neutral, analysis.table
    if pose is None or not pose.seen or pose.side is not truth.near_side:
        return {}
    rows = np.abs(truth.time_s[:, None] - table.time_s).argmin(axis=0)
    moment = (table.time_s >= pose.start_s) & (table.time_s <= pose.end_s)
    found = {}
    for metric in neutral.JOINTS:
        name = metrics.column_name(metric, pose.side)
        measured = table.columns[name] + pose.offsets.get(metric, 0.0)
        true = truth.columns[name][rows]
        known = np.isfinite(measured)
        found[metric] = Joint(
            truth.body,
            EXERCISES[truth.exercise].position,
            not pose.reason,
            wrap_degrees(measured - true)[known],
            float(np.nanmedian(measured[moment])),
            float(np.median(true[moment])),
            pose.seen[metric] if metric == neutral.ANKLE else np.nan,
        )
    return found


def alike(joint: Joint, others: Sequence[Joint]) -> list[Joint]:
    return [other for other in others if other.position is joint.position]


def known_rest(joint: Joint, others: Sequence[Joint]) -> float:
    same = alike(joint, others)
    return joint.shown - float(np.mean([other.true for other in same])) if len(same) > 1 else 0.0


def shrunk(joint: Joint, others: Sequence[Joint]) -> float:
    same = alike(joint, others)
    if len(same) < 2:
        return 0.0
    error = float(np.mean([(other.shown - other.true) ** 2 for other in same]))
    return known_rest(joint, others) * error / (error + float(np.var([other.true for other in same])))


def share_of(others: Sequence[Joint]) -> float:
    """Share of the offset from the shank that is the ankle's error, by least squares."""
    standing = [other for other in others if other.neutral]
    offset = np.array([other.offset for other in standing])
    return float(offset @ [other.errors.mean() for other in standing] / (offset @ offset))


def by_shank(share: float | None, lean_deg: float = 0.0) -> Way:
    def removed(joint: Joint, others: Sequence[Joint]) -> float:
        if not joint.neutral:
            return 0.0
        return (share_of(others) if share is None else share) * (joint.offset - lean_deg)

    return removed


def error_of(joints: Sequence[Joint], way: Way) -> float:
    """Mean absolute error of clips when each is treated in one way."""
    clips = []
    for joint in joints:
        others = [other for other in joints if other.body != joint.body]
        clips.append(np.abs(joint.errors - way(joint, others)).mean())
    return float(np.mean(clips))


def rows_of(metric: str, joints: Sequence[Joint], standing: bool) -> list[tuple[str, float]]:
    ways: list[tuple[str, Way]] = [
        ("none", lambda joint, others: 0.0),
        ("plain zero", lambda joint, others: joint.shown),
        ("known rest", known_rest),
        ("shrunk", shrunk),
    ]
    if metric == neutral.ANKLE and standing:
        ways += [("flat sole, whole", by_shank(1.0)), ("flat sole, share learnt from other bodies", by_shank(None))]
        ways.append((f"flat sole, {neutral.ANKLE_SHARE} (formcheck)", by_shank(neutral.ANKLE_SHARE)))
    rows = [(name, error_of(joints, way)) for name, way in ways]
    if metric == neutral.ANKLE and standing:
        for lean in LEANS_DEG:
            both = [error_of(joints, by_shank(neutral.ANKLE_SHARE, sign * lean)) for sign in (-1.0, 1.0)]
            rows.append((f"the same, camera leaning {lean:.0f} deg", float(np.mean(both))))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache())
    arguments = parser.parse_args()
    found: list[dict[str, Joint]] = []
    for clip in find_truth_clips(arguments.folder):
        truth = load_truth(clip)
        if truth.yaw_deg > SIDE_VIEW_DEG or truth.exercise not in EXERCISES:
            continue
        poses, info = cached_poses(clip, None, arguments.cache)
        seen = clip_info(clip, probe(clip), poses[-1].time_s)
        analysis = analyze_poses(poses, seen, info, exercise=EXERCISES[truth.exercise], left_out_body=truth.body)
        joints = joints_of(analysis, truth)
        pose = analysis.report.neutral
        why = "no measurement" if pose is None else pose.reason
        shown = ", ".join(f"{SHORT[name]} {joint.shown:.1f} (true {joint.true:.1f})" for name, joint in joints.items())
        ankle = joints.get(neutral.ANKLE)
        removed = f"; ankle off the shank {ankle.offset:+.1f}" if ankle is not None and ankle.neutral else f"; {why}"
        print(f"{clip.stem}: {shown or 'no quiet moment'}{removed}", flush=True)
        if joints:
            found.append(joints)
    for standing, title in ((True, "standing, soles flat"), (False, "other quiet moments: lying, sitting, kneeling")):
        chosen = [joints for joints in found if joints[neutral.ANKLE].neutral is standing]
        if not chosen:
            continue
        print(f"\n{title}: {len(chosen)} clips")
        for metric in neutral.JOINTS:
            for name, error in rows_of(metric, [joints[metric] for joints in chosen], standing):
                print(f"  {SHORT[metric]:6s}{name:45s}{error:6.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
