"""Checks of the principal's passwords: room for a new one, the published one, and whatever else signs in."""

from rotator import remedy
from rotator.causes import Cause
from rotator.codes import NoteCode
from rotator.container_group import Dependent, Phase
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.doctor.principal import SUBJECT, adds
from rotator.plan import called, counted, next_steps, removal
from rotator.preflight import Unknown
from rotator.state import Credential, Home, PasswordLimit, marker
from rotator.steps import Intent
from rotator.words import day

MOST_UNRESOLVED = 3
"""Adds without a known outcome that the guard lets be."""


def none_exposed(case: Case) -> Found:
    """Check that no credential declared compromised still signs in; the vault's tags name the compromised ones."""
    if case.examined.principal and case.view.compromised:
        yield Finding(
            Severity.UNKNOWN,
            SUBJECT,
            "it is unknown if a compromised credential still works",
            (command.rotator(case, "doctor"),),
        )
        return
    for note in next_steps(case.policy, case.seen, Intent()).notes:
        if note.code is NoteCode.STILL_OPEN:
            if resting := _resting_holders(case, note.subject):
                yield Finding(Severity.FAIL, SUBJECT, note.text, ways=_ways(case, resting))
            else:
                yield Finding(Severity.FAIL, SUBJECT, note.text, (_closing(case),))


def _resting_holders(case: Case, key_id: str) -> tuple[Dependent, ...]:
    """Return the stopped and finished groups that alone keep a superseded credential: no run moves them."""
    view = case.view
    if view.revoked or view.drift or view.current is None or key_id.lower() == view.current_key:
        return ()
    holders = view.known_holders(key_id.lower())
    return holders if all(each.phase in (Phase.STOPPED, Phase.FINISHED) for each in holders) else ()


def _ways(case: Case, holders: tuple[Dependent, ...]) -> tuple[Remedy, ...]:
    names = ", ".join(each.name for each in holders)
    return (
        Remedy(
            f"if {names} may start again, with the current credential",
            (*(command.rotator(case, "deploy", each.name) for each in holders), command.rotator(case, "rotate")),
        ),
        Remedy(
            f"if the next pull of {names} may fail: this removes the credential now",
            (command.rotator(case, "rotate", accept_outage=True),),
        ),
    )


def _closing(case: Case) -> str:
    """Return the command that ends a compromised credential."""
    if case.view.revoked:
        return command.rotator(case, "revoke", credentials=True)
    covered = case.view.drift and not case.view.drift_tolerated
    return command.rotator(case, "rotate", accept_drift=covered)


def slot_free(case: Case) -> Found:
    """Check that one more password fits.

    An application for personal accounts holds two (Graph, "Supported account types", limits).
    """
    held = sorted(c for c in case.seen.credentials if c.home is Home.APPLICATION)
    if case.seen.principal.personal and adds(case) is Home.APPLICATION and len(held) > 1:
        shown = {
            c: f"{c.key_id} ({c.display_name or 'no name'}, {'ends' if c.live(case.seen.at) else 'ended'} {day(c.end)})"
            for c in held
        }
        both = ", ".join(shown.values())
        text = (
            "an application for personal accounts holds two passwords at most, and none can be added before one is"
            f" removed: {both}"
        )
        if ended := [c for c in held if not c.live(case.seen.at)]:
            yield Finding(
                Severity.FAIL, SUBJECT, text, (command.delete_password(case, Home.APPLICATION, ended[0].key_id),)
            )
        elif unpublished(case):
            text = f"{text}. It is unknown which one is published: the vault could not be read"
            yield Finding(Severity.FAIL, SUBJECT, text, (command.rotator(case, "doctor"),))
        elif waiting := [c for c in held if c in case.view.superseded]:
            yield _to_finish(case, text, waiting[0])
        else:
            spare = [c for c in held if c != case.view.current]
            ways = (
                Remedy(f"if nothing uses {shown[c]}", (command.delete_password(case, Home.APPLICATION, c.key_id),))
                for c in spare
            )
            yield Finding(Severity.FAIL, SUBJECT, text, ways=tuple(ways))


