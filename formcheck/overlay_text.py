"""Text and panels for the overlay, as bitmaps that are made once and then only pasted.

Pillow draws the text with the bundled DejaVu Sans Bold, so that it is the same with every OpenCV: those before 5 know
ASCII only (a degree sign becomes question marks), and 5 has other fonts. A bitmap is kept per text, size and colour, so
that a frame of a video costs a few small copies.

Colours are from the palette of Okabe and Ito (2008, "Color Universal Design"), which people with any common form
of colour blindness can tell apart. Colour is never the only sign: each status has its own icon too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from formcheck.errors import OutputError
from formcheck.types import ImageArray, Status

Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
ORANGE: Colour = (230, 159, 0)
SKY_BLUE: Colour = (86, 180, 233)
GREEN: Colour = (0, 158, 115)
YELLOW: Colour = (240, 228, 66)
VERMILLION: Colour = (213, 94, 0)
INK: Colour = (18, 20, 24)  # panels; not pure black, so that they read as panels on a dark video
GREY: Colour = (200, 204, 210)
FAULT_FILL: Colour = (190, 62, 0)  # vermillion, darkened until white text on it reaches a contrast of 5:1

FONT_FILE = Path(__file__).with_name("fonts") / "DejaVuSans-Bold.ttf"
_FINE = 4  # shapes are drawn this many times larger and reduced, for smooth edges
_LINE_PITCH = 1.22  # baseline to baseline, in font sizes
_CAP_HEIGHT = 0.729  # height of a capital letter of DejaVu Sans, in font sizes


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of whole pixels; `right` and `bottom` lie just outside it."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Rect) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def contains(self, x: float, y: float, around: float = 0.0) -> bool:
        """Whether a point, with `around` pixels on every side of it, touches the rectangle."""
        across = self.left - around < x < self.right + around
        return across and self.top - around < y < self.bottom + around


@dataclass(frozen=True, slots=True, eq=False)
class Bitmap:
    """A picture with transparency: `colour` is already multiplied by its opacity, `keep` is 255 minus that."""

    colour: ImageArray
    keep: ImageArray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.colour.shape[1], self.colour.shape[0]

    def rect(self, left: int, top: int) -> Rect:
        """Where it lies when it is pasted at this place."""
        return Rect(left, top, left + self.size[0], top + self.size[1])

    def paste(self, image: ImageArray, left: int, top: int) -> None:
        """Lay it over `image`, in place; what falls outside the image is cut off."""
        height, width = image.shape[:2]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + self.size[0], width), min(top + self.size[1], height)
        if x0 >= x1 or y0 >= y1:
            return
        here = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
        region = image[y0:y1, x0:x1]
        faded = cv2.multiply(region, self.keep[here], scale=1 / 255)
        image[y0:y1, x0:x1] = cv2.add(faded, self.colour[here])


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the bundled font at `size` pixels.

    Raises
    ------
    OutputError
        When the font file is missing or damaged.
    """
    try:
        return ImageFont.truetype(FONT_FILE, max(size, 1))
    except OSError as error:
        raise OutputError(f"{FONT_FILE}: the overlay's font cannot be read ({error}); reinstall formcheck") from error


def shorten(text: str, size: int, width: float) -> str:
    """Cut `text` so that it is at most `width` pixels wide, with an ellipsis where something was cut off."""
    face = font(size)
    if face.getlength(text) <= width:
        return text
    ends = [place for place in range(len(text)) if text[place] == " "] or range(1, len(text))
    for end in reversed(ends):
        if face.getlength(text[:end] + "…") <= width:
            return text[:end] + "…"
    return shorten(text.split(maxsplit=1)[0], size, width) if " " in text else ""


def fit(text: str, width: float, size: int, smallest: int) -> tuple[tuple[str, ...], int]:
    """Break `text` into one or two lines, in the largest font size that fits.

    Parameters
    ----------
    text : str
    width : float
        Pixels that a line may take.
    size, smallest : int
        Font sizes in pixels: the wanted one, and the one below which text is cut off instead of shrunk.

    Returns
    -------
    lines : tuple of str
        At most two, each at most `width` pixels wide at the returned size; empty for an empty text.
    size : int
    """
    words = text.split()
    for candidate in range(size, min(size, smallest) - 1, -1):
        face = font(candidate)
        if face.getlength(" ".join(words)) <= width:
            return ((" ".join(words),) if words else ()), candidate
        breaks = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
        widest = [max(face.getlength(first), face.getlength(second)) for first, second in breaks]
        if widest and min(widest) <= width:
            return breaks[int(np.argmin(widest))], candidate
    face = font(smallest)
    taken = 1
    while taken < len(words) and face.getlength(" ".join(words[: taken + 1])) <= width:
        taken += 1
    both = " ".join(words[:taken]), " ".join(words[taken:])
    lines = tuple(shorten(line, smallest, width) for line in both)
    return tuple(line for line in lines if line), smallest


