"""Tests of sign-ins without a password: a revocation names each with the command to remove it, and access isn't gone
while one pulls.
"""

import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from certificates import entry
from local_azure.faults import Fault
from local_azure.graph.objects import Application, ServicePrincipal
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, compromise, glance, grant, preview, revoke
from rotator.events import Noted
from rotator.report.plan import readable
from rotator.report.status import Urgency, rows
from rotator.results import Result
from tests.pulling import anything_pulls, signs_in
from tests.stage import Stage, lagging, play, stage

GONE, NOBODY = (
    "access is gone: every pull is refused",
    "access is gone: no password, certificate or other means signs in as the principal",
)
REMAINS, UNPROVEN = (
    "ACCESS REMAINS: the principal can still pull",
    "access is marked as revoked, but it is not proven that pulls are refused",
)
TRUST = {
    "name": "deploy",
    "issuer": "https://token.example",
    "subject": "repo:us/it:ref",
    "audiences": ["api://AzureADTokenExchange"],
}

Key = Callable[[Stage], Callable[[], object]]
"""Function that gives the principal a sign-in, and returns a function to remove it."""


def _certified(made: Stage, home: Application | ServicePrincipal) -> Callable[[], object]:
    made.azure.directory.update(home, {"keyCredentials": [entry()]})
    return lambda: made.azure.directory.update(home, {"keyCredentials": []})


def certificate(made: Stage) -> Callable[[], object]:
    return _certified(made, made.application)


def certificate_of_the_principal(made: Stage) -> Callable[[], object]:
    return _certified(made, made.principal)


def federated(made: Stage) -> Callable[[], object]:
    made.application.federated.append({"id": "f" * 8, "description": None, **TRUST})
    return made.application.federated.clear


KEYS: dict[str, tuple[Key, str, str]] = {
    "a certificate of the application": (
        certificate,
        "certificate",
        "az ad app credential delete --id {app} --key-id {key} --cert",
    ),
    "a certificate of the service principal": (
        certificate_of_the_principal,
        "certificate",
        "az ad sp credential delete --id {app} --key-id {key} --cert",
    ),
    "a federated credential": (
        federated,
        "federated_credential",
        "az ad app federated-credential delete --id {app} --federated-credential-id {key}",
    ),
}


def scene(act: Callable[[Stage], Awaitable[None]], **timing: float) -> None:
    """Act in a world with a principal whose only password is adopted."""

    async def begin(loop: VirtualLoop) -> None:
        made = stage(loop, groups=("app",), timing=lagging(**timing))
        await made.with_world(lambda run: adopt(run, None))
        made.pass_(minutes=10)
        await act(made)

    play(begin)


def locked(made: Stage) -> None:
    made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete", "keep")


async def revoked(made: Stage, *, credentials: bool = True) -> Result:
    made.events.clear()
    result = await made.with_world(lambda run: revoke(run, credentials=credentials))
    made.azure.faults.clear()
    return result


def notes(made: Stage, code: str) -> list[Noted]:
    return [event for event in made.events if isinstance(event, Noted) and event.code == code]


def forbid(made: Stage, operation: str) -> None:
    made.azure.faults.add(
        Fault(operation, "status", times=0, status=403, code="Authorization_RequestDenied", message="Not allowed.")
    )


@pytest.mark.parametrize("key", KEYS)
def test_where_a_lock_keeps_the_role_access_remains_until_the_key_is_taken_away(key: str) -> None:
    give, code, command = KEYS[key]

    async def act(made: Stage) -> None:
        take = give(made)
        made.pass_(hours=1)
        locked(made)
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (REMAINS, 1)
        assert made.credentials() == [] and anything_pulls(made)
        (named,) = notes(made, code)
        assert named.warn and f"`{command.format(app=made.app_id, key=named.subject)}`" in named.text
        assert "removes every password of this policy" not in notes(made, "not_proven")[0].text, "there is none left"
        assert (await revoked(made)).summary == REMAINS

        take()
        made.pass_(minutes=10)
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (NOBODY, 0), made.told()
        assert not anything_pulls(made)

    scene(act)


@pytest.mark.parametrize("key", KEYS)
def test_a_registry_that_refuses_the_role_refuses_every_key_and_the_key_is_named(key: str) -> None:
    give, code, _ = KEYS[key]

    async def act(made: Stage) -> None:
        give(made)
        made.pass_(hours=1)
        result = await revoked(made, credentials=False)
        assert (result.summary, result.exit_code) == (GONE, 0)
        assert signs_in(made) and not anything_pulls(made)
        (named,) = notes(made, code)
        assert not named.warn
        for look in (preview, glance):
            shown = [note for note in (await made.with_world(look)).plan.notes if note.code == code]
            assert [(note.subject, note.text) for note in shown] == [(named.subject, named.text)]
        (row,) = rows([(made.policy.name, await made.with_world(glance))])
        assert readable(named.text) in row.remarks and row.standing is Urgency.REVOKED

    scene(act)


@pytest.mark.parametrize("key", KEYS)
def test_a_compromised_password_is_not_all_that_a_plan_and_a_status_name(key: str) -> None:
    give, code, _ = KEYS[key]

    async def act(made: Stage) -> None:
        give(made)
        made.pass_(hours=1)
        before = len(made.app.served)
        quiet = (await made.with_world(preview)).plan.notes
        assert code not in {note.code for note in quiet}, "it matters to doctor alone"
        assert not any("federated" in call.operation for call in made.app.served[before:])
        await made.with_world(lambda run: compromise(run, [made.by_hand.key_id]))
        for look in (preview, glance):
            shown = (await made.with_world(look)).plan.notes
            assert code in {note.code for note in shown} and not any(note.warn for note in shown if note.code == code)
        forbid(made, UNREADABLE[2])
        unknown = [note.text for note in (await made.with_world(glance)).plan.notes if note.code == "unknown"]
        assert any("federated credentials" in text for text in unknown)

    scene(act)


