"""Dead-letter queues: what no retry helps, whole, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageRequestTypeDef

MAX_REASON_CHARACTERS: Final = 1000


class DeadLetterQueue:
    """Keeps what no retry helps.

    Parameters
    ----------
    client
        Makes the client, when something is first dead-lettered, which is rare.
    url
        The queue.
    """

    def __init__(self, client: Callable[[], SQSClient], url: str) -> None:
        self._client = client
        self._url = url

    def put(
        self,
        body: str,
        reason: str,
        *,
        group: str | None = None,
        deduplication_id: str | None = None,
        status: int | None = None,
        malformed: bool = False,
    ) -> None:
        """Dead-letter a message.

        Parameters
        ----------
        body
            The message as it came.
        reason
            Why; what is beyond `MAX_REASON_CHARACTERS` is cut, what is not ASCII is escaped.
        group
            Of a FIFO queue: what it keeps its order with.
        deduplication_id
            Of a FIFO queue: the same for the same message, so that it is kept once if this is called again within five
            minutes; and another when it was sent again and failed again.
        status
            The HTTP status that the endpoint answered, if it did.
        malformed
            Whether it would fail again however often it is sent.

        Raises
        ------
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If the queue cannot be reached.
        """
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            "reason": {"DataType": "String", "StringValue": ascii(reason)[1:-1][:MAX_REASON_CHARACTERS]}
        }
        if status is not None:
            attributes["status"] = {"DataType": "Number", "StringValue": str(status)}
        if malformed:
            attributes["malformed"] = {"DataType": "String", "StringValue": "true"}
        request: SendMessageRequestTypeDef = {
            "QueueUrl": self._url,
            "MessageBody": body,
            "MessageAttributes": attributes,
        }
        if group is not None:
            request["MessageGroupId"] = group
        if deduplication_id is not None:
            request["MessageDeduplicationId"] = deduplication_id
        self._client().send_message(**request)
