"""A short attack from outside: a killed rotation and the next one behind the damaging proxy. Each violation is found by
its check.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.soak.conduct import acting, strangers
from tests.soak.emulated import Emulated
from tests.soak.invariants import Memory, settings, violations
from tests.soak.malformed import Case, Fuzzer
from tests.soak.people import Ledger
from tests.soak.process import Run, killing
from tests.soak.scene import NAME, ROLE, Scene
from tests.soak.story import Story
from tests.soak.truth import Group, Password, Truth, Version

NOW = datetime(2026, 3, 1, tzinfo=UTC)
APP = "app"


def password(key: str, name: str = "") -> Password:
    return Password(
        key, APP, name or f"rotator:0123456789ab:{key}", f"value of {key}", NOW + timedelta(days=90), NOW, gone=False
    )


FOREIGN = password("foreign", "by hand")
WELL = Truth(
    NOW,
    (password("old"), password("new"), FOREIGN),
    frozenset({"certificate"}),
    tuple(Version(key, f"value of {key}", enabled=True, tags={"rotator-key-id": key}) for key in ("old", "new")),
    "",
    {"web": Group("web", "value of new", {"rotator-key-id": "new"}, {"containers": ["web"]}, running=True)},
    frozenset({f"{ROLE} principal", "theirs somebody"}),
    lagging=frozenset(),
    secrets=frozenset(),
)


def without(key: str) -> Callable[[Truth], Truth]:
    return lambda truth: replace(
        truth, passwords=tuple(replace(each, gone=each.gone or each.key_id == key) for each in truth.passwords)
    )


def unresolved(truth: Truth) -> Truth:
    return replace(truth, passwords=(*truth.passwords, *(password(f"orphan {number}") for number in range(4))))


def published_twice(truth: Truth) -> Truth:
    tagged = (replace(each, tags={**each.tags, "rotator-attempt": "1"}) for each in truth.versions)
    return replace(truth, versions=tuple(tagged))


def added_twice(truth: Truth) -> Truth:
    return replace(truth, passwords=(*truth.passwords, replace(truth.passwords[0], value="another")))


def published(truth: Truth) -> Truth:
    more = tuple(Version(key, f"value of {key}", enabled=True, tags={"rotator-key-id": key}) for key in ("a", "b", "c"))
    return replace(truth, passwords=(*truth.passwords, *map(password, "abc")), versions=(*truth.versions, *more))


BROKEN: dict[str, Callable[[Truth], Truth]] = {
    "I1: web holds": without("new"),
    "I2: the newest version": without("new"),
    "I2: no version": lambda truth: replace(
        truth, versions=tuple(replace(each, enabled=False) for each in truth.versions)
    ),
    "I3: the foreign password": without("foreign"),
    "I3: a certificate": lambda truth: replace(truth, certificates=frozenset()),
    "I3: foreign ('by hand') was adopted": lambda truth: replace(
        truth,
        versions=(
            *truth.versions,
            replace(truth.versions[-1], tags={**truth.versions[-1].tags, "rotator-adopted": "foreign"}),
        ),
    ),
    "I5: 4 adds": unresolved,
    "I5: 4 published": published,
    "I5: attempt 1": published_twice,
    "I5: the password rotator:0123456789ab:old": added_twice,
    "I6: role assignments of others": lambda truth: replace(truth, roles=frozenset({f"{ROLE} principal"})),
    "I6: the role assignment is gone": lambda truth: replace(truth, roles=frozenset({"theirs somebody"})),
    "I6: there is a new": lambda truth: replace(truth, roles=truth.roles | {"another principal"}),
}


def looked(*, ledger: Ledger) -> Memory:
    """Return a memory with one look at an intact world."""
    scene = Scene(Emulated(Path("nowhere"), "prompt"), Path("nowhere"), app_id=APP, principal="principal")
    memory = Memory(scene, ledger)
    memory.remember(WELL)
    assert list(violations(memory, WELL)) == []
    return memory


@pytest.mark.parametrize("found", BROKEN)
def test_each_violation_is_seen(found: str) -> None:
    memory, worse = looked(ledger=Ledger()), BROKEN[found](WELL)
    memory.remember(worse)
    assert [each for each in violations(memory, worse) if each.startswith(found)]


def test_people_are_not_taken_for_rotator() -> None:
    memory = looked(ledger=Ledger(removed={"new", "foreign"}, unroled=True))
    worse = replace(without("foreign")(without("new")(WELL)), roles=frozenset({"theirs somebody"}))
    assert list(violations(memory, worse)) == []


def test_a_setting_that_a_redeployment_lost_is_seen_and_one_that_people_changed_is_not() -> None:
    after = replace(WELL, groups={"web": replace(WELL.groups["web"], settings={})})
    assert len(list(settings(WELL, after, set()))) == len(list(settings(WELL, replace(WELL, groups={}), set()))) == 1
    assert list(settings(WELL, after, {"web"})) == []


def test_what_a_run_may_not_do_by_itself_is_seen() -> None:
    assert len(list(strangers({"elsewhere.example", "graph.microsoft.com.example"}))) == 2
    assert not list(strangers({"graph.microsoft.com", "myvault.vault.azure.net", "login.microsoftonline.com"}))
    assert len(list(acting("a\x1b[2J\u202e"))) == 2 and not list(acting("a\tb\né"))


class Short(Story):
    """Killed first rotation, a second one with damaged answers, a removal by no known command or person, and some
    malformed input.
    """

    def _steps(self) -> None:
        self.commands([("rotate", NAME)], calm=True)
        self.commands([("rotate", NAME, "-vv")], calm=True)
        assert self.problems == [], "\n".join(self.trace)

    def _prepared(self, arguments: tuple[str, ...], *, calm: bool, two: bool = False) -> Run:
        run = super()._prepared(arguments, calm=calm, two=two)
        if "-vv" in arguments:
            run.script.damage = {3: "cut", 9: "drop", 14: "no type"}
        else:
            run.script.events["write", 1, "after"] = killing(run, lose=False)
        return run

    def _fuzz(self) -> None:
        fuzzer = Fuzzer(self.scene, self.exports, random.Random(self.seed))
        self.problems += fuzzer.met(Case("arguments", ("revoke", "\x1b[31mred", "--cloud=mars")))
        self.problems += fuzzer.met(Case("streams", ("validate",), streams="both full"))
        for case in (fuzzer.neighbour, fuzzer.lease, fuzzer.interruption):
            self.problems += fuzzer.met(case())
            fuzzer.tidy()
        self.problems += fuzzer.control()

    def _rest(self) -> None:
        (key,) = {each.key_id for each in self.look().passwords if each.name == "by hand"}
        self.azure.call("POST", f"{self.scene.holder}/removePassword", {"keyId": key})
        self.check(self.look())


def test_a_short_attack_from_outside(tmp_path: Path) -> None:
    story = Short(3, tmp_path)
    story.play()
    told = "\n".join((*story.trace, *story.problems))
    assert story.counts.kills == 1 and story.counts.damaged_answers == 3, told
    assert {each[:2] for each in story.problems} == {"I1", "I3"}, told
