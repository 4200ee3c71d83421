"""Neural networks, from the videos' `Neuron` to the layers of PyTorch, all made of Values.

Read `neuron.py` first, then `module.py`, which finds the parameters, then `layers.py` and
`norms.py`, whose inputs are NumPy arrays of Values with any leading batch axes. `weights.py` keeps
a model in a file.
"""

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
from micrograd.nn.module import Module
from micrograd.nn.neuron import MLP, Layer, Neuron
from micrograd.nn.norms import BatchNorm1d, LayerNorm, RMSNorm
from micrograd.nn.weights import load, save

__all__ = [
    "Module", "Neuron", "Layer", "MLP",
    "Linear", "Embedding", "Tanh", "ReLU", "GELU", "Dropout", "Flatten", "FlattenConsecutive",
    "Sequential", "BatchNorm1d", "LayerNorm", "RMSNorm",
    "save", "load",
]  # fmt: skip
