"""Plots of a training run: where a classifier decides, and how its loss went down.

Colours are Okabe and Ito's, which every kind of colour vision tells apart; markers and line styles
say the same without colour. Names are text, never markup. Read `decision_boundary` first.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd import engine
from micrograd.arrays import numbers
from micrograd.engine import Value
from micrograd.modes import Mode, mode
from micrograd.show.graph.palette import SERIES

try:
    import matplotlib.pyplot as plt
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle
except ImportError as fault:
    raise ImportError(
        'plots need Matplotlib: pip install "micrograd-rebuilt[demo]"', name=fault.name
    ) from fault

__all__ = ["curves", "decision_boundary"]

_MARKERS = "os^DvPX*"
_LINES = ("-", "--", "-.", ":")
_BLACK = 6  # which of the series
_LINE_COLOURS = 7  # the eighth, yellow, is too pale for a line
_LEGEND = 24  # letters in a line of the legend
_STRETCH = 5  # one axis may be so much longer than the other where both have one scale


def decision_boundary(
    model: Callable[[Any], Any], X: Any, y: Any, *, resolution: int = 120, ax: Any = None
) -> Any:
    """Tint the plane by the class that `model` decides for, with the points on top; the Axes.

    X has shape (n, 2), y (n,). `model` takes one point, an array of two Values. A single output is
    a score that is positive for the larger of two labels; of several outputs the largest wins,
    and labels are their indices. Where a score is nan, the plane is hatched.
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y)
    _check_points(X, y)
    spread = np.ptp(X, axis=0)
    margin = np.where(spread > 0, 0.1 * spread, 0.5)
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    across, up = np.meshgrid(*np.linspace(low, high, resolution).T)
    scores = _scores(model, np.column_stack([across.ravel(), up.ravel()]))
    labels = _labels(y, scores.shape[1])
    if scores.shape[1] == 1:
        scores = np.column_stack([-scores, scores])
    ax = _axes(ax)
    _regions(ax, across, up, scores.reshape(*across.shape, -1))
    size = float(np.clip(34 * (200 / len(X)) ** 0.5, 8, 34))  # many points are drawn smaller
    for k, label in labels.items():
        ax.scatter(
            *X[y == label].T, c=_colour(ax, k), marker=_MARKERS[k], s=size,
            edgecolors=ax.get_facecolor(), linewidths=0.02 * size, label=_label(label), zorder=3,
        )  # fmt: skip
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title="Decision boundary")
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    wide, high_ = high - low
    ax.set_aspect("equal" if max(wide, high_) <= _STRETCH * min(wide, high_) else "auto")
    _legend(ax, title="class")
    return ax


