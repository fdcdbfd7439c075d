"""Which files are accepted, and which hold records."""

from __future__ import annotations

import json
from typing import Self

from pydantic import Field, model_validator

from components.landing import CHECKS_PREFIX, UPLOADS_PREFIX
from components.settings.values import Extension, Folder, Group, RecordType

MAX_LISTED_BYTES = 2500
"""All lists of settings in a function's environment variables, which have 4 KB together (Lambda quotas)."""


class FilesGroup(Group):
    """Which files are accepted, and which hold records."""

    max_object_bytes: int = Field(
        1024**3, ge=1, le=5 * 1024**4, description="Size above which an object is skipped, in bytes."
    )
    allowed_extensions: list[Extension] = Field(
        [
            *(".jpg", ".jpeg", ".png", ".pdf", ".txt", ".xml", ".csv", ".json", ".ndjson", ".jsonl"),
            *(".csv.gz", ".json.gz", ".ndjson.gz", ".jsonl.gz"),
        ],
        min_length=1,
        max_length=64,
        description="Accepted extensions; a name without one is always accepted.",
    )
    refused_prefixes: list[Folder] = Field(
        ["temp/", "tmp/", ".aws/", ".git/"],
        max_length=32,
        description="Folders, at the top of the bucket or of uploads/, whose objects are skipped.",
    )
    record_types: list[RecordType] = Field(
        ["uploads/shipments/=shipment"],
        description="Which files hold records: a key prefix, =, and the name of a file in "
        "lambda_src/shared/records/schemas. The longest prefix that fits a key counts.",
    )
    record_schemas: str = Field(
        "",
        description="Folder with schemas of your own, packed with those of lambda_src/shared/records/schemas: a "
        "path from the folder of this program, or an absolute one. Empty: none.",
    )
    max_rejected_records: int = Field(
        200_000,
        ge=1,
        description="Maximum rejected records of a file, or the file itself is rejected: each takes time.",
    )
    record_bytes_per_second: int = Field(
        10_000_000,
        ge=1_000_000,
        description="Speed of the record work that is counted on, in bytes a second after decompression. The "
        "largest record file is what is read so in functionTimeoutSeconds less twice timeReserveSeconds.",
    )

    @model_validator(mode="after")
    def _check_checks(self) -> Self:
        for entry in self.record_types:
            if entry.startswith(CHECKS_PREFIX):
                raise ValueError(
                    f"recordTypes: {entry!r}: should be another prefix: `operate check` uploads {CHECKS_PREFIX}…"
                )
        for folder in self.refused_prefixes:
            if CHECKS_PREFIX.startswith(folder) or CHECKS_PREFIX.removeprefix(UPLOADS_PREFIX).startswith(folder):
                raise ValueError(
                    f"refusedPrefixes: {folder!r}: should be taken out: `operate check` uploads {CHECKS_PREFIX}…"
                )
        return self

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        lists = (self.allowed_extensions, self.refused_prefixes, self.record_types)
        listed = sum(len(json.dumps(entries)) for entries in lists)
        if listed > MAX_LISTED_BYTES:
            raise ValueError(
                f"allowedExtensions, refusedPrefixes and recordTypes: have {listed} bytes together; should have "
                f"{MAX_LISTED_BYTES} bytes at most: functions get them as environment variables, which Lambda limits"
            )
        return self
