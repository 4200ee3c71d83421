"""Takes the pictures of docs/gallery.md from the real thing, in headless Chromium.

`python -m tools.gallery` writes them again; look at them before committing.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd import Value, nn, step_through, worksheet
from micrograd.show.lesson.stepper import Stepper
from tools.notebooks import ROOT

__all__ = ["main"]

FOLDER = ROOT / "docs" / "gallery"


def neuron() -> Value:
    """The neuron of the lectures."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    p, q = x1 * w1, x2 * w2
    p.label, q.label = "x1w1", "x2w2"
    total = p + q
    n = total + b
    total.label, n.label = "sum", "n"
    o = n.tanh()
    o.label = "o"
    return o


def shared() -> Value:
    """A value that is used three times."""
    a, b = Value(3.0, label="a"), Value(-2.0, label="b")
    e, g = a * b, a * a
    e.label, g.label = "e", "g"
    h = e + g
    h.label = "h"
    out = h.relu() * a
    out.label = "L"
    return out


def network() -> Stepper:
    """The network of the second lecture on its four examples."""
    model = nn.MLP(3, [4, 4, 1], activation="tanh", rng=random.Random(1337))
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    rows = [[Value(x, label=f"x{i}") for i, x in enumerate(row, 1)] for row in xs]
    loss = sum((model(x) - y) ** 2 for x, y in zip(rows, (1.0, -1.0, -1.0, 1.0), strict=True))
    loss.label = "loss"
    return step_through(loss, model, 0.05)


def main() -> None:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    FOLDER.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as folder:
        flags = "headless no-sandbox disable-gpu hide-scrollbars disable-background-networking"
        for flag in [*flags.split(), f"user-data-dir={folder}/profile"]:
            options.add_argument(f"--{flag}")
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            take = _camera(driver, Path(folder))
            take("stepper", step_through(neuron()), 1160, 0, "light", lambda: _step(driver, 7))
            take("shared", step_through(shared()), 1000, 0, "dark", lambda: _step(driver, 11))
            quiz = step_through(shared(), quiz=True)
            take("quiz", quiz, 1000, 0, "light", lambda: _answer(driver))
            take("worksheet", worksheet.random(2, 7), 900, 1040, "light", lambda: None)
            take("network", network(), 1280, 0, "light", lambda: _step(driver, 60))
        finally:
            driver.quit()


def _camera(driver: Any, folder: Path) -> Callable[..., None]:
    def take(
        name: str, made: Any, width: int, height: int, scheme: str, act: Callable[[], None]
    ) -> None:
        size = {"width": width, "height": height or made._height}
        metrics = {**size, "deviceScaleFactor": 1.5, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        made.save(folder / f"{name}.html")
        driver.get((folder / f"{name}.html").as_uri())
        act()
        time.sleep(0.6)
        driver.save_screenshot(str(FOLDER / f"{name}.png"))

    return take


def _step(driver: Any, k: int) -> None:
    for _ in range(k):
        driver.find_element("css selector", "#forward").click()


def _answer(driver: Any) -> None:
    driver.find_element("css selector", "#last").click()
    driver.find_element("css selector", ".question input").send_keys("1\n")


if __name__ == "__main__":
    main()
