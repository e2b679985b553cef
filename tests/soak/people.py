"""People who ignore rotator: each action changes the principal, its secret, a group, a role or a lock."""

import http.client
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.soak import scene as made
from tests.soak.emulated import ARM, GRAPH, Json, Refused
from tests.soak.scene import API, JOB, Scene
from tests.soak.truth import KEY_ID, STRANGE, Truth, read

LOCK = "soak"
HOSTILE = "\x1b[2Jred\u202e\u2028\nrotator: all is well"
"""Name with control characters and a forged line."""


@dataclass
class Ledger:
    """Record of the changes by people, so that invariants don't blame rotator for them."""

    removed: set[str] = field(default_factory=set)
    """Key ids of removed passwords."""
    written: set[str] = field(default_factory=set)
    """Values published or given to a group without a look at their validity."""
    edited: set[str] = field(default_factory=set)
    """Edited groups since the last step."""
    unroled: bool = False
    locked: bool = False
    unseated: dict[str, Json] = field(default_factory=dict)
    """Removed role assignments of rotator's own identity, by address."""
    did: list[str] = field(default_factory=list)


@dataclass
class People:
    """Administrator. `racing` is true while a command runs, which can't have seen the change in its last read."""

    scene: Scene
    rng: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    racing: bool = False

    def act(self) -> str:
        """Take one random action; return its description."""
        doing = self.rng.choice(ACTIONS)
        try:
            done = doing(self)
        except (Refused, OSError, http.client.HTTPException, ValueError) as error:
            done = f"{doing.__name__}, and hears: {str(error)[:80]}"
        self.ledger.did.append(done)
        return done

    def look(self) -> Truth:
        return read(self.scene.azure.dump(), self.scene)

    def add(self, name: str, home: str = "") -> tuple[str, str]:
        """Add a foreign password; return key id and value."""
        holder = home or self.scene.holder
        answer = self.scene.azure.call("POST", f"{holder}/addPassword", {"passwordCredential": {"displayName": name}})
        return answer["keyId"], answer["secretText"]

    def publish(self, value: str) -> None:
        if self.racing or not (found := self.look().of(value)) or found.gone:
            self.ledger.written.add(value)
        self.scene.azure.call("PUT", self.scene.secret_url(), {"value": value})

    def give(self, name: str, value: str, tags: dict[str, str]) -> None:
        """Deploy a group by hand."""
        self.ledger.edited.add(name)
        found = self.look().of(value)
        if self.racing or found is None or found.gone:
            self.ledger.written.add(value)
        self.scene.azure.call("PUT", self.scene.group_url(name), made.body(self.scene, name, value, tags))

    def remove(self, key_id: str, holder: str) -> bool:
        """Tell if a password was removed from an object, as far as one hears."""
        self.ledger.removed.add(key_id)
        try:
            self.scene.azure.call("POST", f"{holder}/removePassword", {"keyId": key_id})
        except Refused as refused:
            if refused.status < 500:
                self.ledger.removed.discard(key_id)
            return False
        return True

    def group(self) -> str:
        return self.rng.choice(self.scene.services)


def removes_a_password(people: People) -> str:
    live = people.look().live(people.scene.app_id)
    if not live:
        return "removes nothing"
    gone = people.rng.choice(live)
    homes = (people.scene.holder, f"https://{GRAPH}/v1.0/servicePrincipals/{people.scene.principal}")
    any(people.remove(gone.key_id, home) for home in homes)
    return f"removes password {gone.key_id} ({gone.name})"


def resets(people: People) -> str:
    """Do as `az ad sp credential reset`: remove every password and add one, without publishing it."""
    for each in people.look().live(people.scene.app_id):
        people.remove(each.key_id, people.scene.holder)
    key, _ = people.add("rbac")
    return f"resets the credentials of the application: now {key}"


def resets_and_publishes(people: People) -> str:
    said = resets(people)
    _, value = people.add("rbac, published")
    people.publish(value)
    return f"{said}; publishes one more"


def adds_a_password(people: People) -> str:
    name = people.rng.choice(("a script", STRANGE + "0123456789ab", "", HOSTILE))
    home = people.rng.choice(("", f"https://{GRAPH}/v1.0/servicePrincipals/{people.scene.principal}"))
    return f"adds password {people.add(name, home)[0]} named {name!r}"


def overwrites_with_rubbish(people: People) -> str:
    people.publish("rubbish that somebody typed")
    return "publishes rubbish"


def overwrites_with_a_new_one(people: People) -> str:
    key, value = people.add("published by hand")
    people.publish(value)
    return f"publishes a password of their own: {key}"


def rolls_the_secret_back(people: People) -> str:
    versions = people.look().versions
    if len(versions) < 2:
        return "rolls nothing back"
    people.publish(versions[-2].value)
    return "publishes the value before"


def edits_a_group(people: People) -> str:
    """Redeploy a group with the published value and another setting; drop tags that would name another credential."""
    truth, name = people.look(), people.group()
    newest, group = truth.newest, truth.groups.get(name)
    if newest is None:
        return "edits nothing"
    true = group is not None and newest.tags.get(KEY_ID) == group.tags.get(KEY_ID)
    people.give(name, newest.value, {**(group.tags if group and true else {}), "edited": str(len(people.ledger.did))})
    return f"redeploys {name} with what is published, {'with' if true else 'without'} its tags"


