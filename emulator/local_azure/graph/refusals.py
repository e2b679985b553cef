"""Refusals shared by several parts of Graph, in Graph's own words."""

from local_azure.wire import ServiceError


def missing(what: str) -> ServiceError:
    """Graph's 404."""
    message = f"Resource '{what}' does not exist or one of its queried reference-property objects are not present."
    return ServiceError(404, "Request_ResourceNotFound", message)


def unknown_property(name: str, of: str) -> ServiceError:
    """Return the refusal of a property unknown to a type."""
    message = (
        f"The property '{name}' does not exist on type '{of}'. Make sure to only use property names that are defined by"
        " the type."
    )
    return ServiceError(400, "Request_BadRequest", message)


def bad_value(name: str, of: str) -> ServiceError:
    """Return the refusal of a property's invalid value."""
    return ServiceError(400, "Request_BadRequest", f"Invalid value specified for property '{name}' of resource '{of}'.")


def required(name: str, of: str) -> ServiceError:
    """Return the refusal of a new object without a required property."""
    return ServiceError(400, "Request_BadRequest", f"A value is required for property '{name}' of resource '{of}'.")


def already_there(relation: str) -> ServiceError:
    """Return the refusal of an existing reference."""
    message = f"One or more added object references already exist for the following modified properties: '{relation}'."
    return ServiceError(400, "Request_BadRequest", message)


def denied() -> ServiceError:
    """Graph's single refusal for every missing permission."""
    return ServiceError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
