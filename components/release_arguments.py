"""What a stack's settings mean for its releases: which alarms roll which function back."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.function import ALIAS, Function
from components.iam import RoleArgs
from components.observability.release_alarms import ReleasedVersion, release_alarms
from components.releases import ReleasedFunction, ReleasesArgs
from components.settings import Settings


def releases(
    settings: Settings,
    functions: Mapping[str, Function],
    *,
    namespace: str,
    api_id: pulumi.Input[str] | None,
    topic_arn: pulumi.Input[str],
    role: RoleArgs,
) -> ReleasesArgs:
    """Return how releases shift, and what rolls them back."""
    versions = {
        purpose: ReleasedVersion(
            purpose=purpose,
            function_name=function.name,
            alias=ALIAS,
            version=function.function.version,
            namespace=namespace,
            api_id=api_id,
            failed_alarm_percent=settings.failed_alarm_percent,
        )
        for purpose, function in functions.items()
    }
    return ReleasesArgs(
        shift=settings.shift,
        functions=[
            ReleasedFunction(purpose=purpose, function=function, alarms=release_alarms(versions[purpose]))
            for purpose, function in functions.items()
        ],
        topic_arns=[topic_arn, *settings.alarm_topic_arns],
        role=role,
    )
