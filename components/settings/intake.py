"""How messages wait for the ingest function, and how dead-letter messages are kept."""

from __future__ import annotations

from pydantic import Field

from components.settings.values import Group


class IntakeGroup(Group):
    """How messages wait for the ingest function, and how dead-letter messages are kept."""

    max_receive_count: int = Field(
        5, ge=3, le=1000, description="Receives of a message before it moves to the dead-letter queue."
    )
    intake_retention_days: int = Field(
        4, ge=1, le=13, description="Days a message waits in the intake queue before SQS drops it."
    )
    dead_letter_retention_days: int = Field(
        14,
        ge=2,
        le=14,
        description="Days until SQS deletes a dead-letter message, from when it entered the first queue.",
    )
    dead_letter_visibility_seconds: int = Field(
        300, ge=0, le=43200, description="Seconds a received dead-letter message stays hidden."
    )
    max_concurrency: int = Field(
        10, ge=2, le=1000, description="Ingest functions that run at once, capped at the event source."
    )
