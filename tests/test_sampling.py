"""`--rate auto`: which frames are sent to the network, the poses between them, and reading a clip that way."""

from __future__ import annotations

import csv
import gc
import math
import weakref
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clip_factory import steady, write_clip
from synthetic import Key, film, lose, repetitions

from formcheck import judging, lumbar, pipeline
from formcheck.adapters import cuts, video_seek
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.video import ClipReader, DecodedFrame
from formcheck.doubts import AROUND_S
from formcheck.exercises import EXERCISES
from formcheck.filling import STRETCH, Filler
from formcheck.landmarks import side_landmark
from formcheck.pipeline import analyze_clip
from formcheck.poselog import PoseLog
from formcheck.reports.csv import write_angles
from formcheck.reports.json import report_from_dict, report_to_dict
from formcheck.reports.parquet import angle_table
from formcheck.sampling import (
    CELL,
    DENSE,
    EDGE_S,
    FLICKER,
    QUIET_SLOT_S,
    SEARCH_S,
    SETTLED,
    STILL,
    STILL_SLOT_S,
    SURPRISED_SLOT_S,
    Sampler,
    change_if_still,
)
from formcheck.slots import LOOK_SLOT_S, time_slot
from formcheck.sparse import CLOSE_SLOT_S, EVEN_SLOT_S, MAX_LOOKS, EvenReading, read_again, read_sparsely
from formcheck.types import OUTLINE_SHAPE, Analysis, FloatArray, Frame, ImageArray, Outcome, Pose, Side
from formcheck.ways import moved, trunk_px

SAMPLES = Path(__file__).resolve().parent.parent / "sample_videos"
HINGES = repetitions({"knee": 8.0, "hip": 4.0}, {"knee": 15.0, "hip": 80.0}, count=2)
STILL_KEYS = [Key(0.0), Key(4.0)]
RESTS_S = 4.5
MOVES_AND_RESTS = [Key(0.0), Key(0.5), Key(1.5, hip=60.0), Key(2.5), Key(10.0)]


def thumbnail_of(index: int) -> np.ndarray:
    """Pictures that differ a little from frame to frame, as any camera's do."""
    return np.full((36, 64), 100.0) + np.random.default_rng(index).normal(0.0, 0.5, (36, 64))


def drawn(pose: Pose) -> np.ndarray:
    """A thumbnail with a bright spot at each landmark."""
    columns, rows = (pose.image_px / pose.size_px * (64, 36)).T[:, :, None]
    x, y = np.arange(64) + 0.5, np.arange(36) + 0.5
    spots = np.einsum("py,px->yx", np.exp(-((y - rows) ** 2)), np.exp(-((x - columns) ** 2)))
    return 60.0 + 120.0 * np.minimum(spots, 1.0) + 0.1 * thumbnail_of(pose.index)


def slot_of(pose: Pose) -> int:
    return time_slot(pose.time_s, LOOK_SLOT_S)


def sampled(
    poses: list[Pose], thumbnails: Callable[[int], np.ndarray] = thumbnail_of
) -> tuple[dict[int, Pose], Sampler]:
    """The poses that a sampler sends."""
    sampler, sent = Sampler(), {}
    for pose in poses:
        if sampler.wants(pose.time_s, thumbnails(pose.index)):
            sampler.saw(pose, thumbnails(pose.index))
            sent[pose.index] = pose
    return sent, sampler


def fill(
    times_s: list[float], sent: dict[int, Pose], breaks_s: Sequence[float] = (), stretch: int = STRETCH
) -> list[Pose]:
    """All poses of a clip of which these were sent."""
    filler, poses = Filler(stretch), []
    for index, time_s in enumerate(times_s):
        filler.frame(time_s, breaks=time_s in breaks_s)
        if index in sent:
            filler.sent(sent[index])
            poses += filler.ready()
    return [*poses, *filler.rest()]


def gaps_s(sent: dict[int, Pose]) -> np.ndarray:
    return np.diff([sent[index].time_s for index in sorted(sent)])


