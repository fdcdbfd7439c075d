"""Cognito on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, cast

from local.cloud import Cloud
from local.services.base import Creator, Inputs, Made

if TYPE_CHECKING:
    from types_boto3_cognito_idp.literals import ExplicitAuthFlowsTypeType, TimeUnitsTypeType


def _pool(cloud: Cloud, inputs: Inputs) -> Made:
    policy = inputs.part("passwordPolicy")
    pool = cloud.cognito.create_user_pool(
        PoolName=inputs.physical_name(),
        AliasAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Policies={
            "PasswordPolicy": {
                "MinimumLength": policy.integer("minimumLength"),
                "RequireLowercase": policy.flag("requireLowercase"),
                "RequireUppercase": policy.flag("requireUppercase"),
                "RequireNumbers": policy.flag("requireNumbers"),
                "RequireSymbols": policy.flag("requireSymbols"),
                "TemporaryPasswordValidityDays": policy.integer("temporaryPasswordValidityDays"),
            }
        },
        AdminCreateUserConfig={
            "AllowAdminCreateUserOnly": inputs.part("adminCreateUserConfig").flag("allowAdminCreateUserOnly")
        },
    )["UserPool"]
    outputs = {"arn": pool["Arn"], "endpoint": f"cognito-idp.{cloud.region}.amazonaws.com/{pool['Id']}"}
    return Made(id=pool["Id"], outputs={**outputs})


def _client(cloud: Cloud, inputs: Inputs) -> Made:
    units = inputs.part("tokenValidityUnits")
    client = cloud.cognito.create_user_pool_client(
        UserPoolId=inputs.text("userPoolId"),
        ClientName=inputs.physical_name(),
        GenerateSecret=inputs.flag("generateSecret"),
        ExplicitAuthFlows=cast("list[ExplicitAuthFlowsTypeType]", inputs.texts("explicitAuthFlows")),
        AccessTokenValidity=inputs.integer("accessTokenValidity"),
        IdTokenValidity=inputs.integer("idTokenValidity"),
        RefreshTokenValidity=inputs.integer("refreshTokenValidity"),
        TokenValidityUnits={
            "AccessToken": cast("TimeUnitsTypeType", units.text("accessToken")),
            "IdToken": cast("TimeUnitsTypeType", units.text("idToken")),
            "RefreshToken": cast("TimeUnitsTypeType", units.text("refreshToken")),
        },
        PreventUserExistenceErrors=cast("Literal['ENABLED']", inputs.text("preventUserExistenceErrors")),
    )["UserPoolClient"]
    return Made(id=client["ClientId"], outputs={})


def _group(cloud: Cloud, inputs: Inputs) -> Made:
    name = inputs.text("name")
    cloud.cognito.create_group(GroupName=name, UserPoolId=inputs.text("userPoolId"))
    return Made(id=name, outputs={})


def _user(cloud: Cloud, inputs: Inputs) -> Made:
    pool, name = inputs.text("userPoolId"), inputs.text("username")
    cloud.cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cloud.cognito.admin_set_user_password(
        UserPoolId=pool, Username=name, Password=inputs.text("password"), Permanent=True
    )
    return Made(id=name, outputs={})


def _membership(cloud: Cloud, inputs: Inputs) -> Made:
    name, group = inputs.text("username"), inputs.text("groupName")
    cloud.cognito.admin_add_user_to_group(UserPoolId=inputs.text("userPoolId"), Username=name, GroupName=group)
    return Made(id=f"{name}/{group}", outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:cognito/user:User": _user,
    "aws:cognito/userGroup:UserGroup": _group,
    "aws:cognito/userInGroup:UserInGroup": _membership,
    "aws:cognito/userPool:UserPool": _pool,
    "aws:cognito/userPoolClient:UserPoolClient": _client,
}
