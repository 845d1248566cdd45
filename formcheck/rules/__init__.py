"""The rules, one module each, and the explicit list of them."""

from collections.abc import Mapping
from types import MappingProxyType

from formcheck.rules import (
    ankle_not_neutral,
    arched_lower_back,
    bouncing,
    excessive_dorsiflexion,
    fast_lowering,
    fatigue,
    heel_lift,
    held_not_moving,
    hinge_from_hips,
    hips_hinging,
    hips_lifting,
    hips_rise_first,
    knee_not_bent,
    knee_not_straight,
    knees_bending,
    left_right_difference,
    locked_knees,
    missing_plantarflexion,
    momentum,
    neck_flexion,
    neural_load,
    reduce_the_load,
    rounded_lower_back,
    short_hold,
    short_range,
)
from formcheck.rules.base import Rule

_ALL = (
    locked_knees.RULE,
    excessive_dorsiflexion.RULE,
    rounded_lower_back.RULE,
    hinge_from_hips.RULE,
    knees_bending.RULE,
    hips_rise_first.RULE,
    ankle_not_neutral.RULE,
    missing_plantarflexion.RULE,
    momentum.RULE,
    fast_lowering.RULE,
    short_range.RULE,
    hips_lifting.RULE,
    hips_hinging.RULE,
    arched_lower_back.RULE,
    knee_not_straight.RULE,
    knee_not_bent.RULE,
    heel_lift.RULE,
    neck_flexion.RULE,
    neural_load.RULE,
    bouncing.RULE,
    short_hold.RULE,
    held_not_moving.RULE,
    left_right_difference.RULE,
    fatigue.RULE,
    reduce_the_load.RULE,
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _ALL})
