"""How well a leaning camera is noticed, and what taking the lean out does.

    python benchmarks/roll.py CLIPS_FOLDER                       # the landmarks of level clips turned by known angles
    python benchmarks/roll.py CLIPS_FOLDER --pictures CLIP...    # the pictures themselves turned, poses estimated anew

For clips with their truth beside them (NAME.json, NAME.truth.csv), all filmed by a level camera. Each is judged with
what was learnt about the landmarks from every body but its own. Printed are, by body position, the error of the
estimate; how often a level clip would be corrected, by how many standard errors are asked for; the errors of the angles
with and without the correction; and how many outcomes differ from those of the level clip. Poses come from the
validation cache.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from formcheck import bias, lumbar, metrics, roll
from formcheck.adapters.video import ClipReader
from formcheck.config import Settings
from formcheck.exercises import EXERCISES
from formcheck.geometry import wrap_degrees
from formcheck.pipeline import applied_rules
from formcheck.types import FloatArray, Frame, Outcome, PoseTrack, Status
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.truth import TruthClip, find_truth_clips, load_truth
from formcheck.verdicts import Verdict, judge

ANGLES_DEG = (-15.0, -8.0, 0.0, 8.0, 15.0)
PICTURE_DEG = 8.0
LIMITS = (1.0, 1.5, 2.0, 2.5, 3.0)
SHOWN = ("trunk_inclination_deg", "knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg")
SPEAKING = (Status.FAULT, Status.CAUTION)


@dataclass(frozen=True, slots=True)
class Result:
    """One clip seen with one lean, judged with it left in and with it taken out where that is certain."""

    truth: TruthClip
    lean_deg: float
    left_in: Verdict
    taken_out: Verdict

    @property
    def position(self) -> str:
        return EXERCISES[self.truth.exercise].position.value

    @property
    def error_deg(self) -> float:
        return self.taken_out.view.roll_deg - self.lean_deg


class TurnedReader:
    """A clip with every frame turned clockwise by `PICTURE_DEG` around its middle, on a canvas that holds it all."""

    def __init__(self, reader: ClipReader) -> None:
        self._reader = reader
        self.info = reader.info

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._reader:
            grey = tuple(int(value) for value in frame.image[::8, ::8].reshape(-1, 3).mean(axis=0))
            picture = Image.fromarray(frame.image)
            turned = picture.rotate(-PICTURE_DEG, Image.Resampling.BILINEAR, expand=True, fillcolor=grey)
            yield Frame(frame.index, frame.time_s, np.ascontiguousarray(np.asarray(turned)))


def turned(track: PoseTrack, lean_deg: float) -> PoseTrack:
    """The track that a camera which leans by this much would give, in a picture that still holds everything."""
    size = math.ceil(math.hypot(*track.size_px))
    shift = (size - np.array(track.size_px)) / 2
    outline = None if track.outline_px is None else track.outline_px + shift
    wide = replace(track, size_px=(size, size), image_px=track.image_px + shift, outline_px=outline)
    leaning = roll.levelled(wide, -lean_deg)
    if outline is None:
        return leaning
    return replace(leaning, outline_px=size / 2 + roll.turned(outline - size / 2, lean_deg))


def judged(track: PoseTrack, truth: TruthClip, limit: float = roll.CERTAIN_SIGMAS) -> Verdict:
    exercise = EXERCISES[truth.exercise]
    with mock.patch.object(roll, "CERTAIN_SIGMAS", limit):
        model, back = bias.load(truth.body), lumbar.load(truth.body)
        return judge(track, exercise, applied_rules(exercise, Settings()), model=model, back=back)


def result_of(track: PoseTrack, truth: TruthClip, lean_deg: float) -> Result:
    taken_out = judged(track, truth)
    certain = roll.Roll(taken_out.view.roll_deg, taken_out.view.roll_sigma_deg).certain
    return Result(truth, lean_deg, judged(track, truth, math.inf) if certain else taken_out, taken_out)


def angle_errors(verdict: Verdict, truth: TruthClip) -> dict[str, FloatArray]:
    """Measured minus true of the near leg, frame by frame, degrees."""
    rows = np.abs(truth.time_s[:, None] - verdict.table.time_s).argmin(axis=0)
    names = {metric: metrics.column_name(metric, truth.near_side) for metric in SHOWN}
    errors = {m: wrap_degrees(verdict.table.columns[n] - truth.columns[n][rows]) for m, n in names.items()}
    return {metric: error[np.isfinite(error)] for metric, error in errors.items()}


def changes(verdict: Verdict, level: Verdict) -> tuple[int, int, int]:
    """Outcomes that differ from the level clip's, findings that are new, findings that are gone."""
    now, then = _by_rule(verdict.outcomes), _by_rule(level.outcomes)
    both = now.keys() | then.keys()
    new = sum(now.get(key) in SPEAKING and then.get(key) not in SPEAKING for key in both)
    gone = sum(then.get(key) in SPEAKING and now.get(key) not in SPEAKING for key in both)
    return sum(now.get(key) != then.get(key) for key in both), new, gone


