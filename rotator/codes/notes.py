"""Codes of notes."""

from rotator.codes.explained import Explained


class NoteCode(Explained):
    """Code of a note for a person. The explanation says what the note reports."""

    STILL_OPEN = (
        "still_open",
        "COMPROMISED CREDENTIAL STILL WORKS: a credential is declared compromised, and its password is still valid, or"
        " was removed and Entra is not known to refuse it yet. The note stands before all others. It names the"
        " container groups that hold the credential and the reason why the credential is still there. Exit 1.",
    )
    UNSEEN_MARKS = (
        "unseen_marks",
        "Key Vault refused to list the secret's versions, or did not answer, twice. So it is unknown if a compromised"
        " credential still works. Run again; `rotator doctor` shows what prevents the read. Exit 1.",
    )
    BREAKS_READERS = (
        "breaks_readers",
        "The newest version of the secret was not written by rotator, and it is disabled or its value does not work."
        " Every reader of the secret fails now. rotator writes nothing on top of that version without"
        " `--accept-drift`. Correct the value by hand, or run `rotator rotate --accept-drift`. Exit 1.",
    )
    UNTRIED = (
        "untried",
        "The newest version of the secret was not written by rotator, and its value could not be tried. So it is"
        " unknown if readers of the secret can sign in. Exit 1.",
    )
    REVOKED = "revoked", "Access is revoked, so a rotation takes no step. `rotator grant` restores the access."
    HIDING = (
        "hiding",
        "A container group hides the value of a variable that is named like a principal's password, and nothing in the"
        " group shows this principal. So the owner of that password is unknown. An old credential is removed without"
        " regard to this group. If the password is this principal's, declare the group in the policy with"
        " `{credential: password}` under its `secrets:`.",
    )
    UNCHECKED = (
        "unchecked",
        "A step needs a permission or a state that Azure did not show before the step. The note names it and the"
        " reason. rotator takes the step all the same, and the result of the step shows if it was allowed.",
    )
    NO_SERVICE_PRINCIPAL = (
        "no_service_principal",
        "Microsoft Graph shows no service principal of this app id in the tenant. Without a service principal all"
        " sign-ins and all pulls fail. The note has the command that creates one. Exit 1.",
    )
    DISABLED = (
        "disabled",
        "Microsoft Graph shows that every sign-in as the principal is refused: its service principal is disabled"
        " (`accountEnabled`), or its application is deactivated (`isDisabled`). Every pull fails until a person enables"
        " it. The note has the command. Exit 1.",
    )
    NOT_FORCED = (
        "not_forced",
        "`--force` has no effect, because the last rotation is unfinished. Let runs finish that rotation, then use"
        " `--force` again.",
    )
    DRIFT = (
        "drift",
        "The newest version of the secret was not written by rotator. `rotator adopt` makes the credential of that"
        " version one of this policy, `--accept-drift` publishes a new version on top. Exit 1 if a run puts a"
        " version on top without `--accept-drift`, because the current credential is gone or ends within a week.",
    )
    FOREIGN = (
        "foreign",
        "A valid credential of the principal was not made by rotator for this policy. It stays, also after `revoke"
        " --credentials`. `rotator adopt` makes it a credential of this policy, to be removed like the others.",
    )
    NO_HINT = (
        "no_hint",
        "rotator added a credential long ago, and no version of the secret and no container group names it. There is"
        " no current credential, and Graph shows no hint of the old password, so readers of the secret may use it."
        " rotator does not remove it. The note has the command that does.",
    )
    INTERRUPTED = (
        "interrupted",
        "A run was interrupted after it added a credential. The credential was not published, or it is unknown if it"
        " was published. The note names the credential. An unpublished credential is removed by a later run,"
        " `reclaim_after` its creation. Exit 1.",
    )
    SERVICE_OR_JOB = (
        "service_or_job",
        "The restart policy of a container group is that of a job, but the group looks like a service: it has a public"
        " port, or has been running for two weeks. rotator never interrupts a running job, so a service would keep its"
        " credential until it ends. Write `runs: service` or `runs: job` under the group in the policy.",
    )
    MISSING = (
        "missing",
        "A container group of the policy is not in Azure. It holds no credential and blocks no step. Without a"
        " manifest `rotator provision` can't create it. Correct its id, deploy it, or remove it from the policy.",
    )
    WINDOW_IGNORED = (
        "window_ignored",
        "A container group restarts outside its deploy window, because its credential is gone or ends within a week."
        " Exit 1.",
    )
    WORSE = (
        "worse",
        "A container group runs worse since its redeployment: a pull failed, or its containers fail where they did not"
        " fail before. Look at the events and logs of the group. Exit 1.",
    )
    RECREATED = (
        "recreated",
        "A container group was deleted by others after rotator had read it, and the redeployment created it again."
        " Delete it if it must not exist. Exit 1.",
    )
    NOT_OWNER = (
        "not_owner",
        "`provision`: rotator may not make itself an owner of the application or of the service principal. The note"
        " has the command for a person with more rights. Exit 1 if rotator adds its passwords to that object, because"
        " it must be an owner there.",
    )
    NOT_ADOPTED = (
        "not_adopted",
        "`rotate --adopt` adopted nothing: no credential fits, more than one fits, or the credential was adopted"
        " earlier.",
    )
    NEWER_VALUE = (
        "newer_value",
        "Every container group has the same value in a field that only a newer API version shows. rotator does not"
        " send that field in a redeployment. Nothing to do.",
    )
    WOULD_LOSE = (
        "would_lose",
        "The container group has a value in a field that only a newer API version shows. Its next redeployment is"
        " refused, because it would lose the value. Install a newer rotator, or accept the loss with `accept_loss` in"
        " the policy.",
    )
    LATE_MARK = (
        "late_mark",
        "The tags of a version were written long after they were read. Tags that others wrote in between may be lost."
        " Repeat an adoption or a declaration of compromise that was made at the same time. Exit 1.",
    )
    TAGS_DROPPED = (
        "tags_dropped",
        "A version of the secret can have 15 tags (a limit of Key Vault), and there was no room for all. Tags of"
        " others were replaced by a tag of rotator, or were not copied to the new version. The note names them.",
    )
    NOT_DECLARED = (
        "not_declared",
        "`--compromised` without a key id was given again. The current credential replaced the compromised one within"
        " the last day (or within the overlap, if that is longer), or the compromised one is still there. So the"
        " command is taken as a repetition, and the current credential is not declared compromised. The note has the"
        " command that declares it, too.",
    )
    STILL_GRANTED = (
        "still_granted",
        "`revoke`: a role assignment of the principal, at the registry or above, still allows it to pull. Exit 1.",
    )
    THROUGH_GROUP = (
        "through_group",
        "`revoke`: the principal is a member of an Entra group, and a role assignment of that group, at the registry"
        " or above, still allows it to pull. Exit 1.",
    )
    ANONYMOUS_PULL = (
        "anonymous_pull",
        "`revoke`: the registry allows anonymous pull, so everyone can pull without a credential. Exit 1.",
    )
    COULD_REGAIN = (
        "could_regain",
        "`revoke`: a role of the principal does not allow it to pull, but allows it to give itself access again. Exit"
        " 1.",
    )
    UNKNOWN = (
        "unknown",
        "`revoke`: a role, a group or a credential that may allow the principal to pull or to sign in can't be read or"
        " was not found. So it is unknown if access remains. Exit 1, unless Entra or a registry was seen to refuse the"
        " principal itself.",
    )
    CERTIFICATE = (
        "certificate",
        "`revoke`, and `plan` and `status` of revoked access or a compromised password: "
        "a certificate of the application or of the service principal still signs in as the principal."
        " rotator does not manage certificates; the note has the command that removes it. Exit 1 if a role still"
        " allows the principal to pull.",
    )
    FEDERATED_CREDENTIAL = (
        "federated_credential",
        "`revoke`, and `plan` and `status` of revoked access or a compromised password: "
        "a federated credential of the application still signs in as the principal, with tokens of another"
        " issuer that Entra trusts. rotator does not manage federated credentials; the note has the command that"
        " removes it. Exit 1 if a role still allows the principal to pull.",
    )
    MANAGED_IDENTITY = (
        "managed_identity",
        "`revoke`, and `plan` and `status` of revoked access or a compromised password: "
        "the principal is a managed identity. Every Azure resource with this identity signs in as the"
        " principal, so only its roles can be taken away. Exit 1 if a role still allows the principal to pull.",
    )
    REGRANTED = (
        "regranted",
        "`revoke`: another run or a person granted the access again while it was being revoked. Run `rotator revoke`"
        " again, or `rotator grant` to restore all of the access. Exit 1.",
    )
    ADMIN_USER = (
        "admin_user",
        "`revoke`: the admin user of the registry is enabled. Everyone with the admin password can pull, independent"
        " of this principal. The note has the command that disables it.",
    )
    REGISTRY_TOKEN = (
        "registry_token",
        "`revoke`: a repository-scoped token of the registry is enabled. Everyone with the token's password has the"
        " rights of its scope map, independent of this principal. The note has the command that disables it.",
    )
    LOCKED = (
        "locked",
        "`revoke --credentials`: a management lock prevents the deletion of a role assignment. The passwords are"
        " removed, but a new password of the principal could pull again.",
    )
    VAULT_REFUSED = (
        "vault_refused",
        "`revoke --credentials`: Key Vault does not let rotator read the secret's versions. So it is unknown which"
        " passwords were adopted; adopted passwords stay, and no version is disabled. Exit 1.",
    )
    UNREADABLE = (
        "unreadable",
        "`provision`: rotator may not read a declared container group. So it is unknown if the group is missing. Exit"
        " 1.",
    )
    LOSES_PASSWORD = (
        "loses_password",
        "`revoke --credentials`: a container group holds, or may hold, a password that is removed. Its next pull"
        " fails.",
    )
    NO_PASSWORD = "no_password", "`revoke`: the principal has no valid password left."
    NO_PRINCIPAL = (
        "no_principal",
        "`revoke`: two reads two minutes apart found no principal, and neither Entra nor a registry accepts its"
        " password. So the access is gone.",
    )
    NOT_PROVEN = (
        "not_proven",
        "`revoke`: no refused pull was seen, so it is not proven that access is gone. Exit 1, except with `--no-wait`."
        " `grant`: no successful pull was seen yet; a new role counts after up to ten minutes. Exit 1, except if the"
        " published version is disabled.",
    )
    POISONED = (
        "poisoned",
        "The queue's message about this policy was received as often as allowed, and its run failed each time. The"
        " message is moved aside, and the next survey adds the policy again. Find out why the run fails. Exit 1.",
    )
    RESIDUE = "residue", "`revoke`: tokens that were issued before the revocation stay valid for up to three hours."
