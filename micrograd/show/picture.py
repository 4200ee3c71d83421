"""What `draw` and `draw_dot` give: a Picture to look at and save, a Graph to build on.

Both hold DOT and the Values behind the ids of their SVG, and render it only when somebody looks.
"""

from __future__ import annotations

import os
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

import graphviz

from micrograd.engine import Value
from micrograd.show.render import RendererNotFound, render
from micrograd.show.svg import finish

__all__ = ["Graph", "Picture"]

_FORMATS = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".dot": "dot"}


class Picture:
    """A drawn graph: `svg` and `dot` are its texts, `nodes` tells the Value of each element id."""

    def __init__(
        self,
        dot: str,
        nodes: dict[str, Value] | None = None,
        titles: dict[str, str] | None = None,
        description: str = "",
        prefix: str = "",
    ) -> None:
        self.dot = dot
        self.nodes = {prefix + name: node for name, node in (nodes or {}).items()}
        self.titles = titles or {}
        self.description = description
        self.prefix = prefix
        self._svg: str | None = None

    @property
    def svg(self) -> str:
        if self._svg is None:
            names = [name.removeprefix(self.prefix) for name in self.nodes]
            drawn = render(self.dot, "svg")
            self._svg = finish(drawn, names, self.titles, self.description, self.prefix)
        return self._svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture as the ending of `path` says: .svg, .png, .pdf or .dot (the source)."""
        target = Path(path)
        format = _FORMATS.get(target.suffix.lower())
        if format is None:
            raise ValueError(
                f"cannot save {str(path)!r}: a picture's file ends in {', '.join(_FORMATS)}"
            )
        content = self._content(format)
        try:
            target.write_bytes(content)
        except OSError as error:
            raise type(error)(f"cannot write {str(path)!r}: {error.strerror}") from None

    def _content(self, format: str) -> bytes:
        if format in ("svg", "dot"):
            return (self.svg if format == "svg" else self.dot).encode()
        return render(self.dot, format, dpi=144 if format == "png" else None)

    def __repr__(self) -> str:
        return f"<Picture: {self.description or 'a graph'}>"

    def _repr_html_(self) -> str | None:
        """An <img> with the SVG: it shrinks with its column, and untrusted notebooks show it."""
        try:
            source = b64encode(self.svg.encode()).decode()
        except RendererNotFound:
            return None
        return (
            f'<img alt="{escape(self.description)}" style="max-width:100%;height:auto" '
            f'src="data:image/svg+xml;base64,{source}">'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = self._repr_html_()
        if shown is None:
            return {"text/plain": f"{RendererNotFound()}\n\n{self.dot}"}
        return {"text/html": shown, "text/plain": repr(self)}


class Graph(graphviz.Digraph):  # type: ignore[misc]  # graphviz ships no types
    """A `graphviz.Digraph` that renders itself as `draw` does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nodes: dict[str, Value] = {}
        self.titles: dict[str, str] = {}
        self.description = ""

    def _picture(self) -> Picture:
        return Picture(self.source, self.nodes, self.titles, self.description)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> Any:
        return self._picture()._repr_mimebundle_()

    def pipe(
        self, format: str | None = None, *, encoding: str | None = None, quiet: bool = False
    ) -> Any:
        """The picture as bytes, or as text where an `encoding` is named."""
        format = format or self.format
        picture = self._picture()
        content = (
            picture._content(format) if format in _FORMATS.values() else render(self.source, format)
        )
        return content.decode(encoding) if encoding else content

    def render(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *,
        outfile: Any = None,
        quiet: bool = False,
        quiet_view: bool = False,
    ) -> str:
        """Write the DOT source and beside it the picture, whose path it returns."""
        if outfile is not None:
            format = format or Path(outfile).suffix[1:]
            filename = filename or Path(outfile).with_suffix(".gv")
        format = format or self.format
        content = self.pipe(format)
        source = self.save(filename, directory=directory)
        target = Path(outfile or f"{source}.{format}")
        target.write_bytes(content)
        if cleanup:
            Path(source).unlink()
        if view or quiet_view:
            graphviz.view(target, quiet=quiet_view)
        return str(target)
