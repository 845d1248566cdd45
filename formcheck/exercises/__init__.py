"""The exercises, one module each, and the explicit list of them."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from formcheck.errors import ConfigError
from formcheck.exercises import (
    bird_dog,
    deadlift,
    gastrocnemius_wall_stretch,
    glute_bridge,
    glute_ham_raise,
    good_morning,
    kettlebell_swing,
    nordic_curl,
    prone_leg_curl,
    romanian_deadlift,
    sciatic_slider,
    seated_hamstring_stretch,
    seated_leg_curl,
    single_leg_rdl,
    soleus_wall_stretch,
    standing_leg_curl,
    standing_toe_touch,
    supine_hamstring_stretch,
)
from formcheck.exercises.base import Exercise

_ALL = (
    prone_leg_curl.EXERCISE,
    seated_leg_curl.EXERCISE,
    standing_leg_curl.EXERCISE,
    nordic_curl.EXERCISE,
    romanian_deadlift.EXERCISE,
    single_leg_rdl.EXERCISE,
    good_morning.EXERCISE,
    kettlebell_swing.EXERCISE,
    deadlift.EXERCISE,
    glute_ham_raise.EXERCISE,
    glute_bridge.EXERCISE,
    bird_dog.EXERCISE,
    standing_toe_touch.EXERCISE,
    seated_hamstring_stretch.EXERCISE,
    supine_hamstring_stretch.EXERCISE,
    gastrocnemius_wall_stretch.EXERCISE,
    soleus_wall_stretch.EXERCISE,
    sciatic_slider.EXERCISE,
)

EXERCISES: Mapping[str, Exercise] = MappingProxyType({exercise.id: exercise for exercise in _ALL})


def find_exercise(name: str) -> Exercise:
    """Return the exercise with this id, title or alias, whatever its case, spaces, dashes or underscores.

    Raises
    ------
    ConfigError
        When there is none; the text names the closest ones.
    """
    wanted = _plain(name)
    names = {_plain(known): exercise for exercise in _ALL for known in (exercise.id, exercise.title, *exercise.aliases)}
    if wanted in names:
        return names[wanted]
    close = [names[match].id for match in get_close_matches(wanted, names, n=3, cutoff=0.5)]
    hint = ", ".join(dict.fromkeys(close)) or ", ".join(EXERCISES)
    raise ConfigError(f"there is no exercise {name!r}; try one of: {hint} (all: formcheck exercises)")


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
