"""`lift`, and what its user is promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from micrograd.lifting.lifted import Given, Lifted, Result

__all__ = ["lift"]


@overload
def lift(
    function: Callable[Given, Result], *, batched: Sequence[str] = (), executor: str | None = None
) -> Lifted[Given, Result]: ...
@overload
def lift(
    function: None = None, *, batched: Sequence[str] = (), executor: str | None = None
) -> Callable[[Callable[Given, Result]], Lifted[Given, Result]]: ...
def lift(
    function: Callable[..., Any] | None = None,
    *,
    batched: Sequence[str] = (),
    executor: str | None = None,
) -> Any:
    """The same function, recorded once and run as an array program.

    Written `@lift` or `@lift(batched=("X",))` before a function, or `lift(f)`.

    Traced: floats, arrays of numbers, NumPy's scalars and Values among the arguments, also those
    in lists, tuples and dicts. Other numbers need no new recording; another shape does. Inside,
    each is a Value: isinstance(x, float) is False. Integers choose by `functional.take`,
    `one_hot`, `Embedding` or `cross_entropy`.
    Static: Python ints, bools, strings, None, functions and objects among the arguments. Another
    one is another program; so pass what counts up or is drawn as a float or an array.
    Captured: Values from outside are parameters, whose numbers each call reads anew; numbers and
    arrays from outside are constants.

    Watched, so that no result is stale unnoticed: globals, variables of enclosing functions and the
    attributes of Modules at each call; lists, dicts, sets, arrays and attributes of other objects
    that the function's code can reach by name, at the first three calls after a recording, and then
    whenever 50 times the cost of looking has passed since the last look, so after every pause. A
    change is recorded anew; if calls since the last look may have used the old state, a LiftError
    says what has changed and how many. Up to 100,000 objects and 64 MB of arrays are looked at;
    Python's and installed libraries are not.

    Refused, with the line and what to write instead: what needs the number of a traced or captured
    Value (if, ==, <, max, float, .data, an index), backward() and no_grad() inside, random draws,
    counting (`self.n += 1`), changing an argument in place, arithmetic of float32 or small integers
    alone. What the function keeps of its results (`self.out = h`) is put back after recording.

    Not watched: the clock, files, iterators, generators of random numbers made inside, what only
    C code holds. print() prints while the function is recorded. `f.check(*args)` runs the function
    without lift beside it and compares; `print(f.program)` shows what was found, and
    `print(f.program.backward)` its backward pass.
    `executor` runs what was found: "numpy"; "native", machine code, which takes some tenths of a
    second to compile and pays in long runs (`f.program.loops` shows its loops; it needs the extra
    `native`); or "reference", plain loops that show what it means. The default is what
    MICROGRAD_EXECUTOR says in the environment, else "numpy".

    inf and nan come out as they do without lift wherever no partial sum overflows, with one
    exception, in which PyTorch does as lift: rows of a table that no index of `take` chose have a
    gradient of 0, and 0 * inf is nan. The sign of a zero may differ.
    """
    if function is None:
        return lambda f: Lifted(f, batched, executor)
    if not callable(function):
        raise TypeError(f"lift decorates a function, got {function!r}")
    return Lifted(function, batched, executor)
