"""The path from a function to its instructions: run it on a tape, fuse, schedule, factor.

`record` is that path in one screen; `lifted.py` decides when to take it. Read `tape.py`,
`record.py`, `fuse.py`, `schedule.py` and `strides.py` next, in this order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.arguments import Arguments
from micrograd.lifting.batch import SIZES, DoesNotExtend, Extent, fit, prove
from micrograd.lifting.effects import Captured
from micrograd.lifting.errors import LiftError, explained, unrepeated
from micrograd.lifting.fuse import Fused, fuse
from micrograd.lifting.layout import Argument, Outside, Recording, Result, State, Update
from micrograd.lifting.progress import current_progress
from micrograd.lifting.record import Recorder
from micrograd.lifting.schedule import schedule
from micrograd.lifting.straight import NARROW
from micrograd.lifting.strides import Access, nest
from micrograd.lifting.tape import INPUT, NONE, Tape
from micrograd.lifting.template import Template
from micrograd.lifting.tracer import Tracer
from micrograd.lifting.uses import needed
from micrograd.modes import mode
from micrograd.store import gather

__all__ = ["Recorded", "Run", "record", "record_any_size", "trace"]


_FEWER_THAN_ROWS = 2  # a batch is an array, also in the recordings of a few rows
Resize = Callable[[int, tuple[int, ...]], tuple[int, ...]]


class Recorded(NamedTuple):
    """One run of the function on traced arguments, compiled as far as instructions."""

    recording: Any  # a Recording, or Fitted: one for each batch size
    parameters: list[Value]
    positions: list[int]
    template: Template
    kinds: Counter[Any]  # how many scalar operations of each kind the results need
    smallest: int = 0  # the batch size from which on a Fitted recording holds


class Run(NamedTuple):
    """One run of the function on traced arguments: what it did, and what it returned."""

    recorder: Recorder
    tracer: Tracer
    template: Template

    @property
    def tape(self) -> Tape:
        return self.recorder.tape

    def leaves(self) -> list[np.ndarray]:
        """The places of all numbers that are wanted: results, then running statistics."""
        run = self.recorder
        statistics = [np.array(run.places(np.ravel(new))) for new in run.buffers.values()]
        return [*self.template.places, *statistics]

    def extent(self) -> Extent:
        """How many operations the results need, which constants, and the shapes of the results."""
        outputs = [int(place) for places in self.leaves() for place in places.flat]
        shapes = [places.shape for places in self.template.places]
        return Extent(*needed(self.tape, outputs), shapes)


def unchanged(number: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to record an argument at: its own."""
    return shape


def trace(
    function: Callable[..., Any],
    args: Any,
    kwargs: dict[str, Any],
    captured: Captured | None = None,
    resize: Resize = unchanged,
    batched: Sequence[int | str] = (),
) -> Run:
    """Run the function on traced arguments; `batched` are the positions and names of batches."""
    recorder = Recorder()
    tracer = Tracer(recorder, resize)
    traced_args = [tracer.rebuild(x, i not in batched) for i, x in enumerate(args)]
    traced_kwargs = {
        name: tracer.rebuild(kwargs[name], name not in batched) for name in sorted(kwargs)
    }
    progress = current_progress()
    progress.nodes = recorder.tape
    try:
        with mode(recorder):
            returned = function(*traced_args, **traced_kwargs)
    except (IndexError, TypeError) as fault:
        said = explained(fault)
        if said is fault:
            raise
        raise said from None
    progress.step = "finding the arrays"
    if not tracer.unchanged():
        raise unrepeated(function, "changing an argument in place")
    try:
        template = Template(recorder, returned)
    except LiftError:  # with the line already
        raise
    except TypeError as fault:
        raise unrepeated(function, str(fault)) from None
    if captured is not None:
        captured.add(recorder)
    return Run(recorder, tracer, template)


