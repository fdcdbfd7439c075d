"""How the catalog table is billed, spread and kept."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from components.settings.values import Group


class CatalogGroup(Group):
    """How the catalog table is billed, spread and kept."""

    table_billing_mode: Literal["PAY_PER_REQUEST", "PROVISIONED"] = Field(
        "PAY_PER_REQUEST", description="How the catalog table is billed."
    )
    table_max_read_units: int = Field(
        0,
        ge=0,
        description="Maximum read units a second that the table on demand, and each of its indexes, may use. 0: no "
        "limit; to lift one that is deployed, raise it.",
    )
    table_max_write_units: int = Field(
        0,
        ge=0,
        description="Maximum write units a second that the table on demand, and each of its indexes, may use. 0: no "
        "limit; to lift one that is deployed, raise it.",
    )
    table_read_capacity: int = Field(5, ge=1, description="Read capacity units of the table, when provisioned.")
    table_write_capacity: int = Field(5, ge=1, description="Write capacity units of the table, when provisioned.")
    index_read_capacity: int = Field(2, ge=1, description="Read capacity units of each index, when provisioned.")
    index_write_capacity: int = Field(2, ge=1, description="Write capacity units of each index, when provisioned.")
    table_autoscaling: bool = Field(default=True, description="Scale provisioned capacity with the load.")
    autoscaling_min_capacity: int = Field(25, ge=1, description="Minimum capacity units that autoscaling sets.")
    autoscaling_max_capacity: int = Field(1000, ge=1, description="Maximum capacity units that autoscaling sets.")
    autoscaling_target_percent: int = Field(
        70, ge=20, le=90, description="Utilization that autoscaling aims at, in percent."
    )
    index_shards: int = Field(
        8, ge=1, le=200, description="Partition keys that one bucket's or status's index entries are spread over."
    )
    catalog_retention_days: int = Field(
        365,
        ge=0,
        le=3650,
        description="Days after its last change after which a catalog item expires. 0: never. No message returns "
        "after 30 days, and no item may expire before the bucket forgets the file. Allowed: 0, or 30 to 3650.",
    )

    @model_validator(mode="after")
    def _check_catalog(self) -> Self:
        if self.autoscaling_min_capacity > self.autoscaling_max_capacity:
            raise ValueError(
                f"autoscalingMinCapacity = {self.autoscaling_min_capacity}: should be at most "
                f"autoscalingMaxCapacity ({self.autoscaling_max_capacity})"
            )
        return self
