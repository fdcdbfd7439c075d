"""Records that come through the API: the same checks, by the same code, as those that come in files."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
from botocore.exceptions import ClientError

from api.errors import ApiError, invalid, too_large
from api.models import RecordResult, RecordsAnswer
from shared.files import ApiResult, Outcome, Status
from shared.records.batch import MAX_RECORD_BYTES
from shared.records.decoder import RecordDecoder
from shared.records.parse import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client

    from api.requests import Caller
    from api.settings import ApiSettings
    from shared.catalog import Catalog
    from shared.records.batch import Batch

_ID_DIGITS: Final = 32
_CONTENT_DIGITS: Final = 16
_STORED_BEFORE: Final = "PreconditionFailed"
_MAX_REASON: Final = 200
_MAX_REASONS_BYTES: Final = 1_000_000
"""Reasons of one answer, escaped: Lambda answers 6 MB at most, in which each escape is escaped again."""

_NOT_SHOWN: Final = "not shown: the answer would be too large"


class _Body(msgspec.Struct):
    data: msgspec.Raw


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Records as they were sent.

    Parameters
    ----------
    text
        The request's body, valid JSON.
    record_type
        The name of the schema; None: the stage's first.
    caller, request_id
        Who sent them, with which request.
    function_name
        The function.
    """

    text: str
    record_type: str | None
    caller: Caller
    request_id: str
    function_name: str


class Records:
    """Checks and stores records.

    Parameters
    ----------
    client
        Gives the client to publish with, when it is needed.
    catalog
        The table.
    settings
        The function's settings.
    """

    def __init__(self, client: Callable[[], S3Client], catalog: Catalog, settings: ApiSettings) -> None:
        self._client = client
        self._catalog = catalog
        self._settings = settings

    def validate(self, sent: Sent) -> RecordsAnswer:
        """Check records, and note in the catalog that they were.

        Raises
        ------
        ApiError
            If there are no records, too many, or one is too long; or if there is no such record type.
        """
        started = time.monotonic()
        checked = self._check(sent)
        item_id = self._item_id("validate", sent.caller, checked.digest)
        outcome = Outcome(status=Status.VALIDATED, results=checked.counts())
        self._catalog.store(self._result(sent, checked, item_id, outcome, started))
        return checked.answer(item_id, Status.VALIDATED, None)

    def process(self, sent: Sent, idempotency_key: str | None) -> RecordsAnswer:
        """Check records and store the valid ones; the same request again changes nothing, and is answered the same.

        Raises
        ------
        ApiError
            As `validate`, and if the idempotency key was used for other records.
        """
        started = time.monotonic()
        checked = self._check(sent)
        identity = checked.digest if idempotency_key is None else f"key {idempotency_key}"
        item_id = self._item_id("process", sent.caller, identity)
        key = f"{self._settings.results_prefix}{item_id.rpartition('/')[2]}/{checked.digest[:_CONTENT_DIGITS]}.json"
        s3_key = key if checked.batch.valid else None
        outcome = checked.outcome(s3_key)
        # First the id is taken: of two requests with one key and other records, one is refused and stores nothing. A
        # worker that dies after that leaves PROCESSING behind, and the same request goes on.
        taken = self._result(sent, checked, item_id, Outcome(status=Status.PROCESSING), started)
        standing = self._catalog.store(taken)
        if standing not in {None, checked.digest}:
            raise ApiError(
                HTTPStatus.CONFLICT, "idempotency_conflict", "this Idempotency-Key was used for other records before"
            )
        if standing is None:
            size = self._store(key, checked) if s3_key else None
            self._catalog.store(self._result(sent, checked, item_id, outcome, started, s3_key, size))
        return checked.answer(item_id, Status(outcome.status), s3_key)

    def _check(self, sent: Sent) -> _Checked:
        known = self._settings.record_types
        name = sent.record_type or next(iter(known), "")
        if name not in known:
            message = f"should be one of {', '.join(known)}" if known else "this stack knows none: recordTypes is empty"
            raise invalid(f"record_type {message}", {"record_type": message})
        try:
            data = bytes(msgspec.json.decode(sent.text, type=_Body).data)
            items = [data] if data.startswith(b"{") else [bytes(raw) for raw in _raws(data)]
        except (msgspec.DecodeError, UnicodeError) as error:
            # Python's own parser has passed it, and is less strict.
            raise invalid(f"data is not JSON: {str(error).removeprefix('JSON is malformed: ')}") from error
        if len(items) > self._settings.max_records:
            raise too_large(
                f"data has {len(items)} records; at most {self._settings.max_records} are taken: upload a file instead"
            )
        for number, item in enumerate(items, 1):
            if len(item) > MAX_RECORD_BYTES:
                raise too_large(f"record {number} has {len(item)} bytes; at most {MAX_RECORD_BYTES} are taken")
        batch = RecordDecoder(load_schema(name)).items(items, 1)
        # The verdicts too: where the rules have changed since, it is not the same request.
        verdicts = "".join(f"\0{rejection.number} {rejection.reason}" for rejection in batch.rejected)
        digest = hashlib.sha256(f"{name}{verdicts}\0".encode() + data).hexdigest()
        return _Checked(batch=batch, record_type=name, digest=digest)

    def _item_id(self, kind: str, caller: Caller, identity: str) -> str:
        digest = hashlib.sha256(f"{caller.subject}\0{identity}".encode()).hexdigest()
        return f"{self._settings.items_prefix}{kind}/{digest[:_ID_DIGITS]}"

    def _store(self, key: str, checked: _Checked) -> int:
        body = checked.document()
        try:
            self._client().put_object(
                Bucket=self._settings.bucket, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*"
            )
        except ClientError as error:  # stored before, by the same request: the key stands for the content
            if error.response.get("Error", {}).get("Code") != _STORED_BEFORE:
                raise
        return len(body)

    def _result(
        self,
        sent: Sent,
        checked: _Checked,
        item_id: str,
        outcome: Outcome,
        started: float,
        key: str | None = None,
        size: int | None = None,
    ) -> ApiResult:
        return ApiResult(
            object_id=item_id,
            content_sha256=checked.digest,
            bucket=self._settings.bucket,
            key=key,
            size=size,
            uploaded_by=sent.caller.name,
            function_name=sent.function_name,
            request_id=sent.request_id,
            duration_ms=round((time.monotonic() - started) * 1000),
            outcome=outcome,
        )


