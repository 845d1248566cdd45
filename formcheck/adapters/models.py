"""Where the pose models are: found, checked against their sha256, and fetched on request.

The *full* model comes with formcheck, so nothing is downloaded unless the person asks for another variant.
"""

from __future__ import annotations

import functools
import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from formcheck.errors import ModelError

DEFAULT_VARIANT = "full"
TIMEOUT_S = 30.0  # of one network operation, not of the whole download
CHUNK_BYTES = 1 << 16

# Of the file that models/make_bundle.py makes and formcheck ships: the official full networks in a bundle of our own.
BUNDLED_SHA256 = "f9bff67a41fc2efaee6cb8e6a30aa07867e38e122d49d9d94a8b8037a9c5585b"

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Variant:
    """One official pose landmarker model: name, address, and sha256 of the file at that address."""

    name: str
    url: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name that the file has wherever formcheck keeps it."""
        return f"pose_landmarker_{self.name}.task"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file ready to be loaded. `variant` is the file's stem where the file is not a known one."""

    path: Path
    variant: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What is known of one variant on this machine.

    Attributes
    ----------
    variant : str
    path : Path or None
        None when it is not on this machine.
    size_bytes : int
        0 when it is not on this machine.
    sha256 : str
        Of the file that was found; empty when there is none.
    url : str
        The official address.
    problem : str
        Why the file cannot be used and what to do; empty when it can, or when there is none.
    """

    variant: str
    path: Path | None
    size_bytes: int
    sha256: str
    url: str
    problem: str = ""


def _official(name: str, sha256: str) -> Variant:
    folder = "https://storage.googleapis.com/mediapipe-models/pose_landmarker"
    return Variant(name, f"{folder}/pose_landmarker_{name}/float16/1/pose_landmarker_{name}.task", sha256)


# Google publishes no checksums. These are the ones that independent public projects pin for the same addresses
# (several agree on each); a file that differs is refused, never trusted on first download.
VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        _official("lite", "59929e1d1ee95287735ddd833b19cf4ac46d29bc7afddbbf6753c459690d574a"),
        _official("full", "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1"),
        _official("heavy", "64437af838a65d18e5ba7a0d39b465540069bc8aae8308de3e318aad31fcbc7b"),
    )
}


def user_folder() -> Path:
    """Return the folder that `fetch` writes to (it may not exist yet)."""
    return platformdirs.user_data_path("formcheck") / "models"


def locate(variant_or_path: str | Path | None = None) -> ModelFile:
    """Find a model file and check it.

    Parameters
    ----------
    variant_or_path : str, Path or None
        A variant's name (`lite`, `full`, `heavy`), or the path of a model file; None means `full`. A variant is
        looked for in the installed package, in the checkout's `models/` and in the user's data folder, in
        this order, and its sha256 must be a known one. A file given by path is used as it is.

    Raises
    ------
    ModelError
        When there is no such file, it cannot be read, or it is damaged.
    """
    if variant_or_path is None:
        variant_or_path = DEFAULT_VARIANT
    if isinstance(variant_or_path, str) and variant_or_path in VARIANTS:
        variant = VARIANTS[variant_or_path]
        path = _find(variant)
        if path is None:
            raise ModelError(
                f"{variant.file_name}: the {variant.name} pose model is not on this machine; "
                f"run `formcheck models fetch {variant.name}` or pass --model PATH"
            )
        return ModelFile(path, variant.name, _checked_sha256(path, variant))
    path = Path(variant_or_path).expanduser()
    if not path.is_file():
        names = ", ".join(VARIANTS)
        raise ModelError(f"{path}: no such pose model; give the path of a .task file or one of {names}")
    if path.stat().st_size == 0:
        raise ModelError(f"{path}: the pose model is empty; copy it again, or run `formcheck models`")
    sha256 = _sha256(path)
    known = (name for name, variant in VARIANTS.items() if sha256 in _accepted(variant))
    return ModelFile(path, next(known, path.stem), sha256)


def list_models() -> list[ModelStatus]:
    """Return the state of every variant on this machine; a damaged file is a `problem`, not an error."""
    return [_status(variant) for variant in VARIANTS.values()]


def fetch(variant: str, *, progress: Progress | None = None) -> Path:
    """Download an official model into the user's data folder and return its path.

    A download that was cut off goes on where it stopped. A file that is there and intact is not fetched again.

    Parameters
    ----------
    variant : str
        `lite`, `full` or `heavy`.
    progress : callable, optional
        Called with the bytes on disk so far, and the total (None where the server does not say).

    Raises
    ------
    ModelError
        When the variant is unknown, the host cannot be reached, the download is cut off, the file cannot be
        written, or its sha256 is not the expected one (it is then deleted).
    """
    if variant not in VARIANTS:
        raise ModelError(f"{variant}: no such pose model variant; choose one of {', '.join(VARIANTS)}")
    wanted = VARIANTS[variant]
    target = user_folder() / wanted.file_name
    if target.is_file() and _sha256(target) == wanted.sha256:
        return target
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise ModelError(f"{part}: cannot be written ({error.strerror}); make the folder writable") from error
    _download(wanted, part, progress)
    found = _sha256(part)
    if found != wanted.sha256:
        part.unlink()
        raise ModelError(
            f"{wanted.url}: what came has sha256 {found}, expected {wanted.sha256}, and was deleted; "
            "run the command again, or download the file elsewhere and pass --model PATH"
        )
    part.replace(target)  # same folder, so no reader ever sees half a model
    return target


def _candidates(variant: Variant) -> Iterator[Path]:
    """Yield the places of a variant, best first."""
    package = Path(__file__).resolve().parents[1]
    yield package / "_models" / variant.file_name
    if (package.parent / "pyproject.toml").is_file():  # a checkout, not site-packages
        yield package.parent / "models" / variant.file_name
    yield user_folder() / variant.file_name


def _find(variant: Variant) -> Path | None:
    return next((path for path in _candidates(variant) if path.is_file()), None)


def _accepted(variant: Variant) -> set[str]:
    """Return the sha256 values that a file of this variant may have."""
    return {variant.sha256} | ({BUNDLED_SHA256} if variant.name == DEFAULT_VARIANT else set())


def _checked_sha256(path: Path, variant: Variant) -> str:
    sha256 = _sha256(path)
    if sha256 not in _accepted(variant):
        remedy = f"delete it and run `formcheck models fetch {variant.name}`"
        if path.parent != user_folder():
            remedy = "install formcheck again (in a checkout: restore models/), or pass --model PATH"
        raise ModelError(f"{path}: the pose model is damaged (sha256 {sha256} is not a known one); {remedy}")
    return sha256


def _status(variant: Variant) -> ModelStatus:
    path = _find(variant)
    if path is None:
        return ModelStatus(variant.name, None, 0, "", variant.url)
    try:
        size = path.stat().st_size
        return ModelStatus(variant.name, path, size, _checked_sha256(path, variant), variant.url)
    except (OSError, ModelError) as error:
        return ModelStatus(variant.name, path, 0, "", variant.url, problem=str(error))


def _sha256(path: Path) -> str:
    """Return the sha256 of a file, read once per process for as long as its size and time stay the same."""
    try:
        state = path.stat()
        return _hash_file(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check the file's permissions") from error


@functools.lru_cache(maxsize=16)
def _hash_file(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(variant: Variant, part: Path, progress: Progress | None) -> None:
    """Complete `part` from the variant's address."""
    have = part.stat().st_size
    headers = {"User-Agent": "formcheck"} | ({"Range": f"bytes={have}-"} if have else {})
    host = urllib.parse.urlsplit(variant.url).netloc
    elsewhere = f"download {variant.url} elsewhere and pass --model PATH"
    try:
        reply = urllib.request.urlopen(urllib.request.Request(variant.url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                return  # nothing is left to send: the checksum says whether the part is whole
            raise ModelError(f"{host} refused the model (HTTP {error.code}); {elsewhere}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ModelError(f"could not reach {host} ({reason}); {elsewhere}") from error
    with reply:
        # a server that ignores Range sends the whole file again, with status 200
        start = have if reply.status == http.client.PARTIAL_CONTENT else 0
        length = reply.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else None
        try:
            done = _receive(reply, part, start, total, progress)
        except (OSError, http.client.HTTPException) as error:
            raise ModelError(f"{variant.url}: the download stopped ({error}); run it again to go on") from error
    if total is not None and done < total:
        raise ModelError(f"{variant.url}: the download stopped at {done} of {total} bytes; run it again to go on")


def _receive(reply: IO[bytes], part: Path, start: int, total: int | None, progress: Progress | None) -> int:
    """Write the reply's body to `part` from byte `start` on and return the bytes that it then holds."""
    done = start
    with part.open("ab" if start else "wb") as file:
        while chunk := reply.read(CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    return done
