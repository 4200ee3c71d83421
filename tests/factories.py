"""Graphs that several test modules draw, step through and explain."""

from __future__ import annotations

from micrograd import Value

__all__ = ["neuron"]


def neuron() -> dict[str, Value]:
    """The neuron of the video by its labels: o = tanh(n), n = x1*w1 + x2*w2 + b."""
    numbers = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}
    v = {label: Value(x, label=label) for label, x in numbers.items()}
    v["n"] = v["x1"] * v["w1"] + v["x2"] * v["w2"] + v["b"]
    v["o"] = v["n"].tanh()
    v["n"].label, v["o"].label = "n", "o"
    return v
