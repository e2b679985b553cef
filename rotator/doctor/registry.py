"""The registries: there, open to container groups, reached from here, honouring the declared role, and closed to everybody else."""

from collections.abc import Iterator

from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Severity
from rotator.examined import RegistrySeen, Unknown
from rotator.plan.words import day
from rotator.state import Access, Outcome, Registry

DATA_ROLE = "Container Registry Repository Reader"
RBAC_ADMIN = "Role Based Access Control Administrator"


def _name(registry_id: str) -> str:
    return f"registry {registry_id.rsplit('/', 1)[-1]}"


def _known(case: Case) -> Iterator[tuple[RegistrySeen, Registry]]:
    for each in case.examined.registries:
        if isinstance(each.shown, Registry):
            yield each, each.shown


def readable(case: Case) -> Found:
    """Each can be looked up."""
    for each in case.examined.registries:
        if isinstance(each.shown, Unknown):
            absent = each.shown.kind == "absent"
            write = "registries:\n  - id: <what `az acr list --query '[].id' --output tsv` shows>" if absent else ""
            mend = command.edit(case) if absent else command.role(case, "Reader", each.id)
            severity = Severity.UNKNOWN if each.shown.kind == "silent" else Severity.FAIL
            yield Finding(severity, _name(each.id), each.shown.text, (mend,), write)


def role_honoured(case: Case) -> Found:
    """The declared role lets somebody pull, as each registry checks permissions."""
    declared = {each.id.lower(): each.role for each in case.policy.registries}
    for each, shown in _known(case):
        role = declared[each.id.lower()]
        wanted = DATA_ROLE if shown.abac else "AcrPull"
        if shown.abac != (role == DATA_ROLE):
            mode = "RBAC registry and ABAC repository permissions" if shown.abac else "RBAC registry permissions"
            text = f"its mode is “{mode}”, in which {role} gives no access to images"
            write = f"registries:\n  - id: {each.id}\n    role: {wanted}"
            yield Finding(Severity.FAIL, _name(each.id), text, (command.edit(case), command.rotator(case, "grant")), write)


def public(case: Case) -> Found:
    """Container groups can reach it: with a service principal they can't pull through a private endpoint."""
    for each, _ in _known(case):
        if not each.public:
            text = (
                "public network access is disabled, and container groups can't pull with a service principal through a private endpoint: "
                "open it, or let the groups pull with a managed identity"
            )
            yield Finding(Severity.FAIL, _name(each.id), text, (command.registry(each.id, "--public-network-enabled true"),))


def open_to_groups(case: Case) -> Found:
    """Its firewall doesn't turn everybody away: container groups come from addresses that nobody can list."""
    for each, _ in _known(case):
        if each.public and not each.open:
            text = "its firewall denies what isn't listed, and the addresses from which container groups pull can't be"
            yield Finding(Severity.FAIL, _name(each.id), text, (command.registry(each.id, "--default-action Allow"),))


def reached(case: Case) -> Found:
    """It answers from here, so that a pull can be proven."""
    for each, _ in _known(case):
        if each.reached and each.public:
            needed = case.policy.proof.registry == "required"
            text = f"it can't be reached from here, so that no pull can be proven: {each.reached.text}"
            write = "proof: {registry: optional}  # accept that pulls are not proven, or let this machine reach it"
            yield Finding(Severity.FAIL if needed else Severity.WARN, _name(each.id), text, (command.edit(case),) if needed else (), write)


def pull_proven(case: Case) -> Found:
    """The current value pulls what the container groups run."""
    proof = case.seen.proof
    if proof is None or not all(each.public and not each.reached for each in case.examined.registries):
        return
    if proof.outcome is Outcome.NO_PULL:
        yield Finding(Severity.FAIL, "pull", f"the principal may not pull: {proof.detail}", (command.rotator(case, "grant"),))
    elif proof.outcome is Outcome.UNREACHABLE:
        yield Finding(Severity.UNKNOWN, "pull", f"a pull can't be tried: {proof.detail}", (command.rotator(case, "doctor"),))
    for image in proof.missing:
        mend = f"az acr repository show --name {image.partition('.')[0]} --image {image.partition('/')[2]}"
        yield Finding(Severity.WARN, "pull", f"the registry doesn't have {image}: a container group that runs it isn't redeployed", (mend,))


def access_unrevoked(case: Case) -> Found:
    """Nobody took the access away."""
    if case.seen.access is Access.REVOKED:
        text = f"access was revoked {day(case.seen.access_since)}: every rotation is skipped"
        yield Finding(Severity.WARN, "pull", text, (command.rotator(case, "grant"),))


def admin_user_off(case: Case) -> Found:
    """The admin user is off: its password pulls whatever is revoked."""
    for each, shown in _known(case):
        if shown.admin_user:
            text = "its admin user is enabled: one shared password that no rotation replaces and no revocation takes away"
            yield Finding(Severity.WARN, _name(each.id), text, (command.registry(each.id, "--admin-enabled false"),))


def anonymous_off(case: Case) -> Found:
    """Nobody pulls without a credential."""
    for each, _ in _known(case):
        if each.anonymous:
            text = "anybody may pull from it without a password (anonymous pull)"
            yield Finding(Severity.WARN, _name(each.id), text, (command.registry(each.id, "--anonymous-pull-enabled false"),))


def assignable(case: Case) -> Found:
    """Whether this identity could also revoke and grant, which no rotation needs."""
    for each, _ in _known(case):
        rights = [right for right in case.examined.rights if right.scope == each.id and "/roleAssignments/" in right.action]
        if any(right.allowed is False for right in rights):
            text = "this identity can't change role assignments here: `rotator revoke` and `rotator grant` need another one, or this role"
            yield Finding(Severity.ADVICE, _name(each.id), text, (command.role(case, RBAC_ADMIN, each.id),))
