"""The playground in Firefox: what a visitor does first, one thing after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from firefox import Firefox, firefox, needs_firefox
from pages import Page, link, served

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_firefox]
NEURON = {"x1": 2.0, "w1": -3.0, "x2": 0.0, "w2": 1.0, "b": 6.8814}
STATE = {"k": "e", "e": "tanh(x1*w1 + x2*w2 + b)", "v": NEURON}


@pytest.fixture(scope="module")
def driver() -> Iterator[Firefox]:
    with firefox() as shown:
        yield shown


@pytest.fixture(scope="module")
def page(site: Path, driver: Firefox) -> Iterator[Page]:
    with served(site) as (address, _):
        yield Page(driver, address)


def test_an_example_is_drawn_and_nothing_fails(page: Page, driver: Firefox) -> None:
    page.open("#x=neuron")
    page.until("document.querySelector('.stage svg text.data')")
    assert len(page.cards()) > 10
    assert driver.errors == []


def test_a_slider_moves_the_whole_picture(page: Page) -> None:
    page.open(link(STATE))
    page.until("document.querySelector('.stage svg text.data')")
    assert page.result() == pytest.approx(math.tanh(0.8814), rel=1e-14)
    before = page.cards()
    page.slide("b", 6.0)
    page.until("Math.abs(document.querySelector('.outcome').dataset.exact) < 1e-9")
    assert page.cards() != before
    page.until("location.hash.length > 100")
    again = page.js("return location.hash")
    page.open(again, fresh=True)
    page.until("document.querySelector('.outcome')?.dataset.exact")
    assert page.result() == 0.0


@pytest.mark.parametrize("view", ["stepper", "quiz", "worksheet"])
def test_a_lesson_is_alive_in_its_frame(page: Page, driver: Firefox, view: str) -> None:
    page.open(link({**STATE, "w": view}))
    page.until("document.querySelector('.stage').dataset.shows === arguments[0]", view)
    button = "#save" if view == "worksheet" else "#forward"
    page.until("document.querySelector('.stage iframe').clientHeight > 200")
    (inner,) = [
        frame
        for frame in driver.frames()
        if driver.execute_script(f"return !!document.querySelector('{button}')", frame=frame)
    ]
    if view == "stepper":
        count = "return document.querySelector('#count').textContent"
        before = driver.execute_script(count, frame=inner)
        driver.execute_script("document.querySelector('#forward').click()", frame=inner)
        assert driver.execute_script(count, frame=inner) != before


def test_an_explanation_has_formulas(page: Page, driver: Firefox) -> None:
    page.open(link({**STATE, "w": "explain"}))
    page.until("document.querySelector('.stage').dataset.shows === 'explain'")
    page.until("document.querySelector('.stage iframe').clientHeight > 200")
    (frame,) = driver.frames()
    highest = (
        "return Math.min(...[...document.querySelectorAll('mfrac')].map("
        "x => x.getBoundingClientRect().height))"
    )
    assert driver.execute_script(highest, frame=frame) > 25


def test_cells_run_one_after_the_other(page: Page, driver: Firefox) -> None:
    page.set("")
    page.type("from micrograd import Value, draw\na = Value(2.0, label='a')\nprint(a.data)")
    assert page.run() == "2.0\n" and page.finished() == "done"
    page.click(".book-bar button", 1)
    page.type("b = (a * 3).tanh()\nb.backward()\ndraw(b)", 1)
    page.run(1)
    assert page.finished(1) == "done" and page.count("figure.drawn svg text.data") == 4
    page.click(".book-bar button", 1)
    page.type("1 / 0", 2)
    assert "ZeroDivisionError" in page.run(2)
    assert driver.errors == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("while True: pass", "Stopped"),
        ("while True: print(1)", "The output ends here"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("import os\nos._exit(1)", "ended Python"),
    ],
)
def test_nothing_kills_the_page(page: Page, code: str, said: str) -> None:
    page.set(code, "1 + 1")
    page.start()
    if "while" in code:
        page.until("document.body.dataset.engine === 'running'")
        page.until("document.body.dataset.spare === 'ready'")
        if "print" in code:
            page.until("document.getElementById('main').innerText.includes(arguments[0])", said)
        page.click(".stop")
    page.finished()
    if said != "Stopped":
        page.until("document.getElementById('main').innerText.includes(arguments[0])", said)
    assert page.run(1) == "2\n"


def test_foreign_code_waits_and_its_markup_is_text(page: Page, driver: Firefox) -> None:
    hostile = "<img src=x onerror='parent.ran = 1; top.ran = 1'><script>top.ran = 2</script>"
    page.set(f"class H:\n    def _repr_html_(self): return {hostile!r}\nprint({hostile!r})\nH()")
    assert page.count(".outputs > *") == 0
    assert hostile in page.run()
    page.until("document.querySelector('.outputs iframe')?.clientHeight > 0")
    assert page.js("return window.ran") is None
    page.set(
        "import js\nprint(js.self.origin, hasattr(js, 'localStorage'))\n"
        "try:\n    js.caches\nexcept Exception as error:\n    print('refused')"
    )
    assert page.run() == "null False\nrefused\n"


def test_a_telephone_scrolls_down_only(page: Page, driver: Firefox) -> None:
    driver.resize(375, 800)
    for state in (STATE, {**STATE, "w": "explain"}, {"k": "c", "c": ["1 + 1"]}):
        page.open(link(state))
        assert page.js("return document.documentElement.scrollWidth") <= 375
    driver.resize(1280, 900)
