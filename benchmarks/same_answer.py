"""Whether changed versions of a clip get the same answer.

    python benchmarks/same_answer.py CLIP...                         # makes the versions, in a temporary folder
    python benchmarks/same_answer.py VERSION... --against ORIGINAL   # versions that are there already

Each version goes through the whole analysis, as any clip would, and is set against the analysis of the original:

- *reps*: as many, and the largest difference between the times at which their turns are reached;
- *angles*: of the leg near the camera, the share of the frames seen in both in which they differ by at most two
  standard errors. The standard error is the one that formcheck states for the version (in a dark one it is larger), of
  one measurement, not the larger one of a difference: what the two have in common cancels, so this asks for more. The
  95th percentile of the difference is in degrees;
- *lost*: of the frames in which the original's angles were seen, the share in which the version's were not;
- *outcomes*, in the last column: faults that only the version (+) or only the original has (-), and statuses that
  differ otherwise (~).

The exercise is the one that the clip's truth (NAME.json) names, or `--exercise`, or is recognised by itself in each.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageFilter

from formcheck import accuracy, metrics
from formcheck.adapters.video import ClipReader
from formcheck.errors import FormcheckError
from formcheck.exercises import EXERCISES, find_exercise
from formcheck.exercises.base import Exercise
from formcheck.pipeline import analyze_clip
from formcheck.types import Analysis, Frame, ImageArray, Side, Status
from formcheck.validate.truth import exercise_of

SHOWN = ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg", "trunk_inclination_deg")
CLOCK_HZ = 90_000
USUAL_CRF, HEAVY_CRF = "18", "38"
LONGEST_STEP = 3  # frames, of the version with an uneven rate
BLUR_SHARE = 1 / 500  # of the picture's height
SAME_MOMENT_S = 0.004
SHORTER_S = 0.2  # a version that ends earlier than the original by more is compared as far as it goes
# What a version's display matrix says, for pixels stored with this many quarter turns anticlockwise (ISO 14496-12).
MATRIX = {1: (0, 1, -1, 0), 2: (-1, 0, 0, -1), 3: (0, -1, 1, 0)}

Change = Callable[[ImageArray], ImageArray]


@dataclass(frozen=True, slots=True)
class Version:
    """How a version is made: what is done to each picture and to the file, and which frames are kept."""

    change: Change = np.asarray
    quarter_turns: int = 0
    crf: str = USUAL_CRF
    uneven: bool = False


def darker(share: float) -> Change:
    return lambda image: (share * image).astype(np.uint8)


def flatter(image: ImageArray) -> ImageArray:
    return (image.mean() + 0.5 * (image - image.mean())).astype(np.uint8)


def blurred(image: ImageArray) -> ImageArray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR_SHARE * image.shape[0])))


def smaller(image: ImageArray) -> ImageArray:
    height, width, _ = image.shape
    return np.asarray(Image.fromarray(image).resize((width // 2, height // 2), Image.Resampling.BOX))


VERSIONS: Mapping[str, Version] = {
    "encoded again": Version(),
    "mirrored": Version(lambda image: image[:, ::-1]),
    "turned 90": Version(quarter_turns=1),
    "turned 180": Version(quarter_turns=2),
    "turned 270": Version(quarter_turns=3),
    "uneven rate": Version(uneven=True),
    "dark, 35 %": Version(darker(0.35)),
    "dark, 20 %": Version(darker(0.20)),
    "half contrast": Version(flatter),
    "blurred": Version(blurred),
    "half size": Version(smaller),
    "compressed": Version(crf=HEAVY_CRF),
}


def make(clip: Path, path: Path, version: Version) -> None:
    """Write a version of a clip."""
    with ClipReader(clip) as reader, av.open(str(path), "w") as file:
        stream = None
        for frame in kept(reader) if version.uneven else reader:
            image = np.ascontiguousarray(np.rot90(version.change(frame.image), version.quarter_turns))
            image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
            if stream is None:
                rate = Fraction(reader.info.average_fps).limit_denominator(1000)
                stream = file.add_stream("libx264", rate=rate, options={"crf": version.crf, "bf": "0"})
                stream.height, stream.width, stream.pix_fmt = *image.shape[:2], "yuv420p"
                stream.codec_context.time_base = Fraction(1, CLOCK_HZ)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            picture.pts, picture.time_base = round(frame.time_s * CLOCK_HZ), Fraction(1, CLOCK_HZ)
            file.mux(stream.encode(picture))
        if stream is not None:
            file.mux(stream.encode(None))
    if version.quarter_turns:
        set_display_matrix(path, MATRIX[version.quarter_turns])


def kept(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The first frame, and then one after one to three."""
    random = np.random.default_rng(0)
    wait = 0
    for frame in frames:
        if wait == 0:
            yield frame
            wait = int(random.integers(1, LONGEST_STEP + 1))
        wait -= 1


