"""Graphs and labels that several test modules draw, step through and explain."""

from __future__ import annotations

from micrograd import Value
from micrograd.engine import topological_order

__all__ = ["HOSTILE", "neuron", "neuron_after_backward", "neuron_output", "node_named"]

# Labels that a page, a picture or a formula could take for something else than text.
HOSTILE = [
    "a & b", "&amp;", "&lt;b&gt;", "a<b>c</b>", "<script>alert(1)</script>", "</svg>", "]]>", "-->",
    "<!--", "</script>", "</iframe>", '"onload=alert(1) x="', "' onerror='alert(1)", "$name ${x}",
    "x|y", "{x}", "back\\slash\\", "\\n", '"double"', "'single'",
    "\U0001f642", "\U0001f600 \U0001f469\u200d\U0001f467",
    "שלום", "مرحبا", "\u202eevil", "nul\0", "bell\a", "\x1b[31m", "\x85", "\ud800", "\ufffe",
    "\u2028", "two\nlines", "%s %n", "\\G \\N", "L" * 10_000, "\\\\", "a\\\\\\\\b\\", "\\\\N",
    "\u200b", "\u2060\ufeff", "\u0301", "\u200d\u200e", "a\u200bb", "\u3000",
]  # fmt: skip


def neuron() -> dict[str, Value]:
    """The neuron of the video by its labels: o = tanh(n), n = x1*w1 + x2*w2 + b."""
    numbers = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}
    v = {label: Value(x, label=label) for label, x in numbers.items()}
    v["n"] = v["x1"] * v["w1"] + v["x2"] * v["w2"] + v["b"]
    v["o"] = v["n"].tanh()
    v["n"].label, v["o"].label = "n", "o"
    return v


def neuron_output() -> Value:
    """o of the neuron."""
    return neuron()["o"]


def neuron_after_backward() -> Value:
    """o of the neuron, the gradients worked out."""
    out = neuron_output()
    out.backward()
    return out


def node_named(output: Value, label: str) -> Value:
    """The first node with this label of those that the output was computed from."""
    return next(node for node in topological_order(output) if node.label == label)
