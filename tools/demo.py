"""`make demo`: runs demo.ipynb from top to bottom, shows how far it is, and makes a page of it.

The committed notebook is left as it is; what this run gave stands in `build`, as a notebook and as
a page that needs neither a kernel nor a network.
"""

from __future__ import annotations

import re
import time
from typing import Any

from tools.notebooks import ROOT, execute, read, write
from tools.pages import html

__all__ = ["main"]

NOTEBOOK = ROOT / "demo.ipynb"
BUILD = ROOT / "build"


def main() -> int:
    start = time.perf_counter()
    titles = _titles(read(NOTEBOOK).cells)

    def progress(cell: int, total: int) -> None:
        print(f"[{cell:2}/{total}] {titles[cell - 1]}", flush=True)

    def show(text: str) -> None:
        print(text, end="", flush=True)

    print(f"{NOTEBOOK.name}: starting a kernel", flush=True)
    run = execute(NOTEBOOK, ["final_loss", "accuracy"], progress=progress, show=show)
    write(run.notebook, BUILD / NOTEBOOK.name)
    page = BUILD / "demo.html"
    page.write_text(html(BUILD / NOTEBOOK.name), encoding="utf-8")
    loss, accuracy = (run.values[name]["value"] for name in ("final_loss", "accuracy"))
    print(f"\nfinal loss {loss:.4f}, accuracy {accuracy:.0%}")
    seconds = time.perf_counter() - start
    print(f"{page.relative_to(ROOT)} written after {seconds:.0f} s: open it in a browser")
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
    raise SystemExit(main())
