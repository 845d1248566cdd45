"""`check`: clips in, findings out."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from formcheck.cli.history import keeper
from formcheck.cli.output import OUTPUTS, Output
from formcheck.cli.terminal import frame_progress, internal_error, note
from formcheck.config import Settings, load_settings
from formcheck.errors import ConfigError, FormcheckError, ModelError
from formcheck.exercises import EXERCISES, find_exercise
from formcheck.exercises.base import Exercise
from formcheck.reports.files import Targets, plan_targets, prepare_folder, write_text
from formcheck.types import Analysis, Report, Side, Status

if TYPE_CHECKING:
    from formcheck.people import Person

FAILING = {
    "caution": frozenset({Status.CAUTION, Status.FAULT}),
    "fault": frozenset({Status.FAULT}),
    "never": frozenset[Status](),
}


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for every clip of one command; without an exercise, each clip's is recognised."""

    exercise: Exercise | None
    settings: Settings
    side: Side | None
    person: Person | None
    model: str | None
    quiet: bool
    exports: tuple[str, ...] = ()
    rate: str = "full"


def run(args: Namespace) -> int:
    """Check every clip; one that fails gets its line on standard error, and the others are still done."""
    exercise = None if args.exercise == "auto" else find_exercise(args.exercise)
    side = None if args.side == "auto" else Side(args.side)
    job = Job(
        exercise,
        chosen_settings(args, exercise),
        side,
        _person(args),
        args.model,
        args.quiet,
        tuple(dict.fromkeys(args.export)),
        args.rate,
    )
    targets = _targets(args)
    keep = keeper() if args.save else None

    from formcheck.adapters.landmarkers import reused_landmarkers
    from formcheck.adapters.process import prepare_process

    prepare_process()
    several = len(args.clips) > 1
    output = OUTPUTS[args.format](several=several, quiet=args.quiet)
    reports: list[Report] = []
    try:
        with reused_landmarkers() if several else nullcontext():
            for number, clip in enumerate(args.clips):
                label = f"{number + 1}/{len(args.clips)} {clip.name}" if several else clip.name
                report = _attempt(clip, label, job, output, targets[number] if targets else None)
                if report is not None:
                    reports.append(report)
                    if keep is not None:
                        keep(report)
    finally:
        output.end()
    failed = len(args.clips) - len(reports)
    output.close(reports, failed)
    if failed:
        return 2
    found = {outcome.status for report in reports for outcome in report.outcomes}
    return int(not found.isdisjoint(FAILING[args.fail_on]))


def _attempt(clip: Path, label: str, job: Job, output: Output, target: Targets | None) -> Report | None:
    """Check one clip; None, after a line on standard error, when it fails for a reason of its own."""
    try:
        return _check(clip, label, job, output, target)
    except (ConfigError, ModelError, BrokenPipeError):
        raise  # the next clip would fail in the same way
    except FormcheckError as error:
        note(f"error: {error}")
    except Exception as error:
        internal_error(error, str(clip))
    return None


def _check(clip: Path, label: str, job: Job, output: Output, target: Targets | None) -> Report:
    # Brings the video and pose libraries with it; what is wrong with the arguments must be said before.
    from formcheck.pipeline import analyze_clip

    with frame_progress(label, quiet=job.quiet) as show:
        analysis = analyze_clip(
            clip,
            exercise=job.exercise,
            side=job.side,
            settings=job.settings,
            model=job.model,
            person=job.person,
            rate=job.rate,
            on_progress=show,
        )
    output.add(analysis.report)
    if target is not None:
        _write(clip, label, analysis, target, job)
    return analysis.report


def _write(clip: Path, label: str, analysis: Analysis, target: Targets, job: Job) -> None:
    from formcheck.adapters import landmarkers
    from formcheck.pipeline import render_overlay
    from formcheck.reports.csv import write_angles
    from formcheck.reports.export import write_exports
    from formcheck.reports.json import report_to_json

    write_text(target.report, report_to_json(analysis.report) + "\n")
    write_angles(target.angles, analysis.table)
    written = [target.report, target.angles]
    written += write_exports(analysis, target.report.parent, target.stem, job.exports)
    if target.overlay is not None or target.page is not None:
        landmarkers.close_waiting()  # cheap to make again beside these, whose memory adds to theirs
    if target.overlay is not None:
        with frame_progress(f"{label}: video", quiet=job.quiet) as show:
            render_overlay(clip, analysis, target.overlay, on_progress=show)
        written.append(target.overlay)
    if target.page is not None:
        from formcheck.stills import write_page  # brings the plots with it

        with frame_progress(f"{label}: report", quiet=job.quiet) as show:
            write_text(target.page, write_page(clip, analysis, on_progress=show))
        written.append(target.page)
    if not job.quiet:
        note(f"wrote {', '.join(path.name for path in written)} in {target.report.parent}")


def _person(args: Namespace) -> Person | None:
    from formcheck.people import Box, Person  # brings scipy with it

    if args.person_box is not None:
        return Person(box=Box(*args.person_box))
    return None if args.person is None else Person(number=args.person)


def chosen_settings(args: Namespace, exercise: Exercise | None) -> Settings:
    """Return the settings of --config, --select and --ignore; at least one rule is left to check."""
    settings = load_settings(args.config) if args.config is not None else Settings()
    settings = settings.with_choice(args.select, args.ignore)
    possible = EXERCISES.values() if exercise is None else (exercise,)
    if not any(settings.active_rules(item) for item in possible):
        where = "" if exercise is None else f" in {exercise.id}"
        rules = ", ".join(dict.fromkeys(use.rule for item in possible for use in item.rules))
        raise ConfigError(
            f"no rule is left to check{where}; change --select, --ignore or the settings (rules: {rules})"
        )
    return settings


def _targets(args: Namespace) -> tuple[Targets, ...]:
    """Where each clip's files go; the folder is tried now, not after minutes of work. Empty without --out."""
    if args.out is None:
        for option, given in (("--video", args.video), ("--html", args.html), ("--export", args.export)):
            if given:
                raise ConfigError(f"{option} needs a folder to write into: add --out DIR")
        return ()
    targets = plan_targets(args.clips, args.out, video=args.video, html=args.html)
    prepare_folder(args.out)
    for clip, target in zip(args.clips, targets, strict=True):
        if target.stem != clip.stem:
            note(f"{clip}: another clip has the same name; its files are called {target.stem}.*")
    return targets