def set_display_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Patch the track header: a stored point (x, y) is shown at (a x + c y, b x + d y), y down (ISO 14496-12)."""
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd") + 4
    if data[header] != 0:
        raise ValueError(f"{path}: its track header is of another version")
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(">9i", data, header + 40, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One version against its original; `within` and `p95_deg` by metric."""

    reps: tuple[int, int]
    turn_s: float
    within: Mapping[str, float]
    p95_deg: Mapping[str, float]
    lost: float
    new_faults: tuple[str, ...]
    gone_faults: tuple[str, ...]
    otherwise: tuple[str, ...]
    outcomes: int


def compare(original: Analysis, version: Analysis, exercise: Exercise) -> Comparison:
    end_s = float(version.table.time_s[-1]) + SHORTER_S
    shorter = end_s < original.table.time_s[-1]
    reps = [rep for rep in original.report.reps if rep.end_s <= end_s]
    counts = (len(reps), len(version.report.reps))
    apart = [abs(a.turn_start_s - b.turn_start_s) for a, b in zip(reps, version.report.reps, strict=False)]
    within, p95, lost = angles(original, version, exercise)
    numbers = {rep.number for rep in reps} if shorter else None
    then, now = statuses(original, numbers), statuses(version, numbers)
    changed = [key for key in then.keys() | now.keys() if then.get(key) is not now.get(key)]
    new = [key for key in changed if now.get(key) is Status.FAULT]
    gone = [key for key in changed if then.get(key) is Status.FAULT]
    rest = [key for key in changed if key not in new and key not in gone]
    told = {
        key: f"{key[0]} rep {key[1]}: {then.get(key, 'none')} -> {now.get(key, 'none')}"
        for key in sorted(changed, key=str)
    }
    named = [tuple(told[key] for key in told if key in keys) for keys in (new, gone, rest)]
    return Comparison(counts, max(apart, default=0.0), within, p95, lost, *named, outcomes=len(then))


def statuses(analysis: Analysis, numbers: AbstractSet[int] | None) -> dict[tuple[str, int | None], Status]:
    """By rule and repetition; where numbers are given of those only, without what is said of the whole set."""
    outcomes = analysis.report.outcomes
    return {(item.rule, item.rep): item.status for item in outcomes if numbers is None or item.rep in numbers}


def angles(
    original: Analysis, version: Analysis, exercise: Exercise
) -> tuple[dict[str, float], dict[str, float], float]:
    """Per metric the share within two standard errors and the 95th percentile; the share of frames lost."""
    first, second = original.table, version.table
    rows = np.abs(first.time_s[:, None] - second.time_s).argmin(axis=0)
    same = np.abs(first.time_s[rows] - second.time_s) <= SAME_MOMENT_S
    rows, columns = rows[same], np.flatnonzero(same)
    near = original.report.view.near_side or Side.RIGHT, version.report.view.near_side or Side.RIGHT
    within, p95 = {}, {}
    seen = missing = 0
    for metric in SHOWN:
        before = first.columns[metrics.column_name(metric, near[0])][rows]
        after = second.columns[metrics.column_name(metric, near[1])][columns]
        apart = np.abs(before - after)
        known = apart[np.isfinite(apart)]
        light = version.report.view.brightness
        sigma = accuracy.sigma(metric, exercise.position, original.report.view.yaw_deg, light)
        within[metric] = float((known <= 2 * sigma).mean()) if known.size else float("nan")
        p95[metric] = float(np.percentile(known, 95)) if known.size else float("nan")
        seen += int(np.isfinite(before).sum())
        missing += int((np.isfinite(before) & ~np.isfinite(after)).sum())
    return within, p95, missing / max(seen, 1)


