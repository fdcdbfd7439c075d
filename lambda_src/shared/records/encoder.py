"""Renders what is published: JSON, a record a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from shared.records.types import render_custom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.records.batch import Rejection
    from shared.records.reasons import Reason

MAX_SHOWN_RECORD_BYTES: Final = 64 * 1024
"""The most of a rejected record that is kept beside its reasons."""


class _RejectedLine(Struct):
    number: int
    reasons: Sequence[Reason]
    record: str


class RecordEncoder:
    """Renders records and rejections as lines, and whatever else holds records."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=render_custom, decimal_format="number")

    def document(self, value: object) -> bytes:
        """Render one value."""
        return self._encoder.encode(value)

    def records(self, records: Sequence[Struct]) -> bytes:
        """Render valid records, a line each."""
        return self._encoder.encode_lines(records)

    def rejections(self, rejections: Sequence[Rejection]) -> bytes:
        """Render rejected records, a line each: number, reasons, and the record as it came."""
        lines = [
            _RejectedLine(
                rejection.number,
                rejection.reasons,
                rejection.record[:MAX_SHOWN_RECORD_BYTES].decode("utf-8", "replace"),
            )
            for rejection in rejections
        ]
        return self._encoder.encode_lines(lines)
