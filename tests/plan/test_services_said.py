"""Tests of groups that count as jobs and look like services: a note asks about each by name, whatever the evidence."""

import itertools
from typing import Any

from rotator.container_group.interpretation import LONG
from rotator.plan import next_steps
from tests.plan.test_plan import world

WORLD: dict[str, Any] = {
    "credentials": [{"key": "a", "end": "+80d"}],
    "versions": [{"id": "v1", "holds": "a"}],
}
ADDRESSES: dict[str, tuple[dict[str, Any], bool]] = {
    "none": ({}, False),
    "public": ({"type": "Public", "ports": [{"port": 22}]}, True),
    "in small letters": ({"type": "public", "ports": [{"port": 53, "protocol": "udp"}]}, True),
    "private": ({"type": "Private", "ports": [{"port": 80}]}, False),
    "without ports": ({"type": "Public", "ports": []}, False),
}
RUNNING = {"-1h": False, "-13d": False, f"-{LONG.days}d": True, "-200d": True}
"""Starts of the running container, each with true if it suggests a service."""


def asked(address: dict[str, Any], **group: Any) -> str:
    """Return the question about the group; empty for none."""
    said = {name: group.pop(name) for name in ("runs", "when_finished") if name in group}
    properties = {"properties": {"ipAddress": address}} if address else {}
    shown = {"id": "sftp", "holds": "a", "since": "-300d", **group, **properties}
    policy, observed, *_ = world({**WORLD, "policy": {"groups": [{"id": "sftp", **said}]}, "groups": [shown]})
    return " ".join(note.text for note in next_steps(policy, observed).notes if note.code == "service_or_job")


def test_evidence_of_each_kind_asks_unless_the_policy_or_the_restart_policy_says_it() -> None:
    for restart, (how, (address, port)), (started, long), said in itertools.product(
        ("OnFailure", "Never", "onfailure", "Always"),
        ADDRESSES.items(),
        RUNNING.items(),
        ({}, {"runs": "service"}, {"runs": "job"}, {"when_finished": "redeploy"}),
    ):
        question = asked(address, restart=restart, started=started, **said)
        expected = restart != "Always" and "runs" not in said and (port or long)
        assert (restart, how, started, said, bool(question)) == (restart, how, started, said, expected)
        if expected:
            assert ("public port" in question, "running for" in question) == (port, long)
            assert "`runs: service`" in question and "`runs: job`" in question


def test_a_group_that_has_ended_or_was_stopped_shows_no_weeks_of_running() -> None:
    for state in ("finished", "stopped", "crashing", "starting", "pull_failed"):
        assert asked({}, restart="OnFailure", started="-200d", state=state) == ""
