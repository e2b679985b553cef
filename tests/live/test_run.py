"""Tests of a whole run against the emulator: its findings, its remains, and its report."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from live.azure import Stopped
from live.claims import Outcome
from live.facts import CHECKS, UNSHOWN
from live.marks import PREFIX, TAG, place
from live.report import Report, as_json, as_text
from live.run import Refused
from tests.leaks import found as leaked
from tests.live.bridge import GROUP, OTHER, Local

FEW = ("F3", "E8")
NOT_EMULATED = ("A14",)
"""Facts about requests that the emulator answers with 501."""


def things(local: Local) -> set[str]:
    """Return the names in the emulator's state."""
    directory, resources = local.azure.directory.state, local.azure.resources.state
    return {
        *(f"application {each.display_name}" for each in directory.applications.values()),
        *(f"principal {each.display_name}" for each in directory.principals.values()),
        *(each.id for each in resources.groups.values() if each.gone_at is None),
        *resources.resources,
        *resources.locks,
        *(f"deleted {name}" for name in resources.deleted_vaults),
        *local.azure.container_groups.state.groups,
        *local.azure.authorization.state.assignments,
    }


@dataclass
class Whole:
    """One whole run, with the names before it and its report."""

    local: Local
    before: set[str]
    report: Report


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    local = Local()
    before = things(local)
    with pytest.MonkeyPatch.context() as patch:
        return Whole(local, before, local.bridge(tmp_path_factory.mktemp("live"), patch).play([*CHECKS, *UNSHOWN]))


@pytest.mark.xdist_group("live")
def test_every_fact_holds_and_the_chain_is_played_to_its_end(whole: Whole) -> None:
    outcomes = {found.fact: found.outcome for found in whole.report.findings}
    unseen = dict.fromkeys((*UNSHOWN, *NOT_EMULATED), Outcome.NOT_SEEN)
    assert outcomes == {**dict.fromkeys(CHECKS, Outcome.HOLDS), **unseen}
    verbs = [step.name.split()[1] for step in whole.report.steps]
    assert verbs == ["provision", "plan", "rotate", "revoke", "grant", "rotate"]
    assert whole.report.good


@pytest.mark.xdist_group("live")
def test_a_run_leaves_nothing_and_takes_nothing_away(whole: Whole) -> None:
    assert things(whole.local) == whole.before


@pytest.mark.xdist_group("live")
def test_no_report_shows_a_secret_or_whose_subscription_it_is(whole: Whole) -> None:
    texts = {"json": as_json(whole.report), "text": as_text(whole.report), "told": "\n".join(whole.local.told)}
    assert leaked(whole.local.azure.directory.state.secrets, texts) == []
    assert whole.local.seeded.subscription not in texts["json"] + texts["text"]
    assert {fact["fact"] for fact in json.loads(texts["json"])["facts"]} == {*CHECKS, *UNSHOWN}


