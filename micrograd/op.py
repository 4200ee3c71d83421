"""Op: one row of the op table, and how a row of one's own is registered.

A row is a name (what graphs show), a forward on numbers, and the local partial derivatives written
in plain arithmetic from the inputs and the output. The same row serves floats (eager), Values (so
that a gradient is itself a graph), NumPy arrays (lifted) and text (the formula that a learner
reads), because every name used in a rule is an Op. The rows stand in `ops.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.reals import Double, describe, real
from micrograd.rules import Rule

__all__ = ["Op", "families", "find", "op", "registered", "row"]

Partial = Callable[..., Any]


class Op(Rule):
    """One row: out = forward(x1, ..., xn), and d out / d xi = partials[i](x1, ..., xn, out).

    `backward(g, x1, ..., xn, out)` replaces partial times gradient where that product would be nan
    although PyTorch masks it (relu with g = inf); it gives one contribution an input, or None.
    A row with neither has no gradient. `edge` answers where `forward` raises (log 0), `composed`
    says the same function in other rows: an executor needs to know only the rows without it, the
    primitive ones. `jax` is the forward in jax.numpy, of a row of one's own. Calling an Op works on
    floats, Values, arrays and formulas.
    """

    __slots__ = (
        "name", "arity", "forward", "partials", "backward", "parameters", "edge", "composed",
        "builtin", "jax", "_array", "__weakref__",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        forward: Callable[..., float],
        partials: Sequence[Partial] = (),
        *,
        arity: int,
        backward: Callable[..., tuple[Any, ...]] | None = None,
        parameters: tuple[Any, ...] = (),
        edge: Callable[..., float] | None = None,
        composed: Callable[..., Any] | None = None,
        array: Callable[..., Any] | None = None,
        jax: Callable[..., Any] | None = None,
        builtin: bool = False,
    ) -> None:
        self.name = name
        self.arity = arity
        self.forward = forward
        self.partials = tuple(partials)
        self.backward = backward
        self.parameters = parameters  # what tells `x**2` from `x**3`: constants of the row
        self.edge = edge
        self.composed = composed
        self.builtin = builtin
        self.jax = jax
        self._array = array

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return find, (self.name, self.parameters)

    def __copy__(self) -> Op:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        return self

    @property
    def differentiable(self) -> bool:
        return bool(self.partials) or self.backward is not None

    @property
    def array(self) -> Callable[..., Any]:
        """The forward on float64 arrays, with an `out=` as NumPy's ufuncs have."""
        if self._array is None:
            from micrograd import ufuncs  # whoever asks has arrays

            self._array = ufuncs.form_of(self)
        return self._array

    def number(self, *xs: float) -> float:
        """forward on floats; where Python would raise (log 0, overflow), IEEE's answer."""
        try:
            return self.forward(*xs)
        except (ArithmeticError, ValueError):
            if self.edge is None:
                return float(self.forward(*map(Double, xs)))
            return self.edge(*xs)

    def gradients(self, g: Any, xs: Sequence[Any], out: Any) -> Sequence[Any]:
        """One contribution an input: d out / d xi * g, or None where nothing flows."""
        if self.backward is not None:
            return self.backward(g, *xs, out)
        return [partial(*xs, out) * g for partial in self.partials] or [None] * len(xs)

    def number_gradients(self, g: float, xs: Sequence[float], out: float) -> Sequence[Any]:
        """`gradients` on floats, with IEEE's answers where Python would raise (1 / 0.0)."""
        try:
            return self.gradients(g, xs, out)
        except (ArithmeticError, ValueError):
            contributions = self.gradients(Double(g), list(map(Double, xs)), Double(out))
            return [c if c is None else float(c) for c in contributions]

    def __call__(self, *xs: Any) -> Any:
        for x in xs:
            if type(x) is not float:
                break
        else:  # the rules call each other on floats all the time: 0.2 us this way, 1.5 us below
            if len(xs) == self.arity:
                return self.number(*xs)
        if len(xs) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} inputs, got {len(xs)}")
        # a class that ops are applied to says what that means: `_interpret(op, xs)` of `Value`,
        # of the formulas of `explain`, of `Double`
        interpret, arrays = None, False
        for x in xs:
            meaning = getattr(type(x), "_interpret", None)
            if meaning is not None:
                interpret = meaning
            elif not arrays:  # 0.1 us to find nothing
                arrays = hasattr(type(x), "__array__")
        if arrays:
            return self._of_arrays(xs, interpret)
        if interpret is not None:
            return interpret(self, xs)
        return self.number(*map(real, xs))

    def _of_arrays(self, xs: Sequence[Any], interpret: Callable[..., Any] | None) -> Any:
        """The result where an input is an array or, as the result of a lifted function, says so."""
        import numpy as np

        xs = [np.asarray(x) if _says_array(x) else x for x in xs]
        found = [x for x in xs if isinstance(x, np.ndarray)]
        objects = any(x.dtype == object for x in found)
        with np.errstate(all="ignore"):
            if objects or (interpret is not None and any(x.shape != () for x in found)):
                return np.frompyfunc(self, self.arity, 1)(*xs)  # an array of Values: one by one
            if interpret is None:
                return self.array(*map(_floats, xs))
        return interpret(self, xs)


