"""What `draw` gives: a Picture to look at and to save.

It holds a drawing and the Values behind the ids of its SVG, and is laid out only when somebody
looks. Read `Picture`.
"""

from __future__ import annotations

import os
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

from micrograd.show.graph.dot import readable_dot
from micrograd.show.graph.drawing import Drawing
from micrograd.show.graph.files import pdf, png, write
from micrograd.show.graph.layout import Layout, arrange
from micrograd.show.graph.palette import DARK_HOSTS, LIGHT_HOSTS, WHITE_PAGES
from micrograd.show.graph.render import RendererNotFound
from micrograd.show.graph.svg import svg_of

__all__ = ["FORMATS", "Drawable", "Picture"]

FORMATS = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".dot": "dot"}


class Drawable:
    """What has a picture of its own, which `draw` gives."""

    def picture(self) -> Picture:
        raise NotImplementedError(f"{type(self).__name__} does not say what it looks like")


class Picture(Drawable):
    """A drawn graph: `svg` and `dot` are its texts, `nodes` tells the Value of each element id."""

    def __init__(
        self, drawing: Drawing, nodes: dict[str, Any] | None = None, prefix: str = ""
    ) -> None:
        self.drawing = drawing
        self.nodes = {prefix + name: node for name, node in (nodes or {}).items()}
        self.prefix = prefix
        self._svg: str | None = None
        self._layout: Layout | None = None

    def picture(self) -> Picture:
        return self

    @property
    def description(self) -> str:
        return self.drawing.description

    @property
    def dot(self) -> str:
        """The graph with its texts as DOT, for other programs."""
        return readable_dot(self.drawing)

    @property
    def svg(self) -> str:
        if self._svg is None:
            self._svg = svg_of(self.drawing, self.layout, self.prefix)
        return self._svg

    @property
    def layout(self) -> Layout:
        """Where its parts lie; Graphviz is asked once."""
        if self._layout is None:
            self._layout = arrange(self.drawing)
        return self._layout

    @property
    def light(self) -> str:
        """The same with light colours written out, for pages whose theme nobody tells."""
        return svg_of(self.drawing, self.layout, self.prefix, theme=0)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture as the ending of `path` says: .svg, .png, .pdf or .dot (the source)."""
        format = FORMATS.get(Path(path).suffix.lower())
        if format is None:
            raise ValueError(
                f"cannot save {str(path)!r}: a picture's file ends in {', '.join(FORMATS)}"
            )
        write(path, self.content(format))

    def content(self, format: str) -> bytes:
        """The picture as bytes: svg, png, pdf or dot. PNG and PDF are light."""
        if format in ("svg", "dot"):
            return (self.svg if format == "svg" else self.dot).encode()
        return png(self.light) if format == "png" else pdf(self.light)

    def __repr__(self) -> str:
        return f"<Picture: {self.description or 'a graph'}>"

    def _repr_html_(self) -> str | None:
        """An <img> with the SVG: it shrinks with its column, and untrusted notebooks show it."""
        try:
            source = b64encode(self.svg.encode()).decode()
        except RendererNotFound:
            return None
        return (
            f'<div class="micrograd-drawing"><style>{_THEME}</style>'
            f'<img alt="{escape(self.description)}" style="max-width:100%;height:auto" '
            f'src="data:image/svg+xml;base64,{source}"></div>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = self._repr_html_()
        if shown is None:
            return {"text/plain": f"{RendererNotFound()}\n\n{self.dot}"}
        return {"text/html": shown, "text/plain": repr(self)}


def _theme() -> str:
    """An image asks what the system prefers; with `color-scheme` it follows the notebook."""
    rules = []
    for scheme, hosts in (("light", LIGHT_HOSTS + WHITE_PAGES), ("dark", DARK_HOSTS)):
        where = ",".join(f"{host} .micrograd-drawing>img" for host in hosts)
        rules.append(f"{where}{{color-scheme:{scheme}}}")
    return "".join(rules)


_THEME = _theme()
