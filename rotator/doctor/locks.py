"""Checks of management locks: what rotator can't write or delete under them (azure-facts F7).

A lock on a vault stops nothing that rotator does there: values and tags of secrets aren't Resource Manager's.
Locks that can't be seen are no more than advice: they are rare, and the refusal that one causes names it.
"""

from collections.abc import Iterator

from rotator import remedy
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.preflight import Lock, LocksSeen, Unknown
from rotator.resource_id import ResourceId


def redeployable(case: Case) -> Found:
    """Check that no lock forbids the redeployment of a declared container group."""
    groups = {each.id for each in case.policy.container_groups}
    for lock, locked in _locks(case, groups):
        if lock.read_only:
            names = ", ".join(each.name for each in locked)
            text = (
                f"{_called(lock)} forbids each redeployment of {names}: the group would keep the old credential until"
                " that ends. Remove the lock, or rotate while it is removed"
            )
            yield Finding(Severity.FAIL, _subject(locked), text, (remedy.delete_lock(lock.id),))
    yield from _unread(case, groups, "if a lock forbids a redeployment")


def revocable(case: Case) -> Found:
    """Check that no lock keeps the role assignment when access is revoked."""
    registries = {each.id for each in case.policy.registries}
    for lock, locked in _locks(case, registries):
        also = f", and new ones by `{command.rotator(case, 'grant')}`" if lock.read_only else ""
        text = (
            f"{_called(lock)} forbids the removal of role assignments{also}: `{command.rotator(case, 'revoke')}` would"
            " leave the role. Under it, `--credentials` removes the passwords all the same"
        )
        ways = (Remedy("if a revocation is to take the role away", (remedy.delete_lock(lock.id),)),)
        yield Finding(Severity.ADVICE, _subject(locked, "registry"), text, ways=ways)
    yield from _unread(case, registries, "if a lock keeps roles from being revoked", "registry")


def _locks(case: Case, among: set[ResourceId]) -> Iterator[tuple[Lock, list[ResourceId]]]:
    """Yield each lock once, with the resources that it locks."""
    found = dict[Lock, list[ResourceId]]()
    for seen in _of(case, among):
        for lock in () if isinstance(seen.found, Unknown) else seen.found:
            found.setdefault(lock, []).append(seen.on)
    yield from sorted(found.items())


def _of(case: Case, among: set[ResourceId]) -> Iterator[LocksSeen]:
    return (seen for seen in case.examined.locks if seen.on in among)


def _unread(case: Case, among: set[ResourceId], question: str, kind: str = "group") -> Found:
    """Report the first resource whose locks can't be seen; one that isn't there has none."""
    gone = {each.id for each in case.seen.groups if each.document is None and not each.unreadable}
    gone |= {each.id for each in case.examined.registries if isinstance(each.shown, Unknown)}
    unread = ((seen.on, seen.found) for seen in _of(case, among - gone) if isinstance(seen.found, Unknown))
    for on, why in list(unread)[:1]:
        text, mend = command.permitted(case, why.text, why.grounds, "Reader", on)
        yield Finding(Severity.ADVICE, _subject([on], kind), f"it is unknown {question}: {text}", mend)


def _subject(locked: list[ResourceId], kind: str = "group") -> str:
    return f"{kind} {locked[0].name}" if len(locked) == 1 else "groups" if kind == "group" else "registries"


def _called(lock: Lock) -> str:
    return f"lock {lock.name} ({lock.level}) on {lock.scope.rpartition('/')[2]}"
