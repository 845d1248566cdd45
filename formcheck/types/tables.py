"""Reports as pandas tables: one row per outcome, or per repetition. pandas is imported when a table is asked for."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from formcheck.types.basics import Side, Status

if TYPE_CHECKING:
    import pandas as pd

    from formcheck.types.results import Report

_TIMES = ("start_s", "end_s", "worst_s")
_NUMBERS = ("measured", "sigma", "limit")
_TEXTS = ("rule", "metric", "unit", "message", "cue", "reason")
_REP_TIMES = ("start_s", "turn_start_s", "turn_s", "turn_end_s", "end_s")
_RENAMED = {"turn_s": "turn_duration_s"}  # a metric's name that is also the name of a moment


def outcome_table(report: Report) -> pd.DataFrame:
    """One row per outcome, as `Report.to_dataframe` describes it."""
    import pandas as pd

    names = _names_of_outcome()
    rows = [[getattr(outcome, name) for name in names] for outcome in report.outcomes]
    table = pd.DataFrame(rows, columns=names)
    table = _with_clip(table, report)
    table["side"] = _categories([outcome.side for outcome in report.outcomes], [str(side) for side in Side])
    table["status"] = _categories([outcome.status for outcome in report.outcomes], [str(status) for status in Status])
    table["rep"] = table["rep"].astype("Int64")
    for name in (*_TIMES, *_NUMBERS):
        table[name] = table[name].astype("float64")
    for name in _TEXTS:
        table[name] = table[name].astype("str")  # also of an empty table, so that tables go together
    return table


def rep_table(report: Report) -> pd.DataFrame:
    """One row per repetition or hold, as `Report.reps_to_dataframe` describes it."""
    import pandas as pd

    found = dict.fromkeys(name for rep in report.reps for name in rep.metrics)
    metrics = {_RENAMED.get(name, name): name for name in found}
    rows = [
        {
            "rep": rep.number,
            "complete": rep.complete,
            **{name: getattr(rep, name) for name in _REP_TIMES},
            **{column: rep.metrics.get(name, float("nan")) for column, name in metrics.items()},
        }
        for rep in report.reps
    ]
    table = pd.DataFrame(rows, columns=["rep", "side", "complete", *_REP_TIMES, *metrics])
    table = _with_clip(table, report)
    table["side"] = _categories([rep.side for rep in report.reps], [str(side) for side in Side])
    table["rep"] = table["rep"].astype("Int64")
    table["complete"] = table["complete"].astype("bool")
    for name in (*_REP_TIMES, *metrics):
        table[name] = table[name].astype("float64")
    return table


def _with_clip(table: pd.DataFrame, report: Report) -> pd.DataFrame:
    table.insert(0, "clip", report.clip.path)
    table.insert(1, "exercise", report.exercise.name)
    return table.astype({"clip": "str", "exercise": "str"})


def _categories(values: list[Side | None] | list[Side] | list[Status], known: list[str]) -> pd.Categorical:
    """Plain text in a fixed order, so that counts list every status and a sort follows its seriousness."""
    import pandas as pd

    return pd.Categorical([None if value is None else str(value) for value in values], categories=known)


def _names_of_outcome() -> list[str]:
    from formcheck.types.results import Outcome

    return [item.name for item in fields(Outcome)]
