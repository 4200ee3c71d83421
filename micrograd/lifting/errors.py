"""What lift says when a function does what a recorded program cannot repeat.

`refusal` makes a LiftError that names the line of the user's code and what to write there instead.
"""

from __future__ import annotations

import sys
from functools import partial
from types import FrameType, FunctionType, MethodType, TracebackType
from typing import Any

from micrograd.lifting.reach import is_library

__all__ = ["LiftError", "explained", "refusal", "unrepeated", "whereabouts"]

_NUMPY_SAYS = ("not supported for the input types", "no callable", "from dtype('O')")


class LiftError(TypeError):
    """The function does what a recorded program cannot repeat; the message names the line."""


def refusal(what: str, trace: TracebackType | None = None) -> LiftError:
    """A LiftError that says what happened, and at which line of the user's own code."""
    places: list[tuple[str, int]] = []
    frame: FrameType | None = sys._getframe(1)
    while trace is not None:
        places.insert(0, (trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    while frame is not None:
        places.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    outside = [(name, line) for name, line in places if not is_library(name)]
    name, line = (outside or places)[0]
    return LiftError(
        f"{name}, line {line}: {what} while lift records. A program holds for every number, so it "
        f"cannot look at one: {_advice(what)}"
    )


def unrepeated(function: Any, what: str) -> LiftError:
    """A LiftError that says what the function did, where no single line did it."""
    return LiftError(
        f"{whereabouts(function)}: {what} while lift records, which a program does not repeat: "
        f"{_advice(what)}"
    )


def explained(fault: Exception) -> Exception:
    """An error of NumPy about traced numbers as a LiftError; any other one as it is."""
    text = str(fault)
    if isinstance(fault, IndexError) and "integer" in text:
        return refusal("indexing by a traced integer", fault.__traceback__)
    if isinstance(fault, TypeError) and any(said in text for said in _NUMPY_SAYS):
        return refusal(f"what NumPy does with numbers alone ({text})", fault.__traceback__)
    return fault


def whereabouts(function: Any) -> str:
    """File and line where a function is defined, or its name."""
    while isinstance(function, (partial, MethodType)):
        function = function.func if isinstance(function, partial) else function.__func__
    code = getattr(
        function if isinstance(function, FunctionType) else type(function).__call__,
        "__code__",
        None,
    )
    if code is None:
        return str(getattr(function, "__name__", function))
    return f"{code.co_filename}, line {code.co_firstlineno}"


def _advice(what: str) -> str:
    """What to write instead."""
    for key, text in _ADVICE.items():
        if key in what:
            return text
    return "do it outside the function."


_LARGEST = (
    "for the largest of a list functools.reduce(micrograd.maximum, logits).detach() or "
    "functional.softmax, for max(p, 1e-10).log() maximum(p, 1e-10).log()"
)
_ADVICE = {  # the first key that occurs
    "equal": (
        "use functional.one_hot, ops.equal with micrograd.where, or pass a mask as an argument; "
        "pass a Python int to make it static."
    ),
    "integers or masks": (
        "compute integers and masks outside and pass them as arguments; of masks, a * b is `and`, "
        "1 - a is `not`, and micrograd.where chooses."
    ),
    "rounding": "compute it outside and pass it as an argument.",
    "NumPy does": "use micrograd's functions, or compute it outside and pass it as an argument.",
    "decision": (
        f"use micrograd.where(c, a, b), maximum or greater; {_LARGEST}; or compute it outside and "
        "pass it as an argument."
    ),
    "number of a traced": (
        f"use micrograd.where(c, a, b), maximum or greater; {_LARGEST}; or compute it outside and "
        "pass it as an argument."
    ),
    "indexing": (
        "use functional.take(A, index), one_hot or Embedding, or pass a Python int to make it "
        "static."
    ),
    "fraction": "pass integers, as the function without lift needs them.",
    "no_grad": "write x.detach() where no gradient is to flow.",
    "by hand": "register the operation with micrograd.op(name, forward, partials) and call that.",
    "closure": "register the operation with micrograd.op(name, forward, partials) and call that.",
    "backward": "return the loss and differentiate it outside.",
    "grad()": "return the loss and differentiate it outside.",
    "number of a parameter": (
        "use the Value itself (detach() where no gradient is to flow), or read its number outside "
        f"the function; {_LARGEST}."
    ),
    "parameter": "use the Value itself, or read and write it outside the function.",
    "graph": "use x.detach() for the number alone.",
    "in less than float64": (
        "convert it first, outside: x.astype(np.float64), or x.astype(np.int64) for integers and "
        "masks."
    ),
    "argument": "write x = x + 1 for x += 1, take a copy, or return what is new.",
    "returning": "return tuples, lists, dicts or arrays.",
}
