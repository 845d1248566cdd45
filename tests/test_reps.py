"""Counting and placing repetitions and holds in signals whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import Key, Shot, repetitions

from formcheck import smoothing
from formcheck.reps import RepCounter, Segmentation, segment, without_getting_into_place
from formcheck.types import Phase

ENTER, LEAVE, MIN_S = 20.0, 12.0, 0.4
HOLD = (12.0, 8.0, 1.0)  # enter, leave, shortest: a stretch moves less and lasts longer
NEAR_S = 0.15


def signal(
    keys: list[Key], fps: float = 30.0, jitter: float = 0.0, noise_deg: float = 0.0, seed: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """The knee angle of these key frames as the verdicts see it: noisy, then smoothed with zero phase."""
    random = np.random.default_rng(seed)
    time_s = synthetic.frame_times(keys[-1].time_s, Shot(fps=fps, jitter=jitter), random)
    knee = synthetic.interpolate(keys, "knee", time_s) + random.normal(0.0, 1.0, time_s.size) * noise_deg
    return time_s, smoothing.zero_phase(time_s, knee, 6.0)


def found(keys: list[Key], settings_: tuple[float, float, float] = (ENTER, LEAVE, MIN_S), **how: float) -> Segmentation:
    return segment(*signal(keys, **how), *settings_)


def curls(*, knee: float = 100.0, rest: float = 10.0, **how: float) -> list[Key]:
    return repetitions({"knee": rest}, {"knee": knee}, **how)


def steps(*points: tuple[float, float]) -> list[Key]:
    """Key frames of the knee: (seconds since the last one, angle)."""
    moments = np.cumsum([seconds for seconds, _ in points])
    return [Key(float(moment - moments[0]), knee=knee) for moment, (_, knee) in zip(moments, points, strict=True)]


@pytest.mark.parametrize("noise_deg", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_counts_under_noise(count: int, noise_deg: float) -> None:
    result = found(curls(count=count), noise_deg=noise_deg)
    assert len(result.bounds) == count
    assert result.cut_off_s == ()


@pytest.mark.parametrize(("fps", "jitter"), [(15.0, 0.0), (24.0, 0.0), (30.0, 0.0), (60.0, 0.0), (30.0, 0.8)])
@pytest.mark.parametrize("hold_s", [0.0, 0.5, 2.0])
def test_times_at_every_frame_rate(fps: float, jitter: float, hold_s: float) -> None:
    keys = curls(count=3, out_s=1.0, hold_s=hold_s, back_s=1.2, pause_s=0.8, still_s=2.0)
    result = found(keys, fps=fps, jitter=jitter, noise_deg=0.3)
    assert len(result.bounds) == 3
    for number, bounds in enumerate(result.bounds):
        start = 2.0 + number * (1.0 + hold_s + 1.2 + 0.8)
        assert bounds.start_s == pytest.approx(start, abs=NEAR_S)
        assert start + 1.0 - NEAR_S <= bounds.turn_s <= start + 1.0 + hold_s + NEAR_S
        # the turn also takes in the last few degrees of the way there and the first of the way back
        assert start + 1.0 - 0.3 <= bounds.turn_start_s <= start + 1.0 + NEAR_S
        assert start + 1.0 + hold_s - NEAR_S <= bounds.turn_end_s <= start + 1.0 + hold_s + 0.3
        assert bounds.end_s == pytest.approx(start + 1.0 + hold_s + 1.2, abs=NEAR_S)
        assert bounds.rest_deg == pytest.approx(10.0, abs=2.0)
        assert bounds.turn_deg == pytest.approx(100.0, abs=2.0)


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 5),
    knee=st.floats(60.0, 130.0),
    rest=st.floats(-5.0, 25.0),
    out_s=st.floats(0.5, 2.5),
    hold_s=st.floats(0.0, 1.5),
    pause_s=st.floats(0.2, 1.5),
    fps=st.sampled_from([15.0, 25.0, 30.0, 60.0]),
)
def test_any_set_is_counted_and_its_times_are_in_order(
    count: int, knee: float, rest: float, out_s: float, hold_s: float, pause_s: float, fps: float
) -> None:
    keys = curls(count=count, knee=knee, rest=rest, out_s=out_s, back_s=out_s, hold_s=hold_s, pause_s=pause_s)
    bounds = found(keys, fps=fps, noise_deg=0.5).bounds
    assert len(bounds) == count
    times = [moment for b in bounds for moment in (b.start_s, b.turn_start_s, b.turn_s, b.turn_end_s, b.end_s)]
    assert times == sorted(times)


def test_no_pause_between_repetitions() -> None:
    bounds = found(curls(count=4, pause_s=0.0)).bounds
    assert len(bounds) == 4
    for before, after in itertools.pairwise(bounds):
        assert before.end_s <= after.start_s + 1e-9
        assert after.start_s - before.end_s < 0.3


@pytest.mark.parametrize("drift_deg", [-4.0, 4.0])
def test_a_drifting_rest_makes_and_loses_no_repetition(drift_deg: float) -> None:
    keys = curls(count=6, rest=30.0)
    keys = [Key(key.time_s, knee=key.knee + drift_deg * key.time_s / 3.0) for key in keys]
    assert len(found(keys, noise_deg=0.5).bounds) == 6


def test_a_slowly_rising_rest_alone_is_no_repetition_on_the_way_back_down() -> None:
    keys = steps((0, 10), (2, 10), (1, 100), (1, 12), (2, 12), (1, 100), (1, 15), (2, 15))
    assert [round(bounds.rest_deg) for bounds in found(keys).bounds] == [10, 12]


@pytest.mark.parametrize("dip_deg", [8.0, 15.0, 30.0])
def test_a_dip_at_the_turn_is_one_repetition(dip_deg: float) -> None:
    keys = steps((0, 10), (2, 10), (1.2, 100), (0.4, 100 - dip_deg), (0.4, 100), (1.2, 10), (2, 10))
    bounds = found(keys, noise_deg=0.5).bounds
    assert len(bounds) == 1
    assert bounds[0].start_s == pytest.approx(2.0, abs=0.2)
    assert bounds[0].end_s == pytest.approx(5.2, abs=0.2)


def test_coming_back_most_of_the_way_before_the_next_is_two() -> None:
    keys = steps((0, 10), (2, 10), (1.2, 100), (1.2, 32), (1.2, 100), (1.2, 10), (2, 10))
    bounds = found(keys).bounds
    assert len(bounds) == 2
    assert bounds[0].end_s == pytest.approx(4.4, abs=0.2)
    assert bounds[1].start_s == pytest.approx(4.4, abs=0.2)


@pytest.mark.parametrize("pause_at", [60.0, 75.0])
def test_a_pause_on_the_way_is_one_repetition(pause_at: float) -> None:
    out = steps((0, 10), (2, 10), (0.8, pause_at), (1.5, pause_at), (0.8, 100), (1.2, 10), (2, 10))
    back = steps((0, 10), (2, 10), (1.2, 100), (0.8, pause_at), (1.5, pause_at), (0.8, 10), (2, 10))
    for keys in (out, back):
        bounds = found(keys, noise_deg=0.5).bounds
        assert len(bounds) == 1
        assert bounds[0].start_s == pytest.approx(2.0, abs=0.2)
        assert bounds[0].end_s == pytest.approx(keys[-2].time_s, abs=0.2)


def test_a_small_repetition_among_large_ones_is_counted() -> None:
    keys = steps((0, 10), (2, 10), (1, 110), (1, 10), (1, 10), (1, 45), (1, 10), (1, 10), (1, 110), (1, 10), (2, 10))
    assert [bounds.turn_deg for bounds in found(keys).bounds] == pytest.approx([110, 45, 110], abs=3.0)


def test_too_small_a_movement_is_none() -> None:
    assert found(curls(knee=10.0 + ENTER - 3.0), noise_deg=0.5).bounds == ()


def test_short_blips_are_dropped() -> None:
    time_s, knee = signal(curls(count=2))
    blip = (time_s > 0.8) & (time_s < 1.0)
    knee[blip] = 60.0
    assert len(segment(time_s, knee, ENTER, LEAVE, MIN_S).bounds) == 2
    assert len(segment(time_s, knee, ENTER, LEAVE, 0.05).bounds) == 3  # so the blip was there to be dropped


def test_a_clip_that_begins_at_the_turn_does_not_count_that_one() -> None:
    keys = steps((0, 100), (0.5, 100), (1.2, 10), (1, 10), (1.2, 100), (1.2, 10), (2, 10))
    result = found(keys)
    assert len(result.bounds) == 1
    assert result.bounds[0].start_s == pytest.approx(2.7, abs=NEAR_S)
    assert result.begun_until_s == pytest.approx(1.7, abs=0.3)


@pytest.mark.parametrize(("other_deg", "begun"), [(40.0, True), (110.0, False)])
def test_what_a_clip_begins_with_counts_as_begun_only_where_the_other_joints_are_alike(
    other_deg: float, begun: bool
) -> None:
    keys = steps((0, 100), (0.5, 100), (1.2, 10), (1, 10), (1.2, 100), (1.2, 10), (2, 10))
    time_s, knee = signal(keys)
    hip = np.where(time_s < 1.7, other_deg, 20.0)
    result = segment(time_s, knee, ENTER, LEAVE, MIN_S)
    assert result.begun_until_s is not None
    kept = without_getting_into_place(result, time_s, knee, [hip, np.full_like(hip, np.nan)])
    assert (kept.begun_until_s == result.begun_until_s) is begun
    assert kept.bounds == result.bounds
    assert without_getting_into_place(result, time_s, knee, [np.full_like(hip, np.nan)]) == result


@pytest.mark.parametrize("lift_deg", [-0.8, 0.0, 0.8])
def test_the_turn_is_where_the_pause_is_reached_however_it_drifts(lift_deg: float) -> None:
    keys = steps((0, 10), (2, 10), (1.0, 100), (2.0, 100 + lift_deg), (1.0, 10), (2, 10))
    turn_s = [bounds.turn_s for bounds in found(keys).bounds]
    assert turn_s == [pytest.approx(3.0, abs=0.2)]


def test_a_jump_to_the_other_leg_and_back_is_no_turn() -> None:
    """On its way out the angle falls by less than half of its way so far, then goes on beyond."""
    keys = steps((0, 5), (2, 5), (0.5, 55), (0.12, 33), (0.12, 68), (0.4, 90), (2, 90), (1.2, 5), (2, 5))
    result = found(keys, settings_=(25.0, 15.0, 0.5))
    assert len(result.bounds) == 1


@pytest.mark.parametrize(("begin_s", "begun"), [(0.0, False), (2.6, False), (3.0, True), (3.4, True), (5.5, False)])
def test_a_clip_that_begins_inside_a_repetition(begin_s: float, begun: bool) -> None:
    """Begun a little earlier it is found, and known to be cut off; else it is not counted, and that is said."""
    time_s, knee = signal(
        steps((0, 10), (2, 10), (1.2, 100), (0.4, 100), (1.2, 10), (1, 10), (2, 100), (1, 10), (1, 10))
    )
    inside = time_s >= begin_s
    result = segment(time_s[inside], knee[inside], ENTER, LEAVE, MIN_S)
    assert len(result.bounds) == (1 if begun or begin_s > 5 else 2)
    assert result.begun_until_s == (pytest.approx(4.8, abs=0.3) if begun else None)


@pytest.mark.parametrize(("end_s", "counted"), [(2.8, 0), (3.4, 0), (4.5, 1)])
def test_a_clip_that_ends_inside_a_repetition(end_s: float, counted: int) -> None:
    time_s, knee = signal(steps((0, 10), (2, 10), (1.2, 100), (0.4, 100), (1.2, 10), (2, 10)))
    inside = time_s <= end_s
    result = segment(time_s[inside], knee[inside], ENTER, LEAVE, MIN_S)
    assert len(result.bounds) == counted
    assert [round(moment, 1) for moment in result.cut_off_s] == ([] if counted else [end_s])


@pytest.mark.parametrize(
    ("begin_s", "end_s", "complete"),
    [
        (0.0, 10.0, [True, True]),  # 1 s still, then per repetition 1.2 s out, 0.4 s held, 1.6 s back, 0.6 s still
        (1.5, 10.0, [False, True]),
        (0.0, 7.5, [True, False]),
        (1.5, 7.5, [False, False]),
        (0.95, 8.1, [True, True]),
    ],
)
def test_a_repetition_that_the_clip_cuts_off_is_not_complete(
    begin_s: float, end_s: float, complete: list[bool]
) -> None:
    keys = curls(count=2, out_s=1.2, hold_s=0.4, back_s=1.6, pause_s=0.6, still_s=1.0)
    time_s, knee = signal(keys)
    kept = (time_s >= begin_s) & (time_s <= end_s)
    result = segment(time_s[kept], knee[kept], ENTER, LEAVE, MIN_S)
    assert [bounds.complete for bounds in result.bounds] == complete


def test_a_hold_with_bouncing_is_one_hold() -> None:
    points = [(0, 88), (2, 88), (1.5, 122)] + [(0.4, 122 - 6 * (number % 2)) for number in range(12)]
    bounds = found(steps(*points, (1.5, 88), (2, 88)), HOLD, noise_deg=0.5).bounds
    assert len(bounds) == 1
    assert bounds[0].start_s == pytest.approx(2.0, abs=0.2)
    assert bounds[0].end_s == pytest.approx(2 + 1.5 + 12 * 0.4 + 1.5, abs=0.2)


def test_a_long_hold_is_all_turn() -> None:
    bounds = found(steps((0, 88), (2, 88), (1.5, 120), (20, 120), (1.5, 88), (2, 88)), HOLD, noise_deg=0.5).bounds
    assert len(bounds) == 1
    assert bounds[0].turn_end_s - bounds[0].turn_start_s == pytest.approx(20.0, abs=1.2)


def test_gaps_change_no_count() -> None:
    time_s, knee = signal(curls(count=3))
    knee[(time_s > 2.4) & (time_s < 2.7)] = np.nan  # on the way out
    knee[(time_s > 12.5)] = np.nan
    assert len(segment(time_s, knee, ENTER, LEAVE, MIN_S).bounds) == 3


def test_nothing_seen_is_nothing_found() -> None:
    time_s = np.arange(90) / 30.0
    for values in (np.full(90, np.nan), np.full(90, 10.0)):
        assert segment(time_s, values, ENTER, LEAVE, MIN_S) == Segmentation(())
    assert segment(time_s[:1], np.array([100.0]), ENTER, LEAVE, MIN_S) == Segmentation(())


def test_segment_leaves_its_input_alone() -> None:
    time_s, knee = signal(curls(count=1))
    before = knee.copy()
    segment(time_s, knee, ENTER, LEAVE, MIN_S)
    assert (knee == before).all()


def count_live(time_s: np.ndarray, values: np.ndarray, **phases: Phase) -> tuple[RepCounter, list[float], list[Phase]]:
    counter = RepCounter(ENTER, LEAVE, MIN_S, **phases)
    finished, seen = [], []
    for moment, value in zip(time_s.tolist(), values.tolist(), strict=True):
        if counter.update(moment, value):
            finished.append(moment)
        seen.append(counter.phase)
    return counter, finished, seen


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
@pytest.mark.parametrize("count", [1, 4])
def test_the_stream_counts_what_the_whole_counts(count: int, fps: float) -> None:
    keys = curls(count=count)
    time_s, knee = signal(keys, fps=fps)
    follow = smoothing.OneEuro()
    causal = np.array([follow(float(moment), np.array([value]))[0] for moment, value in zip(time_s, knee, strict=True)])
    counter, finished, _ = count_live(time_s, causal)
    bounds = segment(time_s, knee, ENTER, LEAVE, MIN_S).bounds
    assert counter.count == len(bounds) == count
    for live_s, placed in zip(finished, bounds, strict=True):
        assert live_s == pytest.approx(placed.end_s, abs=0.5)


def test_update_says_when_a_repetition_is_finished() -> None:
    counter, finished, _ = count_live(*signal(curls(count=3)))
    assert counter.count == len(finished) == 3


def test_the_phases_follow_each_other() -> None:
    time_s, knee = signal(curls(count=2))
    _, _, phases = count_live(time_s, knee, outward=Phase.LOWERING, back=Phase.LIFTING)
    changes = [phases[0]] + [after for before, after in itertools.pairwise(phases) if after is not before]
    assert changes == [Phase.REST, Phase.LOWERING, Phase.LIFTING, Phase.REST, Phase.LOWERING, Phase.LIFTING, Phase.REST]


def test_the_stream_tells_of_an_unfinished_repetition() -> None:
    time_s, knee = signal(curls(count=1, hold_s=0.0))
    at_turn = time_s <= 3.2
    counter, _, _ = count_live(time_s[at_turn], knee[at_turn])
    assert counter.unfinished is not None
    assert counter.unfinished.began_s == pytest.approx(2.0, abs=0.3)
    assert counter.returned_share == 0.0
    half_way = time_s <= 3.9
    counter, _, _ = count_live(time_s[half_way], knee[half_way])
    assert counter.returned_share == pytest.approx(0.5, abs=0.15)
    counter, _, _ = count_live(time_s, knee)
    assert counter.unfinished is None


def test_nan_changes_nothing_in_the_stream() -> None:
    time_s, knee = signal(curls(count=2))
    plain, _, _ = count_live(time_s, knee)
    holes = np.where(np.arange(knee.size) % 3 == 0, np.nan, knee)
    counter, _, _ = count_live(time_s, holes)
    assert counter.count == plain.count == 2


@pytest.mark.parametrize("noise_deg", [0.0, 0.5])
@pytest.mark.parametrize(("out_s", "back_s"), [(0.8, 2.0), (2.0, 0.8), (2.5, 2.5)])
def test_the_tempo_has_the_last_degrees_of_each_way(out_s: float, back_s: float, noise_deg: float) -> None:
    """Near the turn the angle changes little for long; a turn that began there would make each way too short."""
    result = found(curls(count=2, out_s=out_s, hold_s=1.0, back_s=back_s, pause_s=1.0), noise_deg=noise_deg)
    assert len(result.bounds) == 2
    for bounds in result.bounds:
        assert bounds.turn_start_s - bounds.start_s == pytest.approx(out_s, rel=0.2, abs=0.1)
        assert bounds.end_s - bounds.turn_end_s == pytest.approx(back_s, rel=0.2, abs=0.1)
