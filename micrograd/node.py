"""How a node of the graph is kept in memory: as little as Python allows, one class to a user.

Nothing here is about gradients; `engine.py` is, and reads as if `data`, `grad`, `_prev` and `label`
were plain attributes. A graph of a million nodes is a million of these.

A slot has one meaning in a Value; what stands where others derive from it is said here once:
`_left` and `_right` are the store and the index in it for a parameter that lives in a store
(`store.py`), the place on a tape and the tape for a traced Value (`lifting`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from micrograd import modes
from micrograd.reals import Real, real
from micrograd.rules import ByHand, Rule

__all__ = ["TwinType", "Node", "free_one_by_one"]


class TwinType(type):
    """The classes of leaves, results and parameters are one to a user: `type(v) == Value`.

    They have to differ in memory: a leaf has a dictionary for attributes of one's own, which costs
    32 bytes, a parameter in a store has its number elsewhere. Each says what it `stands_for`.
    """

    stands_for: TwinType

    def __new__(
        meta, name: str, bases: Any, body: Any, stands_for: TwinType | None = None
    ) -> TwinType:  # fmt: skip
        return super().__new__(meta, name, bases, body)

    def __init__(cls, name: str, bases: Any, body: Any, stands_for: TwinType | None = None) -> None:
        super().__init__(name, bases, body)
        cls.stands_for = cls if stands_for is None else stands_for

    def __eq__(cls, other: object) -> bool:
        return cls is other or (isinstance(other, TwinType) and cls.stands_for is other.stands_for)

    def __hash__(cls) -> int:
        return id(cls.stands_for)


class Node(metaclass=TwinType):
    """`data`, `grad`, the rule that made it, its inputs `_prev` and its `label`.

    Two slots hold the inputs, not a tuple: one object a node for the cycle collector to visit
    instead of two, and 56 bytes less (a step of the demo, as measured in fast.py: 97 ms for 55).
    """

    __slots__ = ("_data", "_grad", "_label", "_rule", "_left", "_right", "__weakref__")

    leaf: ClassVar[Any] = None  # the class of `Value(2.0)` and that of an operation's result
    computed: ClassVar[Any] = None
    has_number: ClassVar[bool] = True  # a traced Value has none to look at
    in_store: ClassVar[bool] = False  # its numbers live in a store, with those of others

    # `data` and `grad` read and write these, with checks; the engine's own code, which writes
    # nothing but floats, does so directly
    _data: float
    _grad: float
    _rule: Rule | None  # None: a leaf, nothing made it
    _left: Any  # the first input; all inputs as a tuple where there are more than two
    _right: Any

    def __new__(
        cls, data: Any = 0.0, _children: Any = (), _op: Any = "", *_: Any, **__: Any
    ) -> Any:
        if cls.leaf is not None and cls is cls.leaf.stands_for:  # `Value` itself
            cls = cls.computed if isinstance(_op, Rule) else cls.leaf
        node: Any = object.__new__(cls)
        if modes.active:
            return modes.current_mode().constructs(node, data, _children or _op)
        return node

    @property
    def data(self) -> float:
        if modes.active:
            modes.reading(self, "data")  # type: ignore[arg-type]
        return self._data

    @data.setter
    def data(self, number: Real) -> None:
        if modes.active:
            modes.writing(self, "data")  # type: ignore[arg-type]
        self._data = number if type(number) is float else real(number)

    @property
    def grad(self) -> float:
        if modes.active:
            modes.reading(self, "grad")  # type: ignore[arg-type]
        return self._grad

    @grad.setter
    def grad(self, number: Real) -> None:
        if modes.active:
            modes.writing(self, "grad")  # type: ignore[arg-type]
        self._grad = number if type(number) is float else real(number)

    @property
    def _prev(self) -> tuple[Any, ...]:
        left = self._left
        if left is None:
            return ()
        if type(left) is tuple:
            return left
        return (left,) if self._right is None else (left, self._right)

    @_prev.setter
    def _prev(self, inputs: Sequence[Any]) -> None:
        inputs = tuple(inputs)
        if len(inputs) > 2:
            self._left, self._right = inputs, None
        else:
            self._left = inputs[0] if inputs else None
            self._right = inputs[1] if len(inputs) == 2 else None
        if inputs and self._rule is None:
            self._rule = ByHand("")

    @property
    def _op(self) -> str:
        return "" if self._rule is None else self._rule.name

    @_op.setter
    def _op(self, name: str) -> None:
        rule = self._rule
        if rule is None or isinstance(rule, ByHand):
            self._rule = ByHand(name, None if rule is None else rule.closure)
        else:
            self._rule = ByHand(name, self._backward)  # type: ignore[attr-defined]

    @property
    def label(self) -> str:  # unset in most nodes: storing "" in each would cost 2% of a step
        return getattr(self, "_label", "")

    @label.setter
    def label(self, text: str) -> None:
        if text != "" or hasattr(self, "_label"):  # a label may be 0
            self._label = text

    # --- copies and pickles: whoever needs them imports copying.py --------------------------------

    def __copy__(self) -> Any:
        from micrograd import copying

        return copying.copy(self)  # type: ignore[arg-type]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        from micrograd import copying

        return copying.deepcopy(self, memo)  # type: ignore[arg-type]

    def __reduce__(self) -> tuple[Any, ...]:
        from micrograd import copying

        return copying.reduce(self)  # type: ignore[arg-type]


# --- where the C stack is small -----------------------------------------------------------------

_dying: list[Any] = []
_draining = False


def _free(self: Node) -> None:
    """The finaliser of a node: its inputs die later, one after the other, not inside its own."""
    global _draining
    for name in ("_left", "_right", "_rule"):  # unset where `Value("3")` failed
        _dying.append(getattr(self, name, None))
        try:  # noqa: SIM105, for suppress() takes longer than freeing a node
            setattr(self, name, None)
        except AttributeError:
            pass  # a traced Value's class has no rule, for all of them
    if not _draining:
        _draining = True
        try:
            while _dying:
                _dying.pop()
        finally:
            _draining = False


def free_one_by_one(kind: type[Node], on: bool = True) -> None:
    """Free the nodes of a chain one after the other: a microsecond each in WebAssembly.

    CPython itself frees a node's inputs inside the call that frees the node, up to a depth that
    WebAssembly's stack does not bear: the end of a chain of 10,000 nodes ends the interpreter
    (Python 3.14 in Pyodide, Node 20).
    """
    if on:
        kind.__del__ = _free  # type: ignore[attr-defined]
    elif "__del__" in vars(kind):
        del kind.__del__  # type: ignore[attr-defined]


if sys.platform == "emscripten":
    free_one_by_one(Node)
