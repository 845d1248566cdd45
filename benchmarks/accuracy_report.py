"""Write docs/accuracy.md with its plots, from clips with known angles.

    python benchmarks/accuracy_report.py CLIPS_FOLDER [--cache DIR] [--docs DIR]

Every figure and every list in it is measured by this script; the only numbers typed by hand are those that others
published. Estimated poses are kept in the validation cache, so a second run needs no pose estimation.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import accuracy_back
import accuracy_tables as tables
import accuracy_verdicts as verdicts
import fit_lumbar
from accuracy_measure import JOINTS, Measured, measure
from accuracy_plots import draw_plots

from formcheck import __version__, accuracy, bias, kinematics, lumbar
from formcheck.errors import FormcheckError
from formcheck.reports.files import prepare_folder
from formcheck.validate import default_cache
from formcheck.validate.tables import SIDE_VIEW_DEG
from formcheck.validate.truth import find_truth_clips

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = (bias.MODEL_FILE, lumbar.MODEL_FILE, accuracy.TABLE_FILE)

PUBLISHED = (
    ("MediaPipe, squat, side view, against inertial sensors (Cosoli 2026)", "", "-2.3 ± 6.4", ""),
    ("the same, all views", "", "-13.9 ± 15.1", ""),
    ("BlazePose heavy, side view, against Kinovea (2026 preprint)", "", "MAE 7.1, bias -5.1", ""),
    (
        "hip hinge, squat and lunge: two tablets against motion capture (10.1177/17543371251348697)",
        "RMSE 11 to 17",
        "RMSE 6 to 12",
        "RMSE 21 to 26 (offset)",
    ),
    ("OpenCap, several phones (various)", "RMSE 4 to 13 over all joints", "", ""),
    ("OpenCap Monocular (2026)", "MAE 4.8 over all joints", "", ""),
    ("gait in two dimensions (PLOS One 0324499)", "3.7", "3.8", "5.4"),
    (
        "two physiotherapists with a goniometer, least change that shows",
        "",
        "3.7 to 10.4",
        "5.0 to 7.7, standing on it",
    ),
)

TEXT = """\
# How exact formcheck is

<!-- Written by benchmarks/accuracy_report.py; a change by hand is lost at its next run. -->

Measured with formcheck {version}, mediapipe {mediapipe}, and

- the pose model `{model}` (sha256 `{model_sha256}`)
{shipped}

on {clips} clips of {exercises} exercises with {bodies} bodies ({frames} frames). Angles are in degrees, in formcheck's
conventions: knee 0 = straight, hip 0 = thigh in line with the trunk, ankle 0 = sole at right angles to the shin.

## In short

