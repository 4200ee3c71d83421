"""`lift`: record a function of Values once, then run it as an array program.

The decorator keeps one program for each combination of shapes and static arguments, and records
again when something that the function names has changed. `record` is the path from the function to
its instructions; read it next.
"""

from __future__ import annotations

import gc
import inspect
import math
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import update_wrapper
from types import MethodType
from typing import Any, NamedTuple

import numpy as np

from micrograd import engine
from micrograd.engine import Value, backward
from micrograd.lifting.arguments import Arguments, Template, Tracer, flat_values, read
from micrograd.lifting.batch import SIZES, DoesNotExtend, fit
from micrograd.lifting.call import ResultArray
from micrograd.lifting.environment import Environment
from micrograd.lifting.fuse import Fused, fuse
from micrograd.lifting.guard import guarded
from micrograd.lifting.program import (
    Argument,
    Outside,
    Program,
    Recording,
    Result,
    State,
    Update,
)
from micrograd.lifting.progress import Progress
from micrograd.lifting.record import INPUT, LiftError, Tape
from micrograd.lifting.schedule import PARAMETERS, schedule
from micrograd.lifting.strides import Access, nest
from micrograd.store import gather

__all__ = ["Lifted", "lift"]

_PROGRAMS = 64  # how many programs a lifted function keeps; the least recently used goes first


