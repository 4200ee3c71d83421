"""Exports notebooks to HTML pages that need no network, and takes pictures of them to look at.

nbconvert's own pages fetch MathJax and other scripts when they are opened; here formulas become
MathML, which browsers draw themselves, and no script is fetched. Start with `html`; `pictures`
opens a page in headless Chromium.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from tools.formulas import mathml
from tools.notebooks import ROOT, found, read

__all__ = ["html", "pictures"]

TEMPLATE = """\
{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block html_head_css %}<style>
html { color-scheme: light; } /* and so are its pictures, whatever the system prefers */
body { max-width: 1000px; margin: 0 auto !important; padding: 1em !important; }
.jp-RenderedHTMLCommon { font-size: 16px; }
.jp-InputPrompt, .jp-OutputPrompt { display: none; }
.jp-RenderedHTMLCommon table { font-size: 14px; }
.jp-RenderedHTMLCommon img, .jp-RenderedImage img { max-width: 100%; height: auto; }
.jp-OutputArea-output { overflow-x: auto; }
.jp-OutputArea-output > svg, .jp-RenderedSVG img { max-width: 100%; height: auto; }
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", math; }
math[display="block"] { margin: 0.8em 0; }
a.anchor-link { display: none !important; }
details.folded > summary { color: #5b6770; font-size: 13px; cursor: pointer; margin: 2px 8px; }
</style>{% endblock %}
{% block input_group %}
{%- if cell.metadata.get("jupyter", {}).get("source_hidden") -%}
<details class="folded"><summary>code of the picture or table</summary>{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{% endblock input_group %}
"""


class _Renderer(IPythonRenderer):
    def block_math(self, body: str) -> str:
        return mathml(body, "block")

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


class _Exporter(HTMLExporter):
    def markdown2html(self, source: str) -> str:
        renderer = _Renderer(escape=False, exclude_anchor_links=True)
        return str(MarkdownWithMath(renderer=renderer).render(source))

    def default_filters(self) -> Any:
        yield from super().default_filters()
        yield "markdown2html", self.markdown2html


def html(path: Path) -> str:
    """One page with everything in it: text, pictures, formulas as MathML."""
    notebook = read(path)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/latex" in data and "text/html" not in data:
                latex = data["text/latex"].strip().strip("$").replace(r"\displaystyle", "")
                data["text/html"] = mathml(latex, "block")
    notebook.metadata["title"] = path.stem.replace("_", " ")
    page, _ = _Exporter(raw_template=TEMPLATE).from_notebook_node(notebook)
    return str(page)


def pictures(page: Path, folder: Path, *, width: int = 1100, height: int = 1500) -> list[Path]:
    """Screenshots of a page from top to bottom, `height` pixels each, by Chromium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    profile = tempfile.mkdtemp()
    for argument in (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
        f"--disable-background-networking --disable-component-update --user-data-dir={profile}"
    ).split():
        options.add_argument(argument)
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if binary:
        options.binary_location = binary
    driver_path = shutil.which("chromedriver")
    service = webdriver.ChromeService(executable_path=driver_path) if driver_path else None
    driver = webdriver.Chrome(options=options, service=service)
    made = []
    try:
        driver.set_window_size(width, height)
        driver.get(page.resolve().as_uri())
        total = driver.execute_script("return document.documentElement.scrollHeight")
        # a frame outside the window is not painted, so the window becomes as high as the page
        size = {"width": width, "height": total, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        time.sleep(1)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{page.stem}-*.png"):
            old.unlink()
        for number, top in enumerate(range(0, total, height), 1):
            clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
            shot = driver.execute_cdp_cmd(
                "Page.captureScreenshot",
                {"format": "png", "captureBeyondViewport": True, "clip": clip},
            )
            made.append(folder / f"{page.stem}-{number:02}.png")
            made[-1].write_bytes(base64.b64decode(shot["data"]))
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.pages", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="default: all lectures")
    parser.add_argument("--pictures", action="store_true", help="take screenshots as well")
    parser.add_argument("--width", type=int, default=1100)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "pages")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    for path in options.paths or found():
        page = options.output / f"{path.stem}.html"
        if path.parent.name in ("exercises", "solutions"):
            page = options.output / f"{path.stem}-{path.parent.name}.html"
        page.write_text(html(path), encoding="utf-8")
        print(page)
        if options.pictures:
            for picture in pictures(page, options.output, width=options.width):
                print(picture)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
