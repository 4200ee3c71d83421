"""Links into the playground: what they open, what waits, what this browser keeps, what a file holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browsing import needs_browser
from pages import Page, link, opened, served

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_browser]

CODE = {"k": "c", "c": ["print('ran')", "1 + 1"]}


def test_a_link_opens_in_a_fresh_profile_as_it_was(page: Page, site: Path) -> None:
    page.open("#x=neuron")
    page.put("w1", -2.25)
    page.until("location.hash.startsWith('#1')")  # computed, and written down
    page.click("[data-view=stepper]")
    page.until("document.querySelector('.stage').dataset.shows === 'stepper'")
    driver = page.driver

    def inside(shown: Page) -> None:
        shown.driver.switch_to.frame(shown.driver.find_element("css selector", ".stage iframe"))
        shown.driver.switch_to.frame(shown.driver.find_element("css selector", "iframe"))

    inside(page)
    for _ in range(6):
        driver.find_element("css selector", "#forward").click()
    step = driver.find_element("css selector", "#count").text
    assert step == "7 / 13"
    driver.switch_to.default_content()
    page.until("document.body.innerText && location.hash.length > 40")
    page.js("window.before = location.hash")
    page.put("x2", 0.5)  # the link of now holds the step, too
    page.until("location.hash !== window.before")
    address = driver.current_url
    assert len(address.partition("#")[2]) < 300
    result = page.result()
    with served(site) as (other, _), opened(other) as fresh:
        fresh.open("#" + address.partition("#")[2])
        assert fresh.result() == result
        assert fresh.leaf("w1", "field").get_attribute("value") == "-2.25"
        assert (
            fresh.js(
                "return document.querySelector('[data-view=stepper]').getAttribute('aria-pressed')"
            )
            == "true"
        )
        inside(fresh)
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(fresh.driver, 60).until(
            lambda d: d.find_element("css selector", "#count").text == step
        )


def test_code_from_a_link_waits(page: Page) -> None:
    page.open(link(CODE))
    assert page.count("section.cell") == 2
    assert "came with a link" in page.js(
        "return document.querySelector('.notebook .banner').innerText"
    )
    assert page.js(
        "return [...document.querySelectorAll('section.cell')].map(c => c.dataset.state || '')"
    ) == ["", ""]
    assert page.said() == ""
    page.click(".run-all")
    page.finished(1)
    assert (page.said(0), page.said(1)) == ("ran\n", "2\n")
    assert page.js("return document.querySelector('.notebook .banner').hidden")


def test_the_sites_own_examples_compute_at_once(page: Page) -> None:
    page.open("#x=derivative")
    page.finished(1)
    assert "slope" in page.said(1)
    cells = page.js(
        "return [...document.querySelectorAll('.cm-content')].map(c => c.cmTile?.view?.state.doc.toString() ?? c.innerText)"
    )
    page.open(link({"k": "c", "c": ["x = 1"]}))
    assert page.said() == ""
    page.open(link({"k": "c", "c": cells}))  # the same code, brought by a link
    page.finished(1)


@pytest.mark.parametrize(
    "hash_",
    [
        "#1AAAA", "#1", "#1!!!", "#x=nothing",
        link({"k": "e", "e": 5}), link({"k": "c", "c": "print(1)"}), link({"k": "c", "c": [1]}),
        link([]), link(None), link({"k": "e", "e": "a" * 2000}),
        link({"k": "c", "c": ["x" * 30_000_000]}),
    ],
)  # fmt: skip
def test_a_damaged_link_leaves_the_page_usable(page: Page, hash_: str) -> None:
    page.open(hash_)
    page.until("document.querySelector('.panel svg, section.cell')")
    if hash_.startswith("#1"):
        assert "The link is damaged" in page.js("return document.querySelector('.notes').innerText")


def test_numbers_of_a_link_are_numbers(page: Page) -> None:
    page.open(
        link(
            {
                "k": "e",
                "e": "a*b",
                "v": {"a": "5; alert(1)", "b": 4, "__proto__": 3},
                "w": "x",
                "s": -1,
            }
        )
    )
    page.until("document.querySelectorAll('div.leaf').length === 2")
    assert page.leaf("b", "field").get_attribute("value") == "4"
    assert page.leaf("a", "field").get_attribute("value") == "2"


def test_work_is_kept_and_comes_back_unrun_and_reset_gives_the_example(page: Page) -> None:
    page.open("#x=derivative")
    page.finished(1)
    page.type("print('mine')", 0)
    page.until("(localStorage.getItem('micrograd-playground') ?? '').includes('mine')")
    page.open("", "?again", fresh=True)
    assert "of the last visit" in page.js(
        "return document.querySelector('.notebook .banner').innerText"
    )
    assert page.said() == "" and "mine" in page.js(
        "return document.querySelector('.cm-content').innerText"
    )
    assert page.run() == "mine\n"
    page.click(".own button", 1)  # Reset
    page.until("!document.querySelector('.cm-content')?.innerText.includes('mine')")
    page.click(".own button", 0)  # History
    page.until(
        "[...document.querySelectorAll('dialog .entry')].some(x => x.textContent.includes('mine'))"
    )
    page.click("dialog .entry")
    page.until("document.querySelector('.cm-content').innerText.includes('mine')")
    assert page.said() == ""
    page.js("localStorage.clear()")


def test_an_embedded_page_is_small_and_keeps_nothing(page: Page) -> None:
    page.open(link(CODE), "?embed=1")
    for hidden in (".share", ".own", "h1"):
        assert not page.driver.find_element("css selector", f"#bar {hidden}").is_displayed()
    page.js("localStorage.clear()")
    page.type("print('other')")
    page.run()
    assert page.js("return localStorage.length") == 0
    assert page.driver.find_element("css selector", "#foot a").text == "Open in the playground"


def test_links_embed_code_and_the_file(page: Page, tmp_path: Path) -> None:
    driver = page.driver
    page.open(link(CODE))
    page.js(
        "window.copied = []; Object.defineProperty(navigator, 'clipboard', { configurable: true,"
        " value: { writeText: async (text) => { copied.push(text) } } })"
    )
    page.click(".share button", 0)
    page.click(".share button", 1)
    page.until("window.copied.length === 2")
    address, embed = page.js("return window.copied")
    assert address.startswith(f"{page.address}/play/#1")
    assert (
        embed.startswith("<iframe src=") and "?embed=1#1" in embed and embed.endswith("</iframe>")
    )
    driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    page.click(".share button", 2)
    target = tmp_path / "micrograd_playground.py"
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 60).until(lambda _: target.exists() and target.stat().st_size)
    assert target.read_text() == "print('ran')\n\n# %%\n1 + 1\n"
    page.js(
        "Object.defineProperty(navigator, 'clipboard', { configurable: true,"
        " value: { writeText: async () => { throw new Error('closed') } } })"
    )
    page.click(".share button", 0)
    page.until("document.querySelector('dialog textarea')?.value.includes('#1')")
    page.click("dialog button")


def test_the_file_of_an_expression_runs_where_the_package_is(page: Page) -> None:
    page.open(link({"k": "e", "e": "tanh(x*w + b)", "v": {"x": 2, "w": -3, "b": 6.5}}))
    result = page.result()
    page.click(".mode", 1)  # Python
    page.until("document.querySelector('section.cell')")
    code = page.js(
        "return [...document.querySelectorAll('.cm-line')].map(x => x.textContent).join('\\n')"
    )
    names: dict[str, object] = {}
    exec(code, names)
    assert names["out"].data == pytest.approx(result, rel=1e-14)  # type: ignore[attr-defined]
    assert page.run() == "" and page.count("figure.drawn svg") == 1


def test_examples_are_in_the_menu_by_chapter_and_all_of_them_run(page: Page) -> None:
    page.open("#x=neuron")
    chapters = page.js(
        "return [...document.querySelectorAll('.examples optgroup')].map(x => x.label)"
    )
    assert len(chapters) >= 6 and chapters[0] == "Expressions"
    ids = page.js(
        "return [...document.querySelectorAll('.examples option')].map(x => x.value).filter(Boolean)"
    )
    assert len(ids) == len(set(ids)) >= 15
    for id_ in ids:
        page.js(
            "const menu = document.querySelector('.examples'); menu.value = arguments[0];"
            "menu.dispatchEvent(new Event('change'))", id_,
        )  # fmt: skip
        page.until("location.hash === arguments[0]", f"#x={id_}")
        for k in range(page.count("section.cell")):
            assert page.finished(k) == "done", (id_, page.said(k))
        assert page.count(".panel .stage svg, .outputs > *"), id_


def test_links_are_written_as_this_test_writes_them(page: Page) -> None:
    state = {"k": "c", "c": ["x = 'ä → \\n'"]}
    page.open(link(state))
    page.type("x = 2")
    page.until("location.hash.startsWith('#1')")
    import base64
    import zlib

    def read(hash_: str) -> object:
        text = hash_.removeprefix("#1")
        return json.loads(
            zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), -15)
        )

    page.until("location.hash !== arguments[0]", link(state))
    assert read(page.js("return location.hash")) == {"k": "c", "c": ["x = 2"]}
