"""Which frames of a recorded clip the pose network has to see (`--rate auto`), and the poses of those that it does not.

The network takes most of the time that a clip costs, and most of a clip is slow or still. So a frame every fifth of a
second or so is sent, fewer while nothing moves, more where somebody moves fast, where a pose comes as a surprise, and
around a sudden change of the picture. The poses between them lie on smooth curves.

Only decisions and arithmetic live here; `formcheck.sparse` reads the clip. Figures: `benchmarks/rate.py`.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import numpy as np

from formcheck.slots import LOOK_SLOT_S, time_slot
from formcheck.types import FloatArray, Pose
from formcheck.ways import AGAIN_GAP_S, FEET, JOINTS, distances, moved, needs_again, trunk_px

# Sent is the first frame of each slot of time: of 0.2 s as a rule, as a person's slow movement has hardly anything
# faster than 2 Hz in it, and shorter ones the faster the fastest joint is. Those of one length hold those of the next.
SLOTS_S: Final = (LOOK_SLOT_S, LOOK_SLOT_S / 2, LOOK_SLOT_S / 4)
STILL_SLOT_S: Final = 2 * LOOK_SLOT_S  # which holds those in which outlines come (`adapters.outlines.EVERY`)
STILL: Final = 0.03  # trunk lengths in a slot; twice as much hid the turn of a slow good morning
SURPRISED_SLOT_S: Final = LOOK_SLOT_S / 2
# Landmarks flicker where a limb is hidden, and seem to move; the picture does not. How much it changes when somebody
# moves, each clip shows: while it changes by less than with a movement of `STILL`, nobody moves. Where landmarks say so
# too, slots are longer still. Either way they end with the first slot of the usual length in which the picture differs.
QUIET_SLOT_S: Final = 4 * LOOK_SLOT_S
FLICKER: Final = 0.12  # trunk lengths: a way that is longer is movement, whatever the picture shows
SMALL_CELLS: Final = 10  # of the thumbnail's 2304: about a foot
SHOWN: Final = 3  # movements at least, to know how the picture changes with them
SHOWN_KEPT: Final = 30
CELL: Final = 0.25  # trunk lengths: in a longer way, more and more of what leaves a cell comes from another one
EDGE_S: Final = 0.6  # at the clip's beginning and end, where little tells whether it is at rest, no long slots
MOVE: Final = 0.5  # trunk lengths that the fastest joint may go between two frames that are sent
SETTLED: Final = 0.15  # trunk lengths between two looks at a frame; more, and it is looked at once more
SURPRISE: Final = 0.3  # trunk lengths by which a pose may miss where the last two led to
FOOT_SURPRISE: Final = 0.6  # heels and toes flicker, and `formcheck.feet` puts them back
DENSE: Final = 3  # frames in a row that are sent after a leap, and shorter slots after a surprise
SEARCH_S: Final = 1.0  # every frame is sent for so long after the person was lost

# A leap: the cells of the thumbnail that change most change several times as much as in any of the last frames.
LEAP_RATIO: Final = 3.0
LEAP_LEVELS: Final = 30.0  # of 255
LEAP_CELLS: Final = 60  # of 2304: about a limb
LEAP_FRAMES: Final = 3

_SURPRISES: Final = np.array([FOOT_SURPRISE if joint in FEET else SURPRISE for joint in JOINTS])
Skipped = TypeVar("Skipped")


class Sampler:
    """Decides frame by frame whether the network has to see it; for one pass over one clip.

    Parameters
    ----------
    end_s : float
        When the clip ends; inf when it is not known.

    Attributes
    ----------
    leapt : bool
        Whether the picture leapt from the frame before to the one that `wants` was last asked about. The pose before a
        leap is needed too, if there is none yet: curves must not round it off.
    """

    def __init__(self, end_s: float = math.inf) -> None:
        self.leapt = False
        self._edges_s = (EDGE_S, end_s - EDGE_S)
        self._leap_detector = LeapDetector()
        self._sent: Pose | None = None
        self._sent_thumbnail: FloatArray | None = None
        self._before: Pose | None = None  # sent before `_sent`
        self._slot_s = 0.0  # the next frame that is sent begins a slot of this length
        self._dense = 0  # frames that are sent in any case
        self._surprised = 0  # frames of shorter slots
        self._shown: deque[tuple[float, float]] = deque(maxlen=SHOWN_KEPT)  # ways, and changes of the picture
        self._quiet_levels = 0.0  # a smaller change is no movement
        self._quiet = False  # nobody moved between the last two frames that were sent
        self._watched_slot = 0  # that the last frame was in, while the picture is watched for a change
        self._lost_s = -math.inf

    def wants(self, time_s: float, thumbnail: FloatArray) -> bool:
        """Whether to send this frame.

        Parameters
        ----------
        time_s : float
        thumbnail : ndarray
            Small picture of the frame (`adapters.cuts.thumbnail`).
        """
        self.leapt = self._leap_detector.leaps(thumbnail)
        if self.leapt:
            self._dense = DENSE
        sent = self._sent
        if sent is None or self._dense > 0:
            return True
        if self._sent_thumbnail is not None and np.array_equal(thumbnail, self._sent_thumbnail):
            return False  # an exact copy
        slot_s = self._slot_s
        if not sent.found:
            slot_s = 0.0 if time_s - self._lost_s < SEARCH_S else LOOK_SLOT_S
        elif self._quiet and self._looks_other(time_s, thumbnail):
            return True
        return slot_s == 0 or time_slot(time_s, slot_s) != time_slot(sent.time_s, slot_s)

    def again(self, pose: Pose) -> bool:
        """Whether the frame of this pose should be sent once more, because the trunk has moved since the last one."""
        sent = self._sent
        return sent is not None and needs_again(sent, pose)

    def missed(self, pose: Pose, skipped: Sequence[Skipped]) -> list[Skipped]:
        """Frames to send after all, evenly spread, because the person moved further than was to be expected.

        Parameters
        ----------
        pose : Pose
            Of the frame that was just sent.
        skipped : sequence
            The frames between it and the one sent before, in order of time.
        """
        sent = self._sent
        if sent is None or not skipped:
            return []
        way = moved(sent, pose)
        if not MOVE < way < math.inf:
            return []
        count = min(math.ceil(way / MOVE) - 1, len(skipped))
        places = np.linspace(-1, len(skipped), count + 2)[1:-1].round().astype(int)
        return [skipped[place] for place in np.unique(places).tolist()]

    def saw(self, pose: Pose, thumbnail: FloatArray) -> None:
        """Take the pose of a frame that was sent."""
        self._dense = max(0, self._dense - 1)
        self._surprised = DENSE if self._is_surprise(pose) else max(0, self._surprised - 1)
        if not pose.found and (self._sent is None or self._sent.found):
            self._lost_s = pose.time_s
        self._watch_picture(pose, thumbnail)
        self._before, self._sent, self._sent_thumbnail = self._sent, pose, thumbnail
        self._slot_s = self._next_slot_s()

    def _next_slot_s(self) -> float:
        """Length of the slots of which the next one's first frame is sent; 0 for every frame."""
        speed = self._speed()
        slot_s = next((length_s for length_s in SLOTS_S if speed * length_s <= MOVE), 0.0)
        if self._surprised:
            return min(slot_s, SURPRISED_SLOT_S)
        still = speed * LOOK_SLOT_S < STILL
        if self._quiet and still and self._is_inner(QUIET_SLOT_S):
            return QUIET_SLOT_S
        return STILL_SLOT_S if (self._quiet or still) and self._is_inner(STILL_SLOT_S) else slot_s

    def _is_inner(self, slot_s: float) -> bool:
        """Whether the next slot of that length begins between the clip's edges."""
        first_s, last_s = self._edges_s
        return self._sent is not None and first_s < self._sent.time_s + slot_s < last_s

    def _watch_picture(self, pose: Pose, thumbnail: FloatArray) -> None:
        """Learn how the picture changes when somebody moves, and notice whether it stayed what it was."""
        self._watched_slot = time_slot(pose.time_s, LOOK_SLOT_S)
        self._quiet = False
        if self.leapt:
            self._shown.clear()  # another scene, or another light
        if self.leapt or self._sent is None or self._sent_thumbnail is None:
            return
        way, change = moved(self._sent, pose), changed(self._sent_thumbnail, thumbnail, SMALL_CELLS)
        if FLICKER < way < math.inf:
            self._shown.append((way, change))
        if len(self._shown) >= SHOWN:
            self._quiet_levels = change_if_still(self._shown)
            self._quiet = way <= FLICKER and change < self._quiet_levels

    def _looks_other(self, time_s: float, thumbnail: FloatArray) -> bool:
        """Whether this is a slot's first frame, and its picture is no longer that of the frame sent last."""
        slot, before = time_slot(time_s, LOOK_SLOT_S), self._watched_slot
        self._watched_slot = slot
        sent = self._sent_thumbnail
        return slot != before and sent is not None and changed(sent, thumbnail, SMALL_CELLS) >= self._quiet_levels

    def _speed(self) -> float:
        """Of the fastest joint, in trunk lengths a second; inf when it is not known."""
        before, sent = self._before, self._sent
        if before is None or sent is None or sent.time_s <= before.time_s:
            return math.inf
        return moved(before, sent) / (sent.time_s - before.time_s)

    def _is_surprise(self, pose: Pose) -> bool:
        before, sent = self._before, self._sent
        if before is None or sent is None or not (before.found and sent.found and pose.found):
            return False
        share = min((pose.time_s - sent.time_s) / (sent.time_s - before.time_s), 1.0)
        off = distances(sent.image_px + share * (sent.image_px - before.image_px), pose.image_px)
        if pose.time_s - sent.time_s < AGAIN_GAP_S:
            # so soon nobody has got far, and where the last two poses lead to is mostly twice their noise
            off = np.minimum(off, distances(sent.image_px, pose.image_px))
        return bool(np.nanmax(off / _SURPRISES) > trunk_px(pose))


