"""Permitted outcomes of a refused read, for each verb with reads: the data of `tests/matrices/test_refused_reads.py`.

After a refusal a verb fails and names the refusal, or names it and ends as without it. Other outcomes are rows of
`ALLOWED`, each with its reason: the report may omit the refusal, or use words of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from rotator.state import ADOPTED
from tests.bare import MANIFEST
from tests.cli.scene import IMAGE, NAME, PASSWORD, Scene
from tests.matrices.kinds import CODES

SAID = "not for this test, the service says"
"""Message of every refusal."""
REFUSED = {service: (401 if service == "entra" else 403, codes["@refused"]) for service, codes in CODES.items()}
HIDDEN = {
    "graph": (404, CODES["graph"]["@absent"]),
    **{service: (404, CODES[service]["@elsewhere"]) for service in ("arm", "rbac", "aci")},
}
"""Refusals of reads by each service, and the absences by which some services hide objects, by the first part of an
operation's name.
"""


# worlds


def _container(image: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "app",
        "properties": {"image": image, "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}}, **more},
    }


def _put(at: Scene, name: str, password: str, **more: Any) -> None:
    entry = {"server": at.seeded.login_server, "username": at.application.app_id, "password": password}
    properties = {
        "containers": [_container(IMAGE, **more)],
        "osType": "Linux",
        "restartPolicy": "Always",
        "imageRegistryCredentials": [entry],
    }
    at.azure.container_groups.put(at.group_id(name), {"location": "eastus", "properties": properties}, "2025-09-01")
    at.pass_(minutes=5)


def _by_hand(at: Scene) -> None:
    """Leave the world made by hand, with nothing adopted."""


def _resting(at: Scene) -> None:
    """Add a group with a hidden value, and a secret with the user name; rotate, so that nothing is due."""
    vault = {"url": at.seeded.vault_url, "password_secret": PASSWORD, "username_secret": "usr"}
    at.azure.vaults.set("myvault", "db", "x")
    at.azure.vaults.set("myvault", "usr", at.application.app_id)
    at.write(
        key_vault=vault,
        container_groups=[{"id": at.group_id(), "secrets": {"containers/app/env/DB": {"key_vault": "db"}}}],
    )
    _put(at, "mycontainer", at.password.secret, environmentVariables=[{"name": "DB", "secureValue": "x"}])
    _done(at, "rotate", "--adopt", "--no-overlap")
    at.pass_(days=2)


def _undeclared(at: Scene) -> None:
    """Add an undeclared group that pulls with a foreign password of the service principal."""
    _resting(at)
    principal = at.azure.directory.principal(at.application.app_id)
    assert principal
    made = at.azure.directory.add_password(
        principal, display_name="somebody's", end=at.azure.clock.now() + timedelta(days=200)
    )
    _put(at, "undeclared", made.secret)


def _due(at: Scene) -> None:
    """Let the current credential end soon."""
    _undeclared(at)
    at.pass_(days=70)


def _revoked(at: Scene) -> None:
    _resting(at)
    _done(at, "revoke", NAME, "--yes")


def _drafted(at: Scene) -> None:
    """Write a policy whose application and group don't exist yet, with a manifest for the group."""
    (at.policies / "manifests").mkdir()
    (at.policies / "manifests" / "app.yaml").write_text(MANIFEST)
    vault = {"url": at.seeded.vault_url, "password_secret": "fresh-pwd", "username_secret": "fresh-usr"}
    at.write(
        principal={"display_name": "made"},
        key_vault=vault,
        container_groups=[{"id": at.group_id("fresh"), "manifest": "manifests/app.yaml"}],
    )


def _provisioned(at: Scene) -> None:
    _drafted(at)
    _done(at, "provision", NAME, "--yes")
    at.pass_(days=1)


def _done(at: Scene, *command: str) -> None:
    said = at(*command)
    assert said.code == 0, (said.out, said.err, said.raised)


# verbs


