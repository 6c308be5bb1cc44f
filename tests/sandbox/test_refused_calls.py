"""Calls that our client never makes are refused as the vendor would, and never a crash."""

from __future__ import annotations

import pytest

OBJECTS = "/crm/v3/objects"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/deals/batch/read", [1], id="no object"),
        pytest.param("/deals/batch/read", {"inputs": "77"}, id="no list of ids"),
        pytest.param("/deals/search", {"filterGroups": ["id"]}, id="no group"),
        pytest.param("/deals/search", {"query": "Pat"}, id="full text"),
        pytest.param(
            "/deals/search",
            {
                "filterGroups": [
                    {"filters": [{"propertyName": "amount", "operator": "GT", "value": "much"}]}
                ]
            },
            id="no number",
        ),
    ],
)
def test_hubspot(vendors, path, body):
    status, content, _ = vendors.post("hubspot", OBJECTS + path, body)
    assert (status, content["status"]) == (400, "error")


def test_hubspot_knows_some_associations_only(vendors):
    path = "/crm/v4/associations/contacts/contacts/batch/read"
    status, content, _ = vendors.post("hubspot", path, {"inputs": [{"id": "101"}]})
    assert (status, content["message"]) == (400, "No association from contacts to contacts.")


@pytest.mark.parametrize("name", ["createdate", "dealname"])
def test_hubspot_sorts_by_moments_and_by_texts(vendors, name):
    def found(direction):
        body = {"sorts": [{"propertyName": name, "direction": direction}], "properties": [name]}
        rows = vendors.post("hubspot", f"{OBJECTS}/deals/search", body)[1]["results"]
        return [row["properties"][name] or "" for row in rows]

    assert found("ASCENDING") == sorted(found("DESCENDING"))
    assert found("DESCENDING") == sorted(found("ASCENDING"), reverse=True)
    assert len(found("ASCENDING")) > 1


def test_typeform_has_no_such_path(vendors):
    status, content, _ = vendors.get("typeform", "/workspaces")
    assert (status, content["code"]) == (404, "NOT_FOUND")


def test_google_gives_no_token_for_a_get(vendors):
    path = vendors.connections["google_ads"]["extra"]["token_url"].partition("google_ads")[2]
    assert vendors.refresh("google_ads")[0] == 200
    assert vendors.send("google_ads", "GET", path)[0] == 404


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("campaign.status LIKE 'EN%'", "OPERATOR_FIELD_MISMATCH"),
        ("campaign.status > 'ENABLED'", "OPERATOR_FIELD_MISMATCH"),
        ("campaign.id = 'eleven'", "BAD_NUMBER"),
    ],
)
def test_google_compares_what_can_be_compared(vendors, condition, code):
    query = f"SELECT campaign.id FROM campaign WHERE {condition}"
    status, content, _ = vendors.report(query)
    assert status == 400
    assert code in str(content)
