"""A lifted function: recorded once, then run as an array program.

It keeps one program for each combination of shapes and static arguments, and records again when
something that the function names has changed. `recording.record` is the path from the
function to its instructions; read it next.
"""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import update_wrapper
from types import FunctionType, MethodType
from typing import Any, Generic, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from micrograd import modes
from micrograd.lifting.arguments import Arguments, read, roots
from micrograd.lifting.batch import SIZES, DoesNotExtend
from micrograd.lifting.compare import compare
from micrograd.lifting.effects import Captured
from micrograd.lifting.errors import whereabouts
from micrograd.lifting.executable import Executable
from micrograd.lifting.history import History
from micrograd.lifting.layout import PARAMETERS
from micrograd.lifting.paths import Path, names_of
from micrograd.lifting.progress import Progress
from micrograd.lifting.record import Recorder
from micrograd.lifting.recording import Recorded, record, record_any_size
from micrograd.lifting.run import chosen
from micrograd.lifting.signature import batched_places, parameter_names, refuse_unfinished
from micrograd.lifting.watch import Watch
from micrograd.modes import current_mode

__all__ = ["Given", "Lifted", "Result"]

Given = ParamSpec("Given")  # a lifted function takes and gives what the function does
Result = TypeVar("Result")

_PROGRAMS = 64  # how many programs a lifted function keeps; the least recently used goes first


