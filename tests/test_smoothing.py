"""Filters: no lag, uneven times, gaps, outliers, and what a causal filter may know."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from synthetic import Key, Shot

from formcheck import smoothing
from formcheck.smoothing import OneEuro, derivative, fill_gaps, hampel, zero_phase

QUICK = settings(max_examples=30, deadline=None)
CUTOFF_HZ = 6.0


def times(duration_s: float = 6.0, fps: float = 30.0, jitter: float = 0.0) -> np.ndarray:
    return synthetic.frame_times(duration_s, Shot(fps=fps, jitter=jitter), np.random.default_rng(3))


def lag_s(time_s: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    """How far `after` trails `before`, where their correlation is highest."""
    inside = (time_s > 1.0) & (time_s < time_s[-1] - 1.0)
    shifts = np.arange(-0.3, 0.3, 0.001)
    return float(
        shifts[
            np.argmax([np.corrcoef(before[inside], np.interp(time_s + s, time_s, after)[inside])[0, 1] for s in shifts])
        ]
    )


@pytest.mark.parametrize("jitter", [0.0, 0.6])
@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0])
@pytest.mark.parametrize("hertz", [0.3, 1.0, 2.0])
def test_zero_phase_has_no_lag_and_keeps_a_movement_s_size(hertz: float, fps: float, jitter: float) -> None:
    time_s = times(fps=fps, jitter=jitter)
    wave = np.sin(2 * np.pi * hertz * time_s)
    smooth = zero_phase(time_s, wave, CUTOFF_HZ)
    assert abs(lag_s(time_s, wave, smooth)) < 0.005
    inside = (time_s > 1.0) & (time_s < 5.0)
    assert np.ptp(smooth[inside]) == pytest.approx(2.0, rel=0.05)


def test_a_causal_filter_does_lag_so_the_measure_of_lag_can_tell() -> None:
    time_s = times()
    wave = np.sin(2 * np.pi * 1.0 * time_s)
    follow = OneEuro(cutoff_hz=1.5, beta=0.0)
    late = np.array([follow(float(moment), np.array([value]))[0] for moment, value in zip(time_s, wave, strict=True)])
    assert lag_s(time_s, wave, late) > 0.03


def test_zero_phase_takes_away_fast_noise() -> None:
    time_s = times(fps=60.0)
    noise = np.sin(2 * np.pi * 20.0 * time_s)
    assert np.abs(zero_phase(time_s, noise, CUTOFF_HZ)[30:-30]).max() < 0.05


def test_zero_phase_keeps_a_constant_and_gaps() -> None:
    time_s = times()
    values = np.full(time_s.size, 7.5)
    values[50:80] = np.nan
    smooth = zero_phase(time_s, values, CUTOFF_HZ)
    assert_array_equal(np.isnan(smooth), np.isnan(values))
    assert_allclose(smooth[np.isfinite(smooth)], 7.5)


def test_zero_phase_filters_on_each_side_of_a_gap_alone() -> None:
    time_s = times()
    values = np.where(time_s < 3.0, 0.0, 100.0)
    values[(time_s > 2.8) & (time_s < 3.2)] = np.nan
    smooth = zero_phase(time_s, values, CUTOFF_HZ)
    assert_allclose(smooth[time_s < 2.8], 0.0, atol=1e-9)
    assert_allclose(smooth[time_s > 3.2], 100.0, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_short_signals_pass_every_filter_unharmed(count: int) -> None:
    time_s = np.arange(count) / 30.0
    values = np.linspace(1.0, 2.0, count)
    assert_allclose(zero_phase(time_s, values, CUTOFF_HZ) if count else values, values, atol=0.3)
    if count:
        assert_allclose(hampel(time_s, values, 0.35), values)
        assert_allclose(fill_gaps(time_s, values, 0.25), values)
    assert derivative(time_s, values).shape == values.shape


def test_columns_are_filtered_on_their_own() -> None:
    time_s = times()
    one, two = np.sin(2 * np.pi * time_s), np.cos(3 * time_s)
    both = zero_phase(time_s, np.stack([one, two], axis=1), CUTOFF_HZ)
    assert_allclose(both[:, 0], zero_phase(time_s, one, CUTOFF_HZ))
    assert_allclose(both[:, 1], zero_phase(time_s, two, CUTOFF_HZ))


def test_filters_leave_their_input_alone() -> None:
    time_s = times(2.0)
    values = np.sin(time_s)
    values[[5, 6, 20]] = np.nan, np.nan, 50.0
    before = values.copy()
    for run in (
        lambda: fill_gaps(time_s, values, 0.3),
        lambda: hampel(time_s, values, 0.35),
        lambda: zero_phase(time_s, values, CUTOFF_HZ),
        lambda: derivative(time_s, values),
    ):
        run()
        assert_array_equal(values, before)


def test_short_gaps_are_filled_by_a_line_and_long_ones_and_the_ends_kept() -> None:
    time_s = times(3.0)
    line = 10.0 + 4.0 * time_s
    values = line.copy()
    short, long = slice(10, 15), slice(40, 60)
    for gap in (slice(0, 3), short, long, slice(-3, None)):
        values[gap] = np.nan
    filled = fill_gaps(time_s, values, 0.25)
    assert_allclose(filled[short], line[short])
    for gap in (slice(0, 3), long, slice(-3, None)):
        assert np.isnan(filled[gap]).all()
    kept = np.isfinite(values)
    assert_array_equal(filled[kept], values[kept])


def test_a_gap_is_measured_in_seconds_not_in_frames() -> None:
    for fps, is_filled in ((60.0, True), (15.0, False)):
        time_s = times(2.0, fps=fps)
        values = time_s.copy()
        values[10:15] = np.nan  # five frames: 0.1 s or 0.4 s
        assert np.isfinite(fill_gaps(time_s, values, 0.25)).all() == is_filled


def test_gaps_in_uneven_times_are_filled_by_the_clock() -> None:
    time_s = np.array([0.0, 0.1, 0.13, 0.2, 0.3])
    values = np.array([0.0, np.nan, np.nan, 2.0, 3.0])
    assert_allclose(fill_gaps(time_s, values, 0.25), [0.0, 1.0, 1.3, 2.0, 3.0])


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_hampel_removes_spikes(fps: float) -> None:
    time_s = times(fps=fps)
    values = 40.0 * np.sin(2 * np.pi * 0.3 * time_s) + np.random.default_rng(1).normal(0.0, 0.5, time_s.size)
    spikes = [20, 41, 70]
    values[spikes] += [60.0, -45.0, 80.0]
    cleaned = hampel(time_s, values, 0.35)
    assert np.isnan(cleaned[spikes]).all()
    kept = np.isfinite(cleaned)
    assert_array_equal(cleaned[kept], values[kept])


def test_hampel_keeps_a_step() -> None:
    time_s = times()
    values = np.where(time_s < 3.0, 0.0, 100.0) + np.random.default_rng(1).normal(0.0, 0.5, time_s.size)
    cleaned = fill_gaps(time_s, hampel(time_s, values, 0.35), 0.25)
    away = np.abs(time_s - 3.0) > 1.5 / 30.0  # one sample at the edge itself may be taken for noise
    assert_allclose(cleaned[away], values[away], atol=2.5)


def test_hampel_keeps_a_fast_movement_on_its_way() -> None:
    time_s = times(4.0)
    keys = [Key(0.0), Key(1.8), Key(2.2, knee=100.0), Key(4.0, knee=100.0)]
    knee = synthetic.interpolate(keys, "knee", time_s) + np.random.default_rng(1).normal(0.0, 0.5, time_s.size)
    moving = (time_s > 1.9) & (time_s < 2.1)
    assert np.isfinite(hampel(time_s, knee, 0.35)[moving]).all()


def test_hampel_sees_past_what_is_missing() -> None:
    time_s = times()
    values = np.random.default_rng(1).normal(0.0, 0.5, time_s.size)
    values[60:70] = np.nan
    values[75] = 50.0
    cleaned = hampel(time_s, values, 0.35)
    assert np.isnan(cleaned[60:70]).all()
    assert np.isnan(cleaned[75])


@pytest.mark.parametrize("jitter", [0.0, 0.5])
@pytest.mark.parametrize("fps", [15.0, 24.0, 60.0])
def test_derivative_of_a_parabola(fps: float, jitter: float) -> None:
    time_s = times(4.0, fps=fps, jitter=jitter)
    rate = derivative(time_s, 3.0 * time_s**2 - 5.0 * time_s)
    inside = slice(3, -3)
    assert_allclose(rate[inside], (6.0 * time_s - 5.0)[inside], atol=1e-6 if jitter == 0.0 else 1.0)


def test_derivative_keeps_gaps() -> None:
    time_s = times(4.0)
    values = 10.0 * time_s
    values[40:60] = np.nan
    rate = derivative(time_s, values)
    assert_array_equal(np.isnan(rate), np.isnan(values))
    assert_allclose(rate[np.isfinite(rate)], 10.0)


def test_sample_interval() -> None:
    assert smoothing.sample_interval_s(times(fps=25.0)) == pytest.approx(0.04)
    assert np.isnan(smoothing.sample_interval_s(np.array([1.0])))


def follow(values: np.ndarray, time_s: np.ndarray, **settings_: float) -> np.ndarray:
    one_euro = OneEuro(**settings_)
    return np.array(
        [one_euro(float(moment), np.array([value]))[0] for moment, value in zip(time_s, values, strict=True)]
    )


@QUICK
@given(st.lists(st.floats(-100.0, 100.0), min_size=20, max_size=40), st.integers(1, 19))
def test_one_euro_knows_nothing_of_what_comes_later(values: list[float], cut: int) -> None:
    time_s = times(2.0)[: len(values)]
    whole = follow(np.array(values), time_s)
    changed = np.array(values)
    changed[cut:] += 37.0
    assert_array_equal(follow(changed, time_s)[:cut], whole[:cut])


def test_one_euro_calms_noise_and_follows_movement() -> None:
    time_s = times()
    noise = np.random.default_rng(2).normal(0.0, 2.0, time_s.size)
    assert follow(noise, time_s)[60:].std() < 0.6 * noise.std()
    moved = follow(np.where(time_s < 2.0, 0.0, 300.0), time_s)
    assert moved[time_s < 2.0].max() == 0.0
    assert moved[np.searchsorted(time_s, 2.4)] > 285.0


def test_one_euro_starts_again_after_nan() -> None:
    time_s = times(1.0)
    values = np.where(time_s < 0.5, 10.0, 90.0)
    values[8:15] = np.nan
    result = follow(values, time_s)
    assert np.isnan(result[8:15]).all()
    assert result[15] == 90.0  # not dragged from the 10 before the gap
    assert np.isfinite(result[15:]).all()


def test_one_euro_elements_are_independent() -> None:
    time_s = times(1.0)
    pair = np.stack([np.sin(9 * time_s), np.where(time_s > 0.3, np.nan, 1.0)], axis=1)
    one_euro = OneEuro()
    both = np.array([one_euro(float(moment), row) for moment, row in zip(time_s, pair, strict=True)])
    assert_allclose(both[:, 0], follow(pair[:, 0], time_s))


def test_one_euro_ignores_a_time_stamp_that_does_not_increase() -> None:
    one_euro = OneEuro()
    first = one_euro(0.0, np.array([1.0]))
    assert_array_equal(one_euro(0.0, np.array([50.0])), first)
    assert_array_equal(one_euro(-1.0, np.array([50.0])), first)


@pytest.mark.parametrize("fps", [15.0, 60.0])
def test_one_euro_is_tuned_in_seconds(fps: float) -> None:
    reached = follow(np.where(times(fps=fps) < 1.0, 0.0, 1.0), times(fps=fps), cutoff_hz=1.0, beta=0.0)
    assert reached[round(1.3 * fps)] == pytest.approx(1.0 - np.exp(-2 * np.pi * 0.3), abs=0.08)
