"""`formcheck.report/1`: a report as JSON, and back.

Numbers are rounded to six decimals; NaN, which JSON does not have, is null. More keys may be added, these stay.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from formcheck.errors import ConfigError
from formcheck.types import ClipInfo, ExerciseInfo, NeutralPose, Outcome, Rep, Report, Side, Status, ToolInfo, View

SCHEMA = "formcheck.report/1"
DECIMALS = 6

T = TypeVar("T")


def report_to_dict(report: Report) -> dict[str, Any]:
    """Return the report as plain dicts, lists, strings and numbers, keys in the schema's order."""
    tool, clip, exercise, view = report.tool, report.clip, report.exercise, report.view
    return {
        "schema": SCHEMA,
        "tool": {
            "version": tool.version,
            "mediapipe": tool.mediapipe,
            "model": tool.model,
            "model_sha256": tool.model_sha256,
        },
        "clip": {
            "path": clip.path,
            "duration_s": _number(clip.duration_s),
            "frames": clip.frames,
            "width": clip.width,
            "height": clip.height,
            "rotation_deg": clip.rotation_deg,
            "pose_fraction": _number(clip.pose_fraction),
            "frames_estimated": clip.frames if clip.frames_estimated is None else clip.frames_estimated,
        },
        "exercise": {
            "name": exercise.name,
            "given": exercise.given,
            "confidence": _number(exercise.confidence),
        },
        "view": {
            "yaw_deg": _number(view.yaw_deg),
            "near_side": view.near_side,
            "lying": view.lying,
            "usable": view.usable,
            "reason": view.reason,
            "roll_deg": _number(view.roll_deg),
            "roll_sigma_deg": _number(view.roll_sigma_deg),
            "brightness": _number(view.brightness),
        },
        "reps": [_rep_to_dict(rep) for rep in report.reps],
        "outcomes": [_outcome_to_dict(outcome) for outcome in report.outcomes],
        "warnings": list(report.warnings),
        "neutral": None if report.neutral is None else _neutral_to_dict(report.neutral),
    }


def _neutral_to_dict(pose: NeutralPose) -> dict[str, Any]:
    return {
        "side": pose.side,
        "start_s": _number(pose.start_s),
        "end_s": _number(pose.end_s),
        "seen": {name: _number(value) for name, value in pose.seen.items()},
        "offsets": {name: _number(value) for name, value in pose.offsets.items()},
        "reason": pose.reason,
    }


def _rep_to_dict(rep: Rep) -> dict[str, Any]:
    return {
        "number": rep.number,
        "side": rep.side,
        "start_s": _number(rep.start_s),
        "turn_s": _number(rep.turn_s),
        "end_s": _number(rep.end_s),
        "turn_start_s": _number(rep.turn_start_s),
        "turn_end_s": _number(rep.turn_end_s),
        "complete": rep.complete,
        "metrics": {name: _number(rep.metrics[name]) for name in sorted(rep.metrics)},
    }


def _outcome_to_dict(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "rep": outcome.rep,
        "side": outcome.side,
        "status": outcome.status,
        "start_s": _number(outcome.start_s),
        "end_s": _number(outcome.end_s),
        "worst_s": _number(outcome.worst_s),
        "metric": outcome.metric,
        "measured": _number(outcome.measured),
        "sigma": _number(outcome.sigma),
        "limit": _number(outcome.limit),
        "unit": outcome.unit,
        "message": outcome.message,
        "cue": outcome.cue,
        "reason": outcome.reason,
    }


def _number(value: float) -> float | None:
    return round(float(value), DECIMALS) if math.isfinite(value) else None


def report_to_json(report: Report) -> str:
    """Return the report as indented JSON without a newline at its end; ASCII only, so that any terminal can take it."""
    return json.dumps(report_to_dict(report), indent=2, allow_nan=False)


