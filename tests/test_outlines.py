"""Outlines on their way: taken by a landmarker of their own, kept in files and logs, turned, and drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic import Key, film, repetitions

from formcheck import overlay_text as text
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.outlines import (
    AGAIN_SLOTS,
    EVERY,
    MAX_TURNED_DEG,
    MOST_SOON,
    PLACES,
    SQUARE_PX,
    TURN_STEP_DEG,
    Outliner,
    around,
)
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.recorded import load_poses, save_poses
from formcheck.adapters.turned import turn_back
from formcheck.adapters.video import ClipReader
from formcheck.config import Settings
from formcheck.errors import ClipError
from formcheck.exercises import EXERCISES
from formcheck.overlay_back import draw_back
from formcheck.overlay_style import Style
from formcheck.pipeline import applied_rules
from formcheck.poselog import PoseLog
from formcheck.shots import join
from formcheck.silhouette import HEIGHTS
from formcheck.slots import LOOK_SLOT_S, time_slot
from formcheck.types import (
    OUTLINE_SHAPE,
    FloatArray,
    Frame,
    ImageArray,
    Measurement,
    Phase,
    Pose,
    PoseTrack,
    Position,
    Side,
    Update,
)
from formcheck.verdicts import judge

CLIP = Path(__file__).resolve().parent.parent / "sample_videos" / "03-romanian-deadlift-good.mp4"
SIZE = (1280, 720)
INFO = BackendInfo("1", "full", "0" * 64)


def bare(poses: list[Pose]) -> list[Pose]:
    return [replace(pose, outline_px=None) for pose in poses]


def frame_of(pose: Pose) -> Frame:
    return Frame(pose.index, pose.time_s, np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8))


class Masks:
    """Sees the person where the first backend sees them, with a mask of everything within `apart_px` of the trunk."""

    def __init__(self, shift_px: float = 0.0, apart_px: float = 60.0) -> None:
        self.shift_px = shift_px
        self.apart_px = apart_px
        self.seen: list[Frame] = []
        self.given: list[Pose] = []
        self.closed = 0

    def detect(self, frame: Frame) -> Pose:
        self.seen.append(frame)
        first = next(pose for pose in self.given if pose.index == frame.index)
        square = around(first)
        points = square.inside(first.image_px) + self.shift_px
        scale = np.sqrt(np.linalg.det(square.turn))
        hip, shoulder = points[23:25].mean(axis=0), points[11:13].mean(axis=0)
        y, x = np.mgrid[0:SQUARE_PX, 0:SQUARE_PX] + 0.5
        along = (shoulder - hip) / np.hypot(*(shoulder - hip))
        apart = np.abs((x - hip[0]) * along[1] - (y - hip[1]) * along[0])
        mask = (1.0 / (1.0 + np.exp(apart - self.apart_px * scale))).astype(np.float32)
        return replace(first, image_px=points, mask=mask)

    def close(self) -> None:
        self.closed += 1


def test_an_outline_comes_a_few_times_a_second_in_pixels_of_the_whole_frame() -> None:
    poses = bare(film([Key(0.0), Key(2.0, hip=70.0)], fps=30.0))
    masks = Masks()
    masks.given = poses
    outliner = Outliner(lambda: masks)
    outlined = [outliner.add(frame_of(pose), pose) for pose in poses]
    at = [pose.time_s for pose in outlined if pose.outline_px is not None]
    assert at[0] == 0.0
    assert np.diff(at).min() >= LOOK_SLOT_S - 1e-9
    assert np.diff(at).max() <= EVERY * LOOK_SLOT_S + 1 / 30
    assert len(at) >= 3
    assert all(frame.image.shape == (SQUARE_PX, SQUARE_PX, 3) for frame in masks.seen)
    for pose in outlined:
        if pose.outline_px is None:
            continue
        hip, shoulder = pose.image_px[23:25].mean(axis=0), pose.image_px[11:13].mean(axis=0)
        along = (shoulder - hip) / np.hypot(*(shoulder - hip))
        apart = (pose.outline_px - hip) @ np.array([along[1], -along[0]])
        np.testing.assert_allclose(np.abs(apart[:2]), 60.0, atol=0.5)
        # the line that the look saw, in pixels of the whole frame as well
        np.testing.assert_allclose(pose.outline_px[2], hip + HEIGHTS[:, None] * (shoulder - hip), atol=1e-6)
    outliner.close()
    outliner.close()
    assert masks.closed == 1


def outlined_at(poses: list[Pose], masks: Masks | None = None) -> list[float]:
    """Times of the poses that an outliner gives an outline."""
    masks = masks or Masks()
    masks.given = poses
    outliner = Outliner(lambda: masks)
    return [pose.time_s for pose in poses if outliner.add(frame_of(pose), pose).outline_px is not None]


def test_the_outline_is_that_along_the_trunk_that_the_look_saw() -> None:
    poses = bare(film([Key(0.0), Key(3.0, hip=30.0)], fps=30.0))
    masks = Masks(shift_px=8.0)
    masks.given = poses
    due = [pose for pose in poses if pose.time_s in outlined_at(poses)]
    assert len(due) >= 3
    for pose in due[:3]:
        found = Outliner(lambda: masks).add(frame_of(pose), pose).outline_px
        square = around(pose)
        shifted = square.outside(square.inside(pose.image_px) + 8.0)
        hip, shoulder = shifted[23:25].mean(axis=0), shifted[11:13].mean(axis=0)
        assert found is not None
        np.testing.assert_allclose(found[2], hip + HEIGHTS[:, None] * (shoulder - hip), atol=1e-6)


def slots_of(times_s: list[float]) -> list[int]:
    return [time_slot(time_s, LOOK_SLOT_S) for time_s in times_s]


@pytest.mark.parametrize("keys", [[Key(0.0), Key(4.0)], [Key(0.0), Key(4.0, hip=100.0)]], ids=["still", "moving on"])
def test_outlines_come_at_every_few_slots_of_the_clock(keys: list[Key]) -> None:
    poses = bare(film(keys, fps=30.0))
    slots = slots_of(outlined_at(poses))
    assert set(range(0, 20, EVERY)) <= set(slots)
    assert np.median(np.diff(slots)) == EVERY
    # begun between two of them, the first look is where it is in any case
    assert slots_of(outlined_at([pose for pose in poses if pose.time_s > 1.01]))[:2] == [2 * EVERY, 3 * EVERY]


def hinging(fps: float = 30.0) -> tuple[list[Pose], list[float]]:
    turns = [0.6 + 2.3 * (number + 0.5) for number in range(6)]
    keys = [Key(0.0), Key(0.6)]
    for turn in turns:
        keys += [Key(turn, hip=70.0), Key(turn + 1.15)]
    return bare(film(keys, fps=fps)), turns


def test_the_moments_next_to_the_turn_are_seen() -> None:
    poses, turns = hinging()
    at = outlined_at(poses)
    assert np.median([min(abs(time_s - turn) for time_s in at) for turn in turns]) < 0.1  # 0.15 by the rhythm alone


def test_the_frames_that_begin_a_slot_have_the_same_outlines_alone_as_among_all() -> None:
    poses, _ = hinging()
    slots = [time_slot(pose.time_s, LOOK_SLOT_S) for pose in poses]
    alone = [pose for pose, before, slot in zip(poses, [-1, *slots], slots, strict=False) if before != slot]
    assert len(alone) < len(poses) / 5
    assert outlined_at(alone) == outlined_at(poses)


@pytest.mark.parametrize("cut_s", [2.9, 3.89, 5.2, 6.3, 7.5, 8.65])  # at rest, and half of the way down
def test_a_clip_that_begins_later_has_its_outlines_where_the_whole_has_them(cut_s: float) -> None:
    """So what one reading saw more than another does not move its looks."""
    poses, _ = hinging()
    whole, part = outlined_at(poses), outlined_at([pose for pose in poses if pose.time_s >= cut_s])
    on_grid = [slot for slot in slots_of(part) if slot % EVERY == 0]
    assert on_grid == list(range(on_grid[0], time_slot(poses[-1].time_s, LOOK_SLOT_S) + 1, EVERY))
    from_s = on_grid[1] * LOOK_SLOT_S - 1e-6
    assert [time_s for time_s in part if time_s >= from_s] == [time_s for time_s in whole if time_s >= from_s]


CLOTH: ImageArray = np.kron(
    np.random.default_rng(1).integers(60, 190, (45, 80, 3)), np.ones((16, 16, 1), dtype=np.int64)
).astype(np.uint8)


def looked_at(
    poses: list[Pose], picture: Callable[[Pose], ImageArray] = lambda _: CLOTH, masks: Masks | None = None
) -> list[int]:
    """Slots of the poses whose outline is looked for, and not given again."""
    masks = masks or Masks()
    masks.given = poses
    outliner = Outliner(lambda: masks)
    for pose in poses:
        outliner.add(Frame(pose.index, pose.time_s, picture(pose)), pose)
    return slots_of([frame.time_s for frame in masks.seen])


def patched(pose: Pose, middle_px: FloatArray) -> ImageArray:
    """A hand's breadth of another colour, there from 1 s on."""
    image = CLOTH.copy()
    x, y = np.round(middle_px).astype(int).tolist()
    if pose.time_s > 1.0:
        image[y - 24 : y + 24, x - 24 : x + 24] = 255
    return image


