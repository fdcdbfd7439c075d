"""The content work of record files: read, validate, clean, publish, count."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from ingest.processor import ContentWork
from shared.catalog.model import Outcome, Status
from shared.records.batch import FileRejectedError
from shared.records.output import OutputFile, Publisher
from shared.records.parse import parse
from shared.records.results import Origin, ResultFiles, file_name, result_key
from shared.records.schemas import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    processed_prefix, rejected_prefix
        Where valid and rejected records are published.
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
        record_type = self._rules.schema_of(version.key)
        if record_type is None:
            return None
        if facts.last_modified is None:
            raise ValueError("S3 does not say when the object was stored, so its results have no day")
        size, modified = facts.size or 0, facts.last_modified
        expanded = size * _USUAL_EXPANSION if version.key.lower().endswith(".gz") else size
        reading = timedelta(seconds=min(expanded, self._rules.max_expanded_bytes) / self._rules.bytes_per_second)
        return ContentWork(
            time=reading + self._rules.time_reserve,
            run=lambda end: self._process(version, record_type, modified, end),
        )

    def _process(self, version: ObjectVersion, record_type: str, modified: datetime, end: datetime) -> Outcome:
        name, schema = file_name(version.key, version.version_id), self._schemas[record_type]
        processed, rejected = (
            OutputFile(
                self._publisher,
                version.bucket,
                result_key(prefix, record_type, modified, name),
                self._rules.storage_class,
            )
            for prefix in (self._rules.processed_prefix, self._rules.rejected_prefix)
        )
        origin = Origin(file=version.key, version=version.version_id, modified=modified, schema=schema)
        results = ResultFiles(processed, rejected, origin)
        try:
            self._read(version, schema, results, end - self._rules.time_reserve / 2)
            return self._publish(results, until=end)
        except FileRejectedError as error:
            self._abandon(results)
            return Outcome(status=Status.REJECTED, reason=str(error))
        except BaseException:
            self._abandon(results)
            raise

    def _publish(self, results: ResultFiles, *, until: datetime) -> Outcome:
        """Publish what there is, the rejected first: valid records appear when everything else is there."""
        processed, rejected = results.processed, results.rejected
        attributes: dict[str, str | int] = {"records_valid": processed.lines, "records_rejected": rejected.lines}
        for output, name in ((rejected, "rejected_key"), (processed, "processed_key")):
            if not output.lines:
                continue
            # A worker that was stopped and goes on has lost its claim: what it publishes, no item might ever name.
            if self._now() > until:
                raise TooSlowError("out of time before its results were published")
            output.publish()
            attributes[name] = output.key
        if processed.lines:
            return Outcome(status=Status.COMPLETED, results=attributes)
        reason = f"none of {rejected.lines} records is valid" if rejected.lines else "file has no records"
        return Outcome(status=Status.REJECTED, reason=reason, results=attributes)

    def _read(self, version: ObjectVersion, schema: type[Struct], results: ResultFiles, until: datetime) -> None:
        def check_time() -> None:
            if self._now() > until:
                raise TooSlowError(
                    f"out of time after {results.count} records: raise functionMemoryMb, or split the file"
                )

        def chunks() -> Iterator[bytes]:
            for chunk in self._objects.stream(version):
                check_time()  # a chunk may expand to nothing, or to white space, which gives no batch
                yield chunk

        for batch in parse(chunks(), schema, max_bytes=self._rules.max_expanded_bytes):
            check_time()
            results.write(batch)
            if results.rejected.lines > self._rules.max_rejected_records:
                raise FileRejectedError(f"more than {self._rules.max_rejected_records} records are not valid")

    @staticmethod
    def _abandon(results: ResultFiles) -> None:
        for output in (results.processed, results.rejected):
            # The bucket's lifecycle ends what cannot be given up now.
            with suppress(ClientError, BotoCoreError):
                output.abandon()
