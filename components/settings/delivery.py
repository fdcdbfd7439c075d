"""Where finished files are delivered, and how long it is tried."""

from __future__ import annotations

from pydantic import Field

from components.dead_letters import DAY_SECONDS
from components.settings.values import Endpoint, Group

DELIVERY_AGE_MARGIN_SECONDS = 3600
"""How much older than the delivery function allows a record may get before the event source drops it."""

DELIVERY_PATIENCE_SHARE = 4
"""One part in this many of an invocation is spent on tries that fail."""

CONNECT_SECONDS = 3
"""How long the delivery function waits for a connection."""


class DeliveryGroup(Group):
    """Where finished files are delivered, and how long it is tried."""

    delivery_endpoint: Endpoint = Field(
        "", description="HTTPS URL that every finished file is posted to. Empty: no delivery, no function."
    )
    delivery_timeout_seconds: int = Field(
        10, ge=1, le=60, description="Seconds that the endpoint may take to answer one delivery."
    )
    delivery_max_age_seconds: int = Field(
        21_600,
        ge=60,
        # The stream keeps its records for a day (DynamoDB Developer Guide, Change data capture).
        le=DAY_SECONDS - DELIVERY_AGE_MARGIN_SECONDS,
        description="Age from which a delivery that fails is put aside as a dead letter.",
    )
    delivery_max_retries: int = Field(
        2000, ge=1, le=10_000, description="Times that a batch of deliveries is tried again at most."
    )
    delivery_batch_size: int = Field(25, ge=1, le=1000, description="Deliveries that one invocation takes at most.")
    delivery_parallelization: int = Field(
        5, ge=1, le=10, description="Delivery functions that run at once for each shard of the table's stream."
    )
    delivery_alarm_seconds: int = Field(
        900, ge=60, description="Age of a delivery from which the alarm for late ones is raised."
    )
