"""The content work of record files: read, validate, clean, publish, count."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from ingest.ingest import ContentWork
from shared.catalog.model import MAX_UPLOAD_KEY_BYTES, Outcome, Status
from shared.records.batch import FileRejectedError
from shared.records.encoder import RecordEncoder
from shared.records.output import OutputFile, Publisher
from shared.records.parse import parse
from shared.records.schemas import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from msgspec import Struct
    from types_boto3_s3.literals import StorageClassType

    from shared.catalog.model import ObjectFacts, ObjectVersion
    from shared.objects import Objects

RECORD_EXTENSIONS: Final = (".csv", ".json", ".ndjson", ".jsonl", ".txt")
"""Names that may hold records, with .gz behind them too. What a file is its content tells."""

_USUAL_EXPANSION: Final = 10


class TooSlowError(Exception):
    """A file takes longer than its size let expect. It is given up in time to say so, and tried again."""


@dataclass(frozen=True, kw_only=True)
class RecordRules:
    """Which files hold records, and of which type.

    Parameters
    ----------
    record_types
        Key prefix → the name of the schema of the files under it; the longest prefix that fits counts.
    uploads_prefix, processed_prefix, rejected_prefix
        Where files come from, and where valid and rejected records are published.
    max_expanded_bytes
        The most bytes that a file may have after decompression: what can be done in one invocation.
    max_rejected_records
        The most records that may be rejected before the file is.
    bytes_per_second
        The speed that is counted on, after decompression.
    time_reserve
        What is added for publishing and the catalog.
    storage_class
        The storage class that results are published in.
    """

    record_types: dict[str, str]
    uploads_prefix: str
    processed_prefix: str
    rejected_prefix: str
    max_expanded_bytes: int
    max_rejected_records: int
    bytes_per_second: int
    time_reserve: timedelta
    storage_class: StorageClassType

    def schema_of(self, key: str) -> str | None:
        """Return the name of the schema of a file's records, or None for a file that is only cataloged."""
        name = key.rpartition("/")[2].lower().removesuffix(".gz")
        if "." in name.lstrip(".") and not name.endswith(RECORD_EXTENSIONS):
            return None
        fitting = [prefix for prefix in self.record_types if key.startswith(prefix)]
        return self.record_types[max(fitting, key=len)] if fitting else None


class RecordFiles:
    """Finds and does the content work of record files.

    Parameters
    ----------
    publisher
        Publishes results.
    objects
        The bucket to read from.
    rules
        Which files hold records.
    now
        Tells the time.

    Raises
    ------
    ModuleNotFoundError
        If a schema that the rules name does not exist: at start, not at the first file.
    """

    def __init__(
        self,
        publisher: Publisher,
        objects: Objects,
        rules: RecordRules,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._publisher = publisher
        self._objects = objects
        self._rules = rules
        self._now = now
        self._schemas = {name: load_schema(name) for name in set(rules.record_types.values())}

    def work_for(self, version: ObjectVersion, facts: ObjectFacts) -> ContentWork | None:
        """Return the work that a file's records need, or None for a file without."""
        name = self._rules.schema_of(version.key)
        if name is None:
            return None
        schema, size = self._schemas[name], facts.size or 0
        expanded = size * _USUAL_EXPANSION if version.key.lower().endswith(".gz") else size
        reading = timedelta(seconds=min(expanded, self._rules.max_expanded_bytes) / self._rules.bytes_per_second)
        return ContentWork(time=reading + self._rules.time_reserve, run=lambda end: self._process(version, schema, end))

    def _process(self, version: ObjectVersion, schema: type[Struct], end: datetime) -> Outcome:
        if len(version.key.encode()) > MAX_UPLOAD_KEY_BYTES:
            return Outcome(
                status=Status.REJECTED,
                reason=f"key is longer than {MAX_UPLOAD_KEY_BYTES} bytes: no room for its results' keys",
            )
        name = f"{version.key.removeprefix(self._rules.uploads_prefix)}/{version.version_id}.ndjson.gz"
        outputs = [
            OutputFile(self._publisher, version.bucket, prefix + name, self._rules.storage_class)
            for prefix in (self._rules.processed_prefix, self._rules.rejected_prefix)
        ]
        try:
            self._read(version, schema, end - self._rules.time_reserve / 2, *outputs)
            return self._publish(*outputs, until=end)
        except FileRejectedError as error:
            self._abandon(outputs)
            return Outcome(status=Status.REJECTED, reason=str(error))
        except BaseException:
            self._abandon(outputs)
            raise

    def _publish(self, processed: OutputFile, rejected: OutputFile, *, until: datetime) -> Outcome:
        """Publish what there is, the rejected first: valid records appear when everything else is there."""
        results: dict[str, str | int] = {"records_valid": processed.lines, "records_rejected": rejected.lines}
        for output, name in ((rejected, "rejected_key"), (processed, "processed_key")):
            if not output.lines:
                continue
            # A worker that was stopped and goes on has lost its claim: what it publishes, no item might ever name.
            if self._now() > until:
                raise TooSlowError("out of time before its results were published")
            output.publish()
            results[name] = output.key
        if processed.lines:
            return Outcome(status=Status.COMPLETED, results=results)
        reason = f"none of {rejected.lines} records is valid" if rejected.lines else "file has no records"
        return Outcome(status=Status.REJECTED, reason=reason, results=results)

    def _read(
        self,
        version: ObjectVersion,
        schema: type[Struct],
        until: datetime,
        processed: OutputFile,
        rejected: OutputFile,
    ) -> None:
        encoder = RecordEncoder()

        def check_time() -> None:
            if self._now() > until:
                records = processed.lines + rejected.lines
                raise TooSlowError(f"out of time after {records} records: raise functionMemoryMb, or split the file")

        def chunks() -> Iterator[bytes]:
            for chunk in self._objects.stream(version):
                check_time()  # a chunk may expand to nothing, or to white space, which gives no batch
                yield chunk

        for batch in parse(chunks(), schema, max_bytes=self._rules.max_expanded_bytes):
            check_time()
            if batch.valid:
                processed.write(encoder.records(batch.valid), len(batch.valid))
            if batch.rejected:
                rejected.write(encoder.rejections(batch.rejected), len(batch.rejected))
                if rejected.lines > self._rules.max_rejected_records:
                    raise FileRejectedError(f"more than {self._rules.max_rejected_records} records are not valid")

    @staticmethod
    def _abandon(outputs: Sequence[OutputFile]) -> None:
        for output in outputs:
            # The bucket's lifecycle ends what cannot be given up now.
            with suppress(ClientError, BotoCoreError):
                output.abandon()