def _to_finish(case: Case, text: str, waiting: Credential) -> Finding:
    """Return the finding on a rotation whose old password rotator itself removes, after its holders have moved."""
    holders = [each.name for each in case.view.holders(waiting.key_id)]
    overlap = case.policy.rotation.overlap
    when = (
        f"{', '.join(holders)} may hold it, and must be redeployed first"
        if holders
        else "no container group holds it any more"
    )
    text = (
        f"{text}. Don't remove {waiting.key_id} by hand: {when}. rotator removes it in a run after the overlap"
        f" ({overlap.total_seconds() / 3600:.0f} h since the last redeployment)"
    )
    return Finding(Severity.WARN, SUBJECT, text, command.issuing(case, "rotate"))


def life_allowed(case: Case) -> Found:
    """Check that no app management policy forbids a password with this lifetime.

    If rotator may not read these policies, the result is unknown, and not a fault: no rotation needs that permission.
    """
    if isinstance(case.examined.limits, Unknown):
        text = "it is unknown if an app management policy limits passwords"
        grounds = case.examined.limits.grounds
        if grounds and grounds.cause is Cause.ROLE:
            text = f"{text}: rotator may not read these policies (Policy.Read.All), and a refused password names one"
            yield from () if case.examined.principal else (Finding(Severity.OK, SUBJECT, text),)
            return
        text = f"{text}: {case.examined.limits.text}"
        yield Finding(Severity.WARN, SUBJECT, text, (command.rotator(case, "doctor"),))
        return
    validity = case.policy.rotation.validity
    for limit in (one for one in case.examined.limits if one.home is adds(case) and one.forbids(validity)):
        if limit.exempts:
            show = remedy.show_attributes(case.cloud.graph, case.caller.object_id)
            text = f"it is unknown {limit.question}: Microsoft Graph shows that to an administrator of attributes only"
            yield Finding(Severity.WARN, SUBJECT, text, (show,))
        elif limit.longest is None:
            yield _forbidden(case, limit)
        else:
            text = (
                f"app management policy {limit.policy} limits the lifetime of passwords to {limit.longest.days}"
                " days, and `validity` is longer"
            )
            write = f"rotation: {{validity: {limit.longest.days}d}}"
            yield Finding(Severity.FAIL, SUBJECT, text, (command.edit(case),), write)


def _forbidden(case: Case, limit: PasswordLimit) -> Finding:
    """Return the finding on an app management policy that forbids new passwords.

    An object's own policy counts in place of the tenant's: so the object's policy is unassigned, or a policy allowing
    passwords is made and assigned.

    Source: Microsoft Graph v1.0, "appManagementPolicy" and "Assign appliesTo". The administrator of these policies has
    to do it.
    """
    principal, graph, home = case.seen.principal, case.cloud.graph, limit.home
    object_id = str(principal.application if home is Home.APPLICATION else principal.service_principal)
    text = f"app management policy {limit.policy} forbids new passwords; its administrator must exempt this application"
    if limit.assigned:
        text = f"{text}. Without a policy of its own the application falls under the tenant's policy"
        return Finding(
            Severity.FAIL, SUBJECT, text, (remedy.unassign_password_policy(graph, home, object_id, limit.assigned),)
        )
    steps = remedy.allow_passwords(graph, home, object_id, f"{case.policy.name} may have passwords")
    return Finding(Severity.FAIL, SUBJECT, text, steps)


def credential_live(case: Case) -> Found:
    """Check that the published credential has not ended."""
    current, version = case.view.current, case.view.current_version
    if version is None or case.examined.principal:
        return
    if current is None or not current.live(case.seen.at):
        ended = f"ended {day(current.end)}" if current else "is gone from Graph"
        text = f"the published credential {version.key_id} {ended}: every new pull fails until it is replaced"
        if case.view.revoked:
            text += ", and no rotation replaces it while access is revoked. To grant access again"
        severity = Severity.WARN if case.view.revoked else Severity.FAIL
        yield Finding(severity, SUBJECT, text, command.issuing(case, "rotate"))


