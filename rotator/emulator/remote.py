"""Asks and tells a running emulator through its control endpoint, over the same proxy and TLS as any client."""

import http.client
import json
import ssl
from typing import Any

from rotator.emulator.authority import CONTROL_HOST
from rotator.emulator.directory import StateDirectory


class ControlRefused(Exception):
    """The control endpoint said no; the message is its own."""


def ask(directory: StateDirectory, method: str, path: str, body: object = None) -> Any:
    """One request to the emulator that serves `directory`; its answer as JSON, None where it has none.

    Raises NotRunning where nothing serves it, ControlRefused where it says no.
    """
    running = directory.running()
    context = ssl.create_default_context(cafile=directory.certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", running.port, context=context, timeout=60)
    connection.set_tunnel(CONTROL_HOST, 443)
    try:
        headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = json.loads(answer.read() or b"null")
    finally:
        connection.close()
    if answer.status >= 400:
        raise ControlRefused(content["error"]["message"])
    return content
