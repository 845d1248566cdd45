"""What the picture shows at a leg's knee and foot, in a few numbers: directions of edges in a patch around each.

The pose network sees the person at 256 pixels, and its toe can leave the foot by 50 degrees while the foot is plain to
see in the picture. So each leg carries two patches with its pose, of the knee and of the foot, turned so that the
thigh or the shank points down and scaled by the limbs, and each patch is told as a histogram of edge directions in
`CELLS` x `CELLS` soft cells (HOG; Dalal and Triggs 2005). Colour, contrast and the size of the picture drop out.
`formcheck.bias` learns from them how wrong an angle is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formcheck.landmarks import side_landmark
from formcheck.types import PATCH_BINS, PATCH_CELLS, PATCH_SIZE, PATCHES_SHAPE, FloatArray, ImageArray, PatchArray, Side

VERSION = 2  # of what the numbers mean; poses kept by `formcheck.validate` are known by it
PIXELS = 48  # of a patch's side
FOOT_SHANK_PX = 30.0  # length of the shank in the foot's patch: leaves room for the toes whichever way they point
KNEE_WIDTH = 2.0  # of the knee's patch, in mean lengths of trunk, thigh and shank
FOOT_CENTRE_Y = 0.4  # the ankle lies a little above the middle of its patch
MIN_LIMB_PX = 8.0  # smaller limbs show no direction of edges
REACH = 0.85  # of a patch's side: half its diagonal, with its middle moved
LEAST_SHANK = 0.7  # of the thigh: a shank that points to the camera must not blow the patch up
MAX_LEVEL = 4  # of halving the picture
OVERSAMPLING = 2  # of what is left after halving
FULL_SCALE = 512.0  # histogram value to byte; half of a patch's whole edge strength in one place is the most


def describe(image: ImageArray, image_px: FloatArray) -> PatchArray:
    """Histograms of edge directions around the knees and feet of one pose.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB; C-contiguous.
    image_px : ndarray, shape (33, 2)
        Landmarks in pixels of that picture.

    Returns
    -------
    ndarray of uint8, shape PATCHES_SHAPE
        By side (left, right) and place: knee, foot, and this foot turned by the shank from the other leg's knee, for
        when the two legs turn out to be exchanged below the knee. The picture as it is (not mirrored by side); all
        zero where a limb is missing, too small, or out of the picture.
    """
    described = np.zeros(PATCHES_SHAPE, dtype=np.uint8)
    places = list(_places(image_px))
    height, width = image.shape[:2]
    shown = [place for place in places if 0 <= place.centre[0] < width and 0 <= place.centre[1] < height]
    if shown:
        rows = [place.row for place in shown], [place.place for place in shown]
        pyramid = _Pyramid(image, shown)
        described[rows] = _histograms([pyramid.cut_out(place) for place in shown])
    return described


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a patch lies: its downward axis is `down`, at `scale` picture pixels to a patch pixel."""

    row: int
    place: int
    centre: FloatArray
    down: FloatArray
    scale: float
    centre_y: float


def _places(image_px: FloatArray) -> Iterator[_Place]:
    """The patches of both legs whose limbs are known and large enough."""
    knees = [image_px[side_landmark(side, "knee")] for side in (Side.LEFT, Side.RIGHT)]
    for row, side in enumerate((Side.LEFT, Side.RIGHT)):
        shoulder, hip, ankle = (image_px[side_landmark(side, name)] for name in ("shoulder", "hip", "ankle"))
        knee, other = knees[row], knees[1 - row]
        trunk, thigh, shank = (math.dist(*ends) for ends in ((shoulder, hip), (hip, knee), (knee, ankle)))
        if not all(long >= MIN_LIMB_PX for long in (trunk, thigh, shank)):  # a NaN is not
            continue
        wide = (trunk + thigh + shank) / 3 * KNEE_WIDTH / PIXELS
        yield _Place(row, 0, knee, (knee - hip) / thigh, wide, 0.5)
        for place, upper in ((1, knee), (2, other)):
            long = math.dist(upper, ankle)
            if long >= MIN_LIMB_PX:
                close = max(long, LEAST_SHANK * thigh) / FOOT_SHANK_PX
                yield _Place(row, place, ankle, (ankle - upper) / long, close, FOOT_CENTRE_Y)


