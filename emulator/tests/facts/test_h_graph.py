"""Tests of throttling by Graph (azure-facts H): a client's budgets of resource units and writes, and the refusal beyond
them.
"""

from datetime import timedelta

import pytest
from local_azure.graph.budget import UNITS, WRITES
from tenancy import ALL, Answer, Tenancy, code

NOBODY = "4b6b3a9e-0000-4000-8000-000000000000"


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL)


def used(world: Tenancy, *, units: int = 0, writes: int = 0) -> None:
    """Record the given use in the caller's current windows."""
    assert world.call("GET", "/applications")[0] == 200
    spent = world.directory.state.spent[world.caller.app_id]
    spent.units, spent.writes = units, writes


def refused(answer: Answer) -> tuple[str, str]:
    assert code(answer) == (429, "TooManyRequests")
    return answer[2]["Retry-After"], answer[2]["x-ms-throttle-information"]


def test_h_a_client_has_3500_units_in_ten_seconds_and_is_told_how_long_to_wait(world: Tenancy) -> None:
    used(world, units=UNITS - 1)
    assert world.call("GET", "/applications")[0] == 200
    world.clock.advance(timedelta(seconds=4))
    answer = world.call("GET", "/applications")
    assert refused(answer) == ("6", "ResourceUnitLimitExceeded")
    assert answer[2]["x-ms-throttle-scope"].startswith(f"Tenant_Application/ReadWrite/{world.caller.app_id}/")
    world.clock.advance(timedelta(seconds=6))
    assert world.call("GET", "/applications")[0] == 200


def test_h_a_client_has_3000_writes_in_two_and_a_half_minutes_and_may_read_on(world: Tenancy) -> None:
    used(world, writes=WRITES - 1)
    application = world.directory.create_application("pull")
    path = f"/applications/{application.id}/addPassword"
    assert [
        world.call("POST", path, {})[0],
        world.call("POST", path, {})[0],
        world.call("GET", "/applications")[0],
    ] == [200, 429, 200]
    assert refused(world.call("POST", path, {})) == ("150", "WriteLimitExceeded")
    assert len(application.passwords) == 1
    world.clock.advance(timedelta(seconds=150))
    assert world.call("POST", path, {})[0] == 200


def test_h_the_percentage_is_told_from_four_fifths_on(world: Tenancy) -> None:
    used(world, units=int(UNITS * 0.7))
    assert "x-ms-throttle-limit-percentage" not in world.call("GET", "/applications")[2]
    used(world, units=int(UNITS * 0.9))
    assert world.call("GET", "/applications")[2]["x-ms-throttle-limit-percentage"] == "0.9"


def test_h_one_clients_budget_is_not_anothers_and_refusals_cost_too(world: Tenancy) -> None:
    used(world, units=UNITS)
    assert world.call("GET", "/applications")[0] == 429
    world.directory.state.spent["somebody else"] = world.directory.state.spent.pop(world.caller.app_id)
    before = world.call("GET", f"/applications/{NOBODY}")[0]
    assert (before, world.directory.state.spent[world.caller.app_id].units) == (404, 1)


def test_h_each_request_of_a_batch_is_counted_by_itself(world: Tenancy) -> None:
    used(world, units=UNITS - 2)
    requests = [{"id": str(number), "method": "GET", "url": f"/applications/{NOBODY}"} for number in range(3)]
    found = world.call("POST", "/$batch", {"requests": requests})[1]["responses"]
    assert [each["status"] for each in found] == [404, 404, 429]
    assert "Retry-After" in found[2]["headers"]


@pytest.mark.parametrize("calls", [20])
def test_h_nothing_else_throttles(world: Tenancy, calls: int) -> None:
    assert {world.call("GET", "/applications")[0] for _ in range(calls)} == {200}
