"""Neurons, layers and examples are found in a finished graph, and open and close.

Covers `calls.py`, `grouping.py`, `outside.py`, `units.py`, `views.py`.
"""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import pytest
import test_adopted as video

from micrograd import Value, draw, nn
from micrograd.show.graph.calls import find_calls, find_examples
from micrograd.show.graph.draw import card_of, closed_card, edges_of, op_card
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Group, Run, size_of
from micrograd.show.graph.grouping import Grouping, group
from micrograd.show.graph.layout import arrange
from micrograd.show.graph.nodes import Node, read, topological_order
from micrograd.show.graph.order import disorder, turned
from micrograd.show.graph.units import paths, units_of
from micrograd.show.graph.views import Maker, opened, view

SVG = "{http://www.w3.org/2000/svg}"
XS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YS = [1.0, -1.0, -1.0, 1.0]


def labelled(xs: list[float]) -> list[Value]:
    return [Value(x, label=f"x{i}") for i, x in enumerate(xs, 1)]


def perceptron(sizes: list[int], examples: int = 4, **kwargs: Any) -> tuple[Value, nn.MLP]:
    """The squared errors of an MLP, as the lecture sums them."""
    model = nn.MLP(3, sizes, rng=random.Random(1), **kwargs)
    pairs = list(zip(XS, YS, strict=True))[:examples]
    loss = sum((model(labelled(x)) - y) ** 2 for x, y in pairs)
    loss.label = "loss"
    loss.backward()
    return loss, model


def grouped(value: Any, model: Any) -> tuple[list[Node], Grouping]:
    nodes = read(topological_order(value))
    return nodes, group(nodes, units_of(model))


def kinds(grouping: Grouping) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in grouping.within():
        found[part.kind] = found.get(part.kind, 0) + 1
    return found


def look(nodes: list[Node], grouping: Grouping, open_: frozenset[str]) -> Drawing:
    make = Maker(
        lambda i: card_of(nodes[i], i, "interior", []), lambda i: op_card(nodes[i], i),
        lambda part: closed_card(part, "0", "0"), lambda i: edges_of(nodes, i),
    )  # fmt: skip
    return view(nodes, grouping, open_, make)


# --- units ----------------------------------------------------------------------------------------


def test_the_neurons_of_a_model_are_the_objects_that_hold_weights() -> None:
    units = units_of(nn.MLP(3, [4, 2, 1]))
    assert [u.path for u in units][3:6] == [
        "layers.0.neurons.3", "layers.1.neurons.0", "layers.1.neurons.1",
    ]  # fmt: skip
    assert [(u.layer, u.row) for u in units][3:7] == [
        ("layers.0", 3), ("layers.1", 0), ("layers.1", 1), ("layers.2", 0),
    ]  # fmt: skip
    assert list(units[0].names.values()) == ["w[0]", "w[1]", "w[2]", "b"]
    assert [u.nonlin for u in units] == [True] * 6 + [False]


def test_the_rows_of_a_weight_matrix_are_neurons() -> None:
    units = units_of(nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)))
    assert [(u.path, u.layer, u.row) for u in units] == [
        ("0[0]", "0", 0), ("0[1]", "0", 1), ("2", "2", 0),
    ]  # fmt: skip
    assert list(units[1].names.values()) == [
        "weight[1, 0]",
        "weight[1, 1]",
        "weight[1, 2]",
        "bias[1]",
    ]


def test_paths_are_those_of_named_parameters() -> None:
    for model in (nn.MLP(3, [4, 1]), nn.Neuron(2), nn.Layer(2, 3), nn.Linear(2, 2)):
        named = [(name, id(v)) for name, v in model.named_parameters()]
        assert [(name, id(v)) for name, v in paths(model)] == named
    assert [path for path, _ in paths({"a": [Value(1.0)], "b": 3, "c": "text"})] == ["a[0]"]


# --- calls and examples ---------------------------------------------------------------------------


