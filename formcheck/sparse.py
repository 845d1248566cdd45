"""Reading a clip at the rate that its movement asks for: `--rate auto`, with the decisions of `formcheck.sampling`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formcheck.adapters.cuts import CutDetector
from formcheck.adapters.pose import PoseBackend, TwoStepBackend
from formcheck.adapters.scout import Scout
from formcheck.adapters.video import ClipReader, DecodedFrame, VideoInfo
from formcheck.sampling import SETTLED, TRUNK, Sampler, fill, moved
from formcheck.types import Pose

MAX_LOOKS = 4  # at one frame, until the network's answer stays where it is
SKIPPED_KEPT = 8  # frames, not converted to RGB: 25 MB at full HD


@dataclass(frozen=True, slots=True)
class SparseReading:
    """What was read: a pose for every frame, most of them marked as not estimated.

    Attributes
    ----------
    poses : tuple of Pose
    cuts_s : tuple of float
        Times of the first frame after each hard cut.
    video : VideoInfo
    warnings : tuple of str
    """

    poses: tuple[Pose, ...]
    cuts_s: tuple[float, ...]
    video: VideoInfo
    warnings: tuple[str, ...]


def read_sparsely(
    path: str | Path,
    backend: PoseBackend,
    scout: Scout | None = None,
    on_progress: Callable[[float, float], None] | None = None,
) -> SparseReading:
    """Read through a clip, or up to where the scout says that it must be read in another way.

    Only the frames that a `Sampler` wants are converted and sent to the backend. Cuts are found from the thumbnails of
    all frames; the poses on both sides of one are always estimated.

    Parameters
    ----------
    path : str or Path
    backend : PoseBackend
    scout : Scout or None
        Sees the frames that are sent.
    on_progress : callable or None

    Raises
    ------
    ClipError
        When no frame of the clip can be read.
    """
    cuts, sampler = CutDetector(), Sampler()
    sent: dict[int, Pose] = {}
    times_s: list[float] = []
    leaps_s: list[float] = []
    skipped: deque[DecodedFrame] = deque(maxlen=SKIPPED_KEPT)
    with ClipReader(path) as reader:
        for decoded in reader.decoded():
            times_s.append(decoded.time_s)
            thumbnail = decoded.thumbnail()
            cuts.watch_thumbnail(thumbnail)
            wanted = sampler.wants(decoded.time_s, thumbnail)
            if sampler.leapt:
                leaps_s.append(decoded.time_s)
                if skipped:
                    sent[skipped[-1].index] = _send(skipped[-1], backend, sampler, scout)
            if wanted:
                pose = sent[decoded.index] = _send(decoded, backend, sampler, scout)
                for between in () if sampler.leapt else sampler.missed(pose, list(skipped)):
                    sent[between.index] = _send(between, backend, sampler, None)
                sampler.saw(pose, thumbnail)
                skipped.clear()
                if scout is not None and (scout.several or scout.turn_deg):
                    break
            else:
                skipped.append(decoded)
            if on_progress is not None:
                on_progress(decoded.time_s, reader.info.duration_s)
        if skipped:
            sent[skipped[-1].index] = _send(skipped[-1], backend, sampler, scout)
        moments = np.array(times_s)
        cuts_s = cuts.times_s(fill(moments, sent, leaps_s))
        poses = fill(moments, sent, (*leaps_s, *cuts_s))
        return SparseReading(poses, cuts_s, reader.info, (*reader.warnings, *cuts.warnings))


def _send(decoded: DecodedFrame, backend: PoseBackend, sampler: Sampler, scout: Scout | None) -> Pose:
    frame = decoded.frame()
    find = backend.find if isinstance(backend, TwoStepBackend) else backend.detect
    pose = find(frame)
    if sampler.again(pose):
        for _ in range(MAX_LOOKS - 1):
            before, pose = pose, find(frame)
            if moved(before, pose, TRUNK) <= SETTLED:
                break
    if isinstance(backend, TwoStepBackend):
        pose = backend.look_closer(frame, pose)
    if scout is not None:
        scout.watch(frame, pose)
    return pose
