"""Graphviz's SVG made fit for pages: light and dark, as wide as its column, own ids and titles.

Every colour of a picture stands in `PALETTE` once, as it looks on light and on dark paper. Graphviz
draws with the light one; a style sheet inside the SVG swaps them, so that it works in an <img> too.
"""

from __future__ import annotations

import math
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["BACKSLASH", "PALETTE", "finish", "label_of", "number_text", "plain"]

PALETTE = {  # name: (light, dark); blue and orange differ for every kind of colour vision
    "paper": ("#ffffff", "#16191d"),
    "box": ("#fbfbfa", "#22272e"),
    "ink": ("#1f2328", "#e6e9ec"),
    "muted": ("#5f6871", "#a3adb8"),
    "line": ("#7d8690", "#77818c"),
    "op": ("#eceef0", "#343b44"),
    "parameter": ("#5b3f8c", "#b79df0"),
    "result": ("#fff4cc", "#453a12"),
    "plus": ("#ddebf9", "#16375a"),
    "plus_ink": ("#0a4f94", "#8fc6ff"),
    "minus": ("#fde6d5", "#56300f"),
    "minus_ink": ("#9a3c00", "#ffb681"),
}

DARK_HOSTS = (  # notebooks whose theme is not the system's
    '[data-jp-theme-light="false"]', ".vscode-dark", ".vscode-high-contrast", 'html[theme="dark"]',
)  # fmt: skip
LIGHT_HOSTS = (
    '[data-jp-theme-light="true"]', ".vscode-light", ".vscode-high-contrast-light",
    'html[theme="light"]',
)  # fmt: skip
BACKSLASH = "\\\u2060"  # with an invisible joiner that keeps Graphviz from reading an escape
_SVG = "{http://www.w3.org/2000/svg}"


def _style_sheet() -> str:
    names = {name: f"--micrograd-{name.replace('_', '-')}" for name in PALETTE}
    light = ";".join(f"{names[name]}:{pair[0]}" for name, pair in PALETTE.items())
    dark = ";".join(f"{names[name]}:{pair[1]}" for name, pair in PALETTE.items())
    here = ".micrograd-picture"
    rules = [
        f"{here}{{{light}}}",
        f"{here} text{{text-rendering:geometricPrecision}}",
        f"@media(prefers-color-scheme:dark){{{here}{{{dark}}}}}",
    ]
    for hosts, colours in ((LIGHT_HOSTS, light), (DARK_HOSTS, dark)):
        rules.append(",".join(f"{host} {here}" for host in hosts) + f"{{{colours}}}")
    for name, (colour, _) in PALETTE.items():
        for property in ("fill", "stroke"):
            rules.append(f'{here} [{property}="{colour}"]{{{property}:var({names[name]})}}')
    return "\n".join(rules)


def finish(
    svg: bytes,
    numbered: Iterable[str] = (),
    titles: Mapping[str, str] | None = None,
    description: str = "",
    prefix: str = "",
) -> str:
    """Graphviz's SVG with our style, titles by element id, and `prefix` before every id.

    In each `numbered` node the texts of data and gradient get the ids `<node>-data`, `<node>-grad`.
    """
    root = ET.fromstring(svg)
    titles, numbered = titles or {}, set(numbered)
    for element in list(root.iter()):
        element.tag = element.tag.removeprefix(_SVG)
        if element.text is not None:
            element.text = element.text.replace(BACKSLASH, "\\")
        name = element.get("id")
        if name is None:
            continue
        if name in numbered:
            texts = element.findall(f"{_SVG}text")
            for text, what in ((texts[-3], "data"), (texts[-1], "grad")):
                text.set("id", f"{prefix}{name}-{what}")
                text.set("class", what)
        title = element.find(f"{_SVG}title")
        if title is not None:
            title.text = titles.get(name, "")
            if not title.text:
                element.remove(title)
    for element in root.iter():
        if element.tag == "g" and "id" in element.attrib:
            element.set("id", prefix + element.attrib["id"])
    width, height = (_pixels(root.attrib[side]) for side in ("width", "height"))
    root.attrib.update(
        {"xmlns": "http://www.w3.org/2000/svg", "class": "micrograd-picture", "role": "img"}
        | {"width": f"{width:g}", "height": f"{height:g}"}  # its natural size, or less:
        | {"style": "max-width:100%;height:auto", "aria-label": plain(description)}
    )
    style = ET.Element("style")
    style.text = _style_sheet()
    root.insert(0, style)
    return ET.tostring(root, encoding="unicode")


def _pixels(length: str) -> float:
    return float(length.removesuffix("pt"))


def plain(text: object, limit: int | None = None) -> str:
    """Any text as one line that XML can hold; longer than `limit` it ends in an ellipsis.

    Line breaks become spaces; control characters, lone surrogates and non-characters U+FFFD. What
    has no width from end to end is nothing: fonts have no box for it.
    """
    raw = str(text)
    if all(unicodedata.category(c) in ("Cf", "Mn", "Me", "Zs") for c in raw):
        return ""
    if limit is not None and len(raw) > limit:
        raw = raw[: limit - 1].rstrip() + "…"
    return " ".join("".join(c if _printable(c) else "\ufffd" for c in raw).split())


def label_of(node: Any) -> str:
    """A node's label as one line of text, whatever was assigned; '' where nothing can be seen."""
    return "" if node.label is None else plain(node.label)


def _printable(c: str) -> bool:
    code = ord(c)
    if c in "\t\n\r\x85\u2028\u2029":
        return True
    control = code < 0x20 or 0x7F <= code < 0xA0
    absent = 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE
    return not (control or absent)


def number_text(x: float, sign: bool = False) -> str:
    """Four decimals as in the videos, a power of ten where they hide the number; a true minus.

    With `sign` a positive number shows its plus, so that gradients are told apart at a glance.
    """
    x = float(x) + 0.0  # -0.0 is 0.0
    if not math.isfinite(x):
        text = {math.inf: "∞", -math.inf: "-∞"}.get(x, "nan")
    elif x == 0 or 1e-3 <= abs(x) < 1e6:
        text = f"{x:.4f}"
    else:
        text = f"{x:.3e}"
    return ("+" if sign and x > 0 else "") + text.replace("-", "\u2212")