def test_calls_of_one_neuron_on_several_examples_are_found() -> None:
    """Planted: which nodes each call made is noted while it is made."""
    neuron, planted = nn.Neuron(2, activation="tanh"), []
    total = Value(0.0)
    for k in range(5):
        x = labelled([float(k), 1.0])
        out = neuron(x)
        made = set(map(id, topological_order(out))) - {id(v) for v in (*x, *neuron.parameters())}
        planted.append(made)
        total = total + (out - 0.5) ** 2
    nodes = read(topological_order(total))
    found = find_calls(nodes, units_of(neuron))
    assert [{id(nodes[i].value) for i in call.nodes} for call in found] == planted
    assert {call.activation for call in found} == {"tanh"}
    weights = {i for i, n in enumerate(nodes) if any(n.value is p for p in neuron.parameters())}
    examples = find_examples(nodes, found, weights)
    assert [example.calls for example in examples] == [[0], [1], [2], [3], [4]]
    for example in examples:
        assert [nodes[i].op for i in sorted(example.nodes) if nodes[i].op] == ["+", "**2"]
        assert {nodes[i].label for i in example.nodes if not nodes[i].op} == {"x1", "x2", ""}


@pytest.mark.parametrize("as_values", [True, False])
def test_the_lectures_network_is_examples_layers_and_neurons(as_values: bool) -> None:
    model = nn.MLP(3, [4, 4, 1], rng=random.Random(1))
    loss = sum(
        (model(labelled(x) if as_values else x) - y) ** 2 for x, y in zip(XS, YS, strict=True)
    )
    nodes, grouping = grouped(loss, model)
    assert len(nodes) == (358 if as_values else 394)
    assert kinds(grouping) == {"example": 4, "layer": 8, "neuron": 36, "sum": 1}
    example = grouping.parts[1]
    assert [p.label for p in example.parts] == ["layer 1", "layer 2", "layer 3: neuron"]
    assert [p.key for p in example.parts[0].parts][3] == "example 2/layers.0.neurons.3"
    assert example.parts[0].parts[0].formula == "ReLU(w·x + b)"
    assert example.parts[2].formula == "w·x + b"


def test_everything_belongs_to_one_part_and_only_results_are_used_outside() -> None:
    for made in (perceptron([4, 4, 1]), perceptron([2, 1], 1), perceptron([1], 3)):
        nodes, grouping = grouped(*made)
        held = [i for part in grouping.parts for i in part.all()]
        assert len(held) == len(set(held)) and not set(held) & set(grouping.weights)
        for part in grouping.within():
            inside = set(part.all())
            for i, node in enumerate(nodes):
                if i not in inside and part.output >= 0:
                    assert set(node.inputs) & inside <= {part.output}, part.key


def test_a_penalty_is_no_call_and_a_part_of_its_own() -> None:
    loss, model = perceptron([2, 1], 2)
    total = loss + 0.01 * sum(p * p for p in model.parameters())
    nodes, grouping = grouped(total, model)
    assert kinds(grouping) == {"example": 2, "layer": 2, "neuron": 6, "penalty": 1, "sum": 1}
    (penalty,) = [part for part in grouping.parts if part.kind == "penalty"]
    assert nodes[penalty.output].data == pytest.approx(
        0.01 * sum(p.data**2 for p in model.parameters())
    )


def test_one_example_alone_has_no_frame_around_everything() -> None:
    nodes, grouping = grouped(*perceptron([4, 1], 1))
    assert [p.kind for p in grouping.parts] == ["layer", "neuron"]
    assert {
        nodes[i].label
        for i in set(range(len(nodes))) - {i for p in grouping.parts for i in p.all()}
    } >= {"x1", "x2", "x3", "loss"}


def test_a_neuron_that_is_called_again_and_again_is_one_example() -> None:
    cell, state = nn.Neuron(1, activation="tanh"), Value(0.5, label="h")
    for _ in range(3):
        state = cell([state])
    _, grouping = grouped(state, cell)
    assert [p.label for p in grouping.parts] == ["neuron", "neuron, call 2", "neuron, call 3"]


def test_an_inner_number_that_is_used_outside_makes_no_neuron() -> None:
    neuron = nn.Neuron(2)
    x1, x2 = labelled([2.0, 3.0])
    act = neuron.w[0] * x1 + neuron.b + neuron.w[1] * x2
    nodes, grouping = grouped(act * act._prev[0], neuron)
    assert grouping.parts == () and len(nodes) == 10


def test_linear_layers_of_arrays_are_found() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    loss = sum((model(labelled(x))[0] - y) ** 2 for x, y in zip(XS, YS, strict=True))
    _, grouping = grouped(loss, model)
    assert kinds(grouping)["example"] == 4 and kinds(grouping)["neuron"] == 12
    assert grouping.parts[0].parts[0].parts[1].formula == "tanh(w·x + b)"


