"""Every rule of `plan` and every check of `guard`, changed in one place at a time: a test must notice each change.

Three kinds of changes. *Generated*: every condition of every function, inverted, left out, or moved by an instant (see
`tests/mutation.py`), against the cases that reach the function. *Named*: mistakes that a person could make, one
sentence each. *Over-acting*: with rules that ask for too much, the guard alone refuses; without the guard as well, the
invariants of a simulated run notice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, lru_cache, partial
from itertools import chain
from types import ModuleType
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop

from rotator import guard
from rotator.codes import ReasonCode
from rotator.container_group import Phase, interpretation, losses
from rotator.guard import deploy, issue, links, proof, retire, seen, veto
from rotator.plan import (
    View,
    access,
    adoption,
    alarms,
    at_rest,
    compromise,
    marks,
    moves,
    new_credential,
    next_steps,
    not_ours,
    obstacles_to_moves,
    postponed,
    provision,
    reclaim,
    retirement,
    revocation_end,
    revocation_notes,
    rules,
    spread,
    stripped_groups,
    unseen,
    view,
    way_back,
    ways_out,
)
from rotator.state import Outcome, Proof
from rotator.steps import Deploy, Disable, Issue, Known, Reason, Restore, Retire, Revoke, Step, kind, target
from tests import mutation
from tests.engine import test_alarms
from tests.guard import test_guard
from tests.invariants import monitored
from tests.matrices.test_crash_matrix import adopted, whole
from tests.mutation import Mutant
from tests.plan import (
    test_access_steps,
    test_adoption,
    test_at_rest,
    test_endings,
    test_keys,
    test_limited,
    test_plan,
    test_provision_steps,
    test_reclaim,
    test_remaining,
    test_revocation_notes,
    test_room,
)
from tests.stage import GROUPS, play

pytestmark = pytest.mark.xdist_group("mutants")  # they share the net

Body = Callable[[], object]


@dataclass(frozen=True)
class Test:
    """Body of a test, with the functions that it reaches."""

    __test__ = False
    name: str
    body: Body
    reaches: frozenset[str]


@cache
def net() -> tuple[Test, ...]:
    """Return the pure tests: the cases, the vetoes, the sentences on access; those with the least reach, and so the
    cheapest, first.
    """
    return tuple(
        sorted(
            (Test(name, body, mutation.called(body)) for name, body in _bodies()), key=lambda test: len(test.reaches)
        )
    )


@cache
def _in_turn() -> list[Test]:
    """Return the net as a list, whose order follows the last killers."""
    return list(net())


def _bodies() -> Iterator[tuple[str, Body]]:
    for case in test_plan.cases():
        yield str(case.id), _bound(test_plan.agree, case.values[0], test_plan.world(case.values[0]))
    for case in test_guard.vetoes():
        yield f"veto: {case.id}", _bound(test_guard.agree, case.values[0], test_guard.world(case.values[0]))
    yield from ((f"adoption: {case['when']}", partial(test_adoption.agree, case)) for case in test_adoption.CASES)
    yield from (
        (f"declaration: {case['when']}", partial(test_adoption.declares, case)) for case in test_adoption.DECLARATIONS
    )
    yield from ((body.__name__, body) for body in (*test_adoption.PURE, *test_alarms.PURE))
    yield from ((f"marks: {name}", body) for name, body in vars(test_room).items() if name.startswith("test_"))
    for name, body in chain(
        *(
            vars(module).items()
            for module in (
                test_access_steps,
                test_endings,
                test_keys,
                test_limited,
                test_reclaim,
                test_remaining,
                test_at_rest,
                test_revocation_notes,
                test_provision_steps,
            )
        )
    ):
        if name.startswith("test_"):
            yield name, body


def _bound(agree: Callable[..., None], case: Any, world: Sequence[Any]) -> Body:
    return lambda: agree(case, *world)


def killer(tests: list[Test]) -> str | None:
    """Return the first failing test with its failure; the test moves to the front, since a function's mutants resemble
    each other.
    """
    for at, test in enumerate(tests):
        try:
            test.body()
        except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001 - a mutant may fail in any way
            tests.insert(0, tests.pop(at))
            return f"{test.name} ({type(failure).__name__})"
    return None


@pytest.fixture(autouse=True)
def _nobody_reads_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip pytest's comparison of expected and actual values: mutants fail thousands of times, and each comparison
    takes longer than the case.
    """
    monkeypatch.setattr("_pytest.assertion.util._reprcompare", None)


