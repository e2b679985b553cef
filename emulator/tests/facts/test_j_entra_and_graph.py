"""Tests of Entra and Graph for unmodified clients (azure-facts J): the answers on which az and the SDKs rely."""

import pytest
from local_azure.faults import Fault
from local_azure.timing import Timing
from tenancy import ALL, GRAPH, Tenancy, code


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL)


READS = (
    "/applications?$filter=appId eq '{app_id}'",
    "/applications?$filter=appId%20eq%20'{app_id}'",
    "/applications?%24filter=startswith%28displayName%2C%27call%27%29",
    "/applications?$filter=startswith(displayName,'call')",
    "/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{app_id}')",
    "/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'{app_id}')",
    "/servicePrincipals?$filter=displayName eq 'caller'",
    "/servicePrincipals?$filter=startswith(displayName,'caller')",
)


@pytest.mark.parametrize("path", READS)
def test_j_the_reads_that_az_makes_find_their_object_percent_encoded_or_not(world: Tenancy, path: str) -> None:
    found = world.call("GET", path.format(app_id=world.caller.app_id))[1]["value"]
    assert [each["appId"] for each in found] == [world.caller.app_id]


def test_j_one_service_principal_by_id_and_objects_by_ids(world: Tenancy) -> None:
    assert world.call("GET", f"/servicePrincipals/{world.caller.id}")[1]["appId"] == world.caller.app_id
    found = world.call(
        "POST", "/directoryObjects/getByIds", {"ids": [world.caller.id], "types": ["user", "group", "servicePrincipal"]}
    )[1]["value"]
    assert [(each["@odata.type"], each["displayName"]) for each in found] == [
        ("#microsoft.graph.servicePrincipal", "caller")
    ]
    assert found[0]["servicePrincipalNames"] == [world.caller.app_id]


def test_j_a_doubled_slash_after_the_version_is_one(world: Tenancy) -> None:
    assert world.call("GET", f"{GRAPH}//applications")[0] == 200


def test_j_a_scope_with_a_doubled_slash_is_a_scope(world: Tenancy) -> None:
    assert world.call("GET", "/applications", Authorization=world.bearer("https://graph.microsoft.com/"))[0] == 200


def test_j_remove_password_of_an_unknown_key_is_400_and_not_404(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    assert world.call("POST", f"/applications/{application.id}/removePassword", {"keyId": world.caller.id})[0] == 400


def test_j_the_token_endpoint_flaps_after_add_password_and_an_answer_can_be_lost(world: Tenancy) -> None:
    flapping = Tenancy(ALL, timing=Timing(secret_valid=12, replicas=3))
    application = flapping.directory.create_application("pull")
    flapping.directory.create_service_principal(application.app_id)
    added = flapping.directory.add_password(application)
    assert not flapping.tokens.authenticates_everywhere(application.app_id, added.secret)
    own = world.directory.create_application("pull")
    world.faults.add(Fault("graph.applications.addPassword", "status", when="after", status=503))
    assert world.call("POST", f"/applications/{own.id}/addPassword", {})[0] == 503
    assert len(own.passwords) == 1


def test_j_unknown_paths_are_501_and_name_themselves(world: Tenancy) -> None:
    answer = world.call("GET", "/devices/some")
    assert code(answer) == (501, "NotImplemented")
    assert "GET /v1.0/devices/some" in answer[1]["error"]["message"]
