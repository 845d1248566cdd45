"""The questions to ask of every set of ingredients: which repetitions to tell apart, and which clips to fit it to.

Some are as filmed. In the what-ifs the heads are moved in the measured numbers, by what was measured in the clips in
which only a head moves: they show what a landmark-only set owes to heads that drop where backs round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from back_ingredients import OURS, ROUNDED_DEG, Clip, HeadResponse
from numpy.typing import NDArray

from formcheck import lumbar
from formcheck.types import FloatArray

HEAD_DROP_DEG = (
    25.0  # a head that drops or lifts so far over a back that stays as it is: what must not be taken for rounding
)
FAR_HEAD_DROP_DEG = 50.0  # as far as in the clip with a planted one
HEAD_YAW_DEG = 30.0  # up to here for repetitions in which only the head moves, of which there are few clips
STILL_DEG = 10.0  # a trunk that leans by less than this stays as it is
NAME = " + ".join(OURS)
WHAT_IF = "what if:"  # begins the titles of what no clip shows

# Sets of ingredients from landmarks alone: the angles and lengths that other tools go by, and the best made of them.
PROXIES = {
    "ear-shoulder-hip angle (head)": ("head",),
    "nose-shoulder-hip angle": ("nose",),
    "shoulder-hip-knee angle (hip)": ("hip",),
    "trunk lean": ("lean",),
    "hip + trunk lean + knee": ("hip", "lean", "knee"),
    "trunk shortening": ("shortening",),
    "trunk shortening against thigh": ("shortening against thigh",),
    "trunk shortening in space": ("shortening in space",),
    "ear-to-hip shortening": ("ear to hip",),
    "ear-to-hip shortening against thigh": ("ear to hip against thigh",),
    "trunk shortening + head": ("shortening", "head"),
    "trunk shortening + nose": ("shortening", "nose"),
    "trunk shortening against thigh + head": ("shortening against thigh", "head"),
    "trunk shortening + head + hip": ("shortening", "head", "hip"),
    "trunk shortening + hip + trunk lean + knee": ("shortening", "hip", "lean", "knee"),
    "ear-to-hip shortening + hip + trunk lean": ("ear to hip", "hip", "lean"),
    "eight of these together": (
        *("shortening", "shortening against thigh", "ear to hip", "head", "nose"),
        *("hip", "lean", "knee"),
    ),
}
SETS: Mapping[str, tuple[str, ...]] = {**PROXIES, NAME: OURS}
NEEDED = tuple(dict.fromkeys(name for names in SETS.values() for name in names))


@dataclass(frozen=True, slots=True)
class Case:
    """One repetition of a clip; `sign` -1 reads it backwards, from the turn to rest."""

    clip: Clip
    number: int
    sign: float = 1.0

    def at_turn(self, values: FloatArray) -> float:
        return self.sign * float(np.nanmedian(values[self.clip.turn == self.number]))

    @property
    def rounded(self) -> bool:
        return self.at_turn(self.clip.lumbar) >= ROUNDED_DEG

    @property
    def told(self) -> bool:
        """Whether every ingredient is known in enough of the turn."""
        known = np.isfinite(self.clip.known(NEEDED)).all(axis=1)
        return bool(known[self.clip.turn == self.number].mean() >= lumbar.MIN_JUDGED_SHARE)

    @property
    def only_head(self) -> bool:
        """Whether the head moves far while the lower back stays."""
        neck, back = self.at_turn(self.clip.neck), self.at_turn(self.clip.lumbar)
        return abs(neck) >= HEAD_DROP_DEG and abs(back) < ROUNDED_DEG / 2


@dataclass(frozen=True, slots=True)
class Reading:
    """A question to ask of every set of ingredients.

    Attributes
    ----------
    title : str
    cases : sequence of Case
        All told.
    repetitions : int
        How many there are with those in which the back, or a landmark, cannot be told.
    fitted_to : sequence of Clip
    """

    title: str
    cases: Sequence[Case]
    repetitions: int
    fitted_to: Sequence[Clip]


def repetitions(clips: Iterable[Clip]) -> list[Case]:
    return [Case(clip, number) for clip in clips for number in range(1, clip.turn.max() + 1)]


def readings(clips: Sequence[Clip]) -> list[Reading]:
    ruled, side = [clip for clip in clips if clip.fitted], [clip for clip in clips if clip.side_view]
    further = [clip for clip in clips if clip.ruled and clip.yaw_deg <= HEAD_YAW_DEG]
    found = [
        _as_filmed(f"{len(ruled)} clips of exercises with the rule", ruled, ruled),
        _as_filmed(f"all {len(side)} clips", side, ruled),
        _as_filmed(f"all {len(side)}, fitted to all {len(side)}", side, side),
        _as_filmed(f"{len(further)} clips with the rule, camera up to {HEAD_YAW_DEG:.0f}°", further, further),
    ]
    response = head_response(clips)
    if response is None:
        return found
    rounded = [case for case in repetitions(ruled) if case.rounded]
    told = [case for case in rounded if case.told]
    moves = [case for case in head_moves(clips) if case.clip.side_view]
    found.append(
        Reading("rounded against real head moves in side view", [*told, *moves], len(rounded) + len(moves), ruled)
    )
    moves = head_moves(clips)
    title = f"the same, head moves up to {HEAD_YAW_DEG:.0f}°"
    found.append(Reading(title, [*told, *moves], len(rounded) + len(moves), ruled))
    return [*found, *_what_ifs(ruled, side, response)]


def head_moves(clips: Iterable[Clip]) -> list[Case]:
    """Told repetitions in which only the head moves, camera up to `HEAD_YAW_DEG` round, all read as heads that drop."""
    cases = [case for case in repetitions(clips) if case.clip.yaw_deg <= HEAD_YAW_DEG and case.only_head and case.told]
    return [Case(case.clip, case.number, float(np.sign(case.at_turn(case.clip.neck)))) for case in cases]


def _as_filmed(title: str, clips: Sequence[Clip], fitted_to: Sequence[Clip]) -> Reading:
    cases = repetitions(clips)
    return Reading(title, [case for case in cases if case.told], len(cases), fitted_to)


def still_clips(clips: Iterable[Clip]) -> list[Clip]:
    """Clips in side view in which the head moves and the trunk stays."""
    still = [case for case in head_moves(clips) if abs(case.at_turn(case.clip.ingredients["lean"])) < STILL_DEG]
    return list({case.clip.name: case.clip for case in still if case.clip.side_view}.values())


def head_response(clips: Iterable[Clip]) -> HeadResponse | None:
    """What a head alone does to the ingredients: the mean over the clips in which the trunk stays; None without any.

    Changes from rest go through 0.
    """
    chosen = still_clips(clips)
    if not chosen:
        return None

    def slope(name: str) -> float:
        found = []
        for clip in chosen:
            known = np.isfinite(clip.ingredients[name])
            neck = clip.neck[known]
            found.append(float(neck @ clip.ingredients[name][known] / (neck @ neck)))
        return float(np.mean(found))

    others = ("shortening", "shortening in space", *OURS)
    return HeadResponse(
        complex(np.mean([_turns_about(clip, clip.shape.ear) for clip in chosen])),
        complex(np.mean([_turns_about(clip, clip.shape.nose) for clip in chosen])),
        {name: slope(name) for name in others},
    )


def _turns_about(clip: Clip, landmark: NDArray[np.complex128]) -> complex:
    """The point about which a landmark turns by the true angle, by least squares; in trunk lines at rest."""
    place = landmark / np.nanmedian(clip.shape.trunk[clip.at_rest])
    known = np.isfinite(place)
    turned = np.exp(1j * np.radians(clip.neck[known]))
    return complex(np.linalg.lstsq(np.stack([np.ones_like(turned), turned], axis=1), place[known], rcond=None)[0][0])


def _what_ifs(ruled: Sequence[Clip], side: Sequence[Clip], response: HeadResponse) -> list[Reading]:
    near, far = (0.0, HEAD_DROP_DEG), (0.0, FAR_HEAD_DROP_DEG)
    every = repetitions(ruled)
    cases = [case for case in every if case.told]
    held = {case.clip.name: _neutral_head(case, cases) for case in cases}

    def dropped(case: Case) -> Case:
        return Case(case.clip.with_head(np.full(len(case.clip.neck), HEAD_DROP_DEG), response), case.number)

    def lifted(case: Case) -> Case:
        by = held[case.clip.name] - case.at_turn(case.clip.neck)
        return Case(case.clip.with_head(np.full(len(case.clip.neck), by), response), case.number)

    heads_down = [case if case.rounded else dropped(case) for case in cases]
    heads_up = [lifted(case) if case.rounded else case for case in cases]
    all_told = [case for case in repetitions(side) if case.told]
    count, all_count = len(every), len(repetitions(side))
    low, high = (f"every head at 0 or {drop:.0f}°" for drop in (HEAD_DROP_DEG, FAR_HEAD_DROP_DEG))
    asked: list[tuple[str, Sequence[Case], int, Sequence[Clip]]] = [
        (f"neutral heads {HEAD_DROP_DEG:.0f}° further down", heads_down, count, ruled),
        ("rounded heads held as in neutral repetitions", heads_up, count, ruled),
        (low, _free(cases, near, response), count, ruled),
        (f"{low}, fitted to such", _free(cases, near, response), count, _free_clips(ruled, near, response)),
        (f"{high}, fitted to such", _free(cases, far, response), count, _free_clips(ruled, far, response)),
        (
            f"all {len(side)}, {low}, fitted to such",
            _free(all_told, near, response),
            all_count,
            _free_clips(side, near, response),
        ),
    ]
    return [Reading(f"{WHAT_IF} {title}", *rest) for title, *rest in asked]


def _neutral_head(case: Case, cases: Sequence[Case]) -> float:
    """How the neutral repetitions of an exercise hold their heads, true degrees; those of all where it has none."""
    neutral = [other for other in cases if not other.rounded]
    same = [other for other in neutral if other.clip.exercise == case.clip.exercise]
    return float(np.median([other.at_turn(other.clip.neck) for other in same or neutral]))


def _free(cases: Iterable[Case], heads_deg: Sequence[float], response: HeadResponse) -> list[Case]:
    """Every repetition with the head in each position, so that the head tells nothing of the back."""
    return [
        Case(case.clip.with_head(head - case.clip.neck, response), case.number) for case in cases for head in heads_deg
    ]


def _free_clips(clips: Iterable[Clip], heads_deg: Sequence[float], response: HeadResponse) -> list[Clip]:
    return [clip.with_head(head - clip.neck, response) for clip in clips for head in heads_deg]
