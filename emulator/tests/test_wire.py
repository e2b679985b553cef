"""Tests of the common wire of all services: ids and time on every answer, no crash on any input, and no silent
success.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from local_azure.app import App
from local_azure.azure import Azure
from local_azure.clock import Clock, http_date
from local_azure.faults import Broken, Fault
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.wire import Request, Response, Route, ServiceError

HOSTS = {
    "entra": "login.microsoftonline.com",
    "graph": "graph.microsoft.com",
    "keyvault": "myvault.vault.azure.net",
    "arm": "management.azure.com",
    "acr": "mycontainerregistry.azurecr.io",
    "msi": "169.254.169.254",
}
AUDIENCES = {
    "graph": "https://graph.microsoft.com",
    "keyvault": "https://vault.azure.net",
    "arm": "https://management.azure.com",
}
IDS = {
    "entra": {"x-ms-request-id"},
    "graph": {"request-id", "client-request-id"},
    "keyvault": {"x-ms-request-id"},
    "arm": {"x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"},
    "acr": {"x-ms-correlation-request-id"},
}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODIES = (
    b"",
    b"null",
    b"[]",
    b"3",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b"grant_type=%ff&scope=\xff",
    b'{"properties":[],"requests":3}',
    b'{"properties":null,"tags":[],"location":3,"requests":[3]}',
    b'{"properties":{"containers":3,"osType":[]},"location":"eastus","sku":3}',
    b'{"value":3,"attributes":[],"tags":3,"displayName":[],"keyId":{},"passwordCredential":3,"ids":3,"appId":{}}',
    b'{"properties":{"roleDefinitionId":"x","principalId":"y","level":3},"location":"eastus","identity":3}',
)
QUERIES = (
    "api-version=2023-05-01",
    "",
    "api-version=1&$filter=x&$top=x&$select=%20&$skiptoken=%ff&maxresults=x&tail=x&n=x&last=%ff&scope=x&service=",
    "api-version=1&api-version=2&$filter=(((&$top=-1&$search=x&$count=y&$expand=z&maxresults=99999999999999999999",
)
"""Queries with typing mistakes, and others from a fuzzer."""


@dataclass
class World:
    azure: Azure
    app: App
    seeded: Seeded

    def authorization(self, service: str) -> dict[str, str]:
        """Return the administrator's authorization for a service."""
        who = self.seeded.admin
        if service == "acr":
            return {"Authorization": "Basic " + b64encode(f"{who.app_id}:{who.secret}".encode()).decode()}
        if service not in AUDIENCES:
            return {}
        token = self.azure.tokens.issue(self.seeded.tenant, who.app_id, who.secret, f"{AUDIENCES[service]}/.default")
        return {"Authorization": f"Bearer {token['access_token']}"}

    def ask(self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Response:
        return self.app.handle(Request.parse(method, url, headers or {}, body))

    def routes(self) -> Iterator[tuple[str, Route]]:
        return ((service.name, route) for service in self.app.services for route in service.table.routes)


@pytest.fixture
def world() -> World:
    azure = Azure.build(Clock(START, lambda: 0.0), timing=PROMPT)
    seeded = fill(azure)
    return World(azure, build(azure), seeded)


def everyday(world: World, service: str) -> tuple[str, str]:
    """Return a read that succeeds, and a path unknown to the service."""
    tenant = world.seeded.tenant
    paths = {
        "entra": (f"/{tenant}/v2.0/.well-known/openid-configuration", f"/{tenant}/oauth2/v2.0/authorize"),
        "graph": ("/v1.0/applications", "/v1.0/me/messages"),
        "keyvault": ("/secrets?api-version=7.4", "/storage?api-version=7.4"),
        "arm": (
            f"{world.seeded.registry_id}?api-version=2023-07-01",
            f"{world.seeded.registry_id}/exportPipelines?api-version=2023-07-01",
        ),
        "acr": ("/v2/", "/v3/"),
    }
    return paths[service]


@pytest.mark.parametrize("service", IDS)
def test_every_answer_has_ids_a_length_and_azures_date(world: World, service: str) -> None:
    url, headers = f"https://{HOSTS[service]}", world.authorization(service)
    good, unknown = everyday(world, service)
    world.azure.faults.add(Fault("*", "status", nth=3))
    answers = [
        world.ask("GET", url + good, headers),
        world.ask("GET", url + good),
        world.ask("GET", url + good, headers),
        world.ask("GET", url + unknown, headers),
    ]
    assert [answer.status for answer in answers] == [200, 200 if service == "entra" else 401, 503, 501]
    for answer in answers:
        names = {name.lower() for name in answer.headers}
        assert names >= IDS[service], answer.status
        assert answer.headers["Date"] == http_date(START)
        assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("service", IDS)
def test_no_two_answers_share_an_id(world: World, service: str) -> None:
    good, _ = everyday(world, service)
    first, second = (world.ask("GET", f"https://{HOSTS[service]}{good}") for _ in range(2))
    for name in IDS[service]:
        assert {key.lower(): value for key, value in first.headers.items()}[name] not in second.headers.values()


@pytest.mark.parametrize("service", IDS)
def test_what_is_not_implemented_names_the_method_and_the_path(world: World, service: str) -> None:
    _, unknown = everyday(world, service)
    answer = world.ask("POST", f"https://{HOSTS[service]}{unknown}", world.authorization(service))
    assert answer.status == 501
    assert f"POST {unknown.split('?')[0]}" in answer.body.decode()


def test_a_host_that_is_not_azures_is_nobodys(world: World) -> None:
    answer = world.ask("GET", "https://example.com/")
    assert (answer.status, answer.headers["Date"]) == (502, http_date(START))
    assert b"example.com" in answer.body


def test_an_answer_without_content_has_no_length(world: World) -> None:
    secret, headers = "https://myvault.vault.azure.net", world.authorization("keyvault")
    world.ask("PUT", f"{secret}/secrets/s?api-version=7.4", headers, b'{"value":"v"}')
    world.ask("DELETE", f"{secret}/secrets/s?api-version=7.4", headers)
    purged = world.ask("DELETE", f"{secret}/deletedsecrets/s?api-version=7.4", headers)
    assert (purged.status, purged.body) == (204, b"")
    assert "Content-Length" not in purged.headers


def test_paths_are_decoded_once_and_matched_in_any_case_with_any_number_of_slashes(world: World) -> None:
    headers, path = world.authorization("arm"), world.seeded.registry_id
    for form in (path.upper(), path.replace("/providers/", "//providers//"), path.replace("my", "%6dy"), f"{path}/"):
        assert world.ask("GET", f"https://management.azure.com{form}?api-version=2023-07-01", headers).status == 200, (
            form
        )
    twice = path.replace("mycontainerregistry", "%256dycontainerregistry")
    assert world.ask("GET", f"https://management.azure.com{twice}?api-version=2023-07-01", headers).status == 404


def test_names_of_query_parameters_and_headers_have_no_case(world: World) -> None:
    headers = {name.upper(): value for name, value in world.authorization("arm").items()}
    assert (
        world.ask(
            "GET", f"https://MANAGEMENT.azure.com{world.seeded.registry_id}?API-Version=2023-07-01", headers
        ).status
        == 200
    )


def forms(world: World, route: Route) -> Iterator[str]:
    """Yield a route's paths: with existing names, and with odd ones."""
    seeded = world.seeded
    there = {
        "subscription": seeded.subscription,
        "group": "myResourceGroup",
        "own": "myResourceGroup",
        "tenant": seeded.tenant,
    }
    there |= {"scope": seeded.registry_id.strip("/"), "name": "mycontainerregistry", "namespace": "Microsoft.KeyVault"}
    for known, odd in product((there, {}), ("%00", "é%ff b'c")):
        yield re.sub(r"\{(\w+)\*?\}", lambda match, known=known, odd=odd: known.get(match[1], odd), route.template)  # type: ignore[misc]


def test_nothing_that_anybody_sends_makes_a_service_fall_over(world: World) -> None:
    asked = 0
    for service, route in list(world.routes()):
        headers = {"Content-Type": "application/json", **world.authorization(service)}
        bodies = BODIES if route.method in ("POST", "PUT", "PATCH") else (b"",)
        for path in forms(world, route):
            for query, body in [*product(QUERIES[:1], bodies), *product(QUERIES[1:], bodies[:1])]:
                try:
                    answer = world.ask(route.method, f"https://{HOSTS[service]}{path}?{query}", headers, body)
                except Broken:
                    continue
                asked += 1
                world.azure.clock.advance(timedelta(seconds=4))  # keeps the budgets full
                assert answer.status < 500 or answer.status == 501, (route.operation, path, query, body, answer.body)
    assert asked > 3_500


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Bearer x.y.z", "Bearer é", "Basic é", "Basic !", "Basic eA==", "Digest x"]
)
def test_no_authorization_header_makes_a_service_fall_over(world: World, value: str) -> None:
    for service in IDS:
        good, _ = everyday(world, service)
        answer = world.ask("GET", f"https://{HOSTS[service]}{good}", {"Authorization": value})
        assert answer.status in ({200} if service == "entra" else {401}), (service, answer.status)


def test_a_body_that_is_not_json_is_refused_in_words() -> None:
    with pytest.raises(ServiceError, match="could not be deserialized"):
        Request.parse("PUT", "https://management.azure.com/", {}, b"{").json()
