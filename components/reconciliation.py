"""The reconciliation: a scheduled function that finds uploads whose event never came, and has them processed."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api import ITEMS_PREFIX
from components.catalog import Catalog
from components.function import Function, FunctionArgs, RuntimeArgs
from components.iam import Statement, policy_document, service_role
from components.intake import Intake
from components.landing import UPLOADS_PREFIX, Landing
from components.packaging import Archive

SCHEDULE = "rate(1 hour)"
"""How often a search begins, if it is time, or goes on where the last invocation stopped."""

STATE_PREFIX = "reconciliation:"
"""What the id of the item begins with that says how far a search has come."""


@dataclass(frozen=True, kw_only=True)
class ReconciliationArgs:
    """What is searched, and how often.

    Parameters
    ----------
    runtime, code
        What the function has in common with the pipeline's other functions, and its own code.
    landing, intake, catalog
        Whose uploads are searched for, where their events are sent, and where they must have an item.
    interval_hours
        Hours between two searches.
    delay_seconds
        How much older than the intake's oldest message an upload must be to be searched for.
    multipart_upload_days
        Days after which the bucket ends an unfinished multipart upload: S3 dates an upload in parts by its start.
    timeout_seconds
        The function's time-out.
    time_reserve_seconds
        Seconds that must be left in an invocation for the search to go on.
    """

    runtime: RuntimeArgs
    code: Archive
    landing: Landing
    intake: Intake
    catalog: Catalog
    interval_hours: int = 24
    delay_seconds: int = 3600
    multipart_upload_days: int = 7
    timeout_seconds: int = 120
    time_reserve_seconds: int = 10


class Reconciliation(pulumi.ComponentResource):
    """The function, and the schedule that invokes it.

    Attributes
    ----------
    function, schedule
        The function, and what invokes it.
    """

    def __init__(self, name: str, args: ReconciliationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Reconciliation", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        account = Account(self)
        self.function = Function(
            name,
            FunctionArgs(
                purpose="reconcile",
                runtime=args.runtime,
                code=args.code,
                timeout_seconds=args.timeout_seconds,
                environment=_environment(args),
                statements=[
                    *args.landing.grant_list_uploads(),
                    *args.catalog.grant_add_missing(STATE_PREFIX),
                    *args.catalog.grant_end(ITEMS_PREFIX),
                    *args.intake.grant_send(),
                    *_grant_read_metrics(account),
                ],
                key_services=["dynamodb", "sqs"],
            ),
            self._child,
        )
        self._schedule(name, args, account)
        self.register_outputs({"functionName": self.function.name})

    def _schedule(self, name: str, args: ReconciliationArgs, account: Account) -> None:
        role = service_role(
            f"{name}-schedule",
            "scheduler",
            args.runtime.role,
            self._child,
            conditions={"StringEquals": {"aws:SourceAccount": account.id}},
        )
        invoke = Statement(sid="Invoke", actions=["lambda:InvokeFunction"], resources=[self.function.alias.arn])
        policy = aws.iam.RolePolicy(
            f"{name}-schedule-policy", role=role.id, policy=policy_document([invoke]), opts=self._child
        )
        self.schedule = aws.scheduler.Schedule(
            f"{name}-schedule",
            name=name,
            description="Searches for uploads whose event never came",
            schedule_expression=SCHEDULE,
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=self.function.alias.arn,
                role_arn=role.arn,
                # What fails now is done an hour later.
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(maximum_retry_attempts=0),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def _environment(args: ReconciliationArgs) -> dict[str, pulumi.Input[str]]:
    return {
        "BUCKET_NAME": args.landing.bucket.id,
        "UPLOADS_PREFIX": UPLOADS_PREFIX,
        "QUEUE_URL": args.intake.queue.url,
        "QUEUE_NAME": args.intake.queue.name,
        **args.catalog.environment,
        "INTERVAL_HOURS": str(args.interval_hours),
        "DELAY_SECONDS": str(args.delay_seconds),
        # An upload in parts may be as old as the bucket lets it get.
        "OVERLAP_DAYS": str(args.multipart_upload_days + 1),
        "TIME_RESERVE_SECONDS": str(args.time_reserve_seconds),
    }


def _grant_read_metrics(account: Account) -> list[Statement]:
    # CloudWatch has no resource-level permission for it (Service Authorization Reference, Amazon CloudWatch).
    return [
        Statement(
            sid="ReadMetrics",
            actions=["cloudwatch:GetMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": account.region}},
        )
    ]