class TestSampler:
    def test_a_still_person_is_looked_at_a_few_times_a_second(self) -> None:
        sent, _ = sampled(film(STILL_KEYS))
        assert 0 in sent
        inner = {index: pose for index, pose in sent.items() if pose.time_s >= EDGE_S}
        assert gaps_s(inner) == pytest.approx(STILL_SLOT_S, abs=1 / 30)

    @pytest.mark.parametrize("restless", [False, True], ids=["quiet", "restless"])
    @pytest.mark.parametrize("flicker", [0.0, 0.05], ids=["still", "flickering"])
    def test_the_less_there_is_to_see_the_fewer_frames_are_sent(self, flicker: float, restless: bool) -> None:
        """What moves beside the person, and landmarks that flicker while the picture does not, ask for more looks."""
        poses = film(MOVES_AND_RESTS)
        foot = (np.arange(33) == side_landmark(Side.LEFT, "foot_index"))[:, None]
        ways = np.random.default_rng(3).choice((-1.0, 1.0), len(poses)) * flicker * trunk_px(poses[0])
        shaky = [replace(pose, image_px=pose.image_px + foot * way) for pose, way in zip(poses, ways, strict=True)]

        def picture(index: int) -> np.ndarray:
            small = drawn(poses[index])
            small[:12, :12] += 60.0 * restless * math.sin(0.7 * index)
            return small

        sent, _ = sampled(shaky, picture)
        gaps = gaps_s({index: pose for index, pose in sent.items() if pose.time_s > RESTS_S})
        if flicker:
            expected_s = LOOK_SLOT_S if restless else STILL_SLOT_S
        else:
            expected_s = STILL_SLOT_S if restless else QUIET_SLOT_S
        assert np.median(gaps) == pytest.approx(expected_s, abs=1 / 30)

    @pytest.mark.parametrize("begins_s", [7.0, 7.15, 7.3, 7.6, 7.75])
    def test_a_long_slot_ends_where_the_picture_begins_to_change(self, begins_s: float) -> None:
        poses = film([*MOVES_AND_RESTS[:-1], Key(begins_s), Key(begins_s + 1.0, hip=60.0), Key(9.0, hip=60.0)])
        sent, _ = sampled(poses, lambda index: drawn(poses[index]))
        rests = [pose.time_s for pose in sent.values() if RESTS_S < pose.time_s <= begins_s]
        assert np.diff(rests) == pytest.approx(QUIET_SLOT_S, abs=1 / 30)
        resting = poses[round(RESTS_S * 30)]
        begun = [pose for pose in poses[1:] if slot_of(pose) != slot_of(poses[pose.index - 1])]
        first = next(pose for pose in begun if pose.time_s > begins_s and moved(resting, pose) > STILL)
        assert first.index in sent

    def test_a_person_whom_the_picture_hardly_shows_is_looked_at_as_often_as_without_it(self) -> None:
        slow = [*MOVES_AND_RESTS[:-1], Key(7.0), Key(12.0, knee=60.0)]
        poses = film(slow)
        dim, none = (
            sampled(poses, lambda index, share=share: share * drawn(poses[index]) + thumbnail_of(index))[0]
            for share in (0.01, 0.0)
        )
        assert dim.keys() == none.keys()

    @pytest.mark.parametrize("end_s", [8.5, 8.7, 8.9, 9.1])
    @pytest.mark.parametrize("quiet", [False, True], ids=["still", "quiet"])
    def test_long_slots_are_not_for_the_clips_beginning_and_end(self, quiet: bool, end_s: float) -> None:
        poses = [pose for pose in film(MOVES_AND_RESTS) if pose.time_s <= end_s]
        sampler, sent = Sampler(end_s), []
        for pose in poses:
            small = drawn(pose) if quiet else thumbnail_of(pose.index)
            if sampler.wants(pose.time_s, small):
                sampler.saw(pose, small)
                sent.append(pose.time_s)
        longest = np.diff([time_s for time_s in sent if RESTS_S < time_s < end_s - EDGE_S]).max()
        assert longest == pytest.approx(QUIET_SLOT_S if quiet else STILL_SLOT_S, abs=1 / 30)
        for at_edge in (
            [time_s for time_s in sent if time_s < EDGE_S],
            [time_s for time_s in sent if time_s > end_s - EDGE_S - 1 / 30],
        ):
            assert np.diff(at_edge).max() <= LOOK_SLOT_S + 1 / 30
        assert next(time_s for time_s in sent if time_s > end_s - EDGE_S) <= end_s - EDGE_S + LOOK_SLOT_S + 1 / 30

    def test_what_movement_looks_like_is_learnt_anew_after_a_leap(self) -> None:
        poses = film(MOVES_AND_RESTS)

        def picture(index: int) -> np.ndarray:
            return drawn(poses[index]) + 60.0 * (index >= round(RESTS_S * 30))

        sent, _ = sampled(poses, picture)
        gaps = gaps_s({index: pose for index, pose in sent.items() if pose.time_s > RESTS_S + 1.0})
        assert gaps == pytest.approx(STILL_SLOT_S, abs=1 / 30)

    def test_a_long_way_is_movement_whatever_the_picture_shows(self) -> None:
        """As of an arm in front of clothes of its own colour."""
        poses = film([*MOVES_AND_RESTS[:-1], Key(4.0), Key(6.0, knee=15.0), Key(8.0, knee=15.0)])
        frozen = drawn(poses[0]) - 10.0
        pictures = [drawn(pose) if pose.index < 120 else frozen + 0.1 * thumbnail_of(pose.index) for pose in poses]
        sent, _ = sampled(poses, pictures.__getitem__)
        further = [pose.time_s for pose in sent.values() if pose.time_s > 4.1 and moved(poses[120], pose) > FLICKER]
        assert further[1] - further[0] < LOOK_SLOT_S + 1 / 30

    def test_a_change_of_the_picture_is_looked_at_where_the_next_slot_begins(self) -> None:
        poses = film(MOVES_AND_RESTS)
        quiet, _ = sampled(poses, lambda index: drawn(poses[index]))
        before = next(
            one
            for one, other in pairwise(sorted(quiet))
            if poses[one].time_s > 2.5 and poses[other].time_s - poses[one].time_s > 1.5 * LOOK_SLOT_S
        )

        def picture(index: int) -> np.ndarray:
            small = drawn(poses[index])
            small[:2, :6] += 90.0 * (index > before)
            return small

        sent, _ = sampled(poses, picture)
        assert next(index for index in sorted(sent) if index > before) == before + round(LOOK_SLOT_S * 30)

    def test_what_is_sent_begins_a_slot_of_time(self) -> None:
        poses = film([Key(0.0), Key(4.0, knee=60.0)])
        sent, _ = sampled(poses)
        for index in sorted(sent)[2:]:
            assert time_slot(poses[index].time_s, LOOK_SLOT_S) != time_slot(poses[index - 1].time_s, LOOK_SLOT_S)

    def test_a_moving_one_more_often_and_a_fast_one_nearly_always(self) -> None:
        slow, _ = sampled(film([Key(0.0), Key(4.0, knee=60.0)]))
        middle = {index: pose for index, pose in slow.items() if 1.0 < pose.time_s < 3.0}
        assert gaps_s(middle).max() <= LOOK_SLOT_S + 1 / 30
        fast, _ = sampled(film([Key(0.0), Key(0.5), Key(0.8, knee=110.0), Key(1.1)]))
        inside = [index for index in fast if 18 <= index < 30]
        assert len(inside) >= 5

    @pytest.mark.parametrize("fps", [24.0, 60.0])
    def test_the_rate_is_of_time_not_of_frames(self, fps: float) -> None:
        poses = film(HINGES, fps=fps)
        sent, _ = sampled(poses)
        assert len(sent) / poses[-1].time_s == pytest.approx(4.5, abs=1.0)

    def test_an_exact_copy_is_never_sent(self) -> None:
        sent, _ = sampled(film(STILL_KEYS), lambda index: thumbnail_of(0 if index < 60 else 1))
        assert [index for index in sent if index < 60] == [0]
        assert 60 in sent

    def test_a_leap_of_the_picture_is_seen_from_both_sides(self) -> None:
        def leaping(index: int) -> np.ndarray:
            small = thumbnail_of(index)
            small[10:20, 20:40] += 80.0 * (index >= 50)
            return small

        sampler, leaps = Sampler(), []
        for pose in film(STILL_KEYS):
            if sampler.wants(pose.time_s, leaping(pose.index)):
                sampler.saw(pose, leaping(pose.index))
            if sampler.leapt:
                leaps.append(pose.index)
        assert leaps == [50]
        sent, _ = sampled(film(STILL_KEYS), leaping)
        assert set(range(50, 50 + DENSE)) <= set(sent)

    def test_a_surprising_pose_has_more_of_the_next_frames_sent(self) -> None:
        poses = film(STILL_KEYS)
        wild = replace(poses[75], image_px=poses[75].image_px + 300.0 * (np.arange(33) == 25)[:, None])
        sent, _ = sampled([*poses[:75], *[replace(wild, index=i, time_s=i / 30) for i in range(75, 95)], *poses[95:]])
        first = min(index for index in sent if index >= 75)
        next_ones = {index: sent[index] for index in sorted(sent) if index >= first}
        assert gaps_s(next_ones)[:DENSE].max() <= SURPRISED_SLOT_S + 1 / 30

    def test_noise_from_frame_to_frame_does_not_keep_every_frame_sent(self) -> None:
        poses = film([Key(0.0), Key(8.0)])
        trunk = np.linalg.norm(poses[0].image_px[11] - poses[0].image_px[23])
        foot = (np.arange(33) == 31)[:, None] * 0.08 * trunk
        shaky = [replace(pose, image_px=pose.image_px + foot * (-1) ** pose.index) for pose in poses]
        shaky[75] = replace(shaky[75], image_px=shaky[75].image_px + 8.0 * foot)
        seen, _ = sampled(shaky)
        assert len([index for index in seen if index > 120]) < 0.3 * (len(poses) - 120)

    @pytest.mark.parametrize(("name", "surprises"), [("knee", True), ("foot_index", False)])
    def test_a_toe_may_flicker_further_than_a_knee(self, name: str, surprises: bool) -> None:
        poses = film(STILL_KEYS)
        begins = round(3 * STILL_SLOT_S * 30)  # a slot in which a still person is looked at
        off = poses[begins].image_px.copy()
        off[side_landmark(Side.RIGHT, name), 1] += 0.45 * trunk_px(poses[begins])
        for index in range(begins, begins + 6):
            poses[index] = replace(poses[index], image_px=off)
        sent, _ = sampled(poses)
        first = min(index for index in sent if index >= begins)
        after = gaps_s({index: pose for index, pose in sent.items() if index >= first})
        assert bool(after[0] <= SURPRISED_SLOT_S + 1 / 60) is surprises

    def test_a_lost_person_is_searched_for_in_every_frame_for_a_while(self) -> None:
        poses = lose(film([Key(0.0), Key(8.0)]), [(2.0, 7.0)])
        sent, _ = sampled(poses)
        lost = min(index for index in sent if not sent[index].found)
        assert set(range(lost, lost + round(SEARCH_S * 30) - 1)) <= set(sent)
        assert gaps_s({i: p for i, p in sent.items() if 4.0 < p.time_s < 6.9}).min() > 0.1

    def test_a_frame_is_sent_again_only_after_a_way_and_a_while(self) -> None:
        start, later = film([Key(0.0), Key(1.0, hip=60.0)])[::29]
        sampler = Sampler()
        assert not sampler.again(start)
        sampler.saw(start, thumbnail_of(0))
        assert sampler.again(later)
        assert not sampler.again(replace(later, time_s=start.time_s + 0.03))
        assert not sampler.again(replace(start, time_s=1.0))
        assert not sampler.again(Pose.missing(5, 0.03, (10, 10)))

    def test_frames_that_a_fast_start_jumped_over_are_sent_after_all(self) -> None:
        start, end = film([Key(0.0), Key(1.0, hip=90.0)])[::30]
        skipped = ["a", "b", "c", "d", "e", "f", "g"]
        sampler = Sampler()
        assert sampler.missed(end, skipped) == []  # the first pose of all
        sampler.saw(start, thumbnail_of(0))
        chosen = sampler.missed(end, skipped)
        assert 2 <= len(chosen) <= len(skipped)
        assert chosen == sorted(set(chosen))
        assert sampler.missed(end, ["a"]) == ["a"]
        assert sampler.missed(end, []) == []
        assert sampler.missed(start, skipped) == []
        assert sampler.missed(Pose.missing(1, 1.0, (10, 10)), skipped) == []