class Interrupting:
    """Interruption at one request, and at each from another one on."""

    def __init__(self, first: int, again: int = 10**9) -> None:
        self.first, self.again, self.seen = first, again, 0

    def __call__(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        self.seen += 1
        if self.seen == self.first or self.seen >= self.again:
            raise KeyboardInterrupt
        return answer


@pytest.mark.parametrize("request_number", [7, 12, 20, 28])
def test_an_interrupted_run_removes_what_it_made(tmp_path: Path, request_number: int) -> None:
    local = Local(Interrupting(request_number))
    before = things(local)
    report = local.bridge(tmp_path).play(FEW)
    assert (report.interrupted, report.left, report.good) == (True, [], False)
    assert things(local) == before


def test_what_a_killed_run_left_is_found_and_removed_later(tmp_path: Path) -> None:
    local = Local(Interrupting(24, again=25))
    before = things(local)
    report = local.bridge(tmp_path).play(FEW)
    assert report.left
    assert things(local) != before
    local.wire.client = local.client(None)
    assert local.removal().clear(local.told.append) == []
    assert things(local) == before


def test_a_run_refuses_a_group_that_it_did_not_make(tmp_path: Path) -> None:
    local = Local()
    group = f"/subscriptions/{local.seeded.subscription}/resourceGroups/{GROUP}"
    local.wire.arm("PUT", group, {"location": "eastus", "tags": {"owner": "somebody"}})
    before = things(local)
    with pytest.raises(Refused, match=GROUP):
        local.bridge(tmp_path).play(FEW)
    assert local.removal().look() == []
    assert things(local) == before


def test_a_group_of_an_earlier_run_is_taken_and_removed(tmp_path: Path) -> None:
    local = Local()
    before = things(local)
    local.scene()
    assert local.bridge(tmp_path, run=OTHER).play(FEW).good
    assert things(local) == before


def test_what_others_put_into_the_group_stays_and_the_group_with_it(tmp_path: Path) -> None:
    local = Local()
    scene = local.scene()
    theirs = f"{scene.group_path}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/theirs"
    local.wire.arm("PUT", theirs, {"location": "eastus"})
    kept = things(local)
    scene.identity()
    assert local.removal().clear(local.told.append) == []
    assert things(local) == kept


@pytest.mark.parametrize(
    "name", [f"{PREFIX}00000000-0a1b2c-puller", "{own}-0a1b2c", "{own}-0a1b2c-Not Ours", "my-{own}-0a1b2c-puller"]
)
def test_an_application_with_another_name_stays(name: str) -> None:
    local = Local()
    own = f"{PREFIX}{place(local.seeded.subscription, GROUP)}"
    local.azure.directory.create_application(name.format(own=own))
    before = things(local)
    assert local.removal().clear(local.told.append) == []
    assert things(local) == before


def test_a_resource_of_another_group_with_the_tag_stays() -> None:
    local = Local()
    scene = local.scene()
    other = scene.group_path.replace(f"/{GROUP}", "/other")
    local.wire.arm("PUT", other, {"location": "eastus", "tags": {TAG: scene.marks.mark}})
    local.removal().clear(local.told.append)
    assert other.lower() in {each.lower() for each in things(local)}


def test_a_run_ends_when_its_hours_are_over_and_says_what_was_not_played(tmp_path: Path) -> None:
    local = Local()
    bridge = local.bridge(tmp_path)
    bridge.tell = lambda text: local.clock.sleep(4 * 3600)
    report = bridge.play(["F5", "F3"])
    assert [found.outcome for found in report.findings] == [Outcome.HOLDS, Outcome.NOT_SEEN]
    assert "hours were over" in as_text(report)


def test_a_provider_that_is_not_registered_is_named_before_anything_is_made(tmp_path: Path) -> None:
    def unregistered(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/Microsoft.KeyVault"):
            return httpx.Response(200, json={"registrationState": "NotRegistered"}, request=request)
        return answer

    local = Local(unregistered)
    before = things(local)
    with pytest.raises(Refused, match=r"az provider register --namespace Microsoft\.KeyVault"):
        local.bridge(tmp_path).play(FEW)
    assert things(local) == before


def test_a_vault_that_cannot_be_made_is_no_fact_about_vaults(tmp_path: Path) -> None:
    def full(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.method == "PUT" and "/vaults/" in request.url.path:
            error = {"code": "QuotaExceeded", "message": "no more vaults"}
            return httpx.Response(409, json={"error": error}, request=request)
        return answer

    report = Local(full).bridge(tmp_path).play(["E2", "F3"])
    assert [found.outcome for found in report.findings] == [Outcome.NOT_SEEN, Outcome.HOLDS]
    assert "QuotaExceeded" in as_text(report)


def test_an_answer_that_differs_is_in_the_report_without_its_secrets(tmp_path: Path) -> None:
    def told(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/addPassword"):
            return httpx.Response(200, json={**answer.json(), "hint": "xyz"}, request=request)
        return answer

    local = Local(told)
    report = local.bridge(tmp_path).play(["C1"])
    texts = {"json": as_json(report), "text": as_text(report)}
    assert report.findings[0].outcome == Outcome.DIFFERS
    assert '"hint": "xyz"' in texts["text"]
    assert leaked(local.azure.directory.state.secrets, texts) == []


def test_a_request_that_is_throttled_is_sent_again_after_the_time_that_azure_names() -> None:
    seen = list[str]()

    def once(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        seen.append(request.method)
        return answer if len(seen) > 1 else httpx.Response(429, headers={"Retry-After": "17"}, request=request)

    local = Local(once)
    began = local.clock.elapsed()
    assert local.wire.arm("GET", f"/subscriptions/{local.seeded.subscription}").status == 200
    assert (len(seen), local.clock.elapsed() - began) == (2, 17)


def test_a_time_to_wait_that_is_a_date_is_waited_for_like_none() -> None:
    seen = list[str]()

    def once(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        seen.append(request.method)
        date = {"Retry-After": "Mon, 02 Mar 2026 12:00:00 GMT"}
        return answer if len(seen) > 1 else httpx.Response(503, headers=date, request=request)

    local = Local(once)
    assert local.wire.arm("GET", f"/subscriptions/{local.seeded.subscription}").status == 200
    assert local.clock.elapsed() == 2


def test_no_answer_stops_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    def broken(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/manifests/v1"):
            raise httpx.ReadTimeout("", request=request)
        return answer

    report = Local(broken).bridge(tmp_path).play(["A1", "F3"])
    assert [found.outcome for found in report.findings] == [Outcome.NOT_SEEN, Outcome.HOLDS]
    assert "ReadTimeout" in as_text(report)


def test_a_subscription_that_cannot_be_read_stops_the_run_before_anything_is_made(tmp_path: Path) -> None:
    def refused(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        return httpx.Response(403, json={"error": {"code": "AuthorizationFailed", "message": ""}}, request=request)

    local = Local(refused)
    before = things(local)
    with pytest.raises(Stopped, match="AuthorizationFailed"):
        local.bridge(tmp_path).play(FEW)
    assert things(local) == before
