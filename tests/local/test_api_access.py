"""Who may use the API: groups of users, and the tokens that the authorizer takes and refuses."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Final, Literal

import pytest

from local.api import ApiClient, TokenKind, sign_in
from local.waiting import wait_until
from tests.local.conftest import LocalPipeline
from tests.local.test_api import RECORD

PASSWORD: Final = "Reader-password-1"


def add_user(pipeline: LocalPipeline, *groups: str) -> str:
    """Make a user, and return its name."""
    name, pool = f"user-{uuid.uuid4().hex[:8]}", pipeline.stack.outputs["userPoolId"]
    cognito = pipeline.stack.cloud.client("cognito-idp")
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
    for group in groups:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
    return name


def client(pipeline: LocalPipeline, name: str) -> ApiClient:
    return ApiClient(pipeline.stack, sign_in(pipeline.stack, name, PASSWORD))


def test_readers_may_ask_and_writers_may_send(pipeline: LocalPipeline) -> None:
    reader = client(pipeline, add_user(pipeline, "readers"))
    writer = client(pipeline, add_user(pipeline, "readers", "writers"))
    nobody = client(pipeline, add_user(pipeline))

    assert reader.get("/files").status == 200
    assert reader.post("/validate", {"data": RECORD}).status == 403
    assert reader.post("/uploads", {"name": "a.csv"}).status == 403
    assert writer.post("/validate", {"data": RECORD}).status == 200
    assert nobody.get("/files").status == 403
    assert nobody.get("/health").status == 200


@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
def test_both_kinds_of_token_are_taken(pipeline: LocalPipeline, kind: TokenKind) -> None:
    name = add_user(pipeline, "readers")

    assert ApiClient(pipeline.stack, sign_in(pipeline.stack, name, PASSWORD, kind)).get("/files").status == 200


def test_no_token_a_tampered_and_a_foreign_one_are_refused_at_the_door(pipeline: LocalPipeline) -> None:
    name = add_user(pipeline, "readers")
    token = sign_in(pipeline.stack, name, PASSWORD)
    header, claims, signature = token.split(".")
    promoted = {**decode(claims), "cognito:groups": ["writers"]}
    expired = {**decode(claims), "exp": 1}

    for wrong in (
        "",
        "nonsense",
        f"{header}.{encode(promoted)}.{signature}",
        f"{header}.{encode(expired)}.{signature}",
        f"{encode({**decode(header), 'alg': 'none'})}.{claims}.",
        foreign_token(pipeline),
    ):
        assert ApiClient(pipeline.stack, wrong).get("/files").status == 401, wrong
    assert ApiClient(pipeline.stack, token).get("/files").status == 200


def test_a_token_that_was_good_is_refused_when_it_has_expired(pipeline: LocalPipeline) -> None:
    """The emulator takes seconds, where AWS takes five minutes and more."""
    name = add_user(pipeline, "readers")

    def set_validity(value: int, unit: Literal["seconds", "hours"]) -> None:
        pipeline.stack.cloud.client("cognito-idp").update_user_pool_client(
            UserPoolId=pipeline.stack.outputs["userPoolId"],
            ClientId=pipeline.stack.outputs["userPoolClientId"],
            AccessTokenValidity=value,
            TokenValidityUnits={"AccessToken": unit, "IdToken": "hours", "RefreshToken": "days"},
        )

    set_validity(5, "seconds")
    try:
        user = client(pipeline, name)
    finally:
        set_validity(1, "hours")

    assert user.get("/files").status == 200
    wait_until(lambda: user.get("/files").status == 401, "the token is good for ever", timeout_seconds=20)


def test_a_token_ends_after_an_hour(pipeline: LocalPipeline) -> None:
    claims = decode(sign_in(pipeline.stack, add_user(pipeline, "readers"), PASSWORD).split(".")[1])

    assert int(str(claims["exp"])) - int(str(claims["iat"])) == 3600


def decode(part: str) -> dict[str, object]:
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def encode(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def foreign_token(pipeline: LocalPipeline) -> str:
    """A good token of another pool."""
    cognito = pipeline.stack.cloud.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="foreign")["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="foreign", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="mallory", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="mallory", Password=PASSWORD, Permanent=True)
    cognito.create_group(GroupName="writers", UserPoolId=pool)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="mallory", GroupName="writers")
    answer = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=app,
        AuthParameters={"USERNAME": "mallory", "PASSWORD": PASSWORD},
    )
    return answer["AuthenticationResult"]["AccessToken"]
