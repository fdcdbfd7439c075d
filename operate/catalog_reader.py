"""Reading the catalog, through its indexes: one query for each shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

from boto3.dynamodb.types import TypeDeserializer

from shared.files import API_VERSION, ObjectVersion, Status
from shared.latest import LATEST, latest_id

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


STATUS_INDEX: Final = "by-status"


class _Filter(TypedDict, total=False):
    FilterExpression: str
    ExpressionAttributeNames: dict[str, str]


_IS_UPLOAD: Final = "attribute_exists(event_name)"
"""What came through the API has no event."""

_UPLOAD_PAGE: Final = 10

_BATCH_KEYS: Final = 100
"""The most keys that BatchGetItem takes."""


@dataclass(frozen=True, kw_only=True)
class CatalogFile:
    """One object version as the catalog has it.

    Parameters
    ----------
    version
        Which version.
    status
        Its state.
    attributes
        Every attribute of its item.
    """

    version: ObjectVersion
    status: Status
    attributes: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return an attribute as text; empty where the item has none."""
        return str(self.attributes.get(name, ""))

    @property
    def reopened(self) -> bool:
        """Whether it waits for the event that an operator reopened it for, rather than failed."""
        return self.status is Status.FAILED and "reopened_by" in self.attributes

    def number(self, name: str) -> int | None:
        """Return an attribute as a whole number; None where the item has none."""
        return int(self.text(name)) if name in self.attributes else None


class CatalogReader:
    """The catalog, to read from.

    Parameters
    ----------
    client, table
        The table and the client to reach it with.
    shards
        Partition keys that one bucket's or status's index entries are spread over.
    """

    def __init__(self, client: DynamoDBClient, table: str, shards: int) -> None:
        self._client = client
        self._table = table
        self.shards = shards

    def count(self, status: Status, shard: int) -> tuple[int, int]:
        """Count the files of a status in one shard, and the API's items: in the table, nothing is sent here."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=STATUS_INDEX,
            Select="COUNT",
            KeyConditionExpression="status_shard = :shard",
            FilterExpression=_IS_UPLOAD,
            ExpressionAttributeValues={":shard": {"S": f"{status}#{shard}"}},
        )
        counts = [(page["Count"], page["ScannedCount"]) for page in pages]
        uploads = sum(count for count, _ in counts)
        return uploads, sum(scanned for _, scanned in counts) - uploads

    def request(self, object_id: str) -> CatalogFile | None:
        """Return what the catalog has of records that came through the API."""
        item = self._get(object_id, API_VERSION)
        return next(iter(self._parse([item] if item else [])), None)

    def oldest_upload(self, status: Status) -> CatalogFile | None:
        """Return the upload that has been in a status for the longest time."""
        found = [file for shard in range(self.shards) if (file := self._first_upload(status, shard))]
        return min(found, key=lambda file: file.text("processed_at"), default=None)

    def _first_upload(self, status: Status, shard: int) -> CatalogFile | None:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=STATUS_INDEX,
            KeyConditionExpression="status_shard = :shard",
            FilterExpression=_IS_UPLOAD,
            ExpressionAttributeValues={":shard": {"S": f"{status}#{shard}"}},
            # The filter works on what was read: most often the first item is an upload.
            PaginationConfig={"PageSize": _UPLOAD_PAGE},
        )
        return next((file for page in pages for file in self._parse(page["Items"])), None)

    def of_day(self, bucket: str, day: str) -> Iterator[CatalogFile]:
        """Read the uploads whose status was last changed on a day (UTC), oldest first in each shard."""
        yield from self._of_bucket(
            bucket,
            " AND begins_with(processed_at, :day)",
            {":day": {"S": day}},
            {"FilterExpression": _IS_UPLOAD},
        )

    def search(self, bucket: str, key: str) -> Iterator[CatalogFile]:
        """Find every version of a key. This reads the index of the whole bucket."""
        yield from self._of_bucket(
            bucket,
            "",
            {":key": {"S": key}},
            {"FilterExpression": "#key = :key", "ExpressionAttributeNames": {"#key": "key"}},
        )

    def get(self, versions: Sequence[ObjectVersion]) -> dict[tuple[str, str], CatalogFile]:
        """Read the items of some versions: object id and version id → file, for those that have one."""
        found: list[CatalogFile] = []
        for start in range(0, len(versions), _BATCH_KEYS):
            keys: list[dict[str, AttributeValueTypeDef]] = [
                {"object_id": {"S": version.object_id}, "version_id": {"S": version.version_id}}
                for version in versions[start : start + _BATCH_KEYS]
            ]
            while keys:
                answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
                found += self._parse(answer["Responses"].get(self._table, []))
                left = answer.get("UnprocessedKeys", {}).get(self._table)
                keys = [dict(key) for key in left["Keys"]] if left else []
        return {(file.version.object_id, file.version.version_id): file for file in found}

    def latest(self, bucket: str, key: str) -> CatalogFile | None:
        """Return the version that the catalog takes for the key's latest."""
        pointer = self._get(latest_id(bucket, key), LATEST)
        if pointer is None:
            return None
        item = self._get(pointer["latest_object_id"]["S"], pointer["latest_version_id"]["S"])
        return next(iter(self._parse([item] if item else [])), None)

    def _get(self, object_id: str, version_id: str) -> dict[str, AttributeValueTypeDef] | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key={"object_id": {"S": object_id}, "version_id": {"S": version_id}},
            ConsistentRead=True,
        )
        return answer.get("Item")

    def _of_bucket(
        self,
        bucket: str,
        condition: str,
        values: Mapping[str, AttributeValueTypeDef],
        filtered: _Filter,
    ) -> Iterator[CatalogFile]:
        for shard in range(self.shards):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="by-bucket",
                KeyConditionExpression=f"bucket_shard = :shard{condition}",
                ExpressionAttributeValues={":shard": {"S": f"{bucket}#{shard}"}, **values},
                **filtered,
            )
            for page in pages:
                yield from self._parse(page["Items"])

    @staticmethod
    def _parse(items: Sequence[Mapping[str, AttributeValueTypeDef]]) -> list[CatalogFile]:
        deserializer = TypeDeserializer()
        return [_file({name: deserializer.deserialize(value) for name, value in item.items()}) for item in items]


def _file(item: Mapping[str, object]) -> CatalogFile:
    def text(name: str) -> str:
        return str(item.get(name, ""))

    version = ObjectVersion(
        bucket=text("bucket"),
        key=text("key"),
        version_id=text("version_id"),
        etag=text("etag"),
        size=int(text("size")) if "size" in item else None,
        sequencer=text("sequencer"),
        event_name=text("event_name"),
        event_time=text("event_time"),
    )
    return CatalogFile(version=version, status=Status(text("status")), attributes=item)
