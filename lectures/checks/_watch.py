"""Looks at what a learner's function does while it runs: its last call, what it calls, how long.

`Watched` stands for the function in a checker. `without` and its kin refuse what an exercise's text
forbids, `effort` counts steps (no loop where none is wanted), `elsewhere` asks in
another process, `moments` looks again at every moment.
"""

from __future__ import annotations

import inspect
import sys
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from checks._forms import brief, size
from checks._marking import Wrong, forget, is_learners, running
from checks._process import asked_elsewhere
from micrograd import Value
from micrograd.ops import Op

__all__ = [
    "Watched",
    "effort",
    "elsewhere",
    "moments",
    "quiet",
    "watched",
    "watching",
    "without",
    "without_engine",
    "without_values",
]

_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, partial)
_DATA = (int, float, str, list, tuple, dict, np.ndarray, np.number, Value)
_SMALL = 12  # so many numbers of a call are shown in a message
_LINE = 200  # and so many characters


class Watched:
    """A learner's function that notes its calls, and says so where it returns nothing."""

    def __init__(self, function: Callable[..., Any], returns: bool) -> None:
        self.__wrapped__ = function
        self.__name__ = getattr(function, "__name__", "<lambda>").replace("<lambda>", "f")
        self.returns = returns

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        now = running()
        if now is not None:
            now.asked = self._text(arguments)
            now.calls += 1
        try:
            result = self.__wrapped__(*arguments, **named)
        except TypeError:
            if fault := self._miscalled(arguments, named):
                raise Wrong(fault) from None
            raise
        if result is None and self.returns:
            raise Wrong(f"{self.__name__} returned None: is there a return?")
        return result

    def _miscalled(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
        """How many arguments there are and how many it takes, where that is why it failed."""
        try:
            signature = inspect.signature(self.__wrapped__)
        except (TypeError, ValueError):
            return ""
        try:
            signature.bind(*arguments, **named)
        except TypeError:
            takes = len(signature.parameters)
        else:
            return ""
        things = f"{len(arguments)} argument{'s' * (len(arguments) != 1)}"
        return f"{self.__name__} is to be called with {things}, and it takes {takes}"

    def _text(self, arguments: tuple[Any, ...]) -> str:
        told = any(isinstance(x, _DATA) for x in arguments)  # a model or a generator says nothing
        if not told or sum(map(size, arguments)) > _SMALL:
            return ""
        text = f"{self.__name__}({', '.join(brief(x, _LINE) for x in arguments)})"
        return text if len(text) <= _LINE else ""  # whole or not at all: it is to be tried again


def watched(answer: Any, returns: bool = True) -> Any:
    """A function as `Watched`; classes, models and data as they are."""
    return Watched(answer, returns) if isinstance(answer, _FUNCTIONS) else answer


# --- what is called -------------------------------------------------------------------------------


@contextmanager
def watching() -> Iterator[Counter[tuple[str, str]]]:
    """Counts the calls inside the block: Python functions by (module, name), and what they made.

    ("micrograd", "softplus") stands for a use of that row of the op table, by whatever name it was
    called, and ("micrograd", "Value") for a Value that was made or used.
    """
    made: Counter[tuple[str, str]] = Counter()

    def note(frame: types.FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        module = frame.f_globals.get("__name__") or ""
        made[module, frame.f_code.co_name] += 1
        if module.partition(".")[0] == "micrograd":
            owner, kind = (frame.f_locals.get(name) for name in ("self", "cls"))
            if isinstance(owner, Op):
                made["micrograd", getattr(owner, "name", "")] += 1  # none yet while it is made
            if isinstance(owner, Value) or (isinstance(kind, type) and issubclass(kind, Value)):
                made["micrograd", "Value"] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield made
    finally:
        sys.setprofile(before)


@contextmanager
def without(what: str, *names: str, module: str = "") -> Iterator[None]:
    """Refuses calls of functions with these names (all, if none is given) in a module."""
    with watching() as made:
        yield
    for found, name in made:
        inside = not module or found == module or found.startswith(module + ".")
        if inside and (name in names or not names):
            raise Wrong(f"this exercise is to be done without {what}")


def without_engine() -> Any:
    """Refuses all of micrograd, where the text asks for NumPy."""
    return without("Value and the rest of micrograd, in NumPy", module="micrograd")


def without_values() -> Any:
    """Refuses that Values are made, where a derivative is to be written as a formula."""
    return without("Value, as a formula on floats", "Value", module="micrograd")


def effort(function: Callable[..., Any], *arguments: Any) -> int:
    """How many steps of Python the learner's own code takes for one call; libraries not counted."""
    count = 0

    def step(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if not is_learners(frame.f_code.co_filename):
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return step

    plain = inspect.unwrap(function)
    forget()  # no single call shows a loop
    before = sys.gettrace()
    sys.settrace(step)
    try:
        plain(*arguments)
    finally:
        sys.settrace(before)
    return count


@contextmanager
def quiet(what: str) -> Iterator[None]:
    """Refuses warnings inside the block, where the text forbids them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            yield
        except Warning as warning:
            raise Wrong(f"{what}: there should be no warning, and there is: {warning}") from None


# --- other processes, other moments ---------------------------------------------------------------


def elsewhere(function: Any, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What a function answers to these calls in another process, whose `hash` is another."""
    try:
        return asked_elsewhere(getattr(function, "__wrapped__", function), calls, is_learners)
    except RuntimeError as error:
        raise Wrong(f"in another process it fails: {error}") from None


def moments(action: Callable[[], Any], look: Callable[[], Any]) -> list[Any]:
    """What `look` gave at every call and return while `action` ran; each change once."""
    seen: list[Any] = []

    def note(frame: types.FrameType, event: str, _: Any) -> None:
        found = look()
        if not seen or seen[-1] != found:
            seen.append(found)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
    return seen