@pytest.fixture(autouse=True, scope="module")
def _each_group_is_interpreted_once() -> Iterator[None]:
    """Keep every interpretation of a container group: the cases have more groups than a run keeps, and no mutant
    affects them.
    """
    whole = lru_cache(maxsize=None)(interpretation._interpreted.__wrapped__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpretation, "_interpreted", whole)
        yield


# generated

MUTATED: tuple[ModuleType, ...] = (
    adoption,
    compromise,
    postponed,
    marks,
    rules,
    new_credential,
    not_ours,
    way_back,
    retirement,
    reclaim,
    at_rest,
    alarms,
    moves,
    obstacles_to_moves,
    unseen,
    spread,
    stripped_groups,
    view,
    ways_out,
    access,
    revocation_end,
    revocation_notes,
    provision,
    veto,
    issue,
    proof,
    links,
    deploy,
    retire,
    seen,
    losses,
)
FOR_PEOPLE = {
    "_counted",
    "_done",
    "_no_way_back",
    "_where",
    "_under",
    "_name",
    "_one_way",
    "_password_gone",
    "_held_by",
    "_why_it_stays",
    "_lingers",
    "_broken",
    "_useless",
    "_undecided",
    "_doubt",
    "_full",
    "_none_to_adopt",
    "_unread_values",
}
"""Functions that only write sentences; the cases assert codes."""
SENTENCE = "only the sentence for people is another"
IMPLIED = "another condition of the same function implies it; it narrows a type"
EQUIVALENT = {
    "plan.rules.next_steps: `Intent()` left out of `intent or Intent()`": "cases always have an intent",
    "plan.rules.next_steps: if `observed.access_since` turned round": SENTENCE,
    "plan.rules.next_steps: `isinstance(f, ORDER)` left out of `isinstance(f, ORDER) and (not held_up(view, f))`": IMPLIED,
    "plan.rules.next_steps: `first` left out of `first and isinstance(s, first)`": (
        "without a first kind there are no steps"
    ),
    "plan.new_credential._covering: `view.newest is None` left out of `not view.drift or not view.drift_tolerated or view.intent.ac`": (
        IMPLIED
    ),
    "plan.not_ours.drift: `view.newest is None` left out of `not view.drift or view.newest is None`": IMPLIED,
    "plan.not_ours.drift: if `dead` turned round": SENTENCE,
    "plan.retirement.retire: `view.current_version` left out of `view.current and view.current_version`": IMPLIED,
    "plan.reclaim._published: `fits is None` turned round": SENTENCE,
    "plan.ways_out.told: `dependent is not None` left out of `wait.code is WaitCode.JOB_RUNNING and dependent is not None`": (
        IMPLIED
    ),
    "plan.ways_out._way_out: `dependent` left out of `wait.code in (WaitCode.JOB_RUNNING, WaitCode.FORWARD_ONLY) a`": (
        IMPLIED
    ),
    "guard.issue.unresolved: `min((c.start for c in lost), default=observed.at)` by max": SENTENCE,
    "guard.issue.unresolved: the boundary of `reclaimed > observed.at` moved": SENTENCE,
    "guard.issue.unresolved: `reclaimed > observed.at` turned round": SENTENCE,
    "plan.way_back.restore: `not view.current_key` left out of `view.behind(dependent) or not view.current_key or dependent.`": (
        IMPLIED
    ),
    "plan.obstacles_to_moves.settled: `not dependent.since` left out of `dependent.verdict is not Verdict.SETTLING or not dependent.s`": (
        IMPLIED
    ),
    "plan.moves._worse: `bool(dependent.since)` left out of `bad and bool(dependent.since) and (view.at - (dependent.sinc`": (
        IMPLIED
    ),
    "plan.view.View.proven: `self.at` left out of `dependent.since or self.at`": IMPLIED,
    "plan.moves._worse: `view.at` left out of `dependent.since or view.at`": IMPLIED,
    "plan.retirement._superseded: if `exposed` turned round (2)": SENTENCE,
    "plan.retirement._obstacles: if `since` turned round": SENTENCE,
    "plan.reclaim._overlap: `version is None` left out of `version is None or (older and all((d.previous != key_id for`": (
        IMPLIED
    ),
    "plan.obstacles_to_moves._failed_before: `failed.count == 1` turned round": SENTENCE,
    "plan.moves._warning: if `soonest` turned round": SENTENCE,
    "plan.moves._starting: `dependent.since is not None` left out of `settling and dependent.since is not None and (view.at - depe`": (
        IMPLIED
    ),
    "plan.view.View.missing: `d.group` left out of `d.group and d.phase is Phase.ABSENT and (not d.group.manifes`": (
        IMPLIED
    ),
    "guard.veto.check: `Intent()` left out of `intent or Intent()`": "cases always have an intent",
    "guard.issue.tags_fit: `newest is None` left out of `newest is None or len(theirs) <= OTHERS`": IMPLIED,
    "guard.proof.value_proves: if `known.unproven` turned round": SENTENCE,
    "guard.proof.value_proves: `proof is None` left out of `proof is None or not seen.fresh(observed, known)`": IMPLIED,
    "guard.retire.retirable: `newest` left out of `newest and newest.key_id == wanted`": IMPLIED,
    "guard.retire.retirable: `proof.detail` left out of `proof.detail or proof.outcome`": SENTENCE,
    "guard.retire.retirable: `proof.outcome` left out of `proof.detail or proof.outcome`": SENTENCE,
    "guard.retire._overlapped: `version is None` left out of `version is None or intent.no_overlap`": IMPLIED,
    "guard.retire.held: if `dependent.key_id` turned round": SENTENCE,
}
"""Mutants that no test can notice, each with its reason; an entry that is killed after all, or is gone, fails `make
soak` or the build.
"""


