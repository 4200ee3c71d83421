"""The site as a visitor meets it, in Chromium: `make site`, then `make test-site`."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from browsing import browser, errors, needs_browser, prefer, resize, violations
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from serving import ALONE, SITE, serving

from tools.notebooks import ROOT
from tools.site.finish import finish
from tools.site.links import faults

pytestmark = [pytest.mark.site, pytest.mark.browser, needs_browser]

PAGES = sorted(p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html"))
READ = [page for page in PAGES if not page.startswith("_modules/")]  # the others are source code


def listed(worker: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What a service worker keeps at once, and later."""
    text = worker.read_text(encoding="utf-8")
    now, later = (json.loads(found) for found in re.findall(r"^const \w+ = (\{.*\});$", text, re.M))
    return now, later


def until(driver: Any, script: str, seconds: float = 60) -> Any:
    return WebDriverWait(driver, seconds).until(lambda d: d.execute_async_script(script))


def wait_for_worker(driver: Any) -> None:
    """Until the first visit has kept what it keeps."""
    until(
        driver,
        "const done = arguments[0];"
        "navigator.serviceWorker.ready.then(r => done(r.active.state === 'activated'"
        " && !!navigator.serviceWorker.controller))",
    )


# --- files ----------------------------------------------------------------------------------------


def test_every_notebook_is_a_page(site: Path) -> None:
    notebooks = [ROOT / "demo.ipynb", *(ROOT / "lectures").rglob("*.ipynb")]
    for path in notebooks:
        if ".ipynb_checkpoints" not in path.parts:
            assert (site / path.relative_to(ROOT)).with_suffix(".html").exists(), path
    assert len(notebooks) > 50


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    assert faults(site) == []


def test_the_worker_lists_every_file_and_no_other(site: Path) -> None:
    now, later = listed(site / "sw.js")
    files = {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()}
    assert not now.keys() & later.keys()
    assert now.keys() | later.keys() == files - {"sw.js"}
    assert not any(name.startswith("lectures/") for name in now)


def sizes(site: Path, names: Iterable[str]) -> tuple[float, float]:
    """As they are, and compressed, in MB."""
    contents = [(site / name).read_bytes() for name in names]
    return sum(map(len, contents)) / 1e6, sum(len(gzip.compress(c, 6)) for c in contents) / 1e6


def test_a_first_visit_of_home_and_playground_loads_at_most_16_mb(site: Path) -> None:
    now, _ = listed(site / "sw.js")
    visit = [*now, "sw.js"]  # home, search, the style of all pages, and the playground
    plain, compressed = sizes(site, visit)
    print(f"a first visit: {plain:.2f} MB, compressed {compressed:.2f} MB")
    assert plain <= 16 and compressed <= 8
    others = re.compile(r"playground/(pyodide|python_stdlib|graphviz|worker|codemirror)\.")
    _, ours = sizes(site, [name for name in visit if not others.match(name)])
    assert ours <= 1