def recreates_a_group(people: People) -> str:
    """Redeploy a group with the password of the oldest version, as an old script would."""
    name, versions = people.group(), people.look().versions
    if not versions:
        return "redeploys nothing"
    people.give(name, versions[0].value, {})
    return f"redeploys {name} with the first password, without tags"


def deletes_a_group(people: People) -> str:
    name = people.group()
    people.ledger.edited.add(name)
    people.scene.azure.call("DELETE", people.scene.group_url(name))
    return f"deletes {name}"


def stops_a_group(people: People) -> str:
    name = people.group()
    people.scene.azure.call("POST", people.scene.group_url(name, "/stop"))
    return f"stops {name}"


def strips_tags(people: People) -> str:
    name = people.group()
    people.ledger.edited.add(name)
    people.scene.azure.call("PATCH", people.scene.group_url(name), {"tags": {}})
    return f"strips the tags of {name}"


def removes_the_role(people: People) -> str:
    people.ledger.unroled = True
    own = [each.split(" ")[0] for each in people.look().roles if each.endswith(f" {people.scene.principal}")]
    for each in own:
        people.scene.azure.call("DELETE", f"https://{ARM}{each}{API}2022-04-01")
    return f"removes {len(own)} role assignments"


def takes_a_right_away(people: People) -> str:
    """Remove a role of rotator's own identity."""
    azure = people.scene.azure
    scope = people.rng.choice((azure.seeded["vault_id"], azure.seeded["registry_id"]))
    url = f"https://{ARM}{scope}/providers/Microsoft.Authorization/roleAssignments"
    listed = azure.call("GET", f"{url}{API}2022-04-01&$filter=atScope()")["value"]
    own = [
        each
        for each in listed
        if each["properties"]["principalId"] == azure.seeded["operator"]["object_id"]
        and each["properties"]["scope"] == scope
    ]
    for each in own:
        address = f"https://{ARM}{each['id']}{API}2022-04-01"
        given = {name: each["properties"][name] for name in ("roleDefinitionId", "principalId", "principalType")}
        people.ledger.unseated[address] = {"properties": given}
        azure.call("DELETE", address)
    return f"takes {len(own)} roles from rotator's identity"


def locks(people: People) -> str:
    level = people.rng.choice(("CanNotDelete", "ReadOnly"))
    people.ledger.locked = True
    people.scene.azure.call("PUT", _lock_url(people.scene), {"properties": {"level": level}})
    return f"locks the resource group: {level}"


def lets_time_pass(people: People) -> str:
    span = people.rng.choice((30, 110, 130, 3700, 90_000, 180_000))
    people.scene.azure.advance(span)
    return f"{span} s pass"


def moves_hosts(people: People) -> str:
    for name in people.look().groups:
        people.scene.azure.moves(people.scene.group_id(name))
    return "the platform moves every group"


ACTIONS: tuple[Callable[[People], str], ...] = (
    *(removes_a_password, resets, resets_and_publishes, adds_a_password, adds_a_password),
    *(
        overwrites_with_rubbish,
        overwrites_with_a_new_one,
        rolls_the_secret_back,
        edits_a_group,
        edits_a_group,
        recreates_a_group,
    ),
    *(
        deletes_a_group,
        stops_a_group,
        strips_tags,
        removes_the_role,
        takes_a_right_away,
        locks,
        lets_time_pass,
        lets_time_pass,
        moves_hosts,
    ),
)


def _lock_url(scene: Scene) -> str:
    group = f"/subscriptions/{scene.azure.seeded['subscription']}/resourceGroups/{scene.azure.seeded['resource_group']}"
    return f"https://{ARM}{group}/providers/Microsoft.Authorization/locks/{LOCK}{API}2020-05-01"


def _started(scene: Scene, truth: Truth) -> list[str]:
    """Start stopped groups; return those that Azure refuses to start, since their password is dead."""
    left = list[str]()
    for name in (name for name, group in truth.groups.items() if name != JOB and not group.running):
        try:
            scene.azure.call("POST", scene.group_url(name, "/start"))
        except Refused as refused:
            if "InaccessibleImage" not in str(refused):
                raise
            left.append(name)
    return left


def mend(people: People) -> list[str]:
    """Do what rotator's messages ask of a person: unlock, assign the role again, start stopped groups, publish a valid
    password.

    A password is published only while no version is rotator's: without one, only a value that authenticates shows that
    the secret is the right one. Returns the groups that Azure refuses to start, since their password is dead.
    """
    scene, ledger, people.racing = people.scene, people.ledger, False
    if ledger.locked:
        scene.azure.call("DELETE", _lock_url(scene))
    for address, given in ledger.unseated.items():
        scene.azure.patiently("PUT", address, given)
    truth = people.look()
    if (
        scene.principal
        and truth.mark != "revoked"
        and not any(each.endswith(f" {scene.principal}") for each in truth.roles)
    ):
        made.grant(scene)
    left = _started(scene, truth)
    ledger.locked = ledger.unroled = False
    newest = truth.newest.value if truth.newest else ""
    if (
        truth.versions
        and not any(KEY_ID in version.tags for version in truth.versions)
        and newest not in {each.value for each in truth.live(scene.app_id)}
    ):
        people.publish(people.add("mended")[1])
    return left
