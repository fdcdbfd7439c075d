"""Writing the items of requests that sent records through the API."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.catalog.model import API_VERSION, ApiResult, Status, StoredRequest, iso
from shared.catalog.table import BUCKET_KEY, STATUS_KEY, CatalogTable, Condition, epoch, key_of
from shared.catalog.writer import CLAIM_MARGIN, shorten

if TYPE_CHECKING:
    from shared.catalog.table import Value

LAPSED: Final = "processing stopped before it was finished; send the same request again"
"""Why an item was ended that nobody worked on any more."""


class RequestWriter:
    """Writes the items of requests.

    Parameters
    ----------
    table
        The table.
    """

    def __init__(self, table: CatalogTable) -> None:
        self._table = table

    def store(self, result: ApiResult) -> StoredRequest | None:
        """Put the item of a request, if its id is free or taken for the same request.

        Returns
        -------
        StoredRequest or None
            None if it was put; else what the item says that is there: of other records, finished, or begun at another
            time.
        """
        condition = Condition(
            text=(
                "attribute_not_exists(object_id)"
                " OR (content_sha256 = :content AND event_time = :received AND #status IN (:processing, :failed))"
            ),
            values={
                "content": result.content_sha256,
                "received": iso(result.received_at),
                "processing": Status.PROCESSING,
                "failed": Status.FAILED,
            },
        )
        existing = self._table.put(self._table.put_request(self._item(result), condition))
        if existing is None:
            return None
        return StoredRequest(
            content=existing["content_sha256"]["S"],
            status=Status(existing["status"]["S"]),
            received_at=datetime.fromisoformat(existing["event_time"]["S"]),
            processed_key=existing["processed_key"]["S"] if "processed_key" in existing else None,
        )

    def fail(self, result: ApiResult) -> bool:
        """Put the item of a request that failed over the one that it had stored as PROCESSING.

        Returns
        -------
        bool
            False if it had not, or if the same request has come again and gone on: nothing was changed.
        """
        condition = Condition(
            text="request_id = :me AND #status = :processing",
            values={"me": result.request_id, "processing": Status.PROCESSING},
        )
        return self._table.put(self._table.put_request(self._item(result), condition)) is None

    def end_lapsed(self, object_id: str, *, by: str) -> bool:
        """End an item that is PROCESSING though nobody works on it any more: FAILED.

        The same request again takes it up all the same.

        Parameters
        ----------
        object_id
            The item's id.
        by
            Who ends it.

        Returns
        -------
        bool
            False if there is no such item, it has ended, or its worker may be alive: nothing was changed.
        """
        now = self._table.now()
        changes: dict[str, Value | None] = {
            "status": Status.FAILED,
            "reason": LAPSED,
            "ended_by": by,
            STATUS_KEY: self._table.shard(Status.FAILED, object_id, API_VERSION),
            "processed_at": iso(now),
            "ttl": self._table.ttl(),
            "claim_expires_at": None,
        }
        condition = Condition(
            text="#status = :processing AND claim_expires_at < :now",
            values={"processing": Status.PROCESSING, "now": epoch(now)},
        )
        return self._table.update(key_of(object_id, API_VERSION), changes, condition)

    def _item(self, result: ApiResult) -> dict[str, Value | None]:
        status = result.outcome.status
        expiry = epoch(result.deadline + CLAIM_MARGIN)
        return {
            "object_id": result.object_id,
            "version_id": API_VERSION,
            "bucket": result.bucket,
            "key": result.key,
            "size": result.size,
            "content_type": "application/gzip" if result.key else None,
            "content_sha256": result.content_sha256,
            "event_time": iso(result.received_at),
            "uploaded_by": result.uploaded_by,
            **self._table.origin(),
            "status": status,
            "reason": shorten(result.outcome.reason),
            **result.outcome.results,
            "claim_expires_at": expiry if status is Status.PROCESSING else None,
            BUCKET_KEY: self._table.shard(result.bucket, result.object_id, API_VERSION),
            STATUS_KEY: self._table.shard(status, result.object_id, API_VERSION),
            "processed_at": iso(self._table.now()),
            "processed_by": result.function_name,
            "request_id": result.request_id,
            "duration_ms": result.duration_ms,
            "ttl": self._table.ttl(),
        }