@lru_cache(maxsize=512)
def label(text: str, size: int, ink: Colour) -> Bitmap:
    """One short line on a small dark rounded panel: an angle, a note."""
    face = font(size)
    pad = max(2, round(0.32 * size))
    width, height = int(np.ceil(face.getlength(text))) + 2 * pad, round(_CAP_HEIGHT * size) + 2 * pad
    canvas = _panel(width, height, INK, 0.78, max(2, round(0.3 * size)))
    ImageDraw.Draw(canvas).text((width / 2, height - pad), text, font=face, fill=(*ink, 255), anchor="ms")
    return _bitmap(canvas)


@lru_cache(maxsize=8)
def card(count: str, noun: str, title: str, limits: str, *, size: int, width: int) -> Bitmap:
    """Return the panel in the corner: the count, large, and beside it the exercise and its limits, small.

    `size` is the font size of the title in pixels; nothing is wider than `width` pixels.
    """
    pad, big, tiny = round(0.7 * size), round(2.3 * size), max(6, round(0.72 * size))
    under = shorten(noun, tiny, width - 2 * pad)
    left = max(font(big).getlength(count), font(tiny).getlength(under), 1.6 * size)
    room = width - left - 4 * pad
    lines = [(shorten(text, height, room), height) for text, height in ((title, size), (limits, tiny)) if text]
    lines = [line for line in lines if line[0]]
    right = max((font(height).getlength(text) for text, height in lines), default=0.0)
    tall = round(_CAP_HEIGHT * big + 0.55 * size + _CAP_HEIGHT * tiny + 2 * pad)
    wide = int(np.ceil(left + 2 * pad + (right + 2 * pad if lines else 0)))
    canvas = _panel(wide, tall, INK, 0.78, round(0.5 * size))
    pen = ImageDraw.Draw(canvas)
    middle = pad + left / 2
    pen.text((middle, pad + _CAP_HEIGHT * big), count, font=font(big), fill=(*WHITE, 255), anchor="ms")
    pen.text((middle, tall - pad), under, font=font(tiny), fill=(*GREY, 255), anchor="ms")
    if lines:
        rule = round(left + 2 * pad)
        pen.line([(rule, pad), (rule, tall - pad)], fill=(90, 94, 100, 255), width=max(1, size // 12))
        gap = 0.6 * size
        block = sum(_CAP_HEIGHT * height for _, height in lines) + gap * (len(lines) - 1)
        y = (tall - block) / 2
        for (text, height), ink in zip(lines, (WHITE, GREY), strict=False):
            y += _CAP_HEIGHT * height
            pen.text((rule + pad, y), text, font=font(height), fill=(*ink, 255), anchor="ls")
            y += gap
    return _bitmap(canvas)


@lru_cache(maxsize=8)
def band(text: str, status: Status, *, least: int, width: int, size: int, smallest: int) -> Bitmap:
    """Return the panel with the current cue: an icon, and the text in one or two lines.

    The panel is between `least` and `width` wide; `size` and `smallest` are font sizes; all in pixels.
    """
    fill, ink, edge = _BAND[status]
    pad, icon = round(0.6 * size), round(1.5 * size)
    lines, used = fit(text, width - icon - 3 * pad, size, smallest)
    needed = max((font(used).getlength(line) for line in lines), default=0.0) + icon + 3 * pad
    width = min(max(int(np.ceil(needed)), least), width)
    pitch = _LINE_PITCH * used
    block = _CAP_HEIGHT * used + pitch * max(len(lines) - 1, 0)
    height = round(max(block, icon) + 2 * pad)
    border, radius = max(1, round(0.1 * size)), round(0.5 * size)
    canvas = _panel(width, height, edge, 1.0, radius)
    canvas.paste((*fill, 255), (border, border), _rounded(width - 2 * border, height - 2 * border, radius - border))
    _draw_icon(canvas, status, pad, (height - icon) // 2, icon)
    pen = ImageDraw.Draw(canvas)
    for row, line in enumerate(lines):
        baseline = (height - block) / 2 + _CAP_HEIGHT * used + row * pitch
        pen.text((icon + 2 * pad, baseline), line, font=font(used), fill=(*ink, 255), anchor="ls")
    return _bitmap(canvas)


# Of each status: the band's fill, its text, and its border.
_BAND: dict[Status, tuple[Colour, Colour, Colour]] = {
    Status.FAULT: (FAULT_FILL, WHITE, WHITE),
    Status.CAUTION: (ORANGE, BLACK, BLACK),
    Status.OK: (INK, WHITE, GREEN),
    Status.NOT_JUDGED: (INK, WHITE, GREY),
}


def _draw_icon(canvas: Image.Image, status: Status, left: int, top: int, size: int) -> None:
    """Draw the status as a shape: a triangle, a diamond, a tick in a disc, a question mark in a ring."""
    fill, ink, edge = _BAND[status]
    fine = size * _FINE
    shape, hole = Image.new("L", (fine, fine)), Image.new("L", (fine, fine))
    body, sign = ImageDraw.Draw(shape), ImageDraw.Draw(hole)

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * fine, y * fine) for x, y in points]

    if status is Status.FAULT:
        body.polygon(at((0.5, 0.04), (1.0, 0.94), (0.0, 0.94)), fill=255)
        _exclamation(sign, fine, 0.36, 0.84)
    elif status is Status.CAUTION:
        body.polygon(at((0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)), fill=255)
        _exclamation(sign, fine, 0.24, 0.76)
    elif status is Status.OK:
        body.ellipse(at((0.03, 0.03), (0.97, 0.97)), fill=255)
        sign.line(at((0.27, 0.52), (0.44, 0.68), (0.74, 0.34)), fill=255, width=round(0.12 * fine), joint="curve")
    else:
        body.ellipse(at((0.03, 0.03), (0.97, 0.97)), fill=255)
        sign.text((0.5 * fine, 0.75 * fine), "?", font=font(round(0.7 * fine)), fill=255, anchor="ms")
    inside = WHITE if status is Status.OK else fill
    outside = edge if status in (Status.OK, Status.NOT_JUDGED) else ink
    canvas.paste((*outside, 255), (left, top), shape.reduce(_FINE))
    canvas.paste((*inside, 255), (left, top), hole.reduce(_FINE))


def _exclamation(pen: ImageDraw.ImageDraw, fine: int, top: float, bottom: float) -> None:
    """Draw an exclamation mark between two heights (0 to 1 of the icon)."""
    half, dot = 0.055 * fine, 0.065 * fine
    x, y = 0.5 * fine, bottom * fine - dot
    pen.rounded_rectangle((x - half, top * fine, x + half, y - 2.2 * dot), radius=half, fill=255)
    pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=255)


def _panel(width: int, height: int, fill: Colour, opacity: float, radius: int) -> Image.Image:
    """Return a rounded rectangle, its colour multiplied by its opacity, on nothing."""
    red, green, blue = (round(channel * opacity) for channel in fill)
    shape = _rounded(width, height, radius)
    canvas = Image.new("RGBA", shape.size, (0, 0, 0, 0))
    canvas.paste((red, green, blue, round(255 * opacity)), (0, 0), shape)
    return canvas


def _rounded(width: int, height: int, radius: int) -> Image.Image:
    """Return the mask of a rounded rectangle, at least one pixel large."""
    width, height = max(width, 1), max(height, 1)
    shape = Image.new("L", (width * _FINE, height * _FINE))
    corner = min(max(radius, 0), width // 2, height // 2) * _FINE
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, shape.width - 1, shape.height - 1), radius=corner, fill=255)
    return shape.reduce(_FINE)


def _bitmap(canvas: Image.Image) -> Bitmap:
    pixels = np.asarray(canvas)
    keep = np.repeat(255 - pixels[:, :, 3:], 3, axis=2)
    return Bitmap(np.ascontiguousarray(pixels[:, :, :3]), np.ascontiguousarray(keep))
