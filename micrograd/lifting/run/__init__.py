"""Executors: what turns Steps into something that runs on buffers. One file each; none knows a
derivative. `reference.py` is the truth that the others are held to.
"""
