"""The op table: every primitive stands here, once.

A row is a name (what graphs show), a forward on numbers, a forward on arrays, and the local partial
derivatives written in plain arithmetic from the inputs and the output. The same row serves floats
(eager), Values (so that a gradient is itself a graph), NumPy arrays (lifted) and text (the formula
that a learner reads), because every name used in a rule is an `Op` of this table. Read `Op` first,
then any row.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from micrograd.reals import describe, real

__all__ = [
    "Op", "op", "registered",
    "add", "mul", "power", "constant_power", "exp", "log", "sqrt", "sin", "cos", "erf",
    "tanh", "sigmoid", "softplus", "relu", "leaky_relu", "gelu", "absolute",
    "maximum", "minimum", "where", "greater", "equal", "detach", "dot_op",
]  # fmt: skip

Rule = Callable[..., Any]


class Op:
    """One row: out = forward(x1, ..., xn), and d out / d xi = partials[i](x1, ..., xn, out).

    `backward(g, x1, ..., xn, out)` replaces partial times gradient where that product would be nan
    although PyTorch masks it (relu with g = inf); it gives one contribution an input, or None.
    A row with neither has no gradient. Calling an Op works on floats, Values, arrays and formulas.
    """

    __slots__ = (
        "name",
        "arity",
        "forward",
        "array",
        "partials",
        "backward",
        "parameters",
        "__weakref__",
    )

    def __init__(
        self,
        name: str,
        forward: Callable[..., float],
        partials: Sequence[Rule] = (),
        *,
        arity: int,
        array: Callable[..., Any],
        backward: Callable[..., tuple[Any, ...]] | None = None,
        parameters: tuple[Any, ...] = (),
    ) -> None:
        self.name = name
        self.arity = arity
        self.forward = forward
        self.array = array
        self.partials = tuple(partials)
        self.backward = backward
        self.parameters = parameters  # what tells `x**2` from `x**3`: constants of the row

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (self.name, self.parameters)

    def __copy__(self) -> Op:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        return self

    @property
    def differentiable(self) -> bool:
        return bool(self.partials) or self.backward is not None

    @property
    def builtin(self) -> bool:
        return bool(self.parameters) or self.name in _builtin

    def number(self, *xs: float) -> float:
        """forward on floats; where Python would raise (log 0, overflow), NumPy's IEEE answer."""
        try:
            return self.forward(*xs)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                return float(self.array(*map(np.float64, xs)))

    def gradients(self, g: Any, xs: Sequence[Any], out: Any) -> Sequence[Any]:
        """One contribution an input: d out / d xi * g, or None where nothing flows."""
        if self.backward is not None:
            return self.backward(g, *xs, out)
        return [partial(*xs, out) * g for partial in self.partials] or [None] * len(xs)

    def number_gradients(self, g: float, xs: Sequence[float], out: float) -> Sequence[Any]:
        """`gradients` on floats, with IEEE answers where Python would raise (1 / 0.0)."""
        try:
            return self.gradients(g, xs, out)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                inputs = list(map(np.float64, xs))
                contributions = self.gradients(np.float64(g), inputs, np.float64(out))
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
        xs = tuple(map(_as_array, xs))
        interpret, arrays, objects = None, False, False
        for x in xs:
            interpret = getattr(type(x), "_interpret", None) or interpret
            arrays = arrays or (isinstance(x, np.ndarray) and x.shape != ())
            objects = objects or (isinstance(x, np.ndarray) and x.dtype == object)
        if objects or (arrays and interpret is not None):  # an array of Values: one by one
            with np.errstate(all="ignore"):
                return np.frompyfunc(self, self.arity, 1)(*xs)
        if interpret is not None:
            return interpret(self, xs)
        if any(isinstance(x, (np.ndarray, np.generic)) for x in xs):
            with np.errstate(all="ignore"):
                return self.array(*map(_floats, xs))
        return self.number(*map(real, xs))


def _as_array(x: Any) -> Any:
    """What says that it is an array, such as the result of a lifted function, as one."""
    if hasattr(type(x), "__array__") and not isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x)
    return x


