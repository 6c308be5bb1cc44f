"""What records said before a night changed them: by each way a row can change, and in any order."""

from __future__ import annotations

from datetime import date

import pytest

from boscard.home import Home
from ingest.registry import SOURCES
from ingest.sources.crm.hubspot import pull_objects
from ingest.stream import Column, Stream
from tests.warehouse.landed import KEY, a_clock, gate, land
from tests.warehouse.loads import contact, contacts, everything
from warehouse.erasure import erase_rows
from warehouse.load import load
from warehouse.replay import rebuild

FIRST, SECOND, THIRD, FOURTH = (date(2025, 10, number) for number in (17, 18, 19, 20))
PAST = (
    "select contact_id, analytics_source, _was_there, _is_deleted, _batch_id[:6], _line, _until"
    " from past.hubspot__contacts order by _account, contact_id, _until"
)


def person(number: str, came_by: str, **more):
    return contact(number, "lead", **more) | {"analytics_source": came_by}


def test_nothing_is_kept_of_the_first_night_or_of_what_comes_again_as_it_was(
    landing, load_night, query
) -> None:
    contacts(landing, [person("1", "DIRECT")], as_of=FIRST)
    load_night(FIRST)
    changed = person("1", "DIRECT") | {"lifecycle_stage": "customer", "updated_at": "2025-10-18"}
    contacts(landing, [changed], as_of=SECOND)
    load_night(SECOND)
    assert query(PAST) == []


def test_a_row_that_is_new_changed_or_archived_is_kept_as_it_was(
    landing, load_night, query
) -> None:
    contacts(landing, [person("1", "DIRECT"), person("2", "EMAIL")], as_of=FIRST)
    load_night(FIRST)
    rows = [person("1", "PAID"), person("2", "EMAIL", archived=True), person("3", "PAID")]
    contacts(landing, rows, as_of=SECOND)
    load_night(SECOND)
    load_night(SECOND)
    assert query(PAST) == [
        ("1", "DIRECT", True, False, "000001", 1, SECOND),
        ("2", "EMAIL", True, False, "000001", 2, SECOND),
        ("3", None, False, False, None, None, SECOND),
    ]


def test_each_night_keeps_what_the_night_before_saw(landing, load_night, query) -> None:
    """Also where the third night brings back what the first said, and a night says two things."""
    for night, said in zip((FIRST, SECOND, THIRD), ("DIRECT", "PAID", "DIRECT"), strict=True):
        contacts(landing, [person("1", said)], as_of=night)
        load_night(night)
    contacts(landing, [person("1", "EMAIL")], as_of=THIRD)
    load_night(THIRD)
    assert [(row[1], row[-1]) for row in query(PAST)] == [("DIRECT", SECOND), ("PAID", THIRD)]
    current = query("select analytics_source from raw.hubspot__contacts")
    assert current == [("EMAIL",)]


def test_a_list_that_is_replaced_keeps_what_is_gone(landing, load_night, query) -> None:
    for night, deals in ((FIRST, {"1": 5, "2": 6}), (SECOND, {"2": 7})):
        rows = [
            {"deal_id": deal, "associated": [{"toObjectId": company}]}
            for deal, company in deals.items()
        ]
        land(landing, "hubspot", "300", "deal_companies", rows, as_of=night)
        land(landing, "hubspot", "300", "deal_contacts", rows, as_of=night)
    load_night(SECOND)
    sql = "select deal_id, associated, _until from past.hubspot__deal_companies order by deal_id"
    assert query(sql) == [
        ("1", '[{"toObjectId": 5}]', SECOND),
        ("2", '[{"toObjectId": 6}]', SECOND),
    ]


