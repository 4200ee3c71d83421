"""Which forms of an answer are taken: numbers, arrays, whole numbers, truths, several things.

Lists, tuples, arrays, nested lists, size-one arrays and Values are taken wherever the meaning is
clear; else `Wrong` says which form is wanted. `brief` shows an answer in a message.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from checks._difference import unlike
from checks._marking import Wrong
from micrograd import Value
from micrograd.show.practice.answers import read_number

__all__ = [
    "OPEN",
    "array",
    "as_value",
    "as_values",
    "brief",
    "flags",
    "integers",
    "is_open",
    "number",
    "several",
    "size",
    "whole",
]


class _Open:
    """An answer that is still `...`: whatever a checker does with it, it is not attempted."""

    def _missing(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    __call__ = __array__ = __iter__ = __len__ = __getitem__ = __float__ = __bool__ = _missing
    __int__ = __index__ = __contains__ = _missing


OPEN = _Open()


def is_open(x: Any) -> bool:
    return x is OPEN or x is ...


def _given(x: Any, what: str) -> Any:
    if is_open(x):
        raise NotImplementedError
    if x is None:
        raise Wrong(f"{what}: None was returned: is there a return?")
    return x


def number(x: Any, what: str) -> float:
    """One number as a float, from a number, a Value, a size-one array, "3/4"."""
    try:
        found = read_number(_given(x, what))
    except ValueError:
        found = None
    if found is None:
        raise Wrong(f"{what}: one number is wanted, got {brief(x)}")
    return found


def as_value(x: Any, what: str) -> Value:
    """One Value, through which gradients flow back; an array or a list of one is taken."""
    _given(x, what)
    if isinstance(x, (list, tuple)) and len(x) == 1:
        x = x[0]
    if isinstance(x, np.ndarray) and x.size == 1:
        x = x.item()
    if not isinstance(x, Value):
        raise Wrong(f"{what} is to be a Value, so that gradients flow back; got {brief(x)}")
    return x


def as_values(x: Any, what: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of Values; nested lists and tuples of them are taken."""
    found = np.array(_given(x, what), dtype=object)
    if found.shape != shape:
        raise Wrong(f"{what}: expected the shape {shape}, got {found.shape}")
    for value in found.flat:
        if not isinstance(value, Value):
            raise Wrong(f"{what}: Values are wanted, so that gradients flow back; got {brief(x)}")
    return found


def whole(x: Any, what: str) -> int:
    """One whole number; 230.0 is one, and so is what rounding leaves of 3."""
    found = number(x, what)
    if not _is_whole(found):
        text = unlike(found, float(np.round(found)))
        raise Wrong(f"{what}: a whole number is wanted, got {text}")
    return round(found)


