"""The outline of the trunk: found in drawn masks to a part of a pixel, the same however the body lies or faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import ELBOW, HIP, SHOULDER, WRIST, Key, Shot, film, mirror, track_of

from formcheck import lumbar, silhouette
from formcheck.silhouette import HEIGHTS, MAX_GAP_S, MAX_ROUGHNESS, PROFILE, Back, dorsal, has_edge, outline, roughness
from formcheck.types import LANDMARK_COUNT, FloatArray, Pose, PoseTrack, Side

SIZE = 400
TRUNK_PX = 150.0


def body(
    direction_deg: float, behind: float = 40.0, before: float = 30.0, soft_px: float = 1.5
) -> tuple[np.ndarray, FloatArray]:
    """A mask of a straight trunk and its landmarks; the trunk points `direction_deg` clockwise of up."""
    turn = np.radians(direction_deg)
    up, right = np.array([np.sin(turn), -np.cos(turn)]), np.array([np.cos(turn), np.sin(turn)])
    hip = np.array([SIZE / 2, SIZE / 2]) - up * TRUNK_PX / 2
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5  # centres of pixels
    across = (x - hip[0]) * right[0] + (y - hip[1]) * right[1]
    edge = np.where(across > 0, before - across, behind + across)
    mask = 1.0 / (1.0 + np.exp(-edge / soft_px))
    image_px = np.full((LANDMARK_COUNT, 2), -1000.0)
    image_px[[HIP, HIP + 1]] = hip
    image_px[[SHOULDER, SHOULDER + 1]] = hip + up * TRUNK_PX
    return mask.astype(np.float32), image_px


@pytest.mark.parametrize("direction_deg", [0.0, 37.0, 90.0, -90.0, 180.0, -140.0])
def test_the_edge_is_found_to_a_tenth_of_a_pixel_in_every_direction(direction_deg: float) -> None:
    mask, image_px = body(direction_deg, behind=40.3, before=30.7)
    found = outline(mask, image_px)
    hip = image_px[HIP]
    clockwise, other = (
        np.linalg.norm(edge - hip - HEIGHTS[:, None] * (image_px[SHOULDER] - hip), axis=1) for edge in found[:2]
    )
    np.testing.assert_allclose(clockwise, 30.7, atol=0.1)
    np.testing.assert_allclose(other, 40.3, atol=0.1)


def test_the_line_that_the_rays_start_on_is_kept_with_the_edges() -> None:
    mask, image_px = body(37.0)
    hip, shoulder = image_px[HIP], image_px[SHOULDER]
    np.testing.assert_allclose(outline(mask, image_px)[2], hip + HEIGHTS[:, None] * (shoulder - hip))
    assert not has_edge(outline(np.zeros_like(mask), image_px)[None])[0], "the line alone is no edge"
    assert has_edge(outline(mask, image_px)[None])[0]


def test_what_cannot_be_told_is_nan() -> None:
    mask, image_px = body(0.0)
    assert np.isnan(outline(mask, np.full_like(image_px, np.nan))).all(), "no landmarks"
    small = image_px.copy()
    small[[SHOULDER, SHOULDER + 1]] = small[HIP] + [0.0, -10.0]
    assert np.isnan(outline(mask, small)).all(), "too small a person"
    assert np.isnan(outline(np.zeros_like(mask), image_px)[:2]).all(), "nobody there"
    assert np.isnan(outline(np.ones_like(mask), image_px)[:2]).all(), "no edge within reach"
    blurred, _ = body(0.0, soft_px=12.0)
    assert np.isnan(outline(blurred, image_px)[:2]).all(), "an edge that is nowhere in particular"
    outside = image_px + np.array([SIZE / 2 - 10.0, 0.0])
    assert np.isnan(outline(np.ones_like(mask), outside)[:2]).all(), "beyond the picture"


@pytest.mark.parametrize("near", list(Side))
@pytest.mark.parametrize(("trunk", "hip"), [(0.0, 0.0), (80.0, 80.0), (-30.0, 60.0), (90.0, 0.0)])
def test_the_back_is_found_facing_either_way_upright_hinged_leaning_and_prone(
    near: Side, trunk: float, hip: float
) -> None:
    track = track_of([Key(0.0, trunk=trunk, hip=hip), Key(1.0, trunk=trunk, hip=hip)], near=near)
    sign = np.full(len(track), 1.0 if near is Side.RIGHT else -1.0)
    back = dorsal(track, sign)
    own = 24.0 + 4.0 * np.cos(2 * np.pi * PROFILE / 0.7)  # this body's, in percent of the trunk line
    seen = np.isfinite(back.profile)
    assert seen.mean() >= 0.6  # leaning back, the arm that hangs down hides the rest
    np.testing.assert_allclose(back.profile[seen], np.broadcast_to(own, back.profile.shape)[seen], atol=0.2)
    assert np.isnan(dorsal(track, np.zeros(len(track))).profile).all(), "no back where the near side is unknown"


def test_an_arm_over_the_back_takes_its_points_away() -> None:
    poses = film([Key(0.0), Key(1.0)])
    free = dorsal(PoseTrack.from_poses(poses), np.ones(len(poses)))
    assert not free.hidden.any()
    crossed = []
    for pose in poses:
        assert pose.outline_px is not None
        image_px = pose.image_px.copy()
        image_px[[ELBOW, ELBOW + 1]] = pose.outline_px[1, 11]  # an elbow at the back's own edge
        image_px[[WRIST, WRIST + 1]] = pose.outline_px[1, 5]
        crossed.append(replace(pose, image_px=image_px))
    back = dorsal(PoseTrack.from_poses(crossed), np.ones(len(poses)))
    assert back.hidden.all()
    assert np.isnan(back.profile).any(axis=1).all()


def test_a_track_without_outlines_has_no_back() -> None:
    track = track_of([Key(0.0), Key(1.0)], Shot(outlined=False))
    assert track.outline_px is None
    back = dorsal(track, np.ones(len(track)))
    assert np.isnan(back.profile).all()
    assert not back.looked.any()
    assert silhouette.outline_at(track, 3) is None


def test_frames_in_between_are_filled_in_and_long_gaps_stay() -> None:
    keys = [Key(0.0), Key(6.0, hip=60.0)]
    every = track_of(keys, fps=30.0)
    some = sparse(film(keys, fps=30.0), lambda row: row % 7 == 0 and not 30 < row < 105)
    full, filled = (dorsal(track, np.ones(len(track))).profile for track in (every, some))
    short = [row for row in range(len(every)) if 7 < row < 28 or 110 < row < 160]
    np.testing.assert_allclose(filled[short], full[short], atol=0.3)
    assert np.isnan(filled[35:100]).all()
    assert all(silhouette.outline_at(some, row) is None for row in range(35, 100))


def test_between_two_looks_the_back_has_come_as_far_as_the_trunk() -> None:
    bent = {"hip": 80.0, "back": 25.0}
    keys = [Key(0.0), Key(1.0, **bent), Key(1.6, **bent), Key(2.0), Key(3.0)]
    every, some = track_of(keys, fps=30.0), sparse(film(keys, fps=30.0), lambda row: row in {0, 31, 60, 90})
    truth, told = (flexion(dorsal(track, np.ones(len(track)))) for track in (every, some))
    held = slice(32, 46)
    assert truth[held].min() > 20.0
    np.testing.assert_allclose(told[held], truth[held], atol=4.0)  # lines in time: 12 deg less at the end of the hold
    assert np.abs(told - truth)[31:61].mean() < 2.5


def test_over_a_trunk_that_rests_the_back_goes_by_time() -> None:
    keys = [Key(0.0), Key(3.0, back=30.0)]
    every, some = track_of(keys, fps=30.0), sparse(film(keys, fps=30.0), lambda row: row % 30 == 0)
    truth, told = (flexion(dorsal(track, np.ones(len(track)))) for track in (every, some))
    rows = np.arange(len(truth))
    np.testing.assert_allclose(told, np.interp(rows, rows[::30], truth[::30]), atol=0.3)


def flexion(back: Back) -> FloatArray:
    """Against the body's own shape, which is known here."""
    offset, bow = lumbar.changes(back.profile, 24.0 + 4.0 * np.cos(2 * np.pi * PROFILE / 0.7))
    model = lumbar.load()
    return np.asarray(model.offset * offset + model.bow * bow)


