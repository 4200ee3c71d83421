"""The diagnosis: an answer made by a known mistake is named as such, a right one is never wrong.

Covers `marking.py`, `recursion.py`, `report.py`.
"""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from browsing import browser, needs_browser
from learners import (
    DERIVATIVES,
    GATED,
    POWERS,
    WITH_OUTPUT,
    Learner,
    Slip,
    by_recursion,
    three_digits,
)

from micrograd import Value, ops
from micrograd.show.lesson.lesson import lesson
from micrograd.show.lesson.pages import source
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.answers import matches
from micrograd.show.practice.marking import check
from micrograd.show.practice.mistakes import MISTAKES, Mistake, diagnose
from micrograd.show.practice.parts import parts_of, readings, total
from micrograd.show.practice.recursion import recursions


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


@pytest.fixture(scope="module")
def learners() -> list[Learner]:
    return [Learner(Walk(random_graph(seed))) for seed in range(500)]


def one_of_each(learner: Learner, seed: int) -> list[Slip]:
    """One slip of each kind, at a random place where it gives another number than the right one."""
    draw = random.Random(seed)
    walk, right = learner.walk, dict(enumerate(learner.walk.grads))
    everything = [s for i in walk.asked for s in learner.opportunities(i)]
    draw.shuffle(everything)
    chosen: dict[str, Slip] = {}
    for slip in everything:
        number = learner.slipped(slip, right)
        if math.isfinite(number) and not matches(number, right[slip.node]):
            chosen.setdefault(slip.kind, slip)
    return list(chosen.values())


@pytest.mark.slow
def test_the_learners_table_agrees_with_the_engine(learners: list[Learner]) -> None:
    for learner in learners:
        for name, g in learner.answers({}).items():
            right = learner.walk.grads[learner.walk.names.index(name)]
            assert g == pytest.approx(right, rel=1e-9, abs=1e-12)


def finite(answers: dict) -> bool:
    return all(map(math.isfinite, answers.values()))


@pytest.mark.slow
def test_of_one_slip_carried_on_one_mistake_is_marked_and_named(learners: list[Learner]) -> None:
    seen: Counter[str] = Counter()
    follow = 0
    for seed, learner in enumerate(learners):
        for slip in one_of_each(learner, seed):
            answers = learner.answers({slip.node: slip})
            if not finite(answers):
                continue
            report = check(learner.walk.root, answers)
            name = learner.walk.names[slip.node]
            wrong = [mark for mark in report.marks.values() if mark.verdict == "wrong"]
            assert [mark.name for mark in wrong] == [name], (slip, str(report))
            assert slip.kind in wrong[0].mistakes, (slip, wrong[0])
            assert list(wrong[0].mistakes) == [k for k in MISTAKES if k in wrong[0].mistakes]
            assert report.count("right") + report.count("follows") == len(report.marks) - 1
            follow += report.count("follows")
            seen[slip.kind] += 1
    assert {*seen} == {*MISTAKES} - {"recursion", "output"}
    assert min(seen.values()) > 20, seen
    assert follow > 4000


@pytest.mark.slow
@pytest.mark.parametrize("carried", [False, True], ids=["written", "worked with"])
def test_of_one_slip_in_three_digits_one_mistake_is_marked(
    learners: list[Learner], carried: bool
) -> None:
    """Whoever hands in three digits, and whoever goes on with them, is followed as well."""
    tried = exact = 0
    for seed, learner in enumerate(learners):
        for slip in one_of_each(learner, seed):
            carry = three_digits if carried else lambda x: x
            answers = learner.answers({slip.node: slip}, three_digits, carry)
            if not finite(answers):
                continue
            report = check(learner.walk.root, answers)
            wrong = [mark for mark in report.marks.values() if mark.verdict == "wrong"]
            tried += 1
            exact += len(wrong) == 1 and slip.kind in wrong[0].mistakes
    assert exact >= 0.99 * tried, (tried, exact)


