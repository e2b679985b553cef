"""Codes of notes."""

from rotator.codes.explained import Explained


class NoteCode(Explained):
    """Code of a note for a person. The explanation says what the note reports."""

    STILL_OPEN = (
        "still_open",
        (
            "COMPROMISED CREDENTIAL STILL WORKS: one that is declared compromised is listed and hasn't ended, or was"
            " removed and its password isn't refused yet. Who holds it, or what keeps it; before everything else, with"
            " exit 1"
        ),
    )
    UNSEEN_MARKS = (
        "unseen_marks",
        (
            "whether a compromised credential still works isn't known: the last look at the versions was refused or"
            " got no answer, twice. Exit 1"
        ),
    )
    BREAKS_READERS = (
        "breaks_readers",
        (
            "the version that readers of the secret get isn't ours, and is disabled or doesn't work; nothing is"
            " written. Exit 1"
        ),
    )
    UNTRIED = "untried", "the version that readers get isn't ours, and whether it works couldn't be tried. Exit 1"
    REVOKED = "revoked", "access is revoked, so that nothing is decided; `rotator grant` restores it"
    HIDING = (
        "hiding",
        (
            "container groups that show nothing of this principal hide a variable that is called like a principal's"
            " password, while one waits to be removed: nothing says whose it is, and the removal doesn't wait for it."
            " Declare the group, with `{credential: password}`, if it is this one's"
        ),
    )
    UNCHECKED = (
        "unchecked",
        "whether Azure allows something that a step needs couldn't be asked, and why; the step goes on, and shows it",
    )
    NO_SERVICE_PRINCIPAL = (
        "no_service_principal",
        "Graph shows no service principal of the principal, so that nobody signs in as it; exit 1",
    )
    NOT_FORCED = "not_forced", "`--force` while the last rotation is unfinished: that one ends first"
    DRIFT = (
        "drift",
        "somebody wrote a version on top of ours. Exit 1 where ours then goes on top without having been asked to",
    )
    FOREIGN = "foreign", "a valid credential that isn't ours; it stays, also after `revoke --credentials`"
    NO_HINT = (
        "no_hint",
        (
            "an old add of ours that nothing names and whose password Graph gives no hint of, where there is no"
            " current credential; the command that removes it"
        ),
    )
    INTERRUPTED = (
        "interrupted",
        "what an interrupted run added and had not published, or may have published; always exit 1",
    )
    SERVICE_OR_JOB = (
        "service_or_job",
        (
            "a container group counts as a job by its restart policy, and looks like a service: it has a public port,"
            " or has been running for two weeks. A job at work is never interrupted, so a service would keep its"
            " credential until that ends. Write `runs: service` or `runs: job` under it"
        ),
    )
    MISSING = (
        "missing",
        (
            "a container group of the policy isn't in Azure; it holds no credential and blocks no step. Without a"
            " manifest, `provision` can't create it; its id may be wrong"
        ),
    )
    WINDOW_IGNORED = (
        "window_ignored",
        "a group restarts outside its deploy window, since what it holds is gone or ends within a week; exit 1",
    )
    WORSE = "worse", "a group fares worse since its redeployment; exit 1"
    RECREATED = "recreated", "a group had been deleted since it was read, and exists again; exit 1"
    NOT_OWNER = (
        "not_owner",
        "`provision`: rotator may not make itself an owner; exit 1 where it must be one. The note has the command",
    )
    NOT_ADOPTED = "not_adopted", "`--adopt` found nothing to adopt, more than one, or what it adopted before"
    NEWER_VALUE = (
        "newer_value",
        (
            "every container group has the same value in a place that only a newer API version shows; a redeployment"
            " doesn't send it"
        ),
    )
    LATE_MARK = (
        "late_mark",
        (
            "the tags of a version were written long after they were read, so that what others tagged it with"
            " meanwhile may be gone; exit 1. Repeat an adoption or declaration that was made at the same time"
        ),
    )
    TAGS_DROPPED = (
        "tags_dropped",
        (
            "others' tags, by name, that gave way to ours on a version, or that a new version doesn't take over: Key"
            " Vault gives it 15"
        ),
    )
    NOT_DECLARED = (
        "not_declared",
        (
            "`--compromised` without a key id, given again: the current credential was published in place of the"
            " compromised one within a day (or the overlap, where that is longer), or that one is still there; the"
            " message has the command that declares the current one, too"
        ),
    )
    STILL_GRANTED = "still_granted", "`revoke`: a role at the registry or above still lets the principal pull; exit 1"
    THROUGH_GROUP = "through_group", "`revoke`: the same, by a group that the principal is in; exit 1"
    ANONYMOUS_PULL = "anonymous_pull", "`revoke`: the registry lets anybody pull; exit 1"
    COULD_REGAIN = (
        "could_regain",
        "`revoke`: a role doesn't let the principal pull, but lets it give itself access again; exit 1",
    )
    UNKNOWN = (
        "unknown",
        (
            "`revoke`: something that could let the principal pull, or sign in, may not be read or isn't found; exit"
            " 1, unless a refusal of the principal itself is seen"
        ),
    )
    CERTIFICATE = (
        "certificate",
        (
            "`revoke`: a certificate of the application or the service principal signs in; where a role stays, exit 1."
            " The note has the command that removes it"
        ),
    )
    FEDERATED_CREDENTIAL = (
        "federated_credential",
        "`revoke`: the same, by another issuer that Entra trusts for the application",
    )
    MANAGED_IDENTITY = (
        "managed_identity",
        "`revoke`: the principal is a managed identity, as which Azure signs in wherever it is assigned",
    )
    REGRANTED = "regranted", "`revoke`: somebody granted the access in between; exit 1"
    ADMIN_USER = "admin_user", "`revoke`: the registry's admin user is enabled; it is a credential of its own"
    REGISTRY_TOKEN = "registry_token", "`revoke`: a repository-scoped token is enabled; it is a credential of its own"
    LOCKED = "locked", "`revoke --credentials`: a role assignment stays, because a lock holds it"
    VAULT_REFUSED = (
        "vault_refused",
        "`revoke --credentials`: the versions may not be read, so adopted passwords aren't known and stay; exit 1",
    )
    UNREADABLE = (
        "unreadable",
        "`provision`: a declared group may not be read, so it isn't known whether it is missing; exit 1",
    )
    LOSES_PASSWORD = "loses_password", "`revoke --credentials`: a group's next pull fails"
    NO_PASSWORD = "no_password", "`revoke`: the principal has no valid password left"
    NO_PRINCIPAL = (
        "no_principal",
        "`revoke`: two looks two minutes apart found no principal, and neither Entra nor a registry takes its password",
    )
    NOT_PROVEN = (
        "not_proven",
        "`revoke`: no pull was seen to be refused (exit 1, except with `--no-wait`); `grant`: none succeeded yet",
    )
    POISONED = (
        "poisoned",
        (
            "a message about this policy was taken from the queue as often as it may be, and the run failed each time:"
            " it is moved aside, and the next survey adds the policy again; exit 1"
        ),
    )
    RESIDUE = "residue", "`revoke`: tokens that were issued before live on for up to three hours"
