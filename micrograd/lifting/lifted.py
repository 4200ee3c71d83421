"""`lift`: record a function of Values once, then run it as an array program.

The decorator keeps one program for each combination of shapes and static arguments, and records
again when something that the function names has changed. `recording.record` is the path from the
function to its instructions; read it next.
"""

from __future__ import annotations

import gc
import inspect
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import update_wrapper
from types import MethodType
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.lifting.arguments import Arguments, read
from micrograd.lifting.batch import SIZES, DoesNotExtend, fit
from micrograd.lifting.compare import compare
from micrograd.lifting.environment import Environment
from micrograd.lifting.program import Program
from micrograd.lifting.progress import Progress
from micrograd.lifting.record import Tape
from micrograd.lifting.recording import Recorded, record
from micrograd.lifting.schedule import PARAMETERS

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
        self.program, found = self._program(args, kwargs)
        return self.program.run(found)

    def _program(self, args: Any, kwargs: Any) -> tuple[Program, Arguments]:
        """The program for these arguments, recorded if need be, and the arguments taken apart."""
        found = read(args, kwargs, self.batched)
        key = tuple(found.key)
        entry = self.programs.get(key)
        if entry is None or not entry.environment.same():
            entry = self._keep(key, args, kwargs, found)
        elif len(self.programs) > 1:
            with suppress(KeyError):  # another thread may have dropped it meanwhile
                self.programs.move_to_end(key)
        program = entry.programs.get(found.size) or self._record(entry, args, kwargs, found)
        return program, found

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Run eager beside lifted on these arguments; LiftError where a number or gradient differs.

        Gradients are those of the sum of all results. Grads, running statistics and generators are
        left as they were.
        """
        if not isinstance(engine.current_mode(), Tape):
            self.program, _ = self._program(args, kwargs)
            compare(self.function, self.program, args, kwargs)

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
