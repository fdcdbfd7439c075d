"""What the dead letters of the delivery hold: a delivery, a record of the table's stream, or a place in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, ParamValidationError

from operate.dead_letters import Letter

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

_PLACE: Final = "DDBStreamBatchInfo"
_OVER: Final = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException", "ValidationException"})
"""What DynamoDB says of a place that its stream has no more, or never had."""

_EMPTY_PAGES: Final = 100
"""Pages in a row without a record after which there is taken to be none: an open shard has a next page for ever."""


class PlaceError(Exception):
    """A place in the stream cannot be read, now or ever. The message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """What a dead letter of the delivery holds.

    Parameters
    ----------
    letter
        The dead letter.
    content
        Its body, as JSON.
    """

    letter: Letter
    content: Mapping[str, object]

    @classmethod
    def of(cls, letter: Letter) -> Undelivered:
        """Read a letter; one that is not JSON is kept as text."""
        return cls(letter=letter, content=_object(letter.body) or {"text": letter.body})

    @property
    def name(self) -> str:
        """What it is listed by."""
        return str(self.content.get("delivery_id") or ("place in the stream" if self.is_place else "record"))

    @property
    def reason(self) -> str:
        """Why it was put aside, where it says."""
        return str(self.content.get("reason", ""))

    @property
    def is_place(self) -> bool:
        """Whether it is the event source's own: a place in the stream, and none of its data."""
        return _PLACE in self.content

    @property
    def changed_at(self) -> str:
        """When the file changed, so that letters are sent in that order."""
        batch = self.content.get(_PLACE)
        moment = batch.get("approximateArrivalOfFirstRecord") if isinstance(batch, dict) else None
        return str(moment or self.content.get("changed_at") or "")

    @property
    def file(self) -> Mapping[str, str]:
        """``key``, ``version_id`` and ``status`` of the file that the next system was to be told of, where it says."""
        told = _object(self.content.get("body"))
        if not told:
            record = self.content.get("record")
            change = record.get("dynamodb") if isinstance(record, dict) else None
            image = change.get("NewImage") if isinstance(change, dict) else None
            told = {name: value.get("S") for name, value in image.items()} if isinstance(image, dict) else {}
        return {name: str(told[name]) for name in ("key", "version_id", "status") if told.get(name)}


def read_place(client: DynamoDBStreamsClient, what: Undelivered) -> list[dict[str, object]]:
    """Read the records of a place in the stream, as the function gets them.

    Raises
    ------
    PlaceError
        If the letter names no place, or the stream has not all of its records any more.
    """
    place = what.content[_PLACE]
    if not isinstance(place, dict):
        raise PlaceError("it names no place in a stream")
    try:
        first, last = int(place["startSequenceNumber"]), int(place["endSequenceNumber"])
        iterator: str | None = client.get_shard_iterator(
            StreamArn=str(place["streamArn"]),
            ShardId=str(place["shardId"]),
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=str(place["startSequenceNumber"]),
        )["ShardIterator"]
    except (KeyError, TypeError, ValueError, ParamValidationError) as error:
        raise PlaceError(f"it names no place in a stream: {type(error).__name__} {error}") from error
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _OVER:
            raise
        reason = "the stream keeps its data for a day, and it is over: look the files up in the catalog"
        raise PlaceError(reason) from error
    found: list[dict[str, object]] = []
    empty = 0
    while iterator and first <= last and empty < _EMPTY_PAGES:
        page = client.get_records(ShardIterator=iterator)
        empty = 0 if page["Records"] else empty + 1
        for record in page["Records"]:
            number = int(record["dynamodb"]["SequenceNumber"])
            if number <= last:
                found.append(json.loads(json.dumps(record, default=_seconds)))
            if number >= last:
                return found
        iterator = page.get("NextShardIterator")
    raise PlaceError("the stream ends before the place does: look the files up in the catalog")


def _object(text: object) -> dict[str, object]:
    try:
        content: object = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} cannot stand in an event")
