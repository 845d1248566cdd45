"""In CI a skipped test is a failed test, unless its reason is one that this repository cannot help."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator

import pytest

# What a skip's reason must name to be let pass in CI, and why it may.
ALLOWED_SKIPS = {
    "FORMCHECK_CLIPS": "asks for clips that are not part of the repository",
}

Report = pytest.TestReport | pytest.CollectReport


def _forbid_skip(report: Report) -> None:
    """Turn a skip that is not allowed into a failure, so that it counts in pytest's closing line."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not any(name in reason for name in ALLOWED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped in CI, where it should run: {reason}"


@pytest.fixture(autouse=True)
def _main_module_stays() -> Generator[None, None, None]:
    """Put `__main__` back after a test: Streamlit's AppTest leaves its own script there, and every process that
    multiprocessing spawns afterwards would run that script first.
    """
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report)
    return report
