"""How Sphinx makes the site's pages of what `python -m tools.site` has laid out in build/pages."""

import re
from typing import Any

from docutils import nodes
from sphinx import search
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.search.en import SearchEnglish

from micrograd import __version__
from tools.formulas import mathml

project = "micrograd"
version = release = __version__
language = "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
root_doc = "index"

nb_execution_mode = "off"  # notebooks are committed with their outputs
nb_merge_streams = True
nb_code_prompt_show = "Code of the picture or table"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
highlight_language = "none"  # code says what it is
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = "micrograd"
html_static_path = ["static"]
templates_path = ["templates"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_favicon = "static/icon.svg"
html_copy_source = html_show_sourcelink = html_show_copyright = False
html_math_renderer = "mathml"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_theme_options = {"top_of_page_buttons": []}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/playground.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}


def _write(translator: Any, node: nodes.Element, display: str) -> None:
    try:
        formula = mathml(node.astext(), display)
    except Exception as error:  # whatever latex2mathml stumbles over
        raise ExtensionError(f"{node.source}: formula {node.astext()!r}: {error}") from error
    made = formula if display == "inline" else f'<div class="math">{formula}</div>'
    translator.body.append(made)
    raise nodes.SkipNode


def _as_it_stands(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Docstrings are plain text, code in single backticks: nothing else in them is markup."""
    blocks = re.split(r"\n\n+", "\n".join(lines).strip("\n"))
    made = []
    for block in blocks:
        if block.startswith("    "):
            made.append("::\n\n" + block)
        else:
            parts = re.split(r"`([^`]*)`", block)
            parts[::2] = (re.sub(r"([\\*|_`])", r"\\\1", part) for part in parts[::2])
            parts[1::2] = (f"\\ ``{part}``\\ " for part in parts[1::2])  # even inside a word
            made.append("".join(parts))
    lines[:] = [*"\n\n".join(made).split("\n"), ""]


class _Words(SearchEnglish):
    """Numbers are no words that anybody searches for, nor is the code of an exercise."""

    def word_filter(self, word: str) -> bool:
        return bool(super().word_filter(word)) and not word[0].isdigit() and len(word) < 40


def _apart(visit: Any) -> Any:
    """Where a table has no blank between two cells, the search still sees two words."""

    def visited(node: nodes.Node, **known: Any) -> None:
        if isinstance(node, nodes.raw):
            node = nodes.raw("", node.astext().replace("<", " <"), format=node["format"])
        visit(node, **known)

    return visited


search._feed_visit_nodes = _apart(search._feed_visit_nodes)
search.languages["en"] = _Words


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", _as_it_stands)
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(lambda self, node: _write(self, node, "inline"), None),
        block_renderers=(lambda self, node: _write(self, node, "block"), None),
    )
