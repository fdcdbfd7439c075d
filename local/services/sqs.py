"""SQS on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType

_NUMBERS: Final[Mapping[str, QueueAttributeNameType]] = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
}
_TEXTS: Final[Mapping[str, QueueAttributeNameType]] = {
    "redrivePolicy": "RedrivePolicy",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
}


def _queue(cloud: Cloud, inputs: Inputs) -> Created:
    fifo = inputs.flag("fifoQueue")
    # A FIFO queue's name ends so, as Pulumi's provider has it too.
    name = inputs.physical_name() + (".fifo" if fifo else "")
    attributes = {attribute: str(inputs.integer(key)) for key, attribute in _NUMBERS.items() if key in inputs}
    attributes |= {attribute: inputs.text(key) for key, attribute in _TEXTS.items() if key in inputs}
    attributes |= {"FifoQueue": "true"} if fifo else {}
    url = cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Created(id=url, outputs={"url": url, "name": name, "arn": cloud.arn("sqs", name)})


def _policy(cloud: Cloud, inputs: Inputs) -> Created:
    return _set(cloud, inputs, "Policy", "policy")


def _redrive_allow(cloud: Cloud, inputs: Inputs) -> Created:
    return _set(cloud, inputs, "RedriveAllowPolicy", "redriveAllowPolicy")


def _set(cloud: Cloud, inputs: Inputs, attribute: QueueAttributeNameType, key: str) -> Created:
    url = inputs.text("queueUrl")
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={attribute: inputs.text(key)})
    return Created(id=url, outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _redrive_allow,
}
