"""The catalog's table: its keys, how attributes are written and read, and requests that hold on a condition."""

from __future__ import annotations

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        DeleteTypeDef,
        PutTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

    from shared.settings import CatalogSettings

BUCKET_KEY: Final = "bucket_shard"
STATUS_KEY: Final = "status_shard"
"""Partition keys of the indexes: a bucket's name or a status, and a shard."""

LATEST_PREFIX: Final = "latest:"
"""What the partition keys of the items begin with that name latest versions; no bucket's name has a colon."""

LATEST_SHARDS: Final = 32
"""Partition keys that one bucket's latest versions are spread over. Never changed: their items would not be found.

A partition takes 1,000 writes a second, and a transaction counts twice (DynamoDB Developer Guide, Partitions): 16,000
files a second, and more when DynamoDB has split partitions that are written to much.
"""

WRITE_ATTEMPTS: Final = 6
"""Attempts of a transaction that collided or was throttled: the SDK retries neither, as both cancel it."""

CONDITION_FAILED: Final = "ConditionalCheckFailed"
"""Why a transaction is cancelled whose condition does not hold."""

_RETRYABLE: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"})
_LONGEST_WAIT_SECONDS: Final = 2.0
_NAME: Final = re.compile(r"#(\w+)")

Value: TypeAlias = bool | str | int | Mapping[str, str]
Attributes: TypeAlias = "dict[str, AttributeValueTypeDef]"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What must hold of an item for a write to be done.

    Parameters
    ----------
    text
        A condition expression: attributes as ``#name``, or as they are where the name is no reserved word.
    values
        The value of each ``:name`` in it.
    """

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)


class CatalogTable:
    """The table, to be written to.

    Parameters
    ----------
    client, settings
        The table and the client to reach it with.
    now, wait
        Tells the time, and waits for seconds.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        settings: CatalogSettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self._wait = wait
        self.name = settings.catalog_table_name
        self.now = now
        self._settings = settings

    def ttl(self) -> int | None:
        """Return when an item that is written now expires, in seconds since 1970; None: never."""
        retention = self._settings.retention
        return None if retention is None else epoch(self.now() + retention)

    def shard(self, value: str, object_id: str, version_id: str) -> str:
        """Return `value` with the item's shard: items spread evenly, and one item is always in the same shard."""
        shard = _spread(f"{object_id}\0{version_id}", self._settings.index_shards)
        return f"{value}#{shard}"

    def origin(self) -> dict[str, Value]:
        """Return the attributes that say where files are processed."""
        return {"stage": self._settings.stage, "region": self._settings.aws_region}

    def put_request(self, item: Mapping[str, Value | None], condition: Condition) -> PutTypeDef:
        """Return the request to put an item; an attribute that is None is left out."""
        request: PutTypeDef = {
            "TableName": self.name,
            "Item": attributes(item),
            "ConditionExpression": condition.text,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if names := _names(condition.text):
            request["ExpressionAttributeNames"] = names
        if condition.values:
            request["ExpressionAttributeValues"] = _values(condition.values)
        return request

    def update_request(
        self, key: Attributes, changes: Mapping[str, Value | None], condition: Condition
    ) -> UpdateTypeDef:
        """Return the request to change attributes of an item; one that is None is removed."""
        new = {name: value for name, value in changes.items() if value is not None}
        expression = "SET " + ", ".join(f"#{name} = :new_{name}" for name in new)
        if removed := [name for name in changes if name not in new]:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        return {
            "TableName": self.name,
            "Key": key,
            "UpdateExpression": expression,
            "ConditionExpression": condition.text,
            "ExpressionAttributeNames": _names(f"{expression} {condition.text}"),
            "ExpressionAttributeValues": _values(
                {**{f"new_{name}": value for name, value in new.items()}, **condition.values}
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def delete_request(self, key: Attributes, condition: Condition) -> DeleteTypeDef:
        """Return the request to delete an item."""
        return {
            "TableName": self.name,
            "Key": key,
            "ConditionExpression": condition.text,
            "ExpressionAttributeValues": _values(condition.values),
        }

    def put(self, request: PutTypeDef) -> Attributes | None:
        """Do what `put_request` asks for; returns None, or the item that the condition does not hold of."""
        try:
            self.client.put_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            return item_of(error.response)
        return None

    def update(self, key: Attributes, changes: Mapping[str, Value | None], condition: Condition) -> bool:
        """Do what `update_request` asks for; returns whether the condition holds."""
        try:
            self.client.update_item(**self.update_request(key, changes, condition))
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def transact(self, items: Sequence[TransactWriteItemTypeDef]) -> Sequence[Mapping[str, object]] | None:
        """Write all of `items` or none; returns why each was not written, or None if all were.

        A collision or throttling is waited out here: left to the queue, it would cost a receive and minutes.
        """
        for attempt in attempts(WRITE_ATTEMPTS, self._wait):
            try:
                self.client.transact_write_items(TransactItems=items)
            except self.client.exceptions.TransactionCanceledException as error:
                reasons = error.response["CancellationReasons"]
                codes = {str(reason.get("Code")) for reason in reasons}
                if CONDITION_FAILED in codes:
                    return cast("Sequence[Mapping[str, object]]", reasons)
                if not codes & _RETRYABLE or attempt == WRITE_ATTEMPTS:
                    raise
            else:
                break
        return None


def key_of(object_id: str, version_id: str) -> Attributes:
    """Return an item's primary key."""
    return attributes({"object_id": object_id, "version_id": version_id})


def latest_id(bucket: str, shard: int) -> str:
    """Return the partition key of the items of a shard that name a bucket's latest versions; they sort by key."""
    return f"{LATEST_PREFIX}{bucket}#{shard}"


def latest_key(bucket: str, key: str) -> Attributes:
    """Return the primary key of the item that names the latest version of an object key."""
    return key_of(latest_id(bucket, _spread(key, LATEST_SHARDS)), key)


def item_of(refusal: Mapping[str, object]) -> Attributes:
    """Return the item that a condition did not hold of."""
    return cast("Attributes", refusal["Item"])


def attributes(values: Mapping[str, Value | None]) -> Attributes:
    """Render what has a value; an attribute without one is left out."""
    return {name: _render(value) for name, value in values.items() if value is not None}


def plain(item: Mapping[str, AttributeValueTypeDef]) -> dict[str, object]:
    """Read an item's attributes; numbers are whole in all that is written here."""
    return {name: _parse(value) for name, value in item.items()}


def epoch(moment: datetime) -> int:
    """Return whole seconds since 1970."""
    return int(moment.timestamp())


def attempts(most: int, wait: Callable[[float], None] = time.sleep) -> Iterator[int]:
    """Count attempts from 1 to `most`, and wait between them, each time up to twice as long, 2 s at most."""
    for attempt in range(1, most + 1):
        yield attempt
        if attempt < most:
            wait(random.uniform(0, min(_LONGEST_WAIT_SECONDS, 0.1 * 2**attempt)))  # noqa: S311 - jitter


def _spread(text: str, shards: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % shards


def _names(expression: str) -> dict[str, str]:
    return {f"#{name}": name for name in _NAME.findall(expression)}


def _values(values: Mapping[str, Value]) -> Attributes:
    return {f":{name}": _render(value) for name, value in values.items()}


def _render(value: Value) -> AttributeValueTypeDef:
    if isinstance(value, bool):  # to Python, it is a number too
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"M": {name: {"S": text} for name, text in value.items()}}


def _parse(attribute: AttributeValueTypeDef) -> object:
    if "N" in attribute:
        return int(attribute["N"])
    if "M" in attribute:
        return plain(attribute["M"])
    return attribute.get("S", attribute.get("BOOL"))
