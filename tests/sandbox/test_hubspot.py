"""HubSpot as the vendor answers: tokens, lists, batches, associations, owners, limits."""

from __future__ import annotations

import pandas as pd
import pytest

from sandbox.connections import private_connection

OBJECTS = "/crm/v3/objects"


def ids(body):
    return [row["id"] for row in body["results"]]


def test_a_refresh_gives_the_same_refresh_token_again(vendors):
    status, body, _ = vendors.refresh("hubspot")
    assert status == 200
    assert set(body) == {"token_type", "access_token", "refresh_token", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)
    assert body["refresh_token"] == vendors.connections["hubspot"]["extra"]["refresh_token"]
    later = vendors.refresh("hubspot", path="/oauth/2026-03/token")[1]
    assert set(later) > set(body)


def test_a_dead_refresh_token(vendors):
    status, body, _ = vendors.refresh("hubspot", refresh_token="na1-dead")
    assert status == 400
    assert body.pop("correlationId")
    assert body == {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"}
    newer = vendors.refresh("hubspot", path="/oauth/v3/token", refresh_token="na1-dead")[1]
    assert newer["error"] == "invalid_grant"
    assert vendors.refresh("hubspot", client_id="x")[1]["status"] == "BAD_CLIENT_ID"


def test_credentials(vendors, hands):
    path = f"{OBJECTS}/contacts"
    status, body, _ = vendors.send("hubspot", "GET", path)
    assert (status, body["category"]) == (401, "INVALID_AUTHENTICATION")
    headers = {"authorization": "Bearer garbage"}
    status, body, _ = vendors.send("hubspot", "GET", path, headers=headers)
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert body["message"].endswith("expired 20762 day(s) ago.")
    assert body["context"] == {"expire time": ["1970-01-01T00:00:00.000Z"]}
    assert vendors.get("hubspot", path)[0] == 200
    hands.seconds += 1800 + 75
    status, body, _ = vendors.get("hubspot", path)
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert body["message"] == "The OAuth token used to make this call expired 75 second(s) ago."


def test_a_private_app_token_never_expires(vendors, hands):
    token = private_connection("http://x", "hubspot")["password"]
    assert token.startswith("pat-na1-")
    hands.seconds += 1e9
    headers = {"authorization": f"Bearer {token}"}
    assert vendors.send("hubspot", "GET", f"{OBJECTS}/deals", headers=headers)[0] == 200


def test_a_list_row_with_default_properties(vendors):
    status, body, _ = vendors.get("hubspot", f"{OBJECTS}/contacts", limit=1)
    assert status == 200
    assert body == {
        "results": [
            {
                "id": "101",
                "properties": {
                    "createdate": "2026-10-01T08:00:00.000Z",
                    "email": "p101@example.com",
                    "firstname": "Pat",
                    "hs_object_id": "101",
                    "lastmodifieddate": "2026-11-03T10:00:00.250Z",
                    "lastname": None,
                },
                "createdAt": "2026-10-01T08:00:00.000Z",
                "updatedAt": "2026-11-03T10:00:00.250Z",
                "archived": False,
            }
        ],
        "paging": {
            "next": {
                "after": "102",
                "link": "http://sandbox.example/hubspot/crm/v3/objects/contacts?after=102&limit=1",
            }
        },
    }


def test_only_listed_properties_and_unknown_ones_ignored(vendors):
    rows = vendors.get("hubspot", f"{OBJECTS}/deals", properties="amount,nonsense,closedate")[1][
        "results"
    ]
    assert [row["properties"] for row in rows] == [
        {"amount": "1500.50", "closedate": "2026-11-01T08:00:00.000Z"},
        {"amount": "", "closedate": "2026-12-01T08:00:00.000Z"},
    ]


def test_lists_page_by_cursor_and_end_without_paging(vendors):
    found, after = [], None
    while True:
        cursor = {"after": after} if after else {}
        body = vendors.get("hubspot", f"{OBJECTS}/contacts", limit=2, **cursor)[1]
        found.append(ids(body))
        if "paging" not in body:
            break
        after = body["paging"]["next"]["after"]
    assert found == [["101", "102"], ["103", "104"], ["105"]]


def test_archived_lists_have_only_archived_records(vendors):
    [row] = vendors.get("hubspot", f"{OBJECTS}/contacts", archived="true")[1]["results"]
    assert (row["id"], row["archived"], row["archivedAt"]) == (
        "106",
        True,
        "2026-11-04T09:30:00.000Z",
    )
    assert ids(vendors.get("hubspot", f"{OBJECTS}/deals", archived="true")[1]) == ["79"]
    [winner] = [
        row
        for row in vendors.get("hubspot", f"{OBJECTS}/contacts", properties="hs_merged_object_ids")[
            1
        ]["results"]
        if row["properties"]["hs_merged_object_ids"]
    ]
    assert winner["properties"]["hs_merged_object_ids"] == "106"


def test_a_person_deleted_under_the_gdpr_is_nowhere(vendors):
    for archived in ("true", "false"):
        assert "107" not in ids(vendors.get("hubspot", f"{OBJECTS}/contacts", archived=archived)[1])
    assert vendors.get("hubspot", f"{OBJECTS}/contacts/107")[0] == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 100}, 200),
        ({"limit": 101}, 400),
        ({"limit": 0}, 400),
        ({"limit": "ten"}, 400),
        ({"limit": 50, "propertiesWithHistory": "dealstage"}, 200),
        ({"limit": 51, "propertiesWithHistory": "dealstage"}, 400),
        ({"after": "x"}, 400),
    ],
)
def test_page_sizes(vendors, query, status):
    found, body, _ = vendors.get("hubspot", f"{OBJECTS}/deals", **query)
    assert found == status
    if status == 400:
        assert (body["status"], body["category"]) == ("error", "VALIDATION_ERROR")
        assert body["correlationId"]


