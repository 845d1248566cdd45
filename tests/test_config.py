"""Settings files: what they change, and what is refused."""

from pathlib import Path

import pytest

from formcheck.config import LimitChange, Settings, load_settings
from formcheck.errors import ConfigError
from formcheck.exercises import EXERCISES
from formcheck.rules import RULES

RDL = EXERCISES["romanian-deadlift"]
STRETCH = EXERCISES["seated-hamstring-stretch"]
EXAMPLE = Path(__file__).parents[1] / "docs" / "formcheck.example.toml"


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "formcheck.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_without_settings_every_rule_of_the_exercise_is_used_with_its_limits(exercise):
    rules = Settings().active_rules(exercise)
    assert [rule.id for rule in rules] == [use.rule for use in exercise.rules]
    for use, rule in zip(exercise.rules, rules, strict=True):
        limits = Settings().limits(exercise, rule)
        assert limits.caution == (use.caution if use.caution is not None else rule.limits.caution)
        assert limits.fault == (use.fault if use.fault is not None else rule.limits.fault)
        assert limits.parameters == {**rule.limits.parameters, **use.parameters}


def test_the_documented_example_loads():
    settings = load_settings(EXAMPLE)
    dorsiflexion = settings.limits(STRETCH, RULES["excessive-dorsiflexion"])
    assert (dorsiflexion.caution, dorsiflexion.fault, dorsiflexion.parameters["held_s"]) == (12.0, 18.0, 1.0)
    knees = settings.limits(RDL, RULES["locked-knees"])
    assert (knees.caution, knees.fault) == (2.0, None)
    assert settings.limits(STRETCH, RULES["locked-knees"]) == RULES["locked-knees"].limits
    active = [rule.id for rule in settings.active_rules(RDL)]
    assert active == ["locked-knees", "rounded-lower-back", "excessive-dorsiflexion"]


def test_the_exercise_wins_over_the_rule_key_by_key(tmp_path):
    settings = load(
        tmp_path,
        "[rules.locked-knees]\ncaution = 6\nheld_s = 2\n[exercises.romanian-deadlift.rules.locked-knees]\ncaution = 1",
    )
    assert settings.limits(RDL, RULES["locked-knees"]).caution == 1.0
    assert settings.limits(RDL, RULES["locked-knees"]).parameters["held_s"] == 2.0
    assert settings.limits(STRETCH, RULES["locked-knees"]).caution == 6.0


def test_a_persons_limit_wins_over_the_exercises_own(tmp_path):
    settings = load(tmp_path, "[rules.short-range]\ncaution = 40")
    assert settings.limits(RDL, RULES["short-range"]).caution == 40.0


def test_a_rule_with_both_levels_off_is_not_used(tmp_path):
    settings = load(tmp_path, "[rules.locked-knees]\ncaution = false\nfault = false")
    assert "locked-knees" not in [rule.id for rule in settings.active_rules(RDL)]


def test_ignore_wins_over_select():
    settings = Settings(select=("locked-knees", "short-range"), ignore=("short-range",))
    assert [rule.id for rule in settings.active_rules(RDL)] == ["locked-knees"]


def test_the_command_line_replaces_select_and_adds_to_ignore():
    settings = Settings(select=("short-range",), ignore=("locked-knees",))
    chosen = settings.with_choice(["locked-knees", "rounded-lower-back"], ["short-range"])
    assert chosen.select == ("locked-knees", "rounded-lower-back")
    assert chosen.ignore == ("locked-knees", "short-range")
    assert settings.with_choice([], []) == settings


def test_equal_levels_are_allowed():
    settings = Settings(rules={"locked-knees": LimitChange(caution=-3.0)})
    assert settings.limits(RDL, RULES["locked-knees"]).caution == -3.0


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("selct = []", ["selct", "did you mean 'select'?"]),
        ("select = []", ["select", "no rule would be checked"]),
        ('select = "locked-knees"', ["select", "list of rule names"]),
        ("ignore = [1]", ["ignore", "list of rule names"]),
        ('ignore = ["locked-knee"]', ["ignore", "did you mean 'locked-knees'?"]),
        ("rules = 3", ["rules", "table"]),
        ("[rules]\nlocked-knees = 3", ["rules.locked-knees", "table"]),
        ("[rules.lockd-knees]", ["rules.lockd-knees", "did you mean 'locked-knees'?"]),
        ("[rules.locked-knees]\ncautoin = 3", ["rules.locked-knees.cautoin", "did you mean 'caution'?"]),
        ("[rules.locked-knees]\nknee_bent_deg = 3", ["no key 'knee_bent_deg'", "held_s"]),
        ('[rules.locked-knees]\ncaution = "3"', ["rules.locked-knees.caution", "number or false", "'3'"]),
        ("[rules.locked-knees]\ncaution = true", ["rules.locked-knees.caution", "number or false"]),
        ("[rules.locked-knees]\ncaution = nan", ["rules.locked-knees.caution", "number or false"]),
        ("[rules.locked-knees]\nheld_s = false", ["rules.locked-knees.held_s", "must be a number,"]),
        ("[exercises.romanian-deadlft]", ["did you mean 'romanian-deadlift'?"]),
        ("[exercises.romanian-deadlift]\nlocked-knees = 3", ["no key 'locked-knees'", "known: rules"]),
        (
            "[exercises.romanian-deadlift.rules.missing-plantarflexion]\ncaution = 1",
            ["no rule of romanian-deadlift 'missing-plantarflexion'", "locked-knees"],
        ),
        ("[rules.locked-knees]\nfault = 9", ["locked-knees in romanian-deadlift", "milder"]),
        ("[rules.excessive-dorsiflexion]\ncaution = 16", ["excessive-dorsiflexion", "fault limit 15 deg", "milder"]),
        ("select = [", ["not valid TOML"]),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, text, parts):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'formcheck.toml'}: ")
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot read the settings file: No such file"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot read the settings file: Is a directory"):
        load_settings(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.toml: the settings file is not UTF-8"):
        load_settings(tmp_path / "binary.toml")


def test_an_unknown_rule_on_the_command_line_is_named():
    with pytest.raises(ConfigError, match="no rule 'locked-kneez'; did you mean 'locked-knees'"):
        Settings().with_choice(["locked-kneez"], [])
