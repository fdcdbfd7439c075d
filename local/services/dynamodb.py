"""DynamoDB on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from local.cloud import Cloud
from local.services.base import Creator, Inputs, Made

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import GlobalSecondaryIndexTypeDef, KeySchemaElementTypeDef


def _table(cloud: Cloud, inputs: Inputs) -> Made:
    dynamodb = cloud.dynamodb
    name = inputs.physical_name()
    table = dynamodb.create_table(
        TableName=name,
        # Capacity is not emulated: an on-demand table serves both ways of billing.
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": attribute.text("name"), "AttributeType": "S"} for attribute in inputs.parts("attributes")
        ],
        KeySchema=[
            {"AttributeName": inputs.text("hashKey"), "KeyType": "HASH"},
            {"AttributeName": inputs.text("rangeKey"), "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[_index(index) for index in inputs.parts("globalSecondaryIndexes")],
        StreamSpecification={
            "StreamEnabled": inputs.flag("streamEnabled"),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        SSESpecification={
            "Enabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": inputs.part("serverSideEncryption").text("kmsKeyArn"),
        },
        DeletionProtectionEnabled=inputs.flag("deletionProtectionEnabled"),
    )["TableDescription"]
    dynamodb.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": inputs.part("ttl").text("attributeName")},
    )
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    outputs = {"name": name, "arn": table["TableArn"], "streamArn": table["LatestStreamArn"]}
    return Made(id=name, outputs={**outputs})


def _index(index: Inputs) -> GlobalSecondaryIndexTypeDef:
    keys: list[KeySchemaElementTypeDef] = [
        {"AttributeName": key.text("attributeName"), "KeyType": "HASH" if key.text("keyType") == "HASH" else "RANGE"}
        for key in index.parts("keySchemas")
    ]
    return {"IndexName": index.text("name"), "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}


CREATORS: Final[Mapping[str, Creator]] = {"aws:dynamodb/table:Table": _table}
