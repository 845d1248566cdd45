"""The app's temporary files: none outlives its session or server, and no name from outside becomes a file's."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from formcheck.ui.workspace import (
    CLAIM,
    PREFIX,
    VIDEO_SUFFIXES,
    Workspace,
    copy_stream,
    file_stem,
    markdown_text,
    shown_name,
    stale_folders,
    video_suffix,
)

HOLDER = """
import sys, time
from pathlib import Path
from formcheck.ui.workspace import Workspace
workspace = Workspace.make(Path(sys.argv[1]))
print(workspace.root, flush=True)
time.sleep(60)
"""


def test_a_workspace_goes_with_its_server(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path)
    folder = workspace.folder()
    (folder / "clip.mp4").write_bytes(b"x")
    assert folder.parent.parent == tmp_path
    assert workspace.root.stat().st_mode & 0o077 == 0  # other users of the machine see nothing
    workspace.close()
    workspace.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_server_left_behind_is_removed_by_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        root = Path(other.stdout.readline().strip())
        (root / "clip.mp4").write_bytes(b"x")
        assert list(stale_folders(tmp_path)) == []  # it lives
        other.kill()
        other.wait()
    assert root.is_dir()
    workspace = Workspace.make(tmp_path)
    assert not root.exists()
    assert workspace.root.is_dir()
    workspace.close()


def test_only_folders_of_the_app_are_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    parent = tmp_path / "tmp"
    (parent / "other-program").mkdir(parents=True)
    (parent / f"{PREFIX}link").symlink_to(elsewhere)
    (parent / f"{PREFIX}file").write_text("x")
    unclaimed = parent / f"{PREFIX}old"
    unclaimed.mkdir()
    assert list(stale_folders(parent)) == [unclaimed]
    Workspace.make(parent).close()
    assert (elsewhere / "precious").exists()
    assert sorted(path.name for path in parent.iterdir()) == [f"{PREFIX}file", f"{PREFIX}link", "other-program"]


def test_two_servers_leave_one_another_alone(tmp_path: Path) -> None:
    first, second = Workspace.make(tmp_path), Workspace.make(tmp_path)
    assert (first.root / CLAIM).exists()
    assert (second.root / CLAIM).exists()
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("set 1.mp4", ".mp4"),
        ("IMG_0001.MOV", ".mov"),
        ("a.b.webm", ".webm"),
        ("notes.txt", None),
        ("mp4", None),
        ("clip.mp4.exe", None),
        ("clip.mp4/..", None),
        ("", None),
    ],
)
def test_only_the_suffixes_of_videos_are_taken(name: str, suffix: str | None) -> None:
    assert video_suffix(name) == suffix
    assert suffix is None or suffix[1:] in VIDEO_SUFFIXES


@pytest.mark.parametrize(
    ("name", "shown", "stem"),
    [
        ("curl.mp4", "curl.mp4", "curl"),
        ("../../etc/passwd.mp4", "passwd.mp4", "passwd"),
        ("C:\\clips\\curl.mp4", "curl.mp4", "curl"),
        ("line\nbreak\x00.mp4", "line break .mp4", "line-break"),
        ("evil\u202e4pm.exe.mp4", "evil 4pm.exe.mp4", "evil-4pm.exe"),
        ("<b>bold</b>.mp4", "b>.mp4", "b"),
        ("Kniebeuge Übung 2.mp4", "Kniebeuge Übung 2.mp4", "Kniebeuge-bung-2"),
        (".mp4", ".mp4", "mp4"),
        ("", "clip", "clip"),
    ],
)
def test_names_from_outside_are_tamed(name: str, shown: str, stem: str) -> None:
    assert shown_name(name) == shown
    assert file_stem(name) == stem


def test_an_endless_name_keeps_its_ends() -> None:
    shown = shown_name("a" * 300 + ".mp4")
    assert len(shown) <= 80
    assert shown.startswith("aaa")
    assert shown.endswith(".mp4")


def test_text_from_outside_is_no_markdown() -> None:
    assert markdown_text("**a** [x](y) `c` <img> :red[x] $1$") == (
        r"\*\*a\*\* \[x\]\(y\) \`c\` \<img\> \:red\[x\] \$1\$"
    )
    assert markdown_text("Knees back, 5° ± 3°") == "Knees back, 5° ± 3°"


def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    copy_stream(io.BytesIO(b"abc"), target)
    assert target.read_bytes() == b"abc"
    with pytest.raises(FileExistsError):
        copy_stream(io.BytesIO(b"def"), target)
