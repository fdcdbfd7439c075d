"""Queues changes in their order: no message of a file before an earlier one of the same file."""

from __future__ import annotations

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
        """Queue each change of a file to a status that is delivered, up to the first that fails.

        Raises
        ------
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If the dead-letter queue cannot be reached: all records must come again.
        """
        entries, dead_lettered = self._read(records)
        sent = 0
        for batch in _batches(entries):
            failures = self._send(batch)
            # No retry helps where SQS names the message as the cause.
            permanent = {n: error for n, error in failures.items() if _is_permanent(error)}
            for number, error in permanent.items():
                self._dead_letter_message(batch[number], f"SQS refuses the message: {error['Code']}")
            dead_lettered += len(permanent)
            sent += len(batch) - len(failures)
            if failed := failures.keys() - permanent.keys():
                first = sequence_number(batch[min(failed)].record)
                return Queued(sent=sent, dead_lettered=dead_lettered, first_failed=first)
        return Queued(sent=sent, dead_lettered=dead_lettered)

    def _read(self, records: Iterable[Record]) -> tuple[list[_Entry], int]:
        entries, malformed = [], 0
        for record in records:
            try:
                message = parse_change(record)
            except MalformedRecordError as error:
                self._dead_letter_record(record, str(error))
                malformed += 1
            else:
                entries += [_Entry(record=record, message=message)] if message else []
        return entries, malformed

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

    def _dead_letter_message(self, entry: _Entry, reason: str) -> None:
        """Dead-letter a message that can be sent again as it is."""
        message = entry.message
        _log_dead_letter(entry.record, reason)
        self._dead_letters.put(message.body, reason, group=message.group, deduplication_id=message.id)

    def _dead_letter_record(self, record: Record, reason: str) -> None:
        """Dead-letter a record of which no message can be made."""
        _log_dead_letter(record, reason)
        number = sequence_number(record)
        body = json.dumps(record)
        if len(body) > MAX_BODY_BYTES // 2:
            change = record.get("dynamodb")
            keys = change.get("Keys") if isinstance(change, dict) else None
            body = json.dumps({"eventID": record.get("eventID"), "dynamodb": {"Keys": keys, "SequenceNumber": number}})
        # It is of no file that is known: a group of its own holds up nothing.
        name = str(record.get("eventID") or number)
        self._dead_letters.put(body, reason, group=name, deduplication_id=name, malformed=True)


def _batches(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    """Put entries together as one request takes them, in order, and never two of one file.

    One of them may fail alone, and the other must not overtake it.
    """
    batch: list[_Entry] = []
    for entry in entries:
        size = sum(len(other.message.body) for other in batch) + len(entry.message.body)
        same_file = any(other.message.group == entry.message.group for other in batch)
        if same_file or len(batch) == BATCH_MESSAGES or size > MAX_BODY_BYTES:
            yield batch
            batch = []
        batch.append(entry)
    if batch:
        yield batch


def _log_dead_letter(record: Record, reason: str) -> None:
    logger.error("dead-lettered", extra={"reason": reason, "sequence_number": sequence_number(record)})


def _is_permanent(error: BatchResultErrorEntryTypeDef) -> bool:
    return error["SenderFault"] and "throttl" not in error["Code"].lower()
