"""Benchmarks: each file measures one claim, beside its peers, and checks that all computed the same."""
