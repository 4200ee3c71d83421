"""How an object is shown: a picture, a page, or the text of its repr, which ends somewhere.

Pictures of graphs go to the page as SVG, which it draws itself; everything else that is HTML goes
into a frame of its own. Read `Screen.display`.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from micrograd.show.graph.picture import Drawable
from playground.typeset import page

if TYPE_CHECKING:
    from playground.live import Desk

__all__ = ["MOST_TEXT", "Screen", "capped", "without_magics"]

MOST_TEXT = 20_000  # characters of one repr
_MOST_RICH = 8_000_000  # of one picture or page
_FORMATS = (  # best first, as in a notebook
    ("text/html", "_repr_html_"),
    ("image/svg+xml", "_repr_svg_"),
    ("image/png", "_repr_png_"),
    ("image/jpeg", "_repr_jpeg_"),
    ("text/markdown", "_repr_markdown_"),
    ("text/latex", "_repr_latex_"),
)


class Screen:
    """Where a session shows things."""

    def __init__(
        self, text: Callable[[str, str], None], rich: Callable[[str, str, str], None], desk: Desk
    ) -> None:
        self._text, self._rich, self._desk = text, rich, desk

    def display(self, *objects: Any, name: str = "") -> None:
        """Show objects as a cell's last line is shown; a `name` replaces what has that name."""
        for x in objects:
            self._show(x, name)

    def _show(self, x: Any, name: str) -> None:
        if isinstance(x, Drawable) and (key := self._desk.keep(x)):
            self._rich("picture", x.picture().svg, key)
            return
        kind, content = _best(x)
        if kind == "text/plain":
            self._text("result", capped(content) + "\n")
        elif len(content) > _MOST_RICH:
            self._text(
                "result", f"<{type(x).__name__}: {len(content):,} characters, too many to show>\n"
            )
        elif kind == "text/html":
            self._rich("html", content, name)
        else:
            self._rich("image", _address(kind, content), name)


def _best(x: Any) -> tuple[str, Any]:
    """The best form that an object has, and its content.

    Objects that answer to every name give what is no content, and are asked no further.
    """
    found = _called(x, "_repr_mimebundle_", include=None, exclude=None)
    found = found[0] if isinstance(found, tuple) and found else found
    bundle = found if isinstance(found, dict) else {}
    if _explains(x):
        return "text/html", page(x.markdown)
    for kind, method in _FORMATS:
        content = bundle[kind] if kind in bundle else _called(x, method)
        content = content[0] if isinstance(content, tuple) and content else content
        if isinstance(content, (str, bytes, bytearray)):
            return _as_shown(kind, content, x)
    text = bundle.get("text/plain")
    return "text/plain", text if isinstance(text, str) else repr(x)


def _explains(x: Any) -> bool:
    """Whether it is an explanation, whose module only who explains something has imported."""
    module = sys.modules.get("micrograd.show.lesson.explain")
    return module is not None and isinstance(x, module.Explanation)


def _called(x: Any, name: str, **given: Any) -> Any:
    """What a method gives, where an object (not a class) has it."""
    method = None if isinstance(x, type) else getattr(x, name, None)
    return method(**given) if callable(method) else None


def _as_shown(kind: str, content: Any, x: Any) -> tuple[str, Any]:
    """Markdown and LaTeX are shown as the text that the object prints, or as they are."""
    if kind == "text/html" and not isinstance(content, str):
        content = bytes(content).decode(errors="replace")
    if kind in ("text/markdown", "text/latex"):
        own = type(x).__str__ is not object.__str__
        return "text/plain", str(x) if own else str(content)
    return kind, content


def _address(kind: str, content: Any) -> str:
    """An image as a data: address; in an <img> no script of an SVG runs."""
    if isinstance(content, str) and kind != "image/svg+xml":
        return f"data:{kind};base64,{''.join(content.split())}"
    data = content.encode() if isinstance(content, str) else bytes(content)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def capped(text: str) -> str:
    """The beginning of a text, and how much is left out."""
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}\n… {len(text):,} characters; the first {MOST_TEXT:,} are shown"


_MAGIC = re.compile(r"^([ \t]*)(%|!)(\S*)(.*)$", re.MULTILINE)


def without_magics(code: str) -> str:
    """Commands of notebooks are no Python: `%matplotlib inline` does nothing, others are told."""
    if not _MAGIC.search(code) or _parses(code):
        return code  # a line of a text, or of a long remainder, may begin so
    return _MAGIC.sub(_without, code)


def _parses(code: str) -> bool:
    try:
        compile(code, "cell", "exec", 0x400 | 0x2000)  # only parsed
    except (SyntaxError, ValueError):
        return False
    return True


def _without(found: re.Match[str]) -> str:
    indent, sign, word, rest = found.groups()
    if sign == "%" and word in ("matplotlib", "load_ext", "config", "autoreload"):
        return f"{indent}pass"
    said = f"{sign}{word}{rest} is a command of notebooks, not Python; it does not run here"
    return f"{indent}raise RuntimeError({said!r})"
