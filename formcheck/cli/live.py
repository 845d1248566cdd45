"""`live`: a set before a camera of this computer, in a window where there is a display, else in lines of text."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from formcheck.cli.history import keeper
from formcheck.cli.output import TextOutput
from formcheck.cli.terminal import interruptible, note
from formcheck.config import Settings, load_settings
from formcheck.errors import ConfigError, FormcheckError
from formcheck.exercises import find_exercise
from formcheck.reports.files import plan_targets, prepare_folder, write_text
from formcheck.types import Analysis, Frame, ImageArray, Report, Side, Status

if TYPE_CHECKING:
    from formcheck.adapters.camera import Camera
    from formcheck.adapters.voice import Voice
    from formcheck.live import LiveSession, Snapshot

EPILOG = """\
examples:
  formcheck live --exercise rdl                     the first camera; Ctrl-C, Escape or Q ends the set
  formcheck live --camera 1 --mute                  another camera, without a voice
  formcheck live --camera rdl.mp4 --exercise rdl    a clip plays as a camera, in its own time

Without a display it says the same in lines of text. A set from a camera begins with a coach: step into the picture,
hold still for two seconds, and go. Nothing leaves this machine.

exit status:
  0   no fault was found
  1   a fault was found
  2   could not run; one line on standard error says why
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("--camera", metavar="N|FILE", default="0", help="a camera's number, or a clip that plays as one (default: 0)")
    add("--exercise", metavar="NAME", default="auto", help="what will be done (default: auto, which recognises it)")
    add("--side", choices=("auto", "left", "right"), default="auto", help="leg to judge (default: the nearer one)")
    add("--out", metavar="DIR", type=Path, help="write the report and the angles into this folder")
    add("--save", action="store_true", help="keep what was found in the history of this machine (see: history)")
    add("--config", metavar="FILE", type=Path, help="settings in TOML (see docs/formcheck.example.toml)")
    add("--no-setup", action="store_true", help="begin at once, without the coach (always so with a clip)")
    add("--no-cues", action="store_true", help="count only; what to change is in the report")
    add("--no-mirror", action="store_true", help="do not show the picture as a mirror does")
    add("--mute", action="store_true", help="no voice")


def run(args: Namespace) -> int:
    """Film a set and print its report."""
    exercise = None if args.exercise == "auto" else find_exercise(args.exercise)
    settings = load_settings(args.config) if args.config else Settings()
    if args.out is not None:
        prepare_folder(args.out)
    keep = keeper("live") if args.save else None
    clip = None if args.camera.isdecimal() else Path(args.camera)

    from formcheck.adapters.camera import ClipCamera, DeviceCamera
    from formcheck.adapters.process import prepare_process
    from formcheck.live import LiveSession, Plan, open_search

    prepare_process()
    setup = clip is None and not args.no_setup
    plan = Plan(
        exercise, None if args.side == "auto" else Side(args.side), settings, cues=not args.no_cues, setup=setup
    )
    name = clip or Path(f"camera-{args.camera}")
    with DeviceCamera(int(args.camera)) if clip is None else ClipCamera(clip) as camera:
        session = LiveSession(plan, name=str(name), open_search=open_search)
        _film(session, camera, mirror=clip is None and not args.no_mirror, mute=args.mute)
    return _report(session, args.out, name, keep)


def _film(session: LiveSession, camera: Camera, *, mirror: bool, mute: bool) -> None:
    """Show and say what happens until the camera ends, the window is closed, or Ctrl-C is pressed."""
    from formcheck.adapters.voice import Voice
    from formcheck.adapters.window import Window, display_available

    with ExitStack() as stack:
        window = stack.enter_context(Window()) if display_available() else None
        if window is None:
            note("there is no display for a window; what would be in it comes in lines")
        voice = stack.enter_context(Voice(None) if mute else Voice.find())
        if voice.silent and not mute:
            note("no program that can speak was found (espeak-ng is one); cues come in lines and in the picture")
        teller = Teller(voice)
        stack.enter_context(session)
        session.wait_until_ready()
        try:
            with interruptible() as stop_if_pressed:
                for frame in camera:
                    stop_if_pressed()
                    session.offer(frame)
                    snapshot = session.snapshot()
                    teller.tell(snapshot)
                    if not _goes_on(session) or (window and not window.show(_drawn(frame, snapshot, mirror=mirror))):
                        break
        except KeyboardInterrupt:
            note("the set has ended; the report comes in a moment")
        session.wait(5.0)
        teller.tell(session.snapshot())


def _goes_on(session: LiveSession) -> bool:
    if session.running:
        return True
    if error := session.snapshot().error:
        raise FormcheckError(error)
    return False


def _drawn(frame: Frame, snapshot: Snapshot, *, mirror: bool) -> ImageArray:
    from formcheck.live import draw_live

    return draw_live(frame.image, frame.time_s, snapshot, mirror=mirror)


class Teller:
    """Puts what a session says into lines and words, each once.

    Parameters
    ----------
    voice : Voice
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._told = 0

    def tell(self, snapshot: Snapshot) -> None:
        """Tell what is new in a snapshot."""
        for number, saying in snapshot.sayings:
            if number > self._told:
                self._told = number
                if saying.text:
                    note(f"{snapshot.frame_time_s:6.1f} s  {saying.text}")
                self._voice.say(saying.text, urgent=saying.urgent)


def _report(session: LiveSession, folder: Path | None, name: Path, keep: Callable[[Report], None] | None) -> int:
    from formcheck.live import UnrecognisedError

    try:
        analysis = session.report()
    except UnrecognisedError as error:
        raise ConfigError(f"{error}: run it again with --exercise") from error
    output = TextOutput(several=False, quiet=False)
    output.add(analysis.report)
    output.close([analysis.report], 0)
    if folder is not None:
        _write(analysis, folder, name)
    if keep is not None:
        keep(analysis.report)
    return int(any(outcome.status is Status.FAULT for outcome in analysis.report.outcomes))


def _write(analysis: Analysis, folder: Path, name: Path) -> None:
    from formcheck.reports.csv import write_angles
    from formcheck.reports.json import report_to_json

    target = plan_targets([name], folder, video=False)[0]
    write_text(target.report, report_to_json(analysis.report) + "\n")
    write_angles(target.angles, analysis.table)
    note(f"wrote {target.report.name}, {target.angles.name} in {folder}")
