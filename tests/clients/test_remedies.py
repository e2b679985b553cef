"""Tests of the causes of Azure's codes: each remedy fixes its own cause, and only a missing role is fixed by a role."""

import base64
import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from local_azure.seed import TENANT

from rotator.causes import Cause, Grounds
from rotator.clients.codes import grounds_of, sign_in_grounds
from rotator.clients.entra import judged
from rotator.clients.refusal import ENTRA, Asked, ServiceRefusal, decoded, parsed
from rotator.clients.token import patience_with_az
from rotator.clients.translation import answered
from rotator.errors import AzureError, Forbidden, RotatorError, UnsupportedVersion
from rotator.state import Home, Outcome
from tests.clients.scene import PASSWORD, Scene, scene

VAULT, GRAPH, ARM = "Key Vault", "Microsoft Graph", "Container Instances"
OID, APP = "6e94e2c1-d651-4486-8e57-8791ff49a97d", "fe14dc97-5bb0-404e-b7d3-755bab7d6068"
ASSIGNMENT = "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/require-cost-tag"
UNREACHED = (
    "'BadRequest':'InaccessibleImage':'The image 'a.azurecr.io/web:1' in container group 'web' is not accessible.'"
)
DENIED = f"The client with object id '{OID}' has permission to perform the action; however, the access is denied because of the deny assignment with name 'stack' and Id 'd1'."


def envelope(code: str, message: str = "no", inner: str = "", **more: Any) -> str:
    """Return an error answer of Graph, Resource Manager or Key Vault."""
    return json.dumps(
        {"error": {"code": code, "message": message, "innererror": {"code": inner} if inner else None, **more}}
    )


def sign_in(number: int, words: str = "no") -> str:
    """Return an error answer of Entra."""
    return json.dumps(
        {"error": "invalid_client", "error_description": f"AADSTS{number}: {words}", "error_codes": [number]}
    )


