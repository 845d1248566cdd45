"""What is installed, what is locked, what is in the wheel and beside it, and what CI makes of a skipped test."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from formcheck import doctor

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SAMPLES = ROOT / "sample_videos"
CLIPS = sorted(SAMPLES.glob("*.mp4"))
MODEL_IN_WHEEL = "formcheck/_models/pose_landmarker_full.task"
MODEL_SHA256 = "f9bff67a41fc2efaee6cb8e6a30aa07867e38e122d49d9d94a8b8037a9c5585b"  # of models/README.md


def locked() -> list[Requirement]:
    """The pins of the lock file, without their hashes."""
    return [Requirement(row.removesuffix("\\").strip()) for row in LOCK.splitlines() if re.match(r"[a-z0-9]", row)]


def is_opencv(name: str) -> bool:
    return canonicalize_name(name).startswith("opencv-")


def test_one_distribution_provides_cv2() -> None:
    # Two write the same cv2 folder and break one another; mediapipe asks for the contrib one.
    assert set(metadata.packages_distributions()["cv2"]) == {"opencv-contrib-python"}


def test_doctor_looks_for_every_package_that_formcheck_needs() -> None:
    needed = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert set(doctor.PACKAGES) == needed | {"opencv-contrib-python"}  # which mediapipe brings


def test_one_opencv_is_locked_and_it_comes_by_mediapipe() -> None:
    assert {pin.name for pin in locked() if is_opencv(pin.name)} == {"opencv-contrib-python"}
    extras = PROJECT["optional-dependencies"].values()
    direct = [Requirement(text) for text in PROJECT["dependencies"] + [text for extra in extras for text in extra]]
    assert [requirement.name for requirement in direct if is_opencv(requirement.name)] == []


@pytest.mark.parametrize(
    "text", [*PROJECT["dependencies"], *(text for extra in PROJECT["optional-dependencies"].values() for text in extra)]
)
def test_lock_meets_the_range_in_pyproject(text: str) -> None:
    wanted = Requirement(text)
    pins = [pin for pin in locked() if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
    assert pins, f"{wanted.name} is not locked; run make lock"
    for pin in pins:
        version = str(pin.specifier).removeprefix("==")
        assert wanted.specifier.contains(version), f"{pin} is outside {wanted}; run make lock"


def test_lock_is_exact_hashed_and_names_no_index() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)[1:]
    assert len(entries) == len(locked())
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+", entry)
        assert "--hash=sha256:" in entry, entry
    assert "://" not in LOCK
    assert not re.search(r"^\s*--(?!hash=)", LOCK, flags=re.MULTILINE)


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.stem)
def test_sample_clip_has_its_truth_and_its_line_in_the_readme(clip: Path) -> None:
    truth = json.loads(clip.with_suffix(".json").read_text())
    rows = clip.with_suffix(".truth.csv").read_text().splitlines()
    assert len(rows) == truth["frames"] + 1
    (line,) = [row for row in (SAMPLES / "README.md").read_text().splitlines() if row.startswith(f"| `{clip.stem}` ")]
    assert f"`{truth['exercise'].replace('_', '-')}`" in line
    assert f"| {truth['near_leg']} |" in line
    for fault in truth["faults"]:
        assert f"`{fault['fault'].replace('_', '-')}`" in line


def test_sample_clips_stay_small() -> None:
    assert 6 <= len(CLIPS) <= 10
    assert sum(clip.stat().st_size for clip in CLIPS) <= 12_000_000


def bundle_maker() -> ModuleType:
    """The script that makes the bundle; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("make_bundle", ROOT / "models" / "make_bundle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sparse_axes(schema: Any, dense: int, starts: list[int], places: list[int]) -> list[Any]:
    """How a network describes a sparse tensor: so many ordinary axes, then one that leaves out zeros."""
    axes = [schema.DimensionMetadataT() for _ in range(dense + 1)]
    for axis in axes[:-1]:
        axis.format = schema.DimensionType.DENSE
    last = axes[-1]
    last.format = schema.DimensionType.SPARSE_CSR
    last.arraySegments, last.arrayIndices = schema.Int32VectorT(), schema.Uint8VectorT()
    last.arraySegments.values, last.arrayIndices.values = np.array(starts), np.array(places)
    return axes


def test_sparse_weights_are_written_out_to_the_numbers_that_they_stand_for() -> None:
    maker = bundle_maker()
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0], dtype="<f2")
    axes = sparse_axes(maker.tflite_schema, 2, [0, 2, 2, 3, 5], [0, 3, 1, 0, 2])
    expected = [[[1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]], [[0.0, 3.0, 0.0, 0.0], [4.0, 0.0, 5.0, 0.0]]]
    dense = maker.written_out(values, [2, 2, 4], axes)
    assert dense.dtype == values.dtype
    np.testing.assert_array_equal(dense, expected)
    with pytest.raises(SystemExit, match="another way"):
        maker.written_out(values, [2, 2, 4], axes[::-1])


