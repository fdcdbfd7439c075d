"""What every function's role may do, whatever the function does: log, trace, and join a network."""

from __future__ import annotations

from typing import Final

import pulumi

from components.account import Account
from components.iam import Statement

INSIGHTS_LOG_GROUP = "/aws/lambda-insights"

_NETWORK_ACTIONS: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def write_logs(sid: str, log_group_arn: pulumi.Input[str]) -> Statement:
    """Grant writing to the streams of a log group."""
    return Statement(
        sid=sid,
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[pulumi.Output.concat(log_group_arn, ":log-stream:*")],
    )


def write_insights(account: Account) -> list[Statement]:
    """Grant what the Lambda Insights extension does."""
    group = account.arn("logs", f"log-group:{INSIGHTS_LOG_GROUP}")
    # The extension makes the group, which all stacks of the account share, when it is not there.
    make_group = Statement(sid="MakeInsights", actions=["logs:CreateLogGroup"], resources=[group])
    return [make_group, write_logs("WriteInsights", group)]


def send_traces(account: Account) -> Statement:
    """Grant sending traces to X-Ray."""
    # X-Ray has no resource-level permission for these two (Service Authorization Reference, AWS X-Ray).
    return Statement(
        sid="SendTraces",
        actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        resources=["*"],
        conditions={"StringEquals": {"aws:RequestedRegion": account.region}},
    )


def join_network(name: str, account: Account) -> list[Statement]:
    """Grant Lambda itself to put the function into its VPC, and deny it to the function's own code.

    The first is what AWS asks for (Lambda Developer Guide, Giving Lambda functions access to resources in a VPC): there
    is no interface yet that it could be bound to.
    """
    return [
        Statement(
            sid="JoinNetwork",
            actions=list(_NETWORK_ACTIONS),
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": account.region}},
        ),
        Statement(
            sid="CodeLeavesNetworkAlone",
            effect="Deny",
            actions=list(_NETWORK_ACTIONS),
            resources=["*"],
            # Pulumi adds a suffix to the function's name.
            conditions={"ArnLike": {"lambda:SourceFunctionArn": account.arn("lambda", f"function:{name}-*")}},
        ),
    ]
