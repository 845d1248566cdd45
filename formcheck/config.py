"""The person's settings: which rules are used, and with which limits.

A settings file is TOML. `docs/formcheck.example.toml` shows every key::

    select = ["locked-knees"]              # only these rules
    ignore = ["short-range"]               # not these

    [rules.excessive-dorsiflexion]         # in every exercise
    caution = 12.0
    fault = false                          # false switches the level off
    held_s = 1.0                           # any parameter of the rule

    [exercises.romanian-deadlift.rules.locked-knees]   # in one exercise; wins over the above
    caution = 2.0

A key that is not known is an error, never ignored: a misspelt limit must not look as if it were in force.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from formcheck.errors import ConfigError
from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise
from formcheck.rules import RULES
from formcheck.rules.base import Limits, Rule

Level = float | Literal[False] | None  # a new limit, switched off, or left as it is


@dataclass(frozen=True, slots=True)
class LimitChange:
    """What a settings file changes of one rule's limits.

    Attributes
    ----------
    caution, fault : float, False or None
        In the rule's unit; False switches the level off, None leaves it as it is.
    parameters : mapping of str to float
    """

    caution: Level = None
    fault: Level = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    def apply(self, limits: Limits) -> Limits:
        """Return `limits` with this change made."""
        return Limits(
            caution=_level(self.caution, limits.caution),
            fault=_level(self.fault, limits.fault),
            parameters={**limits.parameters, **self.parameters},
        )


def _level(change: Level, before: float | None) -> float | None:
    if change is None:
        return before
    return None if change is False else change


@dataclass(frozen=True, slots=True)
class Settings:
    """Which rules are used and what is changed of their limits; the default changes nothing.

    Attributes
    ----------
    select : tuple of str or None
        Ids of the only rules to use; None for all of the exercise's.
    ignore : tuple of str
        Ids of rules not to use.
    rules : mapping of rule id to LimitChange
        For every exercise.
    exercises : mapping of exercise id to (mapping of rule id to LimitChange)
        For one exercise; applied after `rules`.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    rules: Mapping[str, LimitChange] = field(default_factory=dict)
    exercises: Mapping[str, Mapping[str, LimitChange]] = field(default_factory=dict)

    def limits(self, exercise: Exercise, rule: Rule) -> Limits:
        """Limits of `rule` in `exercise`: the rule's own, then the exercise's, then the person's.

        Raises
        ------
        ConfigError
            When the resulting fault limit is milder than the caution limit.
        """
        limits = rule.limits
        use = exercise.rule_use(rule.id)
        if use is not None:
            limits = LimitChange(use.caution, use.fault, use.parameters).apply(limits)
        for changes in (self.rules, self.exercises.get(exercise.id, {})):
            if rule.id in changes:
                limits = changes[rule.id].apply(limits)
        caution, fault = limits.caution, limits.fault
        if caution is not None and fault is not None and rule.direction.excess(fault, caution) < 0:
            raise ConfigError(
                f"{rule.id} in {exercise.id}: the fault limit {fault:g} {rule.unit} is milder than the caution limit "
                f"{caution:g}; change both, or set one of them to false"
            )
        return limits

    def active_rules(self, exercise: Exercise) -> tuple[Rule, ...]:
        """Rules to check in `exercise`, in its order; a rule with both levels switched off is not one of them."""
        rules = (RULES[use.rule] for use in exercise.rules)
        return tuple(rule for rule in rules if self._is_chosen(rule) and _speaks(self.limits(exercise, rule)))

    def _is_chosen(self, rule: Rule) -> bool:
        return (self.select is None or rule.id in self.select) and rule.id not in self.ignore

    def with_choice(self, select: Collection[str], ignore: Collection[str]) -> Settings:
        """Return these settings with the command line's choice: its `select` replaces ours, its `ignore` adds to ours.

        Raises
        ------
        ConfigError
            When a rule is not known.
        """
        for name in (*select, *ignore):
            if name not in RULES:
                raise ConfigError(f"there is no rule {name!r}{closest(name, RULES)} (all: formcheck rules)")
        return replace(
            self,
            select=tuple(select) if select else self.select,
            ignore=tuple(dict.fromkeys((*self.ignore, *ignore))),
        )


