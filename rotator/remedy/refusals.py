"""Say what to do about a refusal: one sentence and the commands for each cause, for reports, vetoes and doctor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from rotator.causes import Cause, Grounds
from rotator.remedy.accounts import LOGIN, export_password
from rotator.remedy.group_refusals import OF_GROUPS, Parts
from rotator.remedy.line import az
from rotator.remedy.roles import assign_role, exempt_from_policy, give_role
from rotator.remedy.vaults import admit_address, admit_identity, enable_secret, open_vault, vault_id


@dataclass(frozen=True, slots=True)
class Advice:
    """Remedy of a refusal: a text, and the commands that do it, where commands can."""

    text: str
    commands: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}: {', then '.join(f'`{each}`' for each in self.commands)}." if self.commands else self.text


def advise(grounds: Grounds) -> Advice:
    """Return the fix for a refusal of rotator's own requests."""
    return _ADVICE[grounds.cause](grounds)


def advise_pull(grounds: Grounds, app_id: str) -> str:
    """Return the fix for a refused sign-in as the pull principal `app_id`."""
    match grounds.cause:
        case Cause.CONDITIONAL_ACCESS:
            return (
                f"A Conditional Access policy of the tenant blocks this sign-in as {app_id}; the principal itself"
                " is in order. Run rotator from a place that the policy allows, or have an administrator of"
                " Conditional Access exclude this principal; the sign-in log of service principals names the"
                " policy."
            )
        case Cause.WRONG_TENANT:
            return "Correct `principal.tenant_id`, or sign in to the tenant that has the application."
        case Cause.UNKNOWN_APPLICATION:
            return "Correct `app_id`, or `principal.tenant_id`: that tenant does not have the application."
    return "Enable the service principal (accountEnabled) and the application (isDisabled), or correct `app_id`."


def _role(grounds: Grounds) -> Advice:
    text = f"Give the identity that rotator signs in as: {grounds.needs or 'the permission named above'}"
    scope = grounds.scope or (vault_id(grounds.vault) if grounds.vault else "")
    if not (grounds.role and grounds.caller and scope):
        return Advice(f"{text}.")
    if grounds.person is None:
        return Advice(text, (give_role(grounds.caller, grounds.role, scope),))
    kind = "User" if grounds.person else "ServicePrincipal"
    return Advice(text, (assign_role(grounds.caller, grounds.role, scope, kind=kind),))


def _linked_role(grounds: Grounds) -> Advice:
    return Advice(
        "Give the identity that rotator signs in as the action that Azure names, on the linked scope; `rotator"
        " doctor` prints the command."
    )


def _deny_assignment(grounds: Grounds) -> Advice:
    which = f"Deny assignment {' '.join(grounds.named)}" if grounds.named else "A deny assignment"
    return Advice(
        f"{which} forbids the request, and no role overrides that. Have its owner (a deployment stack, a managed"
        " application or a blueprint) exclude rotator's identity."
    )


def _azure_policy(grounds: Grounds) -> Advice:
    named = ", ".join(grounds.named) or "the assignment named above"
    text = f"Azure Policy disallows the request, and no role overrides that. Make the resource comply with {named}"
    if not (grounds.named and grounds.resource):
        return Advice(f"{text}, or have its owner exempt the resource.")
    exempt = tuple(exempt_from_policy(each, grounds.resource) for each in grounds.named)
    return Advice(f"{text}, or have its owner exempt the resource", exempt)


def _secret_policy(grounds: Grounds) -> Advice:
    return Advice(
        "Azure Policy on the vault's secrets disallows the request, and no role overrides that. Publish as the"
        " policy demands (`key_vault: {content_type: …, tags: {…}}` and `rotation: {validity: …}` in the policy"
        " file), or have the owner of its assignment exempt the vault."
    )


def _vault_firewall(grounds: Grounds) -> Advice:
    text = (
        "The vault's firewall refuses this machine's address, and no role overrides that. Run rotator within the"
        " vault's networks"
    )
    if not grounds.vault:
        return Advice(f"{text}, or let the address in.")
    admitted = admit_address(grounds.vault, grounds.subscription, grounds.address or None)
    return Advice(f"{text}, or let the address in", (admitted,))


