"""What the scout takes for several people or a turned picture, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import Key, film

from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.scout import MAX_TURNED_LOOKS, Scout
from formcheck.adapters.turned import TURNS, TurnedBackend, turn_back, turn_frame
from formcheck.adapters.video import ClipReader
from formcheck.types import Frame, Pose

SAMPLES = Path(__file__).parents[1] / "sample_videos"
WIDE = np.zeros((720, 1280, 3), dtype=np.uint8)
POSE = film([Key(0.0), Key(1.0)])[0]


def beside(scale: float = 1.0, visibility: float = 1.0, shift: float = 350.0) -> Pose:
    image = (POSE.image_px - POSE.image_px.mean(axis=0)) * scale + POSE.image_px.mean(axis=0) + (shift, 0.0)
    return replace(POSE, image_px=image, visibility=np.full(33, visibility))


class Answers:
    """A searcher with an answer for every picture; counts how often it is asked."""

    info = BackendInfo("0", "answers", "0")

    def __init__(self, answer: Callable[[Frame], tuple[Pose, ...]]) -> None:
        self.answer, self.asked, self.closed = answer, 0, False

    def detect_all(self, frame: Frame) -> tuple[Pose, ...]:
        self.asked += 1
        return self.answer(frame)

    def detect(self, frame: Frame) -> Pose:
        found = self.detect_all(frame)
        return found[0] if found else Pose.missing(frame.index, frame.time_s, (1280, 720))

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def look(searcher: Answers, seconds: float = 12.0, first: Pose | None = POSE) -> Scout:
    with Scout(lambda: searcher) as scout:
        for index in range(int(seconds * 30)):
            time_s = index / 30
            scout.watch(Frame(index, time_s, WIDE), first or Pose.missing(index, time_s, (1280, 720)))
    assert searcher.closed
    return scout


def test_one_person_costs_a_look_every_two_seconds() -> None:
    searcher = Answers(lambda frame: ())
    scout = look(searcher, 12.0)
    assert not scout.several
    assert scout.turn_deg == 0
    assert searcher.asked == 6


def test_the_search_does_not_see_the_first_person() -> None:
    pictures = []
    look(Answers(lambda frame: pictures.append(frame.image) or ()), 1.0)
    x, y = POSE.image_px[[11, 12]].mean(axis=0).astype(int)
    assert (pictures[0][y, x] == 128).all()
    assert (pictures[0][:, :5] == 0).all()
    assert (WIDE == 0).all()


def test_two_people_are_several() -> None:
    assert look(Answers(lambda frame: (beside(),))).several


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(POSE, id="the same person again"),
        pytest.param(beside(scale=0.4), id="far off in the background"),
        pytest.param(beside(visibility=0.4), id="hardly seen"),
        pytest.param(beside(shift=700.0), id="cut by the edge"),
    ],
)
def test_these_are_no_second_person(other: Pose) -> None:
    assert not look(Answers(lambda frame: (other,))).several


def test_one_look_is_not_believed() -> None:
    assert not look(Answers(lambda frame: (beside(),) if frame.time_s < 0.4 else ())).several


def test_people_found_only_in_the_turned_picture() -> None:
    tall = Answers(lambda frame: (POSE,) if frame.image.shape[0] > frame.image.shape[1] else ())
    assert look(tall, first=None).turn_deg == TURNS[0]


def test_an_empty_room_is_soon_left_alone() -> None:
    empty = Answers(lambda frame: ())
    scout = look(empty, 60.0, first=None)
    assert scout.turn_deg == 0
    assert empty.asked <= 60.0 / 0.5 + MAX_TURNED_LOOKS * len(TURNS)


@pytest.mark.parametrize("turn", TURNS)
def test_turning_back_undoes_the_turn(turn: int) -> None:
    picture = np.zeros((40, 70, 3), dtype=np.uint8)
    picture[12, 31] = 255
    turned = turn_frame(Frame(0, 0.0, picture), turn).image
    assert turned.flags.c_contiguous
    y, x = np.argwhere(turned[..., 0] == 255)[0]
    pose = replace(POSE, image_px=np.full((33, 2), (x + 0.5, y + 0.5)), size_px=(turned.shape[1], turned.shape[0]))
    back = turn_back(pose, turn, (70, 40))
    assert back.image_px[0].tolist() == [31.5, 12.5]
    assert back.size_px == (70, 40)


@pytest.mark.model
def test_a_lying_person_with_the_picture_on_its_side() -> None:
    """A phone that forgot its rotation: the same landmarks, once turned back."""
    with ClipReader(SAMPLES / "01-prone-leg-curl-good-yaw-10.mp4", max_side=640) as reader:
        frames = [frame for frame, _ in zip(reader, range(4), strict=False)]
    with MediaPipeBackend.open() as plain:
        upright = [plain.detect(frame) for frame in frames]
    on_side = [turn_frame(frame, 270) for frame in frames]
    with TurnedBackend(MediaPipeBackend.open(), 90) as turned:
        found = [turned.detect(frame) for frame in on_side]
    for one, other, frame in zip(upright, found, frames, strict=True):
        height, width = frame.image.shape[:2]
        back = turn_back(replace(other, size_px=(height, width)), 270, (width, height))
        assert np.abs(back.image_px[11:] - one.image_px[11:]).max() < 0.03 * width
        assert np.abs(back.world_m[11:] - one.world_m[11:]).mean() < 0.1
