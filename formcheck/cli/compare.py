"""`compare`: the left leg against the right one, from two clips or the reports of them."""

from __future__ import annotations

import json
import math
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formcheck.cli.terminal import frame_progress, out
from formcheck.config import Settings, load_settings
from formcheck.errors import ClipError, ConfigError
from formcheck.exercises import EXERCISES, find_exercise
from formcheck.rules import RULES
from formcheck.rules.base import AppliedRule
from formcheck.types import Report, Status

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from formcheck.compare import Leg, LegComparison

EPILOG = """\
examples:
  formcheck compare left.mp4 right.mp4 --exercise single-leg-rdl
  formcheck compare results/left.report.json results/right.report.json

Film both legs from the same place: turn around, and leave the camera where it is.

exit status: 0 no difference, or none that can be told; 1 one leg goes less far; 2 could not run
"""
LARGEST_REPORT = 50_000_000  # bytes; a longer file is no report, and would only fill the memory


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    add = parser.add_argument
    add("first", metavar="LEFT", type=Path, help="a video file, or a NAME.report.json that check wrote")
    add("second", metavar="RIGHT", type=Path, help="the same for the other leg; the order does not matter")
    add("--exercise", metavar="NAME", default="auto", help="what is done in the clips (default: recognised)")
    add("--format", choices=("text", "json"), default="text", help="what is printed (default: text)")
    add("--config", metavar="FILE", type=Path, help="settings in TOML (see docs/formcheck.example.toml)")
    add("--quiet", action="store_true", help="no progress")


def run(args: Namespace) -> int:
    """Compare the legs and print the result."""
    from formcheck.compare import compare_legs

    settings = load_settings(args.config) if args.config is not None else Settings()
    first, second = (_report(path, args.exercise, settings, quiet=args.quiet) for path in (args.first, args.second))
    rule = RULES["left-right-difference"]
    applied = AppliedRule(rule, settings.limits(find_exercise(first.exercise.name), rule), rule.cue)
    result = compare_legs(first, second, applied)
    out(_json(result) if args.format == "json" else _text(result))
    return int(result.status is Status.CAUTION)


def _report(path: Path, exercise: str, settings: Settings, *, quiet: bool) -> Report:
    if path.suffix.lower() == ".json":
        return _saved(path)
    from formcheck.adapters.process import prepare_process
    from formcheck.pipeline import analyze_clip

    known = None if exercise == "auto" else find_exercise(exercise)
    prepare_process()
    with frame_progress(path.name, quiet=quiet) as show:
        return analyze_clip(path, exercise=known, settings=settings, on_progress=show).report


def _saved(path: Path) -> Report:
    from formcheck.reports.json import report_from_dict

    try:
        if path.stat().st_size > LARGEST_REPORT:
            raise ClipError(f"{path}: too large to be a report; name a NAME.report.json that formcheck check wrote")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClipError(f"{path}: cannot read it: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ClipError(f"{path}: this is no JSON; name a NAME.report.json that formcheck check wrote") from error
    try:
        return report_from_dict(document)
    except ConfigError as error:
        raise ClipError(f"{path}: {error}") from error


def _text(result: LegComparison) -> str:
    lines = [EXERCISES[result.exercise].title]
    for leg in (result.left, result.right):
        count = len(leg.ranges_deg)
        what = "repetition" if EXERCISES[result.exercise].kind == "reps" else "hold"
        lines.append(
            f"  {leg.side:<5}  {count} {what}{'' if count == 1 else 's'}, "
            f"range {leg.median_deg:.0f} ± {leg.sigma_deg:.0f} deg"
        )
    number = f"{result.measured:.0f} ± {result.sigma:.0f} %, limit {result.limit:.0f} %"
    if result.status is Status.CAUTION:
        lines.append(f"The {result.weaker} leg goes less far ({number}). {result.cue}")
    elif result.status is Status.OK:
        lines.append(f"The legs do not differ beyond the limit ({number}).")
    else:
        lines.append(f"Cannot tell whether they differ ({number}): {result.reason}.")
    return "\n".join(lines) + "\n"


def _json(result: LegComparison) -> str:
    document = {
        "schema": "formcheck.legs/1",
        "exercise": result.exercise,
        "left": _leg(result.left),
        "right": _leg(result.right),
        "status": result.status,
        "measured": round(result.measured, 6),
        "sigma": round(result.sigma, 6),
        "limit": None if math.isnan(result.limit) else result.limit,
        "unit": "%",
        "weaker": result.weaker,
        "message": result.message,
        "cue": result.cue,
        "reason": result.reason,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _leg(leg: Leg) -> dict[str, Any]:
    ranges = [round(value, 6) for value in leg.ranges_deg]
    yaw = None if math.isnan(leg.yaw_deg) else round(leg.yaw_deg, 6)
    return {"ranges_deg": ranges, "median_deg": leg.median_deg, "sigma_deg": leg.sigma_deg, "yaw_deg": yaw}
