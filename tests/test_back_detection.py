"""Rounded against neutral backs, outline beside landmarks: the comparison of `benchmarks/`, on made-up clips."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
AT_REST = np.arange(10) < 4  # the other six frames are the turn
PIVOT = 0.2 + 0.0j  # trunk lines


@pytest.fixture(scope="module")
def back() -> Iterator[SimpleNamespace]:
    """The three modules, found as when one of them runs as a script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        names = ("ingredients", "readings", "detection")
        yield SimpleNamespace(**{name: importlib.import_module(f"back_{name}") for name in names})


def made_clip(back: SimpleNamespace, body: str, lumbar: float, offset: float, head: float = 0.0) -> Any:
    """One repetition: 0 at rest, this at its turn. The head turns about `PIVOT`; landmarks see nothing else move."""
    step = np.where(AT_REST, 0.0, 1.0)
    ear = 100.0 * PIVOT + (10.0 + 10.0j) * np.exp(1j * np.radians(head * step))
    shape = back.ingredients.Shape(np.full(10, 100.0), np.full(10, 80.0), np.full(10, 0.5), ear, ear)
    others = dict.fromkeys(("bow", "hip", "knee", "lean"), 0.0 * step)
    return back.ingredients.Clip(
        name=f"{body} {lumbar} {head}",
        body=body,
        exercise="romanian-deadlift",
        yaw_deg=0.0,
        ruled=True,
        ingredients={"offset": offset * step, **others, **shape.ingredients(AT_REST)},
        shape=shape,
        lumbar=lumbar * step,
        neck=head * step,
        turn=np.where(AT_REST, 0, 1),
        at_rest=AT_REST,
    )


def made_clips(back: SimpleNamespace) -> list[Any]:
    """Three bodies, each with a neutral and a rounded back."""
    return [made_clip(back, body, lumbar, offset) for body in "abc" for lumbar, offset in ((2.0, 1.0), (40.0, 20.0))]


def response(back: SimpleNamespace, **added: float) -> Any:
    names = ("shortening", "shortening in space", "offset", "bow")
    return back.ingredients.HeadResponse(PIVOT, PIVOT, {name: added.get(name, 0.0) for name in names})


def test_head_that_is_moved_turns_about_the_neck(back: SimpleNamespace) -> None:
    still = made_clip(back, "a", 0.0, 0.0)
    moved = still.with_head(np.full(10, 90.0), response(back, offset=0.1))
    turn, rest = ~AT_REST, AT_REST
    # the ear goes from (30, 10) to (10, 10) in front of the shoulder
    assert moved.ingredients["head"][turn] == pytest.approx(45.0 - np.degrees(np.arctan2(10, 30)))
    assert moved.ingredients["ear to hip"][turn] == pytest.approx(100 * (1 - np.hypot(110, 10) / np.hypot(130, 10)))
    assert moved.ingredients["offset"][turn] == pytest.approx(9.0)
    assert moved.ingredients["shortening"] == pytest.approx(0.0)
    assert moved.neck[turn] == pytest.approx(90.0)
    for name, values in moved.ingredients.items():
        assert values[rest] == pytest.approx(0.0), name


def test_moving_a_head_in_numbers_is_what_a_moved_head_measures(back: SimpleNamespace) -> None:
    filmed, moved = (
        made_clip(back, "a", 0.0, 0.0, 40.0),
        made_clip(back, "a", 0.0, 0.0).with_head(np.full(10, 40.0), response(back)),
    )
    for name, values in filmed.ingredients.items():
        assert moved.ingredients[name] == pytest.approx(values), name


def test_what_a_head_does_is_measured_where_only_it_moves(back: SimpleNamespace) -> None:
    lifted = made_clip(back, "a", 0.0, 0.0, -60.0)
    lifted = replace(lifted, ingredients={**lifted.ingredients, "offset": np.where(AT_REST, 0.0, 3.0)})
    found = back.readings.head_response([lifted, made_clip(back, "b", 40.0, 20.0, 60.0)])  # the second one rounds
    assert found.ear_about == pytest.approx(PIVOT)
    assert found.added["offset"] == pytest.approx(-0.05)
    assert found.added["shortening"] == pytest.approx(0.0)
    assert back.readings.head_response(made_clips(back)) is None


def test_head_that_lifts_is_read_backwards(back: SimpleNamespace) -> None:
    (move,) = back.readings.head_moves([made_clip(back, "a", 0.0, 5.0, -60.0)])
    assert move.at_turn(move.clip.neck) == pytest.approx(60.0)
    assert move.at_turn(move.clip.ingredients["offset"]) == pytest.approx(-5.0)


def test_outline_is_ahead_of_landmarks_that_tell_nothing(back: SimpleNamespace) -> None:
    found = back.detection.detections(made_clips(back))
    assert len(found) == 4  # no head moves, so nothing can be said of it
    for one in found:
        assert (one.rounded, one.neutral, one.repetitions, one.largest_share) == (3, 3, 6, 1)
        assert one.auc["offset + bow"] == 1.0
        assert {one.auc[name] for name in back.readings.PROXIES} == {0.5}
        assert one.margin == 0.5
        assert one.interval == (0.5, 0.5)


def test_landmarks_are_ahead_where_the_head_drops_as_backs_round(back: SimpleNamespace) -> None:
    clips = [made_clip(back, body, lumbar, 1.0, head) for body in "abc" for lumbar, head in ((2.0, 0.0), (40.0, 30.0))]
    (one, *_) = back.detection.detections(clips)
    assert one.auc["ear-shoulder-hip angle (head)"] == 1.0
    assert one.auc["offset + bow"] == 0.5
    assert one.margin == -0.5


def test_what_if_takes_the_head_from_the_landmarks(back: SimpleNamespace) -> None:
    """Heads that drop where backs round tell all as filmed, and nothing once every head is up and down."""
    rounding = [
        made_clip(back, body, lumbar, lumbar / 2, head) for body in "abc" for lumbar, head in ((2.0, 0.0), (40.0, 30.0))
    ]
    found = {one.title: one for one in back.detection.detections([*rounding, made_clip(back, "d", 0.0, 0.0, -60.0)])}
    filmed, free = found["7 clips of exercises with the rule"], found["what if: every head at 0 or 25°, fitted to such"]
    assert filmed.margin == 0.0
    assert free.auc["offset + bow"] == 1.0
    assert free.auc["ear-shoulder-hip angle (head)"] <= 0.5
    assert free.margin >= 0.4


def test_repetition_that_the_outline_cannot_tell_is_counted_and_not_judged(back: SimpleNamespace) -> None:
    clips = made_clips(back)
    hidden = made_clip(back, "d", 2.0, np.nan)
    found = back.detection.detections([*clips, hidden])[0]
    assert (found.rounded, found.neutral, found.repetitions) == (3, 3, 7)


def test_margin_interval_goes_by_bodies(back: SimpleNamespace) -> None:
    """One of three bodies is told by the outline alone: the margin hangs on how often it is drawn."""
    rounded = np.array([True, False] * 3)
    ours, landmarks = np.array([1.0, 0.0] * 3), np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    values = dict.fromkeys(back.readings.PROXIES, landmarks) | {back.readings.NAME: ours}
    low, high = back.detection.margin_interval(values, rounded, list("aabbcc"))
    assert low == 0.0
    assert high == 0.5
