"""The catalog: the only module that writes to the table.

Every change of a file's state is one conditional write, so that workers who see the same event agree on who takes it.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from shared.files import API_VERSION, FINAL, ApiResult, ObjectFacts, ObjectVersion, Outcome, Status
from shared.latest import LatestVersions

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef, TransactWriteItemTypeDef

WRITE_ATTEMPTS: Final = 6
"""Tries of a transaction that collided or was throttled: the SDK retries neither, since both come as a cancellation."""

_LONGEST_WAIT_SECONDS: Final = 2.0
_LATEST_ATTEMPTS: Final = 4
"""Tries to name the latest version as S3 says it, while other versions of the key are being named."""

_PASSING: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"})

BATCH_KEYS: Final = 100
"""The most keys that BatchGetItem takes."""

NEVER_CAME: Final = "its event never came, and was sent anew"
"""Why a version is FAILED that the reconciliation found."""

REOPENED: Final = "reprocess requested"
"""Why a version that was reopened is FAILED."""

CLAIM_MARGIN: Final = timedelta(seconds=2)
"""How long past its deadline a worker keeps its claim: for clocks that differ."""

MAX_REASON_CHARACTERS: Final = 1000
"""What is kept of a reason, which may name what stands in a file: an item holds 400 KB (DynamoDB quotas)."""

_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_FREE: Final = (
    "attribute_not_exists(object_id) OR #status = :failed"
    " OR (#status = :processing AND (claim_expires_at < :now OR #owner = :me))"
)

LAPSED: Final = "the worker died; send the same request again"
"""Why an item of the API was ended that nobody worked on any more."""

_Item: TypeAlias = dict[str, "AttributeValueTypeDef"]
_Value: TypeAlias = str | int | Mapping[str, str] | None


class LatestContendedError(Exception):
    """Versions of one key are being named so fast that none can be named as S3 says. The message is tried again."""


class Claim(Enum):
    """What became of a write that needs the file to be free."""

    TAKEN = auto()
    """Written: the file was new, had failed, or its worker's claim had lapsed."""
    FINISHED = auto()
    """Not written: the file has its final status already."""
    HELD = auto()
    """Not written: another worker is at it."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker at one file.

    Parameters
    ----------
    request_id
        The invocation, which owns what it claims.
    function_name
        The function.
    attempt
        How often the message has been received.
    started_at
        When it began with this file.
    deadline
        When the invocation ends at the latest: nothing that it claimed is being worked on after it.
    """

    request_id: str
    function_name: str
    attempt: int
    started_at: datetime
    deadline: datetime


class LapsedRequest(NamedTuple):
    """An item of the API that nobody works on any more.

    Parameters
    ----------
    object_id
        Its id.
    since
        When it was taken: ISO 8601 in UTC.
    """

    object_id: str
    since: str


class Standing(NamedTuple):
    """What the item of a request says that came before.

    Parameters
    ----------
    content
        The digest of its records.
    status
        Its state.
    received_at
        When it came, the first time.
    processed_key
        The object that holds its valid records, if there are any.
    """

    content: str
    status: Status
    received_at: datetime
    processed_key: str | None


class _Expiry(NamedTuple):
    """What an update expression needs to put off an item's expiry; nothing where none expires."""

    sets: str
    names: dict[str, str]
    values: _Item


