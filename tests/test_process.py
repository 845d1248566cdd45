"""What a process that formcheck owns is set to, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

VARIABLE = "OPENCV_FOR_THREADS_NUM"
PREPARED = "from formcheck.adapters.process import prepare_process\nprepare_process()\n"
SHOW = f"import cv2, os\nprint(cv2.getNumThreads(), os.environ[{VARIABLE!r}], os.environ['https_proxy'])\n"


@pytest.mark.parametrize(
    ("code", "given", "threads"),
    [
        pytest.param(PREPARED + SHOW, None, 1, id="alone"),
        pytest.param("import cv2\ncv2.setNumThreads(3)\n" + PREPARED + SHOW, None, 1, id="after OpenCV was used"),
        pytest.param(PREPARED + SHOW, "3", 3, id="told otherwise"),
        pytest.param("import cv2\n" + PREPARED + SHOW, "3", 3, id="told otherwise, after OpenCV was loaded"),
    ],
)
def test_opencv_has_one_thread_and_connections_are_refused(code: str, given: str | None, threads: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {VARIABLE, "https_proxy"}}
    if given is not None:
        environment[VARIABLE] = given
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    shown, told, proxy = done.stdout.split()
    assert int(shown) == threads
    assert told == str(threads)  # for mediapipe's own OpenCV, and for processes that are started from here
    assert proxy.startswith("http://127.0.0.1:")
