"""A stepper in JupyterLab: live when its cell has run, a still picture while it is not trusted."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import ROOT, browser, needs_browser, resize

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed here")

pytestmark = [pytest.mark.browser, pytest.mark.notebook, needs_browser]

CODE = """
from micrograd import Value, step_through
a, b = Value(2.0, label="a"), Value(-3.0, label="b")
out = (a * b + a).tanh()
out.label = "o"
step_through(out)
"""


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A JupyterLab of its own on loopback; its address. It ends by its own process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    names = "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"
    homes = {name: str(folder / name) for name in names}
    environment = {**os.environ, **homes, "PYTHONPATH": str(ROOT)}
    log = (folder / "jupyterlab.log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "jupyterlab.log").read_text()
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def wait(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What the condition comes to, once it is something; JupyterLab rebuilds what it shows."""
    from selenium.common.exceptions import WebDriverException

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = condition()
        except (AssertionError, IndexError, WebDriverException):
            found = None
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError("it did not come about in time")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A notebook that was executed and shows a stepper."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    nbclient.NotebookClient(made, timeout=60).execute()
    return made


def test_an_exported_notebook_is_live_without_network(tmp_path: Path, notebook: Any) -> None:
    page, _ = pytest.importorskip("nbconvert").HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "lesson.html").write_text(page, encoding="utf-8")
    with browser("--host-resolver-rules=MAP * ~NOTFOUND") as driver:
        driver.get((tmp_path / "lesson.html").as_uri())
        frame = wait(lambda: driver.find_element("css selector", "iframe[srcdoc]"))
        still = driver.find_element("css selector", ".micrograd-lesson img")
        assert frame.is_displayed() and not still.is_displayed()
        driver.switch_to.frame(frame)
        driver.find_element("css selector", "#last").click()
        assert driver.find_element("css selector", "#phase").text == "Gradients"


def test_jupyterlab_shows_it_live_or_still(tmp_path: Path, notebook: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    nbformat.write(notebook, tmp_path / "lesson.ipynb")
    with jupyterlab(tmp_path) as address, browser() as driver:
        resize(driver, 1300, 1000)
        driver.get(f"{address}/lab/tree/lesson.ipynb")
        every = lambda selector: driver.find_elements("css selector", selector)
        # executed elsewhere: not trusted here, so JupyterLab cuts out the frame
        still = wait(lambda: every(".jp-OutputArea img"))[0]
        wait(lambda: driver.execute_script("return arguments[0].naturalWidth > 300", still))
        assert still.is_displayed()
        assert not every(".jp-OutputArea iframe")
        # run here: live
        shown = lambda: [cell for cell in every(".jp-Cell .cm-content") if cell.is_displayed()]

        def run() -> Any:
            shown()[0].click()
            keys = ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER)
            keys.key_up(Keys.SHIFT).perform()
            return wait(lambda: every(".jp-OutputArea iframe[srcdoc]"), 20)

        frame = wait(run, 120)[0]  # again, if the kernel was not listening yet
        pictures = every(".jp-OutputArea .micrograd-lesson img")
        assert pictures and not any(picture.is_displayed() for picture in pictures)
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", frame)
        driver.switch_to.frame(frame)
        wait(lambda: every("#count") and every("#count")[0].text.startswith("1 /"))
        for _ in range(5):
            every("#forward")[0].click()
        assert every("#phase")[0].text == "Backward"
        assert "o.grad becomes" in every("#say")[0].text or "arrives at o" in every("#say")[0].text
