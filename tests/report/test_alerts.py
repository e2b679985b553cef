"""Alerts of runs: which there are, how often one is told, and what each receiver gets of it."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rotator.codes import NoteCode, VetoCode, WaitCode
from rotator.errors import Forbidden
from rotator.events import CredentialAdded, Event, Noted, StepFailed, Vetoed, Waiting
from rotator.report.alerts import Alert, Ended, alerts, not_served, refused
from rotator.report.shapes import cloud_event, slack, teams
from rotator.report.status import Row, Urgency, rows
from tests.report.test_report import RENEWAL, STEADY, preview
from tests.worlds import TODAY, key

SIGN_IN = "rotator can't sign in: AADSTS7000215: Invalid client secret provided. Trace ID: 0b1c2d3e-0000-4000-8000-00000000000{} Timestamp: 2026-03-04 12:00:0{}Z"  # fmt: skip
HOSTILE = "evil[x](http://x)<!channel>**b**\u202e\x1b[2J\n@everyone"


def row(case: dict[str, Any], name: str = "web") -> Row:
    return rows([(name, preview(case, name=name))])[0]


def ended(*events: Event, seen: Row | None = None, policy: str = "web", code: int = 1) -> Ended:
    return Ended(policy, f"app-of-{policy}", timedelta(days=14), code, seen, events)


def failed(policy: str = "web", step: str = "issue", happened: str = "Graph answered 500") -> StepFailed:
    return StepFailed(policy=policy, step=step, target="application", happened=happened, state="As it was.", remedy="Run again.")  # fmt: skip


def warned(warn: bool = True) -> Waiting:
    return Waiting(policy="web", code=WaitCode.JOB_RUNNING, subject="nightly", reason="nightly runs", warn=warn)


def in_use(end: timedelta) -> Row:
    return Row("web", Urgency.DUE, key("old"), at=TODAY, end=TODAY + end, soonest=TODAY + end)


def test_a_run_that_needs_no_person_makes_no_alert() -> None:
    note = Noted(policy="web", code=NoteCode.FOREIGN, subject="k", text="a foreign credential")
    added = CredentialAdded(policy="web", key_id="k", home="application", end=TODAY)
    assert alerts([ended(note, added, warned(warn=False), seen=row(STEADY), code=0)], TODAY) == ()


def test_failures_vetoes_and_what_is_past_its_warning_are_alerts_the_gravest_first() -> None:
    veto = Vetoed(policy="web", step="issue", target="application", code=VetoCode.DRIFT, happened="drift", state="S", remedy="R")  # fmt: skip
    still = Noted(policy="web", code=NoteCode.STILL_OPEN, subject="k1", text="COMPROMISED", warn=True)
    found = alerts([ended(failed(), failed(), veto, warned(), still, seen=row(STEADY))], TODAY)
    assert [(each.severity, each.code) for each in found] == [
        ("critical", "still_open"),
        ("warning", "failed"),
        ("warning", "drift"),
        ("warning", "job_running"),
    ]
    assert {each.at for each in found} == {TODAY}
    assert found[1].happened == "issue application: Graph answered 500"


def ids(one: Ended, after: timedelta = timedelta()) -> set[str]:
    shifted = replace(one, row=replace(one.row, at=one.row.at + after)) if one.row and one.row.at else one
    return {each.id for each in alerts([shifted], TODAY + after)}


def test_what_stands_is_told_again_with_each_day_and_a_compromise_every_six_hours() -> None:
    still = Noted(policy="web", code=NoteCode.STILL_OPEN, subject="k1", text="COMPROMISED", warn=True)
    for event, hours in ((failed(), 24), (warned(), 24), (still, 6)):
        one = ended(event)
        first = ids(one)
        told = [ids(one, timedelta(hours=each)) != first for each in range(-24, 25)]
        # Noon is the middle of a day, and the beginning of a quarter.
        assert told == [not -(12 if hours == 24 else 0) <= each < (12 if hours == 24 else 6) for each in range(-24, 25)]


def test_equal_alerts_have_equal_ids_whatever_the_machine_says_and_others_have_others() -> None:
    first = ids(ended(failed()))
    assert ids(ended(failed(happened="Graph answered 502"))) == first
    assert ids(ended(replace(failed(), step="deploy"))) != first
    assert ids(ended(failed("api"), policy="api")) != first
    assert ids(replace(ended(failed()), policy="renamed")) == first


def test_the_end_of_a_credential_in_use_is_told_by_thresholds_and_then_with_each_quarter_of_a_day() -> None:
    told: list[str] = []
    for hours in range(0, 24 * 40, 3):
        left = timedelta(days=30) - timedelta(hours=hours)
        for each in alerts([ended(seen=replace(in_use(left), at=TODAY + timedelta(hours=hours), end=TODAY + timedelta(days=30), soonest=TODAY + timedelta(days=30)))], TODAY):  # fmt: skip
            if each.id not in told:
                told.append(each.id)
                if hours < 24 * 30:
                    assert left / timedelta(days=1) in (14, 7, 3, 2, 1)
                    assert each.severity == ("critical" if left <= timedelta(days=3) else "warning")
                assert each.until == TODAY + timedelta(days=30)
    # 14, 7, 3, 2 and 1 days before; then ten days, four times each, as the clock has its quarters.
    assert len(told) == 5 + 40


def test_a_revoked_policy_and_a_fresh_credential_have_no_end_to_tell() -> None:
    near = in_use(timedelta(days=2))
    assert alerts([ended(seen=replace(near, standing=Urgency.REVOKED))], TODAY) == ()
    assert alerts([ended(seen=in_use(timedelta(days=15)))], TODAY) == ()
    assert [each.code for each in alerts([ended(seen=row(RENEWAL))], TODAY)] == ["expiring"]


def test_a_sign_in_that_fails_for_all_is_one_alert() -> None:
    names = [f"p{number}" for number in range(200)]
    runs = [ended(failed(name, "run", SIGN_IN.format(i % 9, i % 7)), policy=name) for i, name in enumerate(names)]
    other = ended(failed("x", "run", "the vault can't be reached"), policy="x")
    one, two = alerts([*runs, other], TODAY)
    assert (one.policies, one.code) == (tuple(sorted(names)), "failed")
    assert two.policies == ("x",)
    again = alerts([*runs[:150]], TODAY + timedelta(hours=6))
    assert [each.id for each in again] == [one.id]


def test_what_stops_everything_beforehand_is_an_alert_too() -> None:
    error = Forbidden("rotator can't sign in", service="Entra", remedy="Sign in.")
    found = refused(error, TODAY)
    assert (found.policies, found.happened, found.remedy) == (("rotator",), "rotator can't sign in", "Sign in.")
    left_out = not_served("web", ["web.yaml:3:1: wrong"], TODAY)
    assert (left_out.code, left_out.happened) == ("not_served", "web.yaml:3:1: wrong")


# shapes


def hostile(number: int = 0) -> Alert:
    (made,) = alerts([ended(failed(HOSTILE, happened=f"{number}{HOSTILE}" + "😀" * 5000), policy=HOSTILE)], TODAY)
    return replace(made, id=f"{made.id}{number}")


def test_an_event_has_what_cloudevents_requires_and_everything_of_the_alert() -> None:
    (alert,) = alerts([ended(failed())], TODAY)
    body = json.loads(cloud_event(alert))
    assert {name: body[name] for name in ("specversion", "id", "source", "type", "subject", "time", "datacontenttype")} == {
        "specversion": "1.0",
        "id": alert.id,
        "source": "urn:rotator",
        "type": "rotator.alert.failed",
        "subject": "web",
        "time": "2026-03-04T12:00:00Z",
        "datacontenttype": "application/json",
    }  # fmt: skip
    assert body["data"]["remedy"] == "Run again."
    assert all(name.isascii() and name.islower() and name.isalnum() for name in body)


def test_a_card_for_teams_is_text_without_markup_and_small_enough() -> None:
    message = teams([hostile(number) for number in range(30)])
    assert 16_000 < len(message) < 28 * 1024
    (attached,) = json.loads(message)["attachments"]
    card = attached["content"]
    assert (attached["contentType"], card["type"]) == ("application/vnd.microsoft.card.adaptive", "AdaptiveCard")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    text = "".join(run["text"] for block in card["body"] for run in block["inlines"])
    assert re.search(r"and 2\d more", text)
    assert not {"\u202e", "\x1b"} & set(text)


def test_a_message_for_slack_is_plain_text_within_its_limits() -> None:
    body = json.loads(slack([hostile(number) for number in range(30)]))
    assert len(body["blocks"]) <= 50
    texts = [block["text"] for block in body["blocks"] if "text" in block]
    assert {text["type"] for text in texts} == {"plain_text"}
    assert all(len(text["text"]) <= 3000 for text in texts)
    assert len(body["blocks"][0]["text"]["text"]) <= 150
    assert "<!" not in body["text"]


@pytest.mark.parametrize("shape", [teams, slack])
def test_one_alert_reads_as_a_sentence(shape: Any) -> None:
    (alert,) = alerts([ended(failed())], TODAY)
    assert "rotator: 1 thing needs a person: web" in shape([alert]).decode()
