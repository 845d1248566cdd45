"""The body in the overlay: skeleton, marked limbs, angle arcs, and the labels beside the joints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import cv2

from formcheck import overlay_text as text
from formcheck.landmarks import side_landmark
from formcheck.overlay_style import Style
from formcheck.overlay_text import Colour, Rect
from formcheck.rules import RULES
from formcheck.types import ImageArray, Pose, Side, Status, Update

Point = tuple[float, float]
Points = Mapping[str, Point]
Placed = tuple[text.Bitmap, int, int]
"""A bitmap, and the pixel of the frame (from the left, from the top) at which its upper left corner goes."""
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
_MINUS = "\u2212"  # as wide as a digit, unlike the hyphen
LEGIBLE = 120  # pixels of a frame's shorter side; below, there is room for the skeleton and the cue only
_SMALLEST_ARC = 6.0  # degrees; a smaller one cannot be told from the line that it starts at
_TURNS = (0, 35, -35, 70, -70, 110, -110, 145, -145, 180)  # degrees around a joint, in order of preference


def draw_person(out: ImageArray, update: Update, style: Style, taken: list[Rect]) -> list[Placed]:
    """Draw skeleton and arcs of a person who was found; give back the angle labels, which go on top of everything.

    Parameters
    ----------
    out : ndarray of uint8, shape (height, width, 3)
        RGB, C-contiguous; it is drawn into.
    update : Update
        NaN landmarks and NaN angles are left out. While its near side is unknown, both sides are drawn faintly.
    style : Style
    taken : list of Rect
        Where no label may go.
    """
    near = update.measurement.near_side
    height, width = out.shape[:2]
    if near is None:  # neither side can be judged yet: show faintly that the person is seen
        for side in Side:
            _draw_thin(out, body_points(update.pose, side, (width, height), style), (*_LIGHT, *_STRONG), style)
        return []
    points = body_points(update.pose, near, (width, height), style)
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


def body_points(pose: Pose, side: Side, frame: tuple[int, int], style: Style) -> Points:
    """Return the landmarks of one side that can be drawn, in pixels of the frame.

    Parameters
    ----------
    pose : Pose
        May have been taken at another size than `frame`.
    side : Side
    frame : (int, int)
        Width and height in pixels.
    style : Style

    Returns
    -------
    mapping of str to (float, float)
        Landmark's name without its side to x and y; without NaN, hardly visible and far away landmarks.
    """
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
    if min(frame.right, frame.bottom) < LEGIBLE:
        return placed
    occupied = list(taken)
    lines = _seen(points, (*_LIGHT, *_STRONG))
    for joint, value in angles:
        if _arc_angles(points, joint) is None:
            continue
        number = round(value)
        bitmap = text.label(f"{'' if number >= 0 else _MINUS}{abs(number)}°", style.label, text.WHITE)
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
