"""HubSpot against a small vendor: lists, searches, histories, archives, associations."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from ingest.batch import Unit, Window
from ingest.errors import Refused
from ingest.pull import pull_unit
from ingest.sources.crm.hubspot import SOURCE

NIGHT = date(2026, 11, 1)
FIRST = Window(date(2026, 8, 1), NIGHT)
LATER = Window(date(2026, 10, 30), NIGHT)
OBJECTS = "/crm/v3/objects"


@pytest.fixture
def pull(oauth_vendor, connection_to, settings_for, clock, landing, tokens, hurried):
    settings = settings_for("hubspot", ("24", "Europe/Berlin", "EUR"))

    def run(stream, window=None):
        batch = pull_unit(
            Unit("hubspot", "24", stream, window),
            settings=settings,
            clock=clock,
            landing=landing,
            connection=connection_to(oauth_vendor),
            tokens=tokens,
            patience=hurried,
        )
        return batch, [json.loads(line) for line in landing.read_rows(batch).splitlines()]

    return run


@pytest.fixture
def portal(oauth_vendor, answer):
    """Serves one kind of object: 250 live ones with odd modification days, two archived."""

    def serve(kind, count=250, archived=(900, 901)):
        def item(number, **more):
            found = {"id": str(number), "properties": {}, "archived": False, **more}
            if "propertiesWithHistory" in wanted:
                found["propertiesWithHistory"] = {"dealstage": [{"value": "a"}]}
            return found

        wanted: set[str] = set()

        def listed(asked):
            wanted.clear()
            wanted.update(asked.params)
            limit = int(asked.params["limit"])
            assert limit <= (50 if "propertiesWithHistory" in asked.params else 100)
            if asked.params["archived"] == "true":
                rows = [item(number, archived=True) for number in archived]
                return answer({"results": rows})
            start = int(asked.params.get("after", 0))
            body = {"results": [item(n + 1) for n in range(start, min(start + limit, count))]}
            if start + limit < count:
                body["paging"] = {"next": {"after": str(start + limit), "link": "…"}}
            return answer(body)

        def search(asked):
            wanted.clear()
            body = asked.json
            assert body["limit"] in (1, 200)
            assert "after" not in body
            above = [
                int(one["value"])
                for one in body["filterGroups"][0]["filters"]
                if one["propertyName"] == "hs_object_id"
            ]
            left = [number for number in range(1, count + 1) if number > max(above)]
            size = body["limit"]
            found = {"total": len(left), "results": [item(number) for number in left[:size]]}
            if len(left) > size:
                found["paging"] = {"next": {"after": "200"}}
            return answer(found)

        def read(asked):
            wanted.clear()
            wanted.update(asked.json)
            asked_for = [int(one["id"]) for one in asked.json["inputs"]]
            assert len(asked_for) <= 50
            there = [item(number) for number in asked_for if number != 7]
            status = 200 if len(there) == len(asked_for) else 207
            return answer({"status": "COMPLETE", "results": there, "numErrors": 1}, status)

        oauth_vendor.on("GET", f"{OBJECTS}/{kind}", listed)
        oauth_vendor.on("POST", f"{OBJECTS}/{kind}/search", search)
        oauth_vendor.on("POST", f"{OBJECTS}/{kind}/batch/read", read)
        return oauth_vendor

    return serve


def ids(rows):
    return [int(row["id"]) for row in rows]


@pytest.mark.parametrize(("kind", "calls"), [("contacts", 4), ("deals", 6)])
def test_the_first_night_lists_everything_and_then_the_archived(portal, pull, kind, calls):
    vendor = portal(kind)
    batch, rows = pull(kind, FIRST)
    assert ids(rows) == [*range(1, 251), 900, 901]
    assert batch.manifest.rows_told == 252
    asked = vendor.calls(f"{OBJECTS}/{kind}")
    assert len(asked) == calls
    properties = set(asked[0].params["properties"].split(","))
    stream = SOURCE.streams[kind]
    assert properties == {
        column.path.removeprefix("properties.")
        for column in stream.columns
        if column.path.startswith("properties.")
    }
    assert asked[0].params.get("propertiesWithHistory") == (
        "dealstage" if kind == "deals" else None
    )
    (told,) = vendor.calls(f"{OBJECTS}/{kind}/search")
    assert told.json["limit"] == 1


@pytest.mark.parametrize(
    ("kind", "modified"),
    [("contacts", "lastmodifieddate"), ("companies", "hs_lastmodifieddate")],
)
def test_later_nights_search_by_modification_with_an_overlap(portal, pull, kind, modified):
    vendor = portal(kind)
    _, rows = pull(kind, LATER)
    assert ids(rows) == [*range(1, 251), 900, 901]
    searches = vendor.calls(f"{OBJECTS}/{kind}/search")
    assert len(searches) == 2
    since = datetime(2026, 10, 29, 22, 45, tzinfo=UTC)  # midnight in Berlin, a quarter earlier
    for asked in searches:
        assert {
            "propertyName": modified,
            "operator": "GTE",
            "value": str(int(since.timestamp() * 1000)),
        } in asked.json["filterGroups"][0]["filters"]
        assert asked.json["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    assert [len(asked.json["filterGroups"][0]["filters"]) for asked in searches] == [2, 2]


def test_changed_deals_are_read_with_their_history(portal, pull, landing):
    vendor = portal("deals", count=120)
    batch, rows = pull("deals", LATER)
    assert ids(rows) == [*[n for n in range(1, 121) if n != 7], 900, 901]
    assert all(row["propertiesWithHistory"]["dealstage"] for row in rows)
    reads = vendor.calls(f"{OBJECTS}/deals/batch/read")
    assert [len(asked.json["inputs"]) for asked in reads] == [50, 50, 20]
    assert reads[0].json["propertiesWithHistory"] == ["dealstage"]
    assert "amount" in reads[0].json["properties"]
    by_path = {call.url.rpartition("/")[2]: call.rows for call in landing.read_calls(batch)}
    assert by_path["search"] == 0


def test_nothing_changed_is_an_empty_batch(portal, pull):
    portal("deals", count=0, archived=())
    batch, rows = pull("deals", LATER)
    assert rows == []
    assert batch.manifest.calls == 2


def test_owners_come_with_those_who_have_left(oauth_vendor, pull, answer):
    def owners(asked):
        name = "gone" if asked.params["archived"] == "true" else "here"
        return answer({"results": [{"id": name}]})

    oauth_vendor.on("GET", "/crm/v3/owners", owners)
    assert [row["id"] for row in pull("owners")[1]] == ["here", "gone"]


def test_pipelines(oauth_vendor, pull, answer):
    oauth_vendor.on("GET", "/crm/v3/pipelines/deals", answer({"results": [{"id": "default"}]}))
    assert pull("pipelines")[1] == [{"id": "default"}]


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_associations_of_every_live_deal(portal, oauth_vendor, pull, answer, kind):
    portal("deals")
    path = f"/crm/v4/associations/deals/{kind}/batch/read"

    def associated(asked):
        rows = [
            {"from": one, "to": [{"toObjectId": int(one["id"]) + 1000}]}
            for one in asked.json["inputs"]
            if int(one["id"]) % 2
        ]
        return answer({"status": "COMPLETE", "results": rows, "numErrors": 1}, 207)

    oauth_vendor.on("POST", path, associated)
    _, rows = pull(f"deal_{kind}")
    assert [int(row["from"]["id"]) for row in rows] == list(range(1, 251, 2))
    assert len(oauth_vendor.calls(path)) == 1
    assert oauth_vendor.calls(f"{OBJECTS}/deals")[0].params["archived"] == "false"


def test_a_deal_with_more_associations_than_one_answer_holds_is_one_row(
    portal, oauth_vendor, pull, landing, answer
):
    portal("deals", count=2)
    path = "/crm/v4/associations/deals/contacts/batch/read"

    def associated(asked):
        rows = []
        for one in asked.json["inputs"]:
            start = int(one.get("after", 0))
            row = {"from": {"id": one["id"]}, "to": [{"toObjectId": start + n} for n in (1, 2)]}
            if one["id"] == "2" and start < 4:
                row["paging"] = {"next": {"after": str(start + 2)}}
            rows.append(row)
        return answer({"results": rows})

    oauth_vendor.on("POST", path, associated)
    batch, rows = pull("deal_contacts")
    assert [row["from"]["id"] for row in rows] == ["1", "2"]
    assert [[one["toObjectId"] for one in row["to"]] for row in rows] == [
        [1, 2],
        [1, 2, 3, 4, 5, 6],
    ]
    assert sum(call.rows for call in landing.read_calls(batch)) == 2


def test_a_missing_permission_names_the_scope(oauth_vendor, pull, answer):
    body = {
        "category": "MISSING_SCOPES",
        "message": "This app hasn't been granted all required scopes",
        "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
    }
    oauth_vendor.on("POST", f"{OBJECTS}/contacts/search", answer(body, 403))
    with pytest.raises(Refused, match=r"needs crm\.objects\.contacts\.read"):
        pull("contacts", FIRST)
