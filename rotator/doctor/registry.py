"""Checks of the registries: present, reachable by container groups and from here, role honoured, closed to others."""

from collections.abc import Iterator

from rotator import container_group, remedy
from rotator.cloud import registry_name
from rotator.doctor import command
from rotator.doctor.declarations import by_manifest
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.doctor.groups import dependents
from rotator.policy import RegistryProof
from rotator.preflight import RegistrySeen, Unknown, Why
from rotator.rights import PULL, REPOSITORY_READER
from rotator.state import Access, Outcome, Registry
from rotator.words import day

RBAC_ADMIN = "Role Based Access Control Administrator"


def _name(registry_id: str) -> str:
    return f"registry {registry_id.rsplit('/', 1)[-1]}"


def _known(case: Case) -> Iterator[tuple[RegistrySeen, Registry]]:
    for each in case.examined.registries:
        if isinstance(each.shown, Registry):
            yield each, each.shown


def readable(case: Case) -> Found:
    """Check that each registry exists and may be read."""
    for each in case.examined.registries:
        if not isinstance(each.shown, Unknown):
            continue
        if each.shown.kind is Why.ABSENT:
            yield _absent(case, each, each.shown.text)
        elif each.shown.kind is Why.REFUSED:
            text, mend = command.permitted(case, each.shown.text, each.shown.grounds, "Reader", each.id)
            yield Finding(Severity.FAIL, _name(each.id), text, mend)
        else:
            yield Finding(Severity.UNKNOWN, _name(each.id), each.shown.text, (command.rotator(case, "doctor"),))


def _absent(case: Case, gone: RegistrySeen, text: str) -> Finding:
    """Return the finding on a missing registry, with registries of its subscription as candidates.

    Candidates are those from which the policy's container groups pull, or else all.
    """
    known = {each.id for each in case.policy.registries}
    free = [each for each in gone.others if each.id not in known]
    used = {
        case.cloud.login_server(server) or server
        for each in case.seen.groups
        if case.policy.group(each.id)
        for server in container_group.registry_servers(each.document)
    }
    meant = [each for each in free if each.login_server in used] or free
    writes = [(each, command.in_place("registries", each.id, gone.id)) for each in meant]
    make = remedy.create_registry(gone.id)
    if len(writes) == 1 and writes[0][0].login_server in used:
        text = f"{text} The policy's container groups pull from {writes[0][0].login_server}"
        return Finding(Severity.FAIL, _name(gone.id), text, (command.edit(case),), writes[0][1])
    ways = [Remedy(f"if {each.login_server} is meant", (command.edit(case),), write) for each, write in writes]
    ways.append(Remedy("if the registry must be created", (make,)))
    if len(case.policy.registries) > 1:
        removed = command.taken_out("registries", [gone.id])
        ways.append(Remedy("if the registry was deleted for good", (command.edit(case),), removed))
    return Finding(Severity.FAIL, _name(gone.id), text, ways=tuple(ways))


def role_honoured(case: Case) -> Found:
    """Check that the declared role permits a pull, in each registry's permission mode."""
    declared = {each.id: each.role for each in case.policy.registries}
    for each, shown in _known(case):
        role = declared[each.id]
        wanted = REPOSITORY_READER if shown.abac else PULL
        if shown.abac != (role == REPOSITORY_READER):
            mode = "RBAC registry and ABAC repository permissions" if shown.abac else "RBAC registry permissions"
            text = f"its mode is “{mode}”, in which {role} gives no access to images"
            write = f"registries:\n  - id: {each.id}\n    role: {wanted}"
            yield Finding(
                Severity.FAIL, _name(each.id), text, (command.edit(case), command.rotator(case, "grant")), write
            )


def public(case: Case) -> Found:
    """Check that container groups reach each registry: a service principal can't pull through a private endpoint."""
    for each, _ in _known(case):
        if not each.public:
            text = (
                "public network access is disabled, and container groups with a service principal can't pull"
                " through a private endpoint: enable public access, or let the groups pull with a managed identity"
                " (the commands are below)"
            )
            yield Finding(Severity.FAIL, _name(each.id), text, (remedy.enable_public_network(each.id),))


def open_to_groups(case: Case) -> Found:
    """Check that the registry's firewall doesn't refuse all addresses.

    Container groups come from addresses that can't be listed.
    """
    for each, _ in _known(case):
        if each.public and not each.open:
            text = (
                "its firewall denies all addresses that are not listed, and container groups pull from addresses"
                " that can't be listed"
            )
            yield Finding(Severity.FAIL, _name(each.id), text, (remedy.allow_every_address(each.id),))


def reached(case: Case) -> Found:
    """Check that the registry answers from here, so that a pull can be proven."""
    for each, _ in _known(case):
        if each.reached and each.public and each.open:
            needed = case.policy.proof.registry is RegistryProof.REQUIRED
            text = f"this machine can't reach the registry, so no pull can be proven: {each.reached.text}"
            again = Remedy(
                "if this machine should reach the registry (HTTPS_PROXY names a proxy), after that is fixed",
                (command.rotator(case, "doctor"),),
            )
            accept = Remedy(
                "if this machine will never reach it: pulls are then not proven",
                (command.edit(case),),
                "proof: {registry: optional}",
            )
            ways = (again, accept) if needed else (again,)
            yield Finding(Severity.FAIL if needed else Severity.WARN, _name(each.id), text, ways=ways)


