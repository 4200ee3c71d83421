"""What the stepper's page and the worksheet's share: colours, sources, the frame in a notebook."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template
from urllib.parse import quote

from micrograd.show.graph.palette import DARK_HOSTS, LIGHT_HOSTS, PALETTE, WHITE_PAGES

__all__ = ["colours", "document", "embedded", "filled", "framed", "size_of", "source"]

_MORE = {  # beside the picture's colours: (light, dark); a text has 4.5:1 on its tint
    "rule": ("#dcdfe3", "#363c44"),
    "accent": ("#a85200", "#ffb454"),
    "on-accent": ("#ffffff", "#1c1200"),
    "glow": ("#fff0d6", "#4a3410"),
    "arriving": ("#8a4300", "#ffc477"),
    "input": ("#0f7b6c", "#4fd1bd"),
    "local": ("#5b3f8c", "#cdb9f7"),
    "local-tint": ("#efe9f9", "#382a56"),
    "product": ("#0b6355", "#7fe0d0"),
    "product-tint": ("#dff3ef", "#123f38"),
    "scheme": ("light", "dark"),
}


@cache
def source(name: str) -> str:
    """A file of the folders lesson/ and practice/, as text: `lesson/stepper.js`."""
    return files("micrograd.show").joinpath(name).read_text(encoding="utf-8")


def document(
    title: str, body: str, scripts: Sequence[str], style: str, *, paper: bool = False
) -> str:
    """A page that runs these scripts of ours and no other, and asks no address for anything.

    `style` is a file of rules, which come after the colours (see `colours` for `paper`); `body` is
    markup, in which whatever a label says was escaped.
    """
    script = "".join(_bare(source(name)) for name in scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return Template(source("lesson/page.html")).substitute(
        title=html.escape(title),
        policy=policy if scripts else policy.rpartition(";")[0],
        style=colours(paper) + _tight(source(style)),
        body=body,
        script=f"<script>{script}</script>\n" if scripts else "",
    )


def filled(template: str, **parts: str) -> str:
    """A file of markup with these parts in it."""
    return Template(source(template)).substitute(**parts)


def _bare(text: str) -> str:
    """Scripts without indents and lines of comment: a page lies in every notebook."""
    return re.sub(r"^ *//.*\n|^ +", "", text, flags=re.MULTILINE)


def _tight(rules: str) -> str:
    """A style sheet without comments and without the blanks that mean nothing in it."""
    rules = re.sub(r"/\*.*?\*/", "", rules, flags=re.DOTALL)
    return re.sub(r"\s*([{};])\s*|(:|,)\s+", r"\1\2", rules)


def colours(paper: bool = False) -> str:
    """Every colour as a custom property: as the system says, or as the page's own switch does.

    With `paper` the dark ones hold on screens only, for pages that are printed.
    """
    screen = "screen and " if paper else ""
    palette = {name.replace("_", "-"): pair for name, pair in PALETTE.items()} | _MORE
    light, dark = (
        "".join(f"--{name}:{pair[k]};" for name, pair in palette.items())
        + f"color-scheme:{('light', 'dark')[k]}"
        for k in (0, 1)
    )
    return (
        f":root{{{light}}}\n@media {screen}(prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f':root[theme="light"]{{{light}}}\n:root[theme="dark"]{{{dark}}}\n'
    )


def framed(title: str, page: str, height: int, picture: str, sandbox: str) -> str:
    """A page in a sandboxed frame, and a still picture for where frames are cut out."""
    return _FRAME.substitute(
        title=html.escape(title),
        height=height,
        sandbox=sandbox,
        style=_frame_style(),
        page=page.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
        still=quote(picture, safe=" =:/,;'()[]{}!*@$?+|~^-_."),
    )


def embedded(svg: str) -> str:
    """A picture with single quotes, which a double-quoted srcdoc need not write in six bytes."""
    return re.sub(r"<[^>]*>", lambda tag: tag[0].replace('"', "'"), svg).replace(">\n<", "><")


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a picture in pixels."""
    found = re.match(r"<svg width=[\"']([\d.]+)[\"'] height=[\"']([\d.]+)", svg)
    if found is None:
        raise ValueError("a picture begins with its width and its height")
    return float(found[1]), float(found[2])


def _frame_style() -> str:
    """Hides the still picture beside a frame; gives the frame the notebook's own light or dark."""
    frame = ".micrograd-lesson > iframe"
    rules = [f"{frame} ~ img{{display:none}}"]
    for scheme, hosts in (("light", LIGHT_HOSTS + WHITE_PAGES), ("dark", DARK_HOSTS)):
        selectors = ",".join(f"{host} {frame}" for host in hosts)
        rules.append(f"{selectors}{{color-scheme:{scheme}}}")
    return "".join(rules)


# Untrusted notebooks and GitHub cut out the frame and the style: then the still picture shows.
_FRAME = Template("""<div class="micrograd-lesson">
<style>$style</style>
<iframe title="$title" sandbox="$sandbox" width="100%"
height="$height" style="width: 100%; height: ${height}px; border: 1px solid #8884;
border-radius: 10px;" srcdoc="$page"></iframe>
<img alt="$title: the graph with its numbers" src="data:image/svg+xml,$still">
</div>""")
