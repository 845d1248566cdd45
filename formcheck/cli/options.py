"""Options that several commands share, in the same words."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from formcheck.cli.values import rule_names


def judging_options(parser: ArgumentParser) -> None:
    """Add what decides how a clip is judged, and when that gives exit status 1."""
    add = parser.add_argument
    add("--config", metavar="FILE", type=Path, help="settings in TOML (see docs/formcheck.example.toml)")
    add("--select", metavar="RULE,..", type=rule_names, action="extend", default=[], help="use only these rules")
    add("--ignore", metavar="RULE,..", type=rule_names, action="extend", default=[], help="do not use these rules")
    add(
        "--fail-on",
        choices=("caution", "fault", "never"),
        default="fault",
        help="the least finding that gives exit status 1 (default: fault)",
    )
    add("--model", metavar="PATH", help="another pose model: a .task file, or a name from: formcheck models")
