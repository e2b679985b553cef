"""Tests of the removal of a new credential: gone means refused by Entra, not absent from reads of Graph."""

from collections.abc import Callable

import pytest
from local_azure.faults import Fault
from local_azure.wire import Request

from tests.engine.test_life import forced, ours, settled
from tests.stage import SECRET, Stage

ADD, SET, PROVE, READ, REMOVE, UPDATE = (
    "graph.applications.addPassword",
    "keyvault.secrets.set",
    "acr.manifests.head",
    "graph.applications.get",
    "graph.applications.removePassword",
    "keyvault.secrets.update",
)
NOT_KNOWN = {"kind": "status", "status": 400, "code": "Request_BadRequest", "message": "No password credential found."}


def _revoked(made: Stage) -> None:
    """Revoke access, as another process does."""
    made.azure.vaults.set("myvault", made.policy.access_secret, "[]", tags={"rotator-access": "revoked"})


def _unread(made: Stage) -> None:
    """Let no read of the application show a password."""
    made.azure.faults.add(Fault(READ, "changed", times=0, argument="passwordCredentials=[]"))


def _unremovable(made: Stage) -> None:
    """Hide the password from reads, and refuse its removal as an unknown key."""
    _unread(made)
    made.azure.faults.add(Fault(REMOVE, times=0, **NOT_KNOWN))  # type: ignore[arg-type]


def _unmarkable(made: Stage) -> None:
    """Let no version be changed."""
    made.azure.faults.add(Fault(UPDATE, "status", times=0, status=403, code="Forbidden", message="Not allowed."))


def _neither(made: Stage) -> None:
    """Refuse both the removal of the password and marks on versions."""
    _unremovable(made)
    _unmarkable(made)


def _meets(made: Stage, happens: Callable[[Stage], None]) -> None:
    """Revoke during a publication, with another event at once."""

    def strike(number: int, operation: str, request: Request) -> None:
        if operation == SET and request.path.startswith(f"/secrets/{SECRET}"):
            made.after.remove(strike)
            _revoked(made)
            happens(made)

    made.after.append(strike)


@pytest.mark.parametrize("happens", [_unread, _unremovable])
def test_a_credential_of_a_revoked_policy_is_removed_or_told_to_authenticate(happens: Callable[[Stage], None]) -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        _meets(made, happens)
        result = await made.rotate(forced(made))
        assert result.exit_code != 0
        newest = max(made.versions(), key=lambda version: version.order)
        assert not newest.enabled
        left = [key_id for key_id in ours(made) if key_id != old]
        if happens is _unread:
            assert left == []
            assert "is removed again" in made.told()
        else:
            assert f"Credential {left[0]} may still authenticate" in made.told()
            assert "removed" not in made.told()

    settled(scene)


@pytest.mark.parametrize("happens", [_unremovable, _unmarkable, _neither])
def test_a_publication_that_met_a_revocation_tells_all_that_it_could_not_undo(happens: Callable[[Stage], None]) -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        _meets(made, happens)
        assert (await made.rotate(forced(made))).exit_code == 1
        told, newest = made.told(), max(made.versions(), key=lambda version: version.order)
        left = [key_id for key_id in ours(made) if key_id != old]
        assert [f"Credential {key_id} may still authenticate." in told for key_id in left] == [True] * len(left)
        assert bool(left) == (happens is not _unmarkable)
        assert (f"Version {newest.id} is not known to be disabled." in told) == newest.enabled
        assert newest.enabled == (happens is not _unremovable)
        assert "could not undo all of it" in told and "rotator revoke mycontainerregistry --credentials" in told

    settled(scene)


def test_a_credential_that_fails_its_proof_and_is_not_listed_is_told_to_authenticate() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)

        def strike(number: int, operation: str, request: Request) -> None:
            if operation == ADD:
                made.after.remove(strike)
                _unremovable(made)
                made.azure.faults.add(Fault(PROVE, times=0, kind="status", status=500))

        made.after.append(strike)
        result = await made.rotate(forced(made))
        assert result.exit_code == 1
        (left,) = [key_id for key_id in ours(made) if key_id != old]
        assert f"{left} was added and could not be removed" in made.told()

    settled(scene)
