"""explain: the derivation of a gradient in sentences and formulas, with the numbers in place.

`explain(value)` goes from the output down, one node at a time; `explain(value, wrt=w)` follows
every path from w to the output and adds up what they bring. Read `_derivation`, then `_paths`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import Any

from micrograd.engine import Value
from micrograd.show.lesson.adopted import UNORDERED
from micrograd.show.lesson.formulas import ATOM, Formula, gradient, named, readable, same
from micrograd.show.lesson.walk import Use, Walk

__all__ = ["Explanation", "explain", "plain_markdown"]

_READABLE = 30  # nodes; beyond that nobody reads the derivation of everything
_PATHS = 12  # written out; the others are counted


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


def explain(value: Any, wrt: Any = None, *, parameters: Any = ()) -> Explanation:
    """How every gradient below `value` comes about; with `wrt=w`, how that of w alone does.

    `wrt` is a Value, or its name in the explanation. A graph of more than 30 nodes is explained
    along the paths from w only. `parameters` (Values, or a module) get the module's names.
    """
    walk = Walk(value, parameters, () if wrt is None or isinstance(wrt, str) else (wrt,))
    out = Explanation()
    if not walk.ordered:
        out.say(UNORDERED)
    if wrt is None:
        (_derivation if len(walk.nodes) <= _READABLE else _too_large)(walk, out)
    else:
        _paths(walk, _start(walk, walk.own(wrt)), out)
    return out


def _start(walk: Walk, wrt: Value | str) -> int:
    """The node that `wrt` means."""
    if isinstance(wrt, Value):
        if wrt in walk.index:
            return walk.index[wrt]
        raise ValueError(
            f"{walk.names[-1]} was not computed from {wrt!r} (label {wrt.label!r}), so that "
            "gradient is 0; give wrt= a Value that the output was computed from"
        )
    names = {walk.names[i]: i for i in walk.asked}
    if wrt not in names:
        raise ValueError(
            f"there is no {wrt!r} in this graph; wrt= is a Value or one of the names "
            f"{', '.join(list(names)[:20])}{', ...' if len(names) > 20 else ''}"
        )
    return names[wrt]


def plain_markdown(text: str) -> str:
    """Text for Markdown in which nothing is markup."""
    escaped = html.escape(text, quote=False)
    return "".join("\\" + c if c in "\\`*_{}[]()#+!|~$" else c for c in escaped)


def _grad(walk: Walk, i: int) -> Formula:
    """`n.grad` in text, the partial derivative of the output in LaTeX."""
    output, name = (named(walk.names[k]).within(ATOM)[1] for k in (-1, i))
    return Formula(gradient(walk.names[i]), rf"\frac{{\partial {output}}}{{\partial {name}}}")


def _slope(walk: Walk, use: Use) -> tuple[str, str]:
    """The left side d node / d input, in text and in LaTeX."""
    node, x = named(walk.names[use.node]).within(ATOM), walk.formula_of(use.input).within(ATOM)
    return f"d {node[0]} / d {x[0]}", rf"\frac{{\partial {node[1]}}}{{\partial {x[1]}}}"


def _made(walk: Walk, i: int, out: Explanation) -> None:
    """name = expression = the same in numbers = number"""
    name, made = named(walk.names[i]), walk.expression(i)
    parts = [made] if same(name.text, made.text) else [name, made]
    parts += [walk.expression_in_numbers(i), Formula.substituted(walk.data[i])]
    _chain(parts, out)


def _chain(parts: list[Formula], out: Explanation, head: tuple[str, str] | None = None) -> None:
    """An equation of several members, each said once."""
    texts, latex = ([head[0]], [head[1]]) if head else ([], [])
    for part in parts:
        if not texts or part.text != texts[-1]:
            texts.append(part.text)
            latex.append(part.latex)
    out.formula(" = ".join(texts), " = ".join(latex))


def _local(walk: Walk, use: Use) -> list[Formula]:
    """The local derivative: formula, numbers put in, number."""
    symbols = walk.locals_of(use.node)[use.position]
    numbers = walk.locals_in_numbers(use.node)[use.position]
    return [symbols, numbers, Formula.substituted(use.local)]


def _derivation(walk: Walk, out: Explanation) -> None:
    root = len(walk.nodes) - 1
    out.heading("Forward: every value from its inputs")
    for i in range(len(walk.nodes)):
        if walk.inputs(i) and i not in walk.constants:
            _made(walk, i, out)
    out.heading("Backward: every gradient, from the output down")
    out.say(f"The output changes as fast as itself: {gradient(walk.names[root])} = 1.")
    for step in walk.steps:
        if any(use.input not in walk.constants for use in step):
            _explain_step(walk, step, out)
    out.heading("The gradients")
    for i in range(root + 1):
        if i not in walk.constants and not walk.inputs(i):
            _chain([Formula.substituted(walk.grads[i])], out, _sides(_grad(walk, i)))


def _sides(f: Formula) -> tuple[str, str]:
    return f.text, f.latex


def _explain_step(walk: Walk, step: tuple[Use, ...], out: Explanation) -> None:
    i = step[0].node
    name, arriving = walk.names[i], readable(step[0].arriving)
    made = walk.expression(i)
    head = made.text if same(name, made.text) else f"{name} = {made.text}"
    out.say(
        f"\n{head}: the gradient {arriving} arrives at {name}.",
        f"**{plain_markdown(name)}** ${named(name).latex} = {made.latex}$: "
        f"the gradient {arriving} arrives.",
    )
    for use in step:
        if use.input in walk.constants:
            continue
        _chain(_local(walk, use), out, _slope(walk, use))
        grad, slope, above = _grad(walk, use.input), _slope(walk, use), _grad(walk, i)
        rule = rf"{slope[1]} \cdot {above.latex}"
        before, after, term = map(Formula.substituted, (use.before, use.after, use.product))
        product = Formula.substituted(use.local).times(Formula.substituted(use.arriving))
        if math.isnan(use.local):
            out.formula(
                f"{grad.text}: {before.text} -> {after.text} (custom)",
                rf"{grad.latex}: {before.latex} \to {after.latex}",
            )
        elif len(walk.uses_of(use.input)) == 1:
            _chain([product, after], out, (grad.text, f"{grad.latex} = {rule}"))
        else:
            out.formula(
                f"{grad.text} += {product.text} = {term.text}: {before.text} -> {after.text}",
                rf"{grad.latex} \mathrel{{+}}= {rule} = {product.latex} = {term.latex}:\quad "
                rf"{before.latex} \to {after.latex}",
            )


def _too_large(walk: Walk, out: Explanation) -> None:
    inputs = [
        walk.names[i]
        for i in range(len(walk.nodes))
        if not walk.inputs(i) and i not in walk.constants
    ]
    listed = ", ".join(inputs[:20])
    if len(inputs) > 20:
        listed += f" and {len(inputs) - 20} more"
    out.say(
        f"This graph has {len(walk.nodes):,} nodes; a derivation of them all is readable up "
        f"to {_READABLE}. Ask for one input, explain(value, wrt={inputs[0]!r}): all paths from it "
        f"to the output are explained then. The inputs are {listed}."
    )


def _paths(walk: Walk, start: int, out: Explanation) -> None:
    """Every path from `start` to the output, the product along it, and the sum of the products."""
    root = len(walk.nodes) - 1
    name, total = walk.names[start], walk.grads[start]
    ways, count = _count_ways(walk, start)
    out.heading(f"How {walk.names[root]} changes with {name}")
    if start == root:
        out.say(f"The output changes as fast as itself: {gradient(name)} = 1.")
        return
    if not count:
        out.say(f"No gradient comes from {walk.names[root]} to {name}: its gradient is 0.")
        return
    shown = 0.0
    plural = "s lead" if count > 1 else " leads"
    out.say(
        f"{count:,} path{plural} from {name} to {walk.names[root]}; along each the local "
        "derivatives multiply."
    )
    terms = []
    for k, path in enumerate(_enumerate(ways, start, root), 1):
        if k > _PATHS:
            break
        product = math.prod(use.local for use in path)
        shown += product
        terms.append(Formula.substituted(product))
        _explain_path(walk, path, k, product, out)
    if count > _PATHS:
        rest = Formula.substituted(total - shown)
        out.say(f"\nThe other {count - _PATHS:,} paths bring {rest.text} together.")
        terms.append(rest)
    out.say("\nThe paths add up:")
    summed = terms[0]
    for term in terms[1:]:
        summed = summed + term
    _chain([summed, Formula.substituted(total)], out, _sides(_grad(walk, start)))


def _count_ways(walk: Walk, start: int) -> tuple[dict[int, list[Use]], int]:
    """The uses of each node on a path from `start` to the output, and how many paths there are."""
    ways: dict[int, list[Use]] = {}
    count = {start: 1}
    for step in reversed(walk.steps):
        for use in step:
            if use.input in count and use.node != start:
                ways.setdefault(use.input, []).append(use)
                count[use.node] = count.get(use.node, 0) + count[use.input]
    return ways, count.get(len(walk.nodes) - 1, 0)


def _enumerate(ways: dict[int, list[Use]], start: int, root: int) -> Iterator[list[Use]]:
    """The paths one by one, depth first, without recursion."""
    stack: list[tuple[int, list[Use]]] = [(start, [])]
    while stack:
        node, path = stack.pop()
        if node == root:
            yield path
            continue
        stack += [(use.node, [*path, use]) for use in reversed(ways.get(node, []))]


def _explain_path(walk: Walk, path: list[Use], k: int, product: float, out: Explanation) -> None:
    names = [walk.names[path[0].input]] + [walk.names[use.node] for use in path]
    out.say(
        f"\nPath {k}: {' -> '.join(names)}",
        f"**Path {k}:** $" + r" \to ".join(named(name).latex for name in names) + "$",
    )
    for use in path:
        _chain(_local(walk, use), out, _slope(walk, use))
    factors = [Formula.substituted(use.local) for use in path]
    multiplied = factors[0]
    for factor in factors[1:]:
        multiplied = multiplied.times(factor)
    _chain([multiplied, Formula.substituted(product)], out, ("product", r"\text{product}"))