def _replaced(at: Scene) -> bool:
    """Tell if the newest version is rotator's, its password works, and the group holds it."""
    newest = at.azure.vaults.get("myvault", PASSWORD)
    held = at.azure.container_groups.stored(at.group_id()).get("tags", {}).get("rotator-key-id")
    return (newest.tags or {}).get("rotator-key-id") == held and held in at.live() and at.pulls()


def _adopted(at: Scene) -> bool:
    return at.password.key_id in (at.azure.vaults.get("myvault", PASSWORD).tags or {}).get(ADOPTED, "")


def _taken(at: Scene) -> bool:
    """Tell if pulls are refused, and the record has the assignment."""
    mark = at.azure.vaults.get("myvault", f"{PASSWORD}-access")
    return not at.pulls() and str(mark.value).count('"scope"') == 1


def _fresh(at: Scene) -> bool:
    return at.azure.container_groups.exists(at.group_id("fresh")) and at.pulls("fresh")


@dataclass(frozen=True)
class Verb:
    """Verb with its world and its command; `reached` checks the world after a verb that writes."""

    world: Callable[[Scene], None]
    command: tuple[str, ...]
    reached: Callable[[Scene], bool] | None = None


VERBS = {
    "status": Verb(_undeclared, ("status",)),
    "status when due": Verb(_due, ("status",)),
    "status when revoked": Verb(_revoked, ("status",)),
    "history": Verb(_undeclared, ("history", NAME)),
    "plan": Verb(_undeclared, ("plan",)),
    "plan when due": Verb(_due, ("plan", "--exit-code")),
    "plan when revoked": Verb(_revoked, ("plan", "--exit-code")),
    "doctor": Verb(_undeclared, ("doctor",)),
    "discover": Verb(_undeclared, ("discover", "--all")),
    "provision, shown": Verb(_drafted, ("provision", NAME, "--dry-run")),
    "rotate": Verb(_undeclared, ("rotate",)),
    "rotate when revoked": Verb(_revoked, ("rotate",)),
    "rotate when due": Verb(_due, ("rotate",), _replaced),
    "rotate, compromised": Verb(_resting, ("rotate", NAME, "--compromised", "--yes"), _replaced),
    "adopt": Verb(_by_hand, ("adopt", NAME), _adopted),
    "revoke": Verb(_resting, ("revoke", NAME, "--yes"), _taken),
    "grant": Verb(_revoked, ("grant", NAME), Scene.pulls),
    "provision": Verb(_drafted, ("provision", NAME, "--yes"), _fresh),
    "provision, again": Verb(_provisioned, ("provision", NAME, "--yes"), _fresh),
    "deploy": Verb(_resting, ("deploy", NAME), _replaced),
    "manifest": Verb(_resting, ("manifest", NAME, "mycontainer")),
}
"""Every verb that asks Azure; `validate` asks nothing."""


# permitted outcomes


@dataclass(frozen=True)
class Allowed:
    """Permitted outcome of a refusal, by verb, operation and status: the report must have `words`.

    Without words the report may equal the report without the refusal.
    """

    verbs: str
    operations: str
    why: str
    words: str = ""
    statuses: tuple[int, ...] = (401, 403, 404)

    def fits(self, verb: str, operation: str, status: int) -> bool:
        """Tell if the row covers a refusal, by verb, operation and status."""
        return fnmatchcase(verb, self.verbs) and fnmatchcase(operation, self.operations) and status in self.statuses


