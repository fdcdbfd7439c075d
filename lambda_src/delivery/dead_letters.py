"""The delivery dead-letter queue: each letter holds all that is needed to send it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_sqs import SQSClient

    from delivery.events import Delivery

MAX_REASON_CHARACTERS: Final = 1000


class DeadLetters:
    """Puts aside what cannot be delivered.

    Parameters
    ----------
    client
        Makes the client, when something is first put aside, which is rare.
    queue_url
        The queue.
    """

    def __init__(self, client: Callable[[], SQSClient], queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, delivery: Delivery, reason: str, status: int | None) -> None:
        """Put a delivery aside, whole, with the HTTP status that it was refused with, if any.

        Raises
        ------
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If the queue cannot be reached.
        """
        changed_at = None if delivery.changed_at is None else delivery.changed_at.isoformat()
        self._send(
            {
                "delivery_id": delivery.id,
                "body": delivery.body,
                "http_status": status,
                "reason": reason,
                "changed_at": changed_at,
            },
            reason,
        )

    def put_record(self, record: Mapping[str, object], reason: str) -> None:
        """Put aside a record of the stream that no delivery could be made of; raises like `put`."""
        self._send({"record": record, "reason": reason}, reason)

    def _send(self, letter: Mapping[str, object], reason: str) -> None:
        self._client().send_message(
            QueueUrl=self._queue_url,
            MessageBody=json.dumps(letter),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:MAX_REASON_CHARACTERS]}},
        )
