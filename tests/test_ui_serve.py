"""`formcheck ui`: where the app is, which port it takes, and what it says when it cannot start."""

from __future__ import annotations

import asyncio
import importlib
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import streamlit

import formcheck
from formcheck import cli
from formcheck.cli import ui
from formcheck.errors import ConfigError
from formcheck.ui import hosts, serve
from formcheck.ui.app import ON_ACCENT, PAGES

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_port_in_use_is_one_line_and_status_2(taken_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ui", "--port", str(taken_port)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert f"port {taken_port} is in use" in line
    assert f"formcheck ui --port {taken_port + 1}" in line


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ui", f"--port={port}"]) == 2
    assert "is no port; give a number from 1 to 65535" in capsys.readouterr().err


def test_a_free_port_passes(taken_port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind(("127.0.0.1", 0))
        free = trial.getsockname()[1]
    serve.check_port(free)
    with pytest.raises(ConfigError):
        serve.check_port(taken_port)


def asked(host: str | None) -> tuple[int, str]:
    """What the middleware answers to a request by this name; 200 where it is handed on."""
    sent: list[dict[str, object]] = []

    async def page(scope: object, receive: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [] if host is None else [(b"host", host.encode())]}
    asyncio.run(hosts.KnownNames(page, "http://localhost:8501")(scope, None, send))  # type: ignore[arg-type]
    return int(str(sent[0]["status"])), bytes(sent[1]["body"]).decode()  # type: ignore[call-overload]


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "LOCALHOST"])
def test_the_app_answers_by_its_own_names(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit.config, "get_option", {"server.allowedHosts": ["localhost", "127.0.0.1"]}.get)
    assert asked(host) == (200, "page")


@pytest.mark.parametrize("host", ["gym.test:8501", "localhost.gym.test", "", None])
def test_by_another_name_it_says_where_it_is(host: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit.config, "get_option", {"server.allowedHosts": ["localhost", "127.0.0.1"]}.get)
    status, text = asked(host)
    assert status == 403
    assert "open http://localhost:8501 in your browser" in text
    assert "gym" not in text  # nothing that was sent comes back


def test_a_missing_extra_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ui, "find_spec", lambda name: None)
    assert cli.main(["ui"]) == 2
    assert 'pip install "formcheck[ui]"' in capsys.readouterr().err


def test_the_app_is_found_in_a_checkout_and_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (serve.app_folder() / "app.py").read_text(encoding="utf-8").endswith("main()\n")
    packed = tmp_path / "formcheck" / "_app"
    packed.mkdir(parents=True)
    monkeypatch.setattr(formcheck, "__file__", str(tmp_path / "formcheck" / "__init__.py"))
    assert serve.app_folder() == packed


def test_settings_keep_the_app_on_this_machine() -> None:
    settings = tomllib.loads((serve.app_folder() / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "localhost"
    assert settings["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["server"]["maxUploadSize"] <= 500


def test_no_page_run_stops_every_thread_to_collect_garbage() -> None:
    # Live runs parts of its page several times a second; the camera's threads must not wait for that.
    settings = tomllib.loads((serve.app_folder() / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["runner"]["postScriptGC"] is False


def test_the_runs_of_a_page_follow_one_another() -> None:
    # Beside a newer run, one that is being stopped would go on to judge a live set, and to keep it a second time.
    settings = tomllib.loads((serve.app_folder() / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["runner"]["fastReruns"] is False


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def faded(colour: str, background: str, share: float) -> str:
    """What is seen of a colour that lets the background through."""
    ink, paper = ([int(value[place : place + 2], 16) for place in (1, 3, 5)] for value in (colour, background))
    return "#" + "".join(
        f"{round(share * one + (1 - share) * other):02x}" for one, other in zip(ink, paper, strict=True)
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_contrasts_enough(theme: str) -> None:
    # WCAG 2.2: 4.5 for text (level AA), 7 for level AAA, 3 for the outline of a control.
    settings = tomllib.loads((serve.app_folder() / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    colours = settings["theme"][theme]
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(colours["textColor"], colours[background]) >= 7
        assert contrast(colours["linkColor"], colours[background]) >= 4.5
    caption = faded(colours["textColor"], colours["backgroundColor"], 0.6)  # Streamlit's
    assert contrast(caption, colours["backgroundColor"]) >= 4.5
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(colours["primaryColor"], colours[background]) >= 4.5  # it marks what is chosen, text too
    on_accent = ON_ACCENT if theme == "dark" else "#ffffff"  # the text on a primary button
    assert contrast(on_accent, colours["primaryColor"]) >= 4.5


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.module)
def test_every_page_is_a_module_with_a_page(entry: object) -> None:
    module = importlib.import_module(f"formcheck.ui.{entry.module}")  # type: ignore[attr-defined]
    assert callable(module.page)
    assert re.fullmatch(r":material/[a-z_0-9]+:", entry.icon)  # type: ignore[attr-defined]


def test_the_way_to_the_first_page_brings_no_heavy_library() -> None:
    code = (
        "import sys, formcheck.cli.parser, formcheck.cli.ui, formcheck.adapters.mediapipe, streamlit.web.cli;"
        "import formcheck.ui.app, formcheck.ui.upload; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    heavy = {
        "altair",
        "av",
        "cv2",
        "matplotlib",
        "mediapipe",
        "pandas",
        "scipy.linalg",
        "scipy.ndimage",
        "scipy.signal",
    }
    assert heavy.isdisjoint(loaded.split())
