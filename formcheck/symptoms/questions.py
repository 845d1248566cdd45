"""The questionnaire as data: what can be answered, in the words that the person sees.

Whether a feeling is of the muscle or of the nerve follows the articles behind formcheck: a muscle's stretch is a local
pull that eases with the hold; a nerve burns, tingles, goes numb or feels electric, may run down the leg, and changes
when the head drops. No answer is a diagnosis, and none is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Answer(Enum):
    """One possible answer; its value is the text that the person sees."""

    @property
    def text(self) -> str:
        """The words of the answer."""
        return str(self.value)

    @property
    def key(self) -> str:
        """Its name on the command line: ``behind-knee``."""
        return self.name.lower().replace("_", "-")


class Place(Answer):
    """Where it is felt."""

    CALF = "Calf"
    THIGH = "Back of the thigh"
    BEHIND_KNEE = "Behind the knee"
    LOWER_BACK = "Lower back"
    BUTTOCK = "Buttock"
    FOOT = "Foot"


class Feeling(Answer):
    """What is felt."""

    PULL = "A pull or stretch"
    BURNING = "Burning"
    TINGLING = "Tingling, pins and needles"
    NUMBNESS = "Numbness"
    ELECTRIC = "Electric, shooting"
    PAIN = "Pain"
    WEAKNESS = "Weakness, the leg gives way"


class Holding(Answer):
    """What becomes of it while the position is held."""

    UNKNOWN = "I don't know"
    EASES = "It eases"
    SAME = "It stays the same"
    GROWS = "It grows"


class Change(Answer):
    """Whether a small movement changes it."""

    UNKNOWN = "I don't know"
    YES = "Yes"
    NO = "No"


class Duration(Answer):
    """How long it lasts."""

    DURING = "Only while I do it"
    HOURS = "Up to a day afterwards"
    DAYS = "For days"
    WEEKS = "For weeks, or it keeps coming back"


class Activity(Answer):
    """What brings it on."""

    STRETCH = "A hamstring stretch"
    CURL = "Leg curls"
    HINGE = "Deadlifts, good mornings, swings"
    OTHER = "Something else, or nothing in particular"


class Flag(Answer):
    """What must be looked at by a professional, whatever else was answered."""

    SADDLE = "Numbness between the legs, around the seat or the genitals"
    BLADDER = "A change in passing water or stool, or in holding them"
    BOTH_LEGS = "Tingling, numbness or weakness in both legs"
    GROWING_WEAKNESS = "A leg or foot that becomes weaker"
    SWOLLEN_CALF = "A calf that is swollen, warm or red"
    FEVER = "Fever, or feeling ill with it"
    NIGHT = "Pain at night, or at rest, that no position eases"
    ACCIDENT = "It began with a fall, a blow or an accident"
    POP = "A sudden pop or snap, or bruising"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the person answered; empty or unknown where nothing was."""

    places: frozenset[Place] = field(default_factory=frozenset)
    feelings: frozenset[Feeling] = field(default_factory=frozenset)
    holding: Holding = Holding.UNKNOWN
    head: Change = Change.UNKNOWN
    ankle: Change = Change.UNKNOWN
    duration: Duration = Duration.DURING
    activity: Activity = Activity.OTHER
    flags: frozenset[Flag] = field(default_factory=frozenset)


# Title of each question, in the order in which they are asked. The signs that come first are asked first.
QUESTIONS: dict[str, tuple[str, type[Answer]]] = {
    "flags": ("Is any of this true?", Flag),
    "places": ("Where do you feel it?", Place),
    "feelings": ("What does it feel like?", Feeling),
    "activity": ("What brings it on?", Activity),
    "holding": ("While you hold the position, what becomes of it?", Holding),
    "head": ("Does it change when you drop your head, or lift it?", Change),
    "ankle": ("Does it grow when you pull the toes up?", Change),
    "duration": ("How long does it last?", Duration),
}
SEVERAL = ("flags", "places", "feelings")  # questions that may have more than one answer
