"""Can formcheck run on this machine? Each check says ok, or what to do."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from formcheck.errors import ModelError

PACKAGES = (
    "mediapipe",
    "opencv-contrib-python",
    "av",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "fsspec",
    "pillow",
    "altair",
    "vl-convert-python",
    "jinja2",
    "platformdirs",
    "rich",
)
# Every package that writes the folder cv2: two of them at once break one another.
CV2_PROVIDERS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
# mediapipe's C library links the first two, OpenCV the others; the Debian and Ubuntu packages that hold them.
SYSTEM_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
}
OLDEST_PYTHON = (3, 11)
FREE_BYTES = 1_000_000_000  # overlay videos of about an hour


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
    ok : bool
    text : str
        What was found.
    advice : str
        What to do when it is not ok.
    needed : bool
        False when formcheck can check clips without it.
    """

    name: str
    ok: bool
    text: str
    advice: str = ""
    needed: bool = True


def examine() -> Iterator[Check]:
    """Look at one thing after the other, the cheap ones first."""
    yield _python()
    for package in PACKAGES:
        yield _package(package)
    yield _cv2_providers()
    if sys.platform == "linux":
        for library, debian in SYSTEM_LIBRARIES.items():
            yield _system_library(library, debian)
    yield _model()
    yield _pose()
    yield _cameras()
    yield _free_disk(Path.cwd())
    yield _data_folder()


def _python() -> Check:
    ok = sys.version_info >= OLDEST_PYTHON
    needed = ".".join(str(part) for part in OLDEST_PYTHON)
    return Check(
        "Python", ok, f"{platform.python_version()} ({platform.platform()})", f"install Python {needed} or newer"
    )


def _package(name: str) -> Check:
    try:
        return Check(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, "not installed", "run: pip install formcheck")


def _cv2_providers() -> Check:
    found = [name for name in CV2_PROVIDERS if _is_installed(name)]
    others = " ".join(name for name in found if name != "opencv-contrib-python")
    advice = (
        f"run: pip uninstall -y {' '.join(found)} && pip install opencv-contrib-python"
        if others
        else "run: pip install opencv-contrib-python"
    )
    return Check("one OpenCV", found == ["opencv-contrib-python"], ", ".join(found) or "none", advice)


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _system_library(name: str, debian: str) -> Check:
    try:
        ctypes.CDLL(name)
    except OSError as error:
        return Check(name, False, str(error), f"run: sudo apt-get install -y {debian}")
    return Check(name, True, "loads")


def _model() -> Check:
    from formcheck.adapters.models import locate

    try:
        model = locate()
    except ModelError as error:
        return Check("pose model", False, "cannot be used", str(error))
    return Check("pose model", True, f"{model.path}, sha256 {model.sha256[:12]} as expected")


def _pose() -> Check:
    """Start the model on a small grey picture: proves that every library works together, not that anybody is seen."""
    import numpy as np

    from formcheck.types import Frame

    picture = np.full((64, 64, 3), 128, dtype=np.uint8)
    try:
        from formcheck.adapters.mediapipe import MediaPipeBackend

        with MediaPipeBackend.open() as backend:
            backend.detect(Frame(0, 0.0, picture))
    except ModelError as error:
        return Check("pose", False, "the model does not run", str(error))
    except (ImportError, OSError) as error:
        return Check("pose", False, f"a library does not load: {error}", "see the lines above")
    return Check("pose", True, "the model runs")


def _cameras(folder: Path = Path("/dev")) -> Check:
    """Look for cameras; only Linux lists them as files, and none is needed to check clips."""
    if sys.platform != "linux":
        return Check("cameras", True, "not looked for on this system", needed=False)
    devices = sorted(folder.glob("video*"))
    closed = [device for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    if closed:
        text = f"no permission for {', '.join(str(device) for device in closed)}"
        return Check("cameras", False, text, "run: sudo usermod -aG video $USER, then log in again", needed=False)
    advice = "connect one for live sessions; clips need none"
    return Check("cameras", bool(devices), ", ".join(str(device) for device in devices) or "none", advice, needed=False)


def _free_disk(folder: Path, usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage) -> Check:
    free = usage(folder)[2]
    text = f"{free / 1e9:.1f} GB in {folder}"
    return Check("free disk", free >= FREE_BYTES, text, "make room before writing overlay videos", needed=False)


def _data_folder() -> Check:
    """Try the folder for fetched models; it is made on first use, so look at the nearest one that is there."""
    from formcheck.adapters.models import user_folder

    folder = user_folder()
    present = next(parent for parent in (folder, *folder.parents) if parent.exists())
    ok = present.is_dir() and os.access(present, os.W_OK | os.X_OK)
    advice = f"make {present} writable, or set XDG_DATA_HOME to another folder"
    return Check("data folder", ok, f"{folder} {'is' if ok else 'cannot be'} writable", advice, needed=False)
