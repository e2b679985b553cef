"""Tests of Graph's query options: their results, and the advanced queries that some require."""

from typing import Any

import pytest
from local_azure.graph import expressions
from local_azure.wire import ServiceError
from tenancy import ALL, GRAPH, Tenancy, code

ADVANCED = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def world() -> Tenancy:
    world = Tenancy(ALL)
    for name in ("alpha", "Beta", "gamma one", "gammaTwo"):
        world.directory.create_application(name, tags=[name[0], "x"], notes=None)
    owned = next(app for app in world.directory.state.applications.values() if app.display_name == "Beta")
    world.directory.add_owner(owned.id, world.caller.id)
    return world


def names(world: Tenancy, query: str, **headers: str) -> list[str]:
    status, body, _ = world.call("GET", f"/applications?{query}", **headers)
    assert status == 200, body
    return [each["displayName"] for each in body["value"]]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("displayName eq 'beta'", ["Beta"]),
        ("displayName in ('alpha', 'beta')", ["alpha", "Beta"]),
        ("startswith(displayName,'gamma')", ["gamma one", "gammaTwo"]),
        ("startswith(displayName,'gamma') and displayName eq 'gammatwo'", ["gammaTwo"]),
        ("(displayName eq 'alpha' or displayName eq 'beta') and tags/any(t:t eq 'b')", ["Beta"]),
        ("tags/any(t: startswith(t,'g'))", ["gamma one", "gammaTwo"]),
        ("tags/any()", ["alpha", "Beta", "gamma one", "gammaTwo"]),
        ("tags/all(t:t eq 'x')", ["caller"]),
        ("createdDateTime ge 2026-03-01T12:00:00Z and displayName eq 'alpha'", ["alpha"]),
        ("createdDateTime gt 2026-03-01T12:00:00Z", []),
        ("createdDateTime lt 2026-03-01T12:00:01Z and displayName eq 'alpha'", ["alpha"]),
        ("createdDateTime le 2026-03-01T12:00:00Z and displayName eq 'alpha'", ["alpha"]),
        ("signInAudience eq 'AzureADMyOrg' and displayName eq 'alpha'", ["alpha"]),
        ("isFallbackPublicClient eq null and displayName eq 'alpha'", ["alpha"]),
    ],
)
def test_filters_that_need_nothing(world: Tenancy, filter_: str, found: list[str]) -> None:
    assert names(world, f"$filter={filter_}") == found


@pytest.mark.parametrize(
    ("filter_", "found", "refusal"),
    [
        (
            "startswith(displayName,'gamma') and displayName ne 'gammatwo'",
            ["gamma one"],
            "Filter operator 'NotEqualsMatch' is not supported.",
        ),
        (
            "not startswith(displayName,'gamma') and not(displayName eq 'caller')",
            ["alpha", "Beta"],
            "Operator 'not' is not supported because",
        ),
        (
            "endswith(displayName,'ha')",
            ["alpha"],
            "Operator 'endsWith' is not supported because the required parameters might be missing.",
        ),
        ("owners/$count eq 1", ["Beta"], "Operator '$count' is not supported because"),
        (
            "owners/any(o:o/id eq '00000000-0000-0000-0000-000000000000') or owners/$count eq 1",
            ["Beta"],
            "Operator '$count' is not",
        ),
        ("owners/$count eq 0 and displayName eq 'alpha'", ["alpha"], "Operator '$count' is not supported because"),
    ],
)
def test_filters_that_need_an_advanced_query(world: Tenancy, filter_: str, found: list[str], refusal: str) -> None:
    for query, headers in ((f"$filter={filter_}", ADVANCED), (f"$filter={filter_}&$count=true", {})):
        answer = world.call("GET", f"/applications?{query}", **headers)
        assert code(answer) == (400, "Request_UnsupportedQuery")
        assert answer[1]["error"]["message"].startswith(refusal)
    assert names(world, f"$filter={filter_}&$count=true", ConsistencyLevel="eventual") == found