@dataclass(frozen=True, kw_only=True)
class _Checked:
    batch: Batch
    record_type: str
    digest: str

    def counts(self) -> dict[str, str | int]:
        return {"records_valid": len(self.batch.valid), "records_rejected": len(self.batch.rejected)}

    def answer(self, item_id: str, status: Status, s3_key: str | None) -> RecordsAnswer:
        reasons = self._reasons()
        return RecordsAnswer(
            id=item_id,
            status=status,
            records_valid=len(self.batch.valid),
            records_rejected=len(self.batch.rejected),
            results=[
                RecordResult(number=number, valid=number not in reasons, reason=reasons.get(number))
                for number in range(1, self.batch.size + 1)
            ],
            s3_key=s3_key,
        )

    def outcome(self, s3_key: str | None) -> Outcome:
        if s3_key is None:
            return Outcome(status=Status.REJECTED, reason="none of the records is valid", results=self.counts())
        return Outcome(status=Status.COMPLETED, results={**self.counts(), "processed_key": s3_key})

    def _reasons(self) -> dict[int, str]:
        reasons: dict[int, str] = {}
        left = _MAX_REASONS_BYTES
        for rejection in self.batch.rejected:
            reason = rejection.reason[:_MAX_REASON]
            left -= len(ascii(reason))
            reasons[rejection.number] = reason if left > 0 else _NOT_SHOWN
        return reasons

    def document(self) -> bytes:
        """Render what is stored: the same records give the same bytes."""
        rejected = [
            {
                "number": rejection.number,
                "reason": rejection.reason,
                "record": rejection.record.decode("utf-8", "replace"),
            }
            for rejection in self.batch.rejected
        ]
        return msgspec.json.encode({"record_type": self.record_type, "records": self.batch.valid, "rejected": rejected})


def _raws(data: bytes) -> list[msgspec.Raw]:
    raws: list[msgspec.Raw] = msgspec.json.decode(data, type=list[msgspec.Raw])
    return raws