def test_how_a_picture_changes_with_a_short_way_is_told_from_longer_ones() -> None:
    """The longer the way, the less each part of it adds: 4 levels for a hundredth, at most 100 in all."""

    def change(way: float) -> float:
        return 400.0 * way / (1.0 + way / CELL)

    assert change(10.0) < 100.0
    for ways in ([0.15, 0.2, 0.3], [0.3, 0.6, 1.0, 0.2]):
        assert change_if_still([(way, change(way)) for way in ways]) == pytest.approx(change(STILL))


def test_moved_is_in_trunk_lengths_and_knows_missing_poses() -> None:
    (pose,) = film(STILL_KEYS)[:1]
    trunk = np.linalg.norm(pose.image_px[11] - pose.image_px[23])
    shifted = replace(pose, image_px=pose.image_px + np.array([trunk / 2, 0.0]))
    assert moved(pose, shifted) == pytest.approx(0.5, abs=0.01)
    assert moved(pose, Pose.missing(0, 0.0, (10, 10))) == np.inf


class TestFill:
    def test_poses_that_were_sent_stay_and_the_others_are_marked(self) -> None:
        poses = film(HINGES)
        sent = {index: poses[index] for index in range(0, len(poses), 5)} | {len(poses) - 1: poses[-1]}
        filled = fill([pose.time_s for pose in poses], sent)
        assert [pose.index for pose in filled] == list(range(len(poses)))
        for index, pose in sent.items():
            np.testing.assert_array_equal(filled[index].image_px, pose.image_px)
        assert [pose.estimated for pose in filled] == [index in sent for index in range(len(poses))]

    def test_curves_follow_the_movement(self) -> None:
        poses = film(HINGES)
        sent = {index: poses[index] for index in range(0, len(poses), 5)} | {len(poses) - 1: poses[-1]}
        filled = fill([pose.time_s for pose in poses], sent)
        trunk = np.linalg.norm(poses[0].image_px[11] - poses[0].image_px[23])
        off = [
            np.linalg.norm(one.image_px - other.image_px, axis=1).max()
            for one, other in zip(filled, poses, strict=True)
        ]
        assert max(off) < 0.02 * trunk

    def test_no_curve_crosses_a_break(self) -> None:
        poses = film(STILL_KEYS)
        moved_on = [replace(pose, image_px=pose.image_px + 200.0) for pose in poses]
        scene = [*poses[:60], *moved_on[60:]]
        sent = {index: scene[index] for index in (*range(0, 59, 5), 59, *range(60, 120, 5), 120)}
        filled = fill([pose.time_s for pose in scene], sent, [scene[60].time_s])
        for one, other in zip(filled, scene, strict=True):
            np.testing.assert_allclose(one.image_px, other.image_px, atol=1e-6)

    def test_nobody_is_put_where_nobody_was_seen(self) -> None:
        poses = lose(film(STILL_KEYS), [(1.0, 2.0)])
        sent = {index: poses[index] for index in range(0, len(poses), 5)}
        filled = fill([pose.time_s for pose in poses], sent)
        assert not any(pose.found for pose in filled if 0.9 < pose.time_s < 2.1)
        assert all(pose.found for pose in filled if pose.time_s < 0.8)
        assert not filled[-1].found or (len(poses) - 1) in sent

    def test_a_single_pose_off_the_line_is_left_out(self) -> None:
        poses = film(STILL_KEYS)
        sent = {index: poses[index] for index in range(0, 120, 5)}
        sent[60] = replace(poses[60], image_px=poses[60].image_px + 400.0 * (np.arange(33) == 26)[:, None])
        filled = fill([pose.time_s for pose in poses], sent)
        assert not filled[60].estimated
        np.testing.assert_allclose(filled[60].image_px, poses[60].image_px, atol=1e-6)

    def test_a_fast_there_and_back_that_was_seen_twice_stays(self) -> None:
        poses = film(STILL_KEYS)
        sent = {index: poses[index] for index in range(0, 120, 5)}
        for index in (60, 65):
            sent[index] = replace(poses[index], image_px=poses[index].image_px + 400.0 * (np.arange(33) == 26)[:, None])
        filled = fill([pose.time_s for pose in poses], sent)
        assert filled[60].estimated
        assert filled[65].estimated

    def test_stretches_give_the_same_poses_as_one_piece_and_keep_few(self) -> None:
        poses = lose(film(repetitions({"knee": 8.0, "hip": 4.0}, {"knee": 15.0, "hip": 80.0}, count=6)), [(9.0, 10.0)])
        times_s = [pose.time_s for pose in poses]
        sent = {index: poses[index] for index in (*range(0, len(poses), 5), len(poses) - 1)}
        whole = fill(times_s, sent, [times_s[200]])
        for stretch in (60, 130):
            parts = fill(times_s, sent, [times_s[200]], stretch)
            assert [pose.index for pose in parts] == list(range(len(poses)))
            assert [pose.estimated for pose in parts] == [pose.estimated for pose in whole]
            for one, other in zip(parts, whole, strict=True):
                np.testing.assert_allclose(one.image_px, other.image_px, atol=1e-6)
        filler = Filler(60)
        for index, time_s in enumerate(times_s):
            filler.frame(time_s)
            if index in sent:
                filler.sent(sent[index])
                filler.ready()
            assert len(filler._sent) <= 60
            assert len(filler._times_s) <= 200

    def test_a_single_pose_fills_its_own_frame(self) -> None:
        poses = film(STILL_KEYS)
        filled = fill([pose.time_s for pose in poses], {0: poses[0]})
        np.testing.assert_array_equal(filled[0].image_px, poses[0].image_px)
        assert not any(pose.found for pose in filled[1:])


