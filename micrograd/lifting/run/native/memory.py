"""Reads and writes of memory in a nest's code: pointers move with the loops, loads are kept.

A pointer is a name and a number of elements further on, which costs no instruction until it is
used. A number that was read once is not read again while nobody can have written it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from micrograd.lifting.run.native.code import Code
from micrograd.lifting.run.native.signature import Signature
from micrograd.lifting.steps.ir import View

__all__ = ["At", "Memory", "Pointers"]

Pointers = tuple[tuple[str, int], ...]  # for each slot: a name, and how many elements further


@dataclass(frozen=True, slots=True)
class At:
    """A position in the code of a nest: its pointers, the number of lanes, and the row."""

    pointers: Pointers
    lane: int | None
    width: int
    count: int

    def moved(self, memory: Memory, loop: int | None, turns: int) -> At:
        if loop is None or turns == 0:
            return self
        return replace(self, pointers=memory.moved(self.pointers, loop, turns))


class Memory:
    """The pointers and loads of one function."""

    def __init__(self, code: Code, signature: Signature) -> None:
        self.code, self.signature = code, signature
        self._known: list[dict[Any, str]] = [{}]
        self._products: dict[tuple[str, int], str] = {}

    # --- pointers ---------------------------------------------------------------------------------

    def start(self) -> Pointers:
        found = []
        for slot in self.signature.slots:
            number = slot.pointer if slot.table is None else slot.table
            found.append((f"%p{number}", slot.base))
        return tuple(found)

    def moved(self, pointers: Pointers, loop: int, turns: int | str) -> Pointers:
        """The pointers so many turns of a loop further on."""
        return tuple(
            self._moved(pointer, self._stride(number, loop), turns)
            for number, pointer in enumerate(pointers)
        )

    def all_moved(self, several: Sequence[Pointers], loop: int, turns: str) -> list[Pointers]:
        """`moved`, where places that differ by a distance only share the moved name."""
        known: dict[tuple[str, int], str] = {}
        found = []
        for pointers in several:
            made = []
            for number, (name, offset) in enumerate(pointers):
                stride = self._stride(number, loop)
                if stride == 0:
                    made.append((name, offset))
                    continue
                if (name, stride) not in known:
                    known[name, stride] = self._moved((name, 0), stride, turns)[0]
                made.append((known[name, stride], offset))
            found.append(tuple(made))
        return found

    def _stride(self, number: int, loop: int) -> int:
        strides = self.signature.slots[number].strides
        return strides[loop] if loop < len(strides) else 0

    def _moved(self, pointer: tuple[str, int], stride: int, turns: int | str) -> tuple[str, int]:
        name, offset = pointer
        if stride == 0:
            return pointer
        if isinstance(turns, int):
            return name, offset + turns * stride
        distance = turns
        if stride != 1:
            if (turns, stride) not in self._products:
                self._products[turns, stride] = self.code.whole("mul", 1, turns, str(stride))
            distance = self._products[turns, stride]
        return self.code.move(name, distance), offset

    # --- loads that are kept ----------------------------------------------------------------------

    def enter(self) -> None:
        self._known.append({})

    def leave(self) -> None:
        self._known.pop()

    def lasts(self, view: View) -> bool:
        """Whether nothing in the nest writes where this view may read."""
        slots = self.signature.slots
        while view is not None:
            if slots[self.signature.slot(view)].pointer in self.signature.written:
                return False
            view = view.index  # type: ignore[assignment]
        return True

    def _keep(self, key: Any, value: str) -> str:
        self._known[-1][key] = value
        return value

    def _find(self, key: Any) -> str | None:
        return next((known[key] for known in reversed(self._known) if key in known), None)

    def _forget(self, pointer: int) -> None:
        """Forget what was read through a pointer: something was written there."""
        for known in self._known:
            for key in [key for key in known if key[0] == pointer]:
                del known[key]

    # --- reading and writing ----------------------------------------------------------------------

    def read(self, view: View, at: At, spread: bool = False) -> str:
        """The numbers that a view stands at; `spread`: as many as there are lanes."""
        number = self.signature.slot(view)
        slot = self.signature.slots[number]
        lane = at.lane if at.lane is not None and self.depends(number, at.lane) else None
        width = at.width if lane is not None or spread else 1
        key = (slot.pointer, number, self._place(number, at), lane, width, at.count)
        if lane is None:
            key = (*key[:3], None, width, 1)
        found = self._find(key)
        if found is not None:
            return found
        if lane is None:
            if width == 1:
                return self._keep(key, self.code.load(1, self._address(number, at, 0)))
            return self._keep(key, self.code.spread(width, self.read(view, at)))
        stride = self._stride(number, lane)
        if slot.table is None and stride == 1 and not self._index_depends(number, lane):
            found = self.code.load(width, self._address(number, at, 0), at.count)
        else:
            lanes = [self.code.load(1, self._address(number, at, turn)) for turn in range(at.count)]
            found = self.code.pack(width, lanes)
        return self._keep(key, found)

    def find_row(self, view: View, at: At) -> None:
        """Read now which row an index chooses."""
        slot = self.signature.slots[self.signature.slot(view)]
        if slot.index is not None:
            self._row(slot.index, slot.rows, at, 0)

    def _place(self, number: int, at: At) -> tuple[Any, ...]:
        index = self.signature.slots[number].index
        return at.pointers[number], None if index is None else self._place(index, at)

    def depends(self, number: int, loop: int) -> bool:
        return bool(self._stride(number, loop)) or self._index_depends(number, loop)

    def _index_depends(self, number: int, loop: int) -> bool:
        index = self.signature.slots[number].index
        return index is not None and self.depends(index, loop)

    def _address(self, number: int, at: At, turn: int) -> str:
        """A pointer to the element that a view stands at, `turn` lanes further on."""
        code, slot = self.code, self.signature.slots[number]
        name, offset = at.pointers[number]
        if at.lane is not None:
            offset += turn * self._stride(number, at.lane)
        pointer = code.move(name, offset)
        if slot.index is not None:
            row = self._row(slot.index, slot.rows, at, turn)
            if slot.step != 1:
                row = code.whole("mul", 1, row, str(slot.step))
            pointer = code.move(pointer, row)
        if slot.table is None:
            return pointer
        element = code.let(f"load i64, ptr {pointer}, align 8")
        return code.move(f"%p{slot.pointer}", element)

    def _row(self, number: int, rows: int, at: At, turn: int) -> str:
        """The row that an index chooses; out of range, the function returns at once."""
        code, lane = self.code, at.lane
        if lane is not None and not self.depends(number, lane):
            turn = 0
        place = (self._place(number, at), turn)
        key = (self.signature.slots[number].pointer, "row", number, place, rows)
        found = self._find(key)
        if found is not None:
            return found
        address = self._address(number, at, turn)
        if self.signature.slots[number].whole:
            return self._keep(key, code.let(f"load i64, ptr {address}, align 8"))
        x = code.load(1, address)
        code.module.need("declare i64 @llvm.fptosi.sat.i64.f64(double)")
        row = code.let(f"call i64 @llvm.fptosi.sat.i64.f64(double {x})")
        good, bad, well = code.fresh(), code.fresh(), code.fresh()
        code.do(f"{well} = icmp ult i64 {row}, {rows}")
        code.do(f"br i1 {well}, label {good}, label {bad}")
        code.label(bad)
        code.do(f"store i64 {row}, ptr %fault")
        code.do(f"store i64 {rows}, ptr {code.let('getelementptr i64, ptr %fault, i64 1')}")
        code.do("ret i32 1")
        code.label(good)
        return self._keep(key, row)

    def write(self, view: View, value: str, at: At, add: bool) -> str:
        """Write numbers, or add them to those that are there; returns what is there afterwards."""
        code, number = self.code, self.signature.slot(view)
        slot = self.signature.slots[number]
        lane = at.lane
        if (
            lane is not None
            and slot.table is None
            and self._stride(number, lane) == 1
            and not self._index_depends(number, lane)
        ):
            address = self._address(number, at, 0)
            if add:
                before = code.load(at.width, address, at.count)
                value = code.binary("fadd", at.width, before, value)
            code.store(at.width, value, address, at.count)
        else:
            lanes = []
            for turn in range(at.count):
                address = self._address(number, at, turn)
                x = code.lane(at.width, value, turn)
                if add:
                    x = code.binary("fadd", 1, code.load(1, address), x)
                code.store(1, x, address)
                lanes.append(x)
            if add:
                value = code.pack(at.width, lanes)
        self._forget(slot.pointer)
        return value
