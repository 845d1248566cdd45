"""Landmarkers that are used again: they read as new ones do, are never lost, and are closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formcheck.adapters import landmarkers
from formcheck.adapters.landmarkers import Kind, Opened, reused_landmarkers
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.video import ClipReader
from formcheck.types import Frame, Pose

SAMPLES = Path(__file__).parents[1] / "sample_videos"
KIND = Kind(Path("full.task"), masks=False, search=2)


@dataclass
class Stub:
    """Stands in for mediapipe's landmarker."""

    closed: int = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _nothing_left_over() -> Iterator[None]:
    yield
    assert landmarkers._waiting == []
    assert landmarkers._reusing == 0


def take(kind: Kind = KIND) -> int:
    return landmarkers.take(kind, lambda _: Stub())


def stub(key: int) -> Stub:
    found = landmarkers.get(key).landmarker
    assert isinstance(found, Stub)
    return found


def test_outside_of_the_block_each_is_closed() -> None:
    key = take()
    landmarker = stub(key)
    landmarkers.give_back(key)
    assert landmarker.closed == 1


def test_inside_one_serves_the_next_of_its_kind_and_is_closed_at_the_end() -> None:
    with reused_landmarkers():
        first = take()
        landmarker = stub(first)
        landmarkers.give_back(first)
        other = take(KIND._replace(masks=True))
        assert stub(other) is not landmarker
        second = take()
        assert second != first
        assert stub(second) is landmarker
        landmarkers.give_back(second)
        landmarkers.give_back(other)
        assert landmarker.closed == 0
    assert landmarker.closed == 1


def test_those_that_wait_can_be_closed_before_the_end() -> None:
    with reused_landmarkers():
        key = take()
        landmarker = stub(key)
        landmarkers.give_back(key)
        landmarkers.close_waiting()
        assert landmarker.closed == 1
        assert stub(take()) is not landmarker
        landmarkers.give_back(max(landmarkers._opened))


def test_only_the_outermost_block_closes() -> None:
    with reused_landmarkers():
        with reused_landmarkers():
            key = take()
            landmarker = stub(key)
            landmarkers.give_back(key)
        assert landmarker.closed == 0
    assert landmarker.closed == 1


def test_no_more_wait_than_are_of_use() -> None:
    with reused_landmarkers():
        keys = [take() for _ in range(landmarkers.MOST_WAITING + 1)]
        stubs = [stub(key) for key in keys]
        for key in keys:
            landmarkers.give_back(key)
        assert [one.closed for one in stubs] == [0] * landmarkers.MOST_WAITING + [1]


def test_one_that_died_is_not_used_again() -> None:
    with reused_landmarkers():
        dead = take()
        landmarker = stub(dead)
        landmarkers.give_back(dead, usable=False)
        assert landmarker.closed == 1
        new = take()
        assert stub(new) is not landmarker
        landmarkers.give_back(new, usable=False)


@pytest.mark.parametrize(
    ("kind", "alone"),
    [
        (KIND._replace(search=0), False),  # follows a person, whom it would remember
        (KIND._replace(search=0, masks=True), True),
        (KIND, True),
    ],
)
def test_only_those_that_look_at_each_picture_alone_are_used_again(kind: Kind, alone: bool) -> None:
    with reused_landmarkers():
        key = take(kind)
        landmarker = stub(key)
        landmarkers.give_back(key)
        assert kind.alone is alone
        assert landmarker.closed == (0 if alone else 1)
    assert landmarker.closed == 1


def frames(name: str, count: int) -> list[Frame]:
    with ClipReader(SAMPLES / name) as reader:
        return [frame for frame, _ in zip(reader, range(count), strict=False)]


@pytest.mark.model
@pytest.mark.parametrize("more", [{"masks": True, "outlines": False}, {"search": 2}], ids=["masks", "search"])
def test_one_used_before_reads_as_a_new_one(more: dict[str, Any]) -> None:
    before = frames("03-romanian-deadlift-good.mp4", 12)
    clip = frames("02-prone-leg-curl-missing-plantarflexion.mp4", 12)

    def read(chosen: list[Frame]) -> tuple[list[Pose], Opened]:
        with MediaPipeBackend.open(**more) as backend:
            return [pose for frame in chosen for pose in backend.detect_all(frame)], backend._landmarker()

    new, first = read(clip)
    with reused_landmarkers():
        _, used = read(before)
        again, second = read(clip)
        assert second is used
        assert second is not first
    assert len(new) == len(again) >= 12
    for expected, pose in zip(new, again, strict=True):
        np.testing.assert_array_equal(pose.image_px, expected.image_px)
        if more.get("masks"):
            assert pose.mask is not None
            assert expected.mask is not None
            np.testing.assert_array_equal(pose.mask, expected.mask)