class Catalog:
    """The catalog table.

    Parameters
    ----------
    client, table_name
        The table and the client to reach it with.
    shards
        Partition keys that one bucket's or status's index entries are spread over.
    retention
        How long an item is kept after its last change; None: for ever.
    stage, region
        Where the files are processed: attributes of each item.
    current
        Asks S3 for the version of a key that is its latest now, given any of them; None if the key has none. Only who
        processes files needs it.
    now, wait
        The clock, and how seconds are waited.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table_name: str,
        *,
        shards: int,
        retention: timedelta | None,
        stage: str,
        region: str,
        current: Callable[[ObjectVersion], ObjectVersion | None] = lambda _version: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table_name = table_name
        self._shards = shards
        self._retention = retention
        self._stage = stage
        self._region = region
        self._current = current
        self._now = now
        self._wait = wait
        self._latest = LatestVersions(client, table_name, self._ttl)

    def claim(self, version: ObjectVersion, facts: ObjectFacts, worker: Worker) -> Claim:
        """Take the file for `worker`, until its deadline: PROCESSING."""
        expiry = worker.deadline + CLAIM_MARGIN
        return self._write(version, facts, Outcome(status=Status.PROCESSING), worker, claim_expires_at=_epoch(expiry))

    def record(
        self, version: ObjectVersion, facts: ObjectFacts, outcome: Outcome, worker: Worker, *, exists: bool = True
    ) -> Claim:
        """Give a file that nobody has claimed its status in one step.

        Parameters
        ----------
        version, facts, outcome, worker
            The file, what S3 knows of it, how it ended, and who did the work.
        exists
            Whether S3 has the version: one that was deleted is no key's latest.
        """
        return self._write(version, facts, outcome, worker, claim_expires_at=None, exists=exists)

    def finish(self, version: ObjectVersion, outcome: Outcome, worker: Worker) -> bool:
        """Give the file that `worker` claimed its status.

        Returns
        -------
        bool
            False if the claim had lapsed and another worker took over: nothing was changed.
        """
        changes = self._changing_attributes(version, outcome, worker)
        names = {f"#{name}": name for name in changes}
        sets = ", ".join(f"#{name} = :{name}" for name in changes)
        try:
            self._client.update_item(
                TableName=self._table_name,
                Key=self._key(version),
                UpdateExpression=f"SET {sets} REMOVE claim_expires_at",
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={**names, "#owner": "owner"},
                ExpressionAttributeValues={
                    **{f":{name}": value for name, value in changes.items()},
                    ":me": {"S": worker.request_id},
                },
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def store(self, result: ApiResult) -> Standing | None:
        """Put the item of records that came through the API, if its id is free or taken for the same request.

        Returns
        -------
        Standing or None
            None if it was put; else what the item says that is there: of other records, finished, or begun at another
            time.
        """
        try:
            self._client.put_item(
                TableName=self._table_name,
                Item=self._request_item(result),
                ConditionExpression=(
                    "attribute_not_exists(object_id)"
                    " OR (content_sha256 = :content AND event_time = :received AND #status IN (:processing, :failed))"
                ),
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":content": {"S": result.content_sha256},
                    ":received": {"S": iso(result.received_at)},
                    ":processing": {"S": Status.PROCESSING},
                    ":failed": {"S": Status.FAILED},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            item = _item_of(error.response)
            return Standing(
                content=item["content_sha256"]["S"],
                status=Status(item["status"]["S"]),
                received_at=datetime.fromisoformat(item["event_time"]["S"]),
                processed_key=item["processed_key"]["S"] if "processed_key" in item else None,
            )
        return None

    def fail(self, result: ApiResult) -> bool:
        """Put the item of a request that failed over the one that it had stored as PROCESSING.

        Returns
        -------
        bool
            False if it had not, or if the same request has come again and gone on: nothing was changed.
        """
        try:
            self._client.put_item(
                TableName=self._table_name,
                Item=self._request_item(result),
                ConditionExpression="request_id = :me AND #status = :processing",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":me": {"S": result.request_id},
                    ":processing": {"S": Status.PROCESSING},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def lapsed_requests(self, index: str) -> Iterator[LapsedRequest]:
        """Find the API's items that are PROCESSING though nobody works on them any more.

        Parameters
        ----------
        index
            The name of the index by status.
        """
        for shard in range(self._shards):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table_name,
                IndexName=index,
                KeyConditionExpression="status_shard = :shard",
                # Of the API's items alone: a file's message comes again by itself.
                FilterExpression="attribute_exists(content_sha256) AND claim_expires_at < :now",
                ExpressionAttributeValues={
                    ":shard": {"S": f"{Status.PROCESSING}#{shard}"},
                    ":now": {"N": str(_epoch(self._now()))},
                },
            )
            for page in pages:
                for item in page["Items"]:
                    yield LapsedRequest(item["object_id"]["S"], item["processed_at"]["S"])

    def end_lapsed(self, object_id: str, *, by: str) -> bool:
        """Give an item of the API that is PROCESSING though nobody works on it any more its end: FAILED.

        The same request again takes it up all the same.

        Parameters
        ----------
        object_id
            The item's id.
        by
            Who ends it.

        Returns
        -------
        bool
            False if there is no such item, it has ended, or its worker may be alive: nothing was changed.
        """
        now, expiry = self._now(), self._expiry()
        try:
            self._client.update_item(
                TableName=self._table_name,
                Key={"object_id": {"S": object_id}, "version_id": {"S": API_VERSION}},
                UpdateExpression=(
                    "SET #status = :failed, reason = :reason, ended_by = :by, status_shard = :shard,"
                    f" processed_at = :processed_at{expiry.sets} REMOVE claim_expires_at"
                ),
                ConditionExpression="#status = :processing AND claim_expires_at < :now",
                ExpressionAttributeNames={"#status": "status", **expiry.names},
                ExpressionAttributeValues={
                    ":failed": {"S": Status.FAILED},
                    ":processing": {"S": Status.PROCESSING},
                    ":reason": {"S": LAPSED},
                    ":by": {"S": by},
                    ":shard": {"S": self._shard(Status.FAILED, object_id, API_VERSION)},
                    ":processed_at": {"S": iso(now)},
                    ":now": {"N": str(_epoch(now))},
                    **expiry.values,
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def reopen(self, version: ObjectVersion, *, status: Status, processed_at: str, by: str) -> bool:
        """Make a finished version free again, so that an event for it is processed once more: FAILED.

        Its time stays: who selected it by its day finds it there until its event is sent. `reopened_by` tells it from
        a failure, until the next claim, which puts the whole item anew.

        Parameters
        ----------
        version
            Which version.
        status, processed_at
            Its final status and the time of its last change, as they were read.
        by
            Who wants it again.

        Returns
        -------
        bool
            False if the item has changed since, or is not final: nothing was changed.
        """
        if status not in FINAL:
            return False
        expiry = self._expiry()
        try:
            self._client.update_item(
                TableName=self._table_name,
                Key=self._key(version),
                UpdateExpression=(
                    "SET #status = :failed, reason = :reason, reopened_by = :by, status_shard = :shard" + expiry.sets
                ),
                # The second: the SDK tries again when an answer is lost, and finds what it wrote.
                ConditionExpression=(
                    "processed_at = :processed_at AND (#status = :status OR (#status = :failed AND reopened_by = :by))"
                ),
                ExpressionAttributeNames={"#status": "status", **expiry.names},
                ExpressionAttributeValues={
                    ":failed": {"S": Status.FAILED},
                    ":reason": {"S": REOPENED},
                    ":by": {"S": by},
                    ":shard": {"S": self._shard(Status.FAILED, version.object_id, version.version_id)},
                    ":status": {"S": status},
                    ":processed_at": {"S": processed_at},
                    **expiry.values,
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def known(self, versions: Sequence[ObjectVersion]) -> set[tuple[str, str]]:
        """Return object id and version id of those of `versions` that have an item."""
        found: set[tuple[str, str]] = set()
        for start in range(0, len(versions), BATCH_KEYS):
            keys: Sequence[Mapping[str, AttributeValueTypeDef]] = [
                self._key(version) for version in versions[start : start + BATCH_KEYS]
            ]
            for attempt in count(1):
                answer = self._client.batch_get_item(
                    RequestItems={self._table_name: {"Keys": keys, "ProjectionExpression": "object_id, version_id"}}
                )
                items = answer["Responses"].get(self._table_name, [])
                found |= {(item["object_id"]["S"], item["version_id"]["S"]) for item in items}
                left = answer.get("UnprocessedKeys", {}).get(self._table_name)
                if not left:
                    break
                keys = left["Keys"]
                self._wait(_back_off(attempt))
        return found

    def note_sent(self, version: ObjectVersion, *, by: str) -> None:
        """Note of an upload without an item that its event was sent anew: FAILED, until it is processed.

        As `reopen` does it, so that it is no news of the file. An item that is there by now is left alone.
        """
        item = {
            **self._key(version),
            **_attributes(
                bucket=version.bucket,
                key=version.key,
                etag=version.etag,
                size=version.size,
                event_name=version.event_name,
                event_time=version.event_time or None,
                stage=self._stage,
                region=self._region,
                status=Status.FAILED,
                reason=NEVER_CAME,
                reopened_by=by,
                bucket_shard=self._shard(version.bucket, version.object_id, version.version_id),
                status_shard=self._shard(Status.FAILED, version.object_id, version.version_id),
                processed_at=iso(self._now()),
                ttl=self._ttl(),
            ),
        }
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table_name, Item=item, ConditionExpression="attribute_not_exists(object_id)"
            )

    def withdraw(self, version: ObjectVersion) -> None:
        """Let the key's latest version be the one that S3 has now, if it is `version`, which was deleted meanwhile."""
        pointer = self._latest.read(version)
        if pointer is None or pointer.version_id != version.version_id:
            return
        current = self._current(version)
        if current is not None and current.version_id != version.version_id:
            # Refused only if a later version was named meanwhile.
            self._transact([self._latest.move_from(pointer, current)])

    def _request_item(self, result: ApiResult) -> _Item:
        status = result.outcome.status
        expiry = result.deadline + CLAIM_MARGIN
        return {
            "object_id": {"S": result.object_id},
            "version_id": {"S": API_VERSION},
            **_attributes(
                bucket=result.bucket,
                key=result.key,
                size=result.size,
                content_type="application/gzip" if result.key else None,
                content_sha256=result.content_sha256,
                event_time=iso(result.received_at),
                uploaded_by=result.uploaded_by,
                stage=self._stage,
                region=self._region,
                status=status,
                reason=_shorten(result.outcome.reason),
                **result.outcome.results,
                claim_expires_at=_epoch(expiry) if status is Status.PROCESSING else None,
                bucket_shard=self._shard(result.bucket, result.object_id, API_VERSION),
                status_shard=self._shard(status, result.object_id, API_VERSION),
                processed_at=iso(self._now()),
                processed_by=result.function_name,
                request_id=result.request_id,
                duration_ms=result.duration_ms,
                ttl=self._ttl(),
            ),
        }

    def _write(
        self,
        version: ObjectVersion,
        facts: ObjectFacts,
        outcome: Outcome,
        worker: Worker,
        claim_expires_at: int | None,
        *,
        exists: bool = True,
    ) -> Claim:
        """Put the file's item if the file is free, and in the same call move the key's latest version to it."""
        item: _Item = {
            **self._key(version),
            **_attributes(
                bucket=version.bucket,
                key=version.key,
                etag=version.etag,
                sequencer=version.sequencer,
                event_name=version.event_name,
                event_time=version.event_time or None,
                size=facts.size if facts.size is not None else version.size,
                content_type=facts.content_type,
                last_modified=iso(facts.last_modified) if facts.last_modified else None,
                encryption=facts.encryption,
                kms_key_id=facts.kms_key_id,
                cache_control=facts.cache_control,
                content_encoding=facts.content_encoding,
                expires=facts.expires,
                user_metadata=facts.user_metadata or None,
                stage=self._stage,
                region=self._region,
                owner=worker.request_id,
                claim_expires_at=claim_expires_at,
                bucket_shard=self._shard(version.bucket, version.object_id, version.version_id),
            ),
            **self._changing_attributes(version, outcome, worker),
        }
        put: PutTypeDef = {
            "TableName": self._table_name,
            "Item": item,
            "ConditionExpression": _FREE,
            "ExpressionAttributeNames": {"#status": "status", "#owner": "owner"},
            "ExpressionAttributeValues": {
                ":failed": {"S": Status.FAILED},
                ":processing": {"S": Status.PROCESSING},
                ":now": {"N": str(_epoch(self._now()))},
                ":me": {"S": worker.request_id},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if not exists:
            return self._put(put)
        if version.sequencer:
            refusal = self._transact([{"Put": put}, self._latest.move_by_order(version)])
            if refusal is None:
                return Claim.TAKEN
            if refusal[0]["Code"] == _CONDITION_FAILED:
                return _standing(refusal[0])
            if "order_unknown" not in _item_of(refusal[1]):
                # A later version of the key is known already: this one is recorded, and the latest stays.
                return self._put(put)
        return self._write_as_s3_says(put, version)

    def _write_as_s3_says(self, put: PutTypeDef, version: ObjectVersion) -> Claim:
        """Put the item, and name its version the key's latest if S3 says so: no sequencer decides."""
        for _ in range(_LATEST_ATTEMPTS):
            pointer = self._latest.read(version)
            if pointer and pointer.version_id == version.version_id and not version.sequencer:
                return self._put(put)
            current = self._current(version)
            if current is None or current.version_id != version.version_id:
                return self._put(put)
            refusal = self._transact([{"Put": put}, self._latest.move_from(pointer, version)])
            if refusal is None:
                return Claim.TAKEN
            if refusal[0]["Code"] == _CONDITION_FAILED:
                return _standing(refusal[0])
        raise LatestContendedError(version.object_id)

    def _put(self, put: PutTypeDef) -> Claim:
        try:
            self._client.put_item(**put)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return _standing(error.response)
        return Claim.TAKEN

    def _transact(self, items: Sequence[TransactWriteItemTypeDef]) -> Sequence[Mapping[str, object]] | None:
        """Write all of `items` or none; returns why each was refused, or None if all were written.

        A collision or throttling is waited out here: left to the queue, it would cost a receive and minutes.
        """
        attempt = 1
        while True:
            try:
                self._client.transact_write_items(TransactItems=items)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = error.response["CancellationReasons"]
                codes = {str(reason.get("Code")) for reason in reasons}
                if _CONDITION_FAILED in codes:
                    return cast("Sequence[Mapping[str, object]]", reasons)
                if not codes & _PASSING or attempt == WRITE_ATTEMPTS:
                    raise
            else:
                return None
            self._wait(_back_off(attempt))
            attempt += 1

    def _changing_attributes(self, version: ObjectVersion, outcome: Outcome, worker: Worker) -> _Item:
        """Render what every change of state writes anew."""
        now = self._now()
        return _attributes(
            status=outcome.status,
            reason=_shorten(outcome.reason),
            **outcome.results,
            status_shard=self._shard(outcome.status, version.object_id, version.version_id),
            processed_at=iso(now),
            processed_by=worker.function_name,
            request_id=worker.request_id,
            attempt=worker.attempt,
            duration_ms=max(0, round((now - worker.started_at) / timedelta(milliseconds=1))),
            ttl=self._ttl(),
        )

    def _key(self, version: ObjectVersion) -> _Item:
        return {"object_id": {"S": version.object_id}, "version_id": {"S": version.version_id}}

    def _shard(self, value: str, object_id: str, version_id: str) -> str:
        """`value` with the item's shard: items spread evenly, and one item is always in the same shard."""
        digest = hashlib.sha256(f"{object_id}\0{version_id}".encode()).digest()
        return f"{value}#{int.from_bytes(digest[:8]) % self._shards}"

    def _expiry(self) -> _Expiry:
        ttl = self._ttl()
        if ttl is None:
            return _Expiry("", {}, {})
        return _Expiry(", #ttl = :ttl", {"#ttl": "ttl"}, {":ttl": {"N": str(ttl)}})

    def _ttl(self) -> int | None:
        return None if self._retention is None else _epoch(self._now() + self._retention)


def iso(moment: datetime) -> str:
    """Return `moment` in UTC as ISO 8601 with milliseconds, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shorten(reason: str | None) -> str | None:
    if reason is None or len(reason) <= MAX_REASON_CHARACTERS:
        return reason
    return f"{reason[:MAX_REASON_CHARACTERS]}…"


def _back_off(attempt: int) -> float:
    return random.uniform(0, min(_LONGEST_WAIT_SECONDS, 0.1 * 2**attempt))  # noqa: S311 - jitter


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _standing(refusal: Mapping[str, object]) -> Claim:
    """Say why the file was not free, from the item that stood in the way."""
    return Claim.FINISHED if _item_of(refusal)["status"]["S"] in FINAL else Claim.HELD


def _item_of(refusal: Mapping[str, object]) -> Mapping[str, Mapping[str, str]]:
    """Return the item that a condition failed on."""
    return cast("Mapping[str, Mapping[str, str]]", refusal["Item"])


def _attributes(**values: _Value) -> _Item:
    """Render what has a value; an attribute without one is left out."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items() if value is not None}
