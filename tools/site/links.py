"""Checks the finished site as files: every link leads to a page and a place on it, and no page asks
another server for anything."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["faults"]

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
FETCHED |= {"video": "src", "audio": "src", "object": "data", "embed": "src", "image": "href"}
SCHEMES = {"mailto", "data", "http", "https"}


class _Page(HTMLParser):
    """What a page links to, what it fetches, and the places on it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.places: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.places.append(given["id"])
        if tag == "a" and "name" in given:
            self.places.append(given["name"])
        if tag in FETCHED and FETCHED[tag] in given:
            self.fetched.append(given[FETCHED[tag]])
        elif "href" in given:
            self.links.append(given["href"])
        self.handlers += [f"<{tag} {name}>" for name in given if name.startswith("on")]
        if "srcdoc" in given:
            inner = _Page(given["srcdoc"])
            self.fetched += inner.fetched
            self.handlers += inner.handlers


def faults(folder: Path) -> list[str]:
    """What is wrong, each with the page that it stands on."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    places = {path.resolve(): set(page.places) for path, page in pages.items()}
    found = []
    for path, page in sorted(pages.items()):
        here = path.relative_to(folder)
        away = [address for address in page.fetched if _leaves(address)]
        found += [f"{here} fetches {address}" for address in away]
        found += [f"{here} has a script in an attribute: {handler}" for handler in page.handlers]
        here_too = [address for address in page.fetched if address not in away]
        for address in dict.fromkeys(page.links + here_too):
            wrong = _wrong(address, path, folder.resolve(), places)
            if wrong:
                found.append(f"{here}: {address[:200]} {wrong}")
    return found


def _leaves(address: str) -> bool:
    return urlsplit(address).scheme not in ("", "data", "blob") or address.startswith("//")


def _wrong(address: str, page: Path, folder: Path, places: dict[Path, set[str]]) -> str:
    parts = urlsplit(address)
    if parts.scheme or address.startswith("//"):
        return "" if parts.scheme in SCHEMES else "is no link that a site has"
    if address.startswith("/"):
        return "is lost where the site lies below a path"
    target = page.resolve()
    if parts.path:
        target = (target.parent / unquote(parts.path)).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file() or not target.is_relative_to(folder):
        return "leads to no file"
    place = unquote(parts.fragment)
    if place[:1] in ("x", "1") and target.parent.name == "playground":
        return ""  # no place, but what the page is to show
    if place and target in places and place not in places[target] and place != "top":
        return "leads to no place on its page"
    return ""
