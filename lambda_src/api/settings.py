"""What the API's function is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types_boto3_s3.literals import StorageClassType

    from shared.environment import Environment


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """The function's environment, typed.

    Parameters
    ----------
    service
        The name that /health says.
    bucket, table
        The landing bucket and the catalog table.
    key_arn
        The key that uploads are encrypted with.
    uploads_prefix, processed_prefix, rejected_prefix
        Where uploads are, and where valid and rejected records are published.
    items_prefix
        What the ids of the API's own items begin with.
    bucket_index, status_index
        Name and partition key of each index, with ``=`` between.
    shards
        Partition keys that one bucket's or status's index entries are spread over.
    record_types
        Names of the schemas, the default first.
    max_records, max_object_bytes
        The most records of a request, and the largest upload.
    link_seconds
        How long a link works.
    storage_class
        The storage class of uploads through our form, and of stored records.
    """

    service: str
    bucket: str
    table: str
    key_arn: str
    uploads_prefix: str
    processed_prefix: str
    rejected_prefix: str
    items_prefix: str
    bucket_index: str
    status_index: str
    shards: int
    record_types: tuple[str, ...]
    max_records: int
    max_object_bytes: int
    link_seconds: int
    storage_class: StorageClassType

    @classmethod
    def from_environment(cls, environment: Environment) -> ApiSettings:
        """Read the settings; raises what the environment raises."""
        schemas = [entry.rpartition("=")[2] for entry in environment.strings("RECORD_TYPES")]
        return cls(
            service=environment.text("POWERTOOLS_SERVICE_NAME"),
            bucket=environment.text("BUCKET_NAME"),
            table=environment.text("CATALOG_TABLE_NAME"),
            key_arn=environment.text("KEY_ARN"),
            uploads_prefix=environment.text("UPLOADS_PREFIX"),
            processed_prefix=environment.text("PROCESSED_PREFIX"),
            rejected_prefix=environment.text("REJECTED_PREFIX"),
            items_prefix=environment.text("API_ITEMS_PREFIX"),
            bucket_index=environment.text("BUCKET_INDEX"),
            status_index=environment.text("STATUS_INDEX"),
            shards=environment.integer("INDEX_SHARDS"),
            record_types=tuple(dict.fromkeys(schemas)),
            max_records=environment.integer("MAX_RECORDS"),
            max_object_bytes=environment.integer("MAX_OBJECT_BYTES"),
            link_seconds=environment.integer("LINK_SECONDS"),
            storage_class=cast("StorageClassType", environment.text("STORAGE_CLASS")),
        )
