"""A server on this machine alone, which can be started and stopped inside a notebook."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import uvicorn

__all__ = ["Served"]


class Served:
    """An application at 127.0.0.1 and a free port, on a thread of its own."""

    def __init__(self, app: Callable[..., Any]) -> None:
        # asyncio sends small answers at once only on sockets that say TCP; else each waits 40 ms
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.socket.bind(("127.0.0.1", 0))  # port 0: the system picks a free one
        self.address = self.socket.getsockname()
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http="h11",
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 60
        while not self.server.started:
            if not self.thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the server did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Finish what is being answered, end the thread, free the port."""
        self.server.should_exit = True
        self.thread.join(60)
        self.socket.close()

    def client(self) -> httpx.Client:
        """A client of this server that asks no proxy."""
        address = "http://{}:{}".format(*self.address)
        return httpx.Client(base_url=address, trust_env=False, timeout=60)