def _says_array(x: Any) -> bool:
    import numpy as np

    return hasattr(type(x), "__array__") and not isinstance(x, (np.ndarray, np.generic))


def _floats(x: Any) -> Any:
    """Numbers or an array of them in float64: in integers, 2**-1 would be 0."""
    import numpy as np

    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"got {describe(x)}; an op takes real numbers, arrays of them, or Values")
    return np.asarray(x, dtype=np.float64)[()]


# --- the register -------------------------------------------------------------------------------

registered: dict[str, Op] = {}
families: dict[str, Callable[..., Op]] = {}  # rows that are made from constants: x**k, dot


def row(name: str, *args: Any, **kwargs: Any) -> Op:
    """A row of micrograd's own table."""
    registered[name] = Op(name, *args, builtin=True, **kwargs)
    return registered[name]


def find(name: str, parameters: Sequence[Any] = ()) -> Op:
    """The row of that name, for files; of a family (`**k`, leaky_relu, dot) it is made again."""
    if parameters:
        return families[parameters[0]](*parameters[1:])
    if name not in registered:
        raise LookupError(f"no op is registered under {name!r}; call op({name!r}, ...) first")
    return registered[name]


def op(
    name: str,
    forward: Callable[..., Any],
    partials: Sequence[Partial],
    *,
    array: Callable[..., Any] | None = None,
    jax: Callable[..., Any] | None = None,
) -> Op:
    """Register a primitive of one's own: d out / d xi = partials[i](x1, ..., xn, out).

    `cube = op("cube", lambda x: x * x * x, [lambda x, out: 3 * x * x])`, then `cube(v)`. A partial
    is written in arithmetic and ops of `micrograd.ops` (not in `math`), so that derivatives of any
    order exist. `forward` takes floats; `array`, if given, arrays, else it is `forward` one by one;
    `jax`, which `to_jax` asks for, JAX arrays: the same in jax.numpy, without derivatives.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"an op's name is a non-empty string, got {name!r}")
    if name in families or (name in registered and registered[name].builtin):
        raise ValueError(f"{name!r} is an op of micrograd's own; choose another name")
    if not callable(forward) or callable(partials) or not all(map(callable, partials)):
        raise TypeError(
            f"op({name!r}) wants a callable forward and a list with one callable partial an input"
        )
    if not partials:
        raise TypeError(f"op({name!r}) wants one partial derivative an input, got none")
    registered[name] = Op(
        name,
        lambda *xs: real(_not_complex(forward(*xs))),
        [lambda *xs, f=f: _not_complex(f(*xs)) for f in partials],
        arity=len(partials),
        array=None if array is None else _into(array),
        jax=jax,
    )
    return registered[name]


def _not_complex(y: Any) -> Any:
    """Python answers (-8.0)**0.5 in complex numbers; IEEE arithmetic, and PyTorch, with nan."""
    return math.nan if isinstance(y, complex) else y


def _into(array: Callable[..., Any]) -> Callable[..., Any]:
    from micrograd import ufuncs

    return ufuncs.into(array)
