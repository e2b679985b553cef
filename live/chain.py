"""The chain: rotator's own commands on the registry, vault and container group of a run, each followed by a look."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live.azure import Answer, Stopped
from live.ground import ASSIGNMENTS, TAGGED
from live.ports import Rotator
from live.scene import Scene

NAME, GROUP, PASSWORD, USER = "live", "chain", "chain-pwd", "chain-usr"
MOST = 4000
"""Characters of a command's output in a report, from its end."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, with the world as seen afterwards; `output` has no secrets."""

    name: str
    done: bool
    seen: str
    output: str = ""


@dataclass(slots=True)
class Chain:
    """rotator with a policy about the run's own things."""

    scene: Scene
    rotator: Rotator
    directory: Path

    def steps(self) -> Iterator[Step]:
        """Play every command in turn; stop after the first failure."""
        try:
            self.written()
        except Stopped as stopped:
            yield Step("registry and vault", False, self.scene.hidden.text(str(stopped)))
            return
        for arguments, seen in self._commands():
            step = self._step(arguments, seen)
            yield step
            if not step.done:
                return

    def _commands(self) -> Iterator[tuple[tuple[str, ...], Callable[[], tuple[bool, str]]]]:
        yield ("provision", NAME, "--yes"), self._deployed
        yield ("plan", NAME), lambda: (True, "a plan")
        yield ("rotate", NAME, "--force", "--no-overlap"), self._rotated
        yield ("revoke", NAME, "--yes"), lambda: self._granted(False)
        yield ("grant", NAME), lambda: self._granted(True)
        yield ("rotate", NAME, "--force", "--no-overlap"), self._rotated

    def _step(self, arguments: tuple[str, ...], seen: Callable[[], tuple[bool, str]]) -> Step:
        said = self.rotator(arguments, str(self.directory))
        name, output = f"rotator {' '.join(arguments)}", self.scene.hidden.text(said.output[-MOST:])
        if said.code != 0:
            return Step(name, False, f"exit code {said.code}", output)
        good, words = seen()
        return Step(name, good, self.scene.hidden.text(words), "" if good else output)

    def written(self) -> None:
        """Write the policy and the manifest. Raises Stopped if registry or vault can't be made."""
        scene = self.scene
        policy = {
            "principal": {"display_name": scene.marks.called("chain")},
            "registries": [{"id": scene.registry_path}],
            "key_vault": {"url": scene.vault(), "password_secret": PASSWORD, "username_secret": USER},
            "rotation": {"spread": False},
            "container_groups": [{"id": scene.container_group(GROUP), "manifest": "manifests/chain.yaml"}],
        }
        (self.directory / "manifests").mkdir(exist_ok=True)
        (self.directory / f"{NAME}.yaml").write_text(_yaml(policy))
        (self.directory / "manifests" / "chain.yaml").write_text(json.dumps(self._manifest(), indent=1))

    def _manifest(self) -> dict[str, Any]:
        resources = {"requests": {"cpu": 1, "memoryInGB": 1}}
        app = {"name": "app", "properties": {"image": f"{self.scene.server}/{TAGGED}", "resources": resources}}
        entry = {
            "server": self.scene.server,
            "username": "${{ credential:username }}",
            "password": "${{ credential:password }}",
        }
        shape = {"osType": "Linux", "containers": [app], "imageRegistryCredentials": [entry]}
        return self.scene.tagged(properties=shape)

    def _shown(self) -> Answer:
        return self.scene.azure.arm("GET", self.scene.container_group(GROUP))

    def _deployed(self) -> tuple[bool, str]:
        shown = self.scene.running(self.scene.container_group(GROUP))
        entry = shown.at("properties", "imageRegistryCredentials", 0) or {}
        return bool(entry.get("username")), f"the group runs; it pulls as {entry.get('username')}"

    def _rotated(self) -> tuple[bool, str]:
        newest = self.scene.azure.vault("GET", f"{self.scene.vault()}/secrets/{PASSWORD}/")
        self.scene.hidden.secret(str(newest.at("value") or ""))
        published = (newest.at("tags") or {}).get("rotator-key-id")
        held = (self._shown().at("tags") or {}).get("rotator-key-id")
        return bool(held) and held == published, f"published is {published}, the group holds {held}"

    def _granted(self, wanted: bool) -> tuple[bool, str]:
        app_id = (self._shown().at("properties", "imageRegistryCredentials", 0) or {}).get("username")
        found = self.scene.azure.graph("GET", f"/servicePrincipals(appId='{app_id}')")
        words = f"{ASSIGNMENTS}?$filter=principalId%20eq%20'{found.at('id')}'"
        listed = self.scene.azure.arm("GET", f"{self.scene.registry_path}/{words}")
        count = len(listed.at("value") or [])
        return (count > 0) is wanted, f"{count} role assignments of the principal on the registry"


def _yaml(content: dict[str, Any]) -> str:
    """Return JSON with one top-level key per line, so that rotator finds the line for an app id."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in content.items())
