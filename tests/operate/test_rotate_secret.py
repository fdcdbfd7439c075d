"""``rotate-secret``: a secret is renewed if somebody can use it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from delivery.credentials import StoredCredentials
from delivery.signature import key_bytes
from tests.operate.conftest import (
    Operate,
    add_output,
)


@pytest.mark.parametrize(
    ("value", "options", "username"),
    [
        pytest.param('{"username": "u", "password": "p", "signing_key": "whsec_k", "note": "n"}', (), "u", id="whole"),
        pytest.param('{"username": "u"}', ("--username", "v"), "v", id="another"),
        pytest.param("not JSON", ("--username", "v"), "v", id="broken"),
        pytest.param("[]", (), None, id="no object"),
        pytest.param('{"user": "u"}', (), None, id="no username"),
    ],
)
def test_a_secret_is_rotated_if_it_has_or_gets_a_username(
    operate: Operate, value: str, options: tuple[str, ...], username: str | None
) -> None:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="secret", SecretString=value)["ARN"]
    add_output("secretArn", arn)

    ran = operate("rotate-secret", *options)

    after = client.get_secret_value(SecretId=arn)["SecretString"]
    if username is None:
        assert (ran.status, after) == (2, value)
        assert "give it one with --username NAME" in ran.err
        return
    renewed = json.loads(after)
    assert (ran.status, renewed["username"]) == (0, username)
    assert len(renewed["password"]) == 32
    assert len(key_bytes(renewed["signing_key"])) == 32
    assert renewed.get("previous_signing_key") == ("whsec_k" if "whsec_k" in value else None)
    assert renewed.get("note") == ("n" if "note" in value else None)
    assert not {renewed["password"], renewed["signing_key"]} & set(ran.out.split())


def test_the_function_signs_with_both_keys_for_a_day_and_then_with_the_new_one(operate: Operate) -> None:
    client = boto3.client("secretsmanager")
    old = {"username": "u", "password": "p", "signing_key": f"whsec_{'a2tr' * 11}"}
    arn = client.create_secret(Name="secret", SecretString=json.dumps(old))["ARN"]
    add_output("secretArn", arn)

    assert operate("rotate-secret").status == 0
    assert operate("rotate-secret").status == 0
    credentials = StoredCredentials(lambda: client, arn).credentials()

    value = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    before = json.loads(client.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"])
    both = [key_bytes(value["signing_key"]), key_bytes(before["signing_key"])]
    now = datetime.now(UTC)
    assert list(credentials.signing_keys((now + timedelta(hours=23)).timestamp())) == both
    assert list(credentials.signing_keys((now + timedelta(hours=25)).timestamp())) == both[:1]
