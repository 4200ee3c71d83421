"""Formulas for pages: LaTeX becomes MathML, which browsers draw themselves, without a script."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

__all__ = ["mathml"]

_FUNCTIONS = r"<mi>(ln|log|exp|max|min|sin|cos|tanh|det)</mi>"
_BARS = r'<mo(?: stretchy="false")?>(&#x02016;|&#x0007C;)</mo>'


def mathml(latex: str, display: str) -> str:
    """The formula for the browser to draw; a command that would stand there raw is an error."""
    plain = re.sub(r"\\begin\{align(ed|\*)?\}", r"\\begin{array}{rl}", latex.strip())
    plain = re.sub(r"\\end\{align(ed|\*)?\}", r"\\end{array}", plain)
    made = str(convert(plain, display=display))
    # a named function stands a little apart (40 ln 80), the bars of a norm close and not stretched
    made = re.sub(_FUNCTIONS, r'<mo lspace="0.17em" rspace="0.17em">\1</mo>', made)
    made = re.sub(_BARS, r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>', made)
    raw = re.search(r"\\[A-Za-z]+|<mi>&</mi>", re.sub(r"<annotation.*?</annotation>", "", made))
    if raw:
        raise ValueError(f"{raw[0]} has no form in MathML, in the formula {latex.strip()!r}")
    return made
