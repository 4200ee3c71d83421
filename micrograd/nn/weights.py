"""A model's numbers in a file: the safetensors format, which PyTorch and many others read.

A file holds what `state_dict` gives: float64 arrays by name, no code. Loading checks everything
before it writes anything.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from micrograd.nn.module import Module

__all__ = ["save", "load"]


def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write model.state_dict() to `path`; a failed write leaves an older file as it was.

    A link is followed, and an older file's permissions stay.
    """
    from safetensors.numpy import save as to_bytes  # imported when used

    _check(model)
    target = Path(os.path.realpath(path))
    half = target.with_name(target.name + ".part")
    try:
        half.write_bytes(to_bytes(model.state_dict()))
        if target.exists():
            shutil.copymode(target, half)
        half.replace(target)
    except OSError as fault:
        half.unlink(missing_ok=True)
        raise type(fault)(
            f"cannot write weights to {path}: {fault.strerror}; "
            "choose a folder that exists and can be written"
        ) from fault


def load(model: Module, path: str | os.PathLike[str]) -> None:
    """Give `model` the numbers of the file; if they do not fit, change nothing and say why."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    _check(model)
    data = Path(path).read_bytes()
    try:
        state = from_bytes(data)
    except (SafetensorError, KeyError) as fault:  # KeyError: a dtype that NumPy lacks, bfloat16
        raise ValueError(
            f"{path} is no whole safetensors file of real numbers ({fault}); "
            "it was cut short, or written by something else"
        ) from fault
    try:
        model.load_state_dict(state)
    except ValueError as fault:
        raise ValueError(f"{path}: {fault}") from fault


def _check(model: Module) -> None:
    if not isinstance(model, Module):
        raise TypeError(f"expected a Module and a path, got {type(model).__name__} first")