def _generated() -> Iterator[Any]:
    for module in MUTATED:
        by_function: dict[str, list[Mutant]] = {}
        for mutant in mutation.mutants(module, lambda name: name not in FOR_PEOPLE):
            by_function.setdefault(mutant.function, []).append(mutant)
        for function, made in by_function.items():
            yield pytest.param(made, id=f"{module.__name__.removeprefix('rotator.')}.{function}")


GENERATED = list(_generated())


def _equivalent() -> Iterator[Mutant]:
    return (mutant for param in GENERATED for mutant in param.values[0] if mutant.id in EQUIVALENT)


@pytest.mark.parametrize("mutants", GENERATED)
def test_a_change_of_a_decision_is_noticed(
    mutants: list[Mutant], record_property: Callable[[str, object], None]
) -> None:
    judged = [each for each in mutants if each.id not in EQUIVALENT]
    assert unnoticed(mutants, judged, net(), record_property) == []


def unnoticed(
    mutants: list[Mutant], judged: list[Mutant], tests: Sequence[Test], record: Callable[[str, object], None]
) -> list[str]:
    """Return a function's mutants without a test that notices them; record the killer of each other one."""
    marked = mutation.mark(mutants[0].module, mutants[0].function)
    reaching = [test for test in tests if marked in test.reaches]
    assert reaching or not judged, f"no test reaches {marked}"
    survived = []
    for mutant in judged:
        with mutation.installed(mutant):
            noticed = killer(reaching)
        record(mutant.id, noticed or "survived")
        survived += [] if noticed else [mutant.id]
    return survived