def test_the_default_page_has_ten(call, frames):
    many = [frames["companies"].assign(company_id=str(number)).iloc[:1] for number in range(1, 13)]
    frames["companies"] = pd.concat(many)
    caller = call()
    body = caller.get("hubspot", f"{OBJECTS}/companies")[1]
    assert ids(body) == [str(number) for number in range(1, 11)]
    assert len(caller.post("hubspot", f"{OBJECTS}/companies/search", {})[1]["results"]) == 10


def test_stage_history_is_newest_first(vendors):
    rows = vendors.get("hubspot", f"{OBJECTS}/deals", propertiesWithHistory="dealstage")[1][
        "results"
    ]
    history = rows[0]["propertiesWithHistory"]["dealstage"]
    assert [entry["value"] for entry in history] == [
        "closedwon",
        "qualifiedtobuy",
        "appointmentscheduled",
    ]
    assert history[0] == {
        "value": "closedwon",
        "timestamp": "2026-11-01T08:00:00.000Z",
        "sourceType": "CRM_UI",
        "sourceId": "userId:9586504",
        "updatedByUserId": 9586504,
    }
    assert rows[0]["properties"]["dealstage"] == "closedwon"


def test_lifecycle_history(vendors):
    row = vendors.get("hubspot", f"{OBJECTS}/contacts/102", propertiesWithHistory="lifecyclestage")[
        1
    ]
    stages = [entry["value"] for entry in row["propertiesWithHistory"]["lifecyclestage"]]
    assert stages == ["salesqualifiedlead", "marketingqualifiedlead", "lead"]


def test_associations_within_a_list(vendors):
    rows = vendors.get("hubspot", f"{OBJECTS}/deals", associations="contacts,companies")[1][
        "results"
    ]
    assert rows[0]["associations"] == {
        "contacts": {
            "results": [
                {"id": "101", "type": "deal_to_contact"},
                {"id": "104", "type": "deal_to_contact"},
            ]
        },
        "companies": {"results": [{"id": "901", "type": "deal_to_company"}]},
    }
    assert "associations" not in rows[1]


def test_batch_read_tells_found_from_missing(vendors):
    body = {
        "properties": ["dealname"],
        "propertiesWithHistory": ["dealstage"],
        "inputs": [{"id": "77"}, {"id": "80"}],
    }
    status, content, _ = vendors.post("hubspot", f"{OBJECTS}/deals/batch/read", body)
    assert (status, content["status"], ids(content)) == (200, "COMPLETE", ["77", "80"])
    assert content["results"][0]["propertiesWithHistory"]["dealstage"]
    body["inputs"] += [{"id": "79"}, {"id": "999"}]
    status, content, _ = vendors.post("hubspot", f"{OBJECTS}/deals/batch/read", body)
    assert (status, ids(content), content["numErrors"]) == (207, ["77", "80"], 1)
    assert content["errors"][0]["context"] == {"ids": ["79", "999"]}


