"""Tests of secrecy in the clients: no secret in a log at debug level, in an exception or its causes, or in a repr."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_azure.virtual import run

from rotator.errors import AzureError
from rotator.state import Home, Secret
from tests.clients.scene import PASSWORD, Scene, set_up, sign_in
from tests.clients.test_faults import END, ONCE, REPEATED, VALUE


def _secrets(at: Scene) -> set[str]:
    stored = at.azure.container_groups.stored(at.group_id)["properties"]["imageRegistryCredentials"][0]["password"]
    tokens = {held.text for held in at.world.token._held.values()}
    return {*at.azure.directory.every_secret(), VALUE, stored, *tokens}


def _shown(error: BaseException) -> str:
    """Return the text of an exception and its causes, as a person or a crash reporter sees them."""
    chain, seen = [error], []
    while chain:
        each = chain.pop()
        seen += [
            "".join(traceback.TracebackException.from_exception(each, capture_locals=False).format()),
            repr(vars(each)),
            repr(each.args),
        ]
        chain += [other for other in (each.__cause__, each.__context__) if other]
    return "\n".join(seen)


async def _everything(at: Scene) -> list[BaseException]:
    """Call every method, without faults and with every write's answer lost or refused; return the errors."""
    calls: list[Callable[[Scene], Awaitable[Any]]] = [*REPEATED.values(), *ONCE.values()]
    errors: list[BaseException] = []
    faults: list[tuple[str, str, dict[str, Any]]] = [
        (name, "lost", {"when": "after", "times": 0}) for name in (*REPEATED, *ONCE)
    ]
    told = {"keyvault.secrets.set": VALUE, "aci.containerGroups.createOrUpdate": at.password.secret}
    faults += [
        (name, "status", {"status": 400, "code": "BadRequest", "message": f"Can't read '{value}'."})
        for name, value in told.items()
    ]
    for operation, kind, rest in [("none", "reset", {}), *faults]:
        at.fault(operation, kind, **rest)
        for call in calls:
            try:
                await call(at)
            except AzureError as error:
                errors.append(error)
        at.azure.faults.clear()
    return errors


def test_no_secret_is_logged_or_raised(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def main(loop: Any) -> None:
        async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as at:
            at.azure.vaults.set("myvault", PASSWORD, at.password.secret)
            at.deploy()
            errors = [await _failure(at), *await _everything(at)]
            shown = "\n".join((caplog.text, *map(_shown, errors), repr(at.world.__dict__), repr(vars(at.world.token))))
            found = [secret for secret in _secrets(at) if secret in shown]
            assert len(errors) > 20 and "azure.core" in caplog.text and "httpx" in caplog.text
            assert not found, f"{len(found)} secrets were shown"

    caplog.set_level(logging.DEBUG)
    run(main)


async def _failure(at: Scene) -> BaseException:
    """Return the error after a refusal in which Azure repeats a piece of our body."""
    at.fault("keyvault.secrets.set", status=400, code="BadParameter", message=f"Property '{VALUE}' is invalid.")
    with pytest.raises(AzureError) as refused:
        await at.world.publish(at.policy, Secret(VALUE), END, None, ())
    at.azure.faults.clear()
    assert "Property '***' is invalid" in str(refused.value)
    assert refused.value.__cause__ is None and refused.value.__context__ is None
    return refused.value


def test_an_issued_secret_is_not_in_its_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(loop: Any) -> None:
        async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as at:
            principal = (await at.world.observe(at.policy)).principal
            issued = await at.world.add_password(principal, Home.APPLICATION, "rotator:abc:1", END)
            assert issued.secret.reveal() not in repr(issued)

    run(main)
