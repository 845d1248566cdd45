"""Several people: telling them apart, choosing one, and following each through a clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_factory import steady, write_clip
from synthetic import Key, film, repetitions

from formcheck.adapters.people import PeopleBackend, paint_out, window_only
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.video import ClipReader
from formcheck.errors import ClipError
from formcheck.people import Box, Person, body_size_px, choose, distance, distinct, movement_deg
from formcheck.reading import read_poses
from formcheck.types import Frame, ImageArray, Pose, PoseTrack

SAMPLES = Path(__file__).parents[1] / "sample_videos"
HINGE = repetitions({"knee": 10.0}, {"knee": 20.0, "hip": 80.0}, count=2, still_s=0.5)
STILL = [Key(0.0, knee=20.0, hip=40.0), Key(HINGE[-1].time_s, knee=20.0, hip=40.0)]


def moved(poses: Sequence[Pose], x: float, scale: float = 1.0) -> list[Pose]:
    """The same person scaled and put with the mid hip of the first frame at x."""
    middle = poses[0].image_px[[23, 24]].mean(axis=0)
    return [replace(pose, image_px=(pose.image_px - middle) * scale + (x, 400.0)) for pose in poses]


def lifter(x: float) -> list[Pose]:
    return moved(film(HINGE, fps=15.0), x)


def helper(x: float, scale: float = 1.3) -> list[Pose]:
    return moved(film(STILL, fps=15.0, noise_px=1.0), x, scale)


def test_the_one_who_moves_is_chosen_not_the_larger_one() -> None:
    people = [helper(900.0), lifter(300.0)]
    choice = choose(people)
    assert choice.poses == tuple(people[1])
    assert choice.warning == (
        "2 people are in the picture; the one on the left, who moves most, was judged; choose with --person"
    )
    assert choose([lifter(900.0), helper(300.0)]).poses[0].image_px[23, 0] > 800


def test_one_person_gives_no_warning() -> None:
    assert choose([lifter(300.0)]).warning == ""


@pytest.mark.parametrize(("number", "x"), [(1, 300.0), (2, 900.0)])
def test_people_are_numbered_from_the_left_where_first_seen(number: int, x: float) -> None:
    choice = choose([helper(900.0), lifter(300.0)], Person(number=number))
    assert abs(float(choice.poses[0].image_px[[23, 24], 0].mean()) - x) < 5
    assert f"person {number} from the left was judged, as asked" in choice.warning


def test_a_box_chooses_whoever_is_in_it() -> None:
    people = [lifter(300.0), helper(900.0)]
    assert choose(people, Person(box=Box(0.5, 0.0, 0.5, 1.0))).poses == tuple(people[1])
    with pytest.raises(ClipError, match="nobody is in that box"):
        choose(people, Person(box=Box(0.0, 0.0, 0.02, 0.02)))


def test_a_person_who_is_not_there() -> None:
    with pytest.raises(ClipError, match=r"no person 3: 2 people were found"):
        choose([lifter(300.0), helper(900.0)], Person(number=3))
    with pytest.raises(ClipError, match=r"no person 2: 1 person was found"):
        choose([lifter(300.0)], Person(number=2))


def test_glimpses_are_not_people() -> None:
    poses = helper(600.0)
    now_and_then = [pose if pose.index % 4 == 0 else gone(pose) for pose in poses]
    passing = [pose if pose.index < 8 else gone(pose) for pose in poses]
    assert choose([lifter(300.0), now_and_then, passing]).warning == ""


def gone(pose: Pose) -> Pose:
    return Pose.missing(pose.index, pose.time_s, pose.size_px)


def test_movement_passes_over_the_jumps_of_a_hidden_leg() -> None:
    poses = helper(600.0)
    jumping = []
    for pose in poses:
        image = pose.image_px.copy()
        image[[25, 27, 29, 31]] += (40.0 if pose.index % 20 < 10 else -40.0, 0.0)
        jumping.append(replace(pose, image_px=image))
    assert movement_deg(PoseTrack.from_poses(jumping)) < 10 < movement_deg(PoseTrack.from_poses(lifter(300.0)))


def test_distance_is_in_body_sizes_and_knows_exchanged_sides() -> None:
    pose = lifter(300.0)[0]
    beside = replace(pose, image_px=pose.image_px + np.array([body_size_px(pose), 0.0]))
    assert distance(pose, beside) == pytest.approx(1.0, abs=0.05)
    order = [*range(11), *(number + (1 if number % 2 else -1) for number in range(11, 33))]
    exchanged = replace(pose, image_px=pose.image_px[order])
    assert distance(pose, pose) == 0.0
    assert distance(pose, gone(pose)) == np.inf
    assert distance(pose, exchanged) == 0.0
    assert distinct([pose, pose, beside, gone(pose)])[:2] == (pose, beside)


def test_window_and_paint_leave_the_picture_its_size() -> None:
    pose = lifter(300.0)[0]
    picture = np.full((720, 1280, 3), 200, dtype=np.uint8)
    shown, painted = window_only(picture, pose), paint_out(picture, [pose])
    assert shown.shape == painted.shape == picture.shape
    assert (shown[:, 1000:] == 128).all()
    assert (shown[400, 300] == 200).all()
    assert (painted[400, 300] == 128).all()
    assert (picture == 200).all()
    assert paint_out(picture, []) is picture


class Stage:
    """Known people as searcher and follower; followers, like the model, hold on to whoever their window shows best."""

    info = BackendInfo("0", "stage", "0")

    def __init__(self, people: Sequence[Sequence[Pose]]) -> None:
        self.people = people
        self.open = 0

    def visible(self, frame: Frame) -> list[Pose]:
        seen = []
        for person in self.people:
            pose = person[frame.index]
            if pose.found:
                x, y = pose.image_px[[23, 24]].mean(axis=0).astype(int)
                if frame.image[y, x, 0] != 128:
                    seen.append(pose)
        return seen

    def detect_all(self, frame: Frame) -> tuple[Pose, ...]:
        return tuple(self.visible(frame)[:1] * 2)  # the nearest one, twice

    def detect(self, frame: Frame) -> Pose:
        seen = self.visible(frame)
        return seen[0] if seen else Pose.missing(frame.index, frame.time_s, (1280, 720))

    def close(self) -> None:
        self.open -= 1

    def opened(self) -> Stage:
        self.open += 1
        return self

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class LateStage(Stage):
    """As the model, which sees a body that moved where it was a little before, and at a second look where it is."""

    def __init__(self, people: Sequence[Sequence[Pose]]) -> None:
        super().__init__(people)
        self.looks = Counter[tuple[int, int]]()  # by person and frame
        self.closer = list[Pose]()

    def find(self, frame: Frame) -> Pose:
        pose = super().detect(frame)
        if not pose.found:
            return pose
        person = next(number for number, poses in enumerate(self.people) if poses[frame.index] is pose)
        self.looks[person, frame.index] += 1
        late = self.people[person][max(frame.index - 2, 0)]
        return replace(pose, image_px=late.image_px) if self.looks[person, frame.index] == 1 else pose

    def look_closer(self, frame: Frame, pose: Pose) -> Pose:
        del frame
        self.closer.append(pose)
        return pose

    def detect(self, frame: Frame) -> Pose:
        return self.look_closer(frame, self.find(frame))


def play(stage: Stage, frames: int, step: int = 1) -> PeopleBackend:
    backend = PeopleBackend(stage.opened(), stage.opened)
    picture = np.zeros((720, 1280, 3), dtype=np.uint8)
    for index in range(0, frames, step):
        backend.detect(Frame(index, stage.people[0][index].time_s, picture))
    return backend


def test_everyone_is_followed_though_the_search_sees_one_at_a_time() -> None:
    people = [helper(950.0), lifter(250.0)]
    stage = Stage(people)
    backend = play(stage, len(people[0]))
    choice = backend.choose()
    found = [pose for pose in choice.poses if pose.found]
    assert len(found) >= len(people[1]) - 2
    assert all((pose.image_px == people[1][pose.index].image_px).all() for pose in found)
    assert "2 people" in choice.warning
    assert len(choice.poses) == len(people[0])
    backend.close()
    assert stage.open == 0


def test_whoever_comes_back_is_the_same_person() -> None:
    away = [gone(pose) if 30 <= pose.index < 60 else pose for pose in lifter(250.0)]
    backend = play(Stage([helper(950.0), away]), len(away))
    choice = backend.choose()
    seen = {pose.index for pose in choice.poses if pose.found}
    assert {10, 29} <= seen
    assert len(away) - 10 in seen
    assert "2 people" in choice.warning
    backend.close()


def test_whoever_moved_between_two_frames_far_apart_is_looked_at_twice() -> None:
    people = [helper(950.0), lifter(250.0)]
    stage = LateStage(people)
    backend = play(stage, len(people[0]), step=4)
    twice = [index for (person, index), looks in stage.looks.items() if person == 1 and looks == 2]
    assert max(stage.looks.values()) == 2
    assert max(looks for (person, _), looks in stage.looks.items() if person == 0) == 1, "who rests is seen at once"
    chosen = {pose.time_s: pose for pose in backend.choose().poses if pose.found}
    assert len(twice) > 5
    for pose in (people[1][index] for index in twice):
        np.testing.assert_array_equal(chosen[pose.time_s].image_px, pose.image_px)
    closer = [pose.time_s for pose in stage.closer if pose.image_px[23, 0] < 600]
    assert closer == sorted(chosen), "once a frame"
    backend.close()


def test_a_second_look_that_finds_nobody_is_passed_over() -> None:
    class Losing(LateStage):
        def find(self, frame: Frame) -> Pose:
            pose = super().find(frame)
            again = max((looks for (_, index), looks in self.looks.items() if index == frame.index), default=0) > 1
            return Pose.missing(frame.index, frame.time_s, (1280, 720)) if again else pose

    people = [helper(950.0), lifter(250.0)]
    stage = Losing(people)
    backend = play(stage, len(people[0]), step=4)
    assert max(stage.looks.values()) == 2
    found = [pose for pose in backend.choose().poses if pose.found]
    assert len(found) >= len(range(0, len(people[1]), 4)) - 2
    backend.close()


def test_in_a_clip_of_which_every_frame_is_seen_one_look_is_enough() -> None:
    people = [helper(950.0), lifter(250.0)]
    stage = LateStage(people)
    play(stage, len(people[0])).close()
    assert set(stage.looks.values()) == {1}


@cache
def sample(name: str, start_s: float, count: int, step: int) -> tuple[ImageArray, ...]:
    with ClipReader(SAMPLES / f"{name}.mp4", max_side=640) as reader:
        pictures = [frame.image for frame in reader if frame.time_s >= start_s][: count * step : step]
    return tuple(pictures)


def side_by_side(count: int) -> list[ImageArray]:
    """A hinge on the left, and on the right someone who stands still, a third larger."""
    moving = sample("03-romanian-deadlift-good", 1.5, count, 2)
    still = sample("07-romanian-deadlift-locked-knees-yaw-10", 0.0, 1, 1)[0]
    height, width = moving[0].shape[:2]
    large = cv2.resize(still, None, fx=1.3, fy=1.3)[-height:, int(0.3 * width) : int(0.95 * width)]
    return [np.ascontiguousarray(np.hstack([picture[:, width // 4 : 3 * width // 4], large])) for picture in moving]


@pytest.mark.model
def test_the_mover_is_found_in_a_picture_of_two(tmp_path: Path) -> None:
    pictures = side_by_side(24)
    clip = write_clip(tmp_path / "two.mp4", pictures.__getitem__, steady(len(pictures), 15.0), fps=15)
    half = 320
    reading = read_poses(clip)
    assert any("2 people" in warning and "on the left" in warning for warning in reading.warnings)
    hips = [pose.image_px[23, 0] for pose in reading.poses if pose.found]
    assert len(hips) >= 0.9 * len(pictures)
    assert max(hips) < half
    other = read_poses(clip, person=Person(number=2))
    assert min(pose.image_px[23, 0] for pose in other.poses if pose.found) > half
