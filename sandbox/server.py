"""The sandbox as a server on loopback: three vendors, and `/_sandbox` to steer clock and faults
while it runs.
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

import anyio
import msgspec
import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from boscard.clock import Clock
from sandbox.company import Company
from sandbox.exchange import Asked, Reply, World
from sandbox.faults import SCENARIOS, Fault, FaultError, Faults, Struck
from sandbox.google_ads import GoogleAds
from sandbox.hubspot import HubSpot
from sandbox.limits import Limits
from sandbox.tokens import ISSUERS, Tokens
from sandbox.typeform import Typeform

ZIP_FROM = 1_000
LOOPBACK = "127.0.0.1"


class Vendor(Protocol):
    """What the server needs of a vendor."""

    tokens: Tokens

    def is_token_call(self, asked: Asked) -> bool: ...
    def stream(self, asked: Asked) -> str: ...
    def answer(self, asked: Asked, struck: Struck, world: World) -> Reply: ...
    def throttled(self, asked: Asked, fault: Fault) -> Reply: ...
    def broken(self, asked: Asked, status: int) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """A reply and what the wire does to it: a delay in seconds, the connection cut in the body's
    middle.
    """

    reply: Reply
    delay: float = 0.0
    is_cut: bool = False


class Sandbox:
    """The company, its clock, the three vendors, the faults and the count of calls; safe between
    threads.
    """

    def __init__(
        self,
        company: Company,
        clock: Clock,
        *,
        limits: Limits | None = None,
        faults: Iterable[Mapping[str, Any]] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        limits = limits or Limits()
        self.company = company
        self.faults = Faults(faults)
        self.calls: Counter[tuple[str, str, str, str, int]] = Counter()
        tokens = {
            name: Tokens(issuer, limits.token_seconds, monotonic)
            for name, issuer in ISSUERS.items()
        }
        self.vendors: dict[str, Vendor] = {
            "google_ads": GoogleAds(tokens["google_ads"], limits, monotonic),
            "hubspot": HubSpot(tokens["hubspot"], limits, monotonic),
            "typeform": Typeform(tokens["typeform"], limits, monotonic),
        }
        self._lock = threading.Lock()
        self.set_clock(clock)

    def set_clock(self, clock: Clock) -> None:
        """Make it the night of `clock`."""
        with self._lock:
            self.clock = clock
            self.world = World(self.company.at(clock.now), clock.now, clock.as_of_date)

    def deliver(self, name: str, asked: Asked) -> Delivery:
        """One call to one vendor, faults included."""
        vendor = self.vendors[name]
        is_token_call = vendor.is_token_call(asked)
        stream = "" if is_token_call else vendor.stream(asked)
        struck = self.faults.strike(name, f"{asked.path} {stream}", is_token_call=is_token_call)
        vendor.tokens.is_revoked = self.faults.is_revoked(name)
        if "expire_token" in struck:
            vendor.tokens.expire_all()
        throttle, broken = struck.first("throttle"), struck.first("server_error")
        if throttle:
            reply = vendor.throttled(asked, throttle)
        elif broken:
            reply = vendor.broken(asked, int(broken["status"]))
        else:
            reply = vendor.answer(asked, struck, self.world)
        with self._lock:
            self.calls[name, asked.method, asked.path, stream, reply.status] += 1
        slow, cut = struck.first("slow"), struck.first("truncate")
        delay = slow["ms"] / 1000 if slow else 0.0
        if cut and cut["how"] == "json":
            reply = replace(reply, body=reply.body[: len(reply.body) // 2])
        if indented := struck.first("indented"):
            reply = replace(reply, body=msgspec.json.format(reply.body, indent=indented["indent"]))
        if "invalid_utf8" in struck:
            reply = replace(reply, body=_not_utf8(reply.body))
        return Delivery(
            _zipped(asked, reply), delay, is_cut=bool(cut and cut["how"] == "connection")
        )


def _not_utf8(body: bytes) -> bytes:
    """The body with one byte that is no text, inside the quotes nearest before its middle."""
    place = body.rfind(b'"', 0, len(body) // 2) + 1
    return body[:place] + b"\xff" + body[place:]


def _zipped(asked: Asked, reply: Reply) -> Reply:
    """The reply as gzip when the client takes it, as the vendors do."""
    if len(reply.body) < ZIP_FROM or "gzip" not in asked.headers.get("accept-encoding", ""):
        return reply
    headers = {**reply.headers, "content-encoding": "gzip", "vary": "accept-encoding"}
    return replace(reply, body=gzip.compress(reply.body, compresslevel=1, mtime=0), headers=headers)


class _Cut(Response):
    """A response whose connection ends in the middle of the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})


