"""Change container registries."""

from rotator.remedy.line import az, command, resource

SHOW_REGISTRY_ID = "az acr show --query id"


def show_registry_id(name: str) -> str:
    """Print a registry's id."""
    return az("acr show", name=name, query="id")


def create_registry(registry_id: str) -> str:
    """Make a registry."""
    return az("acr create", **resource(registry_id), sku="Standard")


def enable_public_network(registry_id: str) -> str:
    """Allow access to a registry from outside its virtual network."""
    return az("acr update", **resource(registry_id), public_network_enabled="true")


def allow_every_address(registry_id: str) -> str:
    """Let a registry's firewall turn no address away."""
    return az("acr update", **resource(registry_id), default_action="Allow")


def disable_admin_user(registry_id: str) -> str:
    """Disable a registry's admin user, with the password shared by all users."""
    return az("acr update", **resource(registry_id), admin_enabled="false")


def disable_admin_user_of(name: str) -> str:
    """Disable the admin user of a registry known by its name."""
    return az("acr update", name=name, admin_enabled="false")


def disable_anonymous_pull(registry_id: str) -> str:
    """Disable pulls without a credential."""
    return az("acr update", **resource(registry_id), anonymous_pull_enabled="false")


def disable_token(registry_id: str, token: str) -> str:
    """Take away a registry's token."""
    named = resource(registry_id)
    return az(
        "acr token update", name=token, registry=named["name"], subscription=named["subscription"], status="disabled"
    )


def list_tags(name: str, repository: str, subscription: str | None = None) -> str:
    """Print the tags of a repository, the newest first."""
    return az(
        "acr repository show-tags",
        subscription=subscription,
        name=name,
        repository=repository,
        orderby="time_desc",
        output="tsv",
    )


def push_image(image: str) -> str:
    """Push an image from this machine."""
    return command("docker push", image)
