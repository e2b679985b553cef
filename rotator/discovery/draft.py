"""A policy for each principal without one, as far as lists can tell; each gap is a comment with instructions."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rotator.cloud import registry_name
from rotator.container_group import Document, lines_to_add
from rotator.container_group.refusal import refused
from rotator.discovery.usage import Found, Listing, Standing, Use, clean
from rotator.policy import FILL, KeyVaultPolicy, Policy, PrincipalPolicy, RegistryPolicy
from rotator.remedy import show_registry_id
from rotator.resource_id import ArmId
from rotator.rights import PULL, REPOSITORY_READER
from rotator.state import Registry

SCHEMA = "policy.schema.json"
"""File beside the drafts by which editors check them."""
HEAD = (
    f"# yaml-language-server: $schema={SCHEMA}",
    (
        "# Drafted by `rotator discover`. What begins with FILL IN is for you: lists of Azure can't tell it. Take the #"
        " away from the lines below it, and remove the line itself."
    ),
    (
        "# `rotator validate --policies` with this directory names what is still missing. Then move the file to your"
        f" policies, and run `rotator plan`. `rotator schema > policies/{SCHEMA}` lets editors check it there, too."
    ),
)


@dataclass(frozen=True, slots=True)
class PolicyText:
    """Draft for a principal without a policy: a new file's name and text, or the reason for a missing draft.

    `kept`: the file holding the principal already.
    """

    app_id: str
    display_name: str
    file: str | None = None
    text: str | None = None
    kept: bool = False
    why: str = ""


def drafts(
    found: Found, sight: Listing, policies: Sequence[Policy], there: Mapping[str, str]
) -> tuple[PolicyText, ...]:
    """A draft for each principal without a policy, by app id.

    `there` are the texts of the files that the directory has, by name.
    """
    uses: dict[str, list[Use]] = {}
    for use in found.uses:
        if use.standing is Standing.NONE:
            uses.setdefault(use.app_id, []).append(use)
    taken = _Taken.of(policies, there)
    return tuple(_draft(uses[app_id], sight, taken, there) for app_id in sorted(uses))


@dataclass(frozen=True, slots=True)
class _Taken:
    """Names that are in use: those of files, and those of secrets. Grows with each draft."""

    stems: set[str]
    secrets: set[str]

    @classmethod
    def of(cls, policies: Sequence[Policy], there: Mapping[str, str]) -> "_Taken":
        """Collect the names used by policies and earlier drafts."""
        stems = {name.rpartition(".")[0].lower() for name in there} | {policy.name.lower() for policy in policies}
        drafted = {
            name.lower()
            for text in there.values()
            for name in re.findall(r"^ *(?:password|username)_secret: *([\w-]+)", text, re.MULTILINE)
        }
        return cls(
            stems,
            drafted
            | {
                name.lower()
                for one in policies
                for name in (one.key_vault.password_secret, one.key_vault.username_secret)
                if name
            },
        )

    def stem(self, use: Use) -> str:
        """Return a file name for a principal, without suffix."""
        plain = re.sub(r"[^a-z0-9]+", "-", use.display_name.lower()).strip("-")[:40].strip("-") or use.app_id
        return self._free(self.stems, (plain, f"{plain}-{use.app_id[:8]}", use.app_id))

    def prefix(self, registry: str, stem: str) -> str:
        """Return the common beginning of both secrets' names.

        The same as in the documentation's example; longer if those names are taken.
        """
        names = (registry, f"{registry}-{stem}")
        return next((name for name in names if f"{name}-pull-pwd" not in self.secrets), names[-1])

    def _free(self, taken: set[str], wanted: Collection[str]) -> str:
        name = next((name for name in wanted if name not in taken), "")
        taken.add(name)
        return name


def _draft(uses: Sequence[Use], sight: Listing, taken: _Taken, there: Mapping[str, str]) -> PolicyText:
    use = uses[0]
    kept = next((name for name in sorted(there) if use.app_id in there[name].lower()), None)
    if kept:
        return PolicyText(use.app_id, use.display_name, kept, kept=True, why="it has this principal already")
    why = _undraftable(uses)
    if why:
        return PolicyText(use.app_id, use.display_name, why=why)
    stem = taken.stem(use)
    return PolicyText(
        use.app_id, use.display_name, f"{stem}.yaml", "\n".join([*HEAD, *_lines(uses, sight, taken, stem)]) + "\n"
    )


def _undraftable(uses: Sequence[Use]) -> str:
    if uses[0].known is False:
        return "this tenant has no such principal: it was deleted, or belongs to another tenant; its owner can say"
    others = sorted({host for use in uses for host in use.others})
    return (
        ""
        if _hosts(uses)
        else f"{', '.join(others)} is no Azure Container Registry of this cloud; rotator can't look after it"
    )


def _hosts(uses: Sequence[Use]) -> list[str]:
    return sorted({host for use in uses for host in use.servers if host not in use.others})


def _lines(uses: Sequence[Use], sight: Listing, taken: _Taken, stem: str) -> Iterator[str]:
    hosts = sorted({sight.cloud.login_server(host) for host in _hosts(uses)})
    ids = {host: sight.registries.get(host) for host in hosts}
    yield "principal:"
    yield f"  app_id: {uses[0].app_id}" + (f"  # {uses[0].display_name}" if uses[0].display_name else "")
    yield "registries:"
    for host, found in ids.items():
        yield from _registry(found) if found else _missing(host)
    yield "key_vault:"
    yield from _vault(
        uses, sight, taken, taken.prefix(re.sub(r"[^0-9a-zA-Z]", "", next(iter(ids)).partition(".")[0]), stem)
    )
    yield "container_groups:"
    policy = _policy(uses[0].app_id, ids, sight)
    for use in uses:
        yield f"  - id: {_quoted(use.group)}"
        yield from (f"    {line}" for line in _blanks(use, refused(Document(use.document, policy, None))))


def _vault(uses: Sequence[Use], sight: Listing, taken: _Taken, prefix: str) -> Iterator[str]:
    reads = sorted({read for use in uses for read in use.reads})
    if len(reads) == 1 and reads[0][1].lower() not in taken.secrets:
        taken.secrets.add(reads[0][1].lower())
        yield f"  url: https://{reads[0][0]}  # a group reads the password from there"
        yield f"  password_secret: {reads[0][1]}"
        return
    yield f"  {FILL}: the vault that is to hold the password."
    yield from (f"  # A group reads it from secret {secret} of {host}." for host, secret in reads)
    yield f"  # url: https://NAME.{sight.cloud.vault_suffix}"
    yield (
        "  # The names that the documentation of Container Instances uses. If the vault has the password under another"
        " name, write that name."
    )
    for key, suffix in (("password_secret", "pull-pwd"), ("username_secret", "pull-usr")):
        taken.secrets.add(f"{prefix}-{suffix}")
        yield f"  {key}: {prefix}-{suffix}"


def _registry(found: Registry) -> Iterator[str]:
    yield f"  - id: {_quoted(found.id)}"
    if found.abac:
        yield f"    role: {REPOSITORY_READER}  # {PULL} counts for nothing in this registry"


def _missing(host: str) -> Iterator[str]:
    yield f"  {FILL}: the id of {host}, which isn't in the subscriptions that were looked at, or may not be read."
    yield f"  # {show_registry_id(registry_name(host))} prints it."
    yield (
        "  # - id:"
        " /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.ContainerRegistry/registries/NAME"
    )


def _policy(app_id: str, ids: Mapping[str, Registry | None], sight: Listing) -> Policy:
    """Return as much of the policy as needed to compute the groups that rotator would refuse."""
    vault = KeyVaultPolicy.model_construct(url=f"https://name.{sight.cloud.vault_suffix}", password_secret="name")  # noqa: S106 - no password
    registries = tuple(
        RegistryPolicy.model_construct(id=found.id if found else ArmId(host.partition(".")[0]))
        for host, found in ids.items()
    )
    return Policy.model_construct(
        principal=PrincipalPolicy.model_construct(app_id=app_id), registries=registries, key_vault=vault
    )


def _blanks(use: Use, refusal: str | None) -> Iterator[str]:
    if refusal:
        yield f"# rotator will refuse to redeploy it: {clean(refusal)}."
    if use.hidden:
        yield (
            f"{FILL}: where these values come from, which Azure never shows again: names of secrets in the vault"
            " (docs/policy.md)."
        )
        if use.named:
            yield (
                f"# {', '.join(use.named)} names this very principal: where a value is its own password, write"
                " {credential: password}."
            )
        yield from (f"# {line.removeprefix('    ')}" for line in lines_to_add(use.group, use.hidden).splitlines())
    if use.job:
        yield (
            f"{FILL}: what happens when this job has finished: wait, redeploy or ignore. Or write manifest: and a file,"
            " for `rotator deploy`."
        )
        yield "# when_finished: wait"
        yield "# If it is a service that runs on, and is to be restarted, write this in place of that:"
        yield "# runs: service"


def _quoted(text: str) -> str:
    """Return an id as YAML, without quotes if no part of the id has another meaning in YAML."""
    return text if re.fullmatch(r"/[\w./()-]*", text, re.ASCII) else "'" + text.replace("'", "''") + "'"
