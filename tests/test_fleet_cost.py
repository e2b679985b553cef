"""Test of a run with nothing due: its requests are those for the services' lists, for any number of policies."""

from tests.fleet_cost import fewest, measured
from tests.fleets import SUBSCRIPTIONS

SIZE = 60


def test_a_run_with_nothing_due_reads_each_list_once() -> None:
    found = measured(SIZE, memory=False)
    assert found["rested"] == SIZE
    asked = sum(found["requests"].values())
    assert asked <= 1.2 * sum(fewest(SIZE).values())
    assert found["requests"]["graph.batch"] == 1
    assert found["requests"]["aci.containerGroups.list"] <= 2 * SUBSCRIPTIONS
