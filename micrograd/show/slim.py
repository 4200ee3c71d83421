"""A picture in a third of its bytes: Graphviz repeats fonts and draws boxes as curves.

A lesson of 300 nodes travels inside a notebook, twice; there it counts. Read `slim`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from micrograd.show.svg import PALETTE

__all__ = ["slim"]

_SVG = "{http://www.w3.org/2000/svg}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_SIZE = "13.50"  # of the cards' text; what differs keeps its own
_STYLE = (  # what stands on every text and every edge
    f"text{{font-size:{_SIZE}px;font-family:Helvetica,Arial,sans-serif;fill:var(--micrograd-muted)}}"
    ".edge path{fill:none;stroke:var(--micrograd-line)}"
    ".edge polygon{fill:var(--micrograd-line);stroke:var(--micrograd-line)}"
)
_NUMBER = re.compile(r"-?\d+\.\d+")
_COORDINATES = ("d", "points", "x", "y", "cx", "cy", "rx", "ry")


def slim(svg: str) -> str:
    """The same picture: fonts said once, boxes as <rect>, coordinates to a tenth of a pixel."""
    root = ET.fromstring(svg)
    for group in root.iter(f"{_SVG}g"):
        kind = group.get("class", "").split()[:1]
        if kind == ["node"]:
            for shape in group:
                _box(shape)
            _merge(group)
        elif kind == ["edge"]:
            for shape in group:
                shape.attrib.pop("fill", None)
                shape.attrib.pop("stroke", None)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if element.tag == "text":
            _text(element)
        for name in _COORDINATES:
            if name in element.attrib:
                element.set(name, _NUMBER.sub(_rounded, element.attrib[name]))
    root.set("xmlns", _SVG[1:-1])
    style = root.find("style")
    if style is not None:
        style.text = _STYLE + (style.text or "")
    written = ET.tostring(root, encoding="unicode")
    # no attribute holds a user's text; single quotes need no escape inside a double-quoted srcdoc
    written = re.sub(r"<[^>]*>", lambda tag: tag[0].replace('"', "'"), written)
    return re.sub(r">\n+<", "><", written)


def _merge(group: ET.Element) -> None:
    """One rectangle where Graphviz draws the filling first and the border last."""
    sides = ("x", "y", "width", "height")
    boxes = [b for b in group if b.tag == f"{_SVG}rect"]
    for border in [b for b in boxes if b.get("fill") == "none"]:
        for filling in boxes:
            same = all(filling.get(side) == border.get(side) for side in sides)
            if filling is not border and same:
                for name in ("stroke", "stroke-dasharray"):
                    if name in border.attrib:
                        filling.set(name, border.attrib[name])
                group.remove(border)
                break


def _text(element: ET.Element) -> None:
    for name in (_SPACE, "font-family"):
        element.attrib.pop(name, None)
    if element.get("text-anchor") == "start":
        del element.attrib["text-anchor"]
    if element.get("fill") == PALETTE["muted"][0]:
        del element.attrib["fill"]
    size = element.attrib.pop("font-size", _SIZE)
    if size != _SIZE:
        element.set("style", f"font-size:{size}px")


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")


def _box(shape: ET.Element) -> None:
    """Turn a rectangle that is written as a polygon or as a rounded path into a <rect>."""
    kind = shape.tag.removeprefix(_SVG)
    if kind not in ("path", "polygon"):
        return
    written = shape.attrib.pop("d" if kind == "path" else "points")
    numbers = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", written)]
    xs, ys = numbers[::2], numbers[1::2]
    left, top = min(xs), min(ys)
    shape.tag = f"{_SVG}rect"
    shape.set("x", f"{left:.1f}")
    shape.set("y", f"{top:.1f}")
    shape.set("width", f"{max(xs) - left:.4g}")
    shape.set("height", f"{max(ys) - top:.4g}")
    if kind == "path":
        shape.set("rx", f"{xs[0] - left:.3g}")
