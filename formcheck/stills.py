"""Pictures of a clip's worst moments with the overlay in them, and the HTML report that shows them.

The clip is read once more up to the last of those moments. Only their frames are converted and drawn on, one at a time,
and kept as JPEG: memory does not grow with the clip.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from formcheck.adapters.release import give_back
from formcheck.adapters.video import ClipReader
from formcheck.engine import replay_frame
from formcheck.exercises import EXERCISES
from formcheck.overlay import draw
from formcheck.reading import Progress
from formcheck.reports.html import html_report
from formcheck.reports.moments import Moment, Still, moments
from formcheck.types import Analysis, FloatArray, Frame, Pose

LARGE_PX, SMALL_PX = 960, 560  # longest side: the first still of a finding, and the others
QUALITY = 80  # of the JPEGs
ROOM = 0.2  # around the person, in spans of what is known of them: head and hands reach beyond them
LEAST_SHARE = 0.25  # of the frame; a smaller part of most clips is only blurred
MOST_OBLONG = 1.6  # longer side over shorter

Box = tuple[int, int, int, int]


def write_page(path: str | Path, analysis: Analysis, *, on_progress: Progress | None = None) -> str:
    """The HTML report of a clip: one self-contained page.

    Parameters
    ----------
    path : str or Path
        The clip; it is read again for the stills.
    analysis : Analysis
        Of that clip.
    on_progress : callable or None

    Raises
    ------
    ClipError
        When the clip cannot be read any more.
    """
    stills = take_stills(path, analysis, moments(analysis.report), on_progress=on_progress)
    give_back()  # the plots' engine takes 150 MB
    return html_report(analysis, stills)


def take_stills(
    path: str | Path, analysis: Analysis, wanted: Sequence[Moment], *, on_progress: Progress | None = None
) -> tuple[Still, ...]:
    """Picture moments of a clip, with skeleton, angles and the cue of the moment's finding drawn in.

    Returns
    -------
    tuple of Still
        In the order of `wanted`; a moment after the end of what can be read is left out.

    Raises
    ------
    ClipError
        When the clip cannot be read any more.
    """
    if not wanted or not len(analysis.track):
        return ()
    boxes = _boxes(analysis, wanted)
    in_time = sorted(range(len(wanted)), key=lambda place: wanted[place].time_s)
    taken: dict[int, Still] = {}
    with ClipReader(path) as reader:
        frames = reader.pick(wanted[place].time_s for place in in_time)
        for place, frame in zip(in_time, frames, strict=False):
            taken[place] = _still(frame, analysis, wanted[place], boxes[place])
            if on_progress is not None:
                on_progress(frame.time_s, wanted[in_time[-1]].time_s)
    return tuple(taken[place] for place in sorted(taken))


def _boxes(analysis: Analysis, wanted: Sequence[Moment]) -> list[Box]:
    """Where to cut each picture; those that are there to be compared are cut alike."""
    track = analysis.track
    rows = [_row_at(analysis, moment.time_s) for moment in wanted]
    exercise = EXERCISES[analysis.report.exercise.name]
    points = [_points_of(replay_frame(analysis, exercise, row, []).pose) for row in rows]
    compared = [seen for seen, moment in zip(points, wanted, strict=True) if moment.outcome is None]
    return [
        person_box(seen if moment.outcome is not None else np.concatenate(compared), track.size_px)
        for seen, moment in zip(points, wanted, strict=True)
    ]


def _points_of(pose: Pose) -> FloatArray:
    """Landmarks and the outline of the trunk, shape (n, 2): a rounded back rises far above hips and shoulders."""
    outline_px = np.empty((0, 2)) if pose.outline_px is None else pose.outline_px.reshape(-1, 2)
    return np.concatenate([pose.image_px, outline_px])


def person_box(points_px: FloatArray, size_px: tuple[int, int]) -> Box:
    """The part of a frame that shows a person with some room around, as left, top, right, bottom in whole pixels.

    Parameters
    ----------
    points_px : ndarray, shape (n, 2)
        Of the person, at one or more moments; NaN where unseen.
    size_px : (int, int)
        Width and height of the frame. Without a point, all of it is the box.
    """
    points = points_px[np.isfinite(points_px).all(axis=1)]
    size = np.array(size_px, dtype=float)
    if not len(points):
        return 0, 0, size_px[0], size_px[1]
    low, high = points.min(axis=0).clip(0, size), points.max(axis=0).clip(0, size)
    middle, span = (low + high) / 2, high - low
    span = np.maximum(span + 2 * ROOM * span.max(), LEAST_SHARE * size)
    span = np.minimum(np.maximum(span, span[::-1] / MOST_OBLONG), size)
    first = np.clip(middle - span / 2, 0, size - span)
    left, top, right, bottom = np.concatenate([first, first + span]).round().astype(int).tolist()
    return left, top, right, bottom


def _row_at(analysis: Analysis, time_s: float) -> int:
    return int(np.argmin(np.abs(analysis.track.time_s - time_s)))


def _still(frame: Frame, analysis: Analysis, moment: Moment, box: Box) -> Still:
    exercise = EXERCISES[analysis.report.exercise.name]
    shown = [moment.outcome] if moment.outcome is not None else []
    update = replay_frame(analysis, exercise, _row_at(analysis, frame.time_s), shown)
    left, top, right, bottom = box
    pose = update.pose
    outline = None if pose.outline_px is None else pose.outline_px - (left, top)
    size = (right - left, bottom - top)
    pose = replace(pose, image_px=pose.image_px - (left, top), outline_px=outline, size_px=size)
    image = draw(frame.image[top:bottom, left:right], replace(update, pose=pose), panels=False)
    picture = Image.fromarray(image)
    longest = LARGE_PX if moment.first else SMALL_PX
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return Still(moment, frame.time_s, buffer.getvalue(), picture.width, picture.height)
