"""Where something was found: a name, and the attributes and items that lead on from it."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Path"]


class Path(NamedTuple):
    """Where something was found: a name, or a step from there; `kind` is one of "", ".", "["."""

    before: Path | None
    kind: str
    step: Any

    def __str__(self) -> str:  # model.layers[2]
        return "".join(
            f"[{p.step!r}]" if p.kind == "[" else f"{p.kind}{p.step}" for p in self.all()
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
