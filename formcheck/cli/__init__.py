"""The command line: arguments only, no logic."""

from formcheck.cli.entry import main

__all__ = ["main"]
