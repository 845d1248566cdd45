"""Angle maths: known values, symmetries, degenerate input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from formcheck.geometry import angle_from_vertical, length, signed_angle, wrap_degrees

QUICK = settings(max_examples=60, deadline=None)
DEGREES = st.floats(-179.0, 179.0)
SIZES = st.floats(1e-3, 1e4)


def vector(degrees: float, size: float = 1.0) -> np.ndarray:
    return size * np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((1, 0), (1, 0), 0),
        ((1, 0), (0, 1), 90),  # right onto down: clockwise on the screen
        ((1, 0), (0, -1), -90),
        ((0, -3), (2, 0), 90),  # up onto right
        ((1, 0), (-1, 0), 180),
        ((2, 2), (0, 5), 45),
    ],
)
def test_signed_angle(first: tuple[float, float], second: tuple[float, float], expected: float) -> None:
    assert_allclose(signed_angle(np.array(first, float), np.array(second, float)), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("vector_", "expected"), [((0, -1), 0), ((1, 0), 90), ((-1, 0), -90), ((0, 1), 180), ((1, -1), 45)]
)
def test_angle_from_vertical(vector_: tuple[float, float], expected: float) -> None:
    assert_allclose(angle_from_vertical(np.array(vector_, float)), expected, atol=1e-12)


@QUICK
@given(DEGREES, DEGREES, SIZES, SIZES)
def test_signed_angle_is_the_turn_whatever_the_lengths(start: float, turn: float, one: float, two: float) -> None:
    assert_allclose(signed_angle(vector(start, one), vector(start + turn, two)), turn, atol=1e-6)


@QUICK
@given(DEGREES, DEGREES)
def test_signed_angle_changes_sign_when_the_vectors_change_places(start: float, turn: float) -> None:
    forth = signed_angle(vector(start), vector(start + turn))
    back = signed_angle(vector(start + turn), vector(start))
    assert_allclose(forth, -back, atol=1e-9)


@pytest.mark.parametrize("bad", [(0.0, 0.0), (math.nan, 1.0), (1.0, math.nan), (1e-12, 0.0)])
def test_no_direction_gives_nan(bad: tuple[float, float]) -> None:
    good = np.array([1.0, 0.0])
    for first, second in ((good, np.array(bad)), (np.array(bad), good)):
        assert np.isnan(signed_angle(first, second))
    assert np.isnan(angle_from_vertical(np.array(bad)))


def test_functions_broadcast_over_leading_axes() -> None:
    first = np.broadcast_to(vector(10.0), (4, 3, 2))
    second = np.stack([np.stack([vector(10.0 + 20 * row + column) for column in range(3)]) for row in range(4)])
    assert_allclose(signed_angle(first, second), [[20 * row + column for column in range(3)] for row in range(4)])
    assert length(second).shape == (4, 3)
    assert_allclose(length(second), 1.0)


def test_length() -> None:
    assert length(np.array([3.0, 4.0])) == 5.0
    assert length(np.array([2.0, 3.0, 6.0])) == 7.0
    assert np.isnan(length(np.array([np.nan, 4.0])))


@pytest.mark.parametrize(
    ("angle", "expected"), [(0, 0), (180, 180), (-180, 180), (181, -179), (-181, 179), (540, 180), (-30, -30)]
)
def test_wrap_degrees(angle: float, expected: float) -> None:
    assert_allclose(wrap_degrees(np.array(float(angle))), expected, atol=1e-12)


def test_wrap_keeps_nan() -> None:
    assert np.isnan(wrap_degrees(np.array([np.nan]))).all()


@QUICK
@given(st.floats(-1e4, 1e4))
def test_wrap_stays_in_range_and_on_the_same_direction(angle: float) -> None:
    wrapped = float(wrap_degrees(np.array(angle)))
    assert -180.0 < wrapped <= 180.0
    assert_allclose(vector(wrapped), vector(angle), atol=1e-9)