def _histograms(patches: Sequence[ImageArray]) -> PatchArray:
    """Edge directions of each patch, shape (patches, PATCH_SIZE); all at once, because most of the time is calls."""
    # colours first, so that each is one piece of memory
    across, along = (
        np.stack([cv2.Sobel(patch, cv2.CV_16S, *way) for patch in patches])
        .transpose(3, 0, 1, 2)
        .astype(np.float32, "C")
        for way in ((1, 0), (0, 1))
    )
    square = across**2 + along**2
    # of the three colours, the one that changes most: skin and floor can be equally bright
    x, y, strongest = across[0], along[0], square[0]
    for channel in (1, 2):
        more = square[channel] > strongest
        np.copyto(x, across[channel], where=more)
        np.copyto(y, along[channel], where=more)
        np.copyto(strongest, square[channel], where=more)
    strength = np.sqrt(np.sqrt(strongest)).ravel()  # a strong edge must not drown the others
    turn = np.arctan2(y, x).ravel() * np.float32(PATCH_BINS / math.pi) + np.float32(PATCH_BINS)  # 0 to twice the bins
    lower = turn.astype(np.intp)
    upper_part = strength * (turn - lower)
    edges = np.zeros((turn.size, PATCH_BINS), dtype=np.float32)
    pixel = np.arange(turn.size) * PATCH_BINS
    edges.ravel()[pixel + lower % PATCH_BINS] = strength - upper_part
    edges.ravel()[pixel + (lower + 1) % PATCH_BINS] += upper_part
    cells = (_CELL_WEIGHTS @ edges.reshape(len(patches), PIXELS**2, PATCH_BINS)).reshape(len(patches), PATCH_SIZE)
    cells *= FULL_SCALE / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1e-6)
    return np.asarray(np.minimum(cells, 255.0), dtype=np.uint8)


class _Pyramid:
    """A picture and its halves, each made once it is asked for: what is cut out small must not be read pixel by pixel.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
    places : sequence of _Place
        What will be cut out; nothing is made of the rest of the picture.
    """

    def __init__(self, image: ImageArray, places: Sequence[_Place]) -> None:
        block = 2**MAX_LEVEL  # the halves of a part are the part of the halves where it begins between two blocks
        height, width = image.shape[:2]
        centres = np.stack([place.centre for place in places])
        # what is mixed into a patch's edge comes from beyond it
        reach = np.array([(place.scale * PIXELS * REACH + 2 * block,) for place in places])
        left, top = np.clip(np.floor((centres - reach).min(axis=0) / block) * block, 0, None).astype(int)
        right, below = np.minimum(np.ceil((centres + reach).max(axis=0) / block) * block, (width, height)).astype(int)
        self._corner = np.array([left, top], dtype=float)
        self._levels = [image[top:below, left:right]]

    def cut_out(self, place: _Place) -> ImageArray:
        """The turned and scaled patch, without aliasing."""
        level = min(max(int(math.log2(place.scale)), 0), MAX_LEVEL) if place.scale >= 1 else 0
        image, shrunk = self._level(level), 2**level
        finer = 1 if place.scale < shrunk else OVERSAMPLING
        size, step, down = PIXELS * finer, place.scale / shrunk / finer, place.down
        right = np.array([down[1], -down[0]])
        # cv2 counts from the middle of a pixel, landmarks from its corner
        corner = (place.centre - self._corner) / shrunk - 0.5 + step * (0.5 - size * 0.5) * right
        corner += step * (0.5 - size * place.centre_y) * down
        matrix = np.column_stack([step * right, step * down, corner])
        patch = cv2.warpAffine(
            image, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
        smaller = patch if finer == 1 else cv2.resize(patch, (PIXELS, PIXELS), interpolation=cv2.INTER_AREA)
        return np.asarray(smaller, dtype=np.uint8)

    def _level(self, level: int) -> ImageArray:
        while len(self._levels) <= level:
            height, width = self._levels[-1].shape[:2]
            even = self._levels[-1][: height // 2 * 2, : width // 2 * 2]
            half = cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(half, dtype=np.uint8))
        return self._levels[level]


def _cell_weights() -> NDArray[np.float32]:
    """How much each pixel of a patch counts in each cell, shape (cells, pixels): a bump as wide as two cells."""
    cell = PIXELS / PATCH_CELLS
    centres = (np.arange(PATCH_CELLS) + 0.5) * cell
    bump = np.maximum(1 - np.abs(np.arange(PIXELS) + 0.5 - centres[:, None]) / cell, 0.0)
    weights = np.einsum("ay,bx->abyx", bump, bump).reshape(PATCH_CELLS**2, PIXELS**2)
    return np.asarray(weights, dtype=np.float32)


_CELL_WEIGHTS = _cell_weights()
