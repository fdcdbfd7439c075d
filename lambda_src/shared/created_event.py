"""Telling of an object version as S3 does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from shared.catalog.model import ObjectVersion

REPROCESS: Final = "reprocess"
"""Who sends the event of a version that an operator wants processed again."""


def created_event(version: ObjectVersion, region: str, *, sender: str) -> str:
    """Return the message that S3 would send for a version: what is known of it, and no more.

    Parameters
    ----------
    version
        Which version.
    region
        Where its bucket is.
    sender
        Who sends it: it stands where S3 names the notification's configuration.
    """
    stored: dict[str, object] = {"key": quote_plus(version.key, safe="/"), "eTag": version.etag}
    if version.size is not None:
        stored["size"] = version.size
    if version.version_id:
        stored["versionId"] = version.version_id
    if version.sequencer:
        stored["sequencer"] = version.sequencer
    record: dict[str, object] = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventName": version.event_name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": sender,
            "bucket": {"name": version.bucket, "arn": f"arn:aws:s3:::{version.bucket}"},
            "object": stored,
        },
    }
    if version.event_time:
        record["eventTime"] = version.event_time
    return json.dumps({"Records": [record]})
