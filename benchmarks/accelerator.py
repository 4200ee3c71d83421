"""A training step on an accelerator: the exported program, hand-written JAX, PyTorch.

`python -m benchmarks.accelerator` prints its table where JAX finds a GPU or another accelerator,
and else says why not. Each engine starts from the same numbers on the same batch, takes steps of
SGD that wait for nothing but the last, and must reach the same loss. The networks are in `models/`,
hand-written JAX and PyTorch in `peers/`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module, util
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.models import demo, gpt
from benchmarks.peers.jax_losses import LOSSES
from micrograd import lift

__all__ = ["ROWS", "Row", "measure", "table"]

jax.config.update("jax_enable_x64", True)
NEAR = {"float64": 1e-9, "float32": 1e-3}
SETTLE, STEPS = 5, 50


class Row(NamedTuple):
    """One problem: a network of `models/`, its batch, and which arguments grow with it."""

    title: str
    network: str
    batch: Callable[[], tuple[np.ndarray, ...]]
    batched: tuple[str, ...]
    lr: float


def names(count: int) -> Row:
    letters = ("letters", "following", "mask")
    return Row(f"GPT, {count:,} names", "gpt", lambda: gpt.batches(1, count)[0], letters, 0.1)


def points(count: int) -> Row:
    return Row(f"demo, batch {count:,}", "demo", lambda: demo.batch(count), ("X", "y"), 0.05)


ROWS = (points(10_000), points(1_000_000), names(32), names(4096))

# a step in place: what is called returns the loss, an array that may not be there yet
Step = Callable[[], Any]


def exported(row: Row, dtype: str) -> Step:
    module = import_module(f"benchmarks.models.{row.network}")
    network = module.with_layers(module.numbers())
    batch = row.batch()
    function, parameters = lift(batched=row.batched)(network.loss).to_jax(*batch)
    return _stepping(function, parameters, batch, row.lr, dtype)


def by_hand(row: Row, dtype: str) -> Step:
    numbers = import_module(f"benchmarks.models.{row.network}").numbers()

    def loss(parameters: Any, *batch: Any) -> Any:
        return LOSSES[row.network](parameters, None, *batch)[0]

    return _stepping(loss, numbers, row.batch(), row.lr, dtype)


def _stepping(function: Any, parameters: Any, batch: Any, lr: float, dtype: str) -> Step:
    def moved(parameters: Any, *batch: Any) -> Any:
        loss, gradients = jax.value_and_grad(function)(parameters, *batch)
        return loss, jax.tree.map(lambda w, dw: w - lr * dw, parameters, gradients)

    compiled = jax.jit(moved, donate_argnums=(0,))
    held = {name: jnp.array(array, dtype, copy=True) for name, array in parameters.items()}
    placed = [jnp.asarray(_narrowed(array, dtype)) for array in batch]

    def step() -> Any:
        nonlocal held
        loss, held = compiled(held, *placed)
        return loss

    return step


def by_torch(row: Row, dtype: str) -> Step:
    import torch

    from benchmarks.peers.torch_losses import loss_of

    numbers = import_module(f"benchmarks.models.{row.network}").numbers()
    device = "cuda" if jax.devices()[0].platform == "gpu" else "cpu"
    torch.set_default_device(device)  # masks that a loss makes belong there, too
    kind = getattr(torch, dtype)
    p = {k: torch.tensor(a, dtype=kind, requires_grad=True) for k, a in numbers.items()}
    loss_function = loss_of(row.network, numbers)
    batch = [torch.tensor(_narrowed(array, dtype)) for array in row.batch()]
    sgd = torch.optim.SGD(p.values(), row.lr, foreach=True)

    def step() -> Any:
        loss = loss_function(p, *batch)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss.detach()

    return step


def _narrowed(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.astype(dtype) if array.dtype.kind == "f" else array


def engines() -> dict[str, Callable[[Row, str], Step]]:
    """PyTorch stands in the table where it can use the accelerator."""
    found = {"exported": exported, "JAX by hand": by_hand}
    if jax.devices()[0].platform == "gpu" and util.find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            found["PyTorch"] = by_torch
    return found


def measure(row: Row, dtype: str, steps: int = STEPS) -> dict[str, float]:
    """Seconds a step of each engine; AssertionError if their losses differ."""
    seconds, losses = {}, {}
    for name, made in engines().items():
        step = made(row, dtype)
        losses[name] = [float(step()) for _ in range(SETTLE)]
        start = time.perf_counter()
        for _ in range(steps):
            loss = step()
        float(loss)
        seconds[name] = (time.perf_counter() - start) / steps
        off = np.abs(np.subtract(losses[name], losses["exported"])).max()
        if not off <= NEAR[dtype]:
            raise AssertionError(f"{row.title}, {dtype}: {name} is {off} off")
    return seconds


def table(rows: tuple[Row, ...] = ROWS, steps: int = STEPS) -> Iterator[str]:
    """The lines of the table: microseconds a step."""
    columns = list(engines())
    yield f"| {jax.devices()[0].device_kind} | dtype | {' | '.join(columns)} | by hand / exported |"
    yield "|---|---" + "|---:" * (len(columns) + 1) + "|"
    for row in rows:
        for dtype in NEAR:
            found = measure(row, dtype, steps)
            cells = " | ".join(f"{found[name] * 1e6:,.0f}" for name in columns)
            ratio = found["JAX by hand"] / found["exported"]
            yield f"| {row.title} | {dtype} | {cells} | {ratio:.2f} |"


def main() -> int:
    platform = jax.devices()[0].platform
    if platform == "cpu":
        print("skipped: JAX finds no accelerator here, only the processor (jax.devices())")
        return 0
    for line in table():
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
