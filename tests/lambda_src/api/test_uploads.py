"""POST /uploads."""

from __future__ import annotations

import base64
import json
from typing import cast

import pytest

from shared.catalog.model import MAX_KEY_BYTES
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.conftest import BUCKET, Aws, import_function


def test_an_upload_is_signed_for_one_key_type_and_size(api: HandlerClient) -> None:
    answer = api.post("/uploads", {"name": "shipments/a b.csv", "content_type": "text/csv"})

    fields = cast("dict[str, str]", answer.body["fields"])
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert answer.status == 200
    assert answer.body["key"] == fields["key"] == "uploads/shipments/a b.csv"
    assert ["content-length-range", 0, 1024**3] in policy["conditions"]
    exact = {name: value for part in policy["conditions"] if isinstance(part, dict) for name, value in part.items()}
    assert exact["key"] == "uploads/shipments/a b.csv"
    assert exact["Content-Type"] == "text/csv"
    assert exact["x-amz-meta-uploaded-by"] == "ada"
    assert exact["x-amz-server-side-encryption"] == "aws:kms"
    assert exact["x-amz-server-side-encryption-aws-kms-key-id"].startswith("arn:aws:kms:")
    assert exact["x-amz-storage-class"] == fields["x-amz-storage-class"] == "STANDARD"
    assert not any(part[0] == "starts-with" for part in policy["conditions"] if isinstance(part, list))


@pytest.mark.usefixtures("api")
def test_uploads_and_records_are_stored_in_the_stages_class_at_once(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_CLASS", "INTELLIGENT_TIERING")
    tiering = HandlerClient(handler=import_function("api").handler)

    record = {"shipment_id": "SHP-1", "status": "lost", "timestamp": "2026-11-20T08:15:00Z"}
    form = cast("dict[str, str]", tiering.post("/uploads", {"name": "a.csv"}).body["fields"])
    key = tiering.post("/process", {"data": record}).body["s3_key"]

    assert form["x-amz-storage-class"] == "INTELLIGENT_TIERING"
    assert aws.s3.head_object(Bucket=BUCKET, Key=str(key))["StorageClass"] == "INTELLIGENT_TIERING"


def test_an_upload_is_never_larger_than_s3_takes_at_once(api: HandlerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_OBJECT_BYTES", str(6 * 1024**3))
    api.handler = import_function("api").handler

    answer = api.post("/uploads", {"name": "a.csv"})

    policy = json.loads(base64.b64decode(cast("dict[str, str]", answer.body["fields"])["policy"]))
    assert answer.body["max_bytes"] == 5 * 1024**3
    assert ["content-length-range", 0, 5 * 1024**3] in policy["conditions"]


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_a_name_that_is_too_long_for_a_key_is_refused_now(api: HandlerClient, letter: str) -> None:
    longest = letter * ((MAX_KEY_BYTES - len("uploads/")) // len(letter.encode()))

    assert api.post("/uploads", {"name": longest}).status == 200
    answer = api.post("/uploads", {"name": longest + letter})
    assert (answer.status, answer.fields()) == (400, {"name": "name is longer than 1016 bytes"})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.exe", "extension .exe is not accepted"),
        ("temp/a.csv", "objects under temp/ are not accepted"),
        ("folder/", "key is a folder, not a file"),
        ("/a.csv", "name should be printable"),
        ("../a.csv", "name should be printable"),
        ("./temp/a.csv", "name should be printable"),
        ("${filename}", "name should be printable"),
        ("a\nb.csv", "name should be printable"),
        ("checks/check-a.json", "name should not begin with checks/check-:"),
        ("ü" * 509, "name is longer than 1016 bytes"),
    ],
)
def test_an_upload_that_would_not_be_taken_in_is_refused_now(api: HandlerClient, name: str, problem: str) -> None:
    answer = api.post("/uploads", {"name": name})

    assert answer.status == 400
    assert answer.fields()["name"].startswith(problem)


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 3}, {"name": "a.csv", "content_type": "text/csv\r\nx"}])
def test_a_wrong_upload_names_its_field(api: HandlerClient, body: dict[str, object]) -> None:
    answer = api.post("/uploads", body)

    assert answer.status == 400
    assert set(answer.fields()) == ({"content_type"} if "content_type" in body else {"name"})
