"""Tests of a deployment's outcome for its caller: a job's exit code, the running images, moved tags."""

from typing import Any

import pytest

from rotator.container_group.deployment_outcome import exit_code, moved_tags, public_port, pulled

OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")


def container(image: str = "r.azurecr.io/app:v1", code: int | None = None, *events: dict[str, Any]) -> dict[str, Any]:
    state = {"state": "Running"} if code is None else {"state": "Terminated", "exitCode": code}
    shown = {"currentState": state, "events": list(events)}
    return {"name": "c", "properties": {"image": image, "instanceView": shown}}


def event(name: str, message: str, minute: int = 0) -> dict[str, Any]:
    at = f"2026-03-01T04:{minute:02}:00Z"
    return {"name": name, "message": message, "firstTimestamp": at, "lastTimestamp": at, "count": 1}


def group(*containers: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"properties": {"containers": list(containers), "instanceView": {}, **properties}}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], None), ([0, None], None), ([None, 3], None), ([0, 0], 0), ([0, 3], 3), ([2, 3], 2), ([0, 7148, 0], 7148)],
)
def test_a_job_ends_with_its_first_code_that_is_not_zero(codes: list[int | None], expected: int | None) -> None:
    assert exit_code(group(*(container(code=code) for code in codes))) == expected


PULLED = {
    "the newest pull counts": (
        [
            event("Pulled", f'Pulled image "r.azurecr.io/app@{NEW}"', 2),
            event("Pulled", f'image "r.azurecr.io/app@{OLD}"'),
        ],
        NEW,
    ),
    "what happened to the image besides is no pull": (
        [event("Pulled", f'Pulled image "r.azurecr.io/app@{OLD}"'), event("Pulling", f'"r.azurecr.io/app@{NEW}"', 2)],
        OLD,
    ),
    "another repository is another image": ([event("Pulled", f'Pulled image "r.azurecr.io/other@{NEW}"')], None),
    "a tag is no digest": ([event("Pulled", 'Pulled image "r.azurecr.io/app@v1"')], None),
    "a message without an image": ([event("Pulled", "Pulled")], None),
}


@pytest.mark.parametrize("name", PULLED)
def test_the_running_digest_is_the_one_that_was_pulled_last(name: str) -> None:
    events, expected = PULLED[name]
    image = "r.azurecr.io/app:v1"
    assert dict(pulled(group(container(image, None, *events)))).get(image) == expected


def test_a_tag_moves_and_a_digest_does_not() -> None:
    tagged, pinned = "r.azurecr.io/app:v1", f"r.azurecr.io/app@{OLD}"
    ran = event("Pulled", f'Pulled image "r.azurecr.io/app@{OLD}"')
    shown = group(container(tagged, None, ran), container(pinned, None, ran))
    assert moved_tags(shown, {tagged: NEW, pinned: NEW}) == ((tagged, OLD, NEW),)
    assert moved_tags(shown, {tagged: OLD}) == moved_tags(shown, {}) == ()


@pytest.mark.parametrize(
    ("kind", "ports", "expected"),
    [("Public", [8443, 80], 80), ("Private", [80], None), ("Public", [], None), ("Public", ["80"], None)],
)
def test_a_port_is_public_only_where_the_address_is(kind: str, ports: list[Any], expected: int | None) -> None:
    address = {"type": kind, "ports": [{"port": port} for port in ports]}
    assert public_port(group(ipAddress=address)) == expected
    assert public_port(None) is None