With the camera within {side:.0f}° of side-on, formcheck's angle of the leg that faces the camera is wrong by
{in_short} on average.
An angle in a report carries its standard error, and formcheck does not call a fault within it. These figures come from
**rendered people in tight clothes**, not from patients: they tell where formcheck errs and by how much in kind, and are
no proof of accuracy on people (see [What limits it](#what-limits-it)).

These goals were set before the measurement:

{goals}
## How it is measured

- **Clips.** A body model (MakeHuman, CC0) was posed, dressed and rendered doing the exercises, well and with planted
  faults. So every joint angle of every frame is known. Bodies, rooms, light and cameras differ; some pictures are
  taller than wide. Some of the clips are in `sample_videos/`.
- **Bodies that were not learnt from.** formcheck removes a learnt part of the landmarks' error (`formcheck.bias`). Each
  clip is analysed with what was learnt from all bodies *but the one in it*, so the figures hold for somebody new,
  filmed in a way like these.
- **What is compared.** Each frame's angle of the near leg (the one that faces the camera), as it stands in
  `angles.csv`, with the true one at the same time. *Hip* is the thigh against the line from mid-hip to mid-shoulder,
  which is what landmarks can see. Lower back is the change from the person's own rest.
- **How errors are put together.** Error = measured minus true. *Mean absolute error*: how far off, on average,
  whichever way. *Bias*: the average with its sign; a bias of -3 reads three degrees too little. *95th percentile*: 95
  of 100 frames are off by less. Every clip counts the same, however long it is.

To repeat it: `python benchmarks/accuracy_report.py CLIPS_FOLDER`. `formcheck validate CLIPS_FOLDER` prints the main
tables for your own clips with known angles.

## Errors by exercise, camera within {side:.0f}° of side-on

Mean absolute error (bias; 95th percentile).

{by_exercise}
![Mean absolute error of each exercise, bare landmarks and formcheck](images/accuracy-exercises.png)

## Errors by camera position

How far the camera is turned out of the pure side view. All exercises.

{by_yaw}
## Bare landmarks against formcheck

Mean absolute error of the pose network's landmarks with all of formcheck but the learnt correction (leg swaps repaired,
smoothed, no correction) → with it. Camera within {side:.0f}° of side-on.

{bare}
What that means for the verdicts, all clips:

{bare_verdicts}
![Errors of bare landmarks and of formcheck](images/accuracy-errors.png)

The bars at both ends hold everything beyond. Side view, as in the first table.

## Where in a movement

Mean absolute error (bias), camera within {side:.0f}° of side-on.

{phases}
## By visibility

Root mean square error (frames) by the visibility that the network itself gives the joint's least visible landmark;
camera within {side:.0f}° of side-on. Below {unseen:g} formcheck leaves an angle out. What an angle's stated error
depends on (`accuracy.json`) are metric, body position, the camera's turn and the light; this table shows that the
network's visibility would add next to nothing.

{visibility}
## By light

How many times as large the errors are in dark pictures as in bright ones, by the mean level of the pictures (0 black
to 255); formcheck multiplies its stated errors by it. Measured on darkened and noisy versions of one clip of each
exercise, each analysed without what was learnt from its body (`python benchmarks/light.py CLIPS_FOLDER --write`). From
{bright:.0f} on nothing is added; below the darkest level it stays as there. The network's visibility hardly falls in
the dark, so it does not show this.

{light}
## Measured against true

On the left a frame on the line is exact. On the right the same frames as differences: the solid line is the bias, 95 %
of the frames should lie between the dashed ones. Brighter means more frames. Camera within {side:.0f}° of side-on.

{joints}
## Is the stated error right?

Every measured angle carries a standard error (sigma), from `accuracy.json`. For errors that spread as usual, 68 % lie
within one sigma and 95 % within two. Below: share within one, within two, and in brackets within two when the table of
sigmas too is made without the clip's own body. *Frames covered*: where the knee was seen. Camera within {side:.0f}° of
side-on.

{sigma}
## Repetitions and their times

All clips. Found minus true time in seconds: median (95th percentile of the size). *Turn* is the far end; a time within
the true pause there counts as 0. formcheck lets a repetition begin and end where the movement is clear, while the truth
has its very first and last moment.

{timing}
{inexact}

## The lower back

Change from the own rest, degrees, in the {back_clips} clips in side view of exercises that `rounded-lower-back`
judges; weights from all bodies but the clip's own (`benchmarks/fit_lumbar.py`). *AUC* is how surely a rounded
repetition (20° and more) gets the larger value than a neutral one. formcheck uses the row in bold. The last column is
of frames in which the head moves and the lower back does not (camera up to 30° round).

{back}
## Planted faults

All clips, one per repetition with the fault, where formcheck has a rule for it in that exercise. Found means `fault`
or `caution`. *Not judged* is formcheck saying that it cannot tell, within its error or from that view.

{planted}
## Findings where nothing was planted

All clips. Not all are mistakes: the rendered stretches are held for 2 to 6 s to keep the clips short, so a `short-hold`
caution on them is right; and a clip with a planted fault often shows a second one that follows from it (a rounded back
takes bend from the hips, a swung weight falls fast).

{unplanned}
## Beside other systems

Degrees; `±` is bias ± standard deviation. The published figures were read as abstracts or excerpts. They are of real
people against motion capture, sensors or another program, in other exercises; ours are of rendered people whose joint
centres were placed at half the depth of the limb (up to 2 cm by choice), in tight clothes. So the rows show the order
of size to expect, and are **no ranking**.

{published}
No published accuracy was found for prone curls or lying stretches.

## What limits it

- **The clips.** Segments are rigid, clothes tight, contact with floor and bench approximate. Loose trousers, a real
  foot in a shoe and soft tissue will add error that is not in these tables.
- **Few bodies.** {bodies} bodies and {clips} clips. One clip more or less can move an exercise's figure by a degree.
- **A side view.** Only {further} clips are filmed from further round than {side:.0f}°.
- **The far leg** is not in these tables, and formcheck does not judge it.

The largest errors, by how far they exceed the goals for one exercise ({worst_goals}).
*Over 15° off*: frames in which a landmark had left its joint. *Nearer the other leg*: frames in which the angle fits
the far leg better by more than 15°, which is what exchanged legs look like. The last column says when the worst tenth
of the frames is, and at which true angles.

{worst}
{left_out}"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def render(measured: Measured, backs: Sequence[fit_lumbar.Clip], images: Path) -> str:
    """The text of docs/accuracy.md; the plot of the lower back is written on the way."""
    clips = measured.clips
    side = [clip for clip in clips if clip.is_side_view]
    package = Path(accuracy.__file__).parent
    short = [f"{tables.degrees(tables.mae(side, metric))}° at the {joint}" for metric, joint in JOINTS.items()]
    worst_goals = [f"{goal:.0f}° at the {joint}" for joint, goal in tables.EXERCISE_GOALS.items()]
    ours = [f"**formcheck, {len(side)} rendered clips in side view**", *tables.literature_row(side)]
    left_out = tables.table(("clip left out", "reason"), [(f"`{name}`", why) for name, why in measured.left_out])
    joints = [f"![{name.capitalize()}](images/accuracy-{name}.png)\n" for name in JOINTS.values()]
    return TEXT.format(
        version=__version__,
        mediapipe=measured.estimator.library_version,
        model=measured.estimator.model,
        model_sha256=measured.estimator.model_sha256,
        shipped="\n".join(f"- `formcheck/{name}` (sha256 `{sha256(package / name)}`)" for name in SHIPPED),
        clips=len(clips),
        exercises=len({clip.truth.exercise for clip in clips}),
        bodies=len({clip.truth.body for clip in clips}),
        frames=sum(len(clip.truth.time_s) for clip in clips),
        side=SIDE_VIEW_DEG,
        further=len(clips) - len(side),
        in_short=f"{', '.join(short[:-1])} and {short[-1]}",
        goals=verdicts.goals_table(side, clips),
        by_exercise=tables.error_table(tables.groups(side), "exercise", total=True),
        by_yaw=tables.error_table(tables.yaw_bands(clips), "camera", total=False),
        bare=tables.bare_table(side),
        bare_verdicts=verdicts.bare_verdict_table(clips),
        phases=tables.phase_table(side),
        visibility=tables.visibility_table(side),
        unseen=kinematics.MIN_VISIBILITY,
        light=tables.light_table(),
        bright=max(row.brightness for row in accuracy.light_rows()),
        joints="\n".join(joints),
        sigma=tables.sigma_table(side),
        back=accuracy_back.section(backs, images),
        back_clips=sum(clip.fitted for clip in backs),
        timing=verdicts.timing_table(clips),
        inexact=verdicts.inexact_counts(clips),
        planted=verdicts.planted_table(clips),
        unplanned=verdicts.unplanned_table(clips),
        published=tables.table(("source", "hip", "knee", "ankle"), [*PUBLISHED, ours]),
        worst_goals=f"{', '.join(worst_goals[:-1])} and {worst_goals[-1]}",
        worst=tables.worst_table(clips),
        left_out=f"Clips left out:\n\n{left_out}" if measured.left_out else "",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="clips with NAME.truth.csv and NAME.json beside them")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="folder that keeps estimated poses")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="default: docs/ of this checkout")
    arguments = parser.parse_args()
    images = arguments.docs / "images"
    try:
        clips = find_truth_clips(arguments.folder)
        prepare_folder(arguments.cache)
        prepare_folder(images)
        measured = measure(clips, arguments.cache)
        backs = fit_lumbar.read_all(arguments.folder, arguments.cache)
    except FormcheckError as error:
        print(error, file=sys.stderr)
        return 2
    side = [clip for clip in measured.clips if clip.is_side_view]
    drawn = draw_plots(side, tables.EXERCISE_GOALS, images)
    target = arguments.docs / "accuracy.md"
    target.write_text(render(measured, backs, images).rstrip() + "\n", encoding="utf-8")
    for path in (target, *drawn):
        print(f"{path.name}: {path.stat().st_size // 1024} kB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
