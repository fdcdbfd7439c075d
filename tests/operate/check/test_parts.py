"""``check``: what it finds of each part of a stack."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime

import pytest

from tests.lambda_src.conftest import Aws, Calls
from tests.operate.check.conftest import (
    QUEUES,
    Answers,
    Pipeline,
    alias_of,
    change,
    failed,
    left,
    states,
)
from tests.operate.conftest import Operate, add_output

KEY = "--region eu-central-1 --key-id arn:aws:kms:eu-central-1:123456789012:key/1"
ENABLE_KEY = f"`aws kms enable-key {KEY}`"
CANCEL_DELETION = f"`aws kms cancel-key-deletion {KEY}`"

pytestmark = pytest.mark.usefixtures("answers")


def test_a_stack_that_works(aws: Aws, calls: Calls, operate: Operate) -> None:
    Pipeline(aws, calls)

    ran = operate("check", "--json")

    assert (ran.status, ran.json()["ok"], failed(ran)) == (0, True, {})
    left_out = {part: detail for part, (state, detail) in states(ran).items() if state == "left out"}
    assert left_out == {
        "API's health": "the stack has no API",
        "file: API's answer": "the stack has no API",
    }
    assert left(aws) == []


def test_it_is_a_table_for_people(aws: Aws, calls: Calls, operate: Operate, answers: Answers) -> None:
    Pipeline(aws, calls)
    answers["DescribeKey"]["KeyMetadata"] = {"KeyState": "PendingDeletion"}

    ran = operate("check")

    assert ran.status == 1
    assert re.search(r"│ key +│ failed +│ arn:aws:kms:\S+ is PendingDeletion", ran.out)
    assert re.search(r"│ file: removal +│ ok ", ran.out)
    assert ran.out.splitlines()[-1] == "Needs attention: key."


@pytest.mark.parametrize(
    ("operation", "path", "value", "part", "said"),
    [
        ("GetBucketNotificationConfiguration", ("QueueConfigurations",), [], "bucket's notification", "does not send"),
        (
            "GetBucketNotificationConfiguration",
            ("QueueConfigurations", 0, "QueueArn"),
            f"{QUEUES}other",
            "bucket's notification",
            "does not send",
        ),
        (
            "GetBucketNotificationConfiguration",
            ("QueueConfigurations", 0, "Filter", "Key", "FilterRules", 0, "Value"),
            "other/",
            "bucket's notification",
            "under uploads/",
        ),
        ("GetQueueAttributes", ("Attributes", "RedrivePolicy"), "{}", "delivery queue", "to nowhere"),
        ("GetFunctionConfiguration", ("State",), "Failed", "reconcile function", "is Failed"),
        ("GetFunctionConfiguration", ("LastUpdateStatus",), "Failed", "forward function", "the last update"),
        ("GetAlias", ("FunctionVersion",), "9", "ingest function", "version 9, and 10 is the newest"),
        ("GetAlias", ("RoutingConfig",), {"AdditionalVersionWeights": {"9": 0.9}}, "ingest function", "two versions"),
        ("ListEventSourceMappings", ("EventSourceMappings",), [], "forward function's event source", "hands"),
        (
            "ListEventSourceMappings",
            ("EventSourceMappings", 0, "FunctionArn"),
            alias_of("ingest").removesuffix(":live"),
            "ingest function's event source",
            "file-pipeline-dev-ingest:live",
        ),
        (
            "ListEventSourceMappings",
            ("EventSourceMappings", 2, "State"),
            "Disabled",
            "delivery function's event source",
            "--region eu-central-1 --uuid delivery --enabled",
        ),
        ("GetSchedule", ("State",), "DISABLED", "reconcile function's schedule", "is DISABLED: `pulumi up --refresh"),
        ("GetSchedule", ("Target", "Arn"), alias_of("ingest"), "reconcile function's schedule", "reconcile:live"),
        ("DescribeAlarms", ("CompositeAlarms",), [], "alarms", "not there: late"),
        ("DescribeAlarms", ("MetricAlarms", 0, "ActionsEnabled"), False, "alarms", "--alarm-names errors`"),
        ("DescribeAlarms", ("CompositeAlarms", 0, "AlarmActions"), ["other"], "alarms", "alerts: late"),
        (
            "ListSubscriptionsByTopic",
            ("Subscriptions", 0, "SubscriptionArn"),
            "PendingConfirmation",
            "alert topic's subscriptions",
            "not confirmed: a@example.com",
        ),
        ("DescribeKey", ("KeyMetadata", "KeyState"), "Disabled", "key", f"is Disabled: {ENABLE_KEY}"),
        ("DescribeKey", ("KeyMetadata", "KeyState"), "PendingDeletion", "key", f"{CANCEL_DELETION}; then {ENABLE_KEY}"),
        ("DescribeKey", ("KeyMetadata", "KeyState"), "Unavailable", "key", "is Unavailable"),
        ("DescribeSecret", ("DeletedDate",), datetime.now(UTC), "secret", "--secret-id arn:aws:"),
        ("DescribeSecret", ("VersionIdsToStages",), {"1": ["AWSPREVIOUS"]}, "secret", "no current version"),
        (
            "FilterLogEvents",
            ("events", 0, "message"),
            '{"message": "dead-lettered", "reason": "the endpoint answered 410"}',
            "file: delivery",
            "answered 410",
        ),
    ],
)
def test_a_part_that_is_not_as_it_should_be(
    aws: Aws,
    calls: Calls,
    operate: Operate,
    answers: Answers,
    operation: str,
    path: tuple[str | int, ...],
    value: object,
    part: str,
    said: str,
) -> None:
    Pipeline(aws, calls)
    change(answers, operation, *path, value=value)

    ran = operate("check", "--json")

    assert (ran.status, ran.json()["ok"]) == (1, False)
    assert said in failed(ran)[part]
    assert left(aws) == []


def test_an_error_of_aws_is_a_part_that_fails_and_the_rest_is_looked_at(
    aws: Aws, calls: Calls, operate: Operate
) -> None:
    Pipeline(aws, calls)
    calls.fail("DescribeTable", "AccessDeniedException", times=9)

    ran = operate("check", "--json")

    assert ran.status == 1
    assert failed(ran).keys() == {"catalog", "forward function's event source"}
    assert "AccessDenied" in failed(ran)["catalog"]


def test_what_can_be_looked_at_is_shown_though_the_stack_hides_its_settings(
    aws: Aws, calls: Calls, operate: Operate
) -> None:
    """An operator who may not use the key: Lambda does not show the functions' environment."""
    Pipeline(aws, calls)
    calls.fail("GetFunctionConfiguration", "AccessDeniedException", times=99)

    ran = operate("check", "--json")

    assert ran.status == 1
    assert {"ingest function", "file: upload", "file: removal"} <= failed(ran).keys()
    assert states(ran)["key"][0] == "ok"
    assert left(aws) == []


