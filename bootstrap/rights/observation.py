"""What shows how the stack is: logs, alarms, the dashboard."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Rights, Table, Target
from bootstrap.rights.targets import IN_REGION

_LOG_GROUP: Final = Target(
    sid="LogGroups",
    service="logs",
    arns=(
        "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{name}",
        "arn:{partition}:logs:{region}:{account}:log-group:/aws/vendedlogs/{name}",
    ),
)
_LOG_LISTS: Final = Target(
    sid="LogGroupLists",
    service="logs",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for lists",
)
_ALARM: Final = Target(
    sid="Alarms", service="cloudwatch", arns=("arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",)
)
ALARM_LISTS: Final = Target(
    sid="AlarmLists",
    service="cloudwatch",
    arns=("*",),
    conditions=IN_REGION,
    why="composite alarms are shown to those alone who may list all (CloudWatch API Reference, DescribeAlarms)",
)
_DASHBOARD: Final = Target(
    sid="Dashboards", service="cloudwatch", arns=("arn:{partition}:cloudwatch::{account}:dashboard/{prefix}",)
)

OBSERVATION: Final[Table] = {
    "aws:cloudwatch/logGroup:LogGroup": (
        Rights(
            on=_LOG_GROUP,
            create="AssociateKmsKey CreateLogGroup PutRetentionPolicy TagResource",
            read="ListTagsForResource",
            update="DeleteRetentionPolicy DisassociateKmsKey UntagResource",
            delete="DeleteLogGroup",
        ),
        Rights(on=_LOG_LISTS, read="DescribeLogGroups"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        Rights(
            on=_ALARM,
            create="PutMetricAlarm TagResource",
            read="ListTagsForResource",
            update="UntagResource",
            delete="DeleteAlarms",
        ),
        Rights(on=ALARM_LISTS, read="DescribeAlarms"),
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": (
        Rights(
            on=_ALARM,
            create="PutCompositeAlarm TagResource",
            read="ListTagsForResource",
            update="UntagResource",
            delete="DeleteAlarms",
        ),
        Rights(on=ALARM_LISTS, read="DescribeAlarms"),
    ),
    "aws:cloudwatch/dashboard:Dashboard": (
        Rights(on=_DASHBOARD, create="PutDashboard", read="GetDashboard", delete="DeleteDashboards"),
    ),
}
