"""mediapipe's usage records: a local server stands in for their host and sees what arrives.

Each case runs in a Python process of its own whose `https_proxy` is a proxy in this test. The proxy sends every
connection to a TLS server in this test, whose certificate the process is made to trust. The only difference between
the control and the other cases is who sets mediapipe up, so the control shows that a record would be seen.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data" / "usage_records"
RECORD_HOST = b"play.googleapis.com:443"

pytestmark = pytest.mark.model

TRUST = """
import sys, certifi, numpy as np
certifi.where = lambda: sys.argv[1]  # where mediapipe looks up the certificates to trust
from formcheck.adapters import models
from formcheck.types import Frame
black = np.zeros((64, 64, 3), dtype=np.uint8)
"""

AS_SHIPPED = """
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision
options = vision.PoseLandmarkerOptions(
    base_options=BaseOptions(model_asset_path=str(models.locate().path)), running_mode=vision.RunningMode.VIDEO
)
with vision.PoseLandmarker.create_from_options(options) as landmarker:
    landmarker.detect_for_video(mp.Image(mp.ImageFormat.SRGB, black), 0)
print("ran")
"""

FORMCHECK = """
from formcheck.adapters.mediapipe import MediaPipeBackend
with MediaPipeBackend.open() as backend:
    backend.detect(Frame(0, 0.0, black))
print("ran")
"""

BLOCKED = "from formcheck.adapters.mediapipe import block_connections\nblock_connections()\n" + FORMCHECK


@dataclass
class RecordServer:
    """A proxy that leads every CONNECT to a TLS server of its own; keeps what each connection brought."""

    targets: list[bytes] = field(default_factory=list)  # what was asked for
    refused: int = 0  # handshakes that the other side broke off
    received: list[bytes] = field(default_factory=list)  # decrypted data, one entry for a finished handshake

    def __post_init__(self) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(DATA / "server.pem")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._workers: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def finish(self) -> None:
        """Wait until every connection has ended, and stop."""
        with socket.create_connection(self._listener.getsockname()) as last:
            last.sendall(b"QUIT\r\n\r\n")
            self._acceptor.join(timeout=10)
        self._listener.close()
        for worker in self._workers:
            worker.join(timeout=10)
        assert not any(thread.is_alive() for thread in (self._acceptor, *self._workers))

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            connection.settimeout(5)
            head = b""
            while not head.endswith(b"\r\n\r\n") and (byte := connection.recv(1)):
                head += byte
            if head.startswith(b"QUIT"):
                connection.close()
                return
            self.targets.append(head.split(b" ")[1])
            worker = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._workers.append(worker)
            worker.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            stream = self._tls.wrap_socket(connection, server_side=True)
        except OSError:  # ssl.SSLError is one
            self.refused += 1
            return
        with stream:
            self.received.append(_request(stream))


def _request(stream: ssl.SSLSocket) -> bytes:
    """Read one HTTP request to its end, answer it, and return it."""
    data = b""
    try:
        while chunk := stream.recv(65536):
            data += chunk
            head, end, body = data.partition(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
            if end and len(body) >= length:
                stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                return data
    except OSError:  # the other side broke off: what came before counts
        return data
    return data


@pytest.fixture
def server() -> RecordServer:
    return RecordServer()


def run(server: RecordServer, script: str) -> RecordServer:
    """Run a script in a process whose HTTPS goes to the server, wait for both, and return the server."""
    proxies = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    environment = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
    done = subprocess.run(
        [sys.executable, "-c", TRUST + script, str(DATA / "ca.pem")],
        env=environment | {"https_proxy": server.address},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    server.finish()
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ran"
    return server


def test_control_a_record_arrives_from_mediapipe_as_shipped(server: RecordServer) -> None:
    run(server, AS_SHIPPED)
    assert server.targets == [RECORD_HOST]
    assert len(server.received) == 1
    assert server.received[0].startswith(b"POST /log HTTP/1.1\r\n")
    assert server.refused == 0


def test_no_byte_of_a_record_arrives_from_formcheck(server: RecordServer) -> None:
    run(server, FORMCHECK)
    assert server.targets == [RECORD_HOST]  # it was tried
    assert server.refused == 1  # and broken off in the handshake
    assert b"".join(server.received) == b""


def test_no_connection_is_made_once_connections_are_blocked(server: RecordServer) -> None:
    run(server, BLOCKED)
    assert server.targets == []
    assert server.received == []
