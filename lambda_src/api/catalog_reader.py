"""Reading the catalog: one item, or all of a bucket or a status in the order of time."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from boto3.dynamodb.types import TypeDeserializer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item: TypeAlias = "Mapping[str, object]"

_SORT_KEY: Final = "processed_at"
_THREADS: Final = 8
_TIE_DIGITS: Final = 16


class Position(NamedTuple):
    """Where an item stands among the others: by its time, and among those of one millisecond by its digest.

    Parameters
    ----------
    time
        ``processed_at``: ISO 8601 in UTC.
    tie
        Hex digits over the item's id and version.
    """

    time: str
    tie: str


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index whose partition keys are a value and a shard.

    Parameters
    ----------
    name
        The index.
    key
        Its partition key.
    """

    name: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Index:
        """Read ``name=key``."""
        name, _, key = text.partition("=")
        return cls(name=name, key=key)


class CatalogReader:
    """Reads the catalog table.

    Parameters
    ----------
    client, table_name
        The table and the client to reach it with.
    shards
        Partition keys that one value's index entries are spread over.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, *, shards: int) -> None:
        self._client = client
        self._table_name = table_name
        self._shards = shards

    def versions(self, object_id: str) -> list[Item]:
        """Return the items of all versions of an object id, the latest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            ConsistentRead=True,
            KeyConditionExpression="object_id = :id",
            ExpressionAttributeValues={":id": {"S": object_id}},
        )
        items = [_plain(item) for page in pages for item in page["Items"]]
        return sorted((item for item in items if "status" in item), key=position_of, reverse=True)

    def newest(
        self, index: Index, value: str, *, first: str, last: str, after: Position | None, limit: int
    ) -> list[Item]:
        """Return the items with `value`, the latest first.

        Parameters
        ----------
        index, value
            Which items.
        first, last
            The earliest and the latest ``processed_at``.
        after
            The position of the item that the list begins after; None: at its beginning.
        limit
            How many items at most.
        """

        def read(shard: int) -> list[Item]:
            latest = last if after is None else min(last, after.time)
            return _take(self._query(index, f"{value}#{shard}", first, latest, limit), after, limit)

        with ThreadPoolExecutor(min(_THREADS, self._shards)) as threads:
            found = [item for items in threads.map(read, range(self._shards)) for item in items]
        return _sorted(found)[:limit]

    def _query(self, index: Index, shard: str, first: str, last: str, limit: int) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            IndexName=index.name,
            KeyConditionExpression="#key = :shard AND #time BETWEEN :first AND :last",
            ExpressionAttributeNames={"#key": index.key, "#time": _SORT_KEY},
            ExpressionAttributeValues={":shard": {"S": shard}, ":first": {"S": first}, ":last": {"S": last}},
            ScanIndexForward=False,
            PaginationConfig={"PageSize": limit + 1},
        )
        for page in pages:
            yield from (_plain(item) for item in page["Items"])


def position_of(item: Item) -> Position:
    """Return where an item stands."""
    digest = hashlib.sha256(f"{item['object_id']}\0{item['version_id']}".encode()).hexdigest()
    return Position(str(item[_SORT_KEY]), digest[:_TIE_DIGITS])


def _take(items: Iterator[Item], after: Position | None, limit: int) -> list[Item]:
    """Take a shard's first items, and all of the last one's millisecond: only then is their order known."""
    taken: list[Item] = []
    for item in items:
        if len(taken) >= limit and item[_SORT_KEY] != taken[-1][_SORT_KEY]:
            break
        if after is None or position_of(item) < after:
            taken.append(item)
    return _sorted(taken)[:limit]


def _sorted(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=position_of, reverse=True)


def _plain(item: Mapping[str, AttributeValueTypeDef]) -> Item:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}
