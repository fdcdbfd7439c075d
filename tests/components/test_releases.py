"""Releases: what calls a function calls a version of it that has started."""

from __future__ import annotations

import json

import pytest

from components.function import ALIAS, CHECK_EVENT
from components.settings import SettingsError
from operate.session import LIVE
from shared import check
from tests.conftest import declare
from tests.declared_stack import Declared, DeclaredStack, dig, texts
from tests.metrics import Seen, of_alarm, seen

PURPOSES = ("ingest", "api", "reconcile", "forward", "delivery")


@pytest.fixture(scope="module")
def delivering() -> DeclaredStack:
    return declare("prod-delivery")


def alias_of(stack: DeclaredStack, purpose: str) -> Declared:
    return stack.one("Alias", f"-{purpose}-alias")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_alias_moves_to_a_new_version_when_that_has_started(delivering: DeclaredStack, purpose: str) -> None:
    function, alias = delivering.one("Function", f"-{purpose}"), alias_of(delivering, purpose)
    start = delivering.one("Invocation", f"-{purpose}-check")

    assert function.inputs["publish"] is True
    assert json.loads(start.text("input")) == CHECK_EVENT
    for resource, version in ((start, "qualifier"), (alias, "functionVersion")):
        assert resource.text("functionName") == function.name
        assert resource.sources[version] == [function.urn], "it follows the function's own version"
    assert "lifecycleScope" not in start.inputs, "a version is invoked once, and nothing when it is deleted"
    assert start.urn in alias.dependencies


@pytest.mark.parametrize("purpose", ["ingest", "forward", "delivery"])
def test_queues_and_the_stream_call_the_alias(delivering: DeclaredStack, purpose: str) -> None:
    source = delivering.one("EventSourceMapping", f"-{purpose}-source")

    assert source.sources["functionName"] == [alias_of(delivering, purpose).urn]


def test_the_api_calls_the_alias_and_may_call_nothing_else(stack: DeclaredStack) -> None:
    alias, permission = alias_of(stack, "api"), stack.one("Permission")

    assert stack.one("Integration").sources["integrationUri"] == [alias.urn]
    assert permission.text("qualifier") == ALIAS
    assert permission.sources["qualifier"] == [alias.urn]


def test_the_schedule_calls_the_alias_and_may_call_nothing_else(stack: DeclaredStack) -> None:
    alias = f"arn:aws:lambda:eu-central-1:123456789012:{stack.one('Function', '-reconcile').name}:live"

    assert stack.one("Schedule").part("target")["arn"] == alias
    assert texts(stack.one("RolePolicy", "-schedule-policy").statements()["Invoke"]["Resource"]) == [alias]


def test_functions_and_operators_know_the_names_that_the_stack_uses() -> None:
    assert set(CHECK_EVENT) == {check.KEY}
    assert LIVE == ALIAS


@pytest.fixture(scope="module")
def canary() -> DeclaredStack:
    return declare("prod-canary")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_shifting_release_leaves_the_alias_to_codedeploy(
    canary: DeclaredStack, delivering: DeclaredStack, purpose: str
) -> None:
    assert alias_of(canary, purpose).ignore_changes == ["functionVersion", "routingConfig"]
    assert alias_of(delivering, purpose).ignore_changes == [], "at once, the alias moves with the update"
    check = canary.one("Invocation", f"-{purpose}-check")
    assert check.urn in alias_of(canary, purpose).dependencies


