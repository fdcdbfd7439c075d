"""Requests to judge: names and ARNs of an account, what requests say of tags and services, and the verdict on them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bootstrap.account import OWN, bootstrap, boundary_arn, documents
from tests.bootstrap.evaluator import Request, allowed
from tests.conftest import ACCOUNT, REGION

BOUND = {"iam:PermissionsBoundary": boundary_arn("dev")}
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
STATE = f"arn:aws:s3:::{OWN}-state"
LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/1"
API_TAGS = f"arn:aws:apigateway:{REGION}::/tags/arn"
APIS = f"arn:aws:apigateway:{REGION}::/apis"
MAPPINGS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping"
BROUGHT = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
EVERYTHING = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def own(stage: str, project: str = "file-pipeline") -> Mapping[str, str]:
    return {"aws:ResourceTag/Project": project, "aws:ResourceTag/Environment": stage}


def new(stage: str, project: str = "file-pipeline") -> Mapping[str, str]:
    return {"aws:RequestTag/Project": project, "aws:RequestTag/Environment": stage}


def passed_to(service: str) -> Mapping[str, str]:
    return {"iam:PassedToService": f"{service}.amazonaws.com"}


def through(service: str) -> Mapping[str, str]:
    return {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}


def judge(role: str, action: str, resource: str, context: Mapping[str, str], **settings: object) -> bool:
    account = bootstrap({"stages": ["dev", "prod"], **settings})
    return allowed(Request(action=action, resource=resource, context=context), documents(account, role))
