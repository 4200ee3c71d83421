"""The same networks for the peers: PyTorch, JAX, and scalar engines of the original's kind.

Each is written as its own users would for speed: whole arrays, no layers that only forward. A peer
starts from the same numbers as ours, and the benchmark fails where losses or gradients differ.
"""
