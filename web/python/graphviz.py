"""The part of the package `graphviz` that the videos use, drawn by Graphviz in WebAssembly.

`Digraph` and `Graph` take nodes, edges, attributes and subgraphs, and show themselves as SVG. The
DOT that they write is that of the package, as far as these go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from micrograd.show.graph.render import render as _render

__all__ = ["Digraph", "Graph", "Source", "view"]
__version__ = "0.21"

_PLAIN = re.compile(r"[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|-?(?:\.\d+|\d+(?:\.\d*)?)")
_KEYWORDS = {"node", "edge", "graph", "digraph", "subgraph", "strict"}


def _quoted(text: str) -> str:
    text = str(text)
    if text.startswith("<") and text.endswith(">"):
        return text
    if _PLAIN.fullmatch(text) and text.lower() not in _KEYWORDS:
        return text
    return '"' + re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', text) + '"'


def _end(name: str) -> str:
    """The end of an edge: a node, and perhaps the port and the compass point after it."""
    node, *ports = str(name).split(":", 2)
    return ":".join([_quoted(node), *map(_quoted, ports)])


def _listed(label: str | None, given: Mapping[str, Any] | None, more: Mapping[str, Any]) -> str:
    pairs = {} if label is None else {"label": label}
    pairs |= dict(sorted((dict(given or {}) | dict(more)).items()))
    return f" [{' '.join(f'{_quoted(k)}={_quoted(v)}' for k, v in pairs.items())}]" if pairs else ""


class _Shown:
    """What has a DOT `source` shows itself, and is written to files."""

    source: str
    format: str = "svg"
    engine: str = "dot"

    def pipe(self, format: str | None = None, *, encoding: str | None = None, **_: Any) -> Any:
        content = _render(self.source, format or self.format)
        return content.decode(encoding) if encoding else content

    def render(self, filename: Any = None, format: str | None = None, **_: Any) -> str:
        source = self.save(filename)
        target = f"{source}.{format or self.format}"
        Path(target).write_bytes(self.pipe(format))
        return target

    def save(self, filename: Any = None, directory: Any = None) -> str:
        path = Path(directory or ".") / (filename or f"{type(self).__name__}.gv")
        path.write_text(self.source, encoding="utf-8")
        return str(path)

    def _repr_svg_(self) -> str:
        return self.pipe("svg", encoding="utf-8")

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **_: Any
    ) -> dict[str, str]:
        return {"image/svg+xml": self.pipe("svg", encoding="utf-8"), "text/plain": repr(self)}

    def __str__(self) -> str:
        return self.source


class _Dot(_Shown):
    _opening, _arrow = "graph", "--"

    def __init__(
        self, name: str | None = None, comment: str | None = None, filename: Any = None,
        directory: Any = None, format: str | None = None, engine: str | None = None,
        encoding: str = "utf-8", graph_attr: Mapping[str, Any] | None = None,
        node_attr: Mapping[str, Any] | None = None, edge_attr: Mapping[str, Any] | None = None,
        body: Iterable[str] | None = None, strict: bool = False, **_: Any,
    ) -> None:  # fmt: skip
        self.name, self.comment, self.strict = name, comment, strict
        self.format, self.engine = format or "svg", engine or "dot"
        self.graph_attr = dict(graph_attr or {})
        self.node_attr, self.edge_attr = dict(node_attr or {}), dict(edge_attr or {})
        self.body: list[str] = list(body or ())

    def node(
        self, name: str, label: str | None = None, _attributes: Any = None, **more: Any
    ) -> None:
        self.body.append(f"\t{_quoted(name)}{_listed(label, _attributes, more)}\n")

    def edge(
        self, tail_name: str, head_name: str, label: str | None = None, _attributes: Any = None,
        **more: Any,
    ) -> None:  # fmt: skip
        ends = f"{_end(tail_name)} {self._arrow} {_end(head_name)}"
        self.body.append(f"\t{ends}{_listed(label, _attributes, more)}\n")

    def edges(self, tail_head_iter: Iterable[Any]) -> None:
        for tail, head in tail_head_iter:
            self.edge(tail, head)

    def attr(self, kw: str | None = None, _attributes: Any = None, **more: Any) -> None:
        if kw is None:
            pairs = dict(_attributes or {}) | more
            self.body += [f"\t{_quoted(k)}={_quoted(v)}\n" for k, v in pairs.items()]
        else:
            self.body.append(f"\t{kw}{_listed(None, _attributes, more)}\n")

    def subgraph(self, graph: _Dot | None = None, name: str | None = None, **given: Any) -> Any:
        if graph is None:
            return self._inside(type(self)(name=name, **given))
        self.body += [f"\t{line}\n" for line in graph._text("subgraph").splitlines()]
        return None

    @contextmanager
    def _inside(self, inner: _Dot) -> Iterator[_Dot]:
        yield inner
        self.subgraph(inner)

    def clear(self, keep_attrs: bool = False) -> None:
        self.body = []
        if not keep_attrs:
            self.graph_attr, self.node_attr, self.edge_attr = {}, {}, {}

    def _text(self, opening: str) -> str:
        name = f"{_quoted(self.name)} " if self.name else ""
        heads = (("graph", self.graph_attr), ("node", self.node_attr), ("edge", self.edge_attr))
        lines = [f"\t{kind}{_listed(None, given, {})}\n" for kind, given in heads if given]
        return f"{opening} {name}{{\n{''.join(lines)}{''.join(self.body)}}}\n"

    @property
    def source(self) -> str:  # type: ignore[override]
        comment = f"// {self.comment}\n" if self.comment else ""
        return comment + ("strict " if self.strict else "") + self._text(self._opening)


class Graph(_Dot):
    """An undirected graph."""


class Digraph(_Dot):
    """A directed graph."""

    _opening, _arrow = "digraph", "->"


class Source(_Shown):
    """DOT that somebody wrote."""

    def __init__(self, source: str, *_: Any, format: str | None = None, **__: Any) -> None:
        self.source, self.format = source, format or "svg"


def view(*_: Any, **__: Any) -> None:
    raise RuntimeError("a page opens no other program: the picture is shown below the cell")
