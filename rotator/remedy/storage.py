"""Create what leases and queues are kept in."""

from rotator.remedy.line import Bash, az, output


def create_container(account: str, name: str) -> str:
    """Create a container of blobs in a storage account, as the account that is signed in to az."""
    return az("storage container create", account_name=account, name=name, auth_mode="login", output="none")


def create_queue(account: str, name: str) -> str:
    """Create a queue in a storage account, as the account that is signed in to az."""
    return az("storage queue create", account_name=account, name=name, auth_mode="login", output="none")


def storage_account_id(account: str) -> Bash:
    """Return a storage account's id, looked up by az."""
    return output(az("storage account show", name=account, query="id", output="tsv"))


def clear_queue(account: str, name: str) -> str:
    """Delete all messages of a queue."""
    return az("storage message clear", account_name=account, queue_name=name, auth_mode="login", output="none")
