"""A picture's number as a strip of black and white blocks in it, which outlives a web camera's compression.

Sixteen blocks from top to bottom, twelve for the number and four to check it, at one side of the picture.
"""

from __future__ import annotations

import numpy as np

BITS, NUMBER_BITS = 16, 12
SIZE = (640, 480)  # the strip's place is told for this size, and scales with the picture
TOP, BLOCK, WIDTH = 112, 16, 32
RIGHT, LEFT = SIZE[0] - WIDTH, 0  # the camera's own number; the number of the picture whose result is drawn
DARK, LIGHT = 16, 235


def _coded(number: int) -> int:
    check = (number ^ number >> 4 ^ number >> 8 ^ 0b1010) & 0b1111
    return number << 4 | check


def write(picture: np.ndarray, number: int, left: int = RIGHT) -> None:
    """Draw a number below 4096 into an RGB picture of `SIZE`, or any scale of it."""
    across, down = picture.shape[1] / SIZE[0], picture.shape[0] / SIZE[1]
    columns = slice(round(left * across), round((left + WIDTH) * across))
    for bit in range(BITS):
        rows = slice(round((TOP + bit * BLOCK) * down), round((TOP + (bit + 1) * BLOCK) * down))
        picture[rows, columns] = LIGHT if _coded(number % 2**NUMBER_BITS) >> bit & 1 else DARK


def read(picture: np.ndarray, left: int = RIGHT) -> int | None:
    """The number in a picture; None when it cannot be read."""
    column = round((left + WIDTH / 2) * picture.shape[1] / SIZE[0])
    rows = [round((TOP + (bit + 0.5) * BLOCK) * picture.shape[0] / SIZE[1]) for bit in range(BITS)]
    value = sum(int(picture[row, column].mean() > 128) << bit for bit, row in enumerate(rows))
    number = value >> 4
    return number if _coded(number) == value else None


# The same in the page, over a video that plays; `left` as above.
SCRIPT = f"""
function readCode(video, left) {{
  const canvas = readCode.canvas ||= new OffscreenCanvas(1, {BITS});
  const context = readCode.context ||= canvas.getContext("2d", {{ willReadFrequently: true }});
  const across = video.videoWidth / {SIZE[0]}, down = video.videoHeight / {SIZE[1]};
  for (let bit = 0; bit < {BITS}; bit++)
    context.drawImage(video, (left + {WIDTH // 2 - 2}) * across, ({TOP} + (bit + 0.375) * {BLOCK}) * down,
                      4 * across, 4 * down, 0, bit, 1, 1);
  const {{ data }} = context.getImageData(0, 0, 1, {BITS});
  let value = 0;
  for (let bit = 0; bit < {BITS}; bit++)
    if (data[4 * bit] + data[4 * bit + 1] + data[4 * bit + 2] > 384) value |= 1 << bit;
  const number = value >> 4;
  return ((number ^ number >> 4 ^ number >> 8 ^ 0b1010) & 0b1111) === (value & 0b1111) ? number : null;
}}
"""