RESTING = bare(film([Key(0.0), Key(8.0)], fps=30.0))
RESTED = AGAIN_SLOTS + EVERY  # from one look to the next while nothing changes


def test_while_the_picture_stays_the_last_outline_is_given_again() -> None:
    masks = Masks()
    masks.given = RESTING
    outliner = Outliner(lambda: masks)
    outlines = [outliner.add(Frame(pose.index, pose.time_s, CLOTH), pose).outline_px for pose in RESTING]
    given = [found for found in outlines if found is not None]
    assert len(given) == len(range(0, 41, EVERY))
    assert slots_of([frame.time_s for frame in masks.seen]) == list(range(0, 41, RESTED))
    assert all(found is given[row - row % 3] for row, found in enumerate(given))


def test_a_look_is_taken_again_where_the_picture_around_the_trunk_has_changed() -> None:
    hip, shoulder = (RESTING[0].image_px[list(pair)].mean(axis=0) for pair in ((23, 24), (11, 12)))
    trunk_px = np.hypot(*(shoulder - hip))
    for middle, changed in (
        ((hip + shoulder) / 2, True),
        ((hip + shoulder) / 2 - [0.45 * trunk_px, 0.0], True),
        ((hip + shoulder) / 2 - [1.2 * trunk_px, 0.0], False),
        (RESTING[0].image_px[27], False),  # an ankle
    ):
        looked = looked_at(RESTING, lambda pose, middle=middle: patched(pose, middle))
        assert looked == ([0, *range(2 * EVERY, 41, RESTED)] if changed else [*range(0, 41, RESTED)])


