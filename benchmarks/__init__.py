"""Each file measures one claim beside its peers, and checks that all of them computed the same."""
