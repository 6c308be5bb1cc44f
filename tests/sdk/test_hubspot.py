"""HubSpot's official client reads what the sandbox serves: its models, its paging, its errors.

The client checks every field that a model must have and turns texts into dates. It overlooks keys
that it does not know, so these are looked for in the raw bodies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import (
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicFetchAssociationsBatchRequest,
)
from hubspot.crm.contacts import ApiException as ContactsError
from hubspot.crm.contacts import (
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectId,
)
from hubspot.crm.contacts.exceptions import ServiceException, UnauthorizedException
from hubspot.crm.contacts.models import Error
from hubspot.oauth import ApiException as OAuthError

KINDS = ("contacts", "companies", "deals")
HISTORIES = {"contacts": "lifecyclestage", "deals": "dealstage"}
NO_ASSOCIATIONS = "crm.associations.NO_ASSOCIATIONS_FOUND"

Make = Callable[..., HubSpot]


@pytest.fixture
def make(offered: Any) -> Make:
    """A client of the sandbox; without a token it has the private app's."""

    def make(token: str = offered.hubspot_private) -> HubSpot:
        return HubSpot(access_token=token, api_factory=factory)

    def factory(package: Any, api: str, config: dict[str, Any]) -> Any:
        configuration = package.Configuration(host=offered.connections["hubspot"]["host"])
        configuration.access_token = config["access_token"]
        return getattr(package, api)(api_client=package.ApiClient(configuration=configuration))

    return make


@pytest.fixture
def hubspot(make: Make) -> HubSpot:
    return make()


def listed(api: Any, **asked: Any) -> Iterator[Any]:
    """Every object of a list, by the cursor that each page names."""
    after = None
    while True:
        page = api.get_page(**asked, **({"after": after} if after else {}))
        yield from page.results
        if page.paging is None or page.paging.next is None:
            return
        after = page.paging.next.after


def of(hubspot: HubSpot, kind: str) -> Any:
    return getattr(hubspot.crm, kind)


