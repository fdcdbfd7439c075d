"""Letters of the dead-letter queue, read back to be sent again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from delivery.events import Delivery, MalformedRecordError, parse_change

if TYPE_CHECKING:
    from collections.abc import Mapping


_ID: Final = re.compile(r"[0-9a-f]{32}")


def parse_letter(letter: Mapping[str, object]) -> Delivery | None:
    """Read what `DeadLetters` wrote: a delivery, or a record of the stream.

    Returns
    -------
    Delivery or None
        The delivery, with the id and the bytes that it had; None for a record that is no delivery.

    Raises
    ------
    MalformedRecordError
        If the letter is neither, or no delivery can be made of its record.
    """
    record, body, delivery_id = (letter.get(name) for name in ("record", "body", "delivery_id"))
    if isinstance(record, dict):
        return parse_change(record)
    if not isinstance(body, str) or not isinstance(delivery_id, str):
        raise MalformedRecordError("holds neither a delivery nor a record")
    if not body.isascii() or not _ID.fullmatch(delivery_id):
        raise MalformedRecordError("holds an id or a body that was not made here")
    try:
        told: object = json.loads(body)
    except ValueError as error:
        raise MalformedRecordError("holds a body that is not JSON") from error
    values = told if isinstance(told, dict) else {}
    return Delivery(
        id=delivery_id,
        object_id=str(values.get("object_id", "")),
        status=str(values.get("status", "")),
        body=body,
    )