def _vault_closed(grounds: Grounds) -> Advice:
    text = (
        "The vault is closed to the public network, and no role overrides that. Run rotator within the vault's network"
    )
    if not grounds.vault:
        return Advice(f"{text}, or open it.")
    return Advice(f"{text}, or open it", (open_vault(grounds.vault, grounds.subscription),))


def _access_policy(grounds: Grounds) -> Advice:
    text = "This vault uses access policies, so roles have no effect on its secrets. Give rotator's identity access"
    if not (grounds.vault and grounds.caller):
        return Advice(f"{text}, by an access policy with the secret permissions get, list and set.")
    return Advice(text, (admit_identity(grounds.vault, grounds.subscription, grounds.caller),))


def _secret_disabled(grounds: Grounds) -> Advice:
    text = "The newest version of the secret is disabled"
    if not (grounds.vault and grounds.resource):
        return Advice(f"{text}: enable the version, or set the secret again.")
    return Advice(
        f"{text}. Enable the version, or set the secret again", (enable_secret(grounds.vault, grounds.resource),)
    )


def _own_secret(grounds: Grounds) -> Advice:
    what = (
        "The secret with which rotator signs in (AZURE_CLIENT_SECRET) has expired"
        if grounds.cause is Cause.EXPIRED_SECRET
        else "The secret with which rotator signs in (AZURE_CLIENT_SECRET) is wrong, or was removed"
    )
    if not grounds.app_id:
        return Advice(f"{what}. Give rotator a new secret of its application, or another way to sign in.")
    return Advice(f"{what}. Give rotator a new secret", (export_password(grounds.app_id),))


def _sign_in_again(grounds: Grounds) -> Advice:
    return Advice(
        "The sign-in has ended, or a person must confirm it. On a host without a person, sign in as a service"
        " principal or a managed identity (AZURE_TOKEN_CREDENTIALS=prod); else sign in again",
        (LOGIN,),
    )


def _no_identity(grounds: Grounds) -> Advice:
    return Advice(
        "The managed identity is not assigned to this machine, and a role would not change that. Assign it (`az vm"
        " identity assign`, `az functionapp identity assign`, or the group's `identity`), or correct"
        " AZURE_CLIENT_ID, which names the user-assigned identity to use."
    )


def _wrong_tenant(grounds: Grounds) -> Advice:
    return Advice(
        "The sign-in is to a tenant other than that of the resources. Correct AZURE_TENANT_ID, or sign in to the"
        " tenant of the subscription",
        (az("account show", query="tenantId"),),
    )


def _unknown_application(grounds: Grounds) -> Advice:
    return Advice(
        "The tenant has no application with this client id. Correct AZURE_CLIENT_ID and AZURE_TENANT_ID: one of them"
        " belongs to another tenant."
    )


def _challenge(grounds: Grounds) -> Advice:
    return Advice(
        "Azure withdrew the token early (continuous access evaluation): the identity was disabled or revoked, or"
        " signs in from a place that Conditional Access does not allow. Run again: rotator then signs in again. If"
        " that is refused, have an administrator look at the identity's risk and at the policies of Conditional"
        " Access."
    )


def _slow_cli(grounds: Grounds) -> Advice:
    return Advice(
        "az, azd or PowerShell did not give a token within the time that rotator waits. Make the time longer"
        " (ROTATOR_AZ_TIMEOUT=120, in seconds), or sign in without them (AZURE_TOKEN_CREDENTIALS=prod, with a service"
        " principal or a managed identity)."
    )


def _unclear(grounds: Grounds) -> Advice:
    code = f"code {grounds.code}" if grounds.code and not grounds.code.isdigit() else "no code of Azure's"
    needs = f" If a permission is missing, it is {grounds.needs}." if grounds.needs else ""
    where = f" The documentation of {grounds.service} explains its codes." if grounds.service else ""
    if code.startswith("no "):
        where = " A proxy or firewall between this machine and Azure gives such answers, too."
    return Advice(f"The refusal has {code}, which rotator does not know.{where}{needs}")


