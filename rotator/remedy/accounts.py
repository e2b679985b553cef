"""Sign in: az, and the environment used by rotator."""

from collections.abc import Sequence

from rotator.remedy.directory import add_password
from rotator.remedy.line import az, output

LOGIN = az("login")


def sign_in(tenant: str | None) -> str:
    """Sign az in, to a tenant where one is named."""
    return az("login", tenant=tenant)


def list_subscriptions() -> str:
    """Print the ids and names of the subscriptions visible to az."""
    return az("account list", query="[].[name,id]", output="tsv")


def export_password(app_id: str) -> str:
    """Export a new password of the application into the environment."""
    return f"export AZURE_CLIENT_SECRET={output(add_password(app_id)).text}"


def export_tenant() -> str:
    """Export the tenant of az's sign-in into the environment."""
    return f"export AZURE_TENANT_ID={output(az('account show', query='tenantId', output='tsv')).text}"


def forget_environment() -> str:
    """Sign in as az does."""
    return "unset AZURE_CLIENT_ID AZURE_CLIENT_SECRET"


def create_rotator_identity(variables: Sequence[str]) -> str:
    """Create an identity for rotator, and export the sign-in under the environment's variable names."""
    made = az("ad sp create-for-rbac", name="rotator", query="[[appId,password,tenant]]", output="tsv")
    names = " ".join(variables)
    return f"read -r {names} < <({made}) && export {names}"
