"""The text of Steps: NumPy that runs, forward and backward, and that a person can read."""

from __future__ import annotations

from typing import Any

import numpy as np
from executing import Run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import Sample, expressions, loops

from micrograd import lift
from micrograd.lifting.run import reference
from micrograd.lifting.steps.adjoint import adjoint, seed
from micrograd.lifting.steps.ir import walk
from micrograd.lifting.steps.text import Text


def text_equals_steps(function: Any, args: Any) -> Text:
    """Executing the text gives every array that the reference executor gives."""
    lifted = lift(function)
    run = Run(lifted, reference.run, args)
    program = run.program
    seeds = range(len(program.results))
    backward = adjoint(program, seeds)
    rng = np.random.default_rng(0)
    for k in seeds:
        run.buffers[seed(program, k).name] = rng.normal(size=seed(program, k).size).tolist()
    given_numbers = {
        name: np.array(x, dtype=float).reshape(_shape(program, name, x))
        for name, x in run.buffers.items()
    }
    with np.errstate(all="ignore"):
        reference.run(backward, run.buffers)
    text = Text(program, backward)
    names = text.run(given_numbers)
    for step in (*program.forward, *backward):
        name, places = step.out.array.name, walk(step.out, step.loops)
        want = np.array(run.buffers[name])[places]
        got = np.asarray(names[name], dtype=float).ravel()[places]
        scale = np.abs(want[np.isfinite(want)]).max(initial=1.0)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9 * scale, err_msg=f"{step}")
    return text


def _shape(program: Any, name: str, numbers: Any) -> tuple[int, ...]:
    if name.startswith("seed_"):
        return program.results[int(name.removeprefix("seed_")) - 1].loops
    return (len(numbers),)


@settings(max_examples=100, deadline=None, report_multiple_bugs=False,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(st.one_of(loops(), expressions()))
def test_the_text_of_random_programs_runs(sample: Sample) -> None:
    text_equals_steps(lambda *args: sample.function(sample.parameters, *args), sample.calls[0])
