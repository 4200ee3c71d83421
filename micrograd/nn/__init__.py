"""Neural networks, from the videos' `Neuron` to the layers of PyTorch, all made of Values.

Read `neuron.py` first, then `module.py`, which finds the parameters, then `layers.py` and
`norms.py`, whose inputs are NumPy arrays of Values with any leading batch axes. `weights.py` keeps
a model in a file. `Value` and `random` are here as in the original's `nn.py`, whose users write
`from micrograd.nn import *`.
"""

import random
from typing import TYPE_CHECKING

from micrograd.engine import Value
from micrograd.missing import find
from micrograd.nn.module import Module
from micrograd.nn.neuron import MLP, Layer, Neuron

if TYPE_CHECKING:
    from micrograd.nn.layers import (
        GELU,
        Dropout,
        Embedding,
        Flatten,
        FlattenConsecutive,
        Linear,
        ReLU,
        Sequential,
        Tanh,
    )
    from micrograd.nn.norms import BatchNorm1d, LayerNorm, RMSNorm
    from micrograd.nn.weights import load, save

__all__ = [
    "Module", "Neuron", "Layer", "MLP",
    "Linear", "Embedding", "Tanh", "ReLU", "GELU", "Dropout", "Flatten", "FlattenConsecutive",
    "Sequential", "BatchNorm1d", "LayerNorm", "RMSNorm",
    "save", "load", "Value", "random",
]  # fmt: skip

_NEEDS_NUMPY = {
    **dict.fromkeys(
        ("Linear", "Embedding", "Tanh", "ReLU", "GELU", "Dropout", "Flatten",
         "FlattenConsecutive", "Sequential"), "micrograd.nn.layers",
    ),
    **dict.fromkeys(("BatchNorm1d", "LayerNorm", "RMSNorm"), "micrograd.nn.norms"),
    **dict.fromkeys(("load", "save"), "micrograd.nn.weights"),
}  # fmt: skip

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _NEEDS_NUMPY:
            raise AttributeError(f"module 'micrograd.nn' has no attribute {name!r}")
        return find(_NEEDS_NUMPY[name], name, globals())


def __dir__() -> list[str]:
    return sorted({*globals(), *_NEEDS_NUMPY})
