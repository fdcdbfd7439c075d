"""The reconciliation: a scheduled function that finds uploads whose event never came, and has them processed."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api import ITEMS_PREFIX
from components.catalog import BUCKET_INDEX, STATUS_INDEX, Catalog
from components.encryption import Encryption
from components.function import Function
from components.iam import Statement, policy_document
from components.intake import Intake
from components.landing import UPLOADS_PREFIX, Landing
from components.packaging import Archive
from components.settings import StackSettings

SCHEDULE = "rate(1 hour)"
"""How often a search begins, if it is time, or goes on where the last invocation stopped."""

STATE_PREFIX = "reconciliation:"
"""What the id of the item begins with that says how far a search has come."""


class Reconciliation(pulumi.ComponentResource):
    """The function, and the schedule that invokes it.

    Attributes
    ----------
    function
        The function.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        landing: Landing,
        intake: Intake,
        catalog: Catalog,
        code: Archive,
        layer_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Reconciliation", name, None, opts)
        settings = stack.settings
        self.function = Function(
            name,
            purpose="reconcile",
            stack=stack,
            account=account,
            encryption=encryption,
            code=code,
            layer_arn=layer_arn,
            environment={
                "BUCKET_NAME": landing.bucket.id,
                "UPLOADS_PREFIX": UPLOADS_PREFIX,
                "QUEUE_URL": intake.queue.url,
                "QUEUE_NAME": intake.queue.name,
                "CATALOG_TABLE_NAME": catalog.table.name,
                "CATALOG_RETENTION_DAYS": str(settings.catalog_retention_days),
                "INDEX_SHARDS": str(settings.index_shards),
                "BUCKET_INDEX": BUCKET_INDEX,
                "STATUS_INDEX": STATUS_INDEX,
                "INTERVAL_HOURS": str(settings.reconciliation_hours),
                "DELAY_SECONDS": str(settings.reconciliation_delay_seconds),
                # S3 dates an upload in parts by its start, and ends one that is not finished after so many days.
                "OVERLAP_DAYS": str(settings.multipart_upload_days + 1),
                "TIME_RESERVE_SECONDS": str(settings.time_reserve_seconds),
            },
            key_services=["dynamodb", "sqs"],
            statements=[
                landing.list_uploads(),
                *catalog.note_missing(STATE_PREFIX),
                *catalog.end_items(ITEMS_PREFIX),
                intake.send(),
                intake.watch(),
                _read_metrics(account),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        ).function
        self._schedule(name, stack, account)
        self.register_outputs({"functionName": self.function.name})

    def _schedule(self, name: str, stack: StackSettings, account: Account) -> None:
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-schedule-role",
            assume_role_policy=policy_document(
                [
                    Statement(
                        sid="SchedulerAssumes",
                        principals={"Service": "scheduler.amazonaws.com"},
                        actions=["sts:AssumeRole"],
                        resources=[],
                        conditions={"StringEquals": {"aws:SourceAccount": account.id}},
                    )
                ]
            ),
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-schedule-policy",
            role=role.id,
            policy=policy_document(
                [Statement(sid="Invoke", actions=["lambda:InvokeFunction"], resources=[self.function.arn])]
            ),
            opts=child,
        )
        aws.scheduler.Schedule(
            f"{name}-schedule",
            name=f"{stack.prefix}-reconciliation",
            description=f"Searches for uploads of {stack.prefix} whose event never came",
            schedule_expression=SCHEDULE,
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=self.function.arn,
                role_arn=role.arn,
                # What fails now is done an hour later.
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(maximum_retry_attempts=0),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def _read_metrics(account: Account) -> Statement:
    # CloudWatch has no resource-level permission for it (Service Authorization Reference, Amazon CloudWatch).
    return Statement(
        sid="ReadMetrics",
        actions=["cloudwatch:GetMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"aws:RequestedRegion": account.region}},
    )
