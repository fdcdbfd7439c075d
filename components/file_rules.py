"""Which files a pipeline takes: what the ingest function and the API hold every upload to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FileRulesArgs:
    """Which files are taken, and which hold records.

    Parameters
    ----------
    record_types
        Which files hold records: a key prefix under ``uploads/``, ``=``, and the name of a schema. The longest prefix
        that fits a key counts.
    allowed_extensions
        Extensions that are taken, each in lower case with its dot; a name without one always is.
    refused_prefixes
        Folders, at the top of the bucket or of ``uploads/``, whose objects are skipped.
    max_object_bytes
        Size above which an object is skipped, in bytes.
    """

    record_types: Sequence[str]
    allowed_extensions: Sequence[str]
    refused_prefixes: Sequence[str] = ("temp/", "tmp/", ".aws/", ".git/")
    max_object_bytes: int = 1024**3

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of a function that keeps to them."""
        return {
            "RECORD_TYPES": json.dumps(self.record_types),
            "ALLOWED_EXTENSIONS": json.dumps(self.allowed_extensions),
            "REFUSED_PREFIXES": json.dumps(self.refused_prefixes),
            "MAX_OBJECT_BYTES": str(self.max_object_bytes),
        }