def test_the_videos_own_network_is_found() -> None:
    class Neuron:
        def __init__(self, nin: int) -> None:
            self.w = [video.Value(random.uniform(-1, 1)) for _ in range(nin)]
            self.b = video.Value(random.uniform(-1, 1))

        def __call__(self, x: Any) -> Any:
            act = self.b
            for wi, xi in zip(self.w, x, strict=True):
                act = act + wi * xi
            return act.tanh()

    class Layer:
        def __init__(self, nin: int, nout: int) -> None:
            self.neurons = [Neuron(nin) for _ in range(nout)]

        def __call__(self, x: Any) -> Any:
            outs = [n(x) for n in self.neurons]
            return outs[0] if len(outs) == 1 else outs

    class MLP:
        def __init__(self, nin: int, nouts: list[int]) -> None:
            sizes = [nin, *nouts]
            self.layers = [Layer(sizes[i], sizes[i + 1]) for i in range(len(nouts))]

        def __call__(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return x

    model = MLP(3, [4, 1])
    total = video.Value(0.0)
    for x, y in zip(XS, YS, strict=True):
        total = total + (model(x) + video.Value(-y)) ** 2
    _, grouping = grouped(total, model)
    assert kinds(grouping) == {"example": 4, "layer": 4, "neuron": 20, "sum": 1}
    assert len(draw(total, groups=model).drawing.cards) < 16


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[4, 4, 1], [2, 1], [1]])
def test_the_order_by_neurons_is_topological(sizes: list[int]) -> None:
    nodes, grouping = grouped(*perceptron(sizes))
    steps = grouping.order(nodes)
    order = [i for step in steps for i in step]
    assert sorted(order) == list(range(len(nodes)))
    place = {i: k for k, i in enumerate(order)}
    assert all(place[x] < place[i] for i, node in enumerate(nodes) for x in node.inputs)
    neurons = [p for p in grouping.within() if p.kind == "neuron"]
    for part in neurons:
        assert [sorted(step) for step in steps if part.output in step] == [sorted(part.all())]


# --- views ----------------------------------------------------------------------------------------


def all_views(grouping: Grouping) -> list[frozenset[str]]:
    every = frozenset(part.id for part in grouping.within())
    return [every, frozenset(), *(opened(grouping, p) for p in (None, *grouping.within()))]


@pytest.mark.parametrize("made", [([4, 4, 1], 4), ([2, 1], 1), ([3, 2], 2)])
def test_in_every_view_each_arrow_leads_from_card_to_card(made: Any) -> None:
    sizes, count = made
    model = nn.MLP(3, sizes)
    outs = [model(labelled(x)) for x in XS[:count]]
    loss = sum(sum(o if isinstance(o, list) else [o]) for o in outs)
    nodes, grouping = grouped(loss, model)
    for open_ in all_views(grouping):
        drawing = look(nodes, grouping, open_)
        ids = [card.id for card in drawing.cards]
        assert len(ids) == len(set(ids))
        assert all(edge.tail in ids and edge.head in ids for edge in drawing.edges)
        assert len({edge.id for edge in drawing.edges}) == len(drawing.edges)

        def framed(groups: tuple[Group, ...]) -> list[str]:
            return [c for g in groups for c in (*g.cards, *framed(g.groups))]

        inside = framed(drawing.groups)
        assert len(inside) == len(set(inside)) and set(inside) <= set(ids)
    everything = look(nodes, grouping, all_views(grouping)[0])
    assert sum(card.kind != "op" for card in everything.cards) == len(nodes)


def sizes_of(drawing: Drawing) -> tuple[int, float]:
    return sum(card.kind != "op" for card in drawing.cards), arrange(drawing).width


def test_the_lectures_network_can_be_read() -> None:
    loss, model = perceptron([4, 4, 1])
    cards, wide = sizes_of(draw(loss, groups=model).drawing)
    assert 8 <= cards <= 10 and wide < 1280
    cards, wide = sizes_of(draw(loss, groups=model, open="example 2").drawing)
    assert 18 <= cards <= 25
    assert 13.5 * min(1, 1280 / wide) >= 11  # pixels of a letter in a window of 1,280


