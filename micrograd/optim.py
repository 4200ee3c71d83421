"""Optimisers, in order of growing complexity: SGD, Adam, AdamW; then schedules, and clipping.

Each follows `torch.optim` step for step. The parameters of an optimiser live side by side in one
store, so a step is a handful of operations on whole arrays: no loop over them, and no new arrays.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from micrograd.engine import Value
from micrograd.reals import describe
from micrograd.store import Block

__all__ = ["Optimizer", "SGD", "Adam", "AdamW", "StepLR", "CosineAnnealingLR", "clip_grad_norm"]

Betas = tuple[float, float]


class Optimizer:
    """What all share: the parameters as one Block, the learning rate, zero_grad() and step()."""

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        self.lr = lr
        self.block = _block(parameters)
        self._scratch = np.empty(len(self.block))
        self._moments: tuple[np.ndarray, ...] = ()  # what is remembered of each parameter
        self._compiled: Any = None  # the arrays that it goes through, and the step as one loop

    @property
    def lr(self) -> float:
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = _number("lr", lr)
        self._rate = np.array(self._lr)  # NumPy multiplies by it in 0.2 us less than by a float

    def zero_grad(self) -> None:
        views = self.block.views()
        if views is None:
            self.block.grads = 0.0
        else:
            views[1].fill(0.0)

    def step(self) -> None:
        """Move every parameter once, by its gradient."""
        views, compiled = self.block.views(), self._compiled
        if compiled is not None and compiled[0] is views and compiled[1] is self._moments:
            compiled[2](*self._settings())
        elif views is None:  # these Values do not lie side by side in their store: copies
            numbers = self.block.data
            self._move(numbers, self.block.grads)
            self.block.data = numbers
        elif _UPDATES in sys.modules and type(self) in _NATIVE:
            native = sys.modules[_UPDATES]
            update = native.Update(self._lines(native), (*views, *self._moments), _SETTINGS)
            self._compiled = views, self._moments, update
            update(*self._settings())
        else:
            self._move(*views)

    def _move(self, p: np.ndarray, g: np.ndarray) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say how to move parameters")

    # --- as one compiled loop, once lifted programs are compiled: the same numbers ----------------

    def _lines(self, native: Any) -> Any:
        raise NotImplementedError

    def _settings(self) -> Sequence[float]:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_compiled": None}


class SGD(Optimizer):
    """g += weight_decay * p; v = momentum * v + g; p -= lr * v.

    With Nesterov's momentum p -= lr * (g + momentum * v): Sutskever et al., "On the Importance of
    Initialization and Momentum in Deep Learning", 2013.
    """

    def __init__(
        self, parameters: Iterable[Value], lr: float = 1e-3, momentum: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False,
    ) -> None:  # fmt: skip
        self.momentum = _number("momentum", momentum)
        self.weight_decay = _number("weight_decay", weight_decay)
        self.nesterov = nesterov
        if nesterov and momentum == 0:
            raise ValueError("nesterov looks ahead along the momentum; got momentum 0")
        super().__init__(parameters, lr)
        if momentum:
            self._moments = (np.zeros(len(self.block)),)
        self._decayed = np.empty(len(self.block)) if weight_decay else None

    def _move(self, p: np.ndarray, g: np.ndarray) -> None:
        scratch = self._scratch
        if self._decayed is not None:
            np.multiply(p, self.weight_decay, out=self._decayed)
            g = np.add(self._decayed, g, out=self._decayed)
        if self._moments:
            (v,) = self._moments
            v *= self.momentum
            v += g
            if self.nesterov:
                np.multiply(v, self.momentum, out=scratch)
                scratch += g
                g = scratch
            else:
                g = v
        np.multiply(g, self._rate, scratch)
        p -= scratch

    def _lines(self, native: Any) -> Any:
        return native.sgd(bool(self._moments), self._decayed is not None, self.nesterov)

    def _settings(self) -> Sequence[float]:
        return self._lr, self.momentum, self.weight_decay, 0.0, 0.0


class Adam(Optimizer):
    """m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g**2;
    p -= lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps) at step t.

    `weight_decay` adds weight_decay * p to g.
    Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.
    """

    def __init__(
        self, parameters: Iterable[Value], lr: float = 1e-3, betas: Betas = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        self.betas = _number("betas[0]", betas[0], below=1), _number("betas[1]", betas[1], below=1)
        self.eps = _number("eps", eps)
        self.weight_decay = _number("weight_decay", weight_decay)
        super().__init__(parameters, lr)
        self._t = 0
        # m / (1 - beta1) and v / (1 - beta2): the factors wait for the last line, which saves two
        # passes over the parameters of twelve (4,192 of them: 16 us a step instead of 19)
        self._moments = np.zeros(len(self.block)), np.zeros(len(self.block))
        self._decayed = np.empty(len(self.block)) if weight_decay else None

    def _move(self, p: np.ndarray, g: np.ndarray) -> None:
        if self._decayed is not None:
            g = self._decay(p, g, self._decayed)
        (m, v), scratch = self._moments, self._scratch
        beta1, beta2, eps, length, _ = self._settings()
        m *= beta1
        m += g
        v *= beta2
        np.multiply(g, g, out=scratch)
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += eps
        np.divide(m, scratch, out=scratch)
        scratch *= length
        p -= scratch

    def _settings(self) -> Sequence[float]:
        """The betas, eps, the length of the next step, and the factor of the weight decay."""
        beta1, beta2 = self.betas
        self._t += 1
        root = math.sqrt((1 - beta2) / (1 - beta2**self._t))  # sqrt(v') = root * sqrt(v)
        length = self._lr * (1 - beta1) / (1 - beta1**self._t) / root
        return beta1, beta2, self.eps / root, length, self.weight_decay

    def _lines(self, native: Any) -> Any:
        return native.adam("in g" if self._decayed is not None else "")

    def _decay(self, p: np.ndarray, g: np.ndarray, out: np.ndarray) -> np.ndarray:
        np.multiply(p, self.weight_decay, out=out)
        out += g
        return out


class AdamW(Adam):
    """Adam whose weight decay acts on p, p *= 1 - lr * weight_decay, and not through m and v.

    Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
    """

    def __init__(
        self, parameters: Iterable[Value], lr: float = 1e-3, betas: Betas = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.01,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def _decay(self, p: np.ndarray, g: np.ndarray, out: np.ndarray) -> np.ndarray:
        p *= 1 - self.lr * self.weight_decay
        return g

    def _lines(self, native: Any) -> Any:
        return native.adam("of p" if self._decayed is not None else "")

    def _settings(self) -> Sequence[float]:
        *others, weight_decay = super()._settings()
        return *others, 1 - self._lr * weight_decay


_NATIVE = (SGD, Adam, AdamW)  # not what others derive from them
_SETTINGS = 5
_UPDATES = "micrograd.lifting.run.native.updates"


# --- schedules: call `step()` once an epoch, or once a step, after the optimiser's ----------------


class StepLR:
    """lr = lr0 * gamma**(t // step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _whole("step_size", step_size)
        self.gamma = _number("gamma", gamma)
        self.optimizer, self.start, self.t = optimizer, optimizer.lr, 0

    def step(self) -> None:
        self.t += 1
        self.optimizer.lr = self.start * self.gamma ** (self.t // self.step_size)


class CosineAnnealingLR:
    """lr = eta_min + (lr0 - eta_min) * (1 + cos(pi * t / T_max)) / 2: down, then up again."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = _whole("T_max", T_max)
        self.eta_min = _number("eta_min", eta_min)
        self.optimizer, self.start, self.t = optimizer, optimizer.lr, 0

    def step(self) -> None:
        self.t += 1
        wave = (1 + math.cos(math.pi * self.t / self.T_max)) / 2
        self.optimizer.lr = self.eta_min + (self.start - self.eta_min) * wave


# --- clipping -------------------------------------------------------------------------------------


def clip_grad_norm(parameters: Optimizer | Iterable[Value], max_norm: float) -> float:
    """Scale all gradients by max_norm / norm if their common norm is larger; return that norm.

    Given an optimiser it clips all that the optimiser moves, as one array.
    """
    max_norm = _number("max_norm", max_norm)
    block = parameters.block if isinstance(parameters, Optimizer) else _block(parameters)
    grads = block.grads
    norm = math.sqrt(grads @ grads)
    scale = max_norm / (norm + 1e-6)  # as PyTorch, which keeps clear of a division by zero
    if not scale >= 1:  # so that a norm of nan makes all gradients nan, as in PyTorch
        grads *= scale
        if grads.flags.owndata:
            block.grads = grads
    return norm


def _block(parameters: Iterable[Value]) -> Block:
    """The parameters, Values or arrays of them, each once, side by side in one store."""
    if isinstance(parameters, (Value, str)) or not isinstance(parameters, Iterable):
        raise TypeError(f"expected a list such as model.parameters(), got {describe(parameters)}")
    values = list(chain.from_iterable(np.asarray(p, dtype=object).flat for p in parameters))
    for v in values:
        if not isinstance(v, Value):
            raise TypeError(f"only Values can be parameters, got {describe(v)}")
    values = list(dict.fromkeys(values))
    if not values:
        raise ValueError("no parameters were given; an optimiser needs at least one Value to move")
    return Block(values)


def _number(name: str, x: Any, below: float = math.inf) -> float:
    """x, if it is a real number with 0 <= x < below (nan is not); else an error that says so."""
    if isinstance(x, (bool, str)) or not hasattr(x, "__float__"):
        raise TypeError(f"{name} is a real number, got {x!r}")
    if not 0 <= float(x) < below:
        raise ValueError(f"{name} is at least 0 and below {below}, got {x!r}")
    return float(x)


def _whole(name: str, n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{name} is a whole number of at least 1, got {n!r}")
    return int(n)