class Replay:
    """A pose backend that knows the poses of a made-up clip, and counts what it is asked."""

    info = BackendInfo("1.2.2", "full", "abc")

    def __init__(self, poses: list[Pose]) -> None:
        self.poses = poses
        self.asked: list[int] = []

    def detect(self, frame: Frame) -> Pose:
        self.asked.append(frame.index)
        return replace(self.poses[frame.index], time_s=frame.time_s)

    def close(self) -> None: ...

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None: ...


class SlowToFollow(Replay):
    """As the real one: a first look at a frame finds half of the way only, and the closer look is a step of its own."""

    def __init__(self, poses: list[Pose]) -> None:
        super().__init__(poses)
        self.seen = poses[0].image_px
        self.closer: list[int] = []

    def find(self, frame: Frame) -> Pose:
        pose = self.detect(frame)
        self.seen = (self.seen + pose.image_px) / 2
        return replace(pose, image_px=self.seen)

    def look_closer(self, frame: Frame, pose: Pose) -> Pose:
        self.closer.append(frame.index)
        return pose


def grain(index: int, base: int = 110) -> ImageArray:
    """A grey picture with a little noise, so that no frame is an exact copy."""
    random = np.random.default_rng(index)
    return (base + random.integers(-6, 7, (72, 128, 1))).astype(np.uint8).repeat(3, axis=2)


