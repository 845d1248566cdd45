"""From answers, and what was measured, to advice. Pure; the texts are in `texts`.

How careful the advice is depends on the answers alone: what the camera saw, or did not see, never makes it bolder.

- A red flag: see a professional first, and nothing else but to stop.
- Weakness, numbness, what has lasted for days, or nerve feelings that stay after the session: see a professional, and
  until then only what takes strain away.
- Pain, or a nerve feeling while moving: take strain away; see a professional if it comes again or stays.
- A pull: the changes of form that move it to where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from formcheck.symptoms import texts
from formcheck.symptoms.measured import Seen
from formcheck.symptoms.questions import Activity, Answers, Change, Duration, Feeling, Flag, Holding, Place
from formcheck.symptoms.texts import Words


class Kind(StrEnum):
    """What a piece of advice is."""

    PROFESSIONAL = "see a professional"
    STOP = "stop"
    EASE = "take strain away"
    FORM = "change the form"
    EXERCISE = "do"
    NOTE = "note"


class Care(IntEnum):
    """How careful the advice must be."""

    NONE = 0
    WATCH = 1  # see a professional if it stays or comes again
    SEE = 2
    URGENT = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice, most important first.

    Attributes
    ----------
    kind : Kind
    title, text : str
        What to do, in a few words and in full.
    measured : str
        What the camera says about it; empty when it has nothing to say.
    exercises : tuple of str
        Ids of exercises that it suggests.
    urgent : bool
        True when it cannot wait.
    """

    kind: Kind
    title: str
    text: str
    measured: str = ""
    exercises: tuple[str, ...] = ()
    urgent: bool = False


NERVE = frozenset({Feeling.BURNING, Feeling.TINGLING, Feeling.NUMBNESS, Feeling.ELECTRIC})
LOST = frozenset({Feeling.NUMBNESS, Feeling.WEAKNESS})
LOW = frozenset({Place.CALF, Place.BEHIND_KNEE, Place.FOOT})
HIGH = frozenset({Place.LOWER_BACK, Place.BUTTOCK})
AT_ONCE = frozenset({Flag.SADDLE, Flag.BLADDER, Flag.BOTH_LEGS, Flag.GROWING_WEAKNESS, Flag.SWOLLEN_CALF, Flag.FEVER})


def care(answers: Answers) -> Care:
    """How careful the advice must be; more answers of concern never make it less so."""
    if answers.flags:
        return Care.URGENT
    nerve, pain = bool(answers.feelings & NERVE), Feeling.PAIN in answers.feelings
    runs_down = bool(answers.places & HIGH) and bool(answers.places & LOW)
    lasting = answers.duration in (Duration.DAYS, Duration.WEEKS)
    if answers.feelings & LOST or answers.duration is Duration.WEEKS or (lasting and (nerve or pain)):
        return Care.SEE
    if nerve and (runs_down or answers.duration is Duration.HOURS):
        return Care.SEE
    return Care.WATCH if nerve or pain or lasting or Change.YES is answers.head else Care.NONE


def advise(answers: Answers, measured: Mapping[str, Seen] | None = None) -> tuple[Advice, ...]:
    """Turn answers into advice.

    Parameters
    ----------
    answers : Answers
    measured : mapping of rule id to Seen, or None
        What `measured_in` says of the last session; None without one.

    Returns
    -------
    tuple of Advice
        Most important first; never empty. With a red flag, nothing but to see a professional and to stop.
    """
    seen = measured or {}
    level = care(answers)
    if level is Care.URGENT:
        words = texts.AT_ONCE if answers.flags & AT_ONCE else texts.SOON
        return _plain(Kind.PROFESSIONAL, words, urgent=True), _plain(Kind.STOP, texts.STOP)
    if level is Care.SEE:
        # What the camera did not find is no matter for somebody who should be examined.
        found = (made for made in _form(answers, seen) if made.measured == texts.MEASURED[Seen.FOUND])
        return (_plain(Kind.PROFESSIONAL, texts.SEE), _plain(Kind.EASE, texts.UNTIL_THEN), *found)
    if not answers.places and not answers.feelings and level is Care.NONE:
        return (_plain(Kind.NOTE, texts.NOTHING_ANSWERED),)
    made = (*_ease(answers), *_form(answers, seen), *_exercises(answers, level), *_notes(answers, level))
    return made or (_plain(Kind.NOTE, texts.NOTHING_FITS),)


