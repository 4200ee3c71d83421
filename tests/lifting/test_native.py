"""The native executor computes what the reference computes, on every program that tests have.

Covers `run/native/`: `executor.py`, `nests.py`, `plans.py`, `emit.py`, `memory.py`, `signature.py`,
`code.py`, `rows.py`, `machine.py`.
"""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")