class LeapDetector:
    """Sees sudden changes of the picture in the thumbnails of all frames."""

    def __init__(self) -> None:
        self._last: FloatArray | None = None
        self._changes: deque[float] = deque(maxlen=LEAP_FRAMES)

    def leaps(self, thumbnail: FloatArray) -> bool:
        """Whether the picture leapt from the frame before to this one."""
        last, self._last = self._last, thumbnail
        if last is None:
            return False
        change = changed(last, thumbnail, LEAP_CELLS)
        usual = max(self._changes, default=math.inf)
        self._changes.append(change)
        return change > max(LEAP_LEVELS, LEAP_RATIO * usual)


def changed(one: FloatArray, other: FloatArray, count: int) -> float:
    """Mean change between two thumbnails of the `count` cells that change most, levels of 255."""
    cells = np.abs(other - one).ravel()
    return float(np.sort(cells)[-count:].mean())  # partition is slow where most of them are 0


def change_if_still(shown: Iterable[tuple[float, float]]) -> float:
    """How much a picture may change while somebody counts as still (`STILL`), levels.

    Parameters
    ----------
    shown : iterable of (float, float)
        Ways that somebody moved, trunk lengths, and how much the picture changed with each, levels (`changed`).
    """
    return statistics.median(change * (1 / way + 1 / CELL) for way, change in shown) / (1 / STILL + 1 / CELL)
