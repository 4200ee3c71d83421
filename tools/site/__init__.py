"""Builds the site, build/site: the course, how-tos, reference and playground as static files.

`stage` lays out what Sphinx reads, Sphinx makes pages of it (docs/site/conf.py), web/build.mjs adds
the playground, and `finish` gives every page its content-security policy and writes the service
worker, whose list names every file by its content. `python -m tools.site --help` has the commands.
"""

__all__: list[str] = []