@pytest.mark.soak
@pytest.mark.parametrize("mutant", [pytest.param(each, id=each.id) for each in _equivalent()])
def test_a_change_that_means_the_same_is_noticed_by_nothing(mutant: Mutant) -> None:
    marked = mutation.mark(mutant.module, mutant.function)
    with mutation.installed(mutant):
        assert killer([test for test in net() if marked in test.reaches]) is None


def test_the_net_is_not_thin() -> None:
    made = [mutant.id for param in GENERATED for mutant in param.values[0]]
    assert len(made) == len(set(made)) > 500
    assert set(EQUIVALENT) <= set(made)
    assert len(EQUIVALENT) < len(made) / 20


# named

Install = Callable[[pytest.MonkeyPatch], object]


RULED = (moves, obstacles_to_moves, new_credential, retirement, rules)


def _rule(name: str, instead: Callable[..., Any]) -> Install:
    return lambda patch: [patch.setattr(module, name, instead) for module in RULED if hasattr(module, name)]


def _seen(name: str, instead: Callable[[View], Any]) -> Install:
    return lambda patch: patch.setattr(View, name, property(instead))


def _without(rule: Callable[..., Any]) -> Install:
    return lambda patch: patch.setattr(rules, "RULES", tuple(each for each in rules.RULES if each is not rule))


def _swapped(at: int) -> Install:
    order = list(rules.ORDER)
    order[at : at + 2] = reversed(order[at : at + 2])
    return lambda patch: patch.setattr(rules, "ORDER", tuple(order))


def _unchecked(check: Callable[..., Any]) -> Install:
    return lambda patch: _silenced(patch, check)


def _silenced(patch: pytest.MonkeyPatch, check: Callable[..., Any]) -> None:
    """Replace the code of a check, so that modules with an imported reference are affected, too."""
    patch.setattr(check, "__code__", nothing.__code__)


def _constant(module: ModuleType, name: str, factor: float) -> Install:
    return lambda patch: patch.setattr(module, name, getattr(module, name) * factor)


def nothing(*_: object) -> tuple[()]:
    """Rule without any finding."""
    return ()


def never(*_: object) -> None:
    """Obstacle without any case."""


def _all_ours(seen: View) -> tuple[Any, ...]:
    return tuple(sorted(seen.observed.credentials))


