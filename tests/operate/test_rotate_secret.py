"""``rotate-secret``: a secret is renewed if somebody can use it."""

from __future__ import annotations

import json

import boto3
import pytest

from tests.operate.conftest import (
    Operate,
    add_output,
)


@pytest.mark.parametrize(
    ("value", "options", "username"),
    [
        pytest.param('{"username": "u", "password": "p", "signing_key": "k", "note": "n"}', (), "u", id="whole"),
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
        assert "--username NAME gives it one" in ran.err
        return
    renewed = json.loads(after)
    assert (ran.status, renewed["username"]) == (0, username)
    assert len(renewed["password"]) == len(renewed["signing_key"]) == 32
    assert renewed.get("note") == ("n" if "note" in value else None)
    assert not {renewed["password"], renewed["signing_key"]} & set(ran.out.split())
