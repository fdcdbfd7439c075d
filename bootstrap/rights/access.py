"""Who gets in: the HTTP API and its users."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Rights, Table, Target
from bootstrap.rights.targets import HAS_TAGS, IN_REGION, NEW_HAS_TAGS, linked_role

_NEW_API: Final = Target(
    sid="NewApis",
    service="apigateway",
    arns=("arn:{partition}:apigateway:{region}::/apis",),
    conditions=NEW_HAS_TAGS,
    why="an API that is made has no id yet: it gets the stage's tags",
)
_API: Final = Target(
    sid="Apis",
    service="apigateway",
    arns=("arn:{partition}:apigateway:{region}::/apis/*",),
    conditions=HAS_TAGS,
    why="an API's id is AWS's own: its tags are the stage's",
)
_API_TAGS: Final = Target(
    sid="ApiTags",
    service="apigateway",
    arns=("arn:{partition}:apigateway:{region}::/tags/*",),
    conditions=NEW_HAS_TAGS,
    why="an API's id is AWS's own: no tags but the stage's are given",
)
_LOG_DELIVERY: Final = Target(
    sid="LogDelivery",
    service="logs",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for it: an API's stage delivers its access logs in the caller's name",
)
_NEW_POOL: Final = Target(
    sid="NewUserPools",
    service="cognito-idp",
    arns=("*",),
    conditions=NEW_HAS_TAGS,
    why="a user pool that is made has no id yet: it gets the stage's tags",
)
_POOL: Final = Target(
    sid="UserPools",
    service="cognito-idp",
    arns=("arn:{partition}:cognito-idp:{region}:{account}:userpool/*",),
    conditions=HAS_TAGS,
    why="a user pool's id is AWS's own: its tags are the stage's",
)
_DOMAIN: Final = Target(
    sid="UserPoolDomains",
    service="cognito-idp",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for it",
)

_PART_OF_API: Final = (Rights(on=_API, create="POST", read="GET", update="PATCH", delete="DELETE"),)


ACCESS: Final[Table] = {
    "aws:apigatewayv2/api:Api": (
        Rights(on=_NEW_API, create="POST"),
        Rights(on=_API, read="GET", update="PATCH PUT", delete="DELETE"),
        Rights(on=_API_TAGS, create="POST PUT"),
        Rights(on=linked_role("ApiRole", "ops.apigateway.amazonaws.com"), create="CreateServiceLinkedRole"),
    ),
    "aws:apigatewayv2/authorizer:Authorizer": _PART_OF_API,
    "aws:apigatewayv2/integration:Integration": _PART_OF_API,
    "aws:apigatewayv2/route:Route": _PART_OF_API,
    "aws:apigatewayv2/stage:Stage": (
        *_PART_OF_API,
        Rights(on=_API_TAGS, create="POST PUT"),
        Rights(
            on=_LOG_DELIVERY,
            create="CreateLogDelivery DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy",
            update="UpdateLogDelivery",
            delete="DeleteLogDelivery",
        ),
    ),
    "aws:cognito/userPool:UserPool": (
        Rights(on=_NEW_POOL, create="CreateUserPool"),
        Rights(
            on=_POOL,
            create="TagResource",
            read="DescribeUserPool GetUserPoolMfaConfig ListTagsForResource",
            update="AddCustomAttributes SetUserPoolMfaConfig UntagResource UpdateUserPool",
            delete="DeleteUserPool",
        ),
    ),
    # A client's secret is in what describes it.
    "aws:cognito/userPoolClient:UserPoolClient": (
        Rights(
            on=_POOL,
            create="CreateUserPoolClient",
            reveal="DescribeUserPoolClient",
            update="UpdateUserPoolClient",
            delete="DeleteUserPoolClient",
        ),
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": (
        Rights(
            on=_POOL,
            create="CreateUserPoolDomain",
            update="UpdateUserPoolDomain",
            delete="DeleteUserPoolDomain",
        ),
        Rights(on=_DOMAIN, read="DescribeUserPoolDomain"),
    ),
    "aws:cognito/riskConfiguration:RiskConfiguration": (
        Rights(on=_POOL, create="SetRiskConfiguration", read="DescribeRiskConfiguration"),
    ),
    "aws:cognito/resourceServer:ResourceServer": (
        Rights(
            on=_POOL,
            create="CreateResourceServer",
            read="DescribeResourceServer",
            update="UpdateResourceServer",
            delete="DeleteResourceServer",
        ),
    ),
    "aws:cognito/userGroup:UserGroup": (
        Rights(on=_POOL, create="CreateGroup", read="GetGroup", update="UpdateGroup", delete="DeleteGroup"),
    ),
    "aws:cognito/user:User": (
        Rights(
            on=_POOL,
            create="AdminCreateUser AdminSetUserPassword",
            read="AdminGetUser",
            update="AdminDeleteUserAttributes AdminDisableUser AdminEnableUser AdminUpdateUserAttributes",
            delete="AdminDeleteUser",
        ),
    ),
    "aws:cognito/userInGroup:UserInGroup": (
        Rights(
            on=_POOL,
            create="AdminAddUserToGroup",
            read="AdminListGroupsForUser",
            delete="AdminRemoveUserFromGroup",
        ),
    ),
}