OBSTACLES = (
    "_unreadable",
    "_changing",
    "_unmovable",
    "_unsuitable",
    "_untagged",
    "_stripped",
    "_failed_before",
    "_outside_window",
    "settled",
)
NAMED: dict[str, Install] = {
    **{f"rule {rule.__name__} is gone": _without(rule) for rule in rules.RULES},
    **{
        f"{rules.ORDER[at + 1].__name__} before {rules.ORDER[at].__name__}": _swapped(at)
        for at in range(len(rules.ORDER) - 1)
    },
    **{f"obstacle {name} is ignored": _rule(name, never) for name in OBSTACLES},
    **{f"check {check.__name__} is gone": _unchecked(check) for check in guard.RULES},
    "the overlap is ignored": _seen("overlap", lambda seen: timedelta()),
    "holders are ignored": lambda patch: patch.setattr(View, "holders", nothing),
    "foreign credentials count as ours": _seen("ours", _all_ours),
    "what is compromised is ignored": _seen("compromised", lambda seen: frozenset()),
    "drift is ignored": _seen("drift", lambda seen: False),
    "drift is never tolerated": _seen("drift_tolerated", lambda seen: False),
    "a revocation is ignored": _seen("revoked", lambda seen: False),
    "orphans are never seen": _seen("orphans", lambda seen: ()),
    "every credential of ours is an orphan": _seen("orphans", lambda seen: seen.ours),
    "the versions' tags name nothing": _seen("named", lambda seen: frozenset()),
    "the first version of ours is current": _seen(
        "current_version", lambda seen: next((v for v in seen.versions if v.ours), None)
    ),
    "the newest version is current, whoever wrote it": _seen("current_version", lambda seen: seen.newest),
    "obstacles to retirement are ignored": _rule("_obstacles", nothing),
    "unseen subscriptions are ignored": lambda patch: _patched_obstacles(patch, "unseen"),
    "a struggling group is ignored": lambda patch: _patched_obstacles(patch, "struggling"),
    "there is no canary": _rule(
        "_batch",
        lambda seen, ready: (Deploy(d.id, seen.current_key or "", moves._deploy_reason(seen, d)) for d in ready),
    ),
    "nothing ever fares worse": _rule("_worse", lambda seen, one: False),
    "nothing is ever late": _rule("late", lambda seen, one: False),
    "nobody may be moved": lambda patch: patch.setattr(View, "movable", lambda seen, one: False),
    "everybody may be moved": lambda patch: patch.setattr(View, "movable", lambda seen, one: True),
    "nobody is behind": lambda patch: patch.setattr(View, "behind", lambda seen, one: False),
    "a missing credential is gone at once": _rule("CONFIRM", timedelta()),  # type: ignore[arg-type]
    "a missing credential is waited for twice as long": _constant(new_credential, "CONFIRM", 2),
    "the back-off is half as long": lambda patch: patch.setattr(
        obstacles_to_moves, "BACK_OFF", tuple(one / 2 for one in obstacles_to_moves.BACK_OFF)
    ),
    "the back-off is twice as long": lambda patch: patch.setattr(
        obstacles_to_moves, "BACK_OFF", tuple(one * 2 for one in obstacles_to_moves.BACK_OFF)
    ),
    "the back-off grows for ever": lambda patch: patch.setattr(
        obstacles_to_moves, "BACK_OFF", (*obstacles_to_moves.BACK_OFF, obstacles_to_moves.BACK_OFF[-1] * 2)
    ),
    "the back-off never grows": lambda patch: patch.setattr(
        obstacles_to_moves, "BACK_OFF", obstacles_to_moves.BACK_OFF[:1]
    ),
    "the last tries follow each other twice as fast": _constant(obstacles_to_moves, "SHARE", 2),
    "a group's trouble is its own from the start": lambda patch: patch.setattr(moves, "OWN_TROUBLE", 1),
    "a bad group stops the rest for half as long": _constant(moves, "STOPS_REST", 0.5),
    "a bad group stops the rest for twice as long": _constant(moves, "STOPS_REST", 2),
    "the last week is shorter": _constant(obstacles_to_moves, "LAST_WEEK", 0.5),
    "the last week is longer": _constant(obstacles_to_moves, "LAST_WEEK", 2),
    "drift is tolerated for less than a week": _constant(view, "LAST_WEEK", 0.5),
    "drift is tolerated for more than a week": _constant(view, "LAST_WEEK", 2),
    "more adds may stay unresolved": _constant(issue, "MOST_UNRESOLVED", 2),
    "fewer adds may stay unresolved": lambda patch: patch.setattr(issue, "MOST_UNRESOLVED", 2),
    "a proof lasts longer": _constant(seen, "FRESH", 2),
    "a proof lasts less long": _constant(seen, "FRESH", 0.5),
    "a job may be interrupted": lambda patch: patch.setattr(deploy, "AT_WORK", (Phase.STARTING,)),
    "a revoke deletes whatever it finds": lambda patch: patch.setattr(
        test_access_steps,
        "revoke_steps",
        lambda policy, found, roles: tuple(Revoke(a, Reason(ReasonCode.REVOKE, "")) for a in found),
    ),
}


def _patched_obstacles(patch: pytest.MonkeyPatch, code: str) -> None:
    original = retirement._obstacles
    patch.setattr(
        retirement,
        "_obstacles",
        lambda seen, credential: (wait for wait in original(seen, credential) if wait.code != code),
    )


@pytest.mark.parametrize("mistake", NAMED)
def test_a_mistake_is_noticed(mistake: str, record_property: Callable[[str, object], None]) -> None:
    tests = _in_turn()
    with pytest.MonkeyPatch.context() as patch:
        NAMED[mistake](patch)
        noticed = killer(tests)
    record_property(mistake, noticed)
    assert noticed, f"no test notices that {mistake}"


