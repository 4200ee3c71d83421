"""A lifted program as data: what loops compute, which values they read, and the passes on that.

Read `ir.py` first: View, Step, Program. `lower` makes a Program of a recording, `adjoint` its
backward pass, which is more Steps; `checks` proves what both promise, `place` says where values may
lie in memory, `text` prints them as NumPy that runs. Executors are in `lifting/run/`.
"""
