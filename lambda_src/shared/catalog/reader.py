"""Reading the catalog: single items, the latest version of a key, and lists, a query for each shard.

A list has what the indexes project of an item, which is what is shown and selected by.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError

from shared.catalog.latest import Pointer
from shared.catalog.model import API_VERSION, MAX_KEY_BYTES, CatalogItem, ObjectVersion, Status
from shared.catalog.position import Position, latest_first, take
from shared.catalog.table import (
    BUCKET_KEY,
    LATEST_PREFIX,
    LATEST_SHARDS,
    STATUS_KEY,
    attempts,
    attributes,
    epoch,
    key_of,
    latest_id,
    latest_key,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        KeysAndAttributesOutputTypeDef,
        KeysAndAttributesTypeDef,
        PaginatorConfigTypeDef,
        QueryInputPaginateTypeDef,
    )

    from shared.catalog.table import Attributes, Value
    from shared.settings import CatalogSettings

BATCH_KEYS: Final = 100
"""The most keys that BatchGetItem takes."""

_BATCH_ATTEMPTS: Final = 8
_THREADS: Final = 8
_UPLOAD_PAGE: Final = 10
_IS_UPLOAD: Final = "attribute_exists(event_name)"  # what came through the API has no event
_LAST_OF_BYTES: Final = ("", "\x7f", "\u07ff", "\uffff", "\U0010ffff")  # the last character of so many bytes
_Found = TypeVar("_Found")


class UnreadKeysError(BotoCoreError):
    """DynamoDB left keys of a batch unread, again and again: it throttles."""

    fmt = "BatchGetItem left {count} keys unread"


class KeyPage(NamedTuple):
    """A page of files, ordered by their keys.

    Parameters
    ----------
    items
        The latest version of each key; one whose item has expired is left out.
    last
        The key to go on after; None: this is the last page.
    """

    items: list[CatalogItem]
    last: str | None


class CatalogReader:
    """Reads the catalog.

    Parameters
    ----------
    client, settings
        The table and the client to reach it with.
    wait
        How seconds are waited.
    """

    def __init__(
        self, client: DynamoDBClient, settings: CatalogSettings, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = settings.catalog_table_name
        self._indexes = {BUCKET_KEY: settings.bucket_index, STATUS_KEY: settings.status_index}
        self._wait = wait
        self.shards = settings.index_shards

    def request(self, object_id: str) -> CatalogItem | None:
        """Return the item of a request that sent records through the API."""
        return next(iter(_items(self._get(key_of(object_id, API_VERSION)))), None)

    def versions(self, object_id: str) -> list[CatalogItem]:
        """Return the items of all versions of an object id, the one that changed last first."""
        if object_id.startswith(LATEST_PREFIX):  # no file, and as many items as a shard has
            return []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="object_id = :id",
            ExpressionAttributeValues={":id": {"S": object_id}},
        )
        return latest_first(item for page in pages for item in _items(page["Items"]))

    def get(self, versions: Sequence[ObjectVersion]) -> dict[tuple[str, str], CatalogItem]:
        """Return the items of some versions: object id and version id → item, for those that have one."""
        found = _items(self._batch([key_of(version.object_id, version.version_id) for version in versions]))
        return {(item.object_id, item.version_id): item for item in found}

    def known(self, versions: Sequence[ObjectVersion]) -> set[tuple[str, str]]:
        """Return object id and version id of those of `versions` that have an item."""
        keys = [key_of(version.object_id, version.version_id) for version in versions]
        found = self._batch(keys, "object_id, version_id")
        return {(item["object_id"]["S"], item["version_id"]["S"]) for item in found}

    def latest(self, bucket: str, key: str) -> CatalogItem | None:
        """Return the latest version of a key."""
        for pointer in map(Pointer.parse, self._get(latest_key(bucket, key))):
            return next(iter(_items(self._get(key_of(pointer.object_id, pointer.version_id)))), None)
        return None

    def under(self, bucket: str, prefix: str, *, after: str | None, limit: int) -> KeyPage:
        """Return the latest versions of the keys that begin with `prefix`, in the order of the keys.

        This costs a query for each of `LATEST_SHARDS`, and reads no key of another prefix.

        Parameters
        ----------
        bucket, prefix
            Which keys; the prefix has a character at least.
        after
            The key that the page begins after; None: at the beginning.
        limit
            How many items at most.
        """

        def read(shard: int) -> list[Attributes]:
            first = prefix if after is None else max(prefix, after)
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="object_id = :id AND version_id BETWEEN :first AND :last",
                ExpressionAttributeValues=attributes(
                    {":id": latest_id(bucket, shard), ":first": first, ":last": _last_under(prefix)}
                ),
                Limit=limit + 2,  # one that is `after`, and one that says that there are more
            )
            return [item for item in answer["Items"] if after is None or item["version_id"]["S"] > after]

        pointers = sorted(self._of_shards(read, LATEST_SHARDS), key=lambda item: item["version_id"]["S"])
        chosen = pointers[:limit]
        keys = [key_of(pointer.object_id, pointer.version_id) for pointer in map(Pointer.parse, chosen)]
        items = sorted(_items(self._batch(keys)), key=lambda item: item.key or "")
        return KeyPage(items, chosen[-1]["version_id"]["S"] if len(pointers) > limit else None)

    def newest(
        self, *, bucket: str, status: Status | None, first: str, last: str, after: Position | None, limit: int
    ) -> list[CatalogItem]:
        """Return the items of a status, or of a bucket, the one that changed last first.

        Parameters
        ----------
        bucket, status
            Which items; None: those of the bucket in any status.
        first, last
            The earliest and the latest ``processed_at``.
        after
            The position of the item that the list begins after; None: at its beginning.
        limit
            How many items at most.
        """
        latest = last if after is None else min(last, after.time)
        if latest < first:  # a cursor of one's own making: DynamoDB refuses a range that ends before it begins
            return []

        def read(shard: int) -> list[CatalogItem]:
            request = self._entries(
                STATUS_KEY if status else BUCKET_KEY,
                f"{status or bucket}#{shard}",
                " AND processed_at BETWEEN :first AND :last",
                {":first": first, ":last": latest},
            )
            page: PaginatorConfigTypeDef = {"PageSize": limit + 1}
            return take(self._query({**request, "ScanIndexForward": False, "PaginationConfig": page}), after, limit)

        return latest_first(self._of_shards(read, self.shards))[:limit]

    def of_day(self, bucket: str, day: str) -> Iterator[CatalogItem]:
        """Return the uploads whose status was last changed on a day (UTC), oldest first in each shard."""
        for shard in range(self.shards):
            request = self._entries(
                BUCKET_KEY, f"{bucket}#{shard}", " AND begins_with(processed_at, :day)", {":day": day}
            )
            yield from self._query({**request, "FilterExpression": _IS_UPLOAD})

    def search(self, bucket: str, key: str) -> Iterator[CatalogItem]:
        """Find every version of a key. This reads the index of the whole bucket."""
        for shard in range(self.shards):
            request = self._entries(BUCKET_KEY, f"{bucket}#{shard}", values={":key": key})
            request |= {"FilterExpression": "#key = :key", "ExpressionAttributeNames": {"#key": "key"}}
            # An index has less of an item.
            yield from self.get([item.version for item in self._query(request)]).values()

    def count(self, status: Status, shard: int) -> tuple[int, int]:
        """Count the files of a status in one shard, and the requests: in the table, nothing is sent here."""
        request = self._entries(STATUS_KEY, f"{status}#{shard}")
        request |= {"Select": "COUNT", "FilterExpression": _IS_UPLOAD}
        pages = self._client.get_paginator("query").paginate(**request)
        counts = [(page["Count"], page["ScannedCount"]) for page in pages]
        uploads = sum(count for count, _ in counts)
        return uploads, sum(scanned for _, scanned in counts) - uploads

    def oldest_upload(self, status: Status) -> CatalogItem | None:
        """Return the upload that has been in a status for the longest time."""
        # The filter works on what was read: most often the first item is an upload.
        page: PaginatorConfigTypeDef = {"PageSize": _UPLOAD_PAGE}
        requests = (self._entries(STATUS_KEY, f"{status}#{shard}") for shard in range(self.shards))
        shards = (
            self._query({**request, "FilterExpression": _IS_UPLOAD, "PaginationConfig": page}) for request in requests
        )
        found = [item for items in shards for item in islice(items, 1)]
        return min(found, key=lambda item: item.processed_at, default=None)

    def lapsed_requests(self, now: datetime) -> Iterator[CatalogItem]:
        """Find the requests that are PROCESSING though nobody works on them any more."""
        for shard in range(self.shards):
            request = self._entries(STATUS_KEY, f"{Status.PROCESSING}#{shard}", values={":now": epoch(now)})
            # Of requests alone: a file's message is received again by itself.
            lapsed = "attribute_exists(content_sha256) AND claim_expires_at < :now"
            yield from self._query({**request, "FilterExpression": lapsed})

    def _entries(
        self, key: str, shard: str, condition: str = "", values: Mapping[str, Value] | None = None
    ) -> QueryInputPaginateTypeDef:
        """Return the request for the entries of one shard of an index."""
        return {
            "TableName": self._table,
            "IndexName": self._indexes[key],
            "KeyConditionExpression": f"{key} = :shard{condition}",
            "ExpressionAttributeValues": attributes({":shard": shard, **(values or {})}),
        }

    def _query(self, request: QueryInputPaginateTypeDef) -> Iterator[CatalogItem]:
        for page in self._client.get_paginator("query").paginate(**request):
            yield from _items(page["Items"])

    def _get(self, key: Attributes) -> list[Attributes]:
        """Return an item, or nothing."""
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return [item] if item else []

    def _batch(self, keys: Sequence[Attributes], projection: str | None = None) -> list[Attributes]:
        """Return the items of some keys, those that exist.

        Raises
        ------
        UnreadKeysError
            If DynamoDB throttles for too long.
        """
        found: list[Attributes] = []
        for start in range(0, len(keys), BATCH_KEYS):
            batch: KeysAndAttributesTypeDef = {"Keys": keys[start : start + BATCH_KEYS]}
            batch |= {"ProjectionExpression": projection} if projection else {"ConsistentRead": True}
            unread: Mapping[str, KeysAndAttributesTypeDef | KeysAndAttributesOutputTypeDef] = {self._table: batch}
            for _ in attempts(_BATCH_ATTEMPTS, self._wait):
                answer = self._client.batch_get_item(RequestItems=unread)
                found += answer["Responses"].get(self._table, [])
                unread = answer.get("UnprocessedKeys", {})
                if not unread:
                    break
            else:
                raise UnreadKeysError(count=sum(len(left["Keys"]) for left in unread.values()))
        return found

    @staticmethod
    def _of_shards(read: Callable[[int], list[_Found]], shards: int) -> list[_Found]:
        with ThreadPoolExecutor(min(_THREADS, shards)) as threads:
            return [item for items in threads.map(read, range(shards)) for item in items]


def _items(found: Iterable[Mapping[str, AttributeValueTypeDef]]) -> list[CatalogItem]:
    """Read the items of files and requests, and leave out all others."""
    return [msgspec.convert(plain(item), CatalogItem) for item in found if "status" in item]


def _last_under(prefix: str) -> str:
    """Return the last of all keys that begin with `prefix`. A table's sort key may be as long (DynamoDB quotas)."""
    most, rest = divmod(MAX_KEY_BYTES - len(prefix.encode()), len(_LAST_OF_BYTES) - 1)
    return prefix + _LAST_OF_BYTES[-1] * most + _LAST_OF_BYTES[rest]
