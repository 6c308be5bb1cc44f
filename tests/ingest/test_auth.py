"""Authentication: one refresh for all threads, rotation saved first, readable refusals."""

from __future__ import annotations

import fcntl
import queue
import threading
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from ingest.auth import Bearer, OAuth
from ingest.connections import Connection
from ingest.errors import Refused, Throttled, Transient
from ingest.exchange import Reply, Request
from ingest.tokens import FileTokens, seal, unseal

DATA = Request("GET", "/rows")
KEYS = ("the-secret", "refresh-0")


class Issuer:
    """A token endpoint and an API in one: it rotates, and knows which tokens live."""

    def __init__(self, rotates: bool = True, lifetime: float = 3600) -> None:
        self.rotates = rotates
        self.lifetime = lifetime
        self.refresh = "refresh-0"
        self.access = ""
        self.refreshes = 0
        self.refused = 0
        self.before_answer: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def reply(self, request: Request) -> Reply:
        with self._lock:
            return self._token(request) if request.path == "/token" else self._data(request)

    def _token(self, request: Request) -> Reply:
        assert request.form is not None
        if request.form["refresh_token"] != self.refresh:
            self.refused += 1
            return json_reply(400, b'{"error":"invalid_grant","error_description":"revoked"}')
        self.refreshes += 1
        self.access = f"access-{self.refreshes}"
        more = b""
        if self.rotates:
            self.refresh = f"refresh-{self.refreshes}"
            more = f',"refresh_token":"{self.refresh}"'.encode()
        self.before_answer()
        return json_reply(
            200,
            f'{{"access_token":"{self.access}","expires_in":{self.lifetime}'.encode() + more + b"}",
        )

    def _data(self, request: Request) -> Reply:
        is_good = request.headers["Authorization"] == f"Bearer {self.access}"
        return json_reply(200 if is_good else 401, b"{}")


