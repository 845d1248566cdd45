"""The outline of the trunk: found in drawn masks to a part of a pixel, the same however the body lies or faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import ELBOW, HIP, SHOULDER, WRIST, Key, Shot, film, mirror, track_of

from formcheck import silhouette
from formcheck.silhouette import HEIGHTS, PROFILE, dorsal, outline
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
        np.linalg.norm(edge - hip - HEIGHTS[:, None] * (image_px[SHOULDER] - hip), axis=1) for edge in found
    )
    np.testing.assert_allclose(clockwise, 30.7, atol=0.1)
    np.testing.assert_allclose(other, 40.3, atol=0.1)


def test_what_cannot_be_told_is_nan() -> None:
    mask, image_px = body(0.0)
    assert np.isnan(outline(mask, np.full_like(image_px, np.nan))).all(), "no landmarks"
    small = image_px.copy()
    small[[SHOULDER, SHOULDER + 1]] = small[HIP] + [0.0, -10.0]
    assert np.isnan(outline(mask, small)).all(), "too small a person"
    assert np.isnan(outline(np.zeros_like(mask), image_px)).all(), "nobody there"
    assert np.isnan(outline(np.ones_like(mask), image_px)).all(), "no edge within reach"
    blurred, _ = body(0.0, soft_px=12.0)
    assert np.isnan(outline(blurred, image_px)).all(), "an edge that is nowhere in particular"
    outside = image_px + np.array([SIZE / 2 - 10.0, 0.0])
    assert np.isnan(outline(np.ones_like(mask), outside)).all(), "beyond the picture"


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


def test_between_two_looks_the_drawn_outline_turns_with_the_trunk() -> None:
    keys = [Key(0.0), Key(1.0, hip=50.0)]
    every = track_of(keys, fps=30.0)
    some = sparse(film(keys, fps=30.0), lambda row: row in {0, 30})
    assert every.outline_px is not None
    for row in range(31):
        drawn = silhouette.outline_at(some, row)
        assert drawn is not None
        np.testing.assert_allclose(drawn, every.outline_px[row], atol=1.0)


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
