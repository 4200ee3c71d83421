"""A model in service, in small: what lecture 12 starts, feeds, breaks, repairs and stops.

Read `world.py` (the parcels), `schema.py` (what a request may be) and `model.py` (what is
trained, and the card in its file); then `registry.py`, `log.py`, `shadow.py` and `app.py`, which
answer requests, `server.py`, which listens on this machine alone, and `watch.py`, which rings.
"""