CODES: tuple[tuple[str, int, str, Cause | None], ...] = (
    (VAULT, 403, envelope("Forbidden", inner="ForbiddenByRbac"), Cause.ROLE),
    (VAULT, 403, envelope("Forbidden", "DenyAssignmentId: 'd1'", "ForbiddenByRbac"), Cause.DENY_ASSIGNMENT),
    (VAULT, 403, envelope("Forbidden", "x\r\nDenyAssignmentId: null\r\n", "ForbiddenByRbac"), Cause.ROLE),
    (VAULT, 403, envelope("Forbidden", inner="ForbiddenByFirewall"), Cause.VAULT_FIREWALL),
    (VAULT, 403, envelope("Forbidden", "Client address is not authorized and caller …"), Cause.VAULT_FIREWALL),
    (VAULT, 403, envelope("Forbidden", inner="ForbiddenByConnection"), Cause.VAULT_CLOSED),
    (VAULT, 403, envelope("Forbidden", inner="AccessDenied"), Cause.ACCESS_POLICY),
    (VAULT, 403, envelope("Forbidden", "… does not have secrets set permission on …"), Cause.ACCESS_POLICY),
    (VAULT, 403, envelope("Forbidden", inner="ForbiddenByPolicy"), Cause.SECRET_POLICY),
    (VAULT, 403, envelope("Forbidden", "Operation is not allowed by Policy: secrets …"), Cause.SECRET_POLICY),
    (VAULT, 403, envelope("Forbidden", inner="SecretDisabled"), Cause.SECRET_DISABLED),
    (VAULT, 401, envelope("Unauthorized", "AKV10032: Invalid issuer. Expected one of …"), Cause.WRONG_TENANT),
    (VAULT, 403, envelope("Forbidden", "who knows"), Cause.UNCLEAR),
    (VAULT, 404, envelope("SecretNotFound"), None),
    (ARM, 403, envelope("AuthorizationFailed"), Cause.ROLE),
    (ARM, 400, envelope("ContainerGroupQuotaReached"), Cause.QUOTA),
    (ARM, 409, envelope("ServiceUnavailable"), Cause.QUOTA),
    (ARM, 503, envelope("ServiceUnavailable"), None),
    (ARM, 403, envelope("LinkedAuthorizationFailed"), Cause.LINKED_ROLE),
    (ARM, 403, envelope("DenyAssignmentAuthorizationFailed", DENIED), Cause.DENY_ASSIGNMENT),
    (ARM, 403, envelope("AuthorizationFailed", DENIED), Cause.DENY_ASSIGNMENT),
    (ARM, 403, envelope("RequestDisallowedByPolicy"), Cause.AZURE_POLICY),
    (ARM, 401, envelope("InvalidAuthenticationTokenTenant"), Cause.WRONG_TENANT),
    (ARM, 401, envelope("ExpiredAuthenticationToken"), Cause.SIGN_IN_AGAIN),
    (ARM, 400, envelope("InvalidApiVersionParameter"), Cause.API_VERSION),
    (ARM, 400, envelope("NoRegisteredProviderFound"), Cause.API_VERSION),
    (
        ARM,
        404,
        envelope("InvalidResourceType", "… for api version '1'. The supported api-versions are '2'."),
        Cause.API_VERSION,
    ),
    (ARM, 403, "<html>", Cause.UNCLEAR),
    (ARM, 400, envelope("InaccessibleImage"), Cause.IMAGE),
    (ARM, 400, envelope("MultipleErrorsOccurred", f"Multiple error occurred: {UNREACHED};{UNREACHED}."), Cause.IMAGE),
    (ARM, 400, envelope("MultipleErrorsOccurred", "Multiple error occurred: 'BadRequest':'Other':'x'."), None),
    (ARM, 409, envelope("RegistryErrorResponse"), Cause.REGISTRY_BUSY),
    (ARM, 400, envelope("MoreImageRegistryCredentialsThanContainers"), Cause.REGISTRY_ENTRIES),
    (ARM, 400, envelope("InvalidImageRegistryServer"), Cause.REGISTRY_ENTRIES),
    (ARM, 400, envelope("AmbiguousImageResitryCredentialType"), Cause.REGISTRY_ENTRIES),
    (ARM, 400, envelope("InvalidContainerGroupUpdate"), Cause.FIXED),
    (ARM, 400, envelope("InvalidRequestContent"), Cause.GROUP_CONTENT),
    (ARM, 400, envelope("InvalidContainerName"), Cause.GROUP_CONTENT),
    (ARM, 400, envelope("InvalidTagNameCharacters"), Cause.GROUP_CONTENT),
    (ARM, 400, envelope("ResourceRequestsNotSpecified"), Cause.GROUP_CONTENT),
    (ARM, 409, envelope("ContainerGroupTransitioning"), Cause.GROUP_BUSY),
    (ARM, 400, envelope("SubnetMissingRequiredDelegation"), Cause.SUBNET),
    (ARM, 409, envelope("InvalidResourceLocation"), Cause.REGION),
    (ARM, 409, envelope("MissingSubscriptionRegistration"), Cause.UNREGISTERED),
    (ARM, 409, envelope("ReadOnlyDisabledSubscription"), Cause.SUBSCRIPTION_CLOSED),
    (ARM, 409, envelope("AnotherOne"), None),
    (ARM, 503, envelope("AuthorizationFailed"), None),
    (GRAPH, 403, envelope("Authorization_RequestDenied"), Cause.ROLE),
    (GRAPH, 400, envelope("CredentialTypeNotAllowedAsPerAppPolicy"), Cause.PASSWORDS_FORBIDDEN),
    (GRAPH, 400, envelope("CredentialInvalidLifetimeAsPerAppPolicy"), Cause.PASSWORD_LIFE),
    (GRAPH, 400, envelope("CannotUpdateLockedServicePrincipalProperty"), Cause.INSTANCE_LOCK),
    (GRAPH, 400, envelope("Directory_ResourceSizeExceeded"), Cause.TOO_MANY_CREDENTIALS),
    (GRAPH, 400, envelope("Request_BadRequest", "… maximum of 2 encrypted credentials …"), Cause.TWO_PASSWORDS),
    (
        GRAPH,
        401,
        envelope("InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge"),
        Cause.CHALLENGE,
    ),
    (ENTRA, 401, sign_in(7000215), Cause.WRONG_SECRET),
    (ENTRA, 401, sign_in(7000222), Cause.EXPIRED_SECRET),
    (ENTRA, 401, sign_in(700027), Cause.CERTIFICATE),
    (ENTRA, 400, sign_in(70021, "No matching federated identity record found"), Cause.CERTIFICATE),
    *((ENTRA, 400, sign_in(each), Cause.CONDITIONAL_ACCESS) for each in (53000, 53003, 530003, 53010, 530034)),
    (ENTRA, 400, sign_in(700016), Cause.UNKNOWN_APPLICATION),
    (ENTRA, 400, sign_in(90002), Cause.WRONG_TENANT),
    (ENTRA, 400, sign_in(7000112), Cause.DISABLED),
    (ENTRA, 400, sign_in(50076), Cause.SIGN_IN_AGAIN),
    (
        ENTRA,
        400,
        json.dumps({"error": "invalid_request", "error_description": "Identity not found"}),
        Cause.NO_IDENTITY,
    ),
    (ENTRA, 400, sign_in(90033), None),
    (ENTRA, 503, sign_in(53003), None),
)


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (400, "InvalidDnsNameLabel", Cause.GROUP_CONTENT),
        (400, "InaccessibleImage", Cause.IMAGE),
        (400, "MultipleErrorsOccurred", Cause.GROUP_CONTENT),
        (400, "", None),
        (409, "Another", None),
    ],
)
def test_a_refused_deployment_is_about_the_content_of_the_group(status: int, code: str, cause: Cause | None) -> None:
    grounds = grounds_of(Asked(ARM, "deploy it", resource="/x"), parsed(status, {}, envelope(code) if code else "no"))
    assert (grounds.cause if grounds else None) is cause


