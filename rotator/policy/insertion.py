"""Insert an app id into a policy's text, and leave comments, order and line breaks unchanged."""

from yaml import MappingNode

from rotator.errors import RotatorError
from rotator.policy.nodes import Core, compose
from rotator.policy.values import parse


def with_app_id(text: str, file: str, app_id: str) -> str:
    """Return the text with ``app_id`` as first key of ``principal``; unchanged if the key has this value already.

    Raises RotatorError.
    """
    before = parse(text, file)
    if before.at(("principal", "app_id")) == app_id:
        return text
    principal = _principal(text, file)
    if principal is None or before.at(("principal", "app_id")) is not None:
        raise _changed(file, app_id)
    at = principal.value[0][0].start_mark
    separator = ", " if principal.flow_style else f"{_line_break(text)}{' ' * at.column}"
    written = f"{text[: at.index]}app_id: {app_id}{separator}{text[at.index :]}"
    if parse(written, file).data != {**before.data, "principal": {"app_id": app_id, **before.data["principal"]}}:
        raise _changed(file, app_id)
    return written


def _principal(text: str, file: str) -> MappingNode | None:
    """The mapping below ``principal``, where there is one with keys."""
    root = compose(text, file, Core)
    pairs = root.value if isinstance(root, MappingNode) else []
    found = next((value for key, value in pairs if key.value == "principal"), None)
    return found if isinstance(found, MappingNode) and found.value else None


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _changed(file: str, app_id: str) -> RotatorError:
    return RotatorError(
        f"{file} has no `principal` any more, so the app id could not be written",
        state=f"The application is {app_id}; the file is unchanged.",
        remedy=f"Write `app_id: {app_id}` below `principal` by hand, and run again.",
    )
