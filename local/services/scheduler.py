"""EventBridge Scheduler on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs


def _schedule(cloud: Cloud, inputs: Inputs) -> Created:
    name, target = inputs.physical_name(), inputs.part("target")
    cloud.client("scheduler").create_schedule(
        Name=name,
        Description=inputs.text("description"),
        ScheduleExpression=inputs.text("scheduleExpression"),
        FlexibleTimeWindow={"Mode": "OFF" if inputs.part("flexibleTimeWindow").text("mode") == "OFF" else "FLEXIBLE"},
        Target={
            "Arn": target.text("arn"),
            "RoleArn": target.text("roleArn"),
            "RetryPolicy": {"MaximumRetryAttempts": target.part("retryPolicy").integer("maximumRetryAttempts")},
        },
    )
    return Created(id=name, outputs={"name": name})


CREATORS: Final[Mapping[str, Creator]] = {"aws:scheduler/schedule:Schedule": _schedule}
