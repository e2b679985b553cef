"""Tests of reports, made from values: no run, no Azure."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rotator import events, guard
from rotator.codes import NoteCode, ReasonCode, WaitCode
from rotator.engine.observation import foreseen
from rotator.errors import Forbidden, Mistake, PolicyError
from rotator.events import Event, Waiting
from rotator.plan import View, next_due, next_steps, plan
from rotator.report.alerts import Ended, alerts_of
from rotator.report.plan import plan_code, plan_text, wait_texts
from rotator.report.plan_json import plan_body
from rotator.report.progress import change, line
from rotator.report.run import alarmed, run_body, run_text
from rotator.report.status import status_code
from rotator.report.status_json import status_body
from rotator.report.status_table import status_text
from rotator.report.words import document, error_body
from rotator.results import Preview, Result
from rotator.steps import Intent, kind, target
from tests import worlds

PERMITTED: dict[str, Any] = {"groups_refused": ()}
STEADY: dict[str, Any] = {
    "credentials": [{"key": "cur", "start": "-10d", "end": "+80d"}],
    "versions": [{"id": "v1", "holds": "cur", "created": "-10d"}],
    "groups": [{"id": "web", "holds": "cur", "since": "-10d"}],
}
RENEWAL: dict[str, Any] = {
    "credentials": [{"key": "old", "start": "-80d", "end": "+10d"}],
    "versions": [{"id": "v1", "holds": "old", "created": "-80d"}],
    "groups": [{"id": "web", "holds": "old", "since": "-80d"}, {"id": "api", "holds": "old", "since": "-80d"}],
    "proof": "proven",
}


def preview(
    case: dict[str, Any], names: tuple[str, ...] = (), name: str = "mycontainerregistry", **changes: Any
) -> Preview:
    """Return the engine's preview of a world in the shorthand of the cases; groups have no hidden values."""
    declared = [
        {"id": group, **changes.get(group, {})} for group in names or [group["id"] for group in case.get("groups", [])]
    ]
    policy = worlds.policy({"groups": declared, **changes.get("policy", {})}).model_copy(update={"name": name})
    case = {"permissions": PERMITTED, **case}
    observed, known = worlds.observed(case), worlds.known(case)
    steps = next_steps(policy, observed, None, known).steps
    vetoes = tuple(veto for step in steps if (veto := guard.check(step, policy, observed, None, known)))
    known = replace(known, refused=frozenset((kind(veto.step), target(veto.step)) for veto in vetoes))
    unfolded = plan(policy, observed, None, known)
    return Preview(
        policy,
        observed,
        known,
        unfolded,
        vetoes,
        next_due(policy, observed, unfolded),
        View(policy, observed, worlds.intent(None), known),
    )


def test_a_plan_says_step_by_step_what_and_why_and_what_restarts() -> None:
    assert (
        plan_text(preview(RENEWAL))
        == "mycontainerregistry (mycontainerregistry.yaml), seen 2026-03-04 12:00 UTC\n  due now    1. issue a new"
        " credential on the application, valid for 90 days: add, prove, publish\n                credential"
        " old00000-0000-4000-8000-000000000000 ends on 2026-03-14 12:00 UTC, in 10 days\n             2. redeploy"
        " web, alone and first\n                web holds credential old00000-0000-4000-8000-000000000000, not the"
        " new one\n             3. redeploy api\n                api holds credential"
        " old00000-0000-4000-8000-000000000000, not the new one\n  restarts   web, api: once each\n  waits     "
        " credential old00000-0000-4000-8000-000000000000 stays until 2026-03-05 12:00 UTC: overlap of 24 h since"
        " the last move\n  next due   2026-03-05 12:00 UTC"
    )


def test_a_plan_with_nothing_to_do_says_until_when() -> None:
    text = plan_text(preview(STEADY))
    assert text.splitlines()[1:] == ["  due now    nothing", "  next due   2026-04-23 12:00 UTC"]
    assert plan_code(preview(STEADY), when_due=5) == 0


