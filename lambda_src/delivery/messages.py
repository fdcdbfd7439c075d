"""The messages of the delivery queue."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct


class MalformedMessageError(ValueError):
    """The message is none that the forwarding function made. The message says what is wrong."""


class Message(Struct, frozen=True):
    """What is read of a message; all of its body is what the next system is sent.

    Parameters
    ----------
    delivery_id
        The same for the same change of a file, however often it is sent.
    object_id, status
        The file and its status: for logs.
    """

    delivery_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    object_id: str
    status: str


def parse_message(body: str) -> Message:
    """Read a message's body.

    Raises
    ------
    MalformedMessageError
        If it holds no delivery.
    """
    try:
        return msgspec.json.decode(body, type=Message)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise MalformedMessageError(f"the message has another shape: {error}") from error
