"""The checks of the machine: each says ok or what to do."""

import os
import sys
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError

import pytest

from formcheck import doctor
from formcheck.adapters import mediapipe, models
from formcheck.errors import ModelError


@pytest.fixture
def installed(monkeypatch):
    """Replace what is installed by a set of names that the test fills."""
    names = set()

    def look(name):
        if name not in names:
            raise PackageNotFoundError(name)
        return "9.9"

    monkeypatch.setattr(doctor.importlib.metadata, "distribution", look)
    monkeypatch.setattr(doctor.importlib.metadata, "version", look)
    return names


def test_this_machine_can_run_formcheck():
    checks = list(doctor.examine())
    assert [check for check in checks if check.needed and not check.ok] == []
    assert len({check.name for check in checks}) == len(checks)
    assert {"Python", "mediapipe", "one OpenCV", "pose model", "pose", "cameras", "free disk", "data folder"} <= {
        check.name for check in checks
    }
    assert all(check.text and "\n" not in check.text + check.advice for check in checks)


def test_an_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))
    check = doctor._python()
    assert not check.ok
    assert check.advice == "install Python 3.11 or newer"


def test_a_missing_package_says_what_to_run(installed):
    check = doctor._package("mediapipe")
    assert (check.ok, check.text, check.advice) == (False, "not installed", "run: pip install formcheck")
    installed.add("mediapipe")
    assert doctor._package("mediapipe").text == "9.9"


@pytest.mark.parametrize(
    ("names", "ok", "advice"),
    [
        (["opencv-contrib-python"], True, ""),
        ([], False, "run: pip install opencv-contrib-python"),
        (
            ["opencv-python", "opencv-contrib-python"],
            False,
            "run: pip uninstall -y opencv-python opencv-contrib-python && pip install opencv-contrib-python",
        ),
        (
            ["opencv-python-headless"],
            False,
            "run: pip uninstall -y opencv-python-headless && pip install opencv-contrib-python",
        ),
    ],
)
def test_exactly_one_opencv(installed, names, ok, advice):
    installed.update(names)
    check = doctor._cv2_providers()
    assert check.ok is ok
    if not ok:
        assert check.advice == advice


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux libraries")
def test_a_missing_system_library_names_its_package():
    assert doctor._system_library("libc.so.6", "libc6").ok
    check = doctor._system_library("libnone.so.9", "libnone9")
    assert not check.ok
    assert "libnone.so.9" in check.text
    assert check.advice == "run: sudo apt-get install -y libnone9"


def test_a_damaged_model_is_named(monkeypatch):
    def locate():
        raise ModelError("full.task: damaged; restore it")

    monkeypatch.setattr(models, "locate", locate)
    check = doctor._model()
    assert (check.ok, check.advice) == (False, "full.task: damaged; restore it")


@pytest.mark.parametrize("error", [ModelError("no libEGL; run: apt"), ImportError("cv2 is broken"), OSError("no lib")])
def test_a_pose_that_does_not_run_is_a_failed_check(monkeypatch, error):
    class Broken:
        @staticmethod
        @contextmanager
        def open():
            raise error
            yield

    monkeypatch.setattr(mediapipe, "MediaPipeBackend", Broken)
    check = doctor._pose()
    assert not check.ok
    assert check.needed
    assert str(error) in check.text + check.advice


@pytest.mark.skipif(sys.platform != "linux", reason="cameras are files on Linux only")
def test_cameras_are_listed_and_not_needed(tmp_path, monkeypatch):
    none = doctor._cameras(tmp_path)
    assert (none.ok, none.needed, none.text) == (False, False, "none")
    (tmp_path / "video0").touch()
    assert doctor._cameras(tmp_path).text == str(tmp_path / "video0")
    monkeypatch.setattr(os, "access", lambda *_: False)
    closed = doctor._cameras(tmp_path)
    assert not closed.ok
    assert "usermod" in closed.advice


def test_a_full_disk_is_said(tmp_path):
    assert doctor._free_disk(tmp_path, lambda _: (10**12, 0, 10**12)).ok
    check = doctor._free_disk(tmp_path, lambda _: (10**12, 10**12, 5 * 10**8))
    assert (check.ok, check.needed, check.text) == (False, False, f"0.5 GB in {tmp_path}")


def test_the_data_folder_may_not_exist_yet(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "user_folder", lambda: tmp_path / "share" / "formcheck" / "models")
    assert doctor._data_folder().ok
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "share").write_text("a file in the way")
    check = doctor._data_folder()
    assert not check.ok
    assert str(tmp_path / "share") in check.advice