def record(
    function: Callable[..., Any],
    args: Any,
    kwargs: dict[str, Any],
    found: Arguments,
    captured: Captured | None = None,
    resize: Resize = unchanged,
) -> Recorded:
    """Run the function on traced arguments and find the instructions in what it did."""
    run = trace(function, args, kwargs, captured, resize, found.places)
    recorder, tracer, template = run
    tape = recorder.tape
    leaves = run.leaves()
    fused = fuse(tape, [int(place) for places in leaves for place in places.flat])
    parameters = _in_order_of_use(recorder.captured, fused)
    outside = [(v, i) for v, i in recorder.captured.items() if v._rule is not None]
    for _, i in outside:
        tape.kinds[i], tape.lefts[i] = INPUT, NONE  # of no argument
    gather(parameters)
    first = min((p._right for p in parameters), default=0)
    positions = [p._right - first for p in parameters]
    places = [recorder.captured[p] for p in parameters]
    narrow = _FEWER_THAN_ROWS if found.sizes else NARROW
    layout, at = schedule(tape, fused, dict(zip(places, positions, strict=True)), narrow)
    addresses = np.array([at[i] for i in fused.outputs], dtype=np.int64)
    pieces = np.split(addresses, np.cumsum([places.size for places in leaves]))[:-1]
    results = pieces[: len(template.places)]
    recording = Recording(
        layout,
        tuple(
            Argument(at[start] if math.prod(shape) else 0, shape, values is not None)
            for start, shape, values in zip(tracer.first, tracer.shapes, found.values, strict=True)
        ),
        tuple(_result(piece, p.shape) for piece, p in zip(results, template.places, strict=True)),
        tuple(
            State(at[drawn.flat[0]._left], shape, generator)
            for generator, shape, drawn in recorder.draws
            if drawn.size
        ),
        tuple(
            Update(module, name, piece.reshape(np.shape(new)))
            for piece, ((module, name), new) in zip(
                pieces[len(results) :], recorder.buffers.items(), strict=True
            )
        ),
        tuple(Outside(at[i], v) for v, i in outside),
    )
    return Recorded(recording, parameters, positions, template, fused.kinds)


def record_any_size(
    function: Callable[..., Any],
    args: Any,
    kwargs: dict[str, Any],
    found: Arguments,
    captured: Captured,
) -> Recorded | DoesNotExtend:
    """A recording as a function of the batch size, or the reason why there is none."""
    reason = DoesNotExtend()

    def resized(size: int) -> Resize:
        return lambda number, shape: (size, *shape[1:]) if number in found.sizes else shape

    for sizes, larger in SIZES:
        recorded = [record(function, args, kwargs, found, captured, resized(n)) for n in sizes]
        first = recorded[0]
        try:
            if any(r.parameters != first.parameters for r in recorded):
                raise DoesNotExtend("another batch size captures other parameters")
            if not all(first.template.same_structure(r.template) for r in recorded):
                raise DoesNotExtend("another batch size returns another structure")
            fitted = fit(sizes, [r.recording for r in recorded])
            run = trace(function, args, kwargs, captured, resized(larger), found.places)
            prove(sizes, [r.kinds for r in recorded], fitted, larger, run.extent())
            return first._replace(recording=fitted, smallest=sizes[0])
        except DoesNotExtend as error:
            reason = reason if reason.args else error
    return reason


def _result(found: np.ndarray, shape: tuple[int, ...]) -> Result:
    factored = nest(found[None]) if found.size else None
    if factored is None:
        return Result(shape, Access(0, (found.size,), (1,), found))
    loops, strides = factored
    return Result(shape, Access(int(found[0]), loops, tuple(map(int, strides[0]))))


def _in_order_of_use(captured: dict[Value, int], fused: Fused) -> list[Value]:
    """The captured leaves, so that what one group reads lies side by side in a new store."""
    value_at = {i: v for v, i in captured.items() if v._rule is None}
    count = len(value_at)  # once all are found, often in the first example, nothing can follow
    ordered: dict[int, None] = {}  # their places
    wide = [node for node in fused.nodes if node.kind in ("dot", "take")]
    wide.sort(key=lambda node: -len(node.operands[-1]))
    seen: set[int] = set()

    def visit(places: Sequence[int]) -> None:
        if id(places) in seen:
            return
        seen.add(id(places))
        for place in places:
            if place in value_at:
                ordered[place] = None

    for role in (1, 0):
        for node in wide:
            if len(ordered) == count:
                break
            if role < len(node.operands):
                visit(node.operands[role])
    for node in fused.nodes:
        if len(ordered) == count:
            break
        for places in node.operands:
            if len(places) > 1:
                visit(places)
            elif places[0] in value_at:
                ordered[places[0]] = None
        if node.start is not None and node.start in value_at:
            ordered[node.start] = None
    return [value_at[place] for place in ordered]
