"""Rules and exercises as Markdown."""

import re
from pathlib import Path

import pytest

from formcheck.exercises import EXERCISES
from formcheck.explain import (
    HEADINGS,
    exercises_markdown,
    explain_exercise,
    explain_rule,
    metric_name,
    parse_documentation,
    rules_markdown,
)
from formcheck.rules import RULES
from formcheck.types import Strength

ROOT = Path(__file__).parents[1]
GOOD = """Summary line.

What it checks
    One line
    and its rest.

    A second paragraph.

Why it matters
    Why.

How it is measured
    How.

What to do
    Do.

Evidence
    some: A study says: so.
"""


def test_a_docstring_is_read_part_by_part():
    text = parse_documentation(GOOD)
    assert text.summary == "Summary line."
    assert text.checks == "One line and its rest.\n\nA second paragraph."
    assert (text.why, text.how, text.what_to_do) == ("Why.", "How.", "Do.")
    assert (text.strength, text.evidence) == (Strength.SOME, "A study says: so.")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("Why it matters\n    Why.\n", ""), "must be"),
        (("    Why.\n", ""), "must be"),
        (("Why it matters", "Why it maters"), "must be"),
        (("What to do\n    Do.\n\nEvidence", "Evidence"), "must be"),
        (("What to do", "Why it matters"), "twice"),
        (("some: ", ""), "must begin with"),
        (("some: ", "huge: "), "must begin with"),
    ],
)
def test_a_malformed_docstring_is_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_documentation(GOOD.replace(*change))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_is_documented_as_declared(rule):
    text = parse_documentation(rule.documentation)
    assert text.strength is rule.strength
    page = explain_rule(rule)
    assert page.startswith(f"# {rule.id}\n")
    assert [heading for heading in HEADINGS if f"\n## {heading}\n" not in page] == []
    assert f"Strength: **{rule.strength}**" in page
    for exercise in EXERCISES.values():
        assert (f"`{exercise.id}`" in page) == (exercise.rule_use(rule.id) is not None)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_every_exercise_says_how_to_film_it_and_what_is_judged(exercise):
    page = explain_exercise(exercise)
    assert page.startswith(f"# {exercise.id}\n")
    for part in (*exercise.setup, *exercise.aliases, *(f"`{use.rule}`" for use in exercise.rules)):
        assert part in page


def test_the_limits_are_those_of_the_exercise():
    assert re.search(r"`romanian-deadlift` +\| caution below 60 deg ", explain_rule(RULES["short-range"]))
    assert "caution below 85 deg" in explain_exercise(EXERCISES["prone-leg-curl"])
    knees = explain_rule(RULES["locked-knees"])
    assert "By default: caution below 3 deg, fault below -3 deg (held_s = 0.5)." in knees
    assert "caution above 10 deg, fault above 15 deg" in explain_rule(RULES["excessive-dorsiflexion"])


def test_metric_names_in_words():
    assert metric_name("knee_flexion_deg", "deg") == "knee flexion"
    assert metric_name("hip_share", "%") == "hip share"


@pytest.mark.parametrize(
    ("file", "text", "command"),
    [
        ("RULES.md", rules_markdown, "formcheck rules --markdown > RULES.md"),
        ("docs/exercises.md", exercises_markdown, "formcheck exercises --markdown > docs/exercises.md"),
    ],
)
def test_the_committed_file_is_up_to_date(file, text, command):
    assert (ROOT / file).read_text(encoding="utf-8") == text(), f"{file} is stale; run: {command}"


def test_a_signal_that_falls_is_said_to_fall() -> None:
    assert "begins when knee flexion falls 15 deg below" in explain_exercise(EXERCISES["nordic-curl"])
    assert "begins when knee flexion rises 20 deg above" in explain_exercise(EXERCISES["prone-leg-curl"])
