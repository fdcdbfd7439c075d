"""Every alarm, to its last property; who gets it, and what its mail says."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import pytest

from local.stack_config import ROOT
from tests.conftest import ACCOUNT, REGION, declare
from tests.declared_stack import Declared, DeclaredStack, dig
from tests.metrics import Seen, alarms, of_alarm, seen

ENDPOINT: Final = "https://receiver.example.com/files"
EVERYTHING: Final = {"deliveryEndpoint": ENDPOINT, "silenceAlarmHours": 24}
TIMEOUT: Final = {"dev": 60, "prod": 120}
AT_LEAST, MORE, LESS = "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold"
FORMULAS: Final = {
    "ingest-failures": "100 * failed / (completed + failed + rejected + skipped)",
    "ingest-rejections": "100 * rejected / (completed + failed + rejected + skipped)",
    "intake-stalled": "(visible > 0) > (deleted > 0)",
    "intake-silence": "completed + failed + rejected + skipped + 0 * visible",
    **{f"ingest-late-{minutes}-minutes": "100 * (late > 1) * late / files" for minutes in (60, 360)},
    **{f"ingest-late-{minutes}-minutes": "100 * late / files" for minutes in (5, 30)},
}
LATE: Final = {60: 14.4, 5: 14.4, 360: 6, 30: 6}
"""Minutes of a window → times as fast as the budget of 1 % may burn."""


class Expected(NamedTuple):
    """All that decides when an alarm rings."""

    watched: list[Seen]
    threshold: float
    comparison: str = AT_LEAST
    missing: str = "notBreaching"
    period: int = 300
    periods: int = 1


@pytest.fixture(scope="module", params=["dev", "prod"])
def everything(request: pytest.FixtureRequest) -> DeclaredStack:
    """Each stage with every alarm."""
    return declare(request.param, overrides=EVERYTHING)


def expected_function_alarms(stage: str) -> dict[str, Expected]:
    prefix = f"file-pipeline-{stage}"
    # 90 % of the time-out, or all of it but the reserve of 10 s, whichever is later.
    worker = max(0.9 * TIMEOUT[stage], TIMEOUT[stage] - 10) * 1000
    slow = {"ingest": worker, "forward": worker, "reconcile": worker, "api": 0.9 * 29_000, "delivery": 0.9 * 56_000}
    return {
        **{
            f"{purpose}-{name.lower()}": Expected(
                [seen("AWS/Lambda", name, {"FunctionName": f"{prefix}-{purpose}"})], threshold=1
            )
            for purpose in slow
            for name in ("Errors", "Throttles")
        },
        **{
            f"{purpose}-duration": Expected(
                [seen("AWS/Lambda", "Duration", {"FunctionName": f"{prefix}-{purpose}"}, "Maximum")],
                threshold=threshold,
                comparison=MORE,
                periods=2,
            )
            for purpose, threshold in slow.items()
        },
    }


def expected_alarms(stage: str) -> dict[str, Expected]:
    """Every alarm that there should be, on the resources of the stage."""
    prefix = f"file-pipeline-{stage}"
    queue, dead, undelivered = (
        {"QueueName": f"{prefix}-{name}"} for name in ("intake-queue", "intake-dead-letters", "delivery-dead-letters")
    )
    api, table = {"ApiId": f"{prefix}-api"}, {"TableName": f"{prefix}-catalog-table"}
    sources = {"table": table} | {i: table | {"GlobalSecondaryIndexName": i} for i in ("by-bucket", "by-status")}
    visible = "ApproximateNumberOfMessagesVisible"
    outcomes = [
        seen(f"file-pipeline/{stage}", f"Files{outcome}", {"service": "ingest"})
        for outcome in ("Completed", "Failed", "Rejected", "Skipped")
    ]
    age = seen("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, "Maximum")
    late = [
        seen(f"file-pipeline/{stage}", "FilesLate", {"service": "ingest"}, statistic)
        for statistic in ("Sum", "SampleCount")
    ]
    waiting = [seen("AWS/SQS", visible, queue, "Maximum"), seen("AWS/SQS", "NumberOfMessagesDeleted", queue)]
    forward, messages = {"FunctionName": f"{prefix}-forward"}, {"QueueName": f"{prefix}-delivery-queue"}
    return {
        **expected_function_alarms(stage),
        **{
            f"{source}-{kind.lower()}-throttles": Expected(
                [seen("AWS/DynamoDB", f"{kind}ThrottleEvents", dimensions)], threshold=1
            )
            for source, dimensions in sources.items()
            for kind in ("Read", "Write")
        },
        "ingest-failures": Expected(outcomes, threshold=5, comparison=MORE),
        "ingest-rejections": Expected(outcomes, threshold=20, comparison=MORE, period=3600),
        "intake-age": Expected([age], threshold=5 * 6 * TIMEOUT[stage] + 300),
        "intake-stalled": Expected(waiting, threshold=1, periods=3),
        "intake-silence": Expected(
            [*outcomes, seen("AWS/SQS", visible, queue, "Maximum")],
            threshold=1,
            comparison=LESS,
            missing="breaching",
            period=3600,
            periods=24,
        ),
        **{
            f"ingest-late-{minutes}-minutes": Expected(late, threshold=rate, comparison=MORE, period=60 * minutes)
            for minutes, rate in LATE.items()
        },
        "intake-dead-letters": Expected([seen("AWS/SQS", visible, dead, "Maximum")], threshold=1, missing="ignore"),
        "delivery-dead-letters": Expected(
            [seen("AWS/SQS", visible, undelivered, "Maximum")], threshold=1, missing="ignore"
        ),
        "reconcile-missed": Expected(
            [seen(f"file-pipeline/{stage}", "UploadsMissed", {"service": "reconcile"})], threshold=1, period=3600
        ),
        "forward-age": Expected([seen("AWS/Lambda", "IteratorAge", forward, "Maximum")], threshold=900_000),
        "delivery-age": Expected(
            [seen("AWS/SQS", "ApproximateAgeOfOldestMessage", messages, "Maximum")], threshold=900
        ),
        "api-5xx": Expected([seen("AWS/ApiGateway", "5xx", api)], threshold=1),
        "api-latency": Expected(
            [seen("AWS/ApiGateway", "Latency", api, "p99")], threshold=5000, comparison=MORE, periods=3
        ),
    }


def found_alarm(alarm: Declared) -> Expected:
    inner = [query["metric"] for query in alarm.parts("metricQueries")[1:]] if "metricQueries" in alarm.inputs else []
    (period,) = {metric["period"] for metric in inner if isinstance(metric, dict)} or {alarm.inputs.get("period")}
    return Expected(
        of_alarm(alarm),
        alarm.number("threshold"),
        alarm.text("comparisonOperator"),
        alarm.text("treatMissingData"),
        int(str(period).removesuffix(".0")),
        int(alarm.number("evaluationPeriods")),
    )


def test_every_alarm_is_there_and_no_other(everything: DeclaredStack) -> None:
    """Metrics, dimensions, statistic, direction, threshold, period and what silence means, of each."""
    assert {name: found_alarm(alarm) for name, alarm in alarms(everything).items()} == expected_alarms(everything.stage)


def test_expressions(everything: DeclaredStack) -> None:
    found = {}
    for name, alarm in alarms(everything).items():
        if "metricQueries" in alarm.inputs:
            result, *metrics = alarm.parts("metricQueries")
            found[name] = result["expression"]
            assert result["returnData"] is True
            assert not any(metric.get("returnData") for metric in metrics)

    assert found == FORMULAS


def test_every_alarm_has_its_runbook_and_tells_somebody(everything: DeclaredStack) -> None:
    everything = declare(everything.stage, overrides={**EVERYTHING, "release": "canary10Percent5Minutes"})
    guide = (ROOT / "docs" / "operations.md").read_text()
    before, _, _ = guide.partition("## Without an alarm")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{everything.one('Topic').name}"
    used = set()
    for alarm in (*everything.all("MetricAlarm"), everything.one("CompositeAlarm")):
        text = alarm.text("alarmDescription")
        found = re.search(r"Likely causes: .+\. What to do: docs/operations\.md, section '(.+)'\.$", text)
        assert found, text
        assert len(text) <= 1024, "CloudWatch takes no longer description"
        told = [] if "-ingest-late-" in alarm.name else [topic]
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == told
        used.add(found[1])
    assert set(re.findall(r"^### (.+)$", before, re.MULTILINE)) == used, (
        "a runbook without an alarm, or an alarm without"
    )


def test_late_files_raise_one_alarm_when_the_budget_burns_fast_and_still_does(everything: DeclaredStack) -> None:
    def window(minutes: int) -> str:
        return f'ALARM("{alarms(everything)[f"ingest-late-{minutes}-minutes"].name}")'

    alarm = everything.one("CompositeAlarm")

    assert alarm.name == f"file-pipeline-{everything.stage}-monitoring-ingest-late"
    assert alarm.text("alarmRule") == f"({window(60)} AND {window(5)}) OR ({window(360)} AND {window(30)})"


def test_late_is_a_setting(stack: DeclaredStack) -> None:
    settings = {"finalWithinSeconds": 60, "finalWithinPercent": 95}
    changed, without = declare("dev", overrides=settings), declare("dev", overrides={"finalWithinSeconds": 0})

    for declared, seconds in ((changed, "60"), (without, "0"), (stack, "300")):
        variables = dig(declared.one("Function", "-ingest").inputs, "environment", "variables")
        assert dig(variables, "FINAL_WITHIN_SECONDS") == seconds
    thresholds = {minutes: alarms(changed)[f"ingest-late-{minutes}-minutes"].number("threshold") for minutes in LATE}
    assert thresholds == {60: 72, 5: 72, 360: 30, 30: 30}
    assert without.all("CompositeAlarm") == []
    assert not [name for name in alarms(without) if name.startswith("ingest-late")]


def test_the_output_names_every_alarm_that_tells_somebody(everything: DeclaredStack) -> None:
    heard = [*everything.all("MetricAlarm"), *everything.all("CompositeAlarm")]

    assert sorted(str(everything.outputs["alarmNames"]).split(",")) == sorted(
        alarm.name for alarm in heard if alarm.inputs["alarmActions"]
    )


def test_only_the_function_that_reads_files_has_them_for_a_cause(everything: DeclaredStack) -> None:
    texts = {alarm.name: alarm.text("alarmDescription") for alarm in everything.all("MetricAlarm")}

    for cause, ending in (("a file too large", "-errors"), ("recordBytesPerSecond", "-duration")):
        named = [name for name, text in texts.items() if name.endswith(ending) and cause in text]
        assert [name.removesuffix(ending).rpartition("-")[2] for name in named] == ["ingest"]


def test_the_age_of_deliveries_is_a_setting() -> None:
    changed = declare("dev", overrides={"deliveryEndpoint": ENDPOINT, "deliveryAlarmSeconds": 60})

    assert alarms(changed)["delivery-age"].number("threshold") == 60
    assert alarms(changed)["forward-age"].number("threshold") == 60_000


def test_without_a_delivery_nothing_watches_one(stack: DeclaredStack) -> None:
    assert not [name for name in alarms(stack) if name.startswith(("delivery", "forward"))]


def test_the_alert_topic_takes_alarms_of_this_account_only(stack: DeclaredStack) -> None:
    publish = stack.one("TopicPolicy").statements()["AlarmsPublish"]

    assert stack.one("Topic").text("displayName") == f"file-pipeline alerts ({stack.stage})"
    assert publish["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert publish["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_addresses_are_subscribed_by_config(stack: DeclaredStack) -> None:
    addresses = ["ops@example.com", "night@example.com"]
    both = declare("prod", overrides={"alertEmails": addresses}).all("TopicSubscription")
    one = declare("prod", overrides={"alertEmails": addresses[1:]}).one("TopicSubscription")

    assert {s.text("endpoint") for s in both} == set(addresses)
    assert one.urn in {s.urn for s in both}, "taking one off leaves the other alone"
    assert stack.all("TopicSubscription") == []
