"""What hostile code, labels and links cannot do: run as markup, or change what a later visit loads."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from browsing import needs_browser
from factories import HOSTILE
from pages import Page, link, opened, served

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_browser]

HACK = "top.hacked=1;parent.hacked=1;window.hacked=1"
MARKUP = [
    f"<script>{HACK}</script>",
    f"<img src=x onerror='{HACK}'>",
    f"<svg onload='{HACK}'></svg>",
    f"</pre><script>{HACK}</script>",
    f"</title><script>{HACK}</script>",
    f'<iframe srcdoc="<script>{HACK}</script>"></iframe>',
    f'<a href="javascript:{HACK}" id=go>x</a>',
    f"<body onload='{HACK}'>",
    f"<style>@import 'javascript:{HACK}'</style>",
    f"<details open ontoggle='{HACK}'>",
    f"<input autofocus onfocus='{HACK}'>",
    f'<math><mi xlink:href="javascript:{HACK}">x</mi></math>',
    f'<object data="data:text/html,<script>{HACK}</script>"></object>',
    f'<embed src="data:text/html,<script>{HACK}</script>">',
    f'<meta http-equiv=refresh content="0;url=javascript:{HACK}">',
    "<base href='http://127.0.0.1:9/'>",
    "<link rel=stylesheet href='http://127.0.0.1:9/x.css'>",
    "<form action='http://127.0.0.1:9/'><button id=go>x</button></form>",
    f"<!-- <script>{HACK}</script> -->",
    f"<svg><foreignObject><img src=x onerror='{HACK}'></foreignObject></svg>",
    f"<svg><use href=\"data:image/svg+xml,<svg id='x' onload='{HACK}'/>#x\"/></svg>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
]


def clean(page: Page) -> None:
    """Nothing ran, nothing was loaded, and only our own kinds of elements are there."""
    assert page.js("return window.hacked") is None
    assert (
        page.count(
            "main script, main object, main embed, main base, main link, main meta, main form[action]"
        )
        == 0
    )
    handlers = page.js(
        "return [...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
        ".filter(a => a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value)).map(a => a.name)"
    )
    assert handlers == []
    for source in page.js(
        "return [...document.querySelectorAll('img')].map(i => i.getAttribute('src'))"
    ):
        assert source.startswith("data:image/")
    for sandbox in page.js(
        "return [...document.querySelectorAll('iframe')].map(i => i.getAttribute('sandbox'))"
    ):
        assert sandbox == "allow-scripts allow-downloads"


@pytest.fixture(scope="module")
def cell(page: Page) -> Page:
    page.set("")
    return page


@pytest.mark.parametrize("text", MARKUP)
def test_text_labels_errors_and_html_never_run(cell: Page, text: str) -> None:
    cell.type(
        f"t = {text!r}\nfrom micrograd import Value, draw, step_through, explain\n"
        "from playground import Curve\nprint(t)\n"
        "class H:\n    def _repr_html_(self): return t\n"
        "class S:\n    def _repr_svg_(self): return t\n"
        "a = Value(2.0, label=t)\nb = a * a\nb.label = t\nb.backward()\n"
        "display(H(), S(), draw(b), step_through(b), explain(b))\nCurve(t).add(1.0)\nraise ValueError(t)"
    )
    said = cell.run()
    assert text in said
    cell.until("[...document.querySelectorAll('.outputs iframe')].every(f => f.clientHeight > 0)")
    driver = cell.driver
    driver.switch_to.frame(driver.find_element("css selector", ".outputs iframe"))
    for element in driver.find_elements("css selector", "#go"):
        driver.execute_script("arguments[0].click()", element)
    driver.switch_to.default_content()
    clean(cell)
    assert cell.driver.current_url.startswith(cell.address)
    cell.click(".drag")  # labels are names of fields there
    cell.until("document.querySelector('.panel div.leaf')")
    clean(cell)


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_text(cell: Page, label: str) -> None:
    cell.type(f"from micrograd import Value, draw\nv = Value(1.0, label={label!r})\ndraw(v * 2)")
    cell.run()
    assert cell.finished() == "done" and cell.count("figure.drawn svg") == 1
    clean(cell)


@pytest.mark.parametrize("text", MARKUP[:6])
def test_expressions_and_links_are_text(page: Page, text: str) -> None:
    page.open(link({"k": "e", "e": f"a + '{text}'", "v": {"a": 1, text: 2}}))
    page.until("!document.querySelector('.expression > .fault').hidden")
    clean(page)
    page.open(link({"k": "c", "c": [text]}))
    clean(page)


def test_messages_of_the_worker_are_data(cell: Page) -> None:
    """Python can say to the page whatever it likes: of each kind of message, with hostile content."""
    page = cell
    page.set("")
    page.type(
        "import js, json\nfrom pyodide.ffi import to_js\n"
        f"bad = {MARKUP!r}\n"
        "def send(**m): js.postMessage(js.JSON.parse(json.dumps(m)))\n"
        "for k in range(1, 30):\n"
        "    for kind in ('text', 'html', 'picture', 'image', 'note', 'other', 'ready', 'broken', 'loaded'):\n"
        "        send(id=k, kind=kind, content=bad[k % len(bad)], stream=bad[0], name=bad[1], text=bad[0])\n"
        "js.postMessage(None)\nprint('sent')"
    )
    assert "sent" in page.run()
    clean(page)
    page.type("1 + 1")
    assert page.run() == "2\n"


FOREIGN = """
import js
from pyodide.code import run_js
tried = {}
def attempt(name, f):
    try:
        tried[name] = str(f())[:60]
    except BaseException as error:
        tried[name] = "refused"