def application(sandbox: Sandbox) -> Starlette:
    """The web application of one sandbox."""

    async def vendor(request: Request) -> Response:
        name, path = request.path_params["vendor"], "/" + request.path_params["path"]
        if name not in sandbox.vendors:
            return JSONResponse({"error": f"no vendor {name!r} here"}, 404)
        asked = Asked(
            method=request.method,
            path=path,
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=await request.body(),
            base_url=f"{request.url.scheme}://{request.url.netloc}/{name}",
        )
        delivery = await to_thread.run_sync(sandbox.deliver, name, asked)
        if delivery.delay:
            await anyio.sleep(delivery.delay)
        reply = delivery.reply
        kind = _Cut if delivery.is_cut else Response
        return kind(reply.body, reply.status, dict(reply.headers), media_type="application/json")

    async def health(_: Request) -> Response:
        return JSONResponse(
            {"as_of_date": str(sandbox.clock.as_of_date), "now": sandbox.clock.now.isoformat()}
        )

    async def clock(request: Request) -> Response:
        try:
            night = date.fromisoformat((await request.json())["date"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": 'send {"date": "YYYY-MM-DD"}'}, 400)
        await to_thread.run_sync(sandbox.set_clock, replace(sandbox.clock, as_of_date=night))
        return await health(request)

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            chosen = request.query_params.get("id")
            removed = sandbox.faults.remove(
                int(chosen) if chosen and chosen.isdigit() else None,
                request.query_params.get("vendor"),
            )
            return JSONResponse({"removed": removed})
        if request.method == "POST":
            try:
                content = await request.json()
                wanted = scenario(content["scenario"]) if "scenario" in content else [content]
                added = [sandbox.faults.add(one).as_json() for one in wanted]
            except (FaultError, ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
            return JSONResponse({"faults": added}, 201)
        return JSONResponse({"faults": [fault.as_json() for fault in sandbox.faults.standing()]})

    async def calls(_: Request) -> Response:
        names = ("vendor", "method", "path", "stream", "status")
        rows = [
            {**dict(zip(names, call, strict=True)), "calls": count}
            for call, count in sorted(sandbox.calls.items())
        ]
        return JSONResponse({"calls": rows})

    return Starlette(
        routes=[
            Route("/_sandbox/health", health),
            Route("/_sandbox/clock", clock, methods=["POST"]),
            Route("/_sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/calls", calls),
            Route(
                "/{vendor}/{path:path}", vendor, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]
            ),
        ]
    )


def scenario(name: str) -> tuple[dict[str, Any], ...]:
    """The faults of a named scenario. Raises FaultError for a name that is not one."""
    if name not in SCENARIOS:
        raise FaultError(f"scenario {name!r} is not known; known are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def serve(
    sandbox: Sandbox,
    port: int = 0,
    on_ready: Callable[[str], object] | None = None,
    host: str = LOOPBACK,
) -> None:
    """Serve until the process is told to stop; `on_ready` is given the base URL."""
    with _listening(port, host) as (listener, base_url):
        server = _Server(
            _configuration(sandbox), (lambda: on_ready(base_url)) if on_ready else None
        )
        server.run(sockets=[listener])


@contextmanager
def running(
    company: Company,
    clock: Clock,
    *,
    port: int = 0,
    limits: Limits | None = None,
    faults: Iterable[Mapping[str, Any]] = (),
) -> Iterator[str]:
    """The base URL of a sandbox served by a thread of this process for as long as the context
    lasts.
    """
    with serving(Sandbox(company, clock, limits=limits, faults=faults), port) as base_url:
        yield base_url


@contextmanager
def serving(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """Serve an existing sandbox by a thread of this process for as long as the context lasts."""
    ready = threading.Event()
    with _listening(port) as (listener, base_url):
        server = _Server(_configuration(sandbox), ready.set)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
        )
        thread.start()
        try:
            while not ready.wait(0.1):
                if not thread.is_alive():
                    raise RuntimeError("the sandbox ended before it was ready")
            yield base_url
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(timeout=10)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], object] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._on_ready and self.started:
            self._on_ready()


def _configuration(sandbox: Sandbox) -> uvicorn.Config:
    return uvicorn.Config(
        application(sandbox),
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=30,
    )


@contextmanager
def _listening(port: int, host: str = LOOPBACK) -> Iterator[tuple[socket.socket, str]]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        listener.bind((host, port))
        yield listener, f"http://{host}:{listener.getsockname()[1]}"