ALLOWED = (
    # reads without effect on the verb
    Allowed(
        "* when revoked", "[ag]*", "while access is revoked nothing is decided; only the mark must be read", '"revoked"'
    ),
    Allowed("history", "aci.*", "versions and credentials make the history; groups don't"),
    Allowed("adopt", "aci.*", "a credential is recorded on a version; groups don't matter"),
    Allowed("adopt", "graph.servicePrincipals.get", "the application has the credential that fits", statuses=(404,)),
    Allowed("revoke", "aci.containerGroups.*", "roles are taken away; who loses a pull is told with --credentials"),
    Allowed("revoke", "acr.*", "a refused pull is what is waited for", statuses=(403,)),
    Allowed("grant", "aci.*", "roles are given; groups don't matter"),
    Allowed("grant", "keyvault.secrets.versions", "the mark and its record are read by themselves"),
    Allowed("grant", "graph.applications.get", "roles belong to the service principal", statuses=(404,)),
    Allowed(
        "grant",
        "rbac.roleAssignments.get",
        "an assignment that isn't found is made, and Azure says if it is there",
        statuses=(404,),
    ),
    Allowed(
        "provision*",
        "rbac.roleAssignments.get",
        "an assignment that isn't found is made, and Azure says if it is there",
        statuses=(404,),
    ),
    Allowed("provision", "arm.[rv]*", "it tries to publish at once, and says what comes of that", statuses=(403,)),
    Allowed("provision", "arm.resources.list", "it tries to publish at once, and says what comes of that"),
    Allowed("provision", "arm.vaults.get", "it tries to publish at once, and says what comes of that"),
    Allowed("provision", "arm.providers.getAtTenant", "a group that it makes has nothing to lose", statuses=(403, 404)),
    Allowed("provision", "rbac.roleDefinitions.get", "the proof of the new password shows if a role lets it pull"),
    Allowed("provision", "rbac.permissions.list", "it tries to write at once, and says what comes of that"),
    Allowed(
        "provision, again", "aci.*", "a group that can't be read isn't deployed, and the one that a list shows is there"
    ),
    Allowed("provision, again", "graph.applications.get", "the service principal alone signs in", statuses=(404,)),
    Allowed("deploy", "aci.containerGroups.list", "one group is deployed; others don't matter"),
    Allowed("deploy", "graph.servicePrincipals.get", "the application has the current credential", statuses=(404,)),
    Allowed("doctor", "graph.servicePrincipals.owners.list", "rotator adds its passwords to the application"),
    Allowed(
        "*",
        "graph.*.appManagementPolicies.list",
        "reading them wants a right that nothing else needs; Graph's own refusal is explained",
    ),
    # refusals reported in other words
    Allowed(
        "*",
        "graph.applications.get",
        "one read that doesn't find it proves nothing, and is said of Graph",
        r"does not show|doesn't show|shows no|gone",
        (404,),
    ),
    Allowed("history", "graph.*.get", "of an object that isn't shown nothing is known", r'"live": null', (404,)),
    Allowed(
        "revoke",
        "graph.applications.get",
        "what its passwords are isn't known, and the role is gone",
        "can't be seen",
        (404,),
    ),
    Allowed(
        "grant", "graph.servicePrincipals.get", "there is nobody to give a role to", "has no service principal", (404,)
    ),
    Allowed(
        "provision*",
        "graph.servicePrincipals.get",
        "made or found, and not shown",
        "doesn't show|has not shown|already in use",
        (404,),
    ),
    Allowed(
        "*", "graph.servicePrincipals.get", "one read that doesn't find it is an alarm", "no service principal", (404,)
    ),
    Allowed(
        "doctor",
        "graph.applications.owners.list",
        "an object without owners that is there isn't known to be owned",
        "when asked for its owners",
        (404,),
    ),
    Allowed("*", "acr.*", "the registry's code is said with what was asked for", r"\(403|with 403"),
    Allowed(
        "rotate, compromised",
        "entra.token",
        "an alarm, whatever Entra said",
        "a sign-in with its password could not be tried",
        (401,),
    ),
    Allowed("adopt", "acr.*", "the value is the principal's where Entra takes it"),
    Allowed(
        "provision",
        "aci.containerGroups.list",
        "a group that one answer says isn't there may be there",
        "is not confirmed",
    ),
)
"""Permitted outcomes, the most specific first."""


def allowed(verb: str, operation: str, status: int) -> list[Allowed]:
    """Return the rows that cover a refusal."""
    return [row for row in ALLOWED if row.fits(verb, operation, status)]