def bending(pose: Pose, bulge: float, levels: tuple[int, int, int], cropped: bool) -> ImageArray:
    """A trunk as wide as the masks say, before a wall and with legs, whose back bulges (trunk lines) from 1 s on."""
    back, wall, legs = levels
    image = np.full((720, 1280, 3), wall, dtype=np.uint8)
    hip, shoulder = (RESTING[0].image_px[list(pair)].mean(axis=0) for pair in ((23, 24), (11, 12)))
    along = shoulder - hip
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    heights = np.linspace(-0.2, 1.1, 60)[:, None]
    out = 60.0 + np.hypot(*along) * bulge * (pose.time_s > 1.0) * np.exp(-(((heights - 0.3) / 0.22) ** 2))
    axis = hip + heights * along
    corners = [np.concatenate([axis + out * across, (axis - 60.0 * across)[::-1]])]
    corners.append(hip - 0.05 * along + np.array([[1, 0], [-1, 0], [-1, 1], [1, 1]]) @ [60.0 * across, -1.5 * along])
    for polygon, level in zip(corners, (back, legs), strict=True):
        points = np.round(polygon * 256).astype(np.int32)
        cv2.fillPoly(image, [points], (level,) * 3, lineType=cv2.LINE_AA, shift=8)
    if cropped:
        image[: round(shoulder[1])] = 0  # a black bar, of which no contrast of the back must come
    return image


