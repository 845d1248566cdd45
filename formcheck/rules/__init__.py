"""The rules, one module each, and the explicit list of them."""

from collections.abc import Mapping
from types import MappingProxyType

from formcheck.rules import (
    excessive_dorsiflexion,
    locked_knees,
    missing_plantarflexion,
    rounded_lower_back,
    short_range,
)
from formcheck.rules.base import Rule

_ALL = (
    locked_knees.RULE,
    excessive_dorsiflexion.RULE,
    rounded_lower_back.RULE,
    missing_plantarflexion.RULE,
    short_range.RULE,
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _ALL})
