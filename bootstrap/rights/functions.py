"""What runs: functions, their roles, what calls them, and how their releases shift."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Rights, Table, Target, Templates
from bootstrap.rights.targets import IN_REGION, KEY_GRANTS, KEY_THROUGH_SERVICES, pass_to

_FUNCTION: Final = Target(
    sid="Functions", service="lambda", arns=("arn:{partition}:lambda:{region}:{account}:function:{name}",)
)
_CALLED_FUNCTION: Final = Target(
    sid="CalledFunctions",
    service="lambda",
    arns=_FUNCTION.arns,
    conditions={"StringEquals": {"lambda:Principal": ("apigateway.amazonaws.com",)}},
)
_LAYER: Final = Target(sid="Layers", service="lambda", arns=("arn:{partition}:lambda:{region}:{account}:layer:{name}",))
_INSIGHTS: Final = Target(
    sid="InsightsLayer",
    service="lambda",
    arns=("arn:{partition}:lambda:{region}:*:layer:LambdaInsightsExtension-Arm64:*",),
    why="AWS's own, in an account of its own in each region",
)
_CALLS_FUNCTION: Final[Templates] = {"ArnLike": {"lambda:FunctionArn": tuple(_FUNCTION.arns)}}
_NEW_MAPPING: Final = Target(
    sid="NewEventSourceMappings",
    service="lambda",
    arns=("*",),
    conditions=_CALLS_FUNCTION,
    why="one that is made has no id yet: the function that it calls is the stage's",
)
_MAPPING: Final = Target(
    sid="EventSourceMappings",
    service="lambda",
    arns=("arn:{partition}:lambda:{region}:{account}:event-source-mapping:*",),
    conditions=_CALLS_FUNCTION,
    why="its id is AWS's own: the function that it calls is the stage's",
)
_MAPPING_TAGS: Final = Target(
    sid="EventSourceMappingTags",
    service="lambda",
    arns=_MAPPING.arns,
    why="its id is AWS's own, and the request names no function; nothing is decided by these tags",
)
_NETWORK: Final = Target(
    sid="Networks",
    service="ec2",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for lists; Lambda looks the subnets up in the caller's name",
)
_ROLE: Final = Target(sid="Roles", service="iam", arns=("arn:{partition}:iam::{account}:role{path}{name}",))
_BOUND_ROLE: Final = Target(
    sid="RolesWithBoundary",
    service="iam",
    arns=_ROLE.arns,
    conditions={"StringEquals": {"iam:PermissionsBoundary": ("{boundary}",)}},
)
_SCHEDULE: Final = Target(
    sid="Schedules", service="scheduler", arns=("arn:{partition}:scheduler:{region}:{account}:schedule/default/{name}",)
)
_APPLICATION: Final = Target(
    sid="ReleaseApplications",
    service="codedeploy",
    arns=("arn:{partition}:codedeploy:{region}:{account}:application:{name}",),
)
_GROUP: Final = Target(
    sid="ReleaseGroups",
    service="codedeploy",
    arns=("arn:{partition}:codedeploy:{region}:{account}:deploymentgroup:{name}/*",),
)

FUNCTIONS: Final[Table] = {
    "aws:lambda/function:Function": (
        Rights(
            on=_FUNCTION,
            create="CreateFunction PublishVersion PutFunctionConcurrency TagResource",
            read="GetFunction GetFunctionCodeSigningConfig GetFunctionConfiguration ListTags ListVersionsByFunction",
            update="DeleteFunctionConcurrency UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
            delete="DeleteFunction",
        ),
        Rights(on=_LAYER, create="GetLayerVersion"),
        Rights(on=_INSIGHTS, create="GetLayerVersion"),
        Rights(on=pass_to("lambda"), create="PassRole"),
        # Its environment is encrypted, and read, in the caller's name.
        Rights(on=KEY_THROUGH_SERVICES, create="Decrypt Encrypt GenerateDataKey", reveal="Decrypt"),
        Rights(on=KEY_GRANTS, create="CreateGrant"),
        Rights(on=_NETWORK, create="DescribeSecurityGroups DescribeSubnets DescribeVpcs"),
    ),
    "aws:lambda/layerVersion:LayerVersion": (
        Rights(on=_LAYER, create="PublishLayerVersion", read="GetLayerVersion", delete="DeleteLayerVersion"),
    ),
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": (
        Rights(on=_FUNCTION, create="PutFunctionRecursionConfig", read="GetFunctionRecursionConfig"),
    ),
    "aws:lambda/permission:Permission": (
        Rights(on=_CALLED_FUNCTION, create="AddPermission"),
        Rights(on=_FUNCTION, read="GetPolicy", delete="RemovePermission"),
    ),
    "aws:lambda/alias:Alias": (
        Rights(on=_FUNCTION, create="CreateAlias", read="GetAlias", update="UpdateAlias", delete="DeleteAlias"),
    ),
    "aws:lambda/invocation:Invocation": (Rights(on=_FUNCTION, create="InvokeFunction"),),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        Rights(on=_NEW_MAPPING, create="CreateEventSourceMapping"),
        Rights(
            on=_MAPPING,
            read="GetEventSourceMapping",
            update="UpdateEventSourceMapping",
            delete="DeleteEventSourceMapping",
        ),
        Rights(on=_MAPPING_TAGS, create="TagResource", read="ListTags", update="UntagResource"),
    ),
    "aws:iam/role:Role": (
        Rights(
            on=_BOUND_ROLE,
            create="CreateRole PutRolePermissionsBoundary",
            delete="DeleteRolePolicy",
        ),
        Rights(
            on=_ROLE,
            create="TagRole",
            read="GetRole ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags",
            # Editions of AWS's reference disagree on whether these know the boundary: they lean on the name.
            update="UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
            delete="DeleteRole",
        ),
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        Rights(on=_BOUND_ROLE, create="PutRolePolicy", delete="DeleteRolePolicy"),
        Rights(on=_ROLE, read="GetRolePolicy"),
    ),
    "aws:scheduler/schedule:Schedule": (
        Rights(
            on=_SCHEDULE,
            create="CreateSchedule",
            read="GetSchedule",
            update="UpdateSchedule",
            delete="DeleteSchedule",
        ),
        Rights(on=pass_to("scheduler"), create="PassRole"),
    ),
    "aws:codedeploy/application:Application": (
        Rights(
            on=_APPLICATION,
            create="CreateApplication TagResource",
            read="GetApplication ListTagsForResource",
            update="UntagResource UpdateApplication",
            delete="DeleteApplication",
        ),
    ),
    "aws:codedeploy/deploymentGroup:DeploymentGroup": (
        Rights(
            on=_GROUP,
            create="CreateDeploymentGroup TagResource",
            read="GetDeploymentGroup ListTagsForResource",
            update="UntagResource UpdateDeploymentGroup",
            delete="DeleteDeploymentGroup",
        ),
        Rights(on=pass_to("codedeploy"), create="PassRole"),
    ),
}
