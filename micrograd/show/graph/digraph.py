"""draw_dot: the videos' name for a drawn graph, as a `graphviz.Digraph` that one can build on.

As it comes it renders itself as `draw` does. What is added to it (a node, an edge) is Graphviz's
own business, and then Graphviz draws the whole of it in its own look.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graphviz

from micrograd.show.graph.dot import readable_lines
from micrograd.show.graph.draw import drawing_of
from micrograd.show.graph.drawing import Drawing
from micrograd.show.graph.picture import FORMATS, Drawable, Picture
from micrograd.show.graph.render import render

__all__ = ["Graph", "draw_dot"]

_DIRECTIONS = ("LR", "TB", "RL", "BT")


def draw_dot(
    value: Any, format: str = "svg", rankdir: str = "LR", *, max_nodes: int = 300,
    parameters: Any = (),
) -> Graph:  # fmt: skip
    """The graph behind a Value as a `graphviz.Digraph`, which needs no `dot` program.

    `format` is what `render()` and `pipe()` give, svg or png or pdf; `rankdir` is LR, from left to
    right, or TB, from top to bottom.
    """
    if rankdir not in _DIRECTIONS:
        raise ValueError(f"rankdir= is one of {', '.join(_DIRECTIONS)}; got {rankdir!r}")
    drawing, nodes = drawing_of(value, max_nodes, parameters, rankdir)
    graph = Graph(format=format, graph_attr={"rankdir": rankdir}, node_attr={"shape": "box"})
    graph.body += [f"\t{line}\n" for line in readable_lines(drawing)]
    graph.drawn = drawing, nodes, graph.source
    return graph


class Graph(Drawable, graphviz.Digraph):  # type: ignore[misc]  # graphviz ships no types
    """A `graphviz.Digraph` that renders itself as `draw` does, while nothing was added to it."""

    drawn: tuple[Drawing, dict[str, Any], str] | None = None

    def picture(self) -> Picture:
        if self.drawn is None or self.drawn[2] != self.source:
            return Foreign(self.source)
        return Picture(self.drawn[0], self.drawn[1])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> Any:
        return self.picture()._repr_mimebundle_()

    def pipe(
        self, format: str | None = None, *, encoding: str | None = None, quiet: bool = False
    ) -> Any:
        """The picture as bytes, or as text where an `encoding` is named."""
        format = format or self.format
        known = format in FORMATS.values()
        content = self.picture().content(format) if known else render(self.source, format)
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


class Foreign(Picture):
    """A picture of DOT that somebody wrote, in Graphviz's own look."""

    def __init__(self, source: str) -> None:
        super().__init__(Drawing((), description="A graph"))
        self._source = source

    @property
    def dot(self) -> str:
        return self._source

    @property
    def svg(self) -> str:
        return self.content("svg").decode()

    def content(self, format: str) -> bytes:
        return self._source.encode() if format == "dot" else render(self._source, format)
