"""The overlay: (image, update) -> new image, for the live screen and for exported videos.

Drawn are the leg and trunk that face the camera, the angles of hip, knee and ankle, the count, and the most
important cue. What a cue is about is marked in colour and in shape: a fault is a white-edged, dashed line, a caution
a dark-edged, dotted one. See `formcheck.overlay_text` for panels, text and the colour-blind-safe palette.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import cv2
import numpy as np

from formcheck import overlay_text as text
from formcheck.errors import OutputError
from formcheck.landmarks import side_landmark
from formcheck.overlay_text import Colour, Rect
from formcheck.rules import RULES
from formcheck.types import ImageArray, Kind, Pose, Side, Status, Update

Point = tuple[float, float]
Points = Mapping[str, Point]
Placed = tuple[text.Bitmap, int, int]
Segment = tuple[str, str]

_NAMES = ("ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "foot_index")
_INDEX = {side: {name: int(side_landmark(side, name)) for name in _NAMES} for side in Side}
_LIGHT: tuple[Segment, ...] = (("ear", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"))
_TRUNK: tuple[Segment, ...] = (("shoulder", "hip"),)
_LEG: tuple[Segment, ...] = (("hip", "knee"), ("knee", "ankle"))
_FOOT: tuple[Segment, ...] = (("ankle", "heel"), ("heel", "foot_index"))
_STRONG = (*_TRUNK, *_LEG, *_FOOT)
_ANGLES = (("hip", "hip_flexion"), ("knee", "knee_flexion"), ("ankle", "ankle_dorsiflexion"))

# What a rule is about, by the first word of its metric; a rule about time or range is about the whole leg.
_MARKED: Mapping[str, tuple[Segment, ...]] = {
    "ankle": _FOOT,
    "foot": _FOOT,
    "hip": (*_TRUNK, _LEG[0]),
    "lumbar": _TRUNK,
    "neck": _LIGHT[:1],
    "trunk": _TRUNK,
}

_SHIFT = 4  # fractional bits of the coordinates given to OpenCV: a sixteenth of a pixel, so that lines do not jitter
_OUTSIDE = 1.0  # frames: a landmark farther than this outside the frame is a guess, and is not drawn
MINUS = "\u2212"  # as wide as a digit, unlike the hyphen
_LEGIBLE = 120  # pixels of a frame's shorter side; below, there is room for the skeleton and the cue only
_SMALLEST_ARC = 6.0  # degrees; a smaller one cannot be told from the line that it starts at
_TURNS = (0, 35, -35, 70, -70, 110, -110, 145, -145, 180)  # degrees around a joint, in order of preference


class Edge(StrEnum):
    """An edge of the frame."""

    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels, and what counts as seen.

    Attributes
    ----------
    margin, line, joint, arc : int
        Distance of the panels from the frame's edge, width of the strong lines, radius of the joint dots, largest
        radius of the angle arcs.
    label, title, cue, smallest_cue : int
        Font sizes; a long cue shrinks from `cue` down to `smallest_cue` before it is cut off.
    min_visibility : float
        Landmarks less visible than this (0 to 1) are not drawn.
    cue_edge : Edge or None
        Where the cue stands; None takes the bottom, unless the cue would hide a foot there. Where feet
        swing through that strip, set it once for the clip so that the cue does not jump.
    """

    margin: int
    line: int
    joint: int
    arc: int
    label: int
    title: int
    cue: int
    smallest_cue: int
    min_visibility: float = 0.3
    cue_edge: Edge | None = None

    @classmethod
    def for_size(cls, width: int, height: int) -> Self:
        """Return the default style of a frame: every size a share of its shorter side."""
        short = min(width, height)

        def share(part: float, least: int) -> int:
            return max(least, round(part * short))

        return cls(
            margin=share(0.025, 1),
            line=share(0.009, 1),
            joint=share(0.0105, 1),
            arc=share(0.075, 3),
            label=share(0.042, 7),
            title=share(0.042, 6),
            cue=share(0.062, 7),
            smallest_cue=share(0.047, 7),
        )


