"""Up to twenty requests in one: JSON batching, in the order that they depend on each other."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local_azure.wire import Request, Response, ServiceError

MOST = 20
"""Most requests in a batch."""

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
KEPT = (
    "Cache-Control",
    "Content-Type",
    "OData-Version",
    "Location",
    "Retry-After",
    "x-ms-resource-unit",
    "x-ms-throttle-limit-percentage",
)
"""Headers of an answer that a batch hands on."""

Serve = Callable[[Request], Response]


def run(requests: Any, outer: Request, serve: Serve) -> list[dict[str, Any]]:
    """The answers to a batch. Raises ServiceError 400 for one that is malformed."""
    steps = _checked(requests)
    answers: dict[str, dict[str, Any]] = {}
    while waiting := [step for step in steps if step["id"].lower() not in answers]:
        ready = [step for step in waiting if all(each.lower() in answers for each in step.get("dependsOn") or ())]
        if not ready:
            raise _bad("The dependsOn properties of the batch requests form a circle.")
        for step in ready:
            answers[step["id"].lower()] = _answered(step, outer, serve, answers)
    return list(answers.values())


def _checked(requests: Any) -> list[dict[str, Any]]:
    if not isinstance(requests, list) or not requests:
        raise _bad("Invalid batch payload format.")
    if len(requests) > MOST:
        raise _bad(f"Number of batch request steps exceeds the maximum value of {MOST}.")
    ids: list[str] = []
    for step in requests:
        if not _is_step(step):
            raise _bad("Invalid batch payload format.")
        ids.append(step["id"].lower())
    if len(set(ids)) < len(ids):
        raise _bad("Request Ids must be unique in a batch.")
    if any(each.lower() not in ids for step in requests for each in step.get("dependsOn") or ()):
        raise _bad("A request depends on an id that is not in the batch.")
    return requests


def _is_step(step: Any) -> bool:
    if not isinstance(step, dict) or not all(isinstance(step.get(name), str) for name in ("id", "url")):
        return False
    needs, headers = step.get("dependsOn") or [], step.get("headers") or {}
    texts = (*needs, *headers.values()) if isinstance(needs, list) and isinstance(headers, dict) else (None,)
    return step.get("method") in METHODS and all(isinstance(text, str) for text in texts)


def _bad(message: str) -> ServiceError:
    return ServiceError(400, "BadRequest", message)


def _answered(
    step: Mapping[str, Any], outer: Request, serve: Serve, answers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    if any(answers[each.lower()]["status"] >= 400 for each in step.get("dependsOn") or ()):
        error = {"code": "FailedDependency", "message": "A request that this one depends on has failed."}
        return {"id": step["id"], "status": 424, "headers": {}, "body": {"error": error}}
    response = serve(_inner(step, outer))
    content = response.headers.get("Content-Type", "")
    body = json.loads(response.body) if "json" in content else response.body.decode() or None
    answer = {
        "id": step["id"],
        "status": response.status,
        "headers": {name: response.headers[name] for name in KEPT if name in response.headers},
    }
    return answer if body is None else {**answer, "body": body}


def _inner(step: Mapping[str, Any], outer: Request) -> Request:
    """Return one step of a batch as a separate request by the same caller.

    Raises ServiceError 400 for a body without a content type.
    """
    headers = {**(step.get("headers") or {}), "Authorization": outer.headers["authorization"]}
    body = step.get("body")
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        raise _bad(f"Write request id : {step['id']} does not contain Content-Type header or body.")
    url = f"https://{outer.host}/v1.0/{step['url'].lstrip('/')}"
    return Request.parse(step["method"], url, headers, b"" if body is None else json.dumps(body).encode())
