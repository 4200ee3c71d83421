"""Where something was found: a name, and the attributes and items that lead on from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from micrograd.engine import Value

__all__ = ["Found", "Path", "names_of"]


class Path(NamedTuple):
    """Where something was found: a name, or a step from there; `sign` is one of "", ".", "["."""

    before: Path | None
    sign: str
    step: Any

    def __str__(self) -> str:  # model.layers[2]
        return "".join(
            f"[{p.step!r}]" if p.sign == "[" else f"{p.sign}{p.step}" for p in self.all()
        )

    def dotted(self) -> str:  # model.layers.2, as parameters are named
        steps = (p.step if isinstance(p.step, tuple) else (p.step,) for p in self.all())
        return ".".join(str(step) for several in steps for step in several)

    def all(self) -> list[Path]:
        """The steps from the name on: they may be many, in a linked list."""
        found = [self]
        while found[-1].before is not None:
            found.append(found[-1].before)
        return found[::-1]

    def item(self, key: Any) -> Path:
        return Path(self, "[", key)

    def attribute(self, name: str) -> Path:
        return Path(self, ".", name)


Found = tuple[Path, Any, Any]  # of a Value: where, which one there, in a container of which shape


def names_of(values: Iterable[Value], where: Mapping[Value, Found]) -> list[str | None]:
    """Where each Value was found, by attributes and numbers: model.layers.0.w.1."""
    containers: dict[int, str] = {}
    found: list[str | None] = []
    for value in values:
        path, key, shape = where.get(value, (None, None, None))
        if path is None:
            found.append(None)
            continue
        name = containers.get(id(path)) or containers.setdefault(id(path), path.dotted())
        if key is not None:
            steps = [key]
            for n in reversed((shape or ())[1:]):
                steps[:1] = divmod(steps[0], n)
            name = ".".join([name, *map(str, steps)])
        found.append(name)
    return found
