"""Shapes of alerts on the wire: CloudEvents, and the messages of Microsoft Teams and Slack.

Names in alerts come from outside. Nothing in a shape is markup: Teams gets text runs, in which "Markdown is not
supported" (Adaptive Cards, schema explorer: TextRun), Slack plain text.
"""

import json
from collections.abc import Sequence
from typing import Any

from rotator.report.alerts import CRITICAL, Alert
from rotator.report.words import instant
from rotator.visible import one_line

EVENT_TYPE, CHAT_TYPE = "application/cloudevents+json; charset=utf-8", "application/json; charset=utf-8"
"""Content types: of one event in structured mode (CloudEvents 1.0, HTTP binding 3.2), and of a chat's message."""
SOURCE, KIND = "urn:rotator", "rotator.alert"
"""Source and first part of the type of an event."""
MOST, LONGEST, LARGEST = 10, 700, 24_000
"""Alerts in one message of a chat, characters of one paragraph, and bytes of a card: Teams takes 28 KB, Slack 3000
characters in a block.
"""
NAMED = 8
"""Policies of an alert that are named in a chat."""


def shaped(shape: str, alerts: Sequence[Alert]) -> tuple[bytes, str]:
    """Return a message in a shape (``teams``, ``slack``, else a CloudEvent about the first alert), and its type."""
    if shape == "teams":
        return teams(alerts), CHAT_TYPE
    return (slack(alerts), CHAT_TYPE) if shape == "slack" else (cloud_event(alerts[0]), EVENT_TYPE)


def cloud_event(alert: Alert) -> bytes:
    """Return an alert as one CloudEvent 1.0 in the JSON format, for programs; `id` and `source` name it once."""
    body = {
        "specversion": "1.0",
        "id": alert.id,
        "source": SOURCE,
        "type": f"{KIND}.{alert.code}",
        "subject": alert.policies[0] if len(alert.policies) == 1 else "fleet",
        "time": instant(alert.at),
        "datacontenttype": "application/json",
        "data": {
            "code": alert.code,
            "severity": alert.severity,
            "policies": list(alert.policies),
            "subject": alert.subject,
            "happened": alert.happened,
            "state": alert.state,
            "remedy": alert.remedy,
            "until": instant(alert.until),
        },
    }
    return _bytes(body)


def teams(alerts: Sequence[Alert]) -> bytes:
    """Return one message for a Teams workflow with the trigger "When a Teams webhook request is received"."""
    cards = (_card(alerts, many) for many in range(min(MOST, len(alerts)), 0, -1))
    return next(card for card in cards if len(card) <= LARGEST)


def _card(alerts: Sequence[Alert], many: int) -> bytes:
    body: list[dict[str, Any]] = [_runs([_run(headline(alerts), size="Large", weight="Bolder")])]
    for alert in alerts[:many]:
        color = "Attention" if alert.severity == CRITICAL else "Warning"
        lines = [_run(f"{title(alert)}\n", weight="Bolder", color=color), _run(f"{_short(alert.happened)}\n")]
        lines += [_run("What to do: ", weight="Bolder"), _run(_short(alert.remedy))]
        body.append({**_runs(lines), "separator": True})
    if rest := more(alerts, many):
        body.append({**_runs([_run(rest)]), "separator": True})
    card = {"type": "AdaptiveCard", "version": "1.4", "body": body, "msteams": {"width": "Full"}}
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return _bytes({"type": "message", "attachments": [attached]})


def slack(alerts: Sequence[Alert]) -> bytes:
    """Return one message for a Slack incoming webhook."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(headline(alerts)[:150])}]
    for alert in alerts[:MOST]:
        text = f"{title(alert)}\n{_short(alert.happened)}\nWhat to do: {_short(alert.remedy)}"
        blocks += [{"type": "divider"}, {"type": "section", "text": _plain(text)}]
    if rest := more(alerts, MOST):
        blocks.append({"type": "section", "text": _plain(rest)})
    told = headline(alerts).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _bytes({"text": told, "mrkdwn": False, "blocks": blocks})


def headline(alerts: Sequence[Alert]) -> str:
    """Return the first line of a message: how many alerts, and of what."""
    names = sorted({name for alert in alerts for name in alert.policies})
    critical = sum(alert.severity == CRITICAL for alert in alerts)
    grave = f" ({critical} critical)" if critical and critical < len(alerts) else " (critical)" if critical else ""
    many = "1 thing needs" if len(alerts) == 1 else f"{len(alerts)} things need"
    return f"rotator: {many} a person{grave}: {_named(names)}"


def title(alert: Alert) -> str:
    """Return the heading of an alert: severity, code and policies."""
    return f"{alert.severity.upper()} · {alert.code.replace('_', ' ')} · {_named(alert.policies)}"


def more(alerts: Sequence[Alert], shown: int) -> str:
    """Return how many alerts a message leaves out; empty if none."""
    rest = len(alerts) - shown
    return f"and {rest} more: `rotator status` shows all" if rest > 0 else ""


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name)[:60] for name in names[:NAMED])
    return f"{len(names)} policies: {shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _runs(inlines: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": inlines}


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")
