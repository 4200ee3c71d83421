"""Formulas: what a rule of the op table looks like to a reader, as text and as LaTeX.

A rule is plain arithmetic on its inputs, so running it on Formulas instead of numbers writes it
down: there is no second table of derivatives that could disagree with the first. `Formula` is the
arithmetic, `local_derivatives` runs a row on it, `number` is how a lesson prints every number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd.op import Op
from micrograd.show.graph.text import plain, shorten
from micrograd.show.notation import MINUS, TIMES, bracketed, readable

__all__ = [
    "ATOM",
    "CUSTOM",
    "Formula",
    "expression",
    "local_derivatives",
    "named",
]

_CASES, _SUM, _PRODUCT, _POWER, ATOM = range(5)  # how tightly a formula binds
_LONGEST = 40  # letters of a name in a formula: `out2 of layer 1 in example 12`
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LATEX = str.maketrans(
    {c: f"\\{c}" for c in "{}$&#%_"}
    | {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim ", "<": r"\lt ", ">": r"\gt ", "`": "'"}
    | {"\n": " "}
)
_LATEX_FUNCTIONS = frozenset(("exp", "log", "sin", "cos", "tanh"))


class Formula:
    """An expression that writes itself down: arithmetic and ops on it give longer expressions."""

    __slots__ = ("text", "latex", "level", "condition", "value", "plain", "negated")

    def __init__(
        self,
        text: str,
        latex: str,
        level: int = ATOM,
        condition: tuple[str, str] | None = None,
        value: float | None = None,
        plain: bool = False,
        negated: Formula | None = None,
    ) -> None:
        self.text, self.latex, self.level = text, latex, level
        self.condition = condition  # how a comparison reads after "if"
        self.value = value  # of a constant that stands in the rule: 1 × x is written x
        self.plain = plain  # one number: −3 × x needs no parentheses where x × (−3) does
        self.negated = negated  # what a minus sign was put before: (−a) × b is written −a × b

    @staticmethod
    def of(x: Any) -> Formula:
        return x if isinstance(x, Formula) else Formula.substituted(x, float(x))

    @staticmethod
    def substituted(x: float, value: float | None = None) -> Formula:
        """One number; without `value` it stands for a name, and 1 × x stays as it is."""
        text = readable(x)
        mantissa, _, exponent = text.replace(MINUS, "-").replace("∞", r"\infty ").partition("e")
        latex = rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else mantissa
        return Formula(text, latex, _SUM if text[0] == MINUS else ATOM, value=value, plain=True)

    def within(self, level: int) -> tuple[str, str]:
        """Text and LaTeX, in parentheses where the surroundings bind more tightly."""
        if self.level >= level:
            return self.text, self.latex
        return f"({self.text})", rf"\left({self.latex}\right)"

    def _join(self, other: Any, sign: str, latex_sign: str, level: int) -> Formula:
        other = Formula.of(other)
        left = (self.text, self.latex) if self.plain else self.within(level)
        right = other.within(ATOM + 1 if other.text[0] == MINUS else level + (sign == MINUS))
        return Formula(f"{left[0]} {sign} {right[0]}", f"{left[1]} {latex_sign} {right[1]}", level)

    def __add__(self, other: Any) -> Formula:
        other = Formula.of(other)
        if other.value == 0 or self.value == 0:
            return self if other.value == 0 else other
        if other.negated is not None:  # a + (−b) reads as the subtraction that was written
            difference: Formula = self - other.negated
            return difference
        return self._join(other, "+", "+", _SUM)

    def __sub__(self, other: Any) -> Formula:
        return self._join(other, MINUS, "-", _SUM)

    def __mul__(self, other: Any) -> Formula:
        factor = Formula.of(other)
        if self.value == 1 or factor.value == 1:
            return factor if self.value == 1 else self
        if self.value == -1:
            return -factor
        if self.negated is not None:
            return -(self.negated * factor)
        if self.text == factor.text and self.value is None:
            return self**2
        return self.times(factor)

    def times(self, other: Formula) -> Formula:
        """The product as it stands, 1 × 1 included."""
        return self._join(other, TIMES, r"\cdot", _PRODUCT)

    def __truediv__(self, other: Any) -> Formula:
        other = Formula.of(other)
        top, bottom = self.within(_PRODUCT)[0], other.within(_POWER)[0]
        return Formula(f"{top} / {bottom}", rf"\frac{{{self.latex}}}{{{other.latex}}}", _PRODUCT)

    def __pow__(self, other: Any) -> Formula:
        other = Formula.of(other)
        text, latex = self.within(ATOM)
        k = other.value
        if k == 1:
            return self
        raised = other.text.replace(MINUS, "-") if k is not None and k == int(k) else ""
        exponent = raised.translate(_SUPERSCRIPTS) or f"^{other.within(ATOM)[0]}"
        return Formula(text + exponent, f"{{{latex}}}^{{{other.latex}}}", _POWER)

    def __neg__(self) -> Formula:
        text, latex = self.within(ATOM + 1 if self.text[0] == MINUS else _PRODUCT)
        return Formula(f"{MINUS}{text}", f"-{latex}", _SUM, negated=self)

    def __radd__(self, other: Any) -> Formula:
        return Formula.of(other) + self

    def __rsub__(self, other: Any) -> Formula:
        return Formula.of(other) - self

    def __rmul__(self, other: Any) -> Formula:
        return Formula.of(other) * self

    def __rtruediv__(self, other: Any) -> Formula:
        return Formula.of(other) / self

    def __rpow__(self, other: Any) -> Formula:
        return Formula.of(other) ** self

    @staticmethod
    def _interpret(op: Op, xs: Sequence[Any]) -> Formula:
        """What calling an Op means where one of its inputs is a Formula: its notation."""
        args = [Formula.of(x) for x in xs]
        if op.name in _NOTATION:
            return _NOTATION[op.name](*args)
        if op.parameters[:1] == ("**",):
            raised: Formula = args[0] ** op.parameters[1]
            return raised
        if op.parameters[:1] == ("dot",):
            return Formula.of(op.forward(*args))
        name = op.name if op.name in _LATEX_FUNCTIONS else ""
        head = f"\\{name}" if name else rf"\operatorname{{{op.name.translate(_LATEX)}}}"
        return Formula(
            f"{op.name}({', '.join(a.text for a in args)})",
            rf"{head}\left({', '.join(a.latex for a in args)}\right)",
        )


def _comparison(sign: str) -> Callable[[Formula, Formula], Formula]:
    def compare(a: Formula, b: Formula) -> Formula:
        condition = (f"{a.text} {sign} {b.text}", f"{a.latex} {sign} {b.latex}")
        one, zero = Formula.of(1.0), Formula.of(0.0)
        written = _cases(Formula("", "", condition=condition), one, zero)
        return Formula(written.text, written.latex, _CASES, condition)

    return compare


def _cases(c: Formula, a: Formula, b: Formula) -> Formula:
    text, latex = c.condition or (f"{c.text} ≠ 0", rf"{c.latex} \ne 0")
    latex = latex.replace("<", r"\lt").replace(">", r"\gt")
    return Formula(
        f"{a.within(_SUM)[0]} if {text} else {b.text}",
        rf"\begin{{cases}}{a.latex} & \text{{if }} {latex} \\ "
        rf"{b.latex} & \text{{else}}\end{{cases}}",
        _CASES,
    )


_NOTATION: dict[str, Callable[..., Formula]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a.times(b),  # as it was written: a × a, not a²
    "**": lambda a, b: a**b,
    "where": _cases,
    "greater": _comparison(">"),
    "equal": _comparison("="),
}
CUSTOM = Formula("custom", r"\text{custom}")


def named(name: str) -> Formula:
    """The formula that is one name: x1 becomes x with a subscript, the unusual upright text."""
    name = shorten(name, _LONGEST)
    letter, digits = name[:1], name[1:]
    if name.isascii() and letter.isalpha() and (not digits or digits.isdigit()):
        return Formula(name, f"{letter}_{{{digits}}}" if digits else letter)
    level = ATOM if bracketed(name) == name else _SUM  # a label such as a*b keeps together
    inner = named(name[1:].removeprefix("(").removesuffix(")")) if name[0] == MINUS else None
    return Formula(name, rf"\text{{{_text(name)}}}", level, negated=inner)


def _text(name: str) -> str:
    """A label inside LaTeX's text mode; signs that only mathematics has step out of it."""
    escaped = name.translate(_LATEX)
    for sign in (r"\backslash ", r"\sim ", r"\lt ", r"\gt "):
        escaped = escaped.replace(sign, f"}}{sign}\\text{{")
    return escaped.replace(r"\hat{}", r"}\hat{}\text{")


def expression(rule: Any, inputs: Sequence[Formula]) -> Formula:
    """How the node itself was made: `x1 × w1`, `tanh(n)`; a rule that is no row shows its name."""
    if isinstance(rule, Op):
        return Formula._interpret(rule, inputs)
    name = plain(getattr(rule, "name", "")) or "custom"
    stand_in = Op(name, float, arity=len(inputs), array=float)
    return Formula._interpret(stand_in, inputs) if stand_in.name not in _NOTATION else CUSTOM


def local_derivatives(rule: Any, inputs: Sequence[Formula], out: Formula) -> list[Formula]:
    """d out / d input, one formula an input, by running the row's own rule on formulas."""
    if not isinstance(rule, Op):
        return [CUSTOM] * len(inputs)
    try:
        if rule.partials:
            return [Formula.of(partial(*inputs, out)) for partial in rule.partials]
        contributions = rule.gradients(1.0, inputs, out)
        return [Formula.of(0.0 if c is None else c) for c in contributions]
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return [CUSTOM] * len(inputs)  # a registered rule that asks more of numbers than arithmetic
