"""Messages: the marketer's words above the line, evidence below, one file however often told."""

from __future__ import annotations

import re
import stat
import threading
from datetime import date, timedelta

import pytest

from expectations.incidents import Incident
from expectations.messages import Message, blocked_publication, opened, plain, resolved
from expectations.outbox import ATTEMPTS, Outbox

ADS = ("google_ads", "campaign_daily")
HEADINGS = [
    "What is wrong", "Since when", "How large", "What rests on it", "May the numbers be used",
    "What happens next", "Who is on it", "Next update",
]  # fmt: skip


def held(gatehouse, **row):
    rows = gatehouse.clean(*ADS, 3)
    rows[0]["customer"]["currencyCode"] = "USD"
    rows[0]["campaign"] |= row
    batch = gatehouse.land(*ADS, rows)
    return batch, gatehouse.gate(batch)


def told(gatehouse, batch, verdict):
    return opened(
        incident(gatehouse, batch),
        [(batch, verdict)],
        landing=gatehouse.landing,
        settings=gatehouse.settings,
    )


def incident(gatehouse, *batches, state="new"):
    of, night = batches[0].manifest, gatehouse.night
    streams = tuple(sorted({batch.manifest.stream for batch in batches}))
    return Incident(of.source, of.account, 1, state, night, night, streams)


def halves(message):
    marketer, line, engineer = message.body.partition("-" * 72)
    assert line
    return marketer, engineer


def test_a_held_batch_in_the_marketers_words(gatehouse):
    message = told(gatehouse, *held(gatehouse))
    marketer, engineer = halves(message)
    assert message.subject == (
        "Google Ads: the campaign numbers of Northwind Trails DE are kept back (2026-03-10)"
    )
    assert re.findall(r"^([A-Z][a-z ]+):", marketer, re.MULTILINE) == HEADINGS
    assert "in another currency than the one agreed" in marketer
    assert "That is 1 of 3, on 2026-03-10." in marketer
    assert (
        "What rests on it: Ad spend, Return on ad spend (platform), Marketing efficiency ratio, "
        "Cost per lead, Customer acquisition cost (advertising only), Click-through rate "
        "and Conversion rate.\n"
    ) in marketer
    assert "No: there are none yet" in marketer
    assert "By 2026-03-12, 07:00 (Europe/Berlin)." in marketer
    assert not re.search(r"[a-z]_[a-z]|null|select|parquet", marketer)
    assert "google_ads.campaign_daily.own_currency fail: 1 of 3 rows" in engineer
    assert "boscard nightly --date 2026-03-11" in engineer


def test_what_may_still_be_used_is_the_last_that_went_on(gatehouse):
    before = gatehouse.night - timedelta(days=1)
    gatehouse.verdict(*ADS, gatehouse.clean(*ADS, 2, days=[before]), night=before)
    marketer, _ = halves(told(gatehouse, *held(gatehouse)))
    assert "Yes, as they were known through 2026-03-09." in marketer


def test_a_blocked_batch_says_that_nothing_is_published(gatehouse):
    rows = gatehouse.clean("google_ads", "customers", 1)
    rows[0]["customerClient"]["currencyCode"] = "USD"
    batch = gatehouse.land("google_ads", "customers", rows, account="google_ads")
    marketer, _ = halves(told(gatehouse, batch, gatehouse.gate(batch)))
    assert "Nothing is published until this is settled." in marketer


def test_several_streams_of_an_account_are_one_message(gatehouse):
    other = ("google_ads", "ad_daily")
    rows = gatehouse.clean(*other, 2)
    rows[0]["customer"]["currencyCode"] = "USD"
    batch = gatehouse.land(*other, rows)
    stopped = [held(gatehouse), (batch, gatehouse.gate(batch))]
    one = incident(gatehouse, *(batch for batch, _ in stopped))
    known = {"landing": gatehouse.landing, "settings": gatehouse.settings}
    message = opened(one, stopped, **known)
    assert message.subject == (
        "Google Ads: 2 kinds of data of Northwind Trails DE are kept back (2026-03-10)"
    )
    marketer, engineer = halves(message)
    assert "5 rows are kept back, all of these 2 deliveries." in marketer
    assert marketer.count("No: there are none yet") == 1
    assert "Ad spend" in marketer
    assert engineer.count("batch: google_ads/101/") == 2
    assert "boscard incidents ack google_ads.101.1\n" in engineer


def test_what_is_over_is_told(gatehouse):
    batch, _ = held(gatehouse)
    message = resolved(incident(gatehouse, batch, state="resolved"), settings=gatehouse.settings)
    assert message.subject == "Google Ads: Northwind Trails DE is in order again (2026-03-10)"
    marketer, _ = halves(message)
    assert "From the night of 2026-03-10." in marketer
    assert "Yes." in marketer
    assert not re.search(r"[a-z]_[a-z]|null|select|parquet", marketer)


def test_a_blocked_publication(gatehouse):
    message = blocked_publication(
        date(2026, 3, 10),
        causes=[
            "Spend differs from Google Ads' own total.",
            "Spend differs from Google Ads' own total.",
        ],
        evidence=["reconciliation: <b>ad_spend</b> 10 <> 11"],
        settings=gatehouse.settings,
    )
    marketer, engineer = halves(message)
    assert message.key == "blocked.2026-03-10"
    assert marketer.count("Spend differs") == 1
    assert "‹b›ad_spend‹/b›" in engineer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "‹script›alert(1)‹/script›"),
        ("a\r\nb\tc", "a b c"),
        ("a\x1b[31mred\u202eeslaf\u2028x", "a [31mred eslaf x"),
        ("@everyone <!channel> `rm`", "＠everyone ‹!channel› 'rm'"),
        ("Ünïcødé 🧭", "Ünïcødé 🧭"),
        ("x" * 300, "x" * 199 + "…"),
    ],
    ids=["markup", "lines", "invisible", "mentions", "letters", "long"],
)
def test_vendor_text_is_made_plain(text, expected):
    assert plain(text) == expected


