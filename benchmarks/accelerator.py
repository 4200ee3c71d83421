"""A training step on an accelerator: the exported program, hand-written JAX, PyTorch.

`python -m benchmarks.accelerator` prints its table where JAX finds a GPU or another accelerator,
and else says why not. Each engine starts from the same numbers on the same batch, takes steps of
SGD that wait for nothing but the last, and must reach the same loss. The networks are in `models/`,
hand-written JAX and PyTorch in `peers/`.
"""

from __future__ import annotations

import statistics
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
SETTLE, STEPS, ROUNDS = 5, 50, 5


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
    return _torch(row, dtype)[0]


def _torch(row: Row, dtype: str) -> tuple[Step, list[Any]]:
    """An eager step, and the tensors that it moves."""
    import torch

    from benchmarks.peers.torch_losses import loss_of

    numbers = import_module(f"benchmarks.models.{row.network}").numbers()
    device = "cuda" if jax.devices()[0].platform == "gpu" else "cpu"
    torch.set_default_device(device)  # masks that a loss makes belong there, too
    kind = getattr(torch, dtype)
    p = {k: torch.tensor(a, dtype=kind, requires_grad=True) for k, a in numbers.items()}
    loss_function = loss_of(row.network, numbers)
    batch = [torch.tensor(_narrowed(array, dtype)) for array in row.batch()]
    tensors = list(p.values())
    sgd = torch.optim.SGD(tensors, row.lr, foreach=True)

    def step() -> Any:
        loss = loss_function(p, *batch)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss.detach()

    return step, tensors


def captured(row: Row, dtype: str) -> Step:
    """PyTorch without Python: the whole step recorded once as a CUDA graph, then replayed."""
    import torch

    eager, tensors = _torch(row, dtype)
    start = [w.detach().clone() for w in tensors]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # libraries allocate their memory outside the graph
        for _ in range(3):
            eager()
    torch.cuda.current_stream().wait_stream(side)
    for w in tensors:
        w.grad = None  # the graph has gradients of its own
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = eager()
    with torch.no_grad():
        for w, first in zip(tensors, start, strict=True):
            w.copy_(first)

    def step(kept: Any = eager) -> Any:  # its tensors: the graph reads them, and holds none
        graph.replay()
        return loss

    return step


def _narrowed(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.astype(dtype) if array.dtype.kind == "f" else array


def engines() -> dict[str, Callable[[Row, str], Step]]:
    """PyTorch stands in the table where it can use the accelerator."""
    found = {"exported": exported, "JAX by hand": by_hand}
    if jax.devices()[0].platform == "gpu" and util.find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            found |= {"PyTorch": by_torch, "PyTorch, CUDA graph": captured}
    return found


def measure(row: Row, dtype: str, steps: int = STEPS) -> dict[str, float]:
    """Seconds a step of each engine, the median of rounds taken in turn.

    AssertionError if their losses differ.
    """
    made = {name: make(row, dtype) for name, make in engines().items()}
    losses = {name: [float(step()) for _ in range(SETTLE)] for name, step in made.items()}
    for name, found in losses.items():
        off = np.abs(np.subtract(found, losses["exported"])).max()
        if not off <= NEAR[dtype]:
            raise AssertionError(f"{row.title}, {dtype}: {name} is {off} off")
    seconds: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(ROUNDS):
        for name, step in made.items():
            start = time.perf_counter()
            for _ in range(steps):
                loss = step()
            float(loss)
            seconds[name].append((time.perf_counter() - start) / steps)
    return {name: statistics.median(rounds) for name, rounds in seconds.items()}


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
