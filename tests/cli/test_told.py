"""Tests of reports on writes: each write is reported at once and in the report, and every line of a log has its
time.
"""

import json
import re
from datetime import datetime

from rotator import events
from rotator.report import progress
from tests import written
from tests.cli.scene import NAME, PASSWORD, Scene

TOLD = {
    "addPassword": {"credential_added"},
    "removePassword": {"credential_removed"},
    "createOrUpdate": {"group_accepted"},
    "roleAssignments.create": {"assignment_created"},
    "roleAssignments.delete": {"assignment_deleted"},
    "secrets.set": {"version_published", "username_published", "access_recorded"},
    "secrets.update": {"version_marked", "version_disabled"},
}
"""Events by kind of write; one of them reports the write."""
COMMANDS = (
    ("rotate", NAME, "--adopt"),
    ("rotate", NAME, "--compromised", "--yes"),
    ("revoke", NAME, "--yes"),
    ("grant", NAME),
)
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")


def asked(operation: str) -> set[str]:
    """Return the events of which one must report a request."""
    return next((told for end, told in TOLD.items() if operation.endswith(f".{end}")), set())


def test_each_write_is_told_in_its_turn_and_is_in_the_report(rotator: Scene) -> None:
    rotator.write(key_vault={"url": rotator.seeded.vault_url, "password_secret": PASSWORD, "username_secret": "usr"})
    for command in COMMANDS:
        since = len(rotator.app.served)
        said = rotator(*command, "--log-format", "json", "--output", "json")
        assert said.code == 0, said.err
        wrote = [kinds for operation in rotator.served(since) if (kinds := asked(operation))]
        lines = [json.loads(line) for line in said.err.splitlines()]
        told = [line["event"] for line in lines if line["event"] in set.union(*TOLD.values())]
        assert len(told) == len(wrote), command
        assert all(event in expected for event, expected in zip(told, wrote, strict=True)), (told, wrote)
        (policy,) = said.json["policies"]
        assert [one["event"] for one in policy["changes"] if one["event"] in told] == told
        times = [datetime.fromisoformat(line["at"]) for line in lines]
        assert times == sorted(times)


def test_each_event_of_a_change_has_words() -> None:
    changes = {each for kinds in TOLD.values() for each in kinds}
    assert changes <= {events.name(kind) for kind in written.told()}
    assert progress.change(events.UsernamePublished(secret="usr")) == "published the user name as secret usr"


def test_each_line_of_a_log_has_its_time(rotator: Scene) -> None:
    (rotator.policies / "broken.yaml").write_text("principal: 1\n")
    lines = rotator("rotate", NAME, "-v").err.splitlines()
    assert len(lines) > 5
    assert [line for line in lines if not STAMP.match(line) and not line.startswith("warning: ")] == []
    told = rotator("rotate", "--log-format", "json", "-vv").err.splitlines()
    assert {json.loads(line)["event"] for line in told} >= {"finished", "error", "log"}
    assert [line for line in told if not STAMP.match(json.loads(line).get("at", "") + " ")] == []