def draw(
    image: ImageArray,
    update: Update,
    *,
    exercise_title: str = "",
    limits_text: str = "",
    kind: Kind = Kind.REPS,
    style: Style | None = None,
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
    panels = list(
        _panels(update, title=exercise_title, limits=limits_text, kind=kind, style=style, frame=(width, height))
    )
    taken = [bitmap.rect(left, top) for bitmap, left, top in panels]
    if update.pose.found:
        panels += _draw_person(out, update, style, taken)
    for bitmap, left, top in panels:
        bitmap.paste(out, left, top)
    return out


def _panels(
    update: Update, *, title: str, limits: str, kind: Kind, style: Style, frame: tuple[int, int]
) -> Iterator[Placed]:
    """Yield the count, the cue and the note that nobody is in view, each with its place."""
    (width, height), margin = frame, style.margin
    room, least = max(width - 2 * margin, 1), round(0.9 * min(width, height))
    beside = room - least - margin  # what is left of a wide frame when a cue stands in the same row
    noun = ("hold" if kind is Kind.HOLD else "rep") + ("" if update.rep_count == 1 else "s")
    card_room = beside if beside > 8 * style.title else room
    card = text.card(f"{update.rep_count}", noun, title, limits, size=style.title, width=card_room)
    if min(width, height) >= _LEGIBLE:
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
    if not update.pose.found:
        note = text.label("No person in view", style.label, text.WHITE)
        yield note, (width - note.size[0]) // 2, bottom - note.size[1]


def _feet(pose: Pose, frame: tuple[int, int], style: Style) -> list[Point]:
    """Return what is seen of both feet: the ankle is what people are most often told about, so no cue hides one."""
    both = [_points(pose, side, frame, style) for side in Side]
    return [points[name] for points in both for name in ("ankle", "heel", "foot_index") if name in points]


def _draw_person(out: ImageArray, update: Update, style: Style, taken: list[Rect]) -> list[Placed]:
    """Draw skeleton and arcs; return the angle labels, which go on top of everything."""
    near = update.measurement.near_side
    height, width = out.shape[:2]
    if near is None:  # neither side can be judged yet: show faintly that the person is seen
        for side in Side:
            _draw_thin(out, _points(update.pose, side, (width, height), style), (*_LIGHT, *_STRONG), style)
        return []
    points = _points(update.pose, near, (width, height), style)
    _draw_thin(out, points, _LIGHT, style)
    _draw_strong(out, points, style)
    for status in (Status.CAUTION, Status.FAULT):
        for cue in update.cues:
            if cue.status is status:
                _mark(out, points, _limb(cue.rule), status, style)
    angles = [
        (joint, value)
        for joint, name in _ANGLES
        if math.isfinite(value := update.measurement.values.get(f"{near}_{name}_deg", math.nan))
    ]
    for joint, _ in angles:
        _draw_arc(out, points, joint, style)
    for name in ("shoulder", "hip", "knee", "ankle", "heel", "foot_index"):
        if name in points:
            _draw_joint(out, points[name], style)
    return _labels(points, angles, near=near, style=style, frame=Rect(0, 0, width, height), taken=taken)


def _points(pose: Pose, side: Side, frame: tuple[int, int], style: Style) -> Points:
    """Return the landmarks of one side that can be drawn, in pixels of the frame."""
    width, height = frame
    across, down = width / max(pose.size_px[0], 1), height / max(pose.size_px[1], 1)
    points = {}
    for name, index in _INDEX[side].items():
        x, y = float(pose.image_px[index, 0]) * across, float(pose.image_px[index, 1]) * down
        inside = abs(x / width - 0.5) < 0.5 + _OUTSIDE and abs(y / height - 0.5) < 0.5 + _OUTSIDE  # False for NaN
        if inside and not pose.visibility[index] < style.min_visibility:
            points[name] = (x, y)
    return points


def _limb(rule: str) -> tuple[Segment, ...]:
    """Return the part of the body that a rule is about."""
    known = RULES.get(rule)
    return _MARKED.get(known.metric.split("_")[0], _LEG) if known else _LEG


def _fixed(point: Point) -> tuple[int, int]:
    return round(point[0] * (1 << _SHIFT)), round(point[1] * (1 << _SHIFT))


def _line(out: ImageArray, start: Point, end: Point, colour: Colour, width: int) -> None:
    cv2.line(out, _fixed(start), _fixed(end), colour, max(width, 1), cv2.LINE_AA, _SHIFT)


def _seen(points: Points, segments: Sequence[Segment]) -> list[tuple[Point, Point]]:
    return [(points[start], points[end]) for start, end in segments if start in points and end in points]


def _draw_thin(out: ImageArray, points: Points, segments: Sequence[Segment], style: Style) -> None:
    for start, end in _seen(points, segments):
        _line(out, start, end, text.INK, round(0.8 * style.line))
    for start, end in _seen(points, segments):
        _line(out, start, end, text.GREY, round(0.35 * style.line))


def _draw_strong(out: ImageArray, points: Points, style: Style) -> None:
    edge = max(1, round(0.3 * style.line))
    for start, end in _seen(points, _STRONG):
        _line(out, start, end, text.INK, style.line + 2 * edge)
    for start, end in _seen(points, _STRONG):
        _line(out, start, end, text.SKY_BLUE, style.line)


def _mark(out: ImageArray, points: Points, limb: Sequence[Segment], status: Status, style: Style) -> None:
    """Draw a limb as faulty (white edge, dashes) or as worth a caution (dark edge, dots)."""
    fault = status is Status.FAULT
    wide, edge = round(1.7 * style.line), max(1, round(0.5 * style.line))
    for start, end in _seen(points, limb):
        _line(out, start, end, text.WHITE if fault else text.INK, wide + 2 * edge)
    for start, end in _seen(points, limb):
        _line(out, start, end, text.VERMILLION if fault else text.ORANGE, wide)
        step = (4.5 if fault else 3.0) * wide
        pieces = math.dist(start, end) / step
        for piece in range(1, math.ceil(pieces)):
            x, y = _between(start, end, (piece - 0.12) / pieces)
            if fault:
                _line(out, (x, y), _between(start, end, (piece + 0.12) / pieces), text.WHITE, round(0.4 * wide))
            else:
                cv2.circle(out, _fixed((x, y)), round(0.33 * wide * (1 << _SHIFT)), text.INK, -1, cv2.LINE_AA, _SHIFT)


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _draw_joint(out: ImageArray, point: Point, style: Style) -> None:
    edge = max(1, round(0.3 * style.line))
    for radius, colour in ((style.joint + edge, text.INK), (style.joint, text.WHITE)):
        cv2.circle(out, _fixed(point), radius << _SHIFT, colour, -1, cv2.LINE_AA, _SHIFT)


def _heading(start: Point, end: Point) -> float:
    """Direction from one point to another, degrees clockwise on the screen from the right."""
    return math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))


