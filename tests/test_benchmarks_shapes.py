"""`benchmarks/shapes.py`, `models/shapes.py`: as few instructions as promised, equal to PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import shapes
from benchmarks.models.shapes import SHAPES, Shape
from benchmarks.peers.torch_shapes import LOSSES

LONG = {name for name, shape in SHAPES.items() if max(map(len, shape.arrays)) > 1000}


def shortened(name: str) -> Shape:
    """The same loss on a series of 60."""
    shape = SHAPES[name]
    if name not in LONG:
        return shape
    return shape._replace(arrays=tuple(array[:60] for array in shape.arrays))


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_as_few_instructions_as_promised(name: str) -> None:
    assert shapes.count(shortened(name)) <= SHAPES[name].limit


@pytest.mark.parametrize("name", SHAPES)
def test_pytorch_computes_the_same(name: str) -> None:
    shape = shortened(name)
    arrays = shapes.values(shape)
    loss = shape.loss(*arrays)
    loss.backward()
    tensors = [torch.tensor(array, requires_grad=True) for array in shape.arrays]
    other = LOSSES[name](*tensors)
    other.backward()
    ours = {"loss": loss.data, "gradients": [v.grad for a in arrays for v in a.flat]}
    theirs: dict[str, Any] = {"loss": other.item(), "gradients": []}
    for t in tensors:
        theirs["gradients"] += (torch.zeros_like(t) if t.grad is None else t.grad).ravel().tolist()
    shapes.compare(ours, theirs)


def test_a_wrong_gradient_stops_the_benchmark() -> None:
    right = {"loss": 1.0, "gradients": [1.0, 2.0]}
    shapes.compare(right, right)
    for wrong in ({"loss": 1.0 + 1e-8}, {"gradients": [1.0, np.nan]}, {"gradients": [1.0]}):
        with pytest.raises(AssertionError, match="differ"):
            shapes.compare({**right, **wrong}, right)
