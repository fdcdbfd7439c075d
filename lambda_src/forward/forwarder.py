"""Queues changes in their order: no message of a file before an earlier one of the same file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from forward.changes import MAX_BODY_BYTES, MalformedRecordError, StatusChange, parse_change, sequence_number
from shared.observability import logger

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef

    from shared.dead_letters import DeadLetterQueue

Record: TypeAlias = Mapping[str, object]

BATCH_MESSAGES: Final = 10
"""What SendMessageBatch takes (SQS Developer Guide, StatusChange quotas)."""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """What became of a batch of the stream.

    Parameters
    ----------
    sent, dead_lettered
        How many changes were queued, and how many can never be.
    first_failed
        Sequence number of the first record that is not queued; None: all are. Those before it are done.
    """

    sent: int
    dead_lettered: int
    first_failed: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Entry:
    record: Record
    message: StatusChange


@dataclass(frozen=True, kw_only=True)
class _Malformed:
    record: Record
    reason: str


class Forwarder:
    """Forwards the stream of the catalog to the delivery queue.

    Parameters
    ----------
    client, queue_url
        The queue and the client to reach it with.
    dead_letters
        Where records go that can never be queued.
    """

    def __init__(self, client: SQSClient, queue_url: str, dead_letters: DeadLetterQueue) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letters = dead_letters

    def forward(self, records: Iterable[Record]) -> Queued:
        """Queue each change of a file to a status that is delivered, up to the first record that fails.

        Record after record: what is behind the first that fails is not dead-lettered, so that it is not dead-lettered
        again when it comes again.
        """
        sent = dead_lettered = 0
        for step in _steps(records):
            done = self._dead_letter_record(step) if isinstance(step, _Malformed) else self._queue(step)
            sent, dead_lettered = sent + done.sent, dead_lettered + done.dead_lettered
            if done.first_failed is not None:
                return Queued(sent=sent, dead_lettered=dead_lettered, first_failed=done.first_failed)
        return Queued(sent=sent, dead_lettered=dead_lettered)

    def _queue(self, batch: Sequence[_Entry]) -> Queued:
        failures = self._send(batch)
        sent = len(batch) - len(failures)
        for dead_lettered, number in enumerate(sorted(failures)):
            # No retry helps where SQS names the message as the cause.
            if not (_is_permanent(failures[number]) and self._dead_letter_message(batch[number], failures[number])):
                first = sequence_number(batch[number].record)
                return Queued(sent=sent, dead_lettered=dead_lettered, first_failed=first)
        return Queued(sent=sent, dead_lettered=len(failures))

    def _send(self, batch: Sequence[_Entry]) -> dict[int, BatchResultErrorEntryTypeDef]:
        """Send a batch; returns what failed, by its place in the batch."""
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {
                        "Id": str(number),
                        "MessageBody": entry.message.body,
                        "MessageGroupId": entry.message.group,
                        "MessageDeduplicationId": entry.message.id,
                    }
                    for number, entry in enumerate(batch)
                ],
            )
        except (BotoCoreError, ClientError):
            logger.exception("the delivery queue cannot be reached")
            return {n: {"Id": str(n), "SenderFault": False, "Code": "Unreachable"} for n in range(len(batch))}
        failures = {int(failure["Id"]): failure for failure in answer.get("Failed", [])}
        if failures:
            logger.warning("not all queued", extra={"codes": sorted(error["Code"] for error in failures.values())})
        return failures

    def _dead_letter_message(self, entry: _Entry, error: BatchResultErrorEntryTypeDef) -> bool:
        """Dead-letter a message that can be sent again as it is."""
        message, reason = entry.message, f"SQS refuses the message: {error['Code']}"
        return self._dead_letter(entry.record, message.body, reason, group=message.group, deduplication_id=message.id)

    def _dead_letter_record(self, malformed: _Malformed) -> Queued:
        """Dead-letter a record of which no message can be made."""
        record, number = malformed.record, sequence_number(malformed.record)
        body = json.dumps(record)
        if len(body) > MAX_BODY_BYTES // 2:
            change = record.get("dynamodb")
            keys = change.get("Keys") if isinstance(change, dict) else None
            body = json.dumps({"eventID": record.get("eventID"), "dynamodb": {"Keys": keys, "SequenceNumber": number}})
        # It is of no file that is known: a group of its own holds up nothing.
        name = hashlib.sha256(body.encode()).hexdigest()
        if self._dead_letter(record, body, malformed.reason, group=name, deduplication_id=name, malformed=True):
            return Queued(sent=0, dead_lettered=1)
        return Queued(sent=0, dead_lettered=0, first_failed=number)

    def _dead_letter(
        self, record: Record, body: str, reason: str, *, group: str, deduplication_id: str, malformed: bool = False
    ) -> bool:
        """Return whether the dead-letter queue took it; if not, the record comes again."""
        details = {"reason": reason, "sequence_number": sequence_number(record)}
        try:
            self._dead_letters.put(body, reason, group=group, deduplication_id=deduplication_id, malformed=malformed)
        except (BotoCoreError, ClientError):
            logger.exception("the dead-letter queue cannot be reached", extra=details)
            return False
        logger.error("dead-lettered", extra=details)
        return True


def _steps(records: Iterable[Record]) -> Iterator[list[_Entry] | _Malformed]:
    """Put messages together as one request takes them, in the order of their records, and never two of one file.

    One of them may fail alone, and the other must not overtake it. A malformed record is a step of its own.
    """
    batch: list[_Entry] = []
    for record in records:
        try:
            message = parse_change(record)
        except MalformedRecordError as error:
            if batch:
                yield batch
            batch = []
            yield _Malformed(record=record, reason=str(error))
            continue
        if message is None:
            continue
        if not _has_room(batch, message):
            yield batch
            batch = []
        batch.append(_Entry(record=record, message=message))
    if batch:
        yield batch


def _has_room(batch: Sequence[_Entry], message: StatusChange) -> bool:
    size = sum(len(entry.message.body) for entry in batch) + len(message.body)
    same_file = any(entry.message.group == message.group for entry in batch)
    return not same_file and len(batch) < BATCH_MESSAGES and size <= MAX_BODY_BYTES


def _is_permanent(error: BatchResultErrorEntryTypeDef) -> bool:
    return error["SenderFault"] and "throttl" not in error["Code"].lower()
