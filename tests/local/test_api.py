"""The API as its users meet it: real tokens, the authorizer, IAM, and the whole way of an upload."""

from __future__ import annotations

import gzip
import json
from typing import Final, cast
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.api import ApiClient, sign_in_test_user
from local.stack_config import ROOT
from local.waiting import wait_until
from tests.local.conftest import LocalPipeline, Probe

DENIED: Final = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError"}
RECORD: Final = {"shipment_id": "SHP-1", "status": "delivered", "timestamp": "2026-11-20T08:15:00+01:00"}
KEY: Final = {"object_id": {"S": "a"}, "version_id": {"S": "b"}}


def document_for_who_is_inside() -> dict[str, object]:
    """The document without the token: the requests that are made from it would have none, or a made-up one."""
    document: dict[str, object] = json.loads((ROOT / "docs" / "openapi.json").read_text())
    for path in cast("dict[str, dict[str, dict[str, object]]]", document["paths"]).values():
        for operation in path.values():
            operation.pop("security", None)
    return document


DOCUMENT: Final = schemathesis.openapi.from_dict(document_for_who_is_inside())


@pytest.fixture(scope="module")
def writer(standing: LocalPipeline) -> ApiClient:
    return sign_in_test_user(standing.stack)


def test_an_upload_through_the_api_runs_through_the_pipeline(writer: ApiClient) -> None:
    body = b"shipment_id,status,timestamp\nSHP-1,delivered,2026-11-20T08:15:00Z\nSHP-2,,soon\n"
    form = writer.post("/uploads", {"name": "shipments/täglich+ 100%.csv", "content_type": "text/csv"}).body

    assert writer.upload(form, body) == 204

    def listed() -> list[dict[str, object]]:
        files = cast("list[dict[str, object]]", writer.get("/files", status="COMPLETED", limit=100).body["files"])
        return [file for file in files if file["key"] == form["key"]]

    wait_until(lambda: bool(listed()), "the file is not listed")
    (file,) = listed()
    for question in ({"key": form["key"]}, {"prefix": "uploads/shipments/tä"}):
        assert writer.get("/files", **question).body == {"files": [file], "cursor": None}
    shown = writer.get("/files/" + quote(str(file["id"]), safe="")).body
    assert (shown["records_valid"], shown["records_rejected"]) == (1, 1)
    assert shown["uploaded_by"] == "test-user"
    assert shown["user_metadata"] == {"uploaded-by": "test-user"}
    rejects = gzip.decompress(writer.download(str(shown["rejects_url"]))).decode()
    assert json.loads(rejects)["number"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"key": "uploads/other.csv"},
        {"Content-Type": "text/html"},
        {"x-amz-meta-uploaded-by": "somebody-else"},
        {"x-amz-server-side-encryption": "AES256"},
    ],
)
def test_the_form_is_good_for_what_it_was_signed_for_alone(writer: ApiClient, change: dict[str, str]) -> None:
    form = writer.post("/uploads", {"name": "signed.csv"}).body
    fields = cast("dict[str, str]", form["fields"])

    assert writer.upload({**form, "fields": {**fields, **change}}, b"a") == 403


def test_a_file_larger_than_the_limit_is_not_taken(writer: ApiClient) -> None:
    form = writer.post("/uploads", {"name": "large.csv"}).body

    assert writer.upload(form, b"x" * (65536 + 1)) == 400


def test_processing_the_same_twice_stores_once(pipeline: LocalPipeline, writer: ApiClient) -> None:
    first = writer.post("/process", {"data": [RECORD]})
    again = writer.post("/process", {"data": [RECORD]})

    assert (first.status, first) == (200, again)
    versions = pipeline.stack.cloud.client("s3").list_object_versions(
        Bucket=pipeline.bucket, Prefix=str(first.body["s3_key"])
    )
    assert len(versions["Versions"]) == 1
    shown = writer.get("/files/" + quote(str(first.body["id"]), safe=""))
    assert (shown.body["status"], shown.body["uploaded_by"]) == ("COMPLETED", "test-user")


def test_pages(writer: ApiClient) -> None:
    for number in range(3):
        writer.post("/validate", {"data": {**RECORD, "shipment_id": f"page-{number}"}})

    first = writer.get("/files", status="VALIDATED", limit=2)
    second = writer.get("/files", status="VALIDATED", limit=2, cursor=first.body["cursor"])

    files = [
        *cast("list[dict[str, object]]", first.body["files"]),
        *cast("list[dict[str, object]]", second.body["files"]),
    ]
    assert len({file["id"] for file in files}) == len(files) >= 3
    assert writer.get("/files", limit=2, cursor=first.body["cursor"]).status == 400


