"""Takes the pictures of docs/gallery.md from the real thing, in headless Chromium.

`python -m tools.gallery` writes them again; look at them before committing.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from micrograd import Value, nn, step_through, worksheet
from micrograd.show.lesson.stepper import Stepper
from tools.notebooks import ROOT

__all__ = ["SHOTS", "main"]

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


@dataclass(frozen=True)
class Shot:
    """A page, the window in which it is seen, and what is done before the picture is taken."""

    made: Callable[[], Any]
    width: int
    act: Callable[[Any], None]
    height: int = 0  # else as high as what it shows
    scheme: str = "light"

    def pose(self, driver: Any, folder: Path) -> None:
        """Open the page and bring it to its state."""
        made = self.made()
        size = {"width": self.width, "height": self.height or made._height}
        metrics = {**size, "deviceScaleFactor": _SCALE, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": self.scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        made.save(folder / "page.html")
        driver.get((folder / "page.html").as_uri())
        self.act(driver)
        time.sleep(0.6)


_SCALE = 1.5
# pixels below the last words that are seen whole, which are cut off
_SPARE = """
    const work = document.getElementById("work");
    if (!work) return 0;
    const last = [...work.querySelectorAll("*"), ...document.querySelectorAll("#plots *")]
        .map((part) => part.getBoundingClientRect())
        .map((box) => (box.height ? box.bottom : 0));
    const whole = last.filter((bottom) => bottom <= innerHeight);
    const margin = whole.length < last.length ? 4 : 16;
    return Math.max(0, Math.floor(innerHeight - Math.max(...whole) - margin));"""


def _step(k: int) -> Callable[[Any], None]:
    def act(driver: Any) -> None:
        for _ in range(k):
            driver.find_element("css selector", "#forward").click()

    return act


def _answer(driver: Any) -> None:
    driver.find_element("css selector", "#last").click()
    driver.find_element("css selector", ".question input").send_keys("1\n")


def _lesson() -> Stepper:
    return step_through(neuron())


def _quiz() -> Stepper:
    return step_through(shared(), quiz=True)


SHOTS = {  # each is a file in docs/gallery
    "stepper": Shot(_lesson, 1160, _step(7)),
    "stepper-dark": Shot(_lesson, 1160, _step(7), scheme="dark"),
    "stepper-phone": Shot(_lesson, 390, _step(7), 640),
    "shared": Shot(lambda: step_through(shared()), 1000, _step(11), scheme="dark"),
    "quiz": Shot(_quiz, 1000, _answer),
    "quiz-dark": Shot(_quiz, 1000, _answer, scheme="dark"),
    "quiz-phone": Shot(_quiz, 390, _answer, 860),
    "worksheet": Shot(lambda: worksheet.random(2, 7), 900, lambda driver: None, 1040),
    "network": Shot(network, 1280, _step(60)),
}


def main() -> None:
    from PIL import Image
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
            for name, shot in SHOTS.items():
                shot.pose(driver, Path(folder))
                spare = round(_SCALE * driver.execute_script(_SPARE))
                taken = Image.open(BytesIO(driver.get_screenshot_as_png())).convert("RGB")
                whole = taken.crop((0, 0, taken.width, taken.height - spare))
                whole.save(FOLDER / f"{name}.png", optimize=True)
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