@pytest.mark.parametrize("cropped", [False, True])
@pytest.mark.parametrize(
    "levels",
    [
        pytest.param((220, 40, 30), id="light on dark"),
        pytest.param((25, 55, 190), id="dark on dark, light legs"),
        pytest.param((225, 200, 20), id="light on light, dark legs"),
        pytest.param((8, 20, 8), id="in the dark"),
    ],
)
def test_a_back_that_bends_under_resting_landmarks_is_looked_at_again(
    levels: tuple[int, int, int], cropped: bool
) -> None:
    rests, little, much = (
        looked_at(RESTING, lambda pose, bulge=bulge: bending(pose, bulge, levels, cropped))
        for bulge in (0.0, 0.01, 0.035)
    )
    assert rests == little == list(range(0, 41, RESTED))
    assert much == [0, *range(2 * EVERY, 41, RESTED)]


def test_a_picture_without_contrast_tells_nothing() -> None:
    assert looked_at(RESTING, lambda _: np.full_like(CLOTH, 90)) == list(range(0, 41, EVERY))


def test_who_moves_is_looked_at_again_also_where_the_picture_does_not_show_it() -> None:
    poses = bare(film([Key(0.0), Key(0.2), Key(0.7, hip=4.0), Key(4.0, hip=4.0)], fps=30.0))
    assert looked_at(poses) == [0, EVERY, EVERY + RESTED]


def test_an_outline_is_given_again_only_soon_and_only_forwards() -> None:
    part = [pose for pose in RESTING if pose.time_s < 0.7 or pose.time_s > 5.0]
    assert looked_at(part)[:2] == [0, 25]
    back = [pose for pose in RESTING if 4.8 <= pose.time_s < 5.5] + [pose for pose in RESTING if pose.time_s < 0.5]
    assert looked_at(back) == [24, 0]


def test_what_shows_little_is_looked_for_again() -> None:
    assert looked_at(RESTING, masks=Masks(apart_px=-60.0))[: MOST_SOON + 2] == [0, 1, 2, EVERY]


@pytest.mark.parametrize("masks", [Masks(shift_px=80.0), Masks(apart_px=-60.0)], ids=["somebody else", "no edge"])
def test_where_little_is_seen_the_next_looks_come_soon_and_then_no_sooner_than_elsewhere(masks: Masks) -> None:
    slots = slots_of(outlined_at(bare(film([Key(0.0), Key(6.0)], fps=30.0)), masks))
    assert slots == [*range(MOST_SOON + 1), *range(EVERY, 31, EVERY)]


@pytest.mark.parametrize("near", list(Side))
@pytest.mark.parametrize(
    ("position", "key", "looked"),
    [
        pytest.param(Position.SUPINE, Key(0.0), False, id="flat on the back"),
        pytest.param(Position.SUPINE, Key(0.0, knee=80.0, hip=45.0), False, id="on the back with bent legs"),
        pytest.param(Position.SUPINE, Key(0.0, trunk=-120.0, knee=80.0), False, id="bridge"),
        pytest.param(Position.SEATED, Key(0.0, trunk=-40.0, hip=60.0, knee=60.0), True, id="leaning back in a seat"),
        pytest.param(Position.PRONE, Key(0.0), True, id="prone"),
        pytest.param(Position.STANDING, Key(0.0), True, id="standing"),
        pytest.param(Position.STANDING, Key(0.0, knee=15.0, hip=110.0), True, id="bent over"),
    ],
)
def test_no_look_is_wasted_on_who_lies_on_the_back(position: Position, key: Key, looked: bool, near: Side) -> None:
    poses = bare(film([key, replace(key, time_s=2.0)], position=position, near=near))
    assert bool(outlined_at(poses)) is looked


def test_a_doubtful_side_is_looked_at_in_any_lie() -> None:
    """Where left and right may be mixed up, who seems to lie on the back may lie on the front."""
    lying = bare(film([Key(0.0, knee=80.0), Key(1.0, knee=80.0)], position=Position.SUPINE))
    # the depths of shoulders and hips speak against the knees and feet, which are more
    doubtful = [replace(pose, world_m=pose.world_m * [1.0, 1.0, -1.0]) for pose in lying]
    assert outlined_at(lying) == []
    assert outlined_at(doubtful) != []


