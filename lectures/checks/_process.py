"""Takes a learner's function to another Python process, asks it there, and brings the answers back.

A function of a notebook is no module that another process could import, so its code travels, with
the names that it uses: modules by name, functions by code, the rest pickled. Read `asked_elsewhere`
and, for the other side, what stands at the end. (Standard library only: it starts in 20 ms.)
"""

from __future__ import annotations

import functools
import importlib
import marshal
import os
import pickle
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["asked_elsewhere"]


def asked_elsewhere(
    function: Any, calls: Sequence[tuple[Any, ...]], by_code: Callable[[str], bool]
) -> list[Any]:
    """The answers to calls in a process with another `hash`; `by_code` says which files travel."""
    functions: list[Any] = []
    packed = _pack(function, functions, {}, by_code)
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "asked"), Path(folder, "answered")
        asked.write_bytes(pickle.dumps((packed, functions, list(calls))))
        environment = {**os.environ, "PYTHONHASHSEED": "4711"}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        command = [sys.executable, "-P", __file__, str(asked), str(answered)]
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError((run.stderr.strip().splitlines() or ["it ended without a word"])[-1])
        return list(pickle.loads(answered.read_bytes()))


def _pack(x: Any, functions: list[Any], known: dict[int, int], by_code: Any) -> tuple[Any, ...]:
    def pack(y: Any) -> tuple[Any, ...]:
        return _pack(y, functions, known, by_code)

    if isinstance(x, types.ModuleType):
        return "module", x.__name__
    if isinstance(x, functools.partial):
        return (
            "partial",
            pack(x.func),
            [*map(pack, x.args)],
            {k: pack(v) for k, v in x.keywords.items()},
        )
    if not (isinstance(x, types.FunctionType) and by_code(x.__code__.co_filename)):
        return "plain", pickle.dumps(x)
    if id(x) not in known:
        known[id(x)] = len(functions)
        functions.append(None)
        functions[known[id(x)]] = {
            "code": marshal.dumps(x.__code__),
            "name": x.__name__,
            "defaults": [*map(pack, x.__defaults__ or ())],
            "named": {k: pack(v) for k, v in (x.__kwdefaults__ or {}).items()},
            "closure": [pack(cell.cell_contents) for cell in x.__closure__ or ()],
            "globals": {k: pack(x.__globals__[k]) for k in _names(x.__code__) & set(x.__globals__)},
        }
    return "function", known[id(x)]


def _names(code: types.CodeType) -> set[str]:
    inner = [_names(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*inner)


def _unpack(packed: tuple[Any, ...], made: list[types.FunctionType]) -> Any:
    kind, *rest = packed
    if kind == "module":
        return importlib.import_module(rest[0])
    if kind == "partial":
        function, arguments, named = rest
        return functools.partial(
            _unpack(function, made),
            *(_unpack(a, made) for a in arguments),
            **{k: _unpack(v, made) for k, v in named.items()},
        )
    return made[rest[0]] if kind == "function" else pickle.loads(rest[0])


def _unpacked(packed: tuple[Any, ...], specs: list[Any]) -> Any:
    """The function again: first all of them, empty, so that they may name one another."""
    made = []
    for spec in specs:
        cells = tuple(types.CellType() for _ in spec["closure"])
        names = {"__builtins__": __builtins__, "__name__": "__main__"}
        code = marshal.loads(spec["code"])
        made.append(types.FunctionType(code, names, spec["name"], None, cells))
    for spec, function in zip(specs, made, strict=True):
        function.__defaults__ = tuple(_unpack(d, made) for d in spec["defaults"])
        function.__kwdefaults__ = {k: _unpack(v, made) for k, v in spec["named"].items()}
        for cell, value in zip(function.__closure__ or (), spec["closure"], strict=True):
            cell.cell_contents = _unpack(value, made)
        function.__globals__.update({k: _unpack(v, made) for k, v in spec["globals"].items()})
    return _unpack(packed, made)


if __name__ == "__main__":
    wanted, functions_given, questions = pickle.loads(Path(sys.argv[1]).read_bytes())
    answer = _unpacked(wanted, functions_given)
    Path(sys.argv[2]).write_bytes(pickle.dumps([answer(*question) for question in questions]))