def with_a_bump(poses: list[Pose], looks: list[int], bad: int) -> PoseTrack:
    """Looked at in these frames; in the bad one a hand hides part of the lower back."""
    for pose in poses:
        if pose.index == bad:
            assert pose.outline_px is not None
            outwards = pose.outline_px[1] - pose.outline_px[2]
            pose.outline_px[1, 7:11] += 0.4 * outwards[7:11]  # a tenth of the trunk line
    return sparse(poses, lambda row: row in looks)


def test_a_rough_look_is_left_out_and_does_not_pass_for_an_even_one_half_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks, bad, near = list(range(0, 181, 18)), 90, np.ones(181)  # every 0.6 s
    good = dorsal(sparse(film([Key(0.0), Key(6.0)]), lambda row: row in looks), near)
    bumpy = with_a_bump(film([Key(0.0), Key(6.0)]), looks, bad)
    back = dorsal(bumpy, near)
    np.testing.assert_array_equal(np.flatnonzero(back.rough), [bad])
    assert back.looked[bad]
    assert not good.rough.any()
    told = np.isfinite(flexion(back))
    np.testing.assert_array_equal(np.flatnonzero(~told), np.arange(bad - 17, bad + 18))
    np.testing.assert_allclose(flexion(back)[told], flexion(good)[told], atol=0.2)
    # left in, it would show half way to the next look, where the outline is as even as any
    monkeypatch.setattr(silhouette, "MAX_ROUGHNESS", np.inf)
    left_in = dorsal(bumpy, near)
    between = roughness(left_in.profile) < MAX_ROUGHNESS
    assert np.abs(flexion(left_in) - flexion(good))[between].max() > 5.0