@pytest.mark.parametrize(("service", "status", "body", "cause"), CODES)
def test_a_code_comes_to_its_cause_and_only_a_missing_role_is_mended_by_one(
    service: str, status: int, body: str, cause: Cause | None
) -> None:
    asked, refused = Asked(service, "do it", "role R on it"), parsed(status, {}, body)
    grounds = grounds_of(asked, refused)
    assert (grounds.cause if grounds else None) is cause
    error = answered(asked, refused)
    assert ("Give the identity" in error.remedy) is (cause in (Cause.ROLE, Cause.LINKED_ROLE))
    assert (type(error) is UnsupportedVersion) is (cause is Cause.API_VERSION)


def test_an_answer_names_what_its_remedy_needs() -> None:
    said = f"Client address: 20.0.0.1\r\nCaller: appid={APP};oid={OID};iss=x"
    firewall = ServiceRefusal(403, "ForbiddenByFirewall", said)
    assert "--name myvault --ip-address 20.0.0.1`" in remedy_of(Asked(VAULT, "read", vault="myvault"), firewall)
    policies = ServiceRefusal(403, "AccessDenied", f"The user '{said}' does not have secrets get permission")
    assert f"set-policy --name myvault --object-id {OID}" in remedy_of(Asked(VAULT, "read", vault="myvault"), policies)
    own = ServiceRefusal(401, "invalid_client", f"for a secret added to app '{APP}'.", numbers=(7000215,))
    assert f"az ad app credential reset --id {APP} --append" in remedy_of(Asked(ENTRA, "sign in"), own)
    details = [{"type": "PolicyViolation", "info": {"policyAssignmentId": ASSIGNMENT}}]
    body = envelope("RequestDisallowedByPolicy", additionalInfo=details)
    remedy = remedy_of(Asked(ARM, "deploy", resource="/my/group"), parsed(403, {}, body))
    assert f"--policy-assignment {ASSIGNMENT} --exemption-category Waiver --scope /my/group" in remedy
    spoken = envelope(
        "RequestDisallowedByPolicy", f'… identifiers: \'[{{"policyAssignment":{{"id":"{ASSIGNMENT}"}}}}]\'.'
    )
    assert parsed(403, {}, spoken).policies == (ASSIGNMENT,)