def json_reply(status: int, body: bytes, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def walk(auth, issuer) -> tuple[Reply, list[str]]:
    """Run one flow; returns the last reply and the paths in the order they were asked."""
    flow = auth.flow(DATA)
    asked = []
    request = next(flow)
    while True:
        asked.append(request.path)
        reply = issuer.reply(request)
        try:
            request = flow.send(reply)
        except StopIteration:
            return reply, asked


@pytest.fixture
def time():
    return [1000.0]


@pytest.fixture
def oauth(tokens, time):
    def make(store=tokens, **extra) -> OAuth:
        connection = Connection(
            "http://vendor", "client", "the-secret", {"refresh_token": "refresh-0", **extra}
        )
        return OAuth(
            connection,
            name="crm",
            title="Vendor",
            token_url="/token",
            tokens=store,
            scope="a b",
            now=lambda: time[0],
        )

    return make


def test_a_token_is_fetched_once_and_used_until_its_margin(oauth, time):
    issuer, auth = Issuer(), oauth()
    assert walk(auth, issuer)[1] == ["/token", "/rows"]
    assert walk(auth, issuer)[1] == ["/rows"]
    time[0] += 3600 - 121
    assert walk(auth, issuer)[1] == ["/rows"]
    time[0] += 2
    assert walk(auth, issuer)[1] == ["/token", "/rows"]


def test_the_margin_leaves_half_of_a_short_life(oauth, time):
    issuer, auth = Issuer(lifetime=60), oauth()
    walk(auth, issuer)
    time[0] += 29
    assert walk(auth, issuer)[1] == ["/rows"]
    time[0] += 2
    assert walk(auth, issuer)[1] == ["/token", "/rows"]


def test_an_expired_token_is_refreshed_and_the_call_repeated_once(oauth):
    issuer, auth = Issuer(), oauth()
    walk(auth, issuer)
    issuer.access = "another"
    reply, asked = walk(auth, issuer)
    assert reply.status == 200
    assert asked == ["/rows", "/token", "/rows"]


def test_a_second_401_is_the_answer(oauth):
    issuer, auth = Issuer(), oauth()
    issuer._data = lambda request: json_reply(401, b"{}")
    reply, asked = walk(auth, issuer)
    assert reply.status == 401
    assert asked == ["/token", "/rows", "/token", "/rows"]


def test_threads_that_are_refused_together_refresh_once(oauth):
    issuer, auth = Issuer(), oauth()
    walk(auth, issuer)
    issuer.access = "expired by the vendor"
    together = threading.Barrier(6)
    data = issuer._data
    first = threading.local()

    def refused_together(request):
        if not getattr(first, "done", False):
            first.done = True
            issuer._lock.release()
            together.wait(5)
            issuer._lock.acquire()
        return data(request)

    issuer._data = refused_together
    ended = []
    threads = [
        threading.Thread(target=lambda: ended.append(walk(auth, issuer)[0].status))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert ended == [200] * 6
    assert issuer.refreshes == 2


def test_a_rotated_token_is_saved_before_its_access_token_is_used(oauth, tokens):
    issuer, auth = Issuer(), oauth()
    flow = auth.flow(DATA)
    request = flow.send(issuer.reply(next(flow)))
    assert request.path == "/rows"
    assert unseal(tokens.load("crm"), KEYS) == "refresh-1"


def test_the_next_night_begins_with_the_rotated_token(oauth):
    issuer = Issuer()
    walk(oauth(), issuer)
    assert walk(oauth(), issuer)[0].status == 200
    assert issuer.refresh == "refresh-2"


class Watched(FileTokens):
    """Tells what is done with it, in order."""

    def __init__(self, root, said):
        super().__init__(root)
        self.said = said

    def load(self, name):
        self.said.put("loads")
        return super().load(name)

    def alone(self, name):
        self.said.put("waits")
        return super().alone(name)


def test_a_process_that_waits_begins_with_the_token_the_first_has_saved(oauth, tokens, tmp_path):
    issuer, first = Issuer(), oauth().flow(DATA)
    request = next(first)  # asks for a token, and has no answer yet
    said: queue.Queue[str] = queue.Queue()
    second = oauth(Watched(tmp_path / "tokens", said))  # what it shares are the files alone
    thread = threading.Thread(target=walk, args=(second, issuer), daemon=True)
    thread.start()
    assert said.get(timeout=20) == "waits"
    with (tmp_path / "tokens/crm.lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert said.empty()
    first.send(issuer.reply(request))
    thread.join(20)
    assert [said.get_nowait(), said.empty()] == ["loads", True]
    assert issuer.refused == 0
    assert unseal(tokens.load("crm"), KEYS) == "refresh-2"


def test_one_connection_does_not_wait_for_another(tokens):
    with tokens.alone("crm"), tokens.alone("survey"):
        pass


class OfAnotherMachine(FileTokens):
    """The same tokens (a database's), seen from a machine with locks of its own."""

    def alone(self, name):
        return nullcontext()


def test_a_token_that_another_machine_has_rotated_is_taken_up(oauth, tokens, tmp_path):
    issuer, auth = Issuer(), oauth()
    flow = auth.flow(DATA)
    request = next(flow)
    walk(oauth(OfAnotherMachine(tmp_path / "tokens")), issuer)  # the other one is faster
    seen = [request.form["refresh_token"]]
    request = flow.send(issuer.reply(request))
    seen.append(request.form["refresh_token"])
    assert seen == ["refresh-0", "refresh-1"]
    flow.send(issuer.reply(request))
    assert unseal(tokens.load("crm"), KEYS) == "refresh-2"


def test_a_person_who_authorises_anew_is_not_overruled_by_a_saved_token(oauth, tokens):
    issuer = Issuer()
    walk(oauth(), issuer)
    issuer.refresh = "refresh-of-a-person"
    assert walk(oauth(refresh_token="refresh-of-a-person"), issuer)[0].status == 200


def test_of_a_vendor_that_does_not_rotate_nothing_is_kept(oauth, tokens):
    walk(oauth(), Issuer(rotates=False))
    assert tokens.load("crm") is None


REFUSALS = {
    "revoked (Google, Typeform)": (
        400,
        b'{"error":"invalid_grant","error_description":"Token has been expired or revoked."}',
        Refused,
        "revoked or has expired, or its refresh token was used elsewhere",
        "authorise Boscard again",
    ),
    "revoked (HubSpot)": (
        400,
        b'{"status":"BAD_REFRESH_TOKEN","message":"missing or unknown refresh token"}',
        Refused,
        "BAD_REFRESH_TOKEN",
        "authorise Boscard again",
    ),
    "another client": (
        401,
        b'{"error":"invalid_client"}',
        Refused,
        "does not know the app",
        "client id",
    ),
    "unauthorized client": (
        401,
        b'{"error":"unauthorized_client","error_description":"Unauthorized"}',
        Refused,
        "does not know the app",
        "client secret",
    ),
    "trouble": (503, b"<html>", Transient, "has trouble", ""),
    "no token in the answer": (200, b"{}", Transient, "holds no access_token", ""),
    "no JSON": (200, b"<html>", Transient, "holds no access_token", ""),
}


@pytest.mark.parametrize(
    ("status", "body", "error", "words", "step"), REFUSALS.values(), ids=REFUSALS
)
def test_refusals_of_the_token_endpoint(oauth, status, body, error, words, step):
    flow = oauth().flow(DATA)
    next(flow)
    with pytest.raises(error, match=words) as caught:
        flow.send(json_reply(status, body))
    assert step in caught.value.next_step
    assert bool(caught.value.next_step) == (error is Refused)


def test_too_many_token_requests_wait_as_long_as_told(oauth):
    flow = oauth().flow(DATA)
    next(flow)
    with pytest.raises(Throttled) as caught:
        flow.send(json_reply(429, b"", retry_after="33"))
    assert caught.value.wait == 33


def test_a_refusal_lets_go_of_the_lock(oauth):
    auth = oauth()
    for _ in range(2):
        flow = auth.flow(DATA)
        next(flow)
        with pytest.raises(Transient):
            flow.send(json_reply(503, b""))


def test_a_connection_without_a_refresh_token_is_refused(tokens):
    auth = OAuth(
        Connection("http://v", "client", "secret"),
        name="crm",
        title="Vendor",
        token_url="/token",
        tokens=tokens,
    )
    with pytest.raises(Refused, match="has no refresh_token"):
        next(auth.flow(DATA))


def test_all_that_was_ever_seen_is_secret(oauth):
    auth = oauth()
    walk(auth, Issuer())
    assert {"the-secret", "refresh-0", "refresh-1", "access-1"} <= set(auth.secrets())


def test_a_bearer_token_is_sent_as_it_is():
    flow = Bearer("pat-1").flow(DATA)
    assert next(flow).headers == {"Authorization": "Bearer pat-1"}
    with pytest.raises(StopIteration):
        flow.send(json_reply(401, b"{}"))


def test_saved_tokens_are_sealed_and_private(tokens, tmp_path):
    tokens.save("crm", seal("refresh-9", KEYS))
    (path,) = (tmp_path / "tokens").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert b"refresh-9" not in path.read_bytes()
    assert unseal(FileTokens(tmp_path / "tokens").load("crm"), KEYS) == "refresh-9"
    assert unseal(tokens.load("crm"), ("the-secret", "another")) is None
    assert unseal("not sealed at all: é", KEYS) is None
    tokens.save("crm", seal("refresh-10", KEYS))
    assert unseal(tokens.load("crm"), KEYS) == "refresh-10"


def test_a_connection_shows_no_secret():
    connection = Connection("http://v", "client", "pass", {"refresh_token": "rt", "x": "y"})
    assert "pass" not in repr(connection)
    assert "rt" not in repr(connection)
    assert set(connection.secrets) == {"pass", "rt"}