def array(x: Any, what: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """An array of floats, of this shape if one is given; from lists, tuples, arrays, Values."""
    _given(x, what)
    if isinstance(x, (str, Mapping, set)) or (callable(x) and not hasattr(x, "shape")):
        raise Wrong(f"{what}: {_wanted(shape)} wanted, got {brief(x)}")
    try:
        found = np.asarray(x, dtype=float)
    except (TypeError, ValueError):
        if isinstance(x, (list, tuple)) and any(part is ... for part in x):
            raise NotImplementedError from None
        raise Wrong(f"{what}: {_wanted(shape)} wanted, got {brief(x)}") from None
    if np.isnan(found).any() and any(v is None for v in np.array(x, dtype=object).flat):
        raise Wrong(f"{what}: None is among them: is there a return?")
    if shape is None or found.shape == shape:
        return found
    single = isinstance(x, (list, tuple)) and found.shape == (*shape, 1)  # of size-one arrays
    if single or found.size == 1 == math.prod(shape):
        return found.reshape(shape)
    if shape == ():
        raise Wrong(f"{what}: one number is wanted, got {brief(x)}")
    raise Wrong(f"{what}: expected the shape {shape}, got {found.shape}")


def _wanted(shape: tuple[int, ...] | None) -> str:
    if shape == ():
        return "one number is"
    return "numbers are" if shape is None else f"numbers of the shape {shape} are"


def integers(x: Any, what: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """An array of whole numbers; floats are taken if they are whole."""
    found = array(x, what, shape)
    if not np.all(_is_whole(found)):
        place = tuple(int(i) for i in np.argwhere(~_is_whole(found))[0])
        got, near = float(found[place]), float(np.round(found[place]))
        raise Wrong(f"{what}: whole numbers are wanted, got {unlike(got, near)} at {list(place)}")
    return np.round(found).astype(int)


def _is_whole(x: Any) -> Any:
    """Whether numbers are whole but for what rounding leaves: 0.3 / 0.1 is not quite 3."""
    finite = np.where(np.isfinite(x), x, 0.5)  # 0.5 is not whole
    return np.abs(finite - np.round(finite)) <= 1e-9 * np.maximum(1.0, np.abs(finite))


def flags(x: Any, what: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """An array of truths; 0 and 1 are taken."""
    found = array(x, what, shape)
    if not np.isin(found, (0.0, 1.0)).all():
        raise Wrong(f"{what}: True or False are wanted, got {brief(x)}")
    return found.astype(bool)


def several(x: Any, *names: str) -> list[Any]:
    """The things that a function returns together, `several(got, "dx", "dW", "db")`."""
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    _given(x, listed)
    if isinstance(x, Mapping):
        missing = [name for name in names if name not in x]
        if not missing:
            return [x[name] for name in names]
        if len(missing) < len(names):
            raise Wrong(f"{len(names)} things are wanted, {listed}; {missing[0]} is missing")
        x = list(x.values())  # other names: then in their order
    if not isinstance(x, (tuple, list)) and np.ndim(x) == 0:
        raise Wrong(f"{len(names)} things are wanted, {listed}; got {brief(x)}")
    if len(x) != len(names):
        got = f"an array of shape {x.shape}" if isinstance(x, np.ndarray) else f"{len(x)}"
        raise Wrong(f"{len(names)} things are wanted, {listed}; got {got}")
    return list(x)


# --- in messages ----------------------------------------------------------------------------------


def brief(x: Any, width: int = 90) -> str:
    """An answer as a person would write it, cut to a line: no type names of NumPy."""
    text = _plain(x)
    return text if len(text) <= width else text[: width - 3] + "..."


def _plain(x: Any) -> str:
    if isinstance(x, (bool, np.bool_)) or x is None or x is Ellipsis:
        return str(x)
    if isinstance(x, Value):
        return f"a Value of {x.data:.6g}" if x._prev else f"{x.data:.6g}"
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    if isinstance(x, (float, np.floating)):
        return f"{float(x):.6g}"
    if isinstance(x, str):
        return repr(str(x))
    if isinstance(x, os.PathLike):
        return repr(os.path.basename(x))  # the folder is another one each time
    if isinstance(x, np.ndarray):
        return f"an array of shape {x.shape}" if x.size > 40 else _plain(x.tolist())
    if isinstance(x, (list, tuple, set, frozenset)):
        opened, closed = {list: "[]", tuple: "()"}.get(type(x), "{}")
        items = map(
            _plain, sorted(x, key=lambda v: (isinstance(v, str), v)) if closed == "}" else x
        )
        return f"{opened}{', '.join(items)}{',' if closed == ')' and len(x) == 1 else ''}{closed}"
    if isinstance(x, Mapping):
        return "{" + ", ".join(f"{_plain(k)}: {_plain(v)}" for k, v in x.items()) + "}"
    if isinstance(x, np.random.Generator):
        return "rng"
    if callable(x):
        return getattr(x, "__name__", "a function").replace("<lambda>", "a function")
    return f"an object of type {type(x).__name__}"


def size(x: Any) -> int:
    """How many numbers an argument holds; what is neither number nor nest counts as one."""
    if isinstance(x, np.ndarray):
        return x.size
    if isinstance(x, Mapping):
        return sum(map(size, x.values()))
    if isinstance(x, (list, tuple, set, frozenset)):
        return sum(map(size, x)) if len(x) <= 40 else len(x)
    return 1 if not isinstance(x, str) or len(x) <= 40 else len(x)
