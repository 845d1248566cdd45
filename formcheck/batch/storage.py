"""Where clips lie: a path of this machine, or an address that fsspec knows (`s3://`, `gs://`, `memory://` ...).

An address is a string. One of this machine is an absolute path; every other keeps its protocol.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from formcheck.errors import ClipError, ConfigError, FormcheckError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[A-Za-z0-9+.:/-]*)?://")

# What storages call the version of an object; any of them changes when its content does.
_VERSIONS = ("ETag", "etag", "generation", "md5Hash", "content_md5", "checksum", "mtime", "LastModified", "created")


class StorageError(FormcheckError):
    """A storage cannot be reached or read just now; trying again later may help."""


def is_remote(address: str) -> bool:
    """Return whether an address is one that only fsspec can read."""
    return bool(_URL.match(address))


def canonical(address: str | Path) -> str:
    """Return the one spelling of an address: an absolute path (links kept), or the URL without a last slash."""
    text = str(address)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if is_remote(text):
        return text.rstrip("/")
    return os.path.abspath(text)  # noqa: PTH100  (Path.resolve would follow links, and names would change with them)


def join(address: str, name: str) -> str:
    """Return the address of `name` inside a folder."""
    return f"{address}/{name}" if is_remote(address) else str(Path(address, name))


def stem_of(address: str) -> str:
    """Return the clip's file name without its ending."""
    return Path(address.rsplit("/", 1)[-1]).stem if is_remote(address) else Path(address).stem


def filesystem(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of a remote address, and the path in it.

    Raises
    ------
    ConfigError
        When no package for this kind of address is installed, or it needs settings that are missing.
    """
    import fsspec
    from fsspec.registry import known_implementations

    protocol = address.split("://", 1)[0]
    try:
        return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]
    except ImportError as error:
        known = known_implementations.get(protocol, {})
        advice = str(known.get("err", "")) or f"install the package that reads {protocol}://"
        raise ConfigError(f"{address}: this kind of address cannot be read here yet: {one_line(advice)}") from error
    except ValueError as error:
        raise ConfigError(
            f"{address}: no storage is known for {protocol}://; give a path, or an address like s3://"
        ) from error
    except Exception as error:  # each storage's client has its own exceptions, for credentials and settings too
        raise ConfigError(f"{address}: this storage cannot be opened ({one_line(error)})") from error


@contextmanager
def reading(address: str) -> Iterator[None]:
    """Turn whatever a storage's client raises in the block into one line.

    Raises
    ------
    ClipError
        When there is nothing at the address.
    StorageError
        When it cannot be read.
    """
    try:
        yield
    except FormcheckError:
        raise
    except FileNotFoundError as error:
        raise ClipError(f"{address}: no such file; check the name and the folder") from error
    except PermissionError as error:
        raise ClipError(f"{address}: no permission to read it; change its access rights or copy it") from error
    except Exception as error:
        raise StorageError(
            f"{address}: cannot be read ({one_line(error)}); check the storage, then --resume"
        ) from error


def stamp(address: str) -> str:
    """Return what tells one state of a file from another without reading it; empty where the storage tells nothing.

    Raises
    ------
    ClipError, StorageError
        As `reading`.
    """
    with reading(address):
        if not is_remote(address):
            state = Path(address).stat()
            # The change time (ctime) moves with every write and cannot be set back, unlike the modification time.
            return f"{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}-{state.st_ino}"
        system, path = filesystem(address)
        system.invalidate_cache()
        info = system.info(path)
    versions = [f"{key}={info[key]}" for key in _VERSIONS if info.get(key)]
    return f"{info.get('size')}-{'-'.join(versions)}" if versions else ""


def size_bytes(address: str) -> int:
    """Return a file's size; 0 when it is not known at once, since it only weighs the progress."""
    if is_remote(address):
        return 0  # asking a storage for each of thousands of clips would take minutes
    try:
        return Path(address).stat().st_size
    except OSError:
        return 0


def fetch(address: str, folder: Path) -> Path:
    """Return a path under which this machine can read the file; a remote one is copied into `folder`.

    Raises
    ------
    ClipError, StorageError
        As `reading`.
    """
    if not is_remote(address):
        return Path(address)
    target = folder / f"clip{Path(address).suffix}"
    with reading(address):
        system, path = filesystem(address)
        system.get_file(path, str(target))
    return target


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content; errors as `reading`."""
    with reading(str(path)), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def one_line(error: object) -> str:
    """Return an error's text on one short line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:200]
