"""From one scalar graph to an array program: `lift`.

A function of Values is run once on traced Values, which write a `tape` (`record`), chains of + and
* become dot products and sums (`fuse`), like nodes are grouped and given slots (`schedule`), lists
of slots become strided views (`strides`). The groups are lowered to a program, which is data: steps
over arrays (`steps/`), forward and, derived from them, backward. An executor (`run/`) makes code of
steps, and `executable.py` calls it. Read `recording.record` for the first half, then `steps/ir.py`.
"""

from micrograd.lifting.decorator import lift
from micrograd.lifting.errors import LiftError
from micrograd.lifting.executable import Executable
from micrograd.lifting.lifted import Lifted

__all__ = ["Executable", "LiftError", "Lifted", "lift"]
