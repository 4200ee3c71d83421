"""One step on many devices is the step on one: a mesh in this machine, and two processes.

Covers `examples/beyond_one_machine.py` and the words of `docs/beyond_one_machine.md`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "beyond_one_machine.py"
PAGE = ROOT / "docs" / "beyond_one_machine.md"


def ran(*command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=1500
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


@pytest.mark.slow
def test_eight_devices_and_two_processes_train_as_one_device_does() -> None:
    """The example holds the losses to each other, to 1e-9, and says how far they are apart."""
    said = ran("-W", "error", str(EXAMPLE), "--steps", "4", "--names", "16")
    for words in (r"8 devices: the same to (\S+)", r"two processes, .* the same to (\S+)"):
        found = re.search(words, said)
        assert found is not None, said
        assert float(found[1]) <= 1e-9
    first, last = map(float, re.findall(r"loss (\d\.\d+), after 4 steps (\d\.\d+)", said)[0])
    assert last < first
    assert "16 learning rates at once" in said
    home = re.search(r"weights at home: loss (\d\.\d+), names: (.+)", said)
    assert home is not None
    assert len(home[2].split()) >= 4


@pytest.mark.slow
def test_float32_runs_too() -> None:
    said = ran(str(EXAMPLE), "--steps", "2", "--names", "8", "--dtype", "float32")
    assert "8 devices: the same to" in said


@pytest.mark.slow
def test_the_code_on_the_page_runs(tmp_path: Path) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL))
    (tmp_path / "page.py").write_text(code, encoding="utf-8")  # lift reads its source
    ran("-W", "error", str(tmp_path / "page.py"))