def remedy_of(asked: Asked, refused: ServiceRefusal) -> str:
    """Return the remedy in a report."""
    return answered(asked, refused).remedy


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("AzureCliCredential: Timed out waiting for Azure CLI", Cause.SLOW_CLI),
        (
            "ManagedIdentityCredential: … The requested identity has not been assigned to this resource.",
            Cause.NO_IDENTITY,
        ),
        ("DefaultAzureCredential failed to retrieve a token from the included credentials. …", Cause.NOT_SIGNED_IN),
        ("AzureCliCredential: ERROR: AADSTS70043: The refresh token has expired", Cause.SIGN_IN_AGAIN),
        ("AzureCliCredential: ERROR: AADSTS530003: Your device is required to be managed", Cause.CONDITIONAL_ACCESS),
        ("Failed to get token. Claims challenges are not supported by AzureCliCredential.", Cause.CHALLENGE),
    ],
)
def test_the_chains_own_words_come_to_a_cause(words: str, cause: Cause) -> None:
    assert sign_in_grounds(words).cause is cause


CHAIN = "DefaultAzureCredential failed to retrieve a token from the included credentials.\n"
NOT_THERE = (
    "AzureCliCredential: Azure CLI not found on path",
    "AzurePowerShellCredential: PowerShell is not installed",
    "AzureDeveloperCliCredential: Azure Developer CLI could not be found.",
)
SLOW = (
    "AzureCliCredential: Timed out waiting for Azure CLI",
    "AzurePowerShellCredential: Timed out waiting for Azure PowerShell.\nTo mitigate this issue, increase the timeout.",
    "AzureDeveloperCliCredential: Timed out waiting for Azure Developer CLI",
)
OUT = "AzureCliCredential: Please run 'az login' to set up an account"


@pytest.mark.parametrize("others", [each for n in range(3) for each in itertools.permutations(NOT_THERE, n)])
@pytest.mark.parametrize("slow", SLOW)
def test_a_slow_command_is_a_time_out_wherever_it_stands_in_the_chain(slow: str, others: tuple[str, ...]) -> None:
    for lines in ((slow, *others), (*others, slow)):
        assert sign_in_grounds(CHAIN + "\n".join(lines)).cause is Cause.SLOW_CLI
    az_wants_a_sign_in = sign_in_grounds(CHAIN + "\n".join((OUT, *others, slow))).cause
    assert az_wants_a_sign_in is (Cause.SLOW_CLI if slow == SLOW[0] else Cause.NOT_SIGNED_IN)
    no_az = NOT_THERE[0] in others
    assert sign_in_grounds(CHAIN + "\n".join(others)).cause is (Cause.NO_CLI if no_az else Cause.NOT_SIGNED_IN)


@pytest.mark.parametrize("number", [53003, 530003])
def test_a_blocked_pull_principal_needs_no_repair(number: int) -> None:
    proof = judged(ServiceRefusal(400, "invalid_grant", f"AADSTS{number}: blocked", numbers=(number,)))
    assert (proof.outcome, proof.nobody) == (Outcome.DISABLED, False)
    assert proof.grounds and proof.grounds.cause is Cause.CONDITIONAL_ACCESS
    assert "Conditional Access" in proof.detail


STATUS: Mapping[str, Any] = {"kind": "status", "status": 403, "times": 0}


