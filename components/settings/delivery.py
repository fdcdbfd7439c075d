"""Where finished files are delivered, and how long a delivery is tried."""

from __future__ import annotations

from pydantic import Field

from components.dead_letters import DAY_SECONDS
from components.settings.values import Endpoint, Group


class DeliveryGroup(Group):
    """Where finished files are delivered, and how long a delivery is tried."""

    delivery_endpoint: Endpoint = Field(
        "", description="HTTPS URL that every finished file is posted to. Empty: no delivery, no function."
    )
    delivery_timeout_seconds: int = Field(
        10, ge=1, le=60, description="Seconds that the endpoint may take to answer one delivery."
    )
    delivery_retry_seconds: int = Field(
        21_600,
        ge=10,
        le=DAY_SECONDS,
        description="Seconds for which a delivery that fails is tried again; then it is dead-lettered.",
    )
    delivery_max_concurrency: int = Field(
        5, ge=2, le=1000, description="Deliveries that run at once, capped at the event source."
    )
    deliver_checks: bool = Field(
        default=False, description="Deliver the files of `operate check` too, which are named uploads/checks/check-…."
    )
    delivery_alarm_seconds: int = Field(
        900, ge=5, description="Age of a delivery from which the alarm for late ones is raised."
    )
