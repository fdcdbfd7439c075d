"""EventBridge Scheduler on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_scheduler.type_defs import CreateScheduleInputTypeDef


def _schedule(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    request = inputs.as_api("description", "scheduleExpression", "flexibleTimeWindow", "target") | {"Name": name}
    cloud.client("scheduler").create_schedule(**cast("CreateScheduleInputTypeDef", request))
    return Created(id=name, outputs={"name": name})


CREATORS: Final[Mapping[str, Creator]] = {"aws:scheduler/schedule:Schedule": _schedule}
