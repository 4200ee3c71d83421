"""Pictures as PNG and PDF: the same SVG, drawn by resvg and by Typst; and files, written whole.

Both see literal colours, the fonts of this machine, and DejaVu, which Matplotlib brings along:
where no font is installed, as in many a container, letters would be missing. Typst takes 80 MB, so
that it is an extra. Read `png`, then `write`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

__all__ = ["pdf", "png", "write"]

_ZOOM = 2.0  # pixels of a PNG for each of the SVG, a side
_LONGEST = 32_000  # pixels: beyond 32,767 many a program shows nothing
_LONGEST_PAGE = 14_400  # points: so long may the side of a PDF's page be


def png(svg: str) -> bytes:
    """The picture in pixels, twice as many a side as its SVG says, and 192 an inch."""
    try:
        import resvg_py
    except ImportError:
        raise RuntimeError("to save pictures as PNG, pip install resvg-py") from None
    zoom = min(_ZOOM, _LONGEST / max(_size(svg)))
    drawn = bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom, font_files=_fonts()))
    metre = struct.pack(">IIB", *[round(96 * zoom / 0.0254)] * 2, 1)
    chunk = struct.pack(">I", len(metre)) + b"pHYs" + metre
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    head = 33  # signature and IHDR
    return drawn[:head] + chunk + drawn[head:]


def pdf(svg: str) -> bytes:
    """The picture on a page of its own size."""
    try:
        import typst
    except ImportError:
        raise RuntimeError(
            "to save pictures as PDF, pip install typst, or print the page of an SVG to a file"
        ) from None
    points = [0.75 * side for side in _size(svg)]  # pixels are 1/96 inch
    shrink = min(1.0, _LONGEST_PAGE / max(points))
    wide, high = (shrink * side for side in points)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "picture.svg").write_text(svg, encoding="utf-8")
        page = f"#set page(width: {wide}pt, height: {high}pt, margin: 0pt)\n"
        source = Path(folder, "page.typ")
        source.write_text(f'{page}#image("picture.svg", width: {wide}pt)\n', encoding="utf-8")
        for font in _fonts():  # Typst takes folders only
            shutil.copy(font, folder)
        return bytes(typst.compile(str(source), font_paths=[folder], timestamp=0))


def _size(svg: str) -> tuple[float, float]:
    found = re.match(r'<svg width="(\d+)" height="(\d+)"', svg)
    if found is None:
        raise ValueError("a picture begins with its width and its height")
    return float(found[1]), float(found[2])


def _fonts() -> list[str]:
    """DejaVu in an installed Matplotlib, which is not imported for it.

    Beside it lies a font that has a box for every letter of Unicode; Typst would take it first.
    """
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    fonts = (folder / f"DejaVuSans{weight}.ttf" for weight in ("", "-Bold"))
    return [str(font) for font in fonts if font.is_file()]


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file whole, or leave what was there: a disk may be full halfway.

    Whoever could read an older file can read the new one, and nobody else.
    """
    target = Path(os.path.realpath(path))
    raw = content.encode() if isinstance(content, str) else content
    half = target.with_name(f".{target.name[:200]}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():  # a folder, which is an error; /dev/stdout
            target.write_bytes(raw)
            return
        try:
            half.write_bytes(raw)
            if target.exists():
                shutil.copymode(target, half)
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise type(error)(f"cannot write {os.fspath(path)!r}: {error.strerror}") from None
