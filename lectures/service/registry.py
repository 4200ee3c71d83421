"""Model files that never change, and one small file that says which of them answers.

In a company this is MLflow's model registry, or a cloud's. The order of steps in `_put` is what
makes the pointer safe: write beside, force to disk, replace, force the folder to disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.model import open_model

__all__ = ["Registry"]


class Registry:
    """Versions 1, 2, ...; `point` says which answers, after it was opened and tried."""

    def __init__(self, folder: Path, trial: Callable[[bytes], Any] = open_model) -> None:
        self.folder, self.trial = folder, trial
        folder.mkdir(exist_ok=True)
        if not (folder / "registry.json").exists():  # a restart finds what was there
            self._set({"sha256": [], "production": None, "shadow": None, "line": []})

    def state(self) -> dict[str, Any]:
        return json.loads((self.folder / "registry.json").read_text())

    def _set(self, state: dict[str, Any]) -> None:
        self._put("registry.json", json.dumps(state).encode())

    def _put(self, name: str, data: bytes) -> None:
        """A file, whole or not at all, whatever is killed and whenever the power fails."""
        half = self.folder / f"{name}.part"
        with open(half, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # the bytes are on the disk ...
        os.replace(half, self.folder / name)  # ... before the name leads to them ...
        if os.name == "posix":
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # ... and the name is on the disk as well
            finally:
                os.close(folder)

    def register(self, blob: bytes) -> int:
        """The version of this model file; a file that is known keeps its number."""
        state, digest = self.state(), hashlib.sha256(blob).hexdigest()
        if digest not in state["sha256"]:
            state["sha256"].append(digest)
            self._put(f"v{len(state['sha256'])}.safetensors", blob)
            self._set(state)
        return state["sha256"].index(digest) + 1

    def read(self, version: int) -> bytes:
        """The bytes of a version, if they are still those that were registered."""
        blob = (self.folder / f"v{version}.safetensors").read_bytes()
        if hashlib.sha256(blob).hexdigest() != self.state()["sha256"][version - 1]:
            raise ValueError(f"version {version} is not the file that was registered")
        return blob

    def point(self, production: int, shadow: int | None = None) -> None:
        """Let `production` answer from the next request on, and `shadow` predict unseen."""
        state = self.state()
        for version in (production, shadow):
            if version is not None and not 1 <= version <= len(state["sha256"]):
                raise ValueError(f"no version {version}: there are {len(state['sha256'])}")
        for version in {production, shadow} - {None, state["production"]}:
            self._try(version)
        if production != state["production"]:
            state["line"].append(production)
        self._set({**state, "production": production, "shadow": shadow})

    def _try(self, version: int) -> None:
        try:
            self.trial(self.read(version))
        except (OSError, ValueError) as error:
            raise ValueError(f"version {version} may not serve: {error}") from error

    def roll_back(self) -> None:
        """Back to the version before the present one, which leaves the line."""
        state = self.state()
        line = state["line"][:-1]
        if not line:
            raise ValueError("there is no earlier version to go back to")
        self._try(line[-1])  # it served once, and its file may have been damaged since
        self._set({**state, "line": line, "production": line[-1], "shadow": None})
