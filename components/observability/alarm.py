"""What an alarm is, and how it is declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pulumi
import pulumi_aws as aws

from components.observability.metrics import Metric

PERIOD_SECONDS = 300
HOUR_SECONDS = 3600
RUNBOOKS = "docs/operations.md"

Comparison: TypeAlias = Literal["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold"]

MissingData: TypeAlias = Literal["notBreaching", "breaching", "ignore"]
"""What no data means: that all is well, that it is not, or that all is as it was."""


@dataclass(frozen=True, kw_only=True)
class Expression:
    """Metric math.

    Parameters
    ----------
    label
        What it computes.
    formula, metrics
        How, of which metrics: the id that each has in the formula → metric.
    """

    label: str
    formula: str
    metrics: Mapping[str, Metric]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm.

    Parameters
    ----------
    name
        The end of its name.
    meaning, causes, runbook
        What the mail says: what happened, why it may have, and which section of the runbooks says what to do.
    metric
        What it looks at.
    comparison, threshold
        When it is raised.
    missing
        How it takes missing data.
    period_seconds, periods
        How long one value is measured, and how many in a row must be beyond the threshold.
    warm_up_minutes
        How long after it was made it is first raised. 0: at once.
    """

    name: str
    meaning: str
    causes: str
    runbook: str
    metric: Metric | Expression
    threshold: float
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    missing: MissingData
    period_seconds: int = PERIOD_SECONDS
    periods: int = 1
    warm_up_minutes: int = 0

    def declare(
        self, prefix: str, topic_arns: Sequence[pulumi.Input[str]], opts: pulumi.ResourceOptions
    ) -> aws.cloudwatch.MetricAlarm:
        """Declare it. The topics hear of each change; who subscribes gets alarms and their ends alone."""
        warm_up = aws.cloudwatch.MetricAlarmWarmUpConfigurationArgs(
            warm_up_period_duration_in_minutes=self.warm_up_minutes
        )
        args = aws.cloudwatch.MetricAlarmArgs(
            alarm_description=describe(self.meaning, self.causes, self.runbook),
            evaluation_periods=self.periods,
            threshold=self.threshold,
            comparison_operator=self.comparison,
            treat_missing_data=self.missing,
            warm_up_configuration=warm_up if self.warm_up_minutes else None,
            alarm_actions=list(topic_arns),
            ok_actions=list(topic_arns),
        )
        if isinstance(self.metric, Expression):
            args.metric_queries = self._queries(self.metric)
        else:
            args.namespace, args.metric_name = self.metric.namespace, self.metric.name
            args.dimensions = self.metric.dimensions
            args.period = self.period_seconds
            if self.metric.statistic.startswith("p"):
                args.extended_statistic = self.metric.statistic
            else:
                args.statistic = self.metric.statistic
        return aws.cloudwatch.MetricAlarm(f"{prefix}-{self.name}", args, opts=opts)

    def _queries(self, expression: Expression) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
        query = aws.cloudwatch.MetricAlarmMetricQueryArgs
        result = query(id="result", expression=expression.formula, label=expression.label, return_data=True)
        metrics = [
            query(
                id=metric_id,
                metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                    namespace=metric.namespace,
                    metric_name=metric.name,
                    dimensions=metric.dimensions,
                    period=self.period_seconds,
                    stat=metric.statistic,
                ),
            )
            for metric_id, metric in expression.metrics.items()
        ]
        return [result, *metrics]


@dataclass(frozen=True, kw_only=True)
class CompositeAlarm:
    """An alarm on other alarms, which tell nobody by themselves.

    Parameters
    ----------
    name
        The end of its name.
    meaning, causes, runbook
        What the mail says, as of every `Alarm`.
    any_of
        It is raised while all alarms of one of these are.
    """

    name: str
    meaning: str
    causes: str
    runbook: str
    any_of: Sequence[Sequence[Alarm]]

    def declare(
        self, prefix: str, topic_arns: Sequence[pulumi.Input[str]], opts: pulumi.ResourceOptions
    ) -> aws.cloudwatch.CompositeAlarm:
        """Declare it, and the alarms that it is made of. The topics hear of its changes alone."""
        groups = [[alarm.declare(prefix, [], opts).name for alarm in alarms] for alarms in self.any_of]
        rule = pulumi.Output.all(*(pulumi.Output.all(*names) for names in groups)).apply(_rule)
        return aws.cloudwatch.CompositeAlarm(
            f"{prefix}-{self.name}",
            # The provider makes none up.
            alarm_name=f"{prefix}-{self.name}",
            alarm_description=describe(self.meaning, self.causes, self.runbook),
            alarm_rule=rule,
            alarm_actions=list(topic_arns),
            ok_actions=list(topic_arns),
            opts=opts,
        )


def describe(meaning: str, causes: str, runbook: str) -> str:
    """Return what an alarm's mail says."""
    return f"{meaning} Likely causes: {causes}. What to do: {RUNBOOKS}, section {runbook!r}."


def _rule(groups: Sequence[Sequence[str]]) -> str:
    all_of = [" AND ".join(f'ALARM("{name}")' for name in names) for names in groups]
    return " OR ".join(f"({names})" for names in all_of)
