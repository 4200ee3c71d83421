"""Chains of a million nodes: no recursion, no stack overflow, in a small stack.

Each chain lives in a process of its own whose stack is 1 MiB, an eighth of what is usual, so
that a recursion of any kind, in Python or in C, ends it. (That drawing refuses: test_draw.)
"""

from __future__ import annotations

import subprocess
import sys

import pytest

NODES = 1_000_000

SETUP = f"""
import copy, gc, io, pickle, threading
from micrograd import Value, engine, grad
from micrograd.engine import topological_order

def chain(nodes):
    x = Value(1.0, label="x")
    y = x
    for _ in range(nodes):
        y = y + 1e-6
    return x, y

def unary_chain(nodes):
    x = Value(0.5, label="x")
    y = x
    for _ in range(nodes):
        y = y.tanh()
    return x, y

def doubled(nodes):  # every node used twice: 2**nodes paths
    x = Value(2.0 ** -60)
    y = x
    for i in range(nodes):
        y = (y + y) * 0.5
    return x, y

nodes = {NODES}
gc.disable()  # a third faster

def near(a, b):
    assert abs(a - b) <= 1e-9 * abs(b), (a, b)
"""

TASKS = {
    "forward, backward, del": """
for make, size in ((unary_chain, nodes), (doubled, 50_000)):
    x, y = make(size)
    y.backward()
    once = x.grad
    assert y.grad == 1.0 and 0 < once <= 1.0
    y.backward()
    assert x.grad == 2 * once
    assert len(topological_order(y)) > size
    del y
""",
    "del with the collector at work": """
gc.enable()
x, y = chain(nodes // 2)
gc.collect()
del y
gc.collect()
""",
    "grad": """
x, y = unary_chain(nodes)
assert 0 < grad(y, x).data < 1.0
del y
x, y = chain(nodes // 10)
g = grad(y, x, create_graph=True)
assert g.data == 1.0
x, y = doubled(1000)
g = grad(y * y, x, create_graph=True)
near(grad(g, x).data, 2.0)
del g, y
""",
    "deepcopy": """
x, y = unary_chain(nodes)
y.backward()
twin = copy.deepcopy({"y": y, "x": x})
assert twin["y"].data == y.data and twin["y"] is not y
twin["y"].backward()
assert twin["x"].grad == 2 * x.grad and twin["x"].label == "x"
del twin, y
""",
    "pickle": """
x, y = unary_chain(nodes)
text = pickle.dumps((x, y))
data = y.data
del x, y
x, y = pickle.loads(text)
assert y.data == data
y.backward()
assert x.grad > 0 and x.label == "x"
del y
""",
    "pickle in pure Python": """
x, y = chain(nodes // 50)
out = io.BytesIO()
pickle._Pickler(out, pickle.HIGHEST_PROTOCOL).dump(y)
out.seek(0)
assert pickle._Unpickler(out).load().data == y.data
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_million_nodes_in_a_small_stack(task: str) -> None:
    body = "\n".join("    " + line for line in TASKS[task].splitlines())
    script = (
        f"{SETUP}\n"
        f"def work():\n    global done\n{body}\n    done = True\n"
        "done = False\n"
        # with half of it CPython 3.13 itself overflows while it frees a chain of any class
        "threading.stack_size(1024 * 1024)\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start(); thread.join()\n"
        "assert done\n"
        "print('done')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout == "done\n"