class Lifted(Generic[Given, Result]):
    """A function that records itself and runs lifted; `program` is the one that ran last."""

    def __init__(
        self,
        function: Callable[Given, Result],
        batched: Sequence[str] = (),
        executor: str | None = None,
    ) -> None:
        refuse_unfinished(function)
        update_wrapper(self, function)
        self.function = function
        self.__name__ = getattr(function, "__name__", "lifted")
        self._parameters = parameter_names(function)
        self._batched = tuple(batched)
        self.executor = chosen(executor)
        self.batched = batched_places(function, batched)
        self.programs: OrderedDict[Any, KeptPrograms] = OrderedDict()
        self.program: Executable | None = None
        self.history = History()
        # by the objects among the arguments, which a function may look into, too
        self._watches: WeakValueDictionary[tuple[int, ...], Watch] = WeakValueDictionary()
        self._lock = threading.RLock()

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        if modes.active and isinstance(current_mode(), Recorder):  # inside another recording
            return self.function(*args, **kwargs)
        program, found = self._program(args, kwargs)
        self.program = program
        return program.run(found)  # type: ignore[no-any-return]

    def _program(self, args: Any, kwargs: Any) -> tuple[Executable, Arguments]:
        """The program for these arguments, recorded if need be, and the arguments taken apart."""
        found = read(args, kwargs, self.batched)
        key = tuple(found.key)
        entry = self.programs.get(key)
        if entry is None or not entry.watch.stands():
            return self._record(key, args, kwargs, found), found
        if len(self.programs) > 1:
            with suppress(KeyError):  # another thread may have dropped it meanwhile
                self.programs.move_to_end(key)
        return entry.programs.get(found.size) or self._record(key, args, kwargs, found), found

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Run eager beside lifted on these arguments; LiftError where a number or gradient differs.

        Gradients are those of the sum of all results. Grads, running statistics and generators are
        left as they were.
        """
        if not isinstance(current_mode(), Recorder):
            program, _ = self._program(args, kwargs)
            self.program = program
            compare(self.function, program, args, kwargs)

    def to_jax(self, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """(function, parameters) of the program for these arguments, for JAX: `Executable.to_jax`.

        Where arguments are `batched`, the function takes batches of any size.
        """
        program, _ = self._program(args, kwargs)
        self.program = program
        fit = (lambda args, kwargs: self._program(args, kwargs)[0]) if self.batched else None
        return program.to_jax(fit)

    # --- copies record anew: a program belongs to the parameters that it was recorded with -------

    def __copy__(self) -> Lifted[Given, Result]:
        return Lifted(self.function, self._batched, self.executor)

    def __deepcopy__(self, memo: dict[int, Any]) -> Lifted[Given, Result]:
        made = memo[id(self)] = Lifted(
            copy.deepcopy(self.function, memo), self._batched, self.executor
        )
        return made

    def __reduce__(self) -> Any:
        name = getattr(self.function, "__qualname__", "")
        module = sys.modules.get(getattr(self.function, "__module__", None) or "")
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:  # decorated: the name finds it
            return name
        if isinstance(self.function, FunctionType) and found is not self.function:
            raise pickle.PicklingError(
                f"cannot pickle {self.__name__}, which is lifted: its function cannot be found as "
                f"{self.function.__module__}.{name}. Lift a function of a module or a method, or "
                "lift anew after loading"
            )
        return Lifted, (self.function, self._batched)

    # --- recording --------------------------------------------------------------------------------

    def _watch(self, args: Any, kwargs: Any, found: Arguments) -> tuple[Watch, str]:
        """The Watch of all that function and arguments depend on, and what had changed."""
        owner = tuple(map(id, found.kept))
        watch = self._watches.get(owner)
        if watch is not None and watch.compare():
            return watch, ""
        given = self._given(args, kwargs)
        reached = [
            (Path(None, "", self.__name__), self.function),
            *(root for name, x in given for root in roots(x, Path(None, "", name))),
        ]
        head = f"{whereabouts(self.function)}: {self.__name__}"
        made = self._watches[owner] = Watch(reached, head)
        return made, "" if watch is None else watch.why

    def _record(self, key: Any, args: Any, kwargs: Any, found: Arguments) -> Executable:
        with self._lock, _collector_paused(), Progress():
            watch, why = self._watch(args, kwargs, found)
            entry = self.programs.get(key)
            if entry is None or entry.watch is not watch:
                entry = KeptPrograms(watch, found.kept)
            program = entry.programs.get(found.size)
            if program is not None:  # another thread was faster
                return program
            with watch.recording() as captured:
                recorded = self._recorded(entry, args, kwargs, found, captured)
            names = names_of(recorded.parameters, watch.walk.values)
            paths = {
                PARAMETERS + at: name
                for name, at in zip(names, recorded.positions, strict=True)
                if name is not None
            }
            program = Executable(
                self.__name__, *recorded[:4], self._names(args, kwargs), paths, self.executor
            )
            program.key = key
            entry.programs[found.size] = program
            self._keep(key, entry, found.size)
        self.history.add(self.__name__, dict(self._given(args, kwargs)), why, level=5)
        return program

    def _recorded(
        self, entry: KeptPrograms, args: Any, kwargs: Any, found: Arguments, captured: Captured
    ) -> Recorded:
        if found.size is not None and found.size >= SIZES[0][0][0]:
            if entry.extends is None:
                entry.extends = record_any_size(self.function, args, kwargs, found, captured)
                if isinstance(entry.extends, DoesNotExtend):
                    warnings.warn(
                        f"{self.__name__} does not extend along the batch, and is recorded in "
                        f"full: {entry.extends}",
                        stacklevel=5,
                    )
            if isinstance(entry.extends, Recorded) and found.size >= entry.extends.smallest:
                recording = entry.extends.recording.at(found.size)
                return entry.extends._replace(recording=recording)
        return record(self.function, args, kwargs, found, captured)

    def _keep(self, key: Any, entry: KeptPrograms, size: int | None) -> None:
        self.programs[key] = entry
        self.programs.move_to_end(key)
        while len(self.programs) > _PROGRAMS:
            self.programs.popitem(last=False)
        while len(entry.programs) > _PROGRAMS:
            del entry.programs[next(iter(entry.programs))]

    def _given(self, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """The arguments by the parameter that each came in, in the order in which they are read."""
        extra = (f"argument_{i}" for i in range(len(self._parameters), len(args)))
        names = [*self._parameters[: len(args)], *extra]
        return [*zip(names, args, strict=True), *sorted(kwargs.items())]

    def _names(self, args: Any, kwargs: Any) -> list[str]:
        """A name for each array among the arguments, after the parameter that it came in."""
        found: list[str] = []
        for name, x in self._given(args, kwargs):
            count = len(read((x,), {}, (0,) if name in self._batched else ()).arrays)
            found += [name] if count == 1 else [f"{name}_{i}" for i in range(count)]
        return found


class KeptPrograms:
    """The programs of one key, by batch size (None: no batch), and what they depend on."""

    __slots__ = ("watch", "programs", "kept", "extends")

    def __init__(self, watch: Watch, kept: Any) -> None:
        self.watch = watch
        self.programs: dict[Any, Executable] = {}
        self.kept = kept  # objects that the key names by identity
        self.extends: Any = None  # the recording for any size; why there is none; None: not tried


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: a recording makes no cycles, and takes a seventh longer with."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
