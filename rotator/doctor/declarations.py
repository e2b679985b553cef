"""Checks of what a policy says of container groups: every hidden value, job and service, and each group declared."""

from collections.abc import Iterator
from pathlib import PurePath

from rotator import container_group, remedy
from rotator.cloud import registry_name
from rotator.container_group import Dependent, Document, Phase, Refusal
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.doctor.groups import MOST_NAMED, dependents, subject


def hidden_values_known(case: Case) -> Found:
    """Check that every value hidden by Azure has a source."""
    for each in dependents(case):
        if each.declared and each.unsourced and not each.refused:
            text = (
                f"Azure hides {len(each.unsourced)} of its values, and the policy names no source for them:"
                f" {', '.join(each.unsourced)}"
            )
            write = f"container_groups:\n  - id: {each.id}\n{each.lines_to_add}"
            yield Finding(Severity.FAIL, subject(each), text, (command.edit(case),), write)


def passwords_said(case: Case) -> Found:
    """Check that the policy says of each hidden variable that may hold the principal's password which secret it is.

    A value that is needed for a redeployment is a matter of `hidden_values_known`.
    """
    for each in case.view.unsaid:
        if each.declared and not each.unsourced:
            text = (
                f"the principal's password may be in {', '.join(each.unsaid)}. Until the policy says which secret that"
                f" is, rotator removes no old password. {container_group.ANSWERS}"
            )
            lines = "\n".join(f"      {container_group.likely_line(path)}" for path in each.unsaid)
            write = f"container_groups:\n  - id: {each.id}\n    secrets:  # by their names; correct them\n{lines}"
            yield Finding(Severity.WARN, subject(each), text, (command.edit(case),), write)


def jobs_decided(case: Case) -> Found:
    """Check that the policy decides on the redeployment of ended jobs."""
    for each in dependents(case):
        if each.declared and each.needs_rotation and each.choice is container_group.Choice.UNDECIDED:
            text = (
                "the group is a job that has ended; a redeployment would run it again, and the policy does not say"
                " if that is wanted"
            )
            write = (
                f"container_groups:\n  - id: {each.id}\n    when_finished: wait  # or redeploy, or ignore; or give its"
                " manifest"
            )
            yield Finding(Severity.FAIL, subject(each), text, (command.edit(case),), write)


def services_said(case: Case) -> Found:
    """Check that the policy says of each group that looks like a service, and counts as a job, which of both it is."""
    for each in dependents(case):
        if each.like_a_service and each.needs_rotation and case.view.movable(each):
            evidence = " and ".join(each.like_a_service)
            text = (
                "the group counts as a job by its restart policy, and a running job is never interrupted; but"
                f" {evidence}, as a service"
            )
            write = f"container_groups:\n  - id: {each.id}\n    runs: service  # or job"
            yield Finding(Severity.ADVICE, subject(each), text, (command.edit(case),), write)


def redeployable(case: Case) -> Found:
    """Check that no group is of a kind excluded from redeployment by rotator."""
    for each in dependents(case):
        if each.phase is not Phase.UNREADABLE and each.needs_rotation and case.view.movable(each):
            document = Document.seen(case.policy, next(seen for seen in case.seen.groups if seen.id == each.id))
            away = _elsewhere(case, document)
            if why := each.refused or (away and _given_away(case, away)):
                text = f"the group can't be redeployed: {why}. Until then it keeps its credential"
                yield Finding(Severity.FAIL, subject(each), text, ways=tuple(_out(case, each, document, away)))


def _elsewhere(case: Case, document: Document) -> list[str]:
    """Return the hosts to which a group would give the password, of registries other than the policy's."""
    shown, hosts = {each.login_server for each in case.seen.registries}, container_group.receivers(document)
    if len(shown) < len(case.policy.registries):
        return [host for host in hosts if not container_group.is_registry(case.policy, host)]
    return [host for host in hosts if case.cloud.login_server(host) not in shown]


def _given_away(case: Case, hosts: list[str]) -> str:
    shown = ", ".join(sorted(registry.login_server for registry in case.seen.registries))
    what = "is not a registry" if len(hosts) == 1 else "are not registries"
    return f"it would give the password to {', '.join(hosts)}, which {what} of the policy: Azure shows {shown}"


