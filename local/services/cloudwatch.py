"""CloudWatch and CloudWatch Logs on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import (
        DimensionTypeDef,
        MetricDataQueryTypeDef,
        MetricStatTypeDef,
        PutCompositeAlarmInputTypeDef,
        PutMetricAlarmInputTypeDef,
    )


def _log_group(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=name, kmsKeyId=inputs.text("kmsKeyId"))
    logs.put_retention_policy(logGroupName=name, retentionInDays=inputs.integer("retentionInDays"))
    return Created(id=name, outputs={"name": name, "arn": cloud.arn("logs", f"log-group:{name}")})


def _alarm(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    request = inputs.as_api(
        *("alarmDescription", "evaluationPeriods", "threshold", "comparisonOperator", "treatMissingData"),
        *("alarmActions", "namespace", "metricName", "statistic", "extendedStatistic", "period"),
    )
    request |= {"AlarmName": name, "OKActions": inputs.texts("okActions")}
    if "metricQueries" in inputs:
        request["Metrics"] = [_query(query) for query in inputs.parts("metricQueries")]
    else:
        request["Dimensions"] = _dimensions(inputs)
    cloud.client("cloudwatch").put_metric_alarm(**cast("PutMetricAlarmInputTypeDef", request))
    return Created(id=name, outputs={"name": name, "arn": cloud.arn("cloudwatch", f"alarm:{name}")})


def _composite_alarm(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.text("alarmName")
    request = inputs.as_api("alarmName", "alarmDescription", "alarmRule", "alarmActions")
    request["OKActions"] = inputs.texts("okActions")
    cloud.client("cloudwatch").put_composite_alarm(**cast("PutCompositeAlarmInputTypeDef", request))
    return Created(id=name, outputs={"arn": cloud.arn("cloudwatch", f"alarm:{name}")})


def _dimensions(inputs: Inputs) -> list[DimensionTypeDef]:
    return [{"Name": name, "Value": value} for name, value in inputs.mapping("dimensions").items()]


def _query(query: Inputs) -> MetricDataQueryTypeDef:
    if "expression" in query:
        return cast("MetricDataQueryTypeDef", query.as_api("id", "expression", "label", "returnData"))
    metric = query.part("metric")
    statistic: MetricStatTypeDef = {
        "Metric": {
            "Namespace": metric.text("namespace"),
            "MetricName": metric.text("metricName"),
            "Dimensions": _dimensions(metric),
        },
        "Period": metric.integer("period"),
        "Stat": metric.text("stat"),
    }
    return {"Id": query.text("id"), "ReturnData": query.flag("returnData"), "MetricStat": statistic}


def _dashboard(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.text("dashboardName")
    cloud.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs.text("dashboardBody"))
    return Created(id=name, outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _composite_alarm,
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
}
