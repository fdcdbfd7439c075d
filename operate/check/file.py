"""A check's file: uploaded, followed to its end, and removed with all that came of it."""

from __future__ import annotations

import gzip
import json
import re
import secrets
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from forward.changes import parse_change
from operate.check.findings import LeftOutError
from operate.check.parts import function_name
from operate.session import FaultError, Session
from shared.catalog.model import CatalogItem, ObjectVersion, Status
from shared.catalog.removal import remove_check
from shared.catalog.table import CatalogTable, key_of

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import DeleteMarkerEntryTypeDef, ObjectVersionTypeDef

RECORD_TYPE: Final = "check"
"""The record type of the files, which names the folder of their results."""

VALID, REJECTED = 2, 1
"""How many of the file's records are valid, and how many are not."""

_NAME: Final = re.compile(r"(file-[0-9a-f]+-)?check-\d{8}T\d{6}Z-[0-9a-f]{16}(\..+)?")
"""How the files of checks and their results are called: nothing else is ever removed."""

_LEFT_BEHIND: Final = timedelta(hours=1)
"""How old what a check left behind must be for another to remove it: it may be at work."""

_POLL_SECONDS: Final = 1.0
_MAX_LEFT_BEHIND: Final = 1000

_Found = TypeVar("_Found")


@dataclass(frozen=True, kw_only=True)
class Wait:
    """How long a check waits for something to happen.

    Parameters
    ----------
    until
        Until when, by the monotonic clock.
    """

    until: float

    def for_(self, look: Callable[[], _Found | None], otherwise: Callable[[], str]) -> _Found:
        """Look again and again, until there is something.

        Raises
        ------
        FaultError
            If there is nothing when the time is up: the message is what `otherwise` says.
        """
        while (found := look()) is None:
            if time.monotonic() >= self.until:
                raise FaultError(otherwise())
            time.sleep(_POLL_SECONDS)
        return found


