"""The lectures' GPT, written number by number, trained on many devices and on two processes.

`lift` records the loss of three, four and six names, and from these knows it for any number;
`to_jax` makes a JAX function of that. JAX divides each batch among its devices, optax moves the
weights, and `load` brings them home, where the same Python code spells names with them.

    python examples/beyond_one_machine.py  # eight virtual devices; then two processes
    python examples/beyond_one_machine.py --platform gpu --dtype float32
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from functools import reduce
from pathlib import Path

import numpy as np

import micrograd
from micrograd import functional, lift, no_grad

NAMES = Path(__file__).parents[1] / "lectures" / "data" / "names.txt"
LETTERS, BLOCK, WIDTH, HEADS = 27, 16, 16, 4
SIZE = WIDTH // HEADS  # of a head
RATE, SWEEP, RUNS = 0.01, np.geomspace(1e-4, 1e-1, 16), 2


# --- the network: Python's numbers, lists and loops -----------------------------------------------


def linear(x, weight):
    return [sum(w * xi for w, xi in zip(row, x, strict=True)) for row in weight]


def normed(x):
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(scores):
    shift = reduce(micrograd.maximum, scores).detach()
    exponentials = [(score - shift).exp() for score in scores]
    total = sum(exponentials)
    return [e / total for e in exponentials]


class GPT:
    """One layer; attributes are arrays of Values, which give the parameters their names."""

    def __init__(self, seed=42):
        rng = np.random.default_rng(seed)

        def weights(rows, columns):
            return micrograd.values(rng.normal(0.0, 0.08, (rows, columns)))

        self.token, self.position = weights(LETTERS, WIDTH), weights(BLOCK, WIDTH)
        self.query, self.key = weights(WIDTH, WIDTH), weights(WIDTH, WIDTH)
        self.value, self.project = weights(WIDTH, WIDTH), weights(WIDTH, WIDTH)
        self.expand, self.contract = weights(4 * WIDTH, WIDTH), weights(WIDTH, 4 * WIDTH)
        self.head = weights(LETTERS, WIDTH)

    def __call__(self, letters):
        """After each letter, the probabilities of the next one."""
        keys, values = [], []
        for letter, position in zip(letters, self.position, strict=False):
            x = normed([a + b for a, b in zip(functional.take(self.token, letter), position)])
            y = normed(x)
            query = linear(y, self.query)
            keys.append(linear(y, self.key))
            values.append(linear(y, self.value))
            mixed = []
            for h in range(0, WIDTH, SIZE):
                head = range(h, h + SIZE)
                scores = [sum(query[i] * key[i] for i in head) * SIZE**-0.5 for key in keys]
                shares = softmax(scores)
                mixed += [sum(s * v[i] for s, v in zip(shares, values)) for i in head]
            x = [a + b for a, b in zip(x, linear(mixed, self.project))]
            hidden = [h.relu() for h in linear(normed(x), self.expand)]
            x = [a + b for a, b in zip(x, linear(hidden, self.contract))]
            yield softmax(linear(x, self.head))


gpt = GPT()


@lift(batched=("letters", "following", "mask"))
def loss(letters, following, mask):
    """The mean loss of a letter; the mask is 0 behind a name's end."""
    total, count = 0.0, 0.0
    for name, targets, real in zip(letters, following, mask):
        for probabilities, target, m in zip(gpt(name), targets, real):
            total = total - functional.take(probabilities, target).log() * m
            count = count + m
    return total / count


def batches(count, size):
    words = NAMES.read_text().split()
    order = np.random.default_rng(0).permutation(len(words))[: count * size]
    letters, following = np.zeros((2, count * size, BLOCK), dtype=int)
    mask = np.zeros((count * size, BLOCK))
    for i, which in enumerate(order):
        name = [ord(letter) - 96 for letter in words[which]][: BLOCK - 1]
        letters[i, 1 : len(name) + 1], following[i, : len(name)] = name, name
        mask[i, : len(name) + 1] = 1.0
    return [
        tuple(a[k * size : (k + 1) * size] for a in (letters, following, mask))
        for k in range(count)
    ]


def spelled(rng):
    """A name, letter by letter, by the code above without lift."""
    name = [0]
    with no_grad():
        while len(name) < BLOCK:
            *_, probabilities = gpt(name)
            shares = np.cumsum([float(p) for p in probabilities])
            letter = int(min(np.searchsorted(shares, rng.random()), LETTERS - 1))
            if not letter:
                break
            name.append(letter)
    return "".join(chr(96 + letter) for letter in name[1:])


# --- training in JAX ------------------------------------------------------------------------------