def test_a_refused_step_comes_with_its_remedy_to_paste() -> None:
    seen = preview(
        {**RENEWAL, "groups": [{"id": "web", "holds": "old", "since": "-80d", "secure_env": ["DB_PASSWORD"]}]}
    )
    lines = plan_text(seen).splitlines()
    assert lines[1] == "  due now    nothing"
    assert (
        lines[2]
        == "  refused    issue application: web has 1 value(s) that Azure doesn't show, and a redeployment could lose"
        " them"
    )
    assert lines[3].strip() == "State: Nothing was changed for this step."
    pasted = [text[13:] for text in lines if "DB_PASSWORD" in text]
    assert pasted
    assert pasted[0].startswith(" ")
    assert lines[-1] == "  next due   now"
    assert plan_code(seen, when_due=5) == 1, "ten days before the end a refusal is late"
    earlier = {**RENEWAL, "credentials": [{"key": "old", "start": "-70d", "end": "+20d"}]}
    seen = preview(
        {**earlier, "groups": [{"id": "web", "holds": "old", "since": "-70d", "secure_env": ["DB_PASSWORD"]}]}
    )
    assert plan_code(seen, when_due=5) == 3


def test_groups_that_wait_for_the_same_are_one_paragraph() -> None:
    def wait(group: str, hours: int = 1) -> Waiting:
        until, reason = (
            worlds.TODAY + timedelta(hours=hours),
            f"{group} restarts later: `rotator deploy web {group}` does it now",
        )
        return Waiting(policy="web", code=WaitCode.WINDOW, subject=f"/g/{group}", reason=reason, until=until)

    said = [" ".join(each.split()) for each in wait_texts([wait("api"), wait("front", 2), wait("back"), wait("db")])]
    assert said == [
        "waits until 2026-03-04 13:00 UTC: api restarts later: `rotator deploy web api` does it now The same of back, db.",
        "waits until 2026-03-04 14:00 UTC: front restarts later: `rotator deploy web front` does it now",
    ]


COMPROMISED: dict[str, Any] = {
    "credentials": [{"key": "old", "end": "+80d"}, {"key": "cur", "start": "-10d", "end": "+80d"}],
    "versions": [
        {"id": "v0", "holds": "old", "created": "-80d", "compromised": ["old"]},
        {"id": "v1", "holds": "cur", "created": "-10d"},
    ],
    "groups": [
        {"id": "web", "holds": "cur", "since": "-10d"},
        {"id": "nightly", "holds": "old", "restart": "Never", "since": "-1d"},
    ],
}


def test_a_compromised_credential_that_still_works_comes_first_in_a_plan() -> None:
    seen = preview(COMPROMISED)
    lines = plan_text(seen).splitlines()
    assert lines[0] == "mycontainerregistry: COMPROMISED CREDENTIAL STILL WORKS: held by nightly"
    assert lines[2].startswith("  warning    COMPROMISED CREDENTIAL STILL WORKS: held by nightly. Credential old00000-")
    assert sum("STILL WORKS" in line for line in lines) == 2
    assert plan_body(seen)["notes"][0]["code"] == "still_open"
    assert (plan_code(seen), plan_code(seen, when_due=5)) == (1, 1)


def test_a_plan_that_would_end_it_says_that_it_still_works() -> None:
    seen = preview({**COMPROMISED, "groups": [{"id": "web", "holds": "cur", "since": "-10d"}], "proof": "proven"})
    assert [step["code"] for step in plan_body(seen)["due"]] == ["compromised", "retired"]
    assert plan_text(seen).startswith("mycontainerregistry: COMPROMISED CREDENTIAL STILL WORKS: held by nothing\n")
    assert (plan_code(seen), plan_code(seen, when_due=5)) == (1, 1)