def test_the_bundled_networks_have_nothing_sparse_to_write_out_at_each_start() -> None:
    maker = bundle_maker()
    schema = maker.tflite_schema
    with zipfile.ZipFile(ROOT / "models" / "pose_landmarker_full.task") as bundle:
        networks = {name: maker.unpacked(bundle.read(name)) for name in bundle.namelist()}
    assert set(networks) == {name for _, name, _, _ in maker.NETWORKS.values()}
    for name, network in networks.items():
        for graph in network.subgraphs:
            codes = [network.operatorCodes[operator.opcodeIndex] for operator in graph.operators]
            kinds = {max(code.builtinCode, code.deprecatedBuiltinCode) for code in codes}
            assert schema.BuiltinOperator.CONV_2D in kinds, name
            assert schema.BuiltinOperator.DENSIFY not in kinds, name
            assert [tensor.name for tensor in graph.tensors if tensor.sparsity is not None] == [], name


@pytest.mark.slow
def test_wheel_holds_the_model_and_every_file_of_the_package(tmp_path: Path) -> None:
    # A copy of what a build reads, so that no build output lands in the checkout.
    source = tmp_path / "source"
    shutil.copytree(ROOT / "formcheck", source / "formcheck", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "models", source / "models")
    shutil.copytree(ROOT / ".streamlit", source / ".streamlit")
    for name in ("pyproject.toml", "README.md", "LICENSE", "app.py"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True, capture_output=True)

    (wheel,) = tmp_path.glob("formcheck-*.whl")
    files = [path for path in (source / "formcheck").rglob("*") if path.is_file()]
    assert any(path.suffix == ".py" for path in files)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert {path.relative_to(source).as_posix() for path in files} <= names
        assert {"formcheck/_app/app.py", "formcheck/_app/.streamlit/config.toml"} <= names
        assert "formcheck/py.typed" in names  # without it, type checkers see no types in an installed formcheck
        assert hashlib.sha256(archive.read(MODEL_IN_WHEEL)).hexdigest() == MODEL_SHA256
        (entry_points,) = [name for name in names if name.endswith(".dist-info/entry_points.txt")]
        assert "formcheck = formcheck.cli:main" in archive.read(entry_points).decode()
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.parametrize(
    ("reason", "ci", "closing"),
    [
        ("no camera here", "true", "1 failed"),
        ("no camera here", "", "1 skipped"),
        ("FORMCHECK_CLIPS is not set", "true", "1 skipped"),
    ],
)
@pytest.mark.parametrize("whole_module", [False, True])
def test_a_skip_in_ci_needs_an_allowed_reason(
    tmp_path: Path, reason: str, ci: str, closing: str, whole_module: bool
) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    skip = f"pytest.skip({reason!r}, allow_module_level=True)"
    body = skip if whole_module else f"def test_it():\n    {skip}"
    (tmp_path / "test_sample.py").write_text(f"import pytest\n\n{body}\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = closing.replace("failed", "error") if whole_module else closing
    assert expected in result.stdout.splitlines()[-1], result.stdout
    # A module skipped as a whole leaves no test to run, which pytest also reports by its exit status.
    assert (result.returncode != 0) == ("failed" in closing or whole_module)
