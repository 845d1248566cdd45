"""Measure formcheck against clips with known angles: angle errors, repetition counts, faults found and missed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.models import locate
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.recorded import load_poses, save_poses
from formcheck.adapters.video import ClipReader
from formcheck.errors import ClipError, FormcheckError
from formcheck.exercises import EXERCISES
from formcheck.pipeline import analyze_poses, clip_info, estimate_poses
from formcheck.types import Analysis, ClipInfo, Pose
from formcheck.validate.compare import ClipComparison, compare
from formcheck.validate.tables import Validation
from formcheck.validate.truth import exercise_of, find_truth_clips, load_truth

__all__ = ["Validation", "default_cache", "validate"]

OnClip = Callable[[int, int, str], None]
"""Called with clips done, clips in all, and the name of the clip that comes next."""


def default_cache() -> Path:
    """Folder that keeps estimated poses between validations."""
    return user_cache_path("formcheck") / "poses"


def validate(
    folder: Path,
    *,
    exercise_ids: Collection[str] | None = None,
    model: str | Path | None = None,
    cache: Path | None = None,
    on_progress: OnClip | None = None,
) -> Validation:
    """Analyse every clip of a folder that has its truth beside it, and compare.

    Parameters
    ----------
    folder : Path
    exercise_ids : collection of str or None
        Only these exercises; None for all that formcheck knows.
    model : str, Path or None
    cache : Path or None
        Folder in which estimated poses are kept, by the content of clip and model, so that a second run needs no pose
        estimation; None keeps nothing.
    on_progress : callable or None

    Raises
    ------
    ClipError
        When the folder holds no such clip.
    """
    clips = find_truth_clips(folder)
    compared: list[ClipComparison] = []
    left_out: list[tuple[str, str]] = []
    for number, clip in enumerate(clips):
        if on_progress is not None:
            on_progress(number, len(clips), clip.name)
        try:
            exercise = exercise_of(clip)
            if exercise_ids is not None and exercise not in exercise_ids:
                continue
            if exercise not in EXERCISES:
                left_out.append((clip.name, f"formcheck does not know {exercise} yet"))
                continue
            compared.append(compare(_analyze(clip, exercise, model, cache), load_truth(clip)))
        except FormcheckError as error:
            left_out.append((clip.name, str(error)))
    if not compared:
        raise ClipError(
            f"{folder}: none of its {len(clips)} clips could be compared; the first: {': '.join(left_out[0])}"
        )
    return Validation(tuple(compared), tuple(left_out))


def _analyze(clip: Path, exercise: str, model: str | Path | None, cache: Path | None) -> Analysis:
    poses, info, seen = _poses(clip, model, cache)
    return analyze_poses(poses, seen, info, exercise=EXERCISES[exercise])


def _poses(clip: Path, model: str | Path | None, cache: Path | None) -> tuple[list[Pose], BackendInfo, ClipInfo]:
    """Estimate a clip's poses, or take them from the cache."""
    kept = cache / f"{_content_key(clip, model)}.npz" if cache is not None else None
    with ClipReader(clip) as reader:
        if kept is not None and kept.exists():
            poses, info = load_poses(kept)
        else:
            with MediaPipeBackend.open(model) as backend:
                poses, info = list(estimate_poses(reader, backend)), backend.info
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                save_poses(kept, poses, info)
        return poses, info, clip_info(clip, reader.info, poses[-1].time_s)


def _content_key(clip: Path, model: str | Path | None) -> str:
    """Name for what a clip and a model give together; changes with either's content and with mediapipe's version."""
    digest = hashlib.sha256(clip.read_bytes())
    digest.update(f"{locate(model).sha256} mediapipe {version('mediapipe')}".encode())
    return digest.hexdigest()[:32]
