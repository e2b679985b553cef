"""Tests of a secret's versions in Key Vault's answers: an answer without a valid version can't be read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rotator.clients.refusal import ODD
from rotator.clients.secret_versions import deleted_secret, listed_version, version_of

ID = "https://myvault.vault.azure.net/secrets/pull-pwd/0123"


def shown(**attributes: Any) -> dict[str, Any]:
    return {"id": ID, "attributes": {"created": 60, "enabled": True, **attributes}, "tags": {"a": "b"}}


def test_times_are_seconds_since_1970() -> None:
    version = listed_version(shown(exp=120, nbf=0))
    assert version.id == "0123" and version.enabled
    assert [version.created, version.expires, version.begins] == [
        datetime(1970, 1, 1, 0, minute, tzinfo=UTC) for minute in (1, 2, 0)
    ]
    assert version_of(shown()).expires is None


@pytest.mark.parametrize("seconds", [10**11 * 3, 10**18, 10**30, -(10**15), 1.5, True, "60", [60]])
@pytest.mark.parametrize("name", ["created", "exp", "nbf"])
def test_a_time_that_none_is_can_not_be_read(name: str, seconds: Any) -> None:
    with pytest.raises(ODD):
        listed_version(shown(**{name: seconds}))


@pytest.mark.parametrize(
    "item",
    [
        *({}, {"id": ID}, {"id": ID, "attributes": {}}, {"id": ID, "attributes": {"created": None}}),
        *({"attributes": {"created": 1}}, {**shown(), "id": "https://v/secrets/pull-pwd"}, {**shown(), "tags": [1]}),
    ],
)
def test_what_lacks_an_id_or_a_time_is_no_version(item: dict[str, Any]) -> None:
    with pytest.raises(ODD):
        listed_version(item)


def test_a_deleted_secret_that_can_not_be_recovered_is_none() -> None:
    found = deleted_secret({"recoveryId": f"{ID}", "deletedDate": 60, "tags": {"a": "b"}})
    assert (found.at, dict(found.tags)) == (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), {"a": "b"})
    with pytest.raises(ODD):
        deleted_secret({"deletedDate": 60})