def _arc_angles(points: Points, joint: str) -> tuple[float, float] | None:
    """Return the arc's start (anatomical neutral) and its sweep, degrees clockwise; None when a point is unseen."""
    needed = {"hip": ("shoulder", "hip", "knee"), "knee": ("hip", "knee", "ankle"), "ankle": ("knee", "heel")}[joint]
    if not {joint, "foot_index" if joint == "ankle" else joint, *needed} <= points.keys():
        return None
    neutral = _heading(points[needed[0]], points[joint])
    if joint == "ankle":
        actual = _heading(points["heel"], points["foot_index"])
        ahead = math.remainder(actual - neutral, 360.0)
        neutral += math.copysign(90.0, ahead)
    else:
        actual = _heading(points[joint], points[needed[2]])
    return neutral, math.remainder(actual - neutral, 360.0)


def _draw_arc(out: ImageArray, points: Points, joint: str, style: Style) -> None:
    """Draw the angle between a segment's neutral direction (a thin ray) and where it really points."""
    angles = _arc_angles(points, joint)
    if angles is None:
        return
    neutral, sweep = angles
    if abs(sweep) < _SMALLEST_ARC:
        return
    distal = {"hip": "knee", "knee": "ankle", "ankle": "foot_index"}[joint]
    centre = points[joint]
    radius = min(style.arc, 0.6 * math.dist(centre, points[distal]))
    height, width = out.shape[:2]
    reach = math.ceil(radius) + 2
    left, top = max(math.floor(centre[0]) - reach, 0), max(math.floor(centre[1]) - reach, 0)
    right, bottom = min(math.ceil(centre[0]) + reach, width), min(math.ceil(centre[1]) + reach, height)
    if left >= right or top >= bottom:
        return
    region = out[top:bottom, left:right]
    shaded = region.copy()
    middle = _fixed((centre[0] - left, centre[1] - top))
    axes = (round(radius * (1 << _SHIFT)),) * 2
    arc = (middle, axes, 0.0, neutral, neutral + sweep, text.YELLOW)
    cv2.ellipse(shaded, *arc, -1, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(shaded, 0.5, region, 0.5, 0.0, region)
    thin = max(1, round(0.35 * style.line))
    cv2.ellipse(region, middle, axes, 0.0, neutral, neutral + sweep, text.INK, thin + 2, cv2.LINE_AA, _SHIFT)
    cv2.ellipse(region, *arc, thin, cv2.LINE_AA, _SHIFT)
    for turn in (0.0, sweep) if joint == "ankle" else (0.0,):
        along = math.radians(neutral + turn)
        _line(
            out, centre, (centre[0] + radius * math.cos(along), centre[1] + radius * math.sin(along)), text.YELLOW, thin
        )


def _labels(
    points: Points, angles: Sequence[tuple[str, float]], *, near: Side, style: Style, frame: Rect, taken: Sequence[Rect]
) -> list[Placed]:
    """Place each angle beside its joint: in the frame, clear of joints, panels and other labels, or not at all."""
    placed: list[Placed] = []
    if min(frame.right, frame.bottom) < _LEGIBLE:
        return placed
    occupied = list(taken)
    lines = _seen(points, (*_LIGHT, *_STRONG))
    for joint, value in angles:
        if _arc_angles(points, joint) is None:
            continue
        number = round(value)
        bitmap = text.label(f"{'' if number >= 0 else MINUS}{abs(number)}°", style.label, text.WHITE)
        chosen: Rect | None = None
        for spot in _spots(points, joint, bitmap.size, near=near, style=style, frame=frame):
            if _free(spot, points, occupied, style):
                clear = not any(_crosses(spot, line) for line in lines)
                chosen = spot if clear or chosen is None else chosen
                if clear:
                    break
        if chosen is not None:
            placed.append((bitmap, chosen.left, chosen.top))
            occupied.append(chosen)
    return placed


def _spots(
    points: Points, joint: str, size: tuple[int, int], *, near: Side, style: Style, frame: Rect
) -> Iterator[Rect]:
    """Yield places for a label around a joint, best first: away from the side to which the joint bends."""
    (x, y), (width, height) = points[joint], size
    # Somebody whose right side is near faces the image's right, however the body lies: bending forwards then turns
    # counter-clockwise. The knee's label goes before it, those of hip and ankle behind them.
    proximal = {"hip": "shoulder", "knee": "hip", "ankle": "knee"}[joint]
    forwards = -90.0 if near is Side.RIGHT else 90.0
    away = _heading(points[proximal], points[joint]) + (forwards if joint == "knee" else -forwards)
    for gap in (0.8, 2.2):
        for turn in _TURNS:
            along = math.radians(away + turn)
            across, down = math.cos(along), math.sin(along)
            reach = style.joint + gap * style.label + abs(across) * width / 2 + abs(down) * height / 2
            left = min(max(round(x + reach * across - width / 2), frame.left), frame.right - width)
            top = min(max(round(y + reach * down - height / 2), frame.top), frame.bottom - height)
            if left >= frame.left and top >= frame.top:
                yield Rect(left, top, left + width, top + height)


def _free(spot: Rect, points: Points, occupied: Sequence[Rect], style: Style) -> bool:
    around = 1.5 * style.joint + 1
    covers = any(spot.contains(x, y, around) for name, (x, y) in points.items() if name != "ear")
    return not covers and not any(spot.overlaps(other) for other in occupied)


def _crosses(spot: Rect, line: tuple[Point, Point]) -> bool:
    box = (spot.left, spot.top, spot.right - spot.left, spot.bottom - spot.top)
    ends = [(round(x), round(y)) for x, y in line]
    return bool(cv2.clipLine(box, ends[0], ends[1])[0])
