"""How often the end of each file was written: the table's stream has every write, even of a worker that died then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from local.files import UploadedFile
from local.stack import LocalStack
from shared.catalog.model import Status

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.type_defs import RecordTypeDef

ENDS: Final = frozenset(status for status in Status if status.is_final)
"""Statuses after which nothing happens to a file by itself."""


class Ends:
    """The ends of a stack's files. What was read once is remembered: a restarted emulator begins an empty stream.

    Parameters
    ----------
    stack
        The stack.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._streams = stack.cloud.client("dynamodbstreams")
        table = stack.cloud.client("dynamodb").describe_table(TableName=stack.outputs["tableName"])["Table"]
        self._stream_arn = table["LatestStreamArn"]
        self._read: dict[str, UploadedFile] = {}

    def count(self) -> Counter[UploadedFile]:
        """Count how often each file's item was written with a final status."""
        for record in self._records():
            item = record["dynamodb"].get("NewImage", {})
            if item.get("status", {}).get("S") in ENDS:
                file = UploadedFile(key=item["key"]["S"], version_id=item["version_id"]["S"])
                self._read[record["eventID"]] = file
        return Counter(self._read.values())

    def claims(self) -> Counter[UploadedFile]:
        """Count how often each file was claimed, so how often a worker tried it, since the emulator started."""
        images = [record["dynamodb"].get("NewImage", {}) for record in self._records()]
        return Counter(
            UploadedFile(key=item["key"]["S"], version_id=item["version_id"]["S"])
            for item in images
            if item.get("status", {}).get("S") == Status.PROCESSING
        )

    def in_order(self) -> list[UploadedFile]:
        """Return the files in the order in which their ends were written; one that ended twice is there twice."""
        self.count()
        return list(self._read.values())

    def _records(self) -> Iterator[RecordTypeDef]:
        for shard in self._streams.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]["Shards"]:
            iterator: str | None = self._streams.get_shard_iterator(
                StreamArn=self._stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator and (page := self._streams.get_records(ShardIterator=iterator))["Records"]:
                yield from page["Records"]
                iterator = page.get("NextShardIterator")
