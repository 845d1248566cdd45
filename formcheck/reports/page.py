"""What the HTML report says, in words: the parts of the page as data for its template."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from formcheck.explain import STRENGTHS, parse_documentation
from formcheck.reports.findings import RuleFindings, findings_by_rule, moment_s
from formcheck.reports.moments import Still, back_pair
from formcheck.reports.words import (
    certainty,
    error_text,
    kind_word,
    limit_text,
    many,
    ranges,
    rule_title,
    sentence,
    value_text,
)
from formcheck.rules import RULES
from formcheck.types import Outcome, Report, Status

NOT_KNOWN = "\N{EN DASH}"
# The shapes of the overlay: a triangle is a fault, a diamond a caution.
SYMBOLS = {Status.FAULT: "▲", Status.CAUTION: "◆", Status.OK: "✓", Status.NOT_JUDGED: NOT_KNOWN}
STATUS_WORDS = {Status.FAULT: "fault", Status.CAUTION: "caution", Status.OK: "ok", Status.NOT_JUDGED: "not judged"}
BESIDE_TEXT = 0.75  # height over width from which pictures stand beside the text, not above it
_ALL = ("", "the {word}", "either {word}", "any of the {number} {word}s")  # by their number, at most 3
ALL_OF = ("the {word}", "either {word}", "any of the {number} {word}s")  # one, two, more
MOST_REASONS = 2  # named for a rule of which a part could not be judged; all of them stand in a section of their own
MOST_NAMED = 3  # findings named in the headline; the others are counted
MOST_VALUES = 24  # told of a rule that was not judged, in one line
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


@dataclass(frozen=True, slots=True)
class Picture:
    """A still as the page shows it: data URI, size in pixels, words instead of it, and words under it."""

    source: str
    width: int
    height: int
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class Place:
    """One finding of a rule: where, when, what was measured, and how sure that is."""

    where: str
    when: str
    value: str
    error: str
    sure: str


@dataclass(frozen=True, slots=True)
class FindingPart:
    """One rule's findings, with what to do and why; texts that are not known are empty."""

    letter: str
    rule: str
    title: str
    status: str
    symbol: str
    message: str
    cue: str
    limit: str
    places: tuple[Place, ...]
    pictures: tuple[Picture, ...]
    tall: bool
    what_to_do: str
    why: str
    how: str
    strength: str
    evidence: str


@dataclass(frozen=True, slots=True)
class GoodRule:
    """A rule that found nothing: in how much of the set, and whether that is all of it."""

    title: str
    words: str
    complete: bool

    @property
    def mark(self) -> str:
        """The tick; in brackets where only part of the set could be judged."""
        return SYMBOLS[Status.OK] if self.complete else f"({SYMBOLS[Status.OK]})"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """What was not judged for one reason."""

    reason: str
    what: tuple[str, ...]


def clip_name(report: Report) -> str:
    """The clip's file name without its folder, which is nobody else's business."""
    return PurePath(report.clip.path).name or report.clip.path


def headline(report: Report) -> str:
    """The result in one or two plain sentences."""
    if report.worst() is None:
        reasons = list(dict.fromkeys(outcome.reason for outcome in report.outcomes if outcome.reason))
        why = "; ".join(reasons) or f"no {kind_word(report, short=False)} was found"
        return sentence(f"nothing could be judged: {why}")
    found = findings_by_rule(report)
    if not found:
        counted = many(len(report.reps), kind_word(report, short=False))
        partly = any(outcome.status is Status.NOT_JUDGED for outcome in report.outcomes)
        return f"Nothing to change was seen in {'what could be judged of ' if partly else ''}{counted}."
    faults = [finding for finding in found if finding.status is Status.FAULT]
    leading = faults or found
    names = "; ".join(rule_title(finding.rule).lower() for finding in leading[:MOST_NAMED])
    more = f"; and {_number(len(leading) - MOST_NAMED)} more" if len(leading) > MOST_NAMED else ""
    text = f"{_things(len(leading)).capitalize()} {'to change' if faults else 'to watch'}: {names}{more}."
    others = len(found) - len(leading)
    return f"{text} {_number(others).capitalize()} more to watch." if others else text


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def _things(count: int) -> str:
    return f"{_number(count)} thing{'' if count == 1 else 's'}"


