"""Makes a folder of pages a site: policies, the manifest, and the service worker with its list.

`finish` goes over the finished folder once. Each page gets a content-security policy that lets no
request leave the site and no script run that was not there when the site was built; `worker.js`
gets the list of all files by their content, so that it serves nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from urllib.parse import unquote

import resvg_py

__all__ = ["finish", "first", "policy", "scripts"]

HERE = Path(__file__).parent
WORKER = "sw.js"
MANIFEST = "manifest.webmanifest"
# kept at the first visit, with what they load; every other page is kept when it is opened
FIRST = ("index.html", "search.html", "searchindex.js", "playground/")
NOT_LOADED = (".map", ".d.ts", ".txt", "files.json")  # of the playground's folder
KEPT_WITH_PAGES = re.compile(r'(?:src|href)="([^":#?]+\.(?:js|mjs|css|svg|png|webmanifest))[?"#]')
DIRECTIVES = (
    "default-src 'self'",
    "script-src 'self' {scripts}",
    "style-src 'self' 'unsafe-inline'",  # drawn graphs carry their colours
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
)
FOR_SCREEN_READERS = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    ' aria-label="Toggle hidden content"': "",  # the line itself says what it hides
}
INLINE = re.compile(r"<script(?![^>]*\ssrc=)([^>]*)>(.*?)</script>", re.DOTALL)
FRAME = re.compile(r'\ssrcdoc="([^"]*)"')


def finish(folder: Path) -> None:
    """Policies, manifest and icons, and last the worker, whose list names all the rest."""
    for name in (".buildinfo", WORKER):
        (folder / name).unlink(missing_ok=True)
    _icons(folder)
    for page in sorted(folder.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        page.write_text(_headed(text, page.relative_to(folder)), encoding="utf-8")
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    early = first(folder)
    lists = {
        word: {n: _digest((folder / n).read_bytes()) for n in names if (n in early) is at_once}
        for word, at_once in (("FIRST", True), ("LATER", False))
    }
    worker = (HERE / "worker.js").read_text(encoding="utf-8")
    for word, files in lists.items():
        worker = worker.replace(f"{word} = {{}}", f"{word} = {json.dumps(files)}", 1)
    (folder / WORKER).write_text(worker, encoding="utf-8")


def first(folder: Path) -> set[str]:
    """The files that are kept at the first visit: some pages, and whatever these load."""
    early = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).as_posix().startswith(FIRST)
    }
    for name in [name for name in early if name.endswith(".html")]:
        text = (folder / name).read_text(encoding="utf-8")
        for address in KEPT_WITH_PAGES.findall(text):
            target = (folder / name).parent.joinpath(unquote(address)).resolve()
            if target.is_file():
                early.add(target.relative_to(folder.resolve()).as_posix())
    return {name for name in early if not name.endswith(NOT_LOADED)}


def scripts(page: str) -> list[str]:
    """Every script that stands in a page itself, or in a frame of it, in order."""
    found = [body for marks, body in INLINE.findall(page) if "json" not in marks]
    for inner in FRAME.findall(page):
        found += scripts(html.unescape(inner))
    return list(dict.fromkeys(found))


def policy(page: str) -> str:
    """The page's own scripts by their content, the site's files, and nothing else."""
    hashes = (f"'sha256-{_digest(script.encode())}'" for script in scripts(page))
    return "; ".join(DIRECTIVES).format(scripts=" ".join(hashes)).replace(" ;", ";")


def _headed(page: str, place: Path) -> str:
    """The page with its policy first in its head, and the manifest, unless it has its own."""
    up = "../" * (len(place.parts) - 1)
    head = ""
    if 'http-equiv="Content-Security-Policy"' not in page:
        head = f'<meta http-equiv="Content-Security-Policy" content="{policy(page)}">'
    if 'rel="manifest"' not in page:
        head += f'<link rel="manifest" href="{up}{MANIFEST}">'
    begin = re.search(r"<meta charset=[^>]*>", page, flags=re.IGNORECASE)
    if begin is None:
        raise ValueError(f"{place}: a page says its charset first in its head")
    for told, better in FOR_SCREEN_READERS.items():
        page = page.replace(told, better)
    return page[: begin.end()] + head + page[begin.end() :]


def _icons(folder: Path) -> None:
    icon = (folder / "_static" / "icon.svg").read_text(encoding="utf-8")
    icons = []
    for size in (192, 512):
        name = f"_static/icon-{size}.png"
        (folder / name).write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=icon, width=size)))
        icons.append({"src": name, "sizes": f"{size}x{size}", "type": "image/png"})
    manifest = {
        "name": "micrograd",
        "short_name": "micrograd",
        "start_url": "playground/index.html",
        "scope": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#1f4f7a",
        "icons": icons,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
