"""The parameters' single home: whoever writes, everybody sees it, however often they have moved."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import random
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value, grad, lift, modes, no_grad
from micrograd.modes import Mode
from micrograd.store import Block, Store, Stored, gather


def some(n: int) -> list[Value]:
    return [Value(float(i), label=f"p{i}") for i in range(n)]


def test_a_stored_value_is_a_value_still() -> None:
    a, b = Value(2.0, label="a"), Value(3.0)
    a.grad = 0.5
    block = Block([a, b])
    assert type(a) is Stored and isinstance(a, Value)
    assert (a.data, a.grad, a.label, a._prev, a._op) == (2.0, 0.5, "a", (), "")
    assert type(a.data) is float and type(a.grad) is float
    assert repr(a) == "Value(data=2.0, grad=0.5)" and a < b and hash(a) == hash(a)
    (a * b + a).backward()
    assert (a.grad, b.grad) == (4.5, 2.0) and block.grads.tolist() == [4.5, 2.0]
    assert grad(a * a, a).data == 4.0 and block.grads.tolist() == [4.5, 2.0]
    with no_grad():
        assert (a * b).data == 6.0


def test_numbers_and_grads_are_views_where_values_lie_side_by_side() -> None:
    params = some(4)
    block = Block(params)
    numbers, grads = block.data, block.grads
    params[1].data = 10.0
    params[2].grad = 7.0
    assert numbers.tolist() == [0.0, 10.0, 2.0, 3.0] and grads.tolist() == [0.0, 0.0, 7.0, 0.0]
    numbers *= 2
    assert [p.data for p in params] == [0.0, 20.0, 4.0, 6.0]
    block.grads = 1.0
    assert [p.grad for p in params] == [1.0] * 4
    assert len(block) == 4 and block.members == params


def test_a_block_in_another_order_reads_and_writes_in_its_order() -> None:
    params = some(4)
    Block(params)
    mixed = Block([params[3], params[0], params[2]])
    assert mixed.data.tolist() == [3.0, 0.0, 2.0]
    mixed.data += 10
    assert [p.data for p in params] == [10.0, 1.0, 12.0, 13.0]
    mixed.grads = [1.0, 2.0, 3.0]
    assert [p.grad for p in params] == [2.0, 0.0, 3.0, 1.0]


def test_what_a_learner_writes_by_hand_is_seen_by_the_block() -> None:
    params = some(3)
    block = Block(params)
    for p in params:
        p.grad = 2.0
        p.data += -0.5 * p.grad
    assert block.data.tolist() == [-1.0, 0.0, 1.0]
    params[0].data = 3
    params[1].data = np.float32(0.5)
    assert block.data.tolist() == [3.0, 0.5, 1.0] and type(params[0].data) is float
    for wrong in ("3", None, 1j):
        with pytest.raises(TypeError):
            params[0].data = wrong
    with pytest.raises(ValueError, match="broadcast"):
        block.data = [1.0, 2.0]
    assert block.data.tolist() == [3.0, 0.5, 1.0]


def test_views_are_kept_until_a_value_moves() -> None:
    params = some(4)
    block = Block(params)
    views = block.views()
    assert views is not None and block.views() is views
    views[0][1] = 10.0
    params[2].grad = 7.0
    assert params[1].data == 10.0 and views[1].tolist() == [0.0, 0.0, 7.0, 0.0]
    Block([*some(2), params[3]])  # all move to a store that has room
    moved = block.views()
    assert moved is not None and moved is not views
    params[0].data, params[0].grad = 5.0, 6.0
    assert moved[0][0] == 5.0 and moved[1][0] == 6.0 and views[0][0] == 0.0
    assert Block([params[2], params[0]]).views() is None


def test_every_block_follows_when_values_move() -> None:
    params = some(6)
    first, second = Block(params[:2]), Block(params[3:5])
    old = first._store
    both = Block([params[4], params[1], params[2]])  # takes some of each, and a free one
    params[0].data, params[3].data = 100.0, 300.0
    assert first.data.tolist() == [100.0, 1.0] and second.data.tolist() == [300.0, 4.0]
    assert both.data.tolist() == [4.0, 1.0, 2.0]
    store = old.current()
    assert store is first._store is second._store is both._store
    at = params[0]._right
    assert store.data[at : at + 2].tolist() == [100.0, 1.0]


def test_gathering_again_moves_nothing() -> None:
    params = some(3)
    store = gather(params)
    assert gather(params) is store and gather(reversed(params)) is store
    assert gather([params[1], params[1]]) is store and store.successor is None
    assert gather([]).members == []


@given(
    st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=6), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_overlapping_blocks_in_any_order_are_never_stale(
    choices: list[list[int]], rng: random.Random
) -> None:
    params = some(12)
    model = {i: (float(i), 0.0) for i in range(12)}  # what each number and gradient should be
    blocks: list[tuple[Block, list[int]]] = []
    for chosen in choices:
        chosen = list(dict.fromkeys(chosen))
        blocks.append((Block(params[i] for i in chosen), chosen))
        for _ in range(4):  # somebody writes, through any door
            block, members = rng.choice(blocks)
            i, x = rng.choice(members), rng.uniform(-5, 5)
            door = rng.randrange(4)
            if door == 0:
                params[i].data = x
                model[i] = (x, model[i][1])
            elif door == 1:
                params[i].grad += x
                model[i] = (model[i][0], model[i][1] + x)
            elif door == 2:
                block.data = block.data * x
                model.update({j: (model[j][0] * x, model[j][1]) for j in members})
            else:
                block.grads += x
                model.update({j: (model[j][0], model[j][1] + x) for j in members})
            for other, theirs in blocks:
                assert other.data.tolist() == [model[j][0] for j in theirs]
                assert other.grads.tolist() == [model[j][1] for j in theirs]
            assert [(p.data, p.grad) for p in params] == [model[j] for j in range(12)]


def test_every_order_of_three_overlapping_blocks() -> None:
    groups = [(0, 1, 2), (2, 3), (3, 4, 0)]
    for order in itertools.permutations(groups):
        params = some(5)
        blocks = [(Block([params[i] for i in g]), g) for g in order]
        for k, p in enumerate(params):
            p.data = 10.0 * k
        for block, group in blocks:
            assert block.data.tolist() == [10.0 * i for i in group]
        assert len({id(block._where()[0]) for block, _ in blocks}) == 1


def test_members_that_died_do_no_harm_and_are_not_kept_alive() -> None:
    gc.collect()
    params = some(4)
    store = gather(params)
    kept = params[2]
    del params
    assert [m() is not None for m in store.members] == [False, False, True, False]
    block = Block([Value(7.0), kept])
    assert block.data.tolist() == [7.0, 2.0] and kept.data == 2.0
    kept.data = 5.0
    assert block.data.tolist() == [7.0, 5.0]


def test_a_store_grows_no_further_than_what_lives() -> None:
    """300 short-lived heads over one shared parameter: the dead ones make room for the next."""
    gc.collect()
    shared = some(10)
    gather(shared)
    for _ in range(300):
        head = some(50)
        block = Block([*head, *shared])
        block.grads += 1.0
        assert len(shared[0]._left.members) <= 2 * (50 + 10 + 50)
        del head, block
    assert [(p.data, p.grad) for p in shared] == [(float(k), 300.0) for k in range(10)]


def test_where_there_is_room_nothing_moves() -> None:
    shared = some(3)
    first = gather(shared)
    second = gather([*shared, Value(7.0)])  # the first had none, and a store that has grown has
    assert second is not first
    assert first.current() is second
    data = second.data
    for n in (1, 2):
        late = some(n)
        assert gather([*late, *shared]) is second
        assert np.shares_memory(data, second.data)
        assert [v._right for v in late] == list(range(len(second.members) - n, len(second.members)))
    assert second.data.tolist()[:3] == [0.0, 1.0, 2.0]


def test_a_program_follows_its_parameters_when_others_between_them_die() -> None:
    gc.collect()
    a, b, c = some(3)
    gather([a, b, c])
    f = lift(lambda x: a * x + c * 3.0)
    assert f(5.0).data == 6.0
    del b
    gather([a, *some(4)])
    assert c._right == a._right + 1
    out = f(5.0)
    c.data = 4.0
    assert (out.data, f(5.0).data) == (6.0, 12.0)
    out.backward()
    assert (a.grad, c.grad) == (5.0, 3.0)


def test_a_store_dies_with_its_values() -> None:
    gc.collect()
    gc.disable()
    try:
        params = some(3)
        block = Block(params)
        view = block.data
        base = view.base if view.base is not None else view
        holders = sys.getrefcount(base)
        del block, params
        assert sys.getrefcount(base) < holders
    finally:
        gc.enable()


def test_copies_are_plain_values_of_their_own() -> None:
    params = some(2)
    block = Block(params)
    for again in (copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))):
        twin = again(params[1])
        assert not twin.in_store and (twin.data, twin.label) == (1.0, "p1")
        twin.data = 9.0
        assert block.data.tolist() == [0.0, 1.0]
    loss = copy.deepcopy(params[0] * params[1])
    loss.backward()
    assert block.grads.tolist() == [0.0, 0.0]


def test_a_copied_block_belongs_to_the_copied_values() -> None:
    params = some(3)
    pair = (params, Block(params))
    for again in (copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))):
        twins, block = again(pair)
        block.data += 5
        assert [t.data for t in twins] == [5.0, 6.0, 7.0]
        assert [p.data for p in params] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: 3.0, "only leaf Values can be parameters, got float 3.0"),
        (lambda: "p", "got str 'p'"),
        (lambda: np.array([Value(1.0)]), "got ndarray"),
        (lambda: Value(1.0) * 2, r"the result of '\*'"),
    ],
)
def test_what_cannot_be_a_parameter_is_refused_and_nothing_moves(wrong: Any, message: str) -> None:
    free, stored = Value(1.0), Value(2.0)
    store = gather([stored])
    for collect in (gather, Block):
        with pytest.raises(TypeError, match=message):
            collect([free, stored, wrong()])
    assert not free.in_store and stored._left is store and store.successor is None


class Recording(Mode):
    """Refuses the numbers of Values that it does not know."""

    def __init__(self, *known: Value) -> None:
        self.known = known

    def read(self, node: Value, what: str) -> None:
        if node not in self.known:
            raise RuntimeError(f"{what} is read")

    def written(self, node: Value, what: str) -> None:
        if node not in self.known:
            raise RuntimeError(f"{what} is written")


def free_leaf() -> Value:
    return Value(0.0)


def stored_leaf() -> Value:
    (p,) = some(1)
    gather([p])
    return p


def result_of_an_operation() -> Value:
    return Value(0.0) * 2


@pytest.mark.parametrize("make", [free_leaf, stored_leaf, result_of_an_operation])
def test_a_mode_may_refuse_that_numbers_are_read_or_written(make: Any) -> None:
    v = make()
    with modes.mode(Recording()):
        for read in (lambda: v.data, v.item, lambda: float(v), lambda: v < 1, lambda: bool(v)):
            with pytest.raises(RuntimeError, match="data is read"):
                read()
        with pytest.raises(RuntimeError, match="data is read"):
            v.data += 1.0
        with pytest.raises(RuntimeError, match="data is written"):
            v.data = 2.0
        with pytest.raises(RuntimeError, match="grad is read"):
            _ = v.grad
        with pytest.raises(RuntimeError, match="grad is written"):
            v.grad = 2.0
    assert (v.data, v.grad) == (0.0, 0.0)
    with modes.mode(Recording(v)):
        v.data, v.grad = 2.0, 3.0
        assert (v.data, v.grad) == (2.0, 3.0)


def test_the_mode_of_one_thread_refuses_nothing_to_another() -> None:
    p, read = stored_leaf(), []
    with modes.mode(Recording()):
        thread = threading.Thread(target=lambda: read.append(p.data))
        thread.start()
        thread.join()
    assert read == [0.0]


def test_threads_that_gather_overlapping_values_end_in_one_consistent_store() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for seed in range(10):
            params = some(40)
            blocks: list[tuple[Block, list[int]]] = []

            def work(k: int, seed: int = seed, params: Any = params, blocks: Any = blocks) -> None:
                rng = random.Random(100 * seed + k)
                for _ in range(10):
                    chosen = rng.sample(range(40), 5)
                    blocks.append((Block(params[i] for i in chosen), chosen))

            threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            assert len(blocks) == 60
            for k, p in enumerate(params):
                assert p.data == float(k)
                p.data = -float(k)
            for block, chosen in blocks:
                assert block.data.tolist() == [-float(i) for i in chosen]
            moved = [p for p in params if type(p) is Stored]
            stores = {id(p._left): p._left for p in moved}
            assert all(isinstance(s, Store) and s.successor is None for s in stores.values())
    finally:
        sys.setswitchinterval(interval)
