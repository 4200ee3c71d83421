"""Steps that are computed turn by turn, as loops of NumPy: recurrences, and choices among cases."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from micrograd.lifting.steps.expression import Apply, reads_of
from micrograd.lifting.steps.ir import Step
from micrograd.lifting.steps.notation import Line, comment
from micrograd.lifting.steps.operands import Operands
from micrograd.lifting.steps.slices import tuple_text
from micrograd.lifting.steps.walks import lanes, moving

__all__ = ["cases", "recurrence"]


def recurrence(operands: Operands, step: Step) -> Line:
    """A step that reads what its earlier turns have written: a loop over those turns."""
    rows = lanes(step)
    turns = [k for k, n in enumerate(step.loops) if n > 1 and k not in rows]
    names = {k: "stuvw"[j] for j, k in enumerate(turns)}
    target = operands.target(step.out, step.loops, names)
    value = operands.notation.write(
        step.value, lambda k: operands.aligned(step.reads[k], step.loops, rows, names)
    )
    sizes = [step.loops[k] for k in turns]
    head = f"for {', '.join(names.values())} in ndindex{tuple_text(sizes)}"
    if len(sizes) == 1:
        head = f"for {names[turns[0]]} in range({sizes[0]})"
    shape = tuple(step.loops[k] for k in moving(step.out, step.loops))
    sign = "+=" if step.accumulate else "="
    return Line(f"{head}: {target} {sign} {value}", comment(shape, step.replaces))


def cases(operands: Operands, step: Step) -> Iterator[Line]:
    """A step whose turns differ: a loop that reads, chooses and writes."""
    assert isinstance(step.value, Apply)
    which, *used = dict.fromkeys(k for x in step.value.inputs for k in reads_of(x))
    names = {k: operands.free(letter) for k, letter in zip(used, "xyzuvw", strict=False)}
    reads = [operands.aligned(step.reads[k], step.loops, (), {0: "s"}) for k in used]
    names[which] = operands.aligned(step.reads[which], step.loops, (), {0: "s"})
    yield Line(f"for s in range({step.loops[0]}):", comment(step.loops, step.replaces))
    yield Line(f"    {', '.join(names[k] for k in used)} = {', '.join(reads)}")
    target = operands.target(step.out, step.loops, {0: "s"})
    sign = "+=" if step.accumulate else "="
    value = operands.notation.write(step.value, names.__getitem__)
    for line in textwrap.wrap(
        f"{target} {sign} {value}", 98, initial_indent="    ", subsequent_indent="        ",
        break_long_words=False, break_on_hyphens=False,
    ):  # fmt: skip
        yield Line(line)
