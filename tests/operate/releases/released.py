"""A stack with one function in several versions, and CodeDeploy, on moto."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from moto.codedeploy.models import codedeploy_backends

from operate.session import LIVE
from tests.conftest import ACCOUNT, REGION
from tests.operate.conftest import add_output

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

FUNCTION = "file-pipeline-dev-ingest"
APPLICATION = "file-pipeline-dev-releases"


def lambda_client() -> LambdaClient:
    return boto3.client("lambda")


def publish(count: int, function: str = FUNCTION) -> None:
    """Publish so many more versions of a function, each of another code."""
    client = lambda_client()
    for number in range(count):
        archive = io.BytesIO()
        before = len(client.list_versions_by_function(FunctionName=function)["Versions"])
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("handler.py", f"# {before} {number}")
        client.update_function_code(FunctionName=function, ZipFile=archive.getvalue(), Publish=True)


def point(version: int, **weights: float) -> None:
    """Point the alias at a version, and send shares of the calls to others: ``v3=0.1``."""
    shares = {name.removeprefix("v"): share for name, share in weights.items()}
    lambda_client().update_alias(
        FunctionName=FUNCTION,
        Name=LIVE,
        FunctionVersion=str(version),
        RoutingConfig={"AdditionalVersionWeights": shares},
    )


def alias() -> tuple[int, dict[str, float]]:
    """The alias: its version, and the shares of others."""
    found = lambda_client().get_alias(FunctionName=FUNCTION, Name=LIVE)
    return int(found["FunctionVersion"]), dict(found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))


def versions() -> list[int]:
    listed = lambda_client().list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    return [int(one["Version"]) for one in listed if one["Version"] != "$LATEST"]


def forget_function(name: str) -> None:
    """Take a function's name from the stack's outputs."""
    file = Path(os.environ["PIPELINE_OUTPUTS"])
    outputs = json.loads(file.read_text())
    del outputs[f"{name}FunctionName"]
    file.write_text(json.dumps(outputs))


def shifting() -> None:
    """Let the stack have CodeDeploy's application and group."""
    client = boto3.client("codedeploy")
    client.create_application(applicationName=APPLICATION, computePlatform="Lambda")
    client.create_deployment_group(
        applicationName=APPLICATION,
        deploymentGroupName="ingest",
        serviceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/codedeploy",
        deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes",
    )
    add_output("releaseApplicationName", APPLICATION)


def app_spec(current: int, target: int) -> dict[str, object]:
    """What a deployment shifts, as CodeDeploy answers it."""
    properties = {"CurrentVersion": str(current), "TargetVersion": str(target)}
    content = json.dumps({"Resources": [{"ingest": {"Properties": properties}}]})
    return {"revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}}


def deployments() -> list[tuple[str, dict[str, str]]]:
    """Each deployment: its status, and what it shifts."""
    found = []
    for one in codedeploy_backends[ACCOUNT][REGION].deployments.values():
        (resource,) = json.loads(one.revision["appSpecContent"]["content"])["Resources"]
        found.append((one.status, resource["ingest"]["Properties"]))
    return found


def codedeploy_that(*steps: Callable[[], str]) -> Callable[[float], None]:
    """What CodeDeploy does while the command waits: each step moves the alias and answers the new status."""
    left = list(steps)

    def wait(_seconds: float) -> None:
        status = left.pop(0)()
        for one in codedeploy_backends[ACCOUNT][REGION].deployments.values():
            if one.status in {"Created", "InProgress"}:
                one.status = status

    return wait
