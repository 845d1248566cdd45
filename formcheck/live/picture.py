"""The live picture: the camera's frame with what is known drawn over it, as in a mirror when asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formcheck import overlay_text as text
from formcheck.coach import Stage as SetupStage
from formcheck.live.session import Snapshot, Stage
from formcheck.overlay import draw
from formcheck.overlay_body import draw_person
from formcheck.overlay_style import Style
from formcheck.types import ImageArray, Kind, Pose, Update

STALE_S = 1.0  # a pose older than this is not drawn: it would be somewhere else than the person


def draw_live(image: ImageArray, time_s: float, snapshot: Snapshot, *, mirror: bool = False) -> ImageArray:
    """Draw the newest result over a camera's frame.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB; it is not changed.
    time_s : float
        The frame's own time, on the clock of the frames that were offered.
    snapshot : Snapshot
        Its pose is that of an earlier frame, usually of the one before.
    mirror : bool
        Show the picture as a mirror does; what is written stays readable.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        A new C-contiguous RGB image.
    """
    shown = np.ascontiguousarray(image[:, ::-1] if mirror else image)
    update = snapshot.update
    if update is None or not abs(time_s - snapshot.frame_time_s) < STALE_S or snapshot.stage is Stage.FAILED:
        return shown
    if mirror:
        update = replace(update, pose=mirrored(update.pose))
    if snapshot.stage is Stage.SETUP:
        return _draw_setup(shown, update, snapshot)
    cue = snapshot.coaching.cue if snapshot.coaching else None
    exercise = snapshot.exercise
    return draw(
        shown,
        replace(update, cues=(cue,) if cue else ()),
        kind=exercise.kind if exercise else Kind.REPS,
        note=snapshot.notice,
    )


def _draw_setup(image: ImageArray, update: Update, snapshot: Snapshot) -> ImageArray:
    """The person with angles, and the countdown in a corner."""
    out = np.array(image, copy=True)
    height, width = out.shape[:2]
    style = Style.for_size(width, height)
    labels = draw_person(out, update, style, []) if update.pose.found else []
    for bitmap, left, top in labels:
        bitmap.paste(out, left, top)
    setup = snapshot.setup
    if setup is not None and setup.stage is SetupStage.COUNTDOWN:
        text.label(f"{setup.count}", round(0.2 * min(width, height)), text.WHITE).paste(out, style.margin, style.margin)
    return out


def mirrored(pose: Pose) -> Pose:
    """The pose in a picture flipped left to right; each landmark keeps its name, and an outline is left out."""
    flipped = pose.image_px * np.array([-1.0, 1.0]) + np.array([pose.size_px[0], 0.0])
    return replace(pose, image_px=flipped, outline_px=None)