@pytest.mark.parametrize(
    ("filter_", "words"),
    [
        ("displayName eq", "Invalid filter clause"),
        ("displayName like 'x'", "Invalid filter clause"),
        ("(displayName eq 'x'", "Invalid filter clause"),
        ("displayName eq 'x' displayName", "Invalid filter clause"),
        ("displayName eq 'x", "Invalid filter clause"),
        ("startswith(displayName,1)", "Invalid filter clause"),
        ("displayName in ('x'", "Invalid filter clause"),
        ("tags/any(t:u eq 'x')", "Invalid filter clause"),
        ("displayName eq (", "Invalid filter clause"),
        (
            "colour eq 'red'",
            "Invalid filter clause: Could not find a property named 'colour' on type 'microsoft.graph.application'.",
        ),
        (
            "passwordCredentials/any(p:p/keyId eq 'x')",
            (
                "Unsupported or invalid query filter clause specified for property 'passwordCredentials' of resource"
                " 'Application'."
            ),
        ),
    ],
)
def test_a_filter_that_makes_no_sense_is_400(world: Tenancy, filter_: str, words: str) -> None:
    status, body, _ = world.call("GET", f"/applications?$filter={filter_}")
    assert status == 400
    assert body["error"]["message"].startswith(words)


def test_a_filter_by_ids_is_answered_from_an_index_whatever_stands_beside_it() -> None:
    guid = "11111111-2222-4333-8444-555555555555"
    for text, keys in (
        (f"appId eq '{guid}'", {guid}),
        (f"id in ('{guid}','x')", {guid, "x"}),
        (f"servicePrincipalNames/any(c:c eq '{guid}')", {guid}),
        (f"appId eq '{guid}' and displayName eq 'x'", {guid}),
        (f"displayName eq 'x' and appId eq '{guid}'", {guid}),
        (f"appId eq '{guid}' or id eq 'x'", {guid, "x"}),
    ):
        assert expressions.parse(text).keys == frozenset(keys)
    for text in (
        f"appId eq '{guid}' or displayName eq 'x'",
        "servicePrincipalNames/any(c:c eq 'api://x')",
        f"not (appId eq '{guid}')",
        "appId eq null",
    ):
        assert expressions.parse(text).keys is None


def test_a_service_principal_is_found_by_the_uris_of_its_application(world: Tenancy) -> None:
    application = world.directory.create_application("web", identifierUris=["api://Web"])
    principal = world.directory.create_service_principal(application.app_id)
    _, body, _ = world.call("GET", "/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq 'api://web')")
    assert [each["id"] for each in body["value"]] == [principal.id]
    assert body["value"][0]["servicePrincipalNames"] == ["api://Web", application.app_id]


def test_order_needs_an_advanced_query_and_then_sorts_without_case(world: Tenancy) -> None:
    assert code(world.call("GET", "/applications?$orderby=displayName")) == (400, "Request_UnsupportedQuery")
    ordered = names(world, "$orderby=displayName desc&$count=true", ConsistencyLevel="eventual")
    assert ordered == ["gammaTwo", "gamma one", "caller", "Beta", "alpha"]
    assert code(world.call("GET", "/applications?$orderby=notes&$count=true", **ADVANCED)) == (
        400,
        "Request_UnsupportedQuery",
    )
    assert code(world.call("GET", "/applications?$orderby=colour&$count=true", **ADVANCED)) == (400, "BadRequest")


def test_pages_of_a_sorted_and_counted_list_keep_order_and_count(world: Tenancy) -> None:
    path: str | None = "/applications?$orderby=displayName&$count=true&$top=2&$select=displayName,id"
    found, counts = [], []
    while path:
        _, body, _ = world.call("GET", path, **ADVANCED)
        found += [each["displayName"] for each in body["value"]]
        counts.append(body["@odata.count"])
        path = body.get("@odata.nextLink")
    assert (found, counts) == (["alpha", "Beta", "caller", "gamma one", "gammaTwo"], [5, 5, 5])


