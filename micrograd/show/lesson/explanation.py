"""An explanation as it grows: sentences and equations, as plain text and as Markdown with LaTeX.

`explain.py` writes the derivation of a whole graph with these, `paths.py` that of one gradient.
"""

from __future__ import annotations

import html

from micrograd.show.lesson.formulas import ATOM, Formula, named
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.notation import gradient

__all__ = ["Explanation", "grad_of", "local_of", "plain_markdown", "slope_of"]


class Explanation:
    """A derivation: `str()` is plain text, notebooks typeset it from `markdown`."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._markdown: list[str] = []

    def say(self, text: str, markdown: str | None = None) -> None:
        self._text.append(text)
        self._markdown.append(plain_markdown(text) if markdown is None else markdown)

    def heading(self, text: str) -> None:
        self.say(f"\n{text}\n{'─' * len(text)}", f"### {plain_markdown(text)}")

    def formula(self, text: str, latex: str) -> None:
        self.say(f"    {text}", f"$$\n{latex}\n$$")

    def chain(self, parts: list[Formula], head: Formula | None = None) -> None:
        """An equation of several members, each said once."""
        texts: list[str] = []
        latex: list[str] = []
        for part in [head, *parts] if head else parts:
            if not texts or part.text != texts[-1]:
                texts.append(part.text)
                latex.append(part.latex)
        self.formula(" = ".join(texts), " = ".join(latex))

    @property
    def text(self) -> str:
        return "\n".join(self._text).strip()

    @property
    def markdown(self) -> str:
        return "\n\n".join(self._markdown) + "\n"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.markdown


def plain_markdown(text: str) -> str:
    """Text for Markdown in which nothing is markup."""
    escaped = html.escape(text, quote=False)
    return "".join("\\" + c if c in "\\`*_{}[]()#+!|~$" else c for c in escaped)


def grad_of(walk: Walk, i: int) -> Formula:
    """`n.grad` in text, the partial derivative of the output in LaTeX."""
    output, name = (named(walk.names[k]).within(ATOM)[1] for k in (-1, i))
    return Formula(gradient(walk.names[i]), rf"\frac{{\partial {output}}}{{\partial {name}}}")


def slope_of(walk: Walk, use: Use) -> Formula:
    """The left side d node / d input."""
    node, x = named(walk.names[use.node]).within(ATOM), walk.formula_of(use.input).within(ATOM)
    latex = rf"\frac{{\partial {node[1]}}}{{\partial {x[1]}}}"
    return Formula(f"d {node[0]} / d {x[0]}", latex)


def local_of(walk: Walk, use: Use) -> list[Formula]:
    """The local derivative: formula, numbers put in, number."""
    symbols = walk.locals_of(use.node)[use.position]
    numbers = walk.locals_in_numbers(use.node)[use.position]
    return [symbols, numbers, Formula.substituted(use.local)]
