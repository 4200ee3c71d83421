"""Pictures as PNG and PDF: the same SVG, drawn by resvg and by Typst.

Both see literal colours, the fonts of this machine, and those that Matplotlib brings along: where
no font is installed, as in many a container, letters would be missing. Typst takes 80 MB, so that
it is an extra.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
from pathlib import Path

__all__ = ["pdf", "png"]


def png(svg: str, zoom: float = 2.0) -> bytes:
    """The picture in pixels, twice as many a side as its SVG says."""
    try:
        import resvg_py
    except ImportError:
        raise RuntimeError("to save pictures as PNG, pip install resvg-py") from None
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom, font_dirs=_fonts()))


def pdf(svg: str) -> bytes:
    """The picture on a page of its own size."""
    try:
        import typst
    except ImportError:
        raise RuntimeError(
            "to save pictures as PDF, pip install typst, or print the page of an SVG to a file"
        ) from None
    found = re.match(r'<svg width="(\d+)" height="(\d+)"', svg)
    if found is None:
        raise ValueError("a picture begins with its width and its height")
    wide, high = (0.75 * float(side) for side in found.groups())  # pixels are 1/96 inch
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "picture.svg").write_text(svg, encoding="utf-8")
        page = f"#set page(width: {wide}pt, height: {high}pt, margin: 0pt)\n"
        source = Path(folder, "page.typ")
        source.write_text(f'{page}#image("picture.svg", width: {wide}pt)\n', encoding="utf-8")
        return bytes(typst.compile(str(source), font_paths=_fonts(), timestamp=0))


def _fonts() -> list[str]:
    """The folder of DejaVu in an installed Matplotlib, which is not imported for it."""
    found = importlib.util.find_spec("matplotlib")
    folder = (
        Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" if found and found.origin else None
    )
    return [str(folder)] if folder and folder.is_dir() else []
