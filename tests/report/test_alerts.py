"""Tests of alerts from runs: their kinds, their repetition, and their form for each receiver."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from rotator.codes import NoteCode, VetoCode, WaitCode
from rotator.errors import Forbidden, Mistake
from rotator.events import CredentialAdded, Event, Noted, StepFailed, Vetoed, Waiting
from rotator.policy import Unserved
from rotator.report.alerts import (
    CRITICAL,
    DAYS_LEFT,
    EXPIRING,
    FAILED,
    NOT_SERVED,
    REPEAT,
    WARNING,
    Alert,
    Ended,
    alerts_of,
    moved_aside,
    not_served,
    refused,
)
from rotator.report.shapes import cloud_event, headline, shaped, slack, teams
from rotator.report.status import Row, Urgency, rows
from rotator.results import Enqueued
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
    assert alerts_of([ended(note, added, warned(warn=False), seen=row(STEADY), code=0)], TODAY) == ()


def test_failures_vetoes_and_what_is_past_its_warning_are_alerts_the_gravest_first() -> None:
    veto = Vetoed(policy="web", step="issue", target="application", code=VetoCode.DRIFT, happened="drift", state="S", remedy="R")  # fmt: skip
    still = Noted(policy="web", code=NoteCode.STILL_OPEN, subject="k1", text="COMPROMISED", warn=True)
    found = alerts_of([ended(failed(), failed(), veto, warned(), still, seen=row(STEADY))], TODAY)
    assert [(each.severity, each.code) for each in found] == [
        ("critical", "still_open"),
        ("warning", "failed"),
        ("warning", "drift"),
        ("warning", "job_running"),
    ]
    assert {each.at for each in found} == {TODAY}
    assert found[1].happened == "issue application: Graph answered 500"
    assert "command for each container group that holds it" in found[0].remedy


def ids(one: Ended, after: timedelta = timedelta()) -> set[str]:
    shifted = replace(one, row=replace(one.row, at=one.row.at + after)) if one.row and one.row.at else one
    return {each.id for each in alerts_of([shifted], TODAY + after)}


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
        for each in alerts_of([ended(seen=replace(in_use(left), at=TODAY + timedelta(hours=hours), end=TODAY + timedelta(days=30), soonest=TODAY + timedelta(days=30)))], TODAY):  # fmt: skip
            if each.id not in told:
                told.append(each.id)
                if hours < 24 * 30:
                    assert left / timedelta(days=1) in (14, 7, 3, 2, 1)
                    assert each.severity == ("critical" if left <= timedelta(days=3) else "warning")
                assert each.until == TODAY + timedelta(days=30)
    # 14, 7, 3, 2 and 1 days before; then ten days with four alerts each, one every six hours.
    assert len(told) == 5 + 40


def test_an_end_far_away_is_told_once_before_its_thresholds_begin() -> None:
    far = [
        replace(ended(seen=in_use(timedelta(days=left))), warn_before=timedelta(days=60))
        for left in (59, 31, 30, 15, 14, 1)
    ]
    found = [alerts_of([one], TODAY)[0] for one in far]
    shifted = [_same_end(one, left) for one, left in zip(far, (59, 31, 30, 15, 14, 1), strict=True)]
    assert len({each.id for each in found}) == 6
    assert [shifted.index(each) for each in shifted] == [0, 0, 0, 0, 4, 5]


def _same_end(one: Ended, left: int) -> str:
    """Return the id of the alert about one end, so many days before it."""
    assert one.row
    end = TODAY + timedelta(days=100)
    row = replace(one.row, at=end - timedelta(days=left), end=end, soonest=end)
    (alert,) = alerts_of([replace(one, row=row)], TODAY)
    return alert.id


def test_the_very_instant_of_the_end_is_the_end() -> None:
    (over,) = alerts_of([ended(seen=in_use(timedelta()))], TODAY)
    (nearly,) = alerts_of([ended(seen=in_use(timedelta(seconds=1)))], TODAY)
    assert (over.happened, over.severity) == ("a credential in use has ended", "critical")
    assert nearly.happened.startswith("a credential in use ends 2026-03-04 12:00 UTC, in ")


def test_without_a_time_of_the_look_or_an_end_there_is_no_end_to_tell() -> None:
    near = in_use(timedelta(days=2))
    assert (
        alerts_of([ended(seen=replace(near, at=None)), ended(seen=replace(near, soonest=None)), ended()], TODAY) == ()
    )


def test_an_alert_has_the_time_of_its_event_else_of_the_look_else_of_this_machine() -> None:
    early, look = TODAY - timedelta(hours=2), TODAY - timedelta(hours=1)
    seen = replace(row(STEADY), at=look)
    timed = replace(failed(), at=early)
    runs = [
        ended(timed, seen=seen),
        ended(failed(), seen=seen),
        ended(failed()),
        ended(failed(), seen=replace(seen, at=None)),
    ]
    assert [alerts_of([one], TODAY)[0].at for one in runs] == [early, look, TODAY, TODAY]


def test_what_is_refused_as_a_whole_is_not_folded_and_a_step_that_fails_alike_neither() -> None:
    def unsafe(name: str) -> Vetoed:
        return Vetoed(policy=name, step="run", target=name, code=VetoCode.UNSAFE, happened="H", state="S", remedy="R")

    for make in (unsafe, failed):
        found = alerts_of([ended(make(name), policy=name) for name in ("a", "b")], TODAY)
        assert [each.policies for each in found] == [("a",), ("b",)]
    assert alerts_of([ended(unsafe("a"), policy="a")], TODAY)[0].happened == "H"
    one = alerts_of([ended(failed("a", "run", "H"), policy="a")], TODAY)[0]
    assert (one.happened, one.subject) == ("H", "run application")


def test_only_what_still_works_is_open() -> None:
    still = Noted(policy="web", code=NoteCode.STILL_OPEN, subject="k2", text="T", warn=True)
    other = Noted(policy="web", code=NoteCode.FOREIGN, subject="k3", text="T", warn=True)
    wait = Waiting(policy="web", code=WaitCode.HELD, subject="k4", reason="R", warn=True)
    assert ended(still, other, wait, seen=replace(row(STEADY), compromised=("k1",))).open == ("k1", "k2")
    assert ended(other, wait).open == ()


def test_a_revoked_policy_and_a_fresh_credential_have_no_end_to_tell() -> None:
    near = in_use(timedelta(days=2))
    assert alerts_of([ended(seen=replace(near, standing=Urgency.REVOKED))], TODAY) == ()
    assert alerts_of([ended(seen=in_use(timedelta(days=15)))], TODAY) == ()
    assert [each.code for each in alerts_of([ended(seen=row(RENEWAL))], TODAY)] == ["expiring"]


def test_a_sign_in_that_fails_for_all_is_one_alert() -> None:
    names = [f"p{number}" for number in range(200)]
    runs = [ended(failed(name, "run", SIGN_IN.format(i % 9, i % 7)), policy=name) for i, name in enumerate(names)]
    other = ended(failed("x", "run", "the vault can't be reached"), policy="x")
    one, two = alerts_of([*runs, other], TODAY)
    assert (one.policies, one.code) == (tuple(sorted(names)), "failed")
    assert two.policies == ("x",)
    again = alerts_of([*runs[:150]], TODAY + timedelta(hours=6))
    assert [each.id for each in again] == [one.id]
    assert [each.id for each in alerts_of(runs[50:], TODAY)] == [one.id]


def test_what_stops_everything_beforehand_is_an_alert_too() -> None:
    error = Forbidden("rotator can't sign in", service="Entra", remedy="Sign in.")
    found = refused(error, TODAY)
    assert (found.policies, found.happened, found.remedy) == (("rotator",), "rotator can't sign in", "Sign in.")
    (left_out,) = not_served([Unserved("web", "web.yaml", (mistake("web.yaml"),))], TODAY)
    assert (left_out.code, left_out.happened) == ("not_served", "web.yaml:3:1: wrong. Right it.")


def mistake(file: str, line: int = 3) -> Mistake:
    return Mistake(file, line, 1, "", "", "wrong", "Right it.")


def test_a_mistake_that_many_policies_share_is_one_alert_and_what_is_their_own_another() -> None:
    names = [f"p{number:03}" for number in range(200)]
    shared = mistake("_defaults.yaml")
    many = [Unserved(name, f"{name}.yaml", (shared,), inherited=(shared,)) for name in names]
    own_mistake = replace(mistake("p007.yaml"), problem="odd")
    many[7] = replace(many[7], mistakes=(shared, own_mistake))
    fleet, own = not_served(many, TODAY)
    assert (fleet.policies, fleet.subject, fleet.happened) == (tuple(names), "fleet", str(shared))
    assert "200 policies are not served" in fleet.state
    assert (own.policies, own.subject) == (("p007",), "p007")
    moved = [replace(one, mistakes=(mistake("_defaults.yaml", 9),)) for one in many[:150]]
    assert [each.id for each in not_served(moved, TODAY)] == [fleet.id]
    (alike,) = not_served([replace(one, mistakes=(mistake(one.file),)) for one in many], TODAY)
    assert (len(alike.policies), alike.happened) == (200, "p000.yaml:3:1: wrong (and in 199 more files). Right it.")
    each = [replace(one, mistakes=(replace(shared, file=one.file, problem=f"{one.name} is wrong"),)) for one in many]
    assert len({alert.id for alert in not_served(each, TODAY)}) == 200


def test_messages_that_were_moved_aside_are_one_alert_with_the_command() -> None:
    found = Enqueued("https://acct.queue.core.windows.net/due", (), (), ("a", "b"), ())
    (aside,) = moved_aside(found, TODAY)
    assert (aside.code, aside.policies) == ("poisoned", ("a", "b"))
    assert "due-poison" in aside.remedy
    assert moved_aside(replace(found, poisoned=()), TODAY) == ()


# shapes


def hostile(number: int = 0) -> Alert:
    (made,) = alerts_of([ended(failed(HOSTILE, happened=f"{number}{HOSTILE}" + "😀" * 5000), policy=HOSTILE)], TODAY)
    return replace(made, id=f"{made.id}{number}")


def test_an_event_has_what_cloudevents_requires_and_everything_of_the_alert() -> None:
    (alert,) = alerts_of([ended(failed())], TODAY)
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


GRAVE = Alert("1", "still_open", "critical", ("web",), "k1", "It still works", "S", "Act", TODAY)
MILD = replace(
    GRAVE,
    id="2",
    code="job_running",
    severity="warning",
    policies=("api", "web"),
    happened="It <runs> & runs",
    remedy="Wait",
)


def test_a_card_for_teams_word_for_word() -> None:
    message, kind = shaped("teams", [GRAVE, MILD])
    card = json.loads(message)["attachments"][0]["content"]
    bold = {"type": "TextRun", "weight": "Bolder"}
    assert kind == "application/json; charset=utf-8"
    assert card["body"] == [
        {"type": "RichTextBlock", "inlines": [{**bold, "size": "Large", "text": "rotator: 2 things need a person (1 critical): api, web"}]},
        {
            "type": "RichTextBlock",
            "separator": True,
            "inlines": [
                {**bold, "color": "Attention", "text": "CRITICAL · still open · web\n"},
                {"type": "TextRun", "text": "It still works\n"},
                {**bold, "text": "What to do: "},
                {"type": "TextRun", "text": "Act"},
            ],
        },
        {
            "type": "RichTextBlock",
            "separator": True,
            "inlines": [
                {**bold, "color": "Warning", "text": "WARNING · job running · api, web\n"},
                {"type": "TextRun", "text": "It <runs> & runs\n"},
                {**bold, "text": "What to do: "},
                {"type": "TextRun", "text": "Wait"},
            ],
        },
    ]  # fmt: skip


def test_a_message_for_slack_word_for_word() -> None:
    message, kind = shaped("slack", [MILD])
    named = {"type": "plain_text", "emoji": False}
    assert kind == "application/json; charset=utf-8"
    assert json.loads(message) == {
        "text": "rotator: 1 thing needs a person: api, web",
        "mrkdwn": False,
        "blocks": [
            {"type": "header", "text": {**named, "text": "rotator: 1 thing needs a person: api, web"}},
            {"type": "divider"},
            {
                "type": "section",
                "text": {**named, "text": "WARNING · job running · api, web\nIt <runs> & runs\nWhat to do: Wait"},
            },
        ],
    }
    assert shaped("cloudevents", [MILD]) == (cloud_event(MILD), "application/cloudevents+json; charset=utf-8")


def test_a_headline_counts_what_is_critical_and_names_few() -> None:
    assert headline([GRAVE]) == "rotator: 1 thing needs a person (critical): web"
    many = replace(MILD, policies=tuple(f"p{number}" for number in range(10)))
    assert headline([many]) == "rotator: 1 thing needs a person: 10 policies: p0, p1, p2, p3, p4, p5, p6, p7 and 2 more"
    ten, eleven = (json.loads(slack([GRAVE] * count))["blocks"] for count in (10, 11))
    assert (len(ten), len(eleven)) == (21, 22)
    assert eleven[-1]["text"]["text"] == "and 1 more: `rotator status` shows all"


def test_the_page_about_notifications_says_the_same() -> None:
    text = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
    hours, day = REPEAT[CRITICAL] // timedelta(hours=1), REPEAT[WARNING] // timedelta(days=1)
    assert f"every {hours} hours" in text
    assert day == 1
    assert "every day" in text
    within = [many for many in sorted(DAYS_LEFT, reverse=True) if many <= 14]
    assert f"{', '.join(map(str, within[:-1]))} and {within[-1]} days before its end" in text
    assert {f"`{code}`" for code in (FAILED, EXPIRING, NOT_SERVED)} <= set(re.findall("`[a-z_]+`", text))
    data = json.loads(cloud_event(MILD))
    assert {f"`{name}`" for name in (*data["data"], *data) if name not in ("specversion", "datacontenttype")} <= set(
        re.findall("`[a-z_]+`", text)
    )


def test_the_same_trouble_of_more_than_twenty_policies_is_one_alert_but_for_compromised_passwords() -> None:
    def late(number: int, opened: bool) -> Ended:
        name, policy = f"front-{number}", f"p{number}"
        group = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/{name}"
        text = f"{name} has not come up since 2026-03-0{number % 9 + 1} 10:00 UTC; `rotator rotate {policy}`"
        if opened:
            note = Noted(policy=policy, at=TODAY, code=NoteCode.STILL_OPEN, subject=group, text=text, warn=True)
            return ended(note, policy=policy)
        wait = Waiting(policy=policy, at=TODAY, code=WaitCode.NOT_SETTLED, subject=group, reason=text, warn=True)
        return ended(wait, policy=policy)

    def told(*numbers: int, opened: bool = False) -> tuple[Alert, ...]:
        return alerts_of([late(number, opened) for number in numbers], TODAY)

    (one,) = told(*range(10, 35))
    assert (one.subject, one.policies, one.code) == ("fleet", tuple(f"p{n}" for n in range(10, 35)), "not_settled")
    assert one.happened.startswith("front-10 has not come up since")
    assert one.happened.endswith("(and the same of 24 others)")
    assert [each.id for each in told(*range(12, 60))] == [one.id]
    assert len(told(*range(10, 30))) == 20
    assert len(told(*range(10, 35), opened=True)) == 25


def test_credentials_of_a_fleet_that_all_end_are_one_alert_a_day() -> None:
    def ending(hours: int) -> list[Ended]:
        seen = [replace(in_use(timedelta(days=2)), policy=f"p{number}") for number in range(10, 40)]
        at = TODAY + timedelta(hours=hours)
        return [ended(seen=replace(row, at=at), policy=row.policy) for row in seen]

    (now,) = alerts_of(ending(0), TODAY)
    assert (now.code, now.severity, len(now.policies)) == (EXPIRING, CRITICAL, 30)
    assert now.until == TODAY + timedelta(days=2)
    assert len({each.id for hours in (1, 5, 9, 11) for each in alerts_of(ending(hours), TODAY)}) == 1