def test_outputs_of_something_else_are_refused(operate: Operate, calls: Calls) -> None:
    add_output("queueArn", "")

    assert operate("check").status == 2
    assert "DescribeTable" not in calls.made


def test_what_a_stack_leaves_out_is_no_fault(aws: Aws, calls: Calls, operate: Operate, answers: Answers) -> None:
    Pipeline(aws, calls)
    parts = ("forwardFunctionName", "deliveryFunctionName", "reconcileFunctionName", "reconcileScheduleName")
    for name in (*parts, "topicArn", "alarmNames", "deliveryQueueUrl", "deliveryQueueArn"):
        add_output(name, "")
    change(answers, "ListEventSourceMappings", "EventSourceMappings", 1, "State", value="Disabled")

    ran = operate("check", "--json")

    assert (ran.status, failed(ran)) == (0, {})
    assert {part for part, (state, _) in states(ran).items() if state == "ok"} == {
        *(
            "outputs",
            "bucket's notification",
            "intake queue",
            "catalog",
            "ingest function",
            "ingest function's event source",
        ),
        *("api function", "key", "secret", "file: upload", "file: final status", "file: records", "file: removal"),
    }


def test_nobody_to_tell_is_said_and_no_fault(aws: Aws, calls: Calls, operate: Operate, answers: Answers) -> None:
    Pipeline(aws, calls)
    change(answers, "ListSubscriptionsByTopic", "Subscriptions", value=[])

    state, detail = states(operate("check", "--json"))["alert topic's subscriptions"]

    assert (state, "nobody has subscribed" in detail) == ("left out", True)


