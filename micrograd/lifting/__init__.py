"""From one scalar graph to an array program: `lift`.

A function of Values is run once on traced Values, which write a `tape` (`record`), chains of + and
* become dot products and sums (`fuse`), like nodes are grouped and given slots (`schedule`), lists
of slots become strided views (`strides`), and each group becomes a line of NumPy with its adjoint
(`forward`, `adjoint`). Read `recording.record` for the whole path, then those modules in that
order.
"""

from micrograd.lifting.errors import LiftError
from micrograd.lifting.lifted import Lifted, lift
from micrograd.lifting.program import Program

__all__ = ["LiftError", "Lifted", "Program", "lift"]
