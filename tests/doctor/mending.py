"""Worlds with a finding of a check, and the printed commands that mend them, pasted into bash: with or without stock
az.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_azure.store import dump

from tests.cli.scene import Scene
from tests.doctor.carried import Person
from tests.doctor.worlds import World

COUNTED = ("tokens", "spent", "asked", "buckets")
"""State of the emulator that a read alone changes: its counts of requests."""


def looked(rotator: Scene) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the findings of doctor; check that it changes neither Azure nor a file."""
    since, before = len(rotator.app.served), _world(rotator)
    said = rotator("doctor", "--output", "json")
    assert said.raised is None, said.raised
    wrote = [
        c
        for c in rotator.app.served[since:]
        if c.method not in ("GET", "HEAD") and not c.operation.startswith(("entra.", "acr."))
    ]
    assert wrote == [], "doctor writes nothing"
    assert _world(rotator) == before, "doctor changes nothing"
    (found,) = said.json["policies"]
    return said.code, found["findings"]


def _world(rotator: Scene) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settled state of Azure, and the content of every file."""
    rotator.azure.container_groups.settle()
    services = {name: _plain(state) for name, state in dump(rotator.azure)["services"].items() if name not in COUNTED}
    files = {
        str(each): each.is_file() and each.read_text()
        for each in sorted(rotator.policies.parent.rglob("*"))
        if "terminal" not in each.parts
    }
    return services, files


def _plain(state: Any) -> Any:
    return {name: value for name, value in state.items() if not any(word in name for word in COUNTED)}


def mend(world: World, scene: Scene, directory: Path, stock: Mapping[str, str] | None = None) -> None:
    """Break the world, run doctor, paste the printed commands, and run doctor again."""
    scene.azure.container_groups.settle()
    world.break_(scene)
    code, findings = looked(scene)
    found = [each for each in findings if each["check"] == world.check]
    assert [each["severity"] for each in found] == [world.severity], found
    assert code == (world.severity in ("fail", "unknown"))
    commands, write = _taken(world, found[0])
    _ready(world, scene, [*commands, write])
    if world.before:
        world.before(scene)
    Person(scene, directory, world.fills(scene), world.types, world.corrects, world.undeterred, stock or {}).paste(
        commands, write
    )
    scene.pass_(minutes=1)  # until a new password counts
    if world.then:
        world.then(scene)
    _, after = looked(scene)
    assert [each["severity"] for each in after if each["check"] == world.check] == [world.left], after


def _taken(world: World, found: dict[str, Any]) -> tuple[list[str], str]:
    """Return the commands and lines of the chosen way; each of several ways says when it is right."""
    assert bool(found["mend"]) != bool(found["ways"])
    assert all(way["when"] and way["mend"] for way in found["ways"])
    assert (world.way is None) == bool(found["mend"])
    way = found if world.way is None else found["ways"][world.way]
    return way["mend"], way["write"] or ""


def _ready(world: World, scene: Scene, printed: list[str]) -> None:
    """Check that only facts known to a person alone are left to fill in."""
    left = [each for text in printed for each in re.findall(r"<[a-z][^<>()]*>", text)]
    assert bool(left) == bool(world.fills(scene)), left