def report_from_dict(document: Mapping[str, Any]) -> Report:
    """Build the report from what `report_to_dict` gave; null becomes NaN, keys that are not known are left out.

    Raises
    ------
    ConfigError
        When it is no `formcheck.report/1`, or a key is missing or of the wrong type.
    """
    schema = document.get("schema") if isinstance(document, Mapping) else None
    if schema != SCHEMA:
        raise ConfigError(f"not a formcheck report: its schema is {schema!r}, not {SCHEMA!r}")
    try:
        return _report(document)
    except KeyError as error:
        raise ConfigError(f"not a whole {SCHEMA}: the key {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"not a valid {SCHEMA}: {error}") from error


def _report(document: Mapping[str, Any]) -> Report:
    tool, clip, exercise, view = (document[name] for name in ("tool", "clip", "exercise", "view"))
    return Report(
        tool=ToolInfo(tool["version"], tool["mediapipe"], tool["model"], tool["model_sha256"]),
        clip=ClipInfo(
            path=clip["path"],
            duration_s=_float(clip["duration_s"]),
            frames=int(clip["frames"]),
            width=int(clip["width"]),
            height=int(clip["height"]),
            rotation_deg=int(clip["rotation_deg"]),
            pose_fraction=_float(clip["pose_fraction"]),
            frames_estimated=_estimated(clip),
        ),
        exercise=ExerciseInfo(exercise["name"], exercise["given"], _float(exercise["confidence"])),
        view=View(
            yaw_deg=_float(view["yaw_deg"]),
            near_side=_optional(Side, view["near_side"]),
            lying=view["lying"],
            usable=view["usable"],
            reason=view["reason"],
            roll_deg=_float(view.get("roll_deg")),
            roll_sigma_deg=_float(view.get("roll_sigma_deg")),
            brightness=_float(view.get("brightness")),
        ),
        reps=tuple(_rep(rep) for rep in document["reps"]),
        outcomes=tuple(_outcome(outcome) for outcome in document["outcomes"]),
        warnings=tuple(document["warnings"]),
        neutral=_optional(_neutral, document.get("neutral")),
    )


def _neutral(pose: Mapping[str, Any]) -> NeutralPose:
    return NeutralPose(
        side=Side(pose["side"]),
        start_s=_float(pose["start_s"]),
        end_s=_float(pose["end_s"]),
        seen={name: _float(value) for name, value in pose["seen"].items()},
        offsets={name: _float(value) for name, value in pose["offsets"].items()},
        reason=pose["reason"],
    )


def _rep(rep: Mapping[str, Any]) -> Rep:
    turn_s = _float(rep["turn_s"])
    return Rep(
        number=int(rep["number"]),
        side=Side(rep["side"]),
        start_s=_float(rep["start_s"]),
        turn_s=turn_s,
        end_s=_float(rep["end_s"]),
        turn_start_s=_float(rep["turn_start_s"]) if "turn_start_s" in rep else turn_s,
        turn_end_s=_float(rep["turn_end_s"]) if "turn_end_s" in rep else turn_s,
        complete=rep.get("complete", True),
        metrics={name: _float(value) for name, value in rep["metrics"].items()},
    )


def _outcome(outcome: Mapping[str, Any]) -> Outcome:
    numbers = ("start_s", "end_s", "worst_s", "measured", "sigma", "limit")
    return Outcome(
        rule=outcome["rule"],
        rep=_optional(int, outcome["rep"]),
        side=_optional(Side, outcome["side"]),
        status=Status(outcome["status"]),
        metric=outcome["metric"],
        unit=outcome["unit"],
        message=outcome["message"],
        cue=outcome["cue"],
        reason=outcome["reason"],
        **{name: _float(outcome[name]) for name in numbers},
    )


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _optional(kind: Callable[[Any], T], value: Any) -> T | None:
    return None if value is None else kind(value)


def _estimated(clip: Mapping[str, Any]) -> int | None:
    """How many frames were estimated; None for all, as it is in reports from before this was written."""
    count = clip.get("frames_estimated")
    return None if count is None or int(count) == int(clip["frames"]) else int(count)
