"""A brought key's policy: what is printed is what the stack's own key has, and what it lacks is named."""

from __future__ import annotations

import json
from collections.abc import Callable

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, declare
from tools import key_policy

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd"
NAME = "file-pipeline-prod"


def test_it_prints_what_the_stacks_own_key_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert key_policy.main(NAME, KEY) == 0

    assert json.loads(capsys.readouterr().out) == json.loads(declare("prod").one("Key").text("policy"))


class Kms:
    def __init__(self, answer: Callable[[], str]) -> None:
        self._answer = answer

    def get_key_policy(self, KeyId: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        assert KeyId == KEY
        return {"Policy": self._answer()}


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], str]], None]:
    def given(answer: Callable[[], str]) -> None:
        monkeypatch.setattr(boto3, "client", lambda _service, **_options: Kms(answer))

    return given


def own() -> dict[str, list[dict[str, object]]]:
    document: dict[str, list[dict[str, object]]] = json.loads(json.dumps(key_policy.required(NAME, KEY)))
    return document


def test_a_policy_that_says_it_all_is_enough(
    policy: Callable[[Callable[[], str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    policy(lambda: json.dumps(own()))

    assert key_policy.main(NAME, KEY, check=True) == 0
    assert "has all that the stack needs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "change", "line"),
    [
        (
            2,
            {"Principal": {"Service": "sns.amazonaws.com"}},
            "AlarmsToTopic: cloudwatch.amazonaws.com needs kms:Decrypt",
        ),
        (1, {"Action": "kms:Decrypt"}, "S3EventsToQueues: s3.amazonaws.com needs kms:GenerateDataKey*"),
        (1, {"Effect": "Deny"}, "S3EventsToQueues: s3.amazonaws.com needs kms:Decrypt"),
        (
            1,
            {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}},
            "S3EventsToQueues: s3.amazonaws.com needs kms:Decrypt",
        ),
        (3, {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, "Logs: logs.eu-central-1.amazonaws.com needs"),
    ],
)
def test_what_is_missing_is_named(
    policy: Callable[[Callable[[], str]], None],
    capsys: pytest.CaptureFixture[str],
    number: int,
    change: dict[str, object],
    line: str,
) -> None:
    document = own()
    document["Statement"][number] |= change
    policy(lambda: json.dumps(document))

    assert key_policy.main(NAME, KEY, check=True) == 1
    assert line in capsys.readouterr().out


def test_a_policy_that_cannot_be_read_leaves_the_comparison_to_its_owner(
    policy: Callable[[Callable[[], str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def denied() -> str:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetKeyPolicy")

    policy(denied)

    assert key_policy.main(NAME, KEY, check=True) == 3
    assert "Ask its owner to compare it" in capsys.readouterr().err


@pytest.mark.parametrize("arn", ["alias/ours", KEY.replace(":key/", ":alias/")])
def test_what_is_no_keys_arn_is_refused(arn: str) -> None:
    with pytest.raises(SystemExit, match="should be the ARN of a key, not of an alias"):
        key_policy.main(NAME, arn)
