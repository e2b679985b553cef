"""Codes of vetoes."""

from rotator.codes.explained import Explained


class VetoCode(Explained):
    """Code of a veto of the guard. The explanation names the obstacle and the fix; the guard itself, the steps."""

    REVOKED = "revoked", "Access is revoked.", "`rotator grant`"
    ITSELF = (
        "itself",
        "rotator is signed in as the principal of the policy, and could lock itself out.",
        "sign in as another identity",
    )
    SECRET_DELETED = (
        "secret_deleted",
        "The secret is soft-deleted. Its name can't be used, and it is unknown which credentials its versions name.",
        "recover the secret, or purge it",
    )
    VAULT_REFUSED = (
        "vault_refused",
        "The vault does not let rotator read and set the secret.",
        "give rotator the role in the message",
    )
    DRIFT = (
        "drift",
        "The newest version of the secret was not written by rotator. A new credential and a removal are refused while"
        " the current credential has more than a week left. A deployment is refused if the container group reads the"
        " newest version.",
        "`rotator adopt`, or `--accept-drift`",
    )
    LINEAGE_CHANGED = (
        "lineage_changed",
        "rotator made a live credential of this principal for another vault, secret name or tenant. The policy or its"
        " defaults were changed, or another policy manages the principal. A new credential would be published where no"
        " group reads it. A compromised current credential is replaced all the same.",
        "write the former vault, name or tenant again; or make the credential one of this policy, with the command in"
        " the message",
    )
    LOCKED_PRINCIPAL = (
        "locked_principal",
        "The instance lock of the application (`servicePrincipalLockConfiguration`) forbids passwords on the service"
        " principal.",
        "`home: application`, or remove the lock",
    )
    NO_SLOT = (
        "no_slot",
        "The application allows personal accounts, so it can have two passwords, and it has two.",
        "remove a password that is not used",
    )
    PASSWORDS_FORBIDDEN = (
        "passwords_forbidden",
        "An app management policy of the tenant forbids new passwords.",
        "have the application exempted",
    )
    PASSWORD_LIFE = (
        "password_life",
        "An app management policy of the tenant limits the lifetime of passwords to less than `validity`.",
        "a shorter `validity`",
    )
    TAG_LIMIT = (
        "tag_limit",
        "The newest version has more than nine tags of others, and a version can have 15 (a limit of Key Vault), of"
        " which rotator needs six. So a new version could not take over all of them. If the credential is compromised,"
        " is gone or ends within a week, it is replaced all the same, and the note `tags_dropped` names the tags that"
        " are lost.",
        "remove tags, with the command in the message",
    )
    UNRESOLVED = (
        "unresolved",
        "Three credentials of rotator are named by no version and no container group, because the answers to their"
        " adds were lost. No other credential is added before one of them is removed.",
        "wait, or remove them by hand",
    )
    HIDDEN_VALUES = (
        "hidden_values",
        "Azure hides values of the container group, and the policy names no source for them. A redeployment would lose"
        " the values.",
        "paste the lines in the message into the policy",
    )
    NOT_WRITABLE = (
        "not_writable",
        "rotator may not write the container group. A new credential is issued all the same, and the old credential"
        " stays.",
        "run the command in the message",
    )
    LINK_REFUSED = (
        "link_refused",
        "rotator lacks a right on an identity or a subnet of the container group, so Azure would refuse the"
        " redeployment. If the current credential is compromised or ends within a week, it is replaced all the same.",
        "run the command in the message",
    )
    SOURCE = (
        "source",
        "A container group needs a secret that is not in the vault, can't be read, or is not the JSON object that it"
        " must be.",
        "put the secret into the vault, or correct its name",
    )
    MANIFEST = "manifest", "The manifest of a container group can't be deployed.", "correct the manifest"
    NO_IMAGE = (
        "no_image",
        "The registry does not have an image of the container group, or the endpoint of a region from which the group"
        " pulls gives no answer, so Azure would refuse the redeployment.",
        "push the image, or deploy the group with another image or host",
    )
    UNDECIDED = (
        "undecided",
        "The container group is a job that has ended. A redeployment would run it again, and the policy does not say"
        " if that is wanted.",
        "write `when_finished`, or give the group a manifest",
    )
    UNPROVEN = (
        "unproven",
        "The current value of the secret was not tried just now, or the try failed.",
        "do what the message says",
    )
    WRONG_SECRET = (
        "wrong_secret",
        "The value of the secret is not a password of this principal.",
        "correct `password_secret`",
    )
    STILL_WORKS = (
        "still_works",
        "Graph does not show the current credential, but its password still signs in, so it is not gone.",
        "run again",
    )
    NO_PULL = (
        "no_pull",
        "The principal signs in and may not pull. A new password would not fix that.",
        "`rotator grant`",
    )
    DISABLED = (
        "disabled",
        "The principal is disabled, so Entra refuses every sign-in as the principal.",
        "enable the principal",
    )
    UNREACHABLE = (
        "unreachable",
        "The registry can't be reached from here, so no pull can be tried.",
        "let rotator reach the registry, or `proof: {registry: optional}`",
    )
    NEWER_VALUE = (
        "newer_value",
        "The container group has a value in a field that only a newer API version shows. A redeployment would lose the"
        " value.",
        "`accept_loss` in the policy, or a newer rotator",
    )
    NO_DEPENDENT = "no_dependent", "The container group does not use this principal.", "run again"
    ANOTHER_LINEAGE = (
        "another_lineage",
        "The container group holds a live credential of another policy.",
        "keep one of the two policies",
    )
    REFUSED = (
        "refused",
        "The container group is of a kind that rotator must not redeploy.",
        "update the group by its own means",
    )
    NOT_LIVE = "not_live", "The credential is not valid.", "run again"
    NOT_CURRENT = (
        "not_current",
        "The credential is not the one in the newest version that rotator wrote.",
        "run again",
    )
    JOB_RUNNING = (
        "job_running",
        "The container group is a running job, and rotator never interrupts a job.",
        "wait",
    )
    NOT_PREVIOUS = (
        "not_previous",
        "The container group has no `rotator-previous` tag with that credential.",
        "run again",
    )
    FOLLOWS = (
        "follows",
        "The container group reads the newest version of the secret, so it can't be given an older credential.",
        "look at the events of the group",
    )
    COMPROMISED = (
        "compromised",
        "The previous credential is compromised, so the group does not get it back.",
        "look at the events of the group",
    )
    FOREIGN = (
        "foreign",
        "The credential or the version was not made by rotator for this policy.",
        "`rotator adopt`",
    )
    LAST = "last", "No other valid credential of this policy would remain.", "publish a new credential first"
    VERSIONS_LAG = (
        "versions_lag",
        "Key Vault's list of versions lacks the newest version, so other versions may be missing, too.",
        "run again",
    )
    EARLY = (
        "early",
        "The overlap is not over, or the credential was added less than `reclaim_after` ago.",
        "wait; a later run removes the credential",
    )
    WAY_BACK = (
        "way_back",
        "A container group can't pull, and this is its previous credential.",
        "look at the events of the group",
    )
    UNSEEN = (
        "unseen",
        "rotator may not list the container groups of a subscription, and groups there may hold the credential. A"
        " compromised credential is removed all the same.",
        "let rotator list the subscription, or `discover: {unseen: accept}`",
    )
    PUBLISHED = (
        "published",
        "The newest version of the secret holds the credential, or may hold it, so readers may use it.",
        "publish a newer version first",
    )
    UNSAID = (
        "unsaid",
        "A variable or a secret volume of a container group may hold the credential, and the policy does not say whose"
        " password it is.",
        "write whose it is under the group's `secrets:`",
    )
    SHOWN = (
        "shown",
        "A container group shows in plain sight a password that begins like the credential.",
        "put the password into a secure variable with `{credential: password}`, and deploy the group",
    )
    HELD = (
        "held",
        "A container group holds, or may hold, the credential.",
        "redeploy the group with the current credential; `--accept-outage` if the credential is compromised",
    )
    LIVE = (
        "live",
        "The credential of the version is still valid.",
        "nothing; the credential is removed first",
    )
    UNSAFE = (
        "unsafe",
        "What the step depends on changed during the step, or was read too long ago.",
        "read the message; in most cases run again",
    )