def _check_points(X: Any, y: Any) -> None:
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1] or not len(X):
        raise ValueError(
            "a decision boundary needs points X of shape (n, 2) and their classes y of shape (n,), "
            f"got {X.shape} and {y.shape}"
        )
    for i in np.flatnonzero(~np.isfinite(X).all(axis=1)):
        raise ValueError(f"points to be plotted are finite; X[{i}] is {X[i].tolist()}")


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
    """Plot a list of losses, or a dict of lists by name, over the steps of training; the Axes.

    Where a number is nan or infinite the curve has a gap, and a cross below it tells the step.
    """
    series: Mapping[str, Sequence[Any]]
    series = history if isinstance(history, Mapping) else {"loss": history}
    if not series or not all(len(values) for values in series.values()):
        raise ValueError("there is nothing to plot: a history holds at least one number a curve")
    ax = _axes(ax)
    whole = [_curve(ax, i, name, values) for i, (name, values) in enumerate(series.items())]
    ax.set(xlabel="step", title="Training")
    longest = max(len(values) for values in series.values())
    if longest == 1:
        ax.set_xticks([0])
    else:
        fewer = {"nbins": 5} if longest > 9999 else {}  # long numbers would run together
        ax.xaxis.get_major_locator().set_params(integer=True, **fewer)
    if len(series) == 1:
        ax.set_ylabel(textwrap.fill(str(next(iter(series))), 36), parse_math=False)
    if len(series) > 1 or not all(whole):
        _legend(ax)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _curve(ax: Any, i: int, name: object, values: Sequence[Any]) -> bool:
    """Draw the i-th curve; whether all its numbers are finite."""
    given = np.asarray(numbers(values), dtype=float)
    finite = np.isfinite(given)
    turn = 2 * (i // _LINE_COLOURS)  # the second time round a colour has another line and marker
    colour = _colour(ax, i % _LINE_COLOURS)
    alone = finite & ~np.r_[False, finite[:-1]] & ~np.r_[finite[1:], False]
    shown = np.zeros(len(given), dtype=bool)
    shown[:: max(1, len(given) // 10)] = True
    ax.plot(
        np.where(finite, given, np.nan), label=_label(name), color=colour,
        linestyle=_LINES[(i + turn) % len(_LINES)], marker=_MARKERS[(i + turn) % len(_MARKERS)],
        markevery=np.flatnonzero(shown | alone).tolist(), markersize=4.5,
    )  # fmt: skip
    if not finite.all():
        steps = np.flatnonzero(~finite)
        ax.plot(
            steps, np.full(len(steps), 0.02 + 0.03 * i), "x", color=colour, markersize=6,
            transform=ax.get_xaxis_transform(), label=f"{_label(name)}: nan or infinite",
        )  # fmt: skip
    return bool(finite.all())


# --- looks ----------------------------------------------------------------------------------------


def _axes(ax: Any) -> Any:
    return plt.subplots(figsize=(6, 4.5), layout="constrained")[1] if ax is None else ax


def _is_dark(ax: Any) -> bool:
    red, green, blue = to_rgb(ax.get_facecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5


def _colour(ax: Any, k: int) -> str:
    """The k-th colour; on a dark ground white takes the place of black."""
    return "white" if k == _BLACK and _is_dark(ax) else SERIES[k]


def _legend(ax: Any, **look: Any) -> None:
    """What was drawn, beside the data where the figure makes room for it."""
    if ax.figure.get_layout_engine() is not None:
        look |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.3}
    for text in ax.legend(framealpha=0.9, **look).get_texts():
        text.set_parse_math(False)


def _label(name: object) -> str:
    """A name in short lines; Matplotlib leaves out what begins with an underscore."""
    text = textwrap.fill(str(name), _LEGEND)
    return f" {text}" if text.startswith("_") else text


def _regions(ax: Any, across: Any, up: Any, scores: Any) -> None:
    """Tint where each class leads, and draw the line where the two best are equal.

    Beyond where the scores are numbers it is hatched.
    """
    unknown = np.isnan(scores).any(axis=-1)
    scores = np.nan_to_num(scores, posinf=1e6, neginf=-1e6)
    ink = ax.xaxis.label.get_color()
    for k in range(scores.shape[-1]):
        lead = scores[..., k] - np.delete(scores, k, axis=-1).max(axis=-1)
        lead = np.ma.array(lead, mask=unknown)
        if lead.max() is np.ma.masked:  # nowhere a number
            continue
        if lead.max() > 0:
            levels, tint = [0.0, lead.max()], [_colour(ax, k)]
            ax.contourf(across, up, lead, levels=levels, colors=tint, alpha=0.18)
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead, levels=[0.0], colors=ink, linewidths=1.2)
    if unknown.any():
        ax.contourf(across, up, unknown, levels=[0.5, 1.5], colors="none", hatches=["///"])
        corner = (across[0, 0], up[0, 0])  # nothing to see: it is for the legend
        look = {"facecolor": "none", "edgecolor": ink, "hatch": "///"}
        ax.add_patch(Rectangle(corner, 0, 0, label="score is nan", **look))


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
