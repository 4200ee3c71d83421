"""JAX: loss, gradient and update in one compiled function of parameters that it replaces.

The parameters are held as a dict of arrays, as a list of them, or as one flat array that the
function takes apart; they are donated, so that their memory is used again, or kept. Which is
fastest differs from problem to problem, so all are measured. The losses are in `jax_losses`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.models import wavenet
from benchmarks.peers.jax_losses import LOSSES

__all__ = ["HELD", "Contestant"]

jax.config.update("jax_enable_x64", True)
# a step waits for its result anyway: 18 us where handing it to another thread takes 27
jax.config.update("jax_cpu_enable_async_dispatch", False)
HELD = ("dict", "list", "flat")


class Contestant:
    """One network with its optimiser; `step(batch)` waits for its result."""

    def __init__(
        self, network: str, numbers: dict[str, np.ndarray], optimiser: str, lr: float,
        held: str = "dict", donated: bool = True,
    ) -> None:  # fmt: skip
        # copies: a donated array is overwritten
        named = {k: jnp.array(a, copy=True) for k, a in numbers.items()}
        self.p: Any = named
        self.named: Any = lambda p: p  # from how they are held to a dict
        if held == "list":
            self.p, self.named = list(named.values()), lambda p: dict(zip(named, p, strict=True))
        elif held == "flat":
            self.p, self.named = ravel_pytree(named)
        self.state: Any = None
        if network == "wavenet":
            hidden = len(numbers["3.weight"])
            self.state = [(jnp.zeros(hidden), jnp.ones(hidden)) for _ in wavenet.LEVELS]
        self.moments: Any = None
        if optimiser == "adam":
            zeros = jax.tree.map(jnp.zeros_like, self.p)
            self.moments = (zeros, jax.tree.map(jnp.zeros_like, self.p), jnp.zeros(()))
        update = partial(adam if optimiser == "adam" else sgd, lr)

        def loss(p: Any, state: Any, *batch: Any) -> Any:
            return LOSSES[network](self.named(p), state, *batch)

        self.value_and_grad = jax.value_and_grad(loss, has_aux=True)

        def step(p: Any, state: Any, moments: Any, *batch: Any) -> Any:
            (loss, state), g = self.value_and_grad(p, state, *batch)
            return loss, *update(p, g, moments), state

        self.compiled = jax.jit(step, donate_argnums=(0, 1, 2) if donated else ())

    def prepare(self, batch: tuple[np.ndarray, ...]) -> tuple[Any, ...]:
        return tuple(map(jnp.asarray, batch))

    def step(self, batch: tuple[Any, ...]) -> Any:
        loss, self.p, self.moments, self.state = self.compiled(
            self.p, self.state, self.moments, *batch
        )
        return loss.block_until_ready()  # all results of one program are ready together

    def gradients(self, batch: tuple[Any, ...]) -> tuple[float, dict[str, Any]]:
        compiled = jax.jit(self.value_and_grad)  # in a second, where single operations take seven
        (loss, _), g = compiled(self.p, self.state, *batch)
        return float(loss), {k: np.asarray(a) for k, a in self.named(g).items()}


def sgd(lr: float, p: Any, g: Any, moments: Any) -> Any:
    return jax.tree.map(lambda w, dw: w - lr * dw, p, g), moments


def adam(lr: float, p: Any, g: Any, moments: Any) -> Any:
    beta1, beta2, eps = 0.85, 0.99, 1e-8
    m, v, t = moments
    t = t + 1
    m = jax.tree.map(lambda old, dw: beta1 * old + (1 - beta1) * dw, m, g)
    v = jax.tree.map(lambda old, dw: beta2 * old + (1 - beta2) * dw * dw, v, g)
    scale1, scale2 = 1 - beta1**t, 1 - beta2**t

    def moved(w: Any, mw: Any, vw: Any) -> Any:
        return w - lr * (mw / scale1) / (jnp.sqrt(vw / scale2) + eps)

    return jax.tree.map(moved, p, m, v), (m, v, t)
