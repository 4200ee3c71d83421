"""What the native executor makes of a program, as text, and what it need not store.

Covers `run/native/loops.py`, `run/native/linking.py` and `steps/needed.py`.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from executing import program_of
from hypothesis import HealthCheck, given, settings
from random_programs import Sample, expressions, leaves

from micrograd import Value, functional, lift, ops
from micrograd.lifting import progress
from micrograd.lifting.run.native import executor
from micrograd.lifting.steps.adjoint import adjoint
from micrograd.lifting.steps.needed import read_afterwards


def test_loops_are_shown() -> None:
    f = lift(lambda x: (x * 2.0 + 1.0).sum(), executor="native")
    f(leaves(np.ones(40)))
    assert f.program.loops.splitlines() == [
        "double x2 = 0.0;",
        "for (i = 0; i < 40; i++) {  // 8 lanes",
        "    double x0 = memory[i] * 2.0;",
        "    double x1 = x0 + 1.0;",
        "    x2 += x1;",
        "}",
        f.program.loops.splitlines()[-1],
    ]


def test_loops_are_those_of_the_native_executor() -> None:
    f = lift(lambda x: (x * 2.0).sum(), executor="numpy")
    f(np.ones(3))
    with pytest.raises(AttributeError, match="has no loops of its own"):
        f.program.loops  # noqa: B018


def test_what_nobody_reads_is_not_stored() -> None:
    w = leaves(np.ones((8, 4)))
    f = lift(lambda x: np.sum([z.relu() for z in functional.linear(x, w).ravel()]),
             executor="native")  # fmt: skip
    f(np.ones((5, 4)))
    stores = [line for line in f.program.loops.splitlines() if "] = " in line]
    products = [line for line in stores if "ReLU" not in line and "packed" not in line]
    assert len(products) == 1, "of the products only ReLU's results are kept, and the total"


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sample=expressions())
def test_no_backward_pass_reads_anything_else(sample: Sample) -> None:
    with np.errstate(all="ignore"):
        program = program_of(
            lambda *args: sample.function(sample.parameters, *args), *sample.calls[0]
        )
    found = read_afterwards(program)
    results = range(len(program.results))
    computed = {step.out.array for step in program.forward}
    for seeds in ([k] for k in results):
        for between in ([], list(results)):
            for step in adjoint(program, seeds, between):
                read = {view.array for view in step.views} & computed
                assert read <= found, step


def test_compiling_is_said_if_it_lasts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.01)
    monkeypatch.setattr(
        executor.Compiled, "_compile", lambda self, whole=executor.Compiled._compile: (
            time.sleep(0.3), whole(self)
        ),
    )  # fmt: skip
    x = Value(2.0)
    f = lift(lambda x: ops.exp(x) * x, executor="native")
    f(x).backward()
    assert "lift: compiling" in capsys.readouterr().err


def test_without_llvmlite_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from micrograd.lifting import run

    monkeypatch.setattr(run, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "micrograd-rebuilt\[native\]"'):
        lift(lambda x: x, executor="native")


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROGRAD_EXECUTOR", "native")
    f = lift(lambda x: x * 2.0)
    assert f(Value(1.5)).data == 3.0
    assert f.program is not None and f.program.executor == "native"