def trained(function, parameters, given, devices):
    """The weights after a training on these devices, and the loss of each step."""
    import jax
    import optax
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((len(devices),), ("names",), axis_types=(AxisType.Auto,), devices=devices)
    divided, everywhere = (NamedSharding(mesh, PartitionSpec(*axis)) for axis in (("names",), ()))
    adam = optax.adam(RATE)

    def placed(array, how):
        """Each process brings the part of its own devices."""
        return jax.make_array_from_callback(array.shape, how, lambda part: array[part])

    @jax.jit
    def step(parameters, state, *batch):
        value, gradients = jax.value_and_grad(function)(parameters, *batch)
        moves, state = adam.update(gradients, state)
        return optax.apply_updates(parameters, moves), state, value

    parameters = {k: placed(np.asarray(x), everywhere) for k, x in parameters.items()}
    state = jax.jit(adam.init, out_shardings=everywhere)(parameters)
    losses = []
    for batch in given:
        parts = [placed(array, divided) for array in batch]
        parameters, state, value = step(parameters, state, *parts)
        losses.append(float(value))
    return parameters, losses


def swept(function, parameters, given):
    """The last loss for each of 16 learning rates, all trained side by side."""
    import jax
    import optax

    def last(rate):
        sgd = optax.sgd(rate)
        p, state = parameters, sgd.init(parameters)
        for batch in given:
            value, gradients = jax.value_and_grad(function)(p, *batch)
            moves, state = sgd.update(gradients, state)
            p = optax.apply_updates(p, moves)
        return value

    return jax.jit(jax.vmap(last))(SWEEP * 100.0)


def exported(arguments, given):
    """The function, and its parameters and batches in the precision that was asked for."""
    function, parameters = loss.to_jax(*given[0])
    parameters = {k: np.asarray(x, arguments.dtype) for k, x in parameters.items()}
    given = [(a, b, mask.astype(arguments.dtype)) for a, b, mask in given]
    return function, parameters, given


def prepared(arguments, devices):
    """JAX on the platform, with so many virtual devices where that is the processor."""
    if arguments.platform == "cpu":
        flag = f"--xla_force_host_platform_device_count={devices}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}"
    import jax

    jax.config.update("jax_platforms", "cuda" if arguments.platform == "gpu" else "cpu")
    jax.config.update("jax_enable_x64", arguments.dtype == "float64")
    return jax


def one_of_two(arguments):
    """What each of two processes does: four devices of its own, eight together."""
    jax = prepared(arguments, 4)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    address = f"127.0.0.1:{arguments.port}"
    jax.distributed.initialize(address, RUNS, arguments.process)
    function, parameters, given = exported(arguments, batches(arguments.steps, arguments.names))
    _, losses = trained(function, parameters, given, jax.devices())
    print(*map(repr, losses))
    jax.distributed.shutdown()


def in_two_processes(arguments):
    """The losses that two processes, joined on this machine, agree on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, __file__, *sys.argv[1:], "--port", str(port), "--process"]
    started = [
        subprocess.Popen([*command, str(k)], stdout=subprocess.PIPE, text=True) for k in range(RUNS)
    ]
    try:
        said = [process.communicate(timeout=500)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    if any(process.returncode for process in started):
        raise SystemExit("a process failed; its message stands above")
    ours, others = ([float(x) for x in text.split("\n")[-2].split()] for text in said)
    assert ours == others, "both processes know the same losses"
    return ours


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--names", type=int, default=32, help="in a batch")
    parser.add_argument("--process", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.process is not None:
        return one_of_two(arguments)
    jax = prepared(arguments, 8)
    near = 1e-9 if arguments.dtype == "float64" else 1e-3
    at_home = batches(arguments.steps, arguments.names)
    function, parameters, given = exported(arguments, at_home)
    print("parameters:", {name: array.shape for name, array in parameters.items()})

    devices = jax.devices()
    _, alone = trained(function, parameters, given, devices[:1])
    print(f"one device: loss {alone[0]:.4f}, after {arguments.steps} steps {alone[-1]:.4f}")
    weights, losses = trained(function, parameters, given, devices)
    print(f"{len(devices)} devices: the same to {distance(losses, alone, near):.1e}")
    if arguments.platform == "cpu":
        both = in_two_processes(arguments)
        print(f"two processes, four devices each: the same to {distance(both, alone, near):.1e}")

    rates = swept(function, parameters, given[:8])
    best = int(np.argmin(rates))
    print(f"16 learning rates at once: after 8 steps of SGD {SWEEP[best] * 100:.2g} is the best")

    loss.program.load(weights)
    print("weights at home:", f"loss {float(loss(*at_home[-1])):.4f},", "names:", end=" ")
    rng = np.random.default_rng(1)
    print(*(spelled(rng) for _ in range(8)))


def distance(losses, alone, near):
    """The largest difference between losses, which must be no more than `near`."""
    found = float(np.abs(np.subtract(losses, alone)).max())
    assert found <= near, f"the losses differ by {found}"
    return found


if __name__ == "__main__":
    main()
