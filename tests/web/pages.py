"""The playground for tests: built, served on loopback, opened in Chromium, and its elements."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import ROOT, browser

WEB = ROOT / "web"
WAIT = 60.0  # seconds, for whatever a busy machine delays
# no name but loopback is found, and no address but loopback is there
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


def wheel(target: Path) -> Path:
    """The package of this checkout as a wheel, without the network that a build would need."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((ROOT / "micrograd").rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.writestr(zipfile.ZipInfo(str(file.relative_to(ROOT))), file.read_bytes())
        info = "micrograd_rebuilt-0.1.0.dist-info"
        archive.writestr(
            zipfile.ZipInfo(f"{info}/WHEEL"), "Wheel-Version: 1.0\nTag: py3-none-any\n"
        )
        archive.writestr(
            zipfile.ZipInfo(f"{info}/METADATA"),
            "Metadata-Version: 2.1\nName: micrograd-rebuilt\nVersion: 0.1.0\n\n# README\n",
        )
    return target


def packages() -> None:
    """What web/package-lock.json names, in web/node_modules."""
    lock = (WEB / "package-lock.json").read_bytes()
    stamp = WEB / "node_modules" / f".{hashlib.sha256(lock).hexdigest()[:12]}"
    if stamp.exists():
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npm and node, which build the playground, are not on the PATH")
    done = subprocess.run([npm, "ci"], cwd=WEB, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm could not install the playground's packages: {done.stderr[-200:]}")
    stamp.touch()


def built(folder: Path, *options: str) -> Path:
    """The playground of this checkout in `folder`/site/play: below a path, as hosts may have it."""
    packages()
    out = folder / "site" / "play"
    made = wheel(folder / "micrograd_rebuilt-0.1.0-py3-none-any.whl")
    command = ["node", str(WEB / "build.mjs"), "--out", str(out), "--wheel", str(made), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "site"


class Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


class Open(Quiet):
    """A host that lets other origins read, as those of packages do."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()


@contextmanager
def served(folder: Path, kind: type[Quiet] = Quiet) -> Iterator[tuple[str, list[str]]]:
    """The folder on loopback: its address, and the paths that were asked for."""
    asked: list[str] = []
    handler = type("Handler", (kind,), {"asked": asked})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Page:
    """The page in a browser: what a learner does and sees."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver, self.address = driver, address

    def open(self, hash_: str = "", query: str = "", fresh: bool = False) -> Page:
        """The page at an address; where only the hash is another, as a click on a link goes."""
        address = f"{self.address}/play/{query}{hash_}"
        if fresh or self.driver.current_url.partition("#")[0] != address.partition("#")[0]:
            self.driver.get("about:blank")  # a hash alone would load nothing anew
            self.driver.get(address)
            self.until("document.body?.dataset.engine === 'ready'")
        else:
            self.js("history.replaceState(null, '', '#'); delete document.body.dataset.at")
            self.js("location.hash = arguments[0]", hash_)
        self.until("document.body.dataset.at === arguments[0]", hash_)
        return self

    def js(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(script, *given)

    def until(self, condition: str, *given: Any, seconds: float = WAIT) -> Any:
        """Wait for what an expression of JavaScript says, and give it."""
        end = time.monotonic() + seconds
        while not (found := self.js(f"return {condition}", *given)):
            if time.monotonic() > end:
                seen = self.js("return document.getElementById('main').innerText")
                raise AssertionError(f"never came: {condition}; on the page: {seen[-600:]!r}")
            time.sleep(0.02)
        return found

    def click(self, selector: str, number: int = 0) -> None:
        self.js(
            "const [selector, k] = arguments; const all = document.querySelectorAll(selector);"
            "if (!all[k]) throw new Error('there is no ' + selector); all[k].click()",
            selector, number,
        )  # fmt: skip

    # --- cells ------------------------------------------------------------------------------------

    def type(self, code: str, cell: int = 0) -> None:
        """Put code into a cell's editor, as a paste does."""
        self.js(
            "const [code, k] = arguments;"
            "const content = document.querySelectorAll('section.cell .cm-content')[k];"
            "content.focus(); getSelection().selectAllChildren(content);"
            "document.execCommand('selectAll'); document.execCommand('insertText', false, code);",
            code, cell,
        )  # fmt: skip

    def set(self, *codes: str) -> None:
        """The page with these cells, which wait: as a link brings them."""
        self.open(link({"k": "c", "c": list(codes)}))

    def start(self, cell: int = 0) -> None:
        self.click("section.cell .run", cell)

    def finished(self, cell: int = 0, seconds: float = WAIT) -> str:
        """The state of a cell when it does not run any more."""
        state = "document.querySelectorAll('section.cell')[arguments[0]].dataset.state"
        self.until(f"['done', 'failed'].includes({state})", cell, seconds=seconds)
        return str(self.js(f"return {state}", cell))

    def run(self, cell: int = 0, seconds: float = WAIT) -> str:
        """Run a cell to its end; what its outputs say."""
        self.start(cell)
        self.finished(cell, seconds)
        return self.said(cell)

    def said(self, cell: int = 0) -> str:
        """The text of a cell's outputs."""
        return str(
            self.js(
                "return [...document.querySelectorAll('section.cell')[arguments[0]]"
                ".querySelectorAll('.outputs > pre, .outputs > .note')]"
                ".map(x => x.textContent).join('')",
                cell,
            )
        )

    def count(self, selector: str) -> int:
        return int(self.js("return document.querySelectorAll(arguments[0]).length", selector))

    # --- panels -----------------------------------------------------------------------------------

    def leaf(self, name: str, part: str) -> Any:
        """An element of a leaf's row: field, slider or grad."""
        selector = {"field": "input.number", "slider": "input[type=range]", "grad": ".grad"}[part]
        return self.js(
            "const [name, selector] = arguments;"
            "const row = [...document.querySelectorAll('div.leaf')]"
            ".find(x => x.querySelector('label').title === name);"
            "return row && row.querySelector(selector)",
            name, selector,
        )  # fmt: skip

    def put(self, name: str, number: float) -> None:
        """Another number into a leaf's field, to the end."""
        self.js(
            "const [field, text] = arguments; field.value = text;"
            "field.dispatchEvent(new Event('change', { bubbles: true }))",
            self.leaf(name, "field"), repr(number),
        )  # fmt: skip

    def slide(self, name: str, number: float, release: bool = True) -> None:
        self.js(
            "const [slider, x, release] = arguments; slider.value = x;"
            "slider.dispatchEvent(new Event('input', { bubbles: true }));"
            "if (release) slider.dispatchEvent(new Event('change', { bubbles: true }))",
            self.leaf(name, "slider"), number, release,
        )  # fmt: skip

    def result(self) -> float:
        return float(self.js("return document.querySelector('.outcome').dataset.exact"))

    def cards(self) -> list[str]:
        """The texts of the numbers in the picture, in its order."""
        return list(
            self.js(
                "return [...document.querySelectorAll('.panel .stage svg text.data, "
                ".panel .stage svg text.grad')].map(x => x.textContent)"
            )
        )


@contextmanager
def opened(address: str, *flags: str) -> Iterator[Page]:
    """The page in a browser of its own, with a fresh profile, which finds loopback only."""
    with browser(ALONE, *flags) as driver:
        yield Page(driver, address)


def link(state: Any) -> str:
    """The hash of a state, as web/src/link.js writes it."""
    import base64
    import zlib

    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflate.compress(json.dumps(state).encode()) + deflate.flush()
    return "#1" + base64.urlsafe_b64encode(data).decode().rstrip("=")


def cpu_seconds(driver: Any) -> float:
    """The processor time that this browser has taken, all of its processes together."""
    root = driver.service.process.pid
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            spent[int(entry.name)] = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    waiting, total = [root], 0.0
    while waiting:
        process = waiting.pop()
        total += spent.get(process, 0.0)
        waiting += children.get(process, [])
    return total


def seconds_of(driver: Any, action: Callable[[], Any]) -> tuple[float, float]:
    """The wall clock's and the processor's seconds of an action.

    The second is all work of all the browser's processes: an idle machine needs no longer.
    """
    cpu, wall = cpu_seconds(driver), time.perf_counter()
    action()
    return time.perf_counter() - wall, cpu_seconds(driver) - cpu
