"""Tests of every case of the planner as the services' lists show it: the parts hidden in lists are known by name."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache

from rotator.container_group import concerned
from rotator.plan import View, fingerprint, next_due, next_steps, plan, unrest
from rotator.policy import Policy
from rotator.state import ContainerGroup, Observed
from rotator.steps import NOTHING_KNOWN, Intent, Next
from tests.plan.test_plan import cases, world

HIDDEN = {
    "disable is due": "an older version is still enabled",
    "forward_only": "a group's events show a failed pull",
    "not_settled": "a group's containers have not started",
    "not everything could be read": "the list of versions lags",
}
"""Findings of a full look alone, each with the reason why lists don't show it."""


def listed(policy: Policy, observed: Observed, intent: Intent) -> View:
    """Return the world as the services' lists show it."""
    newest = View(policy, observed, intent).newest
    versions = (replace(newest, id=""),) if newest else ()
    found = tuple(each for group in observed.groups if (each := concerned(policy, _without_view(group))))
    shown = replace(observed, versions=versions, latest="", versions_complete=True, groups=(), hiding=(), registries=())
    return View(policy, shown, intent, NOTHING_KNOWN, found)


def _without_view(group: ContainerGroup) -> ContainerGroup:
    document = deepcopy(dict(group.document)) if group.document is not None else None
    for part in [document, *((document or {}).get("properties", {}).get("containers", []))]:
        ((part or {}).get("properties") or {}).pop("instanceView", None)
    return replace(group, document=document)


@cache
def _worlds() -> tuple[tuple[str, View, View], ...]:
    """Return every case of the planner, as a look and as the lists show it."""

    def made() -> Iterator[tuple[str, View, View]]:
        for case in cases():
            policy, observed, intent, _ = world(case.values[0])
            yield str(case.id), View(policy, observed, intent), listed(policy, observed, intent)

    return tuple(made())


def test_a_look_that_finds_rest_finds_nothing_to_do_and_nothing_to_tell() -> None:
    found = [(name, full) for name, full, _ in _worlds() if not unrest(full)]
    assert found
    for name, full in found:
        following = next_steps(full.policy, full.observed, full.intent)
        assert following == Next(), name
        unfolded = plan(full.policy, full.observed, full.intent)
        assert (unfolded.batches, unfolded.waits, unfolded.notes) == ((), (), ()), name


def test_lists_show_every_case_at_rest_as_it_is() -> None:
    """Otherwise no policy would ever rest: a look's fingerprint must equal the lists'."""
    for name, full, lists in _worlds():
        if not unrest(full):
            assert (unrest(lists), fingerprint(lists)) == ("", fingerprint(full)), name
            due = [next_due(each.policy, each.observed, Next()) for each in (full, lists)]
            assert due[0] == due[1], name


def test_lists_hide_nothing_but_older_versions_and_the_life_of_groups() -> None:
    hidden = {why: name for name, full, lists in _worlds() if not unrest(lists) and (why := unrest(full))}
    assert hidden.keys() == HIDDEN.keys(), hidden