@scene
async def test_a_vault_that_refuses_says_why(at: Scene) -> None:
    at.fault("keyvault.secrets.versions", code="ForbiddenByFirewall", **STATUS)
    seen = await at.world.observe(at.policy)
    assert seen.vault_refuses and seen.vault_refuses.grounds == Grounds(
        Cause.VAULT_FIREWALL,
        needs="role Key Vault Secrets Officer (action Microsoft.KeyVault/vaults/secrets/readMetadata/action) on vault myvault.vault.azure.net",
        role="Key Vault Secrets Officer",
        vault="myvault",
        service=VAULT,
        code="ForbiddenByFirewall",
    )


@scene
async def test_a_group_that_azure_policy_disallows_says_whose_it_is(at: Scene) -> None:
    at.fault(
        "aci.containerGroups.createOrUpdate", code="RequestDisallowedByPolicy", message=f"by {ASSIGNMENT}", **STATUS
    )
    with pytest.raises(Forbidden) as refused:
        await at.world.put_group(at.group_id, at.body())
    assert f"az policy exemption create --name rotator --policy-assignment {ASSIGNMENT}" in refused.value.remedy
    assert f"--scope {at.group_id}" in refused.value.remedy


CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
CHALLENGE = (
    f'Bearer authorization_uri="https://login.microsoftonline.com/{TENANT}", error="insufficient_claims",'
    f' claims="{base64.urlsafe_b64encode(CLAIMS.encode()).decode()}"'
)


def challenge(at: Scene, operation: str, times: int) -> None:
    """Let a service withdraw rotator's token."""
    at.fault(operation, "status", status=401, code="InvalidAuthenticationToken", argument=CHALLENGE, times=times)


def test_the_claims_of_a_challenge_are_read() -> None:
    assert decoded(base64.urlsafe_b64encode(CLAIMS.encode()).decode().rstrip("=")) == CLAIMS
    assert decoded("é") == ""


@pytest.mark.parametrize(
    "operation", ["aci.containerGroups.list", "graph.applications.get", "keyvault.secrets.versions"]
)
def test_a_read_whose_token_was_withdrawn_is_asked_again_with_a_new_one(operation: str) -> None:
    @scene
    async def test(at: Scene) -> None:
        await at.world.observe(at.policy)
        tokens = at.served().count("entra.token")
        challenge(at, operation, times=1)
        await at.world.observe(at.policy)
        assert at.served().count("entra.token") == tokens + 1

    test(pytest.MonkeyPatch())


@scene
async def test_a_write_whose_token_was_withdrawn_is_sent_once_and_says_so(at: Scene) -> None:
    await at.world.observe(at.policy)
    principal, _ = await at.world.principal(at.policy)
    challenge(at, "*", times=0)
    before, calls = at.served().__len__(), 0
    for write in (
        lambda: at.world.put_group(at.group_id, at.body()),
        lambda: at.world.remove_password(principal, Home.APPLICATION, at.password.key_id),
    ):
        with pytest.raises(AzureError) as refused:
            await write()
        assert refused.value.grounds and refused.value.grounds.cause is Cause.CHALLENGE
        assert "continuous access evaluation" in refused.value.remedy
        calls += 1
    assert len(at.served(before)) == calls


@scene
async def test_whom_a_token_is_for_and_by_which_credential_is_known(at: Scene) -> None:
    await at.world.observe(at.policy)
    assert at.world.token.credential == "EnvironmentCredential"
    caller = (await at.world.examine(at.policy, [PASSWORD])).caller
    assert getattr(caller, "credential", None) == "EnvironmentCredential"


def test_how_long_az_may_take_is_a_setting() -> None:
    assert [patience_with_az(each) for each in ({}, {"ROTATOR_AZ_TIMEOUT": " 90 "})] == [30, 90]
    for wrong in ("0", "soon", "1e3", "-1", "9999"):
        with pytest.raises(RotatorError, match="ROTATOR_AZ_TIMEOUT"):
            patience_with_az({"ROTATOR_AZ_TIMEOUT": wrong})
