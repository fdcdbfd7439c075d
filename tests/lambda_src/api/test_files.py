"""GET /files/{id}."""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from urllib.parse import quote

import pytest

from api.files import FAILED_REASON
from shared.catalog.model import Status
from shared.catalog.table import latest_key
from shared.catalog.writer import REOPENED
from tests.lambda_src.api.cataloged import START, add, arrived
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.conftest import BUCKET, Aws, Calls


def listed(api: HandlerClient) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", api.get("/files").body["files"])


def test_one_file(api: HandlerClient, aws: Aws) -> None:
    file = add(aws, "uploads/a b/ü+%2F#?.csv", rejected_key="rejected/a/v1.ndjson.gz")

    answer = api.get("/files/" + arrived(file.object_id))

    assert answer.status == 200
    assert (answer.body["id"], answer.body["key"]) == (file.object_id, file.key)
    assert (answer.body["uploaded_by"], answer.body["versions"]) == ("grace", ["v1"])
    url = str(answer.body["rejects_url"])
    assert "rejected/a/v1.ndjson.gz" in url
    assert "X-Amz-Expires=900" in url


def test_an_uploader_is_shown_as_the_name_is(api: HandlerClient, aws: Aws) -> None:
    """S3 takes ASCII in metadata: there the name is URL-encoded."""
    file = add(aws, "uploads/a.csv", uploaded_by="j%C3%B6rg@x%20+1")

    assert api.get("/files/" + arrived(file.object_id)).body["uploaded_by"] == "jörg@x +1"
    assert [entry["uploaded_by"] for entry in listed(api)] == ["jörg@x +1"]


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        (Status.FAILED, "ClientError: no access to arn:aws:kms:eu-central-1:111122223333:key/a", FAILED_REASON),
        (Status.FAILED, REOPENED, REOPENED),
        (Status.REJECTED, "file has no records", "file has no records"),
        (Status.COMPLETED, None, None),
    ],
)
def test_what_aws_said_is_not_shown(
    api: HandlerClient, aws: Aws, status: Status, reason: str | None, shown: str | None
) -> None:
    file = add(aws, "uploads/a.csv", status, reason=reason)

    assert aws.item(file.key).get("reason") == reason, "the catalog keeps it"
    assert api.get("/files/" + arrived(file.object_id)).body["reason"] == shown
    assert [entry["reason"] for entry in listed(api)] == [shown]


def test_a_file_by_its_safe_path(api: HandlerClient, aws: Aws) -> None:
    """A question mark in a key would end the path: every file says where it is shown without one."""
    file = add(aws, "uploads/what?.csv")
    path = str(cast("list[dict[str, object]]", api.get("/files").body["files"])[0]["path"])

    assert "?" not in path
    assert api.get(path).body["id"] == file.object_id
    assert api.get(path[:-1] + "!").status == 404


def test_one_version_of_a_file(api: HandlerClient, aws: Aws) -> None:
    file = add(aws, "uploads/a.csv", version="v1")
    add(aws, "uploads/a.csv", Status.REJECTED, version="v2", at=START + timedelta(seconds=1))
    path = "/files/" + arrived(file.object_id)

    assert api.get(path).body["version_id"] == "v2"
    assert api.get(path).body["versions"] == ["v2", "v1"]
    assert api.get(path, version_id="v1").body["status"] == "COMPLETED"
    assert api.get(path, version_id="v3").status == 404


def test_what_is_no_file_is_not_found(api: HandlerClient, aws: Aws) -> None:
    add(aws, "uploads/a.csv")

    for path in ("nope", "x" * 2049, quote(latest_key(BUCKET, "uploads/a.csv")["object_id"]["S"]), "%25"):
        answer = api.get(f"/files/{path}")
        assert (answer.status, answer.body["code"]) == (404, "not_found")


def test_a_shard_of_latest_versions_is_not_read_as_a_file(api: HandlerClient, aws: Aws, calls: Calls) -> None:
    """It may have a million items, and none is a file's."""
    add(aws, "uploads/a.csv")
    calls.made.clear()

    assert api.get("/files/" + arrived(latest_key(BUCKET, "uploads/a.csv")["object_id"]["S"])).status == 404
    assert calls.made == []


def test_links_name_the_bucket_in_its_region(api: HandlerClient, aws: Aws) -> None:
    """The global endpoint would redirect, and a signature holds for one host."""
    file = add(aws, "uploads/a.csv", rejected_key="rejected/a.ndjson.gz")
    host = f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/"

    assert str(api.post("/uploads", {"name": "a.csv"}).body["url"]) == host
    assert str(api.get("/files/" + arrived(file.object_id)).body["rejects_url"]).startswith(host)
