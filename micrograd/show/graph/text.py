"""Text in pictures: made fit for one line of XML, numbers as the videos print them, and its width.

Nobody measures text here: widths come from one table, which holds for Arial and its likes and for
DejaVu, so that every machine lays a picture out alike. Read `plain`, then `width`.
"""

# ruff: noqa: RUF001 (the table lists signs that look alike)

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache
from typing import Any

__all__ = [
    "NUMBER_WIDTHS",
    "SIZE",
    "common",
    "label_of",
    "number_text",
    "plain",
    "shorten",
    "width",
]

SIZE = 13.5  # pixels: the height of most texts

# In hundredths of the font's size: Arial's width, or 87% of DejaVu Sans's where that is more, so
# that the first is never squeezed and the second by 13%; beside it the same for bold letters.
_REGULAR = {
    25: "'ijl", 30: " ,./:;I\\|·", 33: "f", 35: "!()-[]t²³", 38: "r⁰¹⁴⁵⁶⁷⁸⁹", 43: '"', 45: "*`⁻",
    50: "Jcsz∂", 53: "kvxy", 57: "$0123456789?L_abdeghnopqu{}√", 63: "FTZ", 68: "ABEKPSVXY",
    70: "&", 73: "CDHNRUw∞∑", 75: "#+<=>^~−×≠≤≥", 80: "GOQ", 85: "Mm", 90: "%", 95: "W",
    100: "…→←", 103: "@",
}  # fmt: skip
_BOLD = {
    28: "'", 30: "ijl", 33: " /I\\|", 35: ",.:;·", 38: "-", 40: "!()[]f²³", 43: "t⁰¹⁴⁵⁶⁷⁸⁹",
    45: "`r", 48: '"*', 50: "∂⁻", 53: "z", 57: "J_csvxy", 60: "aek√",
    63: "$0123456789?FLTbdghnopqu{}", 65: "Z", 68: "EPSVXY", 73: "ABCDKRU∞∑", 75: "#+<=>HN^~−×≠≤≥",
    78: "&", 80: "GOQ", 83: "w", 88: "M", 90: "%", 93: "m", 98: "W", 100: "@…→←",
}  # fmt: skip
# Other letters and signs that are far from _OTHER, in the same units: regular, bold.
_MORE = {
    (16, 20): "ᵢⁱₗ", (20, 25): "′", (25, 25): "⁽⁾₍₎", (25, 33): "ᵣ", (30, 35): "ÌÍÎÏìíîïΙι",
    (35, 40): "ₐₕₙₛₜᵤ", (36, 40): "₀₁₂₃₄₅₆₇₈₉", (38, 45): "ₑₒₓₖₚᵥⁿ", (45, 46): "⁺⁼₊₋₌",
    (50, 52): "гεζст″", (53, 58): "çćċčξλνзτχśşšуźхżžέ", (45, 53): "∫", (55, 60): "ₘ∘∃э",
    (60, 67): "∇∀κ", (63, 66): "ℒ", (69, 78): "ℝπψм", (75, 82): "¬ÙÚÛÜÇÐÑŵ±÷ΝΠΩИЙНПЦД",
    (80, 87): "ŉÒÓÔÕÖØĦΘωжыю", (82, 93): "ΟΦФЪшф¼½¾", (88, 96): "©®æΜΨМщ", (95, 100): "œŴЫ",
    (96, 112): "ЖШ", (100, 114): "ЩЮ", (100, 105): "ÆŒ™⇒↔",
}  # fmt: skip
_TABLES = tuple(
    {c: hundredths / 100 for hundredths, letters in table.items() for c in letters}
    | {c: pair[k] / 100 for pair, letters in _MORE.items() for c in letters}
    for k, table in enumerate((_REGULAR, _BOLD))
)
NUMBER_WIDTHS = {c: _TABLES[0][c] for c in "0123456789+−.e∞na?"}  # for a script that changes one
_ARIAL = frozenset("".join((*_REGULAR.values(), *_BOLD.values())))
_OTHER = (0.68, 0.73)  # letters that are in no table


@lru_cache(maxsize=8192)  # a picture asks for each of its texts many times
def width(text: str, size: float = SIZE, bold: bool = False) -> float:
    """Pixels that a text takes in a line."""
    table, other = _TABLES[bold], _OTHER[bold]
    return size * sum(table[c] if c in table else _width_of(c, other) for c in text)


def _width_of(c: str, other: float) -> float:
    """Of a character that is in no table, in units of the font's size."""
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0.0
    if ord(c) >= 0x1F000:  # pictures
        return 1.35
    if unicodedata.east_asian_width(c) in "WF" or ord(c) == 0xFFFD:
        return 1.0
    return other if ord(c) < 0x800 else 0.9


def common(text: str) -> bool:
    """Whether Arial and its likes have every letter, and none is put together of two."""
    return all(c in _ARIAL or ord(c) < 0x250 or 0x370 <= ord(c) < 0x460 for c in text)


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


def shorten(text: str, length: int = 24) -> str:
    """Both ends of a text too long for a sentence, on one line: paths differ at their ends."""
    text = " ".join(text.split()) or "?"
    tail = (length - 1) // 2
    return text if len(text) <= length else f"{text[: length - 1 - tail]}…{text[-tail:]}"


def label_of(node: Any) -> str:
    """A node's label as one line of text, whatever was assigned; '' where nothing can be seen."""
    label = getattr(node, "label", None)
    return "" if label is None else plain(label)


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
