"""`batch`: many clips, on this machine or a cluster, resumable at any moment."""

from __future__ import annotations

import math
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from formcheck.cli.check import FAILING, chosen_settings
from formcheck.cli.options import judging_options
from formcheck.cli.terminal import note, out
from formcheck.cli.values import export_names, job_count, person_number, seconds
from formcheck.errors import ConfigError
from formcheck.exercises import find_exercise
from formcheck.reports.export import FORMATS
from formcheck.types import Side

if TYPE_CHECKING:
    from formcheck.batch.clips import Clip
    from formcheck.batch.job import ClipResult, Job
    from formcheck.batch.progress import BatchState
    from formcheck.batch.run import BatchResult

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

EPILOG = """\
examples:
  formcheck batch recordings --out results                  every video in the folder and below
  formcheck batch recordings --out results --resume         go on after Ctrl-C, a power cut, a full disk
  formcheck batch 'day1/*.mp4' day2 --out results --exercise rdl --jobs 4
  formcheck batch --manifest clips.csv --out results        a table: path,exercise,side,person,label
  formcheck batch s3://lab/clips --out s3://lab/results --cluster tcp://10.0.0.5:8786

In DIR: index.html to look at; summary.csv (one row per clip), summary.repetitions.csv and summary.outcomes.csv, the
same as .parquet; and for each clip clips/NAME-CODE/ with the files that check writes. CODE comes from the clip's
address, so clips of the same name do not meet. A clip counts as finished when its done.json is there. With --resume a
finished clip is done again only when its content, the settings or the versions have changed.

"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `batch`."""
    add = parser.add_argument
    add("sources", metavar="CLIP|DIR", nargs="*", help="videos, folders, patterns in quotes, or addresses like s3://")
    add("--out", metavar="DIR", required=True, help="folder or address for the results")
    add("--manifest", metavar="FILE", help="CSV table that names clips: path,exercise,side,person,label")
    add("--resume", action="store_true", help="go on in a folder that holds results; finished clips are kept")
    add("--exercise", metavar="NAME", default="auto", help="as for check; a manifest's own word wins (default: auto)")
    add("--side", choices=("auto", "left", "right"), default="auto", help="as for check")
    add("--person", metavar="N", type=person_number, help="as for check")
    add("--jobs", metavar="N", type=job_count, help="worker processes (default: one for each core)")
    add(
        "--time-limit",
        metavar="S",
        type=seconds,
        help="seconds for one clip, 0 for no limit (default: 3600; clips of hours may need more)",
    )
    add("--cluster", metavar="ADDRESS", help="let the workers of this Dask scheduler do it (see docs/cluster.md)")
    add(
        "--rate",
        choices=("auto", "full"),
        default="auto",
        help="auto sends only the frames that the movement needs through the pose model (default: auto)",
    )
    add("--video", action="store_true", help="also write each clip with angles and cues drawn in")
    add("--html", action="store_true", help="also write a report page of each clip, which the index links to")
    add(
        "--export",
        metavar="KIND,..",
        type=export_names,
        action="extend",
        default=[],
        help=f"also write {', '.join(FORMATS)} of each clip (see: formcheck check --help)",
    )
    judging_options(parser)
    add("--quiet", action="store_true", help="no progress and no closing lines; only errors")


def run(args: Namespace) -> int:
    """Bring every clip to its end; one that fails gets its line on standard error, and the others are still done."""
    from formcheck.batch.run import Interrupted, run_batch

    clips = _clips(args)
    job = _job(args)

    def tell(result: ClipResult) -> None:
        if result.failed:
            note(f"error: {result.reason}")

    try:
        with batch_progress(quiet=args.quiet) as show:
            result = run_batch(
                clips,
                args.out,
                job,
                jobs=args.jobs,
                resume=args.resume,
                cluster=args.cluster,
                on_state=show,
                on_result=tell,
            )
    except Interrupted as error:
        note(f"stopped; {error}")
        return INTERRUPTED
    if not args.quiet:
        out(closing(result, args.out))
    if result.failed:
        return 2
    return int(not result.found.isdisjoint(FAILING[args.fail_on]))


def _clips(args: Namespace) -> list[Clip]:
    from formcheck.batch import storage
    from formcheck.batch.clips import Clip, find_clips, merge
    from formcheck.batch.manifest import read_manifest

    if not args.sources and args.manifest is None:
        raise ConfigError("name the clips: files, folders, patterns, or --manifest FILE (see: formcheck batch --help)")
    exercise = None if args.exercise == "auto" else find_exercise(args.exercise).id
    side = None if args.side == "auto" else Side(args.side)
    listed = read_manifest(args.manifest) if args.manifest is not None else []
    warn = (lambda _text: None) if args.quiet else note
    found = find_clips(args.sources, storage.canonical(args.out), warn)
    return merge(found, listed, Clip("", exercise, side, args.person))


def _job(args: Namespace) -> Job:
    from formcheck.batch.job import ANALYZE, DEFAULT_TIME_LIMIT_S, Job, tools_here

    exercise = None if args.exercise == "auto" or args.manifest else find_exercise(args.exercise)
    return Job(
        settings=chosen_settings(args, exercise),
        model=args.model,
        tools=tools_here(args.model),
        video=args.video,
        html=args.html,
        exports=tuple(dict.fromkeys(args.export)),
        time_limit_s=DEFAULT_TIME_LIMIT_S if args.time_limit is None else args.time_limit,
        rate=args.rate,
        analyze=ANALYZE,
    )


def closing(result: BatchResult, folder: str) -> str:
    """Return the lines that end a batch: how many clips ended how, and where to look."""
    from formcheck.batch.job import End

    words = (
        ("fault", "with a fault"),
        ("caution", "with a caution"),
        ("ok", "without a finding"),
        ("not_judged", "not judged"),
        ("failed", "failed"),
    )
    counts = [f"{result.statuses[status]} {text}" for status, text in words if result.statuses.get(status)]
    total = len(result.results)
    kept = sum(item.end is End.KEPT for item in result.results)
    before = f" ({kept} finished before)" if kept else ""
    head = f"{total} clip{'' if total == 1 else 's'}{before}: {', '.join(counts)}"
    return f"{head}\nlook at {folder.rstrip('/')}/index.html\n"


@contextmanager
def batch_progress(*, quiet: bool) -> Iterator[Callable[[BatchState], None]]:
    """Show clips, rate and time left on standard error, when that is a terminal and `quiet` is false."""
    if quiet or not sys.stderr.isatty():
        yield lambda _state: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("batch"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(state: BatchState) -> None:
            bar.update(task, completed=state.share, description=describe(state))

        yield show


def describe(state: BatchState) -> str:
    """Return a batch's state in words, like ``12 of 40 clips, 3.4 a minute, about 8 min left, 1 failed``."""
    parts = [f"{state.ended} of {state.total} clip{'' if state.total == 1 else 's'}"]
    if math.isfinite(state.clips_per_min):
        parts.append(f"{state.clips_per_min:.3g} a minute")
    if math.isfinite(state.left_s) and state.ended < state.total:
        parts.append(f"about {duration(state.left_s)} left")
    if state.kept:
        parts.append(f"{state.kept} kept")
    if state.failed:
        parts.append(f"{state.failed} failed")
    return ", ".join(parts)


def duration(value_s: float) -> str:
    """Return seconds in the unit that a person would use."""
    if value_s < 90:
        return f"{round(value_s)} s"
    minutes = round(value_s / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