def test_a_rough_look_between_two_near_ones_is_filled_in_from_them() -> None:
    looks, bad = [0, 15, 30, 45, 60, 75, 90], 45  # every 0.5 s
    assert MAX_GAP_S > 1.0
    keys = [Key(0.0), Key(3.0, back=20.0)]
    good = dorsal(sparse(film(keys), lambda row: row in looks and row != bad), np.ones(91))
    back = dorsal(with_a_bump(film(keys), looks, bad), np.ones(91))
    np.testing.assert_array_equal(np.flatnonzero(back.rough), [bad])
    assert np.isfinite(back.profile).all()
    np.testing.assert_allclose(back.profile, good.profile, atol=1e-9)


def test_a_smooth_back_is_not_rough_and_one_with_an_edge_in_it_is() -> None:
    own = 24.0 + 4.0 * np.cos(2 * np.pi * PROFILE / 0.7)
    step = own + 10.0 * (np.median(PROFILE) < PROFILE)
    even, uneven, unseen = roughness(np.stack([own, step, np.full(PROFILE.size, np.nan)]))
    assert even < 0.5 * MAX_ROUGHNESS
    assert uneven > MAX_ROUGHNESS
    assert np.isnan(unseen)


def test_the_back_is_told_by_the_trunk_that_the_look_saw_not_by_the_landmarks_of_the_track() -> None:
    poses = film([Key(0.0), Key(2.0, hip=80.0, back=30.0)])
    random = np.random.default_rng(2)
    elsewhere = []
    for pose in poses:
        image_px = pose.image_px.copy()
        image_px[[SHOULDER, SHOULDER + 1, HIP, HIP + 1]] += random.normal(0.0, 6.0, (4, 2))
        elsewhere.append(replace(pose, image_px=image_px))
    expected, back, old = (
        dorsal(PoseTrack.from_poses(some), np.ones(len(poses)))
        for some in (poses, elsewhere, [without_line(pose) for pose in elsewhere])
    )
    np.testing.assert_allclose(back.profile, expected.profile, atol=1e-9)
    # outlines of earlier versions have no such line
    assert np.nanmax(np.abs(old.profile - expected.profile)) > 1.0


