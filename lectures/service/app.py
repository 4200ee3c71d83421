"""The service: a schema in front, the registry's pointer inside, a log behind.

`GET /health` says that the process lives, `GET /ready` that it can answer; `POST /predict`
answers and `POST /truths` takes outcomes. `limited` refuses bodies before they are read.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from service.log import Log
from service.model import Model, open_model
from service.registry import Registry
from service.schema import Batch, Delivery, Truths, as_columns
from service.shadow import Shadow

__all__ = ["BODY_LIMIT", "limited", "make_app"]

BODY_LIMIT = 32_768
EXAMPLE = Delivery(distance_km=5.0, weight_kg=5.0, hour=12, vehicle="van")


def make_app(
    registry: Registry, log: Log, load_shadow: Callable[[int], Any] | None = None
) -> FastAPI:
    """The application; `app.state.shadow` is its Shadow."""
    app = FastAPI(openapi_url=None)
    app.state.shadow = Shadow(load_shadow or (lambda v: open_model(registry.read(v))), log)
    _refusals(app)

    @functools.lru_cache(4)  # a version never changes; callers may ask for any, so few are kept
    def model(version: int) -> Model:
        return open_model(registry.read(version))

    def answering(version: int | None) -> Model:
        try:
            if version is None:
                raise ValueError("no version was promoted")
            return model(version)
        except (OSError, ValueError) as error:
            raise HTTPException(503, f"no model can answer: {error}") from error

    def current() -> dict[str, Any]:
        try:
            return registry.state()
        except (OSError, ValueError) as error:
            raise HTTPException(503, f"the registry cannot be read: {error}") from error

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> JSONResponse:
        state: dict[str, Any] = {}
        faults, shadow = [], app.state.shadow
        try:
            state = current()
            answering(state["production"])(as_columns([EXAMPLE]))
        except HTTPException as error:
            faults.append(error.detail)
        if log.waiting >= log.most:
            faults.append(f"{log.waiting} writes wait for the log")
        body = {
            "production": state.get("production"),
            "shadow": state.get("shadow"),
            "shadow_failures": shadow.failures,
            "last_shadow_failure": shadow.last_failure,
            "rows_lost_by_the_log": log.lost,
            "faults": faults,
        }
        return JSONResponse(body, 503 if faults else 200)

    @app.post("/predict")
    async def predict(batch: Batch, version: int | None = None) -> dict[str, Any]:
        state = current()
        if version is not None and not 1 <= version <= len(state["sha256"]):
            raise HTTPException(404, f"no version {version}; there are 1 to {len(state['sha256'])}")
        role = "production" if version is None else "asked for"
        version, columns = version or state["production"], as_columns(batch.rows)
        p = answering(version)(columns)
        ids = log.reserve(len(p))
        log.asked(ids, columns)
        log.answered(ids, version, role, p)
        if state["shadow"] not in (None, version):
            app.state.shadow.later(state["shadow"], ids, columns)
        return {"version": version, "ids": ids, "late": p.tolist()}

    @app.post("/truths")
    async def truths(given: Truths) -> dict[str, int]:
        try:
            await asyncio.wrap_future(log.submit(log.put_truths, given.ids, given.late))
        except LookupError as error:
            raise HTTPException(404 if type(error) is KeyError else 409, error.args[0]) from error
        except sqlite3.OperationalError as error:  # locked for too long, or the disk is full
            raise HTTPException(503, f"the log cannot be written: {error}") from error
        return {"written": len(given.ids)}

    return app


def _refusals(app: FastAPI) -> None:
    """Every refusal is a list of faults in words."""

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
        """422 with every fault by name; the input is not repeated: NaN is not JSON."""
        words = []
        for e in error.errors()[:10]:
            where, what = ".".join(map(str, e["loc"][1:])) or "body", e["msg"]
            if e["type"] == "json_invalid":
                where, what = f"body, character {where}", f"{what} ({e['ctx']['error']})"
            words.append(f"{where}: {what}")
        return JSONResponse({"faults": words}, 422)

    @app.exception_handler(AnyHTTPException)
    async def decline(request: Request, error: AnyHTTPException) -> JSONResponse:
        words = f"{request.method} {request.url.path}: {error.detail}"
        return JSONResponse({"faults": [words]}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        """Our own mistake: said in the same form, without its inside."""
        words = f"{request.method} {request.url.path}: a fault of this service"
        return JSONResponse({"faults": [words]}, 500)


def limited(app: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse bodies without a stated length (411), or above the limit (413), unread."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", []))
        size = int(headers.get(b"content-length", 0))
        refusal = None
        if b"transfer-encoding" in headers:
            refusal = (411, "body: say its length (Content-Length)")
        elif size > BODY_LIMIT:
            refusal = (413, f"body: {size} bytes, the limit is {BODY_LIMIT}")
        if refusal:
            await JSONResponse({"faults": [refusal[1]]}, refusal[0])(scope, receive, send)
        else:
            await app(scope, receive, send)

    return guarded
