"""Plots of a training run: where a classifier decides, and how its loss went down.

Colours are Okabe and Ito's, which every kind of colour vision tells apart; markers and line styles
say the same without colour. Read `decision_boundary` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd import engine
from micrograd.arrays import numbers
from micrograd.engine import Value
from micrograd.modes import Mode, mode
from micrograd.show.graph.palette import PALETTE, SERIES

try:
    import matplotlib.pyplot as plt
except ImportError as fault:
    raise ImportError(
        'plots need Matplotlib: pip install "micrograd-rebuilt[demo]"', name=fault.name
    ) from fault

__all__ = ["curves", "decision_boundary"]

_MARKERS = "os^DvPX*"
_LINES = ("-", "--", "-.", ":")


def decision_boundary(
    model: Callable[[Any], Any], X: Any, y: Any, *, resolution: int = 120, ax: Any = None
) -> Any:
    """Tint the plane by the class that `model` decides for, with the points on top; the Axes.

    X has shape (n, 2), y (n,). `model` takes one point, an array of two Values. A single output is
    a score that is positive for the larger of two labels; of several outputs the largest wins,
    and labels are their indices.
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1] or not len(X):
        raise ValueError(
            "a decision boundary needs points X of shape (n, 2) and their classes y of shape (n,), "
            f"got {X.shape} and {y.shape}"
        )
    margin = 0.1 * np.ptp(X, axis=0) + 1e-3
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    across, up = np.meshgrid(*np.linspace(low, high, resolution).T)
    scores = _scores(model, np.column_stack([across.ravel(), up.ravel()]))
    labels = _labels(y, scores.shape[1])
    if scores.shape[1] == 1:
        scores = np.column_stack([-scores, scores])
    ax = _axes(ax)
    _regions(ax, across, up, scores.reshape(*across.shape, -1))
    for k, label in labels.items():
        ax.scatter(
            *X[y == label].T, c=SERIES[k], marker=_MARKERS[k], s=34, edgecolors="white",
            linewidths=0.7, label=str(label), zorder=3,
        )  # fmt: skip
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title="Decision boundary", aspect="equal")
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.legend(title="class", framealpha=0.9)
    return ax


def _labels(y: Any, outputs: int) -> dict[int, Any]:
    """Which label of y belongs to which output (or side of the score)."""
    found = np.unique(y).tolist()
    if outputs == 1:
        if len(found) > 2:
            raise ValueError(f"one score tells two classes apart, y has {len(found)}: {found}")
        return dict(enumerate(found)) if len(found) == 2 else {int(found[0] > 0): found[0]}
    if outputs > len(_MARKERS) or not set(found) <= set(range(outputs)):
        raise ValueError(
            f"the model has {outputs} outputs (up to {len(_MARKERS)} can be shown), so labels are "
            f"integers from 0 to {outputs - 1}; y has {found}"
        )
    return {int(label): label for label in found}


def curves(history: Any, *, ax: Any = None) -> Any:
    """Plot a list of losses, or a dict of lists by name, over the steps of training; the Axes."""
    series: Mapping[str, Sequence[Any]]
    series = history if isinstance(history, Mapping) else {"loss": history}
    if not series or not all(len(values) for values in series.values()):
        raise ValueError("there is nothing to plot: a history holds at least one number a curve")
    ax = _axes(ax)
    for i, (name, values) in enumerate(series.items()):
        ax.plot(
            numbers(values), label=name, color=SERIES[i % len(SERIES)],
            linestyle=_LINES[i % len(_LINES)], marker=_MARKERS[i % len(_MARKERS)],
            markevery=max(1, len(values) // 10), markersize=4.5,
        )  # fmt: skip
    ax.set(xlabel="step", title="Training")
    ax.xaxis.get_major_locator().set_params(integer=True)
    if len(series) == 1:
        ax.set_ylabel(next(iter(series)))
    else:
        ax.legend()
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _axes(ax: Any) -> Any:
    return plt.subplots(figsize=(6, 4.5), layout="constrained")[1] if ax is None else ax


def _regions(ax: Any, across: Any, up: Any, scores: Any) -> None:
    """Tint where each class leads, and draw the line where the two best are equal."""
    scores = np.nan_to_num(scores, posinf=1e6, neginf=-1e6)
    for k in range(scores.shape[-1]):
        lead = scores[..., k] - np.delete(scores, k, axis=-1).max(axis=-1)
        if lead.max() > 0:
            levels, tint = [0.0, lead.max()], [SERIES[k]]
            ax.contourf(across, up, lead, levels=levels, colors=tint, alpha=0.18)
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead, levels=[0.0], colors=PALETTE["ink"][0], linewidths=1.2)


# --- evaluating a model at many points -----------------------------------------------------------


class _ManyAtOnce(Mode):
    """A mode in which a Value holds one number for every point, and an operation is NumPy's.

    14,400 points through an MLP(2, [16, 16, 1]) take 0.03 s so, one at a time 15 s.
    """

    def record(self, op: Any, inputs: Sequence[Value]) -> Value:
        with np.errstate(all="ignore"):
            return _holding(op.array(*[x._data for x in inputs]))


def _holding(data: Any) -> Value:
    value = Value(0.0)
    value._data = data  # an array: no number that a Value may hold outside this mode
    return value


def _scores(model: Callable[[Any], Any], points: Any) -> Any:
    """What the model says at each point: an array of shape (points, outputs)."""
    try:
        with mode(_ManyAtOnce()):
            outputs = _outputs(model, [_holding(column) for column in points.T])
        columns = [np.broadcast_to(v._data, len(points)) for v in outputs]
        return np.column_stack(columns).astype(float)
    except (TypeError, ValueError, AttributeError):  # a model that looks at its numbers
        with engine.no_grad():
            return np.array([numbers(_outputs(model, map(Value, point))) for point in points])


def _outputs(model: Callable[[Any], Any], point: Any) -> list[Any]:
    given = np.empty(2, dtype=object)
    given[:] = list(point)
    out = model(given)
    flat = [out] if isinstance(out, Value) else np.asarray(out, dtype=object).ravel().tolist()
    return [v if isinstance(v, Value) else Value(v) for v in flat]
