"""The arguments of every command, and errors about them in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import formcheck
from formcheck.cli import (
    batch,
    catalogue,
    check,
    compare,
    history,
    live,
    machine,
    symptoms,
    ui,
)
from formcheck.cli.options import judging_options
from formcheck.cli.terminal import out
from formcheck.cli.values import export_names, person_box, person_number
from formcheck.config import closest
from formcheck.errors import ConfigError
from formcheck.reports.export import FORMATS

EXIT_STATUS = """\
exit status:
  0   nothing found at or above --fail-on (default: fault)
  1   something found
  2   could not run; one line on standard error says why
  130 stopped with Ctrl-C
"""
MAIN_EPILOG = f"""\
examples:
  formcheck exercises                               what can be checked, and how each is called
  formcheck explain romanian-deadlift               how to film it, and what is judged
  formcheck check clip.mp4                          what to change, at which second, and how sure it is
  formcheck check clip.mp4 --exercise rdl           the same, when the exercise is not recognised
  formcheck batch recordings --out results          a whole folder, over night; --resume goes on
  formcheck explain locked-knees                    why a finding matters, and what to do

{EXIT_STATUS}
Nothing leaves this machine. formcheck says what the camera saw; it is no diagnosis.
"""
CHECK_EPILOG = f"""\
examples:
  formcheck check curl.mp4 --exercise prone-leg-curl
  formcheck check *.mp4 --exercise rdl --out results --video --html
  formcheck check rdl.mp4 --exercise rdl --select locked-knees --fail-on caution
  formcheck check rdl.mp4 --exercise rdl --format json | jq '.outcomes[] | select(.status == "fault")'

formats on standard output:
  text  findings with time, repetition, value and error, limit and advice
  json  formcheck.report/1; one clip gives one object, several give an array in the order named
  csv   one row per rule and repetition, with the clip in the first column

With --out DIR each clip NAME.mp4 gives NAME.report.json and NAME.angles.csv, with --video NAME.overlay.mp4, and with
--html NAME.report.html: one file with pictures and plots that opens in any browser, without a network.

exports (with --out), for other programs; docs/exports.md tells what is in them
  trc      NAME.trc             marker trajectories for OpenSim
  mot      NAME.mot             joint angles for OpenSim
  parquet  NAME.angles.parquet  labelled table of the angles, for statistics
  vtt      NAME.vtt             what was found, as captions for the clip

