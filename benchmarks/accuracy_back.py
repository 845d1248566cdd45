"""The lower back in `docs/accuracy.md`: what each ingredient tells, on bodies that were left out, and a plot of it.

Then how surely rounded backs are told from neutral ones, beside landmarks alone. What is said about who is ahead is
taken from the measurement.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import accuracy_tables as tables
import back_detection
import back_readings
import fit_lumbar
import numpy as np
from accuracy_plots import BARE, CORRECTED, save
from back_detection import Detection
from back_ingredients import ROUNDED_DEG, Clip, HeadResponse
from back_readings import FAR_HEAD_DROP_DEG, HEAD_DROP_DEG, HEAD_YAW_DEG
from fit_lumbar import Result
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from formcheck import lumbar
from formcheck.validate.tables import SIDE_VIEW_DEG

IMAGE = "accuracy-lower-back.png"
OURS = " + ".join(fit_lumbar.OURS)
AUC_GOAL, MARGIN_GOAL = 0.97, 0.1  # set before the measurement
SHOWN_ADDED = ("shortening", "offset", "bow")
TOO_FEW = "These clips have too few rounded backs, on too few bodies, to compare the ingredients.\n"


def section(clips: Sequence[Clip], images: Path) -> str:
    """Table and plot; the plot is written into `images`."""
    if not _enough(clips):
        return TOO_FEW
    results = fit_lumbar.compared(clips)
    save(_plot(results), images / IMAGE)
    header = (
        "ingredients",
        "error",
        "at the turn",
        "correlation",
        "AUC",
        "judged",
        "neutral up to",
        "rounded from",
        "error while only the head moves",
    )
    rows = [_row(name, found) for name, found in results.items()]
    return f"{tables.table(header, rows)}\n![Lower back](images/{IMAGE})\n\n{_told_apart(clips)}"


TOLD_APART = """\
### Rounded or neutral: beside landmarks alone

Other tools judge a back by landmarks: angles at hip, shoulder and ear, the lean of the trunk, how much the lines from
hip to shoulder or ear shorten. Each of these, and sets of them, get the same chance as formcheck here: fitted in the
same way, to the same clips, without the body that is judged, and judged on the same repetitions, those in which
outline and landmarks can all be told. *Best* is chosen afterwards on the very repetitions that are judged, which
favours the landmarks. In brackets: 95 % of the margins when bodies are drawn anew ({resamples} times, the best chosen
anew each time, the weights kept).

{readings}
{verdict}

{landmarks_do}

What the readings are:

{meanings}

AUC of every set of ingredients, by reading:

