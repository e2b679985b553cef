"""Tests of the clients' own computations: waits, references, ids, permissions, refusals."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey
from azure.core.exceptions import ServiceRequestError
from azure.mgmt.authorization.v2022_04_01.models import Permission

from rotator.clients.acr import Image, images
from rotator.clients.azuretime import date
from rotator.clients.entra import judged
from rotator.clients.pausing import retry_after
from rotator.clients.pipeline import together
from rotator.clients.rbac import allowed
from rotator.clients.redaction import secrets_of
from rotator.clients.refusal import Asked, ServiceRefusal, parsed
from rotator.clients.translation import answered, silent
from rotator.cloud import CLOUDS, registry_name
from rotator.errors import Conflict, Forbidden, NotFound, OutcomeUnknown, Throttled, Unavailable, Unexpected
from rotator.state import Outcome

NOON = "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after-ms": "2500", "Retry-After": "9"}, 2.5),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT", "Date": NOON}, 30.0),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_is_utc_and_a_lost_one_is_none() -> None:
    assert date({"Date": NOON}) == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert date({}) is None


@pytest.mark.parametrize(
    ("name", "repository", "reference"),
    [
        ("r.azurecr.io/app", "app", "latest"),
        ("r.azurecr.io/team/app:v1", "team/app", "v1"),
        ("r.azurecr.io/app@sha256:ab", "app", "sha256:ab"),
        ("R.azurecr.io/app:v1@sha256:ab", "app", "sha256:ab"),
    ],
)
def test_an_image_reference_is_taken_apart(name: str, repository: str, reference: str) -> None:
    assert Image.parse(name) == Image("r.azurecr.io", repository, reference, name)


def test_an_image_of_no_registry_of_the_policy_is_not_asked_for() -> None:
    assert [
        image.server
        for image in images(CLOUDS["public"], ["nginx", "evil.example/app", "q.azurecr.io/app"], ["r.azurecr.io"])
    ] == ["r.azurecr.io"]


def test_an_image_at_a_regional_endpoint_is_asked_for_there() -> None:
    found = images(CLOUDS["public"], ["r.eastus.geo.azurecr.io/app:v1"], ["r.azurecr.io"])
    assert [image.server for image in found] == ["r.eastus.geo.azurecr.io", "r.azurecr.io"]
    assert found[0].repository == "app"


@pytest.mark.parametrize(
    ("host", "login_server"),
    [
        ("R.azurecr.io", "r.azurecr.io"),
        ("r-hash16.azurecr.io", "r-hash16.azurecr.io"),
        ("r.eastus.geo.azurecr.io", "r.azurecr.io"),
        ("r-hash16.westeurope.data.azurecr.io", "r-hash16.azurecr.io"),
        ("r.eastus.azurecr.io", ""),
        ("r.geo.azurecr.io", ""),
        ("evil.r.eastus.geo.azurecr.io", ""),
        ("r.azurecr.cn", ""),
        ("r.azurecr.io.example", ""),
    ],
)
def test_every_host_of_a_registry_leads_to_its_login_server(host: str, login_server: str) -> None:
    assert CLOUDS["public"].login_server(host) == login_server


@pytest.mark.parametrize(
    ("host", "name"),
    [("r.azurecr.io", "r"), ("r-hash16.azurecr.io", "r"), ("r-hash16.eastus.geo.azurecr.io", "r"), ("", "")],
)
def test_a_host_leads_to_the_name_that_az_takes(host: str, name: str) -> None:
    assert registry_name(host) == name


@pytest.mark.parametrize(
    ("actions", "excepted", "may"),
    [
        (["*"], [], True),
        (["*/read"], [], False),
        (["microsoft.containerinstance/*"], [], True),
        (["*"], ["Microsoft.ContainerInstance/containerGroups/write"], False),
        ([], [], False),
    ],
)
def test_a_role_allows_what_its_patterns_match_and_do_not_except(
    actions: list[str], excepted: list[str], may: bool
) -> None:
    permission = Permission(actions=actions, not_actions=excepted)
    assert allowed("Microsoft.ContainerInstance/containerGroups/write", [permission]) is may
    assert allowed("Microsoft.ContainerInstance/containerGroups/write", [permission, Permission(actions=["*"])])
    assert not allowed("Microsoft.ContainerInstance/containerGroups/write", [permission], data=True)


@pytest.mark.parametrize(
    ("number", "status", "outcome"),
    [
        (7000215, 401, Outcome.REFUSED),
        (7000222, 401, Outcome.EXPIRED),
        (700016, 400, Outcome.DISABLED),
        (7000112, 400, Outcome.DISABLED),
        (7000229, 401, Outcome.DISABLED),
        (53003, 400, Outcome.DISABLED),
        (90033, 400, Outcome.UNREACHABLE),
        (None, 400, Outcome.UNREACHABLE),
    ],
)
def test_entras_numbers_say_what_is_wrong_with_a_credential(number: int | None, status: int, outcome: Outcome) -> None:
    proof = judged(
        ServiceRefusal(status, "invalid_client", "AADSTS: text Trace ID: x", numbers=(number,) if number else ())
    )
    assert (proof.outcome, "Trace ID" in proof.detail) == (outcome, False)
    assert proof.nobody is (number in (700016, 7000112, 7000229)), "others may be about where or how it is asked"


@pytest.mark.parametrize(
    ("status", "code", "in_doubt", "kind"),
    [
        (401, "", False, Forbidden),
        (403, "", False, Forbidden),
        (404, "ResourceNotFound", False, NotFound),
        (404, "", False, Unexpected),
        (409, "Busy", False, Conflict),
        (400, "", False, Conflict),
        (429, "", False, Throttled),
        (503, "", False, Unavailable),
        (501, "", False, Unexpected),
        (302, "", False, Unexpected),
        *(
            (status, code, True, OutcomeUnknown)
            for status in (302, 401, 403, 404, 407, 408, 409, 429, 500, 503)
            for code in ("", "Code")
        ),
    ],
)
def test_a_status_is_whose_business_it_is(status: int, code: str, in_doubt: bool, kind: type[Exception]) -> None:
    assert type(answered(Asked("Azure", "do it"), ServiceRefusal(status, code), in_doubt=in_doubt)) is kind


@pytest.mark.parametrize(
    ("error", "kind"), [(httpx.ConnectError("no such name"), Unavailable), (httpx.ReadError("gone"), OutcomeUnknown)]
)
def test_where_no_connection_comes_about_the_name_is_doubted(error: Exception, kind: type[Exception]) -> None:
    failed = silent(Asked("Azure", "do it"), error, in_doubt=kind is OutcomeUnknown)
    assert type(failed) is kind
    assert ("name is right" in failed.remedy) == (kind is Unavailable)


KEY = cast("ConnectionKey", SimpleNamespace(host="proxy", port=3128, ssl=True))
ASKED = cast("aiohttp.RequestInfo", SimpleNamespace(real_url="https://graph.microsoft.com"))


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (aiohttp.ClientProxyConnectionError(KEY, OSError("refused")), "no connection to the proxy at proxy:3128"),
        (aiohttp.ClientHttpProxyError(ASKED, (), status=407), "the proxy refused, with 407"),
        (aiohttp.ClientHttpProxyError(ASKED, (), status=502), "the proxy refused, with 502"),
    ],
)
def test_a_proxy_that_does_not_connect_is_named_and_no_service(cause: Exception, said: str) -> None:
    failed = silent(Asked("Key Vault", "read the secret", vault="v"), ServiceRequestError("-", error=cause))
    assert failed.happened == f"Key Vault was not asked to read the secret: {said}"
    assert ("`az keyvault recover --name v --output none`" in failed.remedy) == said.endswith("502")
    assert "HTTPS_PROXY" in failed.remedy


def test_the_innermost_code_that_says_something_is_the_code() -> None:
    vault = '{"error":{"code":"Forbidden","message":"no","innererror":{"code":"SecretDisabled"}}}'
    graph = '{"error":{"code":"Request_BadRequest","message":"no","innerError":{"date":"x"}}}'
    registry = '{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}'
    assert [parsed(400, {}, text).code for text in (vault, graph, registry, "<html>")] == [
        "SecretDisabled",
        "Request_BadRequest",
        "UNAUTHORIZED",
        "",
    ]


def test_every_hidden_value_of_a_group_is_known_as_a_secret() -> None:
    volumes = [{"name": "v", "secret": {"key": "dg=="}}, {"azureFile": {"shareName": "s", "storageAccountKey": "k"}}]
    env = [{"name": "A", "secureValue": "a"}, {"name": "B", "value": "plain"}]
    document = {
        "properties": {
            "imageRegistryCredentials": [{"server": "r", "password": "p"}],
            "containers": [{"env": env}],
            "volumes": volumes,
        }
    }
    assert sorted(secrets_of(document)) == ["a", "dg==", "k", "p"]


def test_the_first_failure_of_many_comes_out_as_itself_and_stops_the_rest() -> None:
    finished: list[str] = []

    async def works() -> None:
        await asyncio.Event().wait()
        finished.append("no")

    async def fails() -> None:
        raise KeyError("this one")

    with pytest.raises(KeyError, match="this one"):
        asyncio.run(together(together(works(), fails()), works()))
    assert not finished


def test_the_clouds_share_no_host() -> None:
    hosts = [
        host
        for cloud in CLOUDS.values()
        for host in (cloud.authority, cloud.graph, cloud.arm, cloud.registry_suffix, cloud.vault_suffix)
    ]
    assert len(set(hosts)) == len(hosts) == 15


def test_importing_the_clients_loads_no_sdk() -> None:
    script = (
        "import sys, rotator.clients; print([m for m in ('azure', 'aiohttp', 'httpx', 'msgraph_core', 'tenacity') if m"
        " in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )
