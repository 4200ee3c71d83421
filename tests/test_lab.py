"""`make lab` opens JupyterLab on the map of the lectures, as a page to read."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import browser, needs_browser

from tools.notebooks import ROOT


def command() -> str:
    """What `make lab` runs, with this Python."""
    make = ["make", "-n", "-o", ".venv/.lectures", f"RUN={shlex.quote(sys.executable)}", "lab"]
    # of a make that runs this test it takes no options: they would let it speak of its folder
    outside = {name: x for name, x in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    said = subprocess.run(
        make, cwd=ROOT, env=outside, capture_output=True, text=True, check=True
    ).stdout
    return said[said.index("JUPYTER_CONFIG_PATH") :].strip()


@contextmanager
def lab(own: Path, line: str) -> Iterator[str]:
    """The address that such a server opens, with settings of its own in `own`; ended afterwards."""
    folders = {"CONFIG_DIR": own / "config", "DATA_DIR": own / "data", "RUNTIME_DIR": own / "run"}
    known = {
        **os.environ,
        **{f"JUPYTER_{name}": str(folder) for name, folder in folders.items()},
        "HOME": str(own),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
    }
    options = "--no-browser --allow-root --ServerApp.port=0 --ServerApp.ip=127.0.0.1"
    options += f" --FileCheckpoints.checkpoint_dir={own / 'checkpoints'}"  # not among the lectures
    log = own / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            f"{line} {options}", shell=True, cwd=ROOT, env=known, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        found, until = None, time.monotonic() + 60
        while not found and server.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
            found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*\?token=\w+", log.read_text())
        assert found, log.read_text()
        urllib.request.urlopen(found[0], timeout=20).close()
        yield found[0]
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=30)


@pytest.mark.slow
@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("ours", [True, False], ids=["as it is", "without our settings"])
def test_the_map_opens_as_a_page_to_read(tmp_path: Path, ours: bool) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    line = command() if ours else re.sub(r"JUPYTER_CONFIG_PATH=\S+", "", command(), count=1)
    shown, other = ".jp-MarkdownViewer h1", ".jp-FileEditor .cm-content"
    if not ours:  # Markdown as text: so the settings are what makes the difference
        shown, other = other, shown

    def texts(driver: Any) -> list[str]:
        return [found.text for found in driver.find_elements(By.CSS_SELECTOR, shown)]

    with lab(tmp_path, line.replace("\\\n", " ")) as address, browser() as driver:
        driver.set_window_size(1200, 900)
        driver.get(address)
        WebDriverWait(driver, 60).until(lambda d: any("The lectures" in t for t in texts(d)))
        assert not driver.find_elements(By.CSS_SELECTOR, other)
