"""Judge of a request and its answer, by their description; findings hold no value of either."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema  # type: ignore[import-untyped]
from local_azure.wire import Request, Response
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from descriptions.operations import Catalogue, Operation, read


@dataclass(frozen=True, order=True)
class Finding:
    """Difference from a description."""

    operation: str
    status: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.operation} {self.status} {self.where}: {self.what}"


def _retrieve(uri: str) -> Resource[Any]:
    return DRAFT4.create_resource(read(Path(unquote(urlsplit(uri).path))))


REGISTRY: Registry[Any] = Registry(retrieve=_retrieve)  # type: ignore[call-arg]


def _type(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if instance is not None or not schema.get("x-nullable"):
        yield from jsonschema.Draft4Validator.VALIDATORS["type"](validator, wanted, instance, schema)


def _enum(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """Check a value of an enumeration; one modelled as a text may be extended by the service."""
    if not schema.get("x-ms-enum", {}).get("modelAsString") and instance not in wanted:
        yield jsonschema.ValidationError("not one of these")


def _required_of_request(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """Yield the missing members of a request; Azure reads property names in any letter case."""
    if isinstance(instance, dict):
        yield from _without(set(wanted) - {name for name in wanted if name.lower() in set(map(str.lower, instance))})


def _required_of_answer(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """Yield the missing members of an answer; write-only members may be absent."""
    if isinstance(instance, dict):
        hidden = {name for name, each in schema.get("properties", {}).items() if each.get("x-ms-secret")}
        yield from _without(set(wanted) - hidden - set(instance))


def _without(missing: set[str]) -> Iterator[Any]:
    if missing:
        yield jsonschema.ValidationError(f"without {', '.join(sorted(missing))}")


def _secret(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if wanted:
        yield jsonschema.ValidationError("is returned")


_COMMON = {"type": _type, "enum": _enum}
ASKED = jsonschema.validators.extend(jsonschema.Draft4Validator, {**_COMMON, "required": _required_of_request})
ANSWERED = jsonschema.validators.extend(
    jsonschema.Draft4Validator, {**_COMMON, "required": _required_of_answer, "x-ms-secret": _secret}
)
"""Validator of answers, in which values marked as secret must not occur."""
FORMATS = jsonschema.FormatChecker(("uuid",))


@FORMATS.checks("date-time", raises=ValueError)  # type: ignore[untyped-decorator]
def _instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def _validator(kind: Any, uri: str) -> Any:
    return kind({"$ref": uri}, registry=REGISTRY, format_checker=FORMATS)


class Judge:
    """Judge of one exchange, by the description of its operation."""

    def __init__(self, directory: Path) -> None:
        self._catalogue = Catalogue(directory)

    def judge(self, request: Request, response: Response) -> list[Finding] | None:
        """Return the differences from the description; None without a description, and for unimplemented operations."""
        found = [] if response.status == 501 else self._catalogue.find(request)
        return min((self._held(operation, request, response) for operation in found), key=len, default=None)

    def _held(self, operation: Operation, request: Request, response: Response) -> list[Finding]:
        named = f"{operation.method} {operation.template}"
        asked = self._asked(operation, request) if response.status < 300 else ()
        said = [*asked, *self._answered(operation, request, response)]
        return sorted({Finding(named, response.status, where, what) for where, what in said})

    def _asked(self, operation: Operation, request: Request) -> Iterator[tuple[str, str]]:
        """Yield the faults of an accepted request: the emulator must not accept a request that Azure refuses."""
        shared = REGISTRY.resolver(operation.file.as_uri())
        for index, given in enumerate(operation.described.get("parameters", [])):
            parameter = shared.lookup(given["$ref"]).contents if "$ref" in given else given
            if (
                parameter["in"] == "query"
                and parameter.get("required")
                and parameter["name"].lower() not in request.query
            ):
                yield f"query {parameter['name']}", "is required"
            if given.get("in") == "body" and request.body.strip():
                found = _errors(ASKED, f"{operation.pointer}/parameters/{index}/schema", request.body)
                yield from (("request " + where, what) for where, what in found)

    def _answered(self, operation: Operation, request: Request, response: Response) -> Iterator[tuple[str, str]]:
        listed = operation.described["responses"]
        key = str(response.status) if str(response.status) in listed else "default"
        if key not in listed or (key == "default" and response.status < 400):
            if response.status < 400:
                yield "status", "is not listed"
            return
        schema = listed[key].get("schema")
        if not schema or schema.get("type") == "file" or request.method == "HEAD":
            return
        yield from _errors(ANSWERED, f"{operation.pointer}/responses/{key}/schema", response.body)


def _errors(kind: Any, uri: str, body: bytes) -> Iterator[tuple[str, str]]:
    try:
        content = json.loads(body)
    except ValueError:
        yield "body", "is not JSON"
        return
    for error in _validator(kind, uri).iter_errors(content):
        where = "".join("[]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
        yield where or ".", f"{error.validator} {_words(error)}"


def _words(error: Any) -> str:
    """Return the expectation; of the actual value only its absence, or the names of missing members."""
    if error.validator in ("required", "x-ms-secret"):
        return str(error.message)
    wanted = json.dumps(error.validator_value)[:120]
    return f"{wanted}, is null" if error.instance is None else wanted
