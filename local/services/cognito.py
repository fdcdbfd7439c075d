"""Cognito on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_cognito_idp.type_defs import (
        AdminCreateUserRequestTypeDef,
        CreateUserPoolClientRequestTypeDef,
        CreateUserPoolRequestTypeDef,
    )


def _pool(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api(
        *("aliasAttributes", "autoVerifiedAttributes", "usernameConfiguration", "accountRecoverySetting"),
        *("adminCreateUserConfig", "userPoolTier", "userPoolAddOns", "deletionProtection"),
    )
    request |= {"PoolName": inputs.physical_name(), "Policies": inputs.as_api("passwordPolicy")}
    pool = cloud.client("cognito-idp").create_user_pool(**cast("CreateUserPoolRequestTypeDef", request))["UserPool"]
    outputs = {"arn": pool["Arn"], "endpoint": f"cognito-idp.{cloud.region}.amazonaws.com/{pool['Id']}"}
    return Created(id=pool["Id"], outputs={**outputs})


def _client(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api(
        *("userPoolId", "generateSecret", "explicitAuthFlows", "preventUserExistenceErrors", "enableTokenRevocation"),
        *("accessTokenValidity", "idTokenValidity", "refreshTokenValidity", "tokenValidityUnits"),
    )
    request |= {
        "AllowedOAuthFlows": inputs.texts("allowedOauthFlows"),
        "AllowedOAuthScopes": inputs.texts("allowedOauthScopes"),
        "AllowedOAuthFlowsUserPoolClient": inputs.flag("allowedOauthFlowsUserPoolClient"),
    }
    request["ClientName"] = inputs.physical_name()
    client = cloud.client("cognito-idp").create_user_pool_client(**cast("CreateUserPoolClientRequestTypeDef", request))[
        "UserPoolClient"
    ]
    # Only a client with a secret has one.
    return Created(id=client["ClientId"], outputs={"clientSecret": client.get("ClientSecret", "")})


def _scopes(cloud: Cloud, inputs: Inputs) -> Created:
    identifier = inputs.text("identifier")
    cloud.client("cognito-idp").create_resource_server(
        UserPoolId=inputs.text("userPoolId"),
        Identifier=identifier,
        Name=inputs.text("name"),
        Scopes=[
            {"ScopeName": scope.text("scopeName"), "ScopeDescription": scope.text("scopeDescription")}
            for scope in inputs.parts("scopes")
        ],
    )
    return Created(id=identifier, outputs={})


def _domain(cloud: Cloud, inputs: Inputs) -> Created:
    domain = inputs.text("domain")
    cloud.client("cognito-idp").create_user_pool_domain(Domain=domain, UserPoolId=inputs.text("userPoolId"))
    return Created(id=domain, outputs={})


def _group(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.text("name")
    cloud.client("cognito-idp").create_group(
        GroupName=name, UserPoolId=inputs.text("userPoolId"), Description=inputs.text("description", "")
    )
    return Created(id=name, outputs={})


def _user(cloud: Cloud, inputs: Inputs) -> Created:
    pool, name = inputs.text("userPoolId"), inputs.text("username")
    request = inputs.as_api("userPoolId", "username", "messageAction")
    cloud.client("cognito-idp").admin_create_user(**cast("AdminCreateUserRequestTypeDef", request))
    cloud.client("cognito-idp").admin_set_user_password(
        UserPoolId=pool, Username=name, Password=inputs.text("password"), Permanent=True
    )
    return Created(id=name, outputs={})


def _membership(cloud: Cloud, inputs: Inputs) -> Created:
    name, group = inputs.text("username"), inputs.text("groupName")
    cloud.client("cognito-idp").admin_add_user_to_group(
        UserPoolId=inputs.text("userPoolId"), Username=name, GroupName=group
    )
    return Created(id=f"{name}/{group}", outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:cognito/resourceServer:ResourceServer": _scopes,
    "aws:cognito/user:User": _user,
    "aws:cognito/userGroup:UserGroup": _group,
    "aws:cognito/userInGroup:UserInGroup": _membership,
    "aws:cognito/userPool:UserPool": _pool,
    "aws:cognito/userPoolClient:UserPoolClient": _client,
    "aws:cognito/userPoolDomain:UserPoolDomain": _domain,
}
