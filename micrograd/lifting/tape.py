"""The tape: every operation that a function did, in order, as three columns of the same length.

Node i is `kinds[i]` applied to what `lefts[i]` and `rights[i]` say: a row of the op table with the
places of its inputs, or a `Kind`, listed below. `record.py` fills a tape, `fuse.py` reads it, and
`print(tape)` shows it, a line a node.
"""

from __future__ import annotations

from typing import Any, NamedTuple, final

from micrograd import ops
from micrograd.engine import Value
from micrograd.op import Op

__all__ = [
    "CONSTANT", "DOT", "INPUT", "INTEGER", "MANY", "NONE", "PARAMETER", "STATE", "TAKE", "Kind",
    "Tail", "Tape",
]  # fmt: skip


@final
class Kind:
    """What a node is that no row of the op table made."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


# Leaves. `left` is a number:
CONSTANT = Kind("constant")  # in `Tape.numbers`
INPUT = Kind("input")  # of an argument, one element of which this is
INTEGER = Kind("integer")  # the same for arguments of integers
PARAMETER = Kind("parameter")  # in `Tape.values`
STATE = Kind("state")  # of a random draw, or of a read of running statistics
# Results:
TAKE = Kind("take")  # one of the places in the list `right`, chosen by the integer at place `left`
DOT = Kind("dot")  # of the places in the list `left` and those in the tail `right`

# What stands in `rights` where it is no place. Of a row of one input, or of a leaf:
NONE = -1
# Of a row of more than two inputs; `left` is then the number of a list:
MANY = -2

_SHOWN = 60  # lines of a tape that are printed
_LISTED = 6  # places of a list that are


class Tail(NamedTuple):
    """The second factors of a dot, and the place of what is added to it (or NONE)."""

    places: tuple[int, ...]
    bias: int


class Tape:
    """What a function did. Lists of places are kept once, for nodes to share.

    So recording a layer takes time in proportion to rows plus columns, not to their product.
    """

    def __init__(self) -> None:
        self.kinds: list[Op | Kind] = []
        self.lefts: list[int] = []
        self.rights: list[int] = []
        self.lists: list[tuple[int, ...]] = []
        self.tails: list[Tail] = []
        self.numbers: list[float] = []
        self.values: list[Value] = []
        self._constants: dict[Any, int] = {}

    def add(self, kind: Op | Kind, left: int, right: int = NONE) -> int:
        """Write down a node; returns its place."""
        self.kinds.append(kind)
        self.lefts.append(left)
        self.rights.append(right)
        return len(self.kinds) - 1

    def take_back(self) -> tuple[Op | Kind, int, int]:
        """Remove the last node, which nothing has used yet."""
        return self.kinds.pop(), self.lefts.pop(), self.rights.pop()

    def add_list(self, places: tuple[int, ...]) -> int:
        """Keep a list of places; returns its number."""
        self.lists.append(places)
        return len(self.lists) - 1

    def parameter(self, value: Value) -> int:
        """The place of a new leaf that stands for a Value from outside the function."""
        self.values.append(value)
        return self.add(PARAMETER, len(self.values) - 1)

    def constant(self, number: float, divisor: bool = False) -> int:
        """The place of a number; equal ones share it.

        A `divisor` is kept apart from others: the size of a batch that happens to equal the number
        of a class is no such number at another size.
        """
        key = _key(number, divisor)
        place = self._constants.get(key)
        if place is None:
            self.numbers.append(number)
            place = self._constants[key] = self.add(CONSTANT, len(self.numbers) - 1)
        return place

    def place_of(self, number: float) -> int:
        """Where a constant stands, if it does; else NONE."""
        return self._constants.get(_key(number, False), NONE)

    def number(self, place: int) -> float:
        """The number of a constant."""
        return self.numbers[self.lefts[place]]

    def inputs(self, place: int) -> tuple[int, ...]:
        """The places that a node was made from, in order; of a leaf there are none."""
        kind, left, right = self.kinds[place], self.lefts[place], self.rights[place]
        if kind is DOT:
            places, bias = self.tails[right]
            return (*self.lists[left], *places, *((bias,) if bias != NONE else ()))
        if kind is TAKE:
            return (left, *self.lists[right])
        if isinstance(kind, Kind):
            return ()
        if right == MANY:
            return self.lists[left]
        return (left,) if right == NONE else (left, right)

    def is_integer(self, place: int) -> bool:
        """Whether eager code has an integer here: sums, products and powers of integers."""
        stack = [place]
        while stack:
            i = stack.pop()
            kind = self.kinds[i]
            if kind is CONSTANT:
                if not self.number(i).is_integer():
                    return False
            elif isinstance(kind, Op) and (kind in (ops.add, ops.mul) or _is_whole_power(kind)):
                stack += self.inputs(i)
            elif kind is not INTEGER:
                return False
        return True

    def __len__(self) -> int:
        return len(self.kinds)

    def __str__(self) -> str:
        n = len(self)
        if n <= _SHOWN:
            return "\n".join(map(self._line, range(n)))
        half = _SHOWN // 2
        head, foot = range(half), range(n - half, n)
        left_out = f"... {n - 2 * half:,} more ..."
        return "\n".join([*map(self._line, head), left_out, *map(self._line, foot)])

    def _line(self, place: int) -> str:
        return f"{place:>{len(str(len(self)))}} {self._shown(place)}"

    def _shown(self, place: int) -> str:
        kind, left, right = self.kinds[place], self.lefts[place], self.rights[place]
        if kind is CONSTANT:
            return f"constant {self.numbers[left]!r}"
        if kind is PARAMETER:
            return f"parameter {left}"
        if kind is INPUT or kind is INTEGER:
            return f"{kind.name} of argument {left}"
        if kind is STATE:
            return f"state of draw {left}"
        if kind is TAKE:
            return f"take({_listed(self.lists[right])}, {left})"
        if kind is DOT:
            places, bias = self.tails[right]
            dot = f"dot({_listed(self.lists[left])}, {_listed(places)})"
            return dot if bias == NONE else f"{dot} + {bias}"
        inputs = self.inputs(place)
        if kind.name in ("+", "*", "/", "-") and len(inputs) == 2:
            return f"{inputs[0]} {kind.name} {inputs[1]}"
        return f"{kind.name}({_listed(inputs)[1:-1]})"


def _key(number: float, divisor: bool) -> float | tuple[str, bool]:
    """Equal for numbers that are one constant: nan is itself, 0.0 is not -0.0."""
    if number and number == number and not divisor:  # noqa: PLR0124
        return number
    return str(number), divisor


def _is_whole_power(op: Op) -> bool:
    if op.parameters[:1] != ("**",):
        return False
    exponent = op.parameters[1]
    return type(exponent) is int and exponent >= 0


def _listed(places: tuple[int, ...]) -> str:
    if len(places) <= _LISTED:
        return f"[{', '.join(map(str, places))}]"
    head = ", ".join(map(str, places[: _LISTED - 2]))
    return f"[{head}, ... {places[-1]}: {len(places):,} places]"
