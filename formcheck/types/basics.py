"""Array types, the number of landmarks, and the enums: words that every stage shares."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int_]
ImageArray = NDArray[np.uint8]
PatchArray = NDArray[np.uint8]

LANDMARK_COUNT = 33  # of MediaPipe's (BlazePose's) body model
PATCH_PLACES = 3  # of each leg: knee, foot, and foot as it would be were the knee the other leg's
PATCH_CELLS = 4  # along a side of a patch (`formcheck.adapters.patches`)
PATCH_BINS = 8  # directions of edges, over half a turn
PATCH_SIZE = PATCH_CELLS * PATCH_CELLS * PATCH_BINS
PATCHES_SHAPE = (2, PATCH_PLACES, PATCH_SIZE)  # side (left, right), place, histogram
OUTLINE_POINTS = 21  # heights along the trunk at which its outline is kept (`formcheck.silhouette.HEIGHTS`)
OUTLINE_SHAPE = (3, OUTLINE_POINTS, 2)  # one edge, the other, and the line between them that the heights lie on


class Side(StrEnum):
    """A side of the person's own body."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Status(StrEnum):
    """How one rule ended on one repetition, hold or set."""

    OK = "ok"
    CAUTION = "caution"
    FAULT = "fault"
    NOT_JUDGED = "not_judged"


class Scope(StrEnum):
    """What one check of a rule looks at."""

    REP = "rep"
    HOLD = "hold"
    SET = "set"


class Strength(StrEnum):
    """How strong the evidence behind a rule is (EVIDENCE: strong, some, coaching)."""

    STRONG = "strong"
    SOME = "some"
    COACHING = "coaching"


class Position(StrEnum):
    """How the body is placed during an exercise."""

    STANDING = "standing"
    ONE_LEG = "one-leg"  # standing on one leg while the other works
    SEATED = "seated"
    LONG_SITTING = "long-sitting"
    KNEELING = "kneeling"
    PRONE = "prone"
    SUPINE = "supine"
    ALL_FOURS = "all-fours"


class Kind(StrEnum):
    """Whether an exercise is counted in repetitions or held."""

    REPS = "reps"
    HOLD = "hold"


class Phase(StrEnum):
    """Where in a repetition or hold a moment lies."""

    REST = "rest"
    LIFTING = "lifting"  # concentric: the muscles shorten and raise the load
    TURN = "turn"  # the pause at the far end; for a stretch, the hold
    LOWERING = "lowering"  # eccentric: the muscles lengthen under the load


class Rate(StrEnum):
    """Which frames of a recorded clip the pose network sees."""

    FULL = "full"
    AUTO = "auto"  # as many as the movement asks for; the others lie on curves between them