{sets}"""

AS_FILMED = """\
- **As filmed**: 1 to 4. Fitted to the clips of exercises with the rule, if not said otherwise. In the other exercises
no back rounds, and most neutral repetitions there are easy ones: a leg curl moves no trunk. They raise everybody's
AUC. In {untold} of the repetitions of 2 the outline cannot be told, because the body lies on its back or an arm is in
front of it; most landmarks can be, but these repetitions are left out for both. Reading 4 has the camera further
round than the goals ask, and formcheck itself does not judge from beyond {max_yaw:.0f}°."""
HEAD_MOVES = """\
- **Real head moves**: 5 and 6. The rounded repetitions of 1 against those in which the head moves by {drop:.0f}° or
more and the lower back by less than {still:.0f}°. Where the head lifts, as in a sciatic slider, the repetition is
read backwards, from the turn to rest. The sliders sit upright without a bend, so that even the hip's angle tells them
from a hinge. What 6 adds is filmed from up to {yaw:.0f}°, so it shows the camera's turn as much as the head's."""
WHAT_IFS = """\
- **What if**: 7 and on, in numbers and not in pictures. Ear and nose are turned about the neck
in what was measured, and the other ingredients changed by what a head alone did to them in
{still}, all sitting: for {drop:.0f}° {shortening:+.1f} % of the trunk's length, {offset:+.1f} % of offset and
{bow:+.1f} % of bow. So a head hardly moves formcheck's value here because it hardly did there, which is a measurement
on few clips and none of hinges; formcheck's own AUC is no finding of these readings. What they show is what
*landmarks* owe to heads that drop where backs round. *Held as in neutral repetitions*: as in those of the same
exercise. *Every head at 0 or {drop:.0f}°*: each repetition twice, the head as at rest and so far down, so that it
tells nothing of the back; {far:.0f}° is about as far as the clip with a planted one has it. *Fitted to such*: the
weights too come from clips with such heads, so that each set can learn not to trust the head."""


def _told_apart(clips: Sequence[Clip]) -> str:
    found = back_detection.detections(clips)
    response = back_readings.head_response(clips)
    wide = found[1]
    untold = wide.repetitions - wide.rounded - wide.neutral
    meanings = [AS_FILMED.format(untold=untold, max_yaw=lumbar.MAX_YAW_DEG)]
    if response is not None:
        still = HEAD_MOVES.format(drop=HEAD_DROP_DEG, still=ROUNDED_DEG / 2, yaw=HEAD_YAW_DEG)
        meanings += [still, _what_ifs(clips, response)]
    header = ("AUC", *(str(number) for number in range(1, len(found) + 1)))
    sets = [
        [f"**{name}**" if name == OURS else name, *(f"{one.auc[name]:.3f}" for one in found)]
        for name in back_readings.SETS
    ]
    return TOLD_APART.format(
        resamples=back_detection.RESAMPLES,
        readings=_readings_table(found),
        verdict=_wrapped(_verdict(found)),
        landmarks_do=_wrapped(_landmarks_do(found)),
        meanings="\n".join(_wrapped(meaning, "  ") for meaning in meanings),
        sets=tables.table(header, sets),
    )


def _what_ifs(clips: Sequence[Clip], response: HeadResponse) -> str:
    still = back_readings.still_clips(clips)
    bodies = len({clip.body for clip in still})
    return WHAT_IFS.format(
        still="one clip"
        if len(still) == 1
        else f"{len(still)} clips of {bodies} {'body' if bodies == 1 else 'bodies'}",
        drop=HEAD_DROP_DEG,
        far=FAR_HEAD_DROP_DEG,
        **{name: HEAD_DROP_DEG * response.added[name] * (-1 if name == "shortening" else 1) for name in SHOWN_ADDED},
    )


def _readings_table(found: Sequence[Detection]) -> str:
    header = (
        "",
        "repetitions",
        "judged: rounded (bodies)",
        "neutral (bodies)",
        "formcheck",
        "best of landmarks alone",
        "its AUC",
        "margin",
    )
    return tables.table(header, [_reading_row(number, one) for number, one in enumerate(found, start=1)])


def _reading_row(number: int, one: Detection) -> list[str]:
    more = f" and {len(one.best) - 1} more" if one.best[1:] else ""
    return [
        str(number),
        f"{one.title}: {one.repetitions}",
        f"{one.rounded} ({one.rounded_bodies})",
        f"{one.neutral} ({one.neutral_bodies})",
        f"{one.auc[OURS]:.3f}",
        f"{one.best[0]}{more}",
        f"{one.auc[one.best[0]]:.3f}",
        f"{one.margin:+.3f} ({one.interval[0]:+.3f} to {one.interval[1]:+.3f})",
    ]


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _verdict(found: Sequence[Detection]) -> str:
    first = [str(number) for number, one in enumerate(found, start=1) if one.auc[OURS] >= AUC_GOAL]
    second = [str(number) for number, one in enumerate(found, start=1) if one.margin >= MARGIN_GOAL]
    reached = "all readings" if len(first) == len(found) else _readings(first)
    ahead = f"only in {_readings(second)}" if second else "**in none of them**"
    largest = max(found, key=lambda one: one.margin)
    low, high = largest.interval
    return (
        f"The goals, for the camera within {SIDE_VIEW_DEG:.0f}° of side-on, were an AUC of at least {AUC_GOAL} and a "
        f"margin of at least {MARGIN_GOAL}. formcheck reaches the first in {reached}, and the second {ahead}; the "
        f"largest margin is {largest.margin:+.3f}, in {found.index(largest) + 1}, from {low:+.3f} to {high:+.3f} with "
        "bodies drawn anew. "
        f"Only {found[0].rounded_bodies} bodies have rounded backs, and {found[0].largest_share} of the "
        f"{found[0].rounded} rounded repetitions come from one of them. Where AUCs are 1.000, drawing bodies anew "
        "cannot show how unsure they are: the brackets are too narrow there."
    )


def _readings(numbers: Sequence[str]) -> str:
    return f"reading{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}" if numbers else "none"


def _landmarks_do(found: Sequence[Detection]) -> str:
    """Why the margin is no larger: what trunk shortening, which owes next to nothing to the head, does by itself."""
    alone = found[0].auc["trunk shortening"]
    return (
        f"Trunk shortening alone has {alone:.3f} in the first reading, and it is hardly changed by the head: in these "
        "rendered bodies, seen from the side, a back that rounds brings the shoulders nearer to the hips. That leaves "
        f"{1.0 - alone:.3f} above it. Neutral backs whose line from hip to shoulder shortens for another reason, as it "
        "does with the camera further round (4), are few among these clips."
    )


def _enough(clips: Sequence[Clip]) -> bool:
    """Whether every body can be left out with rounded and neutral backs on both sides."""
    rounded = {clip.body for clip in clips if clip.fitted and np.percentile(clip.lumbar, 95) >= ROUNDED_DEG}
    neutral = {clip.body for clip in clips if clip.fitted and np.percentile(clip.lumbar, 95) < ROUNDED_DEG}
    return len(rounded) >= 3 and len(neutral) >= 3


def _row(name: str, found: Result) -> list[str]:
    return [
        f"**{name}**" if name == OURS else name,
        tables.degrees(found.error),
        tables.degrees(found.error_at_turn),
        f"{found.correlation:.2f}",
        f"{found.auc:.3f}",
        f"{found.judged} of {found.repetitions}",
        tables.degrees(found.largest_neutral),
        tables.degrees(found.smallest_rounded),
        tables.degrees(found.head_error),
    ]


def _plot(results: dict[str, Result]) -> Figure:
    """Measured against true at the turn: the outline beside the best that landmarks alone can do."""
    best = min(fit_lumbar.LANDMARKS, key=lambda name: results[name].error)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharex=True, sharey=True)
    figure.suptitle("Lower back at the turn of each repetition, as change from rest; each body left out")
    for axis, name, colour in ((axes[0], best, BARE), (axes[1], OURS, CORRECTED)):
        pairs = results[name].pairs
        axis.plot([-10, 50], [-10, 50], color="black", linewidth=0.8)
        axis.axvline(ROUNDED_DEG, color="black", linewidth=0.8, linestyle=":")
        axis.scatter(pairs[:, 0], pairs[:, 1], color=colour, edgecolor="black", linewidth=0.4)
        kind = "landmarks" if name == best else "outline"
        axis.set(title=f"{kind}: {name}", xlabel="true (deg)", ylabel="measured (deg)")
    return figure