def test_what_opens_is_named() -> None:
    loss, model = perceptron([4, 4, 1])
    labels = lambda **kwargs: ET.fromstring(draw(loss, groups=model, **kwargs).svg)
    said = lambda root: {"".join(t.itertext()) for t in root.iter(f"{SVG}text")}
    closed = said(labels())
    assert {"example 1", "example 4", "loss: sum of 4", "loss"} <= closed
    assert "neuron 1" not in closed
    one = said(labels(open="example 2"))
    assert {"example 1", "layer 1", "neuron 4", "x1", "loss: sum of 4"} <= one
    assert "w21" not in one
    neuron = said(labels(open="example 2/layers.0.neurons.1"))
    assert {"w21", "w22", "w23", "b2", "neuron 2: ReLU(w·x + b)"} <= neuron
    assert "is layers.0.neurons.1.w[0]" in neuron  # the legend
    assert neuron == said(labels(open=["example 2/layers.0.neurons.1"]))
    with pytest.raises(ValueError, match=r"names of groups; got 'example 9'; the groups are examp"):
        draw(loss, groups=model, open="example 9")
    small, model = perceptron([1], 2)
    assert "w1" in {
        "".join(t.itertext())
        for t in ET.fromstring(draw(small, groups=model).svg).iter(f"{SVG}text")
    }


def test_a_closed_neuron_shows_its_result() -> None:
    loss, model = perceptron([4, 1], 2)
    picture = draw(loss, groups=model, open="example 1")
    for card in picture.drawing.cards:
        if card.kind == "closed":
            node = picture.nodes[card.id]
            assert f"{node.data:.4f}".lstrip("-") in str(card.cells)
            assert ("grad-plus" in card.look) == (node.grad > 0)


def test_frames_hold_their_cards_and_nothing_else() -> None:
    loss, model = perceptron([4, 4, 1])
    drawing = draw(loss, groups=model, open="example 3/layers.1.neurons.2").drawing
    placed = arrange(drawing)

    def check(group: Group) -> set[str]:
        held = set(group.cards).union(*(check(inner) for inner in group.groups))
        left, top, right, bottom = placed.groups[group.id]
        for card in drawing.cards:
            (x, y), (wide, high) = placed.cards[card.id], size_of(card)
            inside = left <= x - wide / 2 and x + wide / 2 <= right
            inside = inside and top <= y - high / 2 and y + high / 2 <= bottom
            assert inside == (card.id in held), (group.label, card.id)
        return held

    assert [check(group) for group in drawing.groups] and len(drawing.groups) == 1


# --- names ----------------------------------------------------------------------------------------


def test_weights_bear_their_short_names_where_nothing_is_grouped() -> None:
    model = nn.MLP(2, [2, 1])
    out = model([Value(1.0, label="x1"), Value(2.0, label="x2")])
    for picture in (draw(out), draw(out, parameters=model)):
        shown = {}
        for name, p in model.named_parameters():
            (key,) = [k for k, node in picture.nodes.items() if node is p]
            (card,) = [c for c in picture.drawing.cards if c.id == key]
            assert card.kind == "parameter" and card.title.startswith(f"{name}: data ")
            (run,) = card.cells[0].runs
            shown[name] = run.text + run.sub
        assert shown["layers.0.neurons.1.w[0]"] == "w21" and shown["layers.1.neurons.0.b"] == "b"
        legend = " ".join(run.text + run.sub for run in picture.drawing.legend)
        assert legend == "w12 is layers.0.neurons.0.w[1]"


# --- their order ----------------------------------------------------------------------------------


def sides(drawing: Drawing, layout: Any, name: str) -> tuple[float, float, float, float]:
    card = next(card for card in drawing.cards if card.id == name)
    (x, y), (wide, high) = layout.cards[name], size_of(card)
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


@pytest.mark.parametrize("examples", [3, 4, 11])
def test_examples_and_neurons_stand_in_their_order(examples: int) -> None:
    """From the top down, or from left to right; those that are open keep the place they have."""
    model = nn.MLP(2, [3, 3, 1], activation="tanh", rng=random.Random(1))
    loss = sum((model([0.1 * k, 0.3]) - k) ** 2 for k in range(examples))
    nodes, grouping = grouped(loss, model)
    seen = 0
    for part in (None, *(p for p in grouping.parts if p.kind == "example")):
        drawing = look(nodes, grouping, opened(grouping, part))
        layout = arrange(drawing)
        shown = {card.id: card for card in drawing.cards if card.kind == "closed"}
        chosen = [
            [p.id for p in parts.parts if p.id in shown]
            for parts in grouping.within()
            if parts.kind == "layer"
        ]
        chosen.append([p.id for p in grouping.parts if p.kind == "example" and p.id in shown])
        for ids in chosen:
            assert len({size_of(shown[name]) for name in ids}) <= 1
            places = [layout.cards[name] for name in ids]
            along = 0 if len({round(x) for x, _ in places}) > 1 else 1
            assert places == sorted(places, key=lambda place: place[along])
            seen += len(ids) > 1
    assert seen > 2 * examples


