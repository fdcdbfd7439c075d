"""Dead-letter queues: messages are received one by one, and made visible again unless they were deleted."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from forward.changes import MalformedRecordError, parse_change

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef, MessageTypeDef

HIDDEN_SECONDS: Final = 300
"""How long a message that was received is hidden from others, unless it is released before."""

_USABLE_SECONDS: Final = HIDDEN_SECONDS / 2
"""How long after its receive a message is still given out: then enough is left to send and delete it."""

RETRIED: Final = "received too often"
"""Why a message lies here that no function dead-lettered."""

_LONG_POLL_SECONDS: Final = 1
"""A receive that waits asks every server of SQS; one that does not may miss messages."""

_STALE_RECEIVES: Final = 20
"""Receives in a row that give only what was received before, beyond those that give all of it again."""

_BATCH: Final = 10  # the most that SQS gives or takes at once


@dataclass(frozen=True, kw_only=True)
class DeadLetterMessage:
    """A message of a dead-letter queue.

    Parameters
    ----------
    id, receipt
        What it is known and deleted by.
    body
        Its text.
    function_reason
        Why the function dead-lettered it; empty if SQS did, since it was received too often.
    malformed
        Whether it would be dead-lettered again however often it is sent.
    group
        The message group of a FIFO queue's message; empty for another's.
    """

    id: str
    receipt: str
    body: str
    function_reason: str
    malformed: bool = False
    group: str = ""

    @classmethod
    def of(cls, message: MessageTypeDef) -> Self:
        """Read a message. The ingest function dead-letters what is malformed, the delivery other messages too."""
        reason, group = dead_letter_reason(message), message.get("Attributes", {}).get("MessageGroupId", "")
        marked = "malformed" in message.get("MessageAttributes", {})
        return cls(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            function_reason=reason,
            malformed=marked or (bool(reason) and not group),
            group=group,
        )

    @property
    def reason(self) -> str:
        """Why it is here."""
        return self.function_reason or RETRIED

    def sendable(self) -> Self | None:
        """Return the message as its queue takes it, or None if no message can be made of it.

        The forwarding function dead-letters records of the catalog's stream. The delivery function reads none: after a
        fix, the message for the next system is made here.
        """
        if not (self.malformed and self.group):
            return self
        try:
            record = msgspec.json.decode(self.body, type=dict[str, object])
            if "eventID" not in record:
                return self
            change = parse_change(record)
        except MalformedRecordError:
            return None
        except msgspec.MsgspecError:
            return self
        return replace(self, body=change.body, group=change.group) if change else None

    @property
    def digest(self) -> str:
        """A hash of its body."""
        return hashlib.sha256(self.body.encode()).hexdigest()


class DeadLetters:
    """A dead-letter queue. As a context, it makes visible again what was received and not deleted.

    Parameters
    ----------
    client, url
        The queue and the client to reach it with.
    complain
        Called with what the operator should know, a line each.
    now
        The clock, in seconds.
    """

    def __init__(
        self,
        client: SQSClient,
        url: str,
        *,
        complain: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._client = client
        self._url = url
        self._complain = complain
        self._held: dict[str, DeadLetterMessage] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release(list(self._held.values()))

    def _release(self, messages: Sequence[DeadLetterMessage]) -> None:
        for entries in _visible_at_once(messages):
            try:
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            except (ClientError, BotoCoreError) as failure:
                # Others may still be made visible; these are when their time is up.
                self._complain(f"{len(entries)} messages stay hidden for a while: {failure}")

    def take(self, limit: int | None = None) -> Iterator[DeadLetterMessage]:
        """Receive message after message until none is left, or `limit`; each is hidden meanwhile.

        What is asked for late, since those before it took long, is received again: others may see it soon.
        """
        taken = stale = 0
        while (limit is None or taken < limit) and stale < _STALE_RECEIVES + len(self._held) / _BATCH:
            received_at = self._now()
            messages = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH if limit is None else min(_BATCH, limit - taken),
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=_LONG_POLL_SECONDS,
                MessageAttributeNames=["reason", "malformed"],
                MessageSystemAttributeNames=["MessageGroupId"],
            ).get("Messages", [])
            received = [DeadLetterMessage.of(message) for message in messages]
            fresh = [message for message in received if message.id not in self._held]
            self._held |= {message.id: message for message in received}
            if not messages:
                return
            stale = 0 if fresh else stale + 1
            for number, message in enumerate(fresh):
                if self._now() - received_at > _USABLE_SECONDS:
                    self._release(fresh[number:])
                    for late in fresh[number:]:
                        del self._held[late.id]
                    break
                taken += 1
                yield message

    def delete(self, message: DeadLetterMessage) -> None:
        """Delete a message, by its latest receipt: received again meanwhile, it has a new one."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=self._held[message.id].receipt)
        del self._held[message.id]


def _visible_at_once(
    messages: Sequence[DeadLetterMessage],
) -> Iterator[list[ChangeMessageVisibilityBatchRequestEntryTypeDef]]:
    for start in range(0, len(messages), _BATCH):
        yield [
            {"Id": str(number), "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
            for number, message in enumerate(messages[start : start + _BATCH])
        ]


def dead_letter_reason(message: MessageTypeDef) -> str:
    """Return why a function dead-lettered a message; empty if none did."""
    attribute = message.get("MessageAttributes", {}).get("reason")
    return attribute.get("StringValue", "") if attribute else ""


def depth(client: SQSClient, url: str) -> tuple[int, int]:
    """Return how many messages of a queue wait, and how many are being worked on; SQS counts approximately."""
    counts = client.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


def in_flight_note(count: int, seconds: int) -> str:
    """Say that `count` messages are in flight, and after how many `seconds` they are visible at the latest."""
    return (
        f"{count} in flight, received by others; SQS counts approximately. "
        f"Run it again when no other command reads the queue, in {seconds // 60} minutes at the latest."
    )