# over-acting


def _always_retire(seen: View) -> Iterator[Step]:
    return (Retire(c.key_id, c.home, Reason(ReasonCode.FORCED, "")) for c in chain(seen.superseded, seen.orphans))


def _retire_everything(seen: View) -> Iterator[Step]:
    return (Retire(c.key_id, c.home, Reason(ReasonCode.FORCED, "")) for c in seen.observed.credentials)


def _disable_everything(seen: View) -> Iterator[Step]:
    return (Disable(v.id, Reason(ReasonCode.FORCED, "")) for v in seen.versions)


def _restore_everything(seen: View) -> Iterator[Step]:
    return (
        Restore(d.id, c.key_id, seen.versions[0].id, seen.current_key or "", 1, Reason(ReasonCode.FORCED, ""))
        for d in seen.dependents
        for c in seen.observed.credentials
        if seen.versions
    )


def _deploy_anything(seen: View) -> Iterator[Step]:
    return (
        Deploy(d.id, c.key_id, Reason(ReasonCode.FORCED, ""))
        for d in seen.dependents
        for c in seen.observed.credentials
        if d.run_once
    )


def _deploy_the_wrong_one(seen: View) -> Iterator[Step]:
    return (
        Deploy(d.id, c.key_id, Reason(ReasonCode.FORCED, ""))
        for d in seen.dependents
        for c in seen.observed.credentials
        if c.key_id.lower() != seen.current_key
    )


def _only(rule: Callable[[View], Iterator[Step]]) -> Install:
    return lambda patch: patch.setattr(rules, "RULES", (rule,))


OVERACTING: dict[str, Install] = {
    "retire with no obstacles": NAMED["obstacles to retirement are ignored"],
    "retire what groups hold": NAMED["holders are ignored"],
    "retire although a subscription is unseen": NAMED["unseen subscriptions are ignored"],
    "retire although a group can't pull with the new one": NAMED["a struggling group is ignored"],
    "retire without overlap": NAMED["the overlap is ignored"],
    "retire whatever is not current, at once": _only(_always_retire),
    "retire everything": _only(_retire_everything),
    "foreign counts as ours": NAMED["foreign credentials count as ours"],
    "every credential of ours is an orphan": NAMED["every credential of ours is an orphan"],
    "drift is ignored": NAMED["drift is ignored"],
    "a revocation is ignored": NAMED["a revocation is ignored"],
    "disable every version": _only(_disable_everything),
    "restore to anything": _only(_restore_everything),
    "deploy jobs at work, with anything": _only(_deploy_anything),
    "deploy what isn't current": _only(_deploy_the_wrong_one),
    "a job may be interrupted": NAMED["obstacle _unsuitable is ignored"],
}


@dataclass(frozen=True)
class Verdicts:
    """Steps of the mutated rules beyond the true ones, with the guard's verdicts."""

    refused: list[str]
    passed: list[str]


def _harmless(step: Step, seen: View) -> bool:
    """Tell if a step is only early: the true rules ask for it later, and it is safe at any time."""
    one = next((d for d in seen.dependents if isinstance(step, Deploy | Restore) and d.id == step.group), None)
    if isinstance(step, Issue):
        return not seen.revoked
    if isinstance(step, Deploy) and one:
        return step.key_id.lower() == seen.current_key and not (one.run_once and one.phase in deploy.AT_WORK)
    if isinstance(step, Restore) and one:
        return one.previous == step.key_id
    return isinstance(step, Disable) and not any(
        c.live(seen.at) for v in seen.versions if v.id == step.version if (c := seen.credentials.get(v.key_id or ""))
    )


@dataclass(frozen=True)
class Asked:
    """World of the cases with a proven current value, and the steps of the true rules in it, now and after these are
    done or refused.
    """

    name: str
    seen: View
    now: frozenset[tuple[str, str]]
    later: frozenset[tuple[str, str]]


@cache
def _truly_asked() -> tuple[Asked, ...]:
    return tuple(_asked(str(case.id), *test_plan.world(case.values[0])) for case in test_plan.cases())


