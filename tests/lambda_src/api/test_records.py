"""POST /validate and POST /process: the files' own checks, and what is taken at all."""

from __future__ import annotations

import json
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.records.encoder import RecordEncoder
from shared.records.parse import parse
from shared.records.schemas import load_schema
from tests.declared_stack import DeclaredStack
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.conftest import BUCKET, Aws, declared_environment, import_function

GOOD = {"shipment_id": "SHP-1", "status": "delivered", "timestamp": "2026-11-20T08:15:00+01:00", "more": 1}
BAD = {"shipment_id": "SHP-2", "status": "delivered", "timestamp": "2026-02-30T00:00:00Z"}

BAD_REASON = {"field": "timestamp", "rule": "format", "text": "invalid RFC3339 encoded datetime"}


def stored(aws: Aws, answer_id: object) -> dict[str, object]:
    pages = aws.dynamodb.query(
        TableName=aws.table,
        KeyConditionExpression="object_id = :id",
        ExpressionAttributeValues={":id": {"S": str(answer_id)}},
    )["Items"]
    (item,) = pages
    return {name: next(iter(value.values())) for name, value in item.items()}


def objects(aws: Aws) -> dict[str, int]:
    """Key → number of versions."""
    versions = aws.s3.list_object_versions(Bucket=BUCKET).get("Versions", [])
    keys = [version["Key"] for version in versions]
    return {key: keys.count(key) for key in keys}


def test_validate_answers_per_record_and_notes_it(api: HandlerClient, aws: Aws) -> None:
    answer = api.post("/validate", {"data": [GOOD, BAD, 7]})

    assert answer.status == 200
    assert answer.body["results"] == [
        {"number": 1, "valid": True, "reasons": []},
        {"number": 2, "valid": False, "reasons": [BAD_REASON]},
        {
            "number": 3,
            "valid": False,
            "reasons": [{"field": None, "rule": "type", "text": "expected object, got int"}],
        },
    ]
    assert (answer.body["records_valid"], answer.body["records_rejected"]) == (1, 2)
    assert answer.body["s3_key"] is None
    item = stored(aws, answer.body["id"])
    assert (item["status"], item["uploaded_by"], item["records_rejected"]) == ("VALIDATED", "ada", "2")
    assert not objects(aws)


def test_one_record_needs_no_list(api: HandlerClient) -> None:
    answer = api.post("/validate", {"data": GOOD})

    assert answer.body["results"] == [{"number": 1, "valid": True, "reasons": []}]


