"""One run: makes its resource group, plays the facts, and removes all of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from live.azure import Azure, Stopped
from live.chain import Chain, Step
from live.claims import Claim, Finding, Outcome
from live.facts.entra import claims
from live.marks import TAG, Marks, is_of
from live.play import finding
from live.ports import Clock, Rotator
from live.price import HOURS
from live.removal import Removal
from live.report import Report
from live.scene import Scene

PROVIDERS = (
    "Microsoft.ContainerInstance",
    "Microsoft.ContainerRegistry",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Storage",
)


class Refused(Exception):
    """Reason why a run does not begin; no resource was made."""


@dataclass
class Bridge:
    """One run, with its ports."""

    azure: Azure
    marks: Marks
    location: str
    clock: Clock
    new_id: Callable[[], str]
    rotator: Rotator
    directory: Path
    tell: Callable[[str], None]
    chain: bool = True
    """Play rotator's commands after the facts."""
    found: list[Finding] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def check(self) -> None:
        """Check the preconditions, before the first resource. Raises Refused or Stopped."""
        path = f"/subscriptions/{self.marks.subscription}"
        for name in PROVIDERS:
            shown = self.azure.arm("GET", f"{path}/providers/{name}", version="2021-04-01")
            if shown.status >= 400:
                raise Stopped("The subscription could not be read", shown)
            if shown.at("registrationState") != "Registered":
                raise Refused(f"{name} isn't registered in the subscription: az provider register --namespace {name}")
        group = self.azure.arm("GET", f"{path}/resourceGroups/{self.marks.group}")
        mine = is_of(self.marks.subscription, self.marks.group, (group.at("tags") or {}).get(TAG))
        if group.status == 200 and not mine:
            raise Refused(
                f"The resource group {self.marks.group} exists and has no tag {TAG} of an earlier run: name another one"
            )
        if group.status not in (200, 404):
            raise Stopped("The resource group could not be looked for", group)

    def play(self, facts: Iterable[str]) -> Report:
        """Make, play and remove, also after an interruption. Raises Refused and Stopped before the first resource."""
        self.check()
        left: list[str] = []
        interrupted = False
        try:
            scene = self._begun()
            self._played(scene, facts)
        except KeyboardInterrupt:
            interrupted = True
            self.tell("Interrupted. Removing what was made; interrupt again to leave it.")
        finally:
            left = self.removed()
        at = self.clock.now().strftime("%Y-%m-%d %H:%M UTC")
        return Report(at, self.azure.cloud.name, self.location, self.found, self.steps, left, interrupted)

    def _begun(self) -> Scene:
        """Make the resource group, and read the identity from its token. Raises Stopped."""
        read = claims(self.azure.credential.token(self.azure.cloud.arm_scope))
        scene = Scene(
            self.azure, self.marks, self.location, str(read["tid"]), str(read["oid"]), self.clock, self.new_id
        )
        for value, shown in (
            (self.marks.subscription, "SUBSCRIPTION"),
            (scene.tenant, "TENANT"),
            (scene.object_id, "ME"),
        ):
            self.azure.hidden.name(value, f"<{shown}>")
        scene.put(scene.group_path, scene.tagged(), "The resource group")
        return scene

    def _played(self, scene: Scene, facts: Iterable[str]) -> None:
        end = self.clock.elapsed() + HOURS * 3600
        for fact in facts:
            late = self.clock.elapsed() > end
            found = _late(fact) if late else finding(scene, fact)
            self.found.append(found)
            self.tell(f"{found.outcome.value:9} {fact}")
        if not self.chain:
            return
        for step in Chain(scene, self.rotator, self.directory).steps():
            self.steps.append(step)
            self.tell(f"{'done' if step.done else 'FAILED':9} {step.name}")

    def removed(self) -> list[str]:
        """Remove the resources of all runs for the resource group; return the names of those left."""
        removal = Removal(self.azure, self.marks.subscription, self.marks.group)
        try:
            return removal.clear(self.tell)
        except Stopped as stopped:
            return [f"unknown: {self.azure.hidden.text(str(stopped))}"]
        except KeyboardInterrupt:
            return ["unknown: interrupted during the removal"]


def _late(fact: str) -> Finding:
    return Finding(fact, (Claim("not played", Outcome.NOT_SEEN, reason=f"{HOURS} hours were over"),))
