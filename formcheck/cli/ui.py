"""`ui`: the app in the browser."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from importlib.util import find_spec

from formcheck.cli.terminal import out
from formcheck.errors import ConfigError
from formcheck.ui.serve import ADDRESS, DEFAULT_PORT, check_port, serve

NEEDED = ("streamlit", "streamlit_webrtc")


def run(args: Namespace) -> int:
    """Start the app's server, say its address, and stay until it is stopped."""
    missing = [name.replace("_", "-") for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f'the app needs {" and ".join(missing)}: pip install "formcheck[ui]"')
    from formcheck.adapters.process import prepare_process

    check_port(args.port)
    prepare_process()
    out(f"formcheck is at http://{ADDRESS}:{args.port} in your browser; Ctrl-C stops it\n")
    serve(args.port)
    return 0


def arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    text = f"port of this machine (default: {DEFAULT_PORT})"
    parser.add_argument("--port", metavar="N", type=_port, default=DEFAULT_PORT, help=text)


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is no port; give a number from 1 to 65535")
