"""Records that come through the API: the same checks, by the same code, as those that come in files."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from api.checked import check
from api.errors import WRITTEN_MEANWHILE, ApiError, invalid
from shared.catalog.model import API_VERSION, ApiResult, Outcome, Status
from shared.catalog.table import attempts
from shared.observability import logger
from shared.records.output import CONTENT_TYPE
from shared.records.results import Origin, request_name, result_key
from shared.records.schemas import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client

    from api.access import Caller
    from api.checked import Checked
    from api.models import RecordsAnswer
    from api.settings import ApiSettings
    from shared.catalog.requests import RequestWriter

_ID_DIGITS: Final = 32
_STORED_BEFORE: Final = "PreconditionFailed"
PUT_ATTEMPTS: Final = 5
"""Tries of a write that collided: the SDK does not retry it."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Records as they were sent.

    Parameters
    ----------
    data
        A record, or a list of records: strict JSON.
    record_type
        The name of the schema; None: the stage's first.
    caller, request_id
        Who sent them, with which request.
    function_name, deadline
        The function, and when its invocation ends at the latest.
    """

    data: memoryview
    record_type: str | None
    caller: Caller
    request_id: str
    function_name: str
    deadline: datetime


class Records:
    """Checks and stores records.

    Parameters
    ----------
    client
        Gives the client to publish with, when it is needed.
    catalog
        Writes the items of requests.
    settings
        The function's settings.
    wait
        How seconds are waited.
    """

    def __init__(
        self,
        client: Callable[[], S3Client],
        catalog: RequestWriter,
        settings: ApiSettings,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._catalog = catalog
        self._settings = settings
        self._wait = wait

    def validate(self, sent: Sent) -> RecordsAnswer:
        """Check records, and note in the catalog that they were.

        Raises
        ------
        ApiError
            If there is no such record type.
        """
        started = time.monotonic()
        checked = self._check(sent)
        item_id = self._item_id("validate", sent.caller, checked.digest)
        outcome = Outcome(status=Status.VALIDATED, results=checked.counts)
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
        # First the id is taken: of two requests with one key and other records, one is answered 409 and stores nothing.
        taken = self._result(sent, checked, item_id, Outcome(status=Status.PROCESSING), started)
        try:
            existing = self._catalog.store(taken)
            if existing and existing.content == checked.digest and not existing.status.is_final:
                # Begun before: with the time of then, its results have the same keys and the same bytes.
                taken = replace(taken, received_at=existing.received_at)
                existing = self._catalog.store(taken)
            if existing is None:
                done = replace(self._publish(taken, checked), duration_ms=_milliseconds_since(started))
                self._catalog.store(done)
                return checked.answer(item_id, done.outcome.status, done.key)
        except Exception as error:
            self._note(error, taken)
            raise
        if existing.content != checked.digest:
            raise ApiError(
                HTTPStatus.CONFLICT, "idempotency_conflict", "this Idempotency-Key was used for other records before"
            )
        return checked.answer(item_id, existing.status, existing.processed_key)

    def _publish(self, taken: ApiResult, checked: Checked) -> ApiResult:
        """Publish what there is, the rejected first, as of files; returns what the catalog is to say."""
        results = checked.counts
        if checked.rejected:
            key = self._key(self._settings.rejected_prefix, taken, checked)
            self._store(key, checked.rejections())
            results["rejected_key"] = key
        if not checked.valid:
            nothing = Outcome(status=Status.REJECTED, reason="none of the records is valid", results=results)
            return replace(taken, outcome=nothing)
        key = self._key(self._settings.processed_prefix, taken, checked)
        schema = load_schema(checked.record_type)
        origin = Origin(file=taken.object_id, version=API_VERSION, modified=taken.received_at, schema=schema)
        size = self._store(key, checked.processed(origin))
        results["processed_key"] = key
        return replace(taken, key=key, size=size, outcome=Outcome(status=Status.COMPLETED, results=results))

    @staticmethod
    def _key(prefix: str, taken: ApiResult, checked: Checked) -> str:
        name = request_name(taken.object_id, checked.digest)
        return result_key(prefix, checked.record_type, taken.received_at, name)

    def _note(self, error: Exception, taken: ApiResult) -> None:
        """Write down why a request failed, if the catalog can be reached: else its claim lapses."""
        outcome = Outcome(status=Status.FAILED, reason=f"{type(error).__name__}: {error}")
        try:
            self._catalog.fail(replace(taken, outcome=outcome))
        except (ClientError, BotoCoreError):
            logger.warning("catalog cannot be written", exc_info=True, object_id=taken.object_id)

    def _check(self, sent: Sent) -> Checked:
        known = self._settings.schemas
        name = sent.record_type or next(iter(known), "")
        if name not in known:
            message = f"should be one of {', '.join(known)}" if known else "this stack knows none: recordTypes is empty"
            raise invalid(f"record_type {message}", {"record_type": message})
        return check(sent.data, name)

    def _item_id(self, kind: str, caller: Caller, identity: str) -> str:
        digest = hashlib.sha256(f"{caller.subject}\0{identity}".encode()).hexdigest()
        return f"{self._settings.api_items_prefix}{kind}/{digest[:_ID_DIGITS]}"

    def _store(self, key: str, body: bytes) -> int:
        """Publish an object, unless the same request did before; returns its size."""
        for attempt in attempts(PUT_ATTEMPTS, self._wait):
            try:
                self._client().put_object(
                    Bucket=self._settings.bucket_name,
                    Key=key,
                    Body=body,
                    ContentType=CONTENT_TYPE,
                    StorageClass=self._settings.storage_class,
                    IfNoneMatch="*",
                )
                break
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code == _STORED_BEFORE:
                    break
                if code != WRITTEN_MEANWHILE or attempt == PUT_ATTEMPTS:
                    raise
        return len(body)

    def _result(self, sent: Sent, checked: Checked, item_id: str, outcome: Outcome, started: float) -> ApiResult:
        return ApiResult(
            object_id=item_id,
            content_sha256=checked.digest,
            bucket=self._settings.bucket_name,
            key=None,
            size=None,
            received_at=datetime.now(UTC),
            uploaded_by=sent.caller.name,
            function_name=sent.function_name,
            deadline=sent.deadline,
            request_id=sent.request_id,
            duration_ms=_milliseconds_since(started),
            outcome=outcome,
        )


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
