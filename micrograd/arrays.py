"""NumPy is the tensor library: an array of Values is an ndarray of dtype object.

Its arithmetic, broadcasting, indexing, `@`, `sum`, `mean`, `var`, `np.exp` and so on build graphs
of the scalars inside. What does not, and what to write instead, stands at `Element`. NumPy is
imported by whoever has an array; without any, nothing here needs it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from micrograd import ops
from micrograd.arithmetic import Arithmetic
from micrograd.reals import describe, real

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Element", "grads", "numbers", "values"]

_FOLLOW_PYTORCH = {"maximum": ops.maximum, "minimum": ops.minimum, "absolute": ops.absolute}


class Element(Arithmetic):
    """A Value as NumPy meets it.

    A function that wants floats asks `float(v)`, and the graph is lost without a word:
    `np.zeros(2)[0] = v`, `A.astype(float)`, `np.array(A, float)`, `np.gradient(A)`,
    `np.interp(v, xs, ys)`, `math.exp(v)`. Write `v.exp()`, `micrograd.values(x)` for an array of
    Values, and `A[1:] - A[:-1]`. `np.maximum(A, 0)` and
    `np.clip(A, 0, 1)` on an array choose by comparing (a tie sends the whole gradient to one side,
    nan is lost): `micrograd.maximum(A, 0)` does as PyTorch. `A == 0` asks for identity and is
    False: `numbers(A) == 0`. `np.isnan(A)` is a TypeError: `np.isnan(numbers(A))`.
    """

    __slots__ = ()

    def conjugate(self) -> Any:  # A.var() asks for it
        return self

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """`np.exp(v)`, `np.float64(2) * v`, `array * v`: the loop over an array of one Value."""
        import numpy as np

        if ufunc.__name__ in _FOLLOW_PYTORCH and method == "__call__" and not kwargs:
            arrays = [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs]
            return _FOLLOW_PYTORCH[ufunc.__name__](*arrays)
        boxed = [_box(x) if isinstance(x, Element) else _double(x) for x in inputs]
        with np.errstate(all="ignore"):  # one Value is silent about overflow, as in `v * 1e308`
            return getattr(ufunc, method)(*boxed, **kwargs)


def _box(v: Element) -> np.ndarray:
    import numpy as np

    boxed = np.empty((), dtype=object)
    boxed[()] = v
    return boxed


def _double(x: Any) -> Any:
    """A long double as float64: times an object it would ask NumPy, and that this class, for ever.

    Of a complex long double a TypeError.
    """
    import numpy as np

    code = x.dtype.char if isinstance(x, (np.ndarray, np.generic)) else ""
    if code == "G":
        raise TypeError(f"got {describe(x)}; a Value holds one real number")
    return np.asarray(x, dtype=np.float64) if code == "g" else x


def values(numbers: Any) -> np.ndarray:
    """New Values that hold the given numbers, as an array in their shape; `numbers` goes back."""
    import numpy as np

    from micrograd.engine import Value

    array = np.asarray(numbers)
    made = np.empty(array.size, dtype=object)
    made[:] = [Value(x) for x in array.ravel().tolist()]
    return made.reshape(array.shape)


def numbers(values: Any) -> np.ndarray:
    """The numbers in an array (or list, or nest of lists) of Values: float64, in its shape."""
    import numpy as np

    if type(values) is np.ndarray and values.dtype == np.float64:  # running statistics, each step
        return values.copy()
    return _read(values, "data")


def grads(values: Any) -> np.ndarray:
    """The gradients in an array of Values: float64, in its shape, 0 where a plain number stands.

    Of Values that were updated by `W -= lr * grads(W)` it warns: they are leaves no more.
    """
    if _updated_twice(values):
        warnings.warn(
            "these Values are results of W - step, not leaves: W -= ... writes an operation "
            "into the graph, which each step makes longer. Write for w in W.flat: "
            "w.data -= lr * w.grad or use micrograd.optim.SGD",
            stacklevel=2,
        )
    return _read(values, "grad")


def _updated_twice(values: Any) -> bool:
    """Whether the first is (w - step) - step, as two rounds of `W -= lr * grads(W)` leave it.

    A step became a leaf without a name that is nobody's weight, and so did w.
    """
    if not getattr(values, "size", 0) or values.dtype != object:
        return False
    v: Any = values.flat[0]
    for _ in range(2):
        if getattr(v, "_rule", None) is not ops.add or not _is_bare(v._prev[1]):
            return False
        v = v._prev[0]
    return _is_bare(v)


def _is_bare(v: Any) -> bool:
    return not v._prev and not v.label and not getattr(v, "_learns", False)


def _read(values: Any, what: str) -> np.ndarray:
    import numpy as np

    reader = getattr(values, "_read", None)  # a lifted result reads itself without making Values
    if reader is not None:
        return reader(what)  # type: ignore[no-any-return]
    objects = _box(values) if isinstance(values, Element) else np.asarray(values, dtype=object)
    read = [
        getattr(x, what) if isinstance(x, Element) else real(x) if what == "data" else 0.0
        for x in objects.flat
    ]
    return np.array(read, dtype=np.float64).reshape(objects.shape)
