"""Chromium for tests: headless, offline, closed again by its own process id; and npm's packages."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
CHROMEDRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="no chromium and chromedriver on the PATH"
)
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",  # a container may have too little of it, and a page then dies
)  # fmt: skip


@contextmanager
def browser(*flags: str, fonts: tuple[str, Path] | None = None) -> Iterator[Any]:
    """A Chromium of its own, with a fresh profile; what its console says is kept for `errors`.

    With `fonts`, a family and its folder, it knows no others.
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, *flags, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        known = dict(os.environ)
        if fonts is not None:
            listed = Path(profile, "fonts.conf")
            family, folder = fonts
            generic = "".join(
                f"<alias><family>{name}</family><prefer><family>{family}</family></prefer></alias>"
                for name in ("sans-serif", "system-ui")
            )
            cache = f"<cachedir>{profile}/fonts</cachedir>"
            listed.write_text(f"<fontconfig><dir>{folder}</dir>{cache}{generic}</fontconfig>")
            known["FONTCONFIG_FILE"] = str(listed)
        driver = webdriver.Chrome(options=options, service=Service(str(CHROMEDRIVER), env=known))
        try:
            driver.set_script_timeout(60)
            yield driver
        finally:
            driver.quit()


class Browsers:
    """One Chromium for many tests, and another one when it has died: each test finds one alive."""

    # what Selenium says to the test in which it dies; tests/conftest.py lets that one run again
    DEATH = (
        "InvalidSessionIdException", "session deleted", "tab crashed", "page crash",
        "chrome not reachable", "not connected to DevTools", "disconnected:",
    )  # fmt: skip

    def __init__(self, *flags: str, fonts: tuple[str, Path] | None = None) -> None:
        self._flags, self._fonts = flags, fonts
        self._driver: Any = None
        self._open = ExitStack()

    def alive(self) -> Any:
        from selenium.common.exceptions import WebDriverException

        if self._driver is not None:
            try:
                self._driver.execute_script("return 1")
            except WebDriverException:
                self.close()
        if self._driver is None:
            self._driver = self._open.enter_context(browser(*self._flags, fonts=self._fonts))
        return self._driver

    def close(self) -> None:
        self._driver = None
        self._open.close()


def resize(driver: Any, width: int, height: int) -> None:
    """The page's own size, in CSS pixels."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(driver: Any, scheme: str) -> None:
    """Light or dark, as the system would say."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def errors(driver: Any) -> list[str]:
    """What went wrong on the page since the last time."""
    return [e["message"] for e in driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]


def node_modules() -> Path:
    """What tests/browser/package-lock.json names, installed into build/ by npm the first time."""
    listed = ROOT / "tests" / "browser"
    lock = (listed / "package-lock.json").read_bytes()
    home = ROOT / "build" / f"browser-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not home.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm, which installs what these tests load, is not on the PATH")
        home.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(listed / name, folder)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                reason = done.stderr.strip()[-200:]
                pytest.skip(f"npm could not install what these tests load: {reason}")
            with suppress(OSError):  # another worker was faster
                Path(folder).rename(home)
                Path(folder).mkdir()
    return home / "node_modules"


def axe() -> str:
    """The source of axe-core."""
    return (node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(driver: Any, *rules: str) -> list[str]:
    """What axe-core finds serious or critical in the current document, by all rules or by these."""
    driver.execute_script(axe())
    found = driver.execute_async_script(
        "const [rules, done] = arguments;"
        "axe.run(document, rules.length ? {runOnly: rules} : {})"
        ".then(r => done(r.violations), e => done(String(e)))",
        rules,
    )
    assert isinstance(found, list), found
    return [
        f"{v['id']}: {v['help']} {[n['html'][:120] for n in v['nodes'][:3]]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