def overview(report: Report) -> str:
    """What was looked at, and how much of it could not be judged: few findings must not read as more than they are."""
    counted = f"{many(len(report.reps), kind_word(report, short=False))} seen."
    open_ = sum(outcome.status is Status.NOT_JUDGED for outcome in report.outcomes)
    if not open_:
        return counted
    return f"{counted} {open_} of {many(len(report.outcomes), 'check')} could not be judged; the reasons stand below."


def finding_parts(report: Report, stills: Sequence[Still]) -> tuple[FindingPart, ...]:
    """Every rule that found something, most serious first."""
    return tuple(_finding_part(report, finding, stills) for finding in findings_by_rule(report))


def _finding_part(report: Report, finding: RuleFindings, stills: Sequence[Still]) -> FindingPart:
    rule = RULES.get(finding.rule)
    text = parse_documentation(rule.documentation) if rule is not None else None
    worst = finding.worst
    limits = dict.fromkeys(limit_text(outcome) for outcome in finding.outcomes)
    shown = [still for outcome in finding.outcomes for still in stills if still.moment.outcome is outcome]
    shown.sort(key=lambda still: not still.moment.first)
    return FindingPart(
        letter=finding.letter,
        rule=finding.rule,
        title=rule_title(finding.rule),
        status=STATUS_WORDS[finding.status],
        symbol=SYMBOLS[finding.status],
        message=worst.message,
        cue=worst.cue,
        limit=" or ".join(words for words in limits if words),
        places=tuple(_place(report, outcome) for outcome in finding.outcomes),
        pictures=tuple(_finding_picture(report, still) for still in shown),
        tall=any(still.height > BESIDE_TEXT * still.width for still in shown),
        what_to_do=text.what_to_do if text is not None else "",
        why=text.why if text is not None else "",
        how=text.how if text is not None else "",
        strength=f"{text.strength.capitalize()} ({STRENGTHS[text.strength]})." if text is not None else "",
        evidence=text.evidence if text is not None else "",
    )


def _place(report: Report, outcome: Outcome) -> Place:
    sure = certainty(outcome) or outcome.reason
    return Place(which(report, outcome), clock(moment_s(outcome)), value_text(outcome), error_text(outcome), sure)


def which(report: Report, outcome: Outcome) -> str:
    """``repetition 2``, or ``whole set``."""
    return "whole set" if outcome.rep is None else f"{kind_word(report, short=False)} {outcome.rep}"


def clock(time_s: float) -> str:
    """``6.4 s``, from a minute on ``1:06.4 min``; a dash where it is not known."""
    if math.isnan(time_s):
        return NOT_KNOWN
    minutes, tenths = divmod(round(10 * time_s), 600)
    return f"{minutes}:{tenths / 10:04.1f} min" if minutes else f"{tenths / 10:.1f} s"


def _finding_picture(report: Report, still: Still) -> Picture:
    outcome = still.moment.outcome
    if outcome is None:
        raise ValueError("a still without an outcome belongs to no finding")
    place = f"{which(report, outcome).capitalize()}, {clock(still.time_s)}"
    numbers = " ".join(part for part in (value_text(outcome), error_text(outcome)) if part)
    caption = f"{place}: {numbers}" if numbers else place
    return _picture(still, f"{place}. {outcome.message} Skeleton and joint angles are drawn in.", caption)


def _picture(still: Still, alt: str, caption: str) -> Picture:
    source = "data:image/jpeg;base64," + base64.b64encode(still.jpeg).decode("ascii")
    return Picture(source, still.width, still.height, alt, caption)


def back_pictures(report: Report, stills: Sequence[Still]) -> tuple[Picture, ...]:
    """Rest and deepest moment of one repetition side by side, for the lower back; empty unless both were taken."""
    pair = back_pair(report)
    if pair is None:
        return ()
    of_pair = {still.moment: still for still in stills if still.moment.outcome is None}
    if pair.rest not in of_pair or pair.deepest not in of_pair:
        return ()
    word = kind_word(report, short=False)
    captions = (f"At rest, before {word} {pair.rep.number}", f"At the deepest point of {word} {pair.rep.number}")
    taken = (of_pair[pair.rest], of_pair[pair.deepest])
    return tuple(
        _picture(still, f"{caption}, seen from the side.", f"{caption}: {clock(still.time_s)}")
        for still, caption in zip(taken, captions, strict=True)
    )


