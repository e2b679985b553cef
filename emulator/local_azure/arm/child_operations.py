"""Long-running operations on what a registry has: the answers that begin them, and where each is followed.

Source: recordings of azure-cli (replications 2021 and 2023, cache rules 2023, imports 2024, credential sets 2026) and
of the SDKs for .NET and PowerShell (tokens, scope maps, webhooks, deletions; 2022 to 2025). A PUT or PATCH is 201 with
``Azure-AsyncOperation``; a deletion is 202 with ``Location`` and ``null`` as body; the client is asked to come back in
ten seconds. Webhooks are changed at once. An import is 202 with ``Location``, where its status is said.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NoReturn

from local_azure.arm.access import Stamp
from local_azure.arm.behaviour import Resource, Resources
from local_azure.arm.registry_versions import SYSTEM_DATA
from local_azure.arm.shape import system_data
from local_azure.arm.tracked import SUBSCRIPTION, status_url
from local_azure.clock import iso
from local_azure.wire import Call, Json, Response, Route, ServiceError

AGAIN = {"Retry-After": "10"}
_PROVIDER = f"{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry"


def supported(call: Call) -> dict[str, str]:
    """Return the registry provider's header of supported versions: only the requested one (recorded)."""
    return {"api-supported-versions": call.request.query["api-version"]}


def begun(call: Call, resources: Resources, shown: Json, kind: str, seconds: float, word: str) -> Response:
    """Return 201 for an object that is being created or updated; `word` is its state until then."""
    operation = resources.operations.begin(shown["id"], kind, seconds, word)
    properties = {**shown["properties"], "provisioningState": word}
    headers = {"Azure-AsyncOperation": status_url(call, shown["id"], operation), **AGAIN, **supported(call)}
    return Response.json(201, {**shown, "properties": properties}, headers)


def status(call: Call, resources: Resources, about: str) -> Response:
    """Return the status at the URL of ``Azure-AsyncOperation``; `about` is the object's id."""
    operation = resources.operations.get(call["operation"])
    word = "Succeeded" if resources.operations.over(operation) else operation.word
    url = status_url(call, about, operation)
    return Response.json(200, {"status": word}, {"Azure-AsyncOperation": url, **AGAIN, **supported(call)})


def removed(call: Call, resources: Resources, about: str, region: str, kind: str, shown: Json = None) -> Response:
    """Return 202 for an object that was deleted, with the address of the result and the object if it is shown."""
    operation = resources.operations.begin(f"{about}/deleted", kind, resources.timing.registry_made, "Deleting")
    headers = {"Location": _result_url(call, region, operation.id), **AGAIN, **supported(call)}
    return Response.json(202, shown, headers)


def imported(call: Call, resources: Resources, registry: Resource, images: Iterable[str]) -> Response:
    """Return 202 for images that are being imported, with the address where their status is said.

    Until then the `images` are pending by their names there.
    """
    seconds, about = resources.timing.registry_made, f"{registry.id}/importImage"
    operation = resources.operations.begin(about, "registries", seconds, "Accepted", {"status": "Succeeded"})
    operation.meanwhile = dict.fromkeys(images, "Pending")
    return Response(202, b"", {"Location": _result_url(call, registry.location.upper(), operation.id)})


def result_routes(resources: Resources) -> tuple[Route, ...]:
    """The results of deletions and of imports, by region."""

    def result(call: Call) -> Response:
        action = "Microsoft.ContainerRegistry/locations/operationResults/read"
        resources.authorization.require(call.who, action, f"/subscriptions/{call['subscription']}")
        operation = resources.operations.get(call["operation"])
        said = operation.result is not None
        if resources.operations.over(operation):
            return Response.json(200, operation.result) if said else Response(200)
        headers = {"Location": _result_url(call, call["location"], call["operation"]), **AGAIN}
        return Response.json(202, {**operation.meanwhile, "status": operation.word} if said else None, headers)

    path = f"{_PROVIDER}/locations/{{location}}/operationResults/{{operation}}"
    return (Route("arm.registries.operationResult", "GET", path, result),)


def stamped(call: Call, stamp: Stamp | None) -> dict[str, Json]:
    """Return ``systemData`` where the api-version knows it; the system's own objects have none."""
    if stamp is None or not SYSTEM_DATA.knows(call.request.query["api-version"]):
        return {}
    return {"systemData": system_data(stamp.by, stamp.at, stamp.changed_by, stamp.changed, offset)}


def absent(name: str) -> NoReturn:
    """Raise the provider's 404 for what a registry doesn't have (recorded of scope maps)."""
    raise ServiceError(404, "ResourceNotFound", f"The resource {name} could not be found.", inner="provider")


def offset(at: datetime) -> str:
    """Return an instant as the registries' provider writes it."""
    return iso(at).removesuffix("Z") + "+00:00"


def _result_url(call: Call, region: str, operation: str) -> str:
    provider = f"/subscriptions/{call['subscription']}/providers/Microsoft.ContainerRegistry"
    path = f"{provider}/locations/{region}/operationResults/{operation}"
    return f"https://{call.request.host}{path}?api-version={call.request.query['api-version']}"
