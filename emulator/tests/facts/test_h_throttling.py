"""Tests of throttling (azure-facts H): the budgets of Resource Manager and Key Vault, on the emulator's clock."""

from datetime import timedelta

import pytest
from management import ARM, REGISTRY, SUBSCRIPTION, VAULT_URL, World

READ = f"{ARM}{REGISTRY}?api-version=2023-07-01"
LEFT = "x-ms-ratelimit-remaining-subscription"


@pytest.fixture
def world() -> World:
    return World()


def test_h_reads_come_from_a_bucket_of_250_that_fills_by_25_a_second(world: World) -> None:
    left = [int(world.owner.call("GET", READ).headers[f"{LEFT}-reads"]) for _ in range(250)]
    assert left == list(range(249, -1, -1))
    answer = world.owner.call("GET", READ)
    assert (answer.status, answer.body["error"]["code"], answer.headers["Retry-After"]) == (
        429,
        "SubscriptionRequestsThrottled",
        "1",
    )
    assert answer.body["error"]["message"].startswith(
        f"Number of 'read' requests for subscription '{SUBSCRIPTION}' actor '{world.owner.oid}' exceeded."
    )
    assert answer.headers[f"{LEFT}-reads"] == "0"
    world.clock.advance(timedelta(seconds=2))
    assert world.owner.call("GET", READ).headers[f"{LEFT}-reads"] == "49"
    world.clock.advance(timedelta(hours=1))
    token = world.owner.call("GET", READ)
    assert token.headers[f"{LEFT}-reads"] == "249"


def test_h_writes_and_deletes_have_buckets_of_200_of_their_own(world: World) -> None:
    lock = f"{ARM}{REGISTRY}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01"
    write = world.owner.call("PUT", lock, {"properties": {"level": "ReadOnly"}})
    assert (write.headers[f"{LEFT}-writes"], write.headers[f"{LEFT}-global-writes"]) == ("199", "2999")
    statuses = [world.owner.call("DELETE", lock).status for _ in range(201)]
    assert (statuses[0], statuses[1:200], statuses[200]) == (200, [204] * 199, 429)
    assert world.owner.call("PUT", lock, {"properties": {"level": "ReadOnly"}}).headers[f"{LEFT}-writes"] == "198"


def test_h_each_caller_has_a_budget_of_its_own_in_each_subscription(world: World) -> None:
    other = world.identity("other")
    world.authorization.assign(f"/subscriptions/{SUBSCRIPTION}", other.oid, "Reader")
    for _ in range(251):
        world.owner.call("GET", READ)
    assert world.owner.call("GET", READ).status == 429
    assert other.call("GET", READ).headers[f"{LEFT}-reads"] == "249"
    assert world.owner.call("GET", f"{ARM}/subscriptions?api-version=2022-12-01").status == 200


def test_h_a_vault_takes_four_thousand_requests_in_ten_seconds(world: World) -> None:
    vault = world.resources.vault("myvault.vault.azure.net")
    assert vault
    for _ in range(4000):
        world.vaults.gate.spend(vault, creating=False)
    read = f"{VAULT_URL}/secrets?api-version=7.4"
    answer = world.owner.call("GET", read)
    assert (answer.status, answer.body["error"]["code"]) == (429, "Throttled")
    world.clock.advance(timedelta(seconds=10))
    assert world.owner.call("GET", read).status == 200


def test_h_every_answer_of_resource_manager_can_be_traced(world: World) -> None:
    headers = world.owner.call("GET", READ).headers
    assert {"x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id"} <= set(headers)
    assert headers["x-ms-routing-request-id"].startswith("EASTUS:20260301T120500Z:")
    again = world.owner.call("GET", READ).headers
    assert again["x-ms-request-id"] != headers["x-ms-request-id"]