def is_whole(model: Any, body: dict[str, Any], where: str = "") -> None:
    """Every key of a body is one that the client's model of it knows, all the way down."""
    known = {text: name for name, text in model.attribute_map.items()}
    for key, value in body.items():
        assert key in known, f"{type(model).__name__}{where} does not know {key}"
        inner = getattr(model, known[key])
        for one, content in zip(
            inner if isinstance(inner, list) else [inner],
            value if isinstance(value, list) else [value],
            strict=True,
        ):
            if hasattr(one, "attribute_map"):
                is_whole(one, content, f"{where}.{key}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("archived", [False, True], ids=["live", "archived"])
def test_lists(hubspot: HubSpot, kind: str, archived: bool) -> None:
    objects = list(listed(of(hubspot, kind).basic_api, limit=10, archived=archived))
    assert len(objects) > 10 or archived
    assert len({one.id for one in objects}) == len(objects)
    for one in objects:
        assert one.archived is archived
        assert (one.archived_at is not None) is archived
        assert isinstance(one.created_at, datetime)
        assert one.created_at.utcoffset() == timedelta(0)
        assert one.properties["hs_object_id"] == one.id


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_nothing_that_the_models_do_not_know(hubspot: HubSpot, kind: str) -> None:
    asked: dict[str, Any] = {
        "limit": 20,
        "associations": [other for other in KINDS if other != kind],
    }
    if kind in HISTORIES:
        asked["properties_with_history"] = [HISTORIES[kind]]
    api = of(hubspot, kind).basic_api
    body = json.loads(api.get_page(**asked, _preload_content=False).data)
    page = api.get_page(**asked)
    is_whole(page, body)
    if kind == "deals":
        assert any(one.associations for one in page.results)


@pytest.mark.parametrize(("kind", "history"), HISTORIES.items())
def test_histories_come_newest_first(hubspot: HubSpot, kind: str, history: str) -> None:
    objects = list(listed(of(hubspot, kind).basic_api, limit=50, properties_with_history=[history]))
    assert any(len(one.properties_with_history[history]) > 1 for one in objects)
    for one in objects:
        times = [version.timestamp for version in one.properties_with_history[history]]
        assert times == sorted(times, reverse=True)
        assert all(version.source_type for version in one.properties_with_history[history])


@pytest.mark.parametrize("kind", KINDS)
def test_search_pages_by_offset(hubspot: HubSpot, kind: str) -> None:
    modified = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
    asked = {
        "filterGroups": [
            {"filters": [{"propertyName": modified, "operator": "GTE", "value": "1791000000000"}]}
        ],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": [modified],
        "limit": 10,
    }
    api, found, after = of(hubspot, kind).search_api, [], "0"
    while after:
        page = api.do_search(public_object_search_request={**asked, "after": after})
        found += page.results
        after = page.paging.next.after if page.paging else None
    ids = [int(one.id) for one in found]
    assert len(found) == page.total > 10
    assert ids == sorted(set(ids))
    first = {**asked, "after": "0"}
    body = api.do_search(public_object_search_request=first, _preload_content=False).data
    is_whole(api.do_search(public_object_search_request=first), json.loads(body))


def test_a_search_by_the_clients_own_request_type(hubspot: HubSpot) -> None:
    request = PublicObjectSearchRequest(
        limit=5, after="0", properties=["email"], filter_groups=[], sorts=[]
    )
    assert len(hubspot.crm.contacts.search_api.do_search(request).results) == 5


def test_batch_read_with_one_that_is_not_there(hubspot: HubSpot) -> None:
    known = [one.id for one in hubspot.crm.contacts.basic_api.get_page(limit=3).results]

    api = hubspot.crm.contacts.batch_api

    def asked(ids: list[str]) -> BatchReadInputSimplePublicObjectId:
        return BatchReadInputSimplePublicObjectId(
            properties=["email"],
            properties_with_history=["lifecyclestage"],
            inputs=[SimplePublicObjectId(id=one) for one in ids],
        )

    whole, status, _ = api.read_with_http_info(asked(known))
    assert status == 200
    assert sorted(one.id for one in whole.results) == sorted(known)
    assert whole.status == "COMPLETE"
    partly, status, _ = api.read_with_http_info(asked([*known, "1"]))
    assert status == 207
    assert (partly.num_errors, partly.errors[0].category) == (1, "OBJECT_NOT_FOUND")
    assert partly.errors[0].context["ids"] == ["1"]
    raw = api.read(asked([*known, "1"]), _preload_content=False)
    is_whole(partly, json.loads(raw.data))


@pytest.mark.parametrize("to", ["contacts", "companies"])
def test_associations(hubspot: HubSpot, to: str) -> None:
    deals = [one.id for one in listed(hubspot.crm.deals.basic_api, limit=100)]
    request = BatchInputPublicFetchAssociationsBatchRequest(
        inputs=[PublicFetchAssociationsBatchRequest(id=deal) for deal in deals[:1000]]
    )
    api = hubspot.crm.associations.v4.batch_api
    found = api.get_page("deals", to, request)
    assert found.results
    for row in found.results:
        assert row._from.id in deals
        for one in row.to:
            assert int(one.to_object_id) > 0
            assert one.association_types[0].category == "HUBSPOT_DEFINED"
    errors = getattr(found, "errors", [])
    assert all(error.sub_category == NO_ASSOCIATIONS for error in errors)
    assert len(found.results) + len(errors) == len(deals)
    assert errors or to == "contacts"
    is_whole(found, json.loads(api.get_page("deals", to, request, _preload_content=False).data))


@pytest.mark.parametrize("archived", [False, True], ids=["here", "left"])
def test_owners(hubspot: HubSpot, archived: bool) -> None:
    api = hubspot.crm.owners.owners_api
    owners = list(listed(api, limit=2, archived=archived))
    assert owners
    assert all(one.archived is archived and "@" in one.email for one in owners)
    body = json.loads(api.get_page(limit=2, archived=archived, _preload_content=False).data)
    is_whole(api.get_page(limit=2, archived=archived), body)


def test_pipelines(hubspot: HubSpot) -> None:
    api = hubspot.crm.pipelines.pipelines_api
    [pipeline] = api.get_all("deals").results
    closed = [stage for stage in pipeline.stages if stage.metadata["isClosed"] == "true"]
    assert {stage.metadata["probability"] for stage in closed} == {"0.0", "1.0"}
    body = json.loads(api.get_all("deals", _preload_content=False).data)
    is_whole(api.get_all("deals"), body)


REFUSALS = {
    "no such contact": (404, lambda api: api.basic_api.get_by_id("1")),
    "too many a page": (400, lambda api: api.basic_api.get_page(limit=101)),
    "beyond 10,000": (
        400,
        lambda api: api.search_api.do_search({"limit": 100, "after": "10000"}),
    ),
    "unknown property": (
        400,
        lambda api: api.search_api.do_search(
            {"filterGroups": [{"filters": [{"propertyName": "x", "operator": "IS"}]}]}
        ),
    ),
    "too many inputs": (
        400,
        lambda api: api.batch_api.read({"inputs": [{"id": str(one)} for one in range(1, 102)]}),
    ),
}


@pytest.mark.parametrize(("status", "call"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(hubspot: HubSpot, status: int, call: Callable[[Any], Any]) -> None:
    with pytest.raises(ContactsError) as caught:
        call(hubspot.crm.contacts)
    assert caught.value.status == status
    assert the_error(caught.value).category in ("VALIDATION_ERROR", "OBJECT_NOT_FOUND")


@pytest.mark.parametrize(
    ("token", "category"),
    [("pat-na1-none", "EXPIRED_AUTHENTICATION"), ("", "INVALID_AUTHENTICATION")],
    ids=["garbage", "none"],
)
def test_without_a_good_token(make: Make, token: str, category: str) -> None:
    with pytest.raises(UnauthorizedException) as caught:
        make(token).crm.contacts.basic_api.get_page()
    assert the_error(caught.value).category == category


@pytest.mark.parametrize("seconds", [2, 3_600])
def test_throttled(offered: Any, hubspot: HubSpot, seconds: int) -> None:
    with (
        offered.fault("hubspot", "throttle", seconds=seconds),
        pytest.raises(ContactsError) as caught,
    ):
        hubspot.crm.contacts.basic_api.get_page()
    assert caught.value.status == 429
    body = json.loads(caught.value.body)
    assert body["policyName"] == ("TEN_SECONDLY_ROLLING" if seconds == 2 else "DAILY")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_broken(offered: Any, hubspot: HubSpot, status: int) -> None:
    """An exception of its own kind, whose body the client's error model takes."""
    with (
        offered.fault("hubspot", "server_error", status=status),
        pytest.raises(ServiceException) as caught,
    ):
        hubspot.crm.contacts.basic_api.get_page()
    assert caught.value.status == status
    assert the_error(caught.value).correlation_id
    assert hubspot.crm.contacts.basic_api.get_page(limit=1).results


def test_an_oauth_token_is_fetched_and_used(offered: Any, make: Make) -> None:
    granted = refreshed(offered, make)
    assert (granted.token_type, granted.expires_in) == ("bearer", 1800)
    assert granted.refresh_token
    assert make(granted.access_token).crm.contacts.basic_api.get_page(limit=1).results


def test_a_dead_refresh_token(offered: Any, make: Make) -> None:
    with pytest.raises(OAuthError) as caught:
        refreshed(offered, make, refresh_token="na1-dead")
    assert caught.value.status == 400
    assert json.loads(caught.value.body)["status"] == "BAD_REFRESH_TOKEN"


def test_an_expired_token_is_told_from_a_wrong_one(offered: Any, make: Make) -> None:
    token = refreshed(offered, make).access_token
    with (
        offered.fault("hubspot", "expire_token", times=1),
        pytest.raises(UnauthorizedException) as caught,
    ):
        make(token).crm.contacts.basic_api.get_page()
    error = the_error(caught.value)
    assert error.category == "EXPIRED_AUTHENTICATION"
    assert "second(s) ago" in error.message


def refreshed(offered: Any, make: Make, **changes: str) -> Any:
    connection = offered.connections["hubspot"]
    form = {
        "grant_type": "refresh_token",
        "client_id": connection["login"],
        "client_secret": connection["password"],
        "refresh_token": connection["extra"]["refresh_token"],
    }
    return make("").oauth.tokens_api.create(**{**form, **changes})


def the_error(caught: Any) -> Error:
    """The body of an exception as the client's own error model, which refuses what is missing."""
    body = json.loads(caught.body)
    names = {text: name for name, text in Error.attribute_map.items()}
    unknown = set(body) - set(names) - {"status"}
    assert unknown == set()
    assert body["status"] == "error"
    return Error(**{names[key]: value for key, value in body.items() if key in names})