def _floats(x: Any) -> Any:
    """Numbers or an array of them in float64: in integers, 2**-1 would be 0."""
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"got {describe(x)}; an op takes real numbers, arrays of them, or Values")
    return np.asarray(x, dtype=np.float64)[()]


registered: dict[str, Op] = {}


def _find(name: str, parameters: tuple[Any, ...]) -> Op:
    """The row of that name, for pickles; of a family (`**k`, leaky_relu, dot) it is made again."""
    if parameters:
        return _families[parameters[0]](*parameters[1:])
    if name not in registered:
        raise LookupError(f"no op is registered under {name!r}; call op({name!r}, ...) first")
    return registered[name]


def _row(name: str, *args: Any, **kwargs: Any) -> Op:
    registered[name] = Op(name, *args, **kwargs)
    return registered[name]


def op(
    name: str,
    forward: Callable[..., Any],
    partials: Sequence[Rule],
    *,
    array: Callable[..., Any] | None = None,
) -> Op:
    """Register a primitive of one's own: d out / d xi = partials[i](x1, ..., xn, out).

    `cube = op("cube", lambda x: x * x * x, [lambda x, out: 3 * x * x])`, then `cube(v)`. A partial
    is written in arithmetic and ops of this module (not in `math`), so that derivatives of any
    order exist. `forward` takes floats; `array`, if given, arrays, else it is `forward` one by one.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"an op's name is a non-empty string, got {name!r}")
    if name in _builtin:
        raise ValueError(f"{name!r} is an op of micrograd's own; choose another name")
    if not callable(forward) or callable(partials) or not all(map(callable, partials)):
        raise TypeError(
            f"op({name!r}) wants a callable forward and a list with one callable partial an input"
        )
    if not partials:
        raise TypeError(f"op({name!r}) wants one partial derivative an input, got none")
    return _row(
        name,
        lambda *xs: real(_not_complex(forward(*xs))),
        [lambda *xs, f=f: _not_complex(f(*xs)) for f in partials],
        arity=len(partials),
        array=_into(array or _one_by_one(forward, len(partials))),
    )


def _not_complex(y: Any) -> Any:
    """Python answers (-8.0)**0.5 in complex numbers; IEEE arithmetic, and PyTorch, with nan."""
    return math.nan if isinstance(y, complex) else y


def _one_by_one(forward: Callable[..., Any], arity: int) -> Callable[..., Any]:
    def number(*xs: float) -> float:
        try:
            y = forward(*xs)
        except (ArithmeticError, ValueError):  # 1 / 0.0: NumPy's floats know the answer
            y = forward(*map(np.float64, xs))
        return real(_not_complex(y))

    def array(*xs: Any) -> Any:
        return np.asarray(np.frompyfunc(number, arity, 1)(*xs), dtype=np.float64)[()]

    return array


def _into(f: Callable[..., Any]) -> Callable[..., Any]:
    """Give `f` the `out=` of a ufunc."""

    def array(*xs: Any, out: Any = None) -> Any:
        if out is None:
            return f(*xs)
        out[...] = f(*xs)
        return out

    return array


# --- arithmetic ---------------------------------------------------------------------------------

add = _row(
    "+", operator.add, (lambda a, b, out: 1.0, lambda a, b, out: 1.0), arity=2, array=np.add,
    backward=lambda g, a, b, out: (g, g),
)  # fmt: skip
mul = _row(
    "*", operator.mul, (lambda a, b, out: b, lambda a, b, out: a), arity=2, array=np.multiply
)


@lru_cache(maxsize=1024, typed=True)
def constant_power(k: float) -> Op:
    """The row of x**k for a constant k: d out / d x = k * x**(k - 1), and 0 for k = 0."""
    exponent = real(k)
    forward, array = _POWERS.get(
        exponent, (lambda x: math.pow(x, exponent), _into(lambda x: np.power(x, exponent)))
    )
    return Op(
        f"**{k}",
        forward,
        (lambda x, out: k * constant_power(k - 1)(x) if k else 0.0,),
        arity=1,
        array=array,
        backward=None if k else lambda g, x, out: (0.0,),  # as in PyTorch, even where g is inf
        parameters=("**", k),
    )


_POWERS: dict[float, tuple[Callable[[float], float], Callable[..., Any]]] = {
    2.0: (lambda x: x * x, np.square),
    -1.0: (lambda x: 1 / x, np.reciprocal),
    # as in PyTorch these are square roots: (-inf)**0.5 is nan, where C's pow says inf
    0.5: (math.sqrt, np.sqrt),
    -0.5: (lambda x: 1 / math.sqrt(x), _into(lambda x: 1 / np.sqrt(x))),
}


power: Op = _row(
    "**", math.pow,
    (lambda x, y, out: y * power(x, y - 1), lambda x, y, out: out * log(x)), arity=2,
    array=np.power,
    # PyTorch masks: d/dx is 0 where y = 0, whatever arrives; d out/dy is 0 where x = 0 and y >= 0
    backward=lambda g, x, y, out: (
        where(equal(y, 0.0), 0.0, g * (y * power(x, y - 1))),
        g * where(equal(x, 0.0) * (greater(y, 0.0) + equal(y, 0.0)), 0.0, out * log(x)),
    ),
)  # fmt: skip

# --- elementary functions -----------------------------------------------------------------------

exp: Op = _row("exp", math.exp, (lambda x, out: out,), arity=1, array=np.exp)
log: Op = _row(
    "log", math.log, (lambda x, out: 1 / x,), arity=1, array=np.log,
    backward=lambda g, x, out: (g / x,),  # 1 / x overflows where x is subnormal
)  # fmt: skip
sqrt = _row("sqrt", math.sqrt, (lambda x, out: 0.5 / out,), arity=1, array=np.sqrt)
sin: Op = _row("sin", math.sin, (lambda x, out: cos(x),), arity=1, array=np.sin)
cos: Op = _row("cos", math.cos, (lambda x, out: -sin(x),), arity=1, array=np.cos)
tanh = _row("tanh", math.tanh, (lambda x, out: 1 - out * out,), arity=1, array=np.tanh)


def _erf_array(x: Any, out: Any = None) -> Any:
    from scipy.special import erf as scipy_erf  # only GELU needs SciPy, and only on arrays

    return scipy_erf(x, out=out) if out is not None else scipy_erf(x)


erf: Op = _row(
    "erf", math.erf, (lambda x, out: 2 / math.sqrt(math.pi) * exp(-x * x),), arity=1,
    array=_erf_array,
)  # fmt: skip


def _sigmoid_array(x: Any, out: Any = None) -> Any:
    out = np.negative(x, out=out)
    out = np.exp(out, out=out if isinstance(out, np.ndarray) else None)
    out = np.add(out, 1.0, out=out if isinstance(out, np.ndarray) else None)
    return np.reciprocal(out, out=out if isinstance(out, np.ndarray) else None)


sigmoid: Op = _row(
    "sigmoid", lambda x: 1 / (1 + math.exp(-x)), (lambda x, out: out * (1 - out),), arity=1,
    array=_sigmoid_array,
)  # fmt: skip
softplus = _row(  # log(1 + exp x), without overflow for large x; nan comes out of the second term
    "softplus", lambda x: max(x, 0.0) + math.log1p(math.exp(-math.fabs(x))),
    (lambda x, out: sigmoid(x),), arity=1, array=lambda x, out=None: np.logaddexp(0.0, x, out=out),
)  # fmt: skip

# --- functions with a kink ----------------------------------------------------------------------

relu = _row(
    "ReLU", lambda x: 0.0 if x <= 0.0 else x, (lambda x, out: greater(out, 0.0),), arity=1,
    array=lambda x, out=None: np.maximum(x, 0.0, out=out),
    backward=lambda g, x, out: (where(out, g, 0.0),),  # out is 0 where shut; nan is let through
)  # fmt: skip


@lru_cache(maxsize=1024)
def leaky_relu(slope: float) -> Op:
    """The row of x if x > 0 else slope * x: d out / d x = where(x > 0, 1, slope)."""
    return Op(
        "LeakyReLU", lambda x: x if x > 0.0 else slope * x,
        (lambda x, out: where(greater(x, 0.0), 1.0, slope),), arity=1,
        array=_into(lambda x: np.where(np.greater(x, 0.0), x, slope * x)),
        backward=lambda g, x, out: (where(greater(x, 0.0), g, slope * g),),
        parameters=("LeakyReLU", slope),
    )  # fmt: skip


_SQRT2, _SQRT2PI = math.sqrt(2), math.sqrt(2 * math.pi)
gelu = _row(  # x * Phi(x), exact: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016
    "GELU", lambda x: 0.5 * x * (1 + math.erf(x / _SQRT2)),
    (lambda x, out: 0.5 * (1 + erf(x / _SQRT2)) + x * exp(-0.5 * (x * x)) / _SQRT2PI,), arity=1,
    array=_into(lambda x: 0.5 * x * (1 + _erf_array(x / _SQRT2))),
)  # fmt: skip
absolute = _row(
    "abs", math.fabs, (lambda x, out: greater(x, 0.0) - greater(0.0, x),), arity=1, array=np.abs
)  # fmt: skip
maximum = _row(
    "maximum", lambda a, b: a if a >= b or math.isnan(a) else b,
    (lambda a, b, out: where(equal(a, b), 0.5, greater(a, b)),
     lambda a, b, out: where(equal(a, b), 0.5, greater(b, a))), arity=2, array=np.maximum,
    backward=lambda g, a, b, out: (
        where(equal(a, b), 0.5 * g, where(greater(b, a), 0.0, g)),
        where(equal(a, b), 0.5 * g, where(greater(a, b), 0.0, g))),
)  # fmt: skip
minimum = _row(
    "minimum", lambda a, b: a if a <= b or math.isnan(a) else b,
    (lambda a, b, out: where(equal(a, b), 0.5, greater(b, a)),
     lambda a, b, out: where(equal(a, b), 0.5, greater(a, b))), arity=2, array=np.minimum,
    backward=lambda g, a, b, out: (
        where(equal(a, b), 0.5 * g, where(greater(a, b), 0.0, g)),
        where(equal(a, b), 0.5 * g, where(greater(b, a), 0.0, g))),
)  # fmt: skip
where: Op = _row(
    "where", lambda c, a, b: a if c else b,
    (lambda c, a, b, out: 0.0, lambda c, a, b, out: where(c, 1.0, 0.0),
     lambda c, a, b, out: where(c, 0.0, 1.0)), arity=3,
    array=_into(lambda c, a, b: np.where(np.not_equal(c, 0), a, b)),
    backward=lambda g, c, a, b, out: (None, where(c, g, 0.0), where(c, 0.0, g)),
)  # fmt: skip

# --- without a gradient -------------------------------------------------------------------------

greater: Op = _row(
    "greater", lambda a, b: 1.0 if a > b else 0.0, arity=2,
    array=_into(lambda a, b: np.greater(a, b) * 1.0),
)  # fmt: skip
equal: Op = _row(
    "equal", lambda a, b: 1.0 if a == b else 0.0, arity=2,
    array=_into(lambda a, b: np.equal(a, b) * 1.0),
)  # fmt: skip
detach = _row("detach", lambda x: x, arity=1, array=np.positive)

# --- of any number of inputs --------------------------------------------------------------------


@lru_cache(maxsize=1024)
def dot_op(n: int, bias: bool) -> Op:
    """The row of x1*w1 + ... + xn*wn (+ bias): one node where the videos' neuron has 2n."""

    def forward(*inputs: float) -> float:
        start = inputs[-1] if bias else 0.0
        return sum(map(operator.mul, inputs[:n], inputs[n : 2 * n]), start)

    def array(*inputs: Any, out: Any = None) -> Any:
        products = [x * w for x, w in zip(inputs[:n], inputs[n : 2 * n], strict=True)]
        return reduce(np.add, products, inputs[-1] if bias else np.float64(0.0))

    def backward(g: Any, *inputs: Any) -> tuple[Any, ...]:
        products = [w * g for w in inputs[n : 2 * n]] + [x * g for x in inputs[:n]]
        return (*products, g) if bias else tuple(products)

    return Op(
        "dot",
        forward,
        arity=2 * n + bias,
        array=_into(array),
        backward=backward,
        parameters=("dot", n, bias),
    )


_families: dict[str, Callable[..., Op]] = {
    "**": constant_power,
    "LeakyReLU": leaky_relu,
    "dot": dot_op,
}
_builtin = frozenset([*registered, *_families])
