"""Plots: what they show, and that the quick way of evaluating a model equals the slow one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import pairwise
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
        if len(filled) and filled[0][3] and type(collection).__name__ == "QuadContourSet":
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


# --- what can be read -----------------------------------------------------------------------------


def drawn(ax: Any) -> Any:
    """The figure's renderer, after everything has its place."""
    ax.figure.canvas.draw()
    return ax.figure.canvas.get_renderer()


def test_no_two_curves_look_alike_not_even_without_colour() -> None:
    history = {f"run {i}": np.linspace(1, i, 30) for i in range(20)}
    for background in ("default", "dark_background"):
        with plt.style.context(background):
            ax = plot.curves(history)
            ground = ax.get_facecolor()
        lines = ax.get_lines()
        looks = [(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines]
        assert len(set(looks)) == 20
        assert all(a[1:] != b[1:] for a, b in pairwise(looks))
        for line in lines:  # yellow on white has 1.3, black on black 1
            assert contrast(line.get_color(), ground) > 2


def contrast(one: Any, other: Any) -> float:
    def luminance(colour: Any) -> float:
        channels = matplotlib.colors.to_rgb(colour)
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_the_legend_covers_nothing_and_the_whole_fits_its_figure() -> None:
    name = "learning rate 0.1 with momentum 0.9 and a weight decay of 1e-4"
    everywhere = {name: np.linspace(0, 1, 50), "b": np.linspace(1, 0, 50), "c": [0.5] * 50}
    X = np.random.default_rng(0).uniform(-1, 1, size=(60, 2))
    model = lambda x: x[0]
    for ax in (plot.curves(everywhere), plot.decision_boundary(model, X, np.arange(60) % 2)):
        renderer = drawn(ax)
        legend = ax.get_legend().get_window_extent(renderer)
        assert not legend.overlaps(ax.get_window_extent(renderer))
        whole = ax.get_tightbbox(renderer)
        assert whole.x0 >= 0 and whole.x1 <= ax.figure.bbox.x1 and whole.y0 >= 0
        assert ax.bbox.width > 200
    ax = plot.curves({name * 2: [2, 1]})
    title = ax.yaxis.label.get_window_extent(drawn(ax))
    assert title.y0 >= 0 and title.y1 <= ax.figure.bbox.y1
    (left, _) = plt.subplots(1, 2)[1]  # a figure without a layout has no room beside its axes
    assert plot.curves(everywhere, ax=left).get_legend().get_bbox_to_anchor().bounds == (
        left.bbox.bounds
    )


def test_names_are_text() -> None:
    ax = plot.curves({"_hidden": [2, 1], "a$b^c$": [1, 2], "$": [1, 1], r"\frac{": [0, 1]})
    drawn(ax)
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == [" _hidden", "a$b^c$", "$", r"\frac{"]
    drawn(plot.curves({"$x^": [2, 1]}))


def test_letters_are_eight_points_high_or_more() -> None:
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    for ax in (
        plot.curves({"a": [2, 1], "b": [1, 2]}),
        plot.decision_boundary(lambda x: x[0], X, [0, 1]),
    ):
        drawn(ax)
        texts = [t for t in ax.findobj(matplotlib.text.Text) if t.get_text() and t.get_visible()]
        assert len(texts) > 8 and min(t.get_fontsize() for t in texts) >= 8


def ticks(ax: Any) -> list[Any]:
    renderer = drawn(ax)
    return [t.get_window_extent(renderer) for t in ax.get_xticklabels() if t.get_text()]


def test_numbers_on_the_axis_stand_apart() -> None:
    one = plot.curves([3.0])
    assert [t.get_text() for t in one.get_xticklabels()] == ["0"]
    long = plot.curves({"a": np.linspace(1, 0, 200_000), "b": [1.0]})
    point = plot.decision_boundary(lambda x: x[0], [[0.3, 0.2]], [1])
    for ax in (long, point):
        assert all(a.x1 + 4 < b.x0 for a, b in pairwise(ticks(ax)))


def test_steps_without_a_number_are_marked() -> None:
    values = [3.0, np.nan, 2.0, np.inf, 1.0, 0.5, *np.linspace(0.5, 0.4, 60), np.nan, 0.3]
    ax = plot.curves({"loss": values})
    line, crosses = ax.get_lines()
    assert list(crosses.get_xdata()) == [1, 3, 66]
    assert "nan or infinite" in crosses.get_label() and ax.get_legend() is not None
    assert np.isnan(line.get_ydata()[[1, 3, 66]]).all()
    assert {0, 2, 67} <= set(line.get_markevery())  # a number between gaps has no line to show it
    drawn(plot.curves([np.nan, np.nan]))


def test_axes_of_different_units_are_both_seen() -> None:
    X = np.column_stack([np.linspace(0, 1000, 20), np.linspace(0, 1, 20)])
    ax = plot.decision_boundary(lambda x: x[0] - 500, X, np.arange(20) % 2)
    drawn(ax)
    assert min(ax.bbox.width, ax.bbox.height) > 150
    ax = plot.decision_boundary(lambda x: x[0], points(), np.arange(7) % 2)
    assert ax.get_aspect() == 1


def test_where_a_score_is_nan_the_plane_is_hatched() -> None:
    X = np.array([[-1.0, 0.0], [3.0, 1.0]])
    ax = plot.decision_boundary(lambda x: x[0].log(), X, [0, 1])
    assert regions(ax, (0.5, 0.5)) == [SERIES[0]] and regions(ax, (2.0, 0.5)) == [SERIES[1]]
    assert regions(ax, (-0.5, 0.5)) == []
    assert any("///" in (c.hatches or []) for c in ax.collections if hasattr(c, "hatches"))
    assert "score is nan" in [t.get_text() for t in ax.get_legend().get_texts()]
    drawn(plot.decision_boundary(lambda x: x[0] * np.nan, X, [0, 1]))


def test_points_that_are_nowhere_are_named() -> None:
    X = np.array([[0.0, 1.0], [np.nan, 2.0]])
    with pytest.raises(ValueError, match=r"finite; X\[1\] is \[nan, 2.0\]"):
        plot.decision_boundary(lambda x: x[0], X, [0, 1])


def test_many_points_are_drawn_smaller() -> None:
    X = np.random.default_rng(0).normal(size=(5000, 2))
    sizes = [
        plot.decision_boundary(lambda x: x[0], X[:n], np.arange(n) % 2)
        .collections[-1]
        .get_sizes()[0]
        for n in (50, 5000)
    ]
    assert sizes == [34, 8]


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