@pytest.mark.parametrize("purpose", PURPOSES)
def test_each_function_has_a_group_that_rolls_back_on_its_alarms(canary: DeclaredStack, purpose: str) -> None:
    group = canary.one("DeploymentGroup", f"-{purpose}")
    alarms = [alarm.name for alarm in canary.all("MetricAlarm") if f"-releases-{purpose}-" in alarm.name]

    assert group.text("deploymentGroupName") == purpose
    assert group.text("deploymentConfigName") == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert group.part("deploymentStyle") == {
        "deploymentOption": "WITH_TRAFFIC_CONTROL",
        "deploymentType": "BLUE_GREEN",
    }
    assert sorted(texts(dig(group.inputs, "alarmConfiguration", "alarms"))) == sorted(alarms)
    assert dig(group.inputs, "alarmConfiguration", "enabled") is True
    assert not dig(group.inputs, "alarmConfiguration", "ignorePollAlarmFailure"), "what cannot be seen is not released"
    events = {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"}
    assert set(texts(dig(group.inputs, "autoRollbackConfiguration", "events"))) == events
    assert canary.one("RolePolicy", "-releases-policy").urn in group.dependencies


def test_the_alarms_look_at_the_new_version_and_at_what_comes_out(canary: DeclaredStack) -> None:
    prefix, own = "file-pipeline-prod-canary", "file-pipeline/prod-canary"
    looked_at = {
        alarm.name.removeprefix(f"{prefix}-releases-"): set(of_alarm(alarm))
        for alarm in canary.all("MetricAlarm")
        if "-releases-" in alarm.name
    }

    def errors(purpose: str) -> set[Seen]:
        name = f"{prefix}-{purpose}"
        dimensions = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": "7"}
        return {seen("AWS/Lambda", "Errors", dimensions)}

    def outcome(purpose: str, *names: str) -> set[Seen]:
        return {seen(own, name, {"service": purpose, "version": "7"}) for name in names}

    assert looked_at == {
        **{f"{purpose}-errors": errors(purpose) for purpose in PURPOSES},
        "ingest-failures": outcome("ingest", "FilesCompleted", "FilesFailed", "FilesRejected", "FilesSkipped"),
        "ingest-dead-letters": outcome("ingest", "MessagesDeadLettered"),
        "forward-failures": outcome("forward", "BatchesReturned"),
        "forward-dead-letters": outcome("forward", "ChangesDeadLettered"),
        "delivery-failures": outcome("delivery", "DeliveriesDeadLettered"),
        "api-failures": {seen("AWS/ApiGateway", "5xx", {"ApiId": canary.one("Api").text("name")})},
    }


def test_one_event_raises_each_alarm_but_that_on_a_share(canary: DeclaredStack) -> None:
    alarms = {
        alarm.name: (alarm.inputs["threshold"], alarm.text("comparisonOperator"))
        for alarm in canary.all("MetricAlarm")
        if "-releases-" in alarm.name
    }
    (percent,) = (alarms.pop(name) for name in list(alarms) if name.endswith("-releases-ingest-failures"))

    assert percent == (5, "GreaterThanThreshold")
    assert set(alarms.values()) == {(1, "GreaterThanOrEqualToThreshold")}


def test_codedeploy_may_shift_these_functions_and_no_others(canary: DeclaredStack) -> None:
    statements = canary.one("RolePolicy", "-releases-policy").statements()
    functions = [function.name for function in canary.all("Function")]
    trust = canary.one("Role", "-releases-role").statements("assumeRolePolicy")["CodedeployAssumes"]

    assert set(statements) == {"ShiftAliases", "ReadAlarms"}
    shifted = {resource.split(":", 5)[5] for resource in texts(statements["ShiftAliases"]["Resource"])}
    assert shifted == {*functions, *(f"{name}:live" for name in functions)}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_at_once_there_is_no_codedeploy(stack: DeclaredStack) -> None:
    assert not stack.all("DeploymentGroup")
    assert "releaseApplicationName" not in stack.outputs
    function = stack.one("Function", "-ingest")
    assert dig(function.inputs, "environment", "variables", "METRICS_BY_VERSION") == "false", "each metric is billed"


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("canary10Percent30Minutes", "CodeDeployDefault.LambdaCanary10Percent30Minutes"),
        ("linear10PercentEvery1Minute", "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"),
        ("linear10PercentEvery10Minutes", "CodeDeployDefault.LambdaLinear10PercentEvery10Minutes"),
    ],
)
def test_a_release_goes_by_codedeploys_own_name(release: str, name: str) -> None:
    group = declare("dev", overrides={"release": release}).one("DeploymentGroup", "-ingest")

    assert group.text("deploymentConfigName") == name


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"release": "canary10Percent7Minutes"}, "release = 'canary10Percent7Minutes'"),
        ({"release": "canary10Percent5Minutes", "alarms": False, "alertEmails": []}, "alarms = false: set alarms"),
        ({"keptVersions": 0}, "keptVersions = 0"),
    ],
)
def test_a_wrong_release_is_refused(overrides: dict[str, object], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        declare("dev", overrides=overrides)


def test_the_apis_function_alone_starts_from_a_snapshot_where_the_stage_asks(stack: DeclaredStack) -> None:
    snapshots = declare(stack.stage, overrides={"apiSnapStart": True})

    assert not [function.name for function in stack.all("Function") if "snapStart" in function.inputs]
    (function,) = [function for function in snapshots.all("Function") if "snapStart" in function.inputs]
    assert function.name.endswith("-api")
    assert function.part("snapStart") == {"applyOn": "PublishedVersions"}
