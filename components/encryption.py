"""The stack's own KMS key."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam import Conditions, Statement, policy_document
from components.settings import StackSettings

ROTATION_DAYS = 365

LOG_GROUPS = ("/aws/lambda/", "/aws/vendedlogs/")
"""Where the stack's log groups are. A service that delivers logs needs no resource policy for the second."""


class Encryption(pulumi.ComponentResource):
    """One customer-managed key for all that the stack stores, rotated every year.

    Its policy lets exactly the services in that cannot act under a caller's own permissions, and only for
    this account's resources.

    Attributes
    ----------
    key
        The key.
    alias
        Its alias, named after project and stage.
    """

    def __init__(
        self, name: str, *, stack: StackSettings, account: Account, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("pipeline:index:Encryption", name, None, opts)
        settings = stack.settings
        self._region = account.region
        self.key = aws.kms.Key(
            f"{name}-key",
            description=f"Everything that {stack.prefix} stores",
            enable_key_rotation=True,
            rotation_period_in_days=ROTATION_DAYS,
            deletion_window_in_days=settings.key_deletion_days,
            policy=policy_document(_key_policy(stack, account)),
            opts=pulumi.ResourceOptions(
                parent=self, protect=settings.retain_data, retain_on_delete=settings.retain_data
            ),
        )
        self.alias = aws.kms.Alias(
            f"{name}-alias",
            name=f"alias/{stack.prefix}",
            target_key_id=self.key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"keyArn": self.key.arn, "aliasName": self.alias.name})

    def use(self, services: Sequence[str]) -> Statement:
        """Grant reading and writing what `services` encrypt with the key, through them alone."""
        via = [pulumi.Output.concat(service, ".", self._region, ".amazonaws.com") for service in sorted(services)]
        return Statement(
            sid="UseKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[self.key.arn],
            conditions={"StringEquals": {"kms:ViaService": via}},
        )


def _key_policy(stack: StackSettings, account: Account) -> list[Statement]:
    data_key = ["kms:Decrypt", "kms:GenerateDataKey*"]
    own_account: Conditions = {"StringEquals": {"aws:SourceAccount": account.id}}

    def for_service(sid: str, principal: pulumi.Input[str], actions: list[str], conditions: Conditions) -> Statement:
        # In a key policy, "*" is the key itself.
        return Statement(
            sid=sid, principals={"Service": principal}, actions=actions, resources=["*"], conditions=conditions
        )

    logs = [account.arn("logs", f"log-group:{group}{stack.prefix}-*") for group in LOG_GROUPS]
    return [
        # Without it the key could not be managed at all: IAM policies of the account decide.
        Statement(
            sid="AccountAdministers",
            principals={"AWS": account.arn("iam", "root", region="")},
            actions=["kms:*"],
            resources=["*"],
        ),
        for_service("S3EventsToQueues", "s3.amazonaws.com", data_key, own_account),
        # Without it an alarm's message to the encrypted topic is dropped, and nothing says so.
        for_service("AlarmsToTopic", "cloudwatch.amazonaws.com", data_key, own_account),
        for_service(
            "Logs",
            pulumi.Output.concat("logs.", account.region, ".amazonaws.com"),
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        ),
    ]