def test_no_outline_of_somebody_else_and_none_is_looked_for_from_the_front_or_without_a_person() -> None:
    poses = bare(film([Key(0.0), Key(1.0)]))
    masks = Masks(shift_px=80.0)
    masks.given = poses
    stranger = Outliner(lambda: masks).add(frame_of(poses[0]), poses[0])
    assert stranger.outline_px is not None
    assert np.isnan(stranger.outline_px).all()
    front = bare(film([Key(0.0), Key(1.0)], yaw_deg=80.0))[0]
    missing = Pose.missing(0, 0.0, SIZE)

    def never() -> Masks:
        raise AssertionError("no landmarker is needed")

    for pose in (front, missing):
        assert Outliner(never).add(frame_of(pose), pose).outline_px is None


@pytest.mark.model
def test_the_real_landmarker_finds_the_back_and_its_landmarks_are_not_changed_by_it() -> None:
    with ClipReader(CLIP) as reader:
        frames = [frame for frame, _ in zip(reader, range(40), strict=False)]
    with MediaPipeBackend.open() as with_outlines, MediaPipeBackend.open(outlines=False) as without:
        poses = [(with_outlines.detect(frame), without.detect(frame)) for frame in frames]
    assert sum(pose.outline_px is not None for pose, _ in poses) >= 2
    assert all(plain.outline_px is None for _, plain in poses)
    for pose, plain in poses:
        np.testing.assert_array_equal(pose.image_px, plain.image_px)
        assert pose.mask is None
        if pose.outline_px is not None:
            assert np.isfinite(pose.outline_px[:2, 4:17]).mean() > 0.9


def test_a_look_whose_trunk_points_elsewhere_tells_nothing() -> None:
    """One of the two has misread it: one such look in a hold read 12 degrees more than all the others."""

    class Turned(Masks):
        def __init__(self, turn_deg: float) -> None:
            super().__init__()
            self.turn = np.radians(turn_deg)

        def detect(self, frame: Frame) -> Pose:
            found = super().detect(frame)
            points, hip = found.image_px.copy(), found.image_px[23:25].mean(axis=0)
            cos, sin = np.cos(self.turn), np.sin(self.turn)
            points[11:13] = (points[11:13] - hip) @ np.array([[cos, sin], [-sin, cos]]) + hip
            return replace(found, image_px=points)

    pose = bare(film([Key(0.0), Key(1.0)]))[0]
    for turn_deg in (-14.0, -6.0, 6.0, 14.0):
        masks = Turned(turn_deg)
        masks.given = [pose]
        found = Outliner(lambda masks=masks: masks).add(frame_of(pose), pose).outline_px
        assert found is not None
        assert bool(np.isnan(found).all()) is (abs(turn_deg) > MAX_TURNED_DEG)


@pytest.mark.model
def test_the_real_landmarker_sees_the_same_outline_whatever_it_looked_at_before() -> None:
    with ClipReader(CLIP) as reader:
        frames = [frame for frame in reader if frame.time_s < 2.5]
    with MediaPipeBackend.open(outlines=False) as landmarks:
        poses = [landmarks.detect(frame) for frame in frames]

    def outlined(first: int, last: int) -> list[FloatArray | None]:
        outliner = Outliner(lambda: MediaPipeBackend.open(masks=True))
        found = [outliner.add(frames[row], poses[row]).outline_px for row in range(first, last)]
        outliner.close()
        return found

    among_all = outlined(0, len(frames))
    looks = [row for row, found in enumerate(among_all) if found is not None]
    assert len(looks) > 2
    # one that is due in any case, and was looked for and not given again
    target = next(
        row
        for before, row in zip(looks[-2::-1], looks[:0:-1], strict=True)
        if slots_of([poses[row].time_s])[0] % EVERY == 0 and among_all[row] is not among_all[before]
    )
    alone = outlined(target, target + 1)[0]
    assert alone is not None
    assert np.isfinite(alone).mean() > 0.5
    np.testing.assert_array_equal(among_all[target], alone)


