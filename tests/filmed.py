"""Finished analyses of the filmed cases, for tests of what is made from them. No test changes one."""

from __future__ import annotations

from functools import cache
from unittest import mock

import cases

from formcheck import accuracy
from formcheck.config import Settings
from formcheck.engine import Analyzer
from formcheck.exercises import EXERCISES
from formcheck.pipeline import applied_rules
from formcheck.types import Analysis, ClipInfo, ToolInfo

CASES = {str(case): case for case in cases.exercise_cases()}
CLIP = ClipInfo("clip.mp4", 10.0, 0, 1280, 720, 0, 0.0)
TOOL = ToolInfo("0", "0", "none", "0")


@cache
def analysis(name: str) -> Analysis:
    """The analysis of a case named as in `CASES`."""
    case = CASES[name]
    exercise = EXERCISES[case.exercise]
    engine = Analyzer(exercise, applied_rules(exercise, Settings()))
    for pose in case.film():
        engine.add(pose)
    with mock.patch.object(accuracy, "sigma", cases.sigma):  # so that a new error table changes no test
        return engine.finish(CLIP, TOOL)
