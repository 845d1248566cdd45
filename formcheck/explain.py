"""Rules and exercises as Markdown: the one source for `formcheck explain`, the app, RULES.md and docs/exercises.md."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from formcheck.exercises import EXERCISES
from formcheck.exercises.base import Exercise, RuleUse
from formcheck.rules import RULES
from formcheck.rules.base import Direction, Limits, Rule
from formcheck.types import Kind, Phase, Scope, Strength

HEADINGS = ("What it checks", "Why it matters", "How it is measured", "What to do", "Evidence")

STRENGTHS = {
    Strength.STRONG: "several studies agree",
    Strength.SOME: "one or a few studies, or indirect ones",
    Strength.COACHING: "what coaches and physiotherapists advise; little or mixed measurement",
}
PHASES = {
    Phase.LIFTING: "lifting (the muscles shorten)",
    Phase.LOWERING: "lowering (the muscles lengthen under the load)",
}
SCOPES = {Scope.REP: "each repetition", Scope.HOLD: "each hold", Scope.SET: "the whole set"}
GENERATED = "<!-- Written by `{command}`; change the docstrings, not this file. -->"


@dataclass(frozen=True, slots=True)
class RuleDocumentation:
    """What a rule module's docstring says, part by part, each as paragraphs on one line.

    Attributes
    ----------
    summary : str
        The docstring's first line.
    checks, why, how, what_to_do : str
    strength : Strength
        Of the evidence, as the docstring states it.
    evidence : str
        Without the strength.
    """

    summary: str
    checks: str
    why: str
    how: str
    what_to_do: str
    strength: Strength
    evidence: str


def parse_documentation(docstring: str) -> RuleDocumentation:
    """Read a rule module's docstring.

    Parameters
    ----------
    docstring : str
        A summary line, then the `HEADINGS` in order, each with its text indented below it. The evidence begins with
        its strength and a colon: ``some: In the straight-leg raise ...``.

    Raises
    ------
    ValueError
        When a heading is missing, empty, repeated or out of order, or the strength is not known: the rule's module
        is wrong, not the person's input.
    """
    lines = inspect.cleandoc(docstring).splitlines()
    summary, sections = lines[0] if lines else "", dict[str, list[str]]()
    for line in lines[1:]:
        if line and not line.startswith(" "):
            if line in sections:
                raise ValueError(f"the heading {line!r} is given twice under {summary!r}")
            sections[line] = []
        elif sections:
            sections[next(reversed(sections))].append(line.strip())
    texts = {heading: _paragraphs(body) for heading, body in sections.items()}
    if tuple(texts) != HEADINGS or not all(texts.values()):
        found = ", ".join(heading for heading, text in texts.items() if text)
        raise ValueError(f"the headings under {summary!r} must be {', '.join(HEADINGS)}, with text; found: {found}")
    strength, colon, evidence = texts["Evidence"].partition(": ")
    if not colon or strength not in set(Strength):
        raise ValueError(f"the evidence under {summary!r} must begin with one of {', '.join(Strength)} and a colon")
    checks, why, how, what_to_do = (texts[heading] for heading in HEADINGS[:4])
    return RuleDocumentation(summary, checks, why, how, what_to_do, Strength(strength), evidence)


def _paragraphs(lines: list[str]) -> str:
    """Join the lines of each paragraph; paragraphs stay apart by an empty line."""
    joined = "\n".join(lines).strip()
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in joined.split("\n\n") if paragraph.strip())


def explain_rule(rule: Rule, *, level: int = 1) -> str:
    """Markdown about one rule: its documentation, its limits, and the exercises that use it.

    Parameters
    ----------
    rule : Rule
    level : int
        Of the top heading.
    """
    text = parse_documentation(rule.documentation)
    scopes = ", ".join(SCOPES[scope] for scope in Scope if scope in rule.scopes)
    top, sub = "#" * level, "#" * (level + 1)
    return "\n".join(
        [
            f"{top} {rule.id}",
            "",
            f"**{rule.title}.** {text.summary}",
            "",
            *(f"{sub} {heading}\n\n{body}\n" for heading, body in _sections(text)),
            f"{sub} Limits",
            "",
            f"Judged on {scopes}, by {metric_name(rule.metric, rule.unit)} in {rule.unit}. {_defaults(rule)}",
            "",
            *_limits_table(rule),
        ]
    ).rstrip()


def _sections(text: RuleDocumentation) -> list[tuple[str, str]]:
    evidence = f"Strength: **{text.strength}** ({STRENGTHS[text.strength]}).\n\n{text.evidence}"
    return list(zip(HEADINGS, (text.checks, text.why, text.how, text.what_to_do, evidence), strict=True))


def _defaults(rule: Rule) -> str:
    if rule.limits.caution is None and rule.limits.fault is None:
        return "The limits belong to the exercise."
    return f"By default: {limits_text(rule, rule.limits)}."


def _limits_table(rule: Rule) -> list[str]:
    uses = [(exercise, use) for exercise in EXERCISES.values() if (use := exercise.rule_use(rule.id)) is not None]
    if not uses:
        return ["No exercise uses it yet."]
    rows = [(f"`{exercise.id}`", limits_text(rule, exercise_limits(rule, use))) for exercise, use in uses]
    return _table(("exercise", "limits"), rows)


def exercise_limits(rule: Rule, use: RuleUse) -> Limits:
    """Limits of `rule` in an exercise, before any settings of the person."""
    return Limits(
        caution=use.caution if use.caution is not None else rule.limits.caution,
        fault=use.fault if use.fault is not None else rule.limits.fault,
        parameters={**rule.limits.parameters, **use.parameters},
    )


def limits_text(rule: Rule, limits: Limits) -> str:
    """Limits in words: ``caution below 3 deg, fault below -3 deg (held_s = 0.5)``."""
    word = "above" if rule.direction is Direction.ABOVE else "below"
    levels = (("caution", limits.caution), ("fault", limits.fault))
    parts = [f"{name} {word} {value:g} {rule.unit}" for name, value in levels if value is not None]
    parameters = ", ".join(f"{name} = {value:g}" for name, value in limits.parameters.items())
    return (", ".join(parts) or "none") + (f" ({parameters})" if parameters else "")


def metric_name(metric: str, unit: str) -> str:
    """Metric in words, without its unit: ``knee_flexion_deg`` -> ``knee flexion``."""
    return metric.removesuffix(f"_{unit}").replace("_", " ")


def explain_exercise(exercise: Exercise, *, level: int = 1) -> str:
    """Markdown about one exercise: what it is, how to film it, what is counted, and the rules with their limits.

    Parameters
    ----------
    exercise : Exercise
    level : int
        Of the top heading.
    """
    summary, _, body = inspect.cleandoc(exercise.documentation).partition("\n")
    top, sub = "#" * level, "#" * (level + 1)
    names = f"Also known as: {', '.join(exercise.aliases)}. " if exercise.aliases else ""
    blocks = [
        f"{top} {exercise.id}",
        f"**{exercise.title}.** {summary}",
        _paragraphs(body.splitlines()),
        f"{names}Body position: {exercise.position.replace('-', ' ')}.",
        f"{sub} How to film it",
        "\n".join(
            [
                *(f"- {sentence}" for sentence in exercise.setup),
                f"- The camera may be turned up to {exercise.max_yaw_deg:g} deg out of the pure side view.",
            ]
        ),
        f"{sub} Phases",
        _phases(exercise),
        f"{sub} Rules",
        "\n".join(_table(("rule", "what it says", "limits", "cue"), [_rule_row(use) for use in exercise.rules])),
    ]
    return "\n\n".join(block for block in blocks if block)


def _phases(exercise: Exercise) -> str:
    signal = exercise.signal
    hold = exercise.kind is Kind.HOLD
    # A stretch has no lifting and lowering that a person would call so.
    ways = (
        "The way in comes first, then the hold, then the way back."
        if hold
        else f"The way out is {PHASES[exercise.outward]}, then comes the turn, and the way back is "
        f"{PHASES[exercise.back]}."
    )
    moves = "rises {:g} deg above" if signal.rising else "falls {:g} deg below"
    return (
        f"A {'hold' if hold else 'repetition'} begins when {metric_name(signal.metric, 'deg')} "
        f"{moves.format(signal.enter_deg)} the person's own rest position, and ends when it is back within "
        f"{signal.leave_deg:g} deg of it; anything shorter than {signal.min_s:g} s is not counted. {ways}"
    )


def _rule_row(use: RuleUse) -> tuple[str, ...]:
    rule = RULES[use.rule]
    return f"`{rule.id}`", rule.title, limits_text(rule, exercise_limits(rule, use)), use.cue or rule.cue


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A Markdown table whose columns also line up as plain text in a terminal."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return [line(head), line(tuple("-" * width for width in widths)), *(line(row) for row in rows)]


def rules_markdown() -> str:
    """RULES.md: every rule in the registry's order, ending in a newline."""
    rows = [(f"[`{rule.id}`](#{rule.id})", rule.title, str(rule.strength)) for rule in RULES.values()]
    blocks = [
        "# The rules",
        GENERATED.format(command="formcheck rules --markdown"),
        "A rule ends as ok, caution, fault, or not judged with the reason. No rule is a diagnosis: it says what was "
        "seen, and how strong the evidence behind it is. Limits can be changed in a settings file "
        "(`docs/formcheck.example.toml`).",
        "\n".join(_table(("rule", "what it says", "evidence"), rows)),
        *(explain_rule(rule, level=2) for rule in RULES.values()),
    ]
    return "\n\n".join(blocks) + "\n"


def exercises_markdown() -> str:
    """docs/exercises.md: every exercise in the registry's order, ending in a newline."""
    rows = [
        (f"[`{exercise.id}`](#{exercise.id})", exercise.title, str(exercise.kind)) for exercise in EXERCISES.values()
    ]
    blocks = [
        "# The exercises",
        GENERATED.format(command="formcheck exercises --markdown"),
        "\n".join(_table(("exercise", "title", "kind"), rows)),
        *(explain_exercise(exercise, level=2) for exercise in EXERCISES.values()),
    ]
    return "\n\n".join(blocks) + "\n"
