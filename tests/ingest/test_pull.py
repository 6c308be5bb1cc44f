"""Units from vendor to landing: together, in order, one failure alone, and no secret anywhere."""

from __future__ import annotations

import json
import logging
import threading
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.batch import Unit, Window
from ingest.connections import Connection
from ingest.errors import Refused, Throttled, Transient, UsedUp
from ingest.landing import Draft
from ingest.progress import Lines
from ingest.pull import open_client, pull_unit, pull_units, until_midnight
from ingest.registry import SOURCES
from ingest.sources.survey import typeform

NIGHT = date(2026, 11, 1)
WINDOWS = [Window(date(2026, month, 1), date(2026, month, 28)) for month in (8, 9, 10)]
UNITS = [
    Unit("google_ads", account, "ad_daily", window)
    for account in ("111", "222")
    for window in WINDOWS
]


def search(account):
    return f"/v26/customers/{account}/googleAds:search"


@pytest.fixture
def settings(settings_for):
    return settings_for(
        "google_ads", ("111", "Europe/Berlin", "EUR"), ("222", "Europe/Berlin", "EUR")
    )


@pytest.fixture
def everything(oauth_vendor, connection_to, settings, clock, landing, tokens, hurried):
    return {
        "settings": settings,
        "clock": clock,
        "landing": landing,
        "tokens": tokens,
        "patience": hurried,
    }


@pytest.fixture
def run(everything, oauth_vendor, connection_to):
    def pulled(units=UNITS, **more):
        return pull_units(
            units, connection=lambda _: connection_to(oauth_vendor), **{**everything, **more}
        )

    return pulled


def test_batches_are_numbered_as_planned_whichever_is_fetched_first(
    run, oauth_vendor, landing, answer
):
    """The first window's answer waits until the later ones have been asked for."""
    others = threading.Barrier(3, timeout=10)

    def give(asked):
        others.wait()
        return answer({"results": [{"n": 1}], "fieldMask": "a"})

    oauth_vendor.on("POST", search("111"), give)
    done = run(UNITS[:3])
    assert [one.unit for one in done] == UNITS[:3]
    assert [one.batch.manifest.sequence for one in done] == [1, 2, 3]
    assert [batch.manifest.window for batch in landing.batches()] == WINDOWS


def test_a_slow_first_window_holds_back_only_its_own_stream(run, oauth_vendor, landing, answer):
    """The first window is answered once the other account's windows have all landed."""

    def give(asked):
        if "2026-08-01" in asked.json["query"] and asked.path == search("111"):
            for _ in range(1000):
                if len(landing.batches(account="222")) == 3:
                    break
                threading.Event().wait(0.005)
            assert landing.batches(account="111") == []
        return answer({"fieldMask": "a"})

    for account in ("111", "222"):
        oauth_vendor.on("POST", search(account), give)
    done = run()
    assert [one.batch.manifest.sequence for one in done] == [1, 2, 3, 1, 2, 3]
    assert [batch.manifest.window for batch in landing.batches(account="111")] == WINDOWS


def test_one_token_serves_all_threads(run, oauth_vendor, answer):
    for account in ("111", "222"):
        oauth_vendor.on("POST", search(account), answer({"fieldMask": "a"}))
    assert len(run()) == 6
    assert len(oauth_vendor.calls("/token")) == 1


def test_one_unit_that_fails_stops_no_other(run, oauth_vendor, landing, answer):
    denied = {
        "error": {
            "code": 403,
            "details": [
                {"errors": [{"errorCode": {"authorizationError": "USER_PERMISSION_DENIED"}}]}
            ],
        }
    }
    oauth_vendor.on("POST", search("111"), answer(denied, 403))
    oauth_vendor.on("POST", search("222"), answer({"fieldMask": "a"}))
    done = run()
    assert [type(one.error) for one in done] == [Refused] * 3 + [type(None)] * 3
    assert [one.batch is None for one in done] == [True] * 3 + [False] * 3
    assert {batch.manifest.account for batch in landing.batches()} == {"222"}
    assert "google_ads 111 ad_daily 2026-08-01..2026-08-28" in str(done[0].error)