def test_a_compromised_credential_that_still_works_is_a_state_of_its_own_and_comes_first() -> None:
    revoked = preview({**COMPROMISED, "access": "revoked"}, name="b-revoked")
    unseen = Forbidden("may not read", service="graph", remedy="Allow it.")
    seen: list[Any] = [("a-closed", unseen), ("b-revoked", revoked), ("c-held", preview(COMPROMISED, name="c-held"))]
    text = status_text(seen)
    assert [row.split()[:2] for row in text.splitlines()[1:4]] == [
        ["b-revoked", "COMPROMISED"],
        ["c-held", "COMPROMISED"],
        ["a-closed", "unreadable"],
    ]
    assert "c-held: COMPROMISED CREDENTIAL STILL WORKS: held by nightly." in text
    body = status_body(seen)[1]
    assert (body["state"], body["compromised"], status_code(seen[1:])) == ("compromised", [worlds.key("old")], 1)
    assert body["remarks"][0].startswith("COMPROMISED CREDENTIAL STILL WORKS")


def test_a_run_says_first_that_a_compromised_credential_still_works() -> None:
    alarm = events.Noted(
        policy="one",
        code=NoteCode.STILL_OPEN,
        subject="k1",
        text="COMPROMISED CREDENTIAL STILL WORKS: held by nightly. Credential k1.",
        warn=True,
    )
    told = [*_rotation()[:-1], alarm]
    lines = run_text(Result("one", 1, "COMPROMISED CREDENTIAL STILL WORKS: held by nightly; 1 done"), told).splitlines()
    assert lines[0] == "one: COMPROMISED CREDENTIAL STILL WORKS: held by nightly; 1 done (exit 1)"
    assert lines[1] == "  warning    COMPROMISED CREDENTIAL STILL WORKS: held by nightly. Credential k1."
    assert alarmed(Result("one", 1, ""), told)
    assert not alarmed(Result("two", 1, ""), told)


def test_what_is_due_and_late_is_overdue_in_a_status_since_no_run_does_it() -> None:
    def state(case: dict[str, Any]) -> str:
        return str(status_body([("web", glanced(preview(case)))])[0]["state"])

    assert state({**RENEWAL, "credentials": [{"key": "old", "start": "-76d", "end": "+14d"}]}) == "overdue"
    assert state({**RENEWAL, "credentials": [{"key": "old", "start": "-75d", "end": "+15d"}]}) == "due"
    behind = {**STEADY, "groups": [{"id": "web", "holds": "old", "since": "-80d"}]}
    both = [{"key": "old", "start": "-80d", "end": "+10d"}, *STEADY["credentials"]]
    assert (state(behind), state({**behind, "credentials": both})) == ("overdue", "overdue")
    assert (
        state({**behind, "credentials": [{"key": "old", "start": "-70d", "end": "+20d"}, *STEADY["credentials"]]})
        == "due"
    )


def test_what_waits_past_its_warning_is_overdue() -> None:
    seen = preview(
        {**STEADY, "credentials": [{"key": "cur", "end": "+80d"}, {"key": "old", "end": "+5d"}], **_held_by_a_job()}
    )
    text = plan_text(seen)
    assert "  overdue    nightly is a running job, and rotator never interrupts a job; its credential ends 20" in text
    assert " UTC. If it is a service, write" in text
    assert plan_code(seen, when_due=5) == 1
    assert status_code([("one", seen)]) == 1


def _held_by_a_job() -> dict[str, Any]:
    versions = [{"id": "v0", "holds": "old", "created": "-80d"}, {"id": "v1", "holds": "cur", "created": "-10d"}]
    return {"versions": versions, "groups": [{"id": "nightly", "holds": "old", "restart": "Never", "since": "-1d"}]}


def test_a_plan_that_is_due_ends_as_it_was_asked_to() -> None:
    assert plan_code(preview(RENEWAL)) == 0
    assert plan_code(preview(RENEWAL), when_due=5) == 5


