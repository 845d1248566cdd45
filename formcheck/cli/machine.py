"""`doctor`, `models` and `validate`: is this machine, and formcheck on it, in order?"""

from __future__ import annotations

from argparse import Namespace

from formcheck.cli.terminal import note, out, progress_bar
from formcheck.errors import ConfigError


def doctor(args: Namespace) -> int:
    """Print each check as ok or with what to do; 2 when something that formcheck needs is missing."""
    from formcheck.doctor import examine

    del args
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
    from formcheck.exercises import find_exercise
    from formcheck.reports.files import prepare_folder, write_text

    ids = [find_exercise(name).id for name in args.exercise] or None
    for target in (args.markdown, args.json):
        if target is not None:
            prepare_folder(target.parent)

    from formcheck.adapters.mediapipe import block_connections
    from formcheck.validate import validate as measure

    block_connections()
    with progress_bar("validate", quiet=args.quiet) as show:

        def on_clip(done: int, total: int, name: str) -> None:
            del name
            show(done, total)

        result = measure(args.folder, exercise_ids=ids, on_progress=on_clip)
    out(result.as_text().rstrip("\n") + "\n")
    for target, text in ((args.markdown, result.as_markdown), (args.json, result.as_json)):
        if target is not None:
            write_text(target, text().rstrip("\n") + "\n")
            note(f"wrote {target}")
    return 0
