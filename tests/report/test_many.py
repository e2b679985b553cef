"""Tests of reports about more policies than fit on a screen: the numbers first, urgent policies in full, resting ones
counted.
"""

from typing import Any

from rotator import events
from rotator.errors import Forbidden
from rotator.report.many import FEW, FIRST, many_text
from rotator.report.plan import plan_part
from rotator.report.run import by_result, run_part
from rotator.report.status_json import status_body
from rotator.report.status_table import status_text
from rotator.results import Result
from rotator.words import HEADLINE
from tests import worlds
from tests.report.test_report import RENEWAL, STEADY, THEIRS_ON_TOP, preview

CLOSED = Forbidden("may not read", service="graph", remedy="Allow it.")
IN_TIME = {"credentials": [{"key": "old", "start": "-70d", "end": "+20d"}]}
SOON = {**STEADY, "credentials": [{"key": "cur", "start": "-10d", "end": "+79d"}]}
REVOKED = {**STEADY, "access": "revoked", "access_since": "-1d"}


def fleet(*, due: int, resting: int) -> list[Any]:
    """Return `due` and `resting` policies, with one unreadable and one revoked."""
    named = [(f"due-{number:03}", {**RENEWAL, **IN_TIME}) for number in range(due)]
    named += [(f"rest-{number:03}", SOON if number == 7 else STEADY) for number in range(resting)]
    seen = [(name, preview(case, name=name)) for name, case in [*named, ("gone", REVOKED)]]
    return [*seen, ("closed", CLOSED)]


def test_the_status_of_a_large_fleet_fits_a_screen_and_leaves_nothing_out_of_json() -> None:
    seen = fleet(due=2, resting=80)
    summary, table, remarks, rest = status_text(seen).split("\n\n")
    assert summary == "84 policies: 1 unreadable, 2 due, 80 resting, 1 revoked"
    assert [row.split()[0] for row in table.splitlines()] == ["POLICY", "closed", "due-000", "due-001"]
    assert remarks == "closed: may not read. What to do: Allow it."
    assert rest == "81 more, next due 2026-04-22 12:00 UTC (rest-007); -v shows each"
    assert len(status_body(seen)) == 84
    assert len(status_text(seen, every=True).split("\n\n")[0].splitlines()) == 85


def test_a_large_fleet_at_rest_needs_nobody() -> None:
    text = status_text(fleet(due=0, resting=30)[:30])
    assert text == (
        "30 policies: 30 resting\n\nnone needs a person, next due 2026-04-22 12:00 UTC (rest-007); -v shows each"
    )


def test_of_many_due_policies_and_of_alarms_that_are_alike_the_first_are_shown() -> None:
    seen = fleet(due=50, resting=0) + [(f"closed-{number}", CLOSED) for number in range(30)]
    _, rows, remarks, rest = status_text(seen).split("\n\n")
    table = rows.splitlines()
    assert len(table) == 1 + FIRST + FEW
    assert (table[FIRST].split()[1], table[FIRST + 1].split()[1]) == ("unreadable", "due")
    assert "and 25 more; -v shows each)" in " ".join(remarks.split())
    assert rest.splitlines()[:2] == ["26 more unreadable; -v shows each", rest.splitlines()[1]]
    assert rest.splitlines()[1].startswith("31 more without an alarm, ")
    others = [(f"odd-{number}", Forbidden(f"cause {chr(97 + number)}", service="graph")) for number in range(25)]
    assert len(status_text([*seen, *others]).split("\n\n")[1].splitlines()) == 1 + FEW + FEW


def overdue(number: int) -> dict[str, Any]:
    """Return a renewal within its warning, of groups with separate names."""
    return {**RENEWAL, "groups": [{**group, "id": f"{group['id']}-{number}"} for group in RENEWAL["groups"]]}


def test_two_hundred_overdue_policies_fit_a_screen_whatever_their_groups_are_called() -> None:
    seen: list[Any] = [(f"p{n:03}", preview(overdue(n), name=f"p{n:03}")) for n in range(200)]
    text = status_text(seen, width=80)
    assert text.startswith("200 policies: 200 overdue\n\n")
    assert len(text.splitlines()) <= 24
    assert "195 more overdue, due now; -v shows each" in text
    assert "p005" not in text.split("\n\n")[1]
    assert len(many_text([plan_part(*each) for each in seen]).splitlines()) <= 24
    assert sum(line.startswith("p") for line in status_text(seen, every=True).split("\n\n")[0].splitlines()) == 200
    assert len(status_body(seen)) == 200


