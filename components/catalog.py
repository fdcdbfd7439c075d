"""The catalog table: the state of every file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.iam import Conditions, Statement

BUCKET_INDEX = "by-bucket"
STATUS_INDEX = "by-status"
INDEX_KEYS = {BUCKET_INDEX: "bucket_shard", STATUS_INDEX: "status_shard"}
"""Index name → its partition key, which is spread over shards: one busy bucket would be one hot partition."""

_LISTED = (
    *("status", "reason", "bucket", "key", "size", "content_type", "etag", "uploaded_by", "event_name", "event_time"),
    *("duration_ms", "attempt", "records_valid", "records_rejected", "processed_key", "rejected_key"),
    "claim_expires_at",
)
PROJECTED = {
    BUCKET_INDEX: (*_LISTED, "sequencer", "reopened_by"),
    STATUS_INDEX: (*_LISTED, "content_sha256"),
}
"""Index name → attributes of its entries, beside keys: what is read of them. Each kilobyte of an entry is a write, for
every change of a file. An index takes 20 (API reference, Projection)."""

INDEX_SORT_KEY = "processed_at"
PARTITION_KEY = "object_id"
SORT_KEY = "version_id"
TTL_ATTRIBUTE = "ttl"

LATEST_PREFIX = "latest:"  # what the ids of the items begin with that name the latest version of a key


@dataclass(frozen=True, kw_only=True)
class CatalogArgs:
    """How the table is billed, spread and kept.

    Parameters
    ----------
    kms_key_arn
        The key that the table is encrypted with.
    retain
        Whether the table outlives the stack, and is protected from deletion.
    retention_days
        Days after its last change after which an item expires. 0: never.
    index_shards
        Partition keys that one bucket's or status's index entries are spread over.
    billing_mode
        How the table is billed.
    max_read_units, max_write_units
        Most units a second that the table on demand, and each of its indexes, may use. 0: no limit.
    read_capacity, write_capacity, index_read_capacity, index_write_capacity
        Capacity units of the table and of each index, when provisioned.
    autoscaling
        Whether provisioned capacity is scaled with the load.
    autoscaling_min_capacity, autoscaling_max_capacity, autoscaling_target_percent
        Least and most capacity units that autoscaling sets, and the use of them that it aims at.
    """

    kms_key_arn: pulumi.Input[str]
    retain: bool = True
    retention_days: int = 365
    index_shards: int = 8
    billing_mode: Literal["PAY_PER_REQUEST", "PROVISIONED"] = "PAY_PER_REQUEST"
    max_read_units: int = 0
    max_write_units: int = 0
    read_capacity: int = 5
    write_capacity: int = 5
    index_read_capacity: int = 2
    index_write_capacity: int = 2
    autoscaling: bool = True
    autoscaling_min_capacity: int = 25
    autoscaling_max_capacity: int = 1000
    autoscaling_target_percent: int = 70

    @property
    def provisioned(self) -> bool:
        """Whether capacity is provisioned."""
        return self.billing_mode == "PROVISIONED"

    @property
    def scaled(self) -> bool:
        """Whether autoscaling sets the capacity."""
        return self.provisioned and self.autoscaling


class Catalog(pulumi.ComponentResource):
    """A DynamoDB table with one item for each object version, two indexes, and a stream of its changes.

    Attributes
    ----------
    table
        The table.
    environment
        The environment variables of a function that writes items.
    """

    def __init__(self, name: str, args: CatalogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Catalog", name, None, opts)
        limit, keys = _limit(args), [PARTITION_KEY, SORT_KEY, *INDEX_KEYS.values(), INDEX_SORT_KEY]
        self.table = aws.dynamodb.Table(
            f"{name}-table",
            billing_mode=args.billing_mode,
            read_capacity=args.read_capacity if args.provisioned else None,
            write_capacity=args.write_capacity if args.provisioned else None,
            on_demand_throughput=aws.dynamodb.TableOnDemandThroughputArgs(**limit) if limit else None,
            hash_key=PARTITION_KEY,
            range_key=SORT_KEY,
            attributes=[aws.dynamodb.TableAttributeArgs(name=key, type="S") for key in keys],
            global_secondary_indexes=[_index(index, key, args) for index, key in INDEX_KEYS.items()],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=TTL_ATTRIBUTE, enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=args.kms_key_arn
            ),
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            deletion_protection_enabled=args.retain,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.retain,
                retain_on_delete=args.retain,
                # What autoscaling sets is not ours to set back on the next update.
                ignore_changes=_SCALED_PROPERTIES if args.scaled else None,
            ),
        )
        if args.scaled:
            self._scale(name, args)
        self.environment: Mapping[str, pulumi.Input[str]] = {
            "CATALOG_TABLE_NAME": self.table.name,
            "CATALOG_RETENTION_DAYS": str(args.retention_days),
            "INDEX_SHARDS": str(args.index_shards),
            "BUCKET_INDEX": BUCKET_INDEX,
            "STATUS_INDEX": STATUS_INDEX,
        }
        self.register_outputs({"tableName": self.table.name, "streamArn": self.table.stream_arn})

    def _scale(self, name: str, args: CatalogArgs) -> None:
        child = pulumi.ResourceOptions(parent=self)
        for target_name, resource_id, dimension in _scalable(self.table):
            for operation in ("Read", "Write"):
                target = aws.appautoscaling.Target(
                    f"{name}-{target_name}-{operation.lower()}-target",
                    service_namespace="dynamodb",
                    resource_id=resource_id,
                    scalable_dimension=f"dynamodb:{dimension}:{operation}CapacityUnits",
                    min_capacity=args.autoscaling_min_capacity,
                    max_capacity=args.autoscaling_max_capacity,
                    opts=child,
                )
                aws.appautoscaling.Policy(
                    f"{name}-{target_name}-{operation.lower()}-policy",
                    policy_type="TargetTrackingScaling",
                    service_namespace=target.service_namespace,
                    resource_id=target.resource_id,
                    scalable_dimension=target.scalable_dimension,
                    target_tracking_scaling_policy_configuration=_track_use(operation, args),
                    opts=child,
                )

    def grant_write(self) -> list[Statement]:
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

    def grant_query(self) -> list[Statement]:
        """Grant finding items by their id, their key, their bucket and their status."""
        actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        indexes = [pulumi.Output.concat(self.table.arn, "/index/", index) for index in INDEX_KEYS]
        return [Statement(sid="ReadCatalogItems", actions=actions, resources=[self.table.arn, *indexes])]

    def grant_put(self, prefix: str) -> list[Statement]:
        """Grant putting the items whose id begins with `prefix`, which no file's id does."""
        return [
            Statement(
                sid="PutOwnItems",
                actions=["dynamodb:PutItem"],
                resources=[self.table.arn],
                conditions=_leading_keys(prefix),
            )
        ]

    def grant_add_missing(self, state_prefix: str) -> list[Statement]:
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

    def grant_end(self, prefix: str) -> list[Statement]:
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

    def grant_read_stream(self) -> list[Statement]:
        """Grant what an event source mapping does with the table's stream in its function's name."""
        return [
            Statement(
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
        ]


def _leading_keys(prefix: str) -> Conditions:
    """Return the conditions of a request that names nothing but partition keys with `prefix`."""
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{prefix}*"]},
        # Without a key there would be nothing to compare, which counts as a match.
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def _limit(args: CatalogArgs) -> dict[str, int]:
    """Return the most units of an on-demand table or index, without those that have no limit."""
    limits = {"max_read_request_units": args.max_read_units, "max_write_request_units": args.max_write_units}
    return {name: units for name, units in limits.items() if units}


def _index(name: str, key: str, args: CatalogArgs) -> aws.dynamodb.TableGlobalSecondaryIndexArgs:
    key_schema = aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs
    limit, keys = _limit(args), {key: "HASH", INDEX_SORT_KEY: "RANGE"}
    return aws.dynamodb.TableGlobalSecondaryIndexArgs(
        name=name,
        key_schemas=[key_schema(attribute_name=each, key_type=kind) for each, kind in keys.items()],
        projection_type="INCLUDE",
        non_key_attributes=list(PROJECTED[name]),
        read_capacity=args.index_read_capacity if args.provisioned else None,
        write_capacity=args.index_write_capacity if args.provisioned else None,
        on_demand_throughput=aws.dynamodb.TableGlobalSecondaryIndexOnDemandThroughputArgs(**limit) if limit else None,
    )


def _track_use(
    operation: str, args: CatalogArgs
) -> aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs:
    metric = aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs
    return aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
        target_value=args.autoscaling_target_percent,
        predefined_metric_specification=metric(predefined_metric_type=f"DynamoDB{operation}CapacityUtilization"),
    )


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
