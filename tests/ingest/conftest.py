"""A vendor on loopback made of routes, and the few objects that most tests of ingest need."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import hypothesis
import pytest

from boscard.clock import Clock
from boscard.settings import Settings, read_settings
from ingest.batch import Unit, Window
from ingest.budget import Limit
from ingest.check import Check, check_account
from ingest.connections import Connection
from ingest.landing import Landing
from ingest.plan import plan
from ingest.pull import Pulled, pull_units
from ingest.registry import SOURCES
from ingest.session import Patience
from ingest.tokens import FileTokens
from sandbox.company import Company
from sandbox.connections import connections
from sandbox.limits import Limits
from sandbox.server import running

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = date(2026, 11, 1)
HISTORY_START = date(2026, 8, 1)
REFRESH_TOKEN = "first-refresh-token"
CLIENT_SECRET = "the-client-secret"


@dataclass(frozen=True)
class Asked:
    """A request as the vendor saw it."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Answer:
    """What the vendor says; `cut` bytes are promised and not sent."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Route = Callable[[Asked], Answer]


class Vendor:
    """Routes by method and path: a function, or answers to give in turn (the last one stays)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self._routes: dict[tuple[str, str], Route] = {}
        self._lock = threading.Lock()

    def on(self, method: str, path: str, *answers: Route | Answer) -> None:
        if len(answers) == 1 and not isinstance(answers[0], Answer):
            self._routes[method, path] = answers[0]
            return
        queue = list(answers)

        def in_turn(asked: Asked) -> Answer:
            answer = queue.pop(0) if len(queue) > 1 else queue[0]
            return answer if isinstance(answer, Answer) else answer(asked)

        self._routes[method, path] = in_turn

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
        route = self._routes.get((asked.method, asked.path))
        return route(asked) if route else Answer({"no route": asked.path}, 404)

    def calls(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            answer = found.answer(asked)
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.content) + answer.cut))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)
            if answer.cut:
                self.close_connection = True

        do_GET = do_POST = handle_one  # noqa: N815

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Vendor(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def oauth_vendor(vendor: Vendor) -> Vendor:
    """A vendor whose token endpoint gives `access-1`, `access-2`… and never rotates."""
    given = iter(range(1, 1000))
    vendor.on(
        "POST",
        "/token",
        lambda _: Answer({"access_token": f"access-{next(given)}", "expires_in": 3600}),
    )
    return vendor


@pytest.fixture(scope="session")
def company() -> Company:
    """A small company of some two months, for pulls from the sandbox."""
    return Company(seed=7, start=date(2025, 10, 1), scale=0.1)


@pytest.fixture(scope="session")
def unlimited() -> Iterator[None]:
    """Our own call budgets out of the way: the sandbox of these tests has no limits."""
    with pytest.MonkeyPatch.context() as patch:
        for source in SOURCES.values():
            for name in source.api.limits:
                patch.setitem(source.api.limits, name, Limit(100_000, 1.0))
        yield


@dataclass(frozen=True)
class Nights:
    """`done`: for each night its Pulled units, the units left to pull, the account checks."""

    landing: Landing
    clocks: list[Clock]
    done: list[tuple[list[Pulled], list[Unit], list[Check]]]


@pytest.fixture(scope="session")
def nights(tmp_path_factory, company, unlimited) -> Nights:
    """Two nights of a small company, pulled from the sandbox once for all tests."""
    content = read_settings().model_dump()
    content["company"]["history_start"] = company.start
    settings = Settings.model_validate(content)
    home = tmp_path_factory.mktemp("nights")
    landing, tokens = Landing(home / "landing"), FileTokens(home / "tokens")
    done = []
    hour = settings.company.publication_hour
    clocks = [Clock(date(2025, 12, day), settings.company.zone, hour) for day in (1, 2)]
    for clock in clocks:
        with running(company, clock, limits=Limits.none()) as base_url:
            found = {
                name: Connection(one["host"], one["login"], one["password"], one["extra"])
                for name, one in connections(base_url).items()
            }
            pulled = [
                one
                for source in settings.sources
                for one in pull_units(
                    plan(settings, source, clock, landing),
                    settings=settings,
                    clock=clock,
                    landing=landing,
                    connection=found.__getitem__,
                    tokens=tokens,
                )
            ]
            checks = [
                check_account(
                    account,
                    settings=settings,
                    clock=clock,
                    connection=found[account.connection],
                    tokens=tokens,
                )
                for account in settings.accounts
            ]
        left = [
            unit for source in settings.sources for unit in plan(settings, source, clock, landing)
        ]
        done.append((pulled, left, checks))
    return Nights(landing, clocks, done)


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def connection_to() -> Callable[..., Connection]:
    """A connection to a vendor with refresh token and client secret; keywords go to its extra."""

    def connection(vendor: Vendor, **extra: str) -> Connection:
        found = {"refresh_token": REFRESH_TOKEN, "token_url": f"{vendor.url}/token", **extra}
        return Connection(vendor.url, "client-id", CLIENT_SECRET, found)

    return connection


@pytest.fixture
def clock() -> Clock:
    return Clock(NIGHT, BERLIN, 7)


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Settings with accounts of one source: (id, time zone, currency)."""
    return _settings_for


def _settings_for(source: str, *accounts: tuple[str, str, str | None]) -> Settings:
    return Settings.model_validate(
        {
            "company": {
                "name": "Company",
                "reporting_currency": "EUR",
                "time_zone": "Europe/Berlin",
                "history_start": HISTORY_START,
                "publication_hour": 7,
            },
            "accounts": [
                {
                    "source": source,
                    "account": account,
                    "name": account,
                    "connection": source,
                    "time_zone": zone,
                    "currency": currency,
                }
                for account, zone, currency in accounts
            ],
        }
    )


@pytest.fixture
def landing(tmp_path) -> Landing:
    return Landing(tmp_path / "landing")


@pytest.fixture(params=["disk", "s3"])
def either_landing(request, tmp_path) -> Landing:
    """Once on a disk, once in a bucket."""
    if request.param == "disk":
        return Landing(tmp_path / "landing")
    return Landing(request.getfixturevalue("s3_server").landing(tmp_path / "scratch"))


@pytest.fixture
def tokens(tmp_path) -> FileTokens:
    return FileTokens(tmp_path / "tokens")


@pytest.fixture
def unit() -> Unit:
    return Unit("google_ads", "111", "campaign_daily", Window(HISTORY_START, NIGHT))


@pytest.fixture
def hurried() -> Patience:
    """Short pauses, three attempts."""
    return Patience(attempts=3, first_pause=0.001, connect_seconds=2, read_seconds=5)