def test_a_gap_in_the_middle_leaves_the_later_windows_landed(run, oauth_vendor, landing, answer):
    def give(asked):
        is_second = "2026-09-01" in asked.json["query"]
        return answer(b"{", 200) if is_second else answer({"fieldMask": "a"})

    oauth_vendor.on("POST", search("111"), give)
    done = run(UNITS[:3])
    assert isinstance(done[1].error, Transient)
    assert [batch.manifest.window for batch in landing.batches()] == [WINDOWS[0], WINDOWS[2]]


def test_a_full_disk_leaves_no_lock_behind(run, oauth_vendor, landing, answer, monkeypatch):
    """What is no IngestError ends the pull; in the same process it can then be tried again."""
    oauth_vendor.on("POST", search("111"), answer({"fieldMask": "a"}))
    with monkeypatch.context() as broken:
        broken.setattr(Draft, "commit", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            run(UNITS[:3])
    assert landing.batches() == []
    assert [one.error for one in run(UNITS[:3])] == [None] * 3


def test_no_units_are_no_work(run):
    assert run([]) == []


def test_a_page_that_breaks_half_way_lands_nothing(run, oauth_vendor, landing, answer):
    first = answer({"results": [{"n": 1}], "nextPageToken": "t", "fieldMask": "a"})
    oauth_vendor.on("POST", search("111"), first, answer(b'{"results": [{"n"', cut=9))
    (done,) = run(UNITS[:1])
    assert isinstance(done.error, Transient)
    assert landing.batches() == []
    oauth_vendor.on("POST", search("111"), answer({"results": [{"n": 1}], "fieldMask": "a"}))
    (done,) = run(UNITS[:1])
    assert done.batch.manifest.sequence == 1


def test_progress_is_told_in_words(run, oauth_vendor, answer, capsys):
    import sys

    oauth_vendor.on("POST", search("111"), answer({"results": [{}] * 3, "fieldMask": "a"}))
    oauth_vendor.on("POST", search("222"), answer({}, 500))
    run([UNITS[0], UNITS[3]], progress=Lines(sys.stdout))
    lines = capsys.readouterr().out.splitlines()
    assert "google_ads 111 ad_daily 2026-08-01..2026-08-28: 3 rows" in lines
    (failed,) = (line for line in lines if " 222 " in line)
    assert "transient: Google Ads: the vendor has trouble (HTTP 500)" in failed


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (Connection("http://127.0.0.1:1"), "holds no credentials"),
        (Connection("http://127.0.0.1:1", "client"), "holds no credentials"),
        (Connection("http://127.0.0.1:1", "client", "secret"), "has no refresh_token"),
    ],
    ids=["nothing", "no secret", "no refresh token"],
)
def test_an_unfinished_connection_is_refused_before_any_call(everything, connection, words):
    with pytest.raises(Refused, match=words) as caught:
        pull_unit(UNITS[0], connection=connection, **everything)
    assert "'google_ads'" in caught.value.next_step


def test_a_unit_of_an_account_that_is_not_configured_is_refused(everything, connection_to, vendor):
    unit = Unit("google_ads", "333", "ad_daily", WINDOWS[0])
    with pytest.raises(Refused, match="no such account"):
        pull_unit(unit, connection=connection_to(vendor), **everything)


def test_a_token_alone_is_sent_as_it_is(vendor, everything, answer):
    vendor.on("POST", search("111"), answer({"fieldMask": "a"}))
    pull_unit(UNITS[0], connection=Connection(vendor.url, password="pat"), **everything)
    assert vendor.asked[0].headers["authorization"] == "Bearer pat"
    assert len(vendor.asked) == 1


def test_revoked_access_is_refused_with_the_next_step(vendor, everything, connection_to, answer):
    vendor.on("POST", "/token", answer({"error": "invalid_grant"}, 400))
    with pytest.raises(Refused, match="revoked") as caught:
        pull_unit(UNITS[0], connection=connection_to(vendor), **everything)
    assert "authorise Boscard again at Google Ads" in caught.value.next_step
    assert len(vendor.asked) == 1