def check_pictures(report: Report, stills: Sequence[Still]) -> tuple[Picture, ...]:
    """The one picture of a clip without findings and without the lower back; empty for all others."""
    if len(stills) != 1 or stills[0].moment.outcome is not None or back_pair(report) is not None:
        return ()
    caption = f"At the turn of {kind_word(report, short=False)} {report.reps[0].number}"
    return (
        _picture(
            stills[0], f"{caption}. Lines and joint angles are drawn in.", f"{caption}: {clock(stills[0].time_s)}"
        ),
    )


def good_rules(report: Report) -> tuple[GoodRule, ...]:
    """The rules that were judged at least once and never found anything, with how much of the set that was."""
    found = {finding.rule for finding in findings_by_rule(report)}
    by_rule: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        by_rule.setdefault(outcome.rule, []).append(outcome)
    return tuple(
        _good_rule(report, rule, outcomes)
        for rule, outcomes in by_rule.items()
        if rule not in found and any(outcome.status is Status.OK for outcome in outcomes)
    )


def _good_rule(report: Report, rule: str, outcomes: Sequence[Outcome]) -> GoodRule:
    unjudged = [outcome for outcome in outcomes if outcome.status is Status.NOT_JUDGED]
    if all(outcome.rep is None for outcome in outcomes):
        words = "no fault in the whole set"
    elif not unjudged:
        all_of_them = ALL_OF[min(len(outcomes), len(ALL_OF)) - 1]
        words = f"no fault in {all_of_them.format(number=len(outcomes), word=kind_word(report, short=False))}"
    else:
        of_all = f"{len(outcomes) - len(unjudged)} of {many(len(outcomes), kind_word(report, short=False))}"
        words = f"no fault in the {of_all} that could be judged; {len(unjudged)} could not: {_reasons(unjudged)}"
    excused = [outcome for outcome in outcomes if outcome.status is Status.OK and outcome.reason]
    if excused:
        words += f" (past the limit {_times(len(excused))}, which does no harm: {_reasons(excused)})"
    return GoodRule(rule_title(rule), words, complete=not unjudged)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _reasons(unjudged: Sequence[Outcome]) -> str:
    """Why these were not judged, the most frequent reason first; with numbers where there are several."""
    counts = Counter(outcome.reason for outcome in unjudged)
    if len(counts) == 1:
        return unjudged[0].reason
    named = counts.most_common(MOST_REASONS)
    words = [f"{reason} ({count})" for reason, count in named]
    others = len(unjudged) - sum(count for _, count in named)
    return ", ".join([*words, f"other reasons ({others})"] if others else words)


def unjudged_groups(report: Report) -> tuple[Unjudged, ...]:
    """What was not judged, by reason, in the order of first appearance."""
    groups: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in report.outcomes:
        if outcome.status is Status.NOT_JUDGED:
            groups.setdefault(outcome.reason, {}).setdefault(outcome.rule, []).append(outcome)
    return tuple(
        Unjudged(reason, tuple(_rule_and_reps(report, rule, outcomes) for rule, outcomes in rules.items()))
        for reason, rules in groups.items()
    )


def _rule_and_reps(report: Report, rule: str, outcomes: Sequence[Outcome]) -> str:
    """``Short range (repetitions 1-3): 59° ± 4°, limit: at least 60°``."""
    reps = [outcome.rep for outcome in outcomes if outcome.rep is not None]
    text = rule_title(rule)
    if reps:
        text += f" ({kind_word(report, short=False)}{'s' if len(reps) > 1 else ''} {ranges(reps)})"
    values = [f"{value_text(outcome)} {error_text(outcome)}" for outcome in outcomes if value_text(outcome)]
    if values:
        more = f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else ""
        text += f": {', '.join(values[:MOST_VALUES])}{more}; limit: {limit_text(outcomes[0])}"
    return text


def notes(report: Report) -> tuple[str, ...]:
    """What the reader should know of the clip: warnings that are not already a reason for not judging."""
    reasons = {outcome.reason for outcome in report.outcomes}
    return tuple(note for note in dict.fromkeys(report.warnings) if note not in reasons)