def test_the_plan_for_programs_has_batches_codes_and_instants() -> None:
    body = json.loads(json.dumps(document("plan", 0, policies=[plan_body(preview(RENEWAL))])))
    assert (body["version"], body["command"], body["exit_code"]) == (1, "plan", 0)
    (policy,) = body["policies"]
    assert [(step["batch"], step["step"], step["code"]) for step in policy["due"]] == [
        (1, "issue", "ends"),
        (2, "deploy", "behind"),
        (3, "deploy", "behind"),
    ]
    assert [step.get("canary") for step in policy["due"]] == [None, True, False]
    assert policy["restarts"] == [worlds.group_id("web"), worlds.group_id("api")]
    assert [(wait["code"], wait["until"]) for wait in policy["waits"]] == [("overlap", "2026-03-05T12:00:00Z")]
    assert (policy["at"], policy["next_due"], policy["proof"]["outcome"]) == (
        "2026-03-04T12:00:00Z",
        "2026-03-05T12:00:00Z",
        "proven",
    )


def test_what_a_restart_may_change_is_said_of_the_groups_that_restart() -> None:
    public = {"ipAddress": {"ip": "20.1.2.3", "type": "Public", "ports": [{"port": 80}]}}
    behind = preview({**RENEWAL, "groups": [{**group, "properties": public} for group in RENEWAL["groups"]]})
    notes = [text for text in plan_text(behind).splitlines() if "20.1.2.3" in text]
    assert [text.split()[:2] for text in notes] == [["note", "web:"], ["note", "api:"]]
    steady = preview({**STEADY, "groups": [{**STEADY["groups"][0], "properties": public}]})
    assert "20.1.2.3" not in plan_text(steady)
    assert "20.1.2.3" in plan_body(steady)["groups"][0]["notes"][0]


def test_an_accepted_but_unreachable_registry_is_said_every_time() -> None:
    case = {**RENEWAL, "proof": {"outcome": "unreachable", "detail": "timed out"}}
    seen = preview(case, policy={"proof": {"registry": "optional"}})
    assert "unreachable, timed out" in plan_text(seen)
    assert plan_body(seen)["proof"]["detail"] == "timed out"


def test_status_is_a_table_with_the_most_urgent_first() -> None:
    revoked = preview({**STEADY, "access": "revoked", "access_since": "-1d"}, name="d-revoked")
    dead = preview({**STEADY, "credentials": [{"key": "cur", "end": "-1d"}]}, name="c-dead")
    seen = [
        ("d-revoked", revoked),
        ("a-steady", preview(STEADY, name="a-steady")),
        ("b-due", preview({**RENEWAL, **IN_TIME}, name="b-due")),
        ("c-dead", dead),
    ]
    text = status_text([*seen, ("e-closed", Forbidden("may not read", service="graph", remedy="Allow it."))])
    table, summary, remarks = text.split("\n\n")
    assert summary == "5 policies: 1 unreadable, 1 overdue, 1 due, 1 resting, 1 revoked"
    assert [row.split()[:2] for row in table.splitlines()] == [
        ["POLICY", "STATE"],
        ["e-closed", "unreadable"],
        ["c-dead", "overdue"],
        ["b-due", "due"],
        ["a-steady", "resting"],
        ["d-revoked", "revoked"],
    ]
    assert "e-closed: may not read. What to do: Allow it." in remarks.splitlines()
    assert (
        "d-revoked: access is revoked since 2026-03-03 12:00 UTC; `rotator grant d-revoked` restores it"
        in remarks.splitlines()
    )
    assert status_code(seen) == 1


def glanced(seen: Preview) -> Preview:
    """Return the preview as `status` has it, without tries."""
    known = replace(seen.known, refused=frozenset(), proof=None, proof_at=None, permissions=None)
    known, vetoes = foreseen(seen.policy, seen.observed, Intent(), known)
    return replace(seen, plan=plan(seen.policy, seen.observed, None, known), known=known, vetoes=vetoes)


