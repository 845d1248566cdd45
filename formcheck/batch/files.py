"""Writing into the batch's folder so that a file is there whole or not at all, on this machine or in a storage."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from formcheck.batch import storage
from formcheck.errors import FormcheckError, OutputError

# What a full disk, a quota or a file system gone read-only say.
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


class Files(Protocol):
    """The files below one address. Names are relative, with `/` between folders."""

    address: str

    def read(self, name: str) -> bytes | None:
        """Return a file's content, None when there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all, and let it reach the disk."""

    def put(self, source: Path, name: str) -> None:
        """Move or copy a local file to `name`, whole or not at all, and let it reach the disk."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return name -> size of the files that lie directly in a folder; empty when there is none."""

    def names(self) -> set[str]:
        """Return the names of files and folders at the top."""


def open_files(address: str) -> Files:
    """Return the files below an address.

    Raises
    ------
    ConfigError
        When no package for this kind of address is installed.
    """
    return RemoteFiles(address) if storage.is_remote(address) else LocalFiles(Path(address))


@contextmanager
def _writing(where: str) -> Iterator[None]:
    try:
        yield
    except FormcheckError:
        raise
    except OSError as error:
        what = "no space is left" if error.errno in _NO_SPACE else "cannot write it"
        raise OutputError(f"{where}: {what} ({storage.one_line(error)})") from error
    except Exception as error:  # a storage's client has its own exceptions
        raise OutputError(f"{where}: cannot write it ({storage.one_line(error)})") from error


class LocalFiles:
    """Files in a folder of this machine; see `Files`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = str(root)

    def read(self, name: str) -> bytes | None:
        """See `Files`."""
        try:
            return (self.root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise OutputError(f"{self.root / name}: cannot be read ({error.strerror}); check the folder") from error

    def write(self, name: str, content: bytes) -> None:
        """See `Files`."""
        target = self.root / name
        part = target.with_name(f".part-{uuid.uuid4().hex}")
        with _writing(str(target)):
            _make_folder(target.parent)
            try:
                with part.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
            _sync(target.parent)

    def put(self, source: Path, name: str) -> None:
        """See `Files`."""
        target = self.root / name
        with _writing(str(target)):
            _make_folder(target.parent)
            if _same_disk(source, target.parent):
                _sync(source)
                source.replace(target)
            else:
                part = target.with_name(f".part-{uuid.uuid4().hex}")
                try:
                    shutil.copyfile(source, part)
                    _sync(part)
                    part.replace(target)
                finally:
                    part.unlink(missing_ok=True)
            _sync(target.parent)

    def remove(self, name: str) -> None:
        """See `Files`."""
        target = self.root / name
        with _writing(str(target)):
            target.unlink(missing_ok=True)
            if target.parent.is_dir():
                _sync(target.parent)

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Files`."""
        place = self.root / folder
        if not place.is_dir():
            return {}
        return {path.name: path.stat().st_size for path in place.iterdir() if path.is_file()}

    def names(self) -> set[str]:
        """See `Files`."""
        return {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync(folder.parent)


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _sync(path: Path) -> None:
    """Let a file, or a folder's list of names, reach the disk, so that a power cut does not take it back."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # a network file system that knows no such thing
            raise
    finally:
        os.close(descriptor)


class RemoteFiles:
    """Files in a storage that fsspec knows; see `Files`. Object stores put an object whole or not at all."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._system, self._root = storage.filesystem(address)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def read(self, name: str) -> bytes | None:
        """See `Files`."""
        try:
            content: bytes = self._system.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        except Exception as error:
            where = storage.join(self.address, name)
            raise OutputError(f"{where}: cannot be read ({storage.one_line(error)}); check the storage") from error
        return content

    def write(self, name: str, content: bytes) -> None:
        """See `Files`."""
        with _writing(storage.join(self.address, name)):
            self._make_folder(name)
            self._system.pipe_file(self._path(name), content)

    def put(self, source: Path, name: str) -> None:
        """See `Files`."""
        with _writing(storage.join(self.address, name)):
            self._make_folder(name)
            self._system.put_file(str(source), self._path(name))

    def _make_folder(self, name: str) -> None:
        self._system.makedirs(self._path(name).rsplit("/", 1)[0], exist_ok=True)

    def remove(self, name: str) -> None:
        """See `Files`."""
        with _writing(storage.join(self.address, name)):
            try:
                self._system.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Files`."""
        found = self._list(self._path(folder))
        return {item["name"].rsplit("/", 1)[-1]: int(item["size"]) for item in found if item["type"] == "file"}

    def names(self) -> set[str]:
        """See `Files`."""
        return {item["name"].rstrip("/").rsplit("/", 1)[-1] for item in self._list(self._root)}

    def _list(self, path: str) -> list[dict[str, Any]]:
        self._system.invalidate_cache()
        try:
            return list(self._system.ls(path, detail=True))
        except FileNotFoundError:
            return []
        except Exception as error:
            raise OutputError(
                f"{self.address}: cannot be read ({storage.one_line(error)}); check the storage"
            ) from error
