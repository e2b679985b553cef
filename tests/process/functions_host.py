"""Stand-in for the host of Azure Functions, in a process of Microsoft's worker library: it indexes an app and calls its
functions.

Run by a Python with `azure_functions_runtime`: ``functions_host.py APP``, with the calls as JSON on standard input. It
prints the index, then the result of each call, one JSON object a line. The messages between host and worker are plain
objects in place of protobuf's.
"""

import asyncio
import json
import logging
import os
import sys
from types import SimpleNamespace
from typing import Any


class Message(SimpleNamespace):
    """Message of the worker's protocol, as far as the library reads it."""

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's name
        return next(iter(vars(self)), None)


class BindingInfo(Message):
    undefined, out, inout = 0, 1, 2


class StatusResult(Message):
    Failure, Success = 0, 1


class Protos:
    """Names of the protocol."""

    BindingInfo, StatusResult = BindingInfo, StatusResult

    def __getattr__(self, name: str) -> type[Message]:
        if name == "TypedData":
            return Message
        return Message


class Dies(logging.Handler):
    """Ends the process, as a platform does, when a line of the log has a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            os._exit(9)


def _data(call: dict[str, Any]) -> tuple[Message, dict[str, Message]]:
    match call["trigger"]:
        case "timerTrigger":
            return Message(json='{"IsPastDue": false}'), {}
        case "queueTrigger":
            tries = Message(json=str(call.get("tries", 1)))
            return Message(string=call["text"]), {"Id": Message(string="1"), "DequeueCount": tries}
        case _:
            http = Message(
                method="GET", url="https://app.example/api/status", headers={}, params={}, query={}, body=Message()
            )
            return Message(http=http), {}


async def main(app: str) -> None:
    from azure_functions_runtime import handle_event as worker  # type: ignore[import-not-found]

    def ask(**request: Any) -> Any:
        return SimpleNamespace(request=SimpleNamespace(**request), properties={"host": "127.0.0.1", "protos": Protos()})

    begun = SimpleNamespace(capabilities={}, function_app_directory=app)
    started = await worker.worker_init_request(ask(worker_init_request=begun))
    found = (await worker.functions_metadata_request(ask())).function_metadata_results or []
    failed = getattr(getattr(started.result, "exception", None), "message", "")
    told = {each.name: [json.loads(binding) for binding in each.raw_bindings] for each in found}
    tell({"indexed": told, "failed": failed, "version": worker.VERSION})
    ids = {each.name: (each.function_id, next(iter(each.bindings.items()))) for each in found}
    for call in json.load(sys.stdin):
        if text := call.get("dies"):
            logging.getLogger("rotator.function").addHandler(Dies(text))
        function, (argument, _) = ids[call["function"]]
        data, metadata = _data(call)
        request = SimpleNamespace(
            invocation_id="1",
            function_id=function,
            input_data=[_Given(argument, data)],
            trigger_metadata=metadata,
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = await worker.invocation_request(ask(invocation_request=request))
        wrong = getattr(getattr(answer.result, "exception", None), "message", "")
        returned = getattr(getattr(answer, "return_value", None), "http", None)
        shown = {"status": int(returned.status_code), "body": returned.body.bytes.decode()} if returned else None
        tell({"failed": wrong, "returned": shown})


class _Given(Message):
    def __init__(self, name: str, data: Message) -> None:
        super().__init__(name=name, data=data)

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


def tell(what: object) -> None:
    """Print a line for the test."""
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    sys.path.insert(0, sys.argv[1])
    asyncio.run(main(sys.argv[1]))
