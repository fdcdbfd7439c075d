"""The catalog's item that names the latest version of an object key.

S3's sequencer orders the events of a key, so one conditional write decides. Where it is not known, because the event of
a version never came, S3 itself is asked which version is the latest; the answer only counts if the item has not changed
since before the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.files import FIRST_ORDER, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef, UpdateTypeDef

LATEST: Final = "latest"
"""Sort key of the item. Its partition key begins with it too, and a colon, which no bucket name has."""


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """What the item says.

    Parameters
    ----------
    version_id
        The latest version.
    order
        Its sequencer, as `ObjectVersion.order` has it; where it is not known, that of the version before it.
    order_known
        Whether the order is the version's own.
    """

    version_id: str
    order: str
    order_known: bool


class LatestVersions:
    """The items that name the latest versions.

    Parameters
    ----------
    client, table_name
        The table and the client to reach it with.
    ttl
        Gives the time at which an item that is written now expires, in seconds since 1970; None: never.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, ttl: Callable[[], int | None]) -> None:
        self._client = client
        self._table_name = table_name
        self._ttl = ttl

    def read(self, version: ObjectVersion) -> Pointer | None:
        """Return what the item of a version's key says; None if there is none."""
        item = self._client.get_item(TableName=self._table_name, Key=_key(version), ConsistentRead=True).get("Item")
        return parse_pointer(item) if item else None

    def move_by_order(self, version: ObjectVersion) -> TransactWriteItemTypeDef:
        """Return the write that names `version`, unless a later one is named or the named one's order is not known."""
        update = self._update(version, order=version.order, order_known=True)
        update["ConditionExpression"] = (
            "attribute_not_exists(object_id) OR (#order <= :order AND attribute_not_exists(order_unknown))"
        )
        update["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return {"Update": update}

    def move_from(self, pointer: Pointer | None, version: ObjectVersion) -> TransactWriteItemTypeDef:
        """Return the write that names `version`, if the item still says what `pointer` does."""
        if version.sequencer:
            update = self._update(version, order=version.order, order_known=True)
        else:
            update = self._update(version, order=pointer.order if pointer else FIRST_ORDER, order_known=False)
        if pointer is None:
            update["ConditionExpression"] = "attribute_not_exists(object_id)"
            return {"Update": update}
        update["ConditionExpression"] = "latest_version_id = :was_version_id AND #order = :was_order"
        update["ExpressionAttributeValues"] = {
            **update.get("ExpressionAttributeValues", {}),
            ":was_version_id": {"S": pointer.version_id},
            ":was_order": {"S": pointer.order},
        }
        return {"Update": update}

    def _update(self, version: ObjectVersion, *, order: str, order_known: bool) -> UpdateTypeDef:
        ttl = self._ttl()
        sets = "latest_object_id = :object_id, latest_version_id = :version_id, #order = :order"
        sets += ", #ttl = :ttl" if ttl is not None else ""
        values: dict[str, AttributeValueTypeDef] = {
            ":object_id": {"S": version.object_id},
            ":version_id": {"S": version.version_id},
            ":order": {"S": order},
        }
        names = {"#order": "order"}
        if ttl is not None:
            values[":ttl"] = {"N": str(ttl)}
            names["#ttl"] = "ttl"
        if order_known:
            expression = f"SET {sets} REMOVE order_unknown"
        else:
            expression = f"SET {sets}, order_unknown = :unknown"
            values[":unknown"] = {"BOOL": True}
        return {
            "TableName": self._table_name,
            "Key": _key(version),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }


def latest_id(bucket: str, key: str) -> str:
    """Return the partition key of the item that names the latest version of an object key."""
    return f"{LATEST}:{bucket}/{key}"


def parse_pointer(item: dict[str, AttributeValueTypeDef]) -> Pointer:
    """Read the item."""
    return Pointer(
        version_id=item["latest_version_id"]["S"],
        order=item["order"]["S"],
        order_known="order_unknown" not in item,
    )


def _key(version: ObjectVersion) -> dict[str, AttributeValueTypeDef]:
    return {"object_id": {"S": latest_id(version.bucket, version.key)}, "version_id": {"S": LATEST}}
