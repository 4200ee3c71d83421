"""The playground for everybody: narrow screens, the keyboard alone, screen readers, light and dark."""

from __future__ import annotations

import pytest
from browsing import errors, needs_browser, prefer, resize, violations
from pages import Page, link

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_browser]

OUTPUTS = (
    "import sys\nfrom micrograd import Value, draw, step_through\nfrom playground import Curve\n"
    "a = Value(2.0, label='a')\nb = a * a\nb.label = 'b'\nb.backward()\nprint('text')\n"
    "print('careful', file=sys.stderr)\ndisplay(draw(b), step_through(b))\nCurve('loss').add(1.0)\n1 / 0"
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", ["expression", "code", "worksheet"])
def test_no_serious_finding_of_axe(page: Page, what: str, scheme: str) -> None:
    prefer(page.driver, scheme)
    resize(page.driver, 1400, 900)
    if what == "code":
        page.set(OUTPUTS)
        page.run()
        page.click(".drag")
        page.until("document.querySelector('.panel div.leaf')")
        page.type("2", 0)
    else:
        page.open("#x=shared")
        page.click(".nudge button")
        page.click(".descent button")
        page.click(".descent button")
        if what == "worksheet":
            page.click("[data-view=worksheet]")
            page.until("document.querySelector('.stage').dataset.shows === 'worksheet'")
    page.until("true")
    assert violations(page.driver) == []


def test_a_dialog_too(page: Page) -> None:
    page.open("#x=shared")
    page.click(".own button", 0)
    page.until("document.querySelector('dialog[open]')")
    assert violations(page.driver) == []
    page.click("dialog button:last-child")


@pytest.mark.parametrize("width", [375, 320])
def test_nothing_is_wider_than_a_phone(page: Page, width: int) -> None:
    resize(page.driver, width, 700)
    wide = "document.documentElement.scrollWidth"
    for hash_ in (
        "#x=neuron",
        "#x=own-value",
        link({"k": "c", "c": [OUTPUTS + "\n" + "x = '" + "y" * 300 + "'"]}),
    ):
        page.open(hash_)
        if hash_.startswith("#1"):
            page.run()
            page.click(".drag")
            page.until("document.querySelector('.panel div.leaf')")
        assert page.js(f"return {wide}") <= width, hash_
        outside = page.js(
            "const w = innerWidth; return [...document.querySelectorAll('button, input, select')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().right > w + 1).map(e => e.outerHTML.slice(0, 90))"
        )
        assert outside == []
    resize(page.driver, 1400, 900)


def test_pictures_on_a_phone_are_narrow_ones(page: Page) -> None:
    resize(page.driver, 375, 700)
    page.open("#x=shared")
    lines = page.js(
        "const ys = [...document.querySelectorAll('.stage g.node')][0].querySelectorAll('text');"
        "return new Set([...ys].map(t => t.getAttribute('y'))).size"
    )
    assert lines == 3  # name, data and grad one below the other
    resize(page.driver, 1400, 900)


def test_the_keyboard_alone_runs_changes_and_leaves(page: Page) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str, ctrl: str = "") -> None:
        chain = ActionChains(page.driver)
        if ctrl:
            chain.key_down(Keys.CONTROL).send_keys(ctrl).key_up(Keys.CONTROL)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def focused() -> str:
        return str(
            page.js(
                "const e = document.activeElement; return e.className + '|' + (e.getAttribute('aria-label') ?? e.textContent)"
            )
        )

    page.set("1 + 1", "2 + 2")
    page.js("document.querySelector('.skip').focus()")
    for _ in range(60):
        if "cm-content" in focused():
            break
        press(Keys.TAB)
    assert "Cell 1" in focused() and "Escape, then Tab" in focused()
    press(ctrl=Keys.ENTER)
    page.finished(0)
    assert page.said(0) == "2\n"
    ActionChains(page.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(
        Keys.SHIFT
    ).perform()
    page.until("document.activeElement.getAttribute('aria-label')?.startsWith('Cell 2')")
    page.finished(0)
    press(Keys.ESCAPE, Keys.TAB)
    assert "run" in focused()
    press(Keys.ENTER)
    page.finished(1)
    assert page.said(1) == "4\n"
    page.open("#x=neuron")
    page.js("arguments[0].focus()", page.leaf("w1", "slider"))
    before = page.result()
    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.until("Number(document.querySelector('.outcome').dataset.exact) !== arguments[0]", before)


def test_a_screen_reader_is_told(page: Page) -> None:
    page.set("1 + 1")
    page.run()
    page.until("document.getElementById('said').textContent === 'Cell 1 is done.'")
    assert page.js("return document.documentElement.lang") == "en"
    unnamed = page.js(
        "return [...document.querySelectorAll('input, select, textarea, iframe')].filter(e =>"
        " !(e.labels?.length || e.getAttribute('aria-label') || e.title)).map(e => e.outerHTML.slice(0, 80))"
    )
    assert unnamed == []


def test_the_console_is_quiet(page: Page) -> None:
    errors(page.driver)
    page.open("#x=steps", "?quiet")
    page.finished(1)
    page.open("#x=neuron")
    page.until("document.querySelector('.stage svg')")
    assert errors(page.driver) == []
