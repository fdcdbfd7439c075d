"""The table of rights has every declared type, and gives each stage's deployment enough for its own and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from bootstrap.rights import EVERY_TYPE
from bootstrap.rights.calls import FREE_CALLS
from bootstrap.rights.model import CHANGES, Kind, Place, Rights
from policy.resource_types import OUR_OWN, Type
from tests.bootstrap.account import PROJECT, bootstrap, boundary, boundary_arn, documents
from tests.bootstrap.evaluator import Request, allowed
from tests.conftest import ACCOUNT, REGION, declare
from tests.declared.snapshot import FOLDER
from tests.declared_stack import Declared, DeclaredStack
from tools.docs import permissions

OF_NO_STAGE: Final = {
    *(
        "AlarmLists",
        "ApiRole",
        "EventSourceMappingTags",
        "InsightsLayer",
        "KeyAliasLists",
        "LogDelivery",
        "LogGroupLists",
    ),
    *("Networks", "RandomPassword", "Scaling", "ScalingLists", "ScalingRole", "ScalingTags", "Subscriptions"),
    "UserPoolDomains",
}
"""What AWS binds neither to a name nor to a tag; each says why in docs/iam.md."""

PASSED_TO: Final = {"PassToLambda": "lambda", "PassToScheduler": "scheduler", "PassToCodedeploy": "codedeploy"}


CASES: Final[Mapping[str, Mapping[str, object]]] = {
    "dev": {},
    "local": {},
    "prod": permissions.EVERY_PART,
    "prod-canary": {},
    "prod-company": {},
    "prod-delivery": {},
}
"""Stages of the tests that hold every way to depart that changes a role or a name, and settings on top of them."""


def declared(stage: str) -> DeclaredStack:
    return declare(stage, overrides=CASES[stage])


def place(stage: str, project: str = PROJECT) -> Place:
    return Place(
        partition="aws",
        account=ACCOUNT,
        region=REGION,
        project=project,
        stage=stage,
        boundary_arn=boundary_arn(stage),
    )


def context(stage: str, sid: str, action: str, project: str = PROJECT) -> Mapping[str, str]:
    """What a request about a stage's own resources says beside action and resource."""
    service = "lambda" if action == "kms:CreateGrant" else "secretsmanager"
    return {
        "aws:RequestTag/Project": project,
        "aws:RequestTag/Environment": stage,
        "aws:ResourceTag/Project": project,
        "aws:ResourceTag/Environment": stage,
        "aws:RequestedRegion": REGION,
        "application-autoscaling:service-namespace": "dynamodb",
        "iam:AWSServiceName": f"{'ops.apigateway' if sid == 'ApiRole' else 'dynamodb.application-autoscaling'}"
        ".amazonaws.com",
        "iam:PassedToService": f"{PASSED_TO.get(sid, 'no')}.amazonaws.com",
        "iam:PermissionsBoundary": boundary_arn(stage),
        "kms:GrantIsForAWSResource": "true",
        "kms:ViaService": f"{service}.{REGION}.amazonaws.com",
        "lambda:Principal": "apigateway.amazonaws.com",
        "lambda:FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{project}-{stage}-ingest-1234567",
    }


def physical_name(resource: Declared) -> str:
    """The name that is given, without its folders; or what Pulumi makes of the logical one."""
    given = str(resource.inputs.get("name") or "")
    name = given.rpartition("/")[2]
    return name if name.startswith(f"{PROJECT}-") else f"{resource.name}-1234567"


def requests(stack: DeclaredStack, *kinds: Kind, of: str) -> Iterator[tuple[Rights, Request]]:
    """Every call of some kinds that the stack's provider makes, as a stage's own."""
    for resource in stack.resources:
        if resource.type.startswith(OUR_OWN):
            continue
        for rights in EVERY_TYPE[resource.type]:
            name = physical_name(resource).replace(f"{PROJECT}-{stack.stage}-", f"{PROJECT}-{of}-")
            for action in rights.actions(*kinds):
                for arn in rights.on.arns:
                    yield (
                        rights,
                        Request(
                            action=action,
                            # One of those that the pattern stands for, where the id is AWS's own.
                            resource=place(of).fill(arn, name).replace("*", "abc123"),
                            context=context(of, rights.on.sid, action),
                        ),
                    )


def looks(request: Request) -> bool:
    """Whether it changes nothing: some changes look something up first."""
    return request.action.partition(":")[2].startswith(("Decrypt", "Describe", "Get", "List", "GET"))


