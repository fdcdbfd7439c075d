"""Which condition keys AWS sends with which actions (Service Authorization Reference), of those that policies lean on.

``aws:ResourceTag`` comes with what has tags. Editions of the reference disagree on whether ``iam:DeleteRole``,
``GetRole`` and what updates a role or its trust know the role's boundary: here they do not, so no right may lean on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENT_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "application-autoscaling:service-namespace": (
        "application-autoscaling:Delete*",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:Put*",
        "application-autoscaling:RegisterScalableTarget",
    ),
    "aws:requestedregion": ("*",),
    "aws:requesttag": (
        "apigateway:DELETE",
        "apigateway:PATCH",
        "apigateway:POST",
        "apigateway:PUT",
        "cognito-idp:CreateUserPool",
        "cognito-idp:TagResource",
        "cognito-idp:UpdateUserPool",
        "kms:CreateKey",
        "kms:TagResource",
    ),
    "aws:resourcetag": ("apigateway:*", "cognito-idp:*", "kms:*"),
    "dynamodb:leadingkeys": (
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    ),
    "iam:awsservicename": ("iam:CreateServiceLinkedRole",),
    "iam:passedtoservice": ("iam:PassRole",),
    "iam:permissionsboundary": (
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
    ),
    "kms:grantisforawsresource": ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"),
    "kms:resourcealiases": ("kms:*",),
    "kms:viaservice": ("kms:*",),
    "lambda:functionarn": (
        "lambda:CreateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
    ),
    "lambda:principal": ("lambda:AddPermission", "lambda:RemovePermission"),
}
"""Condition key in lower case, without the name of a tag → patterns of actions."""

OF_RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:resourcetag": (
        "arn:*:apigateway:*::/apis/*",
        "arn:*:apigateway:*::/tags/*",
        "arn:*:cognito-idp:*:userpool/*",
        "arn:*:kms:*:key/*",
    ),
    "kms:resourcealiases": ("arn:*:kms:*:key/*",),
}
"""Condition keys that say what a resource has → patterns of the resources that can have it."""
