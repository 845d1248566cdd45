"""`doctor`, `models` and `validate`: is this machine, and formcheck on it, in order?"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from formcheck.cli.terminal import frame_progress, note, out, progress_bar
from formcheck.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from formcheck.validate import Validation


def doctor(args: Namespace) -> int:
    """Print each check as ok or with what to do; 2 when something that formcheck needs is missing."""
    from formcheck.adapters.process import prepare_process
    from formcheck.doctor import examine

    del args
    prepare_process()
    checks = list(examine())
    width = max(len(check.name) for check in checks)
    for check in checks:
        word = "ok  " if check.ok else "FAIL" if check.needed else "note"
        advice = f"; {check.advice}" if not check.ok else ""
        out(f"{word}  {check.name:<{width}}  {check.text}{advice}\n")
    failed = [check.name for check in checks if check.needed and not check.ok]
    out(f"formcheck cannot run here yet: see {', '.join(failed)}\n" if failed else "formcheck can run here\n")
    return 2 if failed else 0


def models(args: Namespace) -> int:
    """List the pose models, or fetch one."""
    variant = args.fetch or args.variant
    if args.action == "fetch" or args.fetch:
        return _fetch(variant, quiet=args.quiet)
    if variant:
        raise ConfigError(f"{variant!r} is one word too many; to fetch it: formcheck models fetch {variant}")
    from formcheck.adapters.models import DEFAULT_VARIANT, list_models

    for model in list_models():
        default = " (the default)" if model.variant == DEFAULT_VARIANT else ""
        if model.problem:
            state = model.problem
        elif model.path is None:
            state = f"not on this machine; to fetch it: formcheck models fetch {model.variant}"
        else:
            state = f"{model.path}, {model.size_bytes / 1e6:.1f} MB, sha256 {model.sha256[:12]}{default}"
        out(f"{model.variant:<6} {state}\n")
    return 0


def _fetch(variant: str | None, *, quiet: bool) -> int:
    from formcheck.adapters.models import VARIANTS, fetch

    if variant is None:
        raise ConfigError(f"say which model to fetch: formcheck models fetch VARIANT, one of: {', '.join(VARIANTS)}")
    with progress_bar(f"{variant} model", quiet=quiet) as show:

        def on_bytes(done: int, total: int | None) -> None:
            show(done, float("nan") if total is None else total)

        path = fetch(variant, progress=on_bytes)
    out(f"{path}\n")
    return 0


def validate(args: Namespace) -> int:
    """Measure accuracy on clips with known angles, and print the tables."""
    from formcheck import accuracy
    from formcheck.exercises import find_exercise
    from formcheck.reports.files import prepare_folder, write_text

    ids = [find_exercise(name).id for name in args.exercise] or None
    table = Path(accuracy.__file__).with_name(accuracy.TABLE_FILE) if args.write else None
    if table is not None and ids is not None:
        raise ConfigError("--write replaces the whole error table, so it needs every exercise; leave --exercise out")
    for target in (args.markdown, args.json, table):
        if target is not None:
            prepare_folder(target.parent)

    result = _measure(args, ids)
    out(result.as_text().rstrip("\n") + "\n")
    outputs = ((args.markdown, result.as_markdown), (args.json, result.as_json), (table, result.error_table))
    for target, text in outputs:
        if target is not None:
            write_text(target, text().rstrip("\n") + "\n")
            note(f"wrote {target}")
    return 0


def _measure(args: Namespace, exercise_ids: list[str] | None) -> Validation:
    from formcheck.adapters.process import prepare_process
    from formcheck.reports.files import prepare_folder
    from formcheck.validate import default_cache
    from formcheck.validate import validate as measure

    cache = None if args.no_cache else default_cache()
    if cache is not None:
        try:
            prepare_folder(cache)
        except OutputError as error:
            raise OutputError(f"{cache}: poses cannot be kept there; add --no-cache, or set XDG_CACHE_HOME") from error
    prepare_process()
    with frame_progress("validate", quiet=args.quiet) as show:
        return measure(args.folder, exercise_ids=exercise_ids, cache=cache, on_progress=show)
