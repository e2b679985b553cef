"""Report of `rotator discover`: a table for each subscription, principals without a policy, and drafts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from rotator.discovery import Found, Listed, Listing, Other, Passing, PolicyText, Standing, Use
from rotator.remedy import disable_admin_user_of, rotator
from rotator.report.columns import tabulated
from rotator.report.words import INDENT, error_body
from rotator.resource_id import ArmId
from rotator.visible import one_line

MOST_NAMED = 5
"""Most groups named by the remark on hidden passwords."""
HEADINGS = ("GROUP", "PRINCIPAL", "APP ID", "REGISTRY", "POLICY")
UNKNOWN = "unknown principal in this tenant"
LISTS = (
    "Lists show neither whether a group runs nor which password it holds; `rotator plan` reads that of a policy's"
    " groups."
)
WAYS = {
    Other.IDENTITY: ("with an identity", "it has no password"),
    Other.REFERENCE: (
        "with a passwordReference",
        "Azure reads the password from Key Vault when it is deployed; name it in the policy that publishes that secret",
    ),
    Other.TOKEN: ("with a registry's own token", "it is no principal's password"),
    Other.ADMIN: (
        "as a registry's admin user",
        "one shared password, which rotator neither rotates nor revokes",
    ),
    Other.USER: (
        "as a user that is no principal",
        "a registry's token, or an account elsewhere: its password isn't in Entra",
    ),
    Other.ANONYMOUS: ("without any password", "the registry asks for none"),
}
"""Words for each way of pulling in a count, and the reason why it needs no rotation."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """All findings to report.

    `drafts` are the outcomes of writing, with the paths of the files; `everything` also lists groups without a need for
    rotation.
    """

    sight: Listing
    found: Found
    drafts: tuple[PolicyText, ...] | None = None
    everything: bool = False
    schema: str | None = None
    """Schema that was written beside the drafts."""

    @property
    def exit_code(self) -> int:
        """Return 1 if a subscription or the principals' names can't be read, so the report is incomplete; else 0."""
        return int(self.sight.nameless is not None or any(one.unread for one in self.sight.listed))


def discovery_text(seen: Discovery, width: int | None = None) -> str:
    """Return the tables within `width` columns, then remarks too long for a cell."""
    blocks = ["\n".join(_subscription(seen, one, width)) for one in seen.sight.listed]
    return "\n\n".join(
        [*blocks, *("\n".join(map(one_line, lines)) for lines in (list(_remarks(seen)), list(_drafted(seen))) if lines)]
    )


def discovery_body(seen: Discovery) -> dict[str, Any]:
    """Return the findings in the JSON form."""
    counts = Counter(way for one in seen.found.passing for way in one.ways)
    passing = [{"group": one.group, "ways": [way.value for way in one.ways]} for one in seen.found.passing]
    return {
        "subscriptions": [
            {
                "subscription": one.subscription,
                "groups": len(one.groups),
                "error": error_body(one.unread) if one.unread else None,
            }
            for one in seen.sight.listed
        ],
        "names_error": error_body(seen.sight.nameless) if seen.sight.nameless else None,
        "hiding": list(seen.found.hiding),
        "uses": [_use_body(use) for use in seen.found.uses],
        "no_rotation": {
            "counts": {way.value: counts[way] for way in Other},
            "groups": passing if seen.everything else None,
        },
        "drafts": None if seen.drafts is None else [_draft_body(one) for one in seen.drafts],
        "schema": seen.schema,
    }


def _subscription(seen: Discovery, one: Listed, width: int | None) -> Iterator[str]:
    if one.unread:
        yield f"subscription {one.subscription}: can't be read"
        yield from (f"{INDENT}{line}" for line in str(one.unread.diagnose()).splitlines())
        return
    yield f"subscription {one.subscription}: {_count(len(one.groups), 'container group')}"
    uses = [use for use in seen.found.uses if use.group.subscription == one.subscription.lower()]
    passing = [each for each in seen.found.passing if each.group.subscription == one.subscription.lower()]
    if uses:
        yield from (line for row in tabulated(HEADINGS, list(map(_cells, uses)), width, indent=INDENT) for line in row)
    yield from (f"{INDENT}{line}" for line in _passing(passing, everything=seen.everything))


def _cells(use: Use) -> tuple[str, ...]:
    policy = {
        Standing.NONE: "none",
        Standing.DECLARED: use.policy or "",
        Standing.UNDECLARED: f"{use.policy}, which doesn't declare it",
    }
    return (use.group.short, _who(use), use.app_id, ", ".join(use.servers), policy[use.standing])


def _who(use: Use) -> str:
    return UNKNOWN if use.known is False else use.display_name or "(no name)"


def _passing(passing: Sequence[Passing], *, everything: bool) -> Iterator[str]:
    counts = Counter(way for one in passing for way in one.ways)
    if counts:
        ways = ", ".join(f"{counts[way]} {said}" for way, (said, _) in WAYS.items() if counts[way])
        yield f"{_count(len(passing), 'group')} with nothing to rotate: {ways}"
    for one in passing if everything else ():
        yield f"{INDENT}{one.group.short} pulls {'; '.join(f'{WAYS[way][0]}: {WAYS[way][1]}' for way in one.ways)}"


def _remarks(seen: Discovery) -> Iterator[str]:
    if seen.sight.nameless:
        yield f"The principals' names can't be read: {seen.sight.nameless.happened}"
    for use in seen.found.uses:
        if use.others:
            yield (
                f"{use.group.short}: {', '.join(use.others)} is no Azure Container Registry of this cloud; rotator"
                " does not change such entries."
            )
    for one in seen.found.passing:
        for name in one.admins:
            yield (
                f"{one.group.short} pulls as the admin user of registry {name}, with a password that all its users"
                f" share. Give the group a principal: a policy with `principal: {{display_name: …}}`, the registry"
                f" and the group's manifest, and `{rotator('provision', 'POLICY')}` create one and deploy the group"
                f" with it. When no group uses the shared password, `{disable_admin_user_of(name)}` ends it."
            )
    yield from _hidden(seen.found.hiding)
    without = len({use.app_id for use in seen.found.uses if use.standing is Standing.NONE})
    if without and seen.drafts is None:
        yield f"{_count(without, 'principal')} without a policy: `rotator discover --write` drafts policies."
    if seen.found.uses:
        yield LISTS


def _hidden(groups: Sequence[ArmId]) -> Iterator[str]:
    if groups:
        names = ", ".join(one.short for one in groups[:MOST_NAMED])
        more = f" and {len(groups) - MOST_NAMED} more" if len(groups) > MOST_NAMED else ""
        yield (
            f"{names}{more}: a variable is named like a principal's password, and its owner is unknown. If the password"
            " belongs to a principal with a policy, declare the group there, with `{credential: password}` under its"
            " `secrets:`."
        )


def _drafted(seen: Discovery) -> Iterator[str]:
    for one in seen.drafts or ():
        whose = f"{one.display_name or one.app_id} ({one.app_id})" if one.display_name else one.app_id
        if one.file is None:
            yield f"no draft for {whose}: {one.why}"
        else:
            yield f"kept {one.file} for {whose}: {one.why}" if one.kept else f"wrote {one.file} for {whose}"
    if seen.schema:
        yield f"wrote {seen.schema}, by which editors check them"
    if files := [one.file for one in seen.drafts or () if one.file]:
        check = rotator("validate", policies=str(PurePath(files[0]).parent))
        yield f"Next: fill in what `{check}` names, move the files to your policies, and run `{rotator('doctor')}`."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _use_body(use: Use) -> dict[str, Any]:
    return {
        "group": use.group,
        "name": use.group.name,
        "principal": {"app_id": use.app_id, "display_name": use.display_name or None, "known": use.known},
        "registries": list(use.servers),
        "other_servers": list(use.others),
        "policy": use.policy,
        "standing": use.standing.value,
        "hidden_values": list(use.hidden),
        "job": use.job,
    }


def _draft_body(one: PolicyText) -> dict[str, Any]:
    return {"app_id": one.app_id, "file": one.file, "written": one.text is not None, "why": one.why or None}
