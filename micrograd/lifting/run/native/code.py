"""Text in LLVM's language: one function's lines, with fresh names, loops and constants.

A value is the name of a double, or of a vector of doubles; `width` says of how many. Nothing here
knows what a step is.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Code", "Loop", "Module", "kind"]


def kind(width: int, element: str = "double") -> str:
    """The type of `width` numbers."""
    return element if width == 1 else f"<{width} x {element}>"


def literal(x: float) -> str:
    """A double, bit for bit."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"


class Module:
    """The functions of one program; what they call is defined or declared once."""

    def __init__(self, fused: bool = True) -> None:
        self.fused = fused  # whether the processor multiplies and adds in one instruction
        self.globals: dict[str, None] = {}
        self.functions: dict[str, str] = {}  # by name

    def need(self, line: str) -> None:
        """A declaration, or a constant."""
        self.globals.setdefault(line)

    def __str__(self) -> str:
        return "\n".join([*self.globals, *self.functions.values(), ""])


@dataclass(slots=True)
class Loop:
    """An open loop: its counter, the values that it carries from turn to turn, its labels."""

    index: str
    carried: list[str]
    label: str
    back: int  # the line that says where the next turn's numbers come from
    step: int
    stop: int
    kinds: list[str]
    starts: list[str]
    before: str


