"""`formcheck` for tests: connections of the camera stay on the loopback, also where there is no other network."""

from __future__ import annotations

import sys

import aioice.ice

from formcheck.cli import main


def _loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    del use_ipv4, use_ipv6
    return ["127.0.0.1"]


if __name__ == "__main__":
    aioice.ice.get_host_addresses = _loopback
    sys.exit(main())