def test_files_of_checks_are_followed_to_the_endpoint_only_if_they_are_sent_there(
    aws: Aws, calls: Calls, operate: Operate, answers: Answers
) -> None:
    Pipeline(aws, calls)
    change(answers, "GetFunctionConfiguration", "Environment", "Variables", "DELIVER_CHECKS", value="false")

    assert states(operate("check", "--json"))["file: delivery"][0] == "left out"
    assert "FilterLogEvents" not in calls.made


def test_an_endpoint_is_reached_from_where_it_is_delivered_from(
    aws: Aws, calls: Calls, operate: Operate, answers: Answers
) -> None:
    Pipeline(aws, calls)
    variables = ("GetFunctionConfiguration", "Environment", "Variables", "ENDPOINT_URL")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    change(answers, *variables, value=f"https://127.0.0.1:{port}/files")
    assert "cannot be reached from here" in failed(operate("check", "--json"))["delivery's endpoint"]

    Pipeline(aws, calls)
    change(answers, "GetFunctionConfiguration", "VpcConfig", value={"SubnetIds": ["subnet-1"]})
    assert states(operate("check", "--json"))["delivery's endpoint"][0] == "left out"


@pytest.mark.parametrize("endpoint", ["https://127.0.0.1:1", "http://127.0.0.1:1"])
def test_an_api_that_does_not_answer(aws: Aws, calls: Calls, operate: Operate, endpoint: str) -> None:
    Pipeline(aws, calls)
    add_output("apiEndpoint", endpoint)

    ran = operate("check", "--json")

    assert endpoint in failed(ran)["API's health"]
    assert states(ran)["file: API's answer"] == (
        "left out",
        "there is nobody to sign in as: the stack has no programClient",
    )


def test_a_version_without_its_environment_is_named_and_the_rest_is_looked_at(
    aws: Aws, operate: Operate, answers: Answers
) -> None:
    change(answers, "GetFunctionConfiguration", "Environment", "Variables", value={})

    ran = operate("check", "--json")

    assert "`rollback ingest` goes back" in failed(ran)["ingest function"]
    assert "`rollback forward` goes back" in failed(ran)["forward function"]
    assert states(ran)["bucket's notification"][0] == "left out"
    assert states(ran)["key"][0] == "ok"
    assert left(aws) == []


def test_the_function_whose_alias_is_gone_is_named_and_the_notification_is_not_blamed(
    aws: Aws, calls: Calls, operate: Operate
) -> None:
    Pipeline(aws, calls)
    calls.fail("GetAlias", "ResourceNotFoundException", times=1)
    calls.fail("GetFunctionConfiguration", "ResourceNotFoundException", times=1)

    ran = operate("check", "--json")

    assert failed(ran)["ingest function"].startswith("alias live of ingest is gone: `pulumi up --refresh")
    assert states(ran)["bucket's notification"][0] == "left out"
    assert left(aws) == []


@pytest.mark.parametrize("arn", ["", "Deleted"])
def test_an_address_that_unsubscribed_is_a_fault(
    aws: Aws, calls: Calls, operate: Operate, answers: Answers, arn: str
) -> None:
    Pipeline(aws, calls)
    add_output("alertEmailCount", "1")
    deleted = {"Endpoint": "a@example.com", "Protocol": "email", "SubscriptionArn": arn}
    change(answers, "ListSubscriptionsByTopic", "Subscriptions", value=[deleted] if arn else [])

    detail = failed(operate("check", "--json"))["alert topic's subscriptions"]

    assert "1 of the 1 in alertEmails unsubscribed" in detail
    assert "`pulumi up --refresh --stack NAME`" in detail
