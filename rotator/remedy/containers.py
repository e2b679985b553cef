"""Change container groups."""

from rotator.remedy.line import Bash, az, resource

CREATE_GROUP = "az container create"
EXPORT_GROUP = "az container export"
SHOW_GROUP = "az container show"
SHOW_GROUP_ID = "az container show --query id"
SHOW_REGION = "az group show --name GROUP --query location"
FIND_GROUP_ID = "az container show -g GROUP -n NAME --query id"
SHOW_WORKSPACE_ID = "az monitor log-analytics workspace show --query id"


def build_bicep(file: str) -> str:
    """Compile a Bicep file into an ARM template."""
    return az("bicep build", file=file)


def build_bicep_parameters(file: str) -> str:
    """Compile a Bicep file of parameters into a parameters file."""
    return az("bicep build-params", file=file)


def delete_group(group_id: str) -> str:
    """Delete a container group."""
    return az("container delete", ids=group_id)


def register_provider(namespace: str, subscription: str) -> str:
    """Register a subscription for a service."""
    return az("provider register", namespace=namespace, subscription=subscription)


def stop_group(group_id: str) -> str:
    """Stop a container group."""
    return az("container stop", **resource(group_id))


def export_group(group_id: str, file: str) -> str:
    """Write what Azure shows of a container group into a file, as a manifest."""
    return az("container export", **resource(group_id), file=file)


def remove_any_tag(resource_id: str) -> str:
    """Remove a tag of a resource; the reader chooses the tag."""
    return az("tag update", resource_id=resource_id, operation="delete", tags=Bash("<a tag that is not needed>"))
