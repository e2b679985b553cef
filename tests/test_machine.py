"""Whatever happens, in whatever order: runs that die anywhere, time that passes, people who meddle. No instant at which a pull could fail.

Hypothesis chooses the story; the emulator and the invariants judge it. What a person does here is what people do: none of it takes a credential away
from whoever needs it, so that every outage found is rotator's.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rotator.emulator.faults import Fault
from rotator.engine import adopt, compromise
from rotator.plan import Intent
from tests.invariants import Monitor, rested, summary
from tests.stage import GROUPS, SECRET, Killed, Stage, stage, watched
from tests.virtual import VirtualLoop

FAULTS = st.sampled_from(
    [
        Fault("graph.*.addPassword", "lost"),
        Fault("graph.*.removePassword", "concurrency"),
        Fault("graph.*.get", "stale"),
        Fault("keyvault.secrets.set", "lost"),
        Fault("keyvault.secrets.get", "status", times=3),
        Fault("aci.containerGroups.createOrUpdate", "lost"),
        Fault("aci.containerGroups.createOrUpdate", "transitioning"),
        Fault("aci.containerGroups.createOrUpdate", "failed_pull", argument="0"),
        Fault("acr.*", "reset", times=9),
        Fault("entra.token", "status", nth=9, times=3),
    ]
)


class Life(RuleBasedStateMachine):
    """One world; every rule is something that happens in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.runner = asyncio.Runner(loop_factory=lambda: self.loop)
        self.meddled = False

    @initialize()
    def begin(self) -> None:
        self.made = self.play(self._begun)
        self.monitor = Monitor(self.made, GROUPS)

    async def _begun(self) -> Stage:
        made = stage(self.loop)
        made.with_policy(proof={"times": 2, "over": "0s", "deadline": "5m"})
        await made.with_world(lambda run: adopt(run, None))
        return made

    def play(self, act: Callable[[], Awaitable[Any]]) -> Any:
        async def acting() -> Any:
            return await act()

        return self.runner.run(acting())

    def look(self) -> None:
        """The people's own changes are no violation; what follows is measured from here."""
        self.monitor = Monitor(self.made, GROUPS)

    @rule(intent=st.sampled_from([Intent(), Intent(), Intent(retry=True), Intent(accept_drift=True)]))
    def run(self, intent: Intent) -> None:
        with watched(self.made, before=self.monitor.before, after=self.monitor.after):
            self.play(lambda: self.made.rotate(intent))

    @rule()
    def run_early(self) -> None:
        self.run(Intent(force_before=self.made.azure.clock.now()))

    @rule(at=st.integers(0, 90), after=st.booleans())
    def die(self, at: int, after: bool) -> None:
        start = len(self.made.app.served)

        def kill(number: int, named: str, request: object) -> None:
            if number - start - 1 == at:
                raise Killed

        with watched(self.made, before=self.monitor.before, after=self.monitor.after), watched(self.made, **{"after" if after else "before": kill}):
            self.play(lambda: self.made.dies(self.made.rotate(Intent(force_before=self.made.azure.clock.now()))))

    @rule(fault=FAULTS)
    def trouble(self, fault: Fault) -> None:
        self.made.azure.faults.add(fault)
        self.run(Intent(force_before=self.made.azure.clock.now()))
        self.made.azure.faults.clear()

    @rule(hours=st.sampled_from([1, 5, 25, 24 * 3]))
    def time_passes(self, hours: int) -> None:
        self.made.pass_(hours=hours)

    @precondition(lambda self: self.has_ours())
    @rule()
    def declare_compromised(self) -> None:
        self.play(lambda: self.made.with_world(lambda run: compromise(run, [])))

    @rule()
    def somebody_adds_a_credential(self) -> None:
        end = self.made.azure.clock.now() + timedelta(days=300)
        self.made.azure.directory.add_password(self.made.application, display_name="somebody", end=end, at_once=True)
        self.look()

    @precondition(lambda self: self.has_ours())
    @rule()
    def somebody_puts_a_version_on_top(self) -> None:
        end = self.made.azure.clock.now() + timedelta(days=300)
        password = self.made.azure.directory.add_password(self.made.application, display_name="by hand", end=end, at_once=True)
        self.made.pass_(minutes=1)
        self.made.azure.vaults.set("myvault", SECRET, password.secret)
        self.made.pass_(minutes=1)
        self.meddled = True
        self.look()

    @rule(name=st.sampled_from(GROUPS))
    def somebody_recreates_a_group(self, name: str) -> None:
        """As the documentation does: deleted, and created with what the vault says; no tags."""
        self.made.azure.container_groups.delete(self.made.group_id(name))
        body = self.made.body(self.made.app_id, self.made.published())
        self.made.azure.container_groups.put(self.made.group_id(name), body, "2025-09-01")
        self.made.pass_(minutes=5)

    @rule(name=st.sampled_from(GROUPS))
    def somebody_loses_the_tags(self, name: str) -> None:
        self.made.azure.container_groups.settle()
        self.made.azure.container_groups.patch_tags(self.made.group_id(name), {"owner": "somebody"})

    @rule(name=st.sampled_from(GROUPS))
    def a_group_stops_for_a_while(self, name: str) -> None:
        self.made.pass_(minutes=40)
        self.made.azure.container_groups.stop(self.made.group_id(name))
        self.run(Intent())
        self.made.azure.container_groups.start(self.made.group_id(name))

    @rule(name=st.sampled_from(GROUPS))
    def the_platform_moves_a_group(self, name: str) -> None:
        assert self.made.azure.container_groups.move_host(self.made.group_id(name)), "I1: a pull failed"

    def has_ours(self) -> bool:
        return any(v.tags and "rotator-attempt" in v.tags for v in self.made.versions())

    @invariant()
    def nothing_is_down(self) -> None:
        self.monitor.pulls()
        self.monitor.published()
        self.monitor.untouched()
        self.monitor.bounded()
        self.monitor.no_assignment()

    def teardown(self) -> None:
        try:
            if hasattr(self, "made"):
                self._comes_to_rest()
        finally:
            self.runner.close()

    def _comes_to_rest(self) -> None:
        """Without faults and with a person's word on what they put on top, everything is done within days."""
        intent = Intent(retry=True, accept_drift=self.meddled)
        for _ in range(5):
            self.made.pass_(hours=25)
            with watched(self.made, before=self.monitor.before, after=self.monitor.after):
                self.play(lambda: self.made.rotate(intent))
        assert rested(self.made), f"I10: {summary(self.made)}; {self.made.told()[-2000:]}"
        self.monitor.secret_nowhere()


SEED = os.environ.get("ROTATOR_SEED")
"""What `make soak` tells other stories by than `make test`, and many more."""

Life.TestCase.settings = settings(
    derandomize=SEED is None,
    max_examples=25 if SEED is None else 100,
    stateful_step_count=8,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    phases=[Phase.generate],
)
if SEED is not None:
    seed(int(SEED))(Life)
TestLife = Life.TestCase
