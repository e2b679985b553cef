"""Checks of container groups in Azure: visible, writable, present, listed; what may be redeployed when."""

from rotator import container_group
from rotator.codes import WaitCode
from rotator.container_group import Dependent, Phase
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.plan import next_steps
from rotator.policy import UnseenSubscriptions, next_open, open_at
from rotator.preflight import Right
from rotator.resource_id import ArmId
from rotator.rights import GROUP_CONTRIBUTOR, LINKED, READ_LOGS, READER, WRITE_GROUP
from rotator.words import day

MOST_NAMED = 5
"""Groups named in one text."""


def dependents(case: Case) -> tuple[Dependent, ...]:
    """Return the container groups that use the principal."""
    return container_group.dependents(case.policy, case.seen)


def subject(dependent: Dependent) -> str:
    """Return the name of a group in a finding."""
    return f"group {dependent.name}"


def readable(case: Case) -> Found:
    """Check that each declared group may be read."""
    for each in dependents(case):
        if each.phase is Phase.UNREADABLE:
            grounds = next((seen.grounds for seen in case.seen.groups if seen.id == each.id), None)
            text, mend = command.permitted(case, str(each.refused), grounds, READER, each.id)
            yield Finding(Severity.FAIL, subject(each), text, mend)


def writable(case: Case) -> Found:
    """Check that each declared group may be redeployed."""
    for each in case.policy.container_groups:
        right, name, mend = (
            case.examined.right(WRITE_GROUP, each.id),
            f"group {each.id.name}",
            command.role(case, GROUP_CONTRIBUTOR, each.id),
        )
        if right.allowed is False:
            yield Finding(
                Severity.FAIL,
                name,
                "rotator may not redeploy the group, so the group would keep the old credential until that ends",
                (mend,),
            )
        elif right.allowed is None:
            text = f"it is unknown if rotator may redeploy the group: {right.why}"
            yield Finding(Severity.UNKNOWN, name, *command.unless(case, text, right.grounds, mend))


def linkable(case: Case) -> Found:
    """Check that each redeployed group may be linked again to its identities and its subnet."""
    known = {(right.action, right.scope): right for right in case.examined.rights}
    for each in dependents(case):
        for action, scope in each.links:
            right = known.get((action, scope), Right(action, scope, True))
            allowed = right.allowed
            text = f"a redeployment needs {action} on {scope.rsplit('/', 1)[-1]}"
            mend = command.role(case, LINKED[action], scope)
            if allowed is False:
                yield Finding(
                    Severity.FAIL,
                    subject(each),
                    f"{text}, which this identity does not have; a custom role with that action alone is enough",
                    (mend,),
                )
            elif allowed is None:
                text = f"{text}; it is unknown if this identity has it: {right.why}"
                yield Finding(Severity.UNKNOWN, subject(each), *command.unless(case, text, right.grounds, mend))


def holding_known(case: Case) -> Found:
    """Check that each group shows the key id of its credential.

    A stripped tag, or a redeployment by hand, leaves the credential unknown.
    """
    for wait in next_steps(case.policy, case.seen).waits:
        if wait.code is WaitCode.UNTAGGED:
            name = ArmId(wait.subject).name
            yield Finding(Severity.ADVICE, f"group {name}", wait.text, (command.rotator(case, "deploy", name),))


def listed(case: Case) -> Found:
    """Check that every subscription with possible users of the principal may be listed."""
    for each in case.seen.unseen:
        accepted = case.policy.discover.unseen is UnseenSubscriptions.ACCEPT
        text = f"container groups there that use the principal are unknown: {each.why}"
        text, mend = command.permitted(case, text, each.grounds, READER, f"/subscriptions/{each.subscription}")
        yield Finding(Severity.WARN if accepted else Severity.FAIL, f"subscription {each.subscription}", text, mend)


def present(case: Case) -> Found:
    """Check that each declared group exists, or has a manifest to make it."""
    for group_id, name in case.view.missing:
        text = "this container group does not exist in Azure; it holds no credential and blocks no step"
        known = {each.id for each in case.policy.container_groups}
        meant = [d.id for d in dependents(case) if d.name.lower() == name.lower() and d.id not in known]
        gone = Remedy(
            "if the group is gone for good", (command.edit(case),), command.taken_out("container_groups", [group_id])
        )
        ways = (
            Remedy(f"if {each} is meant", (command.edit(case),), command.in_place("container_groups", each, group_id))
            for each in meant
        )
        yield Finding(Severity.WARN, f"group {name}", text, ways=(*ways, gone))


def window_in_time(case: Case) -> Found:
    """Check that the deployment window opens before the end of the credentials held by the groups."""
    window, current, at = case.policy.rotation.deploy_window, case.view.current, case.seen.at
    if window is None or not case.view.dependents:
        return
    ends = min(
        (c.end for d in case.view.dependents for c in case.view.held(d) if c.live(at)),
        default=current.end if current else None,
    )
    opens = None if open_at(window, at) else next_open(window, at)
    if ends and opens and opens >= ends:
        text = (
            f"the deployment window opens {day(opens)}, and the first credential that a group may hold ends before"
            f" that, {day(ends)}"
        )
        write = 'rotation: {deploy_window: {cron: "0 * * * *", duration: 1h}}  # until then; or remove deploy_window'
        yield Finding(Severity.FAIL, "deploy window", text, (command.edit(case),), write)


def logs_readable(case: Case) -> Found:
    """Check that a job's output may be read, as needed by `rotator deploy --logs`."""
    for each in case.policy.container_groups:
        right = case.examined.right(READ_LOGS, each.id)
        if each.manifest and not right.allowed:
            unknown = f"it is unknown if its logs may be read: {right.why}"
            text = (
                unknown
                if right.allowed is None
                else "rotator may not read its logs: `rotator deploy --logs` would print nothing"
            )
            mend = command.role(case, GROUP_CONTRIBUTOR, each.id)
            yield Finding(Severity.WARN, f"group {each.id.name}", *command.unless(case, text, right.grounds, mend))