@pytest.mark.parametrize(
    ("count", "history", "status"),
    [(100, [], 207), (101, [], 400), (50, ["dealstage"], 207), (51, ["dealstage"], 400)],
)
def test_batch_sizes(vendors, count, history, status):
    inputs = [{"id": str(number)} for number in range(count)]
    body = {"propertiesWithHistory": history, "inputs": inputs}
    assert vendors.post("hubspot", f"{OBJECTS}/deals/batch/read", body)[0] == status


def test_associations_have_numbers_and_leave_archived_records_out(vendors):
    path = "/crm/v4/associations/deals/contacts/batch/read"
    status, body, _ = vendors.post("hubspot", path, {"inputs": [{"id": "77"}]})
    assert status == 200
    kinds = [{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}]
    assert body["results"] == [
        {
            "from": {"id": "77"},
            "to": [
                {"toObjectId": 101, "associationTypes": kinds},
                {"toObjectId": 104, "associationTypes": kinds},
            ],
        }
    ]
    status, body, _ = vendors.post("hubspot", path, {"inputs": [{"id": "77"}, {"id": "80"}]})
    assert (status, body["numErrors"], len(body["results"])) == (207, 1, 1)
    assert body["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    many = {"inputs": [{"id": "1"}] * 1001}
    assert vendors.post("hubspot", path, many)[0] == 400
    assert vendors.post("hubspot", path.replace("deals/contacts", "deals/tickets"), many)[0] == 404


def test_owners_live_and_archived(vendors):
    status, body, _ = vendors.get("hubspot", "/crm/v3/owners", limit=100, archived="false")
    assert status == 200
    assert body["results"] == [
        {
            "id": "41629779",
            "email": "lee@example.com",
            "type": "PERSON",
            "firstName": "Lee",
            "lastName": "Ng",
            "userIdIncludingInactive": 9586504,
            "createdAt": "2025-10-01T00:00:00.000Z",
            "updatedAt": "2025-10-01T00:00:00.000Z",
            "archived": False,
            "userId": 9586504,
            "teams": body["results"][0]["teams"],
        }
    ]
    assert ids(vendors.get("hubspot", "/crm/v3/owners", archived="true")[1]) == ["41629780"]


def test_pipelines_and_properties(vendors):
    [pipeline] = vendors.get("hubspot", "/crm/v3/pipelines/deals")[1]["results"]
    assert [stage["metadata"] for stage in pipeline["stages"]][-2:] == [
        {"isClosed": "true", "probability": "1.0"},
        {"isClosed": "true", "probability": "0.0"},
    ]
    names = [
        row["name"] for row in vendors.get("hubspot", "/crm/v3/properties/deals")[1]["results"]
    ]
    assert {"dealstage", "hs_lastmodifieddate"} <= set(names)


def test_dated_paths_and_unknown_ones(vendors):
    assert vendors.get("hubspot", "/crm/objects/2026-03/contacts")[0] == 200
    for path in ("/crm/v3/objects/tickets", "/crm/v3/nothing"):
        status, body, _ = vendors.get("hubspot", path)
        assert (status, body["category"]) == (404, "OBJECT_NOT_FOUND")


def test_the_ten_second_bucket(call, hands):
    caller = call(hubspot_oauth_per_ten_seconds=3)
    path = f"{OBJECTS}/deals"
    remaining = [caller.get("hubspot", path)[2]["X-HubSpot-RateLimit-Remaining"] for _ in range(3)]
    assert remaining == ["2", "1", "0"]
    status, body, headers = caller.get("hubspot", path)
    assert status == 429
    assert body["policyName"] == "TEN_SECONDLY_ROLLING"
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers["Retry-After"] == "10"
    assert "Retry-After" not in caller.get("hubspot", path)[2]
    hands.seconds += 10
    assert [caller.get("hubspot", path)[0] for _ in range(4)] == [200, 200, 200, 429]


def test_a_private_app_has_a_day_of_calls(call):
    caller = call(hubspot_private_a_day=1)
    token = private_connection("http://x", "hubspot")["password"]
    headers = {"authorization": f"Bearer {token}"}
    first = caller.send("hubspot", "GET", f"{OBJECTS}/deals", headers=headers)
    assert first[2]["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    status, body, _ = caller.send("hubspot", "GET", f"{OBJECTS}/deals", headers=headers)
    assert (status, body["policyName"]) == (429, "DAILY")
