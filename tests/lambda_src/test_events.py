"""Reading what S3 sends: each malformed event has a clear reason, and keys come out as they are."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import MalformedEventError, parse_uploads
from tests.lambda_src.conftest import BUCKET, EVENTS

CREATED = (EVENTS / "s3_object_created.json").read_text()
Record = dict[str, dict[str, dict[str, object]]]


def test_a_real_event() -> None:
    (upload,), problems = parse_uploads(CREATED, BUCKET)

    assert problems == []
    assert (upload.bucket, upload.key) == (BUCKET, "uploads/Köln + Zürich.txt")
    assert upload.version_id == "096fKKXTRTtl3on89fVO.nfljtsv6qko"
    assert (upload.size, upload.etag) == (48, "d41d8cd98f00b204e9800998ecf8427e")
    assert (upload.event_name, upload.event_time) == ("ObjectCreated:Put", "2026-11-20T08:15:30.123Z")
    assert upload.sequencer == "0055AED6DCD90281E5"


def test_the_test_event_is_acknowledged() -> None:
    assert parse_uploads((EVENTS / "s3_test_event.json").read_text(), BUCKET) == ([], [])


def test_a_test_event_with_records_is_no_test_event() -> None:
    event = {**json.loads(CREATED), "Event": "s3:TestEvent"}

    (upload,), _ = parse_uploads(json.dumps(event), BUCKET)

    assert upload.bucket == BUCKET


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ('"Records"', "not a JSON object"),
        ("null", "not a JSON object"),
        ("{}", "no Records"),
        ('{"Records": []}', "no Records"),
        ('{"Records": "uploads/a.csv"}', "no Records"),
        ('{"Event": "s3:OtherEvent"}', "no Records"),
    ],
)
def test_a_message_that_is_no_event_is_refused(body: str, reason: str) -> None:
    with pytest.raises(MalformedEventError, match=reason):
        parse_uploads(body, BUCKET)


def _set(*path: str, value: object) -> Callable[[dict[str, object]], None]:
    def change(record: dict[str, object]) -> None:
        part = record
        for step in path[:-1]:
            part = part[step]  # type: ignore[assignment]
        part[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("eventSource", value="aws:sns"), "eventSource is 'aws:sns', not 'aws:s3'"),
        (_set("eventSource", value=None), "eventSource is None"),
        (_set("eventName", value="ObjectRemoved:Delete"), "eventName is 'ObjectRemoved:Delete', not ObjectCreated"),
        (_set("eventName", value=7), "eventName is 7"),
        (_set("s3", value=None), "has no s3"),
        (_set("s3", "bucket", value={}), "has no bucket name"),
        (_set("s3", "bucket", "name", value="other-bucket"), "bucket is 'other-bucket', not 'landing-bucket'"),
        (_set("s3", "object", value=[]), "has no object"),
        (_set("s3", "object", "key", value=""), "has no object key"),
        (_set("s3", "object", "key", value=None), "has no object key"),
        (_set("s3", "object", "key", value="uploads/%FF.txt"), "is not URL-encoded UTF-8"),
        (_set("s3", "object", "key", value="uploads/\ud800.txt"), "is not URL-encoded UTF-8"),
        (_set("s3", "object", "key", value="k" * 1025), "has 1025 bytes, more than S3's 1024"),
        (_set("s3", "object", "versionId", value=7), "versionId is 7"),
        (_set("s3", "object", "versionId", value=""), "versionId is ''"),
        (_set("s3", "object", "versionId", value="v" * 1025), "versionId is 'vvv"),
        (_set("s3", "object", "versionId", value="\ud800"), "versionId is '\\ud800'"),
        (_set("s3", "object", "eTag", value="\ud800"), "eTag is '\\ud800'"),
        (_set("s3", "object", "sequencer", value="ZZ"), "sequencer is 'ZZ'"),
        (_set("s3", "object", "size", value=True), "size is True"),
        (_set("s3", "object", "size", value=-5), "size is -5"),
        (_set("s3", "object", "size", value=10**40), "size is 1000"),
        (_set("eventTime", value="soon"), "eventTime is 'soon'"),
    ],
)
def test_a_malformed_record_has_a_reason(change: Callable[[dict[str, object]], None], reason: str) -> None:
    event = json.loads(CREATED)
    good = copy.deepcopy(event["Records"][0])
    change(event["Records"][0])
    event["Records"].append(good)

    uploads, problems = parse_uploads(json.dumps(event), BUCKET)

    assert len(uploads) == 1, "the good record beside it counts"
    assert len(problems) == 1
    assert problems[0].startswith("record 0: ")
    assert reason in problems[0]


def test_missing_facts_do_not_break_it() -> None:
    event = json.loads(CREATED)
    event["Records"][0]["s3"]["object"] = {"key": "uploads/a.csv"}
    del event["Records"][0]["eventTime"]

    (upload,), problems = parse_uploads(json.dumps(event), BUCKET)

    assert problems == []
    assert (upload.version_id, upload.etag, upload.size, upload.sequencer) == ("", "", None, "")


@given(key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_key_comes_out_as_it_went_in(key: str) -> None:
    event = json.loads(CREATED)
    event["Records"][0]["s3"]["object"]["key"] = quote_plus(key, safe="/")

    (upload,), _ = parse_uploads(json.dumps(event), BUCKET)

    assert upload.key == key


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(where=st.sampled_from(["eventSource", "eventName", "s3", "bucket", "object", "key", "size"]), value=_JSON)
def test_no_value_anywhere_breaks_the_parser(where: str, value: object) -> None:
    event = json.loads(CREATED)
    record = event["Records"][0]
    for holder in (record, record["s3"], record["s3"]["bucket"], record["s3"]["object"]):
        if where in holder:
            holder[where] = value

    uploads, problems = parse_uploads(json.dumps(event), BUCKET)

    assert len(uploads) + len(problems) == 1
