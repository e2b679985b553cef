"""Azure Functions app (Python v2 programming model): a timer, with a queue its messages, and the status over HTTP.

Rules for editors of this package:

1. No decision is made here: policies, clients, fleet and engine are those of the command line.
2. An invocation may be cut off at any line (`functionTimeout`, a scaled-in instance); the next invocation looks at
   Azure and goes on. No state is kept between invocations but what may be lost.
3. All output goes through `logging`, one JSON object a line. Problems needing a person raise an error, because the
   platform's monitoring sees only failed invocations; a message is tried again only where that may help.

App settings: ``ROTATOR_SCHEDULE`` (NCRONTAB with seconds; default every six hours), ``ROTATOR_POLICIES`` (directory;
default ``policies`` in the app), ``ROTATOR_MAX_DURATION`` (default 25m), ``ROTATOR_CLOUD`` (public, usgov, china),
``ROTATOR_QUEUE`` and ``ROTATOR_LEASE_CONTAINER`` (addresses; without a queue the timer does all the work). The app
signs in with its managed identity.
"""

import logging
import os
from collections.abc import Mapping

import azure.functions as func

from rotator.errors import RotatorError
from rotator.function_app import work
from rotator.function_app.invocation import RotationFailed, log
from rotator.function_app.settings import AppSettings, schedule, trigger
from rotator.ports import Message

QUIET = ("azure", "msal", "msgraph", "kiota_http", "httpx", "httpcore", "hpack", "h2", "aiohttp", "urllib3")
"""Loggers held at ERROR, whatever the app's log level: at DEBUG some of them print headers as sent, bearer tokens
included.
"""


def _settings() -> AppSettings:
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    return AppSettings.read(os.environ)


async def rotate(timer: func.TimerRequest) -> None:
    """Take every due step of every policy, or add the policies with a due step to the queue.

    Raises PolicyError, RotationFailed; the next tick goes on from there.

    The host runs one invocation at a time over all instances of the app (a lock in its storage account).
    """
    settings = _settings()
    if timer.past_due:
        log.warning("the timer is past due: an earlier tick was missed")
    await work.rotate(settings)


async def reconcile(message: func.QueueMessage) -> None:
    """Rotate the policy that a message names. Raises RotationFailed: then the host tries the message again."""
    text = message.get_body().decode("utf-8", "replace")
    await work.serve(_settings(), Message(message.id or "", "", text, message.dequeue_count or 1))


async def status(request: func.HttpRequest) -> func.HttpResponse:
    """Answer with the status of every policy: 200, or 503 where a person is needed."""
    try:
        code, body = await work.show(_settings())
    except RotatorError as error:
        code, body = 1, work.refused(error)
    return func.HttpResponse(body, status_code=503 if code else 200, mimetype="application/json")


def build(environment: Mapping[str, str]) -> func.FunctionApp:
    """Return the app: the queue's trigger is there only with a queue."""
    made = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    made.timer_trigger(arg_name="timer", schedule=schedule(environment), use_monitor=True)(rotate)
    made.route(route="status", trigger_arg_name="request", methods=["GET"])(status)
    if found := trigger(environment):
        name, connection = found
        made.queue_trigger(arg_name="message", queue_name=name, connection=connection)(reconcile)
    return made


app = build(os.environ)

__all__ = ["RotationFailed", "app", "build", "reconcile", "rotate", "status"]
