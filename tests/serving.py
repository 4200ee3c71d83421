"""A site served as anybody would, below a path, for tests that open it in Chromium."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.notebooks import ROOT

SITE = ROOT / "build" / "site"
# every name but loopback is refused, so that a request that leaves the site is an error on its page
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@contextmanager
def serving(folder: Path, parent: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`python -m http.server`, in which the site lies below a path; its address, its process."""
    (parent / "repo").symlink_to(folder, target_is_directory=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        words, cwd=parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/repo/", process
    finally:
        process.kill()
        process.wait()
