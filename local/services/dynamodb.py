"""DynamoDB on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import CreateTableInputTypeDef


def _table(cloud: Cloud, inputs: Inputs) -> Created:
    dynamodb = cloud.client("dynamodb")
    name = inputs.physical_name()
    encryption = inputs.part("serverSideEncryption")
    request = inputs.as_api("billingMode", "deletionProtectionEnabled") | {
        "TableName": name,
        "AttributeDefinitions": [
            {"AttributeName": attribute.text("name"), "AttributeType": attribute.text("type")}
            for attribute in inputs.parts("attributes")
        ],
        "KeySchema": [
            {"AttributeName": inputs.text("hashKey"), "KeyType": "HASH"},
            {"AttributeName": inputs.text("rangeKey"), "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [_index(index) for index in inputs.parts("globalSecondaryIndexes")],
        "StreamSpecification": inputs.as_api("streamEnabled", "streamViewType"),
        "SSESpecification": {
            "Enabled": encryption.flag("enabled"),
            "SSEType": "KMS",
            "KMSMasterKeyId": encryption.text("kmsKeyArn"),
        },
        **_capacity(inputs),
    }
    table = dynamodb.create_table(**cast("CreateTableInputTypeDef", request))["TableDescription"]
    ttl, recovery = inputs.part("ttl"), inputs.part("pointInTimeRecovery")
    dynamodb.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": ttl.flag("enabled"), "AttributeName": ttl.text("attributeName")},
    )
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": recovery.flag("enabled")}
    )
    outputs = {"name": name, "arn": table["TableArn"], "streamArn": table["LatestStreamArn"]}
    return Created(id=name, outputs={**outputs})


def _index(index: Inputs) -> dict[str, object]:
    return {
        "IndexName": index.text("name"),
        "KeySchema": [key.as_api() for key in index.parts("keySchemas")],
        "Projection": index.as_api("projectionType", "nonKeyAttributes"),
        **_capacity(index),
    }


def _capacity(inputs: Inputs) -> dict[str, object]:
    if "readCapacity" not in inputs:
        return {}
    read, write = inputs.integer("readCapacity"), inputs.integer("writeCapacity")
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


CREATORS: Final[Mapping[str, Creator]] = {"aws:dynamodb/table:Table": _table}
