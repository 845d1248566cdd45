"""formcheck: a form checker for hamstring exercises and stretches.

The public names are listed in `__all__`. Each is imported when it is first asked for, so that `import formcheck` (and
with it `formcheck explain`) starts at once and brings no video or pose library with it:

    import formcheck

    report = formcheck.analyze("rdl.mp4", exercise="romanian-deadlift")
    for outcome in report.outcomes:
        if outcome.status is formcheck.Status.FAULT:
            print(outcome.rep, outcome.message, outcome.cue)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from formcheck.api import analyze
    from formcheck.config import Settings, load_settings
    from formcheck.errors import FormcheckError
    from formcheck.exercises import EXERCISES, find_exercise
    from formcheck.exercises.base import Exercise
    from formcheck.pipeline import analyze_clip, render_overlay
    from formcheck.rules import RULES
    from formcheck.types import Analysis, Outcome, Rep, Report, Side, Status, View

__version__ = "0.1.0"

__all__ = [
    "EXERCISES",
    "RULES",
    "Analysis",
    "Exercise",
    "FormcheckError",
    "Outcome",
    "Rep",
    "Report",
    "Settings",
    "Side",
    "Status",
    "View",
    "__version__",
    "analyze",
    "analyze_clip",
    "find_exercise",
    "load_settings",
    "render_overlay",
]

# The same as the imports above, for when the program runs; a test compares the two.
_HOMES = {
    "EXERCISES": "formcheck.exercises",
    "RULES": "formcheck.rules",
    "Analysis": "formcheck.types",
    "Exercise": "formcheck.exercises.base",
    "FormcheckError": "formcheck.errors",
    "Outcome": "formcheck.types",
    "Rep": "formcheck.types",
    "Report": "formcheck.types",
    "Settings": "formcheck.config",
    "Side": "formcheck.types",
    "Status": "formcheck.types",
    "View": "formcheck.types",
    "analyze": "formcheck.api",
    "analyze_clip": "formcheck.pipeline",
    "find_exercise": "formcheck.exercises",
    "load_settings": "formcheck.config",
    "render_overlay": "formcheck.pipeline",
}

if not TYPE_CHECKING:  # a type checker would take it as the answer to every misspelt name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