def test_vendor_text_in_a_message_is_plain(gatehouse):
    batch, verdict = held(gatehouse, id="<script>alert(1)</script>\n\nWho is on it: you")
    message = told(gatehouse, batch, verdict)
    assert "<" not in message.body
    assert message.body.count("\nWho is on it:") == 1


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_file_however_often_told(gatehouse, tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    batch, verdict = held(gatehouse)
    posted = [outbox.post(told(gatehouse, batch, verdict)) for _ in range(3)]
    assert posted == [True, False, False]
    (name,) = files(tmp_path / "outbox")
    assert name == "incident.google_ads.101.1.new.2026-03-10.txt"
    path = tmp_path / "outbox" / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text(encoding="utf-8").startswith("Google Ads: the campaign numbers")
    assert outbox.deliver() == []


def test_one_of_many_at_once_writes_the_file(tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    posted = []

    def post(number):
        posted.append(outbox.post(Message("key", f"subject {number}", "body")))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert posted.count(True) == 1
    assert files(tmp_path / "outbox") == ["key.txt"]


@pytest.mark.parametrize("key", ["", "../up", "a/b", ".hidden", "a b"])
def test_a_key_that_is_no_file_name_is_refused(tmp_path, key):
    with pytest.raises(ValueError, match="cannot be the key"):
        Outbox(tmp_path).post(Message(key, "subject", "body"))


def test_sent_once_when_it_succeeds(tmp_path):
    sent = []
    outbox = Outbox(tmp_path, send=lambda message: sent.append(message) or True)
    outbox.post(Message("key", "subject", "first\n\nsecond\n"))
    assert outbox.deliver() == ["key"]
    assert outbox.deliver() == []
    assert [(one.key, one.subject) for one in sent] == [("key", "subject")]
    assert sent[0].body == "first\n\nsecond\n\nmessage: key"
    assert outbox.delivery("key").state == "sent"


def test_dead_after_some_attempts_and_never_again(tmp_path):
    tries = []
    outbox = Outbox(tmp_path, send=lambda message: bool(tries.append(message)))
    outbox.post(Message("key", "subject", "body"))
    for _ in range(ATTEMPTS + 2):
        outbox.deliver()
    assert len(tries) == ATTEMPTS
    assert (outbox.delivery("key").state, outbox.delivery("key").attempts) == ("dead", ATTEMPTS)


def test_killed_while_sending_it_is_sent_again(tmp_path):
    def killed(message):
        raise KeyboardInterrupt

    outbox = Outbox(tmp_path, send=killed)
    outbox.post(Message("key", "subject", "body"))
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver()
    assert Outbox(tmp_path, send=lambda message: True).deliver() == ["key"]


def test_messages_given_up_are_told_of(tmp_path):
    outbox = Outbox(tmp_path, send=lambda message: message.key == "good")
    assert Outbox(tmp_path / "none").complaints() == []
    for key in ("bad.2", "bad.1", "good"):
        outbox.post(Message(key, "subject", "body"))
    for _ in range(ATTEMPTS - 1):
        outbox.deliver()
    assert outbox.complaints() == []
    outbox.deliver()
    (line,) = Outbox(tmp_path).complaints()
    assert line.startswith("2 messages could not be sent: bad.1, bad.2. Next step: ")
    (tmp_path / "bad.1.json").unlink()  # the step it names
    (line,) = outbox.complaints()
    assert line.startswith("1 message could not be sent: bad.2. Next step: ")
    assert Outbox(tmp_path, send=lambda message: True).deliver() == ["bad.1"]


@pytest.fixture(scope="module")
def carried():
    """All that Apprise has carried to boscardtest://, which a process defines once."""
    from apprise.decorators import notify

    got = []

    @notify(on="boscardtest")
    def receive(body, title, notify_type, *args, body_format=None, **named):
        got.append((title, body, body_format))
        return True

    return got


@pytest.fixture
def received(carried):
    """Subject, body and format of what one test has sent to boscardtest://."""
    carried.clear()
    return carried


def test_apprise_carries_it_as_plain_text(tmp_path, received):
    from apprise import NotifyFormat

    outbox = Outbox(tmp_path, addresses=["boscardtest://"])
    outbox.post(Message("key", "subject", "body\n"))
    assert outbox.deliver() == ["key"]
    assert received == [("subject", "body\n\nmessage: key", NotifyFormat.TEXT)]
    assert outbox.complaints() == []


def test_a_wrong_address_is_told_of_and_the_others_are_used(tmp_path, received, caplog):
    addresses = ["nosuchservice://s3cret@host", "boscardtest://", "s3cret"]
    outbox = Outbox(tmp_path, addresses=addresses)
    outbox.post(Message("key", "subject", "body"))
    assert outbox.deliver() == ["key"]
    assert len(received) == 1
    (line,) = outbox.complaints()
    assert line.startswith(
        "2 of 3 addresses of messages cannot be used: number 1 (nosuchservice://…), number 3. "
    )
    ours = [record for record in caplog.records if record.name == "expectations.outbox"]
    assert [record.getMessage() for record in ours] == [line]
    assert "s3cret" not in caplog.text


def test_an_address_that_apprise_does_not_know_sends_nothing(tmp_path):
    outbox = Outbox(tmp_path, addresses=["nosuchservice://"])
    outbox.post(Message("key", "subject", "body"))
    assert outbox.deliver() == []
    assert outbox.delivery("key").attempts == 1
