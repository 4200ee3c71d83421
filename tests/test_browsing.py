"""A browser that dies spoils no test but the one in which it dies, and that one runs once more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from browsing import ROOT, Browsers, needs_browser
from selenium.common.exceptions import WebDriverException

pytestmark = [pytest.mark.browser, needs_browser]


def said_by_pytest(folder: Path, test: str) -> str:
    """What pytest says of a module of tests that shares tests/conftest.py."""
    (folder / "test_it.py").write_text(f"import pytest\n\npytestmark = pytest.mark.browser\n{test}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider",
         "--rootdir", str(folder), "-o", "markers=browser", "test_it.py"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_browser_that_died_is_replaced_and_a_living_one_kept(browsers: Browsers) -> None:
    first = browsers.alive()
    assert browsers.alive() is first
    with pytest.raises(WebDriverException):
        first.execute_cdp_cmd("Browser.crash", {})
    second = browsers.alive()
    assert second is not first
    with pytest.raises(WebDriverException):
        second.get("chrome://crash")
    third = browsers.alive()
    assert third.execute_script("return 6 * 7") == 42


@pytest.mark.parametrize("times, expected", [(1, "3 passed, 1 rerun"), (2, "1 failed, 2 passed")])
def test_a_death_runs_again_once(tmp_path: Path, times: int, expected: str) -> None:
    test = f"""
tries = []

def test_before(chromium):
    chromium.get("data:text/html,before")

def test_dies(chromium):
    tries.append(1)
    if len(tries) <= {times}:
        chromium.execute_cdp_cmd("Browser.crash", {{}})

def test_after(chromium):
    chromium.get("data:text/html,after")
"""
    assert expected in (said := said_by_pytest(tmp_path, test)), said


def test_a_failure_does_not_run_again(tmp_path: Path) -> None:
    said = said_by_pytest(tmp_path, "def test_fails():\n    assert 1 == 2\n")
    assert "1 failed" in said and "rerun" not in said, said
