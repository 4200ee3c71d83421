"""The diagnosis: an answer made by a known mistake is named as such, a right one is never wrong."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from micrograd import Value, ops
from micrograd.show.mistakes import MISTAKES, diagnose, matches
from micrograd.show.walk import Walk

# The learner's own table of derivatives: d out / d xi from the inputs and the output. It is written
# independently of the op table, so that both would have to be wrong in the same way.
DERIVATIVES = {
    "+": lambda x, o: [1.0, 1.0],
    "*": lambda x, o: [x[1], x[0]],
    "**": lambda x, o: [x[1] * x[0] ** (x[1] - 1), o * math.log(x[0])],
    "exp": lambda x, o: [o],
    "log": lambda x, o: [1 / x[0]],
    "sqrt": lambda x, o: [0.5 / o],
    "sin": lambda x, o: [math.cos(x[0])],
    "cos": lambda x, o: [-math.sin(x[0])],
    "tanh": lambda x, o: [1 - o**2],
    "sigmoid": lambda x, o: [o * (1 - o)],
    "softplus": lambda x, o: [1 / (1 + math.exp(-x[0]))],
    "ReLU": lambda x, o: [float(x[0] > 0)],
    "LeakyReLU": lambda x, o: [1.0 if x[0] > 0 else 0.1],
    "GELU": lambda x, o: [
        0.5 * (1 + math.erf(x[0] / math.sqrt(2)))
        + x[0] * math.exp(-x[0] * x[0] / 2) / math.sqrt(2 * math.pi)
    ],
    "abs": lambda x, o: [float(x[0] > 0) - float(x[0] < 0)],
    "maximum": lambda x, o: [float(x[0] > x[1]), float(x[1] > x[0])],
    "minimum": lambda x, o: [float(x[0] < x[1]), float(x[1] < x[0])],
    "where": lambda x, o: [0.0, float(x[0] != 0), float(x[0] == 0)],
    "dot": lambda x, o: [*x[2:4], *x[0:2], 1.0],
}
POWERS = (2, 3, -1, 0.5)
for k in POWERS:
    DERIVATIVES[f"**{k}"] = lambda x, o, k=k: [k * x[0] ** (k - 1)]
GATED = {"ReLU", "LeakyReLU", "maximum", "minimum", "where"}
WITH_OUTPUT = {
    "tanh": lambda x: 1 - x * x,
    "sigmoid": lambda x: x * (1 - x),
    "exp": lambda x: x,
    "sqrt": lambda x: 0.5 / x,
}


def random_graph(seed: int) -> Value:
    """Some twelve nodes over four inputs, with shared nodes, values away from kinks and zeros."""
    draw = random.Random(seed)
    nodes = [Value(round(draw.uniform(0.3, 2.2), 2), label=f"x{i}") for i in range(4)]
    nodes[1] = Value(-nodes[1].data, label="x1")
    while len(nodes) < 13:
        a, b, c, d, e = (draw.choice(nodes[-6:]) for _ in range(5))
        kind = draw.choice(list(DERIVATIVES))
        if kind == "+":
            out = a + b
        elif kind == "*":
            out = a * b
        elif kind == "**":
            out = a**b if 0.2 < a.data < 3 and abs(b.data) < 3 else a + b
        elif kind.startswith("**"):
            out = a ** POWERS[draw.randrange(4)] if a.data > 0.2 else a * b
        elif kind in ("log", "sqrt"):
            out = getattr(a, kind)() if a.data > 0.2 else a + b
        elif kind == "exp":
            out = a.exp() if a.data < 2 else a * b
        elif kind == "dot":
            out = ops.dot_op(2, True)(a, b, c, d, e)
        elif kind in ("maximum", "minimum"):
            out = getattr(ops, kind)(a, b) if abs(a.data - b.data) > 0.1 else a + b
        elif kind == "where":
            out = ops.where(draw.choice([0.0, 1.0]), a, b)
        elif kind == "LeakyReLU":
            out = a.leaky_relu(0.1)
        else:
            out = getattr(a, kind.lower())()
        if abs(out.data) < 20:
            nodes.append(out)
    unused = [n for n in nodes[4:] if not any(n in m._prev for m in nodes)]
    total = unused[0]
    for node in unused[1:]:
        total = total + node
    return total


def slips(op: str, x: list[float], out: float, i: int, g: float):
    """What a learner who makes each mistake sends back to operand i, where it can be made."""
    local = DERIVATIVES[op](x, out)[i]
    yield "no arriving", local
    yield "no local", g
    yield "sign", -local * g
    if op == "*" or (op == "dot" and i < 4):
        yield "own value", x[i] * g
    if op.startswith("**") and i == 0:
        k = x[1] if op == "**" else float(op[2:])
        yield "power rule", x[0] ** (k - 1) * g  # forgot the factor
        yield "power rule", k * x[0] ** k * g  # forgot to lower the exponent
    if op in WITH_OUTPUT:
        yield "input for output", WITH_OUTPUT[op](x[0]) * g
    if op in GATED and not (op == "where" and i == 0):
        yield "gate", g


@pytest.fixture(scope="module")
def lessons():
    return [Walk(random_graph(seed)) for seed in range(500)]


def test_every_mistake_in_every_op_is_named(lessons):
    seen = Counter()
    for walk in lessons:
        numbers, grads = walk.data, walk.grads
        users: dict[int, list[tuple[int, int]]] = {}
        for j, node in reversed(list(enumerate(walk.nodes))):
            for position, x in enumerate(node._prev):
                users.setdefault(walk.index[x], []).append((j, position))
        for i, uses in users.items():
            if i in walk.constants:
                continue
            sent = []
            for j, position in uses:
                node = walk.nodes[j]
                x = [numbers[walk.index[p]] for p in node._prev]
                sent.append(DERIVATIVES[node._op](x, numbers[j])[position] * grads[j])
            right = sum(sent)
            assert right == pytest.approx(grads[i], rel=1e-9, abs=1e-12)
            answers = []
            if len(uses) > 1:
                answers.append(("add", "missing use", sent[0]))
                answers.append(("add", "missing use", sum(sent[:-1])))
            for u, (j, position) in enumerate(uses):
                node = walk.nodes[j]
                x = [numbers[walk.index[p]] for p in node._prev]
                for mistake, wrong in slips(node._op, x, numbers[j], position, grads[j]):
                    answers.append((node._op, mistake, right - sent[u] + wrong))
            for op, mistake, answer in answers:
                if not math.isfinite(answer) or matches(answer, grads[i]):
                    continue  # the mistake happens to give the right number
                assert mistake in diagnose(answer, walk, walk.uses_of(i)), (op, mistake)
                seen[op, mistake] += 1
    for op in DERIVATIVES:
        assert seen[op, "sign"] > 5, op
        assert seen[op, "no arriving"] > 5, op
        assert op == "+" or seen[op, "no local"] > 5, op
    for op, mistake in [
        *[(f"**{k}", "power rule") for k in POWERS], ("**", "power rule"), ("*", "own value"),
        ("dot", "own value"), ("add", "missing use"), *[(op, "gate") for op in GATED],
        *[(op, "input for output") for op in WITH_OUTPUT],
    ]:  # fmt: skip
        assert seen[op, mistake] > 5, (op, mistake)
    assert {mistake for _, mistake in seen} == set(MISTAKES)


def test_a_right_answer_is_never_wrong(lessons):
    for walk in lessons:
        for g in walk.grads:
            assert matches(g, g)
            assert matches(float(f"{g:.3g}"), g)
            assert matches(round(g, 3), g)
            assert matches(float(np.float32(g)), g)


def test_a_close_but_wrong_answer_is_not_right():
    assert not matches(1.02, 1.0)
    assert not matches(-0.0004, 0.0004)
    assert not matches(0.0011, 0.0004)
    assert matches(0.0, 0.0004)  # rounded to three decimals
    assert matches(float("inf"), float("inf"))
    assert not matches(float("inf"), 1.0)
    assert not matches(float("nan"), 1.0)
    assert matches(float("nan"), float("nan"))


def test_two_mistakes_with_one_number_are_both_named():
    x, w = Value(-1.0, label="x"), Value(3.0, label="w")
    walk = Walk(x.relu() * w)
    i = walk.names.index("x")
    assert diagnose(3.0, walk, walk.uses_of(i)) == ["no local", "gate"]


def test_the_same_mistake_in_both_uses_is_named():
    x, c = Value(3.0, label="x"), Value(5.0, label="c")
    walk = Walk(x * x * c)  # right: 30; both local derivatives without what arrives: 3 + 3
    assert diagnose(6.0, walk, walk.uses_of(walk.names.index("x"))) == ["no arriving"]


def test_an_unknown_number_is_given_no_name():
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    walk = Walk((x * w).tanh())
    assert diagnose(123.4, walk, walk.uses_of(walk.names.index("x"))) == []


def test_only_the_new_uses_of_a_step_are_suspected():
    x, c = Value(3.0, label="x"), Value(5.0, label="c")
    walk = Walk(x * c + x * 2.0)
    uses = walk.uses_of(walk.names.index("x"))
    assert uses[0].product != uses[1].product
    flipped = -uses[0].product + uses[1].product  # the sign of the first use only
    assert "sign" in diagnose(flipped, walk, uses)
    assert "sign" not in diagnose(flipped, walk, uses, new=1)


@pytest.mark.parametrize("mistake", MISTAKES.values())
def test_a_hint_tells_no_number(mistake):
    assert not any(c.isdigit() for c in mistake.hint + mistake.name)
