"""Asks and tells a running emulator through its control endpoint, over the same proxy and TLS as any client."""

import http.client
import json
import ssl
from typing import Any

from local_azure.directory import CONTROL_HOST, Running, StateDirectory


class ControlRefused(Exception):
    """Refusal by the control endpoint, with the endpoint's own message."""


def ask(directory: StateDirectory, method: str, path: str, body: object = None) -> Any:
    """Send one request to the emulator of `directory`; return the answer as JSON, or None if empty.

    Raises NotRunning if no emulator serves the directory, UnreadableState if the files can't be used, ControlRefused
    for a refusal or an unreadable answer.
    """
    running = directory.running()
    try:
        status, content = _asked(directory, running, method, path, body)
    except (OSError, ValueError, OverflowError, http.client.HTTPException) as error:
        why = f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__
        what = f"the emulator in {directory.path} (process {running.pid}) gives no answer that can be read ({why})"
        raise ControlRefused(f"{what}: end it with `local-azure stop`, and start it anew") from None
    if status >= 400:
        raise ControlRefused(_message(status, content))
    return content


def _message(status: int, content: Any) -> str:
    error = content.get("error") if isinstance(content, dict) else None
    return (
        str(error["message"])
        if isinstance(error, dict) and "message" in error
        else f"the emulator answers with {status}"
    )


def _asked(directory: StateDirectory, running: Running, method: str, path: str, body: object) -> tuple[int, Any]:
    context = ssl.create_default_context(cafile=directory.certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", running.port, context=context, timeout=60)
    connection.set_tunnel(CONTROL_HOST, 443)
    try:
        headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()
