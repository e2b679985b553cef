"""Tests of stale reads: rotator's reads that may lag behind a write in Azure are those that the emulator lets lag."""

import pytest
from local_azure import asked
from local_azure.faults import Fault, Faults
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, examine, grant, preview, revoke
from tests.matrices.alphabet import every
from tests.stage import play, stage


def test_every_read_of_rotator_that_may_be_stale_looks_for_it_and_no_matrix_plans_it_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operation, looked, arrive, active = [""], set[str](), Faults.arrive, Faults.active

    def arrived(self: Faults, name: str) -> None:
        operation[0] = name
        arrive(self, name)

    def sought(self: Faults, kind: str) -> Fault | None:
        looked.update([operation[0]] if kind == "stale" else [])
        return active(self, kind)

    async def story(loop: VirtualLoop) -> set[str]:
        made = stage(loop)
        await made.with_world(lambda run: adopt(run, None))
        await made.rotate()
        for act in (preview, examine, revoke, grant):
            await made.with_world(act)
        return {call.operation for call in made.app.served if call.method in ("GET", "HEAD")}

    monkeypatch.setattr(Faults, "arrive", arrived)
    monkeypatch.setattr(Faults, "active", sought)
    read = play(story)
    lagging = read & set(asked.LAGGING)
    assert {"graph.applications.federatedIdentityCredentials.list", "graph.applications.owners.list"} <= lagging
    assert lagging <= looked
    assert {name for name in read if any(kind.name == "stale" for kind in every(name))} <= lagging
