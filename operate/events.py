"""Telling of an object version as S3 does."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

from shared.files import ObjectVersion


def created_event(version: ObjectVersion, region: str) -> str:
    """Return the message that S3 would send for a version: what is known of it, and no more."""
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
            "configurationId": "reprocess",
            "bucket": {"name": version.bucket, "arn": f"arn:aws:s3:::{version.bucket}"},
            "object": stored,
        },
    }
    if version.event_time:
        record["eventTime"] = version.event_time
    return json.dumps({"Records": [record]})
