"""What tests and benchmarks see of a batch from outside: its files, and the processes that it starts."""

from __future__ import annotations

from pathlib import Path


def tree(out: Path) -> dict[str, bytes]:
    """Every file of a batch but the one with its random id."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "batch.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def markers(out: Path) -> dict[str, tuple[int, int]]:
    """What changes when a clip is finished once more: its marker's inode and time."""
    found = ((path, path.stat()) for path in out.glob("clips/*/done.json"))
    return {path.parent.name: (state.st_ino, state.st_mtime_ns) for path, state in found}


def children(parent: int) -> list[int]:
    """The processes that a process has started, by Linux's own list."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found
