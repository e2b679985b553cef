"""Tests of receivers from the environment: accepted settings, and refusals that quote no address."""

import pytest

from rotator.notify import KeyVaultSecret, Receivers, Shape
from rotator.secret import Secret

ADDRESS = "https://prod-00.westeurope.logic.azure.com:443/workflows/0a1b/triggers/manual/paths/invoke?api-version=2016-06-01&sig=S3CRET"


def test_nothing_set_is_no_receiver() -> None:
    assert Receivers.read({}) == Receivers(None, Shape.cloudevents, None, ())
    assert Receivers.read({"ROTATOR_WEBHOOK": " ", "ROTATOR_PING": "", "ROTATOR_WEBHOOK_SHAPE": ""}) == Receivers()


def test_addresses_are_secrets_or_names_of_secrets() -> None:
    found = Receivers.read({"ROTATOR_WEBHOOK": f"{ADDRESS}\n", "ROTATOR_WEBHOOK_SHAPE": "teams", "ROTATOR_PING": "keyvault:https://myvault.vault.azure.net/secrets/ping-url"})  # fmt: skip
    assert found.webhook == Secret(ADDRESS)
    assert found.shape is Shape.teams
    assert found.ping == KeyVaultSecret("https://myvault.vault.azure.net", "ping-url")
    assert "S3CRET" not in repr(found)


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/S3CRET",
        "hooks.example.com/S3CRET",
        "https://",
        "https:///S3CRET",
        "https://user:S3CRET@hooks.example.com/",
        "https://hooks.example.com:0/S3CRET",
        "https://hooks.example.com:99999/S3CRET",
        "https://hooks.example.com/S3CRET x",
        "https://hooks.example.com/S3CRET\r\nHost: x",
        "https://[::1/S3CRET",
        "https://hooks.example.com/S3CRETé",
        "file:///etc/passwd#S3CRET",
        "keyvault:myvault/S3CRET",
        "keyvault:http://myvault.vault.azure.net/secrets/S3CRET",
        "keyvault:https://myvault.vault.azure.net/secrets/S3CRET/0123",
        "keyvault:https://myvault.vault.azure.net/secrets/",
    ],
)
@pytest.mark.parametrize("variable", ["ROTATOR_WEBHOOK", "ROTATOR_PING"])
def test_an_address_that_cannot_be_used_is_refused_by_the_name_of_its_variable(variable: str, address: str) -> None:
    with pytest.raises(ValueError, match=variable) as refused:
        Receivers.read({variable: address})
    assert "S3CRET" not in str(refused.value)


def test_a_command_is_split_into_words_as_a_shell_would_and_nothing_else_of_a_shell() -> None:
    assert Receivers.read({}, "/opt/tell 'two words' $HOME >x").hook == ("/opt/tell", "two words", "$HOME", ">x")
    with pytest.raises(ValueError, match="quotation mark"):
        Receivers.read({}, "tell 'it")


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="cloudevents, teams, slack"):
        Receivers.read({"ROTATOR_WEBHOOK_SHAPE": "discord"})
