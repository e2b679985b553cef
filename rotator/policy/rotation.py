"""Times of a rotation in a policy: lifetimes, deploy window, proof."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic import ValidationInfo as Info

from rotator.policy import rules
from rotator.policy.choices import RegistryProof
from rotator.policy.durations import Duration
from rotator.policy.source import Part

DAY = timedelta(days=1)


class DeployWindow(Part):
    """Times at which container groups may be redeployed."""

    timezone: Annotated[str, BeforeValidator(rules.timezone)] = Field(
        default="UTC", description="IANA time zone of `cron`.", examples=["Europe/Paris"]
    )
    cron: Annotated[str, BeforeValidator(rules.cron)] = Field(
        description="When the window opens: five cron fields, in wall-clock time of `timezone`.",
        examples=["0 2 * * SAT"],
    )
    duration: Duration = Field(description="How long the window stays open, in elapsed time.", examples=["4h"])

    _positive = field_validator("duration")(rules.at_least(timedelta(minutes=15)))


class Rotation(Part):
    """Lifetimes and times of a rotation."""

    validity: Duration = Field(default=90 * DAY, description="How long a new credential is valid.", examples=["90d"])
    renew_before: Duration = Field(
        default_factory=lambda data: min(30 * DAY, data.get("validity", 90 * DAY) / 3),
        description=(
            "How long before its end a credential is replaced; at most half of `validity`. Default: 30d, or a third of"
            " `validity`."
        ),
        examples=["30d"],
    )
    overlap: Duration = Field(
        default_factory=lambda data: min(DAY, data.get("renew_before", DAY)),
        description=(
            "How long the old credential stays valid after the last container group took the new one. Default:"
            " 24h, or `renew_before`."
        ),
        examples=["24h"],
    )
    reclaim_after: Duration = Field(
        default=DAY,
        description="Age at which an unfinished run's credential is removed; at least four times `proof.deadline`.",
        examples=["24h"],
    )
    warn_before: Duration = Field(
        default_factory=lambda data: min(14 * DAY, data.get("renew_before", 30 * DAY) / 2),
        description=(
            "How long before the end of a credential that is still in use every run ends with exit code 1."
            " Default: 14d, or half of `renew_before`."
        ),
        examples=["14d"],
    )
    settle: Duration = Field(
        default=timedelta(minutes=30),
        description="How long a redeployed container group may take to start.",
        examples=["30m"],
    )
    spread: bool = Field(
        default=True,
        strict=True,
        description=(
            "Spread the renewals: each policy renews at a moment of its own after `renew_before`. That moment is"
            " before `warn_before` and before the last week, and earlier still by the longest time between two"
            " deploy windows."
        ),
        examples=[True],
    )
    deploy_window: DeployWindow | None = Field(
        default=None, description="When container groups may be redeployed. Default: always."
    )

    _validity = field_validator("validity")(rules.at_least(timedelta(hours=1)))
    _settle = field_validator("settle")(rules.at_least(timedelta(minutes=1)))

    @field_validator("renew_before", "overlap", "warn_before")
    @classmethod
    def _in_order(cls, value: timedelta, info: Info) -> timedelta:
        return rules.in_order(value, info)

    @field_validator("deploy_window")
    @classmethod
    def _often_enough(cls, value: DeployWindow | None, info: Info) -> DeployWindow | None:
        if value and "renew_before" in info.data:
            rules.often_enough(value.cron, info.data["renew_before"])
        return value


class ProofPolicy(Part):
    """Proof of a credential, required before it is published."""

    times: int = Field(default=5, ge=1, le=100, strict=True, description="Successes in a row.", examples=[5])
    over: Duration = Field(
        default=timedelta(minutes=1), description="Shortest time from the first success to the last.", examples=["60s"]
    )
    deadline: Duration = Field(
        default=timedelta(minutes=5),
        validate_default=True,
        description="Time after which rotator gives up a credential that is not proven.",
        examples=["5m"],
    )
    registry: RegistryProof = Field(
        default=RegistryProof.REQUIRED,
        description="`optional` accepts a credential without a pull, if rotator can't reach the registry.",
        examples=["required"],
    )

    @field_validator("deadline")
    @classmethod
    def _after_the_last_try(cls, value: timedelta, info: Info) -> timedelta:
        return rules.deadline(value, info.data.get("over", timedelta()))
