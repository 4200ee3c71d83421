"""Lifted functions as JAX functions in float64, beside the eager engine."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absolute import flat, measures
from random_programs import Sample, close, gradients, traceable

from micrograd import Value, lift, tree
from micrograd.lifting.executable import Executable
from micrograd.lifting.run.with_jax.stacks import parameter_arrays

jax.config.update("jax_enable_x64", True)

# XLA's time for a small program is all compilation: 0.1 s so, else 0.3 s
QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def is_number(x: Any) -> bool:
    """A leaf of arguments or results that is numbers."""
    return isinstance(x, (float, Value, np.ndarray, np.generic, jax.Array))


def arrays(arguments: Any) -> Any:
    """The arguments with JAX arrays in the places of numbers, of arrays, of Values."""
    taken = tree.flatten(arguments, is_number)
    return taken.fill([_array(x) if is_number(x) else x for x in taken.leaves])


def _array(x: Any) -> Any:
    x = np.asarray(x.data if isinstance(x, Value) else x)
    if x.dtype == object:
        return jnp.array([float(v) for v in x.flat]).reshape(x.shape)
    return jnp.asarray(x)


def by_value(executable: Executable, stacked: dict[str, Any]) -> dict[Value, float]:
    """What arrays in the parameters' shapes say of each parameter."""
    found = np.zeros(executable.parameter_count)
    for name, x in parameter_arrays(executable).items():
        found[x.first : x.first + x.array.size] = x.of_program(np.asarray(stacked[name])).ravel()
    numbers = found[executable.positions].tolist()
    return dict(zip(executable.parameters, numbers, strict=True))


def in_jax(lifted: Any, arguments: Sequence[Any], seeds: Sequence[float]) -> tuple[Any, Any]:
    """All results, and the gradients of sum(seeds * results) by Value, both by JAX alone."""
    function, parameters = lifted.to_jax(*arguments)
    given = tree.flatten(arrays(tuple(arguments)), is_number)
    originals = tree.flatten(tuple(arguments), is_number).leaves
    floating = [k for k, x in enumerate(given.leaves)
                if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.floating)]  # fmt: skip

    def total(parameters: Any, moving: Sequence[Any], seeds: Any) -> Any:
        leaves = list(given.leaves)
        for k, x in zip(floating, moving, strict=True):
            leaves[k] = x
        results = tree.flatten(function(parameters, *given.fill(leaves)), is_number).leaves
        made = jnp.concatenate([jnp.asarray(x, float).reshape(-1) for x in results])
        return jnp.sum(jnp.where(seeds != 0, made * seeds, 0.0)), made

    run = jax.jit(jax.value_and_grad(total, argnums=(0, 1), has_aux=True), compiler_options=QUICKLY)
    moving = [given.leaves[k] for k in floating]
    (_, made), (by_name, by_argument) = run(parameters, moving, jnp.asarray(seeds, float))
    found = by_value(lifted.program, by_name)
    for k, gradient in zip(floating, by_argument, strict=True):
        values = [x for x in np.asarray(originals[k]).flat if isinstance(x, Value)]
        found.update(zip(values, np.asarray(gradient).reshape(-1).tolist(), strict=False))
    return np.asarray(made), found


def agrees(sample: Sample, exported: Callable[..., Any] = in_jax) -> None:
    """Assert that JAX gives what the eager engine gives, results and gradients."""
    parameters = sample.parameters
    lifted = lift(lambda *arguments: sample.function(parameters, *arguments))
    rng = np.random.default_rng(zlib.crc32(repr(sample).encode()))
    arguments = sample.calls[0]
    inputs = [v for v in flat(arguments) if isinstance(v, Value)]
    wanted = [*parameters.flat, *inputs]
    eager = flat(sample.function(parameters, *arguments))
    # a Value that is returned as it is need not be a parameter of the program
    weights = rng.normal(size=len(eager)).round(2).tolist()
    own = [isinstance(v, Value) and v._rule is None for v in eager]
    seeds = [0.0 if leaf else w for leaf, w in zip(own, weights, strict=True)]
    run = partial(sample.function, parameters, *traceable(arguments))
    values, slopes = measures(lambda: flat(run()), seeds, wanted)
    want = gradients(eager, seeds, wanted)
    made, found = exported(lifted, arguments, seeds)
    close(made.tolist(), [float(v) for v in eager], values)
    close([found.get(v, 0.0) for v in wanted], want, slopes)