def _by_rule(outcomes: Sequence[Outcome]) -> dict[tuple[str, int | None], Status]:
    return {(outcome.rule, outcome.rep): outcome.status for outcome in outcomes}


def report_estimates(results: Sequence[Result]) -> None:
    print("\nError of the estimate, all leans, degrees (a lean that is not estimated is not known)")
    print(f"{'position':14}{'clips':>6}{'known':>7}{'MAE':>6}{'most':>6}{'sigma':>7}{'certain at 8':>14}{'at 15':>7}")
    for position in sorted({result.position for result in results}):
        rows = [result for result in results if result.position == position]
        known = [row for row in rows if math.isfinite(row.error_deg)]
        clips = len({row.truth.path for row in rows})
        if not known:
            print(f"{position:14}{clips:6}{'0 %':>7}")
            continue
        errors = np.abs([row.error_deg for row in known])
        sigma = np.median([row.taken_out.view.roll_sigma_deg for row in known])
        certain = [_share([_certain(row) for row in rows if abs(row.lean_deg) == lean]) for lean in (8.0, 15.0)]
        print(
            f"{position:14}{clips:6}{_share([row in known for row in rows]):>7}{errors.mean():6.1f}{errors.max():6.1f}"
            f"{sigma:7.1f}{certain[0]:>14}{certain[1]:>7}"
        )


def report_limits(results: Sequence[Result]) -> None:
    level = [result.taken_out.view for result in results if result.lean_deg == 0.0]
    apart = [abs(view.roll_deg) / view.roll_sigma_deg for view in level if math.isfinite(view.roll_deg)]
    print(f"\nLevel clips whose lean is estimated: {len(apart)}; farthest from level {max(apart, default=0):.1f} sigma")
    told = ", ".join(f"{limit:g} sigma {sum(value > limit for value in apart)}" for limit in LIMITS)
    print(f"corrected for nothing if asked for: {told}  (formcheck asks for {roll.CERTAIN_SIGMAS:g})")


def report_angles(results: Sequence[Result], level: dict[Path, Verdict]) -> None:
    print("\nMean absolute error of the angles, degrees: lean left in -> taken out where certain")
    print(f"{'position':14}{'lean':>6}" + "".join(f"{name.removesuffix('_deg'):>22}" for name in SHOWN) + "   outcomes")
    groups: dict[tuple[str, float], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.position, abs(result.lean_deg)].append(result)
        groups["all", abs(result.lean_deg)].append(result)
    for (position, lean), rows in sorted(groups.items()):
        before, after = ([angle_errors(getattr(r, k), r.truth) for r in rows] for k in ("left_in", "taken_out"))
        cells = [f"{_mean(before, name):10.2f} -> {_mean(after, name):5.2f}" for name in SHOWN]
        told = []
        for kind in ("left_in", "taken_out"):
            counts = np.sum([changes(getattr(row, kind), level[row.truth.path]) for row in rows], axis=0)
            told.append("{} differ ({} new, {} gone)".format(*counts))
        total = sum(len(row.taken_out.outcomes) for row in rows)
        print(f"{position:14}{lean:6.0f}" + "".join(f"{c:>22}" for c in cells) + f"   {' -> '.join(told)} of {total}")


def _certain(result: Result) -> bool:
    return roll.Roll(result.taken_out.view.roll_deg, result.taken_out.view.roll_sigma_deg).certain


def _mean(errors: Sequence[dict[str, FloatArray]], name: str) -> float:
    return float(np.mean([np.abs(error[name]).mean() for error in errors if error[name].size]))


def _share(values: Sequence[bool]) -> str:
    return f"{100 * np.mean(values):.0f} %" if values else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", nargs="+", type=Path, metavar="CLIP", help="turn the pictures of these clips")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where estimated poses are kept")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    level: dict[Path, Verdict] = {}
    for clip in args.pictures or find_truth_clips(args.folder):
        truth = load_truth(clip)
        track = PoseTrack.from_poses(cached_poses(clip, None, args.cache)[0])
        if args.pictures:
            seen = {
                0.0: track,
                PICTURE_DEG: PoseTrack.from_poses(cached_poses(clip, None, args.cache, TurnedReader)[0]),
            }
        else:
            seen = {lean: turned(track, lean) for lean in ANGLES_DEG}
        found = [result_of(leaning, truth, lean) for lean, leaning in seen.items()]
        level[clip] = next(result.left_in for result in found if result.lean_deg == 0.0)
        results += found
        told = ", ".join(
            f"{r.lean_deg:g}: {r.taken_out.view.roll_deg:.1f} ± {r.taken_out.view.roll_sigma_deg:.1f}" for r in found
        )
        print(f"{clip.name:60} {told}", flush=True)
    report_estimates(results)
    report_limits(results)
    report_angles(results, level)


if __name__ == "__main__":
    main()