def _plain(kind: Kind, words: Words, *, urgent: bool = False, exercises: tuple[str, ...] = ()) -> Advice:
    return Advice(kind, words.title, words.text, exercises=exercises, urgent=urgent)


def _from_nerve(answers: Answers) -> bool:
    return bool(answers.feelings & NERVE) or answers.head is Change.YES


def _ease(answers: Answers) -> Iterator[Advice]:
    if Feeling.PAIN in answers.feelings:
        yield _plain(Kind.EASE, texts.NO_PAIN)
    if _from_nerve(answers) and answers.activity is not Activity.CURL:
        yield _plain(Kind.EASE, texts.NO_STATIC_HOLD)
    elif answers.holding is Holding.GROWS:
        yield _plain(Kind.EASE, texts.EASE_OFF)
    loaded = answers.activity in (Activity.CURL, Activity.HINGE)
    elsewhere = answers.places - {Place.THIGH}
    if loaded and (elsewhere or Feeling.PAIN in answers.feelings or _from_nerve(answers)):
        yield _plain(Kind.EASE, texts.LIGHTER)


def _form(answers: Answers, seen: Mapping[str, Seen]) -> Iterator[Advice]:
    """Changes of form for what was answered; each with what the camera says, those that it found first."""
    changes = [_change(rule, seen) for rule in _causes(answers, seen)]
    order = [Seen.FOUND, Seen.NOT_JUDGED, None, Seen.NOT_FOUND]
    yield from (made for wanted in order for made, found in changes if found is wanted)


def _causes(answers: Answers, seen: Mapping[str, Seen]) -> Iterator[str]:
    """The causes that what was answered points to, and those that the camera found."""
    low, back = bool(answers.places & LOW), bool(answers.places & HIGH)
    curl, nerve = answers.activity is Activity.CURL, _from_nerve(answers)
    fitting = {
        "locked-knees": not curl and (low or nerve),
        "excessive-dorsiflexion": not curl and (low or nerve or answers.ankle is Change.YES),
        "rounded-lower-back": not curl and (low or back or nerve),
        "neck-flexion": not curl and (nerve or answers.head is Change.YES),
        "missing-plantarflexion": curl and (low or answers.ankle is Change.YES),
        "momentum": curl and low,
    }
    yield from (rule for rule, fits in fitting.items() if fits or seen.get(rule) is Seen.FOUND)


def _change(rule: str, seen: Mapping[str, Seen]) -> tuple[Advice, Seen | None]:
    words, found = texts.CAUSES[rule], seen.get(rule)
    return Advice(Kind.FORM, words.title, words.text, "" if found is None else texts.MEASURED[found]), found


def _exercises(answers: Answers, level: Care) -> Iterator[Advice]:
    """What to do besides; only where nothing hurts."""
    if Feeling.PAIN in answers.feelings:
        return
    if _from_nerve(answers):
        yield _plain(Kind.EXERCISE, texts.GLIDES, exercises=("sciatic-slider",))
    elif answers.places & LOW and level is Care.NONE:
        stretches = ("gastrocnemius-wall-stretch", "soleus-wall-stretch")
        yield _plain(Kind.EXERCISE, texts.CALF_STRETCH, exercises=stretches)


def _notes(answers: Answers, level: Care) -> Iterator[Advice]:
    if level is Care.WATCH:
        yield _plain(Kind.PROFESSIONAL, texts.IF_IT_STAYS)
    only_thigh = answers.places == {Place.THIGH} and answers.feelings == {Feeling.PULL}
    if level is Care.NONE and only_thigh and answers.holding is not Holding.GROWS:
        yield _plain(Kind.NOTE, texts.WHERE_IT_BELONGS)