def test_every_declared_type_has_an_entry() -> None:
    """Those of every stage of the tests, as they were reviewed; and what the guardrails let in."""
    reviewed = "".join(path.read_text() for path in FOLDER.glob("*.yaml"))
    types = set(re.findall(r"^- resource: .*?(aws:\w+/\w+:\w+)::", reviewed, re.MULTILINE))

    assert len(types) > 40
    assert types | set(Type) <= EVERY_TYPE.keys()


@pytest.mark.parametrize("stage", CASES)
def test_every_call_of_the_provider_has_an_entry(stage: str) -> None:
    assert {token for token, _ in declared(stage).asked} <= EVERY_TYPE.keys() | FREE_CALLS


@pytest.mark.parametrize("kind", sorted(EVERY_TYPE))
def test_every_entry_says_how_it_is_made_and_read(kind: str) -> None:
    rights = EVERY_TYPE[kind]
    if "/get" not in kind:
        assert any(entry.create for entry in rights)
    if kind != "aws:lambda/invocation:Invocation":  # it is not there to be read
        assert any(entry.read or entry.reveal for entry in rights)


@pytest.mark.parametrize("stage", CASES)
def test_a_stage_is_deployed_previewed_and_compared_by_its_own_roles(stage: str) -> None:
    account, stack = bootstrap({"stages": [stage]}), declared(stage)
    deploy, drift, preview = (documents(account, f"{stage}-{role}") for role in ("deploy", "drift", "preview"))

    for _, request in requests(stack, *CHANGES, of=stage):
        assert allowed(request, deploy), request
        assert looks(request) or not allowed(request, drift), request
        assert looks(request) or not allowed(request, preview), request
    for _, request in requests(stack, Kind.READ, of=stage):
        assert all(allowed(request, role) for role in (deploy, drift, preview)), request
    for _, request in requests(stack, Kind.REVEAL, of=stage):
        assert allowed(request, deploy), request
        assert allowed(request, drift), request
        assert not allowed(request, preview), request


@pytest.mark.parametrize("of", ["other", "prodx", "bootstrap"])
def test_a_stage_s_roles_have_no_right_on_another_s(of: str) -> None:
    account = bootstrap({"stages": ["prod"], "destroyableStages": ["prod"]})
    roles = [documents(account, f"prod-{role}") for role in ("deploy", "drift", "preview")]

    open_to_all = set()
    for rights, request in requests(declared("prod"), *Kind, of=of):
        if any(allowed(request, role) for role in roles):
            open_to_all.add(rights.on.sid)

    assert open_to_all <= OF_NO_STAGE


def test_what_is_of_no_stage_says_why() -> None:
    targets = {rights.on.sid: rights.on for entries in EVERY_TYPE.values() for rights in entries}

    assert targets.keys() >= OF_NO_STAGE
    for target in targets.values():
        named = all("{name}" in arn or "{prefix}" in arn for arn in target.arns)
        assert bool(target.why) is not named, target.sid


@pytest.mark.parametrize(
    ("kind", "property_", "sid"),
    [("Dashboard", "dashboardName", "Dashboards"), ("Alias", "name", "KeyAliases")],
)
def test_what_has_the_stage_s_name_alone_is_meant_by_it(kind: str, property_: str, sid: str) -> None:
    (found,) = [entry for entry in declared("prod").all(kind) if "lambda" not in entry.type]
    (target,) = {id(rights.on): rights.on for rights in EVERY_TYPE[found.type] if rights.on.sid == sid}.values()

    assert [place("prod").fill(arn).rpartition(":")[2].removeprefix("dashboard/") for arn in target.arns] == [
        found.text(property_)
    ]


@pytest.mark.parametrize("stage", CASES)
def test_the_boundary_leaves_every_role_what_its_policy_gives(stage: str) -> None:
    limit = boundary(bootstrap({"stages": [stage]}), stage)
    for policy in declared(stage).all("RolePolicy"):
        for statement in policy.statements().values():
            if statement["Effect"] == "Deny":
                continue
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    service = {"kms:ViaService": f"s3.{REGION}.amazonaws.com", "aws:RequestedRegion": REGION}
                    request = Request(action=action, resource=as_aws_has_it(action, resource), context=service)
                    assert allowed(request, [limit]), (policy.name, action, resource)


def as_list(value: object) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else [str(value)]


def as_aws_has_it(action: str, arn: str) -> str:
    """The mocks' ARNs have Pulumi's name of a service, and no type of resource."""
    service, name = action.partition(":")[0], arn.rpartition(f":{ACCOUNT}:")[2]
    kinds = {"dynamodb": "table/", "kms": "key/", "lambda": "function:", "logs": "log-group:"}
    kinds["secretsmanager"] = "secret:"
    if service not in kinds:
        return arn
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kinds[service]}{name.removeprefix(kinds[service])}"
