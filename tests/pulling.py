"""True access of a principal in the emulator: a pull by any credential that signs in as it."""

from local_azure.acr.rights import Kind, PullIdentity
from local_azure.graph.objects import Certificate, Password

from tests.stage import SERVER, Stage


def anything_pulls(made: Stage, server: str = SERVER, repository: str = "aci-helloworld") -> bool:
    """Tell if a password, certificate or federated credential of the principal pulls, or anyone can."""
    registries = made.azure.registries
    found = made.azure.resources.registry(server)
    if found is None:
        return False
    if found.properties.get("anonymousPullEnabled"):
        return True
    principal = made.azure.directory.principal(made.app_id)
    if principal is None or not signs_in(made):
        return False
    return registries.rights.may(found, PullIdentity(Kind.PRINCIPAL, made.app_id, principal.id), "pull", repository)


def signs_in(made: Stage) -> bool:
    """Tell if any replica of Entra would issue a token for a credential of the principal."""
    directory, principal = made.azure.directory, made.azure.directory.principal(made.app_id)
    if principal is None or not principal.account_enabled:
        return False
    application = directory.application(made.app_id)
    keys: list[Password | Certificate] = [*directory.passwords(made.app_id), *directory.certificates(made.app_id)]
    return any(_valid(made, each) for each in keys) or bool(
        principal.federated or (application and application.federated)
    )


def _valid(made: Stage, key: Password | Certificate) -> bool:
    now, timing = made.azure.clock.now(), made.azure.directory.timing
    return key.start <= now < key.end and any(key.known_to(replica, now, timing) for replica in range(timing.replicas))
