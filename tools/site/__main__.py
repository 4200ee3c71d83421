"""`make site` builds build/site from the tree; `make serve` shows it on loopback."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sphinx.cmd.build import build_main

from tools.notebooks import ROOT
from tools.site.finish import finish
from tools.site.licences import page
from tools.site.links import faults
from tools.site.stage import stage

BUILD = ROOT / "build"
SITE = BUILD / "site"
WEB = ROOT / "web"


def build(folder: Path = SITE) -> None:
    """The whole site, anew."""
    start = time.perf_counter()

    def say(what: str) -> None:
        print(f"[{time.perf_counter() - start:4.0f} s] {what}", flush=True)

    packages()
    say("the wheel")
    wheel = build_wheel()
    say("pages and notebooks are laid out")
    source = BUILD / "pages"
    stage(source, wheel)
    (source / "licences.md").write_text(page(WEB / "package-lock.json"), encoding="utf-8")
    say("Sphinx")
    shutil.rmtree(folder, ignore_errors=True)
    doctrees = BUILD / "doctrees"
    shutil.rmtree(doctrees, ignore_errors=True)
    jobs = str(os.cpu_count() or 1)
    words = ["-b", "html", "-W", "--keep-going", "-q", "-j", jobs, "-d", str(doctrees)]
    if build_main([*words, str(source), str(folder)]) != 0:
        raise SystemExit("Sphinx has warnings, which are errors here")
    shutil.rmtree(folder / "_sources", ignore_errors=True)
    say("the playground")
    playground(folder / "playground", wheel)
    say("policies, service worker, links")
    finish(folder)
    wrong = faults(folder)
    if wrong:
        raise SystemExit("\n".join([*wrong[:40], f"{len(wrong)} links or files are wrong"]))
    say(f"{folder.relative_to(ROOT)} is built; `make serve` shows it")


def packages() -> None:
    """What web/package-lock.json names, installed when it is newer than what is there."""
    lock, stamp = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        npm = _program("npm")
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True)
        stamp.touch()


def build_wheel(folder: Path = BUILD / "wheel") -> Path:
    """The package as it stands in the tree: what visitors run, and what they can install."""
    shutil.rmtree(folder, ignore_errors=True)
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def playground(folder: Path, wheel: Path) -> None:
    around = ["--home", "../index.html", "--manifest", "../manifest.webmanifest"]
    words = [_program("node"), "build.mjs", "--out", str(folder), "--wheel", str(wheel), *around]
    subprocess.run([*words, "--service-worker", "../sw.js"], cwd=WEB, check=True)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"`{name}` is not on the PATH; the site's playground is built with Node")
    return found


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012, as the base class declares it
        **SimpleHTTPRequestHandler.extensions_map,
        ".webmanifest": "application/manifest+json",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a rebuilt site is seen at once
        super().end_headers()


def serve(port: int, folder: Path = SITE) -> None:
    if not (folder / "index.html").exists():
        build(folder)
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(folder)))
    print(
        f"http://127.0.0.1:{server.server_port}/ shows {folder.relative_to(ROOT)}; Ctrl+C ends it"
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("build", "serve"), default="build")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    if options.command == "serve":
        serve(options.port)
    else:
        build()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