def pull_proven(case: Case) -> Found:
    """Check that the current value pulls the images of the container groups; after a revocation it isn't to."""
    proof = case.examined.known.proof
    if (
        proof is None
        or case.view.revoked
        or not all(each.public and not each.reached for each in case.examined.registries)
    ):
        return
    if proof.outcome is Outcome.NO_PULL:
        yield Finding(Severity.FAIL, "pull", f"the principal may not pull: {proof.detail}", _granting(case))
    elif proof.outcome is Outcome.UNREACHABLE:
        accepted = case.policy.proof.registry is RegistryProof.OPTIONAL
        yield Finding(
            Severity.WARN if accepted else Severity.UNKNOWN,
            "pull",
            f"a pull can't be tried: {proof.detail}",
            (command.rotator(case, "doctor"),),
        )
    for image in proof.missing:
        lost = image in proof.unanswered
        yield Finding(
            Severity.WARN,
            "pull",
            f"{proof.absence(image)}: a container group with {image if lost else 'this image'} is not redeployed",
            ways=tuple(_to_answer(case, image)) if lost else _to_pull(case, image),
        )


def _granting(case: Case) -> tuple[str, ...]:
    """The commands that assign the declared roles: rotator's own, or az for a person with that right."""
    to = case.seen.principal.service_principal
    if to is None or not any(_assigns(case, each.id) is False for each in case.policy.registries):
        return (command.rotator(case, "grant"),)
    return tuple(remedy.assign_role(to, each.role, each.id) for each in case.policy.registries)


def _to_pull(case: Case, image: str) -> tuple[Remedy, ...]:
    host, _, rest = image.partition("/")
    found = next((each for each, shown in _known(case) if shown.login_server == case.cloud.login_server(host)), None)
    name, subscription = (found.id.name, found.id.subscription) if found else (registry_name(host), None)
    repository = rest.partition("@")[0].rpartition(":")[0] or rest.partition("@")[0]
    tags = remedy.list_tags(name, repository, subscription)
    return (
        Remedy("if the image should exist: on a machine that has it", (remedy.push_image(image),)),
        Remedy(
            "if the group should run another image: this lists the tags; then deploy the group by its own means",
            (tags,),
        ),
    )


def _to_answer(case: Case, image: str) -> Iterator[Remedy]:
    """Yield the ways out where the endpoint of a region gives no answer, but the registry does."""
    host = image.partition("/")[0]
    again = (command.rotator(case, "doctor"),)
    yield Remedy("if the endpoint is only down: doctor tells when it answers", again)
    yield Remedy(
        "if only this machine can't reach it: pulls are then not proven",
        (command.edit(case),),
        "proof: {registry: optional}",
    )
    for each in dependents(case):
        if image in each.images:
            when = (
                "if the registry has no endpoint in that region any more: deploy the group with"
                f" {case.cloud.login_server(host)} in place of {host}, in its image and its entry"
            )
            yield Remedy(when, *by_manifest(case, each))


def access_unrevoked(case: Case) -> Found:
    """Check that access isn't revoked, and after a revocation that the published value pulls no more."""
    if case.seen.access is Access.REVOKED and case.examined.known.proof and case.examined.known.proof.ok:
        text = (
            f"access was revoked {day(case.seen.access_since)}, and a pull with the published value still succeeds:"
            " a role remains (a management lock keeps it, or it was given elsewhere), or Azure has not applied the"
            " change yet (up to ten minutes)"
        )
        ways = (
            Remedy("if access must end: after the lock is removed", (command.rotator(case, "revoke"),)),
            Remedy("if access must end at once", (command.rotator(case, "revoke", credentials=True),)),
            Remedy("if access must be restored", (command.rotator(case, "grant"),)),
        )
        yield Finding(Severity.FAIL, "pull", text, ways=ways)
    elif case.seen.access is Access.REVOKED:
        text = f"access was revoked {day(case.seen.access_since)}: every rotation is skipped"
        yield Finding(Severity.WARN, "pull", text, (command.rotator(case, "grant"),))


def admin_user_off(case: Case) -> Found:
    """Check that the admin user is off: its password pulls even after a revocation."""
    for each, shown in _known(case):
        if shown.admin_user:
            text = "its admin user is enabled: one shared password that rotator neither rotates nor revokes"
            yield Finding(Severity.WARN, _name(each.id), text, (remedy.disable_admin_user(each.id),))


def anonymous_off(case: Case) -> Found:
    """Check that no pull is possible without a credential."""
    for each, _ in _known(case):
        if each.anonymous:
            text = "everyone can pull from it without a password (anonymous pull)"
            yield Finding(Severity.WARN, _name(each.id), text, (remedy.disable_anonymous_pull(each.id),))


def assignable(case: Case) -> Found:
    """Check that this identity could also revoke and grant, an ability not needed by a rotation."""
    for each, _ in _known(case):
        may, mend = _assigns(case, each.id), command.role(case, RBAC_ADMIN, each.id)
        if may is False:
            text = (
                "this identity can't change role assignments here: `rotator revoke` and `rotator grant` need"
                " another identity, or this role"
            )
            yield Finding(Severity.ADVICE, _name(each.id), text, (mend,))
        elif may is None:
            text = (
                "it is unknown if this identity can change role assignments here, as `rotator revoke` and `grant` need"
            )
            unread = next((one for one in case.examined.rights if one.scope == each.id and one.why), None)
            told = f"{text}: {unread.why}" if unread else text
            mended = command.unless(case, told, unread.grounds if unread else None, mend)
            yield Finding(Severity.ADVICE, _name(each.id), *mended)


def _assigns(case: Case, registry_id: str) -> bool | None:
    """Tell if rotator may change role assignments of a registry; None if unknown."""
    may = {
        right.allowed
        for right in case.examined.rights
        if right.scope == registry_id and "/roleAssignments/" in right.action
    }
    return False if False in may else None if None in may else True
