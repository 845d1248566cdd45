"""Work beside the network: the same answers in the same order, errors where they belong, and nothing left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Self

import numpy as np
import pytest

from formcheck.adapters.beside import DEPTH, WAITING, ahead, detected
from formcheck.adapters.pose import BackendInfo
from formcheck.errors import ModelError
from formcheck.types import Frame, Pose

COUNT = 30


def frames(broken_at: int = COUNT) -> Iterator[Frame]:
    for index in range(COUNT):
        if index == broken_at:
            raise OSError("the disk is gone")
        yield Frame(index, index / 30, np.full((4, 4, 3), index, dtype=np.uint8))


class OneStep:
    """Puts the picture's level into the visibility; slow enough that work piles up."""

    info = BackendInfo("1.2.2", "full", "abc")

    def __init__(self, broken_at: int = COUNT) -> None:
        self.broken_at = broken_at
        self.threads: set[str] = set()

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def detect(self, frame: Frame) -> Pose:
        pose = Pose.missing(frame.index, frame.time_s, (4, 4))
        return replace(pose, visibility=np.full(33, float(frame.image[0, 0, 0])))


class TwoSteps(OneStep):
    def find(self, frame: Frame) -> Pose:
        return self.detect(frame)

    def look_closer(self, frame: Frame, pose: Pose) -> Pose:
        self.threads.add(threading.current_thread().name)
        if frame.index == self.broken_at:
            raise ModelError("no second look")
        time.sleep(0.001 * (frame.index % 3))
        return replace(pose, size_px=(frame.index, 0))


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("kind", [OneStep, TwoSteps])
def test_every_frame_comes_once_in_order_and_was_watched(kind: type[OneStep], beside: bool) -> None:
    watched: list[int] = []
    poses = []
    for pose in detected(frames(), kind(), lambda frame, _: watched.append(frame.index), beside=beside):
        assert watched[len(poses)] == pose.index
        poses.append(pose)
    assert watched == [pose.index for pose in poses] == list(range(COUNT))
    assert [pose.visibility[0] for pose in poses] == list(range(COUNT))
    if beside and kind is TwoSteps:
        assert [pose.size_px[0] for pose in poses] == list(range(COUNT))


def test_the_second_step_has_a_thread_of_its_own() -> None:
    backend = TwoSteps()
    assert len(list(detected(frames(), backend, lambda *_: None, beside=True))) == COUNT
    assert len(backend.threads) == 1
    assert threading.current_thread().name not in backend.threads


@pytest.mark.parametrize(("broken_clip_at", "broken_look_at", "error"), [(10, COUNT, OSError), (COUNT, 10, ModelError)])
def test_errors_come_out_and_no_thread_stays(broken_clip_at: int, broken_look_at: int, error: type[Exception]) -> None:
    before = threading.active_count()
    seen: list[int] = []
    backend = TwoSteps(broken_look_at)
    with pytest.raises(error):
        seen.extend(pose.index for pose in detected(frames(broken_clip_at), backend, lambda *_: None, beside=True))
    assert seen == list(range(len(seen)))
    assert len(seen) <= 10
    assert threading.active_count() == before


def test_who_stops_early_leaves_no_thread_and_few_frames_were_made() -> None:
    before = threading.active_count()
    made: list[int] = []

    def counted() -> Iterator[Frame]:
        for frame in frames():
            made.append(frame.index)
            yield frame

    poses = detected(counted(), TwoSteps(), lambda *_: None, beside=True)
    assert next(iter(poses)).index == 0
    poses.close()
    assert threading.active_count() == before
    assert len(made) <= 2 * (DEPTH + 1) + WAITING


def test_ahead_makes_items_before_they_are_asked_for() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    coming = ahead(items())
    assert next(coming) == 1
    assert made.wait(5.0)
    assert list(coming) == [2]