def _of_group(said: Callable[[Grounds], Parts], grounds: Grounds) -> Advice:
    return Advice(*said(grounds))


def _always(text: str, *commands: str) -> Callable[[Grounds], Advice]:
    return lambda _: Advice(text, commands)


_ADVICE: Mapping[Cause, Callable[[Grounds], Advice]] = MappingProxyType(
    {
        Cause.ROLE: _role,
        Cause.LINKED_ROLE: _linked_role,
        Cause.DENY_ASSIGNMENT: _deny_assignment,
        Cause.AZURE_POLICY: _azure_policy,
        Cause.SECRET_POLICY: _secret_policy,
        Cause.VAULT_FIREWALL: _vault_firewall,
        Cause.VAULT_CLOSED: _vault_closed,
        Cause.ACCESS_POLICY: _access_policy,
        Cause.SECRET_DISABLED: _secret_disabled,
        Cause.WRONG_SECRET: _own_secret,
        Cause.EXPIRED_SECRET: _own_secret,
        Cause.UNCLEAR: _unclear,
        Cause.CONDITIONAL_ACCESS: _always(
            "A Conditional Access policy of the tenant blocks the sign-in of rotator's own identity from here; neither"
            " a role nor a new secret changes that. Run from a place that the policy allows, or have an administrator"
            " of Conditional Access exclude the identity; the sign-in log of service principals names the policy."
        ),
        Cause.CERTIFICATE: _always(
            "Entra refuses the certificate, or the federated token, with which rotator signs in. Register it on"
            " the application again (AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE name it), and check"
            " that this machine's clock is right."
        ),
        Cause.SIGN_IN_AGAIN: _sign_in_again,
        Cause.NO_IDENTITY: _no_identity,
        Cause.WRONG_TENANT: _wrong_tenant,
        Cause.UNKNOWN_APPLICATION: _unknown_application,
        Cause.DISABLED: _always(
            "The identity with which rotator signs in is disabled. Have an administrator enable its service principal"
            " (accountEnabled) and its application (isDisabled)."
        ),
        Cause.CHALLENGE: _challenge,
        Cause.API_VERSION: _always(
            "The service does not support the version of its interface that this rotator uses. Install a newer"
            " rotator; docs/azure-facts.md has the versions with their dates."
        ),
        Cause.SLOW_CLI: _slow_cli,
        Cause.NOT_SIGNED_IN: _always(
            f"Sign in: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, run `{LOGIN}`, or run on a"
            " machine with a managed identity."
        ),
        Cause.NO_CLI: _always(
            "Sign in: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or run on a machine with a managed"
            " identity; az, by which a person signs in, is not on the PATH of this machine."
        ),
        Cause.QUOTA: _always(
            "A quota of the subscription in the region is used up, or the region has no capacity now: Azure's message"
            " says which. Try later, delete container groups that are not needed, ask Azure's support for a higher"
            " quota, or deploy the group with less or in another region."
        ),
        Cause.PASSWORDS_FORBIDDEN: _always(
            "An app management policy of the tenant forbids passwords here: have an administrator exempt this"
            " application (or rotator, as the caller), or let the groups pull with a managed identity."
        ),
        Cause.PASSWORD_LIFE: _always(
            "An app management policy of the tenant limits the lifetime of passwords: write a shorter `rotation:"
            " {validity: …}`."
        ),
        Cause.INSTANCE_LOCK: _always(
            "The application's instance lock forbids passwords on the service principal: write `home:"
            " application`, or remove the lock (servicePrincipalLockConfiguration)."
        ),
        Cause.TOO_MANY_CREDENTIALS: _always(
            "The application has about 1000 credentials: remove those that have ended."
        ),
        Cause.TWO_PASSWORDS: _always(
            "The application allows personal accounts, so it can have two passwords, and it has two: remove one"
            " that is not used."
        ),
        **{cause: partial(_of_group, said) for cause, said in OF_GROUPS.items()},
    }
)
"""Advice by cause."""
