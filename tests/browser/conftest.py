"""The app in a real browser: the server in a process of its own, headless Chromium, and an eye on every request."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")  # as in scripts/browser.sh
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
START_S = 60.0
FONT_LIST = Path(tempfile.gettempdir()) / f"formcheck-tests-matplotlib-{os.getuid()}"
WAIT_MS = 120_000  # a machine that does other things too may need long; nothing waits longer than it has to
CHOICE_TRIES, CHOICE_MS = 20, 3000
DESKTOP = {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class App:
    """The app's server as a person starts it: `formcheck ui`, in a home folder of its own."""

    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.home / "server.log").read_text(errors="replace")

    @property
    def temporary(self) -> Path:
        """The server's folder for temporary files."""
        return self.home / "tmp"

    def start(self) -> None:
        self.port = self.port or free_port()
        self.temporary.mkdir(parents=True, exist_ok=True)
        folders = ("DATA", "CONFIG", "CACHE", "STATE")
        env = {**os.environ, **{f"XDG_{name}_HOME": str(self.home / name.lower()) for name in folders}}
        env |= {"HOME": str(self.home), "TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT)}
        # mediapipe loads matplotlib, which would list this machine's fonts anew for every home folder: seconds each
        env["MPLCONFIGDIR"] = os.environ.get("MPLCONFIGDIR", str(FONT_LIST))
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.home, env=env, stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while not self._answers():
            assert self.process.poll() is None, f"the app stopped at once:\n{self.log}"
            assert time.monotonic() < until, f"the app does not answer after {START_S:.0f} s:\n{self.log}"
            time.sleep(0.1)

    def command(self) -> list[str]:
        """What starts the server."""
        return [sys.executable, "-m", "formcheck", "ui", "--port", str(self.port)]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app, one for all tests of the run: starting it takes seconds."""
    server = App(tmp_path_factory.mktemp("app"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_app(tmp_path: Path) -> Iterator[App]:
    """An app that is not running yet, for tests that start, stop and restart it."""
    server = App(tmp_path)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser_path() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium or Chrome was found (make browser)")
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


Launch = Callable[..., Any]


@pytest.fixture(scope="session")
def launch(playwright: Any, browser_path: str) -> Iterator[Launch]:
    """Start Chromium with further flags: ``launch("--use-fake-device-for-media-stream", ...)``."""
    started = []

    def start(*flags: str) -> Any:
        browser = playwright.chromium.launch(executable_path=browser_path, args=[*FLAGS, *flags])
        started.append(browser)
        return browser

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope="session")
def browser(launch: Launch) -> Any:
    """Chromium without a camera, one for all tests of the run."""
    return launch()


@dataclass
class Watch:
    """Every request that pages made, and every error that they met."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def elsewhere(self, host: str) -> list[str]:
        """The requests that did not go to `host` (a blob: or data: address goes nowhere)."""
        there = [urlsplit(url) for url in self.requests]
        return [url.geturl() for url in there if url.scheme not in {"blob", "data"} and url.netloc != host]


class Pages:
    """Opens pages, each in a fresh session, and watches them."""

    def __init__(self, app: App, browser: Any) -> None:
        self._app = app
        self._browser = browser
        self._opened: list[tuple[Any, Watch, str]] = []

    def __call__(self, app: App | None = None, browser: Any = None, **options: Any) -> Any:
        server = app or self._app
        options = {"viewport": DESKTOP, "base_url": server.url, **options}
        context = (browser or self._browser).new_context(**options)
        context.set_default_timeout(WAIT_MS)
        watch = Watch()
        context.on("request", lambda request: watch.requests.append(request.url))
        context.on("weberror", lambda error: watch.errors.append(str(error.error)))
        page = context.new_page()
        page.on("websocket", lambda socket: watch.requests.append(socket.url))
        self._opened.append((context, watch, urlsplit(server.url).netloc))
        return page

    def close(self) -> list[str]:
        """Close them all; returns what was wrong with them."""
        wrong = []
        for context, watch, host in self._opened:
            context.close()
            wrong += [f"asked another host: {url}" for url in watch.elsewhere(host)]
            wrong += [f"error in the page: {error}" for error in watch.errors]
            wrong += [] if watch.requests else ["the page was never opened"]
        self._opened.clear()
        return wrong


def _choose(page: Any, label: str, option: str) -> None:
    from playwright.sync_api import TimeoutError as TooLateError

    box = page.get_by_role("combobox", name=label)
    found = page.get_by_role("option", name=option, exact=True)
    for _ in range(CHOICE_TRIES):
        try:
            box.click(timeout=CHOICE_MS)
            box.fill(option, timeout=CHOICE_MS)
            found.click(timeout=CHOICE_MS)
            return
        except TooLateError:  # the list was closed again
            box.press("Escape")
    raise AssertionError(f"{label} does not offer {option}")


@pytest.fixture(scope="session")
def choose() -> Callable[[Any, str, str], None]:
    """Choose an option of a select box: ``choose(page, "Exercise", "Deadlift")``.

    Streamlit closes an open list when the page is run again at that moment, so it is opened anew until it stays.
    """
    return _choose


@pytest.fixture(scope="session")
def watched_pages() -> type[Pages]:
    """`Pages`, for fixtures that keep one page for several tests; they assert that ``close() == []``."""
    return Pages


@pytest.fixture
def new_page(app: App, browser: Any) -> Iterator[Pages]:
    """Open pages of `app`, or of another server or browser, each in a fresh session.

    ``new_page(viewport=..., color_scheme="dark")`` passes what Playwright's `new_context` takes. The test fails when
    a page asked any other host than its app for anything, or met an error of its script.
    """
    pages = Pages(app, browser)
    yield pages
    assert pages.close() == []


@pytest.fixture
def page(new_page: Pages) -> Any:
    """A page of `app` in a fresh session; open it with ``page.goto("/live")``."""
    return new_page()