def test_a_token_that_dies_in_the_middle_is_renewed(run, oauth_vendor, landing, answer):
    def give(asked):
        page = int(asked.json.get("pageToken", "1"))
        if page > 1 and asked.headers["authorization"] == "Bearer access-1":
            return answer({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
        more = {"nextPageToken": str(page + 1)} if page < 3 else {}
        return answer({"results": [{"page": page}], "fieldMask": "a", **more})

    oauth_vendor.on("POST", search("111"), give)
    (done,) = run(UNITS[:1])
    rows = landing.read_rows(done.batch).splitlines()
    assert [json.loads(row)["page"] for row in rows] == [1, 2, 3]
    assert len(oauth_vendor.calls("/token")) == 2


def test_a_vendor_that_asks_for_hours_is_throttled(run, oauth_vendor, answer):
    oauth_vendor.on("POST", search("111"), answer({}, 429, {"Retry-After": "7200"}))
    (done,) = run(UNITS[:1])
    assert isinstance(done.error, Throttled)
    assert done.error.wait == 7200


def test_a_used_up_day_is_over_at_the_accounts_own_midnight(
    everything, oauth_vendor, connection_to, settings_for, answer
):
    used_up = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "DAILY"}
    oauth_vendor.on("GET", "/crm/v3/owners", answer(used_up, 429))
    account = ("24", "Asia/Kathmandu", "EUR")
    before = datetime.now(ZoneInfo("Asia/Kathmandu"))
    with pytest.raises(UsedUp, match="today's calls are used up") as caught:
        pull_unit(
            Unit("hubspot", "24", "owners", None),
            connection=connection_to(oauth_vendor),
            **{**everything, "settings": settings_for("hubspot", account)},
        )
    assert 0 < until_midnight(before) - caught.value.wait < 60
    assert len(oauth_vendor.calls("/crm/v3/owners")) == 1


@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-10-25T00:00:00", 25), ("2026-03-29T00:00:00", 23), ("2026-11-01T23:30:00", 0.5)],
    ids=["clocks go back", "clocks go forward", "nearly over"],
)
def test_until_midnight(now, hours):
    berlin = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert until_midnight(berlin) == hours * 3600


def test_clients_of_one_connection_share_its_token(vendor, connection_to, tokens):
    source = SOURCES["google_ads"]
    one = open_client(source, "google_ads", connection_to(vendor), tokens)
    two = open_client(source, "google_ads", connection_to(vendor), tokens)
    other = open_client(source, "google_ads", connection_to(vendor, refresh_token="new"), tokens)
    assert one._auth is two._auth
    assert one._budget is two._budget
    assert one._auth is not other._auth


def test_no_secret_is_written_anywhere(
    unlimited,
    vendor,
    settings_for,
    clock,
    landing,
    tokens,
    hurried,
    answer,
    caplog,
    tmp_path,
    capsys,
):
    """A rotating vendor that even echoes what it was sent, in a good answer and in an error."""
    caplog.set_level(logging.DEBUG)
    secrets = ["client-secret-1", "refresh-secret-1", "rotated-secret-2", "access-secret-3"]
    token = {"access_token": secrets[3], "refresh_token": secrets[2], "expires_in": 3600}
    vendor.on("POST", "/oauth/token", answer(token))
    words = f"try {' '.join(secrets)}"
    vendor.on(
        "GET",
        "/forms",
        answer({"code": "TOO_FAST", "description": words}, 429, {"Retry-After": "0"}),
        answer({"items": [{"id": "f"}], "page_count": 1}),
    )
    vendor.on(
        "GET",
        "/forms/f",
        answer({"id": "f"}),
        answer({"code": "FORBIDDEN", "description": words}, 403),
    )
    connection = Connection(
        vendor.url, "client", secrets[0], {"refresh_token": secrets[1], "note": "x"}
    )
    given = {
        "settings": settings_for("typeform", ("northwind", "Europe/Berlin", None)),
        "clock": clock,
        "landing": landing,
        "connection": connection,
        "tokens": tokens,
        "patience": hurried,
    }
    unit = Unit("typeform", "northwind", "forms", None)
    batch = pull_unit(unit, **given)
    with pytest.raises(Refused) as caught:
        pull_unit(unit, progress=Lines(), **given)
    assert landing.read_rows(batch) == b'{"id": "f"}\n'
    calls = "\n".join(map(repr, landing.read_calls(batch)))
    files = b"\n".join(path.read_bytes() for path in Path(tmp_path).rglob("*") if path.is_file())
    written = "\n".join(
        [
            caplog.text,
            calls,
            str(caught.value),
            capsys.readouterr().err,
            repr(connection),
            files.decode("latin-1"),
            (batch.path / "manifest.json").read_text(),
            *(asked.path + str(asked.params) for asked in vendor.asked),
        ]
    )
    assert "the token may not read this" in written
    assert [secret for secret in secrets if secret in written] == []
    assert typeform.SOURCE.name in written
