"""What the picture shows at knee and foot: the same however it is turned, sized, lit or mirrored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic import Key, film, repetitions, track_of

from formcheck import bias, bias_features, kinematics, leg_swaps, shots
from formcheck.adapters import patches
from formcheck.adapters.patches import describe
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.recorded import load_poses, save_poses
from formcheck.errors import ClipError
from formcheck.landmarks import side_landmark
from formcheck.poselog import BLOCK, PoseLog
from formcheck.types import PATCH_SIZE, PATCHES_SHAPE, ImageArray, PatchArray, Pose, PoseTrack, Side

LIKE = 0.97  # cosine of two histograms that are the same but for pixels


def leg(toe_turn_deg: float = 0.0) -> tuple[ImageArray, np.ndarray]:
    """A picture of one drawn leg on a grey floor, and its landmarks (both sides on the same leg)."""
    image = np.full((400, 400, 3), 110, dtype=np.uint8)
    shoulder, hip, knee, ankle = (
        np.array(point, dtype=float) for point in ((180, 60), (190, 160), (210, 240), (190, 315))
    )
    turn = np.radians(toe_turn_deg)
    toe = ankle + 40 * np.array([np.cos(turn), np.sin(turn)])
    for start, end, width, colour in (
        (shoulder, hip, 40, (30, 60, 160)),
        (hip, knee, 26, (20, 20, 20)),
        (knee, ankle, 18, (220, 180, 150)),
        (ankle - 0.3 * (toe - ankle), toe, 14, (250, 250, 250)),
    ):
        cv2.line(image, start.astype(int).tolist(), end.astype(int).tolist(), colour, width)
    points = np.full((33, 2), 200.0)
    for side in Side:
        for name, point in (("shoulder", shoulder), ("hip", hip), ("knee", knee), ("ankle", ankle)):
            points[side_landmark(side, name)] = point
    return image, points


def likeness(first: PatchArray, second: PatchArray) -> np.ndarray:
    """Cosine of the histograms of the left leg's knee and foot."""
    one, two = (patches[0, :2].astype(float) for patches in (first, second))
    return (one * two).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)


@pytest.mark.parametrize("shift", [(0, 0), (-180, -50), (170, 60), (3, 80)])
@pytest.mark.parametrize("scale", [1.0, 3.3])
def test_a_part_of_the_picture_tells_what_the_whole_does(
    shift: tuple[int, int], scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, points = leg()
    image = np.roll(image, shift, axis=(1, 0))  # parts of the leg beyond the edge come in on the other side
    image = np.ascontiguousarray(cv2.resize(image, None, fx=scale, fy=scale))
    points = (points + shift) * scale
    part = describe(image, points)
    monkeypatch.setattr(patches, "REACH", 1e6)
    whole = describe(image, points)
    assert np.abs(part.astype(int) - whole).max() <= 2
    assert whole.any() or shift == (-180, -50)


@pytest.mark.parametrize("change", ["turned", "larger", "smaller", "darker", "other colours"])
def test_a_patch_stays_the_same(change: str) -> None:
    image, points = leg()
    told = describe(image, points)
    if change == "turned":
        image, points = np.ascontiguousarray(np.rot90(image)), np.column_stack([points[:, 1], 399 - points[:, 0]])
    elif change == "larger":
        image, points = cv2.resize(image, None, fx=2.5, fy=2.5), points * 2.5
    elif change == "smaller":
        image, points = cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), points * 0.6
    elif change == "darker":
        image = (image // 2).astype(np.uint8)
    else:
        image = np.ascontiguousarray(image[:, :, ::-1])
    assert (likeness(told, describe(image, points)) > LIKE).all()


def test_the_direction_of_the_foot_shows() -> None:
    level = describe(*leg())
    likely = [likeness(level, describe(*leg(toe_turn_deg=turn)))[1] for turn in (10.0, 20.0, 40.0)]
    assert likely == sorted(likely, reverse=True)
    assert likely[-1] < 0.9


def test_a_mirrored_picture_is_a_mirrored_patch() -> None:
    image, points = leg()
    flipped = np.ascontiguousarray(image[:, ::-1])
    told = describe(flipped, np.column_stack([399 - points[:, 0], points[:, 1]]))
    assert (likeness(bias_features.mirrored(told), describe(image, points)) > LIKE).all()
    assert likeness(told, describe(image, points)).min() < 0.9  # or the test would not show anything
    assert np.array_equal(bias_features.mirrored(bias_features.mirrored(told)), told)


def test_what_is_not_seen_is_all_zero() -> None:
    image, points = leg()
    assert describe(image, points).any(axis=2).all()
    lost = points.copy()
    lost[side_landmark(Side.LEFT, "knee")] = np.nan
    told = describe(image, lost)
    assert not told[0].any()
    assert told[1, :2].any(axis=1).all()
    assert not told[1, 2].any()  # its shank would come from the knee that is not seen
    assert not describe(image, points * 0.02).any()
    assert not describe(image, points + 500).any()


def marked(count: int) -> PatchArray:
    """Patches whose first number tells frame, side and place apart."""
    patches = np.ones((count, *PATCHES_SHAPE), dtype=np.uint8)
    patches[..., 0] = 10 * np.arange(count)[:, None, None] % 200 + 3 * np.arange(2)[:, None] + np.arange(3)
    return patches


def with_patches(poses: list[Pose]) -> list[Pose]:
    return [replace(pose, patches=seen) for pose, seen in zip(poses, marked(len(poses)), strict=True)]


def test_patches_are_kept_with_their_poses(tmp_path: Path) -> None:
    poses = with_patches(film([Key(0.0), Key(0.5, knee=40.0)]))
    poses[3] = replace(poses[3], patches=None)
    track = PoseTrack.from_poses(poses)
    assert track.patches is not None
    assert not track.patches[3].any()
    save_poses(tmp_path / "clip.npz", poses, BackendInfo("1", "full", "0"))
    loaded = PoseTrack.from_poses(load_poses(tmp_path / "clip.npz")[0])
    assert np.array_equal(loaded.patches, track.patches)
    again = PoseTrack.from_poses(PoseLog.of(poses))
    assert np.array_equal(again.patches, track.patches)
    first, second = shots.split(track, [float(track.time_s[5])])
    assert np.array_equal(second.patches, track.patches[5:])
    assert np.array_equal(shots.join([first, second]).patches, track.patches)
    unseen = shots.join([replace(first, patches=None), second])
    assert not unseen.patches[:5].any()
    assert shots.join([replace(first, patches=None)]).patches is None


def test_a_damaged_array_of_patches_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.npz"
    save_poses(path, with_patches(film([Key(0.0), Key(0.2)])), BackendInfo("1", "full", "0"))
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "patches": arrays["patches"][:, :1]})
    with pytest.raises(ClipError, match="patches has the wrong type or shape"):
        load_poses(path)


