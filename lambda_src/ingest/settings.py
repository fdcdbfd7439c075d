"""The environment of the ingest function."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from ingest.records import RecordRules
from shared.rules import IntakeRules
from shared.settings import CatalogSettings, FunctionSettings, NotNegative, Positive


class IngestSettings(FunctionSettings, frozen=True, kw_only=True):
    """The function's environment.

    Parameters
    ----------
    catalog, intake
        The catalog, and which objects are processed.
    bucket_name, dead_letter_queue_url
        The landing bucket, and the intake's dead-letter queue.
    checks_prefix
        Where ``operate check`` uploads its files: they are in no metric.
    final_within_seconds
        The time from its upload to its final status that a file is late after. 0: none is.
    processed_prefix, rejected_prefix
        Where valid and rejected records are published.
    storage_class
        The storage class that results are published in.
    record_types
        ``prefix=schema`` for each folder whose files hold records.
    max_expanded_bytes, max_rejected_records, record_bytes_per_second
        The limits of a file of records, and the speed that is counted on.
    time_reserve_seconds
        What an invocation keeps for itself: no file is begun in it.
    """

    catalog: CatalogSettings
    intake: IntakeRules
    bucket_name: str
    dead_letter_queue_url: str
    checks_prefix: str
    final_within_seconds: NotNegative
    processed_prefix: str
    rejected_prefix: str
    storage_class: Literal["STANDARD", "INTELLIGENT_TIERING"]
    record_types: tuple[str, ...]
    max_expanded_bytes: Positive
    max_rejected_records: NotNegative
    record_bytes_per_second: Positive
    time_reserve_seconds: Positive

    def is_check(self, key: str) -> bool:
        """Whether a key is that of a check's file."""
        return key.startswith(self.checks_prefix)

    @property
    def time_reserve(self) -> timedelta:
        """What an invocation keeps for itself."""
        return timedelta(seconds=self.time_reserve_seconds)

    @property
    def final_within(self) -> timedelta:
        """The time from its upload to its final status that a file is late after; zero: none is."""
        return timedelta(seconds=self.final_within_seconds)

    @property
    def record_rules(self) -> RecordRules:
        """Which files hold records, and of which type."""
        pairs = (entry.rpartition("=") for entry in self.record_types)
        return RecordRules(
            record_types={prefix: schema for prefix, _, schema in pairs},
            processed_prefix=self.processed_prefix,
            rejected_prefix=self.rejected_prefix,
            max_expanded_bytes=self.max_expanded_bytes,
            max_rejected_records=self.max_rejected_records,
            bytes_per_second=self.record_bytes_per_second,
            time_reserve=self.time_reserve,
            storage_class=self.storage_class,
        )