def rivals(case: Case) -> Found:
    """Check that no other policy has credentials on this principal: each policy would undo the work of the other.

    With a wrong vault in the policy, its own credentials look like those of another policy. A credential of another
    policy that is newer than the current one stops every issue.
    """
    if unpublished(case):
        return
    current = case.view.current if case.view.current and case.view.current.live(case.seen.at) else None
    others = [c for c in case.view.foreign if c.live(case.seen.at) and c.lineage not in ("", case.seen.lineage)]
    for credential in others:
        stops = current is None or credential.start > current.start
        grade = Severity.FAIL if stops else Severity.WARN
        text = (
            f"credential {credential.key_id} was made for another policy (lineage {credential.lineage}): a policy"
            " with another vault or secret manages this principal, or managed it. Keep one policy; the credentials"
            " of the other policy can be handed over"
        )
        if case.view.current_version:
            adopt = command.rotator(case, "adopt", key_id=credential.key_id)
            yield Finding(grade, SUBJECT, text, (adopt,))
        else:
            vault, secret = case.policy.key_vault.name, case.policy.key_vault.password_secret
            move = Remedy(f"to use this credential in {vault}", (remedy.hand_over(vault, secret, credential),))
            away = command.delete_password(case, credential.home, credential.key_id)
            yield Finding(grade, SUBJECT, text, ways=(move, Remedy("if nothing uses it", (away,))))


def signs_in(case: Case) -> Found:
    """Check that all sign-ins as the principal use credentials rotated or removed by rotator.

    Credentials that may not be read are unknown.
    """
    shown, app_id = case.examined.signs_in, case.policy.principal.app_id
    unread = (shown.text,) if isinstance(shown, Unknown) else shown.unread
    if case.examined.principal:
        return
    if unread and case.seen.principal.application and case.seen.principal.service_principal:
        text = f"it is unknown if certificates or federated credentials sign in as the principal: {'; '.join(unread)}"
        yield Finding(Severity.WARN, SUBJECT, text, (command.rotator(case, "doctor"),))
    keys = () if isinstance(shown, Unknown) else shown.live(case.seen.at).keys
    if keys:
        text = (
            f"{counted(keys)}, which can be used to sign in as {app_id}; rotator does not manage them, and a"
            " revocation leaves them"
        )
        ended = ((key, removal(app_id, key)) for key in keys)
        ways = tuple(Remedy(f"if nothing uses {called(key)}", (away,)) for key, away in ended if away)
        yield Finding(Severity.ADVICE, SUBJECT, text, ways=ways)


def unpublished(case: Case) -> bool:
    """Tell if the vault could not be read: any credential may be the published one."""
    return bool(case.examined.vault_silent or case.seen.vault_refuses)


def unresolved(case: Case) -> Found:
    """Check that the number of adds with an unknown result is below the limit."""
    named = case.view.named
    mine = marker(case.seen.lineage, "")
    lost = [
        c for c in case.view.ours if c.display_name.startswith(mine) and c.key_id not in named and c.live(case.seen.at)
    ]
    if len(lost) >= MOST_UNRESOLVED and unpublished(case):
        text = f"it is unknown which of {len(lost)} credentials of rotator are published: the vault could not be read"
        yield Finding(Severity.UNKNOWN, SUBJECT, text, (command.rotator(case, "doctor"),))
    elif len(lost) >= MOST_UNRESOLVED:
        text = (
            f"no version and no container group names {len(lost)} credentials of rotator, so no other is added"
            " before one of them is removed"
        )
        remove = tuple(command.delete_password(case, c.home, c.key_id) for c in lost if c in case.view.orphans)
        yield Finding(Severity.FAIL, SUBJECT, text, remove or command.issuing(case, "rotate"))
