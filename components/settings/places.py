"""Where that lies which a company brings: it must be where the stack is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from components.settings.model import Settings

_AWS_OWN: Final = "aws"
"""Whose the managed policies are that every account has."""


@dataclass(frozen=True, kw_only=True)
class Brought:
    """Something that is brought.

    Parameters
    ----------
    key, arn
        The setting, and its value or one of them.
    region, account
        Where it must lie where the stack does. Empty: it may be anywhere.
    """

    key: str
    arn: str
    region: str
    account: str


def needs_place(settings: Settings) -> bool:
    """Whether anything is brought that may be in the wrong place."""
    return any(True for _ in _brought(settings))


def find_apart(settings: Settings) -> Iterator[str]:
    """Say which of what is brought cannot all be where the stack is, wherever that may be."""
    brought = list(_brought(settings))
    for what in ("region", "account"):
        placed = [(each, getattr(each, what)) for each in brought if getattr(each, what)]
        for each, place in placed[1:]:
            first, stack = placed[0]
            if place != stack:
                yield (
                    f"{each.key} = {each.arn!r}: is in the {what} {place}, and {first.key} in {stack}: both should be "
                    f"in the stack's"
                )


def find_elsewhere(
    settings: Settings, *, region: str, accounts: Sequence[str] = (), not_accounts: Sequence[str] = ()
) -> Iterator[str]:
    """Say what is brought from where the stack is not.

    Parameters
    ----------
    settings
        What is brought.
    region
        The stack's region.
    accounts
        Those that the stack may be in. Empty: any.
    not_accounts
        Those that it may not be in.
    """
    for each in _brought(settings):
        if each.region and each.region != region:
            yield f"{each.key} = {each.arn!r}: is in {each.region}; should be in the stack's region, {region}"
        if not each.account:
            continue
        where = f"{each.key} = {each.arn!r}: is in the account {each.account}; should be in the stack's"
        if accounts and each.account not in accounts:
            yield f"{where}, {' or '.join(accounts)}"
        elif each.account in not_accounts:
            yield f"{where}, which may not be {' or '.join(not_accounts)}"


def _brought(settings: Settings) -> Iterator[Brought]:
    if settings.kms_key_arn:
        _, _, _, region, account, _ = settings.kms_key_arn.split(":", 5)
        yield Brought(key="kmsKeyArn", arn=settings.kms_key_arn, region=region, account=account)
    for arn in settings.alarm_topic_arns:
        yield Brought(key="alarmTopicArns", arn=arn, region=arn.split(":")[3], account="")
    if settings.lambda_insights_layer_arn:
        arn = settings.lambda_insights_layer_arn
        yield Brought(key="lambdaInsightsLayerArn", arn=arn, region=arn.split(":")[3], account="")
    if settings.permissions_boundary_arn:
        arn = settings.permissions_boundary_arn
        account = arn.split(":")[4]
        yield Brought(key="permissionsBoundaryArn", arn=arn, region="", account="" if account == _AWS_OWN else account)
