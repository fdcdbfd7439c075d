"""Writing the items of files. Only this package writes to the catalog's table.

Every change of a file's state is one conditional write, so that workers who see the same event agree on who takes it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.catalog.latest import LatestWriter, is_order_known
from shared.catalog.model import UPLOADER, Claim, ObjectFacts, ObjectVersion, Outcome, Status, Worker, iso
from shared.catalog.table import (
    BUCKET_KEY,
    CONDITION_FAILED,
    STATUS_KEY,
    CatalogTable,
    Condition,
    epoch,
    item_of,
    key_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef

    from shared.catalog.table import Value

_LATEST_ATTEMPTS: Final = 4
"""Attempts to name the latest version as S3 says it, while other versions of the key are being named."""

NEVER_CAME: Final = "its event never came, and was sent again"
"""Why a version is FAILED that the reconciliation found."""

REOPENED: Final = "reprocess requested"
"""Why a version that was reopened is FAILED."""

CLAIM_MARGIN: Final = timedelta(seconds=2)
"""How long past its deadline a worker keeps its claim: for clocks that differ."""

MAX_REASON_CHARACTERS: Final = 1000
"""What is kept of a reason, which may name what is in a file: an item holds 400 KB (DynamoDB quotas)."""

_IS_FREE: Final = (
    "attribute_not_exists(object_id) OR #status = :failed"
    " OR (#status = :processing AND (claim_expires_at < :now OR #owner = :me))"
)


class LatestContendedError(Exception):
    """Versions of one key are being named so fast that none can be named as S3 says. The message is retried."""


class CatalogWriter:
    """Writes the items of files.

    Parameters
    ----------
    table
        The table.
    current
        Asks S3 for the version of a key that is its latest now, given any of them; None if the key has none. Only who
        processes files needs it.
    is_check
        Whether a key is that of a check's file, which its item then says.
    """

    def __init__(
        self,
        table: CatalogTable,
        *,
        current: Callable[[ObjectVersion], ObjectVersion | None] = lambda _version: None,
        is_check: Callable[[str], bool] = lambda _key: False,
    ) -> None:
        self._table = table
        self._current = current
        self._is_check = is_check
        self._latest = LatestWriter(table)

    def claim(self, version: ObjectVersion, facts: ObjectFacts, worker: Worker) -> Claim:
        """Take the file for `worker`, until its deadline: PROCESSING."""
        outcome = Outcome(status=Status.PROCESSING)
        item = {
            **self._item(version, facts, outcome, worker),
            "claim_expires_at": epoch(worker.deadline + CLAIM_MARGIN),
        }
        return self._put_and_name(version, self._put_if_free(item, worker))

    def record(
        self, version: ObjectVersion, facts: ObjectFacts, outcome: Outcome, worker: Worker, *, exists: bool = True
    ) -> Claim:
        """Give a file that nobody has claimed its status in one step.

        Parameters
        ----------
        version, facts, outcome, worker
            The file, what S3 knows of it, how it ended, and who did the work.
        exists
            Whether S3 has the version: one that was deleted is no key's latest.
        """
        put = self._put_if_free(self._item(version, facts, outcome, worker), worker)
        return self._put_and_name(version, put) if exists else self._put(put)

    def finish(self, version: ObjectVersion, outcome: Outcome, worker: Worker) -> bool:
        """Give the file that `worker` claimed its status.

        Returns
        -------
        bool
            False if the claim had lapsed and another worker took over: nothing was changed.
        """
        return self._table.update(
            key_of(version.object_id, version.version_id),
            {**self._changes(version, outcome, worker), "claim_expires_at": None},
            Condition(text="#owner = :me", values={"me": worker.request_id}),
        )

    def reopen(self, version: ObjectVersion, *, status: Status, processed_at: str, by: str) -> bool:
        """Make a finished version free again, so that an event for it is processed once more: FAILED.

        Its time stays: who selected it by its day finds it there until its event is sent. `reopened_by` tells it from
        a failure, until the next claim, which puts the whole item anew.

        Parameters
        ----------
        version
            Which version.
        status, processed_at
            Its final status and the time of its last change, as they were read.
        by
            Who wants it again.

        Returns
        -------
        bool
            False if the item has changed since, or is not final: nothing was changed.
        """
        if not status.is_final:
            return False
        return self._table.update(
            key_of(version.object_id, version.version_id),
            {
                "status": Status.FAILED,
                "reason": REOPENED,
                "reopened_by": by,
                STATUS_KEY: self._table.shard(Status.FAILED, version.object_id, version.version_id),
                "ttl": self._table.ttl(),
            },
            Condition(
                # The second: the SDK tries again when an answer is lost, and finds what it wrote.
                text="processed_at = :at AND (#status = :status OR (#status = :failed AND reopened_by = :by))",
                values={"at": processed_at, "status": status, "failed": Status.FAILED, "by": by},
            ),
        )

    def note_sent(self, version: ObjectVersion, *, by: str) -> None:
        """Note of an upload without an item that its event was sent again: FAILED, until it is processed.

        As `reopen` does it, so that it is not delivered as a failure. An item that exists by now is left alone.
        """
        outcome = Outcome(status=Status.FAILED, reason=NEVER_CAME)
        item = {**self._identity(version, outcome.status), **_result(outcome), "reopened_by": by}
        self._table.put(self._table.put_request(item, Condition(text="attribute_not_exists(object_id)")))

    def withdraw(self, version: ObjectVersion) -> None:
        """Let the key's latest version be the one that S3 has now, if it is `version`, which was deleted meanwhile."""
        pointer = self._latest.read(version)
        if pointer is None or pointer.version_id != version.version_id:
            return
        current = self._current(version)
        if current is not None and current.version_id != version.version_id:
            # Not done only if a later version was named meanwhile.
            self._table.transact([self._latest.move_from(pointer, current)])

    def _put_if_free(self, item: Mapping[str, Value | None], worker: Worker) -> PutTypeDef:
        values: dict[str, Value] = {
            "failed": Status.FAILED,
            "processing": Status.PROCESSING,
            "now": epoch(self._table.now()),
            "me": worker.request_id,
        }
        return self._table.put_request(item, Condition(text=_IS_FREE, values=values))

    def _put_and_name(self, version: ObjectVersion, put: PutTypeDef) -> Claim:
        """Put the file's item if the file is free, and in the same call move the key's latest version to it."""
        if version.sequencer:
            reasons = self._table.transact([{"Put": put}, self._latest.move_by_order(version)])
            if reasons is None:
                return Claim.TAKEN
            if reasons[0]["Code"] == CONDITION_FAILED:
                return _claim_of(item_of(reasons[0]))
            if is_order_known(item_of(reasons[1])):
                # A later version of the key is known already: this one is recorded, and the latest stays.
                return self._put(put)
        return self._put_and_name_as_s3_says(version, put)

    def _put_and_name_as_s3_says(self, version: ObjectVersion, put: PutTypeDef) -> Claim:
        """Put the item, and name its version the key's latest if S3 says so: no sequencer decides."""
        for _ in range(_LATEST_ATTEMPTS):
            pointer = self._latest.read(version)
            if pointer and pointer.version_id == version.version_id and not version.sequencer:
                return self._put(put)
            current = self._current(version)
            if current is None or current.version_id != version.version_id:
                return self._put(put)
            reasons = self._table.transact([{"Put": put}, self._latest.move_from(pointer, version)])
            if reasons is None:
                return Claim.TAKEN
            if reasons[0]["Code"] == CONDITION_FAILED:
                return _claim_of(item_of(reasons[0]))
        raise LatestContendedError(version.object_id)

    def _put(self, put: PutTypeDef) -> Claim:
        existing = self._table.put(put)
        return Claim.TAKEN if existing is None else _claim_of(existing)

    def _item(
        self, version: ObjectVersion, facts: ObjectFacts, outcome: Outcome, worker: Worker
    ) -> dict[str, Value | None]:
        return {
            **self._identity(version, outcome.status),
            "sequencer": version.sequencer,
            "size": facts.size if facts.size is not None else version.size,
            "content_type": facts.content_type,
            "last_modified": iso(facts.last_modified) if facts.last_modified else None,
            "encryption": facts.encryption,
            "kms_key_id": facts.kms_key_id,
            "cache_control": facts.cache_control,
            "content_encoding": facts.content_encoding,
            "expires": facts.expires,
            "user_metadata": facts.user_metadata or None,
            "uploaded_by": facts.user_metadata.get(UPLOADER),
            "owner": worker.request_id,
            **self._changes(version, outcome, worker),
        }

    def _identity(self, version: ObjectVersion, status: Status) -> dict[str, Value | None]:
        """Return what every item of a version has."""
        return {
            "object_id": version.object_id,
            "version_id": version.version_id,
            "bucket": version.bucket,
            "key": version.key,
            "etag": version.etag,
            "size": version.size,
            "event_name": version.event_name,
            "event_time": version.event_time or None,
            "is_check": True if self._is_check(version.key) else None,
            **self._table.origin(),
            BUCKET_KEY: self._table.shard(version.bucket, version.object_id, version.version_id),
            **self._status(version, status),
        }

    def _changes(self, version: ObjectVersion, outcome: Outcome, worker: Worker) -> dict[str, Value | None]:
        """Return what every change of state writes anew."""
        duration = self._table.now() - worker.started_at
        return {
            **self._status(version, outcome.status),
            **_result(outcome),
            "processed_by": worker.function_name,
            "request_id": worker.request_id,
            "attempt": worker.attempt,
            "duration_ms": max(0, round(duration / timedelta(milliseconds=1))),
        }

    def _status(self, version: ObjectVersion, status: Status) -> dict[str, Value | None]:
        return {
            "status": status,
            STATUS_KEY: self._table.shard(status, version.object_id, version.version_id),
            "processed_at": iso(self._table.now()),
            "ttl": self._table.ttl(),
        }


def shorten(reason: str | None) -> str | None:
    """Return what is kept of a reason."""
    if reason is None or len(reason) <= MAX_REASON_CHARACTERS:
        return reason
    return f"{reason[:MAX_REASON_CHARACTERS]}…"


def _result(outcome: Outcome) -> dict[str, Value | None]:
    return {"reason": shorten(outcome.reason), **outcome.results}


def _claim_of(item: Mapping[str, AttributeValueTypeDef]) -> Claim:
    """Say why the file was not free, from its item."""
    return Claim.FINISHED if Status(item["status"]["S"]).is_final else Claim.HELD