def _asked(name: str, policy: Any, observed: Any, intent: Any, known: Known) -> Asked:
    known = replace(known, refused=frozenset())
    later = frozenset(map(_what, _every_step(policy, observed, intent, known)))
    proven = replace(known, proof=Proof(Outcome.PROVEN), proof_at=observed.at)
    now = frozenset(map(_what, next_steps(policy, observed, intent, proven).steps))
    return Asked(name, View(policy, observed, intent, proven), now, later)


def _asked_beyond(mistake: str) -> Verdicts:
    found = Verdicts([], [])
    for case in _truly_asked():
        world = case.seen.policy, case.seen.observed, case.seen.intent, case.seen.known
        with pytest.MonkeyPatch.context() as patch:
            OVERACTING[mistake](patch)
            asked = [step for step in _every_step(*world) if _what(step) not in case.now]
        for step in asked:
            if not _harmless(step, case.seen) and _what(step) not in case.later:
                veto = guard.check(step, *world)
                (found.refused if veto else found.passed).append(
                    f"{case.name}: {step} -> {veto.code if veto else 'passed'}"
                )
    return found


def _what(step: Step) -> tuple[str, str]:
    return kind(step), target(step)


def _every_step(policy: Any, observed: Any, intent: Any, known: Known) -> Iterator[Step]:
    """Yield the steps of the mutated rules, one refusal after the other, so that an earlier kind hides no later one."""
    while steps := next_steps(policy, observed, intent, known).steps:
        yield from steps
        known = replace(known, refused=known.refused | {_what(step) for step in steps})


@pytest.mark.parametrize("mistake", OVERACTING)
def test_the_guard_alone_refuses(mistake: str, record_property: Callable[[str, object], None]) -> None:
    found = _asked_beyond(mistake)
    record_property(mistake, f"{len(found.refused)} refused")
    assert found.passed == []
    assert found.refused, "the mutant asked for nothing that the true rules don't"


def _retire_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "ORDER", (Restore, Issue, Retire, Deploy, Disable))
    NAMED["obstacles to retirement are ignored"](patch)
    NAMED["the overlap is ignored"](patch)


def _blind_guard(patch: pytest.MonkeyPatch) -> None:
    for check in (retire.held, retire.early):
        _silenced(patch, check)
    patch.setattr(seen, "is_ours", lambda *_: True)


FAMOUS: dict[str, tuple[Install, str]] = {
    "retire before deploy": (_retire_first, "I1"),
    "remove what is not ours": (NAMED["foreign credentials count as ours"], "I3"),
}


def _first_rotation(*mistakes: Install) -> None:
    """Play a first rotation beside a foreign credential, with mistakes made once the hand-made one is adopted."""
    with pytest.MonkeyPatch.context() as patch:
        play(lambda loop: _mistaken(loop, patch, mistakes))


async def _mistaken(loop: VirtualLoop, patch: pytest.MonkeyPatch, mistakes: Sequence[Install]) -> None:
    made = await adopted(loop)
    for mistake in mistakes:
        mistake(patch)
    made.azure.directory.add_password(
        made.application, display_name="somebody's", end=made.azure.clock.now() + timedelta(days=300), at_once=True
    )
    with monitored(made, GROUPS):
        await whole(made)


@pytest.mark.parametrize("mistake", FAMOUS)
def test_a_famous_mistake_is_stopped_by_the_guard(mistake: str) -> None:
    _first_rotation(FAMOUS[mistake][0])


@pytest.mark.parametrize("mistake", FAMOUS)
def test_a_famous_mistake_without_a_guard_breaks_an_invariant(mistake: str) -> None:
    made, broken = FAMOUS[mistake]
    with pytest.raises((AssertionError, BaseExceptionGroup)) as caught:
        _first_rotation(made, _blind_guard)
    assert f"{broken}:" in "".join(_texts(caught.value))


def _texts(error: BaseException) -> Iterator[str]:
    yield str(error)
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _texts(inner)