def test_a_page_behind_an_object_that_has_gone_is_expired(world: Tenancy) -> None:
    _, body, _ = world.call("GET", "/applications?$orderby=displayName&$count=true&$top=1", **ADVANCED)
    world.call("DELETE", f"/applications/{body['value'][0]['id']}")
    assert code(world.call("GET", body["@odata.nextLink"], **ADVANCED)) == (400, "Directory_ExpiredPageToken")
    assert code(world.call("GET", "/applications?$skiptoken=nonsense")) == (400, "Directory_ExpiredPageToken")


def test_count_is_ignored_as_an_option_and_refused_as_a_path_without_the_header(world: Tenancy) -> None:
    assert "@odata.count" not in world.call("GET", "/applications?$count=true")[1]
    answer = world.call("GET", "/applications/$count")
    assert (code(answer), answer[1]["error"]["message"]) == (
        (400, "Request_BadRequest"),
        "$count is not currently supported.",
    )
    assert world.call("GET", "/applications/$count", **ADVANCED)[:2] == (200, "5")
    assert world.call("GET", "/applications/$count?$filter=startswith(displayName,'gamma')", **ADVANCED)[1] == "2"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ('"displayName:gamma"', ["gamma one", "gammaTwo"]),
        ('"displayName:two"', ["gammaTwo"]),
        ('"displayName:gamma" AND "displayName:one"', ["gamma one"]),
        ('"displayName:alpha" OR "displayName:beta"', ["alpha", "Beta"]),
    ],
)
def test_search_looks_for_words(world: Tenancy, search: str, found: list[str]) -> None:
    assert names(world, f"$search={search}", ConsistencyLevel="eventual") == found


def test_search_needs_the_header_and_a_property(world: Tenancy) -> None:
    answer = world.call("GET", '/applications?$search="displayName:x"')
    assert code(answer) == (400, "Request_UnsupportedQuery")
    assert (
        "only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'"
        in answer[1]["error"]["message"]
    )
    assert code(world.call("GET", "/applications?$search=x", **ADVANCED)) == (400, "Request_BadRequest")


def test_expand_adds_owners_whole_or_in_part(world: Tenancy) -> None:
    _, body, _ = world.call("GET", "/applications?$filter=displayName eq 'beta'&$expand=owners&$select=displayName")
    assert [(each["displayName"], [owner["id"] for owner in each["owners"]]) for each in body["value"]] == [
        ("Beta", [world.caller.id])
    ]
    app = next(app for app in world.directory.state.applications.values() if app.display_name == "Beta")
    _, read, _ = world.call("GET", f"/applications/{app.id}?$expand=owners($select=id)")
    assert read["owners"] == [{"@odata.type": "#microsoft.graph.servicePrincipal", "id": world.caller.id}]
    assert code(world.call("GET", "/applications?$expand=colour")) == (400, "BadRequest")


def test_select_names_the_context_and_only_what_the_type_has(world: Tenancy) -> None:
    _, body, _ = world.call("GET", "/servicePrincipals?$select=id,appId&$top=1")
    assert body["@odata.context"] == f"{GRAPH}/$metadata#servicePrincipals(id,appId)"
    assert [sorted(each) for each in body["value"]] == [["appId", "id"]]
    assert code(world.call("GET", "/servicePrincipals?$select=publisherDomain")) == (400, "BadRequest")


def test_owners_of_an_object_are_filtered_and_counted_too(world: Tenancy) -> None:
    app = next(app for app in world.directory.state.applications.values() if app.display_name == "Beta")
    path = f"/applications/{app.id}/owners"
    assert world.call("GET", f"{path}?$select=id")[1]["value"] == [
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": world.caller.id}
    ]
    assert world.call("GET", f"{path}?$filter=displayName eq 'other'")[1]["value"] == []
    assert world.call("GET", f"{path}?$count=true", **ADVANCED)[1]["@odata.count"] == 1


def test_a_reader_of_filters_never_passes_on_what_it_does_not_know() -> None:
    texts: list[Any] = ["", "#", "any(x:x eq 'y')", "a eq 'b' and", "not", "startswith(a 'b')"]
    for text in texts:
        with pytest.raises(ServiceError):
            expressions.parse(text)
