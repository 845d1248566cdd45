"""The results of a batch, clip by clip: a clip is finished when its marker is there, which is written last.

Each clip has a folder `clips/NAME-CODE/` with its files and `done.json`. The marker says what the result was made from
(the clip's content, the settings, the versions, the model) and which files belong to it, so the markers together
are the batch's ledger: --resume needs nothing else, and a file without its marker counts for nothing.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from formcheck.batch import storage
from formcheck.batch.clips import RESULTS
from formcheck.batch.files import Files, open_files
from formcheck.batch.job import BatchStopped
from formcheck.errors import ConfigError

MARKER = "done.json"
BATCH = "batch.json"  # says that the folder is a batch's
STAGING = ".staging"  # files of clips that are being worked on
BATCH_SCHEMA = "formcheck.batch/1"
MARKER_SCHEMA = "formcheck.done/1"


@dataclass(frozen=True, slots=True)
class Marker:
    """What a clip's finished result was made from.

    Attributes
    ----------
    clip : str
        Its address.
    content_sha256 : str
    stamp : str
        See `storage.stamp`: while it stays the same, the content is not read again.
    fingerprint : str
        See `Job.fingerprint`.
    reason : str
        Why the clip cannot be analysed; empty for a result.
    files : mapping of str to int
        Name and size of each result file.
    """

    clip: str
    content_sha256: str
    stamp: str
    fingerprint: str
    reason: str = ""
    files: Mapping[str, int] = field(default_factory=dict)


class Store:
    """A batch's folder.

    Parameters
    ----------
    address : str
        A folder of this machine, or an address that fsspec knows.

    Raises
    ------
    ConfigError
        When no package for this kind of address is installed.
    """

    def __init__(self, address: str) -> None:
        self.files: Files = open_files(address)
        self.address = address

    @property
    def staging(self) -> Path | None:
        """Where result files are made before they are committed; None where that must be elsewhere."""
        return None if storage.is_remote(self.address) else Path(self.address) / STAGING

    def marker(self, name: str) -> Marker | None:
        """Return a clip's marker when it is whole, and all files that it names are there."""
        content = self.files.read(f"{RESULTS}/{name}/{MARKER}")
        if content is None:
            return None
        try:
            document = json.loads(content)
            if document.pop("schema") != MARKER_SCHEMA:
                return None
            marker = Marker(**document)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None  # not one of ours: the clip is done again
        sizes = self.files.sizes(f"{RESULTS}/{name}")
        whole = all(sizes.get(file) == size for file, size in marker.files.items())
        return marker if whole else None

    def write_marker(self, name: str, marker: Marker) -> None:
        """Declare a clip finished."""
        text = json.dumps({"schema": MARKER_SCHEMA, **asdict(marker)}, indent=2) + "\n"
        self.files.write(f"{RESULTS}/{name}/{MARKER}", text.encode("ascii"))

    def commit(self, name: str, folder: Path, marker: Marker) -> None:
        """Take the files that lie in `folder` as a clip's result, in place of all that it had, and mark it finished.

        Killed at any moment, this leaves the clip either finished or without a marker, and then it is done again.

        Raises
        ------
        OutputError
            When something cannot be written.
        """
        place = f"{RESULTS}/{name}"
        before = self.files.sizes(place)
        if MARKER in before:
            self.files.remove(f"{place}/{MARKER}")
        made = sorted(path for path in folder.iterdir() if path.is_file())
        sizes = {path.name: path.stat().st_size for path in made}
        for path in made:
            self.files.put(path, f"{place}/{path.name}")
        for old in before.keys() - sizes.keys() - {MARKER}:
            self.files.remove(f"{place}/{old}")
        self.write_marker(name, Marker(**{**asdict(marker), "files": sizes}))

    def read_result(self, name: str, file: str) -> bytes | None:
        """Return one of a clip's files."""
        return self.files.read(f"{RESULTS}/{name}/{file}")

    @contextmanager
    def claim(self, *, resume: bool) -> Iterator[str]:
        """Hold the folder for one batch, and yield the id that tells it from others.

        Parameters
        ----------
        resume : bool
            Whether results that are there may be gone on with.

        Raises
        ------
        ConfigError
            When the folder holds results and `resume` is False, or another batch is at work in it.
        OutputError
            When it cannot be written to.
        """
        here = self._batch_id()
        if not resume:
            self._refuse_results(here)
        if here is None:
            here = uuid.uuid4().hex
            document = json.dumps({"schema": BATCH_SCHEMA, "id": here}) + "\n"
            self.files.write(BATCH, document.encode("ascii"))
        if storage.is_remote(self.address):
            yield here
            return
        with (Path(self.address) / BATCH).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConfigError(
                    f"{self.address}: another batch is at work in this folder; wait for it, or choose another folder"
                ) from error
            if self._batch_id() != here:  # another one has begun in this very moment
                raise ConfigError(f"{self.address}: another batch has begun in this folder; choose another one")
            self.clear_staging()
            try:
                yield here
            finally:
                self.clear_staging()

    def clear_staging(self) -> None:
        """Remove what killed runs have left behind."""
        if self.staging is not None:
            shutil.rmtree(self.staging, ignore_errors=True)

    def check_id(self, batch_id: str) -> None:
        """Make sure that this machine sees the folder that the batch was started in.

        Raises
        ------
        BatchStopped
            When it does not.
        """
        if self._batch_id() != batch_id:
            raise BatchStopped(
                f"{self.address}: this worker does not see the batch's folder; "
                "use one that all machines share, or an address like s3://"
            )

    def _batch_id(self) -> str | None:
        content = self.files.read(BATCH)
        if content is None:
            return None
        try:
            document = json.loads(content)
            return str(document["id"]) if document["schema"] == BATCH_SCHEMA else None
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(
                f"{storage.join(self.address, BATCH)}: not a file of formcheck; choose another folder"
            ) from error

    def _refuse_results(self, batch_id: str | None) -> None:
        from formcheck.batch.summary import OUTPUTS

        taken = sorted({RESULTS, *OUTPUTS} & self.files.names())
        if taken and batch_id is not None:
            raise ConfigError(
                f"{self.address}: holds the results of an earlier batch; "
                "add --resume to go on with it, or choose another folder"
            )
        if taken:
            raise ConfigError(f"{self.address}: {taken[0]} in it would be overwritten; choose another folder")
