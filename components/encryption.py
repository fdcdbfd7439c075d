"""The KMS key of all that a pipeline stores, and the grants of its use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam import Conditions, Statement, render_policy

ROTATION_DAYS = 365

VENDED_LOGS_PREFIX = "/aws/vendedlogs/"
"""Names of log groups that a service delivers logs to without a resource policy."""


@dataclass(frozen=True, kw_only=True)
class EncryptionArgs:
    """What the key is for.

    Parameters
    ----------
    description
        What it encrypts.
    alias
        Its alias, without ``alias/``.
    log_groups
        The log groups that are encrypted with it: names, or patterns with ``*``.
    deletion_days
        Days between its deletion and its end, 7 to 30.
    retain
        Whether it outlives the stack, and is protected from deletion.
    """

    description: str
    alias: str
    log_groups: Sequence[str]
    deletion_days: int = 30
    retain: bool = True


class Encryption(pulumi.ComponentResource):
    """One customer-managed key for all that a pipeline stores, rotated every year.

    Attributes
    ----------
    key
        The key.
    alias
        Its alias.
    """

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Encryption", name, None, opts)
        self.key = aws.kms.Key(
            f"{name}-key",
            description=args.description,
            enable_key_rotation=True,
            rotation_period_in_days=ROTATION_DAYS,
            deletion_window_in_days=args.deletion_days,
            policy=self._policy(args.log_groups),
            opts=pulumi.ResourceOptions(parent=self, protect=args.retain, retain_on_delete=args.retain),
        )
        self.alias = aws.kms.Alias(
            f"{name}-alias",
            name=f"alias/{args.alias}",
            target_key_id=self.key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"keyArn": self.key.arn, "aliasName": self.alias.name})

    def _policy(self, log_groups: Sequence[str]) -> pulumi.Output[str]:
        account = Account(self)
        where = pulumi.Output.all(partition=account.partition, account=account.id, region=account.region)
        return where.apply(lambda known: json.dumps(render_policy(key_policy(log_groups, **known))))


def grant_use_key(key_arn: pulumi.Input[str], region: pulumi.Input[str], services: Sequence[str]) -> list[Statement]:
    """Grant reading and writing what `services` encrypt with the key, through them alone."""
    via = [pulumi.Output.concat(service, ".", region, ".amazonaws.com") for service in sorted(services)]
    return [
        Statement(
            sid="UseKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key_arn],
            conditions={"StringEquals": {"kms:ViaService": via}},
        )
    ]


def key_policy(log_groups: Sequence[str], *, partition: str, account: str, region: str) -> list[Statement]:
    """Return what the policy of a pipeline's key must say, in any order, beside whatever else it says.

    It lets exactly the services in that cannot act under a caller's own permissions, and only for this account's
    resources.

    Parameters
    ----------
    log_groups
        The log groups that are encrypted with it: names, or patterns with ``*``.
    partition, account, region
        Where the pipeline is.
    """
    data_key = ["kms:Decrypt", "kms:GenerateDataKey*"]
    own_account: Conditions = {"StringEquals": {"aws:SourceAccount": account}}
    logs = [f"arn:{partition}:logs:{region}:{account}:log-group:{group}" for group in log_groups]

    def for_service(sid: str, service: str, actions: list[str], conditions: Conditions) -> Statement:
        # In a key policy, "*" is the key itself.
        principals = {"Service": f"{service}.amazonaws.com"}
        return Statement(sid=sid, principals=principals, actions=actions, resources=["*"], conditions=conditions)

    return [
        # Without it the key could not be managed at all: IAM policies of the account decide.
        Statement(
            sid="AccountAdministers",
            principals={"AWS": f"arn:{partition}:iam::{account}:root"},
            actions=["kms:*"],
            resources=["*"],
        ),
        for_service("S3EventsToQueues", "s3", data_key, own_account),
        # Without it an alarm's message to the encrypted topic is dropped, and nothing says so.
        for_service("AlarmsToTopic", "cloudwatch", data_key, own_account),
        for_service(
            "Logs",
            f"logs.{region}",
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        ),
    ]