{EXIT_STATUS}"""


class Layout(argparse.RawDescriptionHelpFormatter):
    """Help with every name on the line of its explanation."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)
        self._action_max_length = 14  # argparse forgets that the names of commands stand further in


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and that names the closest known word."""

    def error(self, message: str) -> NoReturn:
        """Raise a `ConfigError` in place of printing the usage and exiting."""
        raise ConfigError(f"{message} (see: {self.prog} --help)")

    def print_help(self, file: object = None) -> None:
        """Write the help to standard output; argparse's own writing hides a reader that has gone away."""
        del file
        out(self.format_help())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse's own text lists every choice and suggests none.
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            hint = f"; give a command first: formcheck check {value}" if Path(str(value)).is_file() else None
            raise argparse.ArgumentError(action, f"there is no {value!r}{hint or closest(str(value), choices)}")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; the result's `run` is the command's function.

    Raises
    ------
    ConfigError
        When an argument is missing, unknown or not valid.
    SystemExit
        After --help or --version.
    """
    parser, commands = build_parser()
    if not (sys.argv[1:] if argv is None else argv):
        raise ConfigError("no command was given; for example: formcheck check CLIP (see: formcheck --help)")
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        word = unknown[0].partition("=")[0]
        options = [option for action in commands[args.command]._actions for option in action.option_strings]
        match = get_close_matches(word, options, n=1, cutoff=0.6)
        hint = f"; did you mean {match[0]!r}?" if match else ""
        raise ConfigError(f"{args.command} does not know {word!r}{hint} (see: formcheck {args.command} --help)")
    return args


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """Return the whole parser, and the parser of each command by its name."""
    parser = Parser(
        prog="formcheck",
        description="Check the form of hamstring exercises and stretches in a video, with a measured reason for "
        "every finding.",
        epilog=MAIN_EPILOG,
        formatter_class=Layout,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"formcheck {formcheck.__version__}")
    commands = parser.add_subparsers(
        title="commands (formcheck COMMAND --help tells more)",
        dest="command",
        metavar="COMMAND",
        required=True,
        parser_class=Parser,
    )
    known: dict[str, Parser] = {}

    def command(name: str, run: object, text: str, epilog: str | None = None) -> Parser:
        known[name] = commands.add_parser(
            name,
            help=text[0].lower() + text[1:],
            description=f"{text}.",
            epilog=epilog,
            formatter_class=Layout,
            allow_abbrev=False,
        )
        known[name].set_defaults(run=run)
        return known[name]

    _check_arguments(command("check", check.run, "Check clips and print what was found", CHECK_EPILOG))
    compare.add_arguments(
        command("compare", compare.run, "Compare the left leg with the right one, from two clips", compare.EPILOG)
    )
    history.arguments(command("history", history.run, "List, follow, export, delete sessions", history.EPILOG))
    symptoms.arguments(command("symptoms", symptoms.run, "Say what you feel, and get advice", symptoms.EPILOG))
    batch.arguments(
        command("batch", batch.run, "Check many clips, resumable at any moment", batch.EPILOG + EXIT_STATUS)
    )
    live.arguments(command("live", live.run, "Check a set live, before a camera of this computer", live.EPILOG))
    ui.arguments(command("ui", ui.run, "Open the app in your browser"))
    explain = command("explain", catalogue.explain, "Explain a rule or an exercise")
    explain.add_argument("name", metavar="RULE|EXERCISE", help="see: formcheck rules, formcheck exercises")
    for name, run, text in (
        ("rules", catalogue.rules, "List the rules"),
        ("exercises", catalogue.exercises, "List the exercises"),
    ):
        command(name, run, text).add_argument("--markdown", action="store_true", help="the whole documentation")
    command("doctor", machine.doctor, "Check that formcheck can run here, and say what to do")
    _models_arguments(command("models", machine.models, "List the pose models, or fetch one"))
    _validate_arguments(
        command("validate", machine.validate, "Measure accuracy on clips with known angles beside them")
    )
    return parser, known


def _check_arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("clips", metavar="CLIP", nargs="+", type=Path, help="a video file")
    add(
        "--exercise",
        metavar="NAME",
        default="auto",
        help="what is done in the clips (see: formcheck exercises; default: auto, which recognises it or asks)",
    )
    add(
        "--side",
        choices=("auto", "left", "right"),
        default="auto",
        help="leg to judge (default: the one nearer to the camera)",
    )
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--person",
        metavar="N",
        type=person_number,
        help="with several people: judge the N-th from the left, where each was first seen (default: who moves most)",
    )
    who.add_argument(
        "--person-box",
        metavar="X,Y,W,H",
        type=person_box,
        help="judge the person first seen in this box (fractions of the picture, from its top left corner)",
    )
    add("--out", metavar="DIR", type=Path, help="write the report and the angles of each clip into this folder")
    add("--format", choices=("text", "json", "csv"), default="text", help="what is printed (default: text; see below)")
    add("--video", action="store_true", help="also write the clip with angles and cues drawn in (needs --out)")
    add("--html", action="store_true", help="also write the report as one page with pictures and plots (needs --out)")
    add(
        "--rate",
        choices=("full", "auto"),
        default="full",
        help="auto sends only the frames that the movement needs through the pose model: quicker (default: full)",
    )
    add(
        "--export",
        metavar="KIND,..",
        type=export_names,
        action="extend",
        default=[],
        help=f"also write {', '.join(FORMATS)} (needs --out; see below)",
    )
    add("--save", action="store_true", help="keep what was found in the history of this machine (see: history)")
    judging_options(parser)
    add("--quiet", action="store_true", help="no progress; only the findings and the summary line of each clip")


def _models_arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("action", nargs="?", choices=("list", "fetch"), default="list", help="default: list")
    add("variant", nargs="?", metavar="VARIANT", help="what to fetch: lite, full or heavy")
    add("--fetch", metavar="VARIANT", help="the same as: fetch VARIANT")
    add("--quiet", action="store_true", help="no progress")


def _validate_arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="clips with NAME.truth.csv and NAME.json beside them")
    add("--exercise", metavar="NAME", action="append", default=[], help="only these; may be given again")
    add("--markdown", metavar="FILE", type=Path, help="write the tables as Markdown too")
    add("--json", metavar="FILE", type=Path, help="write the tables as JSON too")
    add("--write", action="store_true", help="replace the error table that formcheck judges by (accuracy.json)")
    add("--no-cache", action="store_true", help="estimate every pose anew, and keep none for the next time")
    add("--quiet", action="store_true", help="no progress")