DRIFTED = {**STEADY, "versions": [*STEADY["versions"], THEIRS_ON_TOP]}


def test_of_many_remarks_that_can_wait_the_first_are_shown() -> None:
    seen: list[Any] = [(f"p{number:02}", preview(DRIFTED, name=f"p{number:02}")) for number in range(30)]
    summary, table, remarks, rest = status_text(seen).split("\n\n")
    assert summary == "30 policies: 30 resting"
    assert len(table.splitlines()) == 1 + FEW
    assert {line.split(":")[0] for line in remarks.splitlines() if line.startswith("p")} == {"p00"}
    assert "(the same: p01, p02, p03, p04; -v shows each)" in " ".join(remarks.split())
    assert rest.splitlines()[-1] == "15 of these have remarks that are not urgent; -v shows each"
    assert rest.startswith("10 more")


def test_a_small_fleet_is_shown_whole() -> None:
    seen = fleet(due=1, resting=FEW - 3)
    assert len(status_text(seen).split("\n\n")[0].splitlines()) == 1 + FEW
    assert many_text([plan_part(*each) for each in seen]).count("\n\n") == FEW - 1


def test_the_plan_of_a_large_fleet_counts_what_rests() -> None:
    parts = [plan_part(*each) for each in fleet(due=25, resting=40)]
    head, *shown, rest = many_text(parts).split("\n\n")
    assert head == "67 policies: 1 failed, 25 due, 41 at rest"
    assert [text.split(" ")[0].split("\n")[0] for text in shown] == ["closed", "due-000"]
    assert shown[1].endswith("the same   due-001, due-002, due-003, due-004; -v shows each")
    assert rest.splitlines() == [
        "20 more of these, due now; -v shows each",
        "41 at rest, next due 2026-04-22 12:00 UTC (rest-007); -v shows each",
    ]
    assert many_text(parts, every=True).count("\n\n") == 66


def test_the_report_of_a_run_over_a_large_fleet_counts_what_rests() -> None:
    results = [Result(f"p{number:03}", 0, "nothing to do", worlds.instant("+5d")) for number in range(40)]
    results += [Result("changed", 0, "1 done"), Result("left", 4, "left to another run"), Result("bad", 3, "1 vetoed")]
    done = events.CredentialRemoved(policy="changed", key_id="k1", home="application")
    told = by_result(results, [done])
    assert [mine for result, mine in told if result.policy == "changed"] == [[done]]
    head, *shown, rest = many_text([run_part(*each) for each in told]).split("\n\n")
    assert head == "43 policies: 1 refused, 1 changed, 1 left to another run, 40 at rest"
    assert [text.splitlines()[0] for text in shown] == [
        "bad: 1 vetoed (exit 3)",
        "changed: 1 done (exit 0)",
        "left: left to another run (exit 4)",
    ]
    assert rest == "40 at rest, next due 2026-03-09 12:00 UTC (p000); -v shows each"


def test_what_many_policies_fail_with_is_said_once_with_their_names_but_not_a_compromise() -> None:
    def run(name: str, text: str) -> Any:
        failed = events.StepFailed(
            policy=name, step="observe", target=name, happened=text, state="As it was.", remedy="Go."
        )
        return run_part(Result(name, 1, "1 failed"), [failed])

    names = [f"p{number:02}" for number in range(30)]
    parts = [run(name, f"no answer (id {worlds.key(name)})") for name in names]
    text = many_text([*parts, run("other", "refused")])
    assert text.count("no answer") == 1
    assert "the same   p01, p02, p03, p04, p05 and 24 more; -v shows each" in text
    assert "other: 1 failed" in text
    assert many_text(parts, every=True).count("no answer") == 30
    assert many_text([run(name, f"{HEADLINE}: held by nothing") for name in names]).count(HEADLINE) == 30
    closed = status_text([(name, CLOSED) for name in names])
    assert closed.count("may not read") == 1
    assert "(the same: p01, p02, p03, p04, p05 and 24 more; -v shows each)" in " ".join(closed.split())
