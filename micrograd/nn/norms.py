"""Layers that centre and scale, over the batch (BatchNorm1d) or each example (LayerNorm, RMSNorm).

All compute y = (x - mean) / sqrt(variance + eps) * weight + bias (RMSNorm without mean and bias);
they differ in what mean and variance run over. Read `LayerNorm` first; `BatchNorm1d` keeps running
statistics for evaluation, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd.functional import as_array
from micrograd.nn.initialisers import weights
from micrograd.nn.module import Module, positive

__all__ = ["BatchNorm1d", "LayerNorm", "RMSNorm"]


def _constant(n: int, number: float) -> np.ndarray:
    return weights(np.full(n, number))


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, mean and var over the last axis."""

    def __init__(self, n: int, eps: float = 1e-5) -> None:
        self.weight = _constant(positive("n", n), 1.0)
        self.bias = _constant(n, 0.0)
        self.eps = eps

    def __call__(self, x: Any) -> np.ndarray:
        with np.errstate(all="ignore"):  # silent about inf and nan, as one Value is
            x = _last_axis(self, x, len(self.weight))
            n = x.shape[-1]
            centred = x + x.sum(axis=-1, keepdims=True) * (-1 / n)
            var = (centred * centred).sum(axis=-1, keepdims=True) * (1 / n)
            y: np.ndarray = centred * (var + self.eps) ** -0.5 * self.weight + self.bias
            return y

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.weight)})"


class RMSNorm(Module):
    """y = x / sqrt(mean(x**2) + eps) * weight, the mean over the last axis.

    Without `elementwise_affine` there is no weight. As in torch.nn.RMSNorm, eps is the resolution
    of float64 unless given.
    """

    def __init__(self, n: int, eps: float = 2.0**-52, elementwise_affine: bool = True) -> None:
        self.n = positive("n", n)
        self.weight = _constant(n, 1.0) if elementwise_affine else None
        self.eps = eps

    def __call__(self, x: Any) -> np.ndarray:
        with np.errstate(all="ignore"):  # silent about inf and nan, as one Value is
            x = _last_axis(self, x, self.n)
            mean_square = (x * x).sum(axis=-1, keepdims=True) * (1 / self.n)
            y: np.ndarray = x * (mean_square + self.eps) ** -0.5
            return y if self.weight is None else y * self.weight

    def __repr__(self) -> str:
        return f"RMSNorm({self.n})"


class BatchNorm1d(Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, each channel's own over the batch.

    x is (N, C), or (N, C, L) as for torch.nn.BatchNorm1d; with `channel_axis=-1` (N, L, C), where
    the statistics run over axes 0 and 1. Training moves the running statistics by `momentum`
    towards the batch's (its variance unbiased, over m - 1); evaluation only reads them.
    """

    buffer_names = ("running_mean", "running_var")

    def __init__(
        self, n: int, eps: float = 1e-5, momentum: float = 0.1, channel_axis: int = 1
    ) -> None:
        if channel_axis not in (1, -1):
            raise ValueError(
                f"channel_axis is 1 for (N, C, L) or -1 for (N, L, C), got {channel_axis!r}"
            )
        self.weight = _constant(positive("n", n), 1.0)
        self.bias = _constant(n, 0.0)
        self.running_mean = np.zeros(n)
        self.running_var = np.ones(n)
        self.eps = eps
        self.momentum = momentum
        self.channel_axis = channel_axis

    def __call__(self, x: Any) -> np.ndarray:
        with np.errstate(all="ignore"):  # silent about inf and nan, as one Value is
            x = as_array(x)
            n, axis = len(self.weight), self.channel_axis
            if x.ndim not in (2, 3) or x.shape[axis] != n:
                shapes = f"(N, {n}) or " + (f"(N, {n}, L)" if axis == 1 else f"(N, L, {n})")
                raise ValueError(f"{self!r} takes {shapes}, got {x.shape}")
            shape = [1] * x.ndim
            shape[axis] = n
            if self.training:
                others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
                m = self._count(x)
                mean = x.sum(axis=others) * (1 / m)
                centred = x + -mean.reshape(shape)
                squares = (centred * centred).sum(axis=others)
                var = squares * (1 / m)
                self._move("running_mean", mean)
                self._move("running_var", squares * (1 / (m - 1)))
            else:
                centred = x + -self.read_buffer("running_mean").reshape(shape)
                var = self.read_buffer("running_var")
            normal = centred * ((var + self.eps) ** -0.5).reshape(shape)
            y: np.ndarray = normal * self.weight.reshape(shape) + self.bias.reshape(shape)
            return y

    def _count(self, x: Any) -> int:
        m: int = x.size // len(self.weight)
        if m < 2:
            raise ValueError(
                f"{self!r} in training needs at least two numbers a channel, got {x.shape}; "
                "call model.eval() to use the running statistics"
            )
        return m

    def _move(self, name: str, batch: Any) -> None:
        running = self.read_buffer(name)
        self.update_buffer(name, running * (1 - self.momentum) + batch * self.momentum)

    def __repr__(self) -> str:
        return f"BatchNorm1d({len(self.weight)})"


def _last_axis(layer: Module, x: Any, n: int) -> Any:
    x = as_array(x)
    if x.ndim == 0 or x.shape[-1] != n:
        raise ValueError(f"{layer!r} takes (..., {n}), got {x.shape}")
    return x
