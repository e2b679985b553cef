"""Codes of vetoes."""

from rotator.codes.explained import Explained


class VetoCode(Explained):
    """Code of a veto of the guard. The explanation names the steps, the obstacle and the fix."""

    REVOKED = "revoked", "all of a rotation", "access is revoked", "`rotator grant`"
    ITSELF = (
        "itself",
        "all of a rotation",
        "rotator is signed in as the principal of the policy",
        "sign in as another identity",
    )
    SECRET_DELETED = "secret_deleted", "issue", "the secret's name is soft-deleted", "recover or purge it"
    VAULT_REFUSED = "vault_refused", "issue", "the vault doesn't let rotator read and set the secret", "give the role"
    DRIFT = (
        "drift",
        "issue, retire, deploy",
        (
            "the newest version isn't ours: an issue or a removal waits while the current credential has more than a"
            " week left, a deployment if the group refers to the newest version"
        ),
        "`rotator adopt`, or `--accept-drift`",
    )
    LINEAGE_CHANGED = (
        "lineage_changed",
        "issue",
        (
            "a credential made by rotator for this principal is live and belongs to another lineage: the vault, the"
            " secret's name or the tenant was changed in the policy or in its defaults, or another policy manages the"
            " principal. A new credential would be published where nothing reads it. A compromised current credential"
            " is replaced all the same"
        ),
        "write the vault, name or tenant back; or hand the credential over by the command of the message",
    )
    LOCKED_PRINCIPAL = (
        "locked_principal",
        "issue",
        "the application's instance lock forbids passwords on the service principal",
        "`home: application`, or lift the lock",
    )
    NO_SLOT = (
        "no_slot",
        "issue",
        "the application is for personal accounts, too, and has its two passwords",
        "remove one that nothing uses",
    )
    PASSWORDS_FORBIDDEN = (
        "passwords_forbidden",
        "issue",
        "an app management policy forbids new passwords",
        "have the application exempted",
    )
    PASSWORD_LIFE = (
        "password_life",
        "issue",
        "an app management policy caps the life of passwords",
        "a shorter `validity`",
    )
    TAG_LIMIT = (
        "tag_limit",
        "issue",
        (
            "the newest version has more than nine tags of others, so that a new one couldn't take them over beside"
            " ours: Key Vault gives a version 15. A credential that is compromised, gone or in its last week is"
            " replaced all the same, and what isn't taken over is named (`tags_dropped`)"
        ),
        "the command of the message removes some",
    )
    UNRESOLVED = (
        "unresolved",
        "issue",
        "three adds whose answers were lost are not reclaimed yet",
        "wait, or remove them by hand",
    )
    HIDDEN_VALUES = (
        "hidden_values",
        "issue, deploy",
        "a group has values that Azure doesn't show, without a source",
        "paste the lines of the message",
    )
    NOT_WRITABLE = (
        "not_writable",
        "deploy",
        (
            "rotator is known to lack the right to write the group; a new credential is issued all the same, and the"
            " old one stays"
        ),
        "the command of the message",
    )
    LINK_REFUSED = (
        "link_refused",
        "issue, deploy",
        (
            "a right is missing on an identity or a subnet of the group, so that Azure would refuse its redeployment;"
            " the current credential is replaced all the same in its last week, or if it is compromised"
        ),
        "the command of the message",
    )
    SOURCE = (
        "source",
        "issue",
        "a secret that a group needs isn't in the vault, may not be read, or isn't the JSON object that it must be",
        "put it there, or correct its name",
    )
    MANIFEST = "manifest", "issue", "a group's manifest could not be deployed", "correct the manifest"
    NO_IMAGE = (
        "no_image",
        "deploy",
        "the registry doesn't have an image of the group, so that Azure would refuse it",
        "push it, or deploy another image",
    )
    UNDECIDED = (
        "undecided",
        "issue, deploy",
        "a job has ended, and the policy doesn't say what then",
        "say `when_finished`, or give its manifest",
    )
    UNPROVEN = "unproven", "issue, retire", "the current value was not tried just now, or doesn't prove", "see why"
    WRONG_SECRET = (
        "wrong_secret",
        "issue",
        "the secret's value isn't this principal's password",
        "correct `password_secret`",
    )
    STILL_WORKS = "still_works", "issue", "Graph doesn't show the current credential, but it authenticates", "run again"
    NO_PULL = "no_pull", "issue", "the principal may not pull; a new password would not mend that", "`rotator grant`"
    DISABLED = "disabled", "issue", "nobody can sign in as the principal", "enable it"
    UNREACHABLE = (
        "unreachable",
        "issue",
        "the registry can't be reached",
        "let rotator reach it, or `proof: {registry: optional}`",
    )
    NEWER_VALUE = (
        "newer_value",
        "issue, deploy",
        "the group has a value in a place that only a newer API version shows, and a redeployment would lose it",
        "`accept_loss` in the policy, or a newer rotator",
    )
    NO_DEPENDENT = "no_dependent", "deploy", "the group doesn't use this principal", "run again"
    ANOTHER_LINEAGE = (
        "another_lineage",
        "deploy",
        "the group holds a live credential of another policy",
        "keep one of the two policies",
    )
    REFUSED = "refused", "deploy", "rotator must not redeploy the group", "update it by its own means"
    NOT_LIVE = "not_live", "deploy, restore", "the credential isn't valid", "run again"
    NOT_CURRENT = "not_current", "deploy", "the credential isn't the published one", "run again"
    JOB_RUNNING = "job_running", "deploy", "the job is at work", "wait"
    NOT_PREVIOUS = "not_previous", "restore", "the group doesn't say that it held that credential before", "run again"
    FOLLOWS = (
        "follows",
        "restore",
        "the group refers to the newest version, so that it can't be given an older one",
        "look at the group's events",
    )
    COMPROMISED = (
        "compromised",
        "restore",
        "there is no way back to a compromised credential",
        "look at the group's events",
    )
    FOREIGN = "foreign", "retire, disable", "it isn't ours", "`rotator adopt`"
    LAST = "last", "retire", "no other valid credential of ours would remain", "a new one must be published first"
    VERSIONS_LAG = "versions_lag", "retire, disable", "Key Vault's list of versions lacks the newest one", "run again"
    EARLY = (
        "early",
        "retire",
        "the overlap isn't over, or an add is younger than `reclaim_after`",
        "a later run removes it",
    )
    WAY_BACK = "way_back", "retire", "a group can't pull, and this is what it held before", "look at the group's events"
    UNSEEN = (
        "unseen",
        "retire",
        "who holds it in some subscription can't be seen, and it isn't compromised",
        "give permission, or `discover: {unseen: accept}`",
    )
    PUBLISHED = (
        "published",
        "retire, disable",
        "the newest version holds it, or may, where there is no current credential",
        "a newer one must be published first",
    )
    UNSAID = (
        "unsaid",
        "retire",
        "a hidden variable of a group may hold it, and the policy doesn't say whose it is",
        "say it under the group's `secrets:`",
    )
    HELD = "held", "retire", "a group holds it, or may", "move the group; `--accept-outage` if it is compromised"
    LIVE = "live", "disable", "the version's credential is still valid", "it is retired first"
    UNSAFE = (
        "unsafe",
        "any",
        "what a step depends on changed, or was read too long ago, while the step was under way",
        "read the message; mostly run again",
    )