def test_an_answer_stays_below_what_lambda_answers(api: HandlerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.checked._MAX_REASONS_BYTES", 200)

    results = cast("list[dict[str, object]]", api.post("/validate", {"data": [BAD] * 5}).body["results"])

    assert [result["valid"] for result in results] == [False] * 5
    assert results[0]["reasons"] == [BAD_REASON]
    assert results[-1]["reasons"] == [
        {"field": None, "rule": "format", "text": "not shown: the answer would be too large"}
    ]


@pytest.mark.parametrize("content_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_json_by_any_name(api: HandlerClient, content_type: str) -> None:
    assert api.post("/validate", {"data": GOOD}, Content_Type=content_type).status == 200


@pytest.mark.usefixtures("api")
def test_a_stack_without_record_types_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORD_TYPES", "[]")

    answer = HandlerClient(handler=import_function("api").handler).post("/validate", {"data": GOOD})

    assert answer.status == 400
    assert answer.fields() == {"record_type": "this stack knows none: recordTypes is empty"}


def test_record_types(api: HandlerClient, dev: DeclaredStack) -> None:
    configured = json.loads(declared_environment(dev, "api")["RECORD_TYPES"])
    names = dict.fromkeys(entry.rpartition("=")[2] for entry in configured)
    assert api.post("/validate", {"data": GOOD, "record_type": "shipment"}).status == 200

    unknown = api.post("/validate", {"data": GOOD, "record_type": "../secrets"})

    assert unknown.status == 400
    assert unknown.fields() == {"record_type": f"should be one of {', '.join(names)}"}


DEEP = '{"data": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}"


@pytest.mark.parametrize("path", ["/validate", "/process"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "the body is not JSON: input data was truncated"),
        ('{"data": {},}', "the body is not JSON: trailing comma in object at byte 12"),
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        (b"\xff\xfe", "the body is not UTF-8"),
        ("[]", "the body is not a JSON object"),
        ("null", "the body is not a JSON object"),
        ('{"data": {"a": NaN}}', "the body has NaN, which is not JSON"),
        ('{"data": {"a": -Infinity}}', "the body has -Infinity, which is not JSON"),
        ('{"data": {"a": 1, "a": 2}}', "the body has 'a' twice in one object"),
        ('{"data": {}, "data": []}', "the body has 'data' twice in one object"),
        ('{"data": ' + "1" * 5000 + "}", "the body has a number that is too long"),
        ('{"data": [{"a": "\\ud800"}]}', "the body has a lone surrogate, which is no text"),
        ('{"data": {"\\uDFFF": 1}}', "the body has a lone surrogate, which is no text"),
        ('{"data": {"a": 1}, "record_type": "\\uDc00\\ud800"}', "the body has a lone surrogate, which is no text"),
        (DEEP, "the body is nested too deeply"),
        ("{}", "data: should be a record, or a list of at least one record"),
        ('{"data": null}', "data: should be a record, or a list of at least one record"),
        ('{"data": "x"}', "data: should be a record, or a list of at least one record"),
        ('{"data": 7}', "data: should be a record, or a list of at least one record"),
        ('{"data": []}', "data: should be a record, or a list of at least one record"),
    ],
)
def test_a_wrong_body_is_a_clear_400(api: HandlerClient, aws: Aws, path: str, body: str | bytes, message: str) -> None:
    answer = api.send(path, body)

    assert (answer.status, answer.body["code"], answer.body["message"]) == (400, "invalid_request", message)
    assert answer.body["request_id"] == "JKJaXmPLvHcESHA="
    assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 0


@pytest.mark.parametrize("text", ["\\ud83d\\ude80", "\\\\ud800"])
def test_a_pair_of_surrogates_and_a_backslash_are_text(api: HandlerClient, text: str) -> None:
    assert api.send("/validate", f'{{"data": [{json.dumps(GOOD)}, {{"more": "{text}"}}]}}').status == 200


def test_too_much_is_a_413_that_names_the_limit(api: HandlerClient) -> None:
    many = api.post("/validate", {"data": [GOOD] * 51})
    long = api.post("/validate", {"data": [{**GOOD, "more": "x" * 1_100_000}]})
    large = api.post("/validate", {"data": {"more": "x" * 4_200_000}})

    for answer, words in (
        (many, "more than 50 records"),
        (long, "record 1 has more than 1048576"),
        (large, "more than the limit of 4194304"),
    ):
        assert (answer.status, answer.body["code"]) == (413, "too_large")
        assert words in str(answer.body["message"])


def test_a_body_may_come_as_base64(api: HandlerClient) -> None:
    assert api.send("/validate", json.dumps({"data": GOOD}).encode()).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(api: HandlerClient, content_type: str) -> None:
    answer = api.post("/validate", {"data": GOOD}, Content_Type=content_type)

    assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(),
            st.text(max_size=3),
            st.fixed_dictionaries(
                {},
                optional={
                    "shipment_id": st.one_of(st.text(max_size=3), st.integers(), st.none()),
                    "status": st.sampled_from(["ok", "", 3]),
                    "timestamp": st.sampled_from(["2026-11-20T08:15:00Z", "2026-11-20", "soon", 5]),
                    "pieces": st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
                },
            ),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_the_same_verdicts_as_in_a_file(api: HandlerClient, records: list[object]) -> None:
    """The oracle: the same records as a JSON array in a file."""
    text = json.dumps(records)
    rejections = [
        json.loads(RecordEncoder().rejections([rejection]))
        for batch in parse([text.encode()], load_schema("shipment"), max_bytes=1 << 20)
        for rejection in batch.rejected
    ]

    answer = api.send("/validate", f'{{"data": {text}}}')

    results = cast("list[dict[str, object]]", answer.body["results"])
    assert [result["number"] for result in results] == list(range(1, len(records) + 1))
    assert [(result["number"], result["reasons"]) for result in results if not result["valid"]] == [
        (rejected["number"], rejected["reasons"]) for rejected in rejections
    ]
