"""The catalog table: the state of every file."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi
import pulumi_aws as aws

from components.encryption import Encryption
from components.iam import Conditions, Statement
from components.settings import Settings, StackSettings

BUCKET_INDEX = "by-bucket"
STATUS_INDEX = "by-status"
INDEX_KEYS = {BUCKET_INDEX: "bucket_shard", STATUS_INDEX: "status_shard"}
"""Index name → its partition key. A key is spread over shards, or one busy bucket would be one hot partition."""

INDEX_SORT_KEY = "processed_at"
PARTITION_KEY = "object_id"
SORT_KEY = "version_id"
TTL_ATTRIBUTE = "ttl"


LATEST_PREFIX = "latest:"
"""What the ids of the items begin with that name the latest version of a key."""


class Catalog(pulumi.ComponentResource):
    """A DynamoDB table with one item for each object version, two indexes, and a stream of its changes.

    Attributes
    ----------
    table
        The table.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        encryption: Encryption,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Catalog", name, None, opts)
        settings = stack.settings
        provisioned = settings.table_billing_mode == "PROVISIONED"
        scaled = provisioned and settings.table_autoscaling
        attribute = aws.dynamodb.TableAttributeArgs
        key_schema = aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs
        index_limit = aws.dynamodb.TableGlobalSecondaryIndexOnDemandThroughputArgs
        limit = _limit(settings)
        keys = [PARTITION_KEY, SORT_KEY, *INDEX_KEYS.values(), INDEX_SORT_KEY]
        self.table = aws.dynamodb.Table(
            f"{name}-table",
            billing_mode=settings.table_billing_mode,
            read_capacity=settings.table_read_capacity if provisioned else None,
            write_capacity=settings.table_write_capacity if provisioned else None,
            on_demand_throughput=aws.dynamodb.TableOnDemandThroughputArgs(**limit) if limit else None,
            hash_key=PARTITION_KEY,
            range_key=SORT_KEY,
            attributes=[attribute(name=key, type="S") for key in keys],
            global_secondary_indexes=[
                aws.dynamodb.TableGlobalSecondaryIndexArgs(
                    name=index,
                    key_schemas=[
                        key_schema(attribute_name=key, key_type="HASH"),
                        key_schema(attribute_name=INDEX_SORT_KEY, key_type="RANGE"),
                    ],
                    projection_type="ALL",
                    read_capacity=settings.index_read_capacity if provisioned else None,
                    write_capacity=settings.index_write_capacity if provisioned else None,
                    on_demand_throughput=index_limit(**limit) if limit else None,
                )
                for index, key in INDEX_KEYS.items()
            ],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=TTL_ATTRIBUTE, enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=encryption.key.arn
            ),
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            deletion_protection_enabled=settings.retain_data,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=settings.retain_data,
                retain_on_delete=settings.retain_data,
                # What autoscaling sets is not ours to set back on the next update.
                ignore_changes=_SCALED_PROPERTIES if scaled else None,
            ),
        )
        if scaled:
            self._scale(name, settings)
        self.register_outputs({"tableName": self.table.name, "streamArn": self.table.stream_arn})

    def _scale(self, name: str, settings: Settings) -> None:
        for target_name, resource_id, dimension in _scalable(self.table):
            for operation in ("Read", "Write"):
                target = aws.appautoscaling.Target(
                    f"{name}-{target_name}-{operation.lower()}-target",
                    service_namespace="dynamodb",
                    resource_id=resource_id,
                    scalable_dimension=f"dynamodb:{dimension}:{operation}CapacityUnits",
                    min_capacity=settings.autoscaling_min_capacity,
                    max_capacity=settings.autoscaling_max_capacity,
                    opts=pulumi.ResourceOptions(parent=self),
                )
                metric = (
                    aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs
                )
                aws.appautoscaling.Policy(
                    f"{name}-{target_name}-{operation.lower()}-policy",
                    policy_type="TargetTrackingScaling",
                    service_namespace=target.service_namespace,
                    resource_id=target.resource_id,
                    scalable_dimension=target.scalable_dimension,
                    target_tracking_scaling_policy_configuration=(
                        aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                            target_value=settings.autoscaling_target_percent,
                            predefined_metric_specification=metric(
                                predefined_metric_type=f"DynamoDB{operation}CapacityUtilization"
                            ),
                        )
                    ),
                    opts=pulumi.ResourceOptions(parent=self),
                )

    def write_items(self) -> list[Statement]:
        """Grant the conditional writes that move a file from status to status, and reading which version is latest."""
        return [
            Statement(
                sid="WriteCatalogItems",
                actions=["dynamodb:PutItem", "dynamodb:UpdateItem"],
                resources=[self.table.arn],
            ),
            Statement(
                sid="ReadLatest",
                actions=["dynamodb:GetItem"],
                resources=[self.table.arn],
                conditions=_leading_keys(LATEST_PREFIX),
            ),
        ]

    def read_items(self) -> Statement:
        """Grant finding items by their id, their key, their bucket and their status."""
        actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        indexes = [pulumi.Output.concat(self.table.arn, "/index/", index) for index in INDEX_KEYS]
        return Statement(sid="ReadCatalogItems", actions=actions, resources=[self.table.arn, *indexes])

    def put_items(self, prefix: str) -> Statement:
        """Grant putting the items whose id begins with `prefix`, which no file's id does."""
        return Statement(
            sid="PutOwnItems",
            actions=["dynamodb:PutItem"],
            resources=[self.table.arn],
            conditions=_leading_keys(prefix),
        )

    def note_missing(self, state_prefix: str) -> list[Statement]:
        """Grant looking up which versions have an item, giving one to those that have none, and keeping a place."""
        return [
            Statement(
                sid="LookUpItems",
                actions=["dynamodb:BatchGetItem", "dynamodb:PutItem"],
                resources=[self.table.arn],
            ),
            Statement(
                sid="KeepPlace",
                actions=["dynamodb:UpdateItem"],
                resources=[self.table.arn],
                conditions=_leading_keys(state_prefix),
            ),
        ]

    def end_items(self, prefix: str) -> list[Statement]:
        """Grant finding items by their status, and changing those whose id begins with `prefix`."""
        return [
            Statement(
                sid="FindByStatus",
                actions=["dynamodb:Query"],
                resources=[pulumi.Output.concat(self.table.arn, "/index/", STATUS_INDEX)],
            ),
            Statement(
                sid="EndItems",
                actions=["dynamodb:UpdateItem"],
                resources=[self.table.arn],
                conditions=_leading_keys(prefix),
            ),
        ]

    def read_stream(self) -> Statement:
        """Grant what an event source mapping does with the table's stream in its function's name."""
        return Statement(
            sid="ReadCatalogStream",
            # The developer guide's list for Lambda, ListStreams with the stream as its resource included.
            actions=[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
            resources=[self.table.stream_arn],
        )


def _leading_keys(prefix: str) -> Conditions:
    """Return the conditions of a request that names nothing but partition keys with `prefix`."""
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{prefix}*"]},
        # Without a key there would be nothing to compare, which counts as a match.
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def _limit(settings: Settings) -> dict[str, int]:
    """Return the most units of an on-demand table or index, without those that have no limit."""
    limits = {
        "max_read_request_units": settings.table_max_read_units,
        "max_write_request_units": settings.table_max_write_units,
    }
    return {name: units for name, units in limits.items() if units}


_SCALED_PROPERTIES = [
    "readCapacity",
    "writeCapacity",
    "globalSecondaryIndexes[*].readCapacity",
    "globalSecondaryIndexes[*].writeCapacity",
]


def _scalable(table: aws.dynamodb.Table) -> Iterator[tuple[str, pulumi.Output[str], str]]:
    """Name, resource id and dimension of what Application Auto Scaling can scale."""
    table_id = pulumi.Output.concat("table/", table.name)
    yield "table", table_id, "table"
    for index in INDEX_KEYS:
        yield index, pulumi.Output.concat(table_id, "/index/", index), "index"