@pytest.mark.slow
def test_of_a_consistent_pupil_hardly_a_mistake_stays_unknown(learners: list[Learner]) -> None:
    """One kind at every opportunity: 44% were unknown when the right gradients were assumed."""
    marks: Counter[str] = Counter()
    for learner in learners:
        found = [slip for i in learner.walk.asked for slip in learner.opportunities(i)]
        for kind in dict.fromkeys(slip.kind for slip in found):
            use = 0 if kind == "missing use" else -1
            answers = learner.answers(
                {slip.node: Slip(kind, slip.node, use, 0) for slip in found if slip.kind == kind}
            )
            if not finite(answers):
                continue
            for mark in check(learner.walk.root, answers).marks.values():
                if mark.verdict == "wrong":
                    marks["all"] += 1
                    marks["unknown"] += not mark.mistakes
                    marks["another"] += bool(mark.mistakes) and kind not in mark.mistakes
    assert marks["all"] > 13_000
    assert marks["unknown"] <= 6 and marks["another"] <= 3, marks


@pytest.mark.slow
def test_every_mistake_in_every_op_is_named(learners: list[Learner]) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for learner in learners:
        walk, right = learner.walk, dict(enumerate(learner.walk.grads))
        for slip in (slip for i in walk.asked for slip in learner.opportunities(i)):
            answer, uses = learner.slipped(slip, right), walk.uses_of(slip.node)
            if not math.isfinite(answer) or matches(answer, right[slip.node]):
                continue  # the mistake happens to give the right number
            assert slip.kind in diagnose(answer, walk, uses), slip
            node = walk.nodes[uses[slip.use].node]
            seen["" if slip.kind == "missing use" else node._op, slip.kind] += 1
    for op in DERIVATIVES:
        assert seen[op, "sign"] > 5, op
        assert seen[op, "no arriving"] > 5, op
        assert op == "+" or seen[op, "no local"] > 5, op
    for op, mistake in [
        *[(f"**{k}", "power rule") for k in POWERS], ("**", "power rule"), ("*", "own value"),
        ("dot", "own value"), ("", "missing use"), ("tanh", "square"),
        *[(op, "gate") for op in GATED], *[(op, "input for output") for op in WITH_OUTPUT],
    ]:  # fmt: skip
        assert seen[op, mistake] > 5, (op, mistake)


# --- the quiz in the page -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.browser
@needs_browser
def test_the_pages_quiz_follows_the_learner_too(learners: list[Learner]) -> None:
    """At every question each slip, and what follows from the learner's own three digits."""
    tried, expected = [], []
    for learner in learners[:100]:
        walk = learner.walk
        right = dict(enumerate(walk.grads))
        own = {i: three_digits(g) for i, g in right.items() if i in walk.asked}
        for frame in lesson(walk, True, (), None)["frames"]:
            for question in frame.get("questions", []):
                i, past = question["input"], len(question["parts"])
                part = Learner(walk)
                part.users = {i: learner.users[i][:past]}  # the uses up to this step
                new = range(past - sum(row["input"] == i for row in frame["rows"]), past)
                numbers = [[k, own.get(k, g)] for k, g in right.items()]
                uses = walk.uses_of(i)[:past]
                printed = [
                    total(parts_of(uses), [g for _, g in numbers], edits)
                    for edits in readings(walk, uses)
                ]
                follows = sum(part.sent(j, k, dict(numbers)) for j, k in part.users[i])
                tried.append([repr(follows), question, numbers])
                expected.append(None)
                for slip in part.opportunities(i):
                    if slip.kind != "missing use" and slip.use not in new:
                        continue
                    answer = part.slipped(slip, dict(numbers))
                    counts = float(question["answer"]), follows, *printed
                    if math.isfinite(answer) and not any(matches(answer, x) for x in counts):
                        tried.append([repr(answer), question, numbers])
                        expected.append(slip.kind)
    assert len(expected) > 3000
    with browser() as driver:
        driver.get("data:text/html,<title>quiz</title>")
        judged = driver.execute_script(
            source("practice/answers.js")
            + "return arguments[0].map(([text, q, own]) => answers.judge(text, q, new Map(own)))",
            tried,
        )
    for row, kind, verdict in zip(tried, expected, judged, strict=True):
        if kind is None:
            assert verdict["status"] == "right", (row, verdict)
        else:
            assert verdict["status"] == "wrong" and kind in verdict["keys"], (row, kind, verdict)
            assert verdict["keys"] == [key for key in MISTAKES if key in verdict["keys"]]