def test_the_api_role_may_do_its_work(pipeline: LocalPipeline, api_probe: Probe) -> None:
    names = {"TableName": pipeline.table}
    query = {"KeyConditionExpression": "object_id = :id", "ExpressionAttributeValues": {":id": {"S": "x"}}}
    item = {"object_id": {"S": "api/probe"}, "version_id": {"S": "api"}}

    assert api_probe("dynamodb", "query", {**names, **query}) == "allowed"
    assert api_probe("dynamodb", "get_item", {**names, "Key": KEY}) == "allowed"
    assert api_probe("dynamodb", "batch_get_item", {"RequestItems": {pipeline.table: {"Keys": [KEY]}}}) == "allowed"
    assert api_probe("dynamodb", "put_item", {**names, "Item": item}) == "allowed"
    for prefix in ("processed", "rejected"):
        key = f"{prefix}/record_type=shipment/day=2026-11-20/api-probe"
        assert api_probe("s3", "put_object", {"Bucket": pipeline.bucket, "Key": key}) == "allowed"


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("dynamodb", "scan", {"TableName": "{table}"}),
        (
            "dynamodb",
            "delete_item",
            {"TableName": "{table}", "Key": KEY},
        ),
        (
            "dynamodb",
            "update_item",
            {"TableName": "{table}", "Key": KEY},
        ),
        ("s3", "get_object", {"Bucket": "{bucket}", "Key": "uploads/readable.csv"}),
        ("s3", "get_object", {"Bucket": "{bucket}", "Key": "processed/secret.csv"}),
        ("s3", "put_object", {"Bucket": "{bucket}", "Key": "processed/record_type=shipment/day=2026-11-20/file-x"}),
        ("s3", "put_object", {"Bucket": "{bucket}", "Key": "rejected/x"}),
        ("s3", "delete_object", {"Bucket": "{bucket}", "Key": "uploads/readable.csv"}),
        ("s3", "list_objects_v2", {"Bucket": "{bucket}"}),
        ("sqs", "send_message", {"QueueUrl": "{queue}", "MessageBody": "x"}),
        ("sqs", "receive_message", {"QueueUrl": "{queue}"}),
        ("sns", "publish", {"TopicArn": "{topic}", "Message": "false alarm"}),
        ("cognito-idp", "list_users", {"UserPoolId": "{pool}"}),
        ("cognito-idp", "admin_add_user_to_group", {"UserPoolId": "{pool}", "Username": "x", "GroupName": "writers"}),
        ("dynamodb", "put_item", {"TableName": "{table}", "Item": KEY}),
        ("kms", "schedule_key_deletion", {"KeyId": "{key}"}),
        ("kms", "generate_data_key", {"KeyId": "{key}", "KeySpec": "AES_256"}),
        ("kms", "encrypt", {"KeyId": "{key}", "Plaintext": "text"}),
        ("secretsmanager", "list_secrets", {}),
    ],
)
def test_the_api_role_may_do_nothing_else(
    pipeline: LocalPipeline, api_probe: Probe, service: str, operation: str, parameters: dict[str, object]
) -> None:
    outputs = pipeline.stack.outputs
    names = {
        "table": pipeline.table,
        "bucket": pipeline.bucket,
        "queue": pipeline.queue_url,
        "topic": outputs["topicArn"],
        "pool": outputs["userPoolId"],
        "key": outputs["keyId"],
    }
    filled = {name: value.format(**names) if isinstance(value, str) else value for name, value in parameters.items()}

    assert api_probe(service, operation, filled) in DENIED


@DOCUMENT.parametrize()
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_document(
    case: schemathesis.Case,  # type: ignore[type-arg]  # its parameters are the library's own
    standing: LocalPipeline,
    writer: ApiClient,
) -> None:
    """Whatever is sent, valid or not: no 5xx, and no answer that the OpenAPI document does not have."""
    assert call(case, standing, writer) != 401, "nothing but the door was tested"


def test_a_path_that_the_gateway_cannot_match_is_in_the_document(standing: LocalPipeline, writer: ApiClient) -> None:
    case = DOCUMENT["/files/{file_id}"]["GET"].Case(path_parameters={"file_id": "a\nb"})

    assert call(case, standing, writer) == 404


def call(
    case: schemathesis.Case,  # type: ignore[type-arg]  # its parameters are the library's own
    standing: LocalPipeline,
    writer: ApiClient,
) -> int:
    """Send a request, and hold its answer to the document."""
    answer = case.call_and_validate(
        base_url=standing.stack.outputs["apiEndpoint"],
        headers=dict(writer.headers),
        verify=str(standing.stack.emulator.ca_bundle),
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
    return answer.status_code