def test_what_the_package_of_the_page_lacks_is_told_in_a_sentence(
    site: Path, tmp_path: Path
) -> None:
    (archive,) = (site / "playground").glob("micrograd.*.zip")
    code = """
import sys
sys.modules["llvmlite"] = sys.modules["jax"] = None  # as in a page
import micrograd
from micrograd import Value, lift
assert ".zip" in micrograd.__file__
square = lift(lambda x: x * x)
x = Value(3.0)
square(x).backward()
print(x.grad)
for use in (lambda: square.to_jax(x), lambda: lift(lambda x: x, executor="native")):
    try:
        use()
    except ImportError as fault:
        print(type(fault).__name__, fault)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(archive)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    gradient, jax, native = run.stdout.splitlines()
    assert gradient == "6.0"
    assert "to_jax needs" in jax and "jax" in jax
    assert "llvmlite" in native


ICONS = {"_static/icon-192.png", "_static/icon-512.png"}  # of who installs it


def test_a_first_visit_asks_for_nothing_beyond_what_is_counted(site: Path, tmp_path: Path) -> None:
    now, _ = listed(site / "sw.js")
    with browser(ALONE) as driver, serving(site, tmp_path) as (address, _):
        for page in ("index.html", "playground/index.html"):
            driver.get(address + page)
            wait_for_worker(driver)
            asked = driver.execute_script(
                "return performance.getEntriesByType('resource').map(entry => entry.name)"
            )
            names = {a.removeprefix(address).partition("?")[0] for a in asked if address in a}
            assert names and names - ICONS <= now.keys() | {"sw.js"}


def test_every_picture_says_what_it_shows(site: Path) -> None:
    for page in READ:
        for alt in re.findall(r'<img [^>]*?alt="([^"]*)"', (site / page).read_text("utf-8")):
            assert alt and not alt.endswith((".png", ".svg")), f"{page}: {alt!r}"


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_an_error_and_is_no_wider_than_a_telephone(
    page: str, address: str, chromium: Any
) -> None:
    prefer(chromium, "light")
    resize(chromium, 375, 800)
    errors(chromium)
    chromium.get(address + page)
    width = chromium.execute_script("return document.documentElement.scrollWidth")
    assert width <= 375
    chromium.execute_script("window.scrollTo(0, document.body.scrollHeight)")  # lazy parts too
    time.sleep(0.1)
    assert errors(chromium) == []


@pytest.mark.parametrize("page", READ)
def test_axe_finds_nothing_serious_on_a_page_light_or_dark(
    page: str, address: str, chromium: Any
) -> None:
    prefer(chromium, "light")
    resize(chromium, 1400, 900)
    chromium.get(address + page)
    assert violations(chromium) == []
    prefer(chromium, "dark")
    chromium.get(address + page)
    assert violations(chromium, "color-contrast") == []


def test_a_request_that_leaves_the_site_would_be_seen(address: str, chromium: Any) -> None:
    chromium.get(address + "index.html")
    errors(chromium)
    chromium.execute_script(
        "document.body.append(Object.assign(new Image(), {src: 'https://example.org/a.png'}))"
    )
    time.sleep(0.5)
    assert any("example.org" in message for message in errors(chromium))


def test_a_script_that_was_not_there_when_the_site_was_built_does_not_run(
    address: str, chromium: Any
) -> None:
    chromium.get(address + "index.html")
    chromium.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        "document.body.append(s);"
        "const f = document.createElement('iframe');"
        "f.srcdoc = '<script>parent.ran = 2</' + 'script>'; document.body.append(f);"
    )
    time.sleep(0.3)
    assert chromium.execute_script("return window.ran") is None
    assert len(errors(chromium)) == 2


def test_the_steppers_in_a_lecture_are_alive(address: str, chromium: Any) -> None:
    resize(chromium, 1400, 900)
    chromium.get(address + "lectures/micrograd/micrograd_lecture_second_half.html")
    frame = chromium.find_element(By.CSS_SELECTOR, ".micrograd-lesson iframe")
    chromium.execute_script(
        "arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", frame
    )
    chromium.switch_to.frame(frame)
    try:
        before = chromium.find_element(By.TAG_NAME, "body").text
        chromium.find_element(By.ID, "forward").click()
        assert chromium.find_element(By.TAG_NAME, "body").text != before
    finally:
        chromium.switch_to.default_content()


TRY = re.compile(r'<p class="try"><a href="([^"]*)"')
TRIES = [(page, link) for page in READ for link in TRY.findall((SITE / page).read_text("utf-8"))]


def test_cells_of_the_lectures_have_links_into_the_playground(site: Path) -> None:
    pages = {page for page, _ in TRIES}
    assert len(TRIES) >= 40 and len(pages) >= 12
    for half in ("first", "second"):
        assert sum(f"micrograd_lecture_{half}" in page for page, _ in TRIES) >= 6


@pytest.mark.parametrize(("page", "link"), TRIES[::5])
def test_a_cell_that_is_tried_runs_there_without_an_error(
    page: str, link: str, address: str, chromium: Any
) -> None:
    chromium.get("about:blank")
    chromium.get(urljoin(address + page, link))
    WebDriverWait(chromium, 60).until(
        lambda d: d.execute_script("return document.body.dataset.engine === 'ready'")
    )
    assert not chromium.find_elements(By.CSS_SELECTOR, ".outputs > *")  # it waits for Run
    chromium.find_element(By.CSS_SELECTOR, ".run-all").click()
    states = "return [...document.querySelectorAll('section.cell')].map(x => x.dataset.state)"
    WebDriverWait(chromium, 60).until(
        lambda d: all(state in ("done", "failed") for state in d.execute_script(states))
    )
    said = chromium.find_element(By.ID, "main").text
    assert set(chromium.execute_script(states)) == {"done"}, said
    assert not chromium.find_elements(By.CSS_SELECTOR, ".outputs .error"), said
    last = chromium.find_elements(By.CSS_SELECTOR, "section.cell")[-1]
    assert last.find_elements(By.CSS_SELECTOR, ".outputs > *"), said


def test_formulas_are_drawn_by_the_browser_itself(address: str, chromium: Any) -> None:
    chromium.get(address + "lectures/09_kmeans.html")
    formulas = chromium.execute_script(
        "return [...document.querySelectorAll('math')].filter(m => m.clientHeight > 0).length"
    )
    assert formulas > 50
    text = chromium.find_element(By.TAG_NAME, "article").text
    assert "\\frac" not in text and "\\sum" not in text


def test_the_search_finds_a_function_and_a_lecture(address: str, chromium: Any) -> None:
    chromium.get(address + "search.html?q=softmax")
    found = WebDriverWait(chromium, 30).until(
        lambda d: [a.get_attribute("href") for a in d.find_elements(By.CSS_SELECTOR, ".search a")]
    )
    WebDriverWait(chromium, 30).until(
        lambda d: "finished" in d.find_element(By.CSS_SELECTOR, "article").text
    )
    found = [
        a.get_attribute("href")
        for a in chromium.find_elements(By.CSS_SELECTOR, "#search-results li a")
    ]
    assert any("micrograd.functional.softmax" in link for link in found)
    assert any("08_logistic_regression" in link for link in found)


def test_the_search_knows_words_and_not_what_stands_in_two_cells_of_a_table(site: Path) -> None:
    text = (site / "searchindex.js").read_text("utf-8")
    terms = json.loads(text[text.index("(") + 1 : text.rindex(")")])["terms"]
    assert {"softmax", "backward", "topological_ord"} <= terms.keys()
    assert not [word for word in terms if word[0].isdigit() or len(word) >= 40]


# --- the service worker ---------------------------------------------------------------------------


def test_after_one_visit_the_site_needs_no_network(site: Path, tmp_path: Path) -> None:
    with browser(ALONE) as driver, serving(site, tmp_path) as (address, server):
        driver.get(address + "lectures/09_kmeans.html")
        wait_for_worker(driver)
        kept = (
            "caches.open('micrograd /repo/').then(c => c.keys()).then(k => arguments[0](k.length))"
        )
        now, _ = listed(site / "sw.js")
        until(driver, kept.replace("k.length", f"k.length > {len(now)}"))
        time.sleep(1)
        server.kill()
        server.wait()

        driver.get(address)
        assert "remembers how it was made" in driver.find_element(By.TAG_NAME, "body").text
        driver.get(address + "lectures/09_kmeans.html")
        assert "Lloyd" in driver.find_element(By.TAG_NAME, "body").text
        shown = "return [...document.images].filter(i => i.naturalWidth > 0).length"
        assert driver.execute_script(shown) > 3
        driver.get(address + "playground/index.html?embed=1")
        WebDriverWait(driver, 120).until(  # Python has started, and Graphviz has drawn
            lambda d: d.find_elements(By.CSS_SELECTOR, "main svg, main img[src^='data:image/svg']")
        )
        driver.get(address + "search.html?q=backward")
        WebDriverWait(driver, 30).until(
            lambda d: d.find_elements(By.CSS_SELECTOR, "#search-results li a")
        )
        driver.get(address + "lectures/11_perceptron.html")
        assert "needs a network" in driver.find_element(By.TAG_NAME, "h1").text


def test_what_is_kept_cannot_be_changed_by_a_program_on_a_page(site: Path, tmp_path: Path) -> None:
    with browser(ALONE) as driver, serving(site, tmp_path) as (address, _):
        driver.get(address)
        wait_for_worker(driver)
        changed = until(
            driver,
            "(async done => { const c = await caches.open('micrograd /repo/');"
            "const all = await c.keys();"
            "for (const k of all) await c.put(k, new Response('<script>hostile</' + 'script>',"
            "{headers: {'Content-Type': 'text/html'}}));"
            "done(all.length) })(arguments[0])",
        )
        assert changed > 10
        for page in ("", "search.html", "playground/index.html"):
            driver.get(address + page)
            assert "hostile" not in driver.page_source
            assert driver.title
        now, _ = listed(site / "sw.js")
        key = f"{address}?sha256={quote(now['index.html'], safe='')}"
        text = driver.execute_async_script(
            "caches.open('micrograd /repo/').then(c => c.match(arguments[0]))"
            ".then(r => r.text()).then(arguments[1], e => arguments[1](String(e)))",
            key,
        )
        assert "remembers how it was made" in text


def test_a_new_version_is_announced_and_loaded_when_asked_for(site: Path, tmp_path: Path) -> None:
    copy, host = tmp_path / "copy", tmp_path / "host"
    host.mkdir()
    shutil.copytree(site, copy, ignore=shutil.ignore_patterns("lectures", "_modules"))
    finish(copy)
    with browser(ALONE) as driver, serving(copy, host) as (address, _):
        driver.get(address)
        wait_for_worker(driver)
        driver.get(address)
        assert not driver.find_elements(By.CSS_SELECTOR, ".new-version")

        page = copy / "index.html"
        page.write_text(page.read_text("utf-8").replace("remembers how", "now remembers how"))
        finish(copy)
        driver.get(address)
        bar = WebDriverWait(driver, 30).until(
            lambda d: d.find_elements(By.CSS_SELECTOR, ".new-version button")
        )
        assert "now remembers how" not in driver.page_source  # not before it is asked for
        bar[0].click()
        WebDriverWait(driver, 30).until(lambda d: "now remembers how" in d.page_source)


def test_the_site_can_be_installed(address: str, chromium: Any) -> None:
    chromium.get(address)
    wait_for_worker(chromium)
    manifest = chromium.execute_cdp_cmd("Page.getAppManifest", {})
    assert manifest["errors"] == [] and manifest["url"].endswith("/repo/manifest.webmanifest")
    reasons = chromium.execute_cdp_cmd("Page.getInstallabilityErrors", {})["installabilityErrors"]
    assert reasons == []
