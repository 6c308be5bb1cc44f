"""Incidents: one an account, from the first night of its trouble to the last."""

from __future__ import annotations

import stat
from datetime import date, timedelta

import pytest

from expectations.incidents import Incident, Incidents, NoSuchIncidentError, following, tell

ADS = ("google_ads", "campaign_daily")
NIGHT = date(2026, 3, 10)
DAY = timedelta(days=1)


def an_incident(state="new", *, number=1, since=NIGHT, night=NIGHT, streams=("a",), **more):
    return Incident("ads", "1", number, state, since, night, streams, **more)


CASES = {
    "nothing is wrong": (None, [], None),
    "trouble begins": (None, ["a"], an_incident(since=NIGHT + DAY, night=NIGHT + DAY)),
    "it lasts": (an_incident(), ["a"], None),
    "it grows": (an_incident(), ["a", "b"], an_incident(night=NIGHT + DAY, streams=("a", "b"))),
    "somebody is on it and it grows": (
        an_incident("acknowledged", who="Ada"),
        ["a", "b"],
        an_incident("acknowledged", who="Ada", night=NIGHT + DAY, streams=("a", "b")),
    ),
    "it is over": (
        an_incident("acknowledged", who="Ada"),
        [],
        an_incident("resolved", night=NIGHT + DAY),
    ),
    "it stays over": (an_incident("resolved"), [], None),
    "it comes back within a week": (
        an_incident("resolved", night=NIGHT - 6 * DAY, since=NIGHT - 9 * DAY),
        ["b"],
        an_incident("reopened", night=NIGHT + DAY, since=NIGHT - 9 * DAY, streams=("b",)),
    ),
    "later trouble is another": (
        an_incident("resolved", night=NIGHT - 7 * DAY),
        ["a"],
        an_incident(number=2, since=NIGHT + DAY, night=NIGHT + DAY),
    ),
    "put off for this night": (an_incident("snoozed", until=NIGHT + DAY), ["a"], None),
    "put off, and it lasts longer": (
        an_incident("snoozed", until=NIGHT, who="Ada", why="agency"),
        ["a"],
        an_incident("reopened", night=NIGHT + DAY),
    ),
    "an older night again": (an_incident(night=NIGHT + 2 * DAY), [], None),
}


@pytest.mark.parametrize(("known", "streams", "fact"), CASES.values(), ids=CASES)
def test_the_fact_that_a_night_adds(known, streams, fact):
    assert following(known, "ads", "1", NIGHT + DAY, streams) == fact
    if fact is not None:
        assert following(fact, "ads", "1", NIGHT + DAY, streams) is None


class Nights:
    """Lives nights of one account, in which each stream named is kept back, and tells of them."""

    def __init__(self, gatehouse, folder):
        self.gatehouse, self.incidents = gatehouse, Incidents(folder)
        self.subjects = []

    def live(self, night, **streams):
        stopped = []
        for stream, is_sound in streams.items():
            rows = self.gatehouse.clean("google_ads", stream, 3, days=[night])
            if not is_sound:
                rows[0]["customer"]["currencyCode"] = "USD"
            batch = self.gatehouse.land(
                "google_ads", stream, rows, night=night, window=(night, night)
            )
            verdict = self.gatehouse.gate(batch)
            stopped += [] if is_sound else [(batch, verdict)]
        self.tell(night, stopped)

    def tell(self, night, stopped):
        known = {"landing": self.gatehouse.landing, "settings": self.gatehouse.settings}
        for fact, message in tell(stopped, self.incidents, night, **known):
            self.incidents.add(fact)
            self.subjects += [message.subject] if message else []


def test_one_message_a_change_of_state(gatehouse, tmp_path):
    nights = Nights(gatehouse, tmp_path / "incidents")
    nights.live(NIGHT, campaign_daily=False, ad_group_daily=False, ad_daily=False)
    assert len(nights.subjects) == 1
    assert "3 kinds of data" in nights.subjects[0]
    nights.live(NIGHT + DAY, campaign_daily=False, ad_group_daily=True)
    assert len(nights.subjects) == 1
    (one,) = nights.incidents.all()
    # One of them was not pulled in the second night: it is as it was.
    assert one.streams == ("ad_daily", "campaign_daily")
    nights.tell(NIGHT + 2 * DAY, [])
    assert len(nights.subjects) == 1
    nights.live(NIGHT + 3 * DAY, campaign_daily=True, ad_daily=True)
    assert len(nights.subjects) == 2
    assert "in order again" in nights.subjects[1]
    (one,) = nights.incidents.all()
    assert (one.state, one.since, one.night) == ("resolved", NIGHT, NIGHT + 3 * DAY)
    nights.live(NIGHT + 4 * DAY, campaign_daily=False)
    assert len(nights.subjects) == 3
    (one,) = nights.incidents.all()
    assert (one.state, one.number) == ("reopened", 1)


def test_a_person_takes_it_on(tmp_path):
    incidents = Incidents(tmp_path / "incidents")
    incidents.add(an_incident())
    fact = incidents.decide("ads.1.1", "acknowledged", who="Ada", why="agency")
    assert (
        incidents.newest("ads", "1") == fact == an_incident("acknowledged", who="Ada", why="agency")
    )
    (path,) = (tmp_path / "incidents").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text("utf-8").splitlines()) == 2
    incidents.decide("ads.1.1", "acknowledged", who="Ada", why="agency")
    assert len(path.read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize("name", ["ads.1.2", "ads.2.1", "x", "../etc"])
def test_what_is_not_open_cannot_be_taken_on(tmp_path, name):
    incidents = Incidents(tmp_path)
    incidents.add(an_incident())
    incidents.add(an_incident("resolved", number=2))
    with pytest.raises(NoSuchIncidentError, match="boscard incidents list"):
        incidents.decide(name, "acknowledged", who="Ada")
