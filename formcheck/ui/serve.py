"""Starting the app's server, from whatever folder and however formcheck was installed."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Final

import formcheck
from formcheck.errors import ConfigError

ADDRESS: Final = "localhost"
DEFAULT_PORT: Final = 8501


def app_folder() -> Path:
    """The folder with `app.py` and its `.streamlit/config.toml`: the checkout's own, or the copy in a wheel."""
    package = Path(formcheck.__file__).parent
    packed = package / "_app"
    return packed if packed.is_dir() else package.parent


def check_port(port: int) -> None:
    """Raise a `ConfigError` when the app cannot listen on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will: a port just closed is free
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            another = port + 1 if port < 65535 else DEFAULT_PORT
            reason = {
                errno.EADDRINUSE: f"is in use; perhaps the app runs already at http://{ADDRESS}:{port}",
                errno.EACCES: "is not free to ordinary users",
            }.get(error.errno or 0, f"cannot be used ({error.strerror})")
            raise ConfigError(f"port {port} {reason}; or choose another one: formcheck ui --port {another}") from error


def serve(port: int) -> None:
    """Run the app on `port` until it is stopped.

    Raises
    ------
    ConfigError
        When the server does not start.
    """
    from streamlit.web import cli

    from formcheck.ui.hosts import answer_known_names_only

    answer_known_names_only(f"http://{ADDRESS}:{port}")
    # Given as arguments, these hold whatever a settings file or the environment says.
    flags = {
        "server.address": ADDRESS,
        "server.port": str(port),
        "server.headless": "true",  # no questions in the terminal, and no browser that inherits our environment
        "browser.gatherUsageStats": "false",
        "runner.fastReruns": "false",  # two runs at once would keep a set twice: see the settings file
        "runner.postScriptGC": "false",  # with it, two live tabs leave no time to the camera: see the settings file
        "logger.level": "warning",
        "logger.hideWelcomeMessage": "true",
    }
    options = [f"--{name}={value}" for name, value in flags.items()]
    try:
        cli.main(["run", str(app_folder() / "app.py"), *options], standalone_mode=False)
    except SystemExit as end:
        if end.code:
            raise ConfigError(f"the app's server did not start on port {port}; its reason is above") from end
