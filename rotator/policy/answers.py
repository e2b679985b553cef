"""Answers of one policy that serve the others: whose password a hidden value of a container group is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rotator.policy.model import Policy
from rotator.policy.source import KeyVaultSource, Source, StatedSource
from rotator.resource_id import ArmId

_Answer = tuple[str, str, Mapping[str, Source | StatedSource]]
"""File and vault of the policy that answers, and what it says of the group's hidden values."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Statements of all policies of a directory about hidden values, by container group; shared by all policies."""

    by_group: Mapping[ArmId, tuple[_Answer, ...]] = field(repr=False)
    owners: Mapping[ArmId, str] = field(repr=False)
    """The file of the policy that declares a container group."""

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "Statements":
        """Collect the statements of policies."""
        found: dict[ArmId, tuple[_Answer, ...]] = {}
        owners = dict[ArmId, str]()
        for policy in policies:
            for group in policy.container_groups:
                owners[group.id] = policy.file
                if group.secrets:
                    answer = (policy.file, policy.key_vault.host, group.secrets)
                    found[group.id] = (*found.get(group.id, ()), answer)
        return cls(found, owners)


@dataclass(frozen=True, slots=True, eq=False)
class Answers(Mapping[ArmId, tuple[str, ...]]):
    """Paths of hidden values that, by another policy, are not the password of this one.

    One answer serves all: another principal's password, or another secret, isn't this principal's password. Another
    policy's answer that names this policy's published secret says nothing of the kind.
    """

    statements: Statements
    file: str
    host: str
    secret: str

    @classmethod
    def to(cls, policy: Policy, statements: Statements) -> "Answers":
        """Return the answers that serve a policy."""
        return cls(statements, policy.file, policy.key_vault.host, policy.key_vault.password_secret.lower())

    def __getitem__(self, group_id: ArmId) -> tuple[str, ...]:
        """Return the places of a group, sorted. Raises KeyError if there is none."""
        if found := sorted(self._places(group_id)):
            return tuple(found)
        raise KeyError(group_id)

    def __iter__(self) -> Iterator[ArmId]:
        """Yield the groups with an answer."""
        return (group_id for group_id in self.statements.by_group if any(self._places(group_id)))

    def __len__(self) -> int:
        """Count them."""
        return sum(1 for _ in self)

    def _places(self, group_id: ArmId) -> Iterator[str]:
        for file, host, secrets in self.statements.by_group.get(group_id, ()):
            if file != self.file:
                yield from (path.lower() for path, source in secrets.items() if not self._ours(host, source))

    def _ours(self, host: str, source: Source | StatedSource) -> bool:
        return isinstance(source, KeyVaultSource) and (host, source.key_vault.lower()) == (self.host, self.secret)