IN_TIME: dict[str, Any] = {"credentials": [{"key": "old", "start": "-70d", "end": "+20d"}]}
"""Part of a world: with `RENEWAL` the rotation is due, and not late."""
THEIRS_ON_TOP = {"id": "theirs", "created": "-1d"}


def test_what_is_due_and_stopped_by_drift_is_blocked_and_says_both_ways_out() -> None:
    blocked = glanced(
        preview({**RENEWAL, **IN_TIME, "versions": [*RENEWAL["versions"], THEIRS_ON_TOP]}, name="b-blocked")
    )
    seen = [("a-due", preview({**RENEWAL, **IN_TIME}, name="a-due")), ("b-blocked", blocked)]
    text = status_text(seen)
    assert [row.split()[:2] for row in text.splitlines()[1:3]] == [["b-blocked", "blocked,"], ["a-due", "due"]]
    told = " ".join(text.split("\n\n")[2].split())
    assert told.startswith("b-blocked: version ")
    assert "`rotator adopt b-blocked`" in told
    assert "`rotator rotate b-blocked --accept-drift`" in told
    assert (status_code(seen), status_code(seen[:1])) == (1, 0)


def test_what_the_guard_refuses_is_blocked_with_the_reason_and_what_only_a_proof_decides_is_due() -> None:
    made = preview({**RENEWAL, **IN_TIME}, name="web")
    unproven = glanced(made)
    assert (status_body([("web", unproven)])[0]["state"], status_code([("web", unproven)])) == ("due", 0)
    own = replace(made.observed, signed_in=made.policy.principal.app_id)
    seen = [("web", glanced(replace(made, observed=own)))]
    (body,) = status_body(seen)
    assert (body["state"], status_code(seen), [veto["code"] for veto in body["vetoes"]]) == ("blocked", 1, ["itself"])
    text = " ".join(status_text(seen).split())
    assert "issue application is refused: rotator is signed in as" in text
    assert "What to do: Sign in as another identity" in text


def test_a_value_of_others_that_was_not_tried_is_said_to_be_untried() -> None:
    made = preview({**STEADY, "versions": [*STEADY["versions"], THEIRS_ON_TOP]}, name="web")
    told = " ".join(status_text([("web", made)]).split())
    assert "so it is unknown if it works; `rotator plan web` tries it" in told
    assert "isn't known" not in " ".join(status_text([("web", preview(STEADY, name="web"))]).split())


def test_drift_that_stops_nothing_yet_is_told_and_alarms_nobody() -> None:
    seen = [("web", preview({**STEADY, "versions": [*STEADY["versions"], THEIRS_ON_TOP]}, name="web"))]
    assert "`rotator adopt web`" in " ".join(status_text(seen).split())
    assert (status_body(seen)[0]["state"], status_code(seen)) == ("resting", 0)


def test_of_what_is_due_the_first_to_end_comes_first() -> None:
    sooner = preview({**RENEWAL, "credentials": [{"key": "old", "start": "-80d", "end": "+8d"}]}, name="z-sooner")
    text = status_text([("a-later", preview(RENEWAL, name="a-later")), ("z-sooner", sooner)])
    assert [row.split()[0] for row in text.splitlines()[1:3]] == ["z-sooner", "a-later"]


def test_a_line_of_status_has_age_end_and_groups() -> None:
    text = status_text([("mycontainerregistry", preview(STEADY))])
    assert [" ".join(row.split()) for row in text.splitlines()] == [
        "POLICY STATE CREDENTIAL AGE ENDS NEXT DUE GROUPS WAITS FOREIGN",
        "mycontainerregistry resting cur00000 10d 2026-05-23 2026-04-23 1/1 - -",
    ]


