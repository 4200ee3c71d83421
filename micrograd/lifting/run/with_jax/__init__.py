"""Programs as JAX functions, for accelerators and many machines. Read `function.py` first.

`steps.py` runs Steps on JAX arrays, `arrays.py` reads and writes through views, `places.py` finds
slices for them, `products.py` writes einsums, `rows.py` has the op table in jax.numpy,
`arguments.py` takes calls apart, `stacks.py` has parameters and statistics by name. JAX is imported
when `to_jax` asks for it, and not before.
"""