@pytest.mark.parametrize("key", KEYS)
def test_a_password_that_was_taken_proves_nothing_of_a_key(key: str) -> None:
    give, _, _ = KEYS[key]

    async def act(made: Stage) -> None:
        give(made)
        made.pass_(hours=1)
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (UNPROVEN, 1)
        assert (await revoked(made)).exit_code == 1
        for note in notes(made, "not_proven"):
            assert "proves nothing about other means to sign in" in note.text

    scene(act, role_gone=3600)


def test_a_certificate_that_has_ended_counts_for_nothing() -> None:
    async def act(made: Stage) -> None:
        certificate(made)
        (held,) = made.application.certificates
        held.end = made.azure.clock.now() + timedelta(days=1)
        made.pass_(days=2)
        locked(made)
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (NOBODY, 0)
        assert not anything_pulls(made) and not notes(made, "certificate")

    scene(act)


UNREADABLE = (
    "graph.applications.get",
    "graph.servicePrincipals.get",
    "graph.applications.federatedIdentityCredentials.list",
)


@pytest.mark.parametrize(("key", "operation"), list(itertools.product(KEYS, UNREADABLE)))
def test_what_may_not_be_read_is_unknown_and_nothing_is_gone(key: str, operation: str) -> None:
    """The reads are refused from the moment at which the credentials are gone."""
    give, _, _ = KEYS[key]

    async def act(made: Stage) -> None:
        locked(made)
        give(made)
        made.pass_(hours=1)

        def refuse(number: int, named: str, request: object) -> None:
            if named == "keyvault.secrets.update":
                forbid(made, operation)

        made.after.append(refuse)
        result = await revoked(made)
        assert made.azure.faults.struck and anything_pulls(made)
        assert result.exit_code == 1 and not result.summary.startswith("access is gone"), result.summary

    scene(act)


def test_a_federated_list_that_may_not_be_read_is_said_and_keeps_nobody_from_seeing_a_refusal() -> None:
    async def act(made: Stage) -> None:
        forbid(made, UNREADABLE[2])
        result = await revoked(made, credentials=False)
        assert (result.summary, result.exit_code) == (
            GONE,
            0,
        ), "the principal itself was refused, by whatever it signs in"
        assert any("federated credentials" in each.text for each in notes(made, "unknown"))
        locked(made)
        made.azure.authorization.assign(made.seeded.registry_id, made.principal.id, "AcrPull", at_once=True)
        forbid(made, UNREADABLE[2])
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (UNPROVEN, 1)
        assert any("cannot be read" in each.text for each in notes(made, "not_proven"))

    scene(act)


def test_an_application_of_another_tenant_may_have_any_key() -> None:
    async def act(made: Stage) -> None:
        locked(made)
        certificate(made)
        made.pass_(hours=1)
        made.azure.faults.add(
            Fault(
                "graph.applications.get",
                "status",
                times=0,
                status=404,
                code="Request_ResourceNotFound",
                message="Not here.",
            )
        )
        result = await revoked(made)
        assert anything_pulls(made)
        assert result.exit_code == 1 and not result.summary.startswith("access is gone")

    scene(act)


def test_a_managed_identity_signs_in_without_any_credential() -> None:
    async def act(made: Stage) -> None:
        identity = made.seeded.identity
        principal = made.azure.directory.principal(identity.client_id)
        assert principal
        principal.federated.append(TRUST)
        made.with_policy(principal={"app_id": identity.client_id})
        made.azure.authorization.assign(made.seeded.registry_id, principal.id, "AcrPull", at_once=True)
        locked(made)
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (REMAINS, 1), made.told()
        assert "every resource with this identity" in notes(made, "managed_identity")[0].text
        assert str(TRUST["issuer"]) in notes(made, "federated_credential")[0].text

    scene(act)


@pytest.mark.parametrize("wait", [True, False])
def test_a_compromised_password_that_still_signs_in_is_told_first_although_it_pulls_no_more(wait: bool) -> None:
    async def act(made: Stage) -> None:
        await made.with_world(lambda run: compromise(run, [made.by_hand.key_id]))
        result = await made.with_world(lambda run: revoke(run, wait=wait))
        assert made.by_hand in made.credentials()
        assert result.exit_code == 1
        assert result.summary.startswith("COMPROMISED CREDENTIAL STILL WORKS: ")
        assert "`rotator revoke mycontainerregistry --credentials` does" in made.told()
        taken = await revoked(made)
        assert made.by_hand not in made.credentials()
        assert (taken.exit_code, taken.summary) == (0, NOBODY)

    scene(act)


def test_a_compromised_password_is_told_first_by_a_revocation_that_fails_and_by_a_grant() -> None:
    async def act(made: Stage) -> None:
        await made.with_world(lambda run: compromise(run, [made.by_hand.key_id]))
        made.azure.faults.add(Fault("keyvault.secrets.set", "status", status=403, code="Forbidden", times=0))
        failed = await made.with_world(revoke)
        made.azure.faults.clear()
        granted = await made.with_world(grant)
        for result in (failed, granted):
            assert result.exit_code == 1
            assert result.summary.startswith("COMPROMISED CREDENTIAL STILL WORKS: ")

    scene(act)
