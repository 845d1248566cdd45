"""What the picture shows at a leg's knee and foot, in a few numbers: directions of edges in a patch around each.

The pose network sees the person at 256 pixels, and its toe can leave the foot by 50 degrees while the foot is plain to
see in the picture. So each leg carries two patches with its pose, of the knee and of the foot, turned so that the
thigh or the shank points down and scaled by the limbs, and each patch is told as a histogram of edge directions in
`CELLS` x `CELLS` soft cells (HOG; Dalal and Triggs 2005). Colour, contrast and the size of the picture drop out.
`formcheck.bias` learns from them how wrong an angle is.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from formcheck.landmarks import side_landmark
from formcheck.types import PATCH_BINS, PATCH_CELLS, PATCH_SIZE, PATCHES_SHAPE, FloatArray, ImageArray, PatchArray, Side

VERSION = 1  # of what the numbers mean; poses kept by `formcheck.validate` are known by it
PIXELS = 48  # of a patch's side
FOOT_SHANK_PX = 30.0  # length of the shank in the foot's patch: leaves room for the toes whichever way they point
KNEE_WIDTH = 2.0  # of the knee's patch, in mean lengths of trunk, thigh and shank
FOOT_CENTRE_Y = 0.4  # the ankle lies a little above the middle of its patch
MIN_LIMB_PX = 8.0  # smaller limbs show no direction of edges
LEAST_SHANK = 0.7  # of the thigh: a shank that points to the camera must not blow the patch up
MAX_OVERSAMPLING = 8
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
    knees = [image_px[side_landmark(side, "knee")] for side in (Side.LEFT, Side.RIGHT)]
    for row, side in enumerate((Side.LEFT, Side.RIGHT)):
        shoulder, hip, ankle = (image_px[side_landmark(side, name)] for name in ("shoulder", "hip", "ankle"))
        knee, other = knees[row], knees[1 - row]
        trunk, thigh, shank = (math.dist(*ends) for ends in ((shoulder, hip), (hip, knee), (knee, ankle)))
        if not all(long >= MIN_LIMB_PX for long in (trunk, thigh, shank)):  # a NaN is not
            continue
        wide = (trunk + thigh + shank) / 3 * KNEE_WIDTH / PIXELS
        described[row, 0] = _histogram(image, knee, (knee - hip) / thigh, wide, 0.5)
        for place, upper in ((1, knee), (2, other)):
            long = math.dist(upper, ankle)
            if long >= MIN_LIMB_PX:
                close = max(long, LEAST_SHANK * thigh) / FOOT_SHANK_PX
                described[row, place] = _histogram(image, ankle, (ankle - upper) / long, close, FOOT_CENTRE_Y)
    return described


def _histogram(image: ImageArray, centre: FloatArray, down: FloatArray, scale: float, centre_y: float) -> PatchArray:
    """Edges of the patch whose downward axis is `down`, at `scale` picture pixels to a patch pixel."""
    height, width = image.shape[:2]
    if not (0 <= centre[0] < width and 0 <= centre[1] < height):
        return np.zeros(PATCH_SIZE, dtype=np.uint8)
    patch = _cut_out(image, centre, down, scale, centre_y)
    across = np.asarray(cv2.Sobel(patch, cv2.CV_32F, 1, 0))
    along = np.asarray(cv2.Sobel(patch, cv2.CV_32F, 0, 1))
    strength, turn = _polar(across, along, 0)
    for channel in (1, 2):  # of the three colours, the one that changes most: skin and floor can be equally bright
        other, other_turn = _polar(across, along, channel)
        turn = np.where(other > strength, other_turn, turn)
        strength = np.maximum(other, strength)
    strength = np.sqrt(strength).ravel()  # a strong edge must not drown the others
    turn = turn.ravel() / math.pi * PATCH_BINS % PATCH_BINS
    pixel = np.arange(turn.size)
    lower = np.minimum(turn.astype(int), PATCH_BINS - 1)
    part = (turn - lower).astype(np.float32)
    edges = np.zeros((turn.size, PATCH_BINS), dtype=np.float32)
    edges[pixel, lower] = strength * (1 - part)
    edges[pixel, (lower + 1) % PATCH_BINS] += strength * part
    cells = (_CELL_WEIGHTS @ edges).ravel()
    cells *= FULL_SCALE / max(float(np.linalg.norm(cells)), 1e-6)
    return np.asarray(np.minimum(cells, 255.0), dtype=np.uint8)


def _polar(across: NDArray[Any], along: NDArray[Any], channel: int) -> tuple[NDArray[Any], NDArray[Any]]:
    strength, turn = cv2.cartToPolar(across[..., channel], along[..., channel])
    return np.asarray(strength), np.asarray(turn)


def _cut_out(image: ImageArray, centre: FloatArray, down: FloatArray, scale: float, centre_y: float) -> ImageArray:
    """The turned and scaled patch, without aliasing."""
    finer = min(max(1, round(scale)), MAX_OVERSAMPLING)
    size, step = PIXELS * finer, scale / finer
    right = np.array([down[1], -down[0]])
    corner = centre - step * size * (0.5 * right + centre_y * down)
    matrix = np.column_stack([step * right, step * down, corner])
    patch = cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    smaller = patch if finer == 1 else cv2.resize(patch, (PIXELS, PIXELS), interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, dtype=np.uint8)


def _cell_weights() -> NDArray[np.float32]:
    """How much each pixel of a patch counts in each cell, shape (cells, pixels): a bump as wide as two cells."""
    cell = PIXELS / PATCH_CELLS
    centres = (np.arange(PATCH_CELLS) + 0.5) * cell
    bump = np.maximum(1 - np.abs(np.arange(PIXELS) + 0.5 - centres[:, None]) / cell, 0.0)
    weights = np.einsum("ay,bx->abyx", bump, bump).reshape(PATCH_CELLS**2, PIXELS**2)
    return np.asarray(weights, dtype=np.float32)


_CELL_WEIGHTS = _cell_weights()
