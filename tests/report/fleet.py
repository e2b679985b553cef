"""Fleet with a policy in every state, as `status` sees it: the world of the page's tests."""

from typing import Any

from rotator.engine.observation import foreseen
from rotator.errors import Forbidden
from rotator.plan import View, next_due, plan
from rotator.results import Preview, Previewed
from rotator.steps import NOTHING_KNOWN
from tests import worlds

HOSTILE = "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"'`&amp;\u202e\x1b[2J\x00\n]]><!--"
JOB = {"id": "pay-nightly", "holds": "leaked", "since": "-40d", "restart": "Never", "state": "finished"}


def glanced(name: str, case: dict[str, Any], **groups: dict[str, Any]) -> Preview:
    """Return the preview of `rotator status` for a world in the shorthand of the cases."""
    declared = [{"id": group["id"], **groups.get(group["id"], {})} for group in case.get("groups", [])]
    policy = worlds.policy({"groups": declared}).model_copy(update={"name": name})
    observed, intent = worlds.observed(case), worlds.intent(None)
    known, vetoes = foreseen(policy, observed, intent, NOTHING_KNOWN)
    unfolded = plan(policy, observed, intent, known)
    due = next_due(policy, observed, unfolded)
    return Preview(policy, observed, known, unfolded, vetoes, due, View(policy, observed, intent, known))


def version(key: str, created: str, **more: Any) -> dict[str, Any]:
    return {"id": f"v{key}", "holds": key, "created": created, **more}


def steady(age: int, name: str = "web") -> dict[str, Any]:
    return {
        "credentials": [{"key": "cur", "start": f"-{age}d", "end": f"+{90 - age}d"}],
        "versions": [version("cur", f"-{age}d")],
        "groups": [{"id": name, "holds": "cur", "since": f"-{age}d"}],
    }


COMPROMISED = {
    "credentials": [
        {"key": "cur", "start": "-2d", "end": "+88d"},
        {"key": "leaked", "start": "-40d", "end": "+50d"},
    ],
    "versions": [version("leaked", "-40d", compromised=["leaked"]), version("cur", "-2d")],
    "groups": [{"id": "pay-web", "holds": "cur", "since": "-2d"}, JOB],
}
BLOCKED = {
    **steady(65, "search"),
    "versions": [version("cur", "-65d"), {"id": "theirs", "created": "-1d"}],
}
OVERLAP = {
    "credentials": [{"key": "cur", "start": "-1d", "end": "+89d"}, {"key": "old", "start": "-61d", "end": "+29d"}],
    "versions": [version("old", "-61d"), version("cur", "-1d")],
    "groups": [
        {"id": "checkout-1", "holds": "cur", "since": "-6h", "previous": "old"},
        {"id": "checkout-2", "holds": "cur", "since": "-5h"},
    ],
}
BY_HAND = {
    "credentials": [
        {"key": "hand", "start": "-300d", "end": "+65d", "of": "by hand"},
        {"key": "cur", "start": "-3d", "end": "+87d"},
    ],
    "versions": [version("cur", "-3d")],
    "groups": [{"id": "legacy", "since": "-300d"}, {"id": "fresh", "holds": "cur", "since": "-3d"}],
}
RESTING = ("assets", "auth", "images-with-a-name-longer-than-others", "orders")
LOST = {
    "credentials": [
        {"key": "cur", "start": "-20d", "end": "+70d"},
        {"key": "lost", "start": "-3h", "end": "+90d"},
        {"key": "gone", "start": "-120d", "end": "-1d"},
        {"key": "past", "start": "-300d", "end": "-200d"},
    ],
    "versions": [version("gone", "-120d"), version("cur", "-20d")],
    "groups": [{"id": "slow", "holds": "gone", "since": "-119d"}, {"id": "swift", "holds": "cur", "since": "-20d"}],
}
BARE: dict[str, Any] = {}


def fleet() -> list[Previewed]:
    """Return every state, every role of a credential, and a name with markup."""
    vault = Forbidden(
        "Key Vault refused to read the secret pull-pwd of warehouse-kv: 403 Forbidden",
        service="Key Vault",
        remedy="Give the identity that runs rotator the role Key Vault Secrets Officer on warehouse-kv.",
    )
    return [
        ("payments-api", glanced("payments-api", COMPROMISED, **{"pay-nightly": {"when_finished": "wait"}})),
        ("warehouse", vault),
        ("billing", glanced("billing", steady(85, "bill"))),
        ("search", glanced("search", BLOCKED)),
        ("reports", glanced("reports", steady(62, "reports"))),
        (
            "checkout-europe-west-production-cluster-blue",
            glanced("checkout-europe-west-production-cluster-blue", OVERLAP),
        ),
        ("first-rotation", glanced("first-rotation", BY_HAND)),
        ("lost-answer", glanced("lost-answer", LOST)),
        ("nothing-yet", glanced("nothing-yet", BARE)),
        ("revoked-partner", glanced("revoked-partner", {**steady(20), "access": "revoked"})),
        (HOSTILE, Forbidden(HOSTILE, service=HOSTILE, state=HOSTILE, remedy=HOSTILE)),
        *((name, glanced(name, steady(15 * number + 1, name))) for number, name in enumerate(RESTING)),
    ]
