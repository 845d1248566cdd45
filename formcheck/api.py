"""The short way in for programs and notebooks: a file name in, a report out."""

from __future__ import annotations

from pathlib import Path

from formcheck.config import Settings, load_settings
from formcheck.exercises import find_exercise
from formcheck.exercises.base import Exercise
from formcheck.people import Person
from formcheck.pipeline import analyze_clip
from formcheck.reading import Progress
from formcheck.types import Rate, Report, Side


def analyze(
    path: str | Path,
    *,
    exercise: str | Exercise | None = None,
    side: str | Side | None = None,
    settings: Settings | str | Path | None = None,
    model: str | Path | None = None,
    person: Person | None = None,
    rate: Rate | str = Rate.FULL,
    on_progress: Progress | None = None,
) -> Report:
    """Analyse one recorded clip and return its report; what was measured on every frame comes from `analyze_clip`.

    Parameters
    ----------
    path : str or Path
    exercise : str, Exercise or None
        What the clip shows, by any of its names (``"rdl"``); None recognises it.
    side : str, Side or None
        ``"left"`` or ``"right"``: the leg to judge; None judges the one nearer to the camera.
    settings : Settings, str, Path or None
        Settings, or the TOML file that holds them.
    model : str, Path or None
        A model file or variant; None is the full model that comes with formcheck.
    person : Person or None
        Whom to judge where several people are in the picture; None judges the one who moves through the exercise.
    rate : Rate or str
        ``"auto"`` estimates only as many frames as the movement asks for: about twice as quick for most clips.
    on_progress : callable or None
        Called with seconds of the clip done and in total.

    Raises
    ------
    ClipError
        When no frame of the clip can be read, the person asked for is not in it, or the exercise was not named and is
        not recognised for sure.
    ConfigError
        When the exercise is not known, or the settings file cannot be used.
    ModelError
        When the pose model cannot be started.
    ValueError
        When `side` is neither left nor right, or the rate neither full nor auto.
    """
    return analyze_clip(
        path,
        exercise=find_exercise(exercise) if isinstance(exercise, str) else exercise,
        side=None if side is None else Side(side),
        settings=load_settings(Path(settings)) if isinstance(settings, str | Path) else settings,
        model=model,
        person=person,
        rate=rate,
        on_progress=on_progress,
    ).report