@pytest.mark.parametrize("width", [None, 60, 80, 120, 200])
def test_a_long_name_is_whole_in_a_pipe_and_where_there_is_room_and_elsewhere_keeps_both_ends(
    width: int | None,
) -> None:
    name = "shop-frontend-europe-west-production-blue"
    row = status_text([(name, preview(STEADY, name=name))], width=width).splitlines()[1]
    begin, _, end = row.split()[0].partition("…")
    assert (name.startswith(begin), name.endswith(end), len(row) <= (width or 999)) == (True, True, True)
    assert (begin == name) is (width in (None, 120, 200)) and len(begin + end) >= 17


@pytest.mark.share(2)
@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("every", [False, True])
def test_thirty_policies_are_readable_in_any_terminal(width: int, every: bool) -> None:
    theirs = [{"key": "cur", "end": "+80d"}, {"key": "hand", "of": "by hand", "end": "+300d"}]
    kinds = [
        STEADY,
        RENEWAL,
        {**STEADY, "credentials": theirs},
        {**STEADY, "credentials": [{"key": "cur", "end": "-1d"}]},
    ]
    names = [f"{'a-team-with-a-long-name-' * (number % 3)}registry-{number:02}" for number in range(30)]
    seen: list[Any] = [(name, preview(kinds[number % len(kinds)], name=name)) for number, name in enumerate(names)]
    text = status_text(seen, width=width, every=every)
    table = text.split("\n\n")[0 if every else 1].splitlines()
    assert len(table) == (31 if every else 16)
    assert max(len(line) for line in text.splitlines()) <= width
    assert [line.split()[1] for line in table[1:]] == sorted(
        (line.split()[1] for line in table[1:]), key=["overdue", "due", "resting"].index
    )
    assert ("CREDENTIAL" in table[0]) == (width >= 120)


def test_the_details_of_status_say_where_each_group_stands_and_what_waits_since_when() -> None:
    unreadable = {"id": "gone", "state": "unreadable"}
    theirs = [*STEADY["credentials"], {"key": "hand", "of": "by hand", "end": "+300d"}]
    seen = preview({**STEADY, "credentials": theirs, "groups": [*STEADY["groups"], unreadable]})
    text = " ".join(status_text([("mycontainerregistry", seen)], every=True).split())
    assert "group web (running) holds the current credential since 2026-02-22 12:00 UTC" in text
    assert "group gone (unreadable) has no rotator-key-id tag" in text
    assert f"foreign credential {worlds.key('hand')} (by hand) ends 2026-12-29 12:00 UTC" in text
    assert "mycontainerregistry: waits" in text


def test_status_for_programs() -> None:
    behind = {
        **STEADY,
        "groups": [{"id": "web", "holds": "cur", "since": "-10d"}, {"id": "gone", "state": "unreadable"}],
    }
    theirs = [*STEADY["credentials"], {"key": "hand", "of": "by hand", "end": "+300d"}]
    (body,) = status_body([("mycontainerregistry", preview({**behind, "credentials": theirs}))])
    assert body["credential"] == {
        "key_id": worlds.key("cur"),
        "start": "2026-02-22T12:00:00Z",
        "end": "2026-05-23T12:00:00Z",
        "age": timedelta(days=10).total_seconds(),
    }
    web, gone = body["groups"].pop("dependents")
    assert body["groups"] == {"current": 1, "total": 2}
    assert (web["current"], web["since"], gone["current"], gone["key_id"]) == (
        True,
        "2026-02-22T12:00:00Z",
        False,
        None,
    )
    assert (body["foreign_until"], [wait["subject"] for wait in body["waits"]]) == (
        "2026-12-29T12:00:00Z",
        [worlds.group_id("gone")],
    )
    assert (body["waiting"], body["foreign"]) == (["gone"], [worlds.key("hand")])