def test_a_record_deleted_for_good_was_there_until_the_list(landing, load_night, query) -> None:
    contacts(landing, [person("1", "PAID"), person("2", "PAID")], as_of=FIRST)
    for night in (SECOND, THIRD):
        contacts(landing, [], as_of=night)
        land(landing, "hubspot", "300", "contact_ids", [{"contact_id": "1"}], as_of=night)
        load_night(night)
    assert query(PAST) == [("2", "PAID", True, False, "000001", 2, SECOND)]


def lands_four_nights(landing) -> None:
    said = {
        FIRST: [person("1", "DIRECT"), person("2", "PAID"), person("3", "PAID")],
        SECOND: [person("1", "PAID"), person("4", "PAID")],
        THIRD: [person("1", "PAID"), person("4", "EMAIL", archived=True)],
        FOURTH: [person("1", "DIRECT"), person("4", "PAID")],
    }
    for night, rows in said.items():
        contacts(landing, rows, as_of=night)
        land(landing, "hubspot", "300", "contact_ids", [{"contact_id": "1"}], as_of=night)


@pytest.fixture
def one_by_one(landing, load_night, home):
    lands_four_nights(landing)
    for night in (FIRST, SECOND, THIRD, FOURTH):
        load_night(night)
    found = everything(home)
    assert len(found["past.hubspot__contacts"]) == 7
    return found


def test_nights_loaded_at_once_and_a_replay_keep_the_same(
    one_by_one, home, tmp_path, settings
) -> None:
    past = one_by_one["past.hubspot__contacts"]
    home.warehouse.unlink()
    load(home, settings, a_clock(FOURTH, settings), KEY)
    assert everything(home)["past.hubspot__contacts"] == past
    scratch = Home(tmp_path / "scratch")
    clocks = [a_clock(night, settings) for night in (FIRST, SECOND, THIRD, FOURTH)]
    rebuild(home, scratch, settings, clocks, KEY, lambda night: None)
    assert everything(scratch)["past.hubspot__contacts"] == past


@pytest.mark.parametrize("stream", ["contacts", "contact_ids"])
def test_a_batch_let_through_late_is_told_in_its_turn(
    one_by_one, landing, load_night, home, stream
) -> None:
    late = landing.batches("hubspot", "300", stream)[1]
    [rows] = (
        ([person("1", "PAID"), person("4", "PAID")],)
        if stream == "contacts"
        else ([{"contact_id": "1"}],)
    )
    home.warehouse.unlink()
    gate(late, rows, state="held")
    load_night(FOURTH)
    assert everything(home)["past.hubspot__contacts"] != one_by_one["past.hubspot__contacts"]
    gate(late, rows)
    load_night(FOURTH)
    assert everything(home)["past.hubspot__contacts"] == one_by_one["past.hubspot__contacts"]


def test_no_personal_column_is_kept_a_second_time(home, one_by_one) -> None:
    def kept(personal: str) -> Stream:
        return Stream(
            name="people",
            load="changes",
            key=("id",),
            columns=(
                Column("id", "id", "text"),
                Column("mail", "mail", "text", personal="email"),
            ),
            pull=pull_objects,
            remembered=(personal,),
        )

    assert kept("id")
    with pytest.raises(ValueError, match="mail is personal"):
        kept("mail")
    streams = [stream for source in SOURCES.values() for stream in source.streams.values()]
    assert sum(bool(stream.remembered) for stream in streams) == 6


def test_what_stood_of_a_forgotten_person_is_erased_with_their_row(
    landing, load_night, home, query
) -> None:
    from warehouse.connection import connect

    contacts(landing, [person("1", "Ann@Example.com"), person("2", "DIRECT")], as_of=FIRST)
    first = landing.batches("hubspot", "300", "contacts")[0]
    contacts(landing, [person("1", "PAID"), person("2", "PAID")], as_of=SECOND)
    load_night(SECOND)
    connection = connect(home.warehouse)
    assert erase_rows(connection, first.manifest, [1], "ann@example.com") == 0
    connection.close()
    assert [row[:2] for row in query(PAST)] == [("1", "forgotten"), ("2", "DIRECT")]
