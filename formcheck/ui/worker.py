"""One analysis in a process of its own: `python -m formcheck.ui.worker TASK`.

Memory that the pose library does not give back goes with the process, a crash in it is one failed clip, and stopping
it is ending it. What it finds it writes as files beside its task; on standard output it says how far it is, one JSON
object a line. Its task and results are pickles that only formcheck reads and writes, in a folder of this user.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from formcheck.errors import FormcheckError, NotRecognisedError
from formcheck.overlay_style import Edge, Style
from formcheck.reports.files import atomic_path
from formcheck.types import Analysis, Report, Side

if TYPE_CHECKING:
    from formcheck.reading import Reading

NICENESS: Final = 5  # the page and a live session come first
SAID_EVERY_S: Final = 0.2
LETTER_SHARE: Final = 0.026  # of the picture's height: an average letter of a caption in Chromium and Firefox
BESIDE_SHARE, WHOLE_SHARE = 0.6, 0.94  # of the picture's width: beside the count, and of the whole
WIDE_PX, NARROW_PX = 640, 300  # of the plots, for a desk and for a phone


@dataclass(frozen=True, slots=True)
class Results:
    """The files of one analysis, all in one folder.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def report(self) -> Path:
        """The `Report`, pickled: written last of the quick ones, so that its presence means that they are all there."""
        return self.folder / "report.pickle"

    @property
    def json(self) -> Path:
        """`formcheck.report/1`."""
        return self.folder / "report.json"

    @property
    def angles(self) -> Path:
        """The angles of each frame as CSV."""
        return self.folder / "angles.csv"

    @property
    def captions(self) -> Path:
        """The findings as WebVTT."""
        return self.folder / "captions.vtt"

    @property
    def html(self) -> Path:
        """The report as a page of its own."""
        return self.folder / "report.html"

    @property
    def video(self) -> Path:
        """The clip with the overlay; there when its drawing has ended."""
        return self.folder / "overlay.mp4"

    def chart(self, *, narrow: bool) -> Path:
        """The plots as SVG, in colours for a light page."""
        return self.folder / f"angles-{'narrow' if narrow else 'wide'}.svg"

    def load_report(self) -> Report:
        """Read the report back."""
        report: Report = pickle.loads(self.report.read_bytes())
        return report


@dataclass(frozen=True, slots=True)
class Task:
    """What to analyse.

    Attributes
    ----------
    clip : Path
        The file.
    name : str
        What reports and errors call it.
    exercise : str or None
        An exercise's id; None recognises it.
    side : Side or None
        The leg to judge; None judges the near one.
    reading : Path
        Where the poses are kept: read from there when they were estimated before.
    results : Results
        Whose folder exists.
    """

    clip: Path
    name: str
    exercise: str | None
    side: Side | None
    reading: Path
    results: Results


def main() -> None:
    """Do the task whose file is named on the command line."""
    from formcheck.adapters.process import prepare_process

    prepare_process()
    os.nice(NICENESS)
    task: Task = pickle.loads(Path(sys.argv[1]).read_bytes())
    try:
        run(task, say)
    except NotRecognisedError as error:
        say(refused=error.looks, candidates=error.candidates)
    except FormcheckError as error:
        say(refused=str(error).replace(str(task.clip), task.name), candidates=())


