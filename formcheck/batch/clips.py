"""Which clips a batch works on: named files, folders with all that is in them, patterns, and a manifest."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from formcheck.batch import storage
from formcheck.errors import ConfigError
from formcheck.types import Side

# What folders are searched for. A file of another kind can still be named.
SUFFIXES = frozenset(
    ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .wmv .flv .3gp .mts .m2ts .ogv".split()  # noqa: SIM905
)
RESULTS = "clips"  # the folder of the results of each clip, in that of the batch
_PATTERN = re.compile(r"[*?\[]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")
_STEM_BYTES = 100  # of a folder's name; the longest that file systems take is 255
_FILE_STEM_BYTES = 200

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a batch, and what is said of it alone.

    Attributes
    ----------
    address : str
        An absolute path, or an address that fsspec knows.
    exercise : str or None
        Id of the exercise; None recognises it.
    side : Side or None
    person : int or None
        The N-th from the left, from 1; None judges the one who moves.
    label : str
        The person's own word for it; goes into the tables.
    """

    address: str
    exercise: str | None = None
    side: Side | None = None
    person: int | None = None
    label: str = ""

    @property
    def name(self) -> str:
        """The folder of its results: from its address and person only, never from what else is in the run."""
        key = self.address if self.person is None else f"{self.address}\n{self.person}"
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:10]
        return f"{_short(self.stem, _STEM_BYTES)}-{digest}"

    @property
    def stem(self) -> str:
        """What the names of its result files begin with: its own name without the ending."""
        stem = _UNSAFE.sub("_", storage.stem_of(self.address))
        return _short(f"_{stem}" if stem.startswith(".") or not stem else stem, _FILE_STEM_BYTES)


def _short(text: str, most_bytes: int) -> str:
    return text.encode("utf-8")[:most_bytes].decode("utf-8", "ignore")


def find_clips(sources: Sequence[str], out: str, warn: Warn) -> list[str]:
    """Return the addresses of the clips in files, folders and patterns, each once, sorted.

    Parameters
    ----------
    sources : sequence of str
        Paths or addresses. A folder gives every video in it and below, without hidden ones; a pattern (`*`, `?`, `[]`,
        and `**` for any folders) what it matches. A file that is named is taken whatever it is.
    out : str
        The batch's folder, whose results are never taken for clips.
    warn : callable
        Takes a line for each folder that cannot be read.

    Raises
    ------
    ConfigError
        When a folder holds no video, a pattern matches nothing, or an address cannot be opened.
    """
    found: dict[str, None] = {}
    results = storage.join(out, RESULTS)
    for source in sources:
        address = storage.canonical(source)
        clips = [clip for clip in _expand(source, address, warn) if not clip.startswith(f"{results}/")]
        if not clips:
            kinds = " ".join(sorted(SUFFIXES))
            raise ConfigError(f"{source}: no clip is there; check the name (folders are searched for {kinds})")
        found.update(dict.fromkeys(clips))
    return sorted(found)


def _expand(source: str, address: str, warn: Warn) -> Iterator[str]:
    if storage.is_remote(address):
        yield from _expand_remote(address)
    elif Path(address).is_dir():
        yield from _walk(Path(address), warn)
    elif _PATTERN.search(source) and not Path(address).exists():
        for match in glob.iglob(address, recursive=True):  # noqa: PTH207  (Path.glob takes no absolute pattern)
            if Path(match).is_file() and Path(match).suffix.lower() in SUFFIXES:
                yield match
    else:
        yield address  # a missing file becomes a failed clip with its reason


def _walk(folder: Path, warn: Warn) -> Iterator[str]:
    """Every video below a folder. Links to folders are followed, each real folder once, so that no loop catches us."""
    seen: set[str] = set()

    def say(error: OSError) -> None:
        warn(f"{error.filename}: this folder cannot be read ({error.strerror}); its clips are left out")

    for place, folders, files in os.walk(folder, onerror=say, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield str(Path(place, name))


def _expand_remote(address: str) -> Iterator[str]:
    system, path = storage.filesystem(address)
    with storage.reading(address):
        if _PATTERN.search(path):
            matches = system.glob(path)
        elif system.isdir(path):
            matches = system.find(path)
        else:
            yield address
            return
    for match in matches:
        hidden = any(part.startswith(".") for part in match.removeprefix(path).split("/"))
        if not hidden and Path(match).suffix.lower() in SUFFIXES:
            yield system.unstrip_protocol(match)


def merge(found: Sequence[str], listed: Sequence[Clip], common: Clip) -> list[Clip]:
    """Join the clips that were found with those of a manifest, whose word on a clip counts.

    Parameters
    ----------
    found : sequence of str
        Addresses.
    listed : sequence of Clip
        Of a manifest; may name one clip several times, once for each person in it.
    common : Clip
        What holds where nothing else is said; its address is not used.

    Returns
    -------
    list of Clip
        In order of address and person, each once.

    Raises
    ------
    ConfigError
        When the manifest says two things of one clip and person.
    """
    clips: dict[str, Clip] = {}
    for item in listed:
        clip = Clip(
            item.address,
            item.exercise or common.exercise,
            item.side or common.side,
            item.person or common.person,
            item.label,
        )
        if clips.setdefault(clip.name, clip) != clip:
            raise ConfigError(f"{clip.address}: the manifest names it twice with different entries; leave one row")
    spoken_for = {clip.address for clip in clips.values()}
    for address in found:
        if address not in spoken_for:
            clip = Clip(address, common.exercise, common.side, common.person)
            clips[clip.name] = clip
    return sorted(clips.values(), key=lambda clip: (clip.address, clip.person or 0))
