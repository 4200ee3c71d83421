"""Ours beside PyTorch's on the same float64 arrays: outputs and all gradients must agree.

`agree` runs both forward and backward, with the same random gradient arriving at the output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from micrograd import grads, numbers, values


def tensors(*arrays: Any) -> list[torch.Tensor]:
    return [torch.tensor(np.asarray(a), dtype=torch.float64, requires_grad=True) for a in arrays]


def close(got: Any, want: Any) -> None:
    """1e-9 relative; where sums cancel, 1e-12 of the largest number in the array (or of 1)."""
    want = want.detach().numpy() if isinstance(want, torch.Tensor) else numbers(want)
    got = numbers(got)
    assert got.shape == want.shape
    largest = max(1.0, np.abs(want).max(initial=0.0))
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12 * largest)


def agree(
    ours: Callable[..., Any], theirs: Callable[..., torch.Tensor], *arrays: Any, seed: int = 0
) -> tuple[Any, torch.Tensor]:
    """Outputs and gradients of both functions of these arrays agree; both outputs are returned."""
    xs, ts = [values(a) for a in arrays], tensors(*arrays)
    got, want = ours(*xs), theirs(*ts)
    close(got, want)
    arriving = np.random.default_rng(seed).normal(size=tuple(want.shape))
    np.sum(np.asarray(got, dtype=object) * arriving).backward()
    (want * torch.tensor(arriving)).sum().backward()
    for x, t in zip(xs, ts, strict=True):
        close(grads(x), torch.zeros_like(t) if t.grad is None else t.grad)
    return got, want