class Lifted:
    """A function that records itself and runs lifted; `program` is the one that ran last."""

    def __init__(self, function: Callable[..., Any], batched: Sequence[str] = ()) -> None:
        update_wrapper(self, function)
        self.function = function
        self.__name__ = getattr(function, "__name__", "lifted")
        self._parameters = _parameter_names(function)
        self.batched = _batched_places(function, batched)
        self.programs: OrderedDict[Any, Entry] = OrderedDict()
        self.program: Program | None = None
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(engine.current_mode(), Tape):  # inside another recording: part of it
            return self.function(*args, **kwargs)
        found = read(args, kwargs, self.batched)
        key = tuple(found.key)
        entry = self.programs.get(key)
        if entry is None or not entry.environment.same():
            entry = self._keep(key, args, kwargs, found)
        elif len(self.programs) > 1:
            with suppress(KeyError):  # another thread may have dropped it meanwhile
                self.programs.move_to_end(key)
        self.program = entry.programs.get(found.size) or self._record(entry, args, kwargs, found)
        return self.program.run(found)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Run eager beside lifted on these arguments; LiftError where a number or a gradient
        differs.

        Gradients are those of the sum of all results. Neither grads nor generators are changed.
        """
        self(*args, **kwargs)
        program = self.program
        assert program is not None
        recording = program.recording
        leaves = [*program.parameters, *(o.value for o in recording.outside)]
        leaves += flat_values(read(args, kwargs).values)
        leaves = list(dict.fromkeys(leaves))
        generators = [state.generator for state in recording.states]
        buffers = [
            (u.module, u.name, u.module.read_buffer(u.name).copy()) for u in recording.updates
        ]
        before = [leaf.grad for leaf in leaves]
        states = [generator.bit_generator.state for generator in generators]
        sides = []
        try:
            for function in (self.function, self):
                for generator, state in zip(generators, states, strict=True):
                    generator.bit_generator.state = state
                for module, name, values in buffers:
                    module.update_buffer(name, values)
                for leaf in leaves:
                    leaf.grad = 0.0
                results = _values(function(*args, **kwargs))
                if results:
                    backward(sum(results[1:], results[0]))
                sides.append(([v.data for v in results], [leaf.grad for leaf in leaves]))
        finally:
            for leaf, g in zip(leaves, before, strict=True):
                leaf.grad = g
            for module, name, values in buffers:
                module.update_buffer(name, values)
        for what, eager, lifted in zip(("result", "gradient"), *sides, strict=True):
            _agree(f"{self.__name__}: {what}", np.array(eager), np.array(lifted))

    def _keep(self, key: Any, args: Any, kwargs: Any, found: Arguments) -> Entry:
        with self._lock:
            environment = Environment.of(self.function, (args, tuple(kwargs.values())))
            entry = self.programs[key] = Entry(environment, {}, found.kept)
            self.programs.move_to_end(key)
            while len(self.programs) > _PROGRAMS:
                self.programs.popitem(last=False)
            return entry

    def _record(self, entry: Entry, args: Any, kwargs: Any, found: Arguments) -> Program:
        with self._lock, _collector_paused(), Progress():
            recorded = None
            paths = entry.environment.paths()
            reachable = list(paths)
            if found.size is not None and found.size >= SIZES[0][0]:
                if entry.extends is None:
                    entry.extends = self._extend(args, kwargs, found, reachable)
                if isinstance(entry.extends, Recorded):
                    recording = entry.extends.recording.at(found.size)
                    recorded = entry.extends._replace(recording=recording)
            if recorded is None:
                recorded = record(self.function, args, kwargs, found, reachable)
            program = entry.programs[found.size] = Program(self.__name__, *recorded)
            program.argument_names = self._names(args, kwargs)
            program.paths = {
                PARAMETERS + int(at): paths[p]
                for p, at in zip(program.parameters, program.positions, strict=True)
                if p in paths
            }
            while len(entry.programs) > _PROGRAMS:
                del entry.programs[next(iter(entry.programs))]
            return program

    def _names(self, args: Any, kwargs: Any) -> list[str]:
        """A name for each array among the arguments, after the parameter that it came in."""
        found: list[str] = []
        for name, x in [*zip(self._parameters, args, strict=False), *sorted(kwargs.items())]:
            count = len(read((x,), {}).arrays)
            found += [name] if count == 1 else [f"{name}_{i}" for i in range(count)]
        return found

    def _extend(self, args: Any, kwargs: Any, found: Arguments, reachable: list[Value]) -> Any:
        """A recording as a function of the batch size, or the reason why there is none."""
        reason: DoesNotExtend | None = None
        for sizes in SIZES:
            recorded = []
            for size in sizes:

                def resize(
                    number: int, shape: tuple[int, ...], size: int = size
                ) -> tuple[int, ...]:
                    return (size, *shape[1:]) if number in found.sizes else shape

                recorded.append(record(self.function, args, kwargs, found, reachable, resize))
            first = recorded[0]
            try:
                if any(r.parameters != first.parameters for r in recorded):
                    raise DoesNotExtend("another batch size captures other parameters")
                if not all(first.template.same_structure(r.template) for r in recorded):
                    raise DoesNotExtend("another batch size returns another structure")
                return first._replace(recording=fit(sizes, [r.recording for r in recorded]))
            except DoesNotExtend as error:
                reason = reason or error
        warnings.warn(
            f"{self.__name__} does not extend along the batch, and is recorded in full: {reason}",
            stacklevel=4,
        )
        return reason


def _values(x: Any) -> list[Value]:
    """Every Value in a structure of results, in order."""
    found: list[Value] = []
    stack = [x]
    while stack:
        item = stack.pop()
        if isinstance(item, Value):
            found.append(item)
        elif isinstance(item, dict):
            stack += reversed(list(item.values()))
        elif isinstance(item, (list, tuple, ResultArray)) or (
            isinstance(item, np.ndarray) and item.dtype == object
        ):
            stack += reversed(list(item))
    return found


def _agree(what: str, eager: np.ndarray, lifted: np.ndarray) -> None:
    if eager.shape != lifted.shape:
        raise LiftError(f"{what}s: {eager.size} eager, {lifted.size} lifted")
    finite = np.abs(eager[np.isfinite(eager)])
    tolerance = 1e-9 * max(1.0, finite.max(initial=0.0))
    wrong = ~np.isclose(eager, lifted, rtol=1e-9, atol=tolerance, equal_nan=True)
    if wrong.any():
        i = int(wrong.argmax())
        raise LiftError(f"{what} {i} is {eager[i]} eager and {lifted[i]} lifted")


class Entry:
    """The programs of one key, by batch size (None: no batch), and what they depend on."""

    __slots__ = ("environment", "programs", "kept", "extends")

    def __init__(self, environment: Environment, programs: dict[Any, Program], kept: Any) -> None:
        self.environment = environment
        self.programs = programs
        self.kept = kept  # objects that the key names by identity
        self.extends: Any = None  # the recording for any size; why there is none; None: not tried


def _parameter_names(function: Callable[..., Any]) -> list[str]:
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        repeated = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        found += [f"{name}_{i}" for i in range(99)] if repeated else [name]
    return found


def _batched_places(function: Callable[..., Any], batched: Sequence[str]) -> tuple[int | str, ...]:
    """Positions and names of the batched arguments."""
    if not batched:
        return ()
    names = list(inspect.signature(function).parameters)
    for name in batched:
        if name not in names:
            raise TypeError(f"lift(batched=...) names {name!r}, but the arguments are {names}")
    return (*batched, *(names.index(name) for name in batched))


def lift(function: Callable[..., Any] | None = None, *, batched: Sequence[str] = ()) -> Any:
    """The same function, recorded once and run as an array program: `@lift`,
    `@lift(batched=("X",))`.
    """
    if function is None:
        return lambda f: Lifted(f, batched)
    if not callable(function):
        raise TypeError(f"lift decorates a function, got {function!r}")
    return Lifted(function, batched)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A recording makes millions of objects and no cycles: 2.3 us a node so, 3.1 with the
    collector.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class Recorded(NamedTuple):
    """One run of the function on traced arguments, compiled as far as instructions."""

    recording: Any  # a Recording, or Fitted: one for each batch size
    parameters: list[Value]
    positions: list[int]
    template: Template


def record(
    function: Callable[..., Any],
    args: Any,
    kwargs: dict[str, Any],
    found: Arguments,
    reachable: Iterable[Value] = (),
    resize: Callable[[int, tuple[int, ...]], tuple[int, ...]] = lambda number, shape: shape,
) -> Recorded:
    """Run the function on traced arguments and find the instructions in what it did."""
    tape = Tape()
    tracer = Tracer(tape, resize)
    traced_args = [tracer.rebuild(x) for x in args]
    traced_kwargs = {name: tracer.rebuild(kwargs[name]) for name in sorted(kwargs)}
    progress = Progress.current or Progress()
    progress.nodes = tape.kinds
    try:
        with engine.mode(tape), guarded(reachable):
            returned = function(*traced_args, **traced_kwargs)
    except IndexError as fault:
        raise tape.explained(fault) from None
    progress.step = "finding the arrays"
    template = Template(tape, returned)
    updates = [
        (module, name, np.array([tape.find(v) for v in np.asarray(values).flat]), np.shape(values))
        for (module, name), values in tape.buffers.items()
    ]
    leaves = [*template.places, *(places for _, _, places, _ in updates)]
    needed = [int(place) for places in leaves for place in places.flat]
    fused = fuse(tape, needed)
    parameters = _in_order_of_use(tape, fused)
    outside = [(v, i) for v, i in tape.captured.items() if v._rule is not None]
    for _, i in outside:
        tape.kinds[i] = INPUT
    gather(parameters)
    first = min((p._right for p in parameters), default=0)
    positions = [p._right - first for p in parameters]
    places = [tape.captured[p] for p in parameters]
    layout = schedule(tape, fused, dict(zip(places, positions, strict=True)))
    at = layout.address
    found_at = np.array([at[i] for i in fused.outputs], dtype=np.int64)
    pieces = np.split(found_at, np.cumsum([places.size for places in leaves]))[:-1]
    arguments = [
        Argument(at[start] if math.prod(shape) else 0, shape, values is not None)
        for start, shape, values in zip(tracer.first, tracer.shapes, found.values, strict=True)
    ]
    states = [
        State(at[drawn.flat[0]._left], shape, generator)
        for generator, shape, drawn in tape.draws
        if drawn.size
    ]
    count = len(template.places)
    recording = Recording(
        layout._replace(address={}),
        tuple(arguments),
        tuple(
            _result(piece, leaf.shape) for piece, leaf in zip(pieces, template.places, strict=False)
        ),
        tuple(states),
        tuple(
            Update(module, name, piece.reshape(shape))
            for piece, (module, name, _, shape) in zip(pieces[count:], updates, strict=True)
        ),
        tuple(Outside(at[i], v) for v, i in outside),
    )
    return Recorded(recording, parameters, positions, template)


def _result(found: np.ndarray, shape: tuple[int, ...]) -> Result:
    factored = nest(found[None]) if found.size else None
    if factored is None:
        return Result(shape, Access(0, (found.size,), (1,), found))
    loops, strides = factored
    return Result(shape, Access(int(found[0]), loops, tuple(map(int, strides[0]))))


def _in_order_of_use(tape: Tape, fused: Fused) -> list[Value]:
    """The captured leaves, so that what one group reads lies side by side in a new store."""
    value_at = {i: v for v, i in tape.captured.items() if v._rule is None}
    ordered: dict[Value, None] = {}
    wide = sorted(fused.nodes, key=lambda node: -len(node.operands[-1]))

    seen: set[int] = set()

    def visit(places: Sequence[int]) -> None:
        if id(places) in seen:
            return
        seen.add(id(places))
        for place in places:
            if place in value_at:
                ordered.setdefault(value_at[place])

    for role in (1, 0):
        for node in wide:
            if node.kind in ("dot", "take") and role < len(node.operands):
                visit(node.operands[role])
    for node in fused.nodes:
        for places in node.operands:
            visit(places)
        if node.start in value_at:
            ordered.setdefault(value_at[node.start])
    return list(ordered)
