"""From LLVM's language to addresses of machine code for the processor at hand."""

from __future__ import annotations

import ctypes
import math
from functools import cache
from typing import Any

from micrograd.op import Op

__all__ = ["Callback", "Library", "has_fma", "load"]


@cache
def _llvm() -> Any:
    """llvmlite, and LLVM's description of the processor that code is made for."""
    try:
        from llvmlite import binding as llvm
    except ImportError:
        raise ImportError(
            'executor="native" needs llvmlite; pip install "micrograd-rebuilt[native]" brings it'
        ) from None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _machine(llvm: Any) -> Any:
    features = llvm.get_host_cpu_features()
    features["prefer-256-bit"] = False  # vectors of 8 doubles where the processor has them
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2, reloc="default",
        codemodel="jitdefault",
    )  # fmt: skip


@cache
def has_fma() -> bool:
    """Whether the processor multiplies and adds in one instruction."""
    llvm = _llvm()
    if not llvm.get_default_triple().startswith(("x86", "i686")):
        return True
    return bool(llvm.get_host_cpu_features().get("fma"))


class Library:
    """Compiled functions; they live as long as this does."""

    def __init__(self, text: str) -> None:
        llvm = _llvm()
        module = llvm.parse_assembly(text)
        machine = _machine(llvm)
        module.triple = llvm.get_default_triple()
        module.data_layout = str(machine.target_data)
        _improve(llvm, module, machine)
        self.engine = llvm.create_mcjit_compiler(module, machine)
        self.engine.finalize_object()

    def address(self, name: str) -> int:
        return int(self.engine.get_function_address(name))

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        made = ctypes.CFUNCTYPE(result, *arguments)(self.address(name))
        made.library = self  # type: ignore[attr-defined]
        return made


def _improve(llvm: Any, module: Any, machine: Any) -> None:
    """Run a few passes of LLVM only: loops, vectors and order are already as they should be."""
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = options.slp_vectorization = False
    options.loop_unrolling = options.loop_interleaving = False
    builder = llvm.create_pass_builder(machine, options)
    passes = llvm.create_new_module_pass_manager()
    for name in ("instruction_combine", "simplify_cfg", "new_gvn", "instruction_combine"):
        getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)


@cache
def load(name: str) -> None:
    """Make a function of C known to compiled code."""
    for library in (None, "libm.so.6", "libSystem.dylib", "ucrtbase.dll"):
        try:
            function = getattr(ctypes.CDLL(library), name)
        except (OSError, AttributeError, TypeError):
            continue
        _add(name, function)
        return
    raise ImportError(f"C's function {name} was not found, which native code needs here")


class Callback:
    """A row of the user's own, called from compiled code; what it raises waits in `failures`."""

    def __init__(self, name: str, op: Op, failures: list[BaseException]) -> None:
        def row(*xs: float) -> float:
            try:
                return op.number(*xs)
            except BaseException as error:  # nothing may pass through compiled code
                failures.append(error)
                return math.nan

        double = ctypes.c_double
        self.function = ctypes.CFUNCTYPE(double, *[double] * op.arity)(row)
        _add(name, self.function)


def _add(name: str, function: Any) -> None:
    address = ctypes.cast(function, ctypes.c_void_p).value
    _llvm().add_symbol(name, address)