def _rotation() -> list[Event]:
    end, web = worlds.TODAY + timedelta(days=90), worlds.group_id("web")
    one: Any = {"policy": "one"}
    return [
        events.StepStarted(**one, step="issue", target="application", reason="it ends", code=ReasonCode.ENDS),
        events.CredentialAdded(**one, key_id="k2", home="application", end=end),
        events.Proving(**one, key_id="k2", successes=1, times=2, outcome="proven"),
        events.Proving(**one, key_id="k2", successes=2, times=2, outcome="proven"),
        events.VersionPublished(**one, version="v2", key_id="k2", expires=end),
        events.StepDone(**one, step="issue", target="application"),
        events.StepPostponed(**one, step="issue", target="application", happened="no answer"),
        events.GroupAccepted(**one, group=web, key_id="k2"),
        events.GroupSettled(**one, group=web, key_id="k2", verdict="healthy"),
        events.StepFailed(
            **one, step="deploy", target=worlds.group_id("api"), happened="409", state="As before.", remedy="Wait."
        ),
        events.Waiting(**one, code=WaitCode.OVERLAP, subject="k1", reason="credential k1 stays", until=worlds.TODAY),
        events.Noted(**one, code=NoteCode.FOREIGN, subject="k9", text="credential k9 is not ours"),
        events.Noted(policy="two", code=NoteCode.FOREIGN, subject="k8", text="credential k8 is not ours"),
    ]


def test_the_report_of_a_run_has_what_was_done_what_failed_and_what_waits() -> None:
    result = Result("one", 1, "1 done, 1 failed", worlds.TODAY + timedelta(days=1), 1)
    assert (
        run_text(result, _rotation()) == "one: 1 done, 1 failed (exit 1)\n"
        "  done       added credential k2 to the application; it ends 2026-06-02 12:00 UTC\n"
        "             published credential k2 as version v2\n"
        "             deployed web with credential k2\n"
        "             web is healthy\n"
        "  failed     deploy api: 409\n"
        "             State: As before.\n"
        "             What to do: Wait.\n"
        "  waits      until 2026-03-04 12:00 UTC: credential k1 stays\n"
        "  note       credential k9 is not ours\n"
        "  next due   2026-03-05 12:00 UTC"
    )


def test_the_report_for_programs_holds_the_events_of_its_policy_only() -> None:
    body = json.loads(json.dumps(run_body(Result("one", 1, "1 failed"), _rotation())))
    assert [event["event"] for event in body["changes"]] == [
        "credential_added",
        "version_published",
        "group_accepted",
        "group_settled",
    ]
    assert [len(body[kind]) for kind in ("failures", "vetoes", "waits", "notes")] == [1, 0, 1, 1]
    assert body["waits"][0]["until"] == "2026-03-04T12:00:00Z"


def test_a_quiet_progress_leaves_out_what_goes_as_expected() -> None:
    quiet = [text for event in _rotation() if (text := line(event, everything=False))]
    assert [text.removeprefix("one: ") for text in quiet] == [
        "issue application: it ends",
        "added credential k2 to the application; it ends 2026-06-02 12:00 UTC",
        "proof 2/2: proven",
        "published credential k2 as version v2",
        "issue application: not certain yet, looking again: no answer",
        "deployed web with credential k2",
        "web is healthy",
        "deploy api: failed: 409",
    ]
    assert sum(line(event) is not None for event in _rotation()) == len(quiet) + 2


def _every_event() -> list[Event]:
    plain = {
        "datetime": worlds.TODAY,
        "int": 1,
        "float": 1.0,
        "bool": True,
        "tuple[str, ...]": ("k",),
        "datetime | None": None,
        "float | None": 1.0,
    }

    def value(annotation: Any) -> Any:
        name = (
            getattr(annotation, "__name__", str(annotation))
            if isinstance(annotation, type)
            else str(annotation).replace("datetime.", "")
        )
        return plain.get(name, "x")

    kinds = [
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
    ]
    return [
        kind(**{name: value(field.type) for name, field in kind.__dataclass_fields__.items() if name != "at"})
        for kind in kinds
    ]


