"""The verdicts on records that were sent, and what is answered and stored of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from api.models import RecordReason, RecordResult, RecordsAnswer
from shared.records.batch import WINDOW_BYTES, Rejection
from shared.records.decoder import RecordDecoder
from shared.records.encoder import RecordEncoder
from shared.records.output import compress
from shared.records.schemas import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.catalog.model import Status
    from shared.records.results import Origin

_MAX_REASON: Final = 200
_REASON_BYTES: Final = 60
"""A reason's names and brackets, and the longest word for its rule."""

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
        The valid ones as lines, and their numbers in the request: several in each.
    rejected
        The others.
    record_type
        The name of their schema.
    digest
        The same for the same records and verdicts.
    """

    count: int
    valid: list[tuple[bytes, Sequence[int]]]
    rejected: list[Rejection]
    record_type: str
    digest: str

    @property
    def counts(self) -> dict[str, str | int]:
        """How many are valid, and how many not: attributes of the catalog item."""
        return {"records_valid": self.count - len(self.rejected), "records_rejected": len(self.rejected)}

    def answer(self, item_id: str, status: Status, s3_key: str | None) -> RecordsAnswer:
        """Return the answer to the sender."""
        reasons = self._reasons()
        return RecordsAnswer(
            id=item_id,
            status=status,
            records_valid=self.count - len(self.rejected),
            records_rejected=len(self.rejected),
            results=[
                RecordResult(number=number, valid=number not in reasons, reasons=reasons.get(number, []))
                for number in range(1, self.count + 1)
            ],
            s3_key=s3_key,
        )

    def processed(self, origin: Origin) -> bytes:
        """Render the valid records as they are stored: the same records of the same origin give the same bytes."""
        return compress(origin.add_to(lines, numbers) for lines, numbers in self.valid)

    def rejections(self) -> bytes:
        """Render the rejected records as they are stored."""
        encoder = RecordEncoder()
        return compress(encoder.rejections([rejection]) for rejection in self.rejected)

    def _reasons(self) -> dict[int, list[RecordReason]]:
        """Return the reasons of the rejected records, as many as an answer has room for."""
        reasons: dict[int, list[RecordReason]] = {}
        left = _MAX_REASONS_BYTES
        for rejection in self.rejected:
            shown = [
                RecordReason(
                    field=reason.field and reason.field[:_MAX_REASON], rule=reason.rule, text=reason.text[:_MAX_REASON]
                )
                for reason in rejection.reasons
            ]
            left -= sum(len(ascii(reason.field)) + len(ascii(reason.text)) + _REASON_BYTES for reason in shown)
            if left <= 0:
                shown = [RecordReason(field=None, rule=reason.rule, text=_NOT_SHOWN) for reason in shown[:1]]
            reasons[rejection.number] = shown
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
    valid: list[tuple[bytes, Sequence[int]]] = []
    rejected: list[Rejection] = []
    count = 0
    for items in _parts(data):
        batch = decoder.items(items, count + 1)
        if batch.valid:
            valid.append((encoder.records(batch.valid), batch.numbers(count + 1)))
        rejected += batch.rejected
        count += batch.size
        del batch  # before the next is decoded
    # The verdicts too: where the rules have changed since, it is not the same request.
    digest = hashlib.sha256(record_type.encode())
    for rejection in rejected:
        digest.update(f"\0{rejection.number} {'; '.join(map(str, rejection.reasons))}".encode())
    digest.update(b"\0")
    digest.update(data)
    return Checked(count=count, valid=valid, rejected=rejected, record_type=record_type, digest=digest.hexdigest())


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
