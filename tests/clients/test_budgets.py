"""Tests of Azure's limits on requests, as buckets: shared by the process, never exceeded, the most urgent request
first.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from local_azure.inprocess import pause
from local_azure.virtual import VirtualLoop, run
from yarl import URL

from rotator.clients.azuretime import AzureTime
from rotator.clients.buckets import Counter, Redeployments, Store
from rotator.clients.budgets import HEEDED, UNSAID, Budgets
from rotator.clients.counted_request import Hosts, Sent
from rotator.clients.wire import Gate, Limit
from rotator.errors import Throttled
from rotator.ports import PasswordChange, Publication, Redeployment, Write
from rotator.rate_limits import ALL_CREATIONS, GRAPH_UNITS, LONGEST, REDEPLOYMENTS, Refill, Window
from rotator.resource_id import ResourceId
from rotator.state import Home, Principal
from tests.stage import Clock
from tests.worlds import policy

SUB = "11111111-1111-1111-1111-111111111111"
ARM, GRAPH, VAULT = "management.azure.com", "graph.microsoft.com", "myvault.vault.azure.net"
LEFT = "x-ms-ratelimit-remaining-subscription"
NO_PATIENCE, PATIENT = 0.0, 7200.0


def group(name: str = "app") -> str:
    return f"/subscriptions/{SUB}/resourcegroups/rg/providers/microsoft.containerinstance/containergroups/{name}"


def moved(name: str = "app") -> Redeployment:
    return Redeployment(ResourceId.parse(group(name)))


def put(name: str = "app") -> Sent:
    return Sent.of("PUT", URL(f"https://{ARM}{group(name)}?api-version=2025-09-01"))


def budgets(loop: VirtualLoop) -> Budgets:
    return Budgets(Clock(loop), Hosts(GRAPH, ARM, ".vault.azure.net"))


def answered(kept: Budgets, sent: Sent, status: int = 200, **headers: Any) -> None:
    """Record an answer with headers, whose names have _ for -."""
    said = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    asked = said.get("Retry-After")
    kept.hear(sent, status, said, float(asked) if asked else None)


# buckets


def test_a_store_gives_what_is_there_and_then_what_comes_back() -> None:
    store = Store(Refill(3, 2.0))
    for _ in range(3):
        assert store.wait(100.0) <= 0
        store.spend(100.0)
    assert store.wait(100.0) == 0.5
    assert store.wait(100.5) == 0
    store.learn(100.5, 0)
    assert store.wait(100.5) == 0.5
    assert store.wait(1000.0) <= 0
    store.learn(1000.0, 99)
    store.spend(1000.0, 3)
    assert store.wait(1000.0) == 0.5, "it holds no more than its limit"


def test_a_window_slides() -> None:
    counter = Counter(Window(2, 10.0))
    counter.spend(0.0)
    counter.spend(4.0)
    assert counter.wait(4.0) == 6
    assert counter.wait(10.0) == 0
    counter.spend(10.0)
    assert counter.wait(10.0) == 4


def test_what_others_use_counts_until_the_window_is_over_or_azure_says_less() -> None:
    counter = Counter(Window(3, 10.0))
    counter.spend(0.0)
    counter.learn(1.0, 0)
    assert counter.wait(1.0) == 9
    counter.learn(2.0, 1)
    assert counter.wait(2.0) == 0
    counter.learn(3.0, 0)
    assert counter.wait(10.0) == 0, "our own is over"
    counter.learn(3.0, 2)
    assert counter.wait(3.0) == 0


@pytest.mark.parametrize(
    ("sent", "left", "seconds"),
    [([0.0] * 99, {}, 0.0), ([0.0] * 100, {}, 300.0), ([0.0] * 100 + [300.0] * 100 + [600.0] * 100, {}, 3600.0)],
    ids=["one is left", "none is left in five minutes", "none is left in the hour"],
)
def test_redeployments_have_two_windows(sent: list[float], left: Mapping[str, int], seconds: float) -> None:
    limits = Redeployments(REDEPLOYMENTS)
    for at in sent:
        limits.sent(at, "")
    limits.learn(0.0, left)
    now = max(sent)
    assert now + limits.wait(now) == max(seconds, now)


def test_what_is_held_is_spoken_for_until_it_is_sent_or_given_back() -> None:
    limits = Redeployments({"pt5m": Window(2, 300.0)})
    limits.hold("a")
    limits.hold("a")
    assert limits.wait(0.0) == 0
    limits.hold("b")
    assert limits.wait(0.0) == 300
    limits.waive("b")
    assert limits.wait(0.0) == 0
    limits.sent(5.0, "a")
    limits.hold("b")
    assert limits.wait(5.0) == 300
    assert limits.wait(305.0) == 0, "what was sent is over, and one is held"


# permits


def test_permits_are_given_to_the_most_urgent_first_and_never_beyond_the_limit() -> None:
    order: list[tuple[str, float]] = []

    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        start = loop.time()

        async def one(name: str, urgency: float) -> None:
            assert await kept.permit(moved(name), urgency=urgency, patience=PATIENT) == 0
            order.append((name, loop.time() - start))
            answered(kept, put(name))

        for number in range(100):
            await one(f"early-{number}", 5.0)
        late = [one("relaxed", 9.0), one("compromised", 0.0), one("near", 3.0)]
        await asyncio.gather(*late, *(one(f"other-{n}", 7.0) for n in range(297)))

    run(main)
    times, by_name = [at for _, at in order], dict(order)
    assert by_name["compromised"] == by_name["near"] == times[100] < times[300], "they are among the first hundred"
    assert by_name["relaxed"] == times[-1]
    assert all(times[n + 100] >= times[n] + 300 for n in range(300))
    assert all(times[n + 300] >= times[n] + 3600 for n in range(100))
    assert times[-1] < 3700, "and no later than the limits want"


def test_who_has_no_time_is_told_how_long_it_takes_and_holds_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        for number in range(100):
            assert await kept.permit(moved(f"g{number}"), urgency=1.0, patience=NO_PATIENCE) == 0
        assert await kept.permit(moved("g7"), urgency=1.0, patience=NO_PATIENCE) == 0, "it holds one already"
        assert await kept.permit(moved(), urgency=0.0, patience=299) == 300
        kept.waive(moved("g7"))
        assert await kept.permit(moved(), urgency=0.0, patience=NO_PATIENCE) == 0

    run(main)


def test_another_subscription_has_a_limit_of_its_own() -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        answered(kept, put(), 429, Retry_After=200)
        there = group().replace(SUB, "22222222-2222-2222-2222-222222222222")
        assert await kept.permit(Redeployment(ResourceId.parse(there)), urgency=1.0, patience=NO_PATIENCE) == 0
        assert await kept.permit(moved(), urgency=1.0, patience=NO_PATIENCE) == 200

    run(main)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({f"{LEFT}_resource_requests_pt5m".replace("-", "_"): 0}, 300.0),
        ({f"{LEFT}_resource_requests_pt1h".replace("-", "_"): 0}, 3600.0),
        ({f"{LEFT}_resource_requests_pt1h".replace("-", "_"): 1}, 0.0),
        ({f"{LEFT}_resource_requests_pt1h".replace("-", "_"): "none"}, 0.0),
    ],
)
def test_the_rest_that_azure_tells_counts_for_other_machines(headers: dict[str, Any], seconds: float) -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        answered(kept, put(), 200, **headers)
        assert await kept.permit(moved("next"), urgency=1.0, patience=NO_PATIENCE) == seconds

    run(main)


@pytest.mark.parametrize(
    ("asked", "seconds"), [(77, 77), (10**9, LONGEST), (None, UNSAID)], ids=["said", "for ever", "unsaid"]
)
def test_a_refused_redeployment_stops_the_others_and_counts_for_none(asked: int | None, seconds: float) -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        answered(kept, put(), 429, **({} if asked is None else {"Retry_After": asked}))
        assert await kept.permit(moved(), urgency=1.0, patience=NO_PATIENCE) == seconds
        assert await kept.permit(moved(), urgency=1.0, patience=PATIENT) == 0

    run(main)


def test_after_a_refusal_one_goes_alone_and_its_answer_tells_how_many_may_follow() -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        answered(kept, put(), 429, Retry_After=77, **{f"{LEFT}-resource-requests-pt5m": 0})
        begun, went = loop.time(), dict[str, float]()

        async def one(name: str) -> None:
            assert await kept.permit(moved(name), urgency=1.0, patience=PATIENT) == 0
            went[name] = loop.time() - begun
            await pause(20)
            answered(kept, put(name), 200, **{f"{LEFT}-resource-requests-pt5m": 1 if name == "a" else 0})

        await asyncio.gather(*map(one, "abc"))
        assert [round(went[name]) for name in "ab"] == [77, 97] and went["c"] > 300

    run(main)


def test_a_redeployment_without_an_answer_counts() -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        for number in range(100):
            kept.unheard(put(f"g{number}"))
        assert await kept.permit(moved(), urgency=1.0, patience=NO_PATIENCE) == 300

    run(main)


def addition(object_id: str) -> PasswordChange:
    return PasswordChange(Principal("app", object_id, None), Home.APPLICATION, adds=True)


HELD: dict[str, tuple[Write, Write, Sent]] = {
    "graph write": (addition("x"), addition("z"), Sent("POST", GRAPH, "/v1.0/applications/y/addpassword")),
    "vault creation": (
        Publication(policy(None)),
        Publication(policy({"key_vault": {"url": f"https://{VAULT}", "password_secret": "another"}})),
        Sent("PUT", VAULT, "/secrets/y"),
    ),
}


@pytest.mark.parametrize("kind", HELD)
def test_a_place_that_is_held_is_nobody_elses_and_its_request_does_not_wait(kind: str) -> None:
    write, another, other = HELD[kind]

    async def main(loop: VirtualLoop) -> None:
        kept, begun = budgets(loop), loop.time()
        assert await kept.permit(write, urgency=1.0, patience=NO_PATIENCE) == 0
        assert await kept.permit(write, urgency=1.0, patience=NO_PATIENCE) == 0, "it is held once"
        for _ in range(2999 if kind == "graph write" else 299):
            await kept.admit(other, NO_PATIENCE)
        with pytest.raises(Throttled):
            await kept.admit(other, NO_PATIENCE)
        assert await kept.permit(another, urgency=1.0, patience=NO_PATIENCE) > 0
        await kept.admit(sent(kind), NO_PATIENCE)
        assert loop.time() == begun
        kept.waive(write)
        with pytest.raises(Throttled):
            await kept.admit(other, NO_PATIENCE)

    run(main)


def test_what_is_held_and_given_back_is_free() -> None:
    write = Publication(policy(None))

    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        assert await kept.permit(write, urgency=1.0, patience=NO_PATIENCE) == 0
        kept.waive(write)
        kept.waive(write)
        for _ in range(300):
            await kept.admit(sent("vault creation"), NO_PATIENCE)
        assert await kept.permit(write, urgency=1.0, patience=9) == 10
        assert await kept.permit(write, urgency=1.0, patience=11) == 0

    run(main)


def test_a_subscription_has_a_limit_for_all_its_vaults() -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        for number in range(ALL_CREATIONS.amount):
            await kept.admit(Sent("PUT", f"v{number % 6}.vault.azure.net", "/secrets/x"), NO_PATIENCE)
        with pytest.raises(Throttled):
            await kept.admit(Sent("PUT", "v7.vault.azure.net", "/secrets/x"), NO_PATIENCE)
        await kept.admit(Sent("GET", "v7.vault.azure.net", "/secrets/x"), NO_PATIENCE)

    run(main)


# requests


def sent(kind: str) -> Sent:
    urls = {
        "arm read": ("GET", f"https://{ARM}{group()}"),
        "arm write": ("PUT", f"https://{ARM}/subscriptions/{SUB}/providers/x/roleAssignments/y"),
        "arm delete": ("DELETE", f"https://{ARM}/subscriptions/{SUB}/providers/x/roleAssignments/y"),
        "graph read": ("GET", f"https://{GRAPH}/v1.0/applications"),
        "graph write": ("POST", f"https://{GRAPH}/v1.0/applications/x/addPassword"),
        "vault call": ("GET", f"https://{VAULT}/secrets/pull-pwd"),
        "vault creation": ("PUT", f"https://{VAULT}/secrets/pull-pwd"),
        "registry": ("HEAD", "https://mycontainerregistry.azurecr.io/v2/app/manifests/v1"),
    }
    method, address = urls[kind]
    return Sent.of(method, URL(address))


@pytest.mark.parametrize(
    ("kind", "many", "seconds"),
    [
        ("arm read", 250, 1 / 25),
        ("arm write", 200, 1 / 10),
        ("arm delete", 200, 1 / 10),
        ("graph read", 3500, 10),
        ("graph write", 3000, 150),
        ("vault call", 4000, 10),
        ("vault creation", 300, 10),
        ("registry", 5000, 0),
    ],
)
def test_requests_wait_for_their_own_limit(kind: str, many: int, seconds: float) -> None:
    async def main(loop: VirtualLoop) -> None:
        kept, start = budgets(loop), loop.time()
        for _ in range(many):
            await kept.admit(sent(kind), NO_PATIENCE)
        assert loop.time() == start
        await kept.admit(sent(kind), PATIENT)
        assert seconds <= loop.time() - start <= seconds * 1.01 + 0.02

    run(main)


@pytest.mark.parametrize(
    ("refused", "waiting", "free"),
    [
        ("arm read", ["arm read"], ["arm write", "graph read", "vault call"]),
        ("arm write", ["arm write"], ["arm read"]),
        ("graph read", ["graph read", "graph write"], ["arm read", "vault call"]),
        ("graph write", ["graph write"], ["graph read"]),
        ("vault creation", ["vault creation"], ["vault call"]),
        ("registry", [], ["registry", "arm read"]),
    ],
)
def test_a_refusal_holds_back_the_same_kind_of_request_for_everybody(
    refused: str, waiting: list[str], free: list[str]
) -> None:
    async def main(loop: VirtualLoop) -> None:
        kept = budgets(loop)
        answered(kept, sent(refused), 429, Retry_After=40)
        for kind in free:
            await kept.admit(sent(kind), NO_PATIENCE)
        for kind in waiting:
            with pytest.raises(Throttled) as caught:
                await kept.admit(sent(kind), 39)
            assert caught.value.seconds == 40 and "held back" in caught.value.happened
        start = loop.time()
        for kind in waiting:
            await kept.admit(sent(kind), 41)
        assert loop.time() - start == pytest.approx(40 if waiting else 0, abs=0.1)

    run(main)


def test_nothing_waits_beyond_the_end_of_the_run() -> None:
    async def main(loop: VirtualLoop) -> None:
        kept, clock = budgets(loop), Clock(loop)
        answered(kept, sent("arm read"), 429, Retry_After=40)
        gate = Gate(AzureTime(clock), frozenset({ARM}), budgets=kept, limit=Limit(clock, clock.elapsed() + 30))
        with pytest.raises(Throttled):
            await gate.within_limits(sent("arm read"), pytest.fail)

    run(main)


@pytest.mark.parametrize(
    ("kind", "headers", "seconds"),
    [
        ("arm read", {f"{LEFT}-reads": 0}, 1 / 25),
        ("arm write", {f"{LEFT}-writes": 0}, 1 / 10),
        ("arm read", {f"{LEFT}-writes": 0}, 0),
        ("graph read", {"x-ms-throttle-limit-percentage": "1.1"}, 10),
        ("graph read", {"x-ms-throttle-limit-percentage": "0.9"}, 0),
        ("graph read", {"x-ms-throttle-limit-percentage": "much"}, 0),
        ("graph read", {"x-ms-resource-unit": "3500"}, 10),
    ],
)
def test_an_answer_tells_what_is_left(kind: str, headers: dict[str, Any], seconds: float) -> None:
    async def main(loop: VirtualLoop) -> None:
        kept, start = budgets(loop), loop.time()
        await kept.admit(sent(kind), NO_PATIENCE)
        answered(kept, sent(kind), 200, **headers)
        await kept.admit(sent(kind), PATIENT)
        assert seconds <= loop.time() - start <= seconds * 1.01 + 0.02

    run(main)


def test_a_read_inside_a_batch_counts_by_its_own_price_and_its_refusal_is_obeyed() -> None:
    async def scene(loop: VirtualLoop) -> None:
        kept, sent = budgets(loop), Sent("GET", GRAPH, "")
        for _ in range(GRAPH_UNITS.amount // 2):
            kept.hear_within(sent, 200, {"x-ms-resource-unit": "2"}, None)
        with pytest.raises(Throttled):
            await kept.admit(sent, NO_PATIENCE)
        await kept.admit(sent, PATIENT)
        kept.hear_within(sent, 429, {}, 30.0)
        began = loop.time()
        await kept.admit(sent, PATIENT)
        assert loop.time() - began >= 30

    run(scene)


# pauses that outlast a process


async def test_what_azure_asked_of_one_process_is_obeyed_by_the_next(loop: VirtualLoop) -> None:
    refused, vault = budgets(loop), Sent.of("PUT", URL("https://myvault.vault.azure.net/secrets/a"))
    answered(refused, put(), 429, Retry_After=600)
    answered(refused, vault, 429, Retry_After=30)
    later = budgets(loop)
    later.heed(refused.pauses())
    assert await later.permit(moved("other"), urgency=0.0, patience=NO_PATIENCE) == pytest.approx(600)
    with pytest.raises(Throttled):
        await later.admit(vault, NO_PATIENCE)
    await later.admit(vault, PATIENT)
    assert loop.time() == pytest.approx(30, abs=1)
    assert await later.permit(moved("other"), urgency=0.0, patience=PATIENT) == 0
    assert loop.time() == pytest.approx(600, abs=1)
    assert later.pauses() == refused.pauses() == {}


async def test_no_pause_of_another_process_is_longer_than_the_longest_window(loop: VirtualLoop) -> None:
    later = budgets(loop)
    later.heed({"redeployments /subscriptions/a": 1e9, "graph units": 1e9, "of another version": 1.0})
    assert {key: round(left) for key, left in later.pauses().items()} == {
        "redeployments /subscriptions/a": 3600,
        "graph units": HEEDED,
        "of another version": 1,
    }
