"""The shape of the code: import contracts, the public names, module sizes, who may print."""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import formcheck

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "formcheck"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 350
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the `formcheck` package in `root`, which comes first on the path."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_import_contracts_are_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken." in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("geometry.py", "from formcheck import rules", "Dependencies point one way"),
        ("rules/extra.py", "import cv2", "cv2 only in"),
        ("adapters/extra.py", "import mediapipe", "mediapipe only in"),
        ("exercises/extra.py", "import av", "PyAV only in"),
        ("types/basics.py", "import streamlit", "streamlit only in"),
        ("unplaced.py", "", "Dependencies point one way"),
        ("engine.py", "from formcheck.config import Settings", "Dependencies point one way"),
        ("verdicts.py", "from formcheck import engine", "Dependencies point one way"),
        ("view.py", "from formcheck import pipeline", "Dependencies point one way"),
        ("kinematics.py", "import rich", "The engine reads no file"),
        ("engine.py", "from formcheck.overlay_text import font", "The engine reads no file"),
        ("overlay_style.py", "import cv2", "cv2 only in"),
    ],
)
def test_import_contracts_catch_a_breach(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "formcheck", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "formcheck" / module).open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [row for row in result.stdout.splitlines() if " BROKEN" in row]
    assert [row for row in broken if row.startswith(contract)], result.stdout


def run_python(code: str) -> str:
    """Standard output of a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {"PIL", "av", "cv2", "mediapipe", "numpy", "rich", "scipy"}
    loaded = set(run_python("import sys, formcheck; dir(formcheck); print(*sys.modules)").split())
    assert "formcheck" in loaded
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith("formcheck.")} == set()


def test_public_names_come_when_asked_for_and_bring_only_what_they_need() -> None:
    code = "import sys; from formcheck import Report, Status, find_exercise; print(Status.FAULT, *sys.modules)"
    status, *loaded = run_python(code).split()
    assert status == "fault"
    assert "formcheck.exercises" in loaded
    assert {"av", "cv2", "mediapipe", "scipy", "formcheck.pipeline"}.isdisjoint(loaded)


def test_public_names_are_the_ones_that_type_checkers_see() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (typing_only,) = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    imports = [node for node in typing_only.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: node.module for node in imports for alias in node.names}
    assert homes == formcheck._HOMES
    assert sorted([*homes, "__version__"]) == sorted(formcheck.__all__)


@pytest.mark.parametrize("name", sorted(set(formcheck.__all__) - {"__version__"}))
def test_public_name_is_the_one_of_its_module(name: str) -> None:
    assert name in dir(formcheck)
    assert getattr(formcheck, name) is getattr(importlib.import_module(formcheck._HOMES[name]), name)


def test_a_misspelt_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'formcheck' has no attribute 'analyse_clip'"):
        formcheck.analyse_clip  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Reprot'"):
        exec("from formcheck import Reprot")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_is_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{relative(path)} has {lines} lines; split it by what it does"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_name_says_what_it_does(path: Path) -> None:
    assert path.stem not in VAGUE_NAMES


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_nothing_calls_print(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prints = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    # The command line has `cli.terminal`: a bare print does not survive a reader that goes away, or an odd encoding.
    assert not prints, f"{relative(path)} prints in lines {prints}; return the text to the caller instead"


def test_every_package_folder_has_an_init() -> None:
    folders = {path.parent for path in MODULES}
    assert [relative(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []
