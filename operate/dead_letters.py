"""Dead letters: taken one by one, and shown again if they were not dealt with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef, MessageTypeDef

HIDDEN_SECONDS: Final = 300
"""How long a letter that was taken is hidden from others, if it is not released before."""

RETRIED: Final = "received too often"
"""Why a message lies here that no function dead-lettered."""

_LONG_POLL_SECONDS: Final = 1
"""A receive that waits asks every server of SQS; one that does not may miss messages."""

_STALE_RECEIVES: Final = 20
"""Receives in a row that give only what was taken before and is shown again: then nothing else is left."""

_BATCH: Final = 10  # the most that SQS gives or takes at once


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A dead letter.

    Parameters
    ----------
    id, receipt
        What it is known and deleted by.
    body
        The message as it came.
    refusal
        Why the function dead-lettered it; empty if SQS did, since it was received too often.
    malformed
        Whether it would be dead-lettered again however often it is sent.
    group
        The message group of a FIFO queue's message; empty for another's.
    """

    id: str
    receipt: str
    body: str
    refusal: str
    malformed: bool = False
    group: str = ""

    @classmethod
    def of(cls, message: MessageTypeDef) -> Letter:
        """Read a message. The ingest function dead-letters what is malformed, the delivery other messages too."""
        reason, group = refusal(message), message.get("Attributes", {}).get("MessageGroupId", "")
        marked = "malformed" in message.get("MessageAttributes", {})
        return cls(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            refusal=reason,
            malformed=marked or (bool(reason) and not group),
            group=group,
        )

    @property
    def reason(self) -> str:
        """Why it is here."""
        return self.refusal or RETRIED

    @property
    def digest(self) -> str:
        """What tells its body from others."""
        return hashlib.sha256(self.body.encode()).hexdigest()


class DeadLetters:
    """A dead-letter queue. As a context, it shows again what was taken and not deleted.

    Parameters
    ----------
    client, url
        The queue and the client to reach it with.
    complain
        Called with what the operator should know, a line each.
    """

    def __init__(self, client: SQSClient, url: str, *, complain: Callable[[str], None]) -> None:
        self._client = client
        self._url = url
        self._complain = complain
        self._held: dict[str, Letter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for entries in self._visibility(0):
            try:
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            except (ClientError, BotoCoreError) as failure:
                # The others can be shown still, and these are when their time is up.
                self._complain(f"{len(entries)} letters stay hidden for a while: {failure}")

    def take(self, limit: int | None = None) -> Iterator[Letter]:
        """Take letter after letter until none is left, or `limit`; each is hidden meanwhile."""
        taken = stale = 0
        while (limit is None or taken < limit) and stale < _STALE_RECEIVES:
            messages = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH if limit is None else min(_BATCH, limit - taken),
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=_LONG_POLL_SECONDS,
                MessageAttributeNames=["reason", "malformed"],
                MessageSystemAttributeNames=["MessageGroupId"],
            ).get("Messages", [])
            letters = [Letter.of(message) for message in messages]
            fresh = [letter for letter in letters if letter.id not in self._held]
            self._held |= {letter.id: letter for letter in letters}
            if not messages:
                return
            stale = 0 if fresh else stale + 1
            taken += len(fresh)
            yield from fresh

    def delete(self, letter: Letter) -> None:
        """Delete a letter for good, by its latest receipt: shown again meanwhile, it has a new one."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=self._held[letter.id].receipt)
        del self._held[letter.id]

    def _visibility(self, seconds: int) -> Iterator[list[ChangeMessageVisibilityBatchRequestEntryTypeDef]]:
        held = list(self._held.values())
        for start in range(0, len(held), _BATCH):
            yield [
                {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": seconds}
                for number, letter in enumerate(held[start : start + _BATCH])
            ]


def refusal(message: MessageTypeDef) -> str:
    """Return why a function dead-lettered a message; empty if none did."""
    attribute = message.get("MessageAttributes", {}).get("reason")
    return attribute.get("StringValue", "") if attribute else ""


def depth(client: SQSClient, url: str) -> tuple[int, int]:
    """Return how many messages of a queue wait, and how many are being worked on; SQS counts approximately."""
    counts = client.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


def hidden_letters(count: int, seconds: int) -> str:
    """Say that `count` letters are in flight, and after how many `seconds` they can be seen at the latest."""
    return (
        f"{count} in flight, hidden by whoever took them; SQS counts approximately. "
        f"Run it again when no other command is at them, in {seconds // 60} minutes at the latest."
    )