def without_line(pose: Pose) -> Pose:
    """As landmark files of earlier versions give it."""
    assert pose.outline_px is not None
    edges = pose.outline_px.copy()
    edges[2] = np.nan
    return replace(pose, outline_px=edges)


def test_without_that_line_the_tracks_own_landmarks_are_taken() -> None:
    poses = film([Key(0.0), Key(2.0, hip=80.0, back=30.0)])
    expected, old = (
        dorsal(PoseTrack.from_poses(some), np.ones(len(poses)))
        for some in (poses, [without_line(pose) for pose in poses])
    )
    assert np.isfinite(old.profile).any()
    np.testing.assert_allclose(old.profile, expected.profile, atol=1e-9)


def test_between_two_looks_the_drawn_outline_turns_with_the_trunk() -> None:
    keys = [Key(0.0), Key(1.0, hip=50.0)]
    every = track_of(keys, fps=30.0)
    some = sparse(film(keys, fps=30.0), lambda row: row in {0, 30})
    assert every.outline_px is not None
    for row in range(31):
        drawn = silhouette.outline_at(some, row)
        assert drawn is not None
        np.testing.assert_allclose(drawn, every.outline_px[row], atol=1.0)


def test_the_drawn_outline_goes_with_the_trunk_and_not_with_time() -> None:
    bent = {"hip": 80.0, "back": 25.0}
    keys = [Key(0.0), Key(0.6, **bent), Key(1.0, **bent)]
    every, some = track_of(keys, fps=30.0), sparse(film(keys, fps=30.0), lambda row: row in {0, 30})
    drawn = silhouette.outline_at(some, 19)  # there already, though the time is not
    assert drawn is not None
    assert every.outline_px is not None
    np.testing.assert_allclose(drawn, every.outline_px[30], atol=1.5)


def test_a_trunk_that_was_lost_for_a_while_has_turned_meanwhile() -> None:
    keys = [Key(0.0), Key(1.0, hip=80.0), Key(2.0, hip=80.0)]
    poses = film(keys, fps=30.0)
    lost = [Pose.missing(p.index, p.time_s, p.size_px) if 5 < p.index < 25 else p for p in poses]
    whole, gap = (silhouette._course(PoseTrack.from_poses(some)) for some in (poses, lost))
    np.testing.assert_allclose(gap[25:] - gap[0], whole[25:] - whole[0], rtol=0.02)
    nobody = [Pose.missing(p.index, p.time_s, p.size_px) for p in poses]
    np.testing.assert_allclose(silhouette._course(PoseTrack.from_poses(nobody)), [p.time_s for p in poses])


def sparse(poses: list[Pose], keep: object) -> PoseTrack:
    assert callable(keep)
    return PoseTrack.from_poses(
        [pose if keep(row) else replace(pose, outline_px=None) for row, pose in enumerate(poses)]
    )


def test_a_mirrored_clip_has_the_same_back() -> None:
    poses = film([Key(0.0), Key(2.0, hip=80.0, back=30.0)])
    first = dorsal(PoseTrack.from_poses(poses), np.ones(len(poses)))
    second = dorsal(PoseTrack.from_poses(mirror(poses)), -np.ones(len(poses)))
    np.testing.assert_allclose(second.profile, first.profile, atol=1e-6)
