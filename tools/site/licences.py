"""The page that names what the site is made with: versions and licences, from the lock file of web/
and from the Python packages whose scripts and styles stand on the pages."""

from __future__ import annotations

import json
from importlib.metadata import metadata
from pathlib import Path

__all__ = ["page"]

# packages with files on the pages; what only builds them leaves nothing there
PYTHON = {
    "Sphinx": "search and its scripts",
    "furo": "the look of the pages, and their scripts",
    "sphinx-basic-ng": "their skeleton",
    "myst-nb": "the look of notebooks' outputs",
    "accessible-pygments": "colours of code",
}
INSIDE = """
Pyodide is CPython (PSF-2.0) with its standard library, compiled to WebAssembly; @viz-js/viz is
Graphviz (EPL-2.0) with Expat (MIT). Their sources are where the packages' own pages say:
[pyodide](https://github.com/pyodide/pyodide), [viz-js](https://github.com/mdaines/viz-js),
[Graphviz](https://gitlab.com/graphviz/graphviz).
"""


def page(lock: Path) -> str:
    """Markdown: two tables, and where the whole texts stand."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    rows = []
    for place, entry in sorted(packages.items()):
        if place and not entry.get("dev") and not entry.get("optional"):
            name = place.rpartition("node_modules/")[2]
            if "license" not in entry:
                raise ValueError(f"{lock.name} names no licence for {name}")
            rows.append(f"| {name} | {entry['version']} | {entry['license']} |")
    ours = []
    for name, what in PYTHON.items():
        about = metadata(name)
        ours.append(f"| {about['Name']} | {about['Version']} | {_licence(name)} | {what} |")
    return "\n".join(
        [
            "# Licences\n",
            "micrograd is under the MIT licence. This site is made with the work of others.\n",
            "## On the pages\n",
            "| package | version | licence | what |\n|---|---|---|---|",
            *ours,
            "\n## In the playground\n",
            "| package | version | licence |\n|---|---|---|",
            *rows,
            INSIDE,
            'The texts: <a href="playground/LICENSES.txt">LICENSES.txt</a>.\n',
        ]
    )


def _licence(name: str) -> str:
    """As the package states it, in a field or among its classifiers."""
    about = metadata(name)
    if about["License-Expression"]:
        return about["License-Expression"]
    listed = [c for c in about.get_all("Classifier", []) if c.startswith("License ::")]
    if not listed:
        raise ValueError(f"{name} states no licence")
    return listed[0].rpartition(" :: ")[2]