@pytest.mark.parametrize("event", _every_event(), ids=events.name)
def test_every_event_is_told_at_once_or_in_the_report(event: Event) -> None:
    later = isinstance(event, events.Waiting | events.Noted)
    assert (line(event) is None) == later
    if not isinstance(
        event,
        events.StepStarted
        | events.StepDone
        | events.StepPostponed
        | events.Proving
        | events.Pausing
        | events.Finished
        | events.HostAwaited
        | events.HostAnswered,
    ):
        report = run_body(Result(event.policy, 0, ""), [event])
        assert sum(len(report[kind]) for kind in ("changes", "failures", "vetoes", "waits", "notes")) == 1, change(
            event
        )


def test_policy_mistakes_are_one_object_each() -> None:
    mistake = Mistake("a.yaml", 3, 5, "rotation.overlap", "24", "a number without a unit", "Write 24h.")
    body = error_body(PolicyError((mistake,)))
    assert body["mistakes"] == [
        {
            "file": "a.yaml",
            "line": 3,
            "column": 5,
            "path": "rotation.overlap",
            "value": "24",
            "problem": "a number without a unit",
            "remedy": "Write 24h.",
        }
    ]
    assert all(body[part] for part in ("type", "happened", "state", "remedy"))


UNTAGGED_JOB: dict[str, Any] = {
    "credentials": [
        *({"key": key, "start": "-80d", "end": end} for key, end in (("a", "-9d"), ("b", "-2d"), ("c", "+3d"))),
        {"key": "new", "start": "-1d", "end": "+89d"},
    ],
    "versions": [
        *({"id": f"v{key}", "holds": key, "created": "-80d"} for key in "abc"),
        {"id": "v2", "holds": "new", "created": "-1d"},
    ],
    "groups": [{"id": "job-1", "restart": "Never", "state": "finished"}],
}


def test_a_credential_that_many_groups_may_hold_is_one_line_that_names_them() -> None:
    names = ("job-1", "job-2", "job-12")
    groups = [{"id": name, "restart": "Never", "state": "finished"} for name in names]
    jobs: Any = {name: {"when_finished": "wait"} for name in names}
    seen = preview({**UNTAGGED_JOB, "groups": groups}, **jobs)
    held = dict.fromkeys(wait.subject for wait in seen.plan.waits if wait.code is WaitCode.HELD)
    lines = [
        line.strip() for line in plan_text(seen).splitlines() if "overdue    credential" in line or "The same" in line
    ]
    assert lines.count("The same of job-2, job-12.") == 1 + 3
    assert [line.split(" (")[0] for line in lines if line.startswith("overdue")] == [
        f"overdue    credential {each}" for each in held
    ]
    assert len(held) == 3


def test_credentials_that_one_untagged_job_may_hold_are_one_line_that_counts_them() -> None:
    job: Any = {"job-1": {"when_finished": "wait"}}
    seen = preview(UNTAGGED_JOB, **job)
    held = [wait for wait in seen.plan.waits if wait.code is WaitCode.HELD]
    assert [wait.warn for wait in held] == [True, True, True]
    lines = [line.strip() for line in plan_text(seen).splitlines() if "overdue" in line or "The same" in line]
    assert [line.split(" (")[0] for line in lines if line.startswith("overdue    credential")] == [
        f"overdue    credential {held[0].subject}"
    ]
    assert f"The same of 2 more credentials: {held[1].subject}, {held[2].subject}." in lines
    told = " ".join(status_text([("one", seen)]).split())
    assert told.count("may hold it, as it has no rotator-key-id tag") == 1
    assert f"The same of 2 more credentials: {held[1].subject}, {held[2].subject}." in told
    assert sum(wait["code"] == "held" for wait in plan_body(seen)["waits"]) == 3
    waiting = [Waiting(policy="one", code=w.code, subject=w.subject, reason=w.text, warn=w.warn) for w in held]
    ended = Ended("one", "app", timedelta(days=14), 1, events=tuple(waiting))
    (alert,) = alerts_of([ended], worlds.TODAY)
    assert "The same of 2 more credentials" in alert.happened
