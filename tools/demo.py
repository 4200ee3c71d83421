"""`make demo`: runs demo.ipynb from top to bottom, shows how far it is, and makes a page of it.

The notebook is left as it is; the page is `build/demo.html`, which needs neither a kernel nor a network.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter

from tools.notebooks import ROOT, execute, read

__all__ = ["main", "page"]

NOTEBOOK = ROOT / "demo.ipynb"
PAGE = ROOT / "build" / "demo.html"


def page(notebook: Any, title: str) -> str:
    """The notebook as one HTML file. nbconvert would load MathJax and more from other sites: left out."""
    exporter = HTMLExporter(template_name="lab", exclude_input_prompt=True)
    html, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    scripts = r"<script\b[^>]*>(?:(?!</script>).)*</script>"
    elsewhere = re.compile(r"https?://(?!www\.w3\.org)")
    kept: str = re.sub(
        scripts, lambda m: "" if elsewhere.search(m[0]) else m[0], html, flags=re.DOTALL
    )
    return kept


def main(notebook: Path = NOTEBOOK, where: Path = PAGE) -> int:
    start = time.perf_counter()
    cells = read(notebook).cells
    titles = _titles(cells)

    def progress(cell: int, total: int) -> None:
        print(f"[{cell:2}/{total}] {titles[cell - 1]}", flush=True)

    def show(text: str) -> None:
        print(text, end="", flush=True)

    print(f"Running {notebook.name}: starting a kernel", flush=True)
    run = execute(notebook, ["final_loss", "accuracy"], progress=progress, show=show)
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(page(run.notebook, "micrograd: the tour"), encoding="utf-8")
    loss, accuracy = (run.values[name]["value"] for name in ("final_loss", "accuracy"))
    print(f"\nfinal loss {loss:.4f}, accuracy {accuracy:.0%}")
    seconds = time.perf_counter() - start
    print(f"{where.relative_to(ROOT)} written in {seconds:.0f} s: open it in a browser")
    return 0


def _titles(cells: Any) -> list[str]:
    """For each cell the heading that it stands under."""
    titles, title = [], ""
    for cell in cells:
        if cell.cell_type == "markdown":
            heading = re.search(r"^#+ (.*)", cell.source, flags=re.MULTILINE)
            title = heading[1] if heading else title
        titles.append(title)
    return titles


if __name__ == "__main__":
    sys.exit(main())
