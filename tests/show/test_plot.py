"""Plots: what they show, and that the quick way of evaluating a model equals the slow one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from micrograd import Value, modes, ops
from micrograd.data import moons
from micrograd.nn import MLP
from micrograd.show import plot
from micrograd.show.graph.palette import SERIES


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def points(n: int = 7) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 2))


def one_by_one(model: Any, at: np.ndarray) -> np.ndarray:
    """The slow reference."""
    outputs = [model([Value(a), Value(b)]) for a, b in at]
    return np.array(
        [[v.data for v in (out if isinstance(out, list) else [out])] for out in outputs]
    )


@pytest.mark.parametrize(
    "activation", ["relu", "leaky_relu", "tanh", "sigmoid", "gelu", "softplus"]
)
@pytest.mark.parametrize("outputs", [1, 3])
def test_all_points_at_once_equal_one_by_one(activation: str, outputs: int) -> None:
    model = MLP(2, [5, outputs], activation=activation, rng=random.Random(1))
    assert plot._scores(model, points()) == pytest.approx(one_by_one(model, points()), rel=1e-12)


def test_a_model_may_use_any_op_and_plain_numbers() -> None:
    def model(x: Any) -> Any:
        a, b = x
        c = ops.where(ops.greater(a, b), a**2, abs(b) ** 1.5) / (1 + a * a)
        return [ops.maximum(c, 0.25).detach() - 2, np.exp(-b), 7.0]

    expected = [
        [v if isinstance(v, float) else v.data for v in model([Value(p), Value(q)])]
        for p, q in points()
    ]
    assert plot._scores(model, points()) == pytest.approx(np.array(expected), rel=1e-12)


def test_a_model_that_looks_at_its_numbers_is_asked_point_by_point() -> None:
    def model(x: Any) -> Any:
        return x[0] * 2 if x[0] > x[1] else x[1] * 3

    assert plot._scores(model, points()) == pytest.approx(one_by_one(model, points()), rel=1e-12)

    def broken(x: Any) -> Any:
        raise ValueError("not today")

    with pytest.raises(ValueError, match="not today"):
        plot._scores(broken, points())


def test_nothing_is_recorded_and_no_parameter_touched() -> None:
    model = MLP(2, [4, 1], rng=random.Random(1))
    before = [(p.data, p.grad) for p in model.parameters()]
    seen = []
    plot.decision_boundary(lambda x: seen.append(model(x)) or seen[-1], points(), np.arange(7) % 2)
    assert len(seen) == 1
    assert seen[0]._prev == ()
    assert [(p.data, p.grad) for p in model.parameters()] == before
    assert modes.current_mode() is modes.eager


def regions(ax: Any, at: tuple[float, float]) -> list[str]:
    """Colours of the tinted regions that hold a point."""
    found = []
    for collection in ax.collections:
        filled = collection.get_facecolor()
        if len(filled) and type(collection).__name__ == "QuadContourSet":
            for path in collection.get_paths():
                if path.contains_point(at):
                    found.append(matplotlib.colors.to_hex(filled[0]).upper())
    return found


def test_the_larger_label_stands_where_the_score_is_positive() -> None:
    X = np.array([[-1.0, 0.0], [1.0, 1.0]])
    for y in ([-1, 1], [0, 1], [3.5, 7.0]):
        ax = plot.decision_boundary(lambda x: x[0], X, y)
        assert regions(ax, (0.9, 0.5)) == [SERIES[1]]
        assert regions(ax, (-0.9, 0.5)) == [SERIES[0]]
        assert [t.get_text() for t in ax.get_legend().get_texts()] == [str(v) for v in y]


def test_of_several_outputs_the_largest_wins() -> None:
    X = np.array([[-1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    ax = plot.decision_boundary(lambda x: [-x[0], x[0], Value(0.5)], X, [0, 1, 1])
    assert regions(ax, (-0.9, 0.5)) == [SERIES[0]]
    assert regions(ax, (0.9, 0.5)) == [SERIES[1]]
    assert regions(ax, (0.0, 0.5)) == [SERIES[2]]


def test_axes_have_names_markers_and_limits_around_the_points() -> None:
    X, y = moons(40, 0.1, 1)
    model = MLP(2, [4, 1], rng=random.Random(1))
    fig, own = plt.subplots()
    ax = plot.decision_boundary(model, X, 2 * y - 1, ax=own)
    assert ax is own
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == (
        "Decision boundary",
        "$x_1$",
        "$x_2$",
    )
    assert ax.get_xlim()[0] < X[:, 0].min() < X[:, 0].max() < ax.get_xlim()[1]
    dots = [c for c in ax.collections if type(c).__name__ == "PathCollection"]
    assert sum(len(c.get_offsets()) for c in dots) == 40
    assert len({c.get_paths()[0].vertices.tobytes() for c in dots}) == 2  # a marker a class
    fig.canvas.draw()


def test_a_model_that_never_changes_its_mind_or_gives_nan_is_drawn() -> None:
    X = points()
    for model in (lambda x: x[0] * 0 + 1, lambda x: (x[0] - 100).log(), lambda x: 1 / (x[0] * 0)):
        plot.decision_boundary(model, X, np.ones(7)).figure.canvas.draw()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((3, 3)), [0, 1, 0], r"shape \(n, 2\).*got \(3, 3\) and \(3,\)"),
        (np.zeros((3, 2)), [0, 1], r"got \(3, 2\) and \(2,\)"),
        (np.zeros((0, 2)), [], r"got \(0, 2\)"),
        (np.zeros((3, 2)), [0, 1, 2], "two classes apart, y has 3"),
    ],
)
def test_wrong_points_are_named(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot.decision_boundary(lambda x: x[0], X, y)


def test_labels_must_be_the_indices_of_outputs() -> None:
    with pytest.raises(ValueError, match=r"integers from 0 to 1; y has \[1, 2\]"):
        plot.decision_boundary(lambda x: [x[0], x[1]], np.zeros((2, 2)), [1, 2])


def test_curves_take_a_list_or_a_dict_of_numbers_or_values() -> None:
    ax = plot.curves([Value(3.0), 2.0, np.float64(1.0)])
    (line,) = ax.get_lines()
    assert list(line.get_ydata()) == [3.0, 2.0, 1.0]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("step", "loss", "Training")
    assert ax.get_legend() is None
    ax = plot.curves({"loss": [3, 2, 1], "accuracy": [0, 0.5]})
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["loss", "accuracy"]
    looks = [(line.get_color(), line.get_marker(), line.get_linestyle()) for line in ax.get_lines()]
    assert all(a != b for a, b in zip(*looks, strict=True))
    ax.figure.canvas.draw()
    assert all(t.get_text().lstrip("\u2212").isdigit() for t in ax.get_xticklabels())


@pytest.mark.parametrize("nothing", [[], {}, {"loss": []}])
def test_an_empty_history_is_an_error(nothing: Any) -> None:
    with pytest.raises(ValueError, match="nothing to plot"):
        plot.curves(nothing)


def test_without_matplotlib_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import importlib
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.delitem(sys.modules, "micrograd.show.plot")
    with pytest.raises(ImportError, match=r'pip install "micrograd-rebuilt\[demo\]"'):
        importlib.import_module("micrograd.show.plot")


def test_plots_and_lectures_take_their_colours_from_the_pictures_palette() -> None:
    source = Path(plot.__file__).read_text(encoding="utf-8")
    assert not re.search(r"#[0-9A-Fa-f]{6}", source)
    toolkit = Path(plot.__file__).parents[2] / "lectures" / "toolkit.py"
    assert re.search(r"^COLOURS = SERIES$", toolkit.read_text(encoding="utf-8"), re.MULTILINE)