def upside_down(grouping: Grouping, drawing: Drawing, layout: Any) -> list[tuple[str, str]]:
    """Pairs of neurons of a layer, open or closed, of which the later stands above the earlier."""
    boxes = {card.id: sides(drawing, layout, card.id) for card in drawing.cards}
    boxes |= {f"g{name[1:]}": box for name, box in layout.groups.items()}
    found = []
    for layer in grouping.within():
        row = [part for part in layer.parts if layer.kind == "layer" and part.id in boxes]
        for k, later in enumerate(row):
            found += [
                (first.key, later.key)
                for first in row[:k]
                if boxes[later.id][3] <= boxes[first.id][1]
            ]
    return found


@pytest.mark.parametrize("example", [1, 4])
def test_an_open_neuron_stands_among_the_closed_ones_in_its_place(example: int) -> None:
    """In the first layer always; of the second's 24 pairs two may be the other way round."""
    loss, model = perceptron([4, 4, 1], activation="tanh")
    _, grouping = grouped(loss, model)
    wrong: dict[str, list[tuple[str, str]]] = {}
    for part in grouping.within():
        if part.kind == "neuron" and part.key.startswith(f"example {example}/layers"):
            drawing = draw(loss, groups=model, open=part.key).drawing
            found = upside_down(grouping, drawing, arrange(drawing))
            wrong.setdefault(part.path.partition(".neurons")[0], []).extend(found)
    assert wrong["layers.0"] == [] and len(wrong["layers.1"]) <= 2, wrong


def test_what_stands_upside_down_is_counted() -> None:
    """Planted: the layout of a picture in order, turned over."""
    loss, model = perceptron([4, 4, 1], activation="tanh")
    nodes, grouping = grouped(loss, model)
    drawing = look(nodes, grouping, opened(grouping, grouping.parts[0]))
    layout = arrange(drawing)
    assert disorder(drawing, layout) == 0 == len(upside_down(grouping, drawing, layout))
    over = turned(layout, 1)
    assert disorder(drawing, over) >= len(upside_down(grouping, drawing, over)) == 2 * 6


def test_neurons_are_numbered_as_in_the_model_though_a_set_mixes_them_up() -> None:
    """In the video's class the operands of a sum come in any order."""
    neurons = [[video.Value(0.1 * k), video.Value(0.2)] for k in range(3)]
    x = video.Value(2.0, label="x")
    outs = [(w * x + b).tanh() for w, b in neurons]
    for order in ((2, 1, 0), (1, 2, 0)):
        total = video.Value(0.0)
        for k in order:
            total = total + outs[k] * video.Value(3.0)
        model = SimpleNamespace(
            neurons=[SimpleNamespace(w=[w], b=b) for w, b in neurons],
        )
        _, grouping = grouped(total, model)
        found = [part.label for part in grouping.parts if part.kind == "neuron"]
        assert found == ["neuron 1", "neuron 2", "neuron 3"]


def test_the_0_with_which_a_sum_begins_is_named() -> None:
    loss, model = perceptron([2, 1], 4)
    picture = draw(loss, groups=model, open="sum")
    names = {
        card.cells[0].runs[0].text for card in picture.drawing.cards if card.kind == "constant"
    }
    assert names == {"start"}


def test_what_has_other_neighbours_keeps_its_place() -> None:
    """Closed cards of one size, of which each leads elsewhere, are not exchanged."""
    cards = [Card(name, "closed", (Cell((Run("same", "name"),)),)) for name in "dcba"]
    ends = [Card(f"{name}{name}", "interior", cards[0].cells) for name in "abcd"]
    edges = tuple(Edge(f"e{name}", name, name * 2) for name in "abcd")
    drawing = Drawing((*cards, *ends), edges, (Group("g", "layer", "layer", tuple("abcd")),))
    layout = arrange(drawing)
    for name in "abcd":  # each still beside its own
        assert abs(layout.cards[name][1] - layout.cards[name * 2][1]) < 1
