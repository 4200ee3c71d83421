"""Which of a network's arrays learn, named in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from checks._forms import brief, is_open
from checks._marking import Wrong, note, part

__all__ = ["only_learner"]


def only_learner(given: Any, right: str, arrays: Sequence[str], what: str) -> None:
    """`right` is the only one of the arrays that learns; names in any case, one or several."""
    if is_open(given):
        note(what, "not attempted")
        return
    with part(what):
        listed = [given] if isinstance(given, str) else given
        if not isinstance(listed, (list, tuple, set, frozenset, dict, np.ndarray)):
            raise Wrong(f"{what}: a list of names is wanted, got {brief(given)}")
        found = {str(name).strip().casefold() for name in listed}
        unknown = sorted(found - {name.casefold() for name in arrays})
        if unknown:
            raise Wrong(f"{', '.join(unknown)}: no such array; there are {', '.join(arrays)}")
        idle = len(found - {right.casefold()})
        if idle:
            gets = "gets" if idle == 1 else "get"
            raise Wrong(
                f"{idle} of the {len(found)} arrays that you name never {gets} a gradient other "
                "than 0"
            )
        if not found:
            raise Wrong("no array is named, and some array gets a gradient other than 0")