def _speaks(limits: Limits) -> bool:
    return limits.caution is not None or limits.fault is not None


def closest(name: str, known: Collection[str]) -> str:
    """Return ``; did you mean 'x'?`` for the known name nearest to `name`, or the list of known names."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else f"; known: {', '.join(known)}"


def load_settings(path: str | Path) -> Settings:
    """Read a settings file.

    Parameters
    ----------
    path : str or Path
        A TOML file, UTF-8.

    Raises
    ------
    ConfigError
        When it cannot be read, is not TOML, or holds an unknown key, name or a wrong value; one line naming the
        file, the key and, where there is one, the closest known name.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the settings file: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the settings file is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {' '.join(str(error).split())}") from error
    try:
        settings = _settings(document)
        for exercise in EXERCISES.values():
            settings.active_rules(exercise)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return settings


def _settings(document: Mapping[str, object]) -> Settings:
    _known_keys(document, ("select", "ignore", "rules", "exercises"), "")
    exercises: dict[str, Mapping[str, LimitChange]] = {}
    for name, value in _table(document.get("exercises", {}), "exercises").items():
        where = f"exercises.{name}"
        _known_keys({name: value}, EXERCISES, "exercises.", kind="exercise")
        table = _table(value, where)
        _known_keys(table, ("rules",), f"{where}.")
        used = tuple(use.rule for use in EXERCISES[name].rules)
        exercises[name] = _changes(table.get("rules", {}), f"{where}.rules", used, f"rule of {name}")
    return Settings(
        select=_rule_ids(document["select"], "select") if "select" in document else None,
        ignore=_rule_ids(document.get("ignore", []), "ignore"),
        rules=_changes(document.get("rules", {}), "rules", tuple(RULES), "rule"),
        exercises=exercises,
    )


def _changes(value: object, where: str, known: Collection[str], kind: str) -> Mapping[str, LimitChange]:
    table = _table(value, where)
    _known_keys(table, known, f"{where}.", kind=kind)
    return {name: _change(RULES[name], change, f"{where}.{name}") for name, change in table.items()}


def _change(rule: Rule, value: object, where: str) -> LimitChange:
    table = _table(value, where)
    parameters = tuple(rule.limits.parameters)
    _known_keys(table, ("caution", "fault", *parameters), f"{where}.")
    return LimitChange(
        caution=_level_value(table, "caution", where),
        fault=_level_value(table, "fault", where),
        parameters={name: _number(table[name], f"{where}.{name}") for name in parameters if name in table},
    )


def _level_value(table: Mapping[str, object], key: str, where: str) -> Level:
    if key not in table:
        return None
    return False if table[key] is False else _number(table[key], f"{where}.{key}", or_false=True)


def _number(value: object, where: str, *, or_false: bool = False) -> float:
    # bool is a subclass of int, and TOML knows nan and inf: none of them is a limit.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{where} must be a number{' or false' if or_false else ''}, not {value!r}")
    return float(value)


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table like [{where}], not {value!r}")
    return value


def _rule_ids(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f'{where} must be a list of rule names like ["locked-knees"], not {value!r}')
    if where == "select" and not value:
        raise ConfigError("select is empty, so no rule would be checked; name some, or leave the line out")
    for name in value:
        if name not in RULES:
            raise ConfigError(f"{where}: there is no rule {name!r}{closest(name, RULES)}")
    return tuple(value)


def _known_keys(table: Mapping[str, object], known: Collection[str], prefix: str, *, kind: str = "key") -> None:
    for name in table:
        if name not in known:
            raise ConfigError(f"{prefix}{name}: there is no {kind} {name!r}{closest(name, known)}")