def test_landmark_files_keep_outlines_and_older_ones_without_still_load(tmp_path: Path) -> None:
    poses = [pose if pose.index % 3 else replace(pose, outline_px=None) for pose in film([Key(0.0), Key(1.0)])]
    save_poses(tmp_path / "new.npz", poses, INFO)
    loaded, _ = load_poses(tmp_path / "new.npz")
    for pose, again in zip(poses, loaded, strict=True):
        assert (pose.outline_px is None) == (again.outline_px is None)
        if pose.outline_px is not None:
            np.testing.assert_allclose(again.outline_px, pose.outline_px, atol=1e-4)
    with np.load(tmp_path / "new.npz") as stored:
        arrays = dict(stored)
    assert arrays["outline_px"].shape[1:] == OUTLINE_SHAPE
    old = {name: array for name, array in arrays.items() if not name.startswith("outline")}
    np.savez(tmp_path / "old.npz", **old)
    assert all(pose.outline_px is None for pose in load_poses(tmp_path / "old.npz")[0])
    for change in ({"outline_px": arrays["outline_px"][:, :1]}, {"outline_index": arrays["outline_index"] + 1000}):
        np.savez(tmp_path / "bad.npz", **{**arrays, **change})
        with pytest.raises(ClipError, match="outlines"):
            load_poses(tmp_path / "bad.npz")


def test_an_older_landmark_file_without_the_line_between_the_edges_measures_the_same(tmp_path: Path) -> None:
    exercise = EXERCISES["romanian-deadlift"]
    rest, hinged = {"knee": 12.0, "hip": 10.0, "ankle": 2.0}, {"knee": 20.0, "hip": 92.0, "ankle": -2.0, "back": 25.0}
    every = film(repetitions(rest, hinged, count=1))
    save_poses(tmp_path / "new.npz", [pose if pose.index % 4 == 0 else bare([pose])[0] for pose in every], INFO)
    with np.load(tmp_path / "new.npz") as stored:
        arrays = dict(stored)
    np.savez(tmp_path / "old.npz", **{**arrays, "outline_px": arrays["outline_px"][:, :2]})
    new, old = (load_poses(tmp_path / name)[0] for name in ("new.npz", "old.npz"))
    for pose, older in zip(new, old, strict=True):
        assert (pose.outline_px is None) == (older.outline_px is None)
        if pose.outline_px is not None:
            assert older.outline_px is not None
            np.testing.assert_array_equal(older.outline_px[:2], pose.outline_px[:2])
            assert np.isnan(older.outline_px[2]).all()
    flexion, expected = (
        judge(PoseTrack.from_poses(poses), exercise, applied_rules(exercise, Settings())).table.columns[
            "lumbar_flexion_deg"
        ]
        for poses in (old, new)
    )
    assert np.nanmax(expected) > 20.0
    np.testing.assert_allclose(flexion, expected, atol=0.02)


def test_a_session_keeps_outlines_in_their_rows_also_around_what_is_left_out() -> None:
    poses = [pose if pose.index % 4 == 0 else replace(pose, outline_px=None) for pose in film([Key(0.0), Key(4.0)])]
    log = PoseLog(compact=True)
    for pose in poses:
        log.append(pose)
    whole, direct = log.track(), PoseTrack.from_poses(poses)
    assert whole.outline_px is not None
    assert direct.outline_px is not None
    np.testing.assert_allclose(whole.outline_px, direct.outline_px, atol=1e-3)
    excerpt = log.excerpt(1.0, 3.0)
    assert excerpt.outline_px is not None
    for time_s, edge in zip(excerpt.time_s, excerpt.outline_px, strict=True):
        row = np.flatnonzero(np.abs(direct.time_s - time_s) < 1e-6)
        expected = direct.outline_px[row[0]] if row.size else np.full_like(edge, np.nan)
        np.testing.assert_allclose(edge, expected, atol=1e-3)
    halves = [direct.part(slice(0, 50)), direct.part(slice(50, None))]
    np.testing.assert_array_equal(join(halves).outline_px, direct.outline_px)
    half = join([replace(halves[0], outline_px=None), halves[1]])
    assert half.outline_px is not None
    assert np.isnan(half.outline_px[:50]).all()


def test_a_turned_picture_gives_its_outline_back_upright() -> None:
    pose = film([Key(0.0), Key(1.0)])[0]
    width, height = pose.size_px
    assert pose.outline_px is not None

    def clockwise(points: np.ndarray) -> np.ndarray:
        return np.stack([height - points[..., 1], points[..., 0]], axis=-1)

    turned = replace(
        pose, image_px=clockwise(pose.image_px), outline_px=clockwise(pose.outline_px), size_px=(height, width)
    )
    back = turn_back(turned, 90, (width, height))
    np.testing.assert_allclose(back.image_px, pose.image_px)
    assert back.outline_px is not None
    np.testing.assert_allclose(back.outline_px, pose.outline_px)


