"""What the functions have in common."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from components.settings.values import Group, InsightsLayerArn, LogRetention, SecurityGroupId, SubnetId, check_once


class FunctionsGroup(Group):
    """What the functions have in common."""

    function_memory_mb: int = Field(
        1024,
        ge=128,
        le=10240,
        description="Memory of a function, in MB. With api, less than its requests may need is refused: 226 with the "
        "defaults of apiMaxBodyBytes and apiMaxRecords.",
    )
    function_timeout_seconds: int = Field(120, ge=3, le=900, description="Time-out of a function.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level that the functions log."
    )
    detailed_tracing: bool = Field(
        default=False, description="Trace each call to AWS as a subsegment in X-Ray. It makes cold starts slower."
    )
    log_retention_days: LogRetention = Field(365, description="Days the functions' logs are kept.")
    lambda_insights_layer_arn: InsightsLayerArn = Field(
        "", description="ARN of the LambdaInsightsExtension layer (arm64) in the stack's region. Empty: no Insights."
    )
    layer_platform: Literal["lambda", "host"] = Field(
        "lambda", description="What the shared layer is built for: Lambda's arm64, or (local cloud) this machine."
    )
    time_reserve_seconds: int = Field(
        10,
        ge=1,
        description="Seconds at the end of an invocation that are kept for publishing results and writing the "
        "catalog. The largest record file leaves twice as many.",
    )
    subnet_ids: list[SubnetId] = Field(
        [],
        max_length=16,
        description="Subnets of a VPC that the functions run in. Empty: in no VPC. docs/configuration.md lists the "
        "endpoints that they need.",
    )
    security_group_ids: list[SecurityGroupId] = Field(
        [], max_length=5, description="Security groups of the functions in the VPC."
    )

    @model_validator(mode="after")
    def _check_network(self) -> Self:
        check_once("subnetIds", self.subnet_ids)
        check_once("securityGroupIds", self.security_group_ids)
        if bool(self.subnet_ids) != bool(self.security_group_ids):
            raise ValueError(
                f"subnetIds = {self.subnet_ids}, securityGroupIds = {self.security_group_ids}: a function in a VPC "
                "needs both: set both, or none"
            )
        return self