def show(name: str, found: Comparison) -> None:
    cells = "".join(f"{100 * found.within[m]:6.0f} %{found.p95_deg[m]:6.1f}" for m in SHOWN)
    reps = f"{found.reps[0]} -> {found.reps[1]}"
    print(
        f"  {name:15}{reps:>9}{found.turn_s:7.2f}{cells}{100 * found.lost:6.1f} %"
        f"  +{len(found.new_faults)} -{len(found.gone_faults)} ~{len(found.otherwise)} of {found.outcomes}",
        flush=True,
    )
    for text in (*found.new_faults, *found.gone_faults, *found.otherwise):
        print(f"      {text}", flush=True)


def summary(results: Mapping[str, Sequence[Comparison]]) -> None:
    print(
        f"\nall clips{'':8}{'same reps':>10}{'turn s':>7}" + "".join(f"{m.split('_')[0]:>8}{'worst':>6}" for m in SHOWN)
    )
    for name, found in results.items():
        same = sum(item.reps[0] == item.reps[1] for item in found)
        cells = ""
        for metric in SHOWN:
            shares = [100 * item.within[metric] for item in found]
            cells += f"{np.nanmean(shares):6.0f} %{np.nanmin(shares):6.0f}"
        counted = [max(item.turn_s for item in found), sum(len(item.new_faults) for item in found)]
        counted += [sum(len(item.gone_faults) for item in found), sum(len(item.otherwise) for item in found)]
        outcomes = sum(item.outcomes for item in found)
        print(
            f"{name:17}{same:>5} of {len(found):<2}{counted[0]:7.2f}{cells}  "
            f"+{counted[1]} -{counted[2]} ~{counted[3]} of {outcomes}"
        )


def analysed(clip: Path, exercise: Exercise | None, what: str) -> Analysis | None:
    try:
        return analyze_clip(clip, exercise=exercise)
    except FormcheckError as error:
        print(f"  {what:15} could not be analysed: {error}", flush=True)
        return None


def versions_of(clip: Path, folder: Path, only: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for name, version in VERSIONS.items():
        if not only or any(name.startswith(wanted) for wanted in only):
            path = folder / f"{clip.stem} {name.replace('%', '').strip()}.mp4"
            make(clip, path, version)
            yield name, path
            path.unlink()


def exercise_for(clip: Path, named: str | None) -> Exercise | None:
    if named is None and not clip.with_suffix(".json").exists():
        return None
    name = named or exercise_of(clip)
    return EXERCISES[name] if name in EXERCISES else find_exercise(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--against", type=Path, metavar="ORIGINAL", help="the clips are versions of this one")
    parser.add_argument("--exercise", help="what the clips show")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only versions whose name begins so")
    args = parser.parse_args()
    results: dict[str, list[Comparison]] = {}
    print(f"  {'':15}{'reps':>9}{'turn s':>7}" + "".join(f"{m.split('_')[0]:>8}{'p95':>6}" for m in SHOWN) + "    lost")
    with tempfile.TemporaryDirectory() as folder:
        for clip in [args.against] if args.against else args.clips:
            exercise = exercise_for(clip, args.exercise)
            print(clip.name, flush=True)
            original = analysed(clip, exercise, "the original")
            if original is None:
                continue
            made = (
                ((path.stem, path) for path in args.clips)
                if args.against
                else versions_of(clip, Path(folder), args.only)
            )
            for name, path in made:
                version = analysed(path, exercise, name)
                if version is not None:
                    found = compare(original, version, EXERCISES[original.report.exercise.name])
                    results.setdefault(name, []).append(found)
                    show(name, found)
    if results and not args.against:
        summary(results)


if __name__ == "__main__":
    main()