@pytest.fixture
def hinge_clip(tmp_path: Path) -> tuple[Path, Replay]:
    poses = film(HINGES)
    return write_clip(tmp_path / "hinge.mp4", grain, [pose.time_s for pose in poses]), Replay(poses)


class TestReading:
    def test_a_pose_for_every_frame_from_a_few_detections(self, hinge_clip: tuple[Path, Replay]) -> None:
        path, backend = hinge_clip
        poses = PoseLog()
        reading = read_sparsely(path, backend, poses)
        assert len(poses) == len(backend.poses)
        assert poses[0].estimated
        assert poses[-1].estimated
        assert len(backend.asked) < 0.35 * len(backend.poses)
        assert reading.cuts_s == ()

    def test_a_frame_is_looked_at_until_the_answer_stays_and_closer_once(self, hinge_clip: tuple[Path, Replay]) -> None:
        path, replay = hinge_clip
        backend = SlowToFollow(replay.poses)
        poses = PoseLog()
        read_sparsely(path, backend, poses)
        sent = [pose for pose in poses if pose.estimated]
        assert sorted(backend.closer) == [pose.index for pose in sent]
        assert max(backend.asked.count(index) for index in backend.closer) <= MAX_LOOKS
        trunk = np.linalg.norm(replay.poses[0].image_px[11] - replay.poses[0].image_px[23])
        off = [np.linalg.norm(pose.image_px - replay.poses[pose.index].image_px, axis=1).max() for pose in sent]
        assert max(off) < (SETTLED + 0.1) * trunk  # of all landmarks; it is the trunk that must stay

    def test_a_cut_is_found_and_kept_apart(self, tmp_path: Path) -> None:
        poses = film(STILL_KEYS)
        scene = [*poses[:60], *[replace(pose, image_px=pose.image_px * 0.5) for pose in poses[60:]]]
        path = write_clip(
            tmp_path / "cut.mp4", lambda index: grain(index, 60 if index < 60 else 180), steady(len(scene))
        )
        found = PoseLog()
        reading = read_sparsely(path, Replay(scene), found)
        assert reading.cuts_s == pytest.approx([2.0], abs=0.001)
        for pose, other in zip(found, scene, strict=True):
            np.testing.assert_allclose(pose.image_px, other.image_px, atol=1e-6)

    def test_verdicts_are_those_of_the_full_rate(self, hinge_clip: tuple[Path, Replay]) -> None:
        path, backend = hinge_clip
        exercise = EXERCISES["romanian-deadlift"]
        full = analyze_clip(path, exercise=exercise, backend=backend)
        auto = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        assert len(auto.report.reps) == 2
        assert _statuses(auto) == _statuses(full)
        for name, column in full.table.columns.items():
            known = np.isfinite(column) & np.isfinite(auto.table.columns[name])
            assert np.abs(column - auto.table.columns[name])[known].max(initial=0.0) < 2.5, name

    def test_what_was_not_estimated_is_marked_everywhere(self, hinge_clip: tuple[Path, Replay], tmp_path: Path) -> None:
        path, backend = hinge_clip
        exercise = EXERCISES["romanian-deadlift"]
        auto = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        count = auto.report.clip.frames_estimated
        assert count is not None
        assert 0 < count < 0.35 * auto.report.clip.frames
        write_angles(tmp_path / "auto.csv", auto.table)
        rows = list(csv.DictReader((tmp_path / "auto.csv").open()))
        assert sum(int(row["estimated"]) for row in rows) == count
        assert angle_table(auto).column("estimated").to_pylist().count(True) == count
        document = report_to_dict(auto.report)
        assert document["clip"]["frames_estimated"] == count
        assert report_from_dict(document).clip.frames_estimated == count

    def test_at_the_full_rate_nothing_is_marked(self, hinge_clip: tuple[Path, Replay], tmp_path: Path) -> None:
        path, backend = hinge_clip
        full = analyze_clip(path, exercise=EXERCISES["romanian-deadlift"], backend=backend)
        assert full.report.clip.frames_estimated is None
        document = report_to_dict(full.report)
        assert document["clip"]["frames_estimated"] == full.report.clip.frames
        assert report_from_dict(document).clip.frames_estimated is None
        write_angles(tmp_path / "full.csv", full.table)
        assert (tmp_path / "full.csv").read_text().splitlines()[0].endswith(",near_side")

    def test_a_clip_in_doubt_is_read_again_at_the_full_rate(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, backend = hinge_clip
        exercise = EXERCISES["romanian-deadlift"]
        monkeypatch.setattr(pipeline, "in_doubt", lambda outcomes, *_: outcomes)
        again = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        assert again.report.clip.frames_estimated is None
        assert again.report == analyze_clip(path, exercise=exercise, backend=backend).report

    def test_a_stretch_in_doubt_is_read_closely(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, backend = hinge_clip
        exercise = EXERCISES["romanian-deadlift"]
        monkeypatch.setattr(pipeline, "in_doubt", lambda *_: ())
        before = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        backend.asked.clear()
        monkeypatch.setattr(
            pipeline, "in_doubt", lambda outcomes, _applied, _end_s, known: () if known else [_of_knees(outcomes)]
        )
        again = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        full = analyze_clip(path, exercise=exercise, backend=backend)
        assert before.table.estimated is not None
        assert again.table.estimated is not None
        doubtful, times = _of_knees(before.report.outcomes), again.table.time_s
        first_s = time_slot(doubtful.start_s - AROUND_S, LOOK_SLOT_S) * LOOK_SLOT_S
        inside = (times >= first_s) & (times <= doubtful.end_s + AROUND_S)
        np.testing.assert_array_equal(again.table.estimated[~inside], before.table.estimated[~inside])
        assert np.diff(times[inside & again.table.estimated]).max() <= CLOSE_SLOT_S + 1 / 30
        knee = "right_knee_flexion_deg"
        itself = (times >= doubtful.start_s) & (times <= doubtful.end_s)
        off = np.abs(again.table.columns[knee] - full.table.columns[knee])[itself].max()
        assert off < 0.3 * np.abs(before.table.columns[knee] - full.table.columns[knee])[itself].max()

    def test_a_long_stretch_gives_the_same_in_pieces(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, backend = hinge_clip
        sparse = PoseLog()
        read_sparsely(path, backend, sparse)
        whole = read_again(path, backend, sparse, [(0.5, 6.0)])
        monkeypatch.setattr("formcheck.sparse.Filler", lambda first=0: Filler(20, first))
        pieces = read_again(path, backend, sparse, [(0.5, 6.0)])
        assert len(pieces) == len(whole) == len(sparse)
        for one, other in zip(pieces, whole, strict=True):
            np.testing.assert_allclose(one.image_px, other.image_px, atol=1e-9)
            assert one.estimated is other.estimated

    def test_frames_that_come_again_are_passed_over(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where a file's index leads astray in the middle of a stretch, the clip is read through from its beginning."""
        path, backend = hinge_clip
        sparse, spans = PoseLog(), [(1.0, 2.0), (3.5, 5.0)]
        read_sparsely(path, backend, sparse)
        expected = read_again(path, backend, sparse, spans)
        original = video_seek._by_index

        def astray(*args: Any) -> Generator[DecodedFrame | None]:
            yield from islice(original(*args), 45)
            yield None

        monkeypatch.setattr(video_seek, "_by_index", astray)
        told: list[float] = []
        again = read_again(path, backend, sparse, spans, lambda time_s, _: told.append(time_s), by_index=True)
        assert len(told) > len(set(told))
        assert told[-1] > 5.0
        assert len(again) == len(expected)
        for one, other in zip(again, expected, strict=True):
            assert (one.index, one.time_s, one.estimated) == (other.index, other.time_s, other.estimated)
            np.testing.assert_array_equal(one.image_px, other.image_px)

    @pytest.mark.parametrize("warnings", [(), ("the clip's clock jumps back",)])
    def test_the_index_is_trusted_only_in_clips_that_gave_no_warning(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch, warnings: tuple[str, ...]
    ) -> None:
        path, backend = hinge_clip
        trusted = []
        read, again = pipeline.read_poses, pipeline.read_again

        def note(*args: Any, by_index: bool, **options: Any) -> PoseLog:
            trusted.append(by_index)
            return again(*args, by_index=by_index, **options)

        monkeypatch.setattr(pipeline, "read_again", note)
        monkeypatch.setattr(pipeline, "read_poses", lambda *a, **k: replace(read(*a, **k), warnings=warnings))
        monkeypatch.setattr(
            pipeline, "in_doubt", lambda outcomes, _applied, _end_s, known: () if known else [_of_knees(outcomes)]
        )
        analyze_clip(path, exercise=EXERCISES["romanian-deadlift"], backend=backend, rate="auto")
        assert trusted == [not warnings]

    @pytest.mark.parametrize("given", ["all", "none", "unseen"])
    def test_what_is_read_again_takes_new_landmarks_and_adds_its_outlines_to_those_there_are(
        self, hinge_clip: tuple[Path, Replay], given: str
    ) -> None:
        path, backend = hinge_clip
        sparse = PoseLog()
        read_sparsely(path, backend, sparse)
        shifted = []
        for pose in backend.poses:
            assert pose.outline_px is not None
            edge = {"all": pose.outline_px + 7.0, "none": None, "unseen": np.full(OUTLINE_SHAPE, np.nan)}[given]
            shifted.append(replace(pose, image_px=pose.image_px + 2.0, outline_px=edge))
        start_s, end_s = 2.1, 4.1
        again = read_again(path, Replay(shifted), sparse, [(start_s, end_s)])
        kept = taken = 0
        for before, after, other in zip(sparse, again, shifted, strict=True):
            inside = start_s <= after.time_s <= end_s
            new = inside and after.estimated and before.outline_px is None
            expected = other.outline_px if new else before.outline_px
            assert (after.outline_px is None) == (expected is None)
            if after.outline_px is not None and expected is not None:
                np.testing.assert_array_equal(after.outline_px, expected)
                kept += inside and not new
                taken += new
            if inside and after.estimated:
                np.testing.assert_array_equal(after.image_px, other.image_px)
            if not inside:
                np.testing.assert_array_equal(after.image_px, before.image_px)
        assert kept >= 5
        assert (taken >= 10) is (given != "none")

    @pytest.mark.parametrize(
        ("reason", "judges_the_back", "outlined"),
        [
            (lumbar.UNCLEAR, True, True),
            (judging.UNSEEN.format(judging.LEG), True, True),
            ("", True, False),
            (judging.UNSEEN.format(judging.LEG), False, False),
        ],
    )
    def test_outlines_are_looked_for_again_where_something_was_not_seen_and_a_rule_judges_the_back(
        self,
        hinge_clip: tuple[Path, Replay],
        monkeypatch: pytest.MonkeyPatch,
        reason: str,
        judges_the_back: bool,
        outlined: bool,
    ) -> None:
        path, backend = hinge_clip
        asked: list[bool] = []

        def opened(_: object, *, outlines: bool) -> Replay:
            asked.append(outlines)
            return backend

        def doubt(outcomes: Sequence[Outcome], _applied: object, _end_s: float, known: object) -> list[Outcome]:
            outcome = next(outcome for outcome in outcomes if outcome.rep == 1)
            return [] if known else [replace(outcome, reason=reason, start_s=2.0, end_s=3.0)]

        reading = pipeline.read_poses
        monkeypatch.setattr(
            pipeline, "read_poses", lambda *args, **options: reading(*args, **(options | {"backend": backend}))
        )
        monkeypatch.setattr("formcheck.pipeline.MediaPipeBackend.open", opened)
        monkeypatch.setattr(pipeline, "in_doubt", doubt)
        monkeypatch.setattr(pipeline, "fits", lambda *_: True)
        monkeypatch.setattr(pipeline, "_judges_the_back", lambda *_: judges_the_back)
        analyze_clip(path, exercise=EXERCISES["romanian-deadlift"], rate="auto")
        assert asked == [outlined]

    def test_several_people_in_doubt_are_followed_again_at_the_full_rate(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, backend = hinge_clip
        reading = pipeline.read_poses

        def several(*args: Any, **options: Any) -> Any:
            return replace(reading(*args, **options), several=True)

        monkeypatch.setattr(pipeline, "read_poses", several)
        exercise = EXERCISES["romanian-deadlift"]
        auto = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        assert auto.report.clip.frames_estimated is not None
        monkeypatch.setattr(
            pipeline, "in_doubt", lambda outcomes, _applied, _end_s, known: () if known else [_of_knees(outcomes)]
        )
        again = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        assert again.report.clip.frames_estimated is None

    def test_all_is_read_where_a_stretch_does_not_fit_the_rest(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, backend = hinge_clip
        monkeypatch.setattr(
            pipeline, "in_doubt", lambda outcomes, _applied, _end_s, known: () if known else [_of_knees(outcomes)]
        )
        monkeypatch.setattr(pipeline, "fits", lambda *_: False)
        again = analyze_clip(path, exercise=EXERCISES["romanian-deadlift"], backend=backend, rate="auto")
        assert again.report.clip.frames_estimated is None

    def test_doubt_is_followed_to_where_the_value_is_taken_next_and_no_further(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, backend = hinge_clip
        exercise = EXERCISES["romanian-deadlift"]
        first, second = ((1.0, 1.4), (5.0, 5.4))

        def doubt(outcomes: Sequence[Outcome], *more: Any) -> list[Outcome]:
            known = more[-1]
            start_s, end_s = (first, second)[min(len(known), 1)]
            return [replace(_of_knees(outcomes), start_s=start_s, end_s=end_s)] if len(known) < doubts else []

        monkeypatch.setattr(pipeline, "in_doubt", doubt)
        doubts = 2
        table = analyze_clip(path, exercise=exercise, backend=backend, rate="auto").table
        assert table.estimated is not None
        for start_s, end_s in (first, second):
            inside = table.estimated & (table.time_s >= start_s) & (table.time_s <= end_s)
            assert np.diff(table.time_s[inside]).max() <= CLOSE_SLOT_S + 1 / 30
        assert not table.estimated.all()
        doubts = 3
        again = analyze_clip(path, exercise=exercise, backend=backend, rate="auto")
        assert again.report.clip.frames_estimated is None

    @pytest.mark.parametrize("fitting", [True, False], ids=["a stretch", "the whole"])
    def test_one_analysis_at_a_time_is_in_memory(
        self, hinge_clip: tuple[Path, Replay], monkeypatch: pytest.MonkeyPatch, fitting: bool
    ) -> None:
        path, backend = hinge_clip
        analyses: list[weakref.ref[FloatArray]] = []
        analyze = pipeline.analyze_reading

        def counting(*args: Any, **options: Any) -> Analysis:
            gc.collect()
            assert [made for made in analyses if made() is not None] == []
            analysis = analyze(*args, **options)
            analyses.append(weakref.ref(analysis.track.image_px))
            return analysis

        monkeypatch.setattr(pipeline, "analyze_reading", counting)
        monkeypatch.setattr(
            pipeline, "in_doubt", lambda outcomes, _applied, _end_s, known: () if known else [_of_knees(outcomes)]
        )
        monkeypatch.setattr(pipeline, "fits", lambda *_: fitting)
        kept = analyze_clip(path, exercise=EXERCISES["romanian-deadlift"], backend=backend, rate="auto")
        assert len(analyses) == (2 if fitting else 3)
        assert analyses[-1]() is kept.track.image_px

    def test_a_clip_without_a_repetition_is_read_whole(self, hinge_clip: tuple[Path, Replay]) -> None:
        path, backend = hinge_clip
        report = analyze_clip(path, exercise=EXERCISES["standing-leg-curl"], backend=backend, rate="auto").report
        assert report.view.usable
        assert not report.reps
        assert report.clip.frames_estimated is None

    def test_several_people_are_seen_ten_times_a_second_and_the_wanted_one_is_filled_in(
        self, hinge_clip: tuple[Path, Replay]
    ) -> None:
        path, backend = hinge_clip
        evenly = EvenReading(path, backend)
        assert backend.asked == sorted(set(backend.asked))
        assert {backend.asked[0], backend.asked[-1]} == {0, len(backend.poses) - 1}
        sent = PoseLog()  # as the followers keep them: numbered without the frames between
        for index in backend.asked:
            sent.append(backend.poses[index])
        poses = PoseLog()
        reading = evenly.fill(sent, poses)
        assert len(poses) == len(backend.poses)
        assert reading.cuts_s == ()
        estimated = [pose for pose in poses if pose.estimated]
        assert [pose.index for pose in estimated] == backend.asked
        assert np.diff([pose.time_s for pose in estimated]).max() <= EVEN_SLOT_S + 1 / 30
        off = [np.abs(pose.image_px - other.image_px).max() for pose, other in zip(poses, backend.poses, strict=True)]
        assert max(off) < 0.03 * trunk_px(backend.poses[0])

    @pytest.mark.parametrize(
        ("exercise", "rate", "looked_for"),
        [
            ("prone-leg-curl", "auto", False),
            ("prone-leg-curl", "full", True),
            ("romanian-deadlift", "auto", True),
            (None, "auto", True),
        ],
    )
    def test_the_back_is_looked_for_where_a_rule_judges_it(
        self, exercise: str | None, rate: str, looked_for: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[bool] = []

        class AskedError(Exception):
            pass

        def read(*_: object, outlines: bool, **__: object) -> None:
            asked.append(outlines)
            raise AskedError

        monkeypatch.setattr(pipeline, "read_poses", read)
        with pytest.raises(AskedError):
            analyze_clip("clip.mp4", exercise=EXERCISES[exercise] if exercise else None, rate=rate)
        assert asked == [looked_for]

    def test_an_unknown_rate_is_an_error(self, hinge_clip: tuple[Path, Replay]) -> None:
        path, backend = hinge_clip
        with pytest.raises(ValueError, match="'half' is not a valid Rate"):
            analyze_clip(path, exercise=EXERCISES["romanian-deadlift"], backend=backend, rate="half")

    @pytest.mark.model
    def test_with_the_real_model_a_good_hinge_stays_one(self) -> None:
        path, exercise = SAMPLES / "03-romanian-deadlift-good.mp4", EXERCISES["romanian-deadlift"]
        full = analyze_clip(path, exercise=exercise)
        auto = analyze_clip(path, exercise=exercise, rate="auto")
        assert len(auto.report.reps) == len(full.report.reps) == 2
        assert (auto.report.clip.frames_estimated or 999) < 0.35 * full.report.clip.frames
        same = sum(_statuses(auto)[pair] == status for pair, status in _statuses(full).items())
        assert same >= len(_statuses(full)) - 1


def _of_knees(outcomes: Sequence[Outcome]) -> Outcome:
    return next(outcome for outcome in outcomes if outcome.rule == "locked-knees" and outcome.rep == 1)


def _statuses(analysis: Analysis) -> dict[tuple[str, int | None], str]:
    return {(outcome.rule, outcome.rep): outcome.status for outcome in analysis.report.outcomes}


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv444p"])
@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_thumbnails_from_the_stored_planes_are_those_of_the_picture(
    pix_fmt: str, size: tuple[int, int], tmp_path: Path
) -> None:
    rows, columns = np.mgrid[: size[1], : size[0]]
    picture = np.stack([columns * 200 // size[0], rows * 200 // size[1], 255 - columns * 200 // size[0]], axis=2)
    path = write_clip(tmp_path / "a.mp4", lambda _: picture.astype(np.uint8), steady(3), pix_fmt=pix_fmt)
    with ClipReader(path) as reader:
        for decoded in reader.decoded():
            from_planes, from_picture = decoded.thumbnail(), cuts.thumbnail(decoded.frame().image)
            assert np.abs(from_planes - from_picture).max() < 5.0
            assert np.ptp(from_picture) > 100


@pytest.mark.parametrize("turn", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)])
def test_thumbnails_are_upright_too(turn: tuple[int, int, int, int], tmp_path: Path) -> None:
    from clip_factory import corners, set_display_matrix

    path = write_clip(tmp_path / "a.mp4", lambda _: corners(320, 180), steady(3))
    set_display_matrix(path, *turn)
    with ClipReader(path) as reader:
        for decoded in reader.decoded():
            off = np.abs(decoded.thumbnail() - cuts.thumbnail(decoded.frame().image))
            assert np.median(off) < 5.0
            assert (off > 20).mean() < 0.1  # the borders between colours may fall on either side