def say(**what: Any) -> None:
    """Tell the server something; when there is no server any more, the pipe breaks and this process ends."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def run(task: Task, tell: Callable[..., None]) -> None:
    """Read, judge, write the results, and draw the video.

    Raises
    ------
    FormcheckError
        As `reading.read_poses`, `pipeline.analyze_reading` and `pipeline.render_overlay`.
    """
    from formcheck.exercises import EXERCISES
    from formcheck.pipeline import analyze_reading, render_overlay
    from formcheck.reading import read_poses
    from formcheck.stills import write_page

    if task.reading.exists():
        reading = load_reading(task.reading)
    else:
        reading = read_poses(task.clip, on_progress=_teller(tell, "reading"))
        write_reading(task.reading, reading)
    tell(stage="judging", share=0.0)
    exercise = EXERCISES[task.exercise] if task.exercise else None
    analysis = analyze_reading(task.name, reading, exercise=exercise, side=task.side)
    write_results(analysis, task.results)
    tell(stage="drawing", share=0.0)
    task.results.html.write_text(write_page(task.clip, analysis), encoding="utf-8")
    render_overlay(task.clip, analysis, task.results.video, on_progress=_teller(tell, "drawing"))


def _teller(tell: Callable[..., None], stage: str) -> Callable[[float, float], None]:
    """Progress of a stage as a share of the clip, now and then; a share that is not known is left out."""
    last_s = 0.0

    def on_progress(done_s: float, total_s: float) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= SAID_EVERY_S:
            last_s = time.monotonic()
            tell(stage=stage, share=min(done_s / total_s, 1.0) if total_s > 0 else None)

    return on_progress


def write_results(analysis: Analysis, results: Results) -> None:
    """Write everything but the video."""
    from formcheck.reports.csv import write_angles
    from formcheck.reports.json import report_to_json
    from formcheck.reports.plots import angle_chart, chart_svg
    from formcheck.reports.vtt import captions

    results.json.write_text(report_to_json(analysis.report) + "\n", encoding="utf-8")
    write_angles(results.angles, analysis.table)
    results.captions.write_text(placed(captions(analysis.report), analysis), encoding="utf-8")
    for narrow, width in ((False, WIDE_PX), (True, NARROW_PX)):
        svg = chart_svg(angle_chart(analysis, width=width))
        results.chart(narrow=narrow).write_text(svg, encoding="utf-8")
    write_pickle(results.report, analysis.report)


def placed(vtt: str, analysis: Analysis) -> str:
    """Captions in lines that fit the picture, at the edge where the overlay's own cue does not stand.

    The cue is at the bottom unless feet are there; then the captions go to the top, beside or below the count. Browsers
    show captions in letters of a twentieth of the picture's height, and cut off lines that are too long.
    """
    width, height = analysis.track.size_px
    style = Style.for_clip(analysis.track, width, height)
    at_top, wide = style.cue_edge is Edge.BOTTOM, width > height
    place = (" line:4% position:98% align:end" if wide else " line:16%") if at_top else ""
    room = int((BESIDE_SHARE if at_top and wide else WHOLE_SHARE) * width / height / LETTER_SHARE)
    head, *blocks = vtt.split("\n\n")
    for number, block in enumerate(blocks):
        time, _, text = block.partition("\n")
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, max(room, 10))]
        blocks[number] = "\n".join([time + place, *lines])
    return "\n\n".join([head.rstrip(), *blocks]) + "\n"


def write_reading(target: Path, reading: Reading) -> None:
    """Keep what was read from a clip, whole or not at all; of a long one never all is in memory."""
    from formcheck.poselog import BLOCK, PoseLog

    poses = PoseLog.of(reading.poses)
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        pickle.dump((replace(reading, poses=()), poses.compact), file)
        for start in range(0, len(poses), BLOCK):
            pickle.dump(poses[start : start + BLOCK], file)


def load_reading(path: Path) -> Reading:
    """Give back what `write_reading` has kept."""
    from formcheck.adapters.spill import TemporaryShelf
    from formcheck.poselog import PoseLog

    with path.open("rb") as file:
        reading, compact = pickle.load(file)
        poses = PoseLog(compact=compact, shelf=TemporaryShelf())
        size = path.stat().st_size
        while file.tell() < size:
            for pose in pickle.load(file):
                poses.append(pose)
    found: Reading = replace(reading, poses=poses)
    return found


def write_pickle(target: Path, what: object) -> None:
    """Write a pickle, whole or not at all: this process may be ended at any moment."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(pickle.dumps(what))


if __name__ == "__main__":
    main()