@pytest.mark.parametrize("begun", [0, BLOCK + 2], ids=["from the start", "later"])
def test_the_log_of_a_session_keeps_patches(begun: int) -> None:
    pose = film([Key(0.0), Key(0.1)])[0]
    count = BLOCK + 10
    patches = marked(count)
    log = PoseLog(compact=True)
    for row in range(count):
        log.append(replace(pose, time_s=row / 30, patches=patches[row] if row >= begun else None))
    kept = log.track().patches
    assert kept is not None
    assert not kept[:begun].any()
    assert np.array_equal(kept[begun:], patches[begun:])
    excerpt = log.excerpt(1.0, (count - 3) / 30 - 0.01).patches
    assert not excerpt[30].any()  # the joint
    assert np.array_equal(excerpt[31:], patches[-3:])


def test_patches_follow_exchanged_legs() -> None:
    states = np.array([0, 1, 2])
    patches = marked(3)
    own = leg_swaps._own_patches(patches, states)
    assert np.array_equal(own[0], patches[0])
    assert np.array_equal(own[2], patches[2, ::-1])
    assert np.array_equal(own[1, :, 0], patches[1, :, 0])  # the knees are their own
    for side in (0, 1):
        assert np.array_equal(own[1, side, 1], patches[1, 1 - side, 2])
        assert np.array_equal(own[1, side, 2], patches[1, 1 - side, 1])


def random_patches(count: int, seed: int) -> PatchArray:
    return np.random.default_rng(seed).integers(1, 90, (count, 2, PATCH_SIZE)).astype(np.uint8)


def test_what_only_the_picture_shows_is_learnt_from_it() -> None:
    random = np.random.default_rng(4)
    base = random_patches(2, 1)
    which = random.integers(0, 2, 120)
    features = random.normal(size=(120, 14))
    errors = np.zeros((120, 5))
    errors[:, 2] = np.where(which == 1, 20.0, -20.0)
    model = bias.fit(features, base[which], errors, bias.SETTINGS)
    new = random.normal(size=(6, 14))
    shown = np.array([0, 1, 0, 1, 0, 1])
    seen, alone = model.predict(new, base[shown]), model.predict(new)
    assert np.abs(seen[:, 2] - np.where(shown == 1, 20.0, -20.0)).max() < 4.0
    assert np.abs(alone[:, 2]).max() < 15.0
    empty = base[shown].copy()
    empty[2, 1] = 0
    assert np.isnan(model.predict(new, empty)[2]).all()
    assert np.isfinite(model.predict(new, empty)[[0, 1, 3, 4, 5]]).all()


def test_the_near_leg_is_described_from_either_side() -> None:
    track = replace(track_of([Key(0.0), Key(0.1)]), patches=None)
    assert bias_features.of_picture(track, np.ones(len(track))) is None
    patches = marked(len(track))
    track = replace(track, patches=patches)
    assert np.array_equal(bias_features.of_picture(track, np.ones(len(track))), patches[:, 1, :2])
    left = bias_features.of_picture(track, -np.ones(len(track)))
    assert np.array_equal(left, bias_features.mirrored(patches[:, 0, :2]))
    assert not bias_features.of_picture(track, np.zeros(len(track))).any()


def test_without_a_picture_the_landmarks_decide_and_short_gaps_are_bridged() -> None:
    keys = repetitions({"knee": 6.0}, {"knee": 100.0}, count=1)
    plain = track_of(keys, still_far_leg=True)
    model = bias.load()
    assert model is not None
    near = np.ones(len(plain))
    patches = np.zeros((len(plain), *PATCHES_SHAPE), dtype=np.uint8)
    patches[:, :, :2] = random_patches(1, 7)
    alone = kinematics.landmark_errors(plain, near, model)
    seen = kinematics.landmark_errors(replace(plain, patches=patches), near, model)
    assert np.abs(seen - alone).max() > 1.0
    holes = patches.copy()
    holes[10:20] = 0  # a third of a second
    bridged = kinematics.landmark_errors(replace(plain, patches=holes), near, model)
    assert np.isfinite(bridged).all()
    between = np.linspace(bridged[9], bridged[20], 12)[1:-1]
    np.testing.assert_allclose(bridged[10:20], between, atol=1e-6)
    nothing = kinematics.landmark_errors(replace(plain, patches=np.zeros_like(patches)), near, model)
    np.testing.assert_allclose(nothing, alone)
