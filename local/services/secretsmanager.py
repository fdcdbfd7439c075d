"""Secrets Manager on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs


def _secret(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    arn = cloud.client("secretsmanager").create_secret(
        Name=name, Description=inputs.text("description", ""), KmsKeyId=inputs.text("kmsKeyId")
    )["ARN"]
    return Created(id=arn, outputs={"arn": arn, "name": name})


def _version(cloud: Cloud, inputs: Inputs) -> Created:
    secret = inputs.text("secretId")
    client = cloud.client("secretsmanager")
    version = client.put_secret_value(SecretId=secret, SecretString=inputs.secret("secretString"))["VersionId"]
    for label in set(inputs.texts("versionStages")) - {"AWSCURRENT"}:
        # The emulator forgets every label other than AWSCURRENT that is set with it.
        client.update_secret_version_stage(SecretId=secret, VersionStage=label, MoveToVersionId=version)
    return Created(id=f"{secret}|{version}", outputs={"arn": secret, "versionId": version})


def _policy(cloud: Cloud, inputs: Inputs) -> Created:
    arn = inputs.text("secretArn")
    cloud.client("secretsmanager").put_resource_policy(
        SecretId=arn, ResourcePolicy=inputs.text("policy"), BlockPublicPolicy=inputs.flag("blockPublicPolicy")
    )
    return Created(id=arn, outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": _policy,
    "aws:secretsmanager/secretVersion:SecretVersion": _version,
}
