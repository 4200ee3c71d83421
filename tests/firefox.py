"""Firefox for tests: headless, alone, and driven by WebDriver BiDi, which it speaks itself.

`Firefox` has what `pages.Page` asks of Selenium's driver, so that a test of the playground runs in
either browser; there is no geckodriver in between.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
needs_firefox = pytest.mark.skipif(FIREFOX is None, reason="no firefox-esr or firefox on the PATH")
_SETTINGS = {
    # whatever is not loopback goes to a proxy that is not there
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "127.0.0.1",
    "network.proxy.allow_hijacking_localhost": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
}


class Firefox:
    """One page of a Firefox."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._last = socket, 0
        self.errors: list[str] = []  # what its console said of errors
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        self.place = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **parameters: Any) -> Any:
        """What a command gives; events that come meanwhile are kept."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.errors.append(str(answer["params"]["text"]))
            if answer.get("id") == self._last:
                if answer["type"] == "error":
                    raise AssertionError(f"{method}: {answer['message']}")
                return answer["result"]

    def get(self, address: str) -> None:
        self.ask("browsingContext.navigate", context=self.place, url=address, wait="complete")

    @property
    def current_url(self) -> str:
        return str(self.execute_script("return location.href"))

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self.ask("browsingContext.setViewport", context=self.place, viewport=size)

    def execute_script(self, script: str, *given: Any, frame: str = "") -> Any:
        """What a function's body returns, in the page or in a frame; elements can be passed on."""
        answer = self.ask(
            "script.callFunction",
            functionDeclaration=f"function () {{ {script} }}",
            arguments=[_sent(x) for x in given],
            target={"context": frame or self.place},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise AssertionError(answer["exceptionDetails"]["text"])
        return _received(answer["result"])

    def frames(self, place: str = "") -> list[str]:
        """The frames of the page, each before those inside it."""
        (tree,) = self.ask("browsingContext.getTree", root=place or self.place)["contexts"]
        found, waiting = [], list(tree["children"])
        while waiting:
            inner = waiting.pop(0)
            found.append(str(inner["context"]))
            waiting = list(inner["children"] or []) + waiting
        return found


def _sent(x: Any) -> Any:
    match x:
        case {"sharedId": element}:
            return {"sharedId": element}
        case bool():
            return {"type": "boolean", "value": x}
        case int() | float():
            return {"type": "number", "value": x}
        case None:
            return {"type": "null"}
        case list():
            return {"type": "array", "value": [_sent(y) for y in x]}
    return {"type": "string", "value": str(x)}


def _received(x: Any) -> Any:
    match x["type"]:
        case "node":
            return {"sharedId": x["sharedId"]}
        case "array":
            return [_received(y) for y in x["value"]]
        case "object":
            return {name: _received(y) for name, y in x["value"]}
        case "null" | "undefined":
            return None
        case "number":
            return float(x["value"]) if isinstance(x["value"], str) else x["value"]
    return x.get("value")


@contextmanager
def firefox() -> Iterator[Firefox]:
    """A Firefox of its own, with a fresh profile, which finds loopback only."""
    import websocket

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(x)});" for k, x in _SETTINGS.items()]
        Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
        words = [str(FIREFOX), "--headless", "--no-remote", "--remote-debugging-port", "0"]
        words += ["--profile", profile]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=quiet, text=True)
        assert process.stderr is not None
        try:
            address = ""
            for line in process.stderr:
                if "WebDriver BiDi listening on " in line:
                    address = line.split()[-1]
                    break
            assert address, "Firefox ended before it could be driven"
            socket = websocket.create_connection(
                f"{address}/session", suppress_origin=True, timeout=90
            )
            with closing(socket):
                yield Firefox(socket)
        finally:
            process.terminate()
            process.wait(30)
            process.stderr.close()
