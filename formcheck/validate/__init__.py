"""Measure formcheck against clips with known angles: angle errors, repetition counts, faults found and missed.

Each clip is analysed with what was learnt from every body but its own (`formcheck.bias`), so the figures hold for
people that formcheck has not seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

from formcheck.adapters import patches
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.models import locate
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.recorded import load_poses, save_poses
from formcheck.adapters.video import ClipReader, probe
from formcheck.errors import ClipError, FormcheckError, ModelError, OutputError
from formcheck.exercises import EXERCISES
from formcheck.pipeline import analyze_poses, clip_info
from formcheck.reading import FrameSource, Progress, estimate_poses
from formcheck.reports.files import prepare_folder
from formcheck.types import Analysis, Pose
from formcheck.validate.compare import ClipComparison, compare
from formcheck.validate.tables import Validation
from formcheck.validate.truth import TruthClip, exercise_of, find_truth_clips, load_truth

__all__ = ["Validation", "cached_poses", "default_cache", "validate"]

READING = (
    "outlines 16, slow clock 2"  # part of the cache's key: to be changed when poses or outlines come out otherwise
)

OnProgress = Callable[[float, int], None]
"""Called often, with clips done (part of one counts as a fraction) and clips in all."""


def default_cache() -> Path:
    """Folder that keeps estimated poses between validations."""
    return user_cache_path("formcheck") / "poses"


def validate(
    folder: Path,
    *,
    exercise_ids: Collection[str] | None = None,
    model: str | Path | None = None,
    cache: Path | None = None,
    on_progress: OnProgress | None = None,
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
        When the folder holds no such clip. A clip that cannot be read is left out, and the result says why.
    ModelError
        When the pose model cannot be started.
    OutputError
        When the cache cannot be written.
    """
    if cache is not None:
        prepare_folder(cache)
    clips = find_truth_clips(folder)
    compared: list[ClipComparison] = []
    left_out: list[tuple[str, str]] = []
    for number, clip in enumerate(clips):
        on_frame = _part_of(number, len(clips), on_progress)
        on_frame(0.0, 1.0)
        try:
            exercise = exercise_of(clip)
            if exercise_ids is not None and exercise not in exercise_ids:
                continue
            if exercise not in EXERCISES:
                left_out.append((clip.name, f"formcheck does not know {exercise} yet"))
                continue
            truth = load_truth(clip)
            compared.append(compare(_analyze(clip, truth, model, cache, on_frame), truth))
        except (ModelError, OutputError):
            raise  # the next clip would fail in the same way
        except FormcheckError as error:
            left_out.append((clip.name, str(error)))
    if not compared:
        raise ClipError(
            f"{folder}: none of its {len(clips)} clips could be compared; the first: {': '.join(left_out[0])}"
        )
    return Validation(tuple(compared), tuple(left_out))


def _part_of(number: int, total: int, on_progress: OnProgress | None) -> Progress:
    """Progress within one clip as progress of the whole."""

    def on_frame(time_s: float, duration_s: float) -> None:
        if on_progress is not None:
            # A file that does not say how long it is gives NaN, one that says too little more than the whole.
            share = time_s / duration_s if duration_s > 0 else 0.0
            on_progress(number + min(share, 1.0), total)

    return on_frame


def _analyze(
    clip: Path, truth: TruthClip, model: str | Path | None, cache: Path | None, on_frame: Progress
) -> Analysis:
    """Analyse one clip with what was learnt from all bodies but its own."""
    poses, info = cached_poses(clip, model, cache, on_frame=on_frame)
    seen = clip_info(clip, probe(clip), poses[-1].time_s)
    return analyze_poses(poses, seen, info, exercise=EXERCISES[truth.exercise], left_out_body=truth.body)


def cached_poses(
    clip: Path,
    model: str | Path | None = None,
    cache: Path | None = None,
    wrap: Callable[[ClipReader], FrameSource] | None = None,
    on_frame: Progress | None = None,
) -> tuple[list[Pose], BackendInfo]:
    """Estimate a clip's poses, or take them from the cache.

    Parameters
    ----------
    clip : Path
    model : str, Path or None
    cache : Path or None
        None keeps nothing.
    wrap : callable or None
        Changes the frames on their way to the network (`benchmarks/fit_bias.py` mirrors them); part of the cache's key.
    on_frame : callable or None
    """
    with ClipReader(clip) as reader:  # first: a clip that cannot be read has its own words for it
        kept = cache / f"{_content_key(clip, model, wrap)}.npz" if cache is not None else None
        found = _load_kept(kept)
        if found is None:
            with MediaPipeBackend.open(model) as backend:
                frames = wrap(reader) if wrap is not None else reader
                found = list(estimate_poses(frames, backend, on_frame)), backend.info
            if kept is not None:
                save_poses(kept, *found)
        return found


def _load_kept(kept: Path | None) -> tuple[list[Pose], BackendInfo] | None:
    """Poses from the cache; None when they are not there, or damaged, and so have to be estimated."""
    if kept is None or not kept.exists():
        return None
    try:
        return load_poses(kept)
    except ClipError:
        return None


def _content_key(clip: Path, model: str | Path | None, wrap: Callable[[ClipReader], FrameSource] | None) -> str:
    """Name for what a clip and a model give together; changes with either's content and with what reads them."""
    digest = hashlib.sha256(clip.read_bytes())
    digest.update(
        f"{locate(model).sha256} mediapipe {version('mediapipe')} patches {patches.VERSION} {READING}".encode()
    )
    digest.update(wrap.__name__.encode() if wrap is not None else b"")
    return digest.hexdigest()[:32]