# --- single cases ---------------------------------------------------------------------------------


def test_two_mistakes_with_one_number_are_both_named_the_likelier_first() -> None:
    x, w = Value(-1.0, label="x"), Value(3.0, label="w")
    walk = Walk(x.relu() * w)
    i = walk.names.index("x")
    assert list(diagnose(3.0, walk, walk.uses_of(i))) == ["gate", "no local"]


def test_the_same_mistake_in_both_uses_is_named() -> None:
    x, c = Value(3.0, label="x"), Value(5.0, label="c")
    walk = Walk(x * x * c)  # right: 30; both local derivatives without what arrives: 3 + 3
    assert list(diagnose(6.0, walk, walk.uses_of(walk.names.index("x")))) == ["no arriving"]


def test_an_unknown_number_is_given_no_name() -> None:
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    walk = Walk((x * w).tanh())
    assert diagnose(123.4, walk, walk.uses_of(walk.names.index("x"))) == {}


def doubled() -> Value:
    a = Value(1.0, label="a")
    b = a + a
    b.label = "b"
    c = b + b
    c.label = "c"
    return c


def test_backward_by_recursion_is_known() -> None:
    assert by_recursion(doubled(), True)["a"] == 6  # the example of the most frequent report
    assert check(doubled(), {"a": 6}).marks["a"].mistakes[0] == "recursion"
    assert check(doubled(), {"a": 8}).marks["a"].mistakes == ("recursion",)


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [True, False])
def test_a_whole_recursion_is_one_mistake(at_once: bool) -> None:
    """The first wrong node is told; further down the same program is no new mistake."""
    ones = several = 0
    for seed in range(200):
        value = random_graph(seed)
        walk = Walk(value)
        answers = by_recursion(value, at_once)
        numbers = [answers[name] for name in walk.names]
        assert any(numbers == pytest.approx(way, rel=1e-9) for way in recursions(walk)), seed
        report = check(value, {n: x for n, x in answers.items() if n in report_names(walk)})
        wrong = [mark for mark in report.marks.values() if mark.verdict == "wrong"]
        if not wrong:
            continue
        assert all("recursion" in mark.mistakes for mark in wrong), (seed, str(report))
        ones += len(wrong) == 1
        several += len(wrong) > 1
    assert ones > 150 and several < 10


def report_names(walk: Walk) -> set[str]:
    return {walk.names[i] for i in walk.asked}


def test_very_many_paths_end_the_search_for_recursion() -> None:
    x = Value(1.0, label="x")
    y = x
    for _ in range(40):
        y = y + y
    assert len(recursions(Walk(y))) == 1  # inputs as a set: each node is pushed once
    assert check(y, {"x": 3.0}).marks["x"].verdict == "wrong"


def test_the_outputs_own_gradient() -> None:
    x = Value(0.5, label="x")
    o = x.tanh()
    o.label = "o"
    for answer in (o.data, 0.0, -1.0):
        report = check(o, {"o": answer, "x": (1 - o.data**2) * answer})
        assert report.marks["o"].mistakes == (("output",) if answer != -1.0 else ())
        assert ("derive it by itself" in str(report)) == (answer == -1.0)
        assert report.marks["x"].verdict == "follows"
    alone = check(o, {"x": (1 - o.data**2) * o.data})  # as if it had arrived
    assert alone.marks["x"].mistakes == ("output",)


def test_one_minus_the_output_of_tanh() -> None:
    n = Value(math.atanh(0.8), label="n")
    o = n.tanh()
    o.label = "o"
    assert check(o, {"n": 0.2}).marks["n"].mistakes == ("square",)


@pytest.mark.parametrize("mistake", MISTAKES.values())
def test_a_hint_tells_no_number(mistake: Mistake) -> None:
    assert not any(c.isdigit() for c in mistake.hint + mistake.name)