def _out(case: Case, dependent: Dependent, document: Document, away: list[str]) -> Iterator[Remedy]:
    """Yield the remedies making a group redeployable, one for each kind of obstacle."""
    kinds = {kind for kind, _ in container_group.refusals(document)}
    for host in away:
        yield from _declaring(case, host)
    if away:
        yield Remedy(
            f"if the entry for {', '.join(away)} can go: deploy the group without it", *by_manifest(case, dependent)
        )
    if Refusal.CONTENT in kinds:
        yield Remedy(
            "deploy the group by a manifest that names secrets and contains none",
            *by_manifest(case, dependent),
        )
    if Refusal.POLICY in kinds:
        wrong = "\n".join(f"#      {path}" for path in container_group.misplaced(document))
        yield Remedy(
            "correct these paths of the group in the policy, or remove them",
            (command.edit(case),),
            f"container_groups:\n{wrong}",
        )
    if Refusal.TAGS in kinds:
        yield Remedy("make room", (remedy.remove_any_tag(dependent.id),))
    if Refusal.OWNED in kinds:
        out = command.taken_out("container_groups", [dependent.id])
        yield Remedy(
            "remove the group from the policy, and let the tool that creates the group give it another way to pull",
            (command.edit(case),),
            out,
        )


def _declaring(case: Case, host: str) -> Iterator[Remedy]:
    """Yield the way to declare the registry with this host; nothing for a host of no registry of this cloud."""
    login = case.cloud.login_server(host)
    found = next((each.id for each in case.examined.others if each.login_server == login), None)
    when = f"if the principal pulls from {host}: with that registry beside the others"
    if found:
        yield Remedy(when, (command.edit(case),), f"registries:\n  - id: {found}")
    elif login:
        commands = remedy.show_registry_id(registry_name(login)), command.edit(case)
        yield Remedy(when, commands, "registries:\n  - id: <the registry's id>")


def by_manifest(case: Case, dependent: Dependent) -> tuple[tuple[str, ...], str]:
    """Return commands and lines for a deployment of a group by a manifest.

    The manifest is written from the group as it is, and corrected by hand. A group that the policy doesn't declare is
    exported by az.
    """
    deploy = command.rotator(case, "deploy", dependent.name)
    first = () if case.view.current_version else command.issuing(case, "rotate")
    if dependent.group and dependent.group.manifest:
        return (remedy.edit(dependent.group.manifest.file), *first, deploy), ""
    file = f"manifests/{dependent.name}.yaml"
    where = PurePath(case.policy.file).parent
    target = str(where / file)
    export = (
        command.rotator(case, "manifest", dependent.name, file=target)
        if dependent.declared
        else remedy.export_group(dependent.id, target)
    )
    made = remedy.make_directory(str(where / "manifests"))
    edits = (remedy.edit(target), command.edit(case))
    return (made, export, *edits, *first, deploy), f"container_groups:\n  - id: {dependent.id}\n    manifest: {file}"


def declared(case: Case) -> Found:
    """Check that no group uses the principal without being in the policy."""
    for each in dependents(case):
        if not each.declared and not case.policy.discover.redeploy:
            text = (
                "the group uses the principal and is not in the policy; while it holds an old credential,"
                " rotator does not remove that credential"
            )
            if owner := case.policy.owner(each.id):
                way = f"{owner} declares it, and a group has one policy: let it pull as one of the two principals"
                yield Finding(Severity.WARN, subject(each), f"{text}; {way}")
                continue
            lines = each.lines_to_add or f"  - id: {each.id}"
            yield Finding(Severity.WARN, subject(each), text, (command.edit(case),), f"container_groups:\n{lines}")


def passwords_declared(case: Case) -> Found:
    """Check that no container group elsewhere hides a variable that may hold the principal's password.

    Nothing waits for such a group. One finding names them all, without those that another policy answers for.
    """
    hidden = [each for each in case.seen.hiding if each not in case.policy.answered]
    if not hidden:
        return
    names = ", ".join(each.name for each in hidden[:MOST_NAMED])
    more = f" and {len(hidden) - MOST_NAMED} more" if len(hidden) > MOST_NAMED else ""
    text = (
        f"{names}{more} {'hides' if len(hidden) == 1 else 'hide'} a variable that is named like a principal's"
        " password, and its owner is unknown. rotator removes old passwords without regard to that. If the"
        " password is this principal's, declare the group; doctor then prints the line for the variable"
    )
    lines = "\n".join(f"  - id: {each}" for each in hidden)
    write = f"container_groups:  # those that hold this principal's password\n{lines}"
    yield Finding(Severity.ADVICE, "groups", text, (command.edit(case),), write)
