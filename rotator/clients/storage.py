"""Shared parts of the clients of Azure Storage: the pipeline's options, and the roles that requests need."""

from importlib import import_module
from typing import Any

from rotator.clients.pipeline import Line
from rotator.clients.retries import Retry
from rotator.errors import AzureError, RotatorError

PATIENCE = 30.0
"""Time limit of retries in seconds: a caller that waits for a lease or a message can do other work."""
ONE_TRY = 15.0
"""Timeout in seconds for one request; a lease is renewed every quarter of a minute."""


def options(line: Line, host: str, *, once: bool = True) -> dict[str, Any]:
    """Return the keyword arguments of a storage client of `host`: the shared session, one retry policy, no redirect.

    `once`: what may have an effect at each repetition is sent once.
    """
    return {
        **line.options([host]),
        "retry_policy": _Retry(line.limit, line.time, patience=PATIENCE, once=once),
        "permit_redirects": False,
    }


class _Retry(Retry):
    """The one retry policy, in place of Microsoft's.

    As that one does, it takes out the options that no transport knows, and notes which host answered: the next page of
    a list is asked of the same.
    """

    async def send(self, request: Any) -> Any:
        for option in ("hosts", "location_mode"):
            request.context.options.pop(option, None)
        response: Any = await super().send(request)
        response.http_response.location_mode = "primary"
        return response


def absent(error: AzureError, code: str) -> bool:
    """Tell if Azure Storage reports by this code that an object doesn't exist."""
    return error.status == 404 and error.code == code


def load(package: str) -> Any:
    """Import a client library of the extra `functions`. Raises RotatorError where it isn't installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError:
        name = "-".join(package.split(".")[:3])
        raise RotatorError(
            f"{name} isn't installed", remedy=f"Install {name}; it is in the package's extra `functions`."
        ) from None