class CheckFile:
    """A file of three records, of which one is not valid.

    Parameters
    ----------
    session
        The stack.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._started = datetime.now(UTC)
        self._id = secrets.token_hex(8)
        self._version: ObjectVersion | None = None

    def upload(self) -> str:
        """Upload it."""
        lines = [{"check_id": self._id, "number": number} for number in (*range(1, VALID + 1), 0)]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        bucket, key = self._session.outputs.bucket, f"{self._prefix}{self._started:%Y%m%dT%H%M%SZ}-{self._id}"
        answer = self._session.s3.put_object(Bucket=bucket, Key=key, Body=body)
        self._version = ObjectVersion(
            bucket=bucket,
            key=key,
            version_id=answer["VersionId"],
            etag=answer["ETag"].strip('"'),
            size=len(body),
            sequencer="",
            event_name="",
            event_time="",
        )
        return f"s3://{bucket}/{key}, version {self._version.version_id}"

    @property
    def version(self) -> ObjectVersion:
        """The version that was uploaded.

        Raises
        ------
        LeftOutError
            If none was.
        """
        if self._version is None:
            raise LeftOutError("nothing was uploaded")
        return self._version

    def end(self, wait: Wait) -> str:
        """Wait until it has its final status."""
        version = self.version

        def final() -> CatalogItem | None:
            item = self._item(version)
            return item if item and item.status.is_final else None

        item = wait.for_(final, lambda: self._how_it_is(version))
        if (item.status, item.records_valid, item.records_rejected) != (Status.COMPLETED, VALID, REJECTED):
            raise FaultError(
                f"it is {item.status} with {item.records_valid} valid and {item.records_rejected} rejected records, "
                f"not {Status.COMPLETED} with {VALID} and {REJECTED}: {item.reason or 'without a reason'}"
            )
        seconds = (datetime.fromisoformat(item.processed_at) - self._started).total_seconds()
        return f"{item.status} {seconds:.1f} s after its upload"

    def status(self) -> Status:
        """Return its final status.

        Raises
        ------
        LeftOutError
            If it has none.
        """
        item = self._item(self.version)
        if item is None or not item.status.is_final:
            raise LeftOutError("the file has no final status")
        return item.status

    def records(self) -> str:
        """Read its valid and its rejected records."""
        item = self._item(self.version)
        if item is None or not item.processed_key or not item.rejected_key:
            raise LeftOutError("the file has no results")
        valid, rejected = (self._lines(key) for key in (item.processed_key, item.rejected_key))
        numbers = [line.get("number") for line in valid if line.get("check_id") == self._id]
        if numbers != list(range(1, VALID + 1)) or len(rejected) != REJECTED:
            raise FaultError(
                f"{item.processed_key} holds other records than were uploaded: {valid}; rejected: {rejected}"
            )
        return f"{len(valid)} valid, {len(rejected)} rejected, as uploaded"

    def delivery(self, wait: Wait) -> str:
        """Wait until it is delivered: the delivery function logs it."""
        session, version = self._session, self.version
        if session.variable(function_name(session, "forward"), "DELIVER_CHECKS") != "true":
            raise LeftOutError("deliverChecks is off: the next system does not see files of checks")
        delivery_id = self._delivery_id(version)
        delivery = function_name(session, "delivery")
        group = session.configuration(delivery).get("LoggingConfig", {}).get("LogGroup")
        last = "nothing is logged of it"

        def sent() -> str | None:
            nonlocal last
            for line in self._log(group or f"/aws/lambda/{delivery}", delivery_id):
                last = f"{line.get('message')}: {line.get('reason')}"
                if line.get("message") == "sent":
                    return f"delivery {delivery_id} was taken"
                if line.get("message") == "dead-lettered":
                    raise FaultError(f"delivery {delivery_id} was dead-lettered: {line.get('reason')}")
            return None

        return wait.for_(sent, lambda: f"delivery {delivery_id} was not taken in time: {last}")

    def remove(self) -> str:
        """Remove it, its results and its items, and what an earlier check left behind.

        Each part of it is tried, whatever happens to another.

        Raises
        ------
        FaultError
            If something is left.
        """
        removed, problems = 0, list[str]()
        for what in (self._objects(self._prefix), *(self._objects(folder) for folder in self._folders), self._items()):
            try:
                for remove in what:
                    remove()
                    removed += 1
            except (ClientError, BotoCoreError) as error:
                problems.append(str(error))
        if problems:
            raise FaultError(f"not all is removed, a check an hour or more later tries again: {'; '.join(problems)}")
        return f"{removed} objects and items"

    @property
    def _prefix(self) -> str:
        prefix = self._session.environment.get("CHECKS_PREFIX")
        if prefix is None:
            raise FaultError("the ingest function has no CHECKS_PREFIX in its environment: deploy the stack anew")
        return prefix

    @property
    def _folders(self) -> list[str]:
        session = self._session
        names = ("PROCESSED_PREFIX", "REJECTED_PREFIX")
        prefixes = (session.variable(session.outputs.ingest_function, name) for name in names)
        return [f"{prefix}record_type={RECORD_TYPE}/" for prefix in prefixes]

    def _objects(self, prefix: str) -> Iterator[Callable[[], object]]:
        """Return what removes each object of this check, and of those before, under a prefix."""
        s3, bucket = self._session.s3, self._session.outputs.bucket
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            found: list[ObjectVersionTypeDef | DeleteMarkerEntryTypeDef] = [
                *page.get("Versions", []),
                *page.get("DeleteMarkers", []),
            ]
            for entry in found:
                if self._is_ours(entry["Key"], entry["LastModified"]):
                    key, version_id = entry["Key"], entry["VersionId"]
                    yield lambda key=key, version_id=version_id: s3.delete_object(  # type: ignore[misc]  # bound now
                        Bucket=bucket, Key=key, VersionId=version_id
                    )

    def _items(self) -> Iterator[Callable[[], object]]:
        """Return what removes each file of this check, and of those before, from the catalog."""
        session = self._session
        table = CatalogTable(session.dynamodb, session.catalog)
        own = self._version
        if own:
            yield lambda: remove_check(table, own)
        page = session.reader().under(session.outputs.bucket, self._prefix, after=None, limit=_MAX_LEFT_BEHIND)
        for item in page.items:
            version = item.version
            removed = own is not None and version.version_id == own.version_id
            if not removed and self._is_ours(version.key, datetime.fromisoformat(item.processed_at)):
                yield lambda version=version: remove_check(table, version)  # type: ignore[misc]  # bound now

    def _is_ours(self, key: str, changed: datetime) -> bool:
        name = key.rpartition("/")[2]
        old = changed < self._started - _LEFT_BEHIND
        return bool(_NAME.fullmatch(name)) and (self._id in name or old)

    def _item(self, version: ObjectVersion) -> CatalogItem | None:
        return self._session.reader().get([version]).get((version.object_id, version.version_id))

    def _how_it_is(self, version: ObjectVersion) -> str:
        item = self._item(version)
        if item is None:
            return "the catalog does not know it: its event did not come, or waits in the intake queue behind others"
        return f"it is {item.status}, not final: {item.reason or 'without a reason'}"

    def _lines(self, key: str) -> list[dict[str, object]]:
        body = self._session.s3.get_object(Bucket=self._session.outputs.bucket, Key=key)["Body"].read()
        try:
            return [json.loads(line) for line in gzip.decompress(body).splitlines()]
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise FaultError(f"{key} cannot be read: {error}") from error

    def _delivery_id(self, version: ObjectVersion) -> str:
        """Return the id that the forwarding function gives the delivery."""
        key = key_of(version.object_id, version.version_id)
        answer = self._session.dynamodb.get_item(TableName=self._session.outputs.table, Key=key, ConsistentRead=True)
        change = parse_change({"dynamodb": {"NewImage": answer.get("Item", {})}})
        if change is None:
            raise LeftOutError("the file has no status that is delivered")
        return change.id

    def _log(self, group: str, text: str) -> Iterator[dict[str, object]]:
        """Return the lines of a log group that hold `text`, from the check's beginning on."""
        pages = self._session.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(self._started.timestamp() * 1000), filterPattern=f'"{text}"'
        )
        for page in pages:
            for event in page["events"]:
                with suppress(ValueError):  # a line that is not a function's own
                    line: object = json.loads(event["message"])
                    if isinstance(line, dict):
                        yield line
