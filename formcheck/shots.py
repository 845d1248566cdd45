"""The shots of a clip: the stretches between hard cuts, and whether there is anything in one that can be judged.

Nothing crosses a cut: no filter, no repetition, no rest position. A shot can be unusable as a whole, for a reason that
is no rule's business: nobody in it, legs only, or a camera that looks along the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from formcheck.geometry import length
from formcheck.landmarks import Landmark
from formcheck.types import LANDMARK_COUNT, OUTLINE_SHAPE, PATCHES_SHAPE, FloatArray, PatchArray, PoseTrack, Track

# Frames that are measured in one go: over three minutes of a phone's video. A frame takes several kB while it is.
LONGEST = 6000
PIECES = 10  # of a longer stretch, where a part of it stands for the whole

MIN_SHOT_S = 0.5  # shorter ones hold no repetition and are passed over in silence

# Bare legs and panels of a montage make the pose model see whole people for moments at a time (28 to 62 % of the
# frames, in runs of at most 1.2 s); in every clip of a whole person it finds them in at least 80 %.
STEADY_SHARE = 0.75
STEADY_RUN_S = 1.5

# Share of depth in the line from shoulders to knees: at most 0.48 in side and oblique views of every position, at
# least 0.56 with the camera at the feet of someone lying.
ALONG_BODY = 0.53


def spans(time_s: FloatArray, cuts_s: Sequence[float]) -> list[tuple[int, int]]:
    """First row of each shot and the row after its last; each cut is the time of the first frame after it. Not empty.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
    cuts_s : sequence of float
    """
    edges = np.searchsorted(time_s, sorted(cuts_s)).tolist()
    edges = [0, *(edge for edge in dict.fromkeys(edges) if 0 < edge < len(time_s)), len(time_s)]
    return list(pairwise(edges))


def split(track: PoseTrack, cuts_s: Sequence[float]) -> tuple[PoseTrack, ...]:
    """Divide a track at the cuts; each is the time of the first frame after it. Never empty."""
    return tuple(track.part(slice(start, stop)) for start, stop in spans(track.time_s, cuts_s))


def apart(tracks: Sequence[PoseTrack]) -> PoseTrack:
    """Put stretches together with a frame without a person between them, so that no filter runs from one to the next.

    Parameters
    ----------
    tracks : sequence of PoseTrack
        In order of time, none of them empty.
    """
    parts = list(tracks[:1])
    for before, after in pairwise(tracks):
        middle_s = np.array([(before.time_s[-1] + after.time_s[0]) / 2])
        nobody = np.full((1, LANDMARK_COUNT, 3), np.nan)
        parts += [PoseTrack(middle_s, before.size_px, nobody[..., :2], nobody, nobody[..., 0]), after]
    return join(parts) if len(parts) > 1 else parts[0]


def spread(track: Track, rows: tuple[int, int]) -> list[PoseTrack]:
    """The stretch between two rows, or, of a long one, pieces that are spread evenly over it: `LONGEST` frames in all.

    What is said of a whole clip (which exercise it shows, where the feet are) needs no more.
    """
    start, stop = rows
    if stop - start <= LONGEST:
        return [track.part(slice(start, stop))]
    size = LONGEST // PIECES
    firsts = np.linspace(start, stop - size, PIECES).round().astype(int).tolist()
    return [track.part(slice(first, first + size)) for first in firsts]


def join(tracks: Sequence[PoseTrack]) -> PoseTrack:
    """Put shots together again, in order of time."""
    return PoseTrack(
        size_px=tracks[0].size_px,
        time_s=np.concatenate([track.time_s for track in tracks]),
        image_px=np.concatenate([track.image_px for track in tracks]),
        world_m=np.concatenate([track.world_m for track in tracks]),
        visibility=np.concatenate([track.visibility for track in tracks]),
        patches=_joined_patches(tracks),
        outline_px=_joined_outlines(tracks),
        brightness=tracks[0].brightness,
    )


def _joined_patches(tracks: Sequence[PoseTrack]) -> PatchArray | None:
    if all(track.patches is None for track in tracks):
        return None
    return np.concatenate(
        [np.zeros((len(t), *PATCHES_SHAPE), dtype=np.uint8) if t.patches is None else t.patches for t in tracks]
    )


def _joined_outlines(tracks: Sequence[PoseTrack]) -> FloatArray | None:
    if all(track.outline_px is None for track in tracks):
        return None
    none = np.full((1, *OUTLINE_SHAPE), np.nan)
    return np.concatenate([none.repeat(len(t), axis=0) if t.outline_px is None else t.outline_px for t in tracks])


def unusable(track: PoseTrack) -> str:
    """Why nothing in a shot can be judged and what to do; empty when there may be something."""
    found = np.isfinite(track.image_px[:, Landmark.NOSE, 0])
    if not found.any():
        return "nobody was found; film the whole body in good light"
    share = float(found.mean())
    if share < STEADY_SHARE and _median_run_s(track.time_s, found) < STEADY_RUN_S:
        return (
            f"no whole person is steadily in the picture (found in {100 * share:.0f} % of the frames, for moments "
            "only); film one person from the side, from head to toes"
        )
    along = along_body(track)[found]
    if along.size and float(np.median(np.nan_to_num(along))) > ALONG_BODY:
        return "the camera looks along the body, from the feet or the head; turn side-on to it"
    return ""


def _median_run_s(time_s: FloatArray, found: np.ndarray) -> float:
    """Median length in seconds of the stretches in which a person was found without a break."""
    changes = np.flatnonzero(np.diff(np.r_[False, found, False].astype(int)))
    starts, stops = changes[::2], changes[1::2] - 1
    return float(np.median(time_s[stops] - time_s[starts]))


def along_body(track: PoseTrack) -> FloatArray:
    """Share of depth in the line from mid shoulders to mid knees, 0 to 1, shape (n,); NaN where nobody was seen."""
    shoulders = track.world_m[:, [Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER]].mean(axis=1)
    knees = track.world_m[:, [Landmark.LEFT_KNEE, Landmark.RIGHT_KNEE]].mean(axis=1)
    line = shoulders - knees
    size = length(line)
    return np.asarray(np.abs(line[:, 2]) / np.where(size > 0, size, np.nan))
