"""The overlay: (image, update) -> new image, for the live screen and for exported videos.

Drawn are the leg and trunk that face the camera, the angles of hip, knee and ankle, the outline of the back where it
was measured, the count, and the most important cue. What a cue is about is marked in colour and in shape: a fault is a
white-edged, dashed line, a caution a dark-edged, dotted one. This module puts the parts together;
`formcheck.overlay_body` draws the person, `formcheck.overlay_back` the back, `formcheck.overlay_text` the panels and
text, in a colour-blind-safe palette; sizes are in `formcheck.overlay_style`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formcheck import overlay_text as text
from formcheck.errors import OutputError
from formcheck.overlay_back import draw_back
from formcheck.overlay_body import LEGIBLE, Placed, Point, body_points, draw_person
from formcheck.overlay_style import Edge, Style
from formcheck.types import ImageArray, Kind, Pose, Side, Update

__all__ = ["Edge", "Style", "draw"]


def draw(
    image: ImageArray,
    update: Update,
    *,
    exercise_title: str = "",
    limits_text: str = "",
    kind: Kind = Kind.REPS,
    style: Style | None = None,
    panels: bool = True,
    note: str = "",
) -> ImageArray:
    """Draw what is known at one frame over a copy of it.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB, of any size and memory layout; it is not changed.
    update : Update
        NaN landmarks, landmarks far outside the frame and NaN angles are left out. Landmarks are scaled when
        the pose was taken at another size than that of `image`.
    exercise_title, limits_text : str
        Small text beside the count; shortened where there is no room.
    kind : Kind
        Whether repetitions or holds are counted.
    style : Style or None
        None takes `Style.for_size` of the image.
    panels : bool
        Whether to show the count and the cue's words; False draws the person only, with what the cue is about marked.
    note : str
        Shown above the cue; nobody in view comes before it.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        A new C-contiguous RGB image.

    Raises
    ------
    OutputError
        When `image` has another shape or type, or the bundled font cannot be read.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise OutputError(
            f"the overlay needs an RGB image of uint8 with shape (height, width, 3), not {image.dtype} with shape "
            f"{image.shape}; convert the frame first"
        )
    out = np.array(image, order="C", copy=True)
    height, width = out.shape[:2]
    style = style or Style.for_size(width, height)
    placed: list[Placed] = []
    if panels:
        placed += _panels(
            update,
            title=exercise_title,
            limits=limits_text,
            kind=kind,
            style=style,
            frame=(width, height),
            note=note if update.pose.found else "No person in view",
        )
    taken = [bitmap.rect(left, top) for bitmap, left, top in placed]
    if update.pose.found:
        taken += draw_back(out, update, style)
        placed += draw_person(out, update, style, taken)
    for bitmap, left, top in placed:
        bitmap.paste(out, left, top)
    return out


def _panels(
    update: Update, *, title: str, limits: str, kind: Kind, style: Style, frame: tuple[int, int], note: str
) -> Iterator[Placed]:
    """Yield the count, the cue and the note, each with its place."""
    (width, height), margin = frame, style.margin
    room, least = max(width - 2 * margin, 1), round(0.9 * min(width, height))
    beside = room - least - margin  # what is left of a wide frame when a cue stands in the same row
    noun = ("hold" if kind is Kind.HOLD else "rep") + ("" if update.rep_count == 1 else "s")
    card_room = beside if beside > 8 * style.title else room
    card = text.card(f"{update.rep_count}", noun, title, limits, size=style.title, width=card_room)
    if min(width, height) >= LEGIBLE:
        yield card, margin, margin
    bottom = height - margin
    if update.cues:
        cue = update.cues[0]
        band = text.band(cue.text, cue.status, least=least, width=room, size=style.cue, smallest=style.smallest_cue)
        place = band.rect(margin, bottom - band.size[1])
        hidden = any(place.contains(x, y) for x, y in _feet(update.pose, frame, style))
        if (style.cue_edge or (Edge.TOP if hidden else Edge.BOTTOM)) is Edge.BOTTOM:
            yield band, place.left, place.top
            bottom = place.top - margin
        elif card_room == beside:
            space = room - card.size[0] - margin
            band = text.band(
                cue.text, cue.status, least=least, width=space, size=style.cue, smallest=style.smallest_cue
            )
            yield band, 2 * margin + card.size[0], margin
        else:
            yield band, margin, 2 * margin + card.size[1]
    if short := text.shorten(note, style.label, room):
        shown = text.label(short, style.label, text.WHITE)
        yield shown, (width - shown.size[0]) // 2, bottom - shown.size[1]


def _feet(pose: Pose, frame: tuple[int, int], style: Style) -> list[Point]:
    """Return what is seen of both feet: the ankle is what people are most often told about, so no cue hides one."""
    both = [body_points(pose, side, frame, style) for side in Side]
    return [points[name] for points in both for name in ("ankle", "heel", "foot_index") if name in points]