def drawn(flexion_deg: float, near: Side | None = Side.RIGHT, outlined: bool = True) -> tuple[np.ndarray, int]:
    pose = film([Key(0.0), Key(1.0)], outlined=outlined)[0]
    update = Update(pose, Measurement(0.0, near, {"lumbar_flexion_deg": flexion_deg}, True), Phase.REST, 0)
    image = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
    places = draw_back(image, update, Style.for_size(*SIZE))
    return image, len(places)


def holds(image: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((image == np.array(colour)).all(axis=-1).any())


def test_the_back_is_drawn_where_it_was_measured_and_coloured_where_it_rounds() -> None:
    straight, places = drawn(5.0)
    assert places > 3
    assert holds(straight, text.WHITE)
    assert not holds(straight, text.ORANGE)
    assert not holds(straight, text.VERMILLION)
    assert holds(drawn(25.0)[0], text.ORANGE)
    assert holds(drawn(40.0)[0], text.VERMILLION)
    for nothing in (drawn(math.nan), drawn(5.0, near=None), drawn(5.0, outlined=False)):
        assert not nothing[0].any()
        assert nothing[1] == 0


def test_the_back_is_behind_the_trunk_whichever_side_is_near() -> None:
    for near in Side:
        pose = film([Key(0.0), Key(1.0)], near=near)[0]
        update = Update(pose, Measurement(0.0, near, {"lumbar_flexion_deg": 5.0}, True), Phase.REST, 0)
        image = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
        draw_back(image, update, Style.for_size(*SIZE))
        drawn_at = np.flatnonzero(image.any(axis=(0, 2))).mean()
        hips = pose.image_px[23:25, 0].mean()
        assert drawn_at < hips - 20 if near is Side.RIGHT else drawn_at > hips + 20
    assert pose.outline_px is not None
    assert pose.outline_px.shape == OUTLINE_SHAPE


def test_the_person_stands_nearly_upright_in_the_square_and_is_in_it() -> None:
    for number, pose in enumerate(film([Key(0.0), Key(2.0, hip=100.0)])[::3]):
        moved = replace(pose, image_px=(pose.image_px - 300.0) * (0.3 + 0.05 * number) + 37.3 * number)
        square = around(moved)
        points = square.inside(moved.image_px)
        shoulder, hip = points[11:13].mean(axis=0), points[23:25].mean(axis=0)
        up = shoulder - hip
        assert abs(math.degrees(math.atan2(up[0], -up[1]))) <= TURN_STEP_DEG / 2 + 1e-6
        assert np.hypot(*(hip - SQUARE_PX / 2)) <= SQUARE_PX / 4 / PLACES * math.sqrt(2) + 1e-6
        # the trunk and the legs down to the knee are well inside, and toes at most a little out of it
        assert np.abs(points - SQUARE_PX / 2).max() < 0.55 * SQUARE_PX
        assert np.abs(points[[11, 12, 23, 24, 25, 26]] - SQUARE_PX / 2).max() < 0.5 * SQUARE_PX
        assert np.linalg.norm(points - hip, axis=1).max() > SQUARE_PX / 4  # it is not much larger than the person
        np.testing.assert_allclose(square.outside(points), moved.image_px)


def test_landmarks_that_are_a_little_elsewhere_mostly_have_the_same_square() -> None:
    """Those of the two rates are, and another cut of the picture gives another outline."""
    random = np.random.default_rng(3)
    same = []
    for pose in film([Key(0.0), Key(6.0, hip=100.0)]):
        image_px = pose.image_px + random.uniform(-90.0, 90.0, 2)
        one, other = (
            around(replace(pose, image_px=image_px + shift)) for shift in (0.0, random.uniform(-0.4, 0.4, (33, 2)))
        )
        same.append(np.array_equal(one.turn, other.turn) and np.array_equal(one.hip_px, other.hip_px))
    assert np.mean(same) > 0.9