attempt("run_js", lambda: run_js("1"))
attempt("Function", lambda: js.Function.new("return 1")())
attempt("caches", lambda: js.caches.open("x"))
attempt("indexedDB", lambda: js.indexedDB.open("x"))
attempt("localStorage", lambda: js.localStorage.setItem("x", "y"))
attempt("sessionStorage", lambda: js.sessionStorage)
attempt("cookie", lambda: js.document.cookie)
attempt("serviceWorker", lambda: js.navigator.serviceWorker.register("x.js"))
attempt("location", lambda: js.location.assign("http://127.0.0.1:9/"))
attempt("importScripts", lambda: js.importScripts(SITE + "/play/index.html"))
attempt("top", lambda: js.top)
attempt("parent", lambda: js.parent)
attempt("XMLHttpRequest", lambda: [r := js.XMLHttpRequest.new(), r.open("GET", SITE + "/play/files.json", False),
                                    r.send(), r.responseText][-1])
attempt("nested", lambda: js.Worker.new(SITE + "/play/index.html"))
attempt("blob", lambda: js.Worker.new(js.URL.createObjectURL(js.Blob.new(["postMessage(1)"]))))
print("|".join(sorted(name for name, what in tried.items() if what != "refused")))
"""


def test_foreign_code_changes_nothing_that_a_later_visit_loads(site: Path) -> None:
    files = {f.name: f.read_bytes() for f in (site / "play").iterdir()}
    with served(site) as (address, asked), opened(address) as page:
        page.open("#x=neuron")
        before = page.js("return JSON.stringify({ ...localStorage })")
        page.set("")
        page.type(f"SITE = {address!r}\n" + FOREIGN)
        said = page.run()
        assert said.strip() in ("", "blob"), said  # a worker of it is as far from the site as it is
        state = page.driver.execute_async_script(
            "const done = arguments[0]; (async () => done({ caches: await caches.keys(),"
            " bases: (await indexedDB.databases()).map(b => b.name),"
            " workers: (await navigator.serviceWorker.getRegistrations()).length }))()"
        )
        assert state == {"caches": [], "bases": [], "workers": 0}
        kept = page.js("return Object.keys(localStorage)")
        assert set(kept) <= {"micrograd-playground", "micrograd-playground-past"} and before == "{}"
        page.open("", "?later", fresh=True)
        assert page.said() == ""  # what was kept is shown, and waits
        loaded = page.driver.execute_async_script(
            "const done = arguments[0]; (async () => { const all = {};"
            "for (const f of await (await fetch('files.json')).json()) {"
            " const digest = await crypto.subtle.digest('SHA-256', await (await fetch(f.name)).arrayBuffer());"
            " all[f.name] = [...new Uint8Array(digest)].map(b => b.toString(16).padStart(2, '0')).join('') }"
            " done(all) })()"
        )
        assert loaded == {
            n: hashlib.sha256(b).hexdigest() for n, b in files.items() if n != "files.json"
        }
        for path in asked:
            name = path.partition("?")[0].removeprefix("/play/")
            assert name in files or name == "", path


def test_a_frame_reaches_neither_the_page_nor_the_net(cell: Page) -> None:
    page = cell
    page.set("class H:\n    def _repr_html_(self): return '<p id=x>x</p>'\nH()")
    page.run()
    driver = page.driver
    driver.switch_to.frame(driver.find_element("css selector", ".outputs iframe"))

    def inside(script: str) -> Any:
        return driver.execute_async_script(
            f"const done = arguments[0]; (async () => {{ try {{ done(String({script})) }} catch {{ done('refused') }} }})()"
        )

    assert inside("self.origin") == "null"
    for script in (
        "parent.document", "top.document", "localStorage", "await caches.keys()", "document.cookie",
        "await fetch(document.referrer || 'http://127.0.0.1:9/')",
        "await new Promise((y, n) => { const r = indexedDB.open('x'); r.onsuccess = y; r.onerror = n })",
    ):  # fmt: skip
        assert inside(script) == "refused", script
    driver.switch_to.default_content()
    clean(page)


def test_the_check_would_find_markup(cell: Page) -> None:
    for script in (
        "document.getElementById('said').innerHTML = '<img src=\"/x.png\">'",
        "document.getElementById('said').setAttribute('onclick', '1')",
        "document.getElementById('said').append(document.createElement('object'))",
        "window.hacked = 1",
    ):
        cell.js(script)
        with pytest.raises(AssertionError):
            clean(cell)
        cell.js(
            "delete window.hacked; const e = document.getElementById('said'); e.replaceChildren(); e.removeAttribute('onclick')"
        )
    clean(cell)