class Code:
    """The lines of one function."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.lines: list[str] = []
        self.block = "entry"
        self._count = 0

    def fresh(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def let(self, text: str) -> str:
        """Give the result of an instruction a new name, and return it."""
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        self.lines.append(f"  {text}")

    # --- numbers ----------------------------------------------------------------------------------

    def number(self, x: float, width: int) -> str:
        return literal(x) if width == 1 else f"splat (double {literal(x)})"

    def integer(self, n: int, width: int) -> str:
        return str(n) if width == 1 else f"splat (i64 {n})"

    def call(self, function: str, width: int, *xs: str) -> str:
        """One of LLVM's own functions of doubles, `fma` or `sqrt`."""
        t = kind(width)
        name = f"@llvm.{function}.{'f64' if width == 1 else f'v{width}f64'}"
        self.module.need(f"declare {t} {name}({', '.join([t] * len(xs))})")
        return self.let(f"call {t} {name}({', '.join(f'{t} {x}' for x in xs)})")

    def fma(self, width: int, a: str, b: str, c: str) -> str:
        """a * b + c, rounded once where the processor can."""
        if self.module.fused:
            return self.call("fma", width, a, b, c)
        return self.binary("fadd", width, self.binary("fmul", width, a, b), c)

    def binary(self, operation: str, width: int, a: str, b: str) -> str:
        return self.let(f"{operation} {kind(width)} {a}, {b}")

    def compare(self, relation: str, width: int, a: str, b: str) -> str:
        return self.let(f"fcmp {relation} {kind(width)} {a}, {b}")

    def both(self, operation: str, width: int, a: str, b: str) -> str:
        """Two truth values combined by `and` or `or`."""
        return self.let(f"{operation} {kind(width, 'i1')} {a}, {b}")

    def select(self, width: int, condition: str, a: str, b: str) -> str:
        t = kind(width)
        return self.let(f"select {kind(width, 'i1')} {condition}, {t} {a}, {t} {b}")

    def as_integer(self, width: int, x: str) -> str:
        return self.let(f"bitcast {kind(width)} {x} to {kind(width, 'i64')}")

    def as_number(self, width: int, x: str) -> str:
        return self.let(f"bitcast {kind(width, 'i64')} {x} to {kind(width)}")

    def whole(self, operation: str, width: int, a: str, b: str) -> str:
        """An operation on 64-bit integers."""
        return self.let(f"{operation} {kind(width, 'i64')} {a}, {b}")

    # --- vectors ----------------------------------------------------------------------------------

    def spread(self, width: int, x: str) -> str:
        """One number in every lane."""
        if width == 1:
            return x
        t = kind(width)
        one = self.let(f"insertelement {t} poison, double {x}, i64 0")
        return self.shuffle(width, one, "poison", [0] * width)

    def shuffle(self, width: int, a: str, b: str, lanes: Sequence[int]) -> str:
        """The named lanes of a, then b, both of this width."""
        t, count = kind(width), len(lanes)
        chosen = ", ".join(f"i32 {k}" for k in lanes)
        return self.let(f"shufflevector {t} {a}, {t} {b}, <{count} x i32> <{chosen}>")

    def lane(self, width: int, x: str, k: int) -> str:
        return x if width == 1 else self.let(f"extractelement {kind(width)} {x}, i64 {k}")

    def pack(self, width: int, xs: Sequence[str]) -> str:
        """A vector of single numbers; lanes without one hold 0."""
        if width == 1:
            return xs[0]
        made = "zeroinitializer"
        for k, x in enumerate(xs):
            made = self.let(f"insertelement {kind(width)} {made}, double {x}, i64 {k}")
        return made

    def mask(self, width: int, count: int) -> str:
        """True in the first `count` lanes."""
        return f"<{', '.join(f'i1 {int(k < count)}' for k in range(width))}>"

    # --- memory -----------------------------------------------------------------------------------

    def move(self, pointer: str, elements: int | str) -> str:
        """A pointer so many doubles further on."""
        if elements == 0:
            return pointer
        return self.let(f"getelementptr double, ptr {pointer}, i64 {elements}")

    def load(self, width: int, pointer: str, count: int | None = None) -> str:
        """`width` numbers that lie side by side; only the first `count` are touched."""
        t = kind(width)
        if count is None or count == width:
            return self.let(f"load {t}, ptr {pointer}, align 8")
        i = kind(width, "i1")
        name = f"@llvm.masked.load.v{width}f64.p0"
        self.module.need(f"declare {t} {name}(ptr, i32, {i}, {t})")
        mask = self.mask(width, count)
        return self.let(f"call {t} {name}(ptr {pointer}, i32 8, {i} {mask}, {t} zeroinitializer)")

    def store(self, width: int, x: str, pointer: str, count: int | None = None) -> None:
        t = kind(width)
        if count is None or count == width:
            self.do(f"store {t} {x}, ptr {pointer}, align 8")
            return
        i = kind(width, "i1")
        name = f"@llvm.masked.store.v{width}f64.p0"
        self.module.need(f"declare void {name}({t}, ptr, i32, {i})")
        self.do(f"call void {name}({t} {x}, ptr {pointer}, i32 8, {i} {self.mask(width, count)})")

    # --- control ----------------------------------------------------------------------------------

    def label(self, name: str) -> None:
        self.lines.append(f"{name[1:]}:")
        self.block = name[1:]

    def open(
        self, turns: int, step: int = 1, carried: Sequence[str] = (), kinds: Sequence[str] = ()
    ) -> Loop:
        """Begin a loop whose counter goes 0, step, ... below `turns` (at least once)."""
        label, index = self.fresh(), self.fresh()
        names = [self.fresh() for _ in carried]
        before = self.block
        self.do(f"br label {label}")
        self.label(label)
        back = len(self.lines)
        self.lines += [""] * (1 + len(names))
        return Loop(index, names, label, back, step, turns, list(kinds), list(carried), before)

    def close(self, loop: Loop, carried: Sequence[str] = ()) -> None:
        """End a loop; `carried`: the values for the next turn, or after the last the results."""
        after, following, more = self.fresh(), self.fresh(), self.fresh()
        self.do(f"{following} = add nuw nsw i64 {loop.index}, {loop.step}")
        self.do(f"{more} = icmp ult i64 {following}, {loop.stop}")
        self.do(f"br i1 {more}, label {loop.label}, label {after}")
        phis = [f"  {loop.index} = phi i64 [ 0, %{loop.before} ], [ {following}, %{self.block} ]"]
        for name, t, start, last in zip(
            loop.carried, loop.kinds, loop.starts, carried, strict=True
        ):
            phis.append(
                f"  {name} = phi {t} [ {start}, %{loop.before} ], [ {last}, %{self.block} ]"
            )
        self.lines[loop.back : loop.back + len(phis)] = phis
        self.label(after)

    def function(self, name: str, signature: str, result: str = "void", marks: str = "") -> str:
        """The finished function."""
        head = f"define {result} {name}({signature}) {marks} {{\nentry:"
        return "\n".join([head, *self.lines, "}"])
