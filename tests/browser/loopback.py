"""`formcheck` for tests: the camera's connection also works on a machine that has no network but the loopback."""

from __future__ import annotations

import logging
import sys

import aioice.ice

from formcheck.cli import main

usual = aioice.ice.get_host_addresses


def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """This machine's addresses; the loopback's, which is otherwise left out, where there is no other."""
    return usual(use_ipv4, use_ipv6) or ["127.0.0.1"]


def tell_of_connections() -> None:
    """Write what becomes of each camera's connection to the server's log, for the test that fails."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(name)s: %(message)s"))
    logger = logging.getLogger("streamlit_webrtc")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False


if __name__ == "__main__":
    aioice.ice.get_host_addresses = addresses
    tell_of_connections()
    sys.exit(main())
