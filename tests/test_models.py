"""Finding, checking and fetching pose models; the server is a local one."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from formcheck.adapters import models
from formcheck.errors import ModelError

CONTENT = bytes(range(256)) * 2000  # several chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Host:
    """What the local server sends, and what it was asked."""

    content: bytes = CONTENT
    cut_at: int | None = None  # end the connection after this many bytes of one reply
    ranges: bool = True
    status: int | None = None
    asked: list[str | None] = field(default_factory=list)  # the Range header of every request
    url: str = ""


def handler_for(host: Host) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            host.asked.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and host.ranges else 0
            if host.status or start >= len(host.content):
                self.send_error(host.status or 416)
                return
            body = host.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: host.cut_at])

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, empty."""
    monkeypatch.setattr(models, "user_folder", lambda: tmp_path / "data" / "models")
    return tmp_path / "data" / "models"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Host]:
    """A local server that the `lite` variant is fetched from."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    host = Host()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(host))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host.url = f"http://127.0.0.1:{server.server_port}/pose_landmarker_lite.task"
    monkeypatch.setitem(models.VARIANTS, "lite", models.Variant("lite", host.url, SHA256))
    yield host
    server.shutdown()
    server.server_close()


def part_of(folder: Path) -> Path:
    return folder / "pose_landmarker_lite.task.part"


def test_the_official_addresses() -> None:
    for name in ("lite", "full", "heavy"):
        variant = models.VARIANTS[name]
        assert variant.url == (
            "https://storage.googleapis.com/mediapipe-models/pose_landmarker/"
            f"pose_landmarker_{name}/float16/1/pose_landmarker_{name}.task"
        )
        assert re.fullmatch("[0-9a-f]{64}", variant.sha256)


def test_the_full_model_comes_with_formcheck() -> None:
    found = models.locate()
    assert (found.variant, found.sha256) == ("full", models.BUNDLED_SHA256)
    assert hashlib.sha256(found.path.read_bytes()).hexdigest() == models.BUNDLED_SHA256
    assert models.locate("full") == found


def test_a_model_by_path(tmp_path: Path) -> None:
    own = tmp_path / "own.task"
    own.write_bytes(b"anything")
    assert models.locate(own) == models.ModelFile(own, "own", hashlib.sha256(b"anything").hexdigest())
    shutil.copy(models.locate().path, own)
    assert models.locate(str(own)).variant == "full"  # known by its content


@pytest.mark.parametrize("missing", ["nowhere.task", "medium", "."])
def test_a_path_that_is_no_file(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"no such pose model; .*lite, full, heavy"):
        models.locate(missing)


def test_a_variant_that_is_not_here(folder: Path) -> None:
    with pytest.raises(ModelError, match="formcheck models fetch heavy"):
        models.locate("heavy")


def test_a_damaged_bundle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "pose_landmarker_full.task"
    content = bytearray(models.locate().path.read_bytes())
    content[5_000_000] ^= 1
    damaged.write_bytes(content)
    monkeypatch.setattr(models, "_candidates", lambda variant: iter([damaged]))
    with pytest.raises(ModelError, match="damaged") as caught:
        models.locate()
    assert str(damaged) in str(caught.value)
    assert "\n" not in str(caught.value)
    status = next(status for status in models.list_models() if status.variant == "full")
    assert "damaged" in status.problem


def test_a_change_of_the_file_is_seen(host: Host, folder: Path) -> None:
    path = models.fetch("lite")
    assert models.locate("lite").path == path
    path.write_bytes(CONTENT + b"x")
    with pytest.raises(ModelError, match="delete it and run `formcheck models fetch lite`"):
        models.locate("lite")


def test_the_list(host: Host, folder: Path) -> None:
    models.fetch("lite")
    lite, full, heavy = models.list_models()
    assert (lite.variant, lite.path, lite.size_bytes, lite.sha256) == (
        "lite",
        folder / "pose_landmarker_lite.task",
        len(CONTENT),
        SHA256,
    )
    assert (full.variant, full.sha256, full.problem) == ("full", models.BUNDLED_SHA256, "")
    assert (heavy.variant, heavy.path, heavy.size_bytes, heavy.problem) == ("heavy", None, 0, "")


def test_a_full_download(host: Host, folder: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = models.fetch("lite", progress=lambda done, total: seen.append((done, total)))
    assert path == folder / "pose_landmarker_lite.task"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in folder.iterdir()] == [path.name]
    assert host.asked == [None]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_model_that_is_here_is_not_fetched_again(host: Host, folder: Path) -> None:
    assert models.fetch("lite") == models.fetch("lite")
    assert len(host.asked) == 1


def test_a_cut_download_goes_on(host: Host, folder: Path) -> None:
    host.cut_at = 100_000
    with pytest.raises(ModelError, match=f"stopped at 100000 of {len(CONTENT)} bytes; run it again"):
        models.fetch("lite")
    assert part_of(folder).read_bytes() == CONTENT[:100_000]
    with pytest.raises(ModelError, match="not on this machine"):
        models.locate("lite")
    host.cut_at = None
    assert models.fetch("lite").read_bytes() == CONTENT
    assert host.asked == [None, "bytes=100000-"]


def test_a_server_that_cannot_resume_sends_all_again(host: Host, folder: Path) -> None:
    folder.mkdir(parents=True)
    part_of(folder).write_bytes(b"old" * 100)
    host.ranges = False
    assert models.fetch("lite").read_bytes() == CONTENT


def test_a_part_that_is_whole_needs_no_more(host: Host, folder: Path) -> None:
    folder.mkdir(parents=True)
    part_of(folder).write_bytes(CONTENT)
    assert models.fetch("lite").read_bytes() == CONTENT
    assert host.asked == [f"bytes={len(CONTENT)}-"]


def test_a_wrong_checksum_is_refused(host: Host, folder: Path) -> None:
    host.content = CONTENT[:-1] + b"?"
    with pytest.raises(ModelError, match=f"expected {SHA256}, and was deleted"):
        models.fetch("lite")
    assert list(folder.iterdir()) == []
    host.content = CONTENT  # and the next try starts afresh
    assert models.fetch("lite").read_bytes() == CONTENT


def test_a_server_that_refuses(host: Host) -> None:
    host.status = 404
    with pytest.raises(
        ModelError, match=r"refused the model \(HTTP 404\); download .* elsewhere and pass --model PATH"
    ):
        models.fetch("lite")


def test_a_host_that_cannot_be_reached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}/pose_landmarker_lite.task"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setitem(models.VARIANTS, "lite", models.Variant("lite", url, SHA256))
    with pytest.raises(
        ModelError, match=f"could not reach 127.0.0.1:{port} .*elsewhere and pass --model PATH"
    ) as caught:
        models.fetch("lite")
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written(host: Host, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="cannot be written"):
        models.fetch("lite")


def test_an_unknown_variant() -> None:
    with pytest.raises(ModelError, match="medium: no such pose model variant; choose one of lite, full, heavy"):
        models.fetch("medium")
