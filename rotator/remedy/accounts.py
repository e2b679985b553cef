"""Sign in: az, and the environment used by rotator."""

from rotator.remedy.directory import add_password
from rotator.remedy.line import Bash, az, output

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


def create_rotator_identity() -> str:
    """Create an identity for rotator, and export the sign-in; no existing application loses a password.

    `az ad sp create-for-rbac --name` replaces the passwords of an application of that name, and `az ad app create`
    changes it: the new name has the time in it, and its password is appended.
    """
    made = az("ad app create", display_name=Bash('"rotator-$(date +%Y%m%d%H%M%S)"'), query="appId", output="tsv")
    app_id = Bash('"$app_id"')
    steps = (
        f"app_id={output(made).text}",
        az("ad sp create", id=app_id, output="none"),
        f"password={output(add_password(app_id)).text}",
        f'{export_tenant()} AZURE_CLIENT_ID="$app_id" AZURE_CLIENT_SECRET="$password"',
    )
    return " && ".join(steps)
