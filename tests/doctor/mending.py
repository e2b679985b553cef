"""A world in which a check finds something, and what it prints, pasted into bash, mends that: with or without stock az."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_azure.store import dump

from tests.cli.scene import Scene
from tests.doctor.carried import Person
from tests.doctor.worlds import World

COUNTED = ("tokens", "spent", "asked", "buckets")
"""What reading alone changes in the emulator: how often it was asked."""


def looked(rotator: Scene) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the findings of a doctor that changes nothing: neither Azure nor a file."""
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
    """All that Azure holds once it has caught up with its time, and every file that there is."""
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
    """Break it, look, do what is printed, look again."""
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
    """The commands and the lines of the way that is taken; where there are several, each says when it is the right one."""
    assert bool(found["mend"]) != bool(found["ways"])
    assert all(way["when"] and way["mend"] for way in found["ways"])
    assert (world.way is None) == bool(found["mend"])
    way = found if world.way is None else found["ways"][world.way]
    return way["mend"], way["write"] or ""


def _ready(world: World, scene: Scene, printed: list[str]) -> None:
    """Nothing is left to be filled in but what only a person can know."""
    left = [each for text in printed for each in re.findall(r"<[a-z][^<>()]*>", text)]
    assert bool(left) == bool(world.fills(scene)), left
