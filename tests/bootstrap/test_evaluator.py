"""The evaluator decides as IAM does: nothing by default, a denial over everything, the boundary as a limit."""

from __future__ import annotations

import json

import pytest

from tests.bootstrap.evaluator import Request, allowed

READ = Request(action="s3:GetObject", resource="arn:aws:s3:::files-dev/a", context={"aws:RequestedRegion": "eu"})


def policy(effect: str = "Allow", **parts: object) -> str:
    statement = {"Sid": "One", "Effect": effect, "Action": "s3:Get*", "Resource": "arn:aws:s3:::files-*", **parts}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_what_no_policy_allows_is_denied() -> None:
    assert not allowed(READ, [])
    assert not allowed(READ, [policy(Action="s3:PutObject")])
    assert not allowed(READ, [policy(Resource="arn:aws:s3:::others-*")])
    assert allowed(READ, [policy()])


def test_a_denial_counts_wherever_it_is() -> None:
    assert not allowed(READ, [policy(), policy("Deny", Action="s3:*", Resource="*")])
    assert not allowed(READ, [policy()], policy("Deny"))


def test_a_boundary_limits_and_gives_nothing() -> None:
    assert allowed(READ, [policy()], policy())
    assert not allowed(READ, [policy()], policy(Action="s3:ListBucket"))
    assert not allowed(READ, [], policy())


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:requestedregion": ["us", "eu"]}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "us"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, False),
        ({"StringNotEquals": {"aws:RequestedRegion": "us"}}, True),
        ({"StringLike": {"aws:RequestedRegion": "e?"}}, True),
        ({"Null": {"aws:RequestedRegion": "false"}}, True),
        ({"Null": {"aws:RequestedRegion": "true"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "eu", "aws:SourceAccount": "1"}}, False),
        ({"ForAllValues:StringLike": {"aws:RequestedRegion": "e*"}}, True),
        ({"ForAllValues:StringLike": {"aws:RequestedRegion": "u*"}}, False),
        ({"ForAllValues:StringLike": {"aws:SourceAccount": "1"}}, True),
    ],
)
def test_every_condition_must_hold(condition: object, *, holds: bool) -> None:
    assert allowed(READ, [policy(Condition=condition)]) is holds


@pytest.mark.parametrize(
    ("action", "resource", "key", "sent"),
    [
        ("iam:CreateRole", "*", "iam:PermissionsBoundary", True),
        ("iam:DeleteRole", "*", "iam:PermissionsBoundary", False),
        ("iam:UpdateAssumeRolePolicy", "*", "iam:PermissionsBoundary", False),
        ("kms:CreateKey", "*", "aws:RequestTag/Project", True),
        ("kms:CreateKey", "*", "aws:ResourceTag/Project", False),
        ("kms:PutKeyPolicy", "arn:aws:kms:eu:1:key/1", "aws:ResourceTag/Project", True),
        ("kms:PutKeyPolicy", "arn:aws:kms:eu:1:key/1", "aws:RequestTag/Project", False),
        ("lambda:GetFunction", "*", "kms:ViaService", False),
        ("lambda:GetFunction", "*", "lambda:NoSuchKey", False),
    ],
)
def test_a_key_counts_only_where_aws_sends_it(action: str, resource: str, key: str, *, sent: bool) -> None:
    request = Request(action=action, resource=resource, context={key: "a"})
    rule = policy(Action="*", Resource="*", Condition={"StringEquals": {key: "a"}})

    assert allowed(request, [rule]) is sent


def test_an_operator_that_it_does_not_know_is_no_silent_answer() -> None:
    with pytest.raises(KeyError, match="IpAddress"):
        allowed(READ, [policy(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})])
