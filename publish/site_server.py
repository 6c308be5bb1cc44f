"""The page's web server, `python -m publish.site_server`: the site folder, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from boscard.home import Home

# The page has no script and fetches nothing; its style is inside it.
HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-cache",
}


class PageOnly:
    """Refuses what begins with a dot (files that are being written) and adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        is_hidden = any(part.startswith(".") for part in scope["path"].split("/"))
        app = PlainTextResponse("Not Found", 404) if is_hidden else self.app

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        await app(scope, receive, with_headers)


def application(site: Path) -> Starlette:
    """The web application over one site folder, which may still be empty."""
    files = StaticFiles(directory=site, html=True)
    return Starlette(
        routes=[Route("/healthy", _healthy), Mount("/", files)], middleware=[Middleware(PageOnly)]
    )


async def _healthy(_: Request) -> Response:
    """The server answers, also before anything is published."""
    return PlainTextResponse("healthy")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m publish.site_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    given = parser.parse_args()
    site = Home.default().site
    site.mkdir(parents=True, exist_ok=True)
    uvicorn.run(
        application(site),
        host=given.host,
        port=given.port,
        log_level="warning",
        lifespan="off",
        server_header=False,
    )


if __name__ == "__main__":
    main()
