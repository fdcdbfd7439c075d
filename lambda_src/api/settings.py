"""The environment of the API's function."""

from __future__ import annotations

from typing import Literal

from api.access import AccessSettings
from shared.rules import IntakeRules
from shared.settings import CatalogSettings, FunctionSettings, Positive


class ApiSettings(FunctionSettings, frozen=True, kw_only=True):
    """The function's environment.

    Parameters
    ----------
    catalog, intake
        The catalog, and which objects are processed.
    bucket_name
        The landing bucket.
    key_arn
        The key that uploads are encrypted with.
    uploads_prefix, processed_prefix, rejected_prefix
        Where uploads are, and where valid and rejected records are published.
    checks_prefix
        Where the files of ``operate check`` are: no sender's are signed there.
    api_items_prefix
        What the ids of the API's own items begin with.
    record_types
        ``prefix=schema`` for each folder whose files hold records; the first schema is the default.
    max_records, max_body_bytes, max_object_bytes
        The most records of a request, the largest body, and the largest upload.
    link_seconds
        How long a link works.
    storage_class
        The storage class of uploads through our form, and of stored records.
    access
        Who may ask, and who may also send.
    """

    catalog: CatalogSettings
    intake: IntakeRules
    bucket_name: str
    key_arn: str
    uploads_prefix: str
    processed_prefix: str
    rejected_prefix: str
    checks_prefix: str
    api_items_prefix: str
    record_types: tuple[str, ...]
    max_records: Positive
    max_body_bytes: Positive
    max_object_bytes: Positive
    link_seconds: Positive
    storage_class: Literal["STANDARD", "INTELLIGENT_TIERING"]
    access: AccessSettings

    @property
    def schemas(self) -> tuple[str, ...]:
        """Names of the schemas, the default first."""
        return tuple(dict.fromkeys(entry.rpartition("=")[2] for entry in self.record_types))
