"""The verdicts on records that were sent, and what is answered and stored of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

import msgspec

from api.models import RecordResult, RecordsAnswer
from shared.catalog.model import Outcome, Status
from shared.records.batch import WINDOW_BYTES, Rejection
from shared.records.decoder import RecordDecoder
from shared.records.encoder import RecordEncoder
from shared.records.schemas import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_REASON: Final = 200
_MAX_REASONS_BYTES: Final = 1_000_000
"""Reasons of one answer, escaped: Lambda answers 6 MB at most, in which each escape is escaped again."""

_NOT_SHOWN: Final = "not shown: the answer would be too large"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of the records of a request.

    Parameters
    ----------
    count
        How many there are.
    valid
        The valid ones as JSON, with commas between: several in each.
    rejected
        The others.
    record_type
        The name of their schema.
    digest
        The same for the same records and verdicts.
    """

    count: int
    valid: list[bytes]
    rejected: list[Rejection]
    record_type: str
    digest: str

    @property
    def counts(self) -> dict[str, str | int]:
        """How many are valid, and how many not: attributes of the catalog item."""
        return {"records_valid": self.count - len(self.rejected), "records_rejected": len(self.rejected)}

    def outcome(self, s3_key: str | None) -> Outcome:
        """Return how processing them ends, where the valid ones are stored under `s3_key`."""
        if s3_key is None:
            return Outcome(status=Status.REJECTED, reason="none of the records is valid", results=self.counts)
        return Outcome(status=Status.COMPLETED, results={**self.counts, "processed_key": s3_key})

    def answer(self, item_id: str, status: Status, s3_key: str | None) -> RecordsAnswer:
        """Return what the sender is told."""
        reasons = self._reasons()
        return RecordsAnswer(
            id=item_id,
            status=status,
            records_valid=self.count - len(self.rejected),
            records_rejected=len(self.rejected),
            results=[
                RecordResult(number=number, valid=number not in reasons, reason=reasons.get(number))
                for number in range(1, self.count + 1)
            ],
            s3_key=s3_key,
        )

    def document(self) -> bytes:
        """Render what is stored: the same records give the same bytes."""
        encode = msgspec.json.Encoder().encode
        document = BytesIO()  # joined from a list, it would stand in memory twice
        document.write(b'{"record_type":%b,"records":[' % encode(self.record_type))
        for number, records in enumerate(self.valid):
            document.write(b"," if number else b"")
            document.write(records)
        document.write(b'],"rejected":[')
        for number, rejection in enumerate(self.rejected):
            document.write(b"," if number else b"")
            rejected = {"number": rejection.number, "reason": rejection.reason, "record": _text(rejection.record)}
            document.write(encode(rejected))
        document.write(b"]}")
        return document.getvalue()

    def _reasons(self) -> dict[int, str]:
        reasons: dict[int, str] = {}
        left = _MAX_REASONS_BYTES
        for rejection in self.rejected:
            reason = rejection.reason[:_MAX_REASON]
            left -= len(ascii(reason))
            reasons[rejection.number] = reason if left > 0 else _NOT_SHOWN
        return reasons


def check(data: memoryview, record_type: str) -> Checked:
    """Check records, a few at a time: only text is kept of them, which is as large as it came.

    Parameters
    ----------
    data
        A record, or a list of records: strict JSON.
    record_type
        The name of their schema.
    """
    decoder, encoder = RecordDecoder(load_schema(record_type)), RecordEncoder()
    valid, rejected, count = list[bytes](), list[Rejection](), 0
    for items in _parts(data):
        batch = decoder.items(items, count + 1)
        if batch.valid:
            valid.append(encoder.document(batch.valid)[1:-1])
        rejected += batch.rejected
        count += batch.size
        del batch  # before the next is decoded
    # The verdicts too: where the rules have changed since, it is not the same request.
    digest = hashlib.sha256(record_type.encode())
    for rejection in rejected:
        digest.update(f"\0{rejection.number} {rejection.reason}".encode())
    digest.update(b"\0")
    digest.update(data)
    return Checked(count=count, valid=valid, rejected=rejected, record_type=record_type, digest=digest.hexdigest())


def _text(record: bytes) -> str:
    return record.decode("utf-8", "replace")


def _parts(data: memoryview) -> Iterator[list[bytes]]:
    """Cut records into parts of few bytes, or of one record."""
    if data[0] == ord("{"):
        yield [bytes(data)]
        return
    part, size = list[bytes](), 0
    for raw in msgspec.json.decode(data, type=list[msgspec.Raw]):
        item = bytes(raw)
        if part and size + len(item) > WINDOW_BYTES:
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item)
    yield part
