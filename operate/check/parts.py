"""The parts of a deployed stack: whether each exists, is on, and is connected to the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from operate.check.findings import LeftOutError
from operate.session import LIVE, FaultError, Session
from operate.stack_outputs import OutputsError

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import QueueConfigurationOutputTypeDef

Part: TypeAlias = tuple[str, Callable[[], str]]
"""What a part is called, and what looks at it."""

_FUNCTIONS: Final = {
    "ingest": "ingestFunctionName",
    "api": "apiFunctionName",
    "forward": "forwardFunctionName",
    "delivery": "deliveryFunctionName",
    "reconcile": "reconcileFunctionName",
}
"""Purpose of a function → the output with its name."""

_PENDING: Final = "PendingConfirmation"
_DELETED: Final = "Deleted"
"""What stands for a subscription's ARN while it is not (ListSubscriptionsByTopic, SubscriptionArn)."""
_BATCH: Final = 100
"""Alarms that one call describes (DescribeAlarms, AlarmNames)."""


def parts(session: Session) -> Iterator[Part]:
    """Return every part, in the order of the flow."""
    outputs = session.outputs
    yield "bucket's notification", partial(_notification, session)
    queues = {
        "intake": ("queueUrl", "deadLetterQueueUrl"),
        "delivery": ("deliveryQueueUrl", "deliveryDeadLetterQueueUrl"),
    }
    for purpose, (queue, dead_letters) in queues.items():
        yield f"{purpose} queue", partial(_queue, session, purpose, queue, dead_letters)
    yield "catalog", partial(_table, session)
    for purpose in _FUNCTIONS:
        yield f"{purpose} function", partial(_function, session, purpose)
    yield "ingest function's event source", partial(_source, session, "ingest", lambda: outputs.queue_arn)
    yield "forward function's event source", partial(_source, session, "forward", lambda: _stream(session))
    yield (
        "delivery function's event source",
        partial(_source, session, "delivery", lambda: outputs.get("deliveryQueueArn", "the delivery has a queue")),
    )
    yield "reconcile function's schedule", partial(_schedule, session)
    yield "alarms", partial(_alarms, session)
    yield "alert topic's subscriptions", partial(_subscriptions, session)
    yield "key", partial(_key, session)
    yield "secret", partial(_secret, session)


def optional(session: Session, name: str, without: str) -> str:
    """Return an output that not every stack has.

    Raises
    ------
    LeftOutError
        If this one has not: the message is `without`.
    """
    value = session.outputs.find(name)
    if value is None:
        raise LeftOutError(without)
    return value


def function_name(session: Session, purpose: str) -> str:
    """Return the name of a function.

    Raises
    ------
    LeftOutError
        If the stack does without.
    """
    return optional(session, _FUNCTIONS[purpose], f"the stack has no {purpose} function")


def _notification(session: Session) -> str:
    outputs = session.outputs
    found = session.s3.get_bucket_notification_configuration(Bucket=outputs.bucket).get("QueueConfigurations", [])
    told = [
        _rules(entry)
        for entry in found
        if entry["QueueArn"] == outputs.queue_arn and "s3:ObjectCreated:*" in entry["Events"]
    ]
    silent = f"does not send ObjectCreated to {outputs.queue_arn}: `{outputs.refresh}` puts it back"
    if not told:
        raise FaultError(f"{outputs.bucket} {silent}")
    try:
        prefix = session.uploads_prefix
    except (FaultError, OutputsError) as error:
        raise LeftOutError("the ingest function does not say under which prefix uploads are") from error
    if {"prefix": prefix} not in told:
        raise FaultError(f"under {prefix}, {outputs.bucket} {silent}")
    return f"ObjectCreated under {prefix} to the intake queue"


def _rules(entry: QueueConfigurationOutputTypeDef) -> dict[str, str | None]:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return {rule.get("Name", "").lower(): rule.get("Value") for rule in rules}


def _queue(session: Session, purpose: str, queue: str, dead_letters: str) -> str:
    without = f"the stack has no {purpose} queue"
    url, dead_url = (optional(session, name, without) for name in (queue, dead_letters))
    names = session.sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]
    attributes = session.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
    target = json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn")
    if target != names["QueueArn"]:
        raise FaultError(f"{url} moves what fails to {target or 'nowhere'}, not to {names['QueueArn']}")
    return url


def _table(session: Session) -> str:
    name = session.outputs.table
    status = session.dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]
    if status != "ACTIVE":
        raise FaultError(f"{name} is {status}")
    return name


def _stream(session: Session) -> str:
    table = session.dynamodb.describe_table(TableName=session.outputs.table)["Table"]
    arn = table.get("LatestStreamArn")
    if not arn:
        raise FaultError(f"{session.outputs.table} has no stream")
    return arn


def _function(session: Session, purpose: str) -> str:
    name = function_name(session, purpose)
    found = session.lambda_.get_function_configuration(FunctionName=name)
    if found.get("State") != "Active":
        raise FaultError(f"{name} is {found.get('State')}: {found.get('StateReason', 'Lambda gives no reason')}")
    if found.get("LastUpdateStatus") == "Failed":
        raise FaultError(f"the last update of {name} failed: {found.get('LastUpdateStatusReason')}")
    pages = session.lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [version["Version"] for page in pages for version in page["Versions"]]
    newest = max((int(version) for version in versions if version.isdigit()), default=0)
    alias = session.live_alias(name)
    _check_environment(session, name)
    if alias["FunctionVersion"] != str(newest):
        raise FaultError(
            f"{LIVE} of {name} is version {alias['FunctionVersion']}, and {newest} is the newest: it was rolled back, "
            "or its release has not ended"
        )
    if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        raise FaultError(f"{LIVE} of {name} is two versions at once: its release has not ended")
    return f"{name}, version {newest}"


