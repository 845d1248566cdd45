"""The sample clips of the checkout, which the app opens with one click."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import formcheck
from formcheck.exercises import EXERCISES
from formcheck.rules import RULES


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample clip.

    Attributes
    ----------
    clip : Path
    exercise : str
        Its id.
    title : str
        The exercise and what can be seen in it.
    """

    clip: Path
    exercise: str
    title: str


def samples_folder() -> Path:
    """Where they are in a checkout; a wheel brings none."""
    return Path(formcheck.__file__).parent.parent / "sample_videos"


def samples(folder: Path | None = None) -> tuple[Sample, ...]:
    """The clips with a description beside them, in the order of their titles; empty without such a folder."""
    described = (folder or samples_folder()).glob("*.json")
    clips = [path.with_suffix(".mp4") for path in described if path.with_suffix(".mp4").is_file()]
    return tuple(sorted(map(_sample, clips), key=lambda sample: (sample.title, sample.clip.name)))


def _sample(clip: Path) -> Sample:
    planted = json.loads(clip.with_suffix(".json").read_text(encoding="utf-8"))
    exercise = planted["exercise"].replace("_", "-")
    faults = dict.fromkeys(fault["fault"].replace("_", "-") for fault in planted["faults"])
    words = ", ".join(RULES[fault].title.lower() for fault in faults if fault in RULES) or "done well"
    return Sample(clip, exercise, f"{EXERCISES[exercise].title}: {words}")