def _check_environment(session: Session, name: str) -> None:
    """Look for the environment variables that a function is called with; of the ingest function, for those we read."""
    session.environment_of(name)
    if name == session.outputs.ingest_function:
        session.reader()
        session.variable(name, "UPLOADS_PREFIX")


def _source(session: Session, purpose: str, source: Callable[[], str]) -> str:
    name, arn = function_name(session, purpose), source()
    found = session.lambda_.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    mappings = [mapping for mapping in found if _is_alias(mapping.get("FunctionArn", ""), name)]
    if not mappings:
        raise FaultError(f"nothing hands {arn} to {name}:{LIVE}: `{session.outputs.refresh}` puts it back")
    for mapping in mappings:
        if mapping.get("State") != "Enabled":
            raise FaultError(
                f"event source mapping {mapping['UUID']} is {mapping.get('State')}: "
                f"`aws lambda update-event-source-mapping --region {session.region} --uuid {mapping['UUID']} --enabled`"
            )
    return arn


def _is_alias(arn: str, name: str) -> bool:
    """Whether an ARN is that of a function's alias."""
    return arn.endswith(f":function:{name}:{LIVE}")


def _schedule(session: Session) -> str:
    name = optional(session, "reconcileScheduleName", "reconciliationHours is 0")
    found = session.scheduler.get_schedule(Name=name)
    if found.get("State") != "ENABLED":
        raise FaultError(f"schedule {name} is {found.get('State')}: `{session.outputs.refresh}` puts it back")
    function = function_name(session, "reconcile")
    if not _is_alias(found["Target"]["Arn"], function):
        raise FaultError(
            f"schedule {name} invokes {found['Target']['Arn']}, not {function}:{LIVE}: "
            f"`{session.outputs.refresh}` puts it back"
        )
    return f"{name}, {found['ScheduleExpression']}"


def _alarms(session: Session) -> str:
    topic = optional(session, "topicArn", "the stack has no alarms")
    names = session.outputs.get("alarmNames", "a stack with alarms names them").split(",")
    told: dict[str, bool] = {}
    muted: list[str] = []
    for start in range(0, len(names), _BATCH):
        answer = session.cloudwatch.describe_alarms(
            AlarmNames=names[start : start + _BATCH], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        for alarm in (*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])):
            told[alarm["AlarmName"]] = topic in alarm["AlarmActions"]
            if not alarm["ActionsEnabled"]:
                muted.append(alarm["AlarmName"])
    if missing := sorted(set(names) - told.keys()):
        raise FaultError(f"not there: {', '.join(missing)}; `{session.outputs.refresh}` puts them back")
    if silent := sorted(name for name, tells in told.items() if not tells):
        raise FaultError(f"they do not tell {topic}: {', '.join(silent)}; `{session.outputs.refresh}` has them tell it")
    if muted:
        raise FaultError(
            f"they tell nobody: `aws cloudwatch enable-alarm-actions --region {session.region} "
            f"--alarm-names {' '.join(sorted(muted))}`"
        )
    return f"{len(names)} alarms publish to {topic}"


def _subscriptions(session: Session) -> str:
    topic = optional(session, "topicArn", "the stack has no alarms")
    pages = session.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    listed = [subscription for page in pages for subscription in page["Subscriptions"]]
    found = [subscription for subscription in listed if subscription["SubscriptionArn"] != _DELETED]
    emails = sum(subscription["Protocol"] == "email" for subscription in found)
    wanted = int(session.outputs.find("alertEmailCount") or 0)
    if emails < wanted:
        raise FaultError(
            f"{wanted - emails} of the {wanted} in alertEmails unsubscribed from {topic}: `{session.outputs.refresh}` "
            "sends the mail to confirm it anew"
        )
    if not found:
        raise LeftOutError(f"nobody has subscribed to {topic}: alertEmails is empty")
    pending = [subscription["Endpoint"] for subscription in found if subscription["SubscriptionArn"] == _PENDING]
    if pending:
        raise FaultError(f"not confirmed: {', '.join(pending)}; the mail to confirm it is from AWS Notifications")
    return f"{len(found)}, confirmed"


def _key(session: Session) -> str:
    arn = session.outputs.get("keyArn", "all that is stored is encrypted with a key")
    found = session.kms.describe_key(KeyId=arn)["KeyMetadata"]
    state = str(found.get("KeyState"))
    if state != "Enabled":
        commands = {"PendingDeletion": ("cancel-key-deletion", "enable-key"), "Disabled": ("enable-key",)}.get(
            state, ()
        )
        ways = "; then ".join(f"`aws kms {command} --region {session.region} --key-id {arn}`" for command in commands)
        raise FaultError(": ".join(filter(None, (f"{arn} is {state}", ways))))
    return arn


def _secret(session: Session) -> str:
    """Look at the secret, not into it."""
    arn = session.outputs.get("secretArn", "the next system is shown one")
    found = session.secretsmanager.describe_secret(SecretId=arn)
    if found.get("DeletedDate"):
        raise FaultError(
            f"{arn} is to be deleted: `aws secretsmanager restore-secret --region {session.region} --secret-id {arn}`"
        )
    if not any("AWSCURRENT" in stages for stages in found.get("VersionIdsToStages", {}).values()):
        raise FaultError(f"{arn} has no current version: `rotate-secret` makes one")
    return arn
